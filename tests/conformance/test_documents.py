"""The commands that README, the chart's README and its NOTES print, run as they stand there."""

from __future__ import annotations

import functools
import http.server
import os
import re
import subprocess
import threading
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest
import yaml

from . import rig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .mesh import Mesh

PAGES: Final = ("README.md", "chart/README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/helm.md", "docs/settings.md")
# What can't run here, and why not.
EXCUSED: Final = {
    r"make (demo|test|bench .*)": "continuous integration runs it before this",
    r"make conformance": "it is what runs this",
    r"pipx install \.": "the rig reaches no package registry",
    r"kubectl .* logs ": "no kubelet has logs",
    r"helm .* test ": "no kubelet runs the test's Pod",
}
# `diff` says by its exit code whether anything would change.
CHANGES: Final = re.compile(r"\| groundcover-istio diff\b")


class Reader(NamedTuple):
    """Someone with a shell, a cluster, Istio's chart repository and one Helm."""

    folder: Path
    environment: dict[str, str]

    def run(self, command: str) -> None:
        """Run a command, unless it is excused."""
        if any(re.match(pattern, command) for pattern in EXCUSED):
            return
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert done.returncode == bool(CHANGES.search(command)), f"{command}\n{done.stdout}\n{done.stderr}"


def commands(text: str) -> list[str]:
    """The commands of a block: a line each, longer ones with a backslash, comments left out."""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    found = (re.sub(r"\s+#.*", "", line).strip() for line in lines)
    return [line for line in found if line and not line.startswith("#")]


def blocks(page: str) -> list[str]:
    """The shell blocks of a page."""
    path = rig.ROOT / page
    return re.findall(r"```sh\n(.*?)```", path.read_text(), re.DOTALL) if path.exists() else []


@pytest.fixture
def repository(mesh: Mesh, tmp_path: Path) -> Iterator[str]:
    """Istio's chart repository."""
    helm = mesh.cluster.parts["helm3"]
    folder = tmp_path / "repository"
    subprocess.run(
        [helm, "package", f"{mesh.cluster.parts['charts']}/istiod", "-d", folder], check=True, capture_output=True
    )
    subprocess.run([helm, "repo", "index", folder], check=True, capture_output=True)
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def reader(mesh: Mesh, major: int, repository: str, folder: Path) -> Reader:
    """Someone in a checkout, with one Helm."""
    programs = folder / "bin"
    programs.mkdir()
    for name, target in (("helm", mesh.cluster.parts[f"helm{major}"]), ("kubectl", mesh.cluster.parts["kubectl"]), ("groundcover-istio", str(rig.TOOL))):  # fmt: skip
        (programs / name).symlink_to(target)
    (folder / "chart").symlink_to(rig.ROOT / "chart")
    environment = mesh.cluster.environment(major) | {"PATH": f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin"}
    made = Reader(folder, environment)
    made.run(f"helm repo add --force-update istio {repository}")
    made.run("helm repo update")
    return made


@pytest.mark.parametrize("major", [3, 4])
def test_the_blocks_of_the_pages(major: int, mesh: Mesh, repository: str, tmp_path: Path) -> None:
    """One after the other they work, each Helm with its own; the mesh config has the provider then."""
    user = reader(mesh, major, repository, tmp_path)
    mesh.install_istiod(render=False, major=major)
    seen = 0
    for page in PAGES:
        for block in blocks(page):
            found = commands(block)
            # The quick start is there for Helm 3, for Helm 4, and in the chart's README.
            if any("helm install groundcover" in command for command in found) and page == "README.md":
                first = "groundcover-istio install-plugin"
                if (major == 4) != (first in found):
                    continue
            if any("helm install groundcover" in command for command in found):
                mesh.cluster.helm(major, "uninstall", "groundcover", "-n", "groundcover", "--ignore-not-found")
            for command in found:
                user.run(command.replace("<ingestion key of type Sensor>", "INGESTION_KEY"))
                seen += 1
    assert seen >= 10
    config = yaml.safe_load(mesh.cluster.get("configmap", "istio", "istio-system")["data"]["mesh"])
    assert [each["name"] for each in config["extensionProviders"]] == ["otel-tracing"]


@pytest.mark.parametrize("major", [3, 4])
def test_the_commands_of_the_notes(major: int, mesh: Mesh, repository: str, tmp_path: Path) -> None:
    """What Helm prints after an installation works as printed."""
    user = reader(mesh, major, repository, tmp_path)
    mesh.install_istiod(render=False, major=major)
    mesh.install_sensor("--set", "tests.enabled=true", major=major)
    ready = dict.fromkeys(("desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled", "numberReady", "numberAvailable"), 1)  # fmt: skip
    generation = mesh.cluster.get("daemonset", "groundcover-sensor", "groundcover")["metadata"]["generation"]
    mesh.cluster.status("daemonset", "groundcover-sensor", "groundcover", {**ready, "numberMisscheduled": 0, "observedGeneration": generation})  # fmt: skip
    notes = mesh.cluster.helm(major, "get", "notes", "groundcover", "-n", "groundcover").stdout
    found = [each for each in commands(notes) if re.match(r"(kubectl|helm|groundcover-istio|[A-Z_]+=\S+ )", each)]
    assert len(found) >= 8
    for command in found:
        if (major, command) != (3, "groundcover-istio install-plugin"):
            user.run(command)
    config = yaml.safe_load(mesh.cluster.get("configmap", "istio", "istio-system")["data"]["mesh"])
    assert [each["name"] for each in config["extensionProviders"]] == ["otel-tracing"]


def test_every_excuse_is_needed() -> None:
    """What is left out stands on a page or in the NOTES."""
    found = [command for page in PAGES for block in blocks(page) for command in commands(block)]
    found += commands((rig.ROOT / "chart/templates/NOTES.txt").read_text())
    for pattern in EXCUSED:
        assert any(re.match(pattern, command) for command in found), pattern
