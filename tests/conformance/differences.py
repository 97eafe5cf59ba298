"""Where our schemas and Istio disagree on purpose, each with its reason; test_differential.py knows no others."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from groundcover_istio.spelling import camel

if TYPE_CHECKING:
    from collections.abc import Callable

    import jsonschema


class Refusal(NamedTuple):
    """What our schema refuses though Istio has no word against it."""

    what: str
    why: str
    keywords: tuple[str, ...]
    """Of the schema: those that refuse it."""
    place: str
    """A pattern for the path without indices."""
    found: Callable[[Any], bool]
    """Whether a value that was refused there is such a one."""
    example: Any

    def covers(self, error: jsonschema.ValidationError) -> bool:
        """Whether this is why the schema refuses something."""
        path = ".".join(key for key in error.absolute_path if isinstance(key, str))
        return (
            error.validator in self.keywords
            and re.fullmatch(self.place, path) is not None
            and (self.found(error.instance))
        )


class Acceptance(NamedTuple):
    """What our schema accepts though Istio refuses it or warns of it."""

    what: str
    why: str
    said: str
    """A pattern for Istio's words."""
    example: Any

    def covers(self, words: str) -> bool:
        """Whether this is why Istio says something."""
        return re.search(self.said, words) is not None


def _provider(kind: str, **fields: Any) -> dict[str, Any]:
    return {"extensionProviders": [{"name": "a", kind: {"service": "a.b", "port": 1, **fields}}]}


def _http(**fields: Any) -> dict[str, Any]:
    return _provider("opentelemetry", http={"path": "/", "timeout": "5s", **fields})


def _tracing(**fields: Any) -> dict[str, Any]:
    return {"defaultConfig": {"tracing": fields}}


def _is_null(found: Any) -> bool:
    return found is None


def _is_text(found: Any) -> bool:
    return isinstance(found, str)


def _anything(_: Any) -> bool:
    return True


def _holds_null(found: Any) -> bool:
    return isinstance(found, dict) and None in found.values()


def _is_number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


def _is_address(found: Any) -> bool:
    try:
        return bool(ipaddress.ip_address(found.partition("%")[0]))
    except ValueError:
        return False


def _other_spelling(found: Any) -> bool:
    return isinstance(found, dict) and any("_" in key and camel(key) != key for key in found)


_REGISTRY: Final = "no service is known by such a name, so the provider would send nothing"
_SERVICE: Final = r"extensionProviders\.\w+\.service"
_HEADERS: Final = r".*\.(headers|initialMetadata)"

REFUSALS: Final = [
    Refusal(
        "null",
        "means that nothing is there, and is taken away before the schema is asked",
        ("type", "enum"), ".*", _is_null, {"enableTracing": None},
    ),
    Refusal(
        "a kind of provider that is null, beside another",
        "the same",
        ("maxProperties", "not"), "extensionProviders.*", _holds_null,
        {"extensionProviders": [{"name": "a", "zipkin": None, "datadog": {"service": "a.b", "port": 1}}]},
    ),
    Refusal(
        "snake case",
        "istiod merges default_config and default_providers away, so one spelling is accepted at all places",
        ("additionalProperties",), ".*", _other_spelling, _provider("datadog", max_tag_length=5),
    ),
    Refusal(
        "snake case that makes a second kind of provider",
        "the same",
        ("maxProperties",), "extensionProviders", _other_spelling,
        {"extensionProviders": [{"name": "a", "datadog": {"service": "a.b", "port": 1}, "envoy_otel_als": {"service": "a.b", "port": 1}}]},
    ),
    Refusal(
        "a provider of two kinds",
        "the one that is declared last counts, without a word",
        ("maxProperties",), "extensionProviders", _anything,
        {"extensionProviders": [{"name": "a", "stackdriver": {}, "datadog": {"service": "a.b", "port": 1}}]},
    ),
    Refusal(
        "the number of an enum's value",
        "any number decodes, also one that stands for nothing",
        ("enum",), r".*\.(traceContextOption|serviceAttributeEnrichment)", _is_number, _provider("zipkin", traceContextOption=7),
    ),
    Refusal(
        "a percentage out of its range",
        "above 100 Istio samples 1 %, below 0 what PILOT_TRACE_SAMPLING says",
        ("minimum", "maximum"), r"defaultConfig\.tracing\.sampling", _anything, _tracing(sampling=101),
    ),
    Refusal(
        "a percentage as text that is out of its range or not plain",
        "the same; blanks, exponents, NaN and Infinity decode",
        ("pattern",), r"defaultConfig\.tracing\.sampling", _is_text, _tracing(sampling="NaN"),
    ),
    Refusal(
        "a whole number as text with more than nine digits or with blanks",
        "nobody means a tag of a thousand million characters; a pattern for the exact limit would explain nothing",
        ("pattern",), r".*\.(port|maxTagLength|maxPathTagLength)", _is_text, _provider("datadog", maxTagLength="4294967295"),
    ),
    Refusal(
        "a negative duration",
        "Envoy rejects it, and with it the listener",
        ("pattern",), r".*\.timeout", lambda found: _is_text(found) and found.startswith("-"), _http(timeout="-5s"),
    ),
    Refusal(
        "a duration of ten years or of seven parts, with a sign, without a unit, with a bare point, in µs",
        "Go reads these too; the pattern keeps to what stays within Go's and Envoy's limits",
        ("pattern",), r".*\.timeout", _is_text, _http(timeout=".5s"),
    ),
    Refusal("an address as a service", _REGISTRY, ("pattern",), _SERVICE, _is_address, _provider("datadog", service="10.0.0.1")),
    Refusal(
        "a service with a dot at its end", _REGISTRY,
        ("pattern",), _SERVICE, lambda found: found.endswith("."), _provider("datadog", service="a.b."),
    ),
    Refusal(
        "a service with a wildcard, or behind what is no namespace", _REGISTRY,
        ("pattern", "maxLength"), _SERVICE, lambda found: "/" in found, _provider("datadog", service="*/a.b"),
    ),
    Refusal(
        "a service whose last label is a number beyond 64 bits", _REGISTRY,
        ("pattern",), _SERVICE, lambda found: re.search(r"(^|\.)[0-9]{19,}$", found) is not None,
        _provider("datadog", service=f"a.{'9' * 20}"),
    ),
    Refusal(
        "an empty name of a provider",
        "no provider has it: tracing would be off",
        ("minLength",), r"defaultProviders\.\w+", _anything, {"defaultProviders": {"tracing": [""]}},
    ),
    Refusal(
        "OTLP over HTTP without a timeout",
        "Envoy rejects the listener",
        ("required",), r"extensionProviders\.opentelemetry\.http", _anything, _provider("opentelemetry", http={"path": "/"}),
    ),
    Refusal(
        "a path that does not begin with a slash",
        "not what an exporter of spans expects; an empty one is better left out",
        ("pattern",), r".*\.path", _is_text, _http(path="v1/traces"),
    ),
    Refusal(
        "a header without a name",
        "Envoy rejects it",
        ("required", "minLength"), rf"{_HEADERS}(\.name)?", _anything, _http(headers=[{"value": "a"}]),
    ),
    Refusal(
        "a header with no value, or with two",
        "with none it is sent empty, of two the one that is declared last counts",
        ("oneOf",), _HEADERS, _anything, _http(headers=[{"name": "a"}]),
    ),
    Refusal(
        "a header's variable without a name",
        "there is none of that name",
        ("minLength",), rf"{_HEADERS}\.envName", _anything, _http(headers=[{"name": "a", "envName": ""}]),
    ),
    Refusal(
        "an attribute of an access log that is no text",
        "Istio drops it without a word",
        ("type",), r"extensionProviders\.envoyOtelAls\.logFormat\.labels\..*", _anything,
        _provider("envoyOtelAls", logFormat={"labels": {"a": 1}}),
    ),
]  # fmt: skip

ACCEPTANCES: Final = [
    Acceptance(
        "a key that neither MeshConfig nor ProxyConfig has",
        "the schema is open there: it knows what carries telemetry and no more",
        r'unknown field ".*" in istio\.mesh\.v1alpha1\.(MeshConfig|ProxyConfig)$', {"unknown": 1},
    ),
    Acceptance(
        "a control character in the name of a default provider",
        "istiod writes them as YAML once more and can't read it; nobody names a provider so",
        "control characters are not allowed", {"defaultProviders": {"tracing": ["\x7f"]}},
    ),
    Acceptance(
        "-0.0 where no number below 0 may be",
        "to a JSON schema it is 0",
        "cannot unmarshal number -0 into", _provider("datadog", maxTagLength=-0.0),
    ),
]  # fmt: skip

TELEMETRY_REFUSALS: Final = [
    Refusal(
        "null",
        "the API server takes it away, and so do we before the schema is asked",
        ("type",), ".*", _is_null, {"tracing": None},
    ),
    Refusal(
        "another source of a custom tag that is null", "the same",
        ("maxProperties",), r"spec\.tracing\.customTags\..*", _holds_null,
        {"tracing": [{"customTags": {"a": {"literal": {"value": "b"}, "header": None}}}]},
    ),
    Refusal(
        "a selector",
        "the schema is that of a Telemetry for the whole mesh; one that selects something is never merged into",
        ("maxProperties",), r"spec\.selector\.matchLabels", _anything, {"selector": {"matchLabels": {"app": "a"}}},
    ),
    Refusal(
        "targets",
        "the same",
        ("additionalProperties",), "spec", lambda found: bool(found.keys() & {"targetRef", "targetRefs"}),
        {"targetRefs": [{"kind": "Service", "name": "a"}]},
    ),
    Refusal(
        "a custom tag with no source",
        "the proxy would have nothing to write",
        ("minProperties",), r"spec\.tracing\.customTags\..*", _anything, {"tracing": [{"customTags": {"a": {}}}]},
    ),
]  # fmt: skip
