"""A DestinationRule must not ask for TLS towards the sensor.

## What
The DestinationRule that counts for the host of the groundcover sensor has a `tls.mode` other than `DISABLE`: `SIMPLE`,
`MUTUAL` or `ISTIO_MUTUAL`. Clients look in their own namespace first, then in the sensor's, then in the root namespace;
of the rules there the most specific one counts. `portLevelSettings` of the provider's port take the place of the rest
of the policy and inherit nothing: without `tls` there the port has none.

## Why
The sensor has no sidecar and speaks no TLS. Without such a rule istiod sees that and sends plaintext; the rule
overrides it, and every export fails in the handshake.

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
kind: DestinationRule
metadata: {name: default, namespace: istio-system}
spec:
  host: "*.local"
  trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}
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
kind: DestinationRule
metadata: {name: default, namespace: istio-system}
spec:
  host: "*.local"
  trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: sensor, namespace: istio-system}
spec:
  host: "groundcover-sensor.groundcover.svc.cluster.local"
  trafficPolicy: {tls: {mode: DISABLE}}
```

## Source
istio 1.31 pilot/pkg/model/push_context.go (destinationRule), pilot/pkg/model/destination_rule.go,
pilot/pkg/networking/util/util.go (GetPortLevelTrafficPolicy), pilot/pkg/networking/core (client TLS by endpoint, auto
mTLS); istio/istio#53526 for ambient. A STRICT PeerAuthentication in the sensor's namespace has no effect without a
proxy there.

## Proof
Shown on a real istiod and Envoy by `make conformance`: with mode SIMPLE 0 spans. No agent gives its proxies the
certificates that `ISTIO_MUTUAL` needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.hosts import collectors
from groundcover_istio.checks.traffic import TLS, deciding, rule
from groundcover_istio.serializer import block_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI028"
NAME: Final = "tls-to-sensor"
SEVERITY: Final[Level] = "error"


def check(world: World) -> Iterator[Hit]:
    """Find the rules that count for each sensor that something is sent to."""
    resources = list(world.of_kind("DestinationRule", "networking.istio.io"))
    for provider in collectors(world):
        if not world.is_sensor(provider.host) or "." not in provider.host:
            continue
        home = provider.host.split(".")[1]
        domain = provider.host.partition(".svc.")[2]
        rules = [rule(resource.spec, resource.namespace, resource, domain) for resource in resources]
        for counting in deciding(rules, provider.host, home, world.root_namespace):
            said = [each.tls(provider.port) for each in counting]
            # Of several the first that was created counts, and no manifest says which that was.
            if all(mode in TLS for _, mode in said):
                (path, mode), first = said[0], counting[0]
                message = (
                    f"{first.host} asks for TLS ({mode}) towards the sensor, which speaks none;"
                    f" every export of {provider.name} fails"
                )
                everywhere = first.namespace in ("", home, world.root_namespace)
                fix = _fix(provider.host, home if everywhere else first.namespace)
                yield Hit(first.origin.place, path, message, fix if first.host.startswith("*") else "mode: DISABLE")


def _fix(host: str, namespace: str) -> str:
    """A rule that is more specific, for the same clients."""
    data = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "groundcover-sensor", "namespace": namespace},
        "spec": {"host": host, "trafficPolicy": {"tls": {"mode": "DISABLE"}}},
    }
    return "\n".join(block_lines(data, 0))
