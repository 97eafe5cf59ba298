"""What a test changes in the cluster of the rig, and takes back."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import yaml

from .addresses import SENSOR

if TYPE_CHECKING:
    from collections.abc import Callable

    from . import rig

# What the API server adds to an object, and refuses in a new one.
_SERVERS = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation", "ownerReferences")


class Injection:
    """Changes of a cluster's objects, remembered: `undo` puts everything back."""

    def __init__(self, cluster: rig.Cluster) -> None:
        self.cluster = cluster
        self._back: list[Callable[[], object]] = []
        self.added: list[dict[str, Any]] = []
        """The objects that are new, for who looks at the manifests."""

    def mesh(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the mesh config of the running istiod."""

        def edit(found: dict[str, Any]) -> None:
            mesh = yaml.safe_load(found["data"]["mesh"])
            change(mesh)
            found["data"]["mesh"] = yaml.safe_dump(mesh)

        self.edit("ConfigMap", "istio", "istio-system", edit)

    def add(self, made: dict[str, Any]) -> None:
        """A new object."""
        self.cluster.apply(made)
        self._back.append(lambda: self._delete(made))
        self.added.append(made)

    def edit(self, kind: str, name: str, namespace: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Change an object, in place or by making it anew where the API server wants that."""
        found = _clean(self.cluster.get(kind, name, namespace))
        changed = copy.deepcopy(found)
        change(changed)
        self._put(changed)
        self._back.append(lambda: self._put(found))

    def delete(self, kind: str, name: str, namespace: str) -> None:
        """Take an object away."""
        found = _clean(self.cluster.get(kind, name, namespace))
        self._delete(found)
        self._back.append(lambda: self._put(found))

    def not_ready(self, pod: str, namespace: str) -> None:
        """A Pod that runs and is not ready."""
        before = self.cluster.get("pod", pod, namespace)["status"]
        status = {"conditions": [{"type": "Ready", "status": "False"}]}
        self.cluster.status("pod", pod, namespace, status)
        self._back.append(lambda: self.cluster.status("pod", pod, namespace, {"conditions": before["conditions"]}))

    def undo(self) -> None:
        """The cluster as it was, the last change first."""
        while self._back:
            self._back.pop()()
        self.added.clear()

    def _delete(self, found: dict[str, Any]) -> None:
        metadata = found["metadata"]
        where = ["-n", metadata["namespace"]] if "namespace" in metadata else []
        # No kubelet is there to confirm that a Pod has ended.
        self.cluster.kubectl("delete", found["kind"], metadata["name"], *where, "--ignore-not-found", "--grace-period=0", "--force")  # fmt: skip

    def _put(self, made: dict[str, Any]) -> None:
        if made["kind"] in ("ConfigMap", "EndpointSlice", "Namespace", "Secret"):
            self.cluster.apply(made)
            return
        self._delete(made)
        self.cluster.kubectl("create", "-f", "-", stdin=json.dumps(made))
        if made["kind"] == "Pod":
            self.cluster.runs(made["metadata"]["name"], made["metadata"]["namespace"], SENSOR)


def _clean(found: dict[str, Any]) -> dict[str, Any]:
    """An object as somebody would have written it."""
    found.pop("status", None)
    for each in _SERVERS:
        found["metadata"].pop(each, None)
    for each in ("clusterIP", "clusterIPs"):
        found.get("spec", {}).pop(each, None)
    return found
