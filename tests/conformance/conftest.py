"""Fixtures of the rig. `make conformance` builds its parts and runs these tests in a network namespace."""

from __future__ import annotations

import http.server
import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from . import objects, rig
from .addresses import BACKEND, BACKEND_PORT
from .mesh import Mesh

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PARTS = json.loads(os.environ.get("GROUNDCOVER_ISTIO_RIG", "{}"))


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


@pytest.fixture(scope="session", autouse=True)
def _logs_are_kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Say where the logs of all parts are."""
    folder = tmp_path_factory.getbasetemp()
    yield folder
    print(f"\nlogs of the rig: {folder}")  # noqa: T201
