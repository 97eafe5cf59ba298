"""A rule's page, and the table of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.registry import RULES

if TYPE_CHECKING:
    from groundcover_istio.checks.registry import Rule

SECTIONS: Final = ("What", "Why", "Bad", "Good", "Source", "Proof")


def page(rule: Rule) -> str:
    """The page of a rule, in Markdown."""
    summary, _, body = rule.page.partition("\n")
    return f"# {rule.id} {rule.name}\n\nSeverity: {rule.severity}. {summary}\n{body.rstrip()}\n"


def table() -> str:
    """A line for each rule."""
    width = max(len(rule.name) for rule in RULES)
    return "".join(f"{rule.id}  {rule.severity:<7}  {rule.name:<{width}}  {rule.summary}\n" for rule in RULES)


def examples(rule: Rule, section: str) -> list[str]:
    """The YAML blocks of a section, each an input of its own."""
    parts = rule.page.split(f"## {section}\n", 1)[1].split("\n## ", 1)[0].split("```yaml\n")[1:]
    return [part.split("```", 1)[0] for part in parts]
