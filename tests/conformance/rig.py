"""The parts of the rig: started, waited for, talked to. Everything runs in one network namespace and ends with it."""

from __future__ import annotations

import http
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from . import objects
from .addresses import (
    ADDRESSES,
    API_PORT,
    BACKEND,
    BACKEND_PORT,
    ETCD_PORT,
    GATEWAY,
    GATEWAY_PORT,
    NODE,
    SENSOR,
    SIDECAR,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
TOOL = Path(sys.executable).with_name("groundcover-istio")

PATIENCE: Final = 60.0
"""Seconds to wait for a part to be ready."""


def raise_network() -> None:
    """Give the namespace's loopback device its addresses: EndpointSlices refuse those of 127.0.0.0/8."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in ADDRESSES:
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)


def versions(parts: dict[str, str]) -> dict[str, str]:
    """What each part says that it is."""

    def said(pattern: str, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = re.search(pattern, done.stdout + done.stderr)
        return found[1] if found else "?"

    agent = Path(parts["ddapm-test-agent"]).with_name("pip")
    return {
        "istiod": f"1.31 ({Path(parts['charts']).name.removeprefix('charts-v0.0.0-')})",
        "Envoy": said(r"/(\d+\.\d+\.\d+)", parts["envoy"], "--version"),
        "kube-apiserver": said(r"v(\S+)", parts["kube-apiserver"], "--version"),
        "etcd": said(r"etcd Version: (\S+)", parts["etcd"], "--version"),
        "Helm": ", ".join(said(r"v(\d+\.\d+\.\d+)", parts[f"helm{major}"], "version", "--short") for major in (3, 4)),
        "OpenTelemetry collector": said(r"(\d+\.\d+\.\d+)", parts["collector"], "--version"),
        "ddapm-test-agent": said(r"Version: (\S+)", str(agent), "show", "ddapm-test-agent"),
    }


class RigError(Exception):
    """A part of the rig does not do what it has to; the text says which, with its own words."""


def wait_for(what: str, ready: Callable[[], object], *, seconds: float = PATIENCE, log: Path | None = None) -> None:
    """Wait until `ready` returns something true; raise RigError with the end of the log when it does not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if ready():
                return
        except (OSError, ValueError, RigError):
            pass
        time.sleep(0.2)
    lines = log.read_text(errors="replace").splitlines()[-10:] if log and log.exists() else []
    tail = "\n".join(line[:300] for line in lines)
    raise RigError(f"{what} did not come up in {seconds:.0f} s\n{tail}")


def get(url: str, **headers: str) -> str:
    """The body of an HTTP response."""
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  an address of the rig
    # No proxy of the machine's reaches into the rig.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=5) as response:
        return str(response.read().decode())


class Process:
    """A part of the rig that runs in the background."""

    def __init__(self, name: str, command: list[str], folder: Path, **environment: str) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **environment}
            )

    def stop(self) -> None:
        """End it and wait for its end."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Cluster:
    """An API server with its store, and the programs that talk to it."""

    def __init__(self, parts: dict[str, str], folder: Path) -> None:
        self.parts = parts
        self.folder = folder
        key, tokens = folder / "service-account.key", folder / "tokens.csv"
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
        tokens.write_text('token,admin,1,"system:masters"\n')
        self.kubeconfig = folder / "kubeconfig"
        self.has_plugin = False
        self.kubeconfig.write_text(json.dumps(_kubeconfig()))
        self.etcd = Process("etcd", [parts["etcd"], "--data-dir", str(folder / "etcd")], folder)
        self.api = Process("kube-apiserver", _api_command(parts["kube-apiserver"], folder, key, tokens), folder)
        wait_for("the API server", lambda: self.kubectl("get", "--raw", "/readyz") == "ok", log=self.api.log)

    def stop(self) -> None:
        """End the API server, then its store."""
        self.api.stop()
        self.etcd.stop()

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """The output of kubectl; raises RigError with its words where it fails."""
        command = [self.parts["kubectl"], "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RigError(f"kubectl {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, *objects: dict[str, Any]) -> None:
        """Create or change objects."""
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.safe_dump_all(objects))

    def status(self, kind: str, name: str, namespace: str, status: dict[str, Any]) -> None:
        """Say of an object what a kubelet or a controller would say."""
        patch = json.dumps({"status": status})
        self.kubectl("patch", kind, name, "-n", namespace, "--subresource=status", "-p", patch)

    def runs(self, pod: str, namespace: str, address: str) -> None:
        """A Pod that runs and is ready."""
        self.status("pod", pod, namespace, objects.running(address))

    def get(self, kind: str, name: str, namespace: str) -> dict[str, Any]:
        """An object as the API server has it."""
        found: dict[str, Any] = json.loads(self.kubectl("get", kind, name, "-n", namespace, "-o", "json"))
        return found

    def helm(
        self, major: int, *arguments: str, render: bool = False, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Real Helm against the cluster; with `render` through the post-renderer, `settings` its variables."""
        command = [self.parts[f"helm{major}"], *arguments]
        if render:
            command += ["--post-renderer", "groundcover-istio" if major == 4 else str(TOOL)]
        environment = self.environment(major) | {
            f"GROUNDCOVER_ISTIO_{key.upper()}": value for key, value in settings.items()
        }
        if major == 4 and not self.has_plugin:
            self.has_plugin = True
            # Where a Helm 3 is on PATH too, the plugin would get a folder that this Helm is not told of.
            install = [str(TOOL), "install-plugin", "--helm", self.parts["helm4"], "--directory"]
            folder = f"{environment['HELM_DATA_HOME']}/plugins"
            subprocess.run([*install, folder], env=environment, check=True, capture_output=True)
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def environment(self, major: int) -> dict[str, str]:
        """The variables of a user of this cluster, who has a home for each Helm, and none of ours set."""
        home = self.folder / f"helm{major}"
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("GROUNDCOVER_ISTIO_", "HELM_"))
        }
        environment |= {"KUBECONFIG": str(self.kubeconfig), "HOME": str(home)}
        return environment | {f"HELM_{kind}_HOME": str(home / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}


def _kubeconfig() -> dict[str, Any]:
    cluster = {"server": f"https://127.0.0.1:{API_PORT}", "insecure-skip-tls-verify": True}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "rig", "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": "token"}}],
        "contexts": [{"name": "rig", "context": {"cluster": "rig", "user": "admin"}}],
        "current-context": "rig",
    }


def _api_command(program: str, folder: Path, key: Path, tokens: Path) -> list[str]:
    return [
        program,
        f"--etcd-servers=http://127.0.0.1:{ETCD_PORT}",
        "--bind-address=127.0.0.1",
        f"--secure-port={API_PORT}",
        f"--cert-dir={folder / 'certificates'}",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--token-auth-file={tokens}",
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--allow-privileged=true",
        "--endpoint-reconciler-type=none",
        # A loopback address is refused here; nobody connects to it.
        "--advertise-address=192.0.2.1",
    ]


class Receivers:
    """What stands behind the sensor's Service: a collector for OTLP and Zipkin, and Datadog's own test agent."""

    def __init__(self, parts: dict[str, str], folder: Path) -> None:
        self.files = {kind: folder / f"{kind}.jsonl" for kind in ("traces", "logs")}
        config = folder / "collector.yaml"
        config.write_text(yaml.safe_dump(self._config()))
        self.collector = Process("collector", [parts["collector"], f"--config={config}"], folder)
        agent = [parts["ddapm-test-agent"], "--host", SENSOR, "--port", "8126"]
        agent += ["--otlp-http-port", "14318", "--otlp-grpc-port", "14317"]
        self.agent = Process("ddapm-test-agent", agent, folder)
        wait_for("the collector", lambda: "ready" in self.collector.log.read_text(), log=self.collector.log)
        wait_for("the Datadog agent", lambda: get(f"http://{SENSOR}:8126/info"), log=self.agent.log)

    def _config(self) -> dict[str, Any]:
        http, grpc = {"endpoint": f"{SENSOR}:4318"}, {"endpoint": f"{SENSOR}:4317"}
        exporters = {
            f"file/{kind}": {"path": str(path), "flush_interval": "200ms"} for kind, path in self.files.items()
        }
        pipelines = {
            "traces": {"receivers": ["otlp", "zipkin"], "exporters": ["file/traces"]},
            "logs": {"receivers": ["otlp"], "exporters": ["file/logs"]},
        }
        return {
            "receivers": {
                "otlp": {"protocols": {"http": http, "grpc": grpc}},
                "zipkin": {"endpoint": f"{SENSOR}:9411"},
            },
            "exporters": exporters,
            "service": {"pipelines": pipelines, "telemetry": {"metrics": {"level": "none"}}},
        }

    def stop(self) -> None:
        """End both."""
        self.agent.stop()
        self.collector.stop()

    def spans(self) -> int:
        """How many spans have arrived since the rig started, by any protocol."""
        collected = sum(
            len(scope["spans"])
            for batch in _lines(self.files["traces"])
            for resource in batch.get("resourceSpans", [])
            for scope in resource.get("scopeSpans", [])
        )
        traces = json.loads(get(f"http://{SENSOR}:8126/test/traces"))
        return collected + sum(len(trace) for trace in traces)

    def logs(self) -> int:
        """How many access log records have arrived since the rig started."""
        return sum(
            len(scope["logRecords"])
            for batch in _lines(self.files["logs"])
            for resource in batch.get("resourceLogs", [])
            for scope in resource.get("scopeLogs", [])
        )


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    lines = path.read_text().split("\n")
    # The last line may be half written.
    return [json.loads(line) for line in lines[:-1] if line]


class Istiod:
    """istiod, outside a Pod, reading its mesh config from the API server."""

    def __init__(self, cluster: Cluster, **environment: str) -> None:
        command = [cluster.parts["pilot-discovery"], "discovery", "--kubeconfig", str(cluster.kubeconfig)]
        settings = {"POD_NAMESPACE": "istio-system", "POD_NAME": "istiod-1", "PILOT_ENABLE_METADATA_EXCHANGE": "false"}
        self.process = Process("istiod", command, cluster.folder, **settings, **environment)
        wait_for("istiod", lambda: get("http://127.0.0.1:8080/ready") is not None, log=self.process.log)

    def mesh(self) -> dict[str, Any]:
        """The mesh config that istiod has in memory."""
        found: dict[str, Any] = json.loads(get("http://127.0.0.1:15014/debug/mesh"))
        return found


class Role(NamedTuple):
    """How a kind of proxy is known to istiod, and where it is asked."""

    node: str
    namespace: str
    address: str
    bind: str
    port: int
    admin: int


ROLES: Final = {
    # The simplest node that binds a real port.
    "gateway": Role("router", "default", GATEWAY, "0.0.0.0", GATEWAY_PORT, 19901),  # noqa: S104
    # It serves where a Sidecar with an explicit `bind` has it listen: no traffic is redirected here.
    "sidecar": Role("sidecar", "shop", SIDECAR, SIDECAR, BACKEND_PORT, 19902),
}


class Envoy:
    """A proxy that takes all it does from istiod; `proxy_config` is what an injected Pod would start with."""

    def __init__(self, cluster: Cluster, kind: str = "gateway", proxy_config: dict[str, Any] | None = None) -> None:
        self.role = ROLES[kind]
        config = cluster.folder / f"envoy-{kind}.yaml"
        config.write_text(yaml.safe_dump(_bootstrap(self.role, proxy_config)))
        command = [cluster.parts["envoy"], "-c", str(config), "--log-level", "warning"]
        command += ["--base-id", str(self.role.admin)]
        self.process = Process(f"envoy-{kind}", command, cluster.folder)
        wait_for(f"the {kind}", lambda: self._ask("server_info"), log=self.process.log)

    def wait(self) -> None:
        """Wait until it can serve; raises RigError where it does not."""
        wait_for("a listener", self.serves, log=self.process.log)

    def serves(self) -> bool:
        """Whether it has all it needs for a request; asked of its admin port, since a request would be traced."""
        listens = f"{self.role.bind}:{self.role.port}" in self._ask("listeners")
        routes = "backend.default" in self._ask("config_dump?resource=dynamic_route_configs")
        # Listeners are bound once all that it started with is there.
        live = json.loads(self._ask("server_info"))["state"] == "LIVE"
        return live and listens and routes and f"{BACKEND}:{BACKEND_PORT}" in self._ask("clusters")

    def request(self) -> str:
        """The body of one request through the proxy."""
        host = f"backend.default.svc.cluster.local:{BACKEND_PORT}"
        return get(f"http://{self.role.address}:{self.role.port}/", Host=host)

    def counter(self, name: str) -> int:
        """One of Envoy's counters, 0 before it has counted anything."""
        found = self._ask(f"stats?filter=^{name}$").strip()
        return int(found.rpartition(" ")[2]) if found else 0

    def requests(self) -> int:
        """How many requests it has forwarded to the backend."""
        lines = self._ask("stats?filter=backend.*upstream_rq_total").splitlines()
        return sum(int(line.rpartition(" ")[2]) for line in lines)

    def rejected(self) -> int:
        """How many times it refused what istiod had for its listeners."""
        return self.counter("listener_manager.lds.update_rejected")

    def tracing(self) -> dict[str, Any]:
        """What the connection manager that serves requests has for tracing; empty where it traces nothing."""
        dump = json.loads(self._ask("config_dump?resource=dynamic_listeners") or "{}")
        for listener in dump.get("configs", []):
            active = listener.get("active_state", {}).get("listener", {})
            if active.get("address", {}).get("socket_address", {}).get("port_value") != self.role.port:
                continue
            for chain in active["filter_chains"]:
                for each in chain["filters"]:
                    if "tracing" in each.get("typed_config", {}):
                        found: dict[str, Any] = each["typed_config"]["tracing"]
                        return found
        return {}

    def _ask(self, path: str) -> str:
        """What its admin port says; nothing of what it does not have yet."""
        try:
            return get(f"http://127.0.0.1:{self.role.admin}/{path}")
        except urllib.error.HTTPError as error:
            if error.code != http.HTTPStatus.NOT_FOUND:
                raise
            return ""


def _bootstrap(role: Role, proxy_config: dict[str, Any] | None) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "NAMESPACE": role.namespace,
        "LABELS": {"istio": "rig", "app": "web"},
        "INSTANCE_IPS": role.address,
        "CLUSTER_ID": "Kubernetes",
        "ISTIO_VERSION": "1.31.0",
        "MESH_ID": "cluster.local",
        "NODE_NAME": NODE,
    }
    if proxy_config:
        metadata["PROXY_CONFIG"] = proxy_config
    pod = f"proxy-1.{role.namespace}"
    node = {
        "id": f"{role.node}~{role.address}~{pod}~{role.namespace}.svc.cluster.local",
        "cluster": pod,
        "metadata": metadata,
    }
    source = {"ads": {}, "resource_api_version": "V3"}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 15010}}
    endpoint = {"lb_endpoints": [{"endpoint": {"address": address}}]}
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    http2 = {"@type": f"type.googleapis.com/{options}", "explicit_http_config": {"http2_protocol_options": {}}}
    xds = {
        "name": "xds",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "xds", "endpoints": [endpoint]},
        "typed_extension_protocol_options": {options: http2},
    }
    grpc = {
        "api_type": "GRPC",
        "transport_api_version": "V3",
        "grpc_services": [{"envoy_grpc": {"cluster_name": "xds"}}],
    }
    dynamic = {"ads_config": grpc, "cds_config": source, "lds_config": source}
    # Spans are sent after half a second rather than five.
    flush = {f"tracing.{tracer}.flush_interval_ms": 500 for tracer in ("opentelemetry", "zipkin")}
    return {
        "node": node,
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": role.admin}}},
        "dynamic_resources": dynamic,
        "static_resources": {"clusters": [xds]},
        "layered_runtime": {"layers": [{"name": "rig", "static_layer": flush}]},
    }
