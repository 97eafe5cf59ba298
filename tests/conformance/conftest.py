"""Fixtures of the rig. `make conformance` builds its parts and runs these tests in a network namespace."""

from __future__ import annotations

import http.server
import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from . import objects, rig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PARTS = json.loads(os.environ.get("GROUNDCOVER_ISTIO_RIG", "{}"))
SENSOR_VALUES = ["--set", "clusterId=rig,ingestion.site=acme.platform.grcv.io", "--set-string", "token=not-a-real-one"]


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

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rig.Cluster]:
    """A real API server with Istio's CRDs, a backend and a gateway to it."""
    server = http.server.ThreadingHTTPServer((rig.BACKEND, rig.BACKEND_PORT), _Backend)
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


class Mesh:
    """A mesh under test: releases in the cluster, an istiod, a gateway, and what arrives at the sensor."""

    def __init__(self, cluster: rig.Cluster, receivers: rig.Receivers) -> None:
        self.cluster = cluster
        self.receivers = receivers
        self.istiod: rig.Istiod | None = None
        self.gateway: rig.Gateway | None = None
        self.values = cluster.folder / "istiod-values.yaml"
        self.releases = {("groundcover", "groundcover")}

    def install_istiod(
        self,
        mesh: dict[str, Any] | None = None,
        *arguments: str,
        release: str = "istiod",
        major: int = 3,
        render: bool = True,
        **settings: str,
    ) -> None:
        """Install or upgrade Istio's own istiod chart with real Helm."""
        values = {"meshConfig": {"enableAutoMtls": False, **(mesh or {})}, "global": {"configValidation": False}}
        self.values.write_text(json.dumps(values))
        command = ["upgrade", "--install", release, f"{PARTS['charts']}/istiod", "-n", "istio-system"]
        command += ["--values", str(self.values), *arguments]
        done = self.cluster.helm(major, *command, render=render, **settings)
        self.releases.add((release, "istio-system"))
        assert done.returncode == 0, done.stderr
        self.cluster.kubectl("delete", "mutatingwebhookconfigurations", "--all")
        self.cluster.apply(objects.istiod_pod())
        self._run("istiod-1", "istio-system", "10.77.0.99")

    def _run(self, pod: str, namespace: str, address: str) -> None:
        status = json.dumps(objects.running(address))
        self.cluster.kubectl("patch", "pod", pod, "-n", namespace, "--subresource=status", "-p", status)

    def install_sensor(self, *arguments: str, major: int = 3, render: bool = True, **settings: str) -> None:
        """Install or upgrade our chart with real Helm, and put the receivers behind its Service."""
        command = ["upgrade", "--install", "groundcover", str(rig.ROOT / "chart"), "-n", "groundcover"]
        done = self.cluster.helm(major, *command, *SENSOR_VALUES, *arguments, render=render, **settings)
        assert done.returncode == 0, done.stderr
        self.cluster.apply(*objects.sensor_endpoints())
        self._run("sensor", "groundcover", rig.SENSOR)

    def start(self, **environment: str) -> rig.Istiod:
        """Start istiod on the mesh config that is in the cluster, and a gateway."""
        self.end()
        self.istiod = rig.Istiod(self.cluster, **environment)
        self.gateway = rig.Gateway(self.cluster)
        return self.istiod

    def end(self) -> None:
        """End the gateway and istiod, where they run."""
        for each in (self.gateway, self.istiod):
            if each:
                each.process.stop()
        self.gateway = self.istiod = None

    def settle(self) -> None:
        """Wait until a change of the mesh config has reached the gateway."""
        time.sleep(4)

    def count(self, requests: int, *, expected: int, logs: bool = False) -> int:
        """Send requests and return how many spans (or log records) arrive: at once when it is what is expected."""
        assert self.gateway
        arrived = self.receivers.logs if logs else self.receivers.spans
        before = arrived()
        for _ in range(requests):
            assert self.gateway.request() == "backend"
        end = time.monotonic() + (12 if expected else 9)
        while time.monotonic() < end and (not expected or arrived() - before < expected):
            time.sleep(0.3)
        time.sleep(0.5)
        return int(arrived() - before)

    def stop(self) -> None:
        """End the gateway and istiod, and take the releases away."""
        self.end()
        for release, namespace in sorted(self.releases):
            self.cluster.helm(3, "uninstall", release, "-n", namespace, "--ignore-not-found")
        self.cluster.kubectl("delete", "telemetries.telemetry.istio.io", "--all", "--all-namespaces")


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
