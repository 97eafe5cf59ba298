"""istiod has to look into the collector's namespace.

## What
`discoverySelectors` of a mesh config select namespaces, and not the one of the Service that a provider in use sends to.
Nothing is said where that Namespace, with its labels, is not among the inputs.

## Why
istiod reads nothing of a namespace that no selector matches. It knows no such Service, and tracing by that provider is
off: no spans, with `could not find service … in Istio service registry` in its log.

## Bad
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    discoverySelectors:
    - matchLabels: {istio-discovery: enabled}
    defaultProviders: {tracing: [otel-tracing]}
    extensionProviders:
    - name: otel-tracing
      opentelemetry:
        service: groundcover-sensor.groundcover.svc.cluster.local
        port: 4318
        http: {path: /v1/traces, timeout: 5s}
---
apiVersion: v1
kind: Namespace
metadata: {name: groundcover}
```

## Good
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    discoverySelectors:
    - matchLabels: {istio-discovery: enabled}
    defaultProviders: {tracing: [otel-tracing]}
    extensionProviders:
    - name: otel-tracing
      opentelemetry:
        service: groundcover-sensor.groundcover.svc.cluster.local
        port: 4318
        http: {path: /v1/traces, timeout: 5s}
---
apiVersion: v1
kind: Namespace
metadata: {name: groundcover, labels: {istio-discovery: enabled}}
```

## Source
istio 1.31 pkg/kube/namespace/filter.go (selectorsChanged), pilot/pkg/model/telemetry_logging.go:545-580 (the look-up).

## Proof
Not shown by `make conformance`: it sets such selectors for `doctor`, which reads the same, and counts no spans then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import is_used
from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.hosts import namespace_of
from groundcover_istio.checks.selectors import discovers
from groundcover_istio.checks.world import SENDERS
from groundcover_istio.decoding import is_placeholder
from groundcover_istio.model import items
from groundcover_istio.serializer import pair_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI040"
NAME: Final = "namespace-not-discovered"
SEVERITY: Final[Level] = "error"

_NAME: Final = "kubernetes.io/metadata.name"
"""The label that the API server gives every Namespace."""


def check(world: World) -> Iterator[Hit]:
    """Look for the Namespaces of what is sent to."""
    labels = {each.name: {**each.labels, _NAME: each.name} for each in world.of_kind("Namespace")}
    for mesh in world.meshes:
        selectors = mesh.data.get("discoverySelectors")
        if is_placeholder(str(selectors)):
            continue
        hidden = {
            namespace: provider
            for provider in mesh.providers()
            if provider.kind in SENDERS and is_used(world, provider)
            for namespace in [namespace_of(world, provider.host)]
            if namespace in labels and not discovers(selectors, labels[namespace])
        }
        for namespace, provider in hidden.items():
            message = (
                f"discoverySelectors leave out namespace {namespace}, which {provider.name} sends to;"
                " istiod knows no Service of it and switches it off"
            )
            wider = [*items(selectors), {"matchLabels": {_NAME: namespace}}]
            fix = "\n".join(pair_lines("discoverySelectors", wider, 0))
            yield Hit(mesh.place, ("discoverySelectors",), message, fix)
