"""Where spans go: the sensor's Service, its host and its ports."""

from __future__ import annotations

from groundcover_istio import istio
from groundcover_istio.config import DEFAULTS
from groundcover_istio.errors import ManifestError
from groundcover_istio.model import Decision, dig
from groundcover_istio.patterns import pattern
from groundcover_istio.rules.plan import Sensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from groundcover_istio.inventory import Inventory, Resource
    from groundcover_istio.model import Data, Settings

# Which port of the sensor a protocol goes to, and what that port is called on the Service.
PORT_ROLES: Final = {"otlp-http": "otlpHttp", "otlp-grpc": "otlpGrpc", "datadog": "datadog", "zipkin": "zipkin"}
_PORT_NAMES: Final = {
    "otlpHttp": ("otlp-http", "http-otlp"),
    "otlpGrpc": ("otlp-grpc", "grpc-otlp"),
    "datadog": ("dd-traces", "datadog", "http-datadog"),
    "zipkin": ("zipkin", "http-zipkin"),
}


_LABEL: Final = pattern(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
DEFAULT: Final = DEFAULTS["service"]


def find_sensor(inventory: Inventory, settings: Settings) -> Sensor:
    """The sensor's Service: the one in the stream, else the one the settings name.

    Raises ManifestError where the one in the stream can't take what the settings send.
    """
    service = _sensor_service(inventory.services, settings)
    named = settings.service
    if not service:
        host = f"{named.name}.{named.namespace}.svc.{settings.cluster_domain}"
        return Sensor(named.name, named.namespace, host, named.ports, "the settings")
    name, namespace = service.id.name, service.id.namespace or named.namespace
    if not (_LABEL.fullmatch(name) and _LABEL.fullmatch(namespace)):
        raise ManifestError(
            "has a name or a namespace that Kubernetes takes for neither", where=service.where, hint="mend it"
        )
    ports = {role: number for role in _PORT_NAMES if (number := _port(service, role, named.ports.get(role)))}
    for role in _needed_roles(settings):
        if role not in ports:
            raise ManifestError(
                f"has no port for {_PORT_NAMES[role][0]} ({named.ports.get(role)}); it has {_port_list(service)}",
                where=service.where,
                hint="turn the sensor's receiver on, or set tracing.protocol to one that the Service has a port for",
            )
    if "otlpGrpc" in _needed_roles(settings) and not istio.speaks_http2(_numbered(service, ports["otlpGrpc"])):
        port_name = _numbered(service, ports["otlpGrpc"]).get("name") or "unnamed"
        raise ManifestError(
            f"port {ports['otlpGrpc']} ({port_name}) is not declared as gRPC, so Envoy would speak HTTP/1.1 to it",
            where=service.where,
            hint="set `appProtocol: grpc` on the port",
        )
    host = f"{name}.{namespace}.svc.{settings.cluster_domain}"
    return Sensor(name, namespace, host, ports, str(service.id), tuple(_doubts(service, settings, ports)))


def _needed_roles(settings: Settings) -> list[str]:
    roles = [PORT_ROLES[settings.tracing.protocol]] if settings.tracing.enabled else []
    return roles + (["otlpGrpc"] if settings.access_logs.enabled else [])


def _sensor_service(services: list[Resource], settings: Settings) -> Resource | None:
    able = [
        each
        for each in services
        if any(_port(each, role, settings.service.ports.get(role)) for role in PORT_ROLES.values())
    ]
    named = [each for each in services if each.id.name == settings.service.name]
    exact = [each for each in named if each.id.namespace in ("", settings.service.namespace)]
    # A name that was given is not looked past; the default one may be that of a release of another name.
    found = exact if exact or _is_given(settings) else named or able
    if len({(each.id.namespace, each.id.name) for each in found}) > 1:
        raise ManifestError(
            f"several Services look like the sensor's: {', '.join(str(each.id) for each in found)}",
            hint="name the one to use: --service NAME.NAMESPACE",
        )
    if not found:
        return None
    if dig(found[-1].data, "spec", "type") == "ExternalName":
        raise ManifestError(
            "is of type ExternalName, which has no endpoints that a proxy could send spans to",
            where=found[-1].where,
            hint="name the Service it points to: --service NAME.NAMESPACE",
        )
    return found[-1]


def _is_given(settings: Settings) -> bool:
    return (settings.service.name, settings.service.namespace) != (DEFAULT["name"], DEFAULT["namespace"])


def _port(service: Resource, role: str, expected: int | None) -> int | None:
    """The number of the port that has the role: by its name, else by the number expected."""
    ports = [port for _, port in istio.tcp_ports(service.data)]
    named = [port.get("port") for port in ports if port.get("name") in _PORT_NAMES[role]]
    found = named or [port.get("port") for port in ports if expected and port.get("port") == expected]
    return found[0] if found and type(found[0]) is int and istio.is_port(found[0]) else None


def _numbered(service: Resource, number: int) -> dict[str, Data]:
    return next(port for _, port in istio.tcp_ports(service.data) if port.get("port") == number)


def _port_list(service: Resource) -> str:
    ports = [f"{port.get('name', 'unnamed')} {port.get('port')}" for _, port in istio.tcp_ports(service.data)]
    return ", ".join(ports) or "no TCP port"


def _doubts(service: Resource, settings: Settings, ports: dict[str, int]) -> Iterator[Decision]:
    """What may be meant so: a receiver that takes HTTP/2 too, or an istiod told to look up a headless Service."""
    name = str(service.id)
    if dig(service.data, "spec", "clusterIP") == "None":
        yield Decision("service-headless", "warning", name, {})
    role = PORT_ROLES[settings.tracing.protocol]
    if settings.tracing.enabled and role != "otlpGrpc" and istio.speaks_http2(_numbered(service, ports[role])):
        yield Decision("port-declared-http2", "warning", name, {"port": str(ports[role])})
