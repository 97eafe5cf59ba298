"""The mesh-wide Telemetry: added, or merged into the one that is there."""

from __future__ import annotations

from groundcover_istio import istio
from groundcover_istio.errors import ManifestError, plain
from groundcover_istio.inventory import DEFAULT_REVISION
from groundcover_istio.model import Data, Decision, Operation, Settings, Version, dig
from groundcover_istio.rules.plan import Addition, Change, Plan
from groundcover_istio.rules.tracing import SIDES, entries_of, providers_but, said, saying, selects, sides
from groundcover_istio.rules.versions import oldest_version
from groundcover_istio.validation import listed, problems, without_nulls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from groundcover_istio.inventory import Inventory, MeshConfig, Resource

TELEMETRY_NAME: Final = "groundcover-tracing"


def plan_telemetry(
    plan: Plan, inventory: Inventory, settings: Settings, istiod_tags: list[str], present: dict[str, list[Resource]]
) -> None:
    """One Telemetry in each root namespace: with the sensor's release, or, naming the provider, with the mesh's.

    `present` is what `mesh_wide_telemetries` finds.
    """
    meshes = _meshes(inventory, settings)
    if settings.tracing.enabled and settings.tracing.activation != "none":
        _note_defeats(plan, _of_others(present), settings.tracing.provider_name)
    _note_ignored(plan, present)
    homes = _homes(plan, inventory, settings)
    spec = telemetry_spec(settings, meshes)
    if not homes or not spec:
        return
    for root, readers in _roots(inventory, settings).items():
        version = oldest_version(readers, settings, istiod_tags)
        for key in ("tracing", "accessLogging"):
            istio.require(version, f"spec.{key}", spec.get(key), str(homes[0].id))
        for mesh in readers:
            _note_displaced(plan, mesh, settings)
        if root in present:
            _merge_telemetry(plan, present[root][0], spec)
            continue
        revision = _revision(readers, settings)
        name = f"{TELEMETRY_NAME}-{revision}" if revision else TELEMETRY_NAME
        plan.additions.append(Addition(_telemetry(root, name, revision, version, spec), homes[0]))
        _note_added(plan, f"Telemetry {root}/{name}", settings, is_alone=not meshes)
        if not (readers or settings.istio_version or any(map(istio.release, istiod_tags))):
            values = {"version": str(version)}
            plan.decisions.append(Decision("telemetry-version-assumed", "info", f"Telemetry {root}/{name}", values))


def _homes(plan: Plan, inventory: Inventory, settings: Settings) -> list[Resource]:
    """What a Telemetry of ours goes with; empty where none is written, which is mentioned where one may be expected."""
    tracing = settings.tracing
    ours = [*inventory.services, *inventory.integrations]
    homes: list[Resource] = []
    if tracing.activation == "telemetry" and settings.mode == "patch":
        homes = [mesh.resource for mesh in _meshes(inventory, settings)]
        if ours and not homes:
            plan.decisions.append(Decision("telemetry-with-mesh", "warning", str(ours[0].id), {}))
    elif tracing.activation in ("auto", "telemetry"):
        homes = ours
    if tracing.enabled and tracing.custom_tags and not homes:
        plan.decisions.append(Decision("custom-tags-elsewhere", "warning", "", {}))
    return homes


def _revision(readers: list[MeshConfig], settings: Settings) -> str:
    """The one revision that our Telemetry is for; empty where it is for all.

    With the releases of several revisions each brings its own: Helm refuses an object that another release owns. istiod
    reads objects of its revision and those without one (pkg/config/model.go, ObjectInRevision).
    """
    revisions = {"" if mesh.is_values else mesh.revision for mesh in readers}
    is_own = settings.tracing.activation == "telemetry" and settings.mode == "patch" and len(revisions) == 1
    revision = revisions.pop() if is_own else ""
    return "" if revision == DEFAULT_REVISION else revision


def _telemetry(root: str, name: str, revision: str, version: Version, spec: dict[str, Data]) -> dict[str, Data]:
    labels = {"app.kubernetes.io/name": TELEMETRY_NAME, "app.kubernetes.io/part-of": "groundcover"}
    if revision:
        labels["istio.io/rev"] = revision
    return {
        "apiVersion": "telemetry.istio.io/" + ("v1" if version >= istio.TELEMETRY_V1 else "v1alpha1"),
        "kind": "Telemetry",
        "metadata": {"name": name, "namespace": root, "labels": labels},
        "spec": spec,
    }


def _is_ours(telemetry: Resource) -> bool:
    """Whether it is the one we write, for all revisions or for its own."""
    revision = telemetry.labels.get("istio.io/rev")
    return telemetry.id.name in (TELEMETRY_NAME, f"{TELEMETRY_NAME}-{revision}")


def _note_added(plan: Plan, resource: str, settings: Settings, *, is_alone: bool) -> None:
    """What it does, also to a mesh whose mesh config is not in the stream."""
    plan.decisions.append(Decision("telemetry-added", "info", resource, {}))
    if is_alone and settings.tracing.enabled:
        plan.decisions.append(Decision("telemetry-before-mesh", "info", resource, {}))
    if is_alone and settings.tracing.custom_tags:
        plan.decisions.append(Decision("custom-tags-before-mesh", "info", resource, {}))
    if is_alone and settings.access_logs.enabled:
        plan.decisions.append(Decision("logs-before-mesh", "info", resource, {}))
        if settings.access_logs.keep_file_log:
            plan.decisions.append(Decision("file-log-assumed", "warning", resource, {}))


def _note_displaced(plan: Plan, mesh: MeshConfig, settings: Settings) -> None:
    """Mention what of a mesh config counts no more once our Telemetry does."""
    name, ours = str(mesh.resource.id), settings.tracing.provider_name
    defaults = dig(mesh.data, "defaultProviders", "tracing") or []
    if settings.tracing.enabled and settings.tracing.activation == "telemetry" and defaults:
        old = defaults[0]
        if not istio.same_provider(old, ours):
            values = {"provider": ours, "old": plain(old)}
            plan.decisions.append(Decision("default-tracer-displaced", "warning", name, values))
    tags = dig(mesh.data, "defaultConfig", "tracing", "customTags")
    if settings.tracing.enabled and settings.tracing.custom_tags and tags:
        left = sorted(set(tags) - set(settings.tracing.custom_tags)) if isinstance(tags, dict) else []
        if left:
            values = {"tags": ", ".join(map(plain, left))}
            plan.decisions.append(Decision("custom-tags-displaced", "warning", name, values))


def mesh_wide_telemetries(inventory: Inventory, settings: Settings) -> dict[str, list[Resource]]:
    """The mesh-wide Telemetries of each root namespace that has some; the first of them counts."""
    found = {
        root: [each for each in inventory.telemetries if _is_mesh_wide(each, root, inventory)]
        for root in _roots(inventory, settings)
    }
    return {root: telemetries for root, telemetries in found.items() if telemetries}


def effective_percentage(settings: Settings, present: dict[str, list[Resource]]) -> float | None:
    """What share of requests starts a trace, in percent: a mesh-wide Telemetry of another counts before the settings.

    None where nothing in the stream says it; `present` is what `mesh_wide_telemetries` finds.
    """
    found = [istio.number(said(entries_of(each.data), "randomSamplingPercentage")) for each in _of_others(present)]
    own = None if settings.tracing.activation == "none" else settings.tracing.sampling_percentage
    return next((percentage for percentage in found if percentage is not None), own)


def _meshes(inventory: Inventory, settings: Settings) -> list[MeshConfig]:
    """The shared one, which is ours, says nothing about the mesh that would not be so without it."""
    return [mesh for mesh in inventory.meshes if settings.mode == "patch" or not mesh.is_shared]


def _roots(inventory: Inventory, settings: Settings) -> dict[str, list[MeshConfig]]:
    """Every root namespace, with the mesh configs of the stream that have it."""
    roots: dict[str, list[MeshConfig]] = {}
    for mesh in _meshes(inventory, settings):
        roots.setdefault(mesh.root or settings.root_namespace, []).append(mesh)
    return roots or {settings.root_namespace: []}


def _of_others(present: dict[str, list[Resource]]) -> list[Resource]:
    """Those that count and are not ours, which is written anew."""
    return [first for first, *_ in present.values() if not _is_ours(first)]


def telemetry_spec(settings: Settings, meshes: list[MeshConfig]) -> dict[str, Data]:
    """The spec of our Telemetry; {} where it would have nothing to say.

    `meshes` are the mesh configs of the stream. With activation auto it names no tracing provider:
    one that does switches tracing off in every revision whose mesh config lacks that provider.
    """
    tracing, logs = settings.tracing, settings.access_logs
    entry: dict[str, Data] = {}
    if tracing.enabled:
        if tracing.activation == "telemetry":
            entry["providers"] = [{"name": tracing.provider_name}]
        if tracing.sampling_percentage is not None:
            entry["randomSamplingPercentage"] = tracing.sampling_percentage
        if tracing.custom_tags:
            entry["customTags"] = tracing.custom_tags
    spec: dict[str, Data] = {"tracing": [entry]} if entry else {}
    if logs.enabled:
        from groundcover_istio.rules.logs import access_log_names  # noqa: PLC0415  seldom needed: 0.3 ms

        spec["accessLogging"] = [{"providers": [{"name": name} for name in access_log_names(settings, meshes)]}]
    return spec


def _is_mesh_wide(telemetry: Resource, root: str, inventory: Inventory) -> bool:
    """Whether it is in the root namespace and selects nothing.

    Without a namespace it is in the release's: that is the root where the mesh config's is, other than the shared
    one, which goes there from any release.
    """
    with_mesh = any(mesh.resource.id.namespace == root for mesh in inventory.meshes if not mesh.is_shared)
    in_root = telemetry.id.namespace == root or (not telemetry.id.namespace and with_mesh)
    # istiod leaves objects of other revisions alone.
    revision = telemetry.labels.get("istio.io/rev")
    other = revision and all(revision != mesh.revision for mesh in inventory.meshes)
    return in_root and not selects(telemetry.data.get("spec")) and not other


def _note_ignored(plan: Plan, present: dict[str, list[Resource]]) -> None:
    """Mention every mesh-wide Telemetry behind the first."""
    for first, *others in present.values():
        for each in others:
            plan.decisions.append(Decision("telemetry-ignored", "warning", str(each.id), {"first": str(first.id)}))


def _note_defeats(plan: Plan, telemetries: Iterable[Resource], provider: str) -> None:
    """Mention what a mesh-wide Telemetry of another says that keeps spans from the sensor, on either side."""
    for telemetry in telemetries:
        resource, entries = str(telemetry.id), entries_of(telemetry.data)
        if any(said(entries, "disableSpanReporting", side) is True for side in SIDES):
            plan.decisions.append(Decision("telemetry-without-spans", "warning", resource, {}))
        for name in providers_but(provider, entries):
            plan.decisions.append(Decision("telemetry-elsewhere", "warning", resource, {"provider": name}))


def _merge_telemetry(plan: Plan, telemetry: Resource, spec: dict[str, Data]) -> None:
    """Bring what we have to say into the mesh-wide Telemetry that is there: only the oldest one counts.

    Ours is set; in another's, what it says already stays.
    """
    found = problems("telemetry", {"spec": {}, **without_nulls(telemetry.data)})
    if found:
        raise ManifestError(
            "is not valid, so nothing can be merged into it\n  " + listed(found),
            where=telemetry.where,
            hint="mend it, or take out what is named",
        )
    owned = _is_ours(telemetry)
    held = telemetry.data.get("spec") or {}
    operations: list[Operation] = []
    kept: list[str] = []
    for key, entries in spec.items():
        present = held.get(key)
        if not present:
            operations.append(Operation("set", ("spec", key), entries))
        elif owned:
            operations += [Operation("set", ("spec", key), entries)] if present != entries else []
        elif key == "accessLogging":
            kept += ["accessLogging"] if present != entries else []
        else:
            _merge_tracing(operations, kept, telemetry, present, entries[0])
    resource = str(telemetry.id)
    if kept:
        plan.decisions.append(Decision("telemetry-kept", "warning", resource, {"fields": ", ".join(kept)}))
    if operations:
        plan.changes.append(Change(telemetry, operations))
        plan.decisions.append(Decision("telemetry-merged", "info", resource, {}))
    elif not kept:
        plan.decisions.append(Decision("unchanged", "info", resource, {}))


def _merge_tracing(
    operations: list[Operation],
    kept: list[str],
    telemetry: Resource,
    present: list[dict[str, Data]],
    entry: dict[str, Data],
) -> None:
    """Say for each side what no entry says for it yet."""
    missing: dict[tuple[str, ...], dict[str, Data]] = {}
    for key, value in entry.items():
        counting = {side: saying(present, key, side) for side in SIDES}
        if key == "providers":
            _require_provider(telemetry, present, value[0]["name"])
        else:
            other = {index for index in counting.values() if index is not None and present[index][key] != value}
            kept += [f"tracing[{index}].{key}" for index in sorted(other)]
        if silent := tuple(side for side, index in counting.items() if index is None):
            missing.setdefault(silent, {})[key] = value
    for silent, fields in missing.items():
        own = next((index for index, each in enumerate(present) if sides(each) == silent), None)
        if own is not None:
            operations += [Operation("set", ("spec", "tracing", own, key), value) for key, value in fields.items()]
        else:
            match = {} if silent == SIDES else {"match": {"mode": silent[0]}}
            operations.append(Operation("append", ("spec", "tracing"), {**match, **fields}))


def _require_provider(telemetry: Resource, present: list[dict[str, Data]], ours: str) -> None:
    """Raise ManifestError where a tracing provider other than ours counts on a side."""
    for name in providers_but(ours, present):
        raise ManifestError(
            f"names the tracing provider {plain(name)}, which counts before ours",
            where=telemetry.where,
            hint='set tracing.providerName to that name, remove it there, or set tracing.activation to "mesh"',
        )
