"""A Telemetry that gives a sampling needs a tracer from somewhere.

## What
A Telemetry has `tracing` with a sampling or tags and names no provider, and neither the mesh config among the inputs
nor another Telemetry for the same workloads names one.

## Why
Without a provider istiod switches tracing off for what the Telemetry applies to: no spans, and a bootstrap tracer
that worked until then stops too.

## Bad
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
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
  - randomSamplingPercentage: 10
```

## Good
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    defaultProviders: {tracing: [otel-tracing]}
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
  - randomSamplingPercentage: 10
```

## Source
istio 1.31 pilot/pkg/model/telemetry.go:380-385; istio/istio#38920.

## Proof
Shown on a real istiod and Envoy by `make conformance`: 0 spans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import applies, entries, named
from groundcover_istio.checks.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI036"
NAME: Final = "telemetry-without-provider"
SEVERITY: Final[Level] = "warning"


def check(world: World) -> Iterator[Hit]:
    """Look for a tracer; only a rendered mesh config that nothing completes says that there is none."""
    meshes = [mesh for mesh in world.meshes if mesh.carrier == "configmap" and not mesh.layer]
    telemetries = world.telemetries()
    naming = {each.namespace for each in telemetries if any(named(each, "tracing"))}
    for telemetry in telemetries:
        mine = [mesh for mesh in meshes if applies(telemetry, mesh)]
        if not mine or len(meshes) < len(world.meshes) or any(mesh.default("tracing") for mesh in mine):
            continue
        roots = {mesh.root_namespace for mesh in mine}
        if naming & {telemetry.namespace, "", *roots}:
            continue
        for index, entry in entries(telemetry, "tracing"):
            key = next((key for key in ("randomSamplingPercentage", "customTags") if entry.get(key) is not None), "")
            if key and entry.get("disableSpanReporting") is not True:
                message = f"{key} is given and no tracer; tracing is switched off where this Telemetry applies"
                fix = "providers:\n- name: NAME  # in extensionProviders; or name it in defaultProviders.tracing"
                yield Hit(telemetry.place, ("spec", "tracing", index, key), message, fix)
