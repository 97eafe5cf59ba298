"""Values that contradict each other: one message each, and a twin that passes."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

from groundcover_istio import config

from .support import CHART, VERSIONS, Helm, at, load, merged, values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.conftest import Result


class Case(NamedTuple):
    """Bad values, what the message must say, and what makes them good."""

    bad: dict[str, Any]
    says: tuple[str, ...]
    good: dict[str, Any]
    args: tuple[str, ...] = ()
    release: str = "groundcover"


AGENT: dict[str, Any] = {"metrics": {"enabled": True, "mode": "agent"}, "istio-metrics": {"enabled": True}}
CASES = {
    "the cluster has no name": Case(
        {"clusterId": ""}, ("clusterId is empty", "clusterId: my-cluster"), {"clusterId": "c"}
    ),
    "there is no site": Case(
        {"ingestion": {"site": ""}},
        ("ingestion.site is empty", "site: <tenant>.platform.grcv.io"),
        {"global": {"ingress": {"site": "b.example.com"}}},
    ),
    "the site is an URL": Case(
        {"ingestion": {"site": "https://acme.platform.grcv.io/x"}},
        ('ingestion.site is "https://acme.platform.grcv.io/x"', "site: acme.platform.grcv.io"),
        {"ingestion": {"site": "acme.platform.grcv.io"}},
    ),
    "the global site is an URL": Case(
        {"ingestion": {"site": ""}, "global": {"ingress": {"site": "http://a.b:443"}}},
        ('global.ingress.site is "http://a.b:443"', "ingress:", "site: a.b"),
        {"global": {"ingress": {"site": "a.b"}}},
    ),
    "there is no key": Case(
        {"token": ""},
        ("token and existingSecret.name are both empty", "token: <ingestion key>", "name: groundcover-token"),
        {"existingSecret": {"name": "s"}},
    ),
    "there are two keys": Case(
        {"existingSecret": {"name": "s"}},
        ("token and existingSecret.name are both set", 'token: ""'),
        {"token": ""},
    ),
    "there are two keys in globals": Case(
        {
            "token": "",
            "global": {
                "groundcover_token": "t",
                "groundcoverPredefinedTokenSecret": {"secretName": "s"},
            },
        },
        (
            "global.groundcover_token and global.groundcoverPredefinedTokenSecret.secretName",
            'groundcover_token: ""',
        ),
        {"global": {"groundcover_token": ""}},
    ),
    "the release name starts with a digit": Case(
        {},
        ('the release name "9lives"', "fullnameOverride: groundcover-sensor"),
        {"fullnameOverride": "groundcover-sensor"},
        release="9lives",
    ),
    "rights would go to the default account": Case(
        {"serviceAccount": {"create": False}},
        ("serviceAccount.create is false and serviceAccount.name is empty", "name: <an account"),
        {"serviceAccount": {"name": "mine"}},
    ),
    "a common label is the chart's own": Case(
        {"commonLabels": {"app.kubernetes.io/name": "x"}},
        ("commonLabels has app.kubernetes.io/name", "example.com/name: x"),
        {"commonLabels": None},
    ),
    "a pod label is the chart's own": Case(
        {"podLabels": {"app.kubernetes.io/instance": "x"}},
        ("podLabels has app.kubernetes.io/instance", "example.com/instance: x"),
        {"podLabels": None},
    ),
    "a pod label asks for a sidecar": Case(
        {"podLabels": {"sidecar.istio.io/inject": "true"}},
        ("podLabels has sidecar.istio.io/inject: true", "optOutSidecar: false"),
        {"mesh": {"optOutSidecar": False}},
    ),
    "a common label asks for ambient": Case(
        {"commonLabels": {"istio.io/dataplane-mode": "ambient"}},
        ("commonLabels has istio.io/dataplane-mode: ambient", "optOutAmbient: false"),
        {"mesh": {"optOutAmbient": False}},
    ),
    "a common label is Helm's": Case(
        {"commonLabels": {"helm.sh/chart": "x"}},
        ("commonLabels has helm.sh/chart", "commonLabels:\n       example.com/chart: x"),
        {"commonLabels": None},
    ),
    "a label of the Service is the chart's own": Case(
        {"service": {"labels": {"app.kubernetes.io/name": "x"}}},
        ("service.labels has app.kubernetes.io/name", "service:\n       labels:\n         example.com/name: x"),
        {"service": {"labels": None}},
    ),
    "a label of the agent is the chart's own": Case(
        merged(AGENT, at("istio-metrics.commonLabels", {"app.kubernetes.io/managed-by": "x"})),
        ("istio-metrics.commonLabels has app.kubernetes.io/managed-by", "         example.com/managed-by: x"),
        {"istio-metrics": {"commonLabels": None}},
    ),
    "a label of the agent's pod asks for a sidecar": Case(
        merged(AGENT, at("istio-metrics.podLabels", {"sidecar.istio.io/inject": "true"})),
        (
            "istio-metrics.podLabels has sidecar.istio.io/inject: true while istio-metrics.mesh.optOutSidecar",
            "istio-metrics:\n       mesh:\n         optOutSidecar: false",
        ),
        at("istio-metrics.mesh.optOutSidecar", False),
    ),
    "the global registry is an URL": Case(
        {"global": {"imageRegistry": "https://registry.example.com:5000/mirror/"}},
        (
            'global.imageRegistry is "https://registry.example.com:5000/mirror/"',
            "imageRegistry: registry.example.com:5000/mirror\n",
        ),
        {"global": {"imageRegistry": "registry.example.com:5000/mirror"}},
    ),
    "two traffic policies": Case(
        {"service": {"internalTrafficPolicy": "Local", "trafficDistribution": "PreferClose"}},
        ('service.trafficDistribution is "PreferClose" and', 'internalTrafficPolicy: ""'),
        {"service": {"internalTrafficPolicy": ""}},
        ("--kube-version", "1.31.0"),
    ),
    "Kubernetes is too old for a traffic distribution": Case(
        {"service": {"trafficDistribution": "PreferSameNode"}},
        ("it needs Kubernetes 1.34 and this is v1.33.1", 'trafficDistribution: ""', "--kube-version 1.34.0\n"),
        {"service": {"trafficDistribution": "PreferClose"}},
        ("--kube-version", "1.33.1"),
    ),
    "Kubernetes has the traffic distribution switched off": Case(
        {"service": {"trafficDistribution": "PreferClose"}},
        ("it needs Kubernetes 1.31 and this is v1.30.4", 'trafficDistribution: ""'),
        {"service": {"trafficDistribution": ""}},
        ("--kube-version", "1.30.4"),
    ),
    "the priority class has a reserved name": Case(
        {"priorityClass": {"name": "system-node-critical"}},
        ('priorityClass.name is "system-node-critical" and priorityClass.create is true', "create: false"),
        {"priorityClass": {"create": False}},
    ),
    "a surge beside the default": Case(
        at("updateStrategy.rollingUpdate.maxSurge", 1),
        ("has maxSurge 1 and maxUnavailable 10%", "maxSurge: 1\n", "maxUnavailable: 0"),
        at("updateStrategy.rollingUpdate.maxUnavailable", 0),
    ),
    "no pod may be replaced": Case(
        at("updateStrategy.rollingUpdate.maxUnavailable", "0%"),
        ("has maxSurge 0 and maxUnavailable 0", "maxUnavailable: 1"),
        at("updateStrategy.rollingUpdate.maxUnavailable", 1),
    ),
    "a surge on the node's ports": Case(
        {"updateStrategy": {"rollingUpdate": {"maxSurge": "20%", "maxUnavailable": "0%"}}, "hostNetwork": True},
        ("updateStrategy.rollingUpdate.maxSurge is 20% and hostNetwork is true", "maxUnavailable: 1"),
        {"hostNetwork": False},
    ),
    "every receiver is off": Case(
        {
            "receivers": {
                name: {"enabled": False}
                for name in (
                    "datadog",
                    "zipkin",
                    "otlp",
                    "jaeger",
                    "httpJson",
                    "loki",
                    "statsd",
                    "remoteWrite",
                    "prometheusImport",
                    "health",
                )
            },
            "istio": {"enabled": False},
        },
        ("receivers are all off", "health:", "enabled: true"),
        {"receivers": {"health": {"enabled": True}}},
    ),
    "two receivers on one port": Case(
        {"receivers": {"zipkin": {"port": 8126}}},
        ("receivers.zipkin.port is 8126, the port of receivers.datadog.port", "port: <free port>"),
        {"receivers": {"datadog": {"enabled": False}}},
    ),
    "a receiver on the sensor's inner port": Case(
        {"receivers": {"httpJson": {"port": 8127}}},
        ("receivers.httpJson.port is 8127, the port of sensor.config.apmIngestor.dataDog.innerPort",),
        at("sensor.config.apmIngestor.dataDog.innerPort", 8129),
    ),
    "a receiver on the port of the metrics": Case(
        {"selfMetrics": {"port": 3100}},
        ("receivers.loki.port is 3100, the port of selfMetrics.port",),
        {"receivers": {"loki": {"port": 3101}}},
    ),
    "a port is set behind the receivers' back": Case(
        at("sensor.config.apmIngestor.otel.direct.loki.port", 3101),
        ("sensor.config.apmIngestor.otel.direct.loki.port is set to 3101", "loki:", "port: 3101"),
        {"sensor": {"config": None}},
    ),
    "a receiver is switched behind the receivers' back": Case(
        at("sensor.config.apmIngestor.dataDog.enabled", False),
        ("sensor.config.apmIngestor.dataDog.enabled is set to false", "datadog:"),
        {"sensor": {"config": None}},
    ),
    "the receivers' configuration is taken away": Case(
        at("sensor.config.apmIngestor.otel.direct.zipkin", None),
        ("takes away with null what the receivers decide (apmIngestor.otel.direct.zipkin.enabled, ", "zipkin:"),
        {"sensor": {"config": None}},
    ),
    "a map of the configuration becomes text": Case(
        at("sensor.config.httphandler", "fast"),
        ("sensor.config.httphandler is not a map", "interval: 60s"),
        {"sensor": {"config": {"httphandler": {"interval": "10s"}}}},
    ),
    "a kind without a name": Case(
        at("sensor.config.k8sEntitiesWatch.crd.allowedKinds.mine", {"group": "example.com"}),
        ("sensor.config.k8sEntitiesWatch.crd.allowedKinds.mine names no kind", "kindPlural: mines"),
        at("sensor.config.k8sEntitiesWatch.crd.allowedKinds.mine.kindPlural", "mines"),
    ),
    "a ratio is no ratio": Case(
        at("sensor.config.apmIngestor.otel.direct.samplingRatio", 5),
        ("sensor.config.apmIngestor.otel.direct.samplingRatio is 5", "otel: 0.05"),
        at("sensor.config.apmIngestor.otel.direct.samplingRatio", 0.5),
    ),
    "a ratio is text": Case(
        at("sensor.config.apmIngestor.dataDog.samplingRatio", "all"),
        ('sensor.config.apmIngestor.dataDog.samplingRatio is "all"', "datadog: 0.05"),
        at("sensor.config.apmIngestor.dataDog.samplingRatio", 1),
    ),
    "the mesh sends where nobody listens": Case(
        merged(at("istio.tracing.protocol", "zipkin"), at("receivers.zipkin.enabled", False)),
        ('istio.tracing.protocol is "zipkin" and receivers.zipkin.enabled is false',),
        at("istio.tracing.protocol", "otlp-grpc"),
    ),
    "access logs have no port": Case(
        {
            "istio": {"accessLogs": {"enabled": True}, "tracing": {"protocol": "zipkin"}},
            "receivers": {"otlp": {"enabled": False}},
        },
        ("istio.accessLogs.enabled is true and receivers.otlp.enabled is false", "otlp:"),
        at("istio.accessLogs.enabled", False),
    ),
    "the agent is missing": Case(
        {"metrics": {"enabled": True, "mode": "agent"}},
        ('metrics.mode is "agent" and istio-metrics.enabled is false', "istio-metrics:\n       enabled: true"),
        {"istio-metrics": {"enabled": True}},
    ),
    "the agent has nothing to scrape": Case(
        {"istio-metrics": {"enabled": True}},
        ("istio-metrics.enabled is true and metrics.enabled is false", "mode: agent"),
        {"metrics": {"enabled": True, "mode": "agent"}},
    ),
    "the agent and the sensor would both scrape": Case(
        {"istio-metrics": {"enabled": True}, "metrics": {"enabled": True}},
        ('istio-metrics.enabled is true and metrics.mode is "sensor"', "mode: agent"),
        {"metrics": {"mode": "agent"}},
    ),
    "the agent has nobody to write to": Case(
        {**AGENT, "receivers": {"remoteWrite": {"enabled": False}}},
        ('metrics.mode is "agent" and receivers.remoteWrite.enabled is false', "remoteWrite:"),
        at("istio-metrics.remoteWrite.url", "http://other:8428/api/v1/write"),
    ),
    "the agent would look for the sensor elsewhere": Case(
        {**AGENT, "fullnameOverride": "mine", "receivers": {"remoteWrite": {"port": 1234}}},
        ("istio-metrics.remoteWrite.url is empty", "url: http://mine.groundcover.svc:1234/api/v1/write"),
        at("istio-metrics.remoteWrite.url", "http://mine.groundcover.svc:1234/api/v1/write"),
    ),
    "the sensor may not look for targets": Case(
        {"metrics": {"enabled": True}, "rbac": {"create": False}},
        ('metrics.mode is "sensor" and rbac.create is false', "automount: true"),
        {"serviceAccount": {"automount": True}},
    ),
    "there is nothing to scrape": Case(
        {
            "metrics": {
                "enabled": True,
                "jobs": {j: {"enabled": False} for j in ("proxies", "istiod", "ztunnel", "cni")},
            }
        },
        ("every one of metrics.jobs is off", "proxies:"),
        {"metrics": {"extraScrapeConfigs": [{"job_name": "mine"}]}},
    ),
    "two jobs of one name": Case(
        {"metrics": {"enabled": True, "extraScrapeConfigs": [{"job_name": "istiod"}]}},
        ('metrics.extraScrapeConfigs has a job "istiod"', "job_name: my-istiod"),
        {"metrics": {"jobs": {"istiod": {"enabled": False}}}},
    ),
    "a scrape takes longer than the interval": Case(
        {"metrics": {"enabled": True, "interval": "30s", "timeout": "1m"}},
        ("metrics.timeout is 1m, longer than metrics.interval, which is 30s", "timeout: 30s"),
        {"metrics": {"timeout": "30s"}},
    ),
    "the scraper is switched behind the metrics' back": Case(
        at("sensor.config.receivers.metricsscraper.enabled", True),
        ("sensor.config.receivers.metricsscraper.enabled is set", "mode: sensor"),
        {"sensor": {"config": None}, "metrics": {"enabled": True}},
    ),
}


LITERAL = {"cluster": {"literal": {"value": "c"}}}
# What contradicts itself inside `istio`: the post-renderer refuses it too.
CONTRADICTIONS = {
    "less than Envoy counts": Case(
        at("istio.tracing.samplingPercentage", 0.00999),
        ("istio.tracing.samplingPercentage is 0.00999, of which Envoy makes 0", "samplingPercentage: 0.01"),
        at("istio.tracing.samplingPercentage", 0.01),
    ),
    "far less than Envoy counts": Case(
        at("istio.tracing.samplingPercentage", 0.00001234567),
        ("istio.tracing.samplingPercentage is 1.23457e-05,",),
        at("istio.tracing.samplingPercentage", None),
    ),
    "a tracing provider of Istio's own": Case(
        at("istio.tracing.providerName", "Prometheus"),
        ('istio.tracing.providerName is "Prometheus", which is Istio\'s own', "providerName: groundcover-prometheus"),
        at("istio.tracing.enabled", False),
    ),
    "an access log provider of Istio's own": Case(
        at("istio.accessLogs", {"enabled": True, "providerName": "envoy"}),
        ('istio.accessLogs.providerName is "envoy", which', "accessLogs:\n         providerName: groundcover-envoy"),
        at("istio.accessLogs.providerName", "groundcover-envoy"),
    ),
    "one name for two providers": Case(
        at("istio", {"tracing": {"providerName": "mine"}, "accessLogs": {"enabled": True, "providerName": "Mine"}}),
        ('istio.tracing.providerName and istio.accessLogs.providerName are both "Mine"', "Mine-access-logs"),
        at("istio.accessLogs.providerName", "Mine-access-logs"),
    ),
    "a name that the protocol gives": Case(
        at(
            "istio",
            {"tracing": {"protocol": "zipkin"}, "accessLogs": {"enabled": True, "providerName": "zipkin-tracing"}},
        ),
        ('istio.accessLogs.providerName are both "zipkin-tracing"',),
        at("istio.tracing.protocol", "otlp-grpc"),
    ),
    "tags without a Telemetry": Case(
        at("istio.tracing", {"activation": "mesh", "customTags": LITERAL}),
        ('istio.tracing.customTags needs a Telemetry, which istio.tracing.activation "mesh"', "activation: auto"),
        at("istio.tracing.activation", "auto"),
    ),
    "no sampling in a mesh config": Case(
        at("istio.tracing", {"activation": "mesh", "samplingPercentage": 0}),
        ("istio.tracing.samplingPercentage 0 can't be said in a mesh config", "or istio.tracing.enabled: false"),
        at("istio.tracing.enabled", False),
    ),
    "a contradiction while everything is off": Case(
        at("istio", {"enabled": False, "tracing": {"activation": "mesh", "customTags": LITERAL}}),
        ("istio.tracing.customTags needs a Telemetry",),
        at("istio.tracing.customTags.cluster", None),
    ),
}
CASES |= CONTRADICTIONS


@pytest.mark.parametrize("case", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_the_post_renderer_refuses_the_same(
    helm: Helm, tool: Callable[..., Result], case: Case, tmp_path: Path
) -> None:
    """In the same words: who runs none, as Argo CD and Flux, learns it from the chart."""
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(case.bad))
    code, _, error = tool("--config", str(file))
    said = error.partition("error: ")[2].partition("\n")[0].removeprefix(f"{file}: ")
    assert code == 2
    spaced = re.sub(r"\s+", " ", helm.refusal(values(**case.bad)))
    assert said in re.sub(r"istio\.(?=tracing|accessLogs)", "", spaced)
    document = helm.render(values(**merged(case.bad, case.good))).integration
    file.write_text(json.dumps(document))
    assert tool("--config", str(file)).code == 0


def test_the_chart_knows_every_contradiction(tool: Callable[..., Result], tmp_path: Path) -> None:
    """One case or more for each that the post-renderer refuses, but for .nan, which Helm reads nowhere."""
    body = Path(config.__file__).read_text().partition("def _refuse_contradictions")[2].partition("\ndef ")[0]
    refused = re.findall(r"raise SettingsError\(\s*f?(['\"])(.*?)\1(?:,\n|\))", body)
    assert len(refused) == body.count("raise SettingsError")
    file = tmp_path / "settings.json"
    errors = []
    for case in CONTRADICTIONS.values():
        file.write_text(json.dumps(case.bad))
        errors.append(tool("--config", str(file)).err)
    patterns = [
        re.sub(r"\\\{.*?\\\}", ".*", re.escape(text.replace("\\'", "'"))) for _, text in refused if ".nan" not in text
    ]
    assert [p for p in patterns if not any(re.search(p, error) for error in errors)] == []


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_bad_values_are_refused_and_good_ones_pass(helm: Helm, case: Case) -> None:
    """The message names the value and what to write; writing it is enough."""
    message = helm.refusal(values(**case.bad), *case.args, release=case.release)
    assert "1 problem with the values of groundcover-sensor" in message
    for part in case.says:
        assert part in message
    good = merged(values(**case.bad), case.good)
    assert helm.render(good, *case.args, release=case.release).has("DaemonSet")


@pytest.mark.parametrize("version", VERSIONS)
def test_all_problems_come_at_once(helms: dict[str, Helm], version: str) -> None:
    """Nobody has to run Helm three times to learn three things."""
    message = helms[version].refusal({})
    assert "3 problems with the values of groundcover-sensor" in message
    for part in ("1. clusterId", "2. ingestion.site", "3. token"):
        assert part in message


@pytest.mark.parametrize(
    ("over", "says"),
    [
        pytest.param({"bogus": 1}, "bogus", id="unknown at the root"),
        pytest.param({"service": {"intrenalTrafficPolicy": "Local"}}, "intrenal", id="misspelt"),
        pytest.param(at("receivers.otlp.grpcPort", 70000), "grpcPort", id="no port"),
        pytest.param({"clusterId": 5}, "clusterId", id="wrong type"),
        pytest.param(at("istio.tracing.protocol", "thrift"), "protocol", id="unknown protocol"),
        pytest.param(at("istio.tracing.samplingPercentage", 101), "samplingPercentage", id="101 %"),
        pytest.param(at("istio.tracing.http.timeout", ""), "timeout", id="no timeout"),
        pytest.param(at("resources.limits", "1Gi"), "limits", id="no resources"),
        pytest.param(at("affinity.nodeAffinity", []), "nodeAffinity", id="no affinity"),
        pytest.param(at("securityContext.mode", "rootless"), "mode", id="unknown mode"),
        pytest.param(merged(AGENT, at("istio-metrics.bogus", 1)), "bogus", id="unknown to the subchart"),
        pytest.param(at("istio-metrics.enabled", None), "enabled", id="the subchart's switch taken away"),
        pytest.param(at("metrics.interval", "30"), "interval", id="no unit"),
        pytest.param(at("metrics.mode", "both"), "mode", id="unknown collector"),
        pytest.param(at("metrics.keep", ["istio_(.*"]), "keep", id="no regular expression"),
        pytest.param(at("probes.readiness.terminationGracePeriodSeconds", 5), "readiness", id="no field of readiness"),
        pytest.param(at("probes.liveness.successThreshold", 2), "successThreshold", id="two successes to live"),
        pytest.param(at("probes.startup.successThreshold", 2), "successThreshold", id="two successes to start"),
        pytest.param(at("probes.liveness.terminationGracePeriodSeconds", 0), "Grace", id="no time to end"),
        pytest.param(at("securityContext.extraCapabilities", ["CAP_SYS_ADMIN"]), "extraCap", id="a prefix"),
        pytest.param(at("image.registry", "https://a.example.com"), "registry", id="a registry's URL"),
        pytest.param(at("tests.image.registry", "a.example.com/"), "registry", id="a registry and a slash"),
        pytest.param(merged(AGENT, at("istio-metrics.image.registry", "a/")), "registry", id="the agent's registry"),
    ],
)
def test_schema_refuses(helm: Helm, over: dict[str, Any], says: str) -> None:
    """Spelling and types are Helm's to check, by the chart's schema."""
    message = helm.refusal(values(**over))
    assert "values don't meet the specifications of the schema" in message
    assert says in message


def leaves(data: dict[str, Any], path: str = "") -> Iterator[str]:
    """Give every value of values.yaml that is no map, as a path; maps without keys count."""
    for key, value in data.items():
        here = f"{path}{key}"
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{here}.")
        else:
            yield here


def nulls(paths: Iterable[str]) -> dict[str, Any]:
    """Give values that take away these defaults."""
    result: dict[str, Any] = {}
    for path in paths:
        result = merged(result, at(path, None))
    return result


@pytest.mark.parametrize("version", VERSIONS)
def test_null_is_never_a_template_error(helms: dict[str, Helm], version: str) -> None:
    """A default taken away with null is named in one message, or the chart does without it."""
    helm = helms[version]
    # Without these the chart has its own messages, which other tests look at.
    needed = {"clusterId", "token", "ingestion.site", "receivers.health.enabled", "receivers.otlp.enabled"}
    # A condition without a value would leave the subchart on: the schema refuses that one.
    needed |= {"istio-metrics.enabled"}
    paths = [p for p in leaves(load((CHART / "values.yaml").read_text())) if p not in needed]
    message = helm.refusal(values(**nulls(paths)))
    listed = message.partition("work without: ")[2].partition(".\n")[0].split(", ")
    assert "receivers.zipkin.port" in listed
    assert helm.render(values(**nulls(p for p in paths if p not in listed))).has("DaemonSet")


@pytest.mark.parametrize("version", VERSIONS)
def test_null_maps_are_never_a_template_error(helms: dict[str, Helm], version: str) -> None:
    """The same for whole sections of the values."""
    helm = helms[version]
    paths = {p.rpartition(".")[0] for p in leaves(load((CHART / "values.yaml").read_text()))} - {""}
    paths |= {p.rpartition(".")[0] for p in paths} - {""}
    free = {
        p
        for p in paths
        if p.partition(".")[0] in {"istio", "global", "mesh", "resources"} or p.startswith("updateStrategy.")
    }
    for path in sorted(free):
        assert helm.render(values(**nulls([path]))).has("DaemonSet")
    top = {p for p in paths - free if "." not in p}
    message = helm.refusal(values(**nulls(top)))
    nested = helm.refusal(values(**nulls(p for p in paths - free if p.count(".") == 1)))
    for path in paths - free:
        text = message if path in top else nested
        assert re.search(rf"[ ,]{re.escape(path)}[,.]", text), path


def reused(folder: Path, *unknown: str) -> Path:
    """Give the chart as `helm upgrade --reuse-values` sees it after one that did not know these values.

    Helm puts the values of the last release in the place of the chart's own defaults.
    """
    chart = folder / "chart"
    shutil.copytree(CHART, chart)
    defaults = load((chart / "values.yaml").read_text())
    for path in unknown:
        *above, key = path.split(".")
        section = defaults
        for each in above:
            section = section[each]
        del section[key]
    (chart / "values.yaml").write_text(yaml.safe_dump(defaults))
    return chart


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("unknown", ["mesh", "mesh.optOutSidecar", "mesh.optOutAmbient"])
def test_reused_values_keep_the_pods_out_of_the_mesh(
    helms: dict[str, Helm], version: str, unknown: str, tmp_path: Path
) -> None:
    """A switch that the last chart did not know counts as its default, and only false is false."""
    chart = reused(tmp_path, unknown)
    assert helms[version].render(values(), chart=chart).pod == helms[version].render(values()).pod
    off = values(mesh={"optOutSidecar": False, "optOutAmbient": False})
    assert helms[version].render(off, chart=chart).pod == helms[version].render(off).pod
    asked = values(podLabels={"istio.io/dataplane-mode": "ambient"})
    assert "while mesh.optOutAmbient is true" in helms[version].refusal(asked, chart=chart)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_reused_values_lack_is_named_with_the_flag_that_brings_it(
    helms: dict[str, Helm], version: str, tmp_path: Path
) -> None:
    """Nobody looks for a null that is not there."""
    message = helms[version].refusal(values(), chart=reused(tmp_path, "openshift", "image.pullPolicy"))
    assert "can't work without: image.pullPolicy, openshift, openshift.scc, openshift.scc.name.\n" in message
    assert "Where your values say null, take the null out" in message
    assert "--reuse-values leaves their defaults out: upgrade with --reset-then-reuse-values (Helm 3.14)" in message


def messages() -> list[re.Pattern[str]]:
    """Give every message of the templates, with anything where a value stands."""
    text = (CHART / "templates" / "_validations.tpl").read_text()
    found = re.findall(r'append \$problems \(?(?:printf )?"((?:[^"\\]|\\.)*)"', text)
    assert len(found) == text.count("append $problems ")
    literal = [json.loads(f'"{message}"').replace("\n", " ") for message in found]
    return [re.compile(re.sub(r"%[sqvd]", ".*", re.escape(m).replace(r"\\%", "%"))) for m in literal]


def test_every_message_has_a_case(helm: Helm) -> None:
    """A message that no case brings about may be unreachable, or wrong."""
    said = []
    for case in [*CASES.values(), Case({}, (), {})]:
        given = values(**case.bad) if case.bad else {}
        said.append(re.sub(r"\s+", " ", helm.refusal(given, *case.args, release=case.release)))
    spaced = [re.compile(re.sub(r"(?:\\ )+", r"\\s+", pattern.pattern)) for pattern in messages()]
    assert [p.pattern for p in spaced if not any(p.search(text) for text in said)] == []
