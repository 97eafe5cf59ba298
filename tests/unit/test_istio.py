"""How istiod reads a Service, what it is told, and what means the sensor to us."""

from __future__ import annotations

from typing import Any

import pytest

from groundcover_istio import istio
from groundcover_istio.model import Version


@pytest.mark.parametrize(
    ("port", "http2"),
    [
        pytest.param({"name": "grpc-otlp"}, True, id="a name that starts with grpc"),
        pytest.param({"name": "http2"}, True, id="a name that is http2"),
        pytest.param({"name": "GRPC-web"}, True, id="grpc-web, case aside"),
        pytest.param({"name": "otlp-grpc"}, False, id="grpc behind a dash says nothing"),
        pytest.param({"name": "grpcotlp"}, False, id="grpc without a dash behind it says nothing"),
        pytest.param({}, False, id="nothing is declared"),
        pytest.param({"name": "otlp", "appProtocol": "grpc-otlp"}, True, id="an appProtocol counts up to its dash"),
        pytest.param({"name": "grpc", "appProtocol": "http"}, False, id="the appProtocol goes before the name"),
        pytest.param({"name": "x", "appProtocol": "kubernetes.io/h2c"}, True, id="HTTP/2 as Kubernetes calls it"),
        pytest.param({"name": "x", "appProtocol": "Kubernetes.io/H2C"}, False, id="that one is taken to the letter"),
    ],
)
def test_http2_is_spoken_by_declaration(port: dict[str, Any], *, http2: bool) -> None:
    """pkg/config/kube/conversion.go, ConvertProtocol."""
    assert istio.speaks_http2(port) is http2


@pytest.mark.parametrize(
    ("service", "found"),
    [
        pytest.param({"spec": {"ports": [{"port": 1}]}}, [(0, 1)], id="without a protocol it is TCP"),
        pytest.param({"spec": {"ports": [{"port": 1, "protocol": None}]}}, [(0, 1)], id="so it is with null"),
        pytest.param({"spec": {"ports": [{"port": 1, "protocol": "UDP"}, {"port": 1, "protocol": "TCP"}]}}, [(1, 1)], id="UDP is passed over"),
        pytest.param({"spec": {"ports": [{"port": 1, "protocol": "SCTP"}, 2]}}, [], id="so are SCTP and what is no port"),
        pytest.param({"spec": {"ports": {}}}, [], id="no list"),
        pytest.param({"spec": None}, [], id="no spec"),
    ],
)  # fmt: skip
def test_tcp_ports_of_a_service(service: dict[str, Any], found: list[tuple[int, int]]) -> None:
    """Each with its index, as the API server defaults their protocol."""
    assert [(index, port["port"]) for index, port in istio.tcp_ports(service)] == found


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["discovery", "--domain", "corp.example"], "corp.example", id="two arguments"),
        pytest.param(["discovery", "--domain=corp.example"], "corp.example", id="one argument"),
        pytest.param(["--domain=a.b", "--domain", "c.d"], "c.d", id="the last one counts"),
        pytest.param(["--domain", "$(DOMAIN)"], "", id="a variable: it is not known"),
        pytest.param(["--domain", "${DOMAIN}"], "", id="a placeholder"),
        pytest.param(["--domain", "corp.example."], "", id="no name as Kubernetes takes one"),
        pytest.param(["--domain"], None, id="nothing behind it"),
        pytest.param(["--domains", "a.b"], None, id="another argument"),
        pytest.param([], None, id="none"),
    ],
)
def test_the_cluster_domain_that_istiod_is_told(arguments: list[str], told: str | None) -> None:
    """As command or as arguments of any of its containers."""
    assert istio.told_domain([{"args": arguments}]) == told
    assert istio.told_domain([{"command": arguments}, {"args": ["x"]}, {}]) == told
    assert istio.told_domain(None) is None


def test_a_version_is_spelt_as_people_spell_it() -> None:
    """Its two numbers with a full stop between them."""
    assert str(Version(1, 24)) == "1.24"


@pytest.mark.parametrize(
    ("host", "is_sensor"),
    [
        ("groundcover-sensor.groundcover.svc.cluster.local", True),
        ("groundcover-sensor.groundcover.svc.cluster.local:8126", True),
        ("groundcover-sensor.groundcover.svc.other.domain.", True),
        ("groundcover-sensor.groundcover", True),
        ("groundcover-sensor", True),
        ("groundcover/groundcover-sensor.groundcover.svc.cluster.local", True),
        ("http://Groundcover-Sensor.groundcover:4318", True),
        ("groundcover-alligator.groundcover.svc.cluster.local", True),
        ("groundcover-sensor.other.svc.cluster.local", False),
        ("groundcover-sensor.groundcover.example.com", False),
        ("zipkin.istio-system:9411", False),
        (5, False),
    ],
)
def test_what_means_the_sensor(host: object, is_sensor: bool) -> None:  # noqa: FBT001
    """Rightly written or not, with or without a port, under any cluster domain."""
    assert istio.is_sensor_host(host, "groundcover-sensor", "groundcover") == is_sensor
    assert istio.is_sensor_host("eyes.obs", "eyes", "obs")


@pytest.mark.parametrize(
    ("containers", "values"),
    [
        pytest.param([{"env": [{"name": "A", "value": "1"}]}], ["1"], id="a value"),
        pytest.param(
            [{"env": [{"name": "A", "value": "1"}, {"name": "B"}, {"name": "A", "value": "2"}]}],
            ["2"],
            id="of two the last counts",
        ),
        pytest.param(
            [{"env": [{"name": "A", "value": "1"}, {"name": "A", "valueFrom": {}}]}],
            [None],
            id="the last has another source",
        ),
        pytest.param(
            [{"env": [{"name": "A", "value": "1"}]}, {}, {"env": [{"name": "A", "value": "2"}]}],
            ["1", "2"],
            id="one for each container",
        ),
        pytest.param([{"env": [{"name": "B", "value": "1"}]}], [], id="another variable"),
        pytest.param(
            [None, "x", {"env": {}}, {"env": [None, "A", {"value": "1"}]}],
            [],
            id="what is no container, list or variable",
        ),
        pytest.param({"env": []}, [], id="no list of containers"),
    ],
)
def test_variables_of_containers(containers: Any, values: list[Any]) -> None:
    """A container gets one value of each name."""
    assert istio.variable(containers, "A") == values
