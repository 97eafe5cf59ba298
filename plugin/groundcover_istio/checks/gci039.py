"""A mesh without a tracer sends no spans.

## What
A rendered mesh config names no tracer: no tracing provider in `extensionProviders` or `defaultProviders.tracing`, none
in `defaultConfig.tracing`, and no Telemetry among the inputs has `tracing`. Nothing is said where another source, such
as a shared mesh config or a values file, may complete it.

## Why
That is how Istio's chart installs istiod since 1.22. Everything else may be in order, the sensor too: proxies report to
none, and no finding at all would read as if spans arrived.

## Bad
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    defaultProviders: {metrics: [prometheus]}
    enablePrometheusMerge: true
    rootNamespace: istio-system
```

## Good
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    defaultProviders: {tracing: [otel-tracing], metrics: [prometheus]}
    extensionProviders:
    - name: otel-tracing
      opentelemetry:
        service: groundcover-sensor.groundcover.svc.cluster.local
        port: 4318
        http: {path: /v1/traces, timeout: 5s}
```

## Source
istio 1.31 pilot/pkg/networking/core/tracing.go:79-97 (without a provider the bootstrap's tracer counts); the release
note drop-default-tracing of 1.22 (the chart names none any more).

## Proof
Not shown by `make conformance`: there every mesh has a tracer, or one that does not work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import applies
from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.providers import KINDS
from groundcover_istio.checks.world import TRACERS
from groundcover_istio.decoding import discarding_as_written
from groundcover_istio.istio import LEGACY_TRACERS
from groundcover_istio.model import dig, items, mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import Mesh, World

ID: Final = "GCI039"
NAME: Final = "no-tracer"
SEVERITY: Final[Level] = "info"

_TRACERS: Final = frozenset(TRACERS)
_OTHERS: Final = frozenset(KINDS) - _TRACERS


def check(world: World) -> Iterator[Hit]:
    """Look at the mesh configs that nothing completes."""
    if any(mesh.layer or mesh.carrier != "configmap" for mesh in world.meshes):
        return
    for mesh in world.meshes:
        telemetries = [each for each in world.telemetries() if applies(each, mesh) and each.spec.get("tracing")]
        if not telemetries and not _is_discarded(mesh) and not _has_tracer(mesh):
            message = "no tracer is set up in this mesh; its proxies send no spans"
            fix = "render it through the post-renderer groundcover-istio, or: groundcover-istio export"
            yield Hit(mesh.place, ("defaultProviders",), message, fix)


def _is_discarded(mesh: Mesh) -> bool:
    """Whether istiod does not read all of it, which is reported for that."""
    return bool(mesh.broken) or mesh.documents > 1 or any(discarding_as_written(mesh.data))


def _has_tracer(mesh: Mesh) -> bool:
    """Whether it names one, or something that may be meant for one, which other rules look at."""
    bootstrap = mapping(dig(mesh.data, "defaultConfig", "tracing"))
    if mesh.default("tracing") or any(bootstrap.get(tracer) is not None for tracer in LEGACY_TRACERS):
        return True
    entries = items(mesh.data.get("extensionProviders"))
    return not all(
        isinstance(entry, dict) and not entry.keys() & _TRACERS and entry.keys() & _OTHERS for entry in entries
    )
