"""Proxies that run with an older mesh config: what defaultConfig says reaches a pod when it starts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from groundcover_istio.doctor.cluster import proxy_of
from groundcover_istio.doctor.items import Item, ok, warn
from groundcover_istio.doctor.scopes import proxies_of
from groundcover_istio.doctor.source import counted, listed, mappings, name_of, namespace_of
from groundcover_istio.doctor.tracer import live_sampling, winner
from groundcover_istio.istio import number, variable
from groundcover_istio.model import dig
from groundcover_istio.rules.tracing import SIDES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.doctor.cluster import Cluster
    from groundcover_istio.doctor.meshes import Mesh
    from groundcover_istio.model import Data


def check_proxies(cluster: Cluster, mesh: Mesh) -> Iterator[Item]:
    """Which proxies started before the sampling of defaultConfig was what it is."""
    if cluster.proxies.error or cluster.telemetries.error:
        return
    pods = proxies_of(cluster, mesh)
    telemetry, _ = winner(cluster, mesh)
    if all(live_sampling(telemetry, side) is not None for side in SIDES):
        yield ok("proxies-live", mesh=mesh.where, count=counted(len(pods), "proxy", "proxies"))
        return
    old = [pod for pod in pods if _is_old(pod, mesh)]
    untold = [pod for pod in pods if _is_old(pod, mesh) is None]
    if old:
        pods_named = listed([name_of(pod) for pod in old])
        yield warn(
            "proxies-old",
            mesh=mesh.where,
            count=counted(len(old), "proxy", "proxies"),
            pods=pods_named,
            restart=_restart(old, cluster.tools.kubectl),
        )
    if untold:
        yield warn("proxies-untold", mesh=mesh.where, count=len(untold))
    if not old and not untold:
        yield ok("proxies", mesh=mesh.where, count=counted(len(pods), "proxy", "proxies"))


def _is_old(pod: dict[str, Data], mesh: Mesh) -> bool | None:
    """Whether a proxy samples by an older mesh config; None where that can't be told.

    The proxy got its part of the mesh config in PROXY_CONFIG; without that, times have to do.
    """
    annotation = str(dig(pod, "metadata", "annotations", "proxy.istio.io/config") or "")
    if "sampling" in annotation:
        return False
    given = next(iter(variable([proxy_of(pod)], "PROXY_CONFIG")), None)
    if isinstance(given, str) and given.strip():
        try:
            held = json.loads(given)
        except (ValueError, RecursionError):
            held = None
        if isinstance(held, dict):
            had, wanted = (
                number(dig(*path, "tracing", "sampling")) for path in ((held,), (mesh.data, "defaultConfig"))
            )
            return (had or None) != (wanted or None)
    started = str(dig(pod, "metadata", "creationTimestamp") or "")
    if not started or not mesh.changed:
        return None
    return started < mesh.changed


def _restart(pods: list[dict[str, Data]], kubectl: str) -> str:
    """What restarts them, a line for each namespace."""
    owners: dict[str, list[str]] = {}
    for pod in pods:
        owners.setdefault(namespace_of(pod), []).append(_owner(pod))
    lines = [
        f"{kubectl} -n {namespace} rollout restart {' '.join(sorted(set(names)))}"
        for namespace, names in sorted(owners.items())
    ]
    return "\n".join([*lines, "or let a Telemetry set the sampling, live: groundcover-istio export telemetry"])


def _owner(pod: dict[str, Data]) -> str:
    """What a pod belongs to, as kubectl takes it; a ReplicaSet is its Deployment's, whose name it has with a hash."""
    owner = (mappings(dig(pod, "metadata", "ownerReferences")) or [{}])[0]
    kind, name = str(owner.get("kind") or "deployment"), str(owner.get("name") or "")
    if kind == "ReplicaSet":
        kind, name = "deployment", name.rpartition("-")[0]
    return f"{kind.lower()}/{name}" if name else kind.lower()
