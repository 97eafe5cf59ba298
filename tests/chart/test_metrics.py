"""Custom Metrics: which pods are scraped, by whom, where, and which series are kept."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

from .relabel import Target, discover_endpoints, discover_pods, jobs_of, kept, relabel, targets
from .support import CHART, CI_FILES, VERSIONS, Helm, Object, Render, at, load, merged, values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DATA = os.environ.get("GROUNDCOVER_ISTIO_TEST_DATA", "")
VENDOR = "groundcover-vendor-1.12.269-sensor-only.helm3-stdin.yaml"

NO_ISTIO = "no part of Istio: an application's own endpoint is a matter of metrics.extraScrapeConfigs"
ENVOY = [("http-envoy-prom", 15090)]
MERGED = {"prometheus.io/scrape": "true", "prometheus.io/port": "15020", "prometheus.io/path": "/stats/prometheus"}
INJECTED = {
    "app": "shop",
    "version": "v1",
    "pod-template-hash": "5d8f9",
    "istio.io/rev": "default",
    "security.istio.io/tlsMode": "istio",
    "service.istio.io/canonical-name": "shop",
}


def container(name: str, *ports: tuple[str, int]) -> Object:
    """Give a container with its declared ports, named or not."""
    return {
        "name": name,
        "ports": [{"containerPort": n, "protocol": "TCP", **({"name": p} if p else {})} for p, n in ports],
    }


ISTIO_INIT = container("istio-init")
ISTIOD = (
    ("http-debug", 8080),
    ("grpc-xds", 15010),
    ("tls-xds", 15012),
    ("https-webhooks", 15017),
    ("http-monitoring", 15014),
)
OLD_ISTIOD = (("", 8080), ("", 15010), ("", 15017))
GATEWAY = (("metrics", 15020), ("status-port", 15021), ("http-envoy-prom", 15090))


class Pod(NamedTuple):
    """A pod as Istio's own charts and templates make it, and what is scraped of it: job, port, path."""

    containers: list[Object]
    scraped: tuple[str, int, str] | None
    merged: int = 0  # the port with metrics.jobs.proxies.endpoint: merged, where it is another
    why_not: str = ""
    init: Sequence[Object] = ()
    labels: dict[str, str] = INJECTED
    annotations: dict[str, str] = MERGED
    ip: str = ""
    phase: str = "Running"


PROXY = ("istio-proxies", 15090, "/stats/prometheus")
AGENT = ("istio-proxies", 15020, "/stats/prometheus")
CONTROL = ("istiod", 15014, "/metrics")
PODS = {
    "a classic sidecar": Pod(
        [container("app", ("http", 8080)), container("istio-proxy", *ENVOY)], PROXY, 15020, init=[ISTIO_INIT]
    ),
    "a native sidecar": Pod(
        [container("app", ("http", 8080))], PROXY, 15020, init=[ISTIO_INIT, container("istio-proxy", *ENVOY)]
    ),
    "a native sidecar of two containers": Pod(
        [container("app", ("http", 8080)), container("log")], PROXY, 15020, init=[container("istio-proxy", *ENVOY)]
    ),
    "a sidecar whose metrics are not merged": Pod(
        [container("app", ("metrics", 9100)), container("istio-proxy", *ENVOY)],
        PROXY,
        15020,
        annotations={
            "prometheus.istio.io/merge-metrics": "false",
            "prometheus.io/scrape": "true",
            "prometheus.io/port": "9100",
        },
    ),
    "a gateway of the Helm chart": Pod(
        [container("istio-proxy", *ENVOY)], PROXY, 15020, labels={"app": "istio-ingressgateway", "istio": "gateway"}
    ),
    "a gateway of the Gateway API": Pod(
        [container("istio-proxy", *GATEWAY)], PROXY, 15020, labels={"gateway.networking.k8s.io/gateway-name": "web"}
    ),
    "a waypoint": Pod(
        [container("istio-proxy", *GATEWAY)],
        PROXY,
        15020,
        labels={"gateway.networking.k8s.io/gateway-name": "waypoint"},
    ),
    "an agentgateway": Pod(
        [container("agentgateway", ("metrics", 15020), ("status-port", 15021))],
        AGENT,
        labels={"gateway.networking.k8s.io/gateway-name": "ai"},
    ),
    "a proxyless gRPC application": Pod(
        [container("app", ("grpc", 7070)), container("istio-proxy", ("mesh-metrics", 15020))], AGENT
    ),
    "a sidecar with an IPv6 address": Pod([container("istio-proxy", *ENVOY)], PROXY, 15020, ip="2001:db8::7"),
    "istiod without a revision": Pod(
        [container("discovery", *ISTIOD)],
        CONTROL,
        labels={"app": "istiod", "istio": "pilot", "istio.io/rev": "default"},
        annotations={"prometheus.io/scrape": "true", "prometheus.io/port": "15014"},
    ),
    "istiod of a revision": Pod(
        [container("discovery", *ISTIOD)],
        CONTROL,
        labels={"app": "istiod", "istio": "istiod", "istio.io/rev": "canary"},
        annotations={"prometheus.io/scrape": "true", "prometheus.io/port": "15014"},
    ),
    "istiod 1.22, which does not declare the port": Pod(
        [container("discovery", *OLD_ISTIOD)],
        CONTROL,
        labels={"app": "istiod", "istio": "istiod", "istio.io/rev": "old"},
        annotations={"prometheus.io/scrape": "true", "prometheus.io/port": "15014"},
    ),
    "ztunnel": Pod(
        [container("istio-proxy", ("ztunnel-stats", 15020))],
        ("ztunnel", 15020, "/stats/prometheus"),
        labels={"app": "ztunnel"},
        annotations={"prometheus.io/scrape": "true", "prometheus.io/port": "15020"},
    ),
    "istio-cni": Pod(
        [container("install-cni", ("metrics", 15014))],
        ("istio-cni", 15014, "/metrics"),
        labels={"k8s-app": "istio-cni-node"},
        annotations={"prometheus.io/scrape": "true", "prometheus.io/port": "15014", "prometheus.io/path": "/metrics"},
    ),
    "a plain annotated application": Pod(
        [container("app", ("metrics", 9100))],
        None,
        why_not=NO_ISTIO,
        labels={"app": "plain"},
        annotations={"prometheus.io/scrape": "true", "prometheus.io/port": "9100"},
    ),
    "an application without a port": Pod([container("app")], None, why_not=NO_ISTIO, labels={}, annotations={}),
    "a finished job with a sidecar": Pod(
        [container("istio-proxy", *ENVOY)], None, why_not="nobody listens at its address any more", phase="Succeeded"
    ),
    "the sensor itself": Pod(
        [container("sensor", ("prom-metrics", 9102), ("health-http", 2021))],
        None,
        why_not="it reports about itself (selfMetrics)",
        labels={"app.kubernetes.io/name": "sensor", "app.kubernetes.io/part-of": "groundcover"},
        annotations={"prometheus.io/scrape": "true", "prometheus.io/port": "9102"},
    ),
}


def cluster() -> dict[str, Object]:
    """Give the table as Kubernetes' own objects, on three nodes."""
    return {
        name: {
            "metadata": {
                "name": f"pod-{i}",
                "namespace": "istio-system"
                if (pod.scraped or ("",))[0] in {"istiod", "ztunnel", "istio-cni"}
                else "shop",
                "labels": pod.labels,
                "annotations": pod.annotations,
            },
            "spec": {
                "nodeName": f"node-{i % 3}",
                "containers": pod.containers,
                "initContainers": list(pod.init),
            },
            "status": {"podIP": pod.ip or f"10.0.0.{i}", "phase": pod.phase},
        }
        for i, (name, pod) in enumerate(PODS.items(), 1)
    }


def istiod_service(name: str, labels: dict[str, str], selector: dict[str, str]) -> Object:
    """Give a Service of a control plane."""
    ports = [
        {"name": "grpc-xds", "port": 15010},
        {"name": "https-dns", "port": 15012},
        {"name": "https-webhook", "port": 443, "targetPort": 15017},
        {"name": "http-monitoring", "port": 15014},
    ]
    return {
        "metadata": {"name": name, "labels": {"app": "istiod", "istio": "pilot", **labels}},
        "spec": {"ports": ports, "selector": {"app": "istiod", **selector}},
    }


SERVICES = [
    istiod_service("istiod", {"istio.io/rev": "default"}, {"istio": "pilot"}),
    istiod_service("istiod-canary", {"istio.io/rev": "canary"}, {"istio.io/rev": "canary"}),
    istiod_service("istiod-old", {"istio.io/rev": "old"}, {"istio.io/rev": "old"}),
    # A tag is a second Service of the same pods.
    istiod_service(
        "istiod-revision-tag-prod", {"istio.io/rev": "canary", "istio.io/tag": "prod"}, {"istio.io/rev": "canary"}
    ),
]


def expected(pod: Pod, ip: str, *, merged: bool = False) -> list[tuple[str, str]]:
    """Give the job and the URL of the one target of a pod, or none."""
    if pod.scraped is None:
        return []
    job, port, path = pod.scraped
    port = pod.merged or port if merged else port
    host = f"[{ip}]" if ":" in ip else ip
    return [(job, f"http://{host}:{port}{path}")]


def scrape_config(render: Render, mode: str) -> Object:
    """Give the configuration of the sensor's scraper or of the agent."""
    name, key = "groundcover-istio-metrics", "scrape.yaml"
    if mode != "agent":
        name = render.get("DaemonSet")["metadata"]["name"] + "-scrape-config"
        key = "metrics-scrape-config.yaml"
    document: Object = load(render.get("ConfigMap", name)["data"][key])
    return document


def scrape(render: Render, mode: str, pods: list[Object]) -> list[Target]:
    """Give all targets that a mode leads to."""
    if mode in {"sensor", "agent"}:
        return [t for job in scrape_config(render, mode)["scrape_configs"] for t in targets(job, discover_pods(pods))]
    discovery: dict[str, Callable[[], Any]] = {
        "pod": lambda: discover_pods(pods),
        "endpoints": lambda: discover_endpoints(SERVICES, pods),
    }
    monitors = [o for o in render.objects if o["kind"].endswith(("Monitor", "Scrape"))]
    return [t for m in monitors for job in jobs_of(m) for t in targets(job, discovery[job["role"]]())]


MODES: dict[str, dict[str, Any]] = {
    "sensor": {"metrics": {"enabled": True}},
    "agent": {"metrics": {"enabled": True, "mode": "agent"}, "istio-metrics": {"enabled": True}},
    "monitors": {"metrics": {"enabled": True, "mode": "monitors"}},
    "vm-monitors": {
        "metrics": {"enabled": True, "mode": "monitors", "monitors": {"api": "operator.victoriametrics.com/v1beta1"}}
    },
}
by_mode = pytest.mark.parametrize("mode", MODES)


@by_mode
@pytest.mark.parametrize("name", PODS)
def test_each_pod_is_scraped_once(helm: Helm, mode: str, name: str) -> None:
    """The table: one target where there is an endpoint of Istio's, none where there is a reason."""
    pod, given = PODS[name], cluster()[name]
    assert (pod.scraped is None) == bool(pod.why_not)
    found = scrape(helm.render(values(**MODES[mode])), mode, [given])
    assert [(t.job, t.url) for t in found] == expected(pod, given["status"]["podIP"])


@pytest.mark.parametrize("name", PODS)
def test_merged_endpoint_is_scraped_instead(helm: Helm, name: str) -> None:
    """15020 takes the place of 15090; never both of one pod."""
    pod, given = PODS[name], cluster()[name]
    render = helm.render(values(metrics={"enabled": True, "jobs": {"proxies": {"endpoint": "merged"}}}))
    found = scrape(render, "sensor", [given])
    assert [(t.job, t.url) for t in found] == expected(pod, given["status"]["podIP"], merged=True)


@by_mode
def test_no_address_is_scraped_twice(helm: Helm, mode: str) -> None:
    """The whole cluster at once, all jobs together."""
    pods = list(cluster().values())
    urls = [t.url for t in scrape(helm.render(values(**MODES[mode])), mode, pods)]
    assert len(urls) == len(set(urls)) == sum(pod.scraped is not None for pod in PODS.values())


def test_sensors_share_the_cluster(helm: Helm) -> None:
    """A sensor limits role `pod` to its own node and no other role, so there is no other role."""
    render = helm.render(values(**MODES["sensor"]))
    jobs = scrape_config(render, "sensor")["scrape_configs"]
    assert {str(job["kubernetes_sd_configs"]) for job in jobs} == {"[{'role': 'pod'}]"}
    pods = list(cluster().values())
    by_node = [[p for p in pods if p["spec"]["nodeName"] == f"node-{i}"] for i in range(3)]
    shares = [t for share in by_node for t in scrape(render, "sensor", share)]
    assert sorted(shares) == sorted(scrape(render, "sensor", pods))


@by_mode
def test_labels_of_a_target(helm: Helm, mode: str) -> None:
    """A handful of labels that stay the same over rollouts, the same in every mode."""
    render = helm.render(values(**MODES[mode]))
    (target,) = scrape(render, mode, [cluster()["a classic sidecar"]])
    assert dict(target.labels) == {
        "job": "istio-proxies",
        "instance": "10.0.0.1:15090",
        "namespace": "shop",
        "pod": "pod-1",
        "container": "istio-proxy",
        "node": "node-1",
        "app": "shop",
        "version": "v1",
        "revision": "default",
    }


@by_mode
def test_revisions_can_be_told_apart(helm: Helm, mode: str) -> None:
    """Every istiod under its revision."""
    pods = [pod for name, pod in cluster().items() if name.startswith("istiod")]
    found = scrape(helm.render(values(**MODES[mode])), mode, pods)
    assert sorted(dict(t.labels)["revision"] for t in found) == ["canary", "default", "old"]


SERIES = {
    "istio_requests_total": True,
    "istio_request_duration_milliseconds_bucket": True,
    "istio_build": True,
    "pilot_xds_pushes": True,
    "galley_validation_failed": True,
    "citadel_server_root_cert_expiry_timestamp": True,
    "ztunnel_connected": True,
    "envoy_server_uptime": True,
    "envoy_cluster_upstream_rq_total": False,
    "envoy_server_uptime_more": False,
    "go_gc_duration_seconds": False,
    "my_application_requests_total": False,
}


@by_mode
@pytest.mark.parametrize(("series", "wanted"), SERIES.items())
def test_series_are_kept_by_a_list(helm: Helm, mode: str, series: str, *, wanted: bool) -> None:
    """What is not on the list is not stored."""
    render = helm.render(values(**MODES[mode]))
    if mode in {"sensor", "agent"}:
        jobs = scrape_config(render, mode)["scrape_configs"]
    else:
        jobs = [job for o in render.objects if o["kind"].endswith(("Monitor", "Scrape")) for job in jobs_of(o)]
    assert len(jobs) == 4
    assert {kept(job, series) for job in jobs} == {wanted}


@pytest.mark.parametrize(
    ("over", "series", "wanted"),
    [
        pytest.param({"extraKeep": ["my_.*"]}, "my_requests", True, id="added"),
        pytest.param({"extraKeep": ["my_.*"]}, "istio_build", True, id="added to the default"),
        pytest.param({"keep": ["my_.*"]}, "istio_build", False, id="replaced"),
        pytest.param({"drop": ["istio_.*_bucket"]}, "istio_x_bucket", False, id="left out after all"),
        pytest.param({"drop": ["istio_.*_bucket"]}, "istio_x_count", True, id="the rest stays"),
        pytest.param({"keep": []}, "anything", True, id="no list, no limit"),
        pytest.param(
            {"metricRelabelings": [{"source_labels": ["__name__"], "action": "drop", "regex": "istio_build"}]},
            "istio_build",
            False,
            id="own rule",
        ),
    ],
)
def test_the_list_is_the_users(helm: Helm, over: dict[str, Any], series: str, *, wanted: bool) -> None:
    """It can be added to, replaced, cut and left out."""
    jobs = scrape_config(helm.render(values(metrics={"enabled": True, **over})), "sensor")["scrape_configs"]
    assert {kept(job, series) for job in jobs} == {wanted}


def test_limits_and_intervals(helm: Helm) -> None:
    """In every job, and in the defaults of the file."""
    given = {"enabled": True, "interval": "1m", "timeout": "20s", "sampleLimit": 123}
    config = scrape_config(helm.render(values(metrics=given)), "sensor")
    assert config["global"] == {"scrape_interval": "1m", "scrape_timeout": "20s"}
    limits = {(j["scrape_interval"], j["scrape_timeout"], j["sample_limit"]) for j in config["scrape_configs"]}
    assert limits == {("1m", "20s", 123)}
    unlimited = scrape_config(helm.render(values(metrics={**given, "sampleLimit": 0})), "sensor")
    assert not any("sample_limit" in job for job in unlimited["scrape_configs"])


def test_jobs_can_be_left_out(helm: Helm) -> None:
    """One switch a job, in every mode."""
    given = {"enabled": True, "jobs": {"ztunnel": {"enabled": False}, "cni": {"enabled": False}}}
    config = scrape_config(helm.render(values(metrics=given)), "sensor")
    assert [job["job_name"] for job in config["scrape_configs"]] == ["istio-proxies", "istiod"]
    monitors = helm.render(values(metrics={**given, "mode": "monitors"}))
    assert sorted(o["metadata"]["name"] for o in monitors.objects if o["kind"].endswith("Monitor")) == [
        "groundcover-sensor-istio-proxies",
        "groundcover-sensor-istiod",
    ]


def test_own_jobs_are_added_with_templates(helm: Helm) -> None:
    """After the chart's."""
    own = {"job_name": "{{ .Release.Name }}-own", "static_configs": [{"targets": ["a:1"]}]}
    config = scrape_config(helm.render(values(metrics={"enabled": True, "extraScrapeConfigs": [own]})), "sensor")
    assert config["scrape_configs"][-1] == {**own, "job_name": "groundcover-own"}


@pytest.mark.parametrize(("mode", "on"), [("sensor", True), ("agent", False), ("monitors", False)], ids=str)
def test_one_scraper_at_a_time(helm: Helm, mode: str, *, on: bool) -> None:
    """The sensor's scraper runs in its own mode only, and has nothing to do in the others."""
    render = helm.render(values(**MODES[mode]))
    assert render.config["receivers"]["metricsscraper"]["enabled"] is on
    assert bool(scrape_config(render, "sensor")["scrape_configs"]) is on
    assert render.has("Deployment") is (mode == "agent")
    assert any(o["kind"] == "PodMonitor" for o in render.objects) is (mode == "monitors")


def test_off_by_default(default: Render) -> None:
    """No scraper, no agent, no monitor."""
    assert default.config["receivers"]["metricsscraper"]["enabled"] is False
    assert scrape_config(default, "sensor")["scrape_configs"] == []
    assert not {o["kind"] for o in default.objects} & {"Deployment", "PodMonitor", "ServiceMonitor"}


def test_new_jobs_restart_the_sensors(helm: Helm, default: Render) -> None:
    """Whether the sensor reads the file again by itself is not known."""
    checksums = {
        helm.render(given).pod["metadata"]["annotations"]["checksum/scrape-config"]
        for given in (values(metrics={"enabled": True}), values(metrics={"enabled": True, "interval": "2m"}))
    }
    assert len(checksums | {default.pod["metadata"]["annotations"]["checksum/scrape-config"]}) == 3


def test_agent(helm: Helm) -> None:
    """One pod without privileges that may read pods, writes to this sensor and is no part of the mesh."""
    render = helm.render(values(**MODES["agent"]))
    deployment = render.get("Deployment")["spec"]
    pod = deployment["template"]["spec"]
    (agent,) = pod["containers"]
    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})
    port = {p["name"]: p["port"] for p in render.service["spec"]["ports"]}["prometheus-remote-write"]
    assert f"-remoteWrite.url=http://groundcover-sensor.groundcover.svc:{port}/api/v1/write" in agent["args"]
    assert {v["configMap"]["name"] for v in pod["volumes"] if "configMap" in v} == {"groundcover-istio-metrics"}
    # It follows its configuration by itself, so no checksum restarts it.
    assert "-promscrape.configCheckInterval=30s" in agent["args"]
    assert agent["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["securityContext"]["runAsNonRoot"] is True
    role = render.get("ClusterRole", "groundcover-groundcover-istio-metrics")
    assert role["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]
    labels = deployment["template"]["metadata"]["labels"]
    assert (labels["sidecar.istio.io/inject"], labels["istio.io/dataplane-mode"]) == ("false", "none")
    assert labels.items() >= deployment["selector"]["matchLabels"].items()


def test_a_config_map_of_the_users_is_left_to_them(helm: Helm) -> None:
    """Helm could not make one of that name beside it, and what `metrics` says is not what is scraped."""
    given = merged(values(**MODES["agent"]), at("istio-metrics.configMap", "mine"))
    render = helm.render(given)
    assert "mine" not in {o["metadata"]["name"] for o in render.objects if o["kind"] == "ConfigMap"}
    volumes = render.get("Deployment")["spec"]["template"]["spec"]["volumes"]
    assert [v["configMap"]["name"] for v in volumes if "configMap" in v] == ["mine"]
    notes = helm.text(given, "--dry-run=client", command="install").partition("NOTES:")[2]
    assert "One agent scrapes what ConfigMap groundcover/mine says" in notes
    none = {job: {"enabled": False} for job in ("proxies", "istiod", "ztunnel", "cni")}
    assert helm.render(merged(given, at("metrics.jobs", none))).has("Deployment")


def read_by_the_agent(render: Render) -> set[str]:
    """Give what the agent's account may list, of all its roles."""
    bound = {
        o["roleRef"]["name"]
        for o in render.objects
        if o["kind"] == "ClusterRoleBinding" and o["subjects"][0]["name"] == "groundcover-istio-metrics"
    }
    rules = [r for name in bound for r in render.get("ClusterRole", name)["rules"]]
    assert all(r["verbs"] == ["get", "list", "watch"] for r in rules)
    return {f"{group}/{name}".lstrip("/") for r in rules for group in r["apiGroups"] for name in r["resources"]}


@pytest.mark.parametrize(
    ("discovery", "more"),
    [
        pytest.param([{"role": "pod"}], set(), id="pods only"),
        pytest.param([{"role": "node"}], {"nodes"}, id="nodes"),
        pytest.param([{"role": "endpoints"}], {"endpoints", "services"}, id="endpoints"),
        pytest.param(
            [{"role": '{{ "endpointslice" }}'}, {"role": "pod", "attach_metadata": {"node": True}}],
            {"discovery.k8s.io/endpointslices", "services", "nodes"},
            id="a template, and nodes of pods",
        ),
        pytest.param(
            [{"role": "ingress"}, {"role": "service"}], {"networking.k8s.io/ingresses", "services"}, id="ingresses"
        ),
        pytest.param("nonsense", set(), id="no list"),
    ],
)
def test_the_agent_may_read_what_it_has_to_discover(helm: Helm, discovery: Any, more: set[str]) -> None:
    """Without the right the API server says no in vmagent's log, and nothing is scraped."""
    job = {"job_name": "own", "kubernetes_sd_configs": discovery}
    given = merged(values(**MODES["agent"]), at("metrics.extraScrapeConfigs", [job]))
    assert read_by_the_agent(helm.render(given)) == {"pods"} | more
    rule = {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get", "list", "watch"]}
    own: dict[str, Any] = {"configMap": "mine", "rbac": {"extraRules": [rule]}}
    assert read_by_the_agent(helm.render(merged(given, {"istio-metrics": own}))) == {"pods", "nodes/metrics"}
    assert read_by_the_agent(helm.render(merged(given, at("istio-metrics.rbac.create", False)))) == set()


@pytest.mark.parametrize("release", ["groundcover", "gc-sensor", "groundcover-sensor-b", "a.b", "x" * 53])
def test_agent_finds_the_sensor(helm: Helm, release: str) -> None:
    """The subchart knows the parent's rule for names: the parent refuses a release where they differ."""
    render = helm.render(values(**MODES["agent"]), release=release)
    (url,) = (
        a
        for a in render.get("Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]
        if "write" in a.lower() and "url=" in a
    )
    assert url.partition("//")[2].startswith(f"{render.service['metadata']['name']}.groundcover.svc:8428/")


def test_agent_and_sensor_scrape_the_same(helm: Helm) -> None:
    """One set of values holds for both."""
    over = {"metrics": {"interval": "2m", "extraKeep": ["x"], "jobs": {"cni": {"enabled": False}}}}
    configs = []
    for mode in ("sensor", "agent"):
        given = values(**{key: {**over.get(key, {}), **value} for key, value in MODES[mode].items()})
        configs.append(scrape_config(helm.render(given), mode))
    assert configs[0] == configs[1]


def test_monitors_pass_everything_through(helm: Helm) -> None:
    """Labels that a Prometheus selects by, any field of the endpoint and of the spec."""
    monitors = {
        "namespace": "monitoring",
        "labels": {"release": "prometheus"},
        "annotations": {"a": "b"},
        "endpoint": {"honorLabels": True, "interval": "5m"},
        "spec": {"targetLimit": 7, "selector": {"matchLabels": {"x": "y"}}},
    }
    render = helm.render(values(metrics={"enabled": True, "mode": "monitors", "monitors": monitors}))
    found = [o for o in render.objects if o["kind"].endswith("Monitor")]
    assert len(found) == 4
    for monitor in found:
        assert monitor["metadata"]["namespace"] == "monitoring"
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
        assert monitor["metadata"]["annotations"] == {"a": "b"}
        assert (monitor["spec"]["targetLimit"], monitor["spec"]["sampleLimit"]) == (7, 50000)
        assert monitor["spec"]["selector"]["matchLabels"]["x"] == "y"
        (endpoint,) = monitor["spec"].get("endpoints") or monitor["spec"]["podMetricsEndpoints"]
        assert (endpoint["honorLabels"], endpoint["interval"]) == (True, "5m")


def test_labels_of_monitors_are_the_users(helm: Helm) -> None:
    """An operator may select by any of them; nothing of the chart does."""
    labels = {"app.kubernetes.io/name": "mine", "app.kubernetes.io/part-of": "prometheus"}
    render = helm.render(merged(values(**MODES["monitors"]), at("metrics.monitors.labels", labels)))
    found = [o["metadata"]["labels"] for o in render.objects if o["kind"].endswith("Monitor")]
    assert len(found) == 4
    assert all(each.items() >= labels.items() for each in found)
    assert {each["app.kubernetes.io/managed-by"] for each in found} == {"Helm"}


def test_operators_spelling(helm: Helm) -> None:
    """Prometheus' operator and VictoriaMetrics' name the same things differently."""
    for mode, kinds, fields in (
        ("monitors", {"PodMonitor", "ServiceMonitor"}, {"relabelings", "metricRelabelings"}),
        ("vm-monitors", {"VMPodScrape", "VMServiceScrape"}, {"relabelConfigs", "metricRelabelConfigs"}),
    ):
        found = [o for o in helm.render(values(**MODES[mode])).objects if o["kind"].endswith(("Monitor", "Scrape"))]
        assert {o["kind"] for o in found} == kinds
        for monitor in found:
            (endpoint,) = monitor["spec"].get("endpoints") or monitor["spec"]["podMetricsEndpoints"]
            assert fields <= set(endpoint)
            assert not any(
                "_" in key
                for rule in endpoint["relabelings" if mode == "monitors" else "relabelConfigs"]
                for key in rule
            )


@pytest.fixture(scope="module")
def promtool() -> str:
    """Prometheus' own checker."""
    found = shutil.which("promtool")
    if not found:
        if os.environ.get("CI") == "true":
            pytest.fail("promtool is not on PATH: apt-get install prometheus, or go install it")
        pytest.skip("promtool is not on PATH (apt-get install prometheus)")
    return found


def check(promtool: str, file: Path) -> str:
    """Let promtool check a configuration, and give what it has against it."""
    done = subprocess.run([promtool, "check", "config", str(file)], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", ["sensor", "agent", "ci-sensor", "ci-agent", "off"])
def test_prometheus_accepts_the_configuration(
    helms: dict[str, Helm], promtool: str, version: str, case: str, tmp_path: Path
) -> None:
    """Fields, durations, regular expressions, rules: all as Prometheus reads them."""
    mode = case.removeprefix("ci-")
    given: Any = values(**MODES.get(mode, {}))
    if case != mode:
        given = CHART / "ci" / f"metrics-{mode}-values.yaml"
    config = scrape_config(helms[version].render(given), mode)
    file = tmp_path / "prometheus.yml"
    file.write_text(yaml.safe_dump(config))
    complaint = check(promtool, file)
    if "field kubernetes_sd_configs not found" in complaint:
        # Debian builds Prometheus without the discovery of Kubernetes. Everything else it can check.
        for job in config["scrape_configs"]:
            assert job.pop("kubernetes_sd_configs") == [{"role": "pod"}]
        file.write_text(yaml.safe_dump(config))
        complaint = check(promtool, file)
    assert complaint == ""


def test_promtool_would_notice(promtool: str, tmp_path: Path) -> None:
    """A checker that accepts anything proves nothing."""
    rule = {"source_labels": ["a"], "regex": "(", "target_label": "b"}
    file = tmp_path / "prometheus.yml"
    file.write_text(yaml.safe_dump({"scrape_configs": [{"job_name": "x", "relabel_configs": [rule]}]}))
    assert "error parsing regexp" in check(promtool, file)


def test_every_mode_is_in_the_ci_values() -> None:
    """Lint, schema, render and conformance see each of them."""
    seen = set()
    for file in CI_FILES:
        given = load(file.read_text())
        if given.get("metrics", {}).get("enabled"):
            seen.add(given["metrics"].get("mode", "sensor"))
    assert seen == {"sensor", "agent", "monitors"}


@pytest.mark.skipif(
    not (Path(DATA) / VENDOR).is_file() if DATA else True, reason=f"GROUNDCOVER_ISTIO_TEST_DATA has no {VENDOR}"
)
@pytest.mark.parametrize(
    ("name", "count"),
    [
        pytest.param("a classic sidecar", 2, id="a classic sidecar twice"),
        pytest.param("a native sidecar", 1, id="a native sidecar once"),
        pytest.param("a native sidecar of two containers", 2, id="twice with two containers"),
        pytest.param("the sensor itself", 0, id="not the sensor"),
    ],
)
def test_the_vendors_job_scrapes_twice(name: str, count: int) -> None:
    """What is known of the job by annotation, which is why there is none here; and a check of the simulation."""
    documents = yaml.load_all((Path(DATA) / VENDOR).read_text(), yaml.CSafeLoader)
    (text,) = (
        d["data"]["metrics-scrape-config.yaml"]
        for d in documents
        if d and d["metadata"]["name"] == "sensor-scrape-configuration"
    )
    (job,) = load(text)["scrape_configs"]
    found = targets(job, discover_pods([cluster()[name]]))
    assert len(found) == count
    assert len({t.url for t in found}) <= 1


@pytest.mark.parametrize(
    ("rule", "after"),
    [
        pytest.param({"source_labels": ["a"], "target_label": "c"}, {"a": "x", "b": "1", "c": "x"}, id="copied"),
        pytest.param({"source_labels": ["none"], "target_label": "a"}, {"b": "1"}, id="an empty value removes"),
        pytest.param({"target_label": "c", "replacement": "v"}, {"a": "x", "b": "1", "c": "v"}, id="constant"),
        pytest.param(
            {"source_labels": ["a", "b"], "regex": "(.);(.)", "replacement": "${2}$1", "target_label": "a"},
            {"a": "1x", "b": "1"},
            id="groups",
        ),
        pytest.param({"source_labels": ["a"], "regex": "y", "target_label": "c"}, {"a": "x", "b": "1"}, id="no match"),
        pytest.param({"source_labels": ["a"], "regex": "x.", "action": "keep"}, None, id="anchored"),
        pytest.param({"source_labels": ["b"], "regex": "1", "action": "drop"}, None, id="dropped"),
        pytest.param({"regex": "a", "action": "labeldrop"}, {"b": "1"}, id="label dropped"),
        pytest.param({"regex": "a", "action": "labelkeep"}, {"a": "x"}, id="label kept"),
        pytest.param(
            {"regex": "(a)", "replacement": "my_$1", "action": "labelmap"}, {"a": "x", "b": "1", "my_a": "x"}, id="map"
        ),
        pytest.param(
            {"source_labels": ["a"], "target_label": "c", "action": "uppercase"},
            {"a": "x", "b": "1", "c": "X"},
            id="case",
        ),
        pytest.param({"source_labels": ["a"], "target_label": "b", "action": "keepequal"}, None, id="not equal"),
        pytest.param(
            {"source_labels": ["a"], "target_label": "c", "modulus": 8, "action": "hashmod"},
            {"a": "x", "b": "1", "c": "6"},
            id="hash",
        ),
    ],
)
def test_relabelling_itself(rule: Object, after: dict[str, str] | None) -> None:
    """The simulation, on rules whose result is documented."""
    assert relabel({"a": "x", "b": "1"}, [rule]) == after
