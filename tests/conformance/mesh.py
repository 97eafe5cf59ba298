"""A mesh under test: releases in the cluster, an istiod, proxies, and what arrives at the sensor."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from . import objects, rig
from .addresses import SENSOR

if TYPE_CHECKING:
    from collections.abc import Callable

SENSOR_VALUES: Final = [
    "--set",
    "clusterId=rig,ingestion.site=acme.platform.grcv.io",
    "--set-string",
    "token=not-a-real-one",
]
SETTLED: Final = 3.0
"""Seconds in which a change of the cluster has reached a proxy."""
SENT: Final = 3.0
"""Seconds in which a proxy has sent the spans that it has (it does so twice a second), and a receiver written them."""


class Counted(NamedTuple):
    """Requests that were sent, and what came of them."""

    requests: int
    what: str
    """`spans` or `log records`."""
    expected: int
    received: int
    facts: dict[str, str]
    """How the mesh was set up."""


class Mesh:
    """An empty mesh to begin with."""

    def __init__(self, cluster: rig.Cluster, receivers: rig.Receivers) -> None:
        self.cluster = cluster
        self.receivers = receivers
        self.istiod: rig.Istiod | None = None
        self.proxies: dict[str, rig.Envoy] = {}
        self.values = cluster.folder / "istiod-values.yaml"
        self.releases = {("groundcover", "groundcover")}
        self.facts: dict[str, str] = {}
        """How it was set up, for the report: helm, protocol, activation, carrier."""
        self.counted: list[Counted] = []

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
        command = ["upgrade", "--install", release, f"{self.cluster.parts['charts']}/istiod", "-n", "istio-system"]
        command += ["--values", str(self.values), *arguments]
        done = self.cluster.helm(major, *command, render=render, **settings)
        self.releases.add((release, "istio-system"))
        assert done.returncode == 0, done.stderr
        self.cluster.kubectl("delete", "mutatingwebhookconfigurations", "--all")
        self.run_istiod()
        self.facts |= {"helm": f"Helm {major}", "carrier": "ConfigMap, by Helm" if render else "as it is"}
        self.facts |= {name: settings[name] for name in ("protocol", "activation") if name in settings}

    def run_istiod(self) -> None:
        """The Pod that istiod would have, for who looks for it."""
        self.cluster.apply(objects.istiod_pod())
        self.cluster.runs("istiod-1", "istio-system", "10.77.0.99")

    def install_sensor(self, *arguments: str, major: int = 3, render: bool = True, **settings: str) -> None:
        """Install or upgrade our chart with real Helm, and put the receivers behind its Service."""
        command = ["upgrade", "--install", "groundcover", str(rig.ROOT / "chart"), "-n", "groundcover"]
        done = self.cluster.helm(major, *command, *SENSOR_VALUES, *arguments, render=render, **settings)
        assert done.returncode == 0, done.stderr
        self.cluster.apply(*objects.sensor_endpoints())
        self.cluster.runs("sensor", "groundcover", SENSOR)

    def start(self, **environment: str) -> rig.Istiod:
        """Start istiod on the mesh config that is in the cluster, and a gateway."""
        self.end()
        self.istiod = rig.Istiod(self.cluster, **environment)
        self.envoy("gateway").wait()
        return self.istiod

    def envoy(self, kind: str, **proxy_config: Any) -> rig.Envoy:
        """Start a proxy of a kind, in the place of the one that runs."""
        if kind in self.proxies:
            self.proxies.pop(kind).process.stop()
        self.proxies[kind] = rig.Envoy(self.cluster, kind, proxy_config or None)
        return self.proxies[kind]

    @property
    def gateway(self) -> rig.Envoy:
        """The proxy that requests go through."""
        return self.proxies["gateway"]

    def end(self) -> None:
        """End the proxies and istiod, where they run."""
        for each in (*self.proxies.values(), self.istiod):
            if each:
                each.process.stop()
        self.proxies, self.istiod = {}, None

    def settle(self) -> None:
        """Wait until a change of the cluster has reached the proxies."""
        time.sleep(SETTLED)

    def count(self, requests: int, *, expected: int, logs: bool = False, kind: str = "gateway") -> int:
        """Send requests and return how many spans (or log records) arrive: at once when it is what is expected."""
        arrived = self.receivers.logs if logs else self.receivers.spans
        before = arrived()
        for _ in range(requests):
            assert self.proxies[kind].request() == "backend"
        received = self._received(lambda: arrived() - before, expected)
        self.counted.append(Counted(requests, "log records" if logs else "spans", expected, received, dict(self.facts)))
        return received

    def _received(self, arrived: Callable[[], int], expected: int) -> int:
        """What has arrived: of nothing only time can tell, for all there is more of it."""
        end = time.monotonic() + (4 * SENT if expected else SENT)
        while time.monotonic() < end and (not expected or arrived() < expected):
            time.sleep(0.2)
        time.sleep(0.5)
        return arrived()

    def stop(self) -> None:
        """End proxies and istiod, and take the releases away."""
        self.end()
        for release, namespace in sorted(self.releases):
            self.cluster.helm(3, "uninstall", release, "-n", namespace, "--ignore-not-found")
        self.cluster.kubectl("delete", "telemetries.telemetry.istio.io", "--all", "--all-namespaces")
