"""The carriers of a mesh config: by each of them istiod has in memory what the post-renderer planned, and spans arrive."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from . import rig
from .addresses import SPANS_PER_REQUEST

if TYPE_CHECKING:
    from pathlib import Path

    from .mesh import Mesh

REQUESTS: Final = 10
ALL: Final = REQUESTS * SPANS_PER_REQUEST
OPERATOR: Final = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata:
  name: mesh
  namespace: istio-system
spec:
  profile: minimal # no gateways
  meshConfig:
    enableAutoMtls: false
"""
SAIL: Final = """\
apiVersion: sailoperator.io/v1
kind: Istio
metadata:
  name: default
spec:
  version: v1.31.0
  namespace: istio-system
  values:
    meshConfig:
      enableAutoMtls: false
"""


def run(*command: str, stdin: str = "") -> str:
    """The output of the tool or of istioctl."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def with_ours(how: str, kind: str, text: str, path: Path) -> str:
    """A carrier with our provider in it: post-rendered in a pipe (`render`), or edited in place (`export`)."""
    if how == "render":
        return run(str(rig.TOOL), stdin=text)
    path.write_text(text)
    run(str(rig.TOOL), "export", kind, "--into", str(path))
    return path.read_text()


def by_the_post_renderer(mesh: Mesh) -> dict[str, Any]:
    """What istiod has in memory after Helm and the post-renderer."""
    mesh.install_sensor(sampling_percentage="100")
    mesh.install_istiod()
    return mesh.start().mesh()


def generated(mesh: Mesh, operator: str) -> dict[str, Any]:
    """The ConfigMap with the mesh config that istioctl makes of an IstioOperator."""
    manifest = run(mesh.cluster.parts["istioctl"], "manifest", "generate", "-f", "-", stdin=operator)
    return next(
        each
        for each in yaml.safe_load_all(manifest)
        if each and each["kind"] == "ConfigMap" and each["metadata"]["name"] == "istio"
    )


def of_the_operator(mesh: Mesh, operator: str) -> dict[str, Any]:
    """What istiod has in memory of the mesh config that istioctl makes of an IstioOperator."""
    mesh.cluster.apply(generated(mesh, operator))
    mesh.facts["carrier"] = "IstioOperator, by istioctl"
    return mesh.start().mesh()


@pytest.mark.parametrize("how", ["render", "export"])
def test_an_istio_operator(how: str, mesh: Mesh) -> None:
    """Patched in a pipe or edited in place, istioctl makes the same mesh config of it as Helm does."""
    planned = by_the_post_renderer(mesh)
    operator = with_ours(how, "istio-operator", OPERATOR, mesh.cluster.folder / "operator.yaml")
    assert of_the_operator(mesh, operator) == planned
    assert mesh.count(REQUESTS, expected=ALL) == ALL


@pytest.mark.parametrize(
    "values",
    [
        pytest.param("{}", id="metrics as by default"),
        pytest.param("{telemetry: {enabled: false}}", id="no telemetry"),
        pytest.param("{telemetry: {v2: {enabled: false}}}", id="no telemetry of v2"),
        pytest.param("{telemetry: {v2: {prometheus: {enabled: false}}}}", id="no prometheus"),
        pytest.param("{telemetry: {v2: {stackdriver: {enabled: true}}}}", id="stackdriver beside prometheus"),
        pytest.param("{meshConfig: {defaultProviders: {metrics: [prometheus]}}}", id="said in spec.values.meshConfig"),
    ],
)
def test_default_providers_of_an_istio_operator_are_kept(values: str, mesh: Mesh) -> None:
    """What istioctl makes of it names the same default providers as before, and ours."""
    operator = f"{OPERATOR}  values: {values}\n"
    before, after = (
        yaml.safe_load(generated(mesh, each)["data"]["mesh"]).get("defaultProviders", {})
        for each in (operator, run(str(rig.TOOL), stdin=operator))
    )
    assert after == {**before, "tracing": ["otel-tracing"]}


def test_exported_values(mesh: Mesh) -> None:
    """Values of the istiod chart, exported and given to Helm without the post-renderer."""
    planned = by_the_post_renderer(mesh)
    exported = mesh.cluster.folder / "exported.yaml"
    exported.write_text(run(str(rig.TOOL), "export", "istiod-values"))
    mesh.install_istiod(None, "--values", str(exported), render=False)
    mesh.facts["carrier"] = "exported values, by Helm"
    assert mesh.start().mesh() == planned
    assert [each["name"] for each in planned["extensionProviders"]] == ["prometheus", "stackdriver", "envoy", "otel-tracing"]  # fmt: skip
    assert mesh.count(REQUESTS, expected=ALL) == ALL


@pytest.mark.parametrize("how", ["render", "export"])
def test_the_values_of_sail(how: str, mesh: Mesh) -> None:
    """Sail gives `spec.values` to Istio's own chart, as Helm does here."""
    planned = by_the_post_renderer(mesh)
    text = with_ours(how, "sail", SAIL, mesh.cluster.folder / "sail.yaml")
    values = mesh.cluster.folder / "sail-values.yaml"
    values.write_text(json.dumps(yaml.safe_load(text)["spec"]["values"]))
    mesh.install_istiod(None, "--values", str(values), render=False)
    mesh.facts["carrier"] = "Sail's values, by Helm"
    assert mesh.start().mesh() == planned
    assert mesh.count(REQUESTS, expected=ALL) == ALL


def test_an_exported_shared_mesh_config(mesh: Mesh) -> None:
    """A ConfigMap of its own that istiod reads beside an untouched one; in memory they are one."""
    planned = by_the_post_renderer(mesh)
    mesh.install_istiod(render=False)
    shared = yaml.safe_load(run(str(rig.TOOL), "export", "shared-mesh-config"))
    mesh.cluster.apply(shared)
    mesh.facts["carrier"] = "shared mesh config, exported"
    found = mesh.start(SHARED_MESH_CONFIG=shared["metadata"]["name"]).mesh()
    assert found["extensionProviders"] == planned["extensionProviders"]
    assert found["defaultProviders"] == planned["defaultProviders"]
    assert mesh.count(REQUESTS, expected=ALL) == ALL
    mesh.cluster.kubectl("delete", "configmap", shared["metadata"]["name"], "-n", "istio-system")


def test_the_shared_mesh_config_of_aks(mesh: Mesh) -> None:
    """The ConfigMap that AKS lets its users write, post-rendered in a pipe."""
    planned = by_the_post_renderer(mesh)
    mesh.install_istiod(render=False)
    name = "istio-shared-configmap-asm-1-31"
    metadata = {"name": name, "namespace": "istio-system"}
    empty = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {"mesh": "accessLogEncoding: JSON\n"},
    }
    mesh.cluster.apply(yaml.safe_load(run(str(rig.TOOL), stdin=yaml.safe_dump(empty))))
    mesh.facts["carrier"] = "shared mesh config of AKS"
    found = mesh.start(SHARED_MESH_CONFIG=name).mesh()
    assert found["accessLogEncoding"] == "JSON"
    assert found["extensionProviders"] == planned["extensionProviders"]
    assert mesh.count(REQUESTS, expected=ALL) == ALL
    mesh.cluster.kubectl("delete", "configmap", name, "-n", "istio-system")
