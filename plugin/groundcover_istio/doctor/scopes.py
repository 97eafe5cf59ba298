"""Which proxies an object of Istio's is for: those of its namespace, those it selects, the gateways it refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio.doctor.cluster import proxy_of
from groundcover_istio.doctor.source import listed, mappings, name_of, namespace_of, strings
from groundcover_istio.model import dig, mapping
from groundcover_istio.rules.tracing import SIDES, entries_of, said, selects
from groundcover_istio.spelling import show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from groundcover_istio.doctor.cluster import Cluster
    from groundcover_istio.doctor.meshes import Mesh
    from groundcover_istio.model import Data

_GATEWAY: Final = "gateway.networking.k8s.io/gateway-name"
_WORKLOAD: Final = "service.istio.io/canonical-name"


def proxies_of(cluster: Cluster, mesh: Mesh) -> list[dict[str, Data]]:
    """The proxies of a control plane; none where they can't be read, and where there is none yet."""
    return [pod for pod in cluster.proxies.items if _revision_of(pod) in ("", mesh.revision.name)]


def by_namespace(proxies: list[dict[str, Data]]) -> dict[str, list[dict[str, Data]]]:
    """The same, below the names of their namespaces: clusters may have thousands."""
    found: dict[str, list[dict[str, Data]]] = {}
    for pod in proxies:
        found.setdefault(namespace_of(pod), []).append(pod)
    return found


def _revision_of(pod: dict[str, Data]) -> str:
    """By the annotation that the injector sets (files/injection-template.yaml); the label may be a revision's tag."""
    said = dig(pod, "metadata", "annotations", "istio.io/rev") or dig(pod, "metadata", "labels", "istio.io/rev")
    return str(said or "")


def is_sidecar(pod: dict[str, Data]) -> bool:
    """Whether a proxy is beside a workload, not a gateway or a waypoint, which no Sidecar is for."""
    return not {"router", "waypoint"} & set(strings((proxy_of(pod) or {}).get("args")))


def has_labels(pod: dict[str, Data], wanted: Data) -> bool:
    """Whether a pod has all of some labels."""
    return mapping(wanted).items() <= mapping(dig(pod, "metadata", "labels")).items()


def age(item: dict[str, Data]) -> tuple[str, str, str]:
    """What istiod sorts by: of several that are for the same the oldest counts (pilot/pkg/model/config.go)."""
    created, name = (str(dig(item, "metadata", key) or "") for key in ("creationTimestamp", "name"))
    return created, name, namespace_of(item)


def telemetries_of(cluster: Cluster, mesh: Mesh) -> list[dict[str, Data]]:
    """Every Telemetry that a revision reads, the oldest first."""
    revisions = (None, mesh.revision.name)
    found = [each for each in cluster.telemetries.items if dig(each, "metadata", "labels", "istio.io/rev") in revisions]
    return sorted(found, key=lambda each: (str(dig(each, "metadata", "creationTimestamp") or ""), name_of(each)))


def _targets(telemetry: dict[str, Data]) -> list[dict[str, Data]]:
    """What it refers to in place of a selector."""
    return mappings(dig(telemetry, "spec", "targetRefs")) or mappings([dig(telemetry, "spec", "targetRef")])


def is_for(telemetry: dict[str, Data], pod: dict[str, Data]) -> bool:
    """Whether a Telemetry of a pod's namespace is for it (pilot/pkg/model/policyattachment.go, ShouldAttachPolicy).

    A Service or a ServiceEntry as a target is a part of what a waypoint sees: for no pod as a whole.
    """
    targets = _targets(telemetry)
    if targets:
        gateway = dig(pod, "metadata", "labels", _GATEWAY)
        return any(each.get("kind") == "Gateway" and each.get("name") == gateway for each in targets)
    return has_labels(pod, dig(telemetry, "spec", "selector", "matchLabels"))


def said_for(pod: dict[str, Data], telemetries: list[dict[str, Data]], root: str, key: str, side: str) -> Data:
    """What counts for a field of a pod's tracing on a side; None where no Telemetry says it.

    Entries of the mesh-wide one, of the namespace's and of every one that is for the workload are laid over each
    other, field by field (istio 1.31 pilot/pkg/model/telemetry.go, applicableTelemetries).
    """
    counting: list[dict[str, Data]] = []
    for namespace in dict.fromkeys((root, namespace_of(pod))):
        counting += [each for each in telemetries if namespace_of(each) == namespace and not selects(each.get("spec"))][
            :1
        ]
    own = [each for each in telemetries if namespace_of(each) == namespace_of(pod) and selects(each.get("spec"))]
    counting += [each for each in own if is_for(each, pod)]
    values = [said(entries_of(each), key, side) for each in counting]
    return next((value for value in reversed(values) if value is not None), None)


class Scope(NamedTuple):
    """A Telemetry of a namespace or of some of its workloads, and the proxies it is for."""

    telemetry: dict[str, Data]
    later: list[dict[str, Data]]
    """Those that istiod lays over it, each for some of the same workloads."""
    proxies: dict[str, list[dict[str, Data]]]
    """Of the mesh, by namespace; without any, those to come count."""

    def losing(self, key: str, lost: Callable[[str], bool]) -> Iterator[tuple[tuple[str, ...], str]]:
        """The sides on which what it says of a field loses spans, and the proxies in words for which that counts."""
        words: dict[str, list[str]] = {}
        for side in SIDES:
            if lost(side) and (whose := self._words(key, side)):
                words.setdefault(whose, []).append(side)
        for whose, sides in words.items():
            yield tuple(sides), whose

    def _words(self, key: str, side: str) -> str:
        """The proxies for which what it says of a field counts; empty where it does for none."""
        namespace = namespace_of(self.telemetry)
        there = self.proxies.get(namespace, [])
        mine = [pod for pod in there if is_for(self.telemetry, pod)]
        over = [each for each in self.later if said(entries_of(each), key, side) is not None]
        losing = [pod for pod in mine if not any(is_for(each, pod) for each in over)]
        everywhere = not selects(self.telemetry.get("spec"))
        if everywhere and len(losing) == len(there):
            return f"proxies of namespace {namespace}"
        if losing:
            names = sorted(
                {str(dig(pod, "metadata", "labels", _WORKLOAD) or pod["metadata"]["name"]) for pod in losing}
            )
            return f"the proxies of {listed(names)} in namespace {namespace}"
        parts = [f"{each.get('kind')} {each.get('name')}" for each in _targets(self.telemetry)]
        if any(not each.startswith("Gateway ") for each in parts):
            # What waypoints see of it, which may run in another namespace.
            return f"waypoints of {listed(parts)} in namespace {namespace}"
        if everywhere or self.proxies:
            return ""
        labels = mapping(dig(self.telemetry, "spec", "selector", "matchLabels"))
        parts = parts or [f"{name}={show(value)}" for name, value in labels.items()]
        return f"proxies of {listed(parts)} in namespace {namespace}"
