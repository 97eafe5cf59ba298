"""`make demo`: real Helm, our chart and an istiod release, through the post-renderer; no cluster.

Prints what changes, what was decided and what share of requests would be stored.
"""

from __future__ import annotations

import difflib
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

import helm_binaries

ROOT = Path(__file__).resolve().parent.parent
TOOL = Path(sys.executable).with_name("groundcover-istio")
SENSOR = ["groundcover", "chart", "--namespace", "groundcover", "--set", "clusterId=demo"]
SENSOR += ["--set", "ingestion.site=acme.platform.grcv.io", "--set-string", "token=not-a-real-one"]
ISTIOD = ["istiod", "tests/charts/istiod", "--namespace", "istio-system"]
# What the vendor's page tells users to paste, as Helm values of istiod.
PASTED = """\
meshConfig:
  enableTracing: true
  extensionProviders:
  - name: otel-tracing
    opentelemetry:
      port: 4318
      service: groundcover-sensor.groundcover.svc.cluster.local:4318
      http:
        path: /v1/traces
        timeout: 5s
"""


class Demo:
    """The steps of the demonstration, in a scratch folder."""

    def __init__(self, scratch: Path) -> None:
        """Fetch Helm where it is not cached, and give it a home of its own."""
        self.scratch = scratch
        self.color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        folders = {f"HELM_{kind}_HOME": str(scratch / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
        inherited = {
            key: value for key, value in os.environ.items() if not key.startswith(("HELM_", "GROUNDCOVER_ISTIO_"))
        }
        self.environment = {**inherited, **folders}

    def heading(self, text: str) -> None:
        """A title."""
        print(f"\n\033[1m== {text}\033[0m" if self.color else f"\n== {text}")

    def helm(self, version: str, arguments: list[str], *, renderer: str = "", **environment: str) -> str:
        """The output of `helm template`; with a renderer the command is shown."""
        command = [str(helm_binaries.helm(version)), "template", *arguments]
        if renderer:
            command += ["--post-renderer", renderer]
            self.say(arguments, environment)
        everything = {**self.environment, **environment}
        done = subprocess.run(command, cwd=ROOT, env=everything, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"demo: helm {version} failed: {done.stderr.strip()}")
        return done.stdout

    def say(self, arguments: list[str], environment: dict[str, str]) -> None:
        """The command as a user would type it."""
        words = ["helm", "template", *arguments, "--post-renderer", "groundcover-istio"]
        settings = [f"{key}={value}" for key, value in environment.items() if not key.endswith("_REPORT")]
        command = " ".join(
            [*settings, *("token=…" if word.startswith("token=") else shlex.quote(word) for word in words)]
        )
        print("$ " + command.replace(f"{self.scratch}/", ""))

    def show(self, before: str, after: str, report: str) -> None:
        """The difference, then the decisions."""
        colors = {"+": "32", "-": "31", "@": "36"}
        for line in difflib.unified_diff(
            before.splitlines(), after.splitlines(), "rendered", "post-rendered", lineterm="", n=2
        ):
            code = colors.get(line[0]) if self.color else None
            print(f"\033[{code}m{line}\033[0m" if code else line)
        print()
        for line in report.splitlines():
            print(f"  {line}")

    def step(self, title: str, arguments: list[str], **environment: str) -> str:
        """One release under Helm 3, with and without the post-renderer; returns what came out."""
        self.heading(title)
        report = self.scratch / "report.txt"
        before = self.helm("3.17.3", arguments)
        after = self.helm("3.17.3", arguments, renderer=str(TOOL), **environment, GROUNDCOVER_ISTIO_REPORT=str(report))
        self.show(before, after, report.read_text())
        return after

    def run(self) -> None:
        """All steps."""
        sensor = self.step("1. The sensor's release, Helm 3: one Telemetry is added", SENSOR)
        manifest = self.scratch / "groundcover.yaml"
        manifest.write_text(sensor)
        istiod = self.step(
            "2. istiod's release, Helm 3, with the settings of the sensor's release: the mesh config is patched",
            ISTIOD,
            GROUNDCOVER_ISTIO_CONFIG=str(manifest),
        )
        pasted = self.scratch / "pasted.yaml"
        pasted.write_text(PASTED)
        self.step(
            "3. istiod with the snippet of groundcover's page in its values, which gives no spans: it is mended",
            [*ISTIOD, "--values", str(pasted)],
        )
        self.heading("4. Helm 4, where the post-renderer is a plugin: the same mesh config")
        command = [str(TOOL), "install-plugin", "--helm", str(helm_binaries.helm("4.3.1"))]
        command += ["--directory", str(self.scratch / "plugins")]
        subprocess.run(command, env=self.environment, capture_output=True, check=True)
        plugins = {"HELM_PLUGINS": str(self.scratch / "plugins")}
        self.environment |= plugins
        rendered = self.helm("4.3.1", ISTIOD, renderer="groundcover-istio", GROUNDCOVER_ISTIO_CONFIG=str(manifest))
        same = mesh_config(rendered) == mesh_config(istiod)
        print(f"\n  the mesh configs of Helm 3 and Helm 4 {'are equal' if same else 'DIFFER'}")
        if not same:
            sys.exit("demo: that is a mistake; please report it")


def mesh_config(rendered: str) -> object:
    """The mesh config in an istiod release."""
    for document in yaml.safe_load_all(rendered):
        if document and (document["kind"], document["metadata"]["name"]) == ("ConfigMap", "istio"):
            return yaml.safe_load(document["data"]["mesh"])
    sys.exit("demo: no mesh config in istiod's release")


if __name__ == "__main__":
    try:
        with tempfile.TemporaryDirectory(prefix="groundcover-istio-") as folder:
            Demo(Path(folder)).run()
    except helm_binaries.UnavailableError as error:
        sys.exit(f"demo: {error}")
