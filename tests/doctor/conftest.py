"""A healthy cluster as data, and the two ways that doctor can be shown it."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOST = "groundcover-sensor.groundcover.svc.cluster.local"
PROVIDER = {
    "name": "otel-tracing",
    "opentelemetry": {"service": HOST, "port": 4318, "http": {"path": "/v1/traces", "timeout": "5s"}},
}
MESH = {
    "rootNamespace": "istio-system",
    "extensionProviders": [PROVIDER],
    "enableTracing": True,
    "defaultProviders": {"metrics": ["prometheus"], "tracing": ["otel-tracing"]},
    "defaultConfig": {"tracing": {"sampling": 1}},
}
# What doctor asks for, by the file a dump has it in.
KINDS = {
    "pods": "Pod",
    "configmaps": "ConfigMap",
    "services": "Service",
    "endpointslices": "EndpointSlice",
    "telemetries": "Telemetry",
    "sidecars": "Sidecar",
    "destinationrules": "DestinationRule",
    "peerauthentications": "PeerAuthentication",
    "secrets": "Secret",
    "namespaces": "Namespace",
}
# A shell's, since Python would take twenty times as long to start, and doctor calls it ten times in hundreds of tests.
# It misbehaves as a `.how` beside the objects says, in Python.
FAKE = """\
#!/bin/sh
here=${{0%/*}}
echo "$*" >> "$here/calls"
if [ "$1 $2" = "config get-contexts" ]; then
  printf 'one\\ntwo\\n'
  exit
fi
[ "$1" = get ] || exit 64
name=${{2%%.*}} folder=$here/cluster namespace= before=
for each; do
  case "$before" in
    --context) [ ! -d "$here/$each" ] || folder=$here/$each ;;
    --namespace) namespace=@$each ;;
  esac
  before=$each
done
if [ -e "$folder/$name.how" ]; then
  exec '{python}' -c 'import sys, time; name, how = sys.argv[1:]; exec(open(how).read())' "$name" "$folder/$name.how"
fi
# A namespace without objects has no file.
if [ -n "$namespace" ] && [ ! -e "$folder/$name$namespace.json" ]; then
  echo '{{"items": []}}'
  exit
fi
exec /bin/cat "$folder/$name$namespace.json"
"""


class Cluster(dict[str, list[Any]]):
    """Objects by the plural of their kind."""

    def add(self, kind: str, name: str, namespace: str, **rest: Any) -> dict[str, Any]:
        """Add an object."""
        labels, annotations = rest.pop("labels", {}), rest.pop("annotations", {})
        metadata = {"name": name, "namespace": namespace, "labels": labels, "annotations": annotations}
        metadata["creationTimestamp"] = rest.pop("created", "2026-01-01T00:00:00Z")
        made = {"kind": kind, "metadata": metadata, **rest}
        plural = next(plural for plural, each in KINDS.items() if each == kind)
        self.setdefault(plural, []).append(made)
        return made

    def one(self, plural: str, name: str) -> Any:
        """The object of that name."""
        return next(each for each in self[plural] if each["metadata"]["name"] == name)

    def mesh(self, change: Callable[[Any], Any], name: str = "istio") -> None:
        """Change a mesh config."""
        holder = self.one("configmaps", name)["data"]
        mesh = yaml.safe_load(holder["mesh"])
        change(mesh)
        holder["mesh"] = yaml.safe_dump(mesh)

    def write(self, folder: Path) -> Path:
        """Write it as dumps."""
        folder.mkdir(exist_ok=True)
        for plural, items in self.items():
            (folder / f"{plural}.json").write_text(json.dumps({"kind": "List", "items": items}))
        return folder

    def write_by_namespace(self, folder: Path) -> Path:
        """The same, and what a namespace has, as kubectl would list it."""
        self.write(folder)
        for plural, items in self.items():
            for namespace in {item["metadata"].get("namespace") for item in items}:
                held = [item for item in items if item["metadata"].get("namespace") == namespace]
                (folder / f"{plural}@{namespace}.json").write_text(json.dumps({"kind": "List", "items": held}))
        return folder


def pod(cluster: Cluster, name: str, namespace: str, node: str, **rest: Any) -> dict[str, Any]:
    """A pod with a proxy."""
    config = json.dumps({"tracing": {"sampling": rest.pop("sampling", 1)}})
    proxy = {"name": "istio-proxy", "env": [{"name": "PROXY_CONFIG", "value": config}]}
    labels = {"service.istio.io/canonical-name": name, "istio.io/rev": "default"}
    spec = {"nodeName": node, "containers": [{"name": "app"}, proxy]}
    return cluster.add("Pod", name, namespace, labels=labels, spec=spec, status={"phase": "Running"}, **rest)


def release(
    cluster: Cluster, revision: int, status: str, mesh: Any, description: str = "Upgrade complete"
) -> dict[str, Any]:
    """What Helm keeps of a revision of the release istiod."""
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio"}}
    manifest = yaml.safe_dump({**config_map, "data": {"mesh": yaml.safe_dump(mesh)}})
    held = {"name": "istiod", "info": {"description": description}, "manifest": manifest}
    record = json.dumps({**held, "config": {"password": "hunter2"}}).encode()
    text = base64.b64encode(base64.b64encode(gzip.compress(record))).decode()
    labels = {"owner": "helm", "name": "istiod", "status": status, "version": str(revision)}
    name = f"sh.helm.release.v1.istiod.v{revision}"
    return cluster.add("Secret", name, "istio-system", labels=labels, data={"release": text})


@pytest.fixture
def cluster() -> Cluster:
    """Istio 1.31 and the sensor on two nodes, with nothing wrong."""
    made = Cluster({plural: [] for plural in KINDS})
    discovery = {"name": "discovery", "image": "docker.io/istio/pilot:1.31.0", "env": []}
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    made.add(
        "Pod",
        "istiod-1",
        "istio-system",
        labels={"app": "istiod", "istio.io/rev": "default"},
        spec={"nodeName": "node-a", "containers": [discovery]},
        status=ready,
    )
    made.add("ConfigMap", "istio", "istio-system", data={"mesh": yaml.safe_dump(MESH)})
    selector = {"app": "sensor"}
    ports = [
        {"name": "otlp-http", "port": 4318},
        {"name": "otlp-grpc", "port": 4317, "appProtocol": "grpc"},
        {"name": "zipkin", "port": 9411},
        {"name": "dd-traces", "port": 8126},
    ]
    spec = {"clusterIP": "10.0.0.1", "selector": selector, "internalTrafficPolicy": "Local", "ports": ports}
    made.add("Service", "groundcover-sensor", "groundcover", spec=spec)
    for node in ("node-a", "node-b"):
        made.add("Pod", f"sensor-{node}", "groundcover", labels=selector, spec={"nodeName": node, "containers": []})
    made.add(
        "EndpointSlice",
        "groundcover-sensor-x",
        "groundcover",
        labels={"kubernetes.io/service-name": "groundcover-sensor"},
        ports=[{"name": port["name"], "port": port["port"]} for port in ports],
        endpoints=[{"nodeName": node, "conditions": {"ready": True}} for node in ("node-a", "node-b")],
    )
    pod(made, "web", "shop", "node-a")
    pod(made, "cart", "shop", "node-b")
    made.add("Namespace", "groundcover", "", labels={"kubernetes.io/metadata.name": "groundcover"})
    release(made, 1, "superseded", copy.deepcopy(MESH))
    release(made, 2, "deployed", copy.deepcopy(MESH))
    return made


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Cluster], Path]:
    """Puts a kubectl on PATH that shows a cluster; gives the folder in which it can be told to misbehave."""

    def install(cluster: Cluster) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        script = folder / "kubectl"
        script.write_text(FAKE.format(python=sys.executable))
        script.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
        return cluster.write_by_namespace(folder / "cluster")

    return install
