"""Objects of Istio's that stand between proxies and the sensor: Sidecars and DestinationRules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundcover_istio.doctor.cluster import proxy_of
from groundcover_istio.doctor.items import Item, fail, ok
from groundcover_istio.doctor.service import sensor_pods
from groundcover_istio.doctor.source import mappings, name_of, namespace_of, strings
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
    hosts = [host for each in listeners for host in strings(each.get("hosts"))]
    return not listeners or any(_covers(host, namespace_of(sidecar), tracer) for host in hosts)


def _covers(pattern: str, own: str, tracer: Tracer) -> bool:
    """Whether `namespace/host` of a Sidecar covers the sensor's Service."""
    namespace, _, host = pattern.rpartition("/")
    wanted = own if namespace == "." else namespace
    return wanted in ("*", "", tracer.namespace) and matches(host, tracer.host)


def matches(pattern: str, host: str) -> bool:
    """Whether a host of Istio's, with a wildcard perhaps, covers another."""
    if pattern.startswith("*"):
        return host.endswith(pattern[1:])
    return pattern == host


def check_rules(cluster: Cluster, tracer: Tracer) -> Iterator[Item]:
    """A DestinationRule that wants TLS fails with a sensor that has no proxy; the most specific host counts."""
    pods = cluster.pods(tracer.namespace)
    if cluster.destination_rules.error or pods.error or any(proxy_of(pod) for pod in sensor_pods(cluster, tracer)):
        return
    fitting = [(len(host), host, each) for each in cluster.destination_rules.items if (host := _host(each, tracer))]
    exact = [each for each in fitting if not each[1].startswith("*")]
    longest = max((length for length, _, _ in fitting), default=0)
    counting = exact or [each for each in fitting if each[0] == longest]
    found = [(host, each, mode) for _, host, each in counting if (mode := _mode(each, tracer))]
    for host, each, mode in found:
        yield fail("rule", rule=name_of(each), pattern=host, mode=mode, host=tracer.host)
    if not found:
        yield ok("rules", host=tracer.host)


def _host(rule: dict[str, Data], tracer: Tracer) -> str:
    """The host of a DestinationRule that is about the sensor's Service, empty for others."""
    host = str(dig(rule, "spec", "host") or "")
    if host and "." not in host and "*" not in host:
        # A short name means a Service of the rule's namespace.
        domain = tracer.host.partition(".svc")[2]
        host = f"{host}.{namespace_of(rule)}.svc{domain}"
    return host if matches(host, tracer.host) else ""


def _mode(rule: dict[str, Data], tracer: Tracer) -> str:
    """The TLS mode that a rule sets for the tracer's port, empty where it sets none that does harm."""
    policy = dig(rule, "spec", "trafficPolicy")
    ports = mappings(dig(policy, "portLevelSettings"))
    own = next((each for each in ports if dig(each, "port", "number") == tracer.port), None)
    mode = str(dig(own if own is not None else policy, "tls", "mode") or "")
    return mode if mode in ("ISTIO_MUTUAL", "MUTUAL", "SIMPLE") else ""
