"""A Telemetry with a selector in the root namespace is for that namespace alone.

## What
A Telemetry in the mesh's root namespace has `selector.matchLabels`, no workload among the inputs and no gateway label
suggests that it is meant for that namespace.

## Why
What a selector selects is looked for in the Telemetry's own namespace. In `istio-system` it does not reach the
workloads of other namespaces; only a Telemetry without selector is mesh-wide there.

## Bad
```yaml
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh-default, namespace: istio-system}
spec:
  selector: {matchLabels: {app: checkout}}
  tracing:
  - randomSamplingPercentage: 10
```

## Good
```yaml
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh-default, namespace: shop}
spec:
  selector: {matchLabels: {app: checkout}}
  tracing:
  - randomSamplingPercentage: 10
```
```yaml
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh-default, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  tracing:
  - randomSamplingPercentage: 10
```

## Source
istio 1.31 pilot/pkg/model/telemetry.go:411-510 (applicableTelemetries).

## Proof
Shown on a real istiod and Envoy by `make conformance`: spans of a workload elsewhere with those labels go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.finding import Hit
from groundcover_istio.model import dig, mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World
    from groundcover_istio.model import Data

ID: Final = "GCI022"
NAME: Final = "selector-in-root-namespace"
SEVERITY: Final[Level] = "warning"


def check(world: World) -> Iterator[Hit]:
    """Look at the Telemetries of the root namespace."""
    roots = {mesh.root_namespace for mesh in world.meshes} or {world.root_namespace}
    for telemetry in world.telemetries():
        labels = mapping(dig(telemetry.spec, "selector", "matchLabels"))
        if not labels or telemetry.namespace not in roots or _meant(world, telemetry.namespace, labels):
            continue
        words = ", ".join(f"{key}={value}" for key, value in labels.items())
        message = (
            f"in the root namespace the selector {words} reaches workloads of {telemetry.namespace} alone;"
            " those of other namespaces are not affected"
        )
        fix = "remove the selector to make it mesh-wide, or move it to the namespace of the workloads"
        yield Hit(telemetry.place, ("spec", "selector"), message, fix)


def _meant(world: World, namespace: str, labels: dict[str, Data]) -> bool:
    """Whether it selects something that lives in the root namespace: a gateway, istiod, a workload given here."""
    if any(
        "istio" in f"{key}={value}".lower() or "gateway" in f"{key}={value}".lower() for key, value in labels.items()
    ):
        return True
    templates = (
        mapping(dig(resource.spec, "template", "metadata", "labels"))
        for resource in world.resources
        if resource.namespace == namespace
    )
    return any(labels.items() <= template.items() for template in templates)
