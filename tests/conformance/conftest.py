"""Fixtures of the rig. `make conformance` builds its parts and runs these tests in a network namespace."""

from __future__ import annotations

import datetime as dt
import http.server
import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from . import objects, report, rig
from .addresses import BACKEND, BACKEND_PORT
from .mesh import Mesh

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

PARTS = json.loads(os.environ.get("GROUNDCOVER_ISTIO_RIG", "{}"))


STARTED = pytest.StashKey[float]()
PASSED = pytest.StashKey[bool]()
RESULTS = pytest.StashKey[list[report.Result]]()
LOGS_OF_A_FAILURE = ("istiod.log", "envoy-gateway.log", "envoy-sidecar.log")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--report`, for `make conformance-report`."""
    parser.addoption("--report", action="store_true", help="write docs/conformance.md and README's summary of it")


def pytest_configure(config: pytest.Config) -> None:
    """Nothing has passed yet."""
    config.stash[RESULTS] = []
    config.stash[STARTED] = time.time()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without the rig nothing here can run."""
    if not PARTS:
        for item in items:
            item.add_marker(pytest.mark.skip("run by `make conformance`, which builds the rig"))


class _Backend(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"backend")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rig.Cluster]:
    """A real API server with Istio's CRDs, a backend and a gateway to it."""
    rig.raise_network()
    server = http.server.ThreadingHTTPServer((BACKEND, BACKEND_PORT), _Backend)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made = rig.Cluster(PARTS, tmp_path_factory.mktemp("rig"))
    made.apply(*objects.namespaces())
    done = made.helm(3, "install", "istio-base", f"{PARTS['charts']}/base", "-n", "istio-system")
    assert done.returncode == 0, done.stderr
    made.kubectl("delete", "validatingwebhookconfigurations", "--all")
    made.apply(*objects.backend())
    yield made
    made.stop()
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def receivers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rig.Receivers]:
    """Real trace and log receivers, behind the sensor's Service."""
    made = rig.Receivers(PARTS, tmp_path_factory.mktemp("receivers"))
    yield made
    made.stop()


@pytest.fixture
def mesh(cluster: rig.Cluster, receivers: rig.Receivers) -> Iterator[Mesh]:
    """An empty mesh; everything in it is gone afterwards."""
    made = Mesh(cluster, receivers)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(autouse=True)
def _recorded(request: pytest.FixtureRequest, record_property: Any) -> Iterator[None]:
    """What the report tells of a test: its docstring, and what was counted."""
    mesh: Mesh | None = request.getfixturevalue("mesh") if "mesh" in request.fixturenames else None
    yield
    record_property("claim", str(request.function.__doc__).splitlines()[0])
    if mesh:
        record_property("counted", [list(each) for each in mesh.counted])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the logs with a test that fails, and keep what one that passes recorded."""
    made = yield
    if call.when == "call" and made.failed:
        folder = item.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # noqa: SLF001
        for log in (path for name in LOGS_OF_A_FAILURE for path in folder.glob(f"rig0/{name}")):
            lines = log.read_text(errors="replace").splitlines()[-10:]
            made.sections.append((f"end of {log}", "\n".join(line[:300] for line in lines)))
    if call.when == "teardown" and made.passed and item.stash.get(PASSED, False):
        item.config.stash[RESULTS].append(report.Result(item.nodeid, dict(made.user_properties)))
    if call.when == "call":
        item.stash[PASSED] = made.passed
    return made


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """Say what was proven; with `--report` write it down, where all of it ran and passed."""
    found = config.stash[RESULTS]
    if exitstatus or not found:
        return
    seconds = time.time() - config.stash[STARTED]
    versions, date = rig.versions(PARTS), dt.datetime.now(dt.UTC).date().isoformat()
    text = report.summary(found, seconds, versions, date)
    terminalreporter.write_line(text)
    if not config.getoption("--report") or terminalreporter.stats.get("deselected"):
        return
    (rig.ROOT / "docs/conformance.md").write_text(report.page(found, seconds, versions, date))
    readme = rig.ROOT / "README.md"
    readme.write_text(report.with_summary(readme.read_text(), text))


@pytest.fixture(scope="session", autouse=True)
def _logs_are_kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Say where the logs of all parts are."""
    folder = tmp_path_factory.getbasetemp()
    yield folder
    print(f"\nlogs of the rig: {folder}")  # noqa: T201
