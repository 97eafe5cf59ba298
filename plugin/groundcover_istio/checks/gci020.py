"""100 % sampling: every request makes spans.

## What
`defaultConfig.tracing.sampling` or a Telemetry's `randomSamplingPercentage` is 100.

## Why
Every request through every proxy makes a span in each of them. That is right for a test; in production it is load for
proxies, network and sensor that the receiver's own sampling does not take away.

## Bad
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
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh-default, namespace: istio-system}
spec:
  tracing:
  - randomSamplingPercentage: 100
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
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh-default, namespace: istio-system}
spec:
  tracing:
  - randomSamplingPercentage: 1
```

## Source
istio 1.31 pilot/pkg/networking/core/tracing.go:122; Istio's own default is 1 % (chart: PILOT_TRACE_SAMPLING).

## Proof
Shown on a real istiod and Envoy by `make conformance`: every request makes spans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import entries, is_active
from groundcover_istio.checks.finding import Hit
from groundcover_istio.istio import EVERY_REQUEST, number
from groundcover_istio.model import dig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World
    from groundcover_istio.model import Path

ID: Final = "GCI020"
NAME: Final = "everything-sampled"
SEVERITY: Final[Level] = "info"

_MESSAGE: Final = "every request is sampled; each one makes a span in every proxy it passes"


def check(world: World) -> Iterator[Hit]:
    """Look at every place that gives a sampling."""
    for mesh in world.meshes:
        active = [provider.kind for provider in mesh.providers() if is_active(world, provider)]
        value = number(dig(mesh.data, "defaultConfig", "tracing", "sampling"))
        # A datadog tracer sends everything at any rate.
        if value == EVERY_REQUEST and (not active or "datadog" not in active):
            yield Hit(mesh.place, ("defaultConfig", "tracing", "sampling"), _MESSAGE, "sampling: 1")
    for telemetry in world.telemetries():
        for index, entry in entries(telemetry, "tracing"):
            if number(entry.get("randomSamplingPercentage")) == EVERY_REQUEST:
                path: Path = ("spec", "tracing", index, "randomSamplingPercentage")
                yield Hit(telemetry.place, path, _MESSAGE, "randomSamplingPercentage: 1")
