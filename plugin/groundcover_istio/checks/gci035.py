"""A suppression says why.

## What
A comment `# groundcover-istio: ignore[GCI…]` without a reason behind it.

## Why
Whoever reads it later can't tell whether it still holds.

## Bad
```yaml
meshConfig:
  extensionProviders:
  - name: otel-tracing
    opentelemetry:
      # groundcover-istio: ignore[GCI003]
      service: groundcover-sensor.groundcover.svc.cluster.local:4318
      port: 4318
      http: {path: /v1/traces, timeout: 5s}
```

## Good
```yaml
meshConfig:
  extensionProviders:
  - name: otel-tracing
    opentelemetry:
      # groundcover-istio: ignore[GCI003] the host is rewritten by a later layer
      service: groundcover-sensor.groundcover.svc.cluster.local:4318
      port: 4318
      http: {path: /v1/traces, timeout: 5s}
  defaultProviders: {tracing: [otel-tracing], metrics: [prometheus]}
```

## Source
This project: every exception is visible and has a reason.

## Proof
Nothing to show: it is about this tool alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Hit, Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI035"
NAME: Final = "suppression-without-reason"
SEVERITY: Final[Level] = "info"


def check(_: World) -> Iterator[Hit]:
    """Nothing by itself: `suppression` finds these, after all other rules."""
    return iter(())
