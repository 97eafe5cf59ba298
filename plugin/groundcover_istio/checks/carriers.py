"""Where mesh configs stand: ConfigMaps, values (in GitOps tools' files too), IstioOperator, Sail, a file of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio import k8syaml
from groundcover_istio.checks.activation import SAMPLING_VARIABLE
from groundcover_istio.checks.parts import Texts, at, below
from groundcover_istio.checks.places import Inner
from groundcover_istio.checks.releases import references_in, releases_of
from groundcover_istio.checks.world import Carrier, Mesh
from groundcover_istio.control_plane import IN_VALUES, version_of_values
from groundcover_istio.decoding import normal
from groundcover_istio.errors import ManifestError
from groundcover_istio.istio import ASSUMED_VERSION, deployment_domain, domain_name, labelled, number, release, variable
from groundcover_istio.model import MESH_KEY, SHARED_VARIABLE, dig, mapping
from groundcover_istio.spelling import camel
from groundcover_istio.subcharts import with_globals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.parts import Part
    from groundcover_istio.checks.places import Place
    from groundcover_istio.checks.releases import References
    from groundcover_istio.checks.sources import Source
    from groundcover_istio.checks.world import Resource
    from groundcover_istio.model import Data, Path, Version

# A mapping with one of these keys and no kind is a mesh config.
MARKS: Final = frozenset(("extensionProviders", "defaultProviders", "defaultConfig", "enableTracing"))
_NAME: Final = re.compile(r"istio(-.+)?")
_OWN_NAME: Final = re.compile(r"istio(-(?!shared-configmap-).+)?")
_LINE: Final = re.compile(r"line (\d+)")
_NO_MAPPING: Final = "no mapping, which a mesh config is"


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
    chart: str = ""
    """Istio's minor version by the chart that is asked for beside the values; empty where nothing says it."""


def meshes(sources: list[Source], version: Version | None, root_namespace: str) -> tuple[Mesh, ...]:
    """Every mesh config of the inputs; `version` is what the user says, if anything."""
    samplings, shared = _variables(sources, SAMPLING_VARIABLE), _variables(sources, SHARED_VARIABLE)
    domains = _told_domains(sources)
    texts = {source.place.file: Texts() for source in sources}
    references = references_in(sources)
    found = [each for source in sources for each in _in(source, texts[source.place.file], references)]
    return tuple(
        _mesh(
            each._replace(layer=each.layer or (each.carrier == "configmap" and each.source.place.file in shared)),
            version,
            root_namespace,
            samplings.get(each.source.place.file, []),
            domains.get(each.source.place.file, set()),
        )
        for each in found
    )


def _mesh(found: _Found, version: Version | None, root_namespace: str, pilots: list[Data], told: set[str]) -> Mesh:
    source, data = found.source, mapping(normal(found.data))
    known = version or _version(found)
    described = source.control_plane
    revision = (source.resource.revision if source.resource else "") or (described.revision if described else "")
    revision = revision or str(found.values.get("revision") or "")
    root = data.get("rootNamespace")
    if not isinstance(root, str) or not root:
        root = (described.namespace if described else "") or root_namespace
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
        cluster_domain=_cluster_domain(found, told),
        revision="" if revision == "default" else revision,
        layer=found.layer,
        values=found.values,
        pilot_sampling=sampling,
        broken=found.broken,
        documents=found.documents,
    )


def _in(source: Source, texts: Texts, references: References) -> Iterator[_Found]:
    resource = source.resource
    if not resource:
        yield from _in_plain_file(source, texts)
    elif resource.kind == "ConfigMap" and not resource.group:
        yield from _in_config_map(source, resource, texts)
        yield from _in_releases(source, texts, references)
    elif source.control_plane:
        values = mapping(resource.spec.get("values"))
        carrier: Carrier = "operator" if resource.kind == "IstioOperator" else "sail"
        for path in dict.fromkeys((source.control_plane.place, IN_VALUES)):
            yield from _mesh_at(source, carrier, source.part, path, values)
    else:
        yield from _in_releases(source, texts, references)


def _in_plain_file(source: Source, texts: Texts) -> Iterator[_Found]:
    if "meshConfig" not in source.data and any(camel(key) in MARKS for key in source.data):
        yield _Found(source, "bare", source.place, source.data, {}, layer=True)
    else:
        yield from _in_values(source, source.part)
        yield from _in_releases(source, texts, {})


def _in_releases(source: Source, texts: Texts, references: References) -> Iterator[_Found]:
    for values, chart in releases_of(source, texts, references):
        yield from _in_values(source, values, chart)


def _in_values(source: Source, values: Part | None, chart: str = "") -> Iterator[_Found]:
    """The mesh config of the istiod chart's values, or of those that an umbrella chart has for it below its name."""
    held = mapping(values.data) if values else {}
    if "meshConfig" in held:
        yield from _mesh_at(source, "values", values, ("meshConfig",), held, chart)
        return
    for key, value in held.items():
        if isinstance(value, dict) and isinstance(value.get("meshConfig"), dict):
            yield from _mesh_at(source, "values", values, (key, "meshConfig"), with_globals(value, held), chart)


def _mesh_at(
    source: Source, carrier: Carrier, part: Part | None, path: Path, values: dict[str, Data], chart: str = ""
) -> Iterator[_Found]:
    found = at(part, path)
    if found:
        broken = "" if isinstance(found.data, dict) else _NO_MAPPING
        layer = carrier == "values"
        yield _Found(source, carrier, found.place, found.data, values, layer=layer, broken=broken, chart=chart)


def _in_config_map(source: Source, resource: Resource, texts: Texts) -> Iterator[_Found]:
    text = mapping(resource.data.get("data")).get(MESH_KEY)
    scalar = below(below(source.place.root, "data"), MESH_KEY)
    if not isinstance(text, str) or not isinstance(scalar, k8syaml.Scalar):
        return
    place = source.place._replace(inner=Inner(source.text, scalar), root=None)
    layer = not _OWN_NAME.fullmatch(resource.name)
    data: Data = None
    broken = ""
    trees: tuple[k8syaml.Tree, ...] = ()
    try:
        trees = texts.read(text)
        data = k8syaml.to_data(trees[0].root) if trees else None
        place = place._replace(root=trees[0].root if trees else None)
    except ManifestError as error:
        offset = _line_offset(text, error.where)
        place, broken = place._replace(root=k8syaml.Scalar("", "", "", "", offset, offset)), error.message
    else:
        broken = "" if data is None or isinstance(data, dict) else _NO_MAPPING
    if _NAME.fullmatch(resource.name) or any(camel(key) in MARKS for key in mapping(data)):
        yield _Found(source, "configmap", place, data, {}, layer, broken, len(trees))


def _line_offset(text: str, where: str) -> int:
    """The first character on a line that is no blank."""
    match = _LINE.match(where)
    lines = text.split("\n")
    number = min(int(match[1]) - 1, len(lines) - 1) if match else 0
    line = lines[number]
    return sum(len(each) + 1 for each in lines[:number]) + len(line) - len(line.lstrip())


def _cluster_domain(found: _Found, told: set[str]) -> str:
    """By the values it is among, else by istiod's argument; empty where nothing, or more than one thing, is said."""
    said = dig(found.values, "global", "proxy", "clusterDomain")
    return domain_name(said) if said else "".join(told) if len(told) == 1 else ""


def _told_domains(sources: list[Source]) -> dict[str, set[str]]:
    """The cluster's DNS domains that istiod's Deployments are told, by file."""
    found: dict[str, set[str]] = {}
    for source in sources:
        if source.resource and (domain := deployment_domain(source.resource.data)):
            found.setdefault(source.place.file, set()).add(domain)
    return found


def _version(found: _Found) -> Version | None:
    """By the istiod image, else by labels, by what the values or the operator's object say, by the chart asked for."""
    tags = {version for tag in found.source.tags if (version := release(tag))}
    if len(tags) == 1:
        return tags.pop()
    resource, described = found.source.resource, found.source.control_plane
    by_object = release(*labelled(resource.labels)) if resource else None
    by_values = described.version if described else version_of_values(found.values)
    return by_object or by_values or release(found.chart) or min(tags, default=None)


def _variables(sources: list[Source], name: str) -> dict[str, list[Data]]:
    """The values of an environment variable of the Deployments, by file."""
    found: dict[str, list[Data]] = {}
    for source in sources:
        if source.resource and source.resource.kind == "Deployment":
            values = variable(dig(source.resource.spec, "template", "spec", "containers"), name)
            if said := [value for value in values if value is not None]:
                found.setdefault(source.place.file, []).extend(said)
    return found
