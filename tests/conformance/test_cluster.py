"""What the API server accepts, what the two releases leave behind, and what doctor makes of the cluster."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from . import rig

if TYPE_CHECKING:
    from .mesh import Mesh

VALUES = sorted((rig.ROOT / "chart/ci").glob("*-values.yaml"))
# Their CRDs belong to operators that are not in the rig.
FOREIGN = ("ServiceMonitor", "PodMonitor", "VMServiceScrape", "VMPodScrape", "SecurityContextConstraints")


@pytest.mark.parametrize("values", VALUES, ids=[path.name.removesuffix("-values.yaml") for path in VALUES])
def test_the_api_server_accepts_every_object(values: Path, cluster: rig.Cluster) -> None:
    """Each set of values, rendered through the post-renderer: validated by a real API server, Telemetry by Istio's CRD."""
    command = ["template", "groundcover", str(rig.ROOT / "chart"), "-n", "groundcover", "--values", str(values)]
    # The rig's network has one family.
    command += (
        ["--set", "service.ipFamilyPolicy=,service.ipFamilies=null"] if "ipFamilies" in values.read_text() else []
    )
    done = cluster.helm(3, *command, render=True)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = [each for each in yaml.safe_load_all(done.stdout) if each]
    ours = [each for each in found if each["kind"] not in FOREIGN]
    assert len(ours) >= 6
    cluster.kubectl("apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump_all(ours))


def test_uninstalling_leaves_nothing(mesh: Mesh) -> None:
    """Rolled back and uninstalled, the two releases leave no object of ours."""
    mesh.install_sensor()
    mesh.install_istiod()
    mesh.install_sensor("--set", "env=other")
    assert mesh.cluster.helm(3, "rollback", "groundcover", "1", "-n", "groundcover").returncode == 0
    assert mesh.cluster.get("telemetry", "groundcover-tracing", "istio-system")["spec"]
    for release, namespace in (("groundcover", "groundcover"), ("istiod", "istio-system")):
        done = mesh.cluster.helm(3, "uninstall", release, "-n", namespace)
        assert done.returncode == 0, done.stderr
    for kind in ("telemetries.telemetry.istio.io", "configmaps", "services", "daemonsets"):
        left = json.loads(mesh.cluster.kubectl("get", kind, "-A", "-o", "json"))["items"]
        names = [each["metadata"]["name"] for each in left]
        assert [name for name in names if "groundcover" in name or name == "istio"] == []


def test_an_upgrade_without_the_flag_loses_the_patch(mesh: Mesh) -> None:
    """Helm stores nothing about a post-renderer: the mesh config is as the chart has it, and doctor says so."""
    mesh.install_sensor()
    mesh.install_istiod()
    mesh.install_istiod(render=False)
    text = mesh.cluster.get("configmap", "istio", "istio-system")["data"]["mesh"]
    assert "extensionProviders" not in yaml.safe_load(text)
    code, items = doctor(mesh.cluster)
    assert code == 1
    codes = {item["code"]: item["message"] for item in items if item["status"] != "ok"}
    assert "release-lost" in codes, codes


@pytest.mark.parametrize("protocol", ["otlp-http", "otlp-grpc", "zipkin", "datadog"])
def test_doctor_finds_all_in_order(protocol: str, mesh: Mesh) -> None:
    """On the real API server, after both releases; Datadog's tracer sends all spans whatever the sampling."""
    mesh.install_sensor(protocol=protocol)
    mesh.install_istiod(protocol=protocol)
    _, items = doctor(mesh.cluster)
    warnings = [item["code"] for item in items if item["status"] != "ok"]
    assert warnings == (["sampling-datadog"] if protocol == "datadog" else [])


def doctor(cluster: rig.Cluster) -> tuple[int, list[dict[str, Any]]]:
    """What `groundcover-istio doctor` says of the cluster."""
    path = f"{Path(cluster.parts['kubectl']).parent}:/usr/bin:/bin"
    command = [str(rig.TOOL), "doctor", "--kubeconfig", str(cluster.kubeconfig), "--format", "json"]
    done = subprocess.run(
        command, env={"PATH": path, "HOME": str(cluster.folder)}, capture_output=True, text=True, check=False
    )
    (context,) = json.loads(done.stdout)["contexts"]
    return done.returncode, list(context["items"])
