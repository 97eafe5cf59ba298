"""The claim of the project: the pasted snippet gives no spans, the same release through the post-renderer gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from . import rig
from .addresses import HOST, SPANS_PER_REQUEST

if TYPE_CHECKING:
    from .mesh import Mesh

REQUESTS = 20
ALL = REQUESTS * SPANS_PER_REQUEST
# As groundcover's page prints them, activated as a user would who knows that they have to be.
PASTED: dict[str, dict[str, Any]] = {
    "datadog": {
        "extensionProviders": [{"name": "datadog-tracing", "datadog": {"address": f"{HOST}:8126"}}],
        "defaultProviders": {"metrics": ["prometheus"], "tracing": ["datadog-tracing"]},
        "defaultConfig": {"tracing": {"sampling": 100}},
    },
    "otlp-http": {
        "extensionProviders": [
            {
                "name": "otel-tracing",
                "opentelemetry": {
                    "port": 4318,
                    "service": f"{HOST}:4318",
                    "http": {"path": "/v1/traces", "timeout": "5s"},
                },
            }
        ],
        "defaultProviders": {"metrics": ["prometheus"], "tracing": ["otel-tracing"]},
        "defaultConfig": {"tracing": {"sampling": 100}},
    },
}


@pytest.mark.parametrize("protocol", PASTED)
def test_the_snippet_as_printed_gives_nothing(protocol: str, mesh: Mesh) -> None:
    """The snippet of groundcover's page and nothing else: no span."""
    mesh.install_sensor("--set", "istio.enabled=false")
    mesh.install_istiod({"extensionProviders": PASTED[protocol]["extensionProviders"]}, render=False)
    mesh.start()
    assert mesh.count(REQUESTS, expected=0) == 0


@pytest.mark.parametrize("protocol", PASTED)
def test_the_snippet_gives_nothing_and_is_mended(protocol: str, mesh: Mesh) -> None:
    """No span with the snippet; upgraded through the post-renderer, every one, without a restart."""
    mesh.install_sensor(sampling_percentage="100")
    mesh.install_istiod(PASTED[protocol], render=False)
    mesh.start()
    assert mesh.count(REQUESTS, expected=0) == 0
    mesh.install_istiod(PASTED[protocol], protocol=protocol, sampling_percentage="100")
    mesh.settle()
    assert mesh.count(REQUESTS, expected=ALL) == ALL


@pytest.mark.parametrize("major", [3, 4])
@pytest.mark.parametrize("protocol", ["otlp-http", "otlp-grpc", "zipkin", "datadog"])
def test_spans_arrive(protocol: str, major: int, mesh: Mesh) -> None:
    """Istio's own istiod chart and ours, installed by real Helm through the post-renderer: by each protocol all spans arrive."""
    mesh.install_sensor(major=major, sampling_percentage="100", protocol=protocol)
    mesh.install_istiod(major=major, sampling_percentage="100", protocol=protocol)
    mesh.start()
    assert mesh.count(REQUESTS, expected=ALL) == ALL


def test_access_logs_arrive(mesh: Mesh) -> None:
    """Over OTLP/gRPC, beside the spans."""
    mesh.install_sensor("--set", "istio.accessLogs.enabled=true", sampling_percentage="100")
    mesh.install_istiod(sampling_percentage="100", access_logs="true")
    mesh.start()
    assert mesh.count(REQUESTS, expected=REQUESTS, logs=True) == REQUESTS


def test_sampling_changes_live_by_telemetry(mesh: Mesh) -> None:
    """An upgrade of the sensor's release alone changes what share of requests is traced, without a restart."""
    mesh.install_sensor(sampling_percentage="100")
    mesh.install_istiod(sampling_percentage="100")
    mesh.start()
    assert mesh.count(REQUESTS, expected=ALL) == ALL
    mesh.install_sensor("--set-json", "istio.tracing.samplingPercentage=0")
    mesh.settle()
    assert mesh.count(REQUESTS, expected=0) == 0


def test_a_shared_mesh_config(mesh: Mesh) -> None:
    """One release owns the whole integration: with the sensor's gone, istiod has nothing of it any more."""
    mesh.install_sensor("--set", "istio.meshConfig.mode=shared", sampling_percentage="100")
    mesh.install_istiod(mesh_config_mode="shared")
    deployment = mesh.cluster.get("deployment", "istiod", "istio-system")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    variables = {each["name"]: each.get("value", "") for each in container["env"]}
    mesh.start(SHARED_MESH_CONFIG=variables["SHARED_MESH_CONFIG"])
    assert mesh.count(REQUESTS, expected=ALL) == ALL
    assert mesh.istiod
    assert mesh.istiod.mesh()["defaultProviders"]["tracing"] == ["otel-tracing"]
    assert mesh.cluster.helm(3, "uninstall", "groundcover", "-n", "groundcover").returncode == 0
    rig.wait_for(
        "the mesh config without ours",
        lambda: "tracing" not in (mesh.istiod.mesh().get("defaultProviders") or {}) if mesh.istiod else False,
    )


@pytest.mark.parametrize("major", [3, 4])
def test_a_second_upgrade_changes_nothing(major: int, mesh: Mesh) -> None:
    """The same objects, to the generation."""
    mesh.install_sensor(major=major)
    mesh.install_istiod(major=major)
    before = [
        mesh.cluster.get("configmap", "istio", "istio-system"),
        mesh.cluster.get("telemetry", "groundcover-tracing", "istio-system"),
    ]
    mesh.install_sensor(major=major)
    mesh.install_istiod(major=major)
    after = [
        mesh.cluster.get("configmap", "istio", "istio-system"),
        mesh.cluster.get("telemetry", "groundcover-tracing", "istio-system"),
    ]
    assert [each["metadata"]["resourceVersion"] for each in after] == [
        each["metadata"]["resourceVersion"] for each in before
    ]
