"""Objects of Istio's that stand between proxies and the sensor: Sidecars and DestinationRules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundcover_istio.checks.hosts import covers, lets_through
from groundcover_istio.checks.traffic import TLS, deciding, rule
from groundcover_istio.doctor.cluster import proxy_of
from groundcover_istio.doctor.items import Item, fail, ok
from groundcover_istio.doctor.scopes import age, by_namespace, has_labels, is_sidecar, proxies_of
from groundcover_istio.doctor.service import sensor_pods
from groundcover_istio.doctor.source import mappings, name_of, namespace_of
from groundcover_istio.model import dig

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
    """The Sidecars that are some proxy's; all of them where no proxy is known yet.

    Those of a proxy's namespace come first, of them those that select it, then the root namespace's (istio 1.31
    pilot/pkg/model/push_context.go, getSidecarScope).
    """
    proxies = proxies_of(cluster, tracer.mesh)
    if not proxies:
        return cluster.sidecars.items
    oldest = by_namespace(sorted(cluster.sidecars.items, key=age))
    everywhere = [each for each in oldest.get(tracer.mesh.root, []) if not _selected(each)]
    used: set[int] = set()
    for namespace, pods in by_namespace(proxies).items():
        own = oldest.get(namespace, [])
        selecting = [each for each in own if _selected(each)]
        wide = [*(each for each in own if not _selected(each)), *everywhere]
        for pod in filter(is_sidecar, pods):
            mine = [each for each in selecting if has_labels(pod, _selected(each))]
            used.update(id(each) for each in [*mine, *wide][:1])
    return [each for each in cluster.sidecars.items if id(each) in used]


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
    rules = [each for each in rules if covers(each.host, tracer.host)]
    home, root = tracer.namespace, tracer.mesh.root
    proxies = by_namespace(proxies_of(cluster, tracer.mesh))
    everywhere = [each for each in rules if not dig(each.spec, "workloadSelector")]
    counting = [found[0] for found in deciding(everywhere, tracer.host, home, root)]
    # Clients of other namespaces look into neither (istio 1.31 pilot/pkg/model/push_context.go, destinationRule).
    counting = [each for each in counting if each.namespace in (home, root) or _has_clients(each, proxies)]
    # With a selector it counts before the rest, for what it selects in its namespace (sidecar.go, DestinationRule).
    counting += [each for each in rules if dig(each.spec, "workloadSelector") and _has_clients(each, proxies)]
    found = [(each, mode) for each in counting if (mode := each.tls(tracer.port)[1]) in TLS]
    for each, mode in found:
        yield fail("rule", rule=name_of(each.origin), pattern=each.host, mode=mode, host=tracer.host)
    if not found:
        yield ok("rules", host=tracer.host)


def _has_clients(each: Rule[dict[str, Data]], proxies: dict[str, list[dict[str, Data]]]) -> bool:
    """Whether a rule is for some proxy of its namespace, as far as proxies are known."""
    labels = dig(each.spec, "workloadSelector", "matchLabels")
    return not proxies or any(has_labels(pod, labels) for pod in proxies.get(each.namespace, ()))
