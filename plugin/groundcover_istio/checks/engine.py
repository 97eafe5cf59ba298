"""check as a library: files in, findings out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio.checks import registry, suppression
from groundcover_istio.checks.loading import load
from groundcover_istio.errors import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundcover_istio.checks.finding import Finding
    from groundcover_istio.checks.loading import File, Given
    from groundcover_istio.checks.world import World

_LONGEST: Final = 200
ALL: Final = frozenset(registry.BY_ID)


class Report(NamedTuple):
    """What a run found."""

    findings: list[Finding]
    """By place; those about inputs that can't be read among them."""
    readable: bool
    """Whether every input could be read."""
    empty: frozenset[str] = frozenset()
    """The names of the inputs that hold no document."""
    passed: tuple[str, ...] = ()
    """The names of the inputs that can't be read and were passed over."""
    strange: tuple[str, ...] = ()
    """The names of those of the empty ones that hold a text or a list."""
    note: str = ""
    """What is to be said of the inputs together."""


def check(files: Sequence[File], given: Given, selected: frozenset[str] = ALL) -> Report:
    """Run the selected rules over everything given."""
    loaded = load(files, given)
    found = list(dict.fromkeys(registry.run(loaded.world, selected)))
    kept = suppression.apply(found, loaded.texts, selected)
    findings = sorted([*kept, *loaded.unreadable], key=lambda finding: finding.order)
    return Report(findings, not loaded.unreadable, loaded.empty, loaded.passed, loaded.strange, _note(loaded.world))


def _note(world: World) -> str:
    """That inputs look like those of several clusters; empty where they don't."""
    found: dict[str, set[str]] = {}
    for place in (*(mesh.place for mesh in world.meshes), *(each.place for each in world.telemetries())):
        found.setdefault(place.resource, set()).add(place.file)
    for resource, names in found.items():
        if resource and len(names) > 1:
            files = sorted(names)
            listed = ", ".join(plain(each, _LONGEST) for each in files[:2]) + (" …" if len(files) > 2 else "")  # noqa: PLR2004
            return (
                f"{resource} is in {len(files)} inputs ({listed}), and what is given together is taken for one"
                " cluster; check one cluster at a time"
            )
    return ""
