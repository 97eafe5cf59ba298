"""What has to change, by settings and by what stands there: the corners that the golden cases leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from groundcover_istio import istio, pipeline
from groundcover_istio.config import Layer, resolve
from groundcover_istio.errors import ToolError
from groundcover_istio.rules.versions import mesh_version

if TYPE_CHECKING:
    from groundcover_istio.model import Outcome

Settings = dict[str, Any]


def mesh(text: str = "rootNamespace: istio-system\n", *, name: str = "istio", namespace: str = "istio-system") -> str:
    """A mesh config as a document."""
    metadata = {"name": name, "namespace": namespace}
    return yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"mesh": text}})


def service(*ports: Settings, name: str = "groundcover-sensor") -> str:
    """A Service as a document, by default with the port for OTLP over HTTP."""
    metadata = {
        "name": name,
        "namespace": "groundcover",
        "labels": {"app.kubernetes.io/name": "sensor", "app.kubernetes.io/part-of": "groundcover"},
    }
    spec = {"ports": list(ports) or [{"name": "otlp-http", "port": 4318}]}
    return yaml.safe_dump({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})


def integration() -> str:
    """The integration ConfigMap as a document, with nothing set."""
    metadata = {"name": "x", "namespace": "groundcover", "labels": {"app.kubernetes.io/component": "istio-integration"}}
    data = {"integration.yaml": "{}"}
    return yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def telemetry(spec: Settings | None, *, name: str = "mesh-default", namespace: str | None = "istio-system") -> str:
    """A Telemetry as a document."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    data = {"apiVersion": "telemetry.istio.io/v1", "kind": "Telemetry", "metadata": metadata}
    return yaml.safe_dump(data if spec is None else {**data, "spec": spec})


def outcome(*documents: str, **settings: Any) -> Outcome:
    """What becomes of a stream of these documents under settings as the integration has them."""
    layers = [Layer("the test", settings)] if settings else []
    return pipeline.run("---\n".join(documents).encode(), layers)


def codes(done: Outcome) -> list[str]:
    """What was decided, in order."""
    return [decision.code for decision in done.decisions]


def data(done: Outcome) -> list[Any]:
    """The documents of the stream afterwards."""
    return [document for document in yaml.safe_load_all(done.after.decode()) if document]


def mesh_config(done: Outcome) -> Any:
    """The first mesh config afterwards."""
    return next(yaml.safe_load(each["data"]["mesh"]) for each in data(done) if each["kind"] == "ConfigMap")


def refusal(*documents: str, **settings: Any) -> ToolError:
    """The error that ends such a run."""
    with pytest.raises(ToolError) as caught:
        outcome(*documents, **settings)
    return caught.value


SHARED = {"meshConfig": {"mode": "shared"}}
LOGS = {"enabled": True}


@pytest.mark.parametrize(
    ("settings", "activation", "restarts"),
    [
        pytest.param({}, "default", ("pods",), id="auto"),
        pytest.param({"tracing": {"activation": "mesh"}}, "default", ("pods",), id="mesh"),
        pytest.param({"tracing": {"activation": "telemetry"}}, "telemetry", (), id="telemetry: what it says is live"),
        pytest.param({"tracing": {"activation": "none"}}, "none", (), id="none"),
        pytest.param({"tracing": {"samplingPercentage": None}}, "default", (), id="auto without sampling"),
        pytest.param({"tracing": {"samplingPercentage": 0}}, "default", (), id="auto with sampling 0"),
        pytest.param(SHARED, "default", ("istiod", "pods"), id="shared: istiod learns of it by a variable"),
        pytest.param({**SHARED, "tracing": {"activation": "telemetry"}}, "telemetry", ("istiod",), id="shared and telemetry"),
    ],
)  # fmt: skip
def test_effects(settings: Settings, activation: str, restarts: tuple[str, ...]) -> None:
    """How the provider comes into use, and what has to start anew."""
    (effect,) = outcome(mesh(), **settings).effects
    assert (effect.resource, effect.tracer) == ("ConfigMap istio-system/istio", "otel-tracing")
    assert effect.target == "groundcover-sensor.groundcover.svc.cluster.local:4318"
    assert (effect.activation, effect.restarts) == (activation, restarts)


def test_the_shared_mesh_config_is_no_mesh_of_its_own() -> None:
    """Where it is shared; patched it is one as any other."""
    both = mesh(), mesh(name="groundcover-mesh")
    assert [each.resource for each in outcome(*both, **SHARED).effects] == ["ConfigMap istio-system/istio"]
    assert outcome(*both, tracing={"enabled": False}).effects == ()


@pytest.mark.parametrize(
    ("activation", "documents", "by"),
    [
        pytest.param("auto", [mesh()], "mesh", id="auto, istiod's release: in the mesh config"),
        pytest.param("auto", [mesh(), service({"name": "otlp-http", "port": 4318}, {"name": "grpc-otlp", "port": 4317})], "telemetry", id="auto, the sensor's too: by the Telemetry"),
        pytest.param("mesh", [mesh()], "mesh", id="mesh"),
        pytest.param("mesh", [mesh(), service({"name": "otlp-http", "port": 4318}, {"name": "grpc-otlp", "port": 4317})], "mesh", id="mesh, the sensor's too"),
        pytest.param("telemetry", [mesh()], "telemetry", id="telemetry"),
        pytest.param("none", [mesh()], "", id="none"),
    ],
)  # fmt: skip
def test_access_logs(activation: str, documents: list[str], by: str) -> None:
    """What turns them on."""
    done = outcome(*documents, tracing={"activation": activation}, accessLogs=LOGS)
    assert bool(mesh_config(done).get("defaultProviders", {}).get("accessLogging")) == (by == "mesh")
    telemetries = [each for each in data(done) if each["kind"] == "Telemetry"]
    assert any("accessLogging" in each["spec"] for each in telemetries) == (by == "telemetry")


@pytest.mark.parametrize(
    ("protocol", "kind"), [("otlp-http", "opentelemetry"), ("datadog", "datadog"), ("zipkin", "zipkin")]
)
def test_a_provider_of_our_name_twice(protocol: str, kind: str) -> None:
    """The message names the setting that gives ours another one."""
    name = f"{'otel' if protocol == 'otlp-http' else protocol}-tracing"
    twice = f"extensionProviders:\n- name: {name}\n  {kind}: {{}}\n- name: {name.upper()}\n  {kind}: {{}}\n"
    error = refusal(mesh(twice), tracing={"protocol": protocol})
    assert (
        error.message
        == f'extensionProviders has "{name}", "{name.upper()}" where "{name}" is to stand; Istio ignores case there'
    )
    assert error.hint == "remove what is superfluous, or set tracing.providerName to another name"
    logs = "extensionProviders:\n- name: groundcover-access-logs\n- name: Groundcover-Access-Logs\n"
    error = refusal(
        mesh(logs), tracing={"enabled": False}, accessLogs={"enabled": True, "providerName": "groundcover-access-logs"}
    )
    assert error.hint.endswith("set accessLogs.providerName to another name")


def test_names_that_differ_in_case() -> None:
    """Whichever of the two is in capitals."""
    for ours, theirs in (("otel-tracing", "OTEL-tracing"), ("OTEL-tracing", "otel-tracing")):
        text = f"extensionProviders:\n- name: {theirs}\n  opentelemetry: {{}}\n"
        error = refusal(mesh(text), tracing={"providerName": ours})
        assert error.message.startswith(f'extensionProviders has "{theirs}" where "{ours}" is to stand')


SENSOR = "groundcover-sensor.groundcover.svc.cluster.local"


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"opentelemetry": {}}, id="nothing"),
        pytest.param({"opentelemetry": {"address": SENSOR, "port": 4317}}, id="the vendor's field"),
        pytest.param({"opentelemetry": {"service": SENSOR, "address": SENSOR}}, id="both fields"),
        pytest.param({"opentelemetry": {"address": SENSOR, "a": 1}}, id="the vendor's field and one that is unknown"),
        pytest.param({"zipkin": {"service": SENSOR}, "opentelemetry": {}}, id="another kind before"),
        pytest.param({"opentelemetry": {}, "zipkin": {"service": SENSOR}}, id="another kind behind"),
        pytest.param({"datadog": {"service": SENSOR, "port": 8126}}, id="another kind"),
        pytest.param({"datadog": {}, "zipkin": {}}, id="two others"),
        pytest.param({"opentelemetry": {"grpc": {"timeout": "5s"}, "service": SENSOR}}, id="the other exporter"),
        pytest.param({"opentelemetry": {"http": {"path": "/", "x": 1}}, "x": 1}, id="what does not belong there"),
    ],
)
def test_an_entry_that_is_mended(entry: Settings) -> None:
    """Whatever it was, it ends as the entry that would be added."""
    (wanted,) = mesh_config(outcome(mesh()))["extensionProviders"]
    done = outcome(mesh(yaml.safe_dump({"extensionProviders": [{"name": "otel-tracing", **entry}]}, sort_keys=False)))
    assert "provider-repaired" in codes(done)
    assert mesh_config(done)["extensionProviders"] == [wanted]


def test_what_was_wrong_is_named() -> None:
    """Each field by its name."""
    held = {"address": SENSOR, "port": 9411, "timeout": "1s"}
    text = yaml.safe_dump({"extensionProviders": [{"name": "zipkin-tracing", "zipkin": held}]})
    settings = {"tracing": {"protocol": "zipkin", "zipkin": {"timeout": "5s"}}}
    done = outcome(mesh(text), **settings)
    assert mesh_config(done)["extensionProviders"] == mesh_config(outcome(mesh(), **settings))["extensionProviders"]
    assert "timeout was" in next(each.values["wrong"] for each in done.decisions if each.code == "provider-repaired")
    held = {"service": SENSOR, "port": 4317, "grpc": {"timeout": "1s"}}
    text = yaml.safe_dump({"extensionProviders": [{"name": "otel-tracing", "opentelemetry": held}]})
    done = outcome(mesh(text), tracing={"protocol": "otlp-grpc", "grpc": {"timeout": "5s"}})
    assert "grpc was a mapping" in next(
        each.values["wrong"] for each in done.decisions if each.code == "provider-repaired"
    )


TAGGED = {"customTags": {"env": {"literal": {"value": "x"}}}}


@pytest.mark.parametrize(
    ("documents", "settings", "code", "said"),
    [
        pytest.param([mesh()], {"tracing": TAGGED}, "custom-tags-elsewhere", True, id="tags, without the sensor's release"),
        pytest.param([mesh(), service()], {"tracing": TAGGED}, "custom-tags-elsewhere", False, id="tags, with it"),
        pytest.param([mesh(), service()], {"tracing": {**TAGGED, "activation": "none"}}, "custom-tags-elsewhere", True, id="tags, where nothing activates"),
        pytest.param([mesh()], {"tracing": {**TAGGED, "enabled": False}}, "custom-tags-elsewhere", False, id="tags of no tracing"),
        pytest.param([mesh()], {}, "custom-tags-elsewhere", False, id="no tags"),
        pytest.param([service()], {}, "telemetry-before-mesh", True, id="a Telemetry without the mesh config"),
        pytest.param([service(), mesh()], {}, "telemetry-before-mesh", False, id="a Telemetry with it"),
        pytest.param([service()], {"tracing": {"enabled": False}}, "telemetry-before-mesh", False, id="no tracing"),
        pytest.param([service({"name": "otlp-http", "port": 4318}, {"name": "grpc-otlp", "port": 4317})], {"accessLogs": {"enabled": True}}, "file-log-assumed", True, id="access logs without the mesh config"),
        pytest.param([service({"name": "otlp-http", "port": 4318}, {"name": "grpc-otlp", "port": 4317})], {"accessLogs": {"enabled": True, "keepFileLog": False}}, "file-log-assumed", False, id="access logs, no file log wanted"),
        pytest.param([mesh(), service({"name": "otlp-http", "port": 4318}, {"name": "grpc-otlp", "port": 4317})], {"accessLogs": {"enabled": True}}, "file-log-assumed", False, id="access logs with the mesh config"),
        pytest.param([mesh(), telemetry({}), telemetry({}, name="b")], {}, "telemetry-ignored", True, id="two mesh-wide Telemetries"),
        pytest.param([mesh(), telemetry({}), telemetry({"selector": {"matchLabels": {"a": "b"}}}, name="b")], {}, "telemetry-ignored", False, id="one for some workloads"),
    ],
)  # fmt: skip
def test_what_a_run_alone_can_not_know_or_do_is_said(
    documents: list[str], settings: Settings, code: str, *, said: bool
) -> None:
    """Each by its decision."""
    assert (code in codes(outcome(*documents, **settings))) is said


@pytest.mark.parametrize("namespace", ["groundcover", "other"])
def test_a_host_behind_its_namespace(namespace: str) -> None:
    """Is the same host as Istio spells it, and left; behind another one it is mended."""
    host = f"{namespace}/groundcover-sensor.groundcover.svc.cluster.local"
    http = {"path": "/v1/traces", "timeout": "5s"}
    entry = {"name": "otel-tracing", "opentelemetry": {"service": host, "port": 4318, "http": http}}
    done = outcome(mesh(yaml.safe_dump({"extensionProviders": [entry]})))
    assert ("provider-repaired" in codes(done)) == (namespace == "other")


@pytest.mark.parametrize("name", ["first", "zipkin"])
def test_another_default_tracer(name: str) -> None:
    """The first one is named, which is the one that Istio uses, wherever it stands in the alphabet."""
    error = refusal(mesh(f"defaultProviders:\n  tracing: [{name}, second]\n"))
    assert error.message.startswith(f'defaultProviders.tracing names "{name}", not "otel-tracing"')
    assert f'tracing.providerName to "{name}"' in error.hint


@pytest.mark.parametrize(
    ("documents", "settings", "kind"),
    [
        pytest.param([mesh(), mesh(name="istio-b")], {"tracing": {"activation": "telemetry"}}, "telemetry", id="of two mesh configs"),
        pytest.param([service(), integration()], {"meshConfig": {"mode": "shared"}}, "mesh", id="of Service and integration"),
    ],
)  # fmt: skip
def test_what_is_added_belongs_to_the_first_chart(documents: list[str], settings: Settings, kind: str) -> None:
    """Helm takes it for a template of that one."""
    first, second = (f"# Source: {chart}/templates/x.yaml\n{text}" for chart, text in zip("ab", documents, strict=True))
    after = outcome(first, second, **settings).after
    assert after.count(f"# Source: a/templates/groundcover-istio-{kind}.yaml\n".encode()) == 1
    assert b"# Source: b/templates/groundcover-istio-" not in after


def test_only_the_first_default_tracer_counts() -> None:
    """What comes behind it is nobody's."""
    text = "enableTracing: true\ndefaultProviders:\n  tracing: [{}, {}]\n"
    done = outcome(mesh(text.format("otel-tracing", "another")))
    assert mesh_config(done)["defaultProviders"]["tracing"] == ["otel-tracing", "another"]
    assert refusal(mesh(text.format("another", "otel-tracing"))).message.startswith(
        'defaultProviders.tracing names "another"'
    )


@pytest.mark.parametrize(
    ("protocol", "ratio"), [("otlp-http", 0.5), ("otlp-grpc", 0.5), ("zipkin", 0.5), ("datadog", 0.25)]
)
def test_what_the_sensor_keeps(protocol: str, ratio: float) -> None:
    """It has a ratio for Datadog's traces, and one for all others."""
    settings = {"tracing": {"protocol": protocol}, "sensor": {"samplingRatio": {"otel": 0.5, "datadog": 0.25}}}
    sampling = outcome(mesh(), **settings).sampling
    assert sampling is not None
    assert (sampling.istio_percentage, sampling.sensor_ratio) == (1, ratio)


def test_a_service_of_no_name_is_refused() -> None:
    """What would be no host could not be told from another's on the next run."""
    assert refusal(mesh(), service(name="groundcover/sensor")).message.startswith("has a name or a namespace")
    assert refusal(mesh(), service().replace("namespace: groundcover", "namespace: a.b")).message.startswith(
        "has a name"
    )


def test_which_service_is_the_sensors() -> None:
    """The one of the name in the settings before any other; of the same one twice the last."""
    other, again = service(name="groundcover-other"), service({"name": "otlp-http", "port": 4000})
    for documents in ([service(), other], [other, service()]):
        assert outcome(mesh(), *documents).effects[0].target == f"{SENSOR}:4318"
    assert outcome(mesh(), service(), again).effects[0].target == f"{SENSOR}:4000"
    assert refusal(mesh(), other, service(name="groundcover-third")).message.startswith("several Services look like")


def test_a_service_that_is_named_is_not_looked_past() -> None:
    """Neither for one of the same name elsewhere, nor for one that looks like the sensor's."""
    elsewhere = service({"name": "otlp-http", "port": 4000}).replace("namespace: groundcover", "namespace: obs")
    for namespace in ("apps", "tracing"):
        named = {"name": "groundcover-sensor", "namespace": namespace}
        host = f"groundcover-sensor.{namespace}.svc.cluster.local"
        assert outcome(mesh(), elsewhere, service=named).effects[0].target == f"{host}:4318"
    assert outcome(mesh(), elsewhere).effects[0].target == "groundcover-sensor.obs.svc.cluster.local:4000"
    collector = {"name": "otel-collector", "namespace": "groundcover"}
    assert outcome(mesh(), elsewhere, service=collector).effects[0].target.startswith("otel-collector.groundcover.svc")
    assert outcome(mesh(), elsewhere, service()).effects[0].target == f"{SENSOR}:4318"


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        pytest.param("root_namespace: foo\n", {}, "root_namespace is", id="the root namespace"),
        pytest.param("default_config: {}\n", {}, "default_config is", id="the default config"),
        pytest.param("access_log_file: ''\n", {"accessLogs": LOGS}, "access_log_file is", id="what is read for access logs"),
        pytest.param("access_log_file: ''\n", {**SHARED, "accessLogs": LOGS}, "access_log_file is", id="for a shared mesh config"),
        pytest.param("defaultProviders: {access_logging: [envoy]}\n", {}, "defaultProviders.access_logging is", id="a default"),
        pytest.param("extensionProviders:\n- name: otel-tracing\n  opentelemetry: {max_tag_length: 9}\n", {}, "max_tag_length is", id="a field of our provider"),
        pytest.param("extensionProviders:\n- name: groundcover-access-logs\n  envoy_otel_als: {}\n", {"accessLogs": LOGS}, "envoy_otel_als is", id="the kind of our provider"),
    ],
)  # fmt: skip
def test_snake_case_is_refused(text: str, settings: Settings, message: str) -> None:
    """Istiod reads it, so it can't be taken for nothing; of two spellings it takes one."""
    assert refusal(mesh(text), **settings).message == f"{message} spelt in snake case"


@pytest.mark.parametrize("text", ["default_providers: null\n", "access_log_file: /dev/stdout\n", "trust_domain: x\n"])
def test_snake_case_that_is_in_nobodys_way(text: str) -> None:
    """It says nothing, or nothing that is looked at."""
    assert mesh_config(outcome(mesh(text)))["extensionProviders"]


def test_names_are_looked_up_without_their_case() -> None:
    """As istiod does, so that a default tracer in capitals is ours already."""
    done = outcome(mesh("enableTracing: true\ndefaultProviders: {tracing: [OTEL-Tracing]}\n"))
    assert mesh_config(done)["defaultProviders"] == {"tracing": ["OTEL-Tracing"]}


@pytest.mark.parametrize(
    ("port", "refused"),
    [
        pytest.param(65535, False, id="the last port"),
        pytest.param(65536, True, id="one more"),
        pytest.param(1, False, id="the first port"),
        pytest.param(0, True, id="none"),
        pytest.param(-1, True, id="a negative one"),
        pytest.param(True, True, id="a boolean"),
        pytest.param("4318", True, id="a text"),
        pytest.param(None, True, id="nothing"),
    ],
)
def test_ports_of_the_service(port: Any, refused: bool) -> None:  # noqa: FBT001  a column of the table
    """By their name; one that is none is not taken."""
    documents = mesh(), service({"name": "otlp-http", "port": port}, {"name": "zipkin", "port": 9411})
    if refused:
        assert refusal(*documents).message.startswith("has no port for otlp-http (4318); it has otlp-http")
    else:
        assert outcome(*documents).effects[0].target.endswith(f":{port}")


def test_a_port_is_one_of_tcp_and_of_its_number() -> None:
    """Where it has not the name, it has the number that is expected."""
    other, unnamed = {"name": "custom", "port": 9999}, {"name": "x", "port": 4318}
    for ports in ((other, unnamed), (unnamed, other), ({"name": "y", "port": 80}, unnamed)):
        assert outcome(mesh(), service(*ports)).effects[0].target == f"{SENSOR}:4318"
    for protocol in ("SCTP", "UDP"):
        error = refusal(
            mesh(), service({"name": "otlp-http", "port": 4318, "protocol": protocol}, {"name": "zipkin", "port": 9411})
        )
        assert error.message.startswith("has no port for otlp-http")
    external = service().replace("spec:\n", "spec:\n  type: ExternalName\n")
    error = refusal(mesh(), service(), external)
    assert error.message.startswith("is of type ExternalName")
    line = f"{mesh()}---\n{service()}---\n".count("\n") + 1
    assert error.where.startswith(f"line {line},")
    assert outcome(mesh(), external, service()).effects


def test_of_several_ports_of_one_role_the_first_counts() -> None:
    """And what comes after it is not looked at."""
    for port in (0, "x", 70000):
        ports = {"name": "otlp-http", "port": 4000}, {"name": "http-otlp", "port": port}
        assert outcome(mesh(), service(*ports)).effects[0].target.endswith(":4000")


@pytest.mark.parametrize(
    ("port", "protocol", "doubted"),
    [
        pytest.param({"name": "otlp-http"}, "otlp-http", False, id="of no declaration"),
        pytest.param({"name": "otlp-http", "appProtocol": "http"}, "otlp-http", False, id="of HTTP/1.1"),
        pytest.param({"name": "otlp-http", "appProtocol": "grpc"}, "otlp-http", True, id="of gRPC"),
        pytest.param({"name": "otlp-http", "appProtocol": "kubernetes.io/h2c"}, "otlp-http", True, id="of HTTP/2"),
        pytest.param(
            {"name": "otlp-http", "appProtocol": "kubernetes.io/H2C"}, "otlp-http", False, id="of nothing Istio knows"
        ),
        pytest.param({"name": "otlp-http", "appProtocol": "GRPC-web"}, "otlp-http", True, id="of gRPC for browsers"),
        pytest.param({"name": "grpc-otlp"}, "otlp-http", True, id="of gRPC, by its name"),
        pytest.param({"name": "otlp-grpc", "appProtocol": "grpc"}, "otlp-grpc", False, id="of gRPC, and that is sent"),
        pytest.param({"name": "dd-traces", "appProtocol": "grpc"}, "datadog", True, id="of gRPC, for Datadog"),
    ],
)
def test_a_port_that_takes_http_declared_otherwise(port: Settings, protocol: str, doubted: bool) -> None:  # noqa: FBT001
    """Some receivers take both: a warning."""
    number = {"otlp-http": 4318, "otlp-grpc": 4317, "datadog": 8126}[protocol]
    done = outcome(mesh(), service({**port, "port": number}), tracing={"protocol": protocol})
    assert [each.values for each in done.decisions if each.code == "port-declared-http2"] == (
        [{"port": str(number)}] if doubted else []
    )


@pytest.mark.parametrize(("value", "times"), [("true", 1), ("1", 0), ("false", 0)])
def test_an_access_log_service_that_stops_is_mentioned(value: str, times: int) -> None:
    """Where istiod takes it for switched on; a number is no boolean to it."""
    done = outcome(mesh(f"enableEnvoyAccessLogService: {value}\n"), accessLogs={"enabled": True})
    assert codes(done).count("log-service-stopped") == times


def test_a_headless_service_is_doubted() -> None:
    """An istiod may be told to look its endpoints up."""
    headless = service().replace("spec:\n", "spec:\n  clusterIP: None\n")
    assert codes(outcome(mesh(), headless))[0] == "service-headless"
    assert "service-headless" not in codes(outcome(mesh(), service()))
    logs_alone = {"tracing": {"enabled": False}, "accessLogs": LOGS}
    named = {"name": "otlp-grpc", "port": 4317, "appProtocol": "grpc"}
    assert "port-declared-http2" not in codes(outcome(mesh(), service(named), **logs_alone))


def test_grpc_has_to_be_declared_on_its_own_port() -> None:
    """What another port says does not matter."""
    tracing = {"protocol": "otlp-grpc"}
    declared = {"name": "otlp-grpc", "port": 4317, "appProtocol": "grpc"}
    for other in ({"name": "http", "port": 80}, {"name": "zipkin", "port": 9411}):
        assert outcome(mesh(), service(other, declared), tracing=tracing).effects[0].target.endswith(":4317")
        undeclared = service({**other, "appProtocol": "grpc"}, {"name": "otlp-grpc", "port": 4317})
        assert refusal(mesh(), undeclared, tracing=tracing).message.startswith(
            "port 4317 (otlp-grpc) is not declared as gRPC"
        )


@pytest.mark.parametrize(
    ("home", "where", "spec", "mesh_wide"),
    [
        pytest.param("istio-system", "istio-system", {}, True, id="in the root namespace"),
        pytest.param("istio-system", None, {}, True, id="without namespace, in the release of the mesh config there"),
        pytest.param("istio-system", None, None, True, id="without anything to say"),
        pytest.param("istio-system", "zoo", {}, False, id="in a namespace further on in the alphabet"),
        pytest.param("istio-system", "apps", {}, False, id="in one before"),
        pytest.param("zoo", None, {}, False, id="without namespace, in a release elsewhere"),
        pytest.param("apps", None, {}, False, id="in one elsewhere before"),
        pytest.param("istio-system", "istio-system", {"selector": {"matchLabels": {"app": "x"}}}, False, id="with a selector"),
        pytest.param("istio-system", "istio-system", {"targetRefs": [{"group": "", "kind": "Service", "name": "x"}]}, False, id="with targets"),
        pytest.param("istio-system", "istio-system", {"targetRef": {"group": "", "kind": "Service", "name": "x"}}, False, id="with a target"),
    ],
)  # fmt: skip
def test_which_telemetry_is_mesh_wide(home: str, where: str | None, spec: Settings | None, mesh_wide: bool) -> None:  # noqa: FBT001
    """Ours is merged into such a one, and added beside any other."""
    documents = mesh(namespace=home), telemetry(spec, namespace=where)
    done = outcome(*documents, tracing={"activation": "telemetry"})
    assert ("telemetry-merged" in codes(done)) == mesh_wide
    assert ("telemetry-added" in codes(done)) != mesh_wide


@pytest.mark.parametrize(
    ("name", "revision", "taken"),
    [
        pytest.param("istio", "canary", False, id="of another revision than the mesh's"),
        pytest.param("istio", "default", True, id="of the default one, as the chart calls it"),
        pytest.param("groundcover-mesh", "canary", False, id="of one, where nothing says the mesh's"),
        pytest.param("istio-canary", "alpha", False, id="of one before the mesh's in the alphabet"),
        pytest.param("istio-canary", "canary", True, id="of the mesh's"),
        pytest.param("istio-canary", "", True, id="of every one"),
        pytest.param("istio-shared-configmap-asm-1-27", "asm-1-27", True, id="of AKS'"),
    ],
)
def test_a_telemetry_of_a_revision(name: str, revision: str, taken: bool) -> None:  # noqa: FBT001  a column of the table
    """An istiod leaves those of other revisions alone."""
    document = telemetry({}).replace("metadata:\n", f"metadata:\n  labels: {{istio.io/rev: '{revision}'}}\n")
    done = outcome(mesh(name=name), document, tracing={"activation": "telemetry"})
    assert ("telemetry-merged" in codes(done)) == taken
    assert ("telemetry-added" in codes(done)) != taken


@pytest.mark.parametrize(
    ("group", "kind", "spec", "revision"),
    [
        pytest.param("install.istio.io/v1alpha1", "IstioOperator", {}, "default", id="istioctl, of none"),
        pytest.param("install.istio.io/v1alpha1", "IstioOperator", {"revision": "canary"}, "canary", id="istioctl"),
        pytest.param(
            "install.istio.io/v1alpha1", "IstioOperator", {"values": {"revision": "canary"}}, "canary", id="its values"
        ),
        pytest.param("sailoperator.io/v1", "Istio", {"version": "v1.30.3"}, "main", id="Sail, in place"),
        pytest.param(
            "sailoperator.io/v1",
            "Istio",
            {"version": "v1.30.3", "updateStrategy": {"type": "RevisionBased"}},
            "main-v1-30-3",
            id="Sail, by version",
        ),
        pytest.param("sailoperator.io/v1", "IstioRevision", {"version": "v1.30.3"}, "main", id="Sail's own object"),
    ],
)
def test_the_revision_of_an_operators_object(group: str, kind: str, spec: Settings, revision: str) -> None:
    """As each operator makes it."""
    carrier = yaml.safe_dump({"apiVersion": group, "kind": kind, "metadata": {"name": "main"}, "spec": spec})
    for label, code in ((revision, "telemetry-merged"), ("other", "telemetry-added")):
        document = telemetry({}).replace("metadata:\n", f"metadata:\n  labels: {{istio.io/rev: {label}}}\n")
        assert code in codes(outcome(carrier, document, tracing={"activation": "telemetry"}))


def test_the_root_namespace_of_aks() -> None:
    """Is where its ConfigMap stands, which names none; its version is in its name."""
    shared = mesh("accessLogFile: /dev/stdout\n", name="istio-shared-configmap-asm-1-27", namespace="aks-istio-system")
    added = data(outcome(shared, tracing={"activation": "telemetry"}))[-1]
    assert (added["kind"], added["metadata"]["namespace"]) == ("Telemetry", "aks-istio-system")
    old = mesh("{}\n", name="istio-shared-configmap-asm-1-17", namespace="aks-istio-system")
    assert "istio 1.17 has no extensionProviders.opentelemetry.http" in refusal(old).message
    labelled = old.replace(
        "metadata:\n", "metadata:\n  labels: {helm.sh/chart: mine-1.31.0, app.kubernetes.io/version: '1.31'}\n"
    )
    assert "istio 1.17 has no" in refusal(labelled).message


def test_a_label_that_is_no_version_is_looked_past() -> None:
    """The next one may be."""
    labels = "metadata:\n  labels: {helm.sh/chart: umbrella-7, app.kubernetes.io/version: 1.17.2}\n"
    assert "istio 1.17 has no" in refusal(mesh().replace("metadata:\n", labels)).message


def test_the_version_in_the_values_of_an_istio_operator() -> None:
    """Istioctl hands spec.tag to the chart as global.tag, which may stand there itself."""
    operator = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "metadata": {"name": "x"}}
    for spec in ({"values": {"global": {"tag": "1.20.1"}}}, {"tag": "1.20.1", "values": {"global": {"tag": "1.31.0"}}}):
        assert "istio 1.20 has no" in refusal(yaml.safe_dump({**operator, "spec": spec})).message


def test_snake_case_in_the_values_of_an_istio_operator_is_refused() -> None:
    """It would reach the mesh config beside what is written."""
    operator = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "metadata": {"name": "x"}}
    spec: Settings = {"values": {"meshConfig": {"extension_providers": []}}}
    message = "spec.values.meshConfig.extension_providers is spelt in snake case"
    assert refusal(yaml.safe_dump({**operator, "spec": spec})).message == message


@pytest.mark.parametrize("activation", ["auto", "mesh"])
@pytest.mark.parametrize(
    ("entry", "warned"),
    [
        pytest.param({"providers": [{"name": "zipkin"}]}, "telemetry-elsewhere", id="another provider"),
        pytest.param(
            {"providers": [{"name": "a-tracer"}, {"name": "otel-tracing"}]}, "telemetry-elsewhere", id="before ours"
        ),
        pytest.param({"providers": [{"name": "otel-tracing"}, {"name": "zipkin"}]}, "", id="behind ours"),
        pytest.param({"providers": [{"name": "OTEL-tracing"}]}, "", id="ours"),
        pytest.param({"disableSpanReporting": True}, "telemetry-without-spans", id="no spans"),
        pytest.param({"disableSpanReporting": False}, "", id="spans"),
        pytest.param(
            {"match": {"mode": "SERVER"}, "disableSpanReporting": True},
            "telemetry-without-spans",
            id="no spans of servers",
        ),
        pytest.param(
            {"match": {"mode": "CLIENT"}, "providers": [{"name": "zipkin"}]},
            "telemetry-elsewhere",
            id="another provider for clients",
        ),
    ],
)
def test_a_telemetry_that_keeps_spans_away(entry: Settings, warned: str, activation: str) -> None:
    """Is left, since it is somebody's, and named."""
    done = outcome(mesh(), telemetry({"tracing": [entry]}), tracing={"activation": activation})
    warnings = [each.code for each in done.decisions if each.code in ("telemetry-elsewhere", "telemetry-without-spans")]
    assert warnings == ([warned] if warned else [])


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        pytest.param({"activation": "telemetry"}, True, id="with activation telemetry too"),
        pytest.param({"activation": "none"}, False, id="nothing is to be sent"),
        pytest.param({"enabled": False}, False, id="not ours to say"),
    ],
)
def test_when_a_telemetry_without_spans_is_mentioned(settings: Settings, warned: bool) -> None:  # noqa: FBT001
    """Where spans are wanted, whatever its name."""
    for name in ("default", "mesh-default"):
        done = outcome(mesh(), telemetry({"tracing": [{"disableSpanReporting": True}]}, name=name), tracing=settings)
        assert ("telemetry-without-spans" in codes(done)) == warned


def test_a_later_entry_lets_spans_through() -> None:
    """Of entries for the same side the last counts."""
    entries = [
        {"disableSpanReporting": True, "providers": [{"name": "zipkin"}]},
        {"disableSpanReporting": False, "providers": [{"name": "otel-tracing"}]},
    ]
    done = outcome(mesh(), telemetry({"tracing": entries}))
    assert [each for each in codes(done) if each.startswith("telemetry-")] == []


def test_of_several_the_first_counts() -> None:
    """Telemetries, meshes, providers: it is changed, asked for its version, or named."""
    named = {"activation": "telemetry"}
    done = outcome(mesh(), telemetry({}, name="a"), telemetry({}, name="b"), tracing=named)
    assert [each.resource for each in done.decisions if each.code == "telemetry-merged"] == ["Telemetry istio-system/a"]
    zipkin = {"providers": [{"name": "zipkin"}, {"name": "otel-tracing"}]}
    assert (
        "names the tracing provider zipkin," in refusal(mesh(), telemetry({"tracing": [zipkin]}), tracing=named).message
    )
    done = outcome(mesh(), telemetry({"tracing": [{"providers": []}]}), tracing=named)
    assert "telemetry-merged" in codes(done)
    done = outcome(mesh(), mesh(name="istio-b"), **SHARED)
    assert [each.resource for each in done.decisions if each.code == "shared-not-named"] == [
        "ConfigMap istio-system/istio"
    ]
    assert "telemetry-added" in codes(outcome(mesh(name="groundcover-mesh"), tracing=named))
    done = outcome(service(), service({"name": "otlp-http", "port": 1}, name="groundcover-z"), tracing=named)
    assert [each.resource for each in done.decisions] == ["Service groundcover/groundcover-sensor"]


@pytest.mark.parametrize(
    ("container", "variable", "named"),
    [
        pytest.param("discovery", {"name": "A", "value": "x"}, True, id="istiod"),
        pytest.param("discovery", {"name": "ZZZ", "value": "x"}, True, id="with a variable further on"),
        pytest.param(
            "discovery", {"name": "SHARED_MESH_CONFIG", "value": "groundcover-mesh"}, False, id="that names it"
        ),
        pytest.param("a", {"name": "A", "value": "x"}, False, id="another container"),
    ],
)
def test_istiod_is_told_of_the_shared_mesh_config(container: str, variable: Settings, named: bool) -> None:  # noqa: FBT001
    """By a variable of its own container."""
    spec = {"containers": [{"name": "a", "env": []}, {"name": container, "env": [variable]}]}
    metadata = {"name": "istiod", "namespace": "istio-system"}
    document = yaml.safe_dump(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": {"spec": spec}}}
    )
    document = document.replace("kind: Deployment", "kind: Deployment\n# istiod")
    done = outcome(mesh(), document, **SHARED)
    assert ("shared-named" in codes(done)) == named
    containers = next(each for each in data(done) if each["kind"] == "Deployment")["spec"]["template"]["spec"][
        "containers"
    ]
    assert containers[0]["env"] == []


def test_of_variables_of_one_name_the_last_counts() -> None:
    """As a container gets it."""
    named, other = ({"name": "SHARED_MESH_CONFIG", "value": value} for value in ("groundcover-mesh", "theirs"))
    for env, refused in (([other, named], False), ([named, other], True)):
        spec = {"template": {"spec": {"containers": [{"name": "discovery", "env": env}]}}}
        metadata = {"name": "istiod", "namespace": "istio-system"}
        istiod = yaml.safe_dump({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
        if refused:
            assert refusal(mesh(), istiod, **SHARED).message.startswith('SHARED_MESH_CONFIG names "theirs" already')
        else:
            assert "shared-named" not in codes(outcome(mesh(), istiod, **SHARED))


def test_a_mesh_config_that_names_other_access_logs_stands_against_the_shared_one() -> None:
    """The first of them is named."""
    own = "defaultProviders: {accessLogging: [theirs, envoy]}\n"
    error = refusal(mesh(own), **SHARED, accessLogs=LOGS, tracing={"activation": "mesh"})
    assert error.message.startswith('defaultProviders.accessLogging says "theirs"')


def test_a_mesh_config_that_names_our_access_log_agrees_with_the_shared_one() -> None:
    """Whatever else that one keeps."""
    own = "accessLogFile: /dev/stdout\ndefaultProviders: {accessLogging: [groundcover-access-logs]}\n"
    assert outcome(mesh(own), **SHARED, accessLogs=LOGS, tracing={"activation": "mesh"}).effects


def test_of_the_providers_of_a_telemetry_the_first_counts() -> None:
    """What stands behind ours is not in the way."""
    providers = [{"name": "otel-tracing"}, {"name": "zipkin"}]
    done = outcome(mesh(), telemetry({"tracing": [{"providers": providers}]}), tracing={"activation": "telemetry"})
    assert "telemetry-merged" in codes(done)


def test_a_telemetry_for_each_root_namespace() -> None:
    """Merged where there is one, added where there is none, for the revision that it is."""
    meshes = [mesh(f"rootNamespace: {root}\n", name=f"istio-{root}") for root in ("one", "two", "three")]
    done = outcome(*meshes, telemetry({}, namespace="one"), tracing={"activation": "telemetry"})
    decided = {each.resource: each.code for each in done.decisions if each.code.startswith("telemetry")}
    assert decided == {
        "Telemetry one/mesh-default": "telemetry-merged",
        "Telemetry two/groundcover-tracing-two": "telemetry-added",
        "Telemetry three/groundcover-tracing-three": "telemetry-added",
    }


TAGS = {"a": {"literal": {"value": "b"}}}


@pytest.mark.parametrize("name", ["default", "mesh-default"])
@pytest.mark.parametrize(
    ("entry", "code"),
    [
        pytest.param({"randomSamplingPercentage": 1, "customTags": TAGS}, "unchanged", id="all of it"),
        pytest.param({"randomSamplingPercentage": 1.0, "customTags": TAGS}, "unchanged", id="in other words"),
        pytest.param({"randomSamplingPercentage": 1}, "telemetry-merged", id="half of it"),
        pytest.param({"randomSamplingPercentage": 2, "customTags": TAGS}, "telemetry-kept", id="something else"),
        pytest.param({"customTags": {"a": {"literal": {"value": "c"}}}}, "telemetry-kept", id="other tags"),
    ],
)
def test_a_telemetry_of_another(entry: Settings, code: str, name: str) -> None:
    """What it says itself counts; the same is no difference."""
    done = outcome(service(), telemetry({"tracing": [entry]}, name=name), tracing={"customTags": TAGS})
    assert code in codes(done)
    assert ("telemetry-kept" in codes(done)) == (code == "telemetry-kept")


SERVERS, CLIENTS, BOTH = ({"match": {"mode": mode}} for mode in ("SERVER", "CLIENT", "CLIENT_AND_SERVER"))
OURS = {"providers": [{"name": "otel-tracing"}], "randomSamplingPercentage": 1, "customTags": TAGS}
HALF = {"randomSamplingPercentage": 50}


@pytest.mark.parametrize(
    ("entries", "merged", "kept"),
    [
        pytest.param([], [OURS], "", id="none"),
        pytest.param([{}], [OURS], "", id="one that says nothing"),
        pytest.param([BOTH], [{**BOTH, **OURS}], "", id="one for both sides"),
        pytest.param([SERVERS], [SERVERS, OURS], "", id="for one side only: behind it, for both"),
        pytest.param([CLIENTS, {}], [CLIENTS, OURS], "", id="into the first for both sides"),
        pytest.param([{}, {}], [OURS, {}], "", id="into the first of two"),
        pytest.param(
            [{}, HALF],
            [{key: OURS[key] for key in ("providers", "customTags")}, HALF],
            "tracing[1].randomSamplingPercentage",
            id="what one further down says counts",
        ),
        pytest.param(
            [{**CLIENTS, **HALF}],
            [
                {**CLIENTS, **HALF},
                {key: OURS[key] for key in ("providers", "customTags")},
                {**SERVERS, "randomSamplingPercentage": 1},
            ],
            "tracing[0].randomSamplingPercentage",
            id="what one for one side says is not overridden, the other side gets ours",
        ),
        pytest.param(
            [{**SERVERS, **HALF}],
            [
                {**SERVERS, **HALF},
                {key: OURS[key] for key in ("providers", "customTags")},
                {**CLIENTS, "randomSamplingPercentage": 1},
            ],
            "tracing[0].randomSamplingPercentage",
            id="so for servers",
        ),
        pytest.param(
            [{**CLIENTS, "providers": OURS["providers"]}, SERVERS, {}],
            [
                {**CLIENTS, "providers": OURS["providers"]},
                {**SERVERS, "providers": OURS["providers"]},
                {"randomSamplingPercentage": 1, "customTags": TAGS},
            ],
            "",
            id="our provider for one side: the other side gets it too",
        ),
        pytest.param(
            [{**CLIENTS, **HALF}, {**SERVERS, "randomSamplingPercentage": 7}, {}],
            [{**CLIENTS, **HALF}, {**SERVERS, "randomSamplingPercentage": 7}, {key: OURS[key] for key in ("providers", "customTags")}],
            "tracing[0].randomSamplingPercentage, tracing[1].randomSamplingPercentage",
            id="each side says its own",
        ),
        pytest.param(
            [{"randomSamplingPercentage": 1}, {"randomSamplingPercentage": 0}],
            [{"randomSamplingPercentage": 1, **{key: OURS[key] for key in ("providers", "customTags")}}, {"randomSamplingPercentage": 0}],
            "tracing[1].randomSamplingPercentage",
            id="the one that differs is named",
        ),
        pytest.param([{"randomSamplingPercentage": 1}, OURS], [{"randomSamplingPercentage": 1}, OURS], "", id="all of it"),
        pytest.param(
            [{"customTags": {}}],
            [{**OURS, "customTags": {}}],
            "tracing[0].customTags",
            id="no tags are said too",
        ),
        pytest.param([{"providers": [{"name": "zipkin"}]}, OURS], [{"providers": [{"name": "zipkin"}]}, OURS], "", id="the last provider counts"),
    ],
)  # fmt: skip
def test_a_telemetry_of_several_entries(entries: list[Settings], merged: list[Settings], kept: str) -> None:
    """Istio lays them over each other in their order, each for the sides that it matches."""
    tracing = {"activation": "telemetry", "customTags": TAGS}
    done = outcome(mesh(), telemetry({"tracing": entries}), tracing=tracing)
    after = next(each for each in data(done) if each["kind"] == "Telemetry")
    assert after["spec"]["tracing"] == merged
    assert [each.values["fields"] for each in done.decisions if each.code == "telemetry-kept"] == (
        [kept] if kept else []
    )
    again = pipeline.run(done.after, [Layer("the test", {"tracing": tracing})])
    assert again.after == done.after


def test_another_provider_for_one_side_is_in_the_way() -> None:
    """It counts there, whatever stands in other entries."""
    for side in (SERVERS, CLIENTS):
        entries = [{}, {**side, "providers": [{"name": "zipkin"}]}]
        error = refusal(mesh(), telemetry({"tracing": entries}), tracing={"activation": "telemetry"})
        assert error.message.startswith("names the tracing provider zipkin,")


@pytest.mark.parametrize(
    ("documents", "settings", "percentage"),
    [
        pytest.param([telemetry({"tracing": [HALF]})], {}, 50, id="a Telemetry of another"),
        pytest.param([telemetry({"tracing": [HALF]})], {"activation": "mesh"}, 50, id="whatever ours is activated by"),
        pytest.param([telemetry({"tracing": [HALF, {"randomSamplingPercentage": 7}]})], {}, 7, id="its last entry"),
        pytest.param([telemetry({"tracing": [HALF, {}]})], {}, 50, id="the last that says it"),
        pytest.param([telemetry({"tracing": [{"randomSamplingPercentage": 0}]})], {}, 0, id="0 too"),
        pytest.param([telemetry({"tracing": "x"})], {"activation": "mesh"}, 1, id="none in what is no list"),
        pytest.param([telemetry({"tracing": [HALF]}, name="groundcover-tracing")], {}, 1, id="not ours, which is written anew"),
        pytest.param([telemetry({"tracing": [HALF]}, namespace="apps")], {}, 1, id="not one of a namespace"),
        pytest.param([telemetry({"tracing": [{}]}), telemetry({"tracing": [HALF]}, name="b")], {}, 1, id="not one behind another"),
        pytest.param([telemetry({"tracing": [HALF, {**SERVERS, "randomSamplingPercentage": 7}]})], {}, 50, id="clients', where servers have another"),
        pytest.param([telemetry({"tracing": [{**SERVERS, **HALF}]})], {}, 1, id="not servers' alone"),
        pytest.param([], {"activation": "none"}, None, id="nothing, where nothing is activated"),
        pytest.param([telemetry({"tracing": [{"randomSamplingPercentage": "1e999"}]})], {"activation": "mesh"}, 1, id="none in what is no number"),
        pytest.param([], {"samplingPercentage": None}, None, id="nothing"),
    ],
)  # fmt: skip
def test_the_effective_sampling(documents: list[str], settings: Settings, percentage: float | None) -> None:
    """Of requests, before the sensor's own: what the report says is so."""
    sampling = outcome(mesh(), *documents, tracing=settings).sampling
    assert sampling
    assert sampling.istio_percentage == percentage


def test_an_istiod_without_its_mesh_config_says_its_version() -> None:
    """By its image, the first time as the second, when the shared mesh config is there."""
    istiod = "kind: Deployment\nspec: {image: docker.io/istio/pilot:1.21.0}\n"
    assert "istio 1.21 has no extensionProviders.opentelemetry.http" in refusal(service(), istiod, **SHARED).message
    zipkin = service({"name": "zipkin", "port": 9411}), istiod
    assert data(outcome(*zipkin, tracing={"protocol": "zipkin"}))[-1]["apiVersion"] == "telemetry.istio.io/v1alpha1"


def test_a_telemetry_for_several_istiods() -> None:
    """It holds what the oldest of them knows."""
    labels = "metadata:\n  labels: {{app.kubernetes.io/version: {}}}\n"
    old, new = (
        mesh(name=f"istio-{name}").replace("metadata:\n", labels.format(version))
        for name, version in (("a", "1.21.0"), ("b", "1.30.0"))
    )
    tracing = {"activation": "telemetry", "protocol": "zipkin"}
    for documents in ((old, new), (new, old)):
        added = data(outcome(*documents, tracing=tracing))[-1]
        assert added["apiVersion"] == "telemetry.istio.io/v1alpha1"


@pytest.mark.parametrize(("version", "api"), [("1.21", "v1alpha1"), ("1.22", "v1"), ("1.30", "v1")])
def test_the_api_of_a_telemetry(version: str, api: str) -> None:
    """v1 came with Istio 1.22."""
    done = outcome(service({"name": "zipkin", "port": 9411}), istioVersion=version, tracing={"protocol": "zipkin"})
    assert data(done)[1]["apiVersion"] == f"telemetry.istio.io/{api}"


@pytest.mark.parametrize(
    ("providers", "code"),
    [
        (["groundcover-access-logs", "envoy"], "unchanged"),
        (["another"], "telemetry-kept"),
    ],
)
def test_access_logs_in_a_telemetry_of_another(providers: list[str], code: str) -> None:
    """Those it has stay; the same is no difference."""
    named = [{"name": name} for name in providers]
    spec = {"tracing": [{"randomSamplingPercentage": 1}], "accessLogging": [{"providers": named}]}
    grpc = {"name": "otlp-grpc", "port": 4317, "appProtocol": "grpc"}
    done = outcome(service({"name": "otlp-http", "port": 4318}, grpc), telemetry(spec), accessLogs=LOGS)
    assert codes(done) == [code]


@pytest.mark.parametrize(
    ("tags", "text", "version"),
    [
        ([], "", istio.ASSUMED_VERSION),
        (["1.24.3"], "", (1, 24)),
        (["1.24.3", "1.22.1", "1.23.0"], "", (1, 22)),
        (["1.10.0"], "", (1, 10)),
        (["1.9.9"], "", istio.ASSUMED_VERSION),
        (["1.0.0", "1.25.0"], "", (1, 25)),
        (["1.24.3"], "1.27", (1, 27)),
    ],
)
def test_versions(tags: list[str], text: str, version: tuple[int, int]) -> None:
    """As set, else the oldest of the images; what is older than any release of today is a placeholder."""
    settings = resolve([Layer("the test", {"istioVersion": text})])
    assert mesh_version(None, settings, tags) == version


@pytest.mark.parametrize(
    ("version", "tag", "message"),
    [
        (
            "1.28.3",
            {"formatter": {"value": "x"}},
            "istio 1.28 has no spec.tracing.customTags.formatter, it came with 1.29",
        ),
        ("1.29.0", {"formatter": {"value": "x"}}, ""),
        ("1.20.0", {"literal": {"value": "x"}}, ""),
    ],
)
def test_what_a_telemetry_may_say(version: str, tag: Settings, message: str) -> None:
    """Only what that Istio knows."""
    settings: Settings = {"istioVersion": version, "tracing": {"protocol": "zipkin", "customTags": {"a": tag}}}
    documents = (service({"name": "zipkin", "port": 9411}),)
    if message:
        error = refusal(*documents, service(name="a"), **settings)
        assert (error.message, error.where) == (message, "Service groundcover/groundcover-sensor")
    else:
        assert "telemetry-added" in codes(outcome(*documents, **settings))


@pytest.mark.parametrize(
    ("activation", "says"),
    [
        ("auto", {"enableTracing", "defaultProviders", "defaultConfig"}),
        ("mesh", {"enableTracing", "defaultProviders", "defaultConfig"}),
        ("telemetry", set()),
        ("none", set()),
    ],
)
def test_a_shared_mesh_config(activation: str, says: set[str]) -> None:
    """With the sensor; what it says besides the provider depends on the activation, and so does the Telemetry."""
    settings = {**SHARED, "tracing": {"activation": activation}}
    assert mesh_config(outcome(service(), **settings)).keys() == {"extensionProviders", *says}
    telemetries = [each for each in data(outcome(service(), **settings)) if each["kind"] == "Telemetry"]
    assert bool(telemetries) == (activation in ("auto", "telemetry"))
    assert "telemetry-added" not in codes(outcome(mesh(), **settings))
    grpc = {"name": "otlp-grpc", "port": 4317, "appProtocol": "grpc"}
    logs = mesh_config(outcome(service({"name": "otlp-http", "port": 4318}, grpc), **settings, accessLogs=LOGS))
    assert ("accessLogging" in logs.get("defaultProviders", {})) == (activation == "mesh")
    same = yaml.safe_dump({"extensionProviders": mesh_config(outcome(service(), **settings))["extensionProviders"]})
    assert "shared-not-named" in codes(outcome(mesh(same), **settings))


PROVIDER = """\
extensionProviders:
- name: otel-tracing
  opentelemetry:
    service: groundcover-sensor.groundcover.svc.cluster.local
    port: 4318
    http: {path: /v1/traces, timeout: 5s}
"""
AGREEING = """\
enableTracing: true
defaultProviders:
  tracing:
  - otel-tracing
  - another
defaultConfig:
  tracing:
    sampling: 1.0
"""


@pytest.mark.parametrize(
    ("own", "message"),
    [
        pytest.param("{}\n", "", id="nothing"),
        pytest.param(AGREEING, "", id="the same"),
        pytest.param(AGREEING.replace("1.0", "'1'"), "", id="the same in quotes"),
        pytest.param(AGREEING.replace("- otel", "- OTEL"), "", id="our tracer in capitals, which istiod takes for ours"),
        pytest.param(PROVIDER, "", id="our provider"),
        pytest.param(PROVIDER.replace("4318", '"4318"\n    maxTagLength: 100'), "", id="our provider with its port in quotes and a field more"),
        pytest.param(PROVIDER.replace("5s", "6s"), 'extensionProviders[0] says provider "otel-tracing"', id="our provider with another timeout"),
        pytest.param(PROVIDER.replace("otel-tracing", "OTEL-tracing"), 'extensionProviders[0] says provider "OTEL-tracing"', id="our provider in capitals, of which there would be two"),
        pytest.param(PROVIDER.replace("service:", "address:"), 'extensionProviders[0] says provider "otel-tracing"', id="our provider as the vendor's page has it"),
        pytest.param(AGREEING.replace("1.0", "2"), "defaultConfig.tracing.sampling says 2", id="another sampling"),
        pytest.param(AGREEING.replace("1.0", "0.5"), "defaultConfig.tracing.sampling says 0.5", id="a lower sampling"),
        pytest.param(AGREEING.replace("true", "false"), "enableTracing says false", id="switched off"),
        pytest.param(AGREEING.replace("- otel-tracing\n", "- zzz\n"), 'defaultProviders.tracing says "zzz"', id="another tracer"),
        pytest.param("defaultProviders:\n  tracing: []\n", "", id="no tracer"),
        pytest.param("extensionProviders:\n- name: another\n  zipkin: {service: x, port: 9411}\n", "", id="another's provider"),
        pytest.param("extensionProviders:\n- name: OTEL-tracing\n  zipkin: {service: x, port: 9411}\n", 'extensionProviders[0] says provider "OTEL-tracing"', id="ours, otherwise"),
    ],
)  # fmt: skip
def test_what_stands_against_a_shared_mesh_config(own: str, message: str) -> None:
    """What the mesh's own config says counts before it, so it has to agree."""
    if message:
        assert refusal(mesh(own), **SHARED).message.startswith(message)
    else:
        assert "shared-not-named" in codes(outcome(mesh(own), **SHARED))


def test_a_provider_in_small_letters_stands_against_one_in_capitals() -> None:
    """Of one name and another the mesh would have two."""
    settings = {**SHARED, "tracing": {"providerName": "OTEL-tracing"}}
    assert refusal(mesh(PROVIDER), **settings).message.startswith('extensionProviders[0] says provider "otel-tracing"')


def test_a_provider_of_another_protocol_agrees_with_a_shared_one() -> None:
    """Whatever the kind."""
    own = "extensionProviders:\n- name: datadog-tracing\n  datadog: {service: groundcover-sensor.groundcover.svc.cluster.local, port: 8126}\n"
    settings = {**SHARED, "tracing": {"protocol": "datadog"}}
    assert "shared-not-named" in codes(outcome(mesh(own), **settings))
    assert refusal(mesh(own.replace("8126", "1")), **settings).message.startswith("extensionProviders[0] says provider")


@pytest.mark.parametrize(
    ("own", "keep", "names"),
    [
        pytest.param(
            "accessLogFile: /dev/stdout\n", True, ["groundcover-access-logs", "envoy"], id="a file log is kept"
        ),
        pytest.param("accessLogFile: /dev/stdout\n", False, ["groundcover-access-logs"], id="unless it is not to be"),
        pytest.param("{}\n", True, ["groundcover-access-logs"], id="where there is none, there is nothing to keep"),
        pytest.param(None, True, ["groundcover-access-logs", "envoy"], id="where nothing is known, there may be one"),
    ],
)
def test_access_logs_of_a_shared_mesh_config(own: str | None, keep: bool, names: list[str]) -> None:  # noqa: FBT001
    """They would take the place of the file log, as those of a Telemetry do."""
    grpc = {"name": "otlp-grpc", "port": 4317, "appProtocol": "grpc"}
    documents = [service({"name": "otlp-http", "port": 4318}, grpc), *([mesh(own)] if own else [])]
    settings = {**SHARED, "tracing": {"activation": "mesh"}, "accessLogs": {"enabled": True, "keepFileLog": keep}}
    maps = {
        each["metadata"]["name"]: each for each in data(outcome(*documents, **settings)) if each["kind"] == "ConfigMap"
    }
    shared = yaml.safe_load(maps["groundcover-mesh"]["data"]["mesh"])
    assert shared["defaultProviders"]["accessLogging"] == names
    other = mesh("defaultProviders: {accessLogging: [envoy]}\n")
    assert refusal(other, **settings).message.startswith('defaultProviders.accessLogging says "envoy"')


def test_a_shared_mesh_config_of_several_istiods() -> None:
    """It holds what the oldest of them knows, wherever that stands."""
    old, new = (
        mesh(name=f"istio-{name}").replace(
            "metadata:\n", f"metadata:\n  labels: {{app.kubernetes.io/version: {version}}}\n"
        )
        for name, version in (("a", "1.21.0"), ("b", "1.30.0"))
    )
    for documents in ((old, new), (new, old)):
        assert "istio 1.21 has no" in refusal(*documents, **SHARED).message
    assert "istio 1.21 has no" in refusal(mesh(name="groundcover-mesh"), old, **SHARED).message
    assert outcome(mesh(name="groundcover-mesh"), new.replace("1.30.0", "1.31.0"), **SHARED).effects


def test_a_shared_mesh_config_of_an_old_istio() -> None:
    """Holds nothing that it does not know."""
    assert refusal(mesh(), istioVersion="1.17", **SHARED).message.startswith("istio 1.17 has no extensionProviders")
    tracing = {"enabled": False}
    assert "shared-not-named" in codes(outcome(mesh(), istioVersion="1.17", tracing=tracing, accessLogs=LOGS, **SHARED))
