"""What a rule finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from groundcover_istio.checks.places import Place
    from groundcover_istio.model import Path

Level = Literal["error", "warning", "info"]

LEVELS: Final[tuple[Level, ...]] = ("error", "warning", "info")
"""The gravest first."""
UNREADABLE: Final = "GCI000"
"""The id of what is no rule: an input that can't be read."""


class Finding(NamedTuple):
    """One thing found, where it stands, what it causes and what mends it."""

    rule: str
    severity: Level
    file: str
    line: int
    """From 1."""
    column: int
    """From 1."""
    message: str
    fix: str
    """Words or YAML to paste, one or more lines; empty where there is nothing to say."""
    resource: str
    """The object it is in; empty in a file that is no object."""

    @property
    def order(self) -> tuple[str, int, int, str, str]:
        """By place, then by rule."""
        return self.file, self.line, self.column, self.rule, self.message


class Hit(NamedTuple):
    """What a rule gives: `registry` makes a Finding of it."""

    place: Place
    path: Path
    """From the place's root; where it leads further than the text does, its last part that is written counts."""
    message: str
    fix: str = ""
    level: Level | None = None
    """None: the rule's own."""


def at_least(level: Level, limit: Level) -> bool:
    """Whether a severity is as grave as another one, or graver."""
    return LEVELS.index(level) <= LEVELS.index(limit)
