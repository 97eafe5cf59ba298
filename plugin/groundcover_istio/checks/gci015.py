"""Istio uses one tracing provider at a time.

## What
`defaultProviders.tracing` names more than one provider; or a Telemetry has several entries in `tracing`, or several
`providers` in one. Info where the mesh-wide Telemetry names another tracer than `defaultProviders.tracing`.

## Why
Of several names only the first is used; the others get no spans, without a word from the mesh config. Several entries
of a Telemetry are laid over each other in their order, field by field, for clients and servers apart: of two that name
a provider the last one counts, and the webhook warns of them. What a Telemetry names takes the place of the default
one, which gets no spans any more.

## Bad
```yaml
meshConfig:
  defaultProviders: {tracing: [otel-tracing, zipkin], metrics: [prometheus]}
  extensionProviders:
  - name: otel-tracing
    opentelemetry:
      service: groundcover-sensor.groundcover.svc.cluster.local
      port: 4318
      http: {path: /v1/traces, timeout: 5s}
  - name: zipkin
    zipkin: {service: zipkin.observability.svc.cluster.local, port: 9411}
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
```

## Source
istio 1.31 pilot/pkg/model/telemetry.go (Telemetries.Tracing), pkg/config/validation/validation.go:3180-3306 ("multiple
tracing is not currently supported").

## Proof
Shown on a real istiod and Envoy by `make conformance`: the first tracer gets all spans, the second none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import entries, named, tracer_by_telemetry
from groundcover_istio.checks.finding import Hit
from groundcover_istio.model import dig, items
from groundcover_istio.rules.tracing import SIDES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import Mesh, World
    from groundcover_istio.model import Data, Path

ID: Final = "GCI015"
NAME: Final = "several-tracers"
SEVERITY: Final[Level] = "warning"


def check(world: World) -> Iterator[Hit]:
    """Count the names."""
    for mesh in world.meshes:
        names = mesh.default("tracing")
        if len(names) > 1 and _are_names(names):
            message = f"{_words(names)} are default tracers; Istio uses {names[0]} alone"
            yield Hit(mesh.place, ("defaultProviders", "tracing", 1), message, f"tracing: [{names[0]}]")
        yield from _replaced(world, mesh)
    for telemetry in world.telemetries():
        listed = items(telemetry.spec.get("tracing"))
        modes = {str(dig(entry, "match", "mode")) for entry in listed}
        if len(listed) > 1 and len(modes) < len(listed):
            message = "tracing has several entries; Istio lays them over each other, of two tracers the last one counts"
            yield Hit(telemetry.place, ("spec", "tracing", 1), message, "merge them into one entry")
        for index, entry in entries(telemetry, "tracing"):
            names = [dig(provider, "name") for provider in items(entry.get("providers"))]
            if len(names) > 1 and _are_names(names):
                message = f"{_words(names)} are named as tracers; Istio uses {names[0]} alone"
                path: Path = ("spec", "tracing", index, "providers", 1)
                yield Hit(telemetry.place, path, message, f"providers: [{{name: {names[0]}}}]")


def _replaced(world: World, mesh: Mesh) -> Iterator[Hit]:
    """A default tracer whose spans go to the one that the mesh-wide Telemetry names, on both sides."""
    default = str((mesh.default("tracing") or [""])[0])
    sides = [tracer_by_telemetry(world, mesh, side) for side in SIDES]
    told = sides[0]
    # One of a namespace may name it all the same.
    elsewhere = {each.name.lower() for telemetry in world.telemetries() for each in named(telemetry, "tracing")}
    if default and told and all(sides) and default.lower() not in elsewhere:
        name, telemetry = told
        message = f"{default} is the default tracer and gets no spans: {telemetry.place.resource} names {name}"
        fix = f"tracing: [{name}], if all workloads are to use it; else take providers out of the Telemetry"
        yield Hit(mesh.place, ("defaultProviders", "tracing", 0), message, fix, "info")


def _are_names(names: list[Data]) -> bool:
    """Whether all of them are; what is none istiod refuses, which is reported for that."""
    return all(isinstance(name, str) and name for name in names)


def _words(names: list[Data]) -> str:
    return " and ".join(str(name) for name in names)
