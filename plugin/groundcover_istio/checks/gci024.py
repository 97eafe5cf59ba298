"""A field that the mesh's Istio does not know yet is dropped.

## What
A provider, `defaultConfig.tracing` or a Telemetry has a field that came with a newer Istio than the one in use (by
`--istio-version`, the istiod image, labels, the values, or the version of the chart that they are for).

## Why
An unknown field is dropped without a word. On 1.21 and older `opentelemetry.http` is such a field: spans are sent as
gRPC to the port for HTTP.

## Bad
```yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: istio
  namespace: istio-system
  labels: {app.kubernetes.io/version: "1.21.0"}
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

## Good
```yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: istio
  namespace: istio-system
  labels: {app.kubernetes.io/version: "1.22.0"}
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
istio/api mesh/v1alpha1/config.proto of 1.8 to 1.31 (the first version of each field); istio 1.21.0
pilot/pkg/networking/core/v1alpha3/tracing.go:268.

## Proof
Not shown by `make conformance`: it runs one version of Istio. That unknown fields are dropped is shown for GCI002.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import oldest_version
from groundcover_istio.checks.finding import Hit
from groundcover_istio.decoding import newer_fields
from groundcover_istio.model import dig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.places import Place
    from groundcover_istio.checks.world import Mesh, World
    from groundcover_istio.model import Data, Path, Version

ID: Final = "GCI024"
NAME: Final = "field-newer-than-istio"
SEVERITY: Final[Level] = "error"


def check(world: World) -> Iterator[Hit]:
    """Compare every field with the version it came with, where the version in use is known."""
    for mesh in world.meshes:
        if mesh.version_known:
            for name, path, value in _parts(mesh):
                yield from _newer(mesh.place, mesh.version, name, path, value)
    for telemetry in world.telemetries():
        version = oldest_version(world, telemetry)
        for section in ("tracing", "accessLogging") if version else ():
            value = telemetry.spec.get(section)
            if version and value:
                yield from _newer(telemetry.place, version, f"spec.{section}", ("spec", section), value)


def _parts(mesh: Mesh) -> Iterator[tuple[str, Path, Data]]:
    for provider in mesh.providers():
        yield f"extensionProviders.{provider.kind}", provider.path, provider.body
    for key in ("defaultProviders", "defaultConfig.tracing"):
        path: Path = tuple(key.split("."))
        value = dig(mesh.data, *key.split("."))
        if isinstance(value, dict):
            yield key, path, value


def _newer(place: Place, version: Version, name: str, path: Path, value: Data) -> Iterator[Hit]:
    for where, words in newer_fields(version, name, path, value):
        fix = f"remove {where[-1]}, or upgrade Istio; if the version is read wrongly: --istio-version"
        yield Hit(place, where, f"{words}; it is dropped without a word", fix)
