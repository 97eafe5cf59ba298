"""Sampling stands where Istio does not look.

## What
`sampling` or `randomSamplingPercentage` stands at a wrong level: right below `defaultConfig`, at the top of the mesh
config, in a provider, or in a Telemetry outside `tracing[].randomSamplingPercentage`.

## Why
It is an unknown field there and dropped. The mesh samples what it sampled before, 1 % unless something else says so.

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
  defaultConfig: {sampling: 100}
```
```yaml
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh-default, namespace: istio-system}
spec:
  tracing:
  - sampling: 10
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
  defaultConfig: {tracing: {sampling: 10}}
```

## Source
istio/api mesh/v1alpha1/proxy.proto (Tracing.sampling), telemetry/v1alpha1/telemetry.proto; istio/istio#46653, #34161.

## Proof
Shown on a real istiod and Envoy by `make conformance`: Envoy samples 1 %.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import entries
from groundcover_istio.checks.finding import Hit
from groundcover_istio.model import dig, items, mapping
from groundcover_istio.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import Resource, World
    from groundcover_istio.model import Data, Path

ID: Final = "GCI017"
NAME: Final = "sampling-misplaced"
SEVERITY: Final[Level] = "warning"

_NAMES: Final = ("sampling", "randomSamplingPercentage", "traceSampling", "samplingPercentage")


def check(world: World) -> Iterator[Hit]:
    """Look wherever people put it."""
    for mesh in world.meshes:
        for path in _in_mesh(mesh.data):
            fix = "defaultConfig:\n  tracing:\n    sampling: PERCENT"
            yield Hit(mesh.place, path, f"istio has no field {spell(path)}; the sampling it gives is dropped", fix)
    for telemetry in world.telemetries():
        for path in in_telemetry(telemetry):
            fix = "tracing:\n- randomSamplingPercentage: PERCENT"
            yield Hit(telemetry.place, path, f"a Telemetry has no field {spell(path)}; the API server drops it", fix)


def _in_mesh(data: dict[str, Data]) -> Iterator[Path]:
    places: list[Path] = [(), ("tracing",), ("defaultConfig",), ("defaultProviders",)]
    for place in places:
        held = mapping(dig(data, *map(str, place)))
        yield from ((*place, key) for key in _NAMES if key in held)
    tracing = mapping(dig(data, "defaultConfig", "tracing"))
    yield from (("defaultConfig", "tracing", key) for key in _NAMES[1:] if key in tracing)
    for index, entry in enumerate(items(data.get("extensionProviders"))):
        for key, body in mapping(entry).items():
            if key in _NAMES:
                yield ("extensionProviders", index, key)
            yield from (("extensionProviders", index, key, name) for name in _NAMES if name in mapping(body))


def in_telemetry(telemetry: Resource) -> Iterator[Path]:
    """The places in a Telemetry where a sampling stands that nothing reads."""
    yield from (("spec", key) for key in _NAMES if key in telemetry.spec)
    for index, entry in entries(telemetry, "tracing"):
        wrong = [key for key in ("sampling", "traceSampling", "samplingPercentage") if key in entry]
        yield from (("spec", "tracing", index, key) for key in wrong)
