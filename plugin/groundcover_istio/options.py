"""Every setting as an option of the command line and as a variable of the environment: texts → `Layer`."""

from __future__ import annotations

from groundcover_istio import k8syaml
from groundcover_istio.config import PROVIDER_NAMES, Layer, parsed
from groundcover_istio.errors import ENVIRONMENT_PREFIX, UsageError
from groundcover_istio.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final, Literal

    from groundcover_istio.model import Data


class Option(NamedTuple):
    """A setting as flag and variable: both are named after its key."""

    flag: str
    path: tuple[str, ...]
    kind: Literal["text", "number", "integer", "boolean", "json"]
    help: str
    choices: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        """The environment variable's name."""
        return ENVIRONMENT_PREFIX + self.flag.upper().replace("-", "_")


OPTIONS: Final = (
    Option("enabled", ("enabled",), "boolean", "false lets every stream pass unchanged"),
    Option(
        "root-namespace", ("rootNamespace",), "text", "root namespace of the mesh, where the stream does not say it"
    ),
    Option("istio-version", ("istioVersion",), "text", "as 1.24: decides which fields may be written"),
    Option("cluster-domain", ("clusterDomain",), "text", "DNS domain of the cluster, where the stream does not say it"),
    Option("service", ("service",), "text", "the sensor's Service"),
    Option("otlp-http-port", ("service", "ports", "otlpHttp"), "integer", "port of the Service for OTLP/HTTP"),
    Option("otlp-grpc-port", ("service", "ports", "otlpGrpc"), "integer", "port of the Service for OTLP/gRPC"),
    Option("datadog-port", ("service", "ports", "datadog"), "integer", "port of the Service for Datadog traces"),
    Option("zipkin-port", ("service", "ports", "zipkin"), "integer", "port of the Service for Zipkin spans"),
    Option("mesh-config-mode", ("meshConfig", "mode"), "text", "how the mesh config is carried", ("patch", "shared")),
    Option(
        "otel-sampling-ratio", ("sensor", "samplingRatio", "otel"), "number", "the sensor's own ratio, only reported"
    ),
    Option(
        "datadog-sampling-ratio",
        ("sensor", "samplingRatio", "datadog"),
        "number",
        "the sensor's own ratio, only reported",
    ),
    Option("tracing", ("tracing", "enabled"), "boolean", "send spans"),
    Option("protocol", ("tracing", "protocol"), "text", "how spans are sent", tuple(PROVIDER_NAMES)),
    Option("provider-name", ("tracing", "providerName"), "text", "name of the extension provider"),
    Option(
        "activation",
        ("tracing", "activation"),
        "text",
        "what turns the provider on",
        ("auto", "mesh", "telemetry", "none"),
    ),
    Option(
        "replace-default-provider",
        ("tracing", "replaceDefaultProvider"),
        "boolean",
        "replace another tracer in defaultProviders.tracing instead of refusing",
    ),
    Option(
        "sampling-percentage",
        ("tracing", "samplingPercentage"),
        "number",
        "percent of requests, 0 to 100, or null",
    ),
    Option("custom-tags", ("tracing", "customTags"), "json", "tags for every span, as Telemetry spells them, in JSON"),
    Option("max-tag-length", ("tracing", "maxTagLength"), "integer", "longest request path tag, in characters"),
    Option("http-path", ("tracing", "http", "path"), "text", "request path of otlp-http"),
    Option("http-timeout", ("tracing", "http", "timeout"), "text", "timeout of otlp-http, as 5s"),
    Option("http-headers", ("tracing", "http", "headers"), "json", "headers of otlp-http, as JSON"),
    Option("grpc-timeout", ("tracing", "grpc", "timeout"), "text", "timeout of otlp-grpc, as 5s"),
    Option("grpc-initial-metadata", ("tracing", "grpc", "initialMetadata"), "json", "metadata of otlp-grpc, as JSON"),
    Option("zipkin-path", ("tracing", "zipkin", "path"), "text", "request path of zipkin"),
    Option("zipkin-timeout", ("tracing", "zipkin", "timeout"), "text", "timeout of zipkin, as 5s"),
    Option("zipkin-headers", ("tracing", "zipkin", "headers"), "json", "headers of zipkin, as JSON"),
    Option(
        "enable-64bit-trace-id", ("tracing", "zipkin", "enable64bitTraceId"), "boolean", "64-bit trace ids of zipkin"
    ),
    Option(
        "trace-context-option",
        ("tracing", "zipkin", "traceContextOption"),
        "text",
        "trace context headers of zipkin",
        ("USE_B3", "USE_B3_WITH_W3C_PROPAGATION"),
    ),
    Option("access-logs", ("accessLogs", "enabled"), "boolean", "send access logs"),
    Option("access-logs-provider-name", ("accessLogs", "providerName"), "text", "name of the access log provider"),
    Option("access-logs-log-name", ("accessLogs", "logName"), "text", "name of the log"),
    Option("access-logs-log-format", ("accessLogs", "logFormat"), "json", "text or labels, as JSON"),
    Option(
        "access-logs-keep-file-log", ("accessLogs", "keepFileLog"), "boolean", "name the provider envoy beside ours"
    ),
)


def layer_from_options(given: Mapping[str, str], where: str) -> Layer:
    """The layer that flags or variables make; `given` holds texts by flag name, `where` says which of the two they are.

    Raises UsageError for a text that is no value of the option's kind.
    """
    data: dict[str, Data] = {}
    for option in OPTIONS:
        if option.flag in given:
            name = option.variable if where == "environment" else f"--{option.flag}"
            # Python lets bytes that are no UTF-8 pass as halves of a surrogate pair.
            if any("\ud800" <= each <= "\udfff" for each in given[option.flag]):
                raise UsageError("is not valid UTF-8", where=name)
            value = _option_value(option, given[option.flag], name)
            target = data
            for key in option.path[:-1]:
                target = target.setdefault(key, {})
            target[option.path[-1]] = value
    return Layer(where, data)


def layer_from_environment(variables: Mapping[str, str]) -> Layer:
    """The layer of variables with the prefix of ours.

    Raises UsageError for one that nothing reads.
    """
    known = {option.variable: option.flag for option in OPTIONS}
    for name in variables:
        if name not in known:
            raise UsageError(
                "nothing reads this variable", where=name, hint="see `groundcover-istio --help-settings` for the names"
            )
    return layer_from_options({known[name]: text for name, text in variables.items()}, "environment")


def _option_value(option: Option, text: str, name: str) -> Data:
    if option.path == ("service",):
        service, dot, namespace = text.partition(".")
        if not dot or not service or not namespace or "." in namespace:
            between = " " if name.startswith("-") else "="
            raise UsageError(
                f'"{text}" is not NAME.NAMESPACE', where=name, hint=f"{name}{between}groundcover-sensor.groundcover"
            )
        return {"name": service, "namespace": namespace}
    if option.kind == "text":
        if option.choices and text not in option.choices:
            raise UsageError(f'"{text}" is none of {", ".join(option.choices)}', where=name)
        return text
    value = parsed(text, name) if option.kind == "json" else k8syaml.resolve_plain(text)
    accepted = {"json": (dict, list), "boolean": (bool,), "integer": (int,), "number": (int, float)}[option.kind]
    optional = option.path[-1] in ("samplingPercentage", "maxTagLength")
    # Nothing is null to YAML; as a variable that is left empty by mistake it would take the default away.
    if (value is None and optional and text.strip()) or (
        isinstance(value, accepted) and isinstance(value, bool) == (option.kind == "boolean")
    ):
        return value
    words = {
        "json": "a JSON object or list",
        "boolean": "true or false",
        "integer": "a whole number",
        "number": "a number",
    }
    raise UsageError(f'"{text}" is not {words[option.kind]}{" or null" if optional else ""}', where=name)
