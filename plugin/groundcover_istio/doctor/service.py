"""Where spans go: the Service, its port and protocol, its endpoints, and the sensor's own pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio import istio
from groundcover_istio.checks.selectors import discovers
from groundcover_istio.doctor.cluster import proxy_of
from groundcover_istio.doctor.items import Item, fail, ok, warn
from groundcover_istio.doctor.scopes import proxies_of, said_for, telemetries_of
from groundcover_istio.doctor.source import counted, listed, mappings, name_of, namespace_of, strings
from groundcover_istio.model import dig
from groundcover_istio.rules.tracing import SIDES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.doctor.cluster import Cluster
    from groundcover_istio.doctor.tracer import Tracer
    from groundcover_istio.model import Data

_EXPORT_TO: Final = "networking.istio.io/exportTo"


def service_of(cluster: Cluster, tracer: Tracer) -> dict[str, Data] | None:
    """The Service that the tracer sends to."""
    found = [each for each in cluster.services(tracer.namespace).items if each["metadata"]["name"] == tracer.service]
    return found[0] if found else None


def check_service(cluster: Cluster, tracer: Tracer) -> Iterator[Item]:
    """The Service, its port and its protocol, and whether proxies may know of it."""
    if cluster.services(tracer.namespace).error:
        return
    service = service_of(cluster, tracer)
    name = f"{tracer.namespace}/{tracer.service}"
    if service is None:
        yield fail("service-missing", service=name, provider=tracer.name)
        return
    if dig(service, "spec", "type") == "ExternalName":
        yield fail("service-external", service=name)
        return
    if dig(service, "spec", "clusterIP") == "None":
        yield fail("service-headless", service=name)
    port = port_of(service, tracer)
    if port is None:
        yield fail(
            "port-missing",
            service=name,
            port=tracer.port,
            provider=tracer.name,
            ports=_ports(service),
            causes=tracer.loss,
        )
    else:
        yield _protocol(port, tracer, name)
    yield from _visibility(cluster, service, tracer, name)
    if not _is_discovered(cluster, tracer):
        yield fail("service-hidden", mesh=tracer.mesh.where, namespace=tracer.namespace, service=name)


def _is_discovered(cluster: Cluster, tracer: Tracer) -> bool:
    """Whether istiod looks into a namespace at all; where its labels can't be read, that is said elsewhere."""
    found = cluster.namespaces
    held = [dig(each, "metadata", "labels") for each in found.items if each["metadata"]["name"] == tracer.namespace]
    labels = held[0] if held and isinstance(held[0], dict) else {}
    return bool(found.error) or discovers(tracer.mesh.data.get("discoverySelectors"), labels)


def port_of(service: dict[str, Data], tracer: Tracer) -> dict[str, Data] | None:
    """The port of the Service that the tracer sends to."""
    return next((port for _, port in istio.tcp_ports(service) if port.get("port") == tracer.port), None)


def _ports(service: dict[str, Data]) -> str:
    ports = [f"{port.get('name', 'unnamed')} {port.get('port')}" for _, port in istio.tcp_ports(service)]
    return ", ".join(ports) or "none"


def _protocol(port: dict[str, Data], tracer: Tracer, service: str) -> Item:
    """Whether the port is declared as what the tracer speaks to it."""
    name = str(port.get("name") or "unnamed")
    kind = "otlp-grpc" if tracer.is_grpc else "otlp-http" if tracer.kind == "opentelemetry" else tracer.kind
    values = {"service": service, "port": str(tracer.port), "name": name, "kind": kind}
    if istio.speaks_http2(port) == tracer.is_grpc:
        return ok("service", **values)
    return fail("port-http1" if tracer.is_grpc else "port-http2", **values)


def _visibility(cluster: Cluster, service: dict[str, Data], tracer: Tracer, name: str) -> Iterator[Item]:
    """Whether the proxies there are get the Service's cluster; `~` beside other entries hides it from all.

    So istiod reads it (istio 1.31 pilot/pkg/model/push_context.go, initServiceRegistry).
    """
    annotation = dig(service, "metadata", "annotations", _EXPORT_TO)
    default = strings(tracer.mesh.data.get("defaultServiceExportTo"))
    values = [part.strip() for part in str(annotation).split(",")] if annotation else default
    proxies = proxies_of(cluster, tracer.mesh)
    seen = set() if "~" in values else {tracer.namespace if each == "." else each for each in values}
    hidden = sorted({namespace_of(pod) for pod in proxies} - seen)
    if values and "*" not in values and (hidden or not proxies):
        by = f"annotation {_EXPORT_TO}" if annotation else "defaultServiceExportTo of the mesh config"
        whose = f"proxies of {listed(hidden)}" if hidden else "other namespaces"
        yield fail("export-to", by=by, service=name, namespaces=whose, value=", ".join(values), causes=tracer.loss)


def check_endpoints(cluster: Cluster, tracer: Tracer) -> Iterator[Item]:
    """Ready endpoints, on every node that runs proxies where traffic stays on its node."""
    service = service_of(cluster, tracer)
    reading = cluster.endpoints(tracer.namespace)
    if service is None or reading.error or dig(service, "spec", "type") == "ExternalName":
        return
    port = port_of(service, tracer)
    if port is None:
        return
    ready = [
        each
        for item in reading.items
        if dig(item, "metadata", "labels", "kubernetes.io/service-name") == tracer.service and _has(item, port)
        for each in mappings(item.get("endpoints"))
        if dig(each, "conditions", "ready") is not False
    ]
    values = {"service": f"{tracer.namespace}/{tracer.service}", "port": str(tracer.port)}
    if not ready:
        yield fail("endpoints-none", namespace=tracer.namespace, name=tracer.service, **values)
        return
    if dig(service, "spec", "internalTrafficPolicy") != "Local":
        yield ok("endpoints", count=counted(len(ready), "ready endpoint"), nodes="", **values)
        return
    if cluster.proxies.error:
        return
    served = {str(each.get("nodeName")) for each in ready}
    wanted: dict[str, int] = {}
    for pod in cluster.proxies.items:
        if node := str(dig(pod, "spec", "nodeName") or ""):
            wanted[node] = wanted.get(node, 0) + 1
    lacking = sorted(set(wanted) - served)
    if lacking:
        count = sum(wanted[node] for node in lacking)
        yield fail("endpoints-nodes", nodes=listed(lacking), proxies=counted(count, "proxy", "proxies"), **values)
    else:
        where = f", on every node that runs proxies ({len(wanted)})"
        yield ok("endpoints", count=counted(len(ready), "ready endpoint"), nodes=where, **values)


def _has(item: dict[str, Data], port: dict[str, Data]) -> bool:
    """Whether an EndpointSlice serves the port: by its name, which both sides leave out together."""
    return any((each.get("name") or "") == (port.get("name") or "") for each in mappings(item.get("ports")))


def sensor_pods(cluster: Cluster, tracer: Tracer) -> list[dict[str, Data]]:
    """The pods behind the Service."""
    service = service_of(cluster, tracer)
    selector = dig(service, "spec", "selector")
    if not isinstance(selector, dict) or not selector:
        return []
    return [
        pod
        for pod in cluster.pods(tracer.namespace).items
        if all(dig(pod, "metadata", "labels", key) == value for key, value in selector.items())
    ]


def check_sensor(cluster: Cluster, tracer: Tracer) -> Iterator[Item]:
    """Whether the sensor's pods have a proxy of their own, which would trace every export."""
    if cluster.pods(tracer.namespace).error or cluster.services(tracer.namespace).error:
        return
    pods = sensor_pods(cluster, tracer)
    proxies = [pod for pod in pods if proxy_of(pod)]
    telemetries = telemetries_of(cluster, tracer.mesh) if proxies else []
    tracing = [name_of(pod) for pod in proxies if not _is_silent(pod, telemetries, tracer.mesh.root)]
    captured = [name_of(pod) for pod in pods if _is_captured(pod)]
    if tracing:
        yield fail("sensor-injected", pods=listed(tracing))
    elif proxies:
        yield ok("sensor-silent", count=counted(len(proxies), "pod"))
    if captured:
        yield warn("sensor-ambient", pods=listed(captured))
    if pods and not proxies and not captured:
        yield ok("sensor", count=counted(len(pods), "pod"))


def _is_silent(pod: dict[str, Data], telemetries: list[dict[str, Data]], root: str) -> bool:
    """Whether Telemetries keep a pod's proxy from reporting spans, of what comes in and of what goes out."""
    return all(said_for(pod, telemetries, root, "disableSpanReporting", side) is True for side in SIDES)


def _is_captured(pod: dict[str, Data]) -> bool:
    return bool(dig(pod, "metadata", "annotations", "ambient.istio.io/redirection") == "enabled")


def check_authentications(cluster: Cluster, tracer: Tracer) -> Iterator[Item]:
    """PeerAuthentications matter to the sensor only where its pods have a proxy."""
    if cluster.authentications.error or cluster.pods(tracer.namespace).error:
        return
    injected = [pod for pod in sensor_pods(cluster, tracer) if proxy_of(pod) or _is_captured(pod)]
    found = [
        each
        for each in cluster.authentications.items
        if injected
        and namespace_of(each) in (tracer.namespace, tracer.mesh.root)
        and dig(each, "spec", "mtls", "mode") == "STRICT"
        and _selects(each, injected[0])
    ]
    for each in found:
        yield warn("authentication", authentication=name_of(each), port=tracer.port)
    if not found:
        yield ok("authentications")


def _selects(policy: dict[str, Data], pod: dict[str, Data]) -> bool:
    labels = dig(policy, "spec", "selector", "matchLabels")
    held = labels if isinstance(labels, dict) else {}
    return all(dig(pod, "metadata", "labels", key) == value for key, value in held.items())
