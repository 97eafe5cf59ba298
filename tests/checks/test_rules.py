"""Every rule: its page, its examples, its place in the documents."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import rule_pages
from groundcover_istio.checks import pages, registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from groundcover_istio.checks.finding import Finding
    from groundcover_istio.checks.registry import Rule


EXAMPLES = [
    pytest.param(rule, section, text, id=f"{rule.id} {section} {number}")
    for rule in registry.RULES
    for section in ("Bad", "Good")
    for number, text in enumerate(pages.examples(rule, section))
]


@pytest.mark.parametrize(("rule", "section", "text"), EXAMPLES)
def test_examples_of_the_page(rule: Rule, section: str, text: str, findings: Callable[..., list[Finding]]) -> None:
    """A bad example gets the rule's finding; a good one neither that nor anything at warning or above."""
    found = findings(text)
    if section == "Bad":
        assert rule.id in {finding.rule for finding in found}
    else:
        assert [each for each in found if each.rule == rule.id or each.severity != "info"] == []


@pytest.mark.parametrize("rule", registry.RULES, ids=lambda rule: rule.id)
def test_pages_have_fixed_sections(rule: Rule) -> None:
    """What, why, bad, good, source, proof: all of them, in that order, none empty, with examples."""
    parts = re.split(r"^## (\w+)\n", rule.page, flags=re.MULTILINE)
    assert tuple(parts[1::2]) == pages.SECTIONS
    assert all(part.strip() for part in parts[2::2])
    assert pages.examples(rule, "Bad")
    assert pages.examples(rule, "Good")
    assert rule.page.split("\n")[0].endswith(".")


def test_ids_are_in_order_and_names_unique() -> None:
    """Ids count up from GCI001; names are words with hyphens."""
    assert [rule.id for rule in registry.RULES] == [f"GCI{number:03}" for number in range(1, len(registry.RULES) + 1)]
    names = [rule.name for rule in registry.RULES]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+|[a-z]+", name)] == []


def test_documents_are_fresh() -> None:
    """docs/rules is what the modules say."""
    assert rule_pages.stale() == []


def test_every_module_of_a_rule_is_registered() -> None:
    """By its file, which is named after its id."""
    files = sorted(path.stem for path in Path(registry.__file__).parent.glob("gci*.py"))
    assert [rule.check.__module__.rpartition(".")[2] for rule in registry.RULES] == files
    assert [rule.id.lower() for rule in registry.RULES] == files


# What a message may begin with in upper case: the kind of an object.
KINDS = ("DaemonSet", "Deployment", "Pod", "StatefulSet", "Telemetry")
MESSAGE = re.compile(r"^\S+:[0-9]+:[0-9]+: (?:error|warning|info): (.*) \[GCI[0-9]+ ", re.MULTILINE)


def starts_plainly(message: str) -> bool:
    """Whether a message begins in lower case, or with a kind, a number or a wildcard."""
    return message.split(" ", 1)[0] in KINDS or re.match(r"[a-z0-9*]", message) is not None


@pytest.mark.parametrize(
    "text", [pytest.param(case.values[2], id=case.id) for case in EXAMPLES if case.values[1] == "Bad"]
)
def test_messages_are_plain(text: str, findings: Callable[..., list[Finding]]) -> None:
    """Lower case at the start (names aside), no full stop, one line, and a fix."""
    found = findings(text)
    assert found
    for finding in found:
        assert starts_plainly(finding.message), finding.message
        assert "\n" not in finding.message
        assert not finding.message.endswith(".")
        assert finding.fix
        assert finding.line > 0
        assert finding.column > 0


def test_messages_of_the_cases_start_plainly() -> None:
    """Those that no page has an example of too."""
    texts = [path.read_text() for path in (Path(__file__).parent / "cases").glob("*/expected.txt")]
    messages = {message for text in texts for message in MESSAGE.findall(text)}
    assert len(messages) > len(registry.RULES)
    assert [message for message in sorted(messages) if not starts_plainly(message)] == []
