"""One fault at a time in a cluster where all is in order: check and doctor name it, and what they say comes true."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from .callers import broken_rules, doctor
from .faults import ALL, FAULTS, REQUESTS
from .injection import Injection
from .mesh import Mesh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from . import rig
    from .faults import Fault

LOOKED_AT = ("telemetries.telemetry.istio.io", "sidecars.networking.istio.io", "destinationrules.networking.istio.io")


@pytest.fixture(scope="module")
def healthy(cluster: rig.Cluster, receivers: rig.Receivers) -> Iterator[Mesh]:
    """Both releases, a running istiod and gateway, all spans."""
    made = Mesh(cluster, receivers)
    try:
        made.install_sensor(sampling_percentage="100")
        made.install_istiod(sampling_percentage="100")
        # What Helm remembers of the release would differ from the mesh config with every fault; that has its own tests.
        cluster.kubectl("delete", "secret", "-n", "istio-system", "--selector", "owner=helm,name=istiod")
        made.start()
        yield made
    finally:
        made.stop()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault(name: str, healthy: Mesh, record_property: Any) -> None:
    """All is well; with the fault check and doctor say what it is, and istiod and Envoy do as they say; mended, all is well."""
    fault, injection = FAULTS[name], Injection(healthy.cluster)
    rejected, memory = healthy.gateway.rejected(), _memory(healthy)
    record_property("fault", [name, list(fault.rules), sorted(set(fault.codes or ())), _outcome(fault)])
    try:
        fault.change(injection)
        healthy.settle()
        rules = _rules(healthy.cluster, injection.added)
        assert set(fault.rules) <= set(rules), rules
        found = _findings(healthy)
        assert fault.codes is None or found == sorted(fault.codes), found
        if fault.spans is not None and fault.spans >= 0:
            assert healthy.count(REQUESTS, expected=fault.spans) == fault.spans
        assert (healthy.gateway.rejected() > rejected) == fault.rejected
        if fault.kept:
            assert _memory(healthy) == memory
            assert healthy.istiod
            assert "using last known state" in healthy.istiod.process.log.read_text()
        assert fault.also(healthy)
    finally:
        injection.undo()
        healthy.settle()
    assert healthy.count(REQUESTS, expected=ALL) == ALL
    assert _findings(healthy) == []


def _outcome(fault: Fault) -> str:
    """What comes of a fault, in words."""
    said = {
        "the proxy rejects its listeners and keeps the old ones": fault.rejected,
        "istiod keeps the mesh config that it had": fault.kept,
        f"{fault.spans} spans of {ALL}": fault.spans is not None and fault.spans >= 0 and not fault.rejected and not fault.kept,
        fault.what: bool(fault.what),
    }  # fmt: skip
    return ", ".join(text for text, holds in said.items() if holds)


def _memory(mesh: Mesh) -> dict[str, Any]:
    assert mesh.istiod
    return mesh.istiod.mesh()


def _findings(mesh: Mesh) -> list[str]:
    _, items = doctor(mesh.cluster)
    return sorted(item["code"] for item in items if item["status"] != "ok")


def _rules(cluster: rig.Cluster, added: list[dict[str, Any]]) -> list[str]:
    """The rules that check finds broken by what is in the cluster, and by what was added to it."""
    listed = [
        ["configmap", "--namespace", "istio-system", "--selector", "release=istiod"],
        ["service", "--namespace", "groundcover"],
        [",".join(LOOKED_AT), "--all-namespaces"],
    ]
    items = [item for each in listed for item in json.loads(cluster.kubectl("get", *each, "-o", "json"))["items"]]
    names = {(item["kind"], item["metadata"]["name"]) for item in items}
    items += [item for item in added if (item["kind"], item["metadata"]["name"]) not in names]
    return broken_rules(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
