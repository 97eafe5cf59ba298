"""A provider's `service` names a host alone; the port has a field of its own.

## What
`service` of a tracing or logging provider ends in `:4318`, or in the name of a port, or in both.

## Why
istiod looks the whole text up as a host name, `…:4318` included, and finds no such Service. It logs a warning when it
reads the config; where the provider is activated, tracing is switched off: no spans.

## Bad
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    extensionProviders:
    - name: otel-tracing
      opentelemetry:
        service: groundcover-sensor.groundcover.svc.cluster.local:4318
        port: 4318
        http: {path: /v1/traces, timeout: 5s}
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
istio 1.31 pkg/config/validation/agent/extensionprovider.go:30-47, pilot/pkg/model/telemetry_logging.go:578; the page
of the vendor, whose OpenTelemetry snippet has it. With a real istiod: 0 spans, `invalid service fmt`.

## Proof
Shown on a real istiod and Envoy by `make conformance`: 0 spans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.hosts import qualified, with_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI003"
NAME: Final = "host-with-port"
SEVERITY: Final[Level] = "error"


def check(world: World) -> Iterator[Hit]:
    """Look at the service of every provider that sends somewhere."""
    for provider in world.senders():
        service = provider.body.get("service")
        found = with_port(service) if isinstance(service, str) else None
        if found:
            message = (
                f"the service of {provider.name} holds a port; istiod finds no host of that name,"
                " so tracing by it is off and no spans arrive"
            )
            namespace = found.before if "://" not in found.before else ""
            fix = f"service: {namespace}{qualified(world, found.host)}\nport: {provider.port or found.port or 'PORT'}"
            yield Hit(provider.place, (*provider.path, "service"), message, fix)
