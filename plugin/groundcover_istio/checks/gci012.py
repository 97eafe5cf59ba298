"""Names of extension providers differ in more than case.

## What
Two entries of `extensionProviders` have the same name, or names that differ only in case; or the list is given twice
in different spelling.

## Why
Of two entries with the same name the last one replaces the first without a word. Names that differ in case are two
providers to the list and one to whatever looks a name up: the first one in the list is used, the other one never.

## Bad
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    defaultProviders: {tracing: [otel-tracing]}
    extensionProviders:
    - name: OTel-Tracing
      zipkin: {service: zipkin.observability.svc.cluster.local, port: 9411}
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
istio 1.31 pkg/config/mesh/mesh.go:236-250 (merge, by exact name), pilot/pkg/model/telemetry.go:698 (look-up,
strings.EqualFold).

## Proof
Shown on a real istiod and Envoy by `make conformance`: the first of two names that differ in case is used, 0 spans at
the sensor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.finding import Hit
from groundcover_istio.model import items, mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World
    from groundcover_istio.model import Path

ID: Final = "GCI012"
NAME: Final = "provider-names-collide"
SEVERITY: Final[Level] = "warning"


def check(world: World) -> Iterator[Hit]:
    """Compare the names of every mesh config."""
    for mesh in world.meshes:
        seen: dict[str, str] = {}
        for index, entry in enumerate(items(mesh.data.get("extensionProviders"))):
            name = mapping(entry).get("name")
            if not isinstance(name, str):
                continue
            path: Path = ("extensionProviders", index, "name")
            earlier = seen.get(name.lower())
            if earlier == name:
                message = f"the name {name} is given twice; this entry replaces the earlier one without a word"
                yield Hit(mesh.place, path, message, "remove one of them, or give it another name")
            elif earlier:
                message = f"the names {earlier} and {name} differ only in case; this entry is never used"
                yield Hit(mesh.place, path, message, "remove one of them, or give it another name")
            seen.setdefault(name.lower(), name)
