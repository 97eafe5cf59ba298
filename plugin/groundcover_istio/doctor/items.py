"""What doctor can say: one sentence for each finding, what it causes and how it is mended."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Status = Literal["ok", "fail", "warn", "unknown"]


class Tools(NamedTuple):
    """How the programs that mend a cluster are called, with what makes them speak to this one."""

    kubectl: str = "kubectl"
    helm: str = "helm"


HERE: Final = Tools()
"""For the current context."""


class Item(NamedTuple):
    """One line of the checklist; `code` is what programs may rely on."""

    code: str
    status: Status
    values: dict[str, str]
    tools: Tools = HERE

    @property
    def text(self) -> str:
        """What was found."""
        return SENTENCES[self.code].found.format(**self.values)

    @property
    def causes(self) -> str:
        """What that causes."""
        return SENTENCES[self.code].causes.format(**self.values)

    @property
    def fix(self) -> str:
        """How to mend it."""
        sentence = SENTENCES[self.code].fix
        if "{chart}" in sentence and self.values.get("chart") == UNKNOWN_CHART:
            sentence += "\n" + _AS_LISTED
        return sentence.format(**self.values, **self.tools._asdict())


class Sentence(NamedTuple):
    """The words for a code."""

    found: str
    causes: str = ""
    fix: str = ""


def ok(code: str, **values: object) -> Item:
    """All is well."""
    return _item(code, "ok", values)


def fail(code: str, **values: object) -> Item:
    """Spans do not arrive, or something worse."""
    return _item(code, "fail", values)


def warn(code: str, **values: object) -> Item:
    """Works, perhaps not as meant."""
    return _item(code, "warn", values)


def unknown(code: str, **values: object) -> Item:
    """It can't be told."""
    return _item(code, "unknown", values)


def _item(code: str, status: Status, values: dict[str, object]) -> Item:
    return Item(code, status, {key: _printable(str(value)) for key, value in values.items()})


def _printable(text: str) -> str:
    """Text without what could steer a terminal: it may come from anyone who can write to the cluster."""
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)


# Without --version Helm takes the newest chart there is, and Istio is upgraded with it.
_FLAGS: Final = "-n {namespace} --version {chart} --reuse-values --post-renderer groundcover-istio"
_RENDER: Final = "{helm} upgrade istiod istio/istiod " + _FLAGS
UNKNOWN_CHART: Final = "VERSION"
"""In the place of a chart's version that nothing says."""
_AS_LISTED: Final = "(VERSION: that of the chart, as {helm} list -n {namespace} shows it)"
_EXPORT: Final = "or, without post-renderer: groundcover-istio export istiod-values"

SENTENCES: Final = {
    "unread": Sentence("could not read {what}: {reason}", fix="{fix}"),
    "unreachable": Sentence(
        "could not read the cluster: {reason}", "nothing of it is judged", "{kubectl} cluster-info"
    ),
    "malformed": Sentence(
        "could not judge {what}: an object is not as Kubernetes writes it",
        "what depends on it is not in this list",
        "read the objects anew; if they are right, please report this",
    ),
    "settings": Sentence("{where} holds the settings: {protocol} to {service}"),
    "settings-invalid": Sentence(
        "{message}",
        "the defaults are assumed instead",
        "{helm} upgrade the sensor's release with settings that are valid",
    ),
    # --- control plane ---
    "istiod": Sentence("istiod {version}, revision {revision}: {ready} of {pods} ready in {namespace}"),
    "istiod-none": Sentence(
        "no pod of istiod runs in this cluster",
        "what the mesh is told can't be judged here",
        "look at the cluster that runs the control plane: --context NAME",
    ),
    "istiod-not-ready": Sentence(
        "istiod {version}, revision {revision}: none of {pods} is ready in {namespace}",
        "changes reach no proxy, and new proxies do not start",
        "{kubectl} -n {namespace} describe pods -l app=istiod",
    ),
    "istiod-versions": Sentence(
        "revision {revision} runs istiod {versions} side by side",
        "proxies get what either of them makes of the mesh config",
        "{kubectl} -n {namespace} rollout status deployment -l app=istiod",
    ),
    # --- mesh config ---
    "mesh-missing": Sentence(
        "{mesh} is not there",
        "istiod runs on its built-in defaults, without tracing",
        _RENDER,
    ),
    "mesh-invalid": Sentence(
        "{mesh}: {problem}",
        "istiod discards such a mesh config whole: it keeps the last one, and after a restart runs on its defaults",
        "mend it, then " + _RENDER,
    ),
    "provider-missing": Sentence(
        "{mesh}: no extension provider sends to the sensor ({service})",
        "no span is sent to it",
        _RENDER + "\n" + _EXPORT,
    ),
    "provider": Sentence("{mesh}: provider {provider} ({kind}) sends to {host}:{port}"),
    "provider-wrong": Sentence("{mesh}: provider {provider}: {problem}", "{causes}", _RENDER + "\n" + _EXPORT),
    "provider-domain": Sentence(
        "{mesh}: provider {provider} sends to {host}, and the domain of the cluster is {domain} (istiod's --domain)",
        "istiod finds no such host: tracing is off",
        _RENDER + " --post-renderer-args --cluster-domain={domain}\n" + _EXPORT + " --cluster-domain {domain}",
    ),
    "active": Sentence("{mesh}: {provider} is the tracer{side}, by {by}"),
    "not-active": Sentence(
        "{mesh}: provider {provider} is defined, and nothing activates it{side}",
        "no span is sent{side}",
        _RENDER + "\n" + _EXPORT,
    ),
    "other-tracer": Sentence(
        "{mesh}: {by} makes {other} the tracer{side}, which does not send to the sensor",
        "the sensor gets no span{side}",
        "name {provider} there, or set tracing.replaceDefaultProvider to true and render again",
    ),
    "tracer-undefined": Sentence(
        "{mesh}: {by} names the tracer {other}{side}, which extensionProviders does not have",
        "tracing is off{side} for every proxy of the revision",
        "define it, or name one that is defined",
    ),
    "tracing-off": Sentence(
        "{mesh}: Telemetry {telemetry} is about tracing, and nothing names a tracer{side}: neither its providers"
        " nor defaultProviders.tracing",
        "tracing is off{side} for every proxy of the revision; a tracer in defaultConfig.tracing does not count then",
        _RENDER + "\nor name {provider}, once it is defined, in tracing[0].providers of that Telemetry",
    ),
    "sampling": Sentence("{mesh}: {percentage} % of {requests} are sampled, by {by}; {stored}"),
    "sampling-zero": Sentence(
        "{mesh}: {percentage} % of {requests} are sampled, by {by}",
        "a trace starts only where a caller asked for one; Envoy takes less than 0.01 % for 0",
        "set tracing.samplingPercentage and render again",
    ),
    "sampling-range": Sentence(
        "{where}: {field} is {found}, {wrong}",
        "{causes}",
        "write a number from 0 to 100",
    ),
    "sampling-datadog": Sentence(
        "{mesh}: {percentage} % of {requests} are sampled, by {by}, and the tracer is datadog",
        "Envoy's Datadog tracer sends every span all the same, marked as sampled or not",
        "use otlp-http or otlp-grpc where that traffic matters: --protocol otlp-http",
    ),
    # --- where spans go ---
    "service": Sentence("Service {service} has port {port} ({name}) for {kind}"),
    "service-missing": Sentence(
        "no Service {service}, which provider {provider} sends to",
        "istiod finds no such host: tracing is off",
        "install the sensor, or name its Service: --service NAME.NAMESPACE",
    ),
    "service-hidden": Sentence(
        "{mesh}: discoverySelectors leave out namespace {namespace}, where Service {service} is",
        "istiod finds no such host: tracing is off",
        "give the namespace a label that one of the selectors matches",
    ),
    "service-external": Sentence(
        "Service {service} is of type ExternalName",
        "it has no endpoints that a proxy could send spans to",
        "send to the Service that it points to: --service NAME.NAMESPACE",
    ),
    "service-headless": Sentence(
        "Service {service} is headless (clusterIP: None)",
        "sidecars keep no endpoints of such a Service: spans are lost",
        "give it a cluster IP, as the sensor's own Service has",
    ),
    "port-missing": Sentence(
        "Service {service} has no port {port}, which provider {provider} sends to; it has {ports}",
        "{causes}",
        "turn the sensor's receiver on, or send to a port that is there (--protocol)",
    ),
    "port-http1": Sentence(
        "port {port} ({name}) of Service {service} is not declared as gRPC",
        "Envoy speaks HTTP/1.1 to it: spans are refused, and still counted as sent",
        "set `appProtocol: grpc` on the port",
    ),
    "port-http2": Sentence(
        "port {port} ({name}) of Service {service} is declared as HTTP/2, and {kind} is HTTP/1.1",
        "Envoy speaks HTTP/2 to a server that may not: spans are refused",
        "name the port otherwise, or set `appProtocol: http` on it",
    ),
    "endpoints": Sentence("Service {service} has {count} for port {port}{nodes}"),
    "endpoints-none": Sentence(
        "Service {service} has no ready endpoint for port {port}",
        "every span is lost",
        "{kubectl} -n {namespace} get pods; {kubectl} -n {namespace} describe service {name}",
    ),
    "endpoints-nodes": Sentence(
        "no ready endpoint of Service {service} on nodes that run proxies: {nodes}",
        "with internalTrafficPolicy Local the spans of {proxies} there are lost",
        "let the sensor run there (tolerations, node selector), or set its Service's internalTrafficPolicy to Cluster",
    ),
    "export-to": Sentence(
        "{by} keeps Service {service} from {namespaces} ({value})", "{causes}", "export it to all: exportTo `*`"
    ),
    # --- in the way ---
    "telemetry": Sentence("{mesh}: the mesh-wide Telemetry is {telemetry}"),
    "telemetry-none": Sentence("{mesh}: no mesh-wide Telemetry; the mesh config alone counts"),
    "telemetry-ignored": Sentence(
        "Telemetry {ignored} has no effect: {telemetry} is older",
        "of several without a selector in one namespace Istio uses the oldest only",
        "say in {telemetry} what {ignored} says, and delete {ignored}",
    ),
    "telemetry-off": Sentence(
        "Telemetry {telemetry} sets disableSpanReporting{side}",
        "{scope} send no spans{side}",
        "take disableSpanReporting out",
    ),
    "telemetry-unsampled": Sentence(
        "Telemetry {telemetry} lets {scope} start no trace{side}",
        "spans are sent there only where a caller asked for a trace; Envoy takes less than 0.01 % for 0",
        "take its randomSamplingPercentage out, or set one from 0.01 to 100",
    ),
    "telemetry-other": Sentence(
        "Telemetry {telemetry} sends the spans of {scope}{side} to {other}",
        "the sensor gets none of them",
        "name {provider} in its tracing[0].providers, or take providers out",
    ),
    "sidecars": Sentence("no Sidecar keeps proxies from {host}"),
    "sidecar": Sentence(
        "Sidecar {sidecar}: egress does not let proxies of {scope} reach {host}",
        "{causes}",
        "add to its egress hosts: {namespace}/{host}",
    ),
    "rules": Sentence("no DestinationRule changes how proxies reach {host}"),
    "rule": Sentence(
        "DestinationRule {rule} (host {pattern}) sets tls.mode {mode}, and the sensor has no proxy",
        "every export fails in the TLS handshake",
        "add a DestinationRule for {host} with trafficPolicy.tls.mode DISABLE",
    ),
    "authentications": Sentence("no PeerAuthentication keeps spans from the sensor"),
    "authentication": Sentence(
        "PeerAuthentication {authentication} is STRICT, and pods of the sensor have a proxy",
        "spans that are sent in plaintext, as by gateways of other meshes and legacy tracers, are refused",
        "keep the proxy out of the sensor, or make port {port} PERMISSIVE in portLevelMtls",
    ),
    "sensor": Sentence("the sensor has {count}, none with a proxy of its own"),
    "sensor-injected": Sentence(
        "pods of the sensor have a proxy of their own: {pods}",
        "each export is traced and makes another export: a loop without end",
        'label them sidecar.istio.io/inject: "false", and restart them',
    ),
    "sensor-silent": Sentence("the sensor has {count} with a proxy, which a Telemetry keeps from reporting spans"),
    "sensor-ambient": Sentence(
        "pods of the sensor are in the ambient mesh: {pods}",
        "spans take a way through ztunnel, and a policy may refuse them",
        "label them istio.io/dataplane-mode: none",
    ),
    # --- proxies ---
    "proxies": Sentence("{mesh}: {count}, none runs with an older sampling"),
    "proxies-live": Sentence("{mesh}: sampling is the Telemetry's, so no proxy needs a restart ({count})"),
    "proxies-old": Sentence(
        "{mesh}: {count} started before sampling was changed: {pods}",
        "they go on sampling as before",
        "{restart}",
    ),
    "proxies-untold": Sentence(
        "could not tell whether proxies ({count}) started before sampling was changed ({mesh})",
        "those that did go on sampling as before",
        "restart them once, or let a Telemetry set the sampling: groundcover-istio export telemetry",
    ),
    # --- Helm ---
    "release": Sentence("release {release}, revision {revision}: its manifest has the provider"),
    "release-lost": Sentence(
        "release {release}: revision {revision} lost the provider that revision {before} had",
        "an upgrade ran without --post-renderer, which Helm does not remember",
        "{helm} upgrade {name} … " + _FLAGS,
    ),
    "release-rolled-back": Sentence(
        "release {release}: revision {revision} lost the provider that revision {before} had",
        "a rollback took an older manifest back; Helm runs no post-renderer over it",
        "{helm} upgrade {name} … " + _FLAGS,
    ),
    "release-differs": Sentence(
        "release {release}, revision {revision}: its manifest has no provider for the sensor, the cluster has",
        "the next helm upgrade may take it away",
        "{helm} upgrade {name} … " + _FLAGS,
    ),
    "release-unread": Sentence("could not read release {release}: {reason}"),
}
