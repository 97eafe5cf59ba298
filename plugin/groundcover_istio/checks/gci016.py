"""Sampling is a percentage from 0 to 100.

## What
`defaultConfig.tracing.sampling`, the same in the annotation `proxy.istio.io/config` of pods, or a Telemetry's
`randomSamplingPercentage` is below 0 or above 100, or so low that no request is sampled: above 0 and below 0.01. 0 in
the mesh-wide Telemetry is a warning; in a mesh config it stands for Istio's default.

## Why
In a mesh config and in an annotation nothing checks it: above 100 istiod takes 1 %. A Telemetry like that is refused by
the API server, so that the release fails. Envoy counts in hundredths of a percent and drops what is left: below 0.01 no
proxy starts a trace, and spans are sent only where a caller asked for one.

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
  defaultConfig: {tracing: {sampling: 1000}}
```
```yaml
meshConfig:
  defaultConfig: {tracing: {sampling: 0.005}}
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
istio 1.31 pilot/pkg/networking/core/tracing.go:712; manifests/charts/base/files/crd-all.gen.yaml (0..100). Envoy
1.36.4, 1.38.3, 1.40.0 source/common/protobuf/utility.cc (convertPercent); with a real Envoy 0.0099 gives 0 of 10,000
and 0.01 gives 1.

## Proof
Shown on a real istiod and Envoy by `make conformance`: at 200 in the mesh config Envoy samples 1 %; the API server
refuses such a Telemetry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import entries, for_the_mesh, is_mesh_wide, is_percentage, samples_none
from groundcover_istio.checks.finding import Hit
from groundcover_istio.istio import EVERY_REQUEST, number
from groundcover_istio.model import dig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.places import Place
    from groundcover_istio.checks.world import Resource, World
    from groundcover_istio.model import Data, Path

ID: Final = "GCI016"
NAME: Final = "sampling-out-of-range"
SEVERITY: Final[Level] = "error"


def check(world: World) -> Iterator[Hit]:
    """Look at all places."""
    for mesh in world.meshes:
        yield from _bootstrap(mesh.place, mesh.data, ("defaultConfig", "tracing", "sampling"))
    for proxy in world.proxies:
        yield from _bootstrap(proxy.place, proxy.data, ("tracing", "sampling"))
    for telemetry in world.telemetries():
        for index, entry in entries(telemetry, "tracing"):
            value = number(entry.get("randomSamplingPercentage"))
            path: Path = ("spec", "tracing", index, "randomSamplingPercentage")
            if value is not None and not is_percentage(value):
                message = f"randomSamplingPercentage {value:g} is no percentage; the API server refuses the Telemetry"
                yield Hit(telemetry.place, path, message, "randomSamplingPercentage: 1")
            elif value is not None and samples_none(value) and (value or _is_for_the_mesh(world, telemetry)):
                level: Level | None = None if value else "warning"
                message = f"randomSamplingPercentage {_none(value)}"
                yield Hit(telemetry.place, path, message, "randomSamplingPercentage: 1", level)


def _is_for_the_mesh(world: World, telemetry: Resource) -> bool:
    if not world.meshes:
        return is_mesh_wide(telemetry) and telemetry.namespace == world.root_namespace
    return any(telemetry is each for mesh in world.meshes for each in for_the_mesh(world, mesh))


def _none(value: float) -> str:
    """What a share that is none comes to."""
    found = f"{value:g} is less than 0.01, which Envoy takes for 0: " if value else "is 0: "
    return f"{found}no request starts a trace but where its caller asked for one"


def _bootstrap(place: Place, data: dict[str, Data], path: tuple[str, ...]) -> Iterator[Hit]:
    """What proxies start with."""
    value = number(dig(data, *path))
    if value is not None and not is_percentage(value):
        fate = "istiod takes 1 %" if value > EVERY_REQUEST else "it is invalid"
        yield Hit(place, path, f"sampling {value:g} is no percentage; {fate}", "sampling: 1")
    elif value and samples_none(value):
        yield Hit(place, path, f"sampling {_none(value)}", "sampling: 1")
