"""Objects of Istio's that stand between proxies and the sensor: Sidecars and DestinationRules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundcover_istio.checks.hosts import covers, lets_through
from groundcover_istio.checks.traffic import TLS, deciding, rule
from groundcover_istio.doctor.cluster import proxy_of
from groundcover_istio.doctor.items import Item, fail, ok
from groundcover_istio.doctor.scopes import age, has_labels, is_sidecar, proxies_of
from groundcover_istio.doctor.service import sensor_pods
from groundcover_istio.doctor.source import mappings, name_of, namespace_of
from groundcover_istio.rules.plan import dig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.traffic import Rule
    from groundcover_istio.doctor.cluster import Cluster
    from groundcover_istio.doctor.tracer import Tracer
    from groundcover_istio.model import Data


def check_sidecars(cluster: Cluster, tracer: Tracer) -> Iterator[Item]:
    """Every Sidecar with egress of its own has to let proxies reach the sensor: tracers get no way around it."""
    if cluster.sidecars.error:
        return
    found = [each for each in _in_use(cluster, tracer) if not _lets_reach(each, tracer)]
    for each in found:
        selects = bool(dig(each, "spec", "workloadSelector"))
        everywhere = namespace_of(each) == tracer.mesh.root and not selects
        scope = "every namespace without a Sidecar" if everywhere else f"namespace {namespace_of(each)}"
        yield fail(
            "sidecar",
            sidecar=name_of(each),
            scope=scope,
            host=tracer.host,
            namespace=tracer.namespace,
            causes=tracer.loss,
        )
    if not found:
        yield ok("sidecars", host=tracer.host)


def _in_use(cluster: Cluster, tracer: Tracer) -> list[dict[str, Data]]:
    """The Sidecars that are some proxy's; all of them where no proxy is known yet."""
    proxies = proxies_of(cluster, tracer.mesh)
    if not proxies:
        return cluster.sidecars.items
    oldest = sorted(cluster.sidecars.items, key=age)
    used = [_sidecar_of(pod, oldest, tracer.mesh.root) for pod in proxies if is_sidecar(pod)]
    return [each for each in cluster.sidecars.items if each in used]


def _sidecar_of(pod: dict[str, Data], oldest: list[dict[str, Data]], root: str) -> dict[str, Data] | None:
    """The one that counts for a proxy: its namespace's that selects it, its namespace's, the root namespace's.

    So istiod looks for it (istio 1.31 pilot/pkg/model/push_context.go, getSidecarScope).
    """
    own = [each for each in oldest if namespace_of(each) == namespace_of(pod)]
    selecting = [each for each in own if (labels := _selected(each)) and has_labels(pod, labels)]
    everywhere = [each for each in oldest if namespace_of(each) == root]
    wide = [each for each in (*own, *everywhere) if not _selected(each)]
    return next(iter((*selecting, *wide)), None)


def _selected(sidecar: dict[str, Data]) -> Data:
    """The labels of the workloads that a Sidecar is for; empty: for all."""
    return dig(sidecar, "spec", "workloadSelector", "labels")


def _lets_reach(sidecar: dict[str, Data], tracer: Tracer) -> bool:
    listeners = mappings(dig(sidecar, "spec", "egress"))
    wanted = (namespace_of(sidecar), tracer.namespace, tracer.host, tracer.port)
    return not listeners or any(lets_through(each, *wanted) for each in listeners)


def check_rules(cluster: Cluster, tracer: Tracer) -> Iterator[Item]:
    """A DestinationRule that wants TLS fails with a sensor that has no proxy."""
    pods = cluster.pods(tracer.namespace)
    if cluster.destination_rules.error or pods.error or any(proxy_of(pod) for pod in sensor_pods(cluster, tracer)):
        return
    domain = tracer.host.partition(".svc.")[2]
    oldest = sorted(cluster.destination_rules.items, key=age)
    rules = [rule(dig(each, "spec"), namespace_of(each), each, domain) for each in oldest]
    home, root = tracer.namespace, tracer.mesh.root
    everywhere = [each for each in rules if not dig(each.spec, "workloadSelector")]
    counting = [found[0] for found in deciding(everywhere, tracer.host, home, root)]
    # Clients of other namespaces look into neither (istio 1.31 pilot/pkg/model/push_context.go, destinationRule).
    counting = [each for each in counting if each.namespace in (home, root) or _has_clients(each, cluster, tracer)]
    # With a selector it counts before the rest, for what it selects in its namespace (sidecar.go, DestinationRule).
    counting += [each for each in rules if each not in everywhere and _has_clients(each, cluster, tracer)]
    found = [(each, mode) for each in counting if (mode := each.tls(tracer.port)[1]) in TLS]
    for each, mode in found:
        yield fail("rule", rule=name_of(each.origin), pattern=each.host, mode=mode, host=tracer.host)
    if not found:
        yield ok("rules", host=tracer.host)


def _has_clients(each: Rule[dict[str, Data]], cluster: Cluster, tracer: Tracer) -> bool:
    """Whether a rule that covers the sensor is for some proxy of its namespace, as far as they are known."""
    proxies = proxies_of(cluster, tracer.mesh)
    labels = dig(each.spec, "workloadSelector", "matchLabels")
    mine = [pod for pod in proxies if namespace_of(pod) == each.namespace and has_labels(pod, labels)]
    return covers(each.host, tracer.host) and bool(mine or not proxies)
