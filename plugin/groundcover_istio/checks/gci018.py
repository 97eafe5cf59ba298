"""Sampling in the mesh config reaches a workload when its Pods start anew.

## What
`defaultConfig.tracing.sampling` is set, and no mesh-wide Telemetry among the inputs gives the sampling.

## Why
`defaultConfig` is part of what a proxy starts with. A change of it has no effect on Pods that run, and after it a
mesh samples at two rates. A Telemetry's `randomSamplingPercentage` is live, and counts before it. There can be one such
Telemetry for the whole mesh: the sensor's release has it, `groundcover-tracing`, unless there was one before.

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
  defaultConfig: {tracing: {sampling: 10}}
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
metadata: {name: groundcover-tracing, namespace: istio-system}
spec:
  tracing:
  - randomSamplingPercentage: 10
```

## Source
istio 1.31 pilot/pkg/model/proxy.go:378 (ProxyConfigOrDefault), pilot/pkg/networking/core/tracing.go:122;
istio/istio#34439, #54472. With a real istiod: a change from 100 to 50 in a Telemetry is live.

## Proof
Shown on a real istiod and Envoy by `make conformance`: a proxy keeps the sampling it started with until it starts
anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import for_the_mesh, sampling
from groundcover_istio.checks.finding import Hit
from groundcover_istio.istio import TELEMETRY_V1
from groundcover_istio.rules.telemetry import TELEMETRY_NAME
from groundcover_istio.serializer import block_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import Mesh, World

ID: Final = "GCI018"
NAME: Final = "sampling-needs-restart"
SEVERITY: Final[Level] = "info"


def check(world: World) -> Iterator[Hit]:
    """Look whether the mesh config's own sampling is what counts."""
    for mesh in world.meshes:
        share = sampling(world, mesh)
        if share.place is mesh.place:
            message = f"a change of sampling ({share.percentage:g} %) reaches a workload when its Pods start anew"
            there = next((each.name for each in for_the_mesh(world, mesh)), "")
            yield Hit(mesh.place, share.path, message, _telemetry(mesh, share.percentage, there))


def _telemetry(mesh: Mesh, percentage: float, there: str) -> str:
    """The one mesh-wide Telemetry with the sampling: what is there already keeps its name, a second one is ignored."""
    data = {
        "apiVersion": f"telemetry.istio.io/{'v1' if mesh.version >= TELEMETRY_V1 else 'v1alpha1'}",
        "kind": "Telemetry",
        "metadata": {"name": there or TELEMETRY_NAME, "namespace": mesh.root_namespace},
        "spec": {"tracing": [{"randomSamplingPercentage": percentage}]},
    }
    where = (
        "add it to the Telemetry that is there"
        if there
        else "the sensor's release has it: set tracing.samplingPercentage"
    )
    return "\n".join([*block_lines(data, 0), f"# {where}"])
