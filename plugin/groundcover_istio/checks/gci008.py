"""OTLP over HTTP needs a `path`.

## What
A provider `opentelemetry` with `http` has no `http.path`, or one that is not a path.

## Why
istiod does not check it. Spans are posted to `/`, where an OTLP receiver answers 404; Envoy counts them as sent.

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
        http: {timeout: 5s}
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
istio 1.31 pilot/pkg/networking/core/tracing.go (url.JoinPath); istio/api config.proto: "REQUIRED", without a check.
OTLP specification: the default path of traces is `/v1/traces`.

## Proof
Shown on a real istiod and Envoy by `make conformance`: 0 spans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.hosts import http_text
from groundcover_istio.checks.providers import lacks_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI008"
NAME: Final = "otlp-http-without-path"
SEVERITY: Final[Level] = "error"


def check(world: World) -> Iterator[Hit]:
    """Look at every exporter over HTTP."""
    for provider in world.senders():
        http = provider.http
        if http is not None and lacks_path(http):
            message = f"{provider.name} exports over HTTP without a path; spans are posted to /, which answers 404"
            fix = http_text(http, path="/v1/traces")
            where = (*provider.path, "http") if http.get("path") is None else (*provider.path, "http", "path")
            yield Hit(provider.place, where, message, fix)
