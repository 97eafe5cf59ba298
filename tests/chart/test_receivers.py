"""One list of receivers, seen from every place that uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .support import CHART, Helm, Render, at, load, values

if TYPE_CHECKING:
    from collections.abc import Mapping

# Service port, container port, number, protocol, appProtocol.
DEFAULT_PORTS = [
    ("dd-traces", "dd-traces", 8126, "TCP", "http"),
    ("zipkin", "zipkin", 9411, "TCP", "http"),
    ("otlp-grpc", "otlp-grpc", 4317, "TCP", "grpc"),
    ("otlp-http", "otlp-http", 4318, "TCP", "http"),
    ("jeager-grpc", "jaeger-grpc", 14250, "TCP", "grpc"),
    ("jeager-thrift-http", "jaeger-th-http", 14268, "TCP", "http"),
    ("jeager-thrift-binary", "jaeger-th-bin", 6832, "UDP", None),
    ("jeager-thrift-compact", "jaeger-th-comp", 6831, "UDP", None),
    ("http-json", "http-json", 8016, "TCP", "http"),
    ("loki", "loki-http", 3100, "TCP", "http"),
    ("statsd", "statsd", 8125, "UDP", None),
    ("prometheus-remote-write", "remote-write", 8428, "TCP", "http"),
    ("prom-import", "prom-import", 8430, "TCP", "http"),
    ("health-http", "health-http", 2021, "TCP", "http"),
]
OPTIONAL_PORTS = [
    ("firehose", "firehose", 4433, "TCP", "http"),
    ("rum", "rum", 8026, "TCP", "http"),
    ("profiles", "profiles", 8028, "TCP", "http"),
]
RECEIVERS: list[dict[str, Any]] = load((CHART / "files" / "receivers.yaml").read_text())
NAMES = [r["receiver"] for r in RECEIVERS]
# With a mesh off, a receiver that it would need can be off too.
BASE: dict[str, Any] = {"networkPolicy": {"enabled": True}, "istio": {"enabled": False}}


def dig(document: Mapping[str, Any], path: str) -> Any:
    """Read a dotted path."""
    value: Any = document
    for key in path.split("."):
        value = value[key]
    return value


def service_ports(render: Render) -> list[tuple[str, int, str, str | None]]:
    """Give the Service's ports as rows."""
    ports = render.service["spec"]["ports"]
    assert all(p["targetPort"] == p["port"] for p in ports)
    return [(p["name"], p["port"], p["protocol"], p.get("appProtocol")) for p in ports]


def container_ports(render: Render) -> list[tuple[str, int, str]]:
    """Give the container's ports as rows, without that of the sensor's own metrics."""
    ports = render.sensor["ports"]
    assert ports[0]["name"] == "prom-metrics"
    return [(p["name"], p["containerPort"], p["protocol"]) for p in ports[1:]]


def policy_ports(render: Render) -> set[tuple[int, str]]:
    """Give the ports that the NetworkPolicy lets in."""
    (rule,) = render.get("NetworkPolicy")["spec"]["ingress"]
    return {(p["port"], p["protocol"]) for p in rule["ports"]}


def test_default_ports(default: Render) -> None:
    """Names, numbers and protocols are those of the vendor's Service; appProtocol is explicit."""
    assert service_ports(default) == [(s, n, p, a) for s, _, n, p, a in DEFAULT_PORTS]
    assert container_ports(default) == [(c, n, p) for _, c, n, p, _ in DEFAULT_PORTS]


def test_all_ports(helm: Helm) -> None:
    """The receivers that are off by default come between the others and health."""
    on = {r: {"enabled": True} for r in NAMES}
    expected = [*DEFAULT_PORTS[:-1], *OPTIONAL_PORTS, DEFAULT_PORTS[-1]]
    render = helm.render(values(receivers=on))
    assert service_ports(render) == [(s, n, p, a) for s, _, n, p, a in expected]


def test_no_tcp_port_is_left_to_guessing() -> None:
    """Istio reads an unknown name prefix as opaque TCP."""
    for receiver in RECEIVERS:
        for port in receiver["ports"]:
            assert ("appProtocol" in port) == (port["protocol"] == "TCP")
            assert len(port["container"]) <= 15


@pytest.mark.parametrize("receiver", RECEIVERS, ids=lambda r: r["receiver"])
def test_receiver_that_is_off_is_gone(helm: Helm, receiver: dict[str, Any]) -> None:
    """Not in the configuration, the container, the Service, the policy, the integration."""
    name = receiver["receiver"]
    on = helm.render(values(**BASE, receivers={name: {"enabled": True}}))
    off = helm.render(values(**BASE, receivers={name: {"enabled": False}}))
    services = {p["service"] for p in receiver["ports"]}
    containers = {p["container"] for p in receiver["ports"]}
    numbers = {(dig(on.config, f"{receiver['config']}.{p['config']}"), p["protocol"]) for p in receiver["ports"]}
    roles = {p["role"] for p in receiver["ports"] if "role" in p}

    assert services <= {p[0] for p in service_ports(on)}
    assert containers <= {p[0] for p in container_ports(on)}
    assert numbers <= policy_ports(on)
    assert roles <= set(on.integration["service"]["ports"])
    assert dig(on.config, receiver["config"])["enabled"] is True

    assert not services & {p[0] for p in service_ports(off)}
    assert not containers & {p[0] for p in container_ports(off)}
    assert not numbers & policy_ports(off)
    assert not roles & set(off.integration["service"]["ports"])
    assert dig(off.config, receiver["config"])["enabled"] is False


def test_port_moves_everywhere(helm: Helm) -> None:
    """A port number is said once."""
    for receiver in RECEIVERS:
        for port in receiver["ports"]:
            over = at(f"receivers.{receiver['receiver']}", {"enabled": True, port["value"]: 29999})
            render = helm.render(values(**BASE, **over))
            row = (29999, port["protocol"])
            assert row in {(n, p) for _, n, p, _ in service_ports(render)}
            assert row in {(n, p) for _, n, p in container_ports(render)}
            assert row in policy_ports(render)
            assert dig(render.config, f"{receiver['config']}.{port['config']}") == 29999
            if "role" in port:
                assert render.integration["service"]["ports"][port["role"]] == 29999


def test_probes_need_the_health_receiver(helm: Helm, default: Render) -> None:
    """A probe on a port that nobody serves would restart the sensor forever."""
    assert {"readinessProbe", "livenessProbe"} <= set(default.sensor)
    off = helm.render(values(receivers={"health": {"enabled": False}}))
    assert not {p for p in off.sensor if p.endswith("Probe")}


def test_test_pod_asks_what_is_on(helm: Helm, default: Render) -> None:
    """The helm test asks for health and sends an empty export, as far as the receivers are on."""
    pod = default.get("Pod")
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    urls = {c["command"][-1] for c in pod["spec"]["containers"]}
    assert urls == {
        "http://groundcover-sensor.groundcover.svc:4318/v1/traces",
        "http://groundcover-sensor.groundcover.svc:2021/health",
    }
    one = helm.render(values(receivers={"health": {"enabled": False}})).get("Pod")
    assert [c["name"] for c in one["spec"]["containers"]] == ["otlp-http"]
    off = {"health": {"enabled": False}, "otlp": {"enabled": False}}
    assert not helm.render(values(receivers=off, istio={"enabled": False})).has("Pod")


def test_test_pod_is_no_endpoint(default: Render) -> None:
    """The Service must not send spans to the pod that tests it."""
    selector = default.service["spec"]["selector"]
    labels = default.get("Pod")["metadata"]["labels"]
    assert not selector.items() <= labels.items()
    assert selector.items() <= default.pod["metadata"]["labels"].items()
