"""A bootstrap tracer beside an active provider does nothing.

## What
`defaultConfig.tracing` names a tracer (`zipkin`, `datadog`, `lightstep`, `stackdriver`, `openCensusAgent`) while an
extension provider is active; or the annotation `proxy.istio.io/config` of pods does. Info where it is the address that
older charts write by default.

## Why
The provider replaces the bootstrap tracer, which gets no spans any more; and where the provider can't be resolved
tracing is off altogether rather than falling back.

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
  defaultConfig: {tracing: {zipkin: {address: "zipkin.observability:9411"}}}
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
istio 1.31 pilot/pkg/networking/core/tracing.go:79-97; istio/istio#45890, #54436.

## Proof
Not shown by `make conformance`: the bootstrap tracer is written by an agent that is not there. That an unresolved
provider switches tracing off is shown for GCI014.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import is_active, tracer_by_telemetry
from groundcover_istio.checks.finding import Hit
from groundcover_istio.istio import LEGACY_TRACERS
from groundcover_istio.model import dig, mapping
from groundcover_istio.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.places import Place
    from groundcover_istio.checks.world import World
    from groundcover_istio.model import Data

ID: Final = "GCI032"
NAME: Final = "legacy-tracer"
SEVERITY: Final[Level] = "warning"


def check(world: World) -> Iterator[Hit]:
    """Look for both in one mesh config, and in the pods' annotations for what any of them makes useless."""
    everywhere: list[str] = []
    for mesh in world.meshes:
        active = [provider.name for provider in mesh.providers() if is_active(world, provider)]
        # The mesh-wide Telemetry's counts before the default one.
        told = tracer_by_telemetry(world, mesh)
        active.sort(key=lambda name: not told or name.lower() != told[0].lower())
        everywhere += active
        usual = f"zipkin.{mesh.root_namespace}:9411"
        if active:
            yield from _useless(mesh.place, mesh.data, ("defaultConfig", "tracing"), active[0], usual)
    for proxy in world.proxies if everywhere else ():
        yield from _useless(proxy.place, proxy.data, ("tracing",), everywhere[0], "")


def _useless(place: Place, data: dict[str, Data], path: tuple[str, ...], active: str, usual: str) -> Iterator[Hit]:
    tracing = mapping(dig(data, *path))
    for tracer in LEGACY_TRACERS:
        if tracing.get(tracer) is not None:
            message = f"the bootstrap tracer {tracer} gets no spans while {active} is active"
            level: Level | None = "info" if dig(tracing, tracer, "address") == usual else None
            yield Hit(place, (*path, tracer), message, f"remove {spell((*path, tracer))}", level)
