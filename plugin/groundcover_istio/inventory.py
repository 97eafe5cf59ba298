"""What a stream holds that matters, found and parsed: everything else stays bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio import k8syaml
from groundcover_istio.config import is_integration
from groundcover_istio.errors import ManifestError, ToolError
from groundcover_istio.model import MESH_KEY, Data, Path, ResourceId

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.k8syaml import Mapping, Node, Tree
    from groundcover_istio.stream import Document

# `istio`, `istio-<revision>`, and AKS' `istio-shared-configmap-<revision>`.
_MESH_NAME: Final = re.compile(r"istio(-.+)?")
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
        return _mapping(_mapping(self.data.get("metadata")).get("labels"))


class MeshConfig(NamedTuple):
    """A mesh config: the text in a ConfigMap's key `mesh`, read."""

    resource: Resource
    text: str
    tree: Tree
    data: dict[str, Data]


class Inventory(NamedTuple):
    """What a stream holds that matters, each in the order of the stream."""

    integrations: list[Resource]
    services: list[Resource]
    """Those that can be the sensor's: by its labels or by its name."""
    meshes: list[MeshConfig]
    telemetries: list[Resource]


def take(documents: tuple[Document, ...], service_name: str) -> Inventory:
    """Read the candidates of a stream.

    Raises ManifestError, its `where` a line of the stream, where one of them or a mesh config can't be read.
    """
    inventory = Inventory([], [], [], [])
    for document in documents:
        for resource in _resources(document):
            kind, data = resource.id.kind, resource.data
            if is_integration(data):
                inventory.integrations.append(resource)
            elif (
                kind == "ConfigMap"
                and _MESH_NAME.fullmatch(resource.id.name)
                and MESH_KEY in _mapping(data.get("data"))
            ):
                inventory.meshes.append(_mesh_config(resource))
            elif kind == "Telemetry" and str(data.get("apiVersion")).startswith(TELEMETRY_GROUP):
                inventory.telemetries.append(resource)
            elif kind == "Service" and _may_be_sensor(resource, service_name):
                inventory.services.append(resource)
    return inventory


def _resources(document: Document) -> Iterator[Resource]:
    try:
        for index, tree in enumerate(k8syaml.parse(document.text)):
            for node, path in _objects(tree.root, ()):
                yield _resource(document, index, tree, node, path)
    except ManifestError as error:
        raise _located(error, document.line) from error


def _objects(node: Node | None, path: Path) -> Iterator[tuple[Mapping, Path]]:
    """The objects of the kinds that matter, and where they stand."""
    if not isinstance(node, k8syaml.Mapping):
        return
    kind = k8syaml.to_data(node.get("kind"))
    items = node.get("items")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(items, k8syaml.Sequence):
        for index, item in enumerate(items.items):
            yield from _objects(item, (*path, "items", index))
    elif kind in ("ConfigMap", "Service", "Telemetry"):
        yield node, path


def _resource(document: Document, index: int, tree: Tree, node: Mapping, path: Path) -> Resource:
    data = k8syaml.to_data(node)
    metadata = _mapping(data.get("metadata"))
    line = document.line + document.text.count("\n", 0, node.start)
    namespace, name = (str(metadata.get(key) or "") for key in ("namespace", "name"))
    return Resource(ResourceId(data["kind"], namespace, name, line), document, index, tree, path, data)


def _may_be_sensor(resource: Resource, service_name: str) -> bool:
    labelled = all(resource.labels.get(key) == value for key, value in SENSOR_LABELS.items())
    return labelled or resource.id.name == service_name


def _mesh_config(resource: Resource) -> MeshConfig:
    text = resource.data["data"][MESH_KEY]
    if text is not None and not isinstance(text, str):
        raise ManifestError(
            "data.mesh is no text, which a ConfigMap does not allow",
            where=resource.where,
            hint="write the mesh config as a block scalar: `mesh: |-`",
        )
    tree, data = read_mesh_config(text or "", resource.where)
    return MeshConfig(resource, text or "", tree, data)


def read_mesh_config(text: str, where: str) -> tuple[Tree, dict[str, Data]]:
    """A mesh config's tree and data.

    Raises ManifestError where it is no single YAML mapping.
    """
    try:
        trees = k8syaml.parse(text)
        data = k8syaml.to_data(trees[0].root) if trees else None
    except ToolError as error:
        place = f"{error.where} of data.mesh" if error.where else "data.mesh"
        raise ManifestError(
            error.message, where=f"{where}, {place}", hint="istiod would fall back to another config; mend it first"
        ) from error
    if len(trees) > 1 or not (data is None or isinstance(data, dict)):
        found = f"{len(trees)} YAML documents" if len(trees) > 1 else "no mapping"
        raise ManifestError(f"data.mesh holds {found}, a mesh config is one mapping", where=where)
    return (trees[0] if trees else k8syaml.Tree(None, frozenset())), data or {}


def _located(error: ManifestError, first: int) -> ManifestError:
    """The same error with its line counted in the stream."""
    line = re.fullmatch(r"line (\d+)", error.where)
    where = f"line {first + int(line[1]) - 1}" if line else f"line {first}"
    return ManifestError(error.message, where=where, hint=error.hint)


def _mapping(value: Data) -> dict[str, Data]:
    return value if isinstance(value, dict) else {}
