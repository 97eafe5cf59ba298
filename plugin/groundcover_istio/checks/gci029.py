"""The collector's Service has to be an ordinary one: neither headless nor ExternalName.

## What
The Service that a provider sends to has `clusterIP: None` or `type: ExternalName`, such as the vendor chart's alias
`…-alligator`.

## Why
For a headless Service a sidecar's cluster forwards to the request's original destination, and an export of the proxy
itself has none. An ExternalName Service has no endpoints of its own. Either way no span arrives.

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
metadata: {name: groundcover-sensor, namespace: groundcover}
spec:
  clusterIP: None
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
metadata: {name: groundcover-sensor, namespace: groundcover}
spec:
  clusterIP: 10.0.0.7
  selector: {app.kubernetes.io/name: sensor}
  ports:
  - {name: otlp-http, port: 4318}
```

## Source
istio 1.31 pilot/pkg/networking/core/cluster.go:911-930 (ORIGINAL_DST; PILOT_ENABLE_EDS_FOR_HEADLESS_SERVICES changes
it).

## Proof
Shown on a real istiod and Envoy by `make conformance`: 0 spans of a sidecar to a headless Service, 0 of a gateway to
an ExternalName.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.hosts import collectors
from groundcover_istio.istio import variable
from groundcover_istio.model import dig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI029"
NAME: Final = "collector-service-without-cluster"
SEVERITY: Final[Level] = "error"


def check(world: World) -> Iterator[Hit]:
    """Look at the Services that providers send to."""
    for provider in collectors(world):
        service = world.service(provider.host)
        if not service:
            continue
        if service.spec.get("type") == "ExternalName":
            target = service.spec.get("externalName")
            message = f"{provider.name} sends to an ExternalName Service, which has no endpoints; no span arrives"
            yield Hit(service.place, ("spec", "type"), message, f"send to the Service it points to: {target}")
        elif service.spec.get("clusterIP") == "None" and not _by_endpoints(world):
            message = (
                f"{provider.name} sends to a headless Service, for which sidecars have no endpoint; no span arrives"
            )
            yield Hit(
                service.place,
                ("spec", "clusterIP"),
                message,
                "remove clusterIP: None, or send to one that has an address",
            )


def _by_endpoints(world: World) -> bool:
    """Whether istiod is told to treat headless Services as others."""
    containers = (dig(each.spec, "template", "spec", "containers") for each in world.of_kind("Deployment", "apps"))
    return any("true" in variable(each, "PILOT_ENABLE_EDS_FOR_HEADLESS_SERVICES") for each in containers)
