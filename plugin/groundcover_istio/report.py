"""What a run did, for people and for programs."""

from __future__ import annotations

from groundcover_istio.errors import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from groundcover_istio.model import Data, Decision, Outcome, Sampling

# One sentence for each code; the codes themselves are what programs and tests may rely on.
SENTENCES: Final = {
    "disabled": "the integration is switched off (enabled: false); nothing was changed",
    "nothing-here": "neither a mesh config nor the groundcover sensor is in this stream; nothing was changed",
    "unchanged": "already says what it has to say",
    "domain-differs": "the host of the sensor ends in {domain}, and istiod is told the cluster domain {told}: unless a"
    " ServiceEntry has that host, istiod does not know it and tracing is off; set clusterDomain to {told}",
    "domain-assumed": "the cluster domain is taken to be {domain}, since istiod's release is not in this stream;"
    " where it is another one set clusterDomain",
    "service-headless": "is headless (clusterIP: None): a sidecar has no endpoint to send spans to, unless istiod has"
    " PILOT_ENABLE_EDS_FOR_HEADLESS_SERVICES; give the Service an address",
    "port-declared-http2": "port {port} is declared as gRPC or HTTP/2, which Envoy then speaks to it; where the"
    " receiver knows HTTP/1.1 alone no span arrives: set appProtocol: http on the port",
    "provider-added": "extension provider {provider} added, to {target}",
    "provider-repaired": "extension provider {provider} mended, now to {target}: {wrong}",
    "other-provider": "extension provider {provider} is aimed at the sensor too and left as it is;"
    " to have it kept right, set tracing.protocol to its kind or tracing.providerName to its name",
    "tracing-enabled": "enableTracing is true",
    "tracer-activated": "{provider} is the default tracing provider; live, no restart",
    "tracer-replaced": "{provider} is the default tracing provider instead of {old}; live, no restart",
    "not-activated": "{provider} is defined, and nothing uses it (activation: none) until a Telemetry names it",
    "sampling-set": "proxies sample {percentage} % of requests; pods take it over when they start anew",
    "sampling-replaced": "proxies sample {percentage} % of requests instead of {old}; pods take it over when they start"
    " anew (tracing.samplingPercentage: null would leave the mesh's own)",
    "sampling-zero": "sampling 0 is not written here, where it would mean unset; the Telemetry says it that comes with"
    " the sensor's release",
    "legacy-tracer-left": "defaultConfig.tracing.{tracer}, a legacy tracer, is left; the provider counts before it",
    "defaults-kept": "defaultProviders.{kind}: [{names}] is written beside it, which the chart would leave out then",
    "profile-covered": "profile demo brings extensionProviders of its own (otel, skywalking, otel-tracing, jaeger), and"
    " this list takes their place; add those that you use",
    "version-assumed": "Istio is taken to be {version}, since nothing in this stream says its version; where it is"
    " older set istioVersion",
    "mesh-config-discarded": "{path} is {found}, not {wanted}: istiod discards the whole mesh config for it, keeps the"
    " one before, and runs on its defaults after a restart; nothing that it says holds until it is mended",
    "mesh-config-discarded-more": "of {count} more values the same holds; `groundcover-istio check` names them all",
    "access-log-activated": "{provider} is a default access log provider; live, no restart",
    "shared-added": "added with the sensor: istiod merges it below its own mesh config",
    "shared-namespace-assumed": "is put into {namespace}, the root namespace; istiod looks for it in its own namespace"
    " alone: where that is another one, copy it there",
    "shared-named": "SHARED_MESH_CONFIG names groundcover-mesh; istiod starts anew",
    "shared-not-named": "istiod's Deployment is not in this stream, so nothing names groundcover-mesh to it",
    "telemetry-added": "added, mesh-wide; what it says is live",
    "telemetry-version-assumed": "is for Istio {version}, since nothing in this stream says its version; before 1.22 a"
    " cluster knows no telemetry.istio.io/v1: set istioVersion there",
    "telemetry-before-mesh": "its sampling counts at once for any tracer that the mesh has; one that"
    " defaultConfig.tracing alone sets up stops until istiod's release is upgraded with the post-renderer too",
    "telemetry-ignored": "is mesh-wide too and comes behind {first}; Istio uses only the oldest one, which is taken to"
    " be the first here: keep one of them",
    "custom-tags-elsewhere": "customTags are not written here: a Telemetry says them, which comes with the sensor's"
    " release, and never with activation none",
    "file-log-assumed": "names Istio's envoy too, since no mesh config here says whether proxies write an access log:"
    " those that wrote none write one to standard output then (accessLogs.keepFileLog: false leaves it out)",
    "logs-before-mesh": "its access log providers take the place of those that defaultProviders.accessLogging of a"
    " mesh config names, and of enableEnvoyAccessLogService; no mesh config is here to say whether there are some",
    "file-log-moved": "accessLogFile is {path}, and counts no more once a provider is named: Istio's envoy, named in"
    " its place, writes to standard output; to keep the file, define an envoyFileAccessLog and name that",
    "file-log-stopped": "accessLogFile is {path}, and counts no more once a provider is named",
    "log-service-stopped": "enableEnvoyAccessLogService counts no more once a provider is named: Envoy's access log"
    " service gets none; to keep it, define an envoyHttpAls or envoyTcpAls and name that",
    "default-tracer-displaced": "{old}, the default tracing provider, gets no spans while the Telemetry names"
    " {provider}",
    "custom-tags-displaced": "customTags of the settings take the place of those in defaultConfig.tracing; left out of"
    " every span: {tags}; give them to tracing.customTags too",
    "custom-tags-before-mesh": "its customTags take the place of those that a mesh config's defaultConfig or a Pod's"
    " annotation sets",
    "telemetry-merged": "brought up to the settings, since Istio uses only the oldest mesh-wide Telemetry",
    "telemetry-kept": "keeps its own {fields}, which count before the settings",
    "telemetry-without-spans": "says disableSpanReporting: true: no span is sent until that is removed there",
    "telemetry-elsewhere": "names the tracing provider {provider}, which counts before the mesh config's: spans go"
    " there; remove it, or name the sensor's there",
    "telemetry-with-mesh": "no Telemetry is added here: with activation telemetry it belongs to the release"
    " of the mesh config that defines the provider",
}

# Characters of a value in a sentence: one lists what is wrong with a provider.
_LONGEST: Final = 1000


def sentence(decision: Decision) -> str:
    """A decision in words."""
    return SENTENCES[decision.code].format(**shown(decision))


def shown(decision: Decision) -> dict[str, str]:
    """The values of a decision as a sentence holds them."""
    return {key: plain(value, _LONGEST) for key, value in decision.values.items()}


def text_report(outcome: Outcome) -> str:
    """The decisions and the effective sampling, a line each."""
    sampling = "effective sampling: " + sampling_text(outcome.sampling) + "\n" if outcome.sampling else ""
    return decisions_text(outcome) + sampling


def decisions_text(outcome: Outcome) -> str:
    """The decisions, a line each."""
    warnings = {"warning": "warning: ", "info": ""}
    return "".join(f"{warnings[each.severity]}{_subject(each)}{sentence(each)}\n" for each in outcome.decisions)


def _subject(decision: Decision) -> str:
    return f"{decision.resource}: " if decision.resource else ""


def sampling_text(sampling: Sampling) -> str:
    """What share of requests ends up stored, in percent."""
    ratio = f"the sensor keeps {sampling.sensor_ratio * 100:g} %"
    if sampling.istio_percentage is None:
        return f"the mesh's own percentage x {ratio} of what it receives"
    stored = sampling.istio_percentage * sampling.sensor_ratio
    often = f" (1 request in {round(100 / stored):,})" if stored else ""
    text = f"Istio {sampling.istio_percentage:g} % x {ratio} = {stored:.6g} % of requests stored{often}"
    if sampling.protocol == "datadog":
        text += "; Envoy's Datadog tracer sends every span all the same, marked as sampled or not"
    return text


ACTIVATIONS: Final = {
    "default": "as the default tracer",
    "telemetry": "where a Telemetry names it",
    "none": "once a Telemetry names it; until then nothing is sent",
}


def effect_text(outcome: Outcome) -> str:
    """What the mesh does once the manifests are applied, a line each; empty where no mesh config is among them."""
    lines = [
        f"{each.resource}: spans go to {each.target} through {each.tracer}, {ACTIVATIONS[each.activation]}"
        for each in outcome.effects
    ]
    restarts = {restart for each in outcome.effects for restart in each.restarts}
    if outcome.effects:
        lines.append("live, without a restart: the provider, the default tracer, and the Telemetry with its percentage")
    if "istiod" in restarts:
        lines.append("restart: istiod starts anew to read the shared mesh config; the release does that")
    if "pods" in restarts:
        lines.append(
            "restart: a pod takes the mesh config's sampling over when it starts anew; no need with the Telemetry"
        )
    if outcome.sampling:
        lines.append("effective sampling: " + sampling_text(outcome.sampling))
    return "".join(line + "\n" for line in lines)


def json_report(outcome: Outcome) -> str:
    """The same as JSON: changed, decisions by code, the mesh's doings, sampling."""
    return _json(report_data(outcome))


def json_diff(outcome: Outcome, difference: str) -> str:
    """The JSON report with the difference in it."""
    return _json({**report_data(outcome), "diff": difference})


def _json(data: dict[str, Data]) -> str:
    import json  # noqa: PLC0415  5 ms, and seldom asked for

    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def report_data(outcome: Outcome) -> dict[str, Data]:
    """What the JSON reports hold."""
    decisions = [
        {
            "code": each.code,
            "severity": each.severity,
            "resource": each.resource,
            "values": each.values,
            "message": sentence(each),
        }
        for each in outcome.decisions
    ]
    sampling = None
    if outcome.sampling:
        percentage = outcome.sampling.istio_percentage
        sampling = {
            "protocol": outcome.sampling.protocol,
            "istioPercentage": percentage,
            "sensorRatio": outcome.sampling.sensor_ratio,
            "storedPercentage": None if percentage is None else round(percentage * outcome.sampling.sensor_ratio, 9),
        }
    mesh = [{**each._asdict(), "restarts": list(each.restarts)} for each in outcome.effects]
    return {"changed": outcome.after != outcome.before, "decisions": decisions, "mesh": mesh, "sampling": sampling}


FORMATS: Final[dict[str, Callable[[Outcome], str]]] = {"text": text_report, "json": json_report}
