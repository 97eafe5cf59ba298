"""With the datadog tracer Envoy sends every span, whatever the sampling.

## What
The active tracer is of kind `datadog`, and the sampling is below 100 %.

## Why
Envoy marks the spans of requests that are not sampled (`_sampling_priority_v1: -1`) and sends them all the same. A
lower sampling saves no traffic and no work of the receiver, which has to do the sampling itself.

## Bad
```yaml
meshConfig:
  defaultProviders: {tracing: [datadog-tracing], metrics: [prometheus]}
  extensionProviders:
  - name: datadog-tracing
    datadog:
      service: groundcover-sensor.groundcover.svc.cluster.local
      port: 8126
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
  defaultProviders: {tracing: [datadog-tracing], metrics: [prometheus]}
  extensionProviders:
  - name: datadog-tracing
    datadog:
      service: groundcover-sensor.groundcover.svc.cluster.local
      port: 8126
  defaultConfig: {tracing: {sampling: 100}}
```

## Source
Envoy 1.36.4, 1.38.3, 1.40.0: 20 requests at 0 % give 20 spans, with priority -1.

## Proof
Shown on a real istiod and Envoy by `make conformance`: at 0 % all spans arrive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import is_active, sampling
from groundcover_istio.checks.finding import Hit
from groundcover_istio.istio import EVERY_REQUEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI019"
NAME: Final = "datadog-ignores-sampling"
SEVERITY: Final[Level] = "warning"


def check(world: World) -> Iterator[Hit]:
    """Compare the active tracer with the sampling."""
    for mesh in world.meshes:
        share = sampling(world, mesh)
        for provider in mesh.providers():
            if provider.kind == "datadog" and share.percentage < EVERY_REQUEST and is_active(world, provider):
                message = (
                    f"{provider.name} is a datadog tracer: proxies send it every span,"
                    f" although the sampling is {share.percentage:g} %"
                )
                fix = "use opentelemetry to send fewer spans, or let the receiver sample"
                yield Hit(mesh.place, provider.path, message, fix)
