"""What turns the provider on, in which order releases may come, and what istiod has in memory then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from .addresses import HOST, SPANS_PER_REQUEST

if TYPE_CHECKING:
    from .mesh import Mesh

REQUESTS = 10
ALL = REQUESTS * SPANS_PER_REQUEST
# A tracer of the user's own, before anything of ours.
OWN: dict[str, Any] = {
    "extensionProviders": [{"name": "own", "zipkin": {"service": HOST, "port": 9411}}],
    "defaultProviders": {"metrics": ["prometheus"], "tracing": ["own"]},
    "defaultConfig": {"tracing": {"sampling": 100}},
}


@pytest.mark.parametrize(("activation", "spans"), [("mesh", ALL), ("telemetry", ALL), ("none", 0)])
def test_activation(activation: str, spans: int, mesh: Mesh) -> None:
    """By the mesh config or by a Telemetry all spans arrive; by neither, none."""
    mesh.install_sensor(activation=activation, sampling_percentage="100")
    mesh.install_istiod(activation=activation, sampling_percentage="100")
    mesh.start()
    assert mesh.count(REQUESTS, expected=spans) == spans


def test_istiod_first(mesh: Mesh) -> None:
    """The order of the two releases does not matter, nor that the mesh already runs."""
    mesh.install_istiod(sampling_percentage="100")
    mesh.start()
    mesh.install_sensor(sampling_percentage="100")
    mesh.settle()
    assert mesh.count(REQUESTS, expected=ALL) == ALL


def test_a_revision_alone(mesh: Mesh) -> None:
    """One revision is patched; the tracer of the other's mesh config keeps working, and each has its own."""
    mesh.install_sensor(sampling_percentage="100")
    mesh.install_istiod(OWN, render=False)
    mesh.install_istiod(None, "--set", "revision=canary", release="istiod-canary", sampling_percentage="100")
    for revision, tracer in (("default", "own"), ("canary", "otel-tracing")):
        istiod = mesh.start(REVISION=revision)
        assert istiod.mesh()["defaultProviders"]["tracing"] == [tracer]
        assert mesh.count(REQUESTS, expected=ALL) == ALL


def test_two_revisions_with_a_telemetry_each(mesh: Mesh) -> None:
    """The releases of two revisions install side by side, and the old one's end takes nothing from the new one."""
    mesh.install_sensor(activation="telemetry", sampling_percentage="100")
    for release, *arguments in (("istiod",), ("istiod-canary", "--set", "revision=canary")):
        mesh.install_istiod(None, *arguments, release=release, activation="telemetry", sampling_percentage="100")
    for revision in ("default", "canary"):
        mesh.start(REVISION=revision)
        assert mesh.count(REQUESTS, expected=ALL) == ALL
    assert mesh.cluster.helm(3, "uninstall", "istiod", "-n", "istio-system").returncode == 0
    mesh.settle()
    assert mesh.count(REQUESTS, expected=ALL) == ALL


@pytest.mark.parametrize("profile", ["demo", "ambient", "stable"])
def test_istiod_has_what_was_planned(profile: str, mesh: Mesh) -> None:
    """In memory as in the ConfigMap: no type error has it discarded, no field is dropped."""
    # The demo profile has an otel-tracing of its own, to a collector that is not the sensor.
    mesh.install_istiod(None, "--set", f"profile={profile}", provider_name="groundcover", activation="mesh")
    planned = yaml.safe_load(mesh.cluster.get("configmap", "istio", "istio-system")["data"]["mesh"])
    memory = mesh.start().mesh()
    named = {each["name"]: each for each in memory["extensionProviders"]}
    assert "groundcover" in named
    assert [named[each["name"]] for each in planned["extensionProviders"]] == planned["extensionProviders"]
    assert memory["defaultProviders"] == planned["defaultProviders"]
