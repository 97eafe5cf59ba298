"""Mesh configs that istiod would discard whole, for whoever reads what a run does: they have no effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundcover_istio import stream
from groundcover_istio.checks.decoding import discarding_as_written, normal
from groundcover_istio.inventory import take
from groundcover_istio.model import DEFAULT_SERVICE, Decision, Outcome
from groundcover_istio.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.inventory import MeshConfig


def with_discarded(outcome: Outcome) -> Outcome:
    """The outcome, with a warning for each value for which istiod discards a mesh config, and without its effect.

    Apart from `pipeline.run`, which refuses a wrong value only where it edits: a post-renderer whose decisions nobody
    reads does not take the time to decode all the others.
    """
    inventory = take(stream.candidates(outcome.after, DEFAULT_SERVICE), DEFAULT_SERVICE)
    warnings = tuple(warning for mesh in inventory.meshes for warning in _warnings(mesh))
    discarded = {each.resource for each in warnings}
    effects = tuple(each for each in outcome.effects if each.resource not in discarded)
    return outcome._replace(decisions=(*outcome.decisions, *warnings), effects=effects)


def _warnings(mesh: MeshConfig) -> Iterator[Decision]:
    for wrong in discarding_as_written(normal(mesh.data)):
        values = {"path": spell(wrong.path), "found": wrong.found, "wanted": wrong.wanted}
        yield Decision("mesh-config-discarded", "warning", str(mesh.resource.id), values)
