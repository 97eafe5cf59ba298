"""Facts about Istio: which version has which field, how it reads a Service, what counts as the sensor's host."""

from __future__ import annotations

from groundcover_istio._since import SINCE
from groundcover_istio.errors import ManifestError, SettingsError
from groundcover_istio.model import Data, Version
from groundcover_istio.patterns import pattern
from groundcover_istio.spelling import camel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

# What a stream is taken to be where nothing says it: a minor version that Istio supports.
ASSUMED_VERSION: Final = Version(1, 30)
# Below this a version is the placeholder of a chart from source (1.0.0), not a release.
OLDEST_RELEASE: Final = Version(1, 10)
DEFAULT_DOMAIN: Final = "cluster.local"
TELEMETRY_V1: Final = Version(1, 22)
# Percent: Envoy counts sampling in parts of 10,000 and cuts off the rest (source/common/protobuf/utility.cc,
# convertPercent).
LEAST_SAMPLING: Final = 0.01
EVERY_REQUEST: Final = 100
LAST_PORT: Final = 65535

# The kinds of an extension provider (mesh/v1alpha1/config.proto, oneof provider): one in each entry.
KINDS: Final = (
    "opentelemetry",
    "datadog",
    "zipkin",
    "envoyOtelAls",
    "lightstep",
    "stackdriver",
    "opencensus",
    "skywalking",
    "prometheus",
    "envoyFileAccessLog",
    "envoyHttpAls",
    "envoyTcpAls",
    "envoyExtAuthzHttp",
    "envoyExtAuthzGrpc",
    "sds",
)
# What the kinds we write may hold (same file).
FIELDS: Final = {
    "opentelemetry": (
        "service", "port", "maxTagLength", "http", "grpc", "resourceDetectors", "dynatraceSampler",
        "serviceAttributeEnrichment",
    ),
    "datadog": ("service", "port", "maxTagLength"),
    "zipkin": (
        "service", "port", "maxTagLength", "enable64bitTraceId", "path", "traceContextOption", "timeout", "headers",
    ),
    "envoyOtelAls": ("service", "port", "logName", "logFormat"),
}  # fmt: skip
BUILT_IN_FILE_LOG: Final = "envoy"
# What it writes to, and what accessLogFile names as a rule (pkg/config/mesh/mesh.go, DefaultMeshConfig).
STANDARD_OUTPUT: Final = "/dev/stdout"
# The one profile of Istio's that has extensionProviders and an access log (manifests/profiles/demo.yaml).
DEMO_PROFILE: Final = "demo"
LEGACY_TRACERS: Final = ("zipkin", "datadog", "lightstep", "stackdriver", "openCensusAgent")
# What we write to a mesh config, and what else of it we read.
WRITTEN: Final = ("extensionProviders", "defaultProviders", "enableTracing", "defaultConfig")
READ: Final = (*WRITTEN, "rootNamespace")

_VERSION: Final = pattern(r"v?(1)\.([0-9]{1,4})(?![0-9])")
_LABEL: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DOMAIN: Final = pattern(rf"{_LABEL}(\.{_LABEL})*")
_DOMAIN_ARGUMENT: Final = "--domain"
_ISTIOD: Final = pattern(r"istiod(-.+)?")
# Python refuses to read a number of more than 4,300 digits.
_PORT: Final = pattern(r"[0-9]{1,9}")
_SETTINGS: Final = {
    "extensionProviders.opentelemetry": "set tracing.protocol to zipkin",
    "extensionProviders.opentelemetry.http": "set tracing.protocol to otlp-grpc (Istio 1.17) or zipkin",
    "extensionProviders.opentelemetry.grpc": "leave tracing.grpc.timeout and tracing.grpc.initialMetadata unset",
    "extensionProviders.zipkin.enable64bitTraceId": "leave tracing.zipkin.enable64bitTraceId unset",
    "extensionProviders.zipkin.path": "leave tracing.zipkin.path unset",
    "extensionProviders.zipkin.traceContextOption": "leave tracing.zipkin.traceContextOption unset",
    "extensionProviders.zipkin.timeout": "leave tracing.zipkin.timeout unset",
    "extensionProviders.zipkin.headers": "leave tracing.zipkin.headers unset",
    "extensionProviders.envoyOtelAls": "set accessLogs.enabled to false",
    "spec.tracing.customTags.formatter": "use a literal, environment or header tag",
}


def parse_version(text: str) -> Version | None:
    """The minor version that a text starts with, such as 1.24 of `v1.24.3-distroless`; None if it has none."""
    match = _VERSION.match(text)
    return Version(int(match[1]), int(match[2])) if match else None


def release(*texts: Data) -> Version | None:
    """The version of the first text that gives one which is no placeholder; None where none does."""
    versions = (parse_version(text) for text in texts if isinstance(text, str))
    return next((version for version in versions if version and version >= OLDEST_RELEASE), None)


def labelled(labels: dict[str, Data]) -> tuple[Data, ...]:
    """What the labels of one of the istiod chart's objects say of Istio's version, for `release`."""
    return str(labels.get("helm.sh/chart")).removeprefix("istiod-"), labels.get("app.kubernetes.io/version")


def require(version: Version, path: str, value: Data, where: str) -> None:
    """Raise SettingsError where `value`, at `path` of a mesh config or a Telemetry, needs a newer Istio.

    `where` names the object for the message.
    """
    for field in (path, *_fields(path, value)):
        since = SINCE.get(field)
        if since and Version(*since) > version:
            way = _SETTINGS.get(field, "leave it unset, or give `value` instead" if field.endswith("envName") else "")
            raise SettingsError(
                f"istio {version} has no {field}, it came with {Version(*since)}",
                where=where,
                hint=f"{way}, or upgrade Istio;\nif the version is read wrongly, set istioVersion (--istio-version)",
            )


def needed(path: str, value: Data) -> Version:
    """The oldest Istio that knows all of `value`, at `path` of a mesh config or a Telemetry."""
    known = (Version(*SINCE[field]) for field in (path, *_fields(path, value)) if field in SINCE)
    return max(known, default=OLDEST_RELEASE)


def _fields(path: str, value: Data) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _fields(path, item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield f"{path}.{key}"
            # Below customTags stand names of tags, then fields.
            for each in item.values() if key == "customTags" and isinstance(item, dict) else [item]:
                yield from _fields(f"{path}.{key}", each)


def refuse_snake_case(held: Data, fields: Iterable[str], where: str, above: str = "") -> None:
    """Raise ManifestError where a mapping has one of `fields` in snake case, which would then stand there twice.

    istiod reads most fields in either spelling (jsonpb), and passes over `default_providers` and `default_config`
    (pkg/config/mesh/mesh.go, ApplyMeshConfig). `above` stands before the field's name in the message.
    """
    for key, value in held.items() if isinstance(held, dict) else ():
        if "_" in key and value is not None and camel(key) in fields:
            raise ManifestError(f"{above}{key} is spelt in snake case", where=where, hint=f"write {camel(key)}")


def same_provider(one: str, other: str) -> bool:
    """Whether two names mean one extension provider, in whatever case (pilot/pkg/model/telemetry.go, fetchProvider)."""
    return one.lower() == other.lower()


def number(value: Data) -> float | None:
    """A number, in quotes too, as jsonpb takes it; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if abs(found) < float("inf") else None  # nor is .nan


def port_number(value: Data) -> int | None:
    """The number of a provider's port, in quotes too, as jsonpb takes it, in range or not; None for anything else."""
    if isinstance(value, str):
        return int(value) if _PORT.fullmatch(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def is_port(number: int | None) -> bool:
    """Whether something may listen there."""
    return number is not None and 0 < number <= LAST_PORT


def told_domain(containers: Data) -> str | None:
    """The cluster's DNS domain that istiod's containers are told (pilot-discovery's --domain); None where they are not.

    Empty where that is said by a variable, a placeholder or otherwise as no name: then nobody here knows it.
    """
    told = None
    for container in containers if isinstance(containers, list) else []:
        parts = [container.get(key) for key in ("command", "args")] if isinstance(container, dict) else []
        arguments = [str(each) for part in parts if isinstance(part, list) for each in part]
        for index, argument in enumerate(arguments):
            if argument == _DOMAIN_ARGUMENT and index + 1 < len(arguments):
                told = arguments[index + 1]
            elif argument.startswith(f"{_DOMAIN_ARGUMENT}="):
                told = argument.removeprefix(f"{_DOMAIN_ARGUMENT}=")
    return None if told is None else domain_name(told)


def variable(containers: Data, name: str) -> list[Data]:
    """The values of an environment variable, one for each container that has it; None where it has another source.

    Of variables of one name a container gets the last.
    """
    found = []
    for container in containers if isinstance(containers, list) else []:
        env = container.get("env") if isinstance(container, dict) else None
        variables = [each for each in env if isinstance(each, dict)] if isinstance(env, list) else []
        found += [each.get("value") for each in variables if each.get("name") == name][-1:]
    return found


def deployment_domain(deployment: Data) -> str:
    """The domain that istiod's Deployment, of whatever revision, tells it; empty for others, or where none is known."""
    containers: Data = deployment
    for key in ("spec", "template", "spec", "containers"):
        containers = containers.get(key) if isinstance(containers, dict) else None
    metadata = deployment.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    is_istiod = deployment.get("kind") == "Deployment" and isinstance(name, str) and _ISTIOD.fullmatch(name)
    return (told_domain(containers) or "") if is_istiod else ""


def domain_name(value: Data) -> str:
    """A value where it is a DNS domain as a setting may name it; empty where it is none."""
    return value if isinstance(value, str) and _DOMAIN.fullmatch(value) else ""


def tcp_ports(service: Data) -> list[tuple[int, dict[str, Data]]]:
    """The ports of a Service that take TCP, as the API server defaults them, each with its index in spec.ports."""
    spec = service.get("spec") if isinstance(service, dict) else None
    ports = spec.get("ports") if isinstance(spec, dict) else None
    listed = enumerate(ports if isinstance(ports, list) else [])
    return [(at, port) for at, port in listed if isinstance(port, dict) and (port.get("protocol") or "TCP") == "TCP"]


def speaks_http2(port: dict[str, Data]) -> bool:
    """Whether istiod has proxies speak HTTP/2 to a port of a Service, which goes by its declaration alone.

    The appProtocol counts, else the name, up to its first dash (pkg/config/kube/conversion.go, ConvertProtocol).
    """
    protocol = str(port.get("appProtocol") or port.get("name") or "")
    return protocol == "kubernetes.io/h2c" or protocol.lower().split("-")[0] in ("grpc", "http2")


def is_sensor_host(text: Data, name: str, namespace: str) -> bool:
    """Whether a provider's service or address means the sensor, rightly written or not.

    True for the host with any cluster domain or without one, with a port, behind a namespace and a
    slash, and for the alias Service `<release>-alligator` of the vendor's chart.
    """
    if not isinstance(text, str):
        return False
    host = text.strip().lower().split("://")[-1].split("/")[-1].split(":")[0].rstrip(".")
    first, *rest = host.split(".")
    names = {name}
    if name.endswith("-sensor"):
        names.add(name.removesuffix("-sensor") + "-alligator")
    if first not in names or (rest and rest[0] != namespace):
        return False
    return len(rest) <= 1 or rest[1] == "svc"
