"""Hosts and ports of collectors as Istio's proxies see them."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from groundcover_istio import istio
from groundcover_istio.checks.providers import host_of
from groundcover_istio.decoding import is_placeholder
from groundcover_istio.model import dig, items
from groundcover_istio.serializer import pair_lines

if TYPE_CHECKING:
    from groundcover_istio.checks.world import Provider, Resource, World
    from groundcover_istio.model import Data

# How many labels a short host has behind its name at most: namespace and svc.
_SHORT: Final = 2
# A namespace or a scheme, the host, what follows its first colon.
_WITH_PORT: Final = re.compile(r"(.*/)?([^:/]+):([^/]*)")


class WithPort(NamedTuple):
    """A provider's `service` that names more than a host."""

    before: str
    """A namespace or a scheme, with its slash."""
    host: str
    port: str
    """Digits; empty where what follows the host ends in none."""


def with_port(service: str) -> WithPort | None:
    """The parts of a `service` that ends in a port, by number or by name; None for others and for an IPv6 address."""
    match = _WITH_PORT.fullmatch(service)
    if not match or _is_address(service.rpartition("/")[2]):
        return None
    before, host, rest = match.groups(default="")
    port = rest.rpartition(":")[2]
    # A colon inside of a placeholder begins a default.
    if not port.isdecimal() and is_placeholder(service):
        return None
    return WithPort(before, host, port if port.isdecimal() else "")


Unfound = Literal["url", "wildcard", "short", "full stop", "upper case"]


def unfound(service: str, *, is_known: bool) -> Unfound | None:
    """Why istiod's registry has no such host as a `service` without a port names; None where it may have it.

    `is_known`: whether its host, of two labels, is a Service's. Of hosts outside of the cluster nobody here knows how
    the registry spells them.
    """
    host = host_of(service)
    labels = host.split(".")
    if is_placeholder(service) or ":" in service.rpartition("/")[2]:
        return None  # to be filled in, or an IPv6 address
    if "://" in service:
        return "url"
    if "*" in host:
        return "wildcard"
    if labels[-1] == "svc" or len(labels) == 1 or (len(labels) == _SHORT and is_known):
        return "short"
    if is_full_name(host) and service.endswith("."):
        return "full stop"
    return "upper case" if is_full_name(host) and host != host.lower() else None


def is_full_name(host: str) -> bool:
    """Whether a host is that of a Service in the cluster, with its domain or without."""
    return host.lower().split(".")[2:3] == ["svc"]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def port_of(service: Resource, number: int) -> tuple[int, dict[str, Data]] | None:
    """The TCP port of a Service with that number, and its index."""
    return next((each for each in istio.tcp_ports(service.data) if each[1].get("port") == number), None)


def ports_in_words(service: Resource) -> str:
    """The TCP ports of a Service for messages."""
    words = [f"{port.get('port')} ({port.get('name') or 'unnamed'})" for _, port in istio.tcp_ports(service.data)]
    return ", ".join(words) or "none"


def namespace_of(world: World, host: str) -> str:
    """The namespace in a host, else that of the Service given; empty where neither says it."""
    rest = host.split(".")[1:]
    if len(rest) > 1 and rest[1] == "svc":
        return rest[0]
    service = world.service(host)
    return service.namespace if service else ""


def covers(pattern: str, host: str) -> bool:
    """Whether a host of Istio's configuration, with a wildcard in front perhaps, covers a full host; case counts.

    So istiod compares them (pkg/config/host/name.go, SubsetOf).
    """
    return host.endswith(pattern[1:]) if pattern.startswith("*") else pattern == host


def lets_through(listener: Data, own: str, namespace: str, host: str, port: int | None) -> bool:
    """Whether an egress listener of a Sidecar in namespace `own` lets proxies see a port of a host in `namespace`.

    Its entries are `namespace/host`, other ones are passed over; one that begins with `~` counts before the rest. A
    listener with a port of its own is for that port alone (pilot/pkg/model/sidecar.go, convertIstioListenerToWrapper).
    """
    number, protocol = dig(listener, "port", "number"), str(dig(listener, "port", "protocol"))
    if number and port and number != port and protocol.upper() != "HTTP_PROXY":
        return False
    found = False
    for entry in items(dig(listener, "hosts")):
        space, slash, pattern = str(entry).partition("/")
        excluded, space = space.startswith("~"), space.removeprefix("~")
        if space == ".":
            space = own or namespace  # where nothing says it, no guess
        if slash and space in ("*", namespace, *([""] if excluded else [])) and covers(pattern, host):
            if excluded:
                return False
            found = True
    return found


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
    if len(rest) > _SHORT or is_placeholder(host):
        return host
    service = world.service(host)
    namespaces = [space for sensor, space in world.sensors if sensor == name]
    namespace = rest[0] if rest else (namespaces[0] if namespaces else service.namespace if service else "")
    return f"{name}.{namespace or 'NAMESPACE'}.svc.cluster.local"
