"""Consequences that rules of check claim, where they take more than a change of a healthy cluster to be seen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from . import objects, rig
from .addresses import BACKEND_PORT, GATEWAY, GATEWAY_PORT, HOST, SIDECAR, SPANS_PER_REQUEST
from .callers import broken_rules
from .faults import ROOT, ZIPKIN, made
from .injection import Injection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .mesh import Mesh

REQUESTS: Final = 10
ALL: Final = REQUESTS * SPANS_PER_REQUEST
OTLP: Final[dict[str, Any]] = {
    "name": "otel-tracing",
    "opentelemetry": {"service": HOST, "port": 4318, "http": {"path": "/v1/traces", "timeout": "5s"}},
}
NEVER: Final = 0.0001
"""Percent: Envoy makes none of it."""


def rules(*documents: dict[str, Any]) -> set[str]:
    """The rules that check finds broken."""
    return set(broken_rules(yaml.safe_dump_all(documents), "--istio-version", "1.31.0"))


def config_map(mesh: Mesh) -> dict[str, Any]:
    """The mesh config in the cluster."""
    return mesh.cluster.get("configmap", "istio", ROOT)


@pytest.fixture
def injection(cluster: rig.Cluster) -> Iterator[Injection]:
    """Changes of the cluster, gone afterwards."""
    changes = Injection(cluster)
    try:
        yield changes
    finally:
        changes.undo()


def test_gci001_an_istiod_that_starts_anew_runs_on_defaults(mesh: Mesh, injection: Injection) -> None:
    """With a wrong type in its mesh config istiod starts, is ready, and has nothing of that config."""
    mesh.install_istiod({"accessLogFile": "/dev/stdout"}, render=False)
    assert mesh.start().mesh()["accessLogFile"] == "/dev/stdout"
    injection.mesh(lambda config: config.update(defaultProviders={"tracing": "otel-tracing"}))
    assert "GCI001" in rules(config_map(mesh))
    mesh.end()
    mesh.istiod = rig.Istiod(mesh.cluster)
    assert "accessLogFile" not in mesh.istiod.mesh()


def test_gci016_a_telemetry_above_100_percent_is_refused(cluster: rig.Cluster) -> None:
    """By the API server, with Istio's CRD."""
    telemetry = made("telemetry.istio.io/v1", "Telemetry", ROOT, {"tracing": [{"randomSamplingPercentage": 101}]})
    assert "GCI016" in rules(telemetry)
    with pytest.raises(rig.RigError, match="randomSamplingPercentage"):
        cluster.apply(telemetry)


def test_gci018_sampling_of_the_mesh_config_waits_for_a_restart(mesh: Mesh) -> None:
    """A proxy that runs keeps the sampling it started with; started anew, it has the new one."""
    mesh.install_sensor("--set", "istio.enabled=false")
    mesh.install_istiod(sampling_percentage="100", activation="mesh")
    mesh.start()
    assert "GCI018" in rules(config_map(mesh))
    mesh.envoy("gateway", tracing={"sampling": 100}).wait()
    assert mesh.count(REQUESTS, expected=ALL) == ALL
    never = {"defaultConfig": {"tracing": {"sampling": NEVER}}}
    mesh.install_istiod(never, sampling_percentage="null", activation="mesh")
    mesh.settle()
    assert mesh.count(REQUESTS, expected=ALL) == ALL
    mesh.envoy("gateway", tracing={"sampling": NEVER}).wait()
    assert mesh.count(REQUESTS, expected=0) == 0


def test_gci025_metrics_vanish_with_default_providers_in_values(mesh: Mesh) -> None:
    """The chart's own `metrics: [prometheus]` is there without them, and gone with them."""
    mesh.install_istiod(render=False)
    assert mesh.start().mesh()["defaultProviders"] == {"metrics": ["prometheus"]}
    values = {"extensionProviders": [OTLP], "defaultProviders": {"tracing": ["otel-tracing"]}}
    assert "GCI025" in rules({"meshConfig": values})
    mesh.install_istiod(values, render=False)
    assert mesh.start().mesh()["defaultProviders"] == {"tracing": ["otel-tracing"]}


def sidecar(*hosts: str) -> dict[str, Any]:
    """A Sidecar that has its proxy serve, and lets it see the backend and these hosts."""
    port = {"number": BACKEND_PORT, "protocol": "HTTP", "name": "http"}
    serve = {"port": port, "bind": SIDECAR, "captureMode": "NONE", "hosts": ["default/*"]}
    return made("networking.istio.io/v1", "Sidecar", "shop", {"egress": [serve, {"hosts": ["./*", *hosts]}]}, "default")


@pytest.fixture
def shop(mesh: Mesh) -> Mesh:
    """A mesh where every request is traced, whose namespace `shop` is looked at."""
    mesh.install_sensor(sampling_percentage="100")
    mesh.install_istiod(sampling_percentage="100")
    mesh.start()
    return mesh


def test_gci026_a_sidecar_hides_the_sensor(shop: Mesh, injection: Injection) -> None:
    """Spans of a proxy whose Sidecar names the sensor arrive; without it they are lost, and nothing is rejected."""
    injection.add(sidecar("groundcover/*"))
    shop.envoy("sidecar").wait()
    # A sidecar makes one span of a request, a gateway two.
    assert shop.count(REQUESTS, expected=REQUESTS, kind="sidecar") == REQUESTS
    assert "GCI026" not in rules(config_map(shop), sidecar("groundcover/*"))
    injection.add(sidecar())
    assert "GCI026" in rules(config_map(shop), sidecar())
    proxy = shop.envoy("sidecar")
    proxy.wait()
    assert shop.count(REQUESTS, expected=0, kind="sidecar") == 0
    assert proxy.rejected() == 0


@pytest.mark.parametrize("protocol", ["zipkin", "datadog"])
def test_gci026_a_sidecar_has_listeners_rejected(protocol: str, mesh: Mesh, injection: Injection) -> None:
    """With Zipkin and Datadog a proxy that starts anew gets no listener that serves: its Pod would not become ready."""
    mesh.install_sensor(sampling_percentage="100", protocol=protocol)
    mesh.install_istiod(sampling_percentage="100", protocol=protocol)
    mesh.start()
    injection.add(sidecar())
    assert "GCI026" in rules(config_map(mesh), sidecar())
    proxy = mesh.envoy("sidecar")
    rig.wait_for("a rejected listener", proxy.rejected)
    assert not proxy.serves()
    assert "unknown cluster" in proxy.process.log.read_text()


def test_gci029_a_sidecar_sends_nothing_to_a_headless_service(shop: Mesh, injection: Injection) -> None:
    """It is to forward to the original destination, and an export of its own has none."""
    injection.add(sidecar("groundcover/*"))
    injection.edit("Service", "groundcover-sensor", "groundcover", lambda found: found["spec"].update(clusterIP="None"))
    service = shop.cluster.get("service", "groundcover-sensor", "groundcover")
    assert "GCI029" in rules(config_map(shop), service)
    shop.envoy("sidecar").wait()
    assert shop.count(REQUESTS, expected=0, kind="sidecar") == 0


def test_gci030_a_proxy_in_front_of_the_sensor_traces_its_own_exports(shop: Mesh, injection: Injection) -> None:
    """One request, and exports make exports from then on."""
    injection.add(objects.service("loop", "groundcover", [{"name": "otlp-http", "port": 4318}]))
    injection.add(objects.endpoints("loop", "groundcover", GATEWAY, [("otlp-http", GATEWAY_PORT)]))
    (entry,) = [each for each in yaml.safe_load(config_map(shop)["data"]["mesh"])["extensionProviders"] if "opentelemetry" in each]  # fmt: skip
    entry["opentelemetry"]["service"] = "loop.groundcover.svc.cluster.local"
    injection.mesh(lambda config: config.update(extensionProviders=[entry]))
    shop.settle()
    assert shop.gateway.request() == "backend"
    seen = []
    for _ in range(3):
        time.sleep(4)
        seen.append(shop.gateway.requests())
    assert seen[2] - seen[1] >= 2
    assert seen[1] - seen[0] >= 2


def test_gci031_istiod_ends_over_a_tracer_that_is_gone(mesh: Mesh) -> None:
    """As soon as a proxy asks for its listeners, with a panic."""
    provider = {"name": "lightstep", "lightstep": {"service": HOST, "port": 4317, "accessToken": "none"}}
    values = {
        "extensionProviders": [provider],
        "defaultProviders": {"metrics": ["prometheus"], "tracing": ["lightstep"]},
    }
    assert "GCI031" in rules({"meshConfig": values})
    mesh.install_istiod(values, render=False)
    istiod = rig.Istiod(mesh.cluster)
    mesh.istiod = istiod
    mesh.envoy("gateway")
    assert istiod.process.process.wait(30) != 0
    assert "panic: " in istiod.process.log.read_text()


def test_zipkin_without_a_cluster_keeps_a_new_gateway_from_serving(shop: Mesh, injection: Injection) -> None:
    """Why the rules on hosts and ports are errors: a proxy that starts then has no listener."""
    injection.mesh(lambda config: config.update(extensionProviders=[{**ZIPKIN, "name": "otel-tracing", "zipkin": {"service": HOST, "port": 9412}}]))  # fmt: skip
    shop.settle()
    proxy = shop.envoy("gateway")
    rig.wait_for("a rejected listener", proxy.rejected)
    assert not proxy.serves()
