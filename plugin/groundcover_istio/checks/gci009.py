"""A port that takes OTLP over gRPC has to be declared as HTTP/2.

## What
A provider sends gRPC, `opentelemetry` without `http`, or `envoyOtelAls`, to a port of a Service among the inputs
that neither has `appProtocol: grpc` (`kubernetes.io/h2c`, `http2`) nor a name that starts with `grpc` or `http2`.

## Why
Istio decides by declaration whether to speak HTTP/2. To any other port, such as one named `otlp-grpc`, Envoy speaks
HTTP/1.1, which no gRPC server understands. Envoy's `spans_sent` counts up all the same.

## Bad
```yaml
meshConfig:
  extensionProviders:
  - name: otel-tracing
    opentelemetry: {service: groundcover-sensor.groundcover.svc.cluster.local, port: 4317}
---
apiVersion: v1
kind: Service
metadata: {name: groundcover-sensor, namespace: groundcover}
spec:
  selector: {app.kubernetes.io/name: sensor}
  ports:
  - {name: otlp-grpc, port: 4317}
```

## Good
```yaml
meshConfig:
  defaultProviders: {tracing: [otel-tracing], metrics: [prometheus]}
  extensionProviders:
  - name: otel-tracing
    opentelemetry: {service: groundcover-sensor.groundcover.svc.cluster.local, port: 4317}
---
apiVersion: v1
kind: Service
metadata: {name: groundcover-sensor, namespace: groundcover}
spec:
  selector: {app.kubernetes.io/name: sensor}
  ports:
  - {name: otlp-grpc, port: 4317, appProtocol: grpc}
```

## Source
istio 1.31 pkg/config/kube/conversion.go (ConvertProtocol), pilot/pkg/networking/core/cluster_builder.go:878; with
Envoy: HTTP/1.1 `POST …/TraceService/Export`; odigos-io/odigos#5390, open-telemetry/opentelemetry-helm-charts#576.

## Proof
Shown on a real istiod and Envoy by `make conformance`: 0 spans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.hosts import covers, port_of
from groundcover_istio.checks.traffic import rule
from groundcover_istio.istio import speaks_http2
from groundcover_istio.model import dig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI009"
NAME: Final = "grpc-port-not-http2"
SEVERITY: Final[Level] = "error"


def check(world: World) -> Iterator[Hit]:
    """Look at the declared protocol of every port that gRPC goes to."""
    for provider in world.senders():
        service, number = world.service(provider.host), provider.port
        found = port_of(service, number) if service and number and provider.http2 else None
        if not service or not found or speaks_http2(found[1]) or _upgraded(world, provider.host):
            continue
        index, port = found
        declared = port.get("appProtocol") or port.get("name") or "unnamed"
        message = (
            f"port {number} ({declared}) gets gRPC from {provider.name} and is not declared as HTTP/2;"
            " Envoy speaks HTTP/1.1 to it and no spans arrive"
        )
        yield Hit(service.place, ("spec", "ports", index), message, "appProtocol: grpc")


def _upgraded(world: World, host: str) -> bool:
    """Whether a DestinationRule may make it HTTP/2 after all."""
    for resource in world.of_kind("DestinationRule", "networking.istio.io"):
        policy = dig(resource.spec, "trafficPolicy", "connectionPool", "http", "h2UpgradePolicy")
        if policy == "UPGRADE" and covers(
            rule(resource.spec, resource.namespace, resource, host.partition(".svc.")[2]).host, host
        ):
            return True
    return False
