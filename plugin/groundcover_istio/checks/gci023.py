"""Below Istio 1.24 a Telemetry with `targetRefs` alone counts for its whole namespace.

## What
A Telemetry has `targetRef` or `targetRefs`, and the mesh is older than Istio 1.24.

## Why
From 1.20 to 1.23 istiod looks at `selector` only when it decides whether a Telemetry is namespace-wide: one with
`targetRefs` replaces the settings of all workloads of its namespace, in the root namespace of the whole mesh. Before
that the field does not exist.

## Bad
```yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: istio
  namespace: istio-system
  labels: {app.kubernetes.io/version: "1.22.8"}
data:
  mesh: |-
    rootNamespace: istio-system
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: waypoint, namespace: shop}
spec:
  targetRefs:
  - {group: gateway.networking.k8s.io, kind: Gateway, name: waypoint}
  tracing:
  - disableSpanReporting: true
```

## Good
```yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: istio
  namespace: istio-system
  labels: {app.kubernetes.io/version: "1.24.1"}
data:
  mesh: |-
    rootNamespace: istio-system
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: waypoint, namespace: shop}
spec:
  targetRefs:
  - {group: gateway.networking.k8s.io, kind: Gateway, name: waypoint}
  tracing:
  - disableSpanReporting: true
```

## Source
istio 1.20.0 to 1.23.0 pilot/pkg/model/telemetry.go (len(matchLabels)==0), fixed in 1.24.0.

## Proof
Not shown by `make conformance`: its Istio is newer than 1.24.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import oldest_version
from groundcover_istio.checks.finding import Hit
from groundcover_istio.model import Version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI023"
NAME: Final = "target-refs-too-new"
SEVERITY: Final[Level] = "error"

_FIXED: Final = Version(1, 24)


def check(world: World) -> Iterator[Hit]:
    """Compare with the oldest Istio it applies to, where that is known."""
    for telemetry in world.telemetries():
        version = oldest_version(world, telemetry)
        key = next((key for key in ("targetRefs", "targetRef") if telemetry.spec.get(key)), "")
        if key and version and version < _FIXED:
            message = f"istio {version} takes a Telemetry with {key} alone for all workloads of its namespace"
            yield Hit(telemetry.place, ("spec", key), message, "use selector.matchLabels, or upgrade Istio to 1.24")
