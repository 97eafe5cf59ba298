"""What the sensor sees here and under the vendor's own chart, field by field.

Every difference is in DIFFERENCES with its reason. One that is not fails, and so does an entry that matches nothing.
"""

from __future__ import annotations

import os
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from .support import TOKEN, Helm, Object, Render, load

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA = os.environ.get("GROUNDCOVER_ISTIO_TEST_DATA", "")
VENDOR = "groundcover-vendor-1.12.269-sensor-only.helm3-stdin.yaml"
pytestmark = pytest.mark.skipif(
    not (Path(DATA) / VENDOR).is_file() if DATA else True,
    reason=f"GROUNDCOVER_ISTIO_TEST_DATA names no folder with {VENDOR}",
)

# Pattern of fields: why they differ.
DIFFERENCES: dict[str, str] = {
    # The pod.
    "containers": "fluent-bit ships the sensor's own log to the vendor; no telemetry by default",
    "initContainers": "they wait for the site without end, with certificates unchecked; the sensor retries by itself",
    "sensor.imagePullPolicy": "a version's tag does not move, and a node has to start without the registry",
    "updateStrategy": "all sensors at once would leave the mesh without a receiver",
    "affinity.kubernetes.io/os": "Linux only: pods that tolerate every taint would land on Windows nodes",
    "affinity.type": "virtual kubelets have no kernel to observe",
    "securityContext.capabilities.add": "a privileged container has all capabilities",
    "annotations.checksum/*": "a checksum for every mounted file, not for one",
    # Environment.
    "env.API_KEY": "the Secret is named after the release, so that two releases fit in one namespace",
    "env.GC_CLUSTER_ID": "nothing secret: a plain variable, and a change restarts the pods",
    "env.GC_ENV": "as GC_CLUSTER_ID",
    "env.GC_REGION": "as GC_CLUSTER_ID",
    "env.GC_VERSION": "as GC_CLUSTER_ID",
    "envFrom": "the four variables above, from a Secret",
    "env.GOMEMLIMIT": "collect garbage before the kernel kills the container",
    # Mounts.
    "mount./config": "a ConfigMap can't be written to anyway",
    "mount./scrape-config": "as /config",
    "hostPathType./var/log": "a node without it has a problem worth a message",
    "hostPathType./var/run/positions": "made on the first start",
    # Service.
    "appProtocol.*": "Istio reads no protocol from these names and would treat the ports as opaque TCP",
    # Configuration.
    "config.*.insecureSkipVerify": "the ingestion key travels over this connection",
    "config.exporters.remotewrite.tlsSkipVerify": "as insecureSkipVerify",
    "config.env": "empty is written as empty text, not as null",
    "config.region": "as env",
    "config.telemetry.*": "no telemetry by default; the agent it goes to is not part of this chart",
    "config.pprof.*": "as telemetry",
    "scrape.metrics": "the scraper is off; no job of the vendor's fits a mesh",
    # Rights.
    "rbac.*/customresourcedefinitions": "the group by its name instead of every group",
    "rbac.core/configmaps": "for the vendor's k8s-watcher, which is not part of this chart",
}

# The API group of each built-in kind. The vendor's rule names three groups and all kinds in one: of the pairs it makes,
# only these exist.
GROUPS = {
    "": {
        *("pods", "services", "endpoints", "namespaces", "nodes", "events", "configmaps", "replicationcontrollers"),
        *("nodes/metrics", "nodes/proxy", "nodes/stats", "persistentvolumeclaims", "persistentvolumes"),
    },
    "apps": {"daemonsets", "deployments", "replicasets", "statefulsets"},
    "batch": {"jobs", "cronjobs"},
}


class Absent:
    """The value of a field that one side does not have."""

    def __repr__(self) -> str:
        """Read well in a failure."""
        return "absent"


ABSENT = Absent()


def flat(data: Any, path: str) -> dict[str, Any]:
    """Give nested maps as dotted paths; an empty map is a value."""
    if not isinstance(data, dict) or not data:
        return {path: number(data)}
    result: dict[str, Any] = {}
    for key, value in data.items():
        result |= flat(value, f"{path}.{key}")
    return result


def number(value: Any) -> Any:
    """Read numbers that Go prints with an exponent, which YAML 1.1 takes for text."""
    if isinstance(value, str) and re.fullmatch(r"\d(\.\d+)?e\+\d+", value):
        return int(float(value))
    return value


def by(items: list[Object] | None, key: str) -> dict[str, Object]:
    """Give a list of maps as a map, and fail on a key that is there twice."""
    result = {str(i[key]): {k: v for k, v in i.items() if k != key} for i in items or []}
    assert len(result) == len(items or [])
    return result


def rights(roles: list[Object]) -> dict[str, Any]:
    """Give the rules of roles as one field per kind."""
    return {
        f"rbac.{group or 'core'}/{resource}": sorted(rule["verbs"])
        for role in roles
        for rule in role["rules"] or []
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        if resource in GROUPS.get(group, {resource})
    }


def view(
    workload: Object, service: Object, config: Object, scrape: Mapping[str, str], roles: list[Object]
) -> dict[str, Any]:
    """Give all that the sensor sees as flat fields."""
    pod = workload["spec"]["template"]
    spec = pod["spec"]
    containers = by(spec["containers"], "name")
    sensor = containers["sensor"]
    volumes = by(spec["volumes"], "name")
    fields: dict[str, Any] = {
        "containers": sorted(containers),
        "initContainers": [c["name"] for c in spec.get("initContainers", [])],
        "updateStrategy": workload["spec"]["updateStrategy"],
    }
    for key in ("image", "imagePullPolicy", "command", "args"):
        fields[f"sensor.{key}"] = sensor.get(key, ABSENT)
    for key in (
        "hostPID",
        "hostIPC",
        "hostNetwork",
        "dnsPolicy",
        "shareProcessNamespace",
        "terminationGracePeriodSeconds",
        "tolerations",
        "nodeSelector",
        "runtimeClassName",
    ):
        fields[f"pod.{key}"] = spec.get(key, ABSENT)
    affinity = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    fields |= {
        f"affinity.{e['key']}": (e["operator"], e["values"])
        for t in affinity["nodeSelectorTerms"]
        for e in t["matchExpressions"]
    }
    fields |= flat({k.replace(".", "_"): v for k, v in pod["metadata"]["annotations"].items()}, "annotations")
    fields |= flat(sensor["securityContext"], "securityContext")
    fields |= flat(sensor["resources"], "resources")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        fields |= flat(sensor.get(probe, ABSENT), probe)
    fields |= {f"env.{k}": v for k, v in by(sensor["env"], "name").items()}
    fields["envFrom"] = sensor.get("envFrom", [])
    for port in sensor["ports"]:
        fields[f"containerPort.{port['name']}"] = (port["containerPort"], port.get("protocol", "TCP"))
    for port in service["spec"]["ports"]:
        fields[f"servicePort.{port['name']}"] = (port["port"], port["targetPort"], port["protocol"])
        fields[f"appProtocol.{port['name']}"] = port.get("appProtocol", ABSENT)
    fields["service.internalTrafficPolicy"] = service["spec"].get("internalTrafficPolicy", ABSENT)
    for mount in sensor["volumeMounts"]:
        path = mount["mountPath"]
        volume = volumes[mount["name"]]
        (kind,) = volume
        fields[f"mount.{path}"] = (kind, bool(mount.get("readOnly", False)))
        if kind == "hostPath":
            fields[f"hostPath.{path}"] = volume[kind]["path"]
            fields[f"hostPathType.{path}"] = volume[kind].get("type", ABSENT)
    fields |= flat(config, "config")
    fields["scrape.logs"] = targets(load(scrape["logs-scrape-config.yaml"]))
    fields["scrape.metrics"] = load(scrape["metrics-scrape-config.yaml"])
    return fields | rights(roles)


def spelt(rule: Object) -> Object:
    """Give a relabelling without its default action, and with its sources in the place of the groups."""
    copy = {k: v for k, v in rule.items() if (k, v) != ("action", "replace")}
    replacement = str(copy.get("replacement", ""))
    if replacement.count("$") > 1:
        sources: list[str] = copy.pop("source_labels")
        for group, source in enumerate(sources, 1):
            replacement = replacement.replace(f"${{{group}}}", f"<{source}>")
        copy["replacement"] = replacement
    return copy


def targets(jobs: list[Object]) -> list[Object]:
    """Give log jobs in one spelling."""
    return [{**job, "relabel_configs": [spelt(rule) for rule in job["relabel_configs"]]} for job in jobs]


@pytest.fixture(scope="module")
def ours(helm: Helm) -> dict[str, Any]:
    """The chart with what the vendor's render was given."""
    given = {"clusterId": "my-cluster", "token": TOKEN, "ingestion": {"site": "acme.platform.grcv.io"}}
    render = helm.render(given)
    scrape = render.get("ConfigMap", "groundcover-sensor-scrape-config")["data"]
    return view(render.get("DaemonSet"), render.service, render.config, scrape, [render.get("ClusterRole")])


@pytest.fixture(scope="module")
def vendor() -> dict[str, Any]:
    """The vendor's render."""
    text = (Path(DATA) / VENDOR).read_text()
    documents = [d for d in yaml.load_all(text, yaml.CSafeLoader) if d]
    render = Render(tuple(documents))
    return view(
        render.get("DaemonSet", "groundcover-sensor"),
        render.get("Service", "groundcover-sensor"),
        load(render.get("ConfigMap", "sensor-configuration")["data"]["config.yaml"]),
        render.get("ConfigMap", "sensor-scrape-configuration")["data"],
        [
            render.get("ClusterRole", "groundcover-groundcover-metadata-fetcher"),
            render.get("Role", "groundcover-sensor"),
        ],
    )


@pytest.fixture(scope="module")
def differences(ours: dict[str, Any], vendor: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Fields that are not the same: vendor's value, ours."""
    return {
        field: (vendor.get(field, ABSENT), ours.get(field, ABSENT))
        for field in sorted({*ours, *vendor})
        if vendor.get(field, ABSENT) != ours.get(field, ABSENT)
    }


def test_every_difference_has_a_reason(differences: dict[str, tuple[Any, Any]]) -> None:
    """A difference that nobody decided on is a mistake."""
    unexplained = {f: v for f, v in differences.items() if not any(fnmatchcase(f, p) for p in DIFFERENCES)}
    assert not unexplained, "\n".join(f"{f}: vendor {v!r}, ours {o!r}" for f, (v, o) in unexplained.items())


@pytest.mark.parametrize("pattern", DIFFERENCES)
def test_no_reason_is_left_over(differences: dict[str, tuple[Any, Any]], pattern: str) -> None:
    """An entry that matches nothing describes the past."""
    assert any(fnmatchcase(field, pattern) for field in differences)


def test_enough_is_compared(ours: dict[str, Any], vendor: dict[str, Any]) -> None:
    """A comparison of nothing with nothing would pass too."""
    same = {f for f in ours if f in vendor and ours[f] == vendor[f]}
    assert len(same) > 400
    for prefix in ("env.", "mount.", "hostPath.", "servicePort.", "containerPort.", "config.", "rbac."):
        assert any(f.startswith(prefix) for f in same)
