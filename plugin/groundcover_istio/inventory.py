"""What a stream holds that matters, found and parsed: everything else stays bytes."""

from __future__ import annotations

from groundcover_istio import k8syaml
from groundcover_istio.config import is_integration
from groundcover_istio.errors import ManifestError, ToolError
from groundcover_istio.istio import deployment_domain, labelled, release
from groundcover_istio.limits import MAX_ALIASED, MAX_DOCUMENTS
from groundcover_istio.model import MESH_KEY, SHARED_NAME, Data, Path, ResourceId, mapping
from groundcover_istio.patterns import pattern
from groundcover_istio.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from groundcover_istio.control_plane import ControlPlane
    from groundcover_istio.k8syaml import Mapping, Node, Tree
    from groundcover_istio.model import Version
    from groundcover_istio.stream import Document

# `istio`, `istio-<revision>`, and AKS' `istio-shared-configmap-<revision>`.
_MESH_NAME: Final = pattern(rf"istio(-.+)?|{SHARED_NAME}")
# What the istiod chart calls the revision of a control plane that was given none.
DEFAULT_REVISION: Final = "default"
SHARED_BY_AKS: Final = "istio-shared-configmap-"
_LINE: Final = pattern(r"line (\d+)")
KINDS: Final = ("ConfigMap", "Service", "Telemetry", "IstioOperator", "Istio", "IstioRevision", "Deployment")
SENSOR_LABELS: Final = {"app.kubernetes.io/name": "sensor", "app.kubernetes.io/part-of": "groundcover"}
TELEMETRY_GROUP: Final = "telemetry.istio.io/"


class Resource(NamedTuple):
    """A Kubernetes object in the stream."""

    id: ResourceId
    document: Document
    ordinal: int
    """Which of the YAML documents in that slice, almost always 0."""
    tree: Tree
    path: Path
    """Where it stands in its YAML document: () or, inside a List, ('items', 2)."""
    data: dict[str, Data]

    @property
    def where(self) -> str:
        """Its place for messages."""
        return f"line {self.id.line}, {self.id}"

    @property
    def labels(self) -> dict[str, Data]:
        """Its labels."""
        return mapping(mapping(self.data.get("metadata")).get("labels"))


class MeshConfig(NamedTuple):
    """A mesh config: text in a ConfigMap, or part of an object that Istio's operators read."""

    resource: Resource
    place: Path
    """Where in the object it stands: ('data', 'mesh'), ('spec', 'meshConfig') or ('spec', 'values', 'meshConfig')."""
    text: str | None
    """The text in the ConfigMap; None where it is part of the object."""
    data: dict[str, Data]
    expanded: int
    """How many nodes the aliases of the text stand for."""
    version: Version | None
    """What the object says of Istio's version; None if nothing."""
    namespace: str
    """That of istiod: of the ConfigMap, or as an operator's object says; empty if nothing says it."""
    root: str
    """The root namespace that it names, or that its control plane is in; empty if neither is said."""
    revision: str
    """Of its control plane, as the label `istio.io/rev` names it; empty if nothing says it."""

    @property
    def where(self) -> str:
        """Its place for messages."""
        return f"{self.resource.where}, {'.'.join(map(str, self.place))}"

    @property
    def is_values(self) -> bool:
        """Whether it is a value that the chart merges with its own, rather than the mesh config itself."""
        return self.text is None

    @property
    def is_shared(self) -> bool:
        """Whether it is ours, which istiod merges below its own."""
        return self.resource.id.name == SHARED_NAME


class Inventory(NamedTuple):
    """What a stream holds that matters, each in the order of the stream."""

    integrations: list[Resource]
    services: list[Resource]
    """Those that can be the sensor's: by its labels or by its name."""
    meshes: list[MeshConfig]
    telemetries: list[Resource]
    deployments: list[Resource]
    """istiod's; found only where they were asked for."""
    function: Resource | None
    """The ResourceList of a KRM function, where the stream is one."""


def take(documents: tuple[Document, ...], service_name: str) -> Inventory:
    """Read the candidates of a stream.

    Raises ManifestError, its `where` a line of the stream, where one of them or a mesh config can't be read.
    """
    inventory = Inventory([], [], [], [], [], None)
    expanded = 0
    for resource in _read(documents):
        if resource.id.kind == "ResourceList":
            inventory = inventory._replace(function=resource)
        elif is_integration(resource.data):
            inventory.integrations.append(resource)
        elif mesh := _mesh_config(resource):
            inventory.meshes.append(mesh)
            expanded += mesh.expanded
            if expanded > MAX_ALIASED:
                raise _too_many_aliases(resource.id.line)
        else:
            _put_away(resource, inventory, service_name)
    return inventory


def told_domains(documents: tuple[Document, ...]) -> list[str]:
    """The cluster's DNS domains that istiod's Deployments are told; a document that can't be read tells none."""
    found = []
    for document in documents:
        try:
            found += [domain for each in _read((document,)) if (domain := deployment_domain(each.data))]
        except ManifestError:
            continue
    return found


def _put_away(resource: Resource, inventory: Inventory, service_name: str) -> None:
    if resource.id.kind == "Telemetry" and str(resource.data.get("apiVersion")).startswith(TELEMETRY_GROUP):
        inventory.telemetries.append(resource)
    elif resource.id.kind == "Deployment":
        inventory.deployments.append(resource)
    elif resource.id.kind == "Service" and _may_be_sensor(resource, service_name):
        inventory.services.append(resource)


def _read(documents: tuple[Document, ...]) -> Iterator[Resource]:
    """The objects that matter, in the order of the stream."""
    if len(documents) > MAX_DOCUMENTS:
        raise ManifestError(
            f"more than {MAX_DOCUMENTS:,} documents that may matter", where=f"line {documents[MAX_DOCUMENTS].line}"
        )
    expanded = 0
    for document in documents:
        trees = _parsed(document)
        expanded += sum(tree.expanded for tree in trees)
        if expanded > MAX_ALIASED:
            raise _too_many_aliases(document.line)
        yield from _resources(document, trees)


def _too_many_aliases(line: int) -> ManifestError:
    return ManifestError(
        f"with what stands before it, aliases stand for more than {MAX_ALIASED:,} nodes",
        where=f"line {line}",
        hint="write them out",
    )


def _parsed(document: Document) -> tuple[Tree, ...]:
    try:
        return k8syaml.parse(document.text)
    except ManifestError as error:
        raise _located(error, document.line) from error


def _resources(document: Document, trees: tuple[Tree, ...]) -> Iterator[Resource]:
    """The objects of a document that matter; each line is counted on from the one before."""
    line, counted = document.line, 0
    try:
        for index, tree in enumerate(trees):
            for node, path in _objects(tree.root, ()):
                line += document.text.count("\n", counted, node.start)
                counted = node.start
                yield _resource(document, index, tree, node, path, line)
    except ManifestError as error:
        raise _located(error, line) from error


def _objects(node: Node | None, path: Path) -> Iterator[tuple[Mapping, Path]]:
    """The objects of the kinds that matter, and where they stand."""
    if not isinstance(node, k8syaml.Mapping):
        return
    kind = k8syaml.to_data(node.get("kind"))
    items = node.get("items")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(items, k8syaml.Sequence):
        if kind == "ResourceList":
            yield node, path
        for index, item in enumerate(items.items):
            yield from _objects(item, (*path, "items", index))
    elif kind in KINDS:
        yield node, path


def _resource(document: Document, index: int, tree: Tree, node: Mapping, path: Path, line: int) -> Resource:
    data = k8syaml.to_data(node)
    metadata = mapping(data.get("metadata"))
    namespace, name = (str(metadata.get(key) or "") for key in ("namespace", "name"))
    return Resource(ResourceId(data["kind"], namespace, name, line), document, index, tree, path, data)


def _may_be_sensor(resource: Resource, service_name: str) -> bool:
    labelled = all(resource.labels.get(key) == value for key, value in SENSOR_LABELS.items())
    return labelled or resource.id.name == service_name


def _mesh_config(resource: Resource) -> MeshConfig | None:
    """The mesh config that an object carries, None if it is not of a kind that does."""
    kind = resource.id.kind
    if (
        kind == "ConfigMap"
        and MESH_KEY in mapping(resource.data.get("data"))
        and _MESH_NAME.fullmatch(resource.id.name)
    ):
        return _text_mesh_config(resource)
    if kind in ("IstioOperator", "Istio", "IstioRevision"):
        from groundcover_istio.control_plane import of_object  # noqa: PLC0415  seldom needed: 0.3 ms

        control_plane = of_object(resource.data)
        return _own_mesh_config(resource, control_plane) if control_plane else None
    return None


def _text_mesh_config(resource: Resource) -> MeshConfig:
    text = resource.data["data"][MESH_KEY]
    if text is not None and not isinstance(text, str):
        raise ManifestError(
            "data.mesh is no text, which a ConfigMap does not allow",
            where=resource.where,
            hint="write the mesh config as a block scalar: `mesh: |-`",
        )
    data, expanded = read_mesh_config(text or "", resource.where)
    labels = resource.labels
    texts = labelled(labels)
    root, revision = str(data.get("rootNamespace") or ""), str(labels.get("istio.io/rev") or "")
    name = resource.id.name
    if name.startswith(SHARED_BY_AKS):
        # AKS takes it in the root namespace, and names no other one in it; its revision is the version: asm-1-24.
        revision = revision or name.removeprefix(SHARED_BY_AKS)
        texts = (name.removeprefix(SHARED_BY_AKS).removeprefix("asm-").replace("-", "."), *texts)
        root = root or resource.id.namespace
    elif name != SHARED_NAME:
        revision = revision or name.removeprefix("istio").removeprefix("-") or DEFAULT_REVISION
    place: Path = ("data", MESH_KEY)
    version, namespace = release(*texts), resource.id.namespace
    return MeshConfig(resource, place, text or "", data, expanded, version, namespace, root, revision)


def _own_mesh_config(resource: Resource, control_plane: ControlPlane) -> MeshConfig:
    """One that is part of an object."""
    data: Data = resource.data
    place, version, namespace, revision = control_plane
    for depth, key in enumerate(place):
        data = data.get(key)
        if data is None:
            data = {}
        if not isinstance(data, dict):
            raise ManifestError(f"{'.'.join(map(str, place[: depth + 1]))} is no mapping", where=resource.where)
    root = str(data.get("rootNamespace") or namespace)
    return MeshConfig(resource, place, None, data, 0, version, namespace, root, revision or DEFAULT_REVISION)


def read_mesh_config(text: str, where: str) -> tuple[dict[str, Data], int]:
    """A mesh config's data, and how many nodes its aliases stand for.

    Raises ManifestError where it is no single YAML mapping.
    """
    try:
        trees = k8syaml.parse(text, ())
        data = k8syaml.to_data(trees[0].root) if trees else None
    except ToolError as error:
        place = f"{error.where} of data.mesh" if error.where else "data.mesh"
        raise ManifestError(
            error.message, where=f"{where}, {place}", hint="istiod would fall back to another config; mend it first"
        ) from error
    if len(trees) > 1 or not (data is None or isinstance(data, dict)):
        found = f"{len(trees)} YAML documents" if len(trees) > 1 else "no mapping"
        raise ManifestError(f"data.mesh holds {found}, a mesh config is one mapping", where=where)
    return data or {}, sum(tree.expanded for tree in trees)


def _located(error: ManifestError, first: int) -> ManifestError:
    """The same error with its line counted in the stream."""
    line = _LINE.fullmatch(error.where)
    where = f"line {first + int(line[1]) - 1}" if line else f"line {first}"
    return ManifestError(error.message, where=where, hint=error.hint)
