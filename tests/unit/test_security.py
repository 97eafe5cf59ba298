"""What SECURITY.md promises and no other test holds: nothing is started, asked or read that was not named."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import groundcover_istio

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(groundcover_istio.__file__).parent
PAGES = [ROOT / "SECURITY.md", ROOT / "docs/reliability.md", ROOT / "CONTRIBUTING.md"]
ISTIOD = ROOT / "tests/data/istiod-compact.helm3.yaml"
SENSOR = ROOT / "tests/data/sensor-compact.helm3.yaml"
# What could start a program, open a connection, or run text as code.
REACHING = {"subprocess", "socket", "ssl", "http", "asyncio", "multiprocessing", "ctypes", "pickle", "marshal", "code"}
REACHING |= {"urllib.request", "ftplib", "smtplib", "xmlrpc", "runpy", "pty"}
CALLS = {"system", "popen", "execv", "execve", "execvp", "execvpe", "execl", "execlp", "spawnv", "fork", "posix_spawn"}


def test_only_one_module_starts_programs() -> None:
    """Kubectl for `doctor`, Helm and Python for `install-plugin`; nothing opens a connection or runs text."""
    starting = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            if any(name in REACHING or name.split(".")[0] in REACHING for name in names):
                starting.add(path.relative_to(PACKAGE).as_posix())
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in CALLS, path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "compile"), path
    assert starting == {"processes.py"}


WATCHED = """
import os, sys
seen = []
def watch(event, details):
    if event.startswith(("socket.", "subprocess.", "os.exec", "os.system", "os.posix_spawn", "os.fork", "ctypes.")):
        seen.append(event)
    elif event in ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.link", "os.symlink"):
        seen.append(event)
    elif event == "open" and isinstance(details[0], str) and not details[0].endswith((".py", ".pyc", ".so", ".pth")):
        writes = isinstance(details[2], int) and details[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes or not details[0].startswith((sys.prefix, sys.base_prefix, "/usr/lib", "/lib", "/etc/localtime")):
            seen.append(f"open {details[0]}")
from groundcover_istio.cli import main
sys.addaudithook(watch)
code = main(sys.argv[1:])
print("seen:", *seen, file=sys.stderr)
raise SystemExit(code)
"""


@pytest.mark.parametrize("arguments", [[], ["diff"], ["check", "-"], ["export", "kustomize", "--from", "-"]], ids=str)
def test_a_run_reaches_nothing_outside(arguments: list[str]) -> None:
    """By the interpreter's own audit: no connection, no program, no file but those of Python and what was named."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("GROUNDCOVER", "COVERAGE"))}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *arguments],
        input=SENSOR.read_bytes() + ISTIOD.read_bytes(),
        capture_output=True,
        env=environment,
        check=False,
    )
    assert done.returncode in (0, 1)
    assert done.stderr.splitlines()[-1].strip() == b"seen:"


INTEGRATION = b"""\
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: x
  labels: {app.kubernetes.io/component: istio-integration}
data:
  integration.yaml: '%s'
"""


def host(out: bytes) -> str:
    """Where the mesh config sends spans."""
    meshes = [each["data"]["mesh"] for each in yaml.safe_load_all(out) if each and "mesh" in (each.get("data") or {})]
    return str(yaml.safe_load(meshes[0])["extensionProviders"][0]["opentelemetry"]["service"])


def test_the_users_settings_win_over_those_of_the_stream(tool: Callable[..., Any]) -> None:
    """What a chart asks for in its integration ConfigMap is a default; a flag or a variable decides."""
    stream = ISTIOD.read_bytes() + INTEGRATION % b"{service: {name: eyes, namespace: other}, clusterDomain: other.net}"
    assert host(tool("--activation", "mesh", stdin=stream).out) == "eyes.other.svc.other.net"
    flags = ["--service", "groundcover-sensor.groundcover", "--cluster-domain", "cluster.local", "--activation", "mesh"]
    assert host(tool(*flags, stdin=stream).out) == "groundcover-sensor.groundcover.svc.cluster.local"


@pytest.mark.parametrize(
    "text",
    [
        b"{service: {name: a.example.com}}",
        b"{service: {name: a, namespace: 1.2.3.4}}",
        b"{service: {name: a/b}}",
        b"{clusterDomain: a/b}",
        b"{address: example.com}",
    ],
)
def test_a_stream_names_a_service_and_no_other_host(text: bytes, tool: Callable[..., Any]) -> None:
    """A host is made of a Service's name, its namespace and the cluster's domain: no address, no URL, no port elsewhere."""
    code, out, _ = tool(stdin=ISTIOD.read_bytes() + INTEGRATION % text)
    assert (code, out) == (2, b"")


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_the_pages_name_tests_that_exist(page: Path) -> None:
    """Each claim has its test."""
    named = set(re.findall(r"`(test_\w+)`", page.read_text()))
    tests = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert named
    assert named <= tests, named - tests
