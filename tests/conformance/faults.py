"""What can be wrong in a mesh: how to break a healthy one, what check and doctor say then, and what istiod and Envoy do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .addresses import BACKEND_PORT, HOST, NODE, SPANS_PER_REQUEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from .injection import Injection
    from .mesh import Mesh

REQUESTS: Final = 10
ALL: Final = REQUESTS * SPANS_PER_REQUEST
ROOT: Final = "istio-system"
SENSOR: Final = "groundcover-sensor"
ZIPKIN: Final[dict[str, Any]] = {"name": "zipkin-tracing", "zipkin": {"service": HOST, "port": 9411}}
DATADOG: Final[dict[str, Any]] = {"name": "datadog-tracing", "datadog": {"service": HOST, "port": 8126}}
GRPC: Final[dict[str, Any]] = {"name": "otel-tracing", "opentelemetry": {"service": HOST, "port": 4317}}
SECOND: Final[dict[str, Any]] = {"name": "second", "zipkin": {"service": HOST, "port": 9411}}


class Fault(NamedTuple):
    """One thing wrong, and all that comes of it."""

    change: Callable[[Injection], object]
    rules: tuple[str, ...] = ()
    """Rules of `check` that find it in the manifests."""
    codes: tuple[str, ...] | None = ()
    """Codes of `doctor` that are not ok: these and no others."""
    spans: int | None = 0
    """Spans of `REQUESTS` requests through the gateway that runs."""
    rejected: bool = False
    """Envoy refuses what istiod has for its listeners."""
    kept: bool = False
    """istiod discards the whole mesh config and keeps the one it had."""
    also: Callable[[Mesh], bool] = lambda _: True
    """What else is to be seen."""
    what: str = ""
    """`also` in words, for the report."""


def provider(injection: Injection, value: dict[str, Any], *others: dict[str, Any]) -> None:
    """Another provider in the place of ours as the tracer, and others beside it."""

    def change(mesh: dict[str, Any]) -> None:
        mesh["extensionProviders"] = [value, *others]
        mesh["defaultProviders"]["tracing"] = [value["name"]]

    injection.mesh(change)


def otlp(injection: Injection, **fields: Any) -> None:
    """Set fields of our provider; None takes one out."""

    def change(mesh: dict[str, Any]) -> None:
        (entry,) = [each for each in mesh["extensionProviders"] if each["name"] == "otel-tracing"]
        held = entry["opentelemetry"] | fields
        entry["opentelemetry"] = {key: value for key, value in held.items() if value is not None}

    injection.mesh(change)


def made(api: str, kind: str, namespace: str, spec: Any, name: str = "fault", **rest: Any) -> dict[str, Any]:
    """An object."""
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": namespace, **rest}, "spec": spec}


def telemetry(injection: Injection, namespace: str, selector: dict[str, str] | None = None, **tracing: Any) -> None:
    """A Telemetry beside the one of the sensor's release."""
    spec: dict[str, Any] = {"tracing": [tracing]}
    if selector:
        spec["selector"] = {"matchLabels": selector}
    injection.add(made("telemetry.istio.io/v1", "Telemetry", namespace, spec))


def without_telemetry(injection: Injection, change: Callable[[dict[str, Any]], object] | None = None) -> None:
    """The mesh config alone decides."""
    injection.delete("Telemetry", "groundcover-tracing", ROOT)
    if change:
        injection.mesh(change)


def service(injection: Injection, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the sensor's Service."""
    injection.edit("Service", SENSOR, "groundcover", change)


def port(injection: Injection, number: int, protocol: str | None) -> None:
    """What a port of it is declared as."""

    def change(found: dict[str, Any]) -> None:
        (each,) = [each for each in found["spec"]["ports"] if each["port"] == number]
        each.pop("appProtocol", None)
        if protocol:
            each["appProtocol"] = protocol

    service(injection, change)


def zipkin_alone(injection: Injection) -> None:
    """Zipkin, over a port that the Service does not have."""
    service(injection, lambda found: found["spec"].update(ports=[{"name": "otlp-http", "port": 4318}]))
    provider(injection, ZIPKIN)


def external(found: dict[str, Any]) -> None:
    """A Service that is a name only."""
    found["spec"] = {"type": "ExternalName", "externalName": "sensor.example.com", "ports": [{"name": "otlp-http", "port": 4318}]}  # fmt: skip


def tls(injection: Injection) -> None:
    """TLS towards a sensor that speaks none; not ISTIO_MUTUAL, since no agent is here to give the proxy a certificate."""
    spec = {"host": HOST, "trafficPolicy": {"tls": {"mode": "SIMPLE", "insecureSkipVerify": True}}}
    injection.add(made("networking.istio.io/v1", "DestinationRule", ROOT, spec))


def hidden_from_zipkin(injection: Injection) -> None:
    """The Service is not exported any more, and the tracer changes."""
    service(injection, lambda found: found["metadata"]["annotations"].update({"networking.istio.io/exportTo": "."}))
    provider(injection, ZIPKIN)


def another_istiod(injection: Injection, name: str, revision: str, image: str) -> None:
    """A second istiod that runs."""
    labels = {"app": "istiod", "istio": "pilot", "istio.io/rev": revision}
    container = {"name": "discovery", "image": image}
    spec = {"nodeName": NODE, "serviceAccountName": "istiod", "automountServiceAccountToken": False, "containers": [container]}  # fmt: skip
    injection.add(made("v1", "Pod", ROOT, spec, name=name, labels=labels))
    injection.cluster.runs(name, ROOT, "10.77.0.98")


def second_revision(injection: Injection) -> None:
    """An istiod that nobody patched."""
    (container,) = injection.cluster.get("pod", "istiod-1", ROOT)["spec"]["containers"]
    another_istiod(injection, "istiod-canary", "canary", container["image"])
    mesh = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio-canary", "namespace": ROOT}}
    injection.add({**mesh, "data": {"mesh": "rootNamespace: istio-system\n"}})


def old_istiod(injection: Injection) -> None:
    """A second version of Istio, in the middle of an upgrade."""
    another_istiod(injection, "istiod-2", "default", "registry.istio.io/release/pilot:1.30.2")


def proxy(injection: Injection, name: str, node: str, *, sampling: int | None = None) -> None:
    """A Pod with a proxy, that started with some sampling."""
    config = f'{{"tracing": {{"sampling": {sampling}}}}}'
    environment = [{"name": "PROXY_CONFIG", "value": config}] if sampling is not None else []
    containers = [{"name": "app", "image": "none"}, {"name": "istio-proxy", "image": "none", "env": environment}]
    spec = {"nodeName": node, "serviceAccountName": "default", "automountServiceAccountToken": False, "containers": containers}  # fmt: skip
    labels = {"service.istio.io/canonical-name": name, "istio.io/rev": "default"}
    injection.add(made("v1", "Pod", "shop", spec, name=name, labels=labels))
    injection.cluster.runs(name, "shop", "10.77.0.97")


def injected(injection: Injection) -> None:
    """A proxy in front of the sensor."""
    sidecar = {"name": "istio-proxy", "image": "none", "restartPolicy": "Always"}
    injection.edit("Pod", "sensor", "groundcover", lambda found: found["spec"].update(initContainers=[sidecar]))


def injected_and_strict(injection: Injection) -> None:
    """And a policy by which that proxy refuses plaintext."""
    injected(injection)
    injection.add(
        made("security.istio.io/v1", "PeerAuthentication", "groundcover", {"mtls": {"mode": "STRICT"}}, name="default")
    )


def wrong_settings(injection: Injection) -> None:
    """An integration ConfigMap with a mistake."""
    labels = {"app.kubernetes.io/component": "istio-integration"}
    metadata = {"name": "wrong", "namespace": "groundcover", "labels": labels}
    injection.delete("ConfigMap", "groundcover-sensor-istio", "groundcover")
    injection.add({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"integration.yaml": "tracing: {protocol: x}"}})  # fmt: skip


def undeclared(injection: Injection) -> None:
    """OTLP over gRPC to a port that nothing declares as HTTP/2."""
    port(injection, 4317, None)
    provider(injection, GRPC)


def early(injection: Injection) -> None:
    """A proxy that samples by what was in the mesh config when it started."""
    without_telemetry(injection)
    proxy(injection, "early", NODE, sampling=50)


def unsampled(injection: Injection) -> None:
    """Datadog's tracer, told to sample nothing."""
    provider(injection, DATADOG)
    sampled(injection, 0)


def sampled(injection: Injection, percentage: float) -> None:
    """What the mesh-wide Telemetry says."""
    injection.edit("Telemetry", "groundcover-tracing", ROOT, lambda found: found["spec"]["tracing"][0].update(randomSamplingPercentage=percentage))  # fmt: skip


def other_there(injection: Injection) -> None:
    """A namespace's own tracer."""
    injection.mesh(lambda mesh: mesh["extensionProviders"].append(OTHER))
    telemetry(injection, "default", providers=[{"name": "other"}])


def in_memory(mesh: Mesh) -> dict[str, Any]:
    """The entry of our provider as istiod has it."""
    assert mesh.istiod
    return next(each for each in mesh.istiod.mesh()["extensionProviders"] if each["name"].lower().startswith(("otel", "datadog")))  # fmt: skip


def percent(mesh: Mesh) -> float:
    """The share of requests that Envoy samples."""
    return float(mesh.gateway.tracing()["random_sampling"].get("value", 0))


OTHER: Final[dict[str, Any]] = {"name": "other", "zipkin": {"service": "backend.default.svc.cluster.local", "port": BACKEND_PORT}}  # fmt: skip

FAULTS: Final[dict[str, Fault]] = {
    # ---- the mesh config as a whole
    "a list is a string": Fault(
        lambda i: i.mesh(lambda m: m["defaultProviders"].update(tracing="otel-tracing")),
        ("GCI001",), ("mesh-invalid",), ALL, kept=True),
    "the mesh config is no YAML": Fault(
        lambda i: i.edit("ConfigMap", "istio", ROOT, lambda c: c["data"].update(mesh="a: [")),
        ("GCI001",), ("mesh-invalid",), ALL, kept=True),
    "a provider has a field that Istio lacks": Fault(
        lambda i: provider(i, {"name": "datadog-tracing", "datadog": {"address": f"{HOST}:8126"}}),
        ("GCI002",), ("provider-wrong",) * 3, also=lambda m: in_memory(m)["datadog"] == {}, what="dropped in memory"),
    "the mesh config is gone": Fault(
        lambda i: i.delete("ConfigMap", "istio", ROOT), (), ("mesh-missing",), 0),
    # ---- the provider
    "the host has a port in it": Fault(lambda i: otlp(i, service=f"{HOST}:4318"), ("GCI003",), ("provider-wrong",)),
    "the host is a short name": Fault(
        lambda i: otlp(i, service="groundcover-sensor.groundcover"), ("GCI004",), ("provider-wrong",)),
    "OTLP without a port": Fault(lambda i: otlp(i, port=None), ("GCI005",), ("provider-wrong",)),
    "Zipkin without a port": Fault(
        lambda i: provider(i, {"name": "zipkin-tracing", "zipkin": {"service": HOST}}),
        ("GCI005",), ("provider-wrong",), ALL, rejected=True),
    "OTLP over HTTP without a timeout": Fault(
        lambda i: otlp(i, http={"path": "/v1/traces"}), ("GCI007",), ("provider-wrong",), ALL, rejected=True),
    "OTLP over HTTP without a path": Fault(
        lambda i: otlp(i, http={"timeout": "5s"}), ("GCI008",), ("provider-wrong",)),
    "two kinds in one provider": Fault(
        lambda i: i.mesh(lambda m: m["extensionProviders"][-1].update(envoyOtelAls={"service": HOST, "port": 4317})),
        ("GCI011",), ("provider-wrong",), also=lambda m: "opentelemetry" not in in_memory(m), what="the tracer is gone in memory"),
    "two providers of nearly one name": Fault(
        lambda i: i.mesh(lambda m: m["extensionProviders"].insert(0, {**ZIPKIN, "name": "OTEL-tracing", "zipkin": {"service": "none.example.com", "port": 1}})),
        ("GCI012",), None),
    # ---- activation
    "nothing names the provider": Fault(
        lambda i: without_telemetry(i, lambda m: m["defaultProviders"].pop("tracing")), ("GCI013",), ("not-active",)),
    "a Telemetry has a sampling and nobody names a provider": Fault(
        lambda i: i.mesh(lambda m: m["defaultProviders"].pop("tracing")), ("GCI036",), ("tracing-off",)),
    "the mesh config names a provider that is not there": Fault(
        lambda i: i.mesh(lambda m: m["defaultProviders"].update(tracing=["gone"])), ("GCI014",), ("tracer-undefined",)),
    "a Telemetry names a provider that is not there": Fault(
        lambda i: i.edit("Telemetry", "groundcover-tracing", ROOT, lambda t: t["spec"]["tracing"][0].update(providers=[{"name": "gone"}])),
        ("GCI014",), ("tracer-undefined",)),
    "two tracers are named": Fault(
        lambda i: i.mesh(lambda m: (m["extensionProviders"].append(SECOND), m["defaultProviders"]["tracing"].append("second"))),
        ("GCI015",), (), ALL, what="the second gets none", also=lambda m: "opentelemetry" in str(m.gateway.tracing()["provider"])),
    "another tracer is the default": Fault(
        lambda i: i.mesh(lambda m: (m["extensionProviders"].append(OTHER), m["defaultProviders"].update(tracing=["other"]))),
        (), ("other-tracer",)),
    # ---- sampling
    "the mesh config samples 200 %": Fault(
        lambda i: without_telemetry(i, lambda m: m["defaultConfig"]["tracing"].update(sampling=200)),
        ("GCI016",), ("sampling-range",), -1, also=lambda m: percent(m) == 1, what="Envoy samples 1 %"),
    "sampling in a place of no meaning": Fault(
        lambda i: without_telemetry(i, lambda m: (m["defaultConfig"].pop("tracing"), m["defaultConfig"].update(sampling=100))),
        ("GCI017",), None, -1, also=lambda m: percent(m) == 1, what="Envoy samples 1 %"),
    "datadog and 0 %": Fault(
        unsampled,         ("GCI019",), None, ALL, what="all are sent all the same"),
    "0 %": Fault(
        lambda i: sampled(i, 0),         ("GCI016",), ("sampling-zero",)),
    "100 %": Fault(lambda _: None, ("GCI020",), (), ALL, also=lambda m: percent(m) == 100, what="every request makes spans"),
    # ---- Telemetry
    "a second mesh-wide Telemetry": Fault(
        lambda i: telemetry(i, ROOT, randomSamplingPercentage=0), ("GCI021",), ("telemetry-ignored",), ALL, what="it is ignored"),
    "a selector in the root namespace": Fault(
        lambda i: telemetry(i, ROOT, {"app": "web"}, disableSpanReporting=True), ("GCI022",), None, ALL, what="it selects nothing elsewhere"),
    "a Telemetry of a namespace turns spans off": Fault(
        lambda i: telemetry(i, "default", disableSpanReporting=True), (), ("telemetry-off",)),
    "a Telemetry of a namespace names another tracer": Fault(
        other_there,         (), ("telemetry-other",)),
    # ---- the sensor's Service
    "the Service is gone": Fault(lambda i: i.delete("Service", SENSOR, "groundcover"), (), ("service-missing",)),
    "the Service lacks the port": Fault(
        lambda i: service(i, lambda s: s["spec"].update(ports=[{"name": "zipkin", "port": 9411}])), ("GCI006",), ("port-missing",)),
    "the Service lacks Zipkin's port": Fault(zipkin_alone, ("GCI006",), ("port-missing",), ALL, rejected=True),
    "gRPC to a port that is not declared": Fault(
        undeclared, ("GCI009",), ("port-http1",)),
    "HTTP/1.1 to a port declared as gRPC": Fault(lambda i: port(i, 4318, "grpc"), ("GCI010",), ("port-http2",)),
    "the Service is headless": Fault(
        lambda i: service(i, lambda s: s["spec"].update(clusterIP="None")), ("GCI029",), ("service-headless",), None),
    "the Service is an ExternalName": Fault(lambda i: service(i, external), ("GCI029",), ("service-external",)),
    "exportTo hides the Service": Fault(
        lambda i: service(i, lambda s: s["metadata"]["annotations"].update({"networking.istio.io/exportTo": "."})),
        ("GCI027",), ("export-to",)),
    "exportTo hides the Service from Zipkin": Fault(
        hidden_from_zipkin, ("GCI027",), ("export-to",), rejected=True),
    "istiod looks into other namespaces only": Fault(
        lambda i: i.mesh(lambda m: m.update(discoverySelectors=[{"matchLabels": {"mesh": "yes"}}])),
        (), ("service-hidden",), None),
    "no pod of the sensor is ready": Fault(lambda i: i.delete("EndpointSlice", SENSOR, "groundcover"), (), ("endpoints-none",)),
    "a node without a sensor": Fault(lambda i: proxy(i, "far", "node-2"), (), ("endpoints-nodes",), ALL),
    "TLS towards the sensor": Fault(tls, ("GCI028",), ("rule",)),
    "a proxy in front of the sensor": Fault(injected, (), ("sensor-injected",), ALL),
    "the sensor is in the ambient mesh": Fault(
        lambda i: i.edit("Pod", "sensor", "groundcover", lambda p: p["metadata"].update(annotations={"ambient.istio.io/redirection": "enabled"})),
        (), ("sensor-ambient",), ALL),
    "mutual TLS is asked of the sensor's proxy": Fault(injected_and_strict, (), ("authentication", "sensor-injected"), ALL),
    # ---- istiod and proxies
    "no istiod": Fault(lambda i: i.delete("Pod", "istiod-1", ROOT), (), ("istiod-none",), ALL),
    "istiod is not ready": Fault(lambda i: i.not_ready("istiod-1", ROOT), (), ("istiod-not-ready",), ALL),
    "two versions of istiod": Fault(old_istiod, (), ("istiod-versions",), ALL),
    "a revision that is not patched": Fault(second_revision, (), ("provider-missing", "tracing-off"), ALL),
    "the provider is gone": Fault(
        lambda i: without_telemetry(i, lambda m: (m.pop("extensionProviders"), m["defaultProviders"].pop("tracing"))),
        (), ("provider-missing",)),
    "a proxy that started with another sampling": Fault(
        early, (), ("proxies-old",), ALL),
    "the sensor's settings have a mistake": Fault(wrong_settings, (), ("settings-invalid",), ALL),
    "a Sidecar that leaves the sensor out": Fault(
        lambda i: i.add(made("networking.istio.io/v1", "Sidecar", "shop", {"egress": [{"hosts": ["./*"]}]}, name="default")),
        ("GCI026",), ("sidecar",), ALL),
}  # fmt: skip
