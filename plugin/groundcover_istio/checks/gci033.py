"""Two samplings multiply: the mesh's and the sensor's own.

## What
The share of requests that ends up stored, the mesh's sampling times the sensor's own ratio for that protocol (from
the integration ConfigMap among the inputs), is below 0.01 %.

## Why
At 1 % in the mesh and 0.5 % in the sensor one request in 20 000 is stored. Whoever looks for the trace of a request
does not find it, and takes tracing for broken.

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
apiVersion: v1
kind: ConfigMap
metadata:
  name: groundcover-sensor-istio
  namespace: groundcover
  labels: {app.kubernetes.io/component: istio-integration}
data:
  integration.yaml: |-
    sensor: {samplingRatio: {otel: 0.005, datadog: 0.005}}
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
kind: ConfigMap
metadata:
  name: groundcover-sensor-istio
  namespace: groundcover
  labels: {app.kubernetes.io/component: istio-integration}
data:
  integration.yaml: |-
    sensor: {samplingRatio: {otel: 0.05, datadog: 0.05}}
```

## Source
istio 1.31 pilot/pkg/networking/core/tracing.go:122; the sensor's values `otel.samplingRatio`,
`dataDog.samplingRatio`.

## Proof
Not shown by `make conformance`: the sensor, which samples the second time, is closed.
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

ID: Final = "GCI033"
NAME: Final = "few-traces-stored"
SEVERITY: Final[Level] = "info"

_LEAST: Final = 0.01
"""Percent."""


def check(world: World) -> Iterator[Hit]:
    """Multiply, where both are known."""
    for mesh in world.meshes if world.sampling_ratio else ():
        for provider in mesh.providers():
            if not is_active(world, provider) or not world.is_sensor(provider.host) or not world.sampling_ratio:
                continue
            datadog = provider.kind == "datadog"
            ratio = world.sampling_ratio["datadog" if datadog else "otel"]
            share = EVERY_REQUEST if datadog else sampling(world, mesh).percentage
            if share * ratio < _LEAST:
                message = (
                    f"{share:g} % in the mesh times {ratio:g} in the sensor: {share * ratio:g} % of requests are stored"
                )
                yield Hit(
                    mesh.place, (*provider.entry, "name"), message, "raise the mesh's sampling or the sensor's ratio"
                )
