"""One run: bytes in, plan, edits, verification, bytes out. `run` is the whole library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio import config, k8syaml, stream
from groundcover_istio.edits import apply, apply_to_data, edits_for, find_scalar
from groundcover_istio.embedded import embed
from groundcover_istio.errors import EditError, ManifestError, ToolError
from groundcover_istio.inventory import Inventory, MeshConfig, Resource, read_mesh_config, take
from groundcover_istio.model import MESH_KEY, Data, Edit, Operation, Outcome, Path, Settings
from groundcover_istio.rules import make_plan
from groundcover_istio.rules.plan import dig
from groundcover_istio.validation import problems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundcover_istio.rules.plan import Addition, Change, Plan
    from groundcover_istio.stream import Document

_INVALID: Final = "the result would not be valid"
ADDED_TEMPLATE: Final = "templates/groundcover-istio-telemetry.yaml"


def run(manifests: bytes, layers: Sequence[config.Layer] = ()) -> Outcome:
    """What becomes of a stream of manifests.

    `layers` are settings from outside the stream, the weakest first; all of them count before the
    stream's own integration ConfigMap. Raises ToolError: then there is no outcome, whole or part.
    """
    settings, inventory = _read(manifests, layers)
    plan = make_plan(inventory, settings, stream.istiod_tags(manifests) if inventory.meshes else [])
    replaced = [(document, _edited(document, changes, settings)) for document, changes in _by_document(plan)]
    added = [_added_text(manifests, addition) for addition in plan.additions]
    after = stream.splice(manifests, replaced, added) if replaced or added else manifests
    return Outcome(manifests, after, tuple(plan.decisions), plan.sampling)


def _read(manifests: bytes, layers: Sequence[config.Layer]) -> tuple[Settings, Inventory]:
    """The settings and what they find in the stream, of which the integration ConfigMap is a part."""
    outside = config.resolve(layers)
    inventory = take(stream.candidates(manifests, outside.service.name), outside.service.name)
    if not inventory.integrations:
        return outside, inventory
    own = config.integration_layer([each.data for each in inventory.integrations], "")
    settings = config.resolve([own, *layers])
    name = settings.service.name
    if name != outside.service.name:
        inventory = take(stream.candidates(manifests, name), name)
    return settings, inventory


def _by_document(plan: Plan) -> list[tuple[Document, list[Change]]]:
    grouped: dict[int, tuple[Document, list[Change]]] = {}
    for change in plan.changes:
        document = _resource(change).document
        grouped.setdefault(document.start, (document, []))[1].append(change)
    return [grouped[start] for start in sorted(grouped)]


def _resource(change: Change) -> Resource:
    return change.target.resource if isinstance(change.target, MeshConfig) else change.target


def _edited(document: Document, changes: list[Change], settings: Settings) -> str:
    edits: list[Edit] = []
    for change in changes:
        resource = _resource(change)
        try:
            if isinstance(change.target, MeshConfig):
                edits.append(_mesh_edit(change.target, change.operations))
            else:
                edits += edits_for(document.text, resource.tree, _below(resource, change.operations))
        except ToolError as error:
            error.where = f"{resource.where}, {error.where}" if error.where else resource.where
            raise
    text = apply(document.text, edits)
    _verify(document, text, changes, settings)
    return text


def _mesh_edit(mesh: MeshConfig, operations: list[Operation]) -> Edit:
    resource = mesh.resource
    holder, scalar = find_scalar(resource.tree, (*resource.path, "data", MESH_KEY))
    try:
        inner = edits_for(mesh.text, mesh.tree, operations)
    except ToolError as error:
        error.where = "data.mesh"
        raise
    return embed(resource.document.text, holder, scalar, inner)


def _below(resource: Resource, operations: list[Operation]) -> list[Operation]:
    return [operation._replace(path=(*resource.path, *operation.path)) for operation in operations]


# --- verification --------------------------------------------------------------------------------


def _verify(document: Document, text: str, changes: list[Change], settings: Settings) -> None:
    """Read the edited text again: it must say what the plan says, and nothing else must have changed.

    Raises EditError where it does not, ManifestError where the result is not valid for Istio.
    """
    try:
        before, after = ([k8syaml.to_data(tree.root) for tree in k8syaml.parse(each)] for each in (document.text, text))
        for change in changes:
            resource = _resource(change)
            found, wanted = (_object_at(data[resource.ordinal], resource.path) for data in (after, before))
            if isinstance(change.target, MeshConfig):
                _, mesh = read_mesh_config(found["data"][MESH_KEY], "")
                planned = apply_to_data(k8syaml.to_data(change.target.tree.root) or {}, change.operations)
                if mesh != planned:
                    raise _not_verified(changes, "the edited mesh config reads differently from the plan")
                wanted["data"][MESH_KEY] = found["data"][MESH_KEY]
                _require_valid("mesh-config", _ours(mesh, settings), f"{resource.where}, data.mesh")
            else:
                apply_to_data(wanted, change.operations)
                _require_valid("telemetry", found, resource.where)
    except (ManifestError, LookupError, TypeError) as error:
        if isinstance(error, ManifestError) and error.message.startswith(_INVALID):
            raise
        raise _not_verified(changes, f"the edited text can't be read: {error}") from error
    if after != before:
        raise _not_verified(changes, "something else in the document would change")


def _object_at(data: Data, path: Path) -> Data:
    for key in path:
        data = data[key]
    return data


def _ours(mesh: dict[str, Data], settings: Settings) -> Data:
    """The part of a mesh config that is ours to answer for."""
    names = (settings.tracing.provider_name, settings.access_logs.provider_name)
    parts = {
        "extensionProviders": [each for each in mesh.get("extensionProviders") or [] if each.get("name") in names],
        "defaultProviders": {
            key: value
            for key, value in (mesh.get("defaultProviders") or {}).items()
            if key in ("tracing", "accessLogging")
        },
        "defaultConfig": {"tracing": {"sampling": dig(mesh, "defaultConfig", "tracing", "sampling")}},
        "enableTracing": mesh.get("enableTracing"),
    }
    return _without_nulls(parts)


def _without_nulls(data: Data) -> Data:
    """To istiod a null is the same as nothing."""
    if isinstance(data, dict):
        return {key: _without_nulls(value) for key, value in data.items() if value is not None}
    return [_without_nulls(item) for item in data] if isinstance(data, list) else data


def _require_valid(schema: str, data: Data, where: str) -> None:
    found = problems(schema, data)  # type: ignore[arg-type]  # one of two literals, by the callers above
    if found:
        raise ManifestError(f"{_INVALID}\n  " + "\n  ".join(found), where=where)


def _not_verified(changes: list[Change], why: str) -> EditError:
    return EditError(
        f"can't be edited safely: {why}",
        where=_resource(changes[0]).where,
        hint="nothing was written; please report this with the document's text",
    )


# --- added objects -------------------------------------------------------------------------------


def _added_text(manifests: bytes, addition: Addition) -> str:
    """An added object as a document, told to Helm as a template of the chart it goes with.

    Helm 3 finds a template for --show-only by its `# Source:` comment, Helm 4 by an annotation
    that it strips again; an annotation Helm 4 did not ask for would stay in the cluster.
    """
    chart, annotated = stream.chart_of(manifests, addition.beside.document)
    name = f"{chart}/{ADDED_TEMPLATE}"
    data = dict(addition.data)
    if chart and annotated:
        data["metadata"] = {**data["metadata"], "annotations": {stream.FILENAME_ANNOTATION: name}}
    lines = k8syaml.block_lines(data, 0)
    if chart and not annotated:
        lines.insert(0, f"# Source: {name}")
    _require_valid("telemetry", addition.data, f"Telemetry {data['metadata']['namespace']}/{data['metadata']['name']}")
    return "\n".join(lines) + "\n"
