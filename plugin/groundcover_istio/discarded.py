"""Mesh configs that istiod would discard whole, for whoever reads what a run does: they have no effect."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from groundcover_istio.control_plane import IN_VALUES
from groundcover_istio.decoding import discarding_as_written, normal
from groundcover_istio.edits import apply_to_data
from groundcover_istio.inventory import SHARED_BY_AKS
from groundcover_istio.model import Decision, dig
from groundcover_istio.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from groundcover_istio.decoding import Wrong
    from groundcover_istio.inventory import MeshConfig
    from groundcover_istio.model import Data, Effect, Operation, Path
    from groundcover_istio.rules.plan import Plan

MOST: Final = 10
"""How many values of one mesh config are named."""


def without_discarded(plan: Plan, meshes: Sequence[MeshConfig]) -> Plan:
    """The plan with a warning for each value for which istiod will discard a mesh config, and without its effect.

    `meshes` are those that the plan was made for; of what stands in them the rules refuse a wrong value only where they
    edit. With a shared mesh config istiod discards those that it merges with it, and the other way round.
    """
    planned: dict[int, list[Operation]] = {}
    for change in plan.changes:
        planned.setdefault(id(change.target), []).extend(change.operations)
    found = {id(mesh): list(_warnings(mesh, planned.get(id(mesh), []))) for mesh in meshes}
    discarded = {mesh for mesh, warnings in found.items() if warnings}
    warnings = [warning for each in found.values() for warning in each]
    effects = list(_effects(plan.effects, meshes, discarded))
    sampling = plan.sampling if effects or not discarded else None
    return plan._replace(decisions=[*plan.decisions, *warnings], effects=effects, sampling=sampling)


def _warnings(mesh: MeshConfig, operations: list[Operation]) -> Iterator[Decision]:
    """Of what a mesh config will say, in each place that it has."""
    wrong = _wrong(mesh, operations)
    resource = str(mesh.resource.id)
    for path, each in islice(wrong, MOST):
        values = {"path": spell(path), "found": each.found, "wanted": each.wanted}
        yield Decision("mesh-config-discarded", "warning", resource, values)
    if more := sum(1 for _ in wrong):
        yield Decision("mesh-config-discarded-more", "warning", resource, {"count": f"{more:,}"})


def _wrong(mesh: MeshConfig, operations: list[Operation]) -> Iterator[tuple[Path, Wrong]]:
    after: list[tuple[Path, Data]] = [((), apply_to_data(mesh.data, operations))]
    if mesh.is_values and mesh.place != IN_VALUES:
        after.append((IN_VALUES, dig(mesh.resource.data, *IN_VALUES)))
    for prefix, data in after:
        for each in discarding_as_written(normal(data)):
            yield (*prefix, *each.path), each


def _effects(effects: Sequence[Effect], meshes: Sequence[MeshConfig], discarded: set[int]) -> Iterator[Effect]:
    """Those of the mesh configs of which istiod discards nothing that it merges."""
    # In mode shared our own mesh config has none.
    traced = meshes if len(meshes) == len(effects) else [mesh for mesh in meshes if not mesh.is_shared]
    shared_wrong = {_merged(mesh) for mesh in meshes if _is_shared(mesh) and id(mesh) in discarded}
    right: set[tuple[str, str | None]] = set()
    wrong: set[tuple[str, str | None]] = set()
    for mesh in meshes:
        if not _is_shared(mesh):
            (wrong if id(mesh) in discarded else right).update(_places(mesh))
    for effect, mesh in zip(effects, traced, strict=False):
        below = _merged(mesh) in wrong - right if _is_shared(mesh) else shared_wrong & _places(mesh)
        if id(mesh) not in discarded and not below:
            yield effect


def _is_shared(mesh: MeshConfig) -> bool:
    return mesh.is_shared or mesh.resource.id.name.startswith(SHARED_BY_AKS)


def _merged(shared: MeshConfig) -> tuple[str, str | None]:
    """Where istiod merges a shared mesh config: ours in all of its namespace, AKS' in one revision there."""
    return shared.namespace, None if shared.is_shared else shared.revision


def _places(mesh: MeshConfig) -> set[tuple[str, str | None]]:
    """Where a mesh config may be merged with a shared one."""
    return {(mesh.namespace, mesh.revision), (mesh.namespace, None)}
