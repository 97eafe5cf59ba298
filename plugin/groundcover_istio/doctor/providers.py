"""What is wrong with a provider as it is written, judged as rules judge it, and what that causes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio import istio
from groundcover_istio.checks.hosts import Unfound, unfound, with_port
from groundcover_istio.checks.providers import http_exporter, kinds_of, lacks_path, lacks_timeout, rejects_listeners
from groundcover_istio.decoding import newer_fields, unknown_fields
from groundcover_istio.mesh_types import MESSAGES, NEWEST
from groundcover_istio.spelling import show, spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.model import Data, Version

TRACERS: Final = ("opentelemetry", "datadog", "zipkin")
REJECTED: Final = "Envoy rejects the listener: proxies keep what they had, and new pods do not become ready"
_OFF: Final = "istiod can't set the tracer up: tracing is off"
_UNFOUND: Final[dict[Unfound, str]] = {
    "url": "a URL",
    "wildcard": "with a wildcard",
    "short": "a short name",
    "full stop": "with a full stop at its end: istiod compares it letter by letter",
    "upper case": "with upper case: istiod compares it letter by letter",
}


def loss_without_cluster(kind: str) -> str:
    """What happens where a proxy does not know the cluster that a tracer sends to."""
    return REJECTED if rejects_listeners(kind) else "spans are lost without a word"


def faults_of(entry: dict[str, Data], version: Version | None) -> Iterator[tuple[str, str]]:
    """What is wrong with an entry as it is written, and what that causes."""
    kinds = kinds_of(entry)
    if len(kinds) != 1:
        causes = "only the last of them counts" if kinds else _OFF
        yield f"holds {' and '.join(kinds) or 'no kind'}, one is accepted", causes
        return
    kind, held = kinds[0], entry[kinds[0]]
    if kind not in TRACERS or not isinstance(held, dict):
        yield f"{kind} is no tracer that is written as one", _OFF
        return
    yield from _field_faults(kind, held, version)
    unknown_host = list(_host_faults(held.get("service")))
    yield from unknown_host
    if not istio.is_port(istio.port_number(held.get("port"))):
        found = show(held["port"]) if "port" in held else "missing"
        yield f"port is {found}", _OFF if unknown_host else loss_without_cluster(kind)
    http = http_exporter(kind, held)
    if http is not None and lacks_timeout(http):
        yield "http has no timeout", REJECTED
    if http is not None and lacks_path(http):
        yield "http has no path", "spans are sent to /, where the sensor takes none"


def _field_faults(kind: str, held: dict[str, Data], version: Version | None) -> Iterator[tuple[str, str]]:
    """Fields that no Istio has, and those that this one does not have yet."""
    if version is None or version <= NEWEST:
        names = [spell(path) for path, _ in unknown_fields(held, MESSAGES["ExtensionProvider"][kind], ())]
        if names:
            yield f"{kind} has no field {', '.join(names)}", "istiod drops it"
    for path, _ in newer_fields(version, f"extensionProviders.{kind}", (kind,), held) if version else ():
        name = spell(path[1:] or path)
        causes = {kind: _OFF, "http": "spans are sent as gRPC to the port for HTTP"}.get(name, "istiod drops it")
        yield f"has {name}, which Istio {version} does not know", causes


def _host_faults(service: Data) -> Iterator[tuple[str, str]]:
    if not isinstance(service, str) or not service:
        yield "service is missing", _OFF
    elif with_port(service):
        yield f"service is {show(service)}, with a port in it", _OFF
    elif why := unfound(service, is_known=True):
        yield f"service is {show(service)}, {_UNFOUND[why]}", _OFF
