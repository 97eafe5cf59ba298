"""OTLP over HTTP needs a `timeout`.

## What
A provider `opentelemetry` with `http` has no `http.timeout`.

## Why
The API's documentation gives a default, but istiod passes the missing timeout through to Envoy, which rejects the
listener update: `HttpUriValidationError.Timeout: value is required`. No change of the mesh arrives any more, and new
Pods do not become ready.

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
        service: groundcover-sensor.groundcover.svc.cluster.local
        port: 4318
        http: {path: /v1/traces}
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
istio 1.31 pilot/pkg/networking/core/tracing.go:367; Envoy 1.36.4, 1.38.3, 1.40.0. With a real istiod: `ADS:LDS: ACK
ERROR`, no change accepted.

## Proof
Shown on a real istiod and Envoy by `make conformance`: the listener is rejected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.hosts import http_text
from groundcover_istio.checks.providers import lacks_timeout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI007"
NAME: Final = "otlp-http-without-timeout"
SEVERITY: Final[Level] = "error"


def check(world: World) -> Iterator[Hit]:
    """Look at every exporter over HTTP."""
    for provider in world.senders():
        http = provider.http
        if http is not None and lacks_timeout(http):
            message = f"{provider.name} exports over HTTP without a timeout; Envoy rejects every listener that uses it"
            fix = http_text({"path": "/v1/traces", **http}, timeout="5s")
            yield Hit(provider.place, (*provider.path, "http"), message, fix)
