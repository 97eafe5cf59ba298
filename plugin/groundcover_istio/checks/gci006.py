"""The Service that a provider names has to have the provider's port.

## What
A tracing or logging provider names a Service that is among the inputs, and a port that this Service does not have.

## Why
istiod looks up the host and never checks the port. The cluster of that port does not exist: OTLP spans are dropped
silently, and with zipkin and datadog Envoy rejects the whole listener update, so that new Pods do not become ready
and old ones keep stale listeners. A port of the sensor is missing where its receiver is switched off.

## Bad
```yaml
meshConfig:
  extensionProviders:
  - name: zipkin-tracing
    zipkin: {service: groundcover-sensor.groundcover.svc.cluster.local, port: 9411}
---
apiVersion: v1
kind: Service
metadata: {name: groundcover-sensor, namespace: groundcover}
spec:
  selector: {app.kubernetes.io/name: sensor}
  ports:
  - {name: otlp-http, port: 4318}
```

## Good
```yaml
meshConfig:
  defaultProviders: {tracing: [zipkin-tracing], metrics: [prometheus]}
  extensionProviders:
  - name: zipkin-tracing
    zipkin: {service: groundcover-sensor.groundcover.svc.cluster.local, port: 9411}
---
apiVersion: v1
kind: Service
metadata: {name: groundcover-sensor, namespace: groundcover}
spec:
  selector: {app.kubernetes.io/name: sensor}
  ports:
  - {name: zipkin, port: 9411}
```

## Source
istio 1.31 pilot/pkg/model/telemetry_logging.go:545-580 (LookupCluster); Envoy 1.36.4, 1.38.3, 1.40.0:
`envoy.tracers.zipkin: unknown cluster 'outbound|9411||…'`.

## Proof
Shown on a real istiod and Envoy by `make conformance`: over OTLP 0 spans; with Zipkin the listener is rejected, and a
gateway that starts anew does not serve.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.hosts import port_of, ports_in_words
from groundcover_istio.checks.providers import fate_without_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI006"
NAME: Final = "port-not-on-service"
SEVERITY: Final[Level] = "error"


def check(world: World) -> Iterator[Hit]:
    """Compare every provider with the Service it names, where that was given."""
    for provider in world.senders():
        service, port = world.service(provider.host), provider.port
        # A Service without any port is a part of one, a patch perhaps.
        if (
            not service
            or not port
            or not service.spec.get("ports")
            or service.spec.get("type") == "ExternalName"
            or port_of(service, port)
        ):
            continue
        fate = fate_without_cluster(provider.kind)
        message = f"{provider.name} sends to port {port}, which {service.place.resource} does not have; {fate}"
        fix = f"use one of its ports: {ports_in_words(service)}; or switch on the receiver of port {port}"
        yield Hit(provider.place, (*provider.path, "port"), message, fix)
