"""The pod and its surroundings, value by value."""

from __future__ import annotations

from typing import Any

import pytest

from .support import CHART, REQUIRED, Helm, Render, at, load, merged, values

DEFAULT_TERM = [
    {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]},
    {"key": "eks.amazonaws.com/compute-type", "operator": "NotIn", "values": ["fargate"]},
    {"key": "type", "operator": "NotIn", "values": ["virtual-kubelet"]},
]
DIGEST = "sha256:" + "0123456789abcdef" * 4


def terms(render: Render) -> list[dict[str, Any]]:
    """Give the node selector terms of the pod."""
    affinity = render.pod["spec"]["affinity"]["nodeAffinity"]
    found: list[dict[str, Any]] = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    return found


def test_mesh_opt_out(helm: Helm, default: Render) -> None:
    """No proxy in front of the sensor, unless it is asked for."""
    labels = default.pod["metadata"]["labels"]
    assert labels["sidecar.istio.io/inject"] == "false"
    assert labels["istio.io/dataplane-mode"] == "none"
    render = helm.render(values(mesh={"optOutSidecar": False, "optOutAmbient": False}))
    assert not {k for k in render.pod["metadata"]["labels"] if "istio.io" in k}


def test_affinity_is_merged(helm: Helm, default: Render) -> None:
    """The chart's requirements are added to each alternative of the user's."""
    assert terms(default) == [{"matchExpressions": DEFAULT_TERM}]
    pool = {"key": "pool", "operator": "Exists"}
    name = {"key": "metadata.name", "operator": "In", "values": ["n"]}
    node = {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [pool]}, {"matchFields": [name]}]
        }
    }
    pods: dict[str, Any] = {"preferredDuringSchedulingIgnoredDuringExecution": []}
    render = helm.render(values(affinity={"nodeAffinity": node, "podAffinity": pods}))
    assert terms(render) == [
        {"matchExpressions": [pool, *DEFAULT_TERM]},
        {"matchExpressions": DEFAULT_TERM, "matchFields": [name]},
    ]
    assert render.pod["spec"]["affinity"]["podAffinity"] == pods


def test_affinity_can_be_left_to_the_user(helm: Helm) -> None:
    """Without requirements there is no affinity of the chart's own."""
    assert "affinity" not in helm.render(values(nodeRequirements=[])).pod["spec"]


@pytest.mark.parametrize(
    ("over", "image"),
    [
        pytest.param({}, "public.ecr.aws/groundcovercom/sensor:1.12.269", id="default"),
        pytest.param({"global": {"imageRegistry": "g"}}, "g/groundcovercom/sensor:1.12.269", id="global"),
        pytest.param(
            {"global": {"imageRegistry": "g"}, "image": {"registry": "i"}},
            "i/groundcovercom/sensor:1.12.269",
            id="the image's own registry wins",
        ),
        pytest.param(
            {"image": {"repository": "r", "tag": "t", "digest": DIGEST}},
            f"public.ecr.aws/r:t@{DIGEST}",
            id="digest",
        ),
    ],
)
def test_image(helm: Helm, over: dict[str, Any], image: str) -> None:
    """Registry, repository, tag and digest."""
    assert helm.render(values(**over)).sensor["image"] == image


def test_test_image_follows_the_global_registry(helm: Helm) -> None:
    """One switch moves all images."""
    render = helm.render(values(**at("global.imageRegistry", "g")))
    assert {c["image"] for c in render.get("Pod")["spec"]["containers"]} == {"g/groundcovercom/tools:20260719"}


def test_pull_secrets_are_collected(helm: Helm) -> None:
    """The chart's and the global ones, in either spelling, each once, on every pod."""
    given = values(imagePullSecrets=[{"name": "a"}])
    given["global"] = {"imagePullSecrets": ["b", {"name": "a"}]}
    render = helm.render(given)
    for spec in (render.pod["spec"], render.get("Pod")["spec"]):
        assert spec["imagePullSecrets"] == [{"name": "a"}, {"name": "b"}]


@pytest.mark.parametrize(
    ("memory", "percent", "expected"),
    [
        pytest.param("1Gi", 80, "819MiB", id="gibibytes"),
        pytest.param("512Mi", 50, "256MiB", id="mebibytes"),
        pytest.param("1.5Gi", 100, "1536MiB", id="a fraction"),
        pytest.param("2G", 100, "1907MiB", id="gigabytes"),
        pytest.param(1073741824, 100, "1024MiB", id="bytes as a number"),
        pytest.param("1Gi", 0, None, id="switched off"),
        pytest.param("1e9", 80, None, id="a form that is not understood"),
    ],
)
def test_go_memory_limit(helm: Helm, memory: Any, percent: int, expected: str | None) -> None:
    """A share of the container's limit, when there is one that can be read."""
    given = values(goMemLimitPercent=percent, resources={"limits": {"memory": memory}})
    assert helm.render(given).env.get("GOMEMLIMIT", {}).get("value") == expected


def test_no_memory_limit(helm: Helm) -> None:
    """Without a limit there is nothing to tell the sensor."""
    env = helm.render(values(**at("resources.limits.memory", None))).env
    assert "GOMEMLIMIT" not in env
    assert "GC_MEMORY_LIMIT_BYTES" not in env


def test_extra_env_replaces(helm: Helm) -> None:
    """A variable is never there twice: server-side apply would refuse it."""
    env = helm.render(
        values(
            extraEnv=[
                {"name": "GC_LISTEN_ADDRESS", "value": "127.0.0.1"},
                {"name": "MINE", "value": "{{ .Release.Name }}"},
            ]
        )
    ).env
    assert env["GC_LISTEN_ADDRESS"]["value"] == "127.0.0.1"
    assert env["MINE"]["value"] == "groundcover"


def test_passthroughs(helm: Helm) -> None:
    """Every extra arrives, with its templates filled in."""
    render = helm.render(CHART / "ci" / "extras-values.yaml")
    spec = render.pod["spec"]
    assert {"name": "ca", "configMap": {"name": "ca"}} in spec["volumes"]
    assert {"name": "ca", "mountPath": "/etc/ca", "readOnly": True} in render.sensor["volumeMounts"]
    assert [c["name"] for c in spec["containers"]] == ["sensor", "side"]
    assert [c["name"] for c in spec["initContainers"]] == ["first"]
    assert render.sensor["envFrom"][0]["configMapRef"]["name"] == "groundcover-env"
    assert render.get("ConfigMap", "my-sensor-extra")["metadata"]["namespace"] == "elsewhere"
    assert render.get("ConfigMap", "groundcover-text")
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert spec["securityContext"] == {"fsGroup": 0}


def test_privileged_mode(default: Render) -> None:
    """The mode the sensor is known to work in."""
    assert default.sensor["securityContext"] == {"privileged": True}
    assert default.pod["spec"]["hostPID"] is True
    assert default.pod["spec"]["hostNetwork"] is False


@pytest.mark.parametrize("kube", ["1.29.0", "1.30.0"])
def test_capabilities_mode(helm: Helm, kube: str) -> None:
    """Everything dropped but a list; AppArmor off the way the Kubernetes version spells it."""
    render = helm.render(
        values(securityContext={"mode": "capabilities", "extraCapabilities": ["SYS_ADMIN"]}),
        "--kube-version",
        kube,
    )
    context = render.sensor["securityContext"]
    assert context["privileged"] is False
    assert context["readOnlyRootFilesystem"] is True
    assert context["capabilities"]["drop"] == ["ALL"]
    defaults = load((CHART / "values.yaml").read_text())["securityContext"]["capabilities"]
    assert context["capabilities"]["add"] == [*defaults, "SYS_ADMIN"]
    annotation = "container.apparmor.security.beta.kubernetes.io/sensor"
    assert ("appArmorProfile" in context) == (kube == "1.30.0")
    assert (annotation in render.pod["metadata"]["annotations"]) == (kube == "1.29.0")
    assert {"name": "tmp", "mountPath": "/tmp"} in render.sensor["volumeMounts"]  # noqa: S108


def test_openshift(helm: Helm, default: Render) -> None:
    """The right to use an SCC is given where there are SCCs."""
    assert not default.has("Role")
    render = helm.render(values(), "--api-versions", "security.openshift.io/v1")
    (rule,) = render.get("Role")["rules"]
    assert rule["resourceNames"] == ["privileged"]
    assert rule["verbs"] == ["use"]
    assert render.get("RoleBinding")["subjects"][0]["name"] == "groundcover-sensor"
    off = helm.render(values(**at("openshift.scc.enabled", False)), "--api-versions", "security.openshift.io/v1")
    assert not off.has("Role")


@pytest.mark.parametrize(
    ("over", "made"),
    [
        pytest.param(at("openshift.scc.enabled", True), True, id="asked for"),
        pytest.param(at("openshift.scc.enabled", "auto"), False, id="by the API"),
        pytest.param(merged(at("openshift.scc.enabled", True), at("rbac.create", False)), False, id="no rights at all"),
    ],
)
def test_openshift_without_a_cluster(helm: Helm, over: dict[str, Any], *, made: bool) -> None:
    """Helm sees no APIs then, and who asks for the right to use an SCC still gets it."""
    render = helm.render(values(**over))
    assert (render.has("Role"), render.has("RoleBinding")) == (made, made)


def test_openshift_by_the_api_is_what_null_means(helm: Helm) -> None:
    """As after an upgrade that reused values without this one."""
    given = values(**at("openshift.scc.enabled", None))
    assert not helm.render(given).has("Role")
    assert helm.render(given, "--api-versions", "security.openshift.io/v1").has("Role")


@pytest.mark.parametrize(
    ("over", "name", "made"),
    [
        pytest.param({}, "groundcover-groundcover-sensor", True, id="made"),
        pytest.param({"priorityClass": {"name": "mine"}}, "mine", True, id="made under a name"),
        pytest.param(
            {"priorityClass": {"create": False, "name": "system-node-critical"}},
            "system-node-critical",
            False,
            id="one that exists",
        ),
        pytest.param({"priorityClass": {"create": False}}, None, False, id="none"),
    ],
)
def test_priority_class(helm: Helm, over: dict[str, Any], name: str | None, *, made: bool) -> None:
    """Made, reused, or left out."""
    render = helm.render(values(**over))
    assert render.pod["spec"].get("priorityClassName") == name
    assert render.has("PriorityClass") is made


@pytest.mark.parametrize(
    ("over", "policy", "distribution"),
    [
        pytest.param({}, "Local", None, id="default"),
        pytest.param({"internalTrafficPolicy": "Cluster"}, "Cluster", None, id="any node"),
        pytest.param({"trafficDistribution": "PreferClose"}, None, "PreferClose", id="preference"),
    ],
)
def test_traffic_policy(helm: Helm, over: dict[str, Any], policy: str | None, distribution: str | None) -> None:
    """A rule or a preference, never both."""
    spec = helm.render(values(service=over), "--kube-version", "1.31.0").service["spec"]
    assert spec.get("internalTrafficPolicy") == policy
    assert spec.get("trafficDistribution") == distribution


@pytest.mark.parametrize(
    ("over", "key"),
    [
        pytest.param(at("sensor.config.loglevel", 5), "checksum/config", id="configuration"),
        pytest.param(at("receivers.loki.port", 3101), "checksum/config", id="receiver"),
    ],
)
def test_change_of_a_mounted_file_restarts_the_pods(
    helm: Helm, default: Render, over: dict[str, Any], key: str
) -> None:
    """Kubernetes does not restart a pod for a ConfigMap by itself."""
    annotations = helm.render(values(**over)).pod["metadata"]["annotations"]
    assert annotations[key] != default.pod["metadata"]["annotations"][key]


def test_every_mounted_config_map_has_a_checksum(default: Render) -> None:
    """As many checksums as mounted ConfigMaps, and nothing else: a checksum of the token would give it away to guessing."""
    mounted = [v for v in default.pod["spec"]["volumes"] if "configMap" in v]
    sums = [a for a in default.pod["metadata"]["annotations"] if a.startswith("checksum/")]
    assert len(sums) == len(mounted)


def test_sensor_config_is_merged(helm: Helm, default: Render) -> None:
    """Key by key, falsehood and emptiness honoured, lists replaced, null takes away."""
    render = helm.render(
        values(
            **at(
                "sensor.config",
                {
                    "floraEnabled": False,
                    "globallimiter": {"maxqueue": 0},
                    "logs": {"scraper": {"journalConfig": {"serviceNames": []}}},
                    "nodelabels": ["a"],
                    "pidcache": None,
                    "mine": {"big": 67108864},
                },
            )
        )
    )
    config = render.config
    assert config["floraEnabled"] is False
    assert config["globallimiter"] == {**default.config["globallimiter"], "maxqueue": 0}
    assert config["logs"]["scraper"]["journalConfig"]["serviceNames"] == []
    assert config["nodelabels"] == ["a"]
    assert "pidcache" not in config
    assert config["mine"] == {"big": 67108864}
    untouched = {"floraEnabled", "globallimiter", "logs", "nodelabels", "pidcache", "mine"}
    assert {k: v for k, v in config.items() if k not in untouched} == {
        k: v for k, v in default.config.items() if k not in untouched
    }


def test_large_numbers_stay_whole(default: Render) -> None:
    """No number of the configuration is printed with an exponent."""
    assert default.config["receivers"]["metricsscraper"]["maxScrapeSize"] == 67108864
    assert default.config["logs"]["client"]["batchsize"] == 20971520
    assert default.config["pprof"]["memoryTicker"]["jumpSizeInBytes"] == 100000000
    text = default.get("ConfigMap", "groundcover-sensor-config")["data"]["config.yaml"]
    assert "e+" not in text


def test_telemetry_is_off_until_asked_for(helm: Helm, default: Render) -> None:
    """Nothing about the user's cluster goes to the vendor by default."""
    assert default.config["telemetry"]["enabled"] is False
    assert default.config["pprof"]["enabled"] is False
    on = helm.render(values(telemetry={"enabled": True, "remoteUrl": "http://a/b"})).config
    assert on["telemetry"]["metrics"]["localStorage"]["enabled"] is True
    assert on["telemetry"]["metrics"]["remoteStorage"]["url"] == "http://a/b"
    assert on["pprof"]["pyroscopeUploader"]["enabled"] is True


def test_tls_is_verified(helm: Helm, default: Render) -> None:
    """Every connection to the site, by default; none with the one switch."""

    def switches(data: Any) -> list[bool]:
        if not isinstance(data, dict):
            return []
        own = [v for k, v in data.items() if k in {"insecureSkipVerify", "tlsSkipVerify"}]
        return own + [s for v in data.values() for s in switches(v)]

    found = switches(default.config)
    assert len(found) == 8
    assert not any(found)
    off = helm.render(values(ingestion={"tls": {"insecureSkipVerify": True}}))
    assert all(switches(off.config))


@pytest.mark.parametrize(
    ("over", "resource", "there"),
    [
        pytest.param({}, ("", "nodes/proxy"), True, id="kubelets by default"),
        pytest.param(at("rbac.nodesProxy", False), ("", "nodes/proxy"), False, id="no kubelets"),
        pytest.param({}, ("", "configmaps"), False, id="no ConfigMaps by default"),
        pytest.param(at("rbac.configMaps", True), ("", "configmaps"), True, id="ConfigMaps"),
        pytest.param({}, ("", "secrets"), False, id="never Secrets"),
        pytest.param(
            at("sensor.config.resolveRemoteFromEndpoint", True),
            ("discovery.k8s.io", "endpointslices"),
            True,
            id="slices when the sensor resolves by them",
        ),
        pytest.param({}, ("argoproj.io", "rollouts"), True, id="kinds of operators"),
        pytest.param(
            at("sensor.config.k8sEntitiesWatch.crd.enabled", False),
            ("argoproj.io", "rollouts"),
            False,
            id="no kinds of operators",
        ),
        pytest.param(
            at(
                "sensor.config.k8sEntitiesWatch.crd.allowedKinds.mine",
                {"group": "example.com", "kindPlural": "mines"},
            ),
            ("example.com", "mines"),
            True,
            id="a kind of the user's",
        ),
    ],
)
def test_rights(helm: Helm, over: dict[str, Any], resource: tuple[str, str], *, there: bool) -> None:
    """Read-only, and only what the configuration makes use of."""
    rules = helm.render(values(**over)).get("ClusterRole")["rules"]
    assert all(r["verbs"] == ["get", "list", "watch"] for r in rules)
    assert not any("*" in r["apiGroups"] + r["resources"] for r in rules)
    granted = {(g, k) for r in rules for g in r["apiGroups"] for k in r["resources"]}
    assert (resource in granted) is there


def test_network_policy(helm: Helm, default: Render) -> None:
    """Opt-in, with the user's peers and rules."""
    assert not default.has("NetworkPolicy")
    spec = helm.render(CHART / "ci" / "only-otlp-values.yaml").get("NetworkPolicy")["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    (rule,) = spec["ingress"]
    assert {p["port"] for p in rule["ports"]} == {4317, 4318, 2021, 9102}
    assert rule["from"][0] == {"namespaceSelector": {}}
    assert spec["egress"] == [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]


def test_a_generated_priority_class_is_not_reserved(helm: Helm) -> None:
    """A namespace may be called system-…, a PriorityClass may not."""
    render = helm.render(REQUIRED, namespace="system-monitoring")
    assert render.get("PriorityClass")["metadata"]["name"] == "groundcover-system-monitoring-groundcover-sensor"
    assert render.pod["spec"]["priorityClassName"] == "groundcover-system-monitoring-groundcover-sensor"


def test_openshift_gives_the_ids(helm: Helm) -> None:
    """restricted-v2 refuses an id outside the namespace's range; the user's own are kept."""
    agent: dict[str, Any] = {"metrics": {"enabled": True, "mode": "agent"}, "istio-metrics": {"enabled": True}}
    profile = {"seccompProfile": {"type": "RuntimeDefault"}, "runAsNonRoot": True}
    openshift = ("--api-versions", "security.openshift.io/v1")

    def contexts(*argv: str, **ids: int) -> list[Any]:
        own = at("istio-metrics.podSecurityContext", ids)
        render = helm.render(merged(values(**agent), own), *argv)
        return [
            render.get("Deployment")["spec"]["template"]["spec"]["securityContext"],
            render.get("Pod")["spec"]["securityContext"],
        ]

    ids = {"runAsUser": 65534, "runAsGroup": 65534, "fsGroup": 65534}
    assert contexts() == [profile | ids, profile | {"runAsUser": 65534}]
    assert contexts(*openshift) == [profile, profile]
    assert contexts(*openshift, runAsUser=1000680000) == [profile | {"runAsUser": 1000680000}, profile]


def test_valid_update_strategies_pass(helm: Helm) -> None:
    """What Kubernetes takes, the chart takes."""
    for strategy in (
        {"type": "OnDelete", "rollingUpdate": None},
        {"rollingUpdate": None},
        {"rollingUpdate": {"maxUnavailable": None, "maxSurge": 0}},
        {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": "10%"}},
    ):
        assert helm.render(values(updateStrategy=strategy)).has("DaemonSet")
