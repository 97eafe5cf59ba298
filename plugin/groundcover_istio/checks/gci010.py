"""A port that takes HTTP/1.1 must not be declared as HTTP/2.

## What
A provider sends HTTP/1.1, `zipkin`, `datadog`, `opentelemetry` with `http`, to a port of a Service among the inputs
that is declared as gRPC or HTTP/2.

## Why
Envoy speaks HTTP/2 to such a port without asking. A receiver that knows HTTP/1.1 only answers nothing it understands:
503, and no spans. Most often the port is the one for gRPC.

## Bad
```yaml
meshConfig:
  extensionProviders:
  - name: otel-tracing
    opentelemetry:
      service: groundcover-sensor.groundcover.svc.cluster.local
      port: 4317
      http: {path: /v1/traces, timeout: 5s}
---
apiVersion: v1
kind: Service
metadata: {name: groundcover-sensor, namespace: groundcover}
spec:
  selector: {app.kubernetes.io/name: sensor}
  ports:
  - {name: otlp-grpc, port: 4317, appProtocol: grpc}
```

## Good
```yaml
meshConfig:
  defaultProviders: {tracing: [otel-tracing], metrics: [prometheus]}
  extensionProviders:
  - name: otel-tracing
    opentelemetry:
      service: groundcover-sensor.groundcover.svc.cluster.local
      port: 4318
      http: {path: /v1/traces, timeout: 5s}
---
apiVersion: v1
kind: Service
metadata: {name: groundcover-sensor, namespace: groundcover}
spec:
  selector: {app.kubernetes.io/name: sensor}
  ports:
  - {name: otlp-http, port: 4318}
```

## Source
istio 1.31 pilot/pkg/networking/core/cluster_builder.go:878; with Envoy: 503 from a server of HTTP/1.1 only.

## Proof
Shown on a real istiod and Envoy by `make conformance`: 0 spans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.hosts import port_of, ports_in_words
from groundcover_istio.istio import speaks_http2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI010"
NAME: Final = "http-port-declared-http2"
SEVERITY: Final[Level] = "warning"


def check(world: World) -> Iterator[Hit]:
    """Look at the declared protocol of every port that HTTP/1.1 goes to."""
    for provider in world.senders():
        service, number = world.service(provider.host), provider.port
        found = port_of(service, number) if service and number and not provider.http2 else None
        if service and found and speaks_http2(found[1]) and provider.kind != "lightstep":
            message = (
                f"{provider.name} exports {provider.kind} over HTTP/1.1 to port {number} of {service.place.resource},"
                " which is declared as HTTP/2; a receiver of HTTP/1.1 answers 503 and no spans arrive"
            )
            fix = f"use another of its ports: {ports_in_words(service)}"
            yield Hit(provider.place, (*provider.path, "port"), message, fix)
