"""An extension provider holds one kind, and one exporter.

## What
An entry of `extensionProviders` holds several kinds, such as `opentelemetry` beside `envoyOtelAls`, or none; or
`opentelemetry` has both `http` and `grpc`.

## Why
Of several kinds the last one in the order of Istio's API counts and the others vanish without a word: with
`opentelemetry` and `envoyOtelAls` in one entry only logs are sent. An entry of no kind can't be used. With both
`http` and `grpc` istiod warns, and `http` counts.

## Bad
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    extensionProviders:
    - name: groundcover
      opentelemetry:
        service: groundcover-sensor.groundcover.svc.cluster.local
        port: 4318
        http: {path: /v1/traces, timeout: 5s}
      envoyOtelAls:
        service: groundcover-sensor.groundcover.svc.cluster.local
        port: 4317
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
    - name: groundcover-access-logs
      envoyOtelAls:
        service: groundcover-sensor.groundcover.svc.cluster.local
        port: 4317
```

## Source
istio/api mesh/v1alpha1/config.proto (oneof provider); golang/protobuf jsonpb/decode.go; istio/istio#55172; istio 1.31
pkg/config/validation/agent/extensionprovider.go ("cannot specify both").

## Proof
Shown on a real istiod and Envoy by `make conformance`: the tracer is gone from istiod's memory, 0 spans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.providers import KINDS, kinds_of
from groundcover_istio.model import items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import Mesh, World
    from groundcover_istio.model import Data, Path

ID: Final = "GCI011"
NAME: Final = "provider-kinds"
SEVERITY: Final[Level] = "error"


def check(world: World) -> Iterator[Hit]:
    """Count the kinds of every entry."""
    for mesh in world.meshes:
        for index, entry in enumerate(items(mesh.data.get("extensionProviders"))):
            if not isinstance(entry, dict):
                continue
            path: Path = ("extensionProviders", index)
            kinds = kinds_of(entry)
            name = entry.get("name") or f"entry {index}"
            if len(kinds) > 1:
                fate = f"only {kinds[-1]} counts, the others are dropped without a word"
                fix = f"one entry for each, with names of their own: {', '.join(kinds)}"
                yield Hit(mesh.place, (*path, kinds[0]), f"{name} holds {' and '.join(kinds)}; {fate}", fix)
            elif not kinds and not _unknown(entry):
                message = f"{name} holds no provider; whatever names it is switched off"
                yield Hit(mesh.place, path, message, "remove it, or give it one kind")
        yield from _exporters(mesh)


def _unknown(entry: dict[str, Data]) -> bool:
    """Whether it has a key that may be a kind newer than this list, or one misspelt: another rule's business."""
    return any(key not in ("name", *KINDS) for key in entry)


def _exporters(mesh: Mesh) -> Iterator[Hit]:
    for provider in mesh.providers():
        body = provider.body
        if provider.kind == "opentelemetry" and body.get("http") is not None and body.get("grpc") is not None:
            message = f"{provider.name} has both http and grpc; istiod warns and uses http"
            yield Hit(mesh.place, (*provider.path, "grpc"), message, "remove one of them")
