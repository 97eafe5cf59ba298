"""`defaultProviders` in values takes the place of the chart's `metrics: [prometheus]`.

## What
Values of the istiod chart, an IstioOperator or Sail's `Istio` set `meshConfig.defaultProviders` without `metrics`.

## Why
The chart writes `defaultProviders.metrics: [prometheus]` only where the values have no `defaultProviders` at all.
With `tracing` alone the `istio_*` metrics of every proxy vanish. A ConfigMap as it is rendered is not affected.

## Bad
```yaml
meshConfig:
  defaultProviders: {tracing: [otel-tracing]}
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

## Source
istio 1.18 to 1.31 manifests/charts/istio-control/istio-discovery/templates/_helpers.tpl (default-prometheus).

## Proof
Shown on a real istiod and Envoy by `make conformance`: `metrics` is gone from istiod's memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.finding import Hit
from groundcover_istio.model import items, mapping
from groundcover_istio.rules.values import chart_defaults
from groundcover_istio.serializer import pair_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI025"
NAME: Final = "default-providers-without-metrics"
SEVERITY: Final[Level] = "warning"


def check(world: World) -> Iterator[Hit]:
    """Look at values; a Telemetry with metrics providers makes up for it."""
    elsewhere = any(
        mapping(entry).get("providers")
        for telemetry in world.telemetries()
        for entry in items(telemetry.spec.get("metrics"))
    )
    given = any("metrics" in mapping(mesh.data.get("defaultProviders")) for mesh in world.meshes if mesh.layer)
    for mesh in world.meshes:
        providers = mapping(mesh.data.get("defaultProviders"))
        if mesh.carrier not in ("values", "operator", "sail") or not providers or "metrics" in providers:
            continue
        metrics = chart_defaults(mesh.values.get("telemetry")).get("metrics")
        if elsewhere or (mesh.layer and given) or not metrics:
            continue
        names = " and ".join(metrics)
        message = f"defaultProviders has no metrics; the chart leaves {names} out and all istio_* metrics vanish"
        fix = "\n".join(pair_lines("defaultProviders", {**providers, "metrics": metrics}, 0))
        yield Hit(mesh.place, ("defaultProviders",), message, fix)
