"""Bytes of files → `World`: manifests, bare mesh configs, values files, in any mix."""

from __future__ import annotations

import json
import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio import inventory, k8syaml, stream
from groundcover_istio.checks import carriers
from groundcover_istio.checks.finding import UNREADABLE, Finding
from groundcover_istio.checks.places import Lines, Place
from groundcover_istio.checks.proxies import proxy_configs
from groundcover_istio.checks.sources import Source
from groundcover_istio.checks.world import Resource, World
from groundcover_istio.config import integration_layer, is_integration, resolve
from groundcover_istio.errors import ManifestError, ToolError
from groundcover_istio.model import dig, mapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from groundcover_istio.model import Data, Settings, Version

_LINE: Final = re.compile(r"line (\d+)")
# Marks of what check looks at, in a file that can't be read; UTF-16, which has zeros, shows none of them.
_MATTERS: Final = re.compile(
    rb"mesh_?[cC]onfig|extension_?[pP]roviders|default_?(?:[pP]roviders|[cC]onfig)|enable_?[tT]racing|Telemetry"
    rb"|istio\.io/|istio-injection|PILOT_TRACE_SAMPLING|SHARED_MESH_CONFIG|\0"
)
# More marks: a name of ours behind one of these keys, on its line. A match takes the whole rest of the line, so that no
# line is gone through for each of its keys: JSON may have a million of them on one.
_KEYED: Final = re.compile(rb"(?:kind|apiVersion|name|namespace|part-of)[\"']?[ \t]*:([^\r\n]*)")
_OURS: Final = re.compile(rb"(?i:istio|groundcover)")
_NAMED: Final = "name files and folders that are there and may be read"


class File(NamedTuple):
    """An input: its name, and its bytes or why they could not be read."""

    name: str
    content: bytes
    error: str = ""
    found: bool = False
    """In a folder: nobody named it."""


class Given(NamedTuple):
    """What the command line says about the cluster; None and '' where it says nothing."""

    version: Version | None = None
    service: tuple[str, str] | None = None
    root_namespace: str = ""


class Loaded(NamedTuple):
    """What the inputs hold, their texts, and those that could not be read."""

    world: World
    texts: dict[str, str]
    unreadable: list[Finding]
    empty: frozenset[str]
    """The names of those without a document that could be looked at."""
    passed: tuple[str, ...]
    """The names of those found in folders that can't be read and hold no mark of what check looks at."""
    strange: tuple[str, ...]
    """Those of the empty ones that hold a text or a list, which is nothing that check knows."""


def load(files: Sequence[File], given: Given) -> Loaded:
    """Read every input; one that can't be read becomes a finding, the others are read all the same."""
    texts: dict[str, str] = {}
    unreadable: list[Finding] = []
    sources: list[Source] = []
    resources: list[Resource] = []
    empty: set[str] = set()
    passed: list[str] = []
    strange: list[str] = []
    for file in files:
        try:
            texts[file.name] = _text(file)
            found = list(_documents(file, texts[file.name]))
        except ManifestError as error:
            if file.found and not file.error and not _matters(file.content):
                passed.append(file.name)
                empty.add(file.name)
                texts.pop(file.name, None)
            else:
                unreadable.append(_unreadable(file, error))
            continue
        if not found:
            empty.add(file.name)
            strange += [file.name] if _is_strange(texts[file.name]) else []
        for source in found:
            sources.append(source)
            resources += [source.resource] if source.resource else []
    settings = _settings(resources)
    root = given.root_namespace or settings.root_namespace
    stated = given.version or settings.istio_version
    meshes = carriers.meshes(sources, stated, root)
    if not given.root_namespace and meshes:
        root = meshes[0].root_namespace
    integrated = any(is_integration(resource.data) for resource in resources)
    ratio = settings.sampling_ratio if integrated else None
    sensors, proxies = _sensors(resources, settings, given), tuple(proxy_configs(sources))
    world = World(meshes, tuple(resources), root, sensors, ratio, stated, proxies)
    return Loaded(world, texts, unreadable, frozenset(empty), tuple(passed), tuple(strange))


def _text(file: File) -> str:
    if file.error:
        mended = "make it readable, or leave it out: --exclude GLOB" if file.found else _NAMED
        raise ManifestError(file.error, hint=mended)
    try:
        # Of UTF-16 and the like the API server takes none either.
        text = file.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = file.content.count(b"\n", 0, error.start) + 1
        raise ManifestError(
            f"byte 0x{file.content[error.start]:02x} is not valid UTF-8",
            where=f"line {line}",
            hint="write the file in UTF-8",
        ) from error
    # JSON may be indented with tabs, which YAML does not take; in its strings there are none.
    return text.replace("\t", " ") if "\t" in text and _is_json(text) else text


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _matters(content: bytes) -> bool:
    """Whether a file that can't be read holds a mark of what check looks at; in time linear in its size."""
    if _MATTERS.search(content):
        return True
    # The names first, which are seldom there.
    return bool(_OURS.search(content)) and any(_OURS.search(line[1]) for line in _KEYED.finditer(content))


def _unreadable(file: File, error: ManifestError) -> Finding:
    line = _LINE.match(error.where)
    # At the end of a file, and after line breaks that are YAML's alone, its parser is further than any editor.
    number = min(int(line[1]), file.content.count(b"\n") + 1) if line else 1
    hint = error.hint or _how_to_render(file)
    return Finding(UNREADABLE, "error", file.name, number, 1, error.message, hint, "")


def _how_to_render(file: File) -> str:
    """What makes manifests of a template: helmfile of its own files, which are named so, and Helm of a chart's."""
    path = PurePath(file.name)
    if path.name.startswith("helmfile") or path.suffix == ".gotmpl" or path.parent.name == "helmfile.d":
        rendered = "give what helmfile makes of it: helmfile template | groundcover-istio check -"
    else:
        rendered = "give rendered manifests, a mesh config or a values file; a chart's templates: helm template"
    return rendered + ("; or leave it out: --exclude GLOB" if file.found else "")


def _is_strange(text: str) -> bool:
    roots = (tree.root for tree in k8syaml.parse(text))
    return any(isinstance(root, k8syaml.Scalar | k8syaml.Sequence) and not k8syaml.is_null(root) for root in roots)


def _documents(file: File, text: str) -> Iterator[Source]:
    lines, tags = Lines(text), stream.istiod_tags(file.content)
    for tree in k8syaml.parse(text):
        for node in _roots(tree.root):
            data = k8syaml.to_data(node)
            resource = _resource(file.name, lines, node, data)
            place = resource.place if resource else Place(file.name, "", node, lines, None)
            yield Source(place, text, data, resource, tags)


def _roots(node: k8syaml.Node | None) -> Iterator[k8syaml.Mapping]:
    """The mappings of a document: itself, or the items of a List."""
    if isinstance(node, k8syaml.Alias):
        node = node.target
    if not isinstance(node, k8syaml.Mapping):
        return
    kind, found = node.get("kind"), node.get("items")
    if isinstance(kind, k8syaml.Scalar) and kind.value.endswith("List") and isinstance(found, k8syaml.Sequence):
        for item in found.items:
            yield from _roots(item)
    else:
        yield node


def _resource(file: str, lines: Lines, node: k8syaml.Mapping, data: dict[str, Data]) -> Resource | None:
    kind, metadata = data.get("kind"), mapping(data.get("metadata"))
    # A core object that lacks its version; of other kinds values may be, which have a `kind` too.
    version = data.get("apiVersion") or ("v1" if kind in ("ConfigMap", "Service") and metadata.get("name") else None)
    if not isinstance(kind, str) or not isinstance(version, str):
        return None
    group = version.rpartition("/")[0]
    namespace, name = (str(metadata.get(key) or "") for key in ("namespace", "name"))
    title = f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}".rstrip()
    return Resource(kind, group, namespace, name, data, Place(file, title, node, lines, None))


def _settings(resources: list[Resource]) -> Settings:
    """What the integration ConfigMap says, where there is a valid one; else the defaults."""
    carried = [resource.data for resource in resources if is_integration(resource.data)]
    if carried:
        try:
            return resolve([integration_layer(carried, "")])
        except ToolError:
            pass  # `render` says what is wrong with it.
    return resolve([])


def _sensors(resources: list[Resource], settings: Settings, given: Given) -> tuple[tuple[str, str], ...]:
    found = [given.service or (settings.service.name, settings.service.namespace)]
    for resource in resources:
        labels = mapping(dig(resource.data, "metadata", "labels"))
        ours = all(labels.get(key) == value for key, value in inventory.SENSOR_LABELS.items())
        if resource.kind == "Service" and ours:
            found.append((resource.name, resource.namespace or found[0][1]))
    return tuple(dict.fromkeys(found))
