"""A field that Istio does not have is dropped without a word.

## What
A tracing or logging provider, `defaultProviders` or `defaultConfig.tracing` holds a field that Istio's API does not
have, such as `datadog.address`; or the mesh config holds a key that is nearly one of those, such as
`extensionProvider`, or `default_providers` or `default_config`, the two fields that istiod reads in camel case only.

## Why
istiod decodes the mesh config leniently: an unknown field is dropped, visible at debug level only. What it was to say
is not said. `datadog: {address: …}` becomes a provider with an empty service, which can't be resolved: no spans, and
tracing is off where that provider is activated. Sail's `Istio` resource and AKS refuse such fields.

## Bad
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    extensionProviders:
    - name: datadog-tracing
      datadog:
        address: groundcover-sensor.groundcover.svc.cluster.local:8126
```
```yaml
meshConfig:
  extensionProvider:
  - name: zipkin-tracing
    zipkin: {service: groundcover-sensor.groundcover.svc.cluster.local, port: 9411}
```

## Good
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    defaultProviders: {tracing: [datadog-tracing]}
    defaultConfig: {tracing: {sampling: 100}}
    extensionProviders:
    - name: datadog-tracing
      datadog:
        service: groundcover-sensor.groundcover.svc.cluster.local
        port: 8126
```

## Source
istio 1.31 pkg/util/protomarshal/protomarshal.go:175-186; istio/api mesh/v1alpha1/config.proto (the fields); the page
of the vendor, whose Datadog snippet has `address`. With a real istiod: 0 spans, `service must not be empty`.

## Proof
Shown on a real istiod and Envoy by `make conformance`: `datadog.address` is gone from istiod's memory, 0 spans.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.carriers import MARKS
from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.world import SENDERS
from groundcover_istio.decoding import BY_NAME, unknown_fields
from groundcover_istio.istio import port_number
from groundcover_istio.mesh_types import MESSAGES, NEWEST
from groundcover_istio.model import dig, items, mapping
from groundcover_istio.serializer import pair_lines
from groundcover_istio.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import Mesh, World
    from groundcover_istio.model import Path

ID: Final = "GCI002"
NAME: Final = "unknown-field"
SEVERITY: Final[Level] = "error"

_DROPPED: Final = "istiod drops it without a word"
# Sampling at a wrong place has a rule of its own.
_SAMPLING: Final = ("sampling", "randomSamplingPercentage", "traceSampling")


def check(world: World) -> Iterator[Hit]:
    """Look at the parts that carry telemetry."""
    for mesh in world.meshes:
        if mesh.version <= NEWEST:
            yield from _near_misses(mesh)
            for path, message in _unknown(mesh):
                if path[-1] not in _SAMPLING:
                    known = [name for name in MESSAGES[message] if name not in _given(mesh, path[:-1])]
                    yield _hit(mesh, path, known)


def _unknown(mesh: Mesh) -> Iterator[tuple[Path, str]]:
    yield from unknown_fields(mesh.data.get("defaultProviders"), "DefaultProviders", ("defaultProviders",))
    tracing = dig(mesh.data, "defaultConfig", "tracing")
    yield from unknown_fields(tracing, "Tracing", ("defaultConfig", "tracing"))
    for index, entry in enumerate(items(mesh.data.get("extensionProviders"))):
        kinds = mapping(entry)
        # Other kinds of provider are none of our business, and may be newer than the tables.
        if not kinds or any(kind in kinds for kind in SENDERS) or set(kinds) <= {"name", *_unknown_kinds(kinds)}:
            yield from unknown_fields(entry, "ExtensionProvider", ("extensionProviders", index))


def _unknown_kinds(entry: dict[str, object]) -> set[str]:
    return {key for key in entry if key not in MESSAGES["ExtensionProvider"]}


def _given(mesh: Mesh, path: Path) -> dict[str, object]:
    value: object = mesh.data
    for key in path:
        value = value[key] if isinstance(value, list) and isinstance(key, int) else mapping(value).get(str(key))
    return mapping(value)


def _hit(mesh: Mesh, path: Path, known: list[str]) -> Hit:
    close = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.7)
    fix = f"did you mean {close[0]}?" if close else f"remove it; {spell(path[:-1])} may have: {', '.join(known)}"
    address = _given(mesh, path[:-1]).get("address")
    if path[-1] == "address" and isinstance(address, str) and "service" in known:
        host, _, port = address.rpartition(":") if ":" in address else (address, "", "")
        body = {"service": host, "port": port_number(port) or 8126}
        fix = "\n".join(pair_lines(str(path[-2]), body, 0))
    return Hit(mesh.place, path, f"istio has no field {spell(path)}; {_DROPPED}", fix)


def _near_misses(mesh: Mesh) -> Iterator[Hit]:
    for key in mesh.data:
        if key in BY_NAME:
            yield Hit(mesh.place, (key,), f"istio reads {BY_NAME[key]} in camel case only; {_DROPPED}", "write it so")
        elif key not in MESSAGES["MeshConfig"]:
            close = difflib.get_close_matches(key, MARKS, n=1, cutoff=0.85)
            if close:
                yield Hit(mesh.place, (key,), f"istio has no field {key}; {_DROPPED}", f"did you mean {close[0]}?")
