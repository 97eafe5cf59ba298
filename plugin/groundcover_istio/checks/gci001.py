"""A wrong type or a malformed value makes istiod discard the whole mesh config.

## What
A value somewhere in the mesh config is of a type that istiod can't decode: a string where a list belongs, a number
without quotes in `proxyMetadata`, a duration without its unit, an unknown enum value. The address of a bootstrap
tracer that is no `host:port`, and text that is no YAML mapping, count too.

## Why
istiod takes a mesh config whole or not at all. A running istiod logs one warning (`invalid mesh config, using last
known state`) and keeps the old config, so that nothing of the change arrives. An istiod that starts anew (with
the next upgrade, the next node drain) runs on built-in defaults: trust domain, root namespace, outbound policy and
tracing of the mesh are gone, and its Pod is ready.

## Bad
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    defaultProviders:
      tracing: otel-tracing
    extensionProviders:
    - name: otel-tracing
      opentelemetry:
        service: groundcover-sensor.groundcover.svc.cluster.local
        port: 4318
        http: {path: /v1/traces, timeout: 5s}
```
```yaml
meshConfig:
  defaultConfig:
    proxyMetadata:
      ISTIO_META_DNS_CAPTURE: true
```
```yaml
meshConfig:
  defaultConfig:
    tracing:
      zipkin: {address: zipkin.istio-system}
```

## Good
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    defaultProviders:
      tracing: [otel-tracing]
    defaultConfig:
      proxyMetadata:
        ISTIO_META_DNS_CAPTURE: "true"
    extensionProviders:
    - name: otel-tracing
      opentelemetry:
        service: groundcover-sensor.groundcover.svc.cluster.local
        port: 4318
        http: {path: /v1/traces, timeout: 5s}
```

## Source
istio 1.31 pkg/config/mesh/meshwatcher/collection.go:66-72, pkg/util/protomarshal/protomarshal.go:175-186 (decoding by
jsonpb), pkg/config/validation/agent/validation.go (ValidateProxyAddress); istio/istio#61563, #48991, #45739. With a
real istiod: `invalid mesh config, using last known state: … cannot unmarshal string`, and the old config is kept.

## Proof
Shown on a real istiod and Envoy by `make conformance`: the running istiod keeps the config it had; one that starts
anew is ready, on defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.finding import Hit
from groundcover_istio.decoding import ADDRESS_WANTED, discarding_as_written
from groundcover_istio.serializer import pair_lines
from groundcover_istio.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import World
    from groundcover_istio.decoding import Wrong

ID: Final = "GCI001"
NAME: Final = "mesh-config-discarded"
SEVERITY: Final[Level] = "error"

_DISCARDED: Final = "istiod discards the whole mesh config: it keeps the old one, and runs on defaults after a restart"
_PORTS: Final = {"zipkin": 9411, "datadog": 8126}


def check(world: World) -> Iterator[Hit]:
    """Decode every mesh config."""
    for mesh in world.meshes:
        if mesh.broken:
            hint = "mend the text of the mesh config"
            yield Hit(mesh.place, (), f"the mesh config can't be read: {mesh.broken}; {_DISCARDED}", hint)
            continue
        if mesh.documents > 1:
            message = f"the mesh config holds {mesh.documents} YAML documents; istiod reads the first alone"
            yield Hit(mesh.place, (), message, "make them one mapping")
        for wrong in discarding_as_written(mesh.data):
            message = f"{spell(wrong.path)} is {wrong.found}, not {wrong.wanted}; {_DISCARDED}"
            yield Hit(mesh.place, wrong.path, message, _fix(wrong))


def _fix(wrong: Wrong) -> str:
    path, value, wanted = wrong
    key = str(next(part for part in reversed(path) if isinstance(part, str)))
    if wanted == ADDRESS_WANTED:
        host = value.split("://")[-1].split(":")[0] or "HOST"
        return f"{key}: {host}:{_PORTS[str(path[-2])]}"
    texts = path[0] in ("defaultProviders", "trustDomainAliases") or str(path[0]).endswith("ExportTo")
    if wanted == "a list" and isinstance(value, str) and texts:
        return "\n".join(pair_lines(key, [value], 0))
    if wanted == "a string" and isinstance(path[-1], str) and isinstance(value, bool | int | float):
        return f'{key}: "{str(value).lower() if isinstance(value, bool) else value}"'
    if wanted.startswith("a duration") and isinstance(value, int):
        return f"{key}: {value}s"
    if wanted.startswith("true") and str(value).lower() in ("true", "false"):
        return f"{key}: {str(value).lower()}"
    return f"write {spell(path)} as {wanted}"
