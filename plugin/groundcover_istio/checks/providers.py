"""How Istio reads an extension provider, and what becomes of its spans: for what is in files and for what runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.mesh_types import MESSAGES
from groundcover_istio.model import mapping

if TYPE_CHECKING:
    from groundcover_istio.model import Data

# The kinds of a provider in the order of their declaration: of several in one entry the last one counts.
KINDS: Final = tuple(field for field in MESSAGES["ExtensionProvider"] if field != "name")
_OVER_GRPC: Final = ("envoyOtelAls", "envoyHttpAls", "envoyTcpAls", "skywalking", "opencensus")
_FATAL: Final = ("zipkin", "datadog")


def kinds_of(entry: Data) -> list[str]:
    """The kinds that an entry holds, the one that counts last."""
    return [kind for kind in KINDS if mapping(entry).get(kind) is not None]


def host_of(service: Data) -> str:
    """The host of a `service`, without namespace, port and the full stop at its end; empty where there is none."""
    return service.rsplit("/", 1)[-1].split(":", 1)[0].rstrip(".") if isinstance(service, str) else ""


def http_exporter(kind: str, body: dict[str, Data]) -> dict[str, Data] | None:
    """What an OTLP provider says of its export over HTTP; None where it exports over gRPC, and for other kinds.

    A message that is there counts, an empty one too (istio 1.31 pilot/pkg/networking/core/tracing.go, otelConfig).
    """
    http = body.get("http")
    return http if kind == "opentelemetry" and isinstance(http, dict) else None


def speaks_grpc(kind: str, body: dict[str, Data]) -> bool:
    """Whether a provider sends gRPC."""
    return http_exporter(kind, body) is None if kind == "opentelemetry" else kind in _OVER_GRPC


def lacks_timeout(http: dict[str, Data]) -> bool:
    """Whether Envoy rejects the listeners of an exporter over HTTP: istiod passes a missing timeout on."""
    return http.get("timeout") is None


def lacks_path(http: dict[str, Data]) -> bool:
    """Whether an exporter over HTTP posts to the root, where no receiver of OTLP takes spans."""
    return http.get("path") in (None, "", "/")


def rejects_listeners(kind: str) -> bool:
    """Whether Envoy rejects every listener of a tracer whose cluster it does not know; else spans are lost.

    So Envoy 1.36.4, 1.38.3 and 1.40.0 do: `envoy.tracers.zipkin: unknown cluster`.
    """
    return kind in _FATAL


def fate_without_cluster(kind: str) -> str:
    """What becomes of a provider's spans then, in the words of rules."""
    return "Envoy rejects every listener" if rejects_listeners(kind) else "spans are dropped"
