"""One fault at a time in a cluster where all is in order: doctor names it, and the spans that arrive are as it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from . import rig
from .addresses import HOST, SPANS_PER_REQUEST
from .mesh import Mesh
from .test_cluster import doctor

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUESTS: Final = 10
ALL: Final = REQUESTS * SPANS_PER_REQUEST
SENSOR: Final = "groundcover-sensor"


class Fault(NamedTuple):
    """What is done to the cluster, and what has to come of it."""

    code: str
    spans: int
    add: dict[str, Any] | None = None
    kubectl: tuple[str, ...] = ()


def _object(api: str, kind: str, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "fault", "namespace": namespace}, "spec": spec}


def _telemetry(namespace: str, **tracing: Any) -> dict[str, Any]:
    return _object("telemetry.istio.io/v1", "Telemetry", namespace, {"tracing": [tracing]})


def _tls() -> dict[str, Any]:
    # Not ISTIO_MUTUAL: the rig's proxy has no agent to get certificates from, and Envoy keeps the old cluster till then.
    spec = {"host": HOST, "trafficPolicy": {"tls": {"mode": "SIMPLE", "insecureSkipVerify": True}}}
    return _object("networking.istio.io/v1", "DestinationRule", "istio-system", spec)


FAULTS: Final = {
    "a second mesh-wide Telemetry is ignored": Fault(
        "telemetry-ignored", ALL, _telemetry("istio-system", randomSamplingPercentage=0)
    ),
    "a Telemetry of a namespace turns spans off": Fault(
        "telemetry-off", 0, _telemetry("default", disableSpanReporting=True)
    ),
    "a DestinationRule has proxies speak TLS with the sensor": Fault("rule", 0, _tls()),
    "exportTo hides the Service": Fault(
        "export-to", 0, kubectl=("annotate", "--overwrite", "service", SENSOR, "networking.istio.io/exportTo=.")
    ),
    "no pod of the sensor is ready": Fault("endpoints-none", 0, kubectl=("delete", "endpointslice", SENSOR)),
    "the Service is gone": Fault("service-missing", 0, kubectl=("delete", "service", SENSOR)),
}


@pytest.fixture(scope="module")
def healthy(cluster: rig.Cluster, receivers: rig.Receivers) -> Iterator[Mesh]:
    """Both releases, a running istiod and gateway, all spans."""
    made = Mesh(cluster, receivers)
    try:
        made.install_sensor(sampling_percentage="100")
        made.install_istiod(sampling_percentage="100")
        made.start()
        yield made
    finally:
        made.stop()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault(name: str, healthy: Mesh) -> None:
    """All is well; with the fault doctor says its code and no other, and the spans are as claimed; mended, all is well."""
    fault, cluster = FAULTS[name], healthy.cluster
    assert _findings(healthy) == []
    try:
        if fault.add:
            cluster.apply(fault.add)
        if fault.kubectl:
            cluster.kubectl(*fault.kubectl, "-n", "groundcover")
        healthy.settle()
        assert _findings(healthy) == [fault.code]
        assert healthy.count(REQUESTS, expected=fault.spans) == fault.spans
    finally:
        if fault.add:
            cluster.kubectl("delete", fault.add["kind"], "fault", "-n", fault.add["metadata"]["namespace"])
        if fault.kubectl:
            cluster.kubectl("delete", "service", SENSOR, "-n", "groundcover", "--ignore-not-found")
            healthy.install_sensor(sampling_percentage="100")
        healthy.settle()
    assert healthy.count(REQUESTS, expected=ALL) == ALL


def _findings(mesh: Mesh) -> list[str]:
    _, items = doctor(mesh.cluster)
    return [item["code"] for item in items if item["status"] != "ok"]
