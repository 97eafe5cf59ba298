"""One run: bytes in, plan, edits, verification, bytes out. `run` is the whole library."""

from __future__ import annotations

from groundcover_istio import config, k8syaml, serializer, stream
from groundcover_istio.edits import apply, apply_to_data, edits_for, find_scalar
from groundcover_istio.embedded import embed
from groundcover_istio.errors import EditError, ManifestError, ToolError
from groundcover_istio.inventory import Inventory, MeshConfig, Resource, read_mesh_config, take, told_domains
from groundcover_istio.istio import DEFAULT_DOMAIN
from groundcover_istio.model import MESH_KEY, Data, Edit, Operation, Outcome, Path, Settings, dig
from groundcover_istio.rules import make_plan
from groundcover_istio.rules.plan import Change
from groundcover_istio.validation import listed, problems, without_nulls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from groundcover_istio.rules.plan import Addition, Plan
    from groundcover_istio.stream import Document
    from groundcover_istio.validation import SchemaName

_INVALID: Final = "the result would not be valid"
ADDED_TEMPLATES: Final = {
    "Telemetry": "templates/groundcover-istio-telemetry.yaml",
    "ConfigMap": "templates/groundcover-istio-mesh.yaml",
}


def run(
    manifests: bytes,
    layers: Sequence[config.Layer] = (),
    documents: tuple[Document, ...] | None = None,
    *,
    explain: bool = False,
) -> Outcome:
    """What becomes of a stream of manifests.

    `layers` are settings from outside the stream, the weakest first; all of them count before the
    stream's own integration ConfigMap. `documents` are its candidates, where they are known already and
    no layer says anything. With `explain`, for whoever shows the decisions, they say too what of the mesh configs
    istiod would discard; a KRM function always does. Raises ToolError: then there is no outcome, whole or part.
    """
    settings, inventory = _read(manifests, layers, documents)
    plan = make_plan(inventory, settings, stream.istiod_tags(manifests), _told_domains(manifests, settings))
    if (explain or inventory.function) and settings.enabled:
        from groundcover_istio.discarded import without_discarded  # noqa: PLC0415  a post-renderer explains nothing: 6 ms

        plan = without_discarded(plan, inventory.meshes)
    if inventory.function:
        plan = _for_function(plan, inventory.function)
    replaced = [(document, _edited(document, changes, settings)) for document, changes in _by_document(plan)]
    added = [_added_text(manifests, addition) for addition in plan.additions]
    # An edited document ends its line where it did before, so the stream before the edits tells.
    if added and not manifests.endswith((b"\n", b"\r")):
        _require_final_break(stream.splice(manifests, replaced, []))
    after = stream.splice(manifests, replaced, added) if replaced or added else manifests
    return Outcome(manifests, after, tuple(plan.decisions), plan.sampling, tuple(plan.effects))


def _read(
    manifests: bytes, layers: Sequence[config.Layer], documents: tuple[Document, ...] | None
) -> tuple[Settings, Inventory]:
    """The settings and what they find in the stream, of which the settings' own carriers are a part."""
    settings = config.resolve(layers)
    inventory = take(documents, settings.service.name) if documents else _take(manifests, settings)
    own = []
    if inventory.integrations:
        own.append(config.integration_layer([each.data for each in inventory.integrations], ""))
    if inventory.function:
        own.append(config.layer_from_function(inventory.function.data))
    if not own:
        return settings, inventory
    inside = config.resolve([*own, *layers])
    changed = (inside.service.name, inside.mode) != (settings.service.name, settings.mode)
    return inside, _take(manifests, inside) if changed else inventory


def _told_domains(manifests: bytes, settings: Settings) -> list[str]:
    """What istiod is told; that it is the default matters only where something else is set."""
    is_set = settings.cluster_domain not in ("", DEFAULT_DOMAIN)
    return told_domains(stream.with_domain(manifests, default=is_set))


def _take(manifests: bytes, settings: Settings) -> Inventory:
    name = settings.service.name
    return take(stream.candidates(manifests, name, deployments=settings.mode == "shared"), name)


def _for_function(plan: Plan, function: Resource) -> Plan:
    """As a KRM function: what is added is one more item, and the decisions are results."""
    from groundcover_istio.report import sentence  # noqa: PLC0415  a post-renderer reports nothing: 0.2 ms

    operations = [Operation("append", ("items",), addition.data) for addition in plan.additions]
    results = [
        {
            "message": f"{each.resource}: {sentence(each)}" if each.resource else sentence(each),
            "severity": each.severity,
        }
        for each in plan.decisions
    ]
    operations.append(Operation("set", ("results",), results))
    # The list's own change comes last: what goes into its items stands before what goes behind them.
    return plan._replace(changes=[*plan.changes, Change(function, operations)], additions=[])


def _by_document(plan: Plan) -> list[tuple[Document, list[Change]]]:
    grouped: dict[int, tuple[Document, list[Change]]] = {}
    for change in plan.changes:
        document = _resource(change).document
        grouped.setdefault(document.start, (document, []))[1].append(change)
    return [grouped[start] for start in sorted(grouped)]


def _resource(change: Change) -> Resource:
    return change.target.resource if isinstance(change.target, MeshConfig) else change.target


def _edited(document: Document, changes: list[Change], settings: Settings) -> str:
    text = apply(document.text, _edits(document, changes))
    _verify(document, text, changes, settings)
    return text


def _edits(document: Document, changes: list[Change]) -> list[Edit]:
    edits: list[Edit] = []
    # Changes of one tree go together: at one place of the text their order matters.
    structured: dict[int, list[Operation]] = {}
    for change in changes:
        resource = _resource(change)
        try:
            if isinstance(change.target, MeshConfig) and change.target.text is not None:
                edits.append(_mesh_edit(change.target, change.target.text, change.operations))
            else:
                structured.setdefault(resource.ordinal, []).extend(_in_document(change))
        except ToolError as error:
            _place(error, resource)
            raise
    for resource in map(_resource, changes):
        try:
            if resource.ordinal in structured:
                edits += edits_for(document.text, resource.tree, structured.pop(resource.ordinal))
        except ToolError as error:
            _place(error, resource)
            raise
    return edits


def _place(error: ToolError, resource: Resource) -> None:
    """Put an object's place before that of an error."""
    error.where = f"{resource.where}, {error.where}" if error.where else resource.where


def _mesh_edit(mesh: MeshConfig, text: str, operations: list[Operation]) -> Edit:
    resource = mesh.resource
    holder, scalar = find_scalar(resource.tree, (*resource.path, *mesh.place))
    try:
        inner = _mesh_edits(text, operations)
    except ToolError as error:
        error.where = "data.mesh"
        raise
    return embed(resource.document.text, holder, scalar, inner)


def _mesh_edits(text: str, operations: list[Operation]) -> tuple[Edit, ...]:
    trees = k8syaml.parse(text, [operation.path for operation in operations])
    return edits_for(text, trees[0] if trees else k8syaml.NOTHING, operations)


def _in_document(change: Change) -> list[Operation]:
    """The operations with their paths from the document's root."""
    resource = _resource(change)
    place = change.target.place if isinstance(change.target, MeshConfig) else ()
    base = (*resource.path, *place)
    return [operation._replace(path=(*base, *operation.path)) for operation in change.operations]


# --- verification --------------------------------------------------------------------------------


def _verify(document: Document, text: str, changes: list[Change], settings: Settings) -> None:
    """Read the edited text again: it must say what the plan says, and nothing else must have changed.

    Raises EditError where it does not, ManifestError where the result is not valid for Istio.
    """
    try:
        before, after = (k8syaml.load(each) for each in (document.text, text))
        for change in changes:
            resource, target = _resource(change), change.target
            found, wanted = (_object_at(data[resource.ordinal], resource.path) for data in (after, before))
            if isinstance(target, MeshConfig) and target.text is not None:
                mesh, _ = read_mesh_config(found["data"][MESH_KEY], "")
                if mesh != apply_to_data(target.data, change.operations):
                    raise _not_verified(changes, "the edited mesh config reads differently from the plan")
                wanted["data"][MESH_KEY] = found["data"][MESH_KEY]
                _require_valid("mesh-config", _ours(mesh, settings), target.where)
            else:
                before[resource.ordinal] = apply_to_data(before[resource.ordinal], _in_document(change))
                _require_valid_object(found, target, settings)
    except (ManifestError, LookupError, TypeError, AttributeError) as error:
        if isinstance(error, ManifestError) and error.message.startswith(_INVALID):
            raise
        message = error.message if isinstance(error, ToolError) else str(error)
        raise _not_verified(changes, f"the edited text can't be read: {message}") from error
    if after != before:
        raise _not_verified(changes, "something else in the document would change")
    # After a line break that only YAML 1.1 knows, `---` separates documents for YAML but not for Helm.
    # Without a line break at its end the next separator would become part of it.
    if text.count("\n---") != document.text.count("\n---") or _ends_a_line(text) < _ends_a_line(document.text):
        raise _not_verified(changes, "it would be cut into other documents")


def _require_final_break(manifests: bytes) -> None:
    """Raise ManifestError where a line break at the end of the stream, which an addition needs, changes a value."""
    last = stream.last_document(manifests).decode(errors="replace")
    try:
        alone, ended = (k8syaml.load(text) for text in (last, f"{last}\n"))
    except ManifestError:
        return  # no YAML, and nobody's value
    if alone != ended:
        raise ManifestError(
            "ends in a text without a line break, which would get one from what is added below it",
            where="the last document",
            hint="end the stream with a line break",
        )


def _ends_a_line(text: str) -> bool:
    return text.endswith(("\n", "\r"))


def _object_at(data: Data, path: Path) -> Data:
    for key in path:
        data = data[key]
    return data


def _ours(mesh: dict[str, Data], settings: Settings) -> Data:
    """The part of a mesh config that is ours to answer for."""
    names = (settings.tracing.provider_name, settings.access_logs.provider_name)
    return {
        "extensionProviders": [each for each in mesh.get("extensionProviders") or [] if each.get("name") in names],
        "defaultProviders": {
            key: value
            for key, value in (mesh.get("defaultProviders") or {}).items()
            if key in ("tracing", "accessLogging")
        },
        "defaultConfig": {"tracing": {"sampling": dig(mesh, "defaultConfig", "tracing", "sampling")}},
        "enableTracing": mesh.get("enableTracing"),
    }


def _require_valid_object(found: Data, target: MeshConfig | Resource, settings: Settings) -> None:
    if isinstance(target, MeshConfig):
        _require_valid("mesh-config", _ours(dig(found, *map(str, target.place)), settings), target.where)
    elif target.id.kind == "Telemetry":
        _require_valid("telemetry", found, target.where)


def _require_valid(schema: SchemaName, data: Data, where: str) -> None:
    found = problems(schema, without_nulls(data))
    if found:
        raise ManifestError(f"{_INVALID}\n  {listed(found)}", where=where)


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
    data = dict(addition.data)
    place = f"{data['kind']} {data['metadata']['namespace']}/{data['metadata']['name']}"
    if data["kind"] == "Telemetry":
        _require_valid("telemetry", data, place)
    chart, annotated = stream.chart_of(manifests, addition.beside.document)
    name = f"{chart}/{ADDED_TEMPLATES[data['kind']]}"
    if chart and annotated:
        data["metadata"] = {**data["metadata"], "annotations": {stream.FILENAME_ANNOTATION: name}}
    text = "\n".join(serializer.block_lines(data, 0)) + "\n"
    if k8syaml.load(text) != [data]:
        raise EditError(
            "can't be added safely: its text reads differently from the plan",
            where=place,
            hint="nothing was written; please report this with the settings",
        )
    return f"# Source: {name}\n{text}" if chart and not annotated else text
