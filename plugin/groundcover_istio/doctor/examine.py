"""The whole examination of one cluster."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from groundcover_istio import config
from groundcover_istio.doctor.cluster import gather
from groundcover_istio.doctor.items import HERE, Item, Tools, fail, ok, unknown
from groundcover_istio.doctor.meshes import check_revisions, meshes
from groundcover_istio.doctor.policies import check_rules, check_sidecars
from groundcover_istio.doctor.proxies import check_proxies
from groundcover_istio.doctor.releases import check_releases
from groundcover_istio.doctor.service import check_authentications, check_endpoints, check_sensor, check_service
from groundcover_istio.doctor.source import SILENCE
from groundcover_istio.doctor.tracer import check_sampling, check_telemetries, check_tracer, named_elsewhere
from groundcover_istio.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from groundcover_istio.config import Layer
    from groundcover_istio.doctor.cluster import Cluster
    from groundcover_istio.doctor.meshes import Mesh
    from groundcover_istio.doctor.source import Query, Reading
    from groundcover_istio.doctor.tracer import Tracer
    from groundcover_istio.model import Settings

# What an object that is not as Kubernetes writes it can raise in a check.
_MALFORMED: Final = (TypeError, ValueError, AttributeError, LookupError, RecursionError, ToolError)
# Not being allowed to read these says nothing about whether spans arrive.
_OPTIONAL: Final = ("secrets",)
# How kubectl words that no API server answers: then each call says it, with its own path perhaps.
_UNREACHABLE: Final = re.compile(
    rf"refused|unable to connect|no such host|no route to host|timeout|{SILENCE}", re.IGNORECASE
)


_Target = TypeVar("_Target")
_Found = TypeVar("_Found")


class Section(NamedTuple):
    """A part of the checklist."""

    title: str
    items: list[Item]


def examine(read: Callable[[Query], Reading], layers: Sequence[Layer], tools: Tools = HERE) -> list[Section]:
    """The checklist of one cluster. Whatever it holds, this ends, and says ok only of what was read."""
    cluster = gather(read, config.resolve(layers).service.namespace, tools)
    settings, about_settings = _settings(cluster, layers)
    none: tuple[list[Mesh], list[Item]] = ([], [])
    (found, about_meshes), unjudged = _safely("the mesh config", lambda: meshes(cluster), none)
    mesh_items = [*about_meshes, *unjudged]
    targets: dict[tuple[str, int, str], Tracer] = {}
    for mesh in found:
        tracers, items = _mesh(cluster, mesh, settings)
        mesh_items += items
        targets.update({(each.host, each.port, each.kind): each for each in tracers})
    sections = [
        Section("Istio", _items("istiod", lambda: check_revisions(cluster)) + about_settings),
        Section("Mesh config", mesh_items),
        Section("Sensor", _each(cluster, targets.values(), _SENSOR)),
        Section("Between proxies and sensor", _each(cluster, targets.values(), _BETWEEN)),
        Section("Proxies", _each(cluster, found, (("the proxies", check_proxies),))),
        Section("Helm", [item for mesh in found for item in _releases(cluster, mesh, settings)]),
        Section("Not read", list(_unread(cluster))),
    ]
    return [Section(each.title, _unique(each.items, tools)) for each in sections if each.items]


_SENSOR: Final = (
    ("the sensor's Service", check_service),
    ("its endpoints", check_endpoints),
    ("its pods", check_sensor),
    ("PeerAuthentications", check_authentications),
)
_BETWEEN: Final = (("Sidecars", check_sidecars), ("DestinationRules", check_rules))


def _settings(cluster: Cluster, layers: Sequence[Layer]) -> tuple[Settings, list[Item]]:
    """The settings, with those of the cluster's integration ConfigMap below."""
    carried = [each for each in cluster.integrations.items if config.is_integration(each)]
    if not carried:
        return config.resolve(layers), []
    where = f"ConfigMap {carried[0]['metadata']['name']}"
    try:
        settings = config.resolve([config.integration_layer(carried, ""), *layers])
    except ToolError as error:
        message = f"{error.where}: {error.message}" if error.where else error.message
        return config.resolve(layers), [fail("settings-invalid", message=" ".join(message.split()))]
    service = f"{settings.service.namespace}/{settings.service.name}"
    return settings, [ok("settings", where=where, protocol=settings.tracing.protocol, service=service)]


def _mesh(cluster: Cluster, mesh: Mesh, settings: Settings) -> tuple[list[Tracer], list[Item]]:
    """The tracers of one mesh config that are aimed at the sensor, and what there is to say about the mesh config."""
    nothing: tuple[Tracer | None, list[Item]] = (None, [])
    (tracer, items), unjudged = _safely(mesh.where, lambda: check_tracer(cluster, mesh, settings), nothing)
    items = [*items, *unjudged]
    items += _items(f"the sampling of {mesh.where}", lambda: check_sampling(cluster, mesh, tracer, settings))
    items += _items("Telemetries", lambda: check_telemetries(cluster, mesh, tracer, settings))
    none: list[tuple[Tracer | None, list[Item]]] = []
    others, _ = _safely("Telemetries", lambda: list(named_elsewhere(cluster, mesh, tracer, settings)), none)
    tracers = [each for each in (tracer, *(other for other, _ in others)) if each]
    return tracers, items + [item for _, about in others for item in about]


def _releases(cluster: Cluster, mesh: Mesh, settings: Settings) -> list[Item]:
    return _items("Helm's releases", lambda: check_releases(cluster, mesh, settings))


def _each(
    cluster: Cluster,
    targets: Iterable[_Target],
    checks: Iterable[tuple[str, Callable[[Cluster, _Target], Iterable[Item]]]],
) -> list[Item]:
    """Every check on every target."""
    items: list[Item] = []
    for target in targets:
        for what, check in checks:
            items += _items(what, functools.partial(check, cluster, target))
    return items


def _items(what: str, check: Callable[[], Iterable[Item]]) -> list[Item]:
    """What a check finds; where it meets what it can't understand, that alone."""
    nothing: list[Item] = []
    items, unjudged = _safely(what, lambda: list(check()), nothing)
    return [*items, *unjudged]


def _safely(what: str, check: Callable[[], _Found], default: _Found) -> tuple[_Found, list[Item]]:
    """What a check gives, the default where it meets what it can't understand; and what is to be said about that."""
    try:
        return check(), []
    except _MALFORMED:
        return default, [unknown("malformed", what=what)]


def _unread(cluster: Cluster) -> Iterator[Item]:
    """What could not be read, and why: what depends on it is not judged."""
    reasons = [reading.error for reading in cluster.readings.values()]
    if len(reasons) > 1 and all(reasons) and (len(set(reasons)) == 1 or all(map(_UNREACHABLE.search, reasons))):
        # Silence says the least.
        yield unknown("unreachable", reason=min(reasons, key=lambda each: each.startswith(SILENCE)))
        return
    for query, reading in cluster.readings.items():
        if reading.error:
            name = query.resource.partition(".")[0]
            yield unknown(
                "unread",
                what=query.words,
                reason=reading.error,
                fix=reading.fix,
                optional="yes" if name in _OPTIONAL else "no",
            )


def _unique(items: list[Item], tools: Tools) -> list[Item]:
    """Each thing once: several mesh configs may share what is wrong."""
    return list({(each.code, each.text): each._replace(tools=tools) for each in items}.values())


def is_well(sections: list[Section]) -> bool:
    """Whether nothing failed and everything that counts could be told."""
    return not any(
        each.status == "fail" or (each.status == "unknown" and each.values.get("optional") != "yes")
        for section in sections
        for each in section.items
    )
