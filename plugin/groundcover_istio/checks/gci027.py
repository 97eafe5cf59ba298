"""`exportTo` hides the collector's Service from other namespaces.

## What
The Service that a provider sends to has the annotation `networking.istio.io/exportTo` without `*`, or no annotation
while the mesh config's `defaultServiceExportTo` has no `*`.

## Why
istiod still resolves the host, but the proxies of other namespaces get no cluster for it: with `zipkin` and `datadog`
Envoy rejects the whole listener update, with OTLP the spans are lost silently.

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
kind: Service
metadata: {name: groundcover-sensor, namespace: groundcover, annotations: {networking.istio.io/exportTo: .}}
spec:
  selector: {app.kubernetes.io/name: sensor}
  ports:
  - {name: otlp-http, port: 4318}
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
kind: Service
metadata: {name: groundcover-sensor, namespace: groundcover, annotations: {networking.istio.io/exportTo: "*"}}
spec:
  selector: {app.kubernetes.io/name: sensor}
  ports:
  - {name: otlp-http, port: 4318}
```

## Source
istio 1.31 pilot/pkg/model/telemetry_logging.go:545-580, pilot/pkg/model/push_context.go (exportTo).

## Proof
Shown on a real istiod and Envoy by `make conformance`: over OTLP 0 spans; with Zipkin the listener is rejected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.hosts import collectors
from groundcover_istio.model import items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World
    from groundcover_istio.model import Path

ID: Final = "GCI027"
NAME: Final = "export-to-hides-collector"
SEVERITY: Final[Level] = "error"

_ANNOTATION: Final = "networking.istio.io/exportTo"


def check(world: World) -> Iterator[Hit]:
    """Look at the Services that providers send to."""
    for provider in collectors(world):
        service = world.service(provider.host)
        if not service:
            continue
        own = service.annotations.get(_ANNOTATION)
        defaults = items(provider.mesh.data.get("defaultServiceExportTo"))
        if isinstance(own, str) and own.strip() and "*" not in _split(own):
            message = f'exportTo "{own}" hides {service.place.resource} from the proxies that {provider.name} is for'
            path: Path = ("metadata", "annotations", _ANNOTATION)
            fix = f'{_ANNOTATION}: "*"'
            # A list of namespaces may be all those that have proxies.
            level: Level | None = None if set(_split(own)) <= {".", "~"} else "warning"
            yield Hit(service.place, path, f"{message}; they get no cluster for it", fix, level)
        elif not own and defaults and "*" not in defaults:
            message = (
                f"defaultServiceExportTo hides {service.place.resource}, which {provider.name} sends to,"
                " from the proxies of other namespaces"
            )
            fix = f'# on {service.place.resource}\nmetadata:\n  annotations:\n    {_ANNOTATION}: "*"'
            yield Hit(provider.place, ("defaultServiceExportTo",), message, fix)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]
