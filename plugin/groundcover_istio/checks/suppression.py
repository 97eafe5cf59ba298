"""Comments that take findings back: `# groundcover-istio: ignore[GCI007] reason`.

A comment counts for its own line and, where it stands on a line of its own, for the next line that
is no comment. It may stand inside the text of a mesh config too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio.checks.finding import UNREADABLE, Finding
from groundcover_istio.checks.registry import BY_ID, REASONLESS, UNUSED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from groundcover_istio.checks.registry import Rule

_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#\s*groundcover-istio:\s*ignore\[([^\]]*)\][ \t]*(.*)")


class Suppression(NamedTuple):
    """One comment."""

    line: int
    column: int
    lines: tuple[int, ...]
    """The lines it counts for."""
    rules: tuple[str, ...]
    reason: str


def apply(findings: list[Finding], texts: Mapping[str, str], selected: frozenset[str]) -> list[Finding]:
    """The findings that no comment takes back, and what is to be said about the comments."""
    kept = list(findings)
    for file, text in texts.items():
        for comment in _comments(text):
            taken = [each for each in kept if each.file == file and _takes(comment, each)]
            kept = [each for each in kept if each not in taken]
            kept += _about(comment, file, {each.rule for each in taken}, selected)
    return kept


def _takes(comment: Suppression, finding: Finding) -> bool:
    return finding.line in comment.lines and finding.rule in comment.rules and finding.rule != UNREADABLE


def _about(comment: Suppression, file: str, used: set[str], selected: frozenset[str]) -> Iterator[Finding]:
    if not comment.reason and REASONLESS.id in selected:
        message = "the suppression gives no reason"
        yield _finding(
            REASONLESS, file, comment, message, f"# groundcover-istio: ignore[{', '.join(comment.rules)}] REASON"
        )
    for rule in comment.rules:
        left_out = rule in BY_ID and rule not in selected
        if UNUSED.id in selected and rule not in used and not left_out:
            why = (
                f"{rule} finds nothing on its line"
                if rule in BY_ID
                else f"{rule} is no rule"
                if rule
                else "it names none"
            )
            yield _finding(UNUSED, file, comment, f"the suppression has no effect: {why}", "remove it")


def _finding(rule: Rule, file: str, comment: Suppression, message: str, fix: str) -> Finding:
    return Finding(rule.id, rule.severity, file, comment.line, comment.column, message, fix, "")


def _comments(text: str) -> Iterator[Suppression]:
    if "ignore[" not in text:
        return
    rows = text.split("\n")
    for index, row in enumerate(rows):
        match = _COMMENT.search(row.rstrip("\r"))
        if match:
            lines = (index + 1, _next_line(rows, index)) if not row[: match.start()].strip() else (index + 1,)
            rules = tuple(part.strip() for part in match[1].split(","))
            yield Suppression(index + 1, match.start() + 1, lines, rules, match[2].strip())


def _next_line(rows: list[str], index: int) -> int:
    """The number of the next line that is no comment."""
    for number in range(index + 1, len(rows)):
        if not rows[number].lstrip().startswith("#"):
            return number + 1
    return index + 1
