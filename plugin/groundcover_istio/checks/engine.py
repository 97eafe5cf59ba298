"""check as a library: files in, findings out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio.checks import registry, suppression
from groundcover_istio.checks.loading import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundcover_istio.checks.finding import Finding
    from groundcover_istio.checks.loading import File, Given

ALL: Final = frozenset(registry.BY_ID)


class Report(NamedTuple):
    """What a run found."""

    findings: list[Finding]
    """By place; those about inputs that can't be read among them."""
    readable: bool
    """Whether every input could be read."""
    empty: frozenset[str] = frozenset()
    """The names of the inputs that hold no document."""


def check(files: Sequence[File], given: Given, selected: frozenset[str] = ALL) -> Report:
    """Run the selected rules over everything given."""
    loaded = load(files, given)
    found = list(dict.fromkeys(registry.run(loaded.world, selected)))
    kept = suppression.apply(found, loaded.texts, selected)
    findings = sorted([*kept, *loaded.unreadable], key=lambda finding: finding.order)
    return Report(findings, not loaded.unreadable, loaded.empty)
