"""What the API server accepts, what the two releases leave behind, and what doctor makes of the cluster."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from . import rig
from .callers import doctor

if TYPE_CHECKING:
    from pathlib import Path

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


@pytest.mark.parametrize("major", [3, 4])
def test_uninstalling_leaves_nothing(major: int, mesh: Mesh) -> None:
    """Rolled back and uninstalled, the two releases leave no object of ours."""
    mesh.install_sensor(major=major)
    mesh.install_istiod(major=major)
    mesh.install_sensor("--set", "env=other", major=major)
    assert mesh.cluster.helm(major, "rollback", "groundcover", "1", "-n", "groundcover").returncode == 0
    assert mesh.cluster.get("telemetry", "groundcover-tracing", "istio-system")["spec"]
    for release, namespace in (("groundcover", "groundcover"), ("istiod", "istio-system")):
        done = mesh.cluster.helm(major, "uninstall", release, "-n", namespace)
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


def test_the_releases_never_fight(mesh: Mesh) -> None:
    """No object is in both, and neither's upgrade touches what is the other's."""
    mesh.install_sensor("--set", "istio.accessLogs.enabled=true")
    mesh.install_istiod(access_logs="true")
    releases = (("groundcover", "groundcover"), ("istiod", "istio-system"))
    sensor, istiod = (_objects(mesh.cluster, release, namespace) for release, namespace in releases)
    assert sensor & istiod == set()
    before = _versions(mesh.cluster, istiod)
    mesh.install_sensor("--set", "istio.accessLogs.enabled=true,env=other")
    assert _versions(mesh.cluster, istiod) == before
    before = _versions(mesh.cluster, sensor)
    mesh.install_istiod({"accessLogEncoding": "JSON"}, access_logs="true")
    assert _versions(mesh.cluster, sensor) == before


def _objects(cluster: rig.Cluster, release: str, namespace: str) -> set[tuple[str, str, str]]:
    """Kind, namespace and name of all that a release holds."""
    manifest = cluster.helm(3, "get", "manifest", release, "-n", namespace).stdout
    return {
        (each["kind"], each["metadata"].get("namespace", namespace), each["metadata"]["name"])
        for each in yaml.safe_load_all(manifest)
        if each
    }


def _versions(cluster: rig.Cluster, objects: set[tuple[str, str, str]]) -> dict[tuple[str, str, str], str]:
    """Which version of each the API server has."""
    return {
        each: cluster.get(each[0], each[2], each[1])["metadata"]["resourceVersion"]
        for each in objects
        # The rig deletes webhooks; nobody serves them.
        if "Webhook" not in each[0]
    }


def test_doctor_compares_with_the_release(mesh: Mesh) -> None:
    """A mesh config that no release of Helm's holds, and a release that can't be read, are named."""
    mesh.install_sensor()
    mesh.install_istiod(render=False)
    found = json.dumps(mesh.cluster.get("configmap", "istio", "istio-system"))
    by_hand = subprocess.run([rig.TOOL], input=found, capture_output=True, text=True, check=True).stdout
    mesh.cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=_without_version(by_hand))
    assert [item["code"] for item in doctor(mesh.cluster)[1] if item["status"] != "ok"] == ["release-differs"]
    secrets = mesh.cluster.kubectl("get", "secret", "-n", "istio-system", "-l", "owner=helm,name=istiod", "-o", "name")
    for secret in secrets.split():
        mesh.cluster.kubectl("patch", secret, "-n", "istio-system", "-p", '{"data": {"release": "bm9uZQ=="}}')
    assert [item["code"] for item in doctor(mesh.cluster)[1] if item["status"] != "ok"] == ["release-unread"]
    for secret in secrets.split():
        mesh.cluster.kubectl("delete", secret, "-n", "istio-system")
    mesh.cluster.kubectl("delete", "all,configmap,serviceaccount,role,rolebinding,pdb", "-n", "istio-system", "--selector", "release=istiod")  # fmt: skip
    mesh.cluster.kubectl("delete", "clusterrole,clusterrolebinding", "--selector", "release=istiod")


def _without_version(text: str) -> str:
    """The object to apply: what the API server wrote into it stays out."""
    found: dict[str, Any] = json.loads(text)
    found["metadata"] = {key: found["metadata"][key] for key in ("name", "namespace", "labels")}
    return json.dumps(found)


@pytest.mark.parametrize("protocol", ["otlp-http", "otlp-grpc", "zipkin", "datadog"])
def test_doctor_finds_all_in_order(protocol: str, mesh: Mesh) -> None:
    """On the real API server, after both releases; Datadog's tracer sends all spans whatever the sampling."""
    mesh.install_sensor(protocol=protocol)
    mesh.install_istiod(protocol=protocol)
    _, items = doctor(mesh.cluster)
    warnings = [item["code"] for item in items if item["status"] != "ok"]
    assert warnings == (["sampling-datadog"] if protocol == "datadog" else [])
