"""The rules, in the order of their ids, and what runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from groundcover_istio.checks import (
    gci001,
    gci002,
    gci003,
    gci004,
    gci005,
    gci006,
    gci007,
    gci008,
    gci009,
    gci010,
    gci011,
    gci012,
    gci013,
    gci014,
    gci015,
    gci016,
    gci017,
    gci018,
    gci019,
    gci020,
    gci021,
    gci022,
    gci023,
    gci024,
    gci025,
    gci026,
    gci027,
    gci028,
    gci029,
    gci030,
    gci031,
    gci032,
    gci033,
    gci034,
    gci035,
    gci036,
    gci037,
    gci038,
    gci039,
    gci040,
    gci041,
)  # fmt: skip
from groundcover_istio.checks.finding import UNREADABLE, Finding, Hit, Level
from groundcover_istio.errors import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from groundcover_istio.checks.world import World


class _Module(Protocol):
    """What each rule's module has."""

    @property
    def ID(self) -> str: ...  # noqa: N802  the name of a constant
    @property
    def NAME(self) -> str: ...  # noqa: N802
    @property
    def SEVERITY(self) -> Level: ...  # noqa: N802
    @property
    def __doc__(self) -> str | None: ...  # type: ignore[override]

    def check(self, world: World, /) -> Iterator[Hit]: ...


class Rule(NamedTuple):
    """A rule: its id never changes its meaning."""

    id: str
    name: str
    severity: Level
    page: str
    check: Callable[[World], Iterator[Hit]]

    @property
    def summary(self) -> str:
        """The first line of its page, without its full stop."""
        return self.page.split("\n", 1)[0].rstrip(".")


def _rule(module: _Module) -> Rule:
    return Rule(module.ID, module.NAME, module.SEVERITY, (module.__doc__ or "").strip(), module.check)


RULES: Final = tuple(
    _rule(module)
    for module in (
        gci001, gci002, gci003, gci004, gci005, gci006, gci007, gci008, gci009, gci010, gci011, gci012, gci013, gci014,
        gci015, gci016, gci017, gci018, gci019, gci020, gci021, gci022, gci023, gci024, gci025, gci026, gci027, gci028,
        gci029, gci030, gci031, gci032, gci033, gci034, gci035, gci036, gci037, gci038, gci039, gci040, gci041,
    )
)  # fmt: skip
# Characters of a message, or of a line of a fix, which names what stands in a manifest.
_LONGEST: Final = 1000
BY_ID: Final = {rule.id: rule for rule in RULES}
UNUSED: Final = BY_ID[gci034.ID]
REASONLESS: Final = BY_ID[gci035.ID]


def name_of(rule: str) -> str:
    """A rule's name; that of an input that can't be read too."""
    return "unreadable" if rule == UNREADABLE else BY_ID[rule].name


def run(world: World, selected: frozenset[str]) -> list[Finding]:
    """What the selected rules find, in no particular order."""
    return [_finding(rule, hit) for rule in RULES if rule.id in selected for hit in rule.check(world)]


def _finding(rule: Rule, hit: Hit) -> Finding:
    line, column = hit.place.at(hit.path)
    level = hit.level or rule.severity
    message, *fix = (plain(each, _LONGEST) for each in (hit.message, *hit.fix.split("\n")))
    return Finding(rule.id, level, hit.place.file, line, column, message, "\n".join(fix), hit.place.resource)
