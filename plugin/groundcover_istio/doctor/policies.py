"""Objects of Istio's that stand between proxies and the sensor: Sidecars and DestinationRules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundcover_istio.checks.hosts import lets_through
from groundcover_istio.checks.traffic import TLS, deciding, rule
from groundcover_istio.doctor.cluster import proxy_of
from groundcover_istio.doctor.items import Item, fail, ok
from groundcover_istio.doctor.service import sensor_pods
from groundcover_istio.doctor.source import mappings, name_of, namespace_of
from groundcover_istio.rules.plan import dig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.doctor.cluster import Cluster
    from groundcover_istio.doctor.tracer import Tracer
    from groundcover_istio.model import Data


def check_sidecars(cluster: Cluster, tracer: Tracer) -> Iterator[Item]:
    """Every Sidecar with egress of its own has to let proxies reach the sensor: tracers get no way around it."""
    if cluster.sidecars.error:
        return
    found = [each for each in cluster.sidecars.items if not _lets_reach(each, tracer)]
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
    oldest = sorted(cluster.destination_rules.items, key=_age)
    rules = [rule(dig(each, "spec"), namespace_of(each), each, domain) for each in oldest]
    counting = [found[0] for found in deciding(rules, tracer.host, tracer.namespace, tracer.mesh.root)]
    found = [(each, mode) for each in counting if (mode := each.tls(tracer.port)[1]) in TLS]
    for each, mode in found:
        yield fail("rule", rule=name_of(each.origin), pattern=each.host, mode=mode, host=tracer.host)
    if not found:
        yield ok("rules", host=tracer.host)


def _age(item: dict[str, Data]) -> tuple[str, str, str]:
    """What istiod sorts by: of rules for one host the oldest counts (pilot/pkg/model/config.go)."""
    created, name = (str(dig(item, "metadata", key) or "") for key in ("creationTimestamp", "name"))
    return created, name, namespace_of(item)
