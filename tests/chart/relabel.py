"""Prometheus' discovery of pods, its relabelling and what its operator adds, as far as scrape jobs for Istio need them.

Written after Prometheus' own code: discovery/kubernetes/pod.go and endpoints.go (which targets and `__meta_` labels there
are), model/relabel/relabel.go (the actions), scrape/target.go (what is set before and after); and after the operator's
pkg/prometheus/promcfg.go (the rules it puts before those of a monitor). vmagent and the sensor's scraper follow the same
documented rules for the actions used here.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .support import Object

DEFAULT_REGEX = "(.*)"
Labels = dict[str, str]


class Target(NamedTuple):
    """What is scraped, and the labels its series get."""

    url: str
    labels: tuple[tuple[str, str], ...]

    @property
    def job(self) -> str:
        """The label `job`."""
        return dict(self.labels)["job"]


def name_of(text: str) -> str:
    """Give a label's or annotation's name as Prometheus spells it."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", text)


def address(ip: str, port: int | None) -> str:
    """Join a host and a port, IPv6 in brackets."""
    if port is None:
        return ip
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def pod_meta(pod: Object) -> Labels:
    """Give the labels that all targets of a pod have."""
    meta, status = pod["metadata"], pod["status"]
    labels = {
        "__meta_kubernetes_namespace": meta["namespace"],
        "__meta_kubernetes_pod_name": meta["name"],
        "__meta_kubernetes_pod_ip": status["podIP"],
        "__meta_kubernetes_pod_phase": status.get("phase", "Running"),
        "__meta_kubernetes_pod_node_name": pod["spec"].get("nodeName", ""),
    }
    for kind in ("label", "annotation"):
        for key, value in meta.get(f"{kind}s", {}).items():
            labels[f"__meta_kubernetes_pod_{kind}_{name_of(key)}"] = value
            labels[f"__meta_kubernetes_pod_{kind}present_{name_of(key)}"] = "true"
    return labels


def containers(pod: Object) -> Iterator[tuple[Object, Labels]]:
    """Give each container with its labels; init containers, native sidecars among them, come last."""
    for key, init in (("containers", "false"), ("initContainers", "true")):
        for container in pod["spec"].get(key, []):
            labels = {
                "__meta_kubernetes_pod_container_name": container["name"],
                "__meta_kubernetes_pod_container_init": init,
            }
            yield container, labels


def port_meta(port: Object) -> Labels:
    """Give the labels of a declared container port."""
    return {
        "__meta_kubernetes_pod_container_port_name": port.get("name", ""),
        "__meta_kubernetes_pod_container_port_number": str(port["containerPort"]),
        "__meta_kubernetes_pod_container_port_protocol": port.get("protocol", "TCP"),
    }


def discover_pods(pods: list[Object]) -> list[Labels]:
    """Role `pod`: one target for each declared container port, one for each container without any."""
    found: list[Labels] = []
    for pod in pods:
        ip = pod["status"]["podIP"]
        if not ip:
            continue
        for container, labels in containers(pod):
            common = pod_meta(pod) | labels
            found += [
                common | port_meta(port) | {"__address__": address(ip, port["containerPort"])}
                for port in container.get("ports", [])
            ]
            if not container.get("ports"):
                found.append(common | {"__address__": ip})
    return found


def discover_endpoints(services: list[Object], pods: list[Object]) -> list[Labels]:
    """Role `endpoints`: each port of a Service at each pod, then the pods' other ports."""
    found: list[Labels] = []
    for service in services:
        meta = service["metadata"]
        common = {"__meta_kubernetes_service_name": meta["name"]}
        for key, value in meta.get("labels", {}).items():
            common[f"__meta_kubernetes_service_label_{name_of(key)}"] = value
            common[f"__meta_kubernetes_service_labelpresent_{name_of(key)}"] = "true"
        for pod in pods:
            if selects({"matchLabels": service["spec"]["selector"]}, pod["metadata"].get("labels", {})):
                found += [common | pod_meta(pod) | labels for labels in endpoints(service, pod)]
    return found


def endpoints(service: Object, pod: Object) -> Iterator[Labels]:
    """Give what the targets of one pod behind a Service have of their own."""
    ip = pod["status"]["podIP"]
    declared = {
        port["containerPort"]: own | port_meta(port)
        for container, own in containers(pod)
        for port in container.get("ports", [])
    }
    bound = {port.get("targetPort", port["port"]): port["name"] for port in service["spec"]["ports"]}
    for number, name in bound.items():
        at = {"__address__": address(ip, number), "__meta_kubernetes_endpoint_port_name": name}
        yield declared.get(number, {}) | at
    for number, labels in declared.items():
        if number not in bound:
            yield labels | {"__address__": address(ip, number)}


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Say whether a label selector of Kubernetes matches."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for expression in selector.get("matchExpressions", []):
        key, operator = expression["key"], expression["operator"]
        if (operator, key in labels) in {("Exists", False), ("DoesNotExist", True)}:
            return False
        assert operator in {"Exists", "DoesNotExist"}, operator
    return True


def expand(template: str, match: re.Match[str]) -> str:
    """Fill in `$1`, `${1}` and `$name`; the longest name counts, an unknown one is empty, `$$` is a dollar."""

    def value(found: re.Match[str]) -> str:
        name = found["bare"] or found["braced"]
        if not name:
            return "$"
        try:
            return match[int(name) if name.isdigit() else name] or ""
        except IndexError:
            return ""

    return re.sub(r"\$(?:\$|(?P<bare>\w+)|\{(?P<braced>\w+)\})", value, template)


def relabel(labels: Labels, rules: list[Object]) -> Labels | None:
    """Give the labels after all rules, or None when one of them drops the target or series."""
    labels = dict(labels)
    for rule in rules:
        if not apply(labels, rule):
            return None
    return {key: value for key, value in labels.items() if value}


def apply(labels: Labels, rule: Object) -> bool:  # noqa: C901, PLR0912 - one branch an action
    """Change the labels by one rule; false when it drops them."""
    action = rule.get("action", "replace").lower()
    value = rule.get("separator", ";").join(labels.get(name, "") for name in rule.get("source_labels", []))
    # An unquoted `true` is text to Prometheus.
    pattern = rule.get("regex", DEFAULT_REGEX)
    regex = re.compile(str(pattern).lower() if isinstance(pattern, bool) else pattern, re.DOTALL)
    match = regex.fullmatch(value)
    target = rule.get("target_label", "")
    replacement = str(rule.get("replacement", "$1"))
    if action == "keep":
        return match is not None
    if action == "drop":
        return match is None
    if action == "keepequal":
        return bool(labels.get(target, "") == value)
    if action == "dropequal":
        return bool(labels.get(target, "") != value)
    if action == "replace":
        if match:
            put(labels, expand(target, match), expand(replacement, match))
    elif action in {"lowercase", "uppercase"}:
        put(labels, target, value.lower() if action == "lowercase" else value.upper())
    elif action == "hashmod":
        digest = hashlib.md5(value.encode(), usedforsecurity=False).digest()
        put(labels, target, str(int.from_bytes(digest[8:], "big") % rule["modulus"]))
    elif action == "labelmap":
        for name, old in list(labels.items()):
            found = regex.fullmatch(name)
            if found:
                put(labels, expand(replacement, found), old)
    elif action in {"labeldrop", "labelkeep"}:
        for name in list(labels):
            if (regex.fullmatch(name) is not None) == (action == "labeldrop"):
                del labels[name]
    else:
        message = f"unknown action {action}"
        raise ValueError(message)
    return True


def put(labels: Labels, name: str, value: str) -> None:
    """Set a label; an empty value is no label."""
    if value:
        labels[name] = value
    else:
        labels.pop(name, None)


def targets(job: Object, discovered: list[Labels]) -> list[Target]:
    """Give the targets of a scrape job, equal ones once, as Prometheus does."""
    found: dict[Target, None] = {}
    for meta in discovered:
        before = {
            "job": job["job_name"],
            "__scheme__": job.get("scheme", "http"),
            "__metrics_path__": job.get("metrics_path", "/metrics"),
        } | meta
        after = relabel(before, job.get("relabel_configs", []))
        if after is None or not after.get("__address__"):
            continue
        url = f"{after['__scheme__']}://{after['__address__']}{after['__metrics_path__']}"
        after.setdefault("instance", after["__address__"])
        found[Target(url, tuple(sorted((k, v) for k, v in after.items() if not k.startswith("__"))))] = None
    return list(found)


def kept(job: Object, series: str) -> bool:
    """Say whether a series of a target of the job is stored."""
    return relabel({"__name__": series}, job.get("metric_relabel_configs", [])) is not None


SNAKE = {"sourceLabels": "source_labels", "targetLabel": "target_label"}


def jobs_of(monitor: Object) -> list[Object]:
    """Give the scrape jobs that an operator makes of a monitor, each with its role."""
    kind, meta, spec = monitor["kind"], monitor["metadata"], monitor["spec"]
    assert spec["namespaceSelector"] == {"any": True}
    service = "Service" in kind
    what = "service" if service else "pod"
    rules: list[Object] = [
        {"source_labels": ["__meta_kubernetes_pod_phase"], "regex": "(Failed|Succeeded)", "action": "drop"},
        {"source_labels": ["job"], "target_label": "__tmp_prometheus_job_name"},
    ]
    for key, value in spec["selector"].get("matchLabels", {}).items():
        names = [f"__meta_kubernetes_{what}_{present}_{name_of(key)}" for present in ("label", "labelpresent")]
        rules.append({"source_labels": names, "regex": f"({re.escape(value)});true", "action": "keep"})
    for expression in spec["selector"].get("matchExpressions", []):
        present = f"__meta_kubernetes_{what}_labelpresent_{name_of(expression['key'])}"
        action = {"Exists": "keep", "DoesNotExist": "drop"}[expression["operator"]]
        rules.append({"source_labels": [present], "regex": "true", "action": action})
    jobs = []
    for endpoint in spec["endpoints" if service else "podMetricsEndpoints"]:
        own = list(rules)
        if "port" in endpoint:
            label = "__meta_kubernetes_endpoint_port_name" if service else "__meta_kubernetes_pod_container_port_name"
            own.append({"source_labels": [label], "regex": endpoint["port"], "action": "keep"})
        own += [
            {"source_labels": [f"__meta_kubernetes_{source}"], "target_label": label}
            for source, label in (("namespace", "namespace"), ("pod_name", "pod"), ("pod_container_name", "container"))
        ]
        own.append({"target_label": "job", "replacement": f"{meta['namespace']}/{meta['name']}"})
        own += snake(endpoint.get("relabelings", endpoint.get("relabelConfigs", [])))
        jobs.append(
            {
                "job_name": meta["name"],
                "role": "endpoints" if service else "pod",
                "metrics_path": endpoint["path"],
                "relabel_configs": own,
                "metric_relabel_configs": snake(
                    endpoint.get("metricRelabelings", endpoint.get("metricRelabelConfigs", []))
                ),
            }
        )
    return jobs


def snake(rules: list[Object]) -> list[Object]:
    """Give an operator's rules in Prometheus' spelling."""
    return [{SNAKE.get(key, key): value for key, value in rule.items()} for rule in rules]
