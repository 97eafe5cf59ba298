"""Of several Telemetries without selector in one namespace only the oldest counts.

## What
Two Telemetries of one namespace, for the same revision, have neither `selector` nor `targetRefs`.

## Why
istiod uses the one that was created first and ignores the others whole, whatever they are about: a second one with
access logs does not add to a first one with tracing.

## Bad
```yaml
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh-default, namespace: istio-system}
spec:
  tracing:
  - randomSamplingPercentage: 1
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: access-logs, namespace: istio-system}
spec:
  accessLogging:
  - providers: [{name: envoy}]
```

## Good
```yaml
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh-default, namespace: istio-system}
spec:
  tracing:
  - randomSamplingPercentage: 1
  accessLogging:
  - providers: [{name: envoy}]
```

## Source
istio 1.31 pilot/pkg/model/telemetry.go:686; istio/istio#51256; istioctl analyze: IST0160. With a real istiod: the
second one has no effect.

## Proof
Shown on a real istiod and Envoy by `make conformance`: a second mesh-wide Telemetry that samples 0 % changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import is_mesh_wide
from groundcover_istio.checks.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import Resource, World

ID: Final = "GCI021"
NAME: Final = "several-mesh-wide-telemetries"
SEVERITY: Final[Level] = "warning"

_ANY: Final = "*"
"""In the place of a revision: all of them, since a Telemetry without one is for each."""


def check(world: World) -> Iterator[Hit]:
    """Compare the mesh-wide Telemetries of each namespace."""
    seen: dict[tuple[str, str, str], list[tuple[int, Resource]]] = {}
    for order, telemetry in enumerate(filter(is_mesh_wide, world.telemetries())):
        # One that leaves the namespace to its release is in that of its file.
        home = telemetry.namespace, "" if telemetry.namespace else telemetry.place.file
        revisions = [telemetry.revision, ""] if telemetry.revision else [_ANY]
        rivals = [each for revision in revisions for each in seen.get((*home, revision), ())]
        _, rival = min((each for each in rivals if each[1].name != telemetry.name), default=(0, None))
        if rival:
            place = f"{rival.place.file}:{rival.place.at(('metadata', 'name'))[0]}"
            message = (
                f"{telemetry.place.resource} and {rival.place.resource} ({place}) both select nothing;"
                " the oldest one counts and the other one is ignored whole"
            )
            yield Hit(telemetry.place, ("metadata", "name"), message, f"merge it into {rival.place.resource}")
        for revision in (telemetry.revision, _ANY):
            # The first of two names are enough: one of them differs from any third.
            names = seen.setdefault((*home, revision), [])
            if len(names) < 2 and all(each.name != telemetry.name for _, each in names):  # noqa: PLR2004
                names.append((order, telemetry))
