"""Where mesh configs stand: ConfigMaps, values files, IstioOperator, Sail, or a file of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio import k8syaml
from groundcover_istio.checks.decoding import normal
from groundcover_istio.checks.places import Inner, Place
from groundcover_istio.checks.world import Carrier, Mesh, Thing, items, mapping
from groundcover_istio.errors import ManifestError
from groundcover_istio.istio import ASSUMED_VERSION, labelled, number, release
from groundcover_istio.model import MESH_KEY
from groundcover_istio.rules.plan import dig
from groundcover_istio.spelling import camel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.model import Data, Path, Version

# A mapping with one of these keys and no kind is a mesh config.
MARKS: Final = frozenset(("extensionProviders", "defaultProviders", "defaultConfig", "enableTracing"))
_NAME: Final = re.compile(r"istio(-.+)?")
_OWN_NAME: Final = re.compile(r"istio(-(?!shared-configmap-).+)?")
_LINE: Final = re.compile(r"line (\d+)")
_NO_MAPPING: Final = "no mapping, which a mesh config is"
_SAMPLING: Final = "PILOT_TRACE_SAMPLING"
_SHARED: Final = "SHARED_MESH_CONFIG"


class Source(NamedTuple):
    """A mapping at the top of a document."""

    place: Place
    text: str
    """Of the file."""
    data: dict[str, Data]
    thing: Thing | None
    """None where it is no object."""
    tags: list[str]
    """Of the istiod images in the file."""


class _Found(NamedTuple):
    """A mesh config before its surroundings are looked at."""

    source: Source
    carrier: Carrier
    place: Place
    data: Data
    values: dict[str, Data]
    layer: bool = False
    broken: str = ""
    documents: int = 1


def meshes(sources: list[Source], version: Version | None, root_namespace: str) -> tuple[Mesh, ...]:
    """Every mesh config of the inputs; `version` is what the user says, if anything."""
    samplings, shared = _variables(sources, _SAMPLING), _variables(sources, _SHARED)
    found = [each for source in sources for each in _in(source)]
    return tuple(
        _mesh(
            each._replace(layer=each.layer or (each.carrier == "configmap" and each.source.place.file in shared)),
            version,
            root_namespace,
            samplings.get(each.source.place.file, []),
        )
        for each in found
    )


def _mesh(found: _Found, version: Version | None, root_namespace: str, pilots: list[Data]) -> Mesh:
    source, data = found.source, mapping(normal(found.data))
    known = version or _version(found)
    revision = source.thing.revision if source.thing else str(found.values.get("revision") or "")
    root = data.get("rootNamespace")
    if not isinstance(root, str) or not root:
        root = root_namespace
    sampling = number(dig(found.values, "pilot", "traceSampling"))
    if sampling is None and len({str(value) for value in pilots}) == 1:
        sampling = number(pilots[0])
    return Mesh(
        carrier=found.carrier,
        data=data,
        place=found.place,
        version=known or ASSUMED_VERSION,
        version_known=known is not None,
        root_namespace=root,
        revision="" if revision == "default" else revision,
        layer=found.layer,
        values=found.values,
        pilot_sampling=sampling,
        broken=found.broken,
        documents=found.documents,
    )


def _in(source: Source) -> Iterator[_Found]:
    thing = source.thing
    if not thing:
        yield from _in_plain_file(source)
    elif thing.kind == "ConfigMap" and not thing.group:
        yield from _in_config_map(source, thing)
    elif thing.kind == "IstioOperator":
        values = mapping(thing.spec.get("values"))
        yield from _structured(source, "operator", ("spec", "meshConfig"), values)
        yield from _structured(source, "operator", ("spec", "values", "meshConfig"), values)
    elif thing.group == "sailoperator.io":
        yield from _structured(source, "sail", ("spec", "values", "meshConfig"), mapping(thing.spec.get("values")))
    elif thing.kind == "HelmRelease":
        yield from _structured(source, "values", ("spec", "values", "meshConfig"), mapping(thing.spec.get("values")))
    elif thing.kind == "Application" and thing.group == "argoproj.io":
        path: Path = ("spec", "source", "helm", "valuesObject")
        values = mapping(dig(thing.data, *map(str, path)))
        yield from _structured(source, "values", (*path, "meshConfig"), values)


def _in_plain_file(source: Source) -> Iterator[_Found]:
    data = source.data
    if "meshConfig" in data:
        yield from _structured(source, "values", ("meshConfig",), data)
    elif any(camel(key) in MARKS for key in data):
        yield _Found(source, "bare", source.place, data, {}, layer=True)
    else:
        for key, value in data.items():
            # An umbrella chart's values: those of the istiod chart below its name.
            if isinstance(value, dict) and isinstance(value.get("meshConfig"), dict):
                yield from _structured(source, "values", (key, "meshConfig"), value)


def _structured(source: Source, carrier: Carrier, path: Path, values: dict[str, Data]) -> Iterator[_Found]:
    data: Data = source.data
    node = source.place.root
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return
        data = data[key]
        node = _below(node, str(key))
    if data is not None:
        place = source.place._replace(root=node or source.place.root)
        broken = "" if isinstance(data, dict) else _NO_MAPPING
        yield _Found(source, carrier, place, data, values, layer=carrier == "values", broken=broken)


def _below(node: k8syaml.Node | None, key: str) -> k8syaml.Node | None:
    """What stands under a key, aliases followed; None where it is not written out."""
    node = node.target if isinstance(node, k8syaml.Alias) else node
    found = node.get(key) if isinstance(node, k8syaml.Mapping) else None
    return found.target if isinstance(found, k8syaml.Alias) else found


def _in_config_map(source: Source, thing: Thing) -> Iterator[_Found]:
    text = mapping(thing.data.get("data")).get(MESH_KEY)
    scalar = _below(_below(source.place.root, "data"), MESH_KEY)
    if not isinstance(text, str) or not isinstance(scalar, k8syaml.Scalar):
        return
    place = source.place._replace(inner=Inner(source.text, scalar), root=None)
    layer = not _OWN_NAME.fullmatch(thing.name)
    data: Data = None
    broken = ""
    trees: tuple[k8syaml.Tree, ...] = ()
    try:
        trees = k8syaml.parse(text)
        data = k8syaml.to_data(trees[0].root) if trees else None
        place = place._replace(root=trees[0].root if trees else None)
    except ManifestError as error:
        offset = _line_offset(text, error.where)
        place, broken = place._replace(root=k8syaml.Scalar("", "", "", "", offset, offset)), error.message
    else:
        broken = "" if data is None or isinstance(data, dict) else _NO_MAPPING
    if _NAME.fullmatch(thing.name) or any(camel(key) in MARKS for key in mapping(data)):
        yield _Found(source, "configmap", place, data, {}, layer, broken, len(trees))


def _line_offset(text: str, where: str) -> int:
    """The first character on a line that is no blank."""
    match = _LINE.match(where)
    lines = text.split("\n")
    number = min(int(match[1]) - 1, len(lines) - 1) if match else 0
    line = lines[number]
    return sum(len(each) + 1 for each in lines[:number]) + len(line) - len(line.lstrip())


def _version(found: _Found) -> Version | None:
    """By the istiod image, else by labels, else by what the values or the operator's object say."""
    tags = {version for tag in found.source.tags if (version := release(tag))}
    if len(tags) == 1:
        return tags.pop()
    thing = found.source.thing
    labels = thing.labels if thing else {}
    texts = [
        *labelled(labels),
        thing.spec.get("version") if thing and found.carrier == "sail" else None,
        thing.spec.get("tag") if thing and found.carrier == "operator" else None,
        dig(found.values, "pilot", "tag"),
        found.values.get("tag"),
        dig(found.values, "global", "tag"),
    ]
    return release(*texts) or (min(tags) if tags else None)


def _variables(sources: list[Source], name: str) -> dict[str, list[Data]]:
    """The values of an environment variable of the Deployments, by file."""
    found: dict[str, list[Data]] = {}
    for source in sources:
        if not source.thing or source.thing.kind != "Deployment":
            continue
        for container in items(dig(source.thing.spec, "template", "spec", "containers")):
            for variable in items(mapping(container).get("env")):
                if mapping(variable).get("name") == name and "value" in variable:
                    found.setdefault(source.place.file, []).append(variable["value"])
    return found
