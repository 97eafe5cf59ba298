"""The commands that `make bench` compares, and that each makes the edit it is timed for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

import environments
import helm_binaries
from bench_measure import FailedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench_inputs import Input
    from bench_measure import Stopwatch

ROOT = Path(__file__).resolve().parent.parent
RENDER: Final = "groundcover-istio"
YQ: Final = "yq"
KUSTOMIZE: Final = "kubectl kustomize"
RUAMEL: Final = "ruamel.yaml"
CAT: Final = "cat"
PEERS: Final = (YQ, KUSTOMIZE, RUAMEL, CAT)
EMPTY: Final = "python -c pass"
ALONE: Final = "helm template"
THROUGH: Final = "with the post-renderer"
THROUGH_CAT: Final = "with cat as the post-renderer"
THROUGH_PYTHON: Final = "with a Python that only copies"
EMPTY_CHART: Final = "a chart of one ConfigMap"
YQ_MODULE: Final = "github.com/mikefarah/yq/v4@v4.54.2"
HOST: Final = "groundcover-sensor.groundcover.svc.cluster.local"
EXPRESSION: Final = f"""\
(select(.kind == "ConfigMap" and .metadata.name == "istio") | .data.mesh) |= (from_yaml
  | .enableTracing = true
  | .defaultConfig.tracing.sampling = 1
  | .defaultProviders.tracing = ["otel-tracing"]
  | .extensionProviders += [{{"name": "otel-tracing", "opentelemetry": {{
      "service": "{HOST}", "port": 4318, "http": {{"path": "/v1/traces", "timeout": "5s"}}}}}}]
  | to_yaml)
"""
RUAMEL_SCRIPT: Final = f"""\
import io, sys
from ruamel.yaml import YAML
yaml = YAML()
yaml.preserve_quotes = True
yaml.width = 100000
documents = list(yaml.load_all(sys.stdin))
for document in documents:
    if document and document["kind"] == "ConfigMap" and document["metadata"]["name"] == "istio":
        mesh = yaml.load(document["data"]["mesh"])
        mesh["enableTracing"] = True
        mesh.setdefault("defaultConfig", {{}}).setdefault("tracing", {{}})["sampling"] = 1
        mesh.setdefault("defaultProviders", {{}})["tracing"] = ["otel-tracing"]
        mesh.setdefault("extensionProviders", []).append({{
            "name": "otel-tracing",
            "opentelemetry": {{"service": "{HOST}", "port": 4318, "http": {{"path": "/v1/traces", "timeout": "5s"}}}},
        }})
        text = io.StringIO()
        yaml.dump(mesh, text)
        document["data"]["mesh"] = text.getvalue()
yaml.dump_all(documents, sys.stdout)
"""
# The largest inputs, in bytes, on which it is no matter of minutes to wait for a peer.
PATIENCE: Final = {YQ: 30_000_000, KUSTOMIZE: 1_500_000, RUAMEL: 200_000}
READ_WHOLE: Final = 1_500_000


class Peers:
    """The commands, made ready in a folder."""

    def __init__(self, folder: Path) -> None:
        """Install the tool as users do, build yq where it is not cached, write the scripts."""
        self.folder = folder
        self.python = install(folder / "venv")
        self.render = self.python.with_name("groundcover-istio")
        self.yq = yq()
        self.kubectl = helm_binaries.kubectl()
        (folder / "edit.yq").write_text(EXPRESSION)
        (folder / "edit.py").write_text(RUAMEL_SCRIPT)

    def of(self, given: Input, stopwatch: Stopwatch, peers: Sequence[str]) -> dict[str, list[str]]:
        """Ours and the commands of those peers that can do an input, by name, each checked to make the edit."""
        commands = {
            RENDER: [str(self.render)],
            YQ: [str(self.yq), "--from-file", str(self.folder / "edit.yq")],
            KUSTOMIZE: [str(self.kubectl), "kustomize", str(self.folder / given.path.stem)],
            RUAMEL: [sys.executable, str(self.folder / "edit.py")],
            CAT: [shutil.which("cat") or "cat"],
        }
        names = [name for name in commands if name == RENDER or name in peers]
        names = [name for name in names if given.size <= PATIENCE.get(name, given.size)]
        if given.edited and KUSTOMIZE in names:
            self._kustomization(given, stopwatch)
        if not given.edited:
            names = [name for name in names if name != KUSTOMIZE and (name != YQ or not given.added)]
        for name in names:
            self._check(name, commands[name], given, stopwatch)
        return {name: commands[name] for name in names}

    def _kustomization(self, given: Input, stopwatch: Stopwatch) -> None:
        """A patch that sets the whole text of the mesh config: kustomize knows no YAML inside YAML."""
        folder = self.folder / given.path.stem
        folder.mkdir(exist_ok=True)
        shutil.copyfile(given.path, folder / "stream.yaml")
        stopwatch.run([str(self.render)], given.path, folder / "edited")
        text = mesh_text((folder / "edited").read_bytes())
        patch = {"op": "replace", "path": "/data/mesh", "value": text}
        target = {"kind": "ConfigMap", "name": "istio"}
        patches = [{"target": target, "patch": yaml.safe_dump([patch])}]
        (folder / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["stream.yaml"], "patches": patches}))

    def _check(self, name: str, command: list[str], given: Input, stopwatch: Stopwatch) -> None:
        output = self.folder / "output"
        stopwatch.run(command, given.path, output)
        written = output.read_bytes()
        if name == CAT or not (given.edited or given.added):
            good = written == given.path.read_bytes() or name not in (CAT, RENDER)
        elif given.added:
            good = b"kind: Telemetry" in written or name != RENDER
        elif given.size <= READ_WHOLE:
            mesh = yaml.load(mesh_text(written), yaml.CSafeLoader)
            good = is_edited(mesh)
        else:
            good = HOST.encode() in written and b"enableTracing: true" in written
        if not good:
            raise FailedError(f"{name} does not make the edit of {given.name}")


def starts(python: Path) -> dict[str, list[str]]:
    """An interpreter that does nothing, and one each that imports what a run needs, or would."""
    compile_ = "from groundcover_istio.patterns import pattern; pattern('x').match"
    imports = {
        EMPTY: "pass",
        "a pattern, compiled without `re`": compile_,
        "the same and PyYAML's parser in C": f"{compile_}; import groundcover_istio.libyaml",
        "the same and `groundcover_istio.commands.render`": f"{compile_}; import groundcover_istio.commands.render",
        "`import re`": "import re",
        "`import yaml`": "import yaml",
        "`import argparse`": "import argparse",
    }
    return {name: [str(python), "-c", code] for name, code in imports.items()}


def mesh_text(stream: bytes) -> str:
    """The text of the mesh config in a stream."""
    position = stream.find(b"\n  mesh: ")
    while position >= 0:
        start, end = stream.rfind(b"\n---", 0, position), stream.find(b"\n---", position)
        document: Any = yaml.load(stream[start + 4 if start >= 0 else 0 : end if end >= 0 else None], yaml.CSafeLoader)
        if (document["kind"], document["metadata"]["name"]) == ("ConfigMap", "istio"):
            return str(document["data"]["mesh"])
        position = stream.find(b"\n  mesh: ", position + 1)
    raise FailedError("no mesh config in the output")


def is_edited(mesh: dict[str, Any]) -> bool:
    """Whether a mesh config says all that is to be said."""
    provider = {"service": HOST, "port": 4318, "http": {"path": "/v1/traces", "timeout": "5s"}}
    return (
        mesh["enableTracing"] is True
        and mesh["defaultConfig"]["tracing"]["sampling"] == 1
        and mesh["defaultProviders"]["tracing"] == ["otel-tracing"]
        and {"name": "otel-tracing", "opentelemetry": provider} in mesh["extensionProviders"]
    )


def install(venv: Path) -> Path:
    """The tool in an environment of its own, as pip leaves it at a user's; returns its interpreter."""
    quiet = ["--quiet", "--disable-pip-version-check"]
    pip = [sys.executable, "-m", "pip"]
    wheels = venv.with_name("wheels")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    build = ["wheel", *quiet, "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(ROOT)]
    subprocess.run([*pip, *build], check=True)
    python = venv / "bin" / "python"
    wheel = str(next(wheels.glob("*.whl")))
    # pip compiles what it installs, where this variable does not forbid Python to write bytecode.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    for what in ([*environments.LOCKED, str(environments.LOCKS / "runtime.txt")], ["--no-deps", wheel]):
        subprocess.run([*pip, "--python", str(python), "install", *quiet, *what], check=True, env=environment)
    return python


def yq() -> Path:
    """The binary, built once into the user's cache folder; raises UnavailableError where it can't be."""
    program = helm_binaries.cache_folder().parent / "yq" / YQ_MODULE.rpartition("@")[2] / "yq"
    if not program.is_file():
        environment = {**os.environ, "GOBIN": str(program.parent), "GOFLAGS": "-mod=mod"}
        done = subprocess.run(
            [helm_binaries.go(), "install", YQ_MODULE], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise helm_binaries.UnavailableError(f"yq can't be built: {done.stderr.strip()}")
    return program


def first_line(command: list[str]) -> str:
    """What a command says of its version, without paths."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0].partition(" from ")[0]
