"""A provider that is named has to be defined, and be of the right kind.

## What
`defaultProviders.tracing` or a Telemetry names a provider that no mesh config among the inputs defines, or one that
is no tracer, such as an access log.

## Why
What can't be resolved is switched off: tracing stops, a working bootstrap tracer included, with a warning in istiod's
log. A Telemetry that names a provider does that to every revision whose mesh config lacks the provider.

## Bad
```yaml
meshConfig:
  defaultProviders: {tracing: [otel], metrics: [prometheus]}
  extensionProviders:
  - name: otel-tracing
    opentelemetry:
      service: groundcover-sensor.groundcover.svc.cluster.local
      port: 4318
      http: {path: /v1/traces, timeout: 5s}
```
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
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh-default, namespace: istio-system}
spec:
  tracing:
  - providers: [{name: datadog-tracing}]
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
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh-default, namespace: istio-system}
spec:
  tracing:
  - randomSamplingPercentage: 5
```

## Source
istio 1.31 pilot/pkg/model/telemetry.go:380-385 and :698; istio/istio#56180. With a real istiod: a root Telemetry that
names an undefined provider beside a working default gives 0 spans.

## Proof
Shown on a real istiod and Envoy by `make conformance`: 0 spans, whether the mesh config or a Telemetry names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio.checks.activation import applies, named
from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.world import BUILT_IN, TRACERS
from groundcover_istio.model import items, mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.places import Place
    from groundcover_istio.checks.world import Mesh, Resource, World
    from groundcover_istio.model import Path

ID: Final = "GCI014"
NAME: Final = "provider-not-defined"
SEVERITY: Final[Level] = "error"


class _Use(NamedTuple):
    """What a provider is named for."""

    section: str
    words: str
    kinds: tuple[str, ...]


_TRACING: Final = _Use("tracing", "tracing", TRACERS)
_LOGGING: Final = _Use(
    "accessLogging",
    "access logging",
    ("envoyFileAccessLog", "envoyHttpAls", "envoyTcpAls", "envoyOtelAls", "stackdriver"),
)


def check(world: World) -> Iterator[Hit]:
    """Resolve every name; without a mesh config there is nothing to resolve against."""
    for mesh in world.meshes:
        if _incomplete(world, mesh):
            continue
        kinds = _kinds(world, mesh)
        for index, name in enumerate(mesh.default("tracing")[:1]):
            path: Path = ("defaultProviders", "tracing", index)
            yield from _resolve(mesh.place, path, name, kinds, _TRACING)
        for index, name in enumerate(mesh.default("accessLogging")):
            path = ("defaultProviders", "accessLogging", index)
            yield from _resolve(mesh.place, path, name, kinds, _LOGGING)
    for telemetry in world.telemetries():
        yield from _telemetry(world, telemetry)


def _incomplete(world: World, mesh: Mesh) -> bool:
    """Whether the definitions may stand in a source that was not given."""
    if mesh.carrier == "configmap":
        return mesh.layer and sum(other.carrier == "configmap" for other in world.meshes) == 1
    # Values and operators' objects build on a profile, and lists replace each other.
    return not any(other.data.get("extensionProviders") for other in world.meshes)


def _telemetry(world: World, telemetry: Resource) -> Iterator[Hit]:
    meshes = [mesh for mesh in world.meshes if applies(telemetry, mesh) and not _incomplete(world, mesh)]
    for use in (_TRACING, _LOGGING):
        for each in named(telemetry, use.section):
            found = [
                (mesh, hit)
                for mesh in meshes
                for where in [_title(world, mesh)]
                for hit in _resolve(telemetry.place, each.path, each.name, _kinds(world, mesh), use, where)
            ]
            # Of rendered mesh configs each one counts; of other sources several may be alternatives.
            counts = [(mesh, hit) for mesh, hit in found if len(found) == len(meshes) or mesh.carrier == "configmap"]
            yield from (hit for _, hit in counts[:1])


def _title(world: World, mesh: Mesh) -> str:
    """What messages call a mesh config; with its file where another one has an object of that name."""
    same = {other.place.file for other in world.meshes if other.place.resource == mesh.place.resource}
    if not mesh.place.resource:
        return mesh.place.file
    return f"{mesh.place.resource} ({mesh.place.file})" if len(same) > 1 else mesh.place.resource


def _kinds(world: World, mesh: Mesh) -> dict[str, str]:
    """The kind of every provider a mesh config can resolve, by name in lower case."""
    sources = [other for other in world.meshes if other is mesh or other.layer or mesh.layer]
    found = {name.lower(): kind for name, kind in BUILT_IN.items()}
    for source in sources:
        for entry in items(source.data.get("extensionProviders")):
            name = mapping(entry).get("name")
            if isinstance(name, str):
                found.setdefault(name.lower(), "")
        found.update({provider.name.lower(): provider.kind for provider in source.providers()})
    return found


def _resolve(
    place: Place, path: Path, name: object, kinds: dict[str, str], use: _Use, where: str = "extensionProviders"
) -> Iterator[Hit]:
    """What is wrong with a name; `where` is what may define it, for the message."""
    if not isinstance(name, str):
        return
    kind = kinds.get(name.lower())
    able = [each for each in kinds if kinds[each] in use.kinds and not (use is _TRACING and each in BUILT_IN)]
    fix = f"name one that is defined ({', '.join(sorted(able)) or 'none is'}), or define {name} in extensionProviders"
    if kind is None:
        yield Hit(place, path, f"{name} is not defined in {where}; {use.words} is switched off", fix)
    elif kind and kind not in use.kinds:
        yield Hit(place, path, f"{name} is of kind {kind}, which does no {use.words}; it is switched off", fix)
