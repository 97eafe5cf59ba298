"""What every test may use: the tool as a user calls it, real Helm, real streams."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import helm_binaries as pinned
from bench_inputs import ISTIO
from groundcover_istio import cli

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TESTS = Path(__file__).parent
ROOT = TESTS.parent
DATA_VARIABLE = "GROUNDCOVER_ISTIO_TEST_DATA"
KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1"


def pytest_configure(config: pytest.Config) -> None:
    """Let signals in that a background job or nohup ignores, and let no example of Hypothesis be timed."""
    if config.pluginmanager.hasplugin("hypothesispytest"):
        # How long an example takes, to draw or to run, says more of the machine than of what is tested.
        from hypothesis import HealthCheck, settings  # noqa: PLC0415  a third of a second, where no test needs it

        untimed = [HealthCheck.too_slow, HealthCheck.data_too_large]
        settings.register_profile("untimed", deadline=None, suppress_health_check=untimed)
        settings.load_profile("untimed")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            # Not SIG_DFL, which would end the tests themselves by a hangup: a handler of ours is no child's.
            signal.signal(number, lambda *_: None)


class Result(NamedTuple):
    """What a call of the tool left behind."""

    code: int
    out: bytes
    err: str


class _Stream:
    """Standard input or output, with bytes below."""

    def __init__(self, data: bytes = b"") -> None:
        self.buffer = io.BytesIO(data)

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return 1


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the person who runs the tests reaches the tool."""
    for name in os.environ:
        if name.startswith(("GROUNDCOVER_ISTIO_", "HELM_")) and name != DATA_VARIABLE:
            monkeypatch.delenv(name)


@pytest.fixture
def tool() -> Callable[..., Result]:
    """The command line, called in this process with arguments and standard input."""

    def call(*arguments: str, stdin: bytes = b"") -> Result:
        out, err = _Stream(), io.TextIOWrapper(io.BytesIO(), "utf-8")
        with pytest.MonkeyPatch.context() as patch:
            # It names real streams to the tests; to the tool it would be one more variable.
            patch.delenv(DATA_VARIABLE, raising=False)
            patch.setattr(sys, "stdin", _Stream(stdin))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            code = cli.main(arguments)
        err.flush()
        return Result(code, out.buffer.getvalue(), err.buffer.getvalue().decode())

    return call


@pytest.fixture(scope="session")
def helm_binaries() -> Iterator[dict[str, Path]]:
    """Real Helm, by version."""
    with pytest.MonkeyPatch.context() as patch:
        # Helm ends before its garbage would be worth collecting: a fifth less time.
        patch.setenv("GOGC", "off")
        yield {version: pinned.helm(version) for version in pinned.WHEELS}


@pytest.fixture(scope="session")
def istio_module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of Istio's Go module; the test is skipped where it can't be had."""
    go = shutil.which("go")
    if not go:
        pytest.skip("Go, which fetches Istio's charts, is not installed")
    folder = tmp_path_factory.mktemp("go")
    command = [go, "mod", "download", "-json", ISTIO]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout or "{}")
    if done.returncode or not found.get("Dir"):
        pytest.skip(f"Istio's charts can't be fetched: {found.get('Error') or done.stderr.strip()}")
    return Path(found["Dir"])


@pytest.fixture(scope="session")
def istiod_chart(istio_module: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of Istio's own istiod chart, which can be written to."""
    chart = tmp_path_factory.mktemp("istio") / "istiod"
    shutil.copytree(istio_module / "manifests/charts/istio-control/istio-discovery", chart)
    for path in [chart, *chart.rglob("*")]:
        path.chmod(0o755)
    return chart


@pytest.fixture(scope="session")
def kustomize() -> Path:
    """The binary, built once into the user's cache folder."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    program = base / "groundcover-istio/kustomize" / KUSTOMIZE.rpartition("@")[2] / "kustomize"
    go = shutil.which("go")
    if not program.is_file():
        if not go:
            pytest.skip("Go, which builds kustomize, is not installed")
        program.parent.mkdir(parents=True, exist_ok=True)
        # Moved into place whole: another worker may look for it meanwhile.
        with tempfile.TemporaryDirectory(dir=program.parent) as scratch:
            environment = {**os.environ, "GOBIN": scratch, "GOFLAGS": "-mod=mod"}
            command = [go, "install", KUSTOMIZE]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"kustomize can't be built: {done.stderr.strip()}")
            Path(scratch, "kustomize").rename(program)
    return program


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest --update` writes what the directory cases get; without -n, since cases would race."""
    parser.addoption("--update", action="store_true", help="write the expected files of the directory cases")
