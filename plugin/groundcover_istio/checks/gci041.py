"""A provider's host has to end in the cluster's own DNS domain.

## What
The `service` of a provider that sends to a Service ends in another domain than the one that istiod is told: by
`--domain` of its Deployment in the same file, or by `global.proxy.clusterDomain` of the values that the mesh config is
among. Nothing is said of a host that a ServiceEntry among the inputs has, nor of `clusterset.local`.

## Why
istiod's registry names a Service by the domain that istiod is told. It knows no host of another domain: tracing by that
provider is off, with `could not find service … in Istio service registry` in istiod's log and no spans.

## Bad
```yaml
global: {proxy: {clusterDomain: corp.example}}
meshConfig:
  defaultProviders: {tracing: [otel-tracing], metrics: [prometheus]}
  extensionProviders:
  - name: otel-tracing
    opentelemetry:
      service: groundcover-sensor.groundcover.svc.cluster.local
      port: 4318
      http: {path: /v1/traces, timeout: 5s}
```

## Good
```yaml
global: {proxy: {clusterDomain: corp.example}}
meshConfig:
  defaultProviders: {tracing: [otel-tracing], metrics: [prometheus]}
  extensionProviders:
  - name: otel-tracing
    opentelemetry:
      service: groundcover-sensor.groundcover.svc.corp.example
      port: 4318
      http: {path: /v1/traces, timeout: 5s}
```

## Source
istio 1.31 pkg/config/kube/conversion.go (ServiceHostname), pilot/pkg/model/telemetry_logging.go:545-580 (the look-up).

## Proof
Not shown by `make conformance`: its istiod has the domain cluster.local; a host that is not in the registry gives 0
spans there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.finding import Hit
from groundcover_istio.decoding import is_placeholder
from groundcover_istio.model import items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World

ID: Final = "GCI041"
NAME: Final = "other-cluster-domain"
SEVERITY: Final[Level] = "error"

_OF_SEVERAL_CLUSTERS: Final = "clusterset.local"
"""The domain of the Multi-Cluster Services API, which istiod may know beside its own."""
_SERVICE: Final = ".svc."
"""What stands before the domain in the name of a Service."""


def check(world: World) -> Iterator[Hit]:
    """Compare every host with what its istiod is told."""
    entries = {
        host
        for entry in world.of_kind("ServiceEntry", "networking.istio.io")
        for host in items(entry.spec.get("hosts"))
    }
    for provider in world.senders():
        domain = provider.mesh.cluster_domain
        name, _, end = provider.host.partition(_SERVICE)
        if provider.host in entries or is_placeholder(provider.host):
            continue
        if domain and end and end not in (domain, _OF_SEVERAL_CLUSTERS):
            message = (
                f"{provider.name} sends to {provider.host}, and istiod is told the cluster domain {domain};"
                " it knows no such Service and switches the provider off"
            )
            yield Hit(provider.place, (*provider.path, "service"), message, f"service: {name}{_SERVICE}{domain}")
