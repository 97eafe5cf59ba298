"""Mesh configs that istiod would discard whole, for whoever reads what a run does: they have no effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundcover_istio.decoding import discarding_as_written, normal
from groundcover_istio.edits import apply_to_data
from groundcover_istio.model import Decision, dig
from groundcover_istio.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from groundcover_istio.inventory import MeshConfig
    from groundcover_istio.model import Data
    from groundcover_istio.rules.plan import Plan

# The other place where an operator's object may have a part of its mesh config.
_BELOW: tuple[str, ...] = ("spec", "values", "meshConfig")


def without_discarded(plan: Plan, meshes: Sequence[MeshConfig]) -> Plan:
    """The plan with a warning for each value for which istiod will discard a mesh config, and without its effect.

    `meshes` are those that the plan was made for. Of what stands in them the rules refuse a wrong value only where they
    edit.
    """
    warnings, discarded = [], []
    for mesh in meshes:
        found = [warning for data in _data(mesh, plan) for warning in _warnings(mesh, data)]
        warnings += found
        discarded += [mesh] if found else []
    # What istiod merges below its own has none.
    traced = meshes if len(meshes) == len(plan.effects) else [mesh for mesh in meshes if not mesh.is_shared]
    effects = [
        effect
        for effect, mesh in zip(plan.effects, traced, strict=False)
        if not any(each is mesh or _merged(each, mesh) for each in discarded)
    ]
    sampling = plan.sampling if effects or not plan.effects else None
    return plan._replace(decisions=[*plan.decisions, *warnings], effects=effects, sampling=sampling)


def _data(mesh: MeshConfig, plan: Plan) -> Iterator[Data]:
    """What a mesh config will say, in each place that it has."""
    operations = [operation for change in plan.changes if change.target is mesh for operation in change.operations]
    yield apply_to_data(mesh.data, operations)
    if mesh.is_values and mesh.place != _BELOW:
        yield dig(mesh.resource.data, *_BELOW)


def _warnings(mesh: MeshConfig, data: Data) -> Iterator[Decision]:
    for wrong in discarding_as_written(normal(data)):
        values = {"path": spell(wrong.path), "found": wrong.found, "wanted": wrong.wanted}
        yield Decision("mesh-config-discarded", "warning", str(mesh.resource.id), values)


def _merged(shared: MeshConfig, mesh: MeshConfig) -> bool:
    """Whether istiod merges a shared mesh config below another one: it looks for it in its own namespace."""
    return shared.is_shared and (not mesh.namespace or shared.namespace in ("", mesh.namespace))
