"""What can be wrong in a cluster: how to break a healthy one, and what doctor has to say then."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from .conftest import HOST, MESH, pod, release

if TYPE_CHECKING:
    from collections.abc import Callable

Fault = tuple["Callable[[Any], Any]", list[str]]
GRPC: Final[dict[str, Any]] = {"name": "otel-tracing", "opentelemetry": {"service": HOST, "port": 4317}}


def entry(cluster: Any, change: Callable[[Any], Any]) -> None:
    """Change our provider."""
    cluster.mesh(lambda mesh: change(mesh["extensionProviders"][0]))


def otlp(cluster: Any, **values: Any) -> Any:
    """Set fields of our provider; None takes one out."""

    def change(provider: Any) -> None:
        held = provider["opentelemetry"] | values
        provider["opentelemetry"] = {key: value for key, value in held.items() if value is not None}

    entry(cluster, change)


def provider(cluster: Any, value: Any) -> None:
    """Put another provider in the place of ours, and make it the tracer."""

    def change(mesh: Any) -> None:
        mesh["extensionProviders"] = [value]
        mesh["defaultProviders"]["tracing"] = [value["name"]]

    cluster.mesh(change)


def telemetry(cluster: Any, name: str, namespace: str = "istio-system", **rest: Any) -> Any:
    """Add a Telemetry."""
    created = rest.pop("created", "2026-02-01T00:00:00Z")
    return cluster.add("Telemetry", name, namespace, created=created, spec={"tracing": [rest]})


def two_telemetries(cluster: Any) -> None:
    """Two mesh-wide ones, of which the newer comes first by name."""
    telemetry(cluster, "a-newer", randomSamplingPercentage=50, created="2026-03-01T00:00:00Z")
    telemetry(cluster, "older", randomSamplingPercentage=5)


def without_activation(cluster: Any) -> Any:
    """A mesh config whose only tracer is one of the bootstrap."""
    cluster["secrets"].clear()
    for key in ("extensionProviders", "defaultProviders"):
        cluster.mesh(lambda mesh, key=key: mesh.pop(key))
    cluster.mesh(lambda mesh: mesh["defaultConfig"]["tracing"].update(zipkin={"address": "zipkin.istio-system:9411"}))


def jaeger(cluster: Any) -> Any:
    """Add a provider of another's."""
    other = {"name": "jaeger", "zipkin": {"service": "j.o.svc.cluster.local", "port": 9411}}
    cluster.mesh(lambda mesh: mesh["extensionProviders"].append(other))


def selecting(cluster: Any, namespace: str = "shop", labels: Any = None, **tracing: Any) -> Any:
    """Add a Telemetry for the workload web, or for others."""
    made = telemetry(cluster, "checkout", namespace, **tracing)
    made["spec"]["selector"] = {"matchLabels": labels or {"service.istio.io/canonical-name": "web"}}
    return made


def of_gateways(cluster: Any, kind: str) -> None:
    """A Telemetry that turns the spans of a gateway off, or of what waypoints see of a Service."""
    gateway = pod(cluster, "entry", "shop", "node-a")
    gateway["metadata"]["labels"]["gateway.networking.k8s.io/gateway-name"] = "entry"
    made = telemetry(cluster, "t", "shop", disableSpanReporting=True)
    made["spec"]["targetRefs"] = [{"kind": kind, "name": "entry"}]


def taken_back(cluster: Any) -> None:
    """A Telemetry of a namespace that turns spans off, and one for each of its workloads that turns them on again."""
    telemetry(cluster, "t", "shop", disableSpanReporting=True)
    for name in ("web", "cart"):
        selecting(cluster, labels={"service.istio.io/canonical-name": name}, disableSpanReporting=False)


def second_to_the_sensor(cluster: Any, **values: Any) -> None:
    """A namespace whose spans go to the sensor over another protocol."""
    other = {"name": "zipkin-tracing", "zipkin": {"service": HOST, "port": 9411, **values}}
    cluster.mesh(lambda mesh: mesh["extensionProviders"].append(other))
    telemetry(cluster, "t", "shop", providers=[{"name": "zipkin-tracing"}])


def export_to(cluster: Any, value: str) -> Any:
    """Say which namespaces see the sensor's Service."""
    annotations = cluster.one("services", "groundcover-sensor")["metadata"]["annotations"]
    annotations["networking.istio.io/exportTo"] = value
    return cluster


def sidecar(cluster: Any, *hosts: str, namespace: str = "shop") -> Any:
    """Add a Sidecar."""
    return cluster.add("Sidecar", "default", namespace, spec={"egress": [{"hosts": list(hosts)}]})


def selected(cluster: Any, workload: str) -> None:
    """A Sidecar that leaves the sensor out, for one workload."""
    sidecar(cluster, "./*")["spec"]["workloadSelector"] = {"labels": {"service.istio.io/canonical-name": workload}}


def below_its_own(cluster: Any) -> None:
    """A mesh-wide Sidecar that leaves the sensor out, and one of the only namespace with proxies."""
    sidecar(cluster, "./*", namespace="istio-system")
    sidecar(cluster, "*/*")


def of_a_gateway(cluster: Any) -> None:
    """A Sidecar that leaves the sensor out in a namespace with a gateway only."""
    pod(cluster, "entry", "edge", "node-a")["spec"]["containers"][1]["args"] = ["proxy", "router"]
    sidecar(cluster, "./*", namespace="edge")


def rule_for(cluster: Any, workload: str) -> None:
    """A DestinationRule with TLS for one workload."""
    made = rule(cluster, HOST, "ISTIO_MUTUAL", "shop")
    made["spec"]["workloadSelector"] = {"matchLabels": {"service.istio.io/canonical-name": workload}}


def rule(cluster: Any, host: str, mode: str, namespace: str = "istio-system") -> Any:
    """Add a DestinationRule."""
    return cluster.add(
        "DestinationRule", mode.lower(), namespace, spec={"host": host, "trafficPolicy": {"tls": {"mode": mode}}}
    )


def service(cluster: Any, **values: Any) -> Any:
    """Set fields of the sensor's Service."""
    return cluster.one("services", "groundcover-sensor")["spec"].update(values)


def port(cluster: Any, number: int, **values: Any) -> None:
    """Set fields of a port of it; None takes one out."""
    held = next(
        each for each in cluster.one("services", "groundcover-sensor")["spec"]["ports"] if each["port"] == number
    )
    held.update(values)
    for key in [key for key, value in values.items() if value is None]:
        del held[key]


def injected(cluster: Any) -> None:
    """Give the sensor a proxy."""
    for each in cluster["pods"]:
        if each["metadata"]["namespace"] == "groundcover":
            each["spec"]["initContainers"] = [{"name": "istio-proxy", "restartPolicy": "Always"}]


def quiet(cluster: Any, **tracing: Any) -> None:
    """Give the sensor a proxy, and its namespace a Telemetry that keeps it from reporting."""
    injected(cluster)
    telemetry(cluster, "quiet", "groundcover", disableSpanReporting=True, **tracing)


def strict_over_injected(cluster: Any) -> None:
    """A proxy, and a policy that refuses plaintext."""
    injected(cluster)
    cluster.add("PeerAuthentication", "default", "groundcover", spec={"mtls": {"mode": "STRICT"}})


def without_proxy_config(cluster: Any, changed: str) -> None:
    """Proxies that do not show their configuration, and a mesh config that was changed at a time."""
    for name in ("web", "cart"):
        del cluster.one("pods", name)["spec"]["containers"][1]["env"]
    if changed:
        cluster.one("configmaps", "istio")["metadata"]["managedFields"] = [
            {"manager": "helm", "time": changed, "fieldsV1": {"f:data": {"f:mesh": {}}}},
            {"manager": "other", "time": "2027-01-01T00:00:00Z", "fieldsV1": {"f:metadata": {}}},
        ]


def early(cluster: Any) -> Any:
    """Proxies of a Deployment and of a StatefulSet that sample by an older mesh config."""
    for name, kind, owner in (("early-1", "ReplicaSet", "early-6d4cf56db6"), ("db-0", "StatefulSet", "db")):
        made = pod(cluster, name, "bank", "node-a", sampling=50)
        made["metadata"]["ownerReferences"] = [{"kind": kind, "name": owner}]


def lost(cluster: Any, description: str = "Upgrade complete") -> None:
    """An upgrade without the flag: neither the record nor the cluster has the provider now."""
    plain = {key: value for key, value in MESH.items() if key in ("rootNamespace", "defaultConfig")}
    release(cluster, 3, "deployed", plain, description)
    cluster.one("secrets", "sh.helm.release.v1.istiod.v2")["metadata"]["labels"]["status"] = "superseded"
    cluster.mesh(lambda mesh: [mesh.pop(key) for key in ("extensionProviders", "defaultProviders")])


def patched_by_hand(cluster: Any) -> None:
    """The cluster has what no record of Helm's has."""
    cluster["secrets"].clear()
    release(cluster, 1, "deployed", {"rootNamespace": "istio-system"})


def unreadable_release(cluster: Any) -> None:
    """A record that is none."""
    cluster.one("secrets", "sh.helm.release.v1.istiod.v2")["data"]["release"] = "aHVudGVyMg=="


def canary(cluster: Any) -> None:
    """A second revision, whose mesh config was not patched."""
    made = copy.deepcopy(cluster.one("pods", "istiod-1"))
    made["metadata"]["name"] = "istiod-canary"
    made["metadata"]["labels"]["istio.io/rev"] = "canary"
    cluster["pods"].append(made)
    made = copy.deepcopy(cluster.one("configmaps", "istio"))
    made["metadata"]["name"] = "istio-canary"
    cluster["configmaps"].append(made)
    cluster.mesh(lambda mesh: [mesh.pop(key) for key in ("extensionProviders", "defaultProviders")], "istio-canary")


def shared(cluster: Any) -> Any:
    """Everything in a shared mesh config: nothing is wrong."""
    mesh = cluster.one("configmaps", "istio")["data"]["mesh"]
    cluster.add("ConfigMap", "groundcover-mesh", "istio-system", data={"mesh": mesh})
    cluster.mesh(lambda mesh: [mesh.pop(key) for key in ("extensionProviders", "defaultConfig")])
    cluster.mesh(lambda mesh: mesh["defaultProviders"].pop("tracing"))
    env = [{"name": "SHARED_MESH_CONFIG", "value": each} for each in ("before", "groundcover-mesh")]
    cluster.one("pods", "istiod-1")["spec"]["containers"][0]["env"] = env
    cluster["secrets"].clear()


def snake_case(cluster: Any) -> None:
    """Fields that istiod reads in either spelling, in the cluster and in Helm's record: nothing is wrong."""
    spelt = {
        "root_namespace": "istio-system",
        "extension_providers": [
            {"name": "otel-tracing", "opentelemetry": {**GRPC["opentelemetry"], "max_tag_length": 9}}
        ],
        "enable_tracing": True,
    }
    rest = {key: MESH[key] for key in ("defaultProviders", "defaultConfig")}
    cluster.mesh(lambda mesh: (mesh.clear(), mesh.update({**rest, **spelt})))
    cluster["secrets"].clear()
    release(cluster, 1, "deployed", {**rest, **spelt})


def invalid_settings(cluster: Any) -> None:
    """An integration ConfigMap with a mistake."""
    labels = {"app.kubernetes.io/component": "istio-integration"}
    cluster.add(
        "ConfigMap", "gc-istio", "groundcover", labels=labels, data={"integration.yaml": "tracing: {protocol: x}"}
    )


def settings(cluster: Any) -> None:
    """An integration ConfigMap that names another Service, which the provider is aimed at."""
    labels = {"app.kubernetes.io/component": "istio-integration"}
    text = "service: {name: gc-sensor, namespace: groundcover}"
    cluster.add("ConfigMap", "gc-istio", "groundcover", labels=labels, data={"integration.yaml": text})
    cluster.one("services", "groundcover-sensor")["metadata"]["name"] = "gc-sensor"
    cluster["endpointslices"][0]["metadata"]["labels"]["kubernetes.io/service-name"] = "gc-sensor"
    otlp(cluster, service=HOST.replace("groundcover-sensor", "gc-sensor"))
    cluster["secrets"].clear()


def discovers(cluster: Any, *selectors: Any) -> None:
    """Let istiod look into some namespaces only."""
    cluster.mesh(lambda mesh: mesh.update(discoverySelectors=list(selectors)))


def no_endpoint_on(cluster: Any, node: str) -> Any:
    """The sensor's pod of a node is not ready."""
    for each in cluster["endpointslices"][0]["endpoints"]:
        each["conditions"]["ready"] = each["nodeName"] != node
    return cluster


def of_domain(cluster: Any, domain: str, *arguments: str) -> None:
    """Tell istiod the cluster's DNS domain, and let our provider send to a host of one."""
    cluster.one("pods", "istiod-1")["spec"]["containers"][0]["args"] = ["discovery", *arguments, "--log_as_json"]
    otlp(cluster, service=HOST.replace("cluster.local", domain))


def second_version(cluster: Any) -> None:
    """A pod of istiod in the middle of an upgrade."""
    made = copy.deepcopy(cluster.one("pods", "istiod-1"))
    made["metadata"]["name"] = "istiod-2"
    made["spec"]["containers"][0]["image"] = "gcr.io/istio/pilot:1.30.2-distroless@sha256:abc"
    cluster["pods"].append(made)


def of_version(cluster: Any, version: str) -> Any:
    """Another version of Istio."""
    cluster.one("pods", "istiod-1")["spec"]["containers"][0]["image"] = f"docker.io/istio/pilot:{version}"


def legacy_service(cluster: Any) -> None:
    """The gRPC port is not declared, and the provider sends gRPC."""
    provider(cluster, GRPC)
    port(cluster, 4317, appProtocol=None)


def by_a_tag(cluster: Any) -> None:
    """Pods that name a tag; the injector says the revision behind it in an annotation."""
    for each in cluster["pods"]:
        if each["metadata"]["namespace"] == "shop":
            each["metadata"]["labels"]["istio.io/rev"] = "prod"
            each["metadata"]["annotations"] = {"istio.io/rev": "default"}
    sidecar(cluster, "./*", "istio-system/*")


def zipkin_sidecar(cluster: Any) -> None:
    """The combination that makes Envoy reject listeners."""
    provider(cluster, {"name": "zipkin-tracing", "zipkin": {"service": HOST, "port": 9411}})
    sidecar(cluster, "./*", "istio-system/*")


WRONG: Final = ["fail provider-wrong"]
FAULTS: Final[dict[str, Fault]] = {
    "healthy": (lambda _: None, []),
    "healthy-shared": (shared, []),
    "healthy-snake-case": (snake_case, []),
    "not-active-by-snake-case": (
        lambda c: c.mesh(lambda m: m.update(default_providers=m.pop("defaultProviders"))), ["fail not-active"]),
    "healthy-settings": (settings, []),
    "healthy-grpc": (lambda c: provider(c, GRPC), []),
    "healthy-telemetry": (lambda c: telemetry(c, "groundcover-tracing", randomSamplingPercentage=5), []),
    "healthy-sidecars": (lambda c: (sidecar(c, "./*", "groundcover/*"), c.add("Sidecar", "a", "b", spec={})), []),
    "healthy-rule-of-the-port": (
        lambda c: rule(c, HOST, "ISTIO_MUTUAL")["spec"]["trafficPolicy"].update(
            portLevelSettings=[{"port": {"number": 4318}, "connectionPool": {}}]), []),
    "healthy-rule-overridden": (lambda c: (rule(c, "*.local", "ISTIO_MUTUAL"), rule(c, HOST, "DISABLE")), []),
    "healthy-strict-without-proxy": (
        lambda c: c.add("PeerAuthentication", "default", "istio-system", spec={"mtls": {"mode": "STRICT"}}), []),
    "healthy-reporting-off-at-the-sensor": (lambda c: telemetry(c, "no-loop", "groundcover", disableSpanReporting=True), []),
    "healthy-cluster-policy": (
        lambda c: (service(c, internalTrafficPolicy="Cluster"), no_endpoint_on(c, "node-b")), []),
    "istiod-none": (lambda c: c["pods"].remove(c.one("pods", "istiod-1")), ["fail istiod-none"]),
    "istiod-not-ready": (lambda c: c.one("pods", "istiod-1")["status"].pop("conditions"), ["fail istiod-not-ready"]),
    "istiod-versions": (second_version, ["warn istiod-versions"]),
    "mesh-missing": (lambda c: c["configmaps"].clear(), ["fail mesh-missing"]),
    "mesh-no-yaml": (lambda c: c.one("configmaps", "istio")["data"].update(mesh="a: ["), ["fail mesh-invalid"]),
    "mesh-no-text": (lambda c: c.one("configmaps", "istio").update(data={}), ["fail mesh-invalid"]),
    "mesh-tracing-a-string": (
        lambda c: c.mesh(lambda m: m["defaultProviders"].update(tracing="otel-tracing")), ["fail mesh-invalid"]),
    "mesh-provider-a-string": (
        lambda c: c.mesh(lambda m: m["extensionProviders"].append("x")), ["fail mesh-invalid"]),
    "mesh-a-text-for-a-switch": (lambda c: c.mesh(lambda m: m.update(enablePrometheusMerge="yes")), ["fail mesh-invalid"]),
    "mesh-a-number-for-a-name": (
        lambda c: c.mesh(lambda m: m["defaultProviders"].update(accessLogging=[1])), ["fail mesh-invalid"]),
    "mesh-a-placeholder-that-nothing-fills-in": (
        lambda c: c.mesh(lambda m: m.update(extensionProviders="${PROVIDERS}")), ["fail mesh-invalid"]),
    "mesh-an-address-that-is-a-url": (
        lambda c: c.mesh(lambda m: m["defaultConfig"]["tracing"].update(zipkin={"address": "http://zipkin:9411"})),
        ["fail mesh-invalid"]),
    "mesh-wrong-in-two-places": (
        lambda c: c.mesh(lambda m: m.update(enableTracing="on", trustDomainAliases="old.example")), ["fail mesh-invalid"] * 2),
    "mesh-shared-is-wrong": (
        lambda c: (shared(c), c.mesh(lambda m: m.update(enableTracing="on"), "groundcover-mesh")), ["fail mesh-invalid"]),
    "healthy-beside-an-entry-that-is-null": (
        lambda c: (shared(c), c.mesh(lambda m: m.update(extensionProviders=[None]))), []),
    "settings-invalid": (invalid_settings, ["fail settings-invalid"]),
    "provider-missing": (lambda c: (c.mesh(lambda m: m.pop("extensionProviders")), c["secrets"].clear()), ["fail provider-missing"]),
    "not-active-by-a-chart-with-a-label": (
        lambda c: (c.one("pods", "istiod-1")["metadata"]["labels"].update({"helm.sh/chart": "istiod-1.30.9"}),
                   c.mesh(lambda m: m["defaultProviders"].pop("tracing"))), ["fail not-active"]),
    "not-active-by-a-chart-of-unknown-version": (
        lambda c: (c.one("pods", "istiod-1")["spec"]["containers"][0].update(image="mirror/istio/pilot:1.31"),
                   c.mesh(lambda m: m["defaultProviders"].pop("tracing"))), ["fail not-active"]),
    "revision-not-patched": (canary, ["fail provider-missing"]),
    "provider-host-and-port": (lambda c: otlp(c, service=f"{HOST}:4318"), WRONG),
    "provider-short-host": (lambda c: otlp(c, service="groundcover-sensor.groundcover"), WRONG),
    "provider-host-with-a-full-stop": (lambda c: otlp(c, service=f"{HOST}."), WRONG),
    "provider-host-in-upper-case": (lambda c: otlp(c, service=f"groundcover/G{HOST[1:]}"), WRONG),
    "provider-address": (
        lambda c: provider(c, {"name": "datadog-tracing", "datadog": {"address": f"{HOST}:8126"}}),
        ["fail provider-wrong"] * 3),
    "provider-domain": (
        lambda c: of_domain(c, "cluster.local", "--domain", "corp.example"), ["fail provider-domain"]),
    "provider-domain-of-another": (lambda c: of_domain(c, "corp.example"), ["fail provider-domain"]),
    "healthy-domain": (lambda c: of_domain(c, "corp.example", "--domain=corp.example"), []),
    "healthy-domain-by-a-variable": (lambda c: of_domain(c, "corp.example", "--domain", "$(DOMAIN)"), []),
    "provider-no-timeout": (lambda c: otlp(c, http={"path": "/v1/traces"}), WRONG),
    "provider-no-path": (lambda c: otlp(c, http={"timeout": "5s"}), WRONG),
    "provider-an-exporter-over-http-that-says-nothing": (lambda c: otlp(c, http={}), WRONG * 2),
    "provider-with-the-root-for-a-path": (lambda c: otlp(c, http={"path": "/", "timeout": "5s"}), WRONG),
    "provider-field-that-no-istio-has": (lambda c: otlp(c, http={"path": "/v1/traces", "timeout": "5s", "retries": 1}), WRONG),
    "provider-field-that-a-newer-istio-may-have": (
        lambda c: (otlp(c, retries=1), of_version(c, "1.99.0")), []),
    "provider-field-of-a-newer-istio": (
        lambda c: (otlp(c, serviceAttributeEnrichment="OTEL_SEMANTIC_CONVENTIONS"), of_version(c, "1.29.1")), WRONG),
    "provider-that-is-a-url": (lambda c: otlp(c, service=f"http://{HOST}"), WRONG),
    "provider-with-port-0": (
        lambda c: provider(c, {"name": "zipkin-tracing", "zipkin": {"service": HOST, "port": 0}}),
        ["fail provider-wrong", "fail port-missing"]),
    "provider-without-a-port": (lambda c: otlp(c, port=None), WRONG),
    "provider-two-kinds-in-another-order": (
        lambda c: entry(c, lambda e: e.update(zipkin={"service": HOST, "port": 9411})), WRONG),
    "provider-two-kinds": (lambda c: entry(c, lambda e: e.update(envoyOtelAls={"service": HOST, "port": 4317})), WRONG),
    "provider-old-istio": (lambda c: of_version(c, "1.21.6"), WRONG),
    "not-active": (lambda c: c.mesh(lambda m: m["defaultProviders"].pop("tracing")), ["fail not-active"]),
    "other-tracer": (
        lambda c: c.mesh(lambda m: (m["extensionProviders"].append({"name": "jaeger", "zipkin": {"service": "j.o.svc.cluster.local", "port": 9411}}),
                                    m["defaultProviders"].update(tracing=["jaeger"]))), ["fail other-tracer"]),
    "tracer-undefined": (lambda c: c.mesh(lambda m: m["defaultProviders"].update(tracing=["gone"])), ["fail tracer-undefined"]),
    "tracer-undefined-by-telemetry": (lambda c: telemetry(c, "t", providers=[{"name": "gone"}]), ["fail tracer-undefined"]),
    "sampling-zero": (lambda c: telemetry(c, "t", randomSamplingPercentage=0), ["fail sampling-zero"]),
    "sampling-range": (
        lambda c: (c.mesh(lambda m: m["defaultConfig"]["tracing"].update(sampling=200)),
                   [c["pods"].remove(c.one("pods", each)) for each in ("web", "cart")]), ["warn sampling-range"]),
    "sampling-below-zero": (
        lambda c: (c.mesh(lambda m: m["defaultConfig"]["tracing"].update(sampling=-5)),
                   [c["pods"].remove(c.one("pods", each)) for each in ("web", "cart")]), ["fail sampling-range"]),
    "sampling-below-zero-beside-a-telemetry": (
        lambda c: (c.mesh(lambda m: m["defaultConfig"]["tracing"].update(sampling=-5)),
                   telemetry(c, "t", randomSamplingPercentage=5)), ["warn sampling-range"]),
    "sampling-above-all-by-a-telemetry": (
        lambda c: telemetry(c, "t", randomSamplingPercentage=200), ["fail sampling-range"]),
    "sampling-of-no-number-by-a-telemetry": (
        lambda c: telemetry(c, "t", randomSamplingPercentage="all"), ["fail sampling-range"]),
    "sampling-datadog": (
        lambda c: provider(c, {"name": "datadog-tracing", "datadog": {"service": HOST, "port": 8126}}), ["warn sampling-datadog"]),
    "service-hidden": (lambda c: discovers(c, {"matchLabels": {"mesh": "yes"}}), ["fail service-hidden"]),
    "service-hidden-by-expressions": (
        lambda c: discovers(c, {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["groundcover"]}]}),
        ["fail service-hidden"]),
    "healthy-discovered": (
        lambda c: discovers(c, {"matchLabels": {"mesh": "yes"}},
                            {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "Exists"}]}), []),
    "service-missing": (lambda c: c["services"].clear(), ["fail service-missing"]),
    "service-external": (lambda c: service(c, type="ExternalName"), ["fail service-external"]),
    "service-headless": (lambda c: service(c, clusterIP="None"), ["fail service-headless"]),
    "port-missing": (lambda c: service(c, ports=[{"name": "zipkin", "port": 9411}]), ["fail port-missing"]),
    "port-http1": (legacy_service, ["fail port-http1"]),
    "port-http2": (lambda c: port(c, 4318, appProtocol="grpc"), ["fail port-http2"]),
    "export-to": (
        lambda c: c.one("services", "groundcover-sensor")["metadata"]["annotations"].update({"networking.istio.io/exportTo": "."}),
        ["fail export-to"]),
    "export-to-by-default": (lambda c: c.mesh(lambda m: m.update(defaultServiceExportTo=["."])), ["fail export-to"]),
    "endpoints-none": (lambda c: c["endpointslices"].clear(), ["fail endpoints-none"]),
    "endpoints-of-other-ports": (lambda c: c["endpointslices"][0].update(ports=[{"name": "zipkin"}]), ["fail endpoints-none"]),
    "endpoints-nodes": (lambda c: no_endpoint_on(c, "node-b"), ["fail endpoints-nodes"]),
    "telemetry-ignored": (two_telemetries, ["fail telemetry-ignored"]),
    "telemetry-ignored-in-a-namespace": (
        lambda c: [telemetry(c, name, "shop", randomSamplingPercentage=5) for name in ("a", "b")], ["warn telemetry-ignored"]),
    "telemetry-off": (lambda c: telemetry(c, "t", disableSpanReporting=True), ["fail telemetry-off"]),
    "telemetry-off-in-a-namespace": (lambda c: telemetry(c, "t", "shop", disableSpanReporting=True), ["warn telemetry-off"]),
    "telemetry-off-for-servers": (
        lambda c: telemetry(c, "t", match={"mode": "SERVER"}, disableSpanReporting=True), ["fail telemetry-off"]),
    "telemetry-off-for-servers-in-a-namespace": (
        lambda c: telemetry(c, "t", "shop", match={"mode": "SERVER"}, disableSpanReporting=True), ["warn telemetry-off"]),
    "telemetry-other-for-servers": (
        lambda c: telemetry(c, "t", "shop", match={"mode": "SERVER"}, providers=[{"name": "jaeger"}]),
        ["warn telemetry-other"]),
    "other-tracer-for-servers": (
        lambda c: (jaeger(c), telemetry(c, "t", match={"mode": "SERVER"}, providers=[{"name": "jaeger"}])),
        ["fail other-tracer"]),
    "other-tracer-for-clients": (
        lambda c: (jaeger(c), telemetry(c, "t", match={"mode": "CLIENT"}, providers=[{"name": "jaeger"}])),
        ["fail other-tracer"]),
    "tracer-undefined-for-servers": (
        lambda c: telemetry(c, "t", match={"mode": "SERVER"}, providers=[{"name": "gone"}]), ["fail tracer-undefined"]),
    "sampling-zero-for-servers": (
        lambda c: telemetry(c, "t", match={"mode": "SERVER"}, randomSamplingPercentage=0), ["fail sampling-zero"]),
    "tracing-off": (
        lambda c: (c.mesh(lambda m: m["defaultProviders"].pop("tracing")), telemetry(c, "t", randomSamplingPercentage=5)),
        ["fail tracing-off"]),
    "tracing-off-for-servers": (
        lambda c: (c.mesh(lambda m: m["defaultProviders"].pop("tracing")),
                   telemetry(c, "t", match={"mode": "CLIENT"}, providers=[{"name": "OTEL-tracing"}])),
        ["fail tracing-off"]),
    "tracing-off-with-a-tracer-of-the-bootstrap": (
        lambda c: (without_activation(c), telemetry(c, "t", randomSamplingPercentage=5)),
        ["fail provider-missing", "fail tracing-off"]),
    "proxies-old-to-servers": (
        lambda c: (early(c), telemetry(c, "t", match={"mode": "CLIENT"}, randomSamplingPercentage=1)), ["warn proxies-old"]),
    "telemetry-other": (lambda c: telemetry(c, "t", "shop", providers=[{"name": "jaeger"}]), ["warn telemetry-other"]),
    "telemetry-off-for-a-workload": (lambda c: selecting(c, disableSpanReporting=True), ["warn telemetry-off"]),
    "telemetry-off-for-a-workload-of-the-root-namespace": (
        lambda c: (pod(c, "edge", "istio-system", "node-a"),
                   selecting(c, "istio-system", {"service.istio.io/canonical-name": "edge"}, disableSpanReporting=True)),
        ["warn telemetry-off"]),
    "telemetry-off-before-there-are-proxies": (
        lambda c: ([c["pods"].remove(c.one("pods", each)) for each in ("web", "cart")], selecting(c, disableSpanReporting=True)),
        ["warn telemetry-off"]),
    "telemetry-off-for-a-gateway": (lambda c: of_gateways(c, "Gateway"), ["warn telemetry-off"]),
    "telemetry-off-for-a-service": (lambda c: of_gateways(c, "Service"), ["warn telemetry-off"]),
    "healthy-telemetry-that-selects-nothing": (
        lambda c: selecting(c, labels={"app": "gone"}, disableSpanReporting=True), []),
    "healthy-reporting-on-again": (taken_back, []),
    "telemetry-other-for-a-workload": (
        lambda c: (jaeger(c), selecting(c, providers=[{"name": "jaeger"}])), ["warn telemetry-other"]),
    "healthy-second-provider-of-the-sensor": (second_to_the_sensor, []),
    "second-provider-with-a-short-host": (lambda c: second_to_the_sensor(c, service="groundcover-sensor.groundcover"), WRONG),
    "second-provider-with-another-port": (lambda c: second_to_the_sensor(c, port=9412), ["fail port-missing"]),
    "telemetry-unsampled": (lambda c: telemetry(c, "t", "shop", randomSamplingPercentage=0), ["warn telemetry-unsampled"]),
    "telemetry-unsampled-for-a-workload": (
        lambda c: selecting(c, match={"mode": "SERVER"}, randomSamplingPercentage=0.009), ["warn telemetry-unsampled"]),
    "sampling-too-little": (lambda c: telemetry(c, "t", randomSamplingPercentage=0.0099), ["fail sampling-zero"]),
    "healthy-least-sampling": (lambda c: telemetry(c, "t", randomSamplingPercentage=0.01), []),
    "healthy-export-to-all-there-are": (lambda c: export_to(c, "shop,istio-system"), []),
    "export-to-some": (
        lambda c: (pod(c, "teller", "bank", "node-a"), export_to(c, "., shop")), ["fail export-to"]),
    "export-to-nobody": (lambda c: export_to(c, "shop,~"), ["fail export-to"]),
    "export-to-before-there-are-proxies": (
        lambda c: ([c["pods"].remove(c.one("pods", each)) for each in ("web", "cart")], export_to(c, "shop")),
        ["fail export-to"]),
    "healthy-sidecar-of-nobody": (lambda c: sidecar(c, "./*", namespace="empty"), []),
    "healthy-sidecar-that-selects-nothing": (lambda c: selected(c, "gone"), []),
    "sidecar-of-a-workload": (lambda c: selected(c, "web"), ["fail sidecar"]),
    "healthy-sidecar-of-the-namespace": (below_its_own, []),
    "healthy-sidecar-beside-a-gateway": (of_a_gateway, []),
    "healthy-rule-that-selects-nothing": (lambda c: rule_for(c, "gone"), []),
    "rule-of-a-workload": (lambda c: rule_for(c, "web"), ["fail rule"]),
    "healthy-rule-of-nobody": (lambda c: rule(c, HOST, "SIMPLE", "empty"), []),
    "healthy-injected-and-silent": (quiet, []),
    "sensor-injected-and-silent-to-servers": (lambda c: quiet(c, match={"mode": "SERVER"}), ["fail sensor-injected"]),
    "sidecar": (lambda c: sidecar(c, "./*", "istio-system/*"), ["fail sidecar"]),
    "sidecar-of-pods-by-a-tag": (by_a_tag, ["fail sidecar"]),
    "sidecar-of-the-mesh": (lambda c: sidecar(c, "./*", namespace="istio-system"), ["fail sidecar"]),
    "sidecar-without-namespaces": (lambda c: sidecar(c, "*", "groundcover-sensor.groundcover.svc.cluster.local"), ["fail sidecar"]),
    "sidecar-in-upper-case": (lambda c: sidecar(c, f"groundcover/{HOST.upper()}"), ["fail sidecar"]),
    "sidecar-zipkin": (zipkin_sidecar, ["fail sidecar"]),
    "rule-for-all": (lambda c: rule(c, "*.local", "ISTIO_MUTUAL"), ["fail rule"]),
    "rule-of-a-namespace": (lambda c: (rule(c, "*.local", "SIMPLE", "shop"), rule(c, HOST, "DISABLE")), ["fail rule"]),
    "rule-of-the-sensors-namespace": (
        lambda c: (rule(c, "*.local", "ISTIO_MUTUAL", "groundcover"), rule(c, HOST, "DISABLE")), ["fail rule"]),
    "rule-short-host": (lambda c: rule(c, "groundcover-sensor", "ISTIO_MUTUAL", "groundcover"), ["fail rule"]),
    "sensor-injected": (injected, ["fail sensor-injected"]),
    "sensor-ambient": (
        lambda c: c.one("pods", "sensor-node-a")["metadata"]["annotations"].update({"ambient.istio.io/redirection": "enabled"}),
        ["warn sensor-ambient"]),
    "authentication": (strict_over_injected, ["fail sensor-injected", "warn authentication"]),
    "proxies-old": (early, ["warn proxies-old"]),
    "proxies-old-by-time": (lambda c: without_proxy_config(c, "2026-06-01T00:00:00Z"), ["warn proxies-old"]),
    "healthy-proxies-by-time": (lambda c: without_proxy_config(c, "2025-06-01T00:00:00Z"), []),
    "proxies-untold": (lambda c: without_proxy_config(c, ""), ["warn proxies-untold"]),
    "release-lost": (lost, ["fail provider-missing", "fail release-lost"]),
    "release-rolled-back": (lambda c: lost(c, "Rollback to 1"), ["fail provider-missing", "fail release-rolled-back"]),
    "release-differs": (patched_by_hand, ["warn release-differs"]),
    "release-unread": (unreadable_release, ["unknown release-unread"]),
}  # fmt: skip
# Tested by what can't be read, and by objects that no API server would give.
UNTOUCHED: Final = {"unread", "unreachable", "malformed"}
