"""A provider needs a port from 1 to 65535.

## What
A tracing or logging provider that names a Service has no `port`, or 0, or one above 65535.

## Why
istiod warns (`port number 0 must be in the range 1..65535`) and takes the config. The cluster of that port does not
exist: OTLP spans are dropped silently, and with zipkin and datadog Envoy rejects the whole listener, so that new Pods
do not become ready.

## Bad
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    extensionProviders:
    - name: zipkin-tracing
      zipkin:
        service: groundcover-sensor.groundcover.svc.cluster.local
```

## Good
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    defaultProviders: {tracing: [otel-tracing]}
    extensionProviders:
    - name: otel-tracing
      opentelemetry:
        service: groundcover-sensor.groundcover.svc.cluster.local
        port: 4318
        http: {path: /v1/traces, timeout: 5s}
```

## Source
istio 1.31 pkg/config/validation/agent/extensionprovider.go (ValidatePort); Envoy 1.36.4, 1.38.3, 1.40.0:
`envoy.tracers.zipkin: unknown cluster`.

## Proof
Shown on a real istiod and Envoy by `make conformance`: over OTLP 0 spans; with Zipkin the listener is rejected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.providers import fate_without_cluster
from groundcover_istio.istio import LAST_PORT, is_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI005"
NAME: Final = "port-missing"
SEVERITY: Final[Level] = "error"

_PORTS: Final = {"otlp": 4318, "opentelemetry": 4317, "envoyOtelAls": 4317, "datadog": 8126, "zipkin": 9411}


def check(world: World) -> Iterator[Hit]:
    """Look at the port of every provider that sends somewhere."""
    for provider in world.senders():
        port = provider.port
        unreadable = port is None and provider.body.get("port") is not None
        if unreadable or "address" in provider.body or is_port(port):
            continue
        fate = fate_without_cluster(provider.kind)
        found = "has no port" if port is None else f"has port {port}, which is none from 1 to {LAST_PORT}"
        number = _PORTS.get("otlp" if provider.http is not None else provider.kind)
        fix = f"port: {number or 'PORT'}"
        yield Hit(provider.place, (*provider.path, "port"), f"{provider.name} {found}; {fate}", fix)
