"""Hosts and ports of collectors as Istio's proxies see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.world import items, mapping
from groundcover_istio.k8syaml import pair_lines

if TYPE_CHECKING:
    from groundcover_istio.checks.world import Provider, Thing, World
    from groundcover_istio.model import Data

# appProtocol and the first word of a port's name that make Istio speak HTTP/2 (kube/conversion.go, ConvertProtocol).
_HTTP2_PROTOCOLS: Final = frozenset(("grpc", "grpc-web", "http2", "kubernetes.io/h2c"))
_HTTP2_NAMES: Final = frozenset(("grpc", "http2"))

# How many labels a short host has behind its name at most: namespace and svc.
_SHORT: Final = 2


def port_of(service: Thing, number: int) -> tuple[int, dict[str, Data]] | None:
    """The TCP port of a Service with that number, and its index."""
    for index, port in enumerate(items(service.spec.get("ports"))):
        if mapping(port).get("port") == number and mapping(port).get("protocol", "TCP") == "TCP":
            return index, port
    return None


def ports_in_words(service: Thing) -> str:
    """The TCP ports of a Service for messages."""
    ports = [mapping(port) for port in items(service.spec.get("ports"))]
    words = [f"{port.get('port')} ({port.get('name') or 'unnamed'})" for port in ports if port.get("protocol") != "UDP"]
    return ", ".join(words) or "none"


def is_http2(port: dict[str, Data]) -> bool:
    """Whether a port of a Service is declared as HTTP/2; the appProtocol goes before the name."""
    protocol = port.get("appProtocol")
    if protocol:
        return str(protocol).lower() in _HTTP2_PROTOCOLS
    name = str(port.get("name") or "").lower()
    return name.split("-")[0] in _HTTP2_NAMES or name.startswith("grpc-web")


def namespace_of(world: World, host: str) -> str:
    """The namespace in a host, else that of the Service given; empty where neither says it."""
    rest = host.split(".")[1:]
    if len(rest) > 1 and rest[1] == "svc":
        return rest[0]
    service = world.service(host)
    return service.namespace if service else ""


def covers(pattern: str, host: str) -> bool:
    """Whether a host of Istio's configuration, with a wildcard in front perhaps, covers a full host."""
    pattern, host = pattern.lower().rstrip("."), host.lower()
    if pattern == "*":
        return True
    return host.endswith(pattern[1:]) if pattern.startswith("*") else pattern == host


def http_text(http: dict[str, Data], **changes: str) -> str:
    """An exporter's `http` with changes, to paste; its headers are left out, since they may hold a token."""
    shown = {key: value for key, value in (http | changes).items() if key in ("path", "timeout")}
    lines = pair_lines("http", shown, 0)
    return "\n".join([*lines, *(["  # and its headers, as they are"] if http.get("headers") else [])])


def collectors(world: World) -> list[Provider]:
    """One provider for each host that spans or logs are sent to."""
    found: dict[str, Provider] = {}
    for provider in world.senders():
        if provider.host:
            found.setdefault(provider.host.lower(), provider)
    return list(found.values())


def qualified(world: World, host: str) -> str:
    """The full name of a short host, with NAMESPACE where nothing given says it."""
    name, *rest = host.replace("*", "NAME").split(".")
    if len(rest) > _SHORT:
        return host
    service = world.service(host)
    namespaces = [space for sensor, space in world.sensors if sensor == name]
    namespace = rest[0] if rest else (namespaces[0] if namespaces else service.namespace if service else "")
    return f"{name}.{namespace or 'NAMESPACE'}.svc.cluster.local"
