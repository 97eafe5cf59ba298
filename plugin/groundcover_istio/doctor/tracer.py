"""Which tracer the proxies of a mesh use, where it sends to, and how much is sampled."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from groundcover_istio import istio
from groundcover_istio.checks.activation import SAMPLING_VARIABLE, counting, percentage, samples_none
from groundcover_istio.checks.providers import host_of, speaks_grpc
from groundcover_istio.doctor.items import Item, fail, ok, warn
from groundcover_istio.doctor.providers import REJECTED, TRACERS, faults_of, loss_without_cluster
from groundcover_istio.doctor.scopes import Scope, by_namespace, proxies_of, telemetries_of
from groundcover_istio.doctor.source import name_of, namespace_of, strings
from groundcover_istio.model import Sampling, dig
from groundcover_istio.report import sampling_text
from groundcover_istio.rules.tracing import (
    CLIENT,
    SERVER,
    SIDES,
    entries_of,
    named_provider,
    providers_but,
    said,
    selects,
)
from groundcover_istio.spelling import show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from groundcover_istio.doctor.cluster import Cluster
    from groundcover_istio.doctor.meshes import Mesh
    from groundcover_istio.model import Data, Settings

_OFF_KEY: Final = "disableSpanReporting"
_SAMPLING_KEY: Final = "randomSamplingPercentage"
_BOOTSTRAP: Final = ("defaultConfig", "tracing", "sampling")
_ABOVE: Final = "above 100"
_NO_NUMBER: Final = "not a number"


class Tracer(NamedTuple):
    """A provider that is aimed at the sensor."""

    mesh: Mesh
    name: str
    kind: str
    entry: dict[str, Data]
    host: str
    port: int

    @property
    def is_grpc(self) -> bool:
        """Whether it speaks gRPC."""
        return speaks_grpc(self.kind, self.entry)

    @property
    def namespace(self) -> str:
        """The namespace of its Service."""
        return (self.host.split(".")[1:2] or [""])[0]

    @property
    def domain(self) -> str:
        """The cluster's DNS domain, by its host."""
        return self.host.partition(".svc.")[2]

    @property
    def service(self) -> str:
        """The name of its Service."""
        return self.host.split(".", maxsplit=1)[0]

    @property
    def loss(self) -> str:
        """What happens where a proxy does not know the Service's cluster."""
        return loss_without_cluster(self.kind)


_Found = TypeVar("_Found")
# Those of gateways are outgoing ones, those of waypoints incoming (listener_waypoint.go).
_REQUESTS: Final = {CLIENT: "outgoing requests", SERVER: "incoming requests"}


class Choice(NamedTuple):
    """What names the tracer of a mesh, and the sampling."""

    name: str
    by: str


Found = tuple[Tracer | None, list[Item]]
if TYPE_CHECKING:
    Chosen = list[tuple[tuple[str, ...], Choice | None]]


def winner(cluster: Cluster, mesh: Mesh) -> tuple[dict[str, Data] | None, list[dict[str, Data]]]:
    """The mesh-wide Telemetry that counts, and those that are ignored: only the oldest one does."""
    found = [each for each in applicable(cluster, mesh) if namespace_of(each) == mesh.root]
    return (found[0] if found else None), found[1:]


def applicable(cluster: Cluster, mesh: Mesh) -> list[dict[str, Data]]:
    """The Telemetries without a selector that this revision reads, the oldest first."""
    return [each for each in telemetries_of(cluster, mesh) if not selects(each.get("spec"))]


def live_sampling(telemetry: dict[str, Data] | None, side: str) -> float | None:
    """The percentage that a Telemetry says for a side; None where it says none."""
    return percentage(said(entries_of(telemetry), _SAMPLING_KEY, side))


def by_side(finding: Callable[[str], _Found]) -> list[tuple[tuple[str, ...], _Found]]:
    """What is found for each side, once where it is the same for both."""
    client, server = (finding(side) for side in SIDES)
    return [(SIDES, client)] if client == server else [((CLIENT,), client), ((SERVER,), server)]


def requests_of(sides: tuple[str, ...]) -> str:
    """What messages call the requests of one side, or of both."""
    return _REQUESTS[sides[0]] if len(sides) == 1 else "requests"


def only_for(sides: tuple[str, ...]) -> str:
    """What messages put behind something that is so for one side; empty for both."""
    return f" for {requests_of(sides)}" if len(sides) == 1 else ""


def choice(cluster: Cluster, mesh: Mesh, side: str) -> Choice | None:
    """What names the mesh's tracer for a side: the Telemetry, else defaultProviders."""
    telemetry, _ = winner(cluster, mesh)
    if telemetry and (name := named_provider(entries_of(telemetry), side)):
        return Choice(name, f"Telemetry {name_of(telemetry)}")
    names = strings(dig(mesh.data, "defaultProviders", "tracing"))
    return Choice(names[0], "defaultProviders.tracing") if names and names[0] else None


def aimed_at_sensor(entry: dict[str, Data], settings: Settings) -> bool:
    """Whether a provider sends spans to the sensor, rightly written or not."""
    name, namespace = settings.service.name, settings.service.namespace
    held = [entry.get(kind) for kind in TRACERS]
    targets = [entry.get("service"), *(dig(each, key) for each in held for key in ("service", "address"))]
    return any(istio.is_sensor_host(each, name, namespace) for each in targets)


def check_tracer(cluster: Cluster, mesh: Mesh, settings: Settings) -> tuple[Tracer | None, list[Item]]:
    """The mesh's tracer where it is aimed at the sensor, and what is to be said about it."""
    release = mesh.revision.release
    ours = [each for each in mesh.providers if aimed_at_sensor(each, settings)]
    service = f"{settings.service.namespace}/{settings.service.name}"
    chosen = by_side(lambda side: choice(cluster, mesh, side))
    name = settings.tracing.provider_name
    off = list(_off(cluster, mesh, chosen, name))
    if not ours:
        return None, [fail("provider-missing", mesh=mesh.where, service=service, **release), *off]
    named = [mesh.provider(each.name) for _, each in chosen if each]
    entry = next((each for each in named if each is not None and each in ours), ours[0])
    name = str(entry.get("name"))
    tracer, written = _written(mesh, entry)
    about = [*_activation(cluster, mesh, chosen, name, ours), *off]
    return tracer, [*written, *about] if all(each.status == "ok" for each in written) else [*about, *written]


def named_elsewhere(cluster: Cluster, mesh: Mesh, tracer: Tracer | None, settings: Settings) -> Iterator[Found]:
    """The sensor's other providers that Telemetries name, for some workloads or one side, and what is to be said."""
    telemetries = [each for each in telemetries_of(cluster, mesh) if namespace_of(each) != settings.service.namespace]
    names = dict.fromkeys(named_provider(entries_of(each), side).lower() for each in telemetries for side in SIDES)
    for name in names:
        entry = mesh.provider(name)
        if entry and aimed_at_sensor(entry, settings) and not (tracer and tracer.name.lower() == name):
            yield _written(mesh, entry)


def _written(mesh: Mesh, entry: dict[str, Data]) -> Found:
    """A provider as a tracer, None where it can't be one, and what is to be said of how it is written."""
    release, name = mesh.revision.release, str(entry.get("name"))
    tracer, found = _tracer(mesh, entry), list(faults_of(entry, mesh.revision.version))
    values = {"mesh": mesh.where, "provider": name}
    if found:
        wrong = [{"problem": problem, "causes": causes} for problem, causes in found]
        return tracer, [fail("provider-wrong", **release, **values, **each) for each in wrong]
    if tracer and mesh.revision.domain not in ("", tracer.domain):
        return tracer, [fail("provider-domain", host=tracer.host, domain=mesh.revision.domain, **release, **values)]
    if tracer:
        return tracer, [ok("provider", kind=tracer.kind, host=tracer.host, port=str(tracer.port), **values)]
    return None, []


def _activation(cluster: Cluster, mesh: Mesh, chosen: Chosen, name: str, ours: list[dict[str, Data]]) -> Iterator[Item]:
    """What makes the provider of that name the tracer, or keeps it from being that."""
    if cluster.telemetries.error:
        # A Telemetry may name another tracer, or the only one.
        return
    for sides, each in chosen:
        values = {"mesh": mesh.where, "provider": name, "side": only_for(sides), **mesh.revision.release}
        if each is None:
            if not _says_something(cluster, mesh):
                yield fail("not-active", **values)
        elif (provider := mesh.provider(each.name)) is None:
            yield fail("tracer-undefined", by=each.by, other=each.name, **values)
        elif provider in ours:
            yield ok("active", by=each.by, **values)
        else:
            yield fail("other-tracer", by=each.by, other=each.name, **values)


def _off(cluster: Cluster, mesh: Mesh, chosen: Chosen, name: str) -> Iterator[Item]:
    """A Telemetry that says something of tracing switches it off where nothing names a tracer.

    Without one istiod falls back to the tracer of `defaultConfig.tracing` (Telemetries.Tracing, configureTracing).
    """
    telemetry, _ = winner(cluster, mesh)
    if cluster.telemetries.error or telemetry is None or not _says_something(cluster, mesh):
        return
    values = {"mesh": mesh.where, "telemetry": name_of(telemetry), "provider": name}
    for sides, each in chosen:
        if each is None:
            yield fail("tracing-off", side=only_for(sides), **mesh.revision.release, **values)


def _says_something(cluster: Cluster, mesh: Mesh) -> bool:
    """Whether the mesh-wide Telemetry has an entry for tracing, whatever it says."""
    telemetry, _ = winner(cluster, mesh)
    return bool(entries_of(telemetry))


def _tracer(mesh: Mesh, entry: dict[str, Data]) -> Tracer | None:
    kind = next((each for each in TRACERS if isinstance(entry.get(each), dict)), "")
    held = entry.get(kind) or {}
    # The host that is meant; how it is written is judged by `faults_of`.
    host, port = host_of(held.get("service")).lower(), istio.port_number(held.get("port"))
    return Tracer(mesh, str(entry.get("name")), kind, held, host, port) if kind and host and port is not None else None


def check_sampling(cluster: Cluster, mesh: Mesh, tracer: Tracer | None, settings: Settings) -> Iterator[Item]:
    """What share of requests is sampled."""
    if cluster.telemetries.error:
        return
    wrong = list(_no_percentages(cluster, mesh))
    yield from wrong
    if any(each.status == "fail" for each in wrong):
        return
    for sides, (share, by) in by_side(lambda side: effective_sampling(cluster, mesh, side)):
        if not all(_is_off(cluster, mesh, side) for side in sides):
            values = {"mesh": mesh.where, "percentage": f"{share:g}", "by": by, "requests": requests_of(sides)}
            yield _sampling_item(share, values, tracer.kind if tracer else "", settings)


def _no_percentages(cluster: Cluster, mesh: Mesh) -> Iterator[Item]:
    """What stands in the place of the mesh's sampling and is no percentage.

    istiod hands it to Envoy, but for what a mesh config has above 100; Envoy takes 0 to 100 (envoy.type.v3.Percent).
    """
    telemetry, _ = winner(cluster, mesh)
    held = dig(mesh.data, *_BOOTSTRAP)
    if held is not None and percentage(held) is None:
        values = {"where": mesh.where, "field": ".".join(_BOOTSTRAP), **_no_percentage(held)}
        if values["wrong"] == _ABOVE:
            yield warn("sampling-range", causes="Istio takes it for 1 %", **values)
        elif all(live_sampling(telemetry, side) is not None for side in SIDES):
            yield warn("sampling-range", causes="without the sampling of a Telemetry Envoy rejects it", **values)
        else:
            yield fail("sampling-range", causes=REJECTED, **values)
    for _, value in by_side(lambda side: said(entries_of(telemetry), _SAMPLING_KEY, side)):
        if telemetry and value is not None and percentage(value) is None:
            values = {"where": f"Telemetry {name_of(telemetry)}", "field": _SAMPLING_KEY, **_no_percentage(value)}
            unread = "istiod can't read the Telemetry: nothing of it counts"
            yield fail("sampling-range", causes=unread if values["wrong"] == _NO_NUMBER else REJECTED, **values)


def _no_percentage(value: Data) -> dict[str, str]:
    share = istio.number(value)
    return {"found": show(value), "wrong": _NO_NUMBER if share is None else _ABOVE if share > 0 else "below 0"}


def _sampling_item(share: float, values: dict[str, str], kind: str, settings: Settings) -> Item:
    if samples_none(share):
        return fail("sampling-zero", **values)
    if kind == "datadog" and share < istio.EVERY_REQUEST:
        return warn("sampling-datadog", **values)
    ratio = settings.sampling_ratio["datadog" if kind == "datadog" else "otel"]
    return ok("sampling", stored=sampling_text(Sampling("", share, ratio)), **values)


def _is_off(cluster: Cluster, mesh: Mesh, side: str) -> bool:
    """Whether no request of a side is traced, so that no percentage counts."""
    chosen = choice(cluster, mesh, side)
    return mesh.provider(chosen.name) is None if chosen else _says_something(cluster, mesh)


def effective_sampling(cluster: Cluster, mesh: Mesh, side: str) -> tuple[float, str]:
    """The percentage that counts, and what sets it: Telemetry, then mesh config, then istiod's own variable."""
    telemetry, _ = winner(cluster, mesh)
    own = mesh.revision.variable(SAMPLING_VARIABLE)
    share, source = counting(live_sampling(telemetry, side), dig(mesh.data, *_BOOTSTRAP), own)
    by = {"mesh": ".".join(_BOOTSTRAP), "istiod": SAMPLING_VARIABLE, "default": "Istio's default"}
    return share, f"Telemetry {name_of(telemetry)}" if telemetry and source == "telemetry" else by[source]


def check_telemetries(cluster: Cluster, mesh: Mesh, tracer: Tracer | None, settings: Settings) -> Iterator[Item]:
    """The Telemetry that wins, those ignored, and those that send spans elsewhere."""
    if cluster.telemetries.error:
        return
    first, ignored = winner(cluster, mesh)
    if first is None:
        yield ok("telemetry-none", mesh=mesh.where)
    else:
        yield ok("telemetry", mesh=mesh.where, telemetry=name_of(first))
        for each in ignored:
            yield fail("telemetry-ignored", ignored=name_of(each), telemetry=name_of(first))
    counting = {mesh.root: first} if first else {}
    for each in applicable(cluster, mesh):
        namespace = namespace_of(each)
        if namespace != mesh.root and counting.setdefault(namespace, each) is not each:
            yield warn("telemetry-ignored", ignored=name_of(each), telemetry=name_of(counting[namespace]))
    if first:
        yield from _off_everywhere(first)
    proxies = by_namespace(proxies_of(cluster, mesh))
    some = by_namespace([each for each in telemetries_of(cluster, mesh) if selects(each.get("spec"))])
    for namespace in dict.fromkeys((*counting, *some)):
        # In the order in which istiod lays them over each other.
        layers = [counting[namespace], *some.get(namespace, [])] if namespace in counting else some[namespace]
        for index, each in enumerate(layers):
            # In the sensor's own namespace it keeps exports from being traced.
            if each is not first and namespace != settings.service.namespace:
                yield from _telemetry_faults(Scope(each, layers[index + 1 :], proxies), mesh, tracer, settings)


def _off_everywhere(telemetry: dict[str, Data]) -> Iterator[Item]:
    """What the mesh-wide one keeps all proxies from; the tracer it names, and its sampling, are the mesh's own."""
    entries = entries_of(telemetry)
    silent = tuple(side for side in SIDES if said(entries, _OFF_KEY, side) is True)
    if silent:
        yield fail("telemetry-off", telemetry=name_of(telemetry), scope="all proxies", side=only_for(silent))


def _telemetry_faults(scope: Scope, mesh: Mesh, tracer: Tracer | None, settings: Settings) -> Iterator[Item]:
    """What keeps spans of some proxies from the sensor, whatever the mesh-wide Telemetry says."""
    entries, name = entries_of(scope.telemetry), name_of(scope.telemetry)
    for sides, whose in scope.losing(_OFF_KEY, lambda side: said(entries, _OFF_KEY, side) is True):
        yield warn("telemetry-off", telemetry=name, scope=whose, side=only_for(sides))
    for sides, whose in scope.losing(_SAMPLING_KEY, lambda side: _samples_none(scope.telemetry, side)):
        yield warn("telemetry-unsampled", telemetry=name, scope=whose, side=only_for(sides))
    for other in providers_but(tracer.name, entries) if tracer else []:
        provider = mesh.provider(other)
        if provider and aimed_at_sensor(provider, settings):
            continue
        for sides, whose in scope.losing("providers", functools.partial(_names, entries, other)):
            values = {"telemetry": name, "other": other, "provider": tracer.name if tracer else ""}
            yield warn("telemetry-other", scope=whose, side=only_for(sides), **values)


def _samples_none(telemetry: dict[str, Data], side: str) -> bool:
    percentage = live_sampling(telemetry, side)
    return percentage is not None and samples_none(percentage)


def _names(entries: Data, name: str, side: str) -> bool:
    return named_provider(entries, side) == name
