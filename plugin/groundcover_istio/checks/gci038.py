"""A Telemetry must not keep the whole mesh from reporting spans.

## What
A Telemetry of the root namespace that selects nothing says `disableSpanReporting: true`, for clients, for servers or
for both. Info where another Telemetry among the inputs takes that back for its workloads.

## Why
Proxies to which it applies send no spans at all, whichever tracer is active and whatever the sampling. Nothing in a
log says so: to istiod it is what was asked for.

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
  - disableSpanReporting: true
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
metadata: {name: no-loop, namespace: groundcover}
spec:
  tracing:
  - disableSpanReporting: true
```

## Source
istio 1.31 pilot/pkg/model/telemetry.go (Telemetries.Tracing: the last entry that says it counts, for each side).

## Proof
Not shown by `make conformance`: it shows 0 spans for a Telemetry of the workload's namespace, which istiod reads in the
same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import applies, is_mesh_wide
from groundcover_istio.checks.finding import Hit
from groundcover_istio.rules.tracing import CLIENT, SIDES, entries_of, said, saying

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import Resource, World

ID: Final = "GCI038"
NAME: Final = "span-reporting-disabled"
SEVERITY: Final[Level] = "warning"

_KEY: Final = "disableSpanReporting"


def check(world: World) -> Iterator[Hit]:
    """Look at the mesh-wide Telemetries."""
    telemetries = world.telemetries()
    some = [entries_of(each.data) for each in telemetries if not _is_for_the_mesh(world, each)]
    for telemetry in telemetries:
        entries = entries_of(telemetry.data)
        off = [side for side in SIDES if said(entries, _KEY, side) is True]
        if not off or not _is_for_the_mesh(world, telemetry):
            continue
        others = any(said(each, _KEY, side) is False for each in some for side in off)
        whose = "no proxy" if len(off) == len(SIDES) else "no client" if off == [CLIENT] else "no server"
        unless = " but where another Telemetry takes it back" if others else ""
        message = f"{_KEY} is true for the whole mesh; {whose} sends a span{unless}"
        path = ("spec", "tracing", saying(entries, _KEY, off[0]) or 0, _KEY)
        yield Hit(telemetry.place, path, message, f"remove {_KEY}", "info" if others else None)


def _is_for_the_mesh(world: World, telemetry: Resource) -> bool:
    roots = {mesh.root_namespace for mesh in world.meshes if applies(telemetry, mesh)}
    return is_mesh_wide(telemetry) and telemetry.namespace in (roots or {world.root_namespace})
