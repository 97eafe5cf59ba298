"""Settings: from layers, those of files and of the stream's own ConfigMap among them, to one valid value.

Each source is a `Layer`: a part of the integration document (schema/integration.schema.json) and
the words for where it came from. Layers are checked one by one, so that a message names the
source, then laid over each other, the strongest last.
"""

from __future__ import annotations

from groundcover_istio import istio, k8syaml
from groundcover_istio.errors import ManifestError, SettingsError, plain
from groundcover_istio.model import (
    DEFAULT_SERVICE,
    AccessLogs,
    Data,
    Grpc,
    Http,
    Service,
    Settings,
    Tracing,
    Zipkin,
)
from groundcover_istio.records import NamedTuple
from groundcover_istio.validation import listed, problems

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

INTEGRATION_KEY: Final = "integration.yaml"
INTEGRATION_LABEL: Final = ("app.kubernetes.io/component", "istio-integration")

DEFAULTS: Final[dict[str, Data]] = {
    "enabled": True,
    "rootNamespace": "istio-system",
    "istioVersion": "",
    "clusterDomain": "",
    "service": {
        "name": DEFAULT_SERVICE,
        "namespace": "groundcover",
        "ports": {"otlpHttp": 4318, "otlpGrpc": 4317, "datadog": 8126, "zipkin": 9411},
    },
    "meshConfig": {"mode": "patch"},
    "sensor": {"samplingRatio": {"otel": 0.05, "datadog": 0.05}},
    "tracing": {
        "enabled": True,
        "protocol": "otlp-http",
        "providerName": "",
        "activation": "auto",
        "replaceDefaultProvider": False,
        "samplingPercentage": 1,
        "customTags": {},
        "maxTagLength": None,
        "http": {"path": "/v1/traces", "timeout": "5s", "headers": []},
        "grpc": {"timeout": "", "initialMetadata": []},
        "zipkin": {"path": "", "timeout": "", "headers": [], "enable64bitTraceId": False, "traceContextOption": ""},
    },
    "accessLogs": {
        "enabled": False,
        "providerName": "groundcover-access-logs",
        "logName": "",
        "logFormat": {},
        "keepFileLog": True,
    },
}

# Names of the vendor's page, so that what a user pasted from it is recognised.
PROVIDER_NAMES: Final = {
    "otlp-http": "otel-tracing",
    "otlp-grpc": "otel-tracing",
    "datadog": "datadog-tracing",
    "zipkin": "zipkin-tracing",
}

# Names of Istio's own providers: an entry of one of them takes its place (pkg/config/mesh/mesh.go, ApplyMeshConfig).
_BUILT_IN: Final = ("prometheus", "stackdriver", "envoy")

# What the chart's values always have beside `istio`, and the integration document never.
_CHART_VALUES: Final = frozenset(("clusterId", "ingestion"))

# Keys whose value is data, not further settings: a layer that gives one replaces it whole.
_WHOLE: Final = frozenset(("customTags", "logFormat"))


class Layer(NamedTuple):
    """Settings from one source."""

    where: str
    data: dict[str, Data]


def parsed(text: str, where: str) -> Data:
    """The data of a text that is one YAML document, None where it is empty; raises SettingsError for anything else."""
    try:
        documents = k8syaml.load(text)
    except ManifestError as error:
        raise SettingsError(error.message, where=where) from error
    if len(documents) > 1:
        raise SettingsError(f"holds {len(documents)} YAML documents, one is accepted", where=where)
    return documents[0] if documents else None


def layer_from_file(text: str, where: str) -> Layer:
    """The layer of a `--config` file: an integration document, a chart values file with an `istio`
    section, its own or a subchart's, or rendered manifests that hold the integration ConfigMap.

    Raises SettingsError when it is none of these, and for an empty file, which `helm get manifest` of a release that is
    not there leaves.
    """
    try:
        documents = k8syaml.load(text)
    except ManifestError as error:
        raise SettingsError(error.message, where=f"{where}, {error.where}" if error.where else where) from error
    found = [document for document in documents if isinstance(document, dict)]
    resources = [item for document in found for item in resources_of(document)]
    carried = [item for item in resources if is_integration(item)]
    if carried:
        return integration_layer(carried, where)
    if not resources and len(found) == 1:
        return Layer(where, _settings_in(found[0], where))
    raise SettingsError(
        "holds no settings" if found else "is empty",
        where=where,
        hint="give an integration document, a values file with an `istio:` section,\n"
        "or a manifest with the integration ConfigMap: helm get manifest groundcover -n groundcover",
    )


def _settings_in(document: dict[str, Data], where: str) -> dict[str, Data]:
    """The integration document that a mapping is, or has in an `istio` section: its own, or that of one subchart."""
    own = [document] if isinstance(document.get("istio"), dict) else []
    holders = own or [
        each for each in document.values() if isinstance(each, dict) and isinstance(each.get("istio"), dict)
    ]
    if len(holders) > 1:
        raise SettingsError(
            "several subcharts have an `istio:` section", where=where, hint="give a file with the sensor's values alone"
        )
    if not holders and _CHART_VALUES & document.keys():
        raise SettingsError(
            "has no `istio:` section, so it says nothing that differs from the defaults",
            where=where,
            hint="leave --config out, or give the manifest of the sensor's release, which has all of its settings",
        )
    return _with_service(holders[0]) if holders else document


def _with_service(values: dict[str, Data]) -> dict[str, Data]:
    """The `istio` section of the sensor's values, and the Service that these make where it names none.

    The chart names the Service after the release, unless it is told a name (chart/templates/_helpers.tpl).
    """
    section: dict[str, Data] = values["istio"]
    service = section.get("service") or {}
    said = {"name": values.get("fullnameOverride"), "namespace": values.get("namespaceOverride")}
    if not isinstance(service, dict) or not any(said.values()):
        return section
    return {**section, "service": {**{key: value for key, value in said.items() if value}, **service}}


def resources_of(document: Data) -> list[dict[str, Data]]:
    """The Kubernetes objects in a document: itself, or the items of a List; none where it is no object."""
    if not isinstance(document, dict) or "kind" not in document or "apiVersion" not in document:
        return []
    if str(document["kind"]).endswith("List") and isinstance(document.get("items"), list):
        return [resource for item in document["items"] for resource in resources_of(item)]
    return [document]


def is_integration(resource: dict[str, Data]) -> bool:
    """Whether an object is the integration ConfigMap: by its label and its key."""
    metadata, data = resource.get("metadata"), resource.get("data")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    key, value = INTEGRATION_LABEL
    return (
        resource.get("kind") == "ConfigMap"
        and isinstance(labels, dict)
        and labels.get(key) == value
        and isinstance(data, dict)
        and INTEGRATION_KEY in data
    )


def integration_layer(resources: list[dict[str, Data]], where: str) -> Layer:
    """The layer of the integration ConfigMaps in a stream.

    Raises ManifestError when there are several that differ.
    """
    texts = {str(resource["data"][INTEGRATION_KEY]) for resource in resources}
    name = f"ConfigMap {plain(str(resources[0]['metadata'].get('name', '')))}"
    where = f"{where}, {name}, {INTEGRATION_KEY}" if where else f"{name}, {INTEGRATION_KEY}"
    if len(texts) > 1:
        names = ", ".join(sorted(plain(str(resource["metadata"].get("name"))) for resource in resources))
        raise ManifestError(
            f"several integration ConfigMaps that differ: {names}",
            hint="one mesh sends to one sensor: set istio.enabled=false in the others, or render them apart",
        )
    data = parsed(texts.pop(), where)
    if not isinstance(data, dict):
        raise SettingsError("is not a mapping", where=where)
    return Layer(where, data)


def layer_from_function(resource_list: dict[str, Data]) -> Layer:
    """The layer of a KRM function's functionConfig: the integration document as its `spec`, or as
    `integration.yaml` in its `data`; {} where there is none.

    Raises SettingsError where it is neither.
    """
    function = resource_list.get("functionConfig")
    if function is None:
        return Layer("functionConfig", {})
    data = function.get("data") if isinstance(function, dict) else None
    if isinstance(data, dict) and INTEGRATION_KEY in data:
        found, where = parsed(str(data[INTEGRATION_KEY]), f"functionConfig, {INTEGRATION_KEY}"), INTEGRATION_KEY
    else:
        found, where = (function.get("spec") if isinstance(function, dict) else function), "spec"
    if found is not None and not isinstance(found, dict):
        raise SettingsError(f"{where} is not a mapping", where="functionConfig")
    return Layer("functionConfig", found or {})


def resolve(layers: Iterable[Layer]) -> Settings:
    """The settings that `layers`, the weakest first, make over the defaults.

    Raises SettingsError with every problem of the first layer that is invalid, and for settings
    that contradict each other.
    """
    merged: dict[str, Data] = DEFAULTS
    for layer in layers:
        found = problems("integration", layer.data)
        if found:
            raise SettingsError("invalid settings\n  " + listed(found), where=layer.where)
        merged = _over(merged, layer.data)
    settings = _settings(merged)
    _refuse_contradictions(settings)
    return settings


def _over(below: dict[str, Data], above: dict[str, Data]) -> dict[str, Data]:
    merged = dict(below)
    for key, value in above.items():
        old = below.get(key)
        if isinstance(old, dict) and isinstance(value, dict) and key not in _WHOLE:
            merged[key] = _over(old, value)
        else:
            merged[key] = value
    return merged


def _settings(data: dict[str, Data]) -> Settings:
    tracing, logs, service = data["tracing"], data["accessLogs"], data["service"]
    zipkin = tracing["zipkin"]
    return Settings(
        enabled=data["enabled"],
        root_namespace=data["rootNamespace"],
        istio_version=istio.parse_version(data["istioVersion"]),
        cluster_domain=data["clusterDomain"],
        service=Service(service["name"], service["namespace"], service["ports"]),
        mode=data["meshConfig"]["mode"],
        sampling_ratio=data["sensor"]["samplingRatio"],
        tracing=Tracing(
            enabled=tracing["enabled"],
            protocol=tracing["protocol"],
            provider_name=tracing["providerName"] or PROVIDER_NAMES[tracing["protocol"]],
            activation=tracing["activation"],
            replace_default_provider=tracing["replaceDefaultProvider"],
            sampling_percentage=tracing["samplingPercentage"],
            custom_tags=tracing["customTags"],
            max_tag_length=tracing["maxTagLength"],
            http=Http(**tracing["http"]),
            grpc=Grpc(tracing["grpc"]["timeout"], tracing["grpc"]["initialMetadata"]),
            zipkin=Zipkin(
                zipkin["path"],
                zipkin["timeout"],
                zipkin["headers"],
                zipkin["enable64bitTraceId"],
                zipkin["traceContextOption"],
            ),
        ),
        access_logs=AccessLogs(
            logs["enabled"], logs["providerName"], logs["logName"], logs["logFormat"], logs["keepFileLog"]
        ),
    )


def _refuse_contradictions(settings: Settings) -> None:
    tracing, logs = settings.tracing, settings.access_logs
    for number in (tracing.sampling_percentage, *settings.sampling_ratio.values()):
        if number is not None and number != number:  # noqa: PLR0124  true of .nan alone, which no schema refuses
            raise SettingsError("a percentage or ratio is .nan, which is no number")
    if 0 < (tracing.sampling_percentage or 0) < istio.LEAST_SAMPLING:
        raise SettingsError(
            f"tracing.samplingPercentage is {tracing.sampling_percentage:g}, of which Envoy makes 0",
            hint=f"Envoy counts in {istio.LEAST_SAMPLING} %: give 0, or {istio.LEAST_SAMPLING} at least",
        )
    for key, part in (("tracing", tracing), ("accessLogs", logs)):
        if part.enabled and part.provider_name.lower() in _BUILT_IN:
            raise SettingsError(
                f'{key}.providerName is "{part.provider_name}", which is Istio\'s own and would be replaced',
                hint=f"set {key}.providerName to a name that is not {', '.join(_BUILT_IN)}",
            )
    if logs.enabled and tracing.enabled and logs.provider_name.lower() == tracing.provider_name.lower():
        raise SettingsError(
            f'tracing.providerName and accessLogs.providerName are both "{logs.provider_name}"',
            hint="one entry of extensionProviders holds one kind: give them different names",
        )
    if not tracing.enabled or tracing.activation != "mesh":
        return
    if tracing.custom_tags:
        raise SettingsError(
            'tracing.customTags needs a Telemetry, which tracing.activation "mesh" does not write',
            hint='set tracing.activation to "auto" or "telemetry"',
        )
    if tracing.sampling_percentage == 0:
        raise SettingsError(
            'tracing.samplingPercentage 0 can\'t be said in a mesh config, where Istio takes 0 for "unset"',
            hint='set tracing.activation to "auto" or "telemetry", or tracing.enabled to false',
        )
