"""A DestinationRule must not ask for Istio's mutual TLS towards the sensor.

## What
A DestinationRule with `tls.mode: ISTIO_MUTUAL` covers the host of the groundcover sensor, and no more specific one
takes it back.

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
istio 1.31 pilot/pkg/networking/core (client TLS by endpoint, auto mTLS); istio/istio#53526 for ambient. A STRICT
PeerAuthentication in the sensor's namespace has no effect without a proxy there.

## Proof
Not shown by `make conformance`: no agent gives its proxies the certificates that `ISTIO_MUTUAL` needs. TLS of mode
SIMPLE towards the sensor gives 0 spans there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.hosts import collectors, covers
from groundcover_istio.checks.world import items
from groundcover_istio.k8syaml import block_lines
from groundcover_istio.rules.plan import dig

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import Thing, World
    from groundcover_istio.model import Path

ID: Final = "GCI028"
NAME: Final = "mutual-tls-to-sensor"
SEVERITY: Final[Level] = "error"


def check(world: World) -> Iterator[Hit]:
    """Find the rule that counts for each sensor that something is sent to."""
    for provider in collectors(world):
        if not world.is_sensor(provider.host) or "." not in provider.host:
            continue
        rules = [
            rule
            for rule in world.of_kind("DestinationRule", "networking.istio.io")
            if covers(_host(rule), provider.host) and _mode(rule, provider.port)
        ]
        for best in _best(rules, {"", provider.host.split(".")[1], world.root_namespace}):
            if any(_mode(rule, provider.port) != "ISTIO_MUTUAL" for rule in best):
                continue
            message = f"{_host(best[0])} covers the sensor, which speaks no TLS; every export of {provider.name} fails"
            yield Hit(best[0].place, _path(best[0], provider.port), message, _fix(provider.host))


def _best(rules: Iterable[Thing], everywhere: set[str]) -> Iterator[list[Thing]]:
    """Those of the most specific host: of the rules that count everywhere, and of each client namespace's own."""
    scopes: dict[str, list[Thing]] = {}
    for rule in rules:
        scopes.setdefault("" if rule.namespace in everywhere else rule.namespace, []).append(rule)
    for scope in scopes.values():
        longest = max(len(_host(rule)) for rule in scope)
        yield [rule for rule in scope if len(_host(rule)) == longest]


def _host(rule: Thing) -> str:
    host = str(rule.spec.get("host") or "")
    # A short name is completed with the rule's own namespace.
    return f"{host}.{rule.namespace}.svc.cluster.local" if host and "." not in host and host != "*" else host


def _mode(rule: Thing, port: int | None) -> str:
    return (
        str(dig(rule.spec, "trafficPolicy", "tls", "mode") or "")
        if _by_port(rule, port) < 0
        else _port_mode(rule, port)
    )


def _by_port(rule: Thing, port: int | None) -> int:
    """Which of portLevelSettings says the mode for that port, -1 if none does."""
    for index, settings in enumerate(items(dig(rule.spec, "trafficPolicy", "portLevelSettings"))):
        if port and dig(settings, "port", "number") == port and dig(settings, "tls", "mode"):
            return index
    return -1


def _port_mode(rule: Thing, port: int | None) -> str:
    return str(dig(items(dig(rule.spec, "trafficPolicy", "portLevelSettings"))[_by_port(rule, port)], "tls", "mode"))


def _path(rule: Thing, port: int | None) -> Path:
    index = _by_port(rule, port)
    inner: Path = ("portLevelSettings", index) if index >= 0 else ()
    return ("spec", "trafficPolicy", *inner, "tls", "mode")


def _fix(host: str) -> str:
    data = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "groundcover-sensor", "namespace": host.split(".")[1]},
        "spec": {"host": host, "trafficPolicy": {"tls": {"mode": "DISABLE"}}},
    }
    return "\n".join(block_lines(data, 0))
