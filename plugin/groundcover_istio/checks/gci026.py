"""A Sidecar with restricted egress has to let the collector through.

## What
A Sidecar lists `egress.hosts`, and none of them covers the host that the active tracer, or an access log in use,
sends to.

## Why
Istio does not add a provider's host to what a Sidecar lets a proxy see. With `zipkin` and `datadog` Envoy rejects the
whole listener update, so that new Pods of the namespace do not become ready; with OTLP the spans are lost silently.

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
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: shop}
spec:
  egress:
  - hosts: [./*, istio-system/*]
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
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: shop}
spec:
  egress:
  - hosts: [./*, istio-system/*, groundcover/*]
```

## Source
istio 1.31 pilot/pkg/model/sidecar.go:333-420, pilot/pkg/model/telemetry_logging.go:545-580; istio/istio#53701. With a
real istiod and a sidecar node: `envoy.tracers.zipkin: unknown cluster 'outbound|9411||groundcover-sensor…'`; over
OTLP accepted, spans lost.

## Proof
Shown on a real istiod and Envoy by `make conformance`: over OTLP 0 spans of that sidecar; with Zipkin and Datadog its
listener is rejected and it never serves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import is_used
from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.hosts import lets_through, namespace_of
from groundcover_istio.checks.providers import rejects_listeners
from groundcover_istio.model import items, mapping
from groundcover_istio.serializer import pair_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI026"
NAME: Final = "sidecar-hides-collector"
SEVERITY: Final[Level] = "error"


def check(world: World) -> Iterator[Hit]:
    """Compare every Sidecar with the hosts in use."""
    used = {each.host.lower(): each for each in world.senders() if each.host and is_used(world, each)}
    for sidecar in world.of_kind("Sidecar", "networking.istio.io"):
        listeners = items(sidecar.spec.get("egress"))
        hosts = [host for listener in listeners for host in items(mapping(listener).get("hosts"))]
        if not hosts:
            continue
        for provider in used.values():
            namespace = namespace_of(world, provider.host)
            whose = (sidecar.namespace, namespace, provider.host, provider.port)
            if not namespace or any(lets_through(listener, *whose) for listener in listeners):
                continue
            fatal = rejects_listeners(provider.kind)
            fate = "Envoy rejects every listener of its proxies" if fatal else "their spans and logs are lost silently"
            message = f"egress lets proxies see nothing of {provider.host}, which {provider.name} sends to; {fate}"
            first = [
                str(host) for host in items(mapping(listeners[0]).get("hosts")) if not _excludes(str(host), *whose)
            ]
            fix = "\n".join(pair_lines("egress", [{"hosts": [*first, f"{namespace}/{provider.host}"]}], 0))
            yield Hit(sidecar.place, ("spec", "egress", 0, "hosts"), message, fix)


def _excludes(entry: str, own: str, namespace: str, host: str, port: int | None) -> bool:
    """Whether an entry takes the host out, whatever else lets it in."""
    return not lets_through({"hosts": ["*/*", entry]}, own, namespace, host, port)
