"""Istio has dropped some tracers.

## What
A tracer that the Istio in use no longer has: provider `lightstep` from 1.27, `opencensus` from 1.23, `stackdriver` as
a tracer from 1.23; in `defaultConfig.tracing` `lightstep` from 1.27, `openCensusAgent` from 1.25, `stackdriver` from
1.23.

## Why
istiod takes the config and configures nothing from it: no spans. istiod 1.31 does worse with `lightstep` as the active
tracer: it ends with a panic when the first proxy asks for its listeners, and so does the istiod that takes its place.

## Bad
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system, labels: {app.kubernetes.io/version: "1.27.1"}}
data:
  mesh: |-
    defaultProviders: {tracing: [lightstep]}
    extensionProviders:
    - name: lightstep
      lightstep: {service: lightstep.observability.svc.cluster.local, port: 443, accessToken: abc}
```
```yaml
meshConfig:
  defaultProviders: {tracing: [otel-tracing], metrics: [prometheus]}
  extensionProviders:
  - name: otel-tracing
    opentelemetry:
      service: groundcover-sensor.groundcover.svc.cluster.local
      port: 4318
      http: {path: /v1/traces, timeout: 5s}
  defaultConfig: {tracing: {openCensusAgent: {address: "agent.observability:55678"}}}
global: {tag: 1.26.0}
```

## Good
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system, labels: {app.kubernetes.io/version: "1.26.1"}}
data:
  mesh: |-
    defaultProviders: {tracing: [lightstep]}
    extensionProviders:
    - name: lightstep
      lightstep: {service: lightstep.observability.svc.cluster.local, port: 443, accessToken: abc}
```

## Source
istio release notes 54002 (lightstep, 1.27) and opencensus-removal (1.25); pilot/pkg/networking/core/tracing.go of
1.22.0 and 1.23.0.

## Proof
Shown on a real istiod and Envoy by `make conformance`: with provider `lightstep` istiod ends with a panic as soon as a
proxy asks for its listeners. The older versions are not shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import is_active
from groundcover_istio.checks.finding import Hit
from groundcover_istio.model import Version, dig, mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI031"
NAME: Final = "removed-tracer"
SEVERITY: Final[Level] = "error"

_PROVIDERS: Final = {"lightstep": Version(1, 27), "opencensus": Version(1, 23), "stackdriver": Version(1, 23)}
_BOOTSTRAP: Final = {"lightstep": Version(1, 27), "openCensusAgent": Version(1, 25), "stackdriver": Version(1, 23)}


def check(world: World) -> Iterator[Hit]:
    """Compare the tracers with the version, where that is known."""
    for mesh in world.meshes:
        if not mesh.version_known:
            continue
        for provider in mesh.providers():
            gone = _PROVIDERS.get(provider.kind)
            # Providers of the kind stackdriver still do metrics and logs.
            used = provider.kind != "stackdriver" or is_active(world, provider)
            if gone and mesh.version >= gone and used:
                message = f"istio {gone} dropped the tracer {provider.kind}; {provider.name} gets no spans"
                yield Hit(mesh.place, provider.path, message, "use opentelemetry")
        tracing = mapping(dig(mesh.data, "defaultConfig", "tracing"))
        for tracer, gone in _BOOTSTRAP.items():
            if tracing.get(tracer) is not None and mesh.version >= gone:
                message = f"istio {gone} dropped the tracer {tracer}; it gets no spans"
                yield Hit(
                    mesh.place, ("defaultConfig", "tracing", tracer), message, "use an extension provider opentelemetry"
                )
