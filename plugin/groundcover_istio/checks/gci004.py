"""A provider's `service` has to be a full host name.

## What
`service` of a tracing or logging provider is missing or empty, has a wildcard, or is a short name such as `sensor`,
`sensor.groundcover.svc`, or `groundcover-sensor.groundcover`; or it is the full name of a Service, with upper case or
with a full stop at its end.

## Why
istiod looks the host up among the full names of its registry, `name.namespace.svc.cluster.local`. Kubernetes' DNS
search path plays no part: a short name is found nowhere, `could not find service … in Istio service registry`, and
tracing by that provider is off. Unlike DNS it compares letter by letter. The check of the syntax lets all of that pass.

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
        service: groundcover-sensor.groundcover
        port: 4318
        http: {path: /v1/traces, timeout: 5s}
```
```yaml
meshConfig:
  extensionProviders:
  - name: zipkin-tracing
    zipkin: {service: groundcover-sensor.groundcover.svc.cluster.local., port: 9411}
```
```yaml
meshConfig:
  extensionProviders:
  - name: zipkin-tracing
    zipkin: {service: "*.groundcover.svc.cluster.local", port: 9411}
```
```yaml
meshConfig:
  extensionProviders:
  - name: datadog-tracing
    datadog: {port: 8126}
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
istio 1.31 pkg/config/validation/agent/extensionprovider.go:30-47 (the check),
pilot/pkg/model/telemetry_logging.go:545-580 (the look-up); istio/istio#37829.

## Proof
Shown on a real istiod and Envoy by `make conformance`: 0 spans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.hosts import Unfound, is_full_name, qualified, unfound, with_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI004"
NAME: Final = "host-not-qualified"
SEVERITY: Final[Level] = "error"

_WORDS: Final[dict[Unfound, str]] = {
    "url": "is a URL, no host name",
    "wildcard": "has a wildcard",
    "short": "is no full host name",
    "full stop": "has a full stop at its end, and the name of a Service has none",
    "upper case": "has upper case, and the name of a Service has none",
}


def check(world: World) -> Iterator[Hit]:
    """Look at the service of every provider that sends somewhere."""
    for provider in world.senders():
        service = provider.body.get("service")
        if "address" in provider.body or (isinstance(service, str) and with_port(service)):
            continue  # the unknown field and the port in the host are rules of their own, whose fix mends this too
        if service is None or service == "":
            message = f"{provider.name} names no service; tracing by it is off and no spans arrive"
            fix = "service: NAME.NAMESPACE.svc.cluster.local"
            yield Hit(provider.place, (*provider.path, "service"), message, fix)
        elif isinstance(service, str) and (why := unfound(service, is_known=_is_known(world, provider.host))):
            message = (
                f'the service of {provider.name}, "{service}", {_WORDS[why]}; istiod finds no such host,'
                " so tracing by it is off and no spans arrive"
            )
            service_host = is_full_name(provider.host) or world.is_sensor(provider.host)
            host = qualified(world, provider.host.lower() if service_host else provider.host)
            yield Hit(provider.place, (*provider.path, "service"), message, f"service: {host}")


def _is_known(world: World, host: str) -> bool:
    """Whether something given says that a host is a Service's: one of two labels may be outside of the cluster."""
    return world.is_sensor(host) or world.service(host) is not None
