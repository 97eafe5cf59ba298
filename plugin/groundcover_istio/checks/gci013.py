"""A tracing provider does nothing until something names it.

## What
A tracing provider is defined in `extensionProviders`, and neither `defaultProviders.tracing` nor a Telemetry among
the inputs names it. Reported as info where it is not aimed at the groundcover sensor, or where another tracer is
active.

## Why
A definition alone has no effect on any proxy: no spans, and no word in any log. Both snippets of the vendor's page
stop here.

## Bad
```yaml
meshConfig:
  extensionProviders:
  - name: otel-tracing
    opentelemetry:
      service: groundcover-sensor.groundcover.svc.cluster.local
      port: 4318
      http: {path: /v1/traces, timeout: 5s}
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
```
```yaml
meshConfig:
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
  - providers: [{name: otel-tracing}]
    randomSamplingPercentage: 1
```

## Source
istio 1.31 pilot/pkg/model/telemetry.go:299-392; istio/istio#45890, #54436. With a real istiod: 0 spans from the
snippets as printed.

## Proof
Shown on a real istiod and Envoy by `make conformance`: 0 spans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import active_names
from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.world import TRACERS
from groundcover_istio.model import mapping
from groundcover_istio.serializer import pair_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import Mesh, World
    from groundcover_istio.model import Data

ID: Final = "GCI013"
NAME: Final = "provider-not-activated"
SEVERITY: Final[Level] = "warning"


def check(world: World) -> Iterator[Hit]:
    """Look for what names each tracing provider."""
    everywhere = {name for mesh in world.meshes for name in active_names(world, mesh)}
    for mesh in world.meshes:
        shared = mesh.layer or any(other.layer for other in world.meshes)
        active = everywhere if shared else active_names(world, mesh)
        tracers = [provider for provider in mesh.providers() if provider.kind in TRACERS]
        for provider in tracers:
            if provider.name.lower() in active:
                continue
            ours = world.is_sensor(provider.host)
            if not ours and active:
                continue
            message = f"nothing given here names {provider.name}; a provider that is not activated gets no spans"
            fix = "\n".join(pair_lines("defaultProviders", _defaults(mesh, provider.name), 0))
            yield Hit(mesh.place, (*provider.entry, "name"), message, fix, None if ours and not active else "info")


def _defaults(mesh: Mesh, name: str) -> dict[str, Data]:
    """What defaultProviders has to say, with what it says already."""
    metrics = {} if mesh.carrier in ("configmap", "bare") else {"metrics": ["prometheus"]}
    return {**metrics, **mapping(mesh.data.get("defaultProviders")), "tracing": [name]}
