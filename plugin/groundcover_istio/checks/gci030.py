"""The sensor must not get a sidecar: it would trace its own exports.

## What
The Pods of the collector are injected: their namespace has `istio-injection: enabled` or `istio.io/rev`, or they have
`sidecar.istio.io/inject: "true"`, and neither host network nor `inject: "false"` keeps them out. A warning where no
active tracer is among the inputs.

## Why
Exports carry no trace headers. A traced proxy in front of the sensor starts a trace for each of them, whose spans are
exported, and so on: a load that keeps itself up, and grows with the sampling.

## Bad
```yaml
meshConfig:
  defaultProviders: {tracing: [otel-tracing], metrics: [prometheus]}
  extensionProviders:
  - name: otel-tracing
    opentelemetry:
      service: groundcover-sensor.groundcover.svc.cluster.local
      port: 4318
      http: {path: /v1/traces, timeout: 5s}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: groundcover-sensor, namespace: groundcover}
spec:
  template:
    metadata:
      labels: {app.kubernetes.io/name: sensor, app.kubernetes.io/part-of: groundcover}
    spec:
      containers: [{name: sensor, image: sensor}]
---
apiVersion: v1
kind: Namespace
metadata: {name: groundcover, labels: {istio-injection: enabled}}
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
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: groundcover-sensor, namespace: groundcover}
spec:
  template:
    metadata:
      labels: {app.kubernetes.io/name: sensor, app.kubernetes.io/part-of: groundcover, sidecar.istio.io/inject: "false"}
    spec:
      containers: [{name: sensor, image: sensor}]
---
apiVersion: v1
kind: Namespace
metadata: {name: groundcover, labels: {istio-injection: enabled}}
```

## Source
Envoy with a tracer aimed at its own listener: one request, and after 36 s 8 (OTLP, Zipkin) to 19 (Datadog) exports,
still counting. istio 1.31 pkg/kube/inject/inject.go:209 (host network).

## Proof
Shown on a real istiod and Envoy by `make conformance`: one request, and the exports go on by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import entries, is_used
from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.hosts import collectors
from groundcover_istio.inventory import SENSOR_LABELS
from groundcover_istio.model import dig, mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import Resource, World
    from groundcover_istio.model import Data, Path

ID: Final = "GCI030"
NAME: Final = "collector-in-the-mesh"
SEVERITY: Final[Level] = "error"

_WORKLOADS: Final = ("DaemonSet", "Deployment", "StatefulSet", "ReplicaSet", "Pod")
_INJECT: Final = "sidecar.istio.io/inject"


def check(world: World) -> Iterator[Hit]:
    """Look at the workloads behind the collectors' Services."""
    active = any(is_used(world, provider) for provider in world.senders())
    for workload in world.resources:
        if workload.kind not in _WORKLOADS or not _is_collector(world, workload):
            continue
        if not _injected(world, workload) or _silent(world, workload.namespace):
            continue
        message = f"{workload.place.resource} gets a sidecar, which traces every export it receives: a loop"
        path: Path = ("metadata", "labels") if workload.kind == "Pod" else ("spec", "template", "metadata", "labels")
        yield Hit(workload.place, path, message, 'sidecar.istio.io/inject: "false"', None if active else "warning")


def _pod(workload: Resource) -> Data:
    return workload.data if workload.kind == "Pod" else workload.spec.get("template")


def _is_collector(world: World, workload: Resource) -> bool:
    labels = mapping(dig(_pod(workload), "metadata", "labels"))
    if all(labels.get(key) == value for key, value in SENSOR_LABELS.items()):
        return True
    for provider in collectors(world):
        service = world.service(provider.host)
        selector = mapping(service.spec.get("selector")) if service else {}
        if service and selector and service.namespace == workload.namespace and selector.items() <= labels.items():
            return True
    return False


def _injected(world: World, workload: Resource) -> bool:
    pod = _pod(workload)
    labels, annotations = (mapping(dig(pod, "metadata", key)) for key in ("labels", "annotations"))
    said = str(labels.get(_INJECT, annotations.get(_INJECT, ""))).lower()
    if said == "false" or dig(pod, "spec", "hostNetwork") is True:
        return False
    if said == "true":
        return True
    home = workload.namespace or world.sensors[0][1]
    for namespace in world.of_kind("Namespace"):
        if namespace.name == home and namespace.labels.get("istio-injection") != "disabled":
            return namespace.labels.get("istio-injection") == "enabled" or bool(namespace.revision)
    return False


def _silent(world: World, namespace: str) -> bool:
    """Whether a Telemetry of the namespace keeps its proxies from reporting spans."""
    return any(
        entry.get("disableSpanReporting") is True
        for telemetry in world.telemetries()
        if telemetry.namespace == namespace
        for _, entry in entries(telemetry, "tracing")
    )
