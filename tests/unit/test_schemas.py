"""The schemas, and that everything derived from them agrees with them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import generate
from groundcover_istio import _schemas, _validators, istio
from groundcover_istio._since import SINCE
from groundcover_istio.checks.providers import KINDS
from groundcover_istio.checks.world import TRACERS
from groundcover_istio.config import DEFAULTS
from groundcover_istio.mesh_types import ENUMS, MESSAGES, NEWEST
from groundcover_istio.options import OPTIONS
from groundcover_istio.validation import problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.validation import SchemaName

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS: dict[str, Any] = {
    name: json.loads((ROOT / "schema" / f"{name}.schema.json").read_text()) for name in generate.NAMES
}
PROVIDER = {"name": "a", "opentelemetry": {"service": "a.b.svc.cluster.local", "port": 4317}}
TELEMETRY = {"apiVersion": "telemetry.istio.io/v1", "kind": "Telemetry", "metadata": {"name": "a"}, "spec": {}}


def with_payload(kind: str, **fields: Any) -> dict[str, Any]:
    """A mesh config with one provider."""
    return {"extensionProviders": [{"name": "a", kind: {"service": "a.b", "port": 1, **fields}}]}


def must_match(definition: str) -> str:
    """The end of the sentence about a text that a definition's pattern does not allow."""
    found = SCHEMAS["mesh-config"]["definitions"][definition]
    return f"must match {found['pattern']}" + (f" ({found['description']})" if "description" in found else "")


# Valid and invalid data for each schema; the problems are those that a user would read.
CORPUS: list[tuple[SchemaName, Any, list[str]]] = [
    ("integration", {}, []),
    ("integration", DEFAULTS, []),
    ("integration", {"istioVersion": "v1.24.3-distroless"}, []),
    ("integration", {"tracing": {"samplingPercentage": None, "maxTagLength": None}}, []),
    ("integration", {"tracing": {"customTags": {"a": {"header": {"name": "x", "defaultValue": ""}}}}}, []),
    ("integration", [], ["the document: a list is not an object"]),
    ("integration", {"tracing": None}, ["tracing: null is not an object"]),
    ("integration", {"tracing": {"protocol": "otel"}}, ['tracing.protocol: "otel" is none of "otlp-http", "otlp-grpc", "datadog", "zipkin"']),
    ("integration", {"tracing": {"samplingPercentage": 100.5, "enabled": 1}}, ["tracing.enabled: 1 is not a boolean", "tracing.samplingPercentage: 100.5 is above 100"]),
    ("integration", {"service": {"ports": {"zipkin": 0, "otlpHttp": "4318"}}}, ['service.ports.otlpHttp: "4318" is not an integer', "service.ports.zipkin: 0 is below 1"]),
    ("integration", {"service": {"port": 1, "nam": "x"}}, ["service.port: unknown key; did you mean ports?", "service.nam: unknown key; did you mean name?"]),
    ("integration", {"rootNamespace": "a" * 64}, [f'rootNamespace: "{"a" * 64}" is longer than 63 characters']),
    ("integration", {"tracing": {"http": {"headers": [{"name": "a"}]}}}, ["tracing.http.headers[0]: exactly one of value and envName is accepted"]),
    ("integration", {"tracing": {"http": {"headers": [{"value": "a"}]}}}, ["tracing.http.headers[0].name: missing"]),
    ("integration", {"tracing": {"customTags": {"a": {}}}}, ["tracing.customTags.a: exactly one of literal, environment, header, formatter is accepted, found none"]),
    ("integration", {"tracing": {"customTags": {"a": {"literal": {"value": ""}}}}}, ['tracing.customTags.a.literal.value: "" is too short']),
    ("integration", {"rootNamespace": "a\n"}, [f'rootNamespace: "a\\n" must match {SCHEMAS["integration"]["properties"]["rootNamespace"]["pattern"]} ({SCHEMAS["integration"]["properties"]["rootNamespace"]["description"]})']),
    ("mesh-config", {"anything": 1, "extensionProviders": [PROVIDER]}, []),
    ("mesh-config", with_payload("datadog", port="8126"), []),
    ("mesh-config", with_payload("zipkin", path="/api", headers=[{"name": "a", "envName": "B"}]), []),
    ("mesh-config", with_payload("datadog", address="a:1"), ["extensionProviders[0].datadog.address: unknown key; accepted: service, port, maxTagLength"]),
    ("mesh-config", with_payload("opentelemetry", service="a:4318"), ['extensionProviders[0].opentelemetry.service: "a:4318" must match ' + SCHEMAS["mesh-config"]["definitions"]["service"]["pattern"] + " (" + SCHEMAS["mesh-config"]["definitions"]["service"]["description"] + ")"]),
    ("mesh-config", with_payload("opentelemetry", http={"path": "/"}), ["extensionProviders[0].opentelemetry.http.timeout: missing"]),
    ("mesh-config", with_payload("opentelemetry", grpc={}, http={"path": "/", "timeout": "5s"}), ["extensionProviders[0].opentelemetry: http and grpc exclude each other"]),
    ("mesh-config", {"extensionProviders": [{**PROVIDER, "zipkin": {"service": "a", "port": 1}}]}, ["extensionProviders[0]: an extension provider has a name and exactly one kind, found name, opentelemetry, zipkin"]),
    ("mesh-config", {"defaultProviders": {"tracing": "a"}}, ['defaultProviders.tracing: "a" is not an array']),
    ("mesh-config", with_payload("datadog", port="65535", maxTagLength="256"), []),
    ("mesh-config", with_payload("datadog", port="65536"), ['extensionProviders[0].datadog.port: "65536" ' + must_match("port")]),
    ("mesh-config", with_payload("datadog", maxTagLength="07"), ['extensionProviders[0].datadog.maxTagLength: "07" ' + must_match("uint32")]),
    ("mesh-config", with_payload("datadog", port="1\n"), ['extensionProviders[0].datadog.port: "1\\n" ' + must_match("port")]),
    ("mesh-config", with_payload("datadog", service="ns/a"), ['extensionProviders[0].datadog.service: "ns/a" ' + must_match("service")]),
    ("mesh-config", with_payload("datadog", service="a.1"), ['extensionProviders[0].datadog.service: "a.1" ' + must_match("service")]),
    ("mesh-config", with_payload("datadog", service=f"{'a' * 63}.b"), []),
    ("mesh-config", with_payload("datadog", service=f"{'a' * 64}.b"), [f'extensionProviders[0].datadog.service: "{"a" * 64}.b" ' + must_match("service")]),
    ("mesh-config", with_payload("zipkin", timeout="1h30m"), []),
    ("mesh-config", with_payload("zipkin", timeout="9999999h"), ['extensionProviders[0].zipkin.timeout: "9999999h" ' + must_match("duration")]),
    ("mesh-config", {"defaultConfig": {"tracing": {"sampling": "50.5"}}}, []),
    ("telemetry", TELEMETRY, []),
    ("telemetry", {**TELEMETRY, "spec": {"tracing": [{"randomSamplingPercentage": 0}]}}, []),
    ("telemetry", {**TELEMETRY, "apiVersion": "v1"}, ['apiVersion: "v1" is none of "telemetry.istio.io/v1", "telemetry.istio.io/v1alpha1"']),
    ("telemetry", {**TELEMETRY, "spec": {"tracing": [{}, {"providers": [{}]}]}}, ["spec.tracing[1].providers[0].name: missing"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "data", "expected"), CORPUS, ids=[f"{name} {index}" for index, (name, _, _) in enumerate(CORPUS)]
)
def test_problems(schema: SchemaName, data: Any, expected: list[str]) -> None:
    """All of them are found, each with its path, what was found and what is accepted."""
    assert problems(schema, data) == expected


@pytest.mark.parametrize(("schema", "data"), [(name, data) for name, data, _ in CORPUS])
def test_the_fast_validator_agrees_with_jsonschema(schema: SchemaName, data: Any) -> None:
    """On the corpus both accept and refuse the same."""
    assert accepted_by_fast(schema, data) == accepted_by_jsonschema(schema, data)


def accepted_by_fast(schema: str, data: Any) -> bool:
    """Whether the generated validator accepts the data."""
    try:
        getattr(_validators, generate.identifier(schema))(data)
    except _validators.Invalid:
        return False
    return True


def accepted_by_jsonschema(schema: str, data: Any) -> bool:
    """Whether jsonschema accepts the data."""
    return bool(jsonschema.Draft7Validator(json.loads(_schemas.SCHEMAS[schema])).is_valid(data))


def keys(schema: Any) -> set[str]:
    """Every property name in a schema."""
    found: set[str] = set()
    for value in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else []:
        found |= keys(value)
    return found | set(schema.get("properties", {}) if isinstance(schema, dict) else {})


LEAVES = st.sampled_from(
    [None, True, 0, 1, 4318, 100.5, "", "5s", "a.b", "/v1/traces", "zipkin", "1.24", "telemetry.istio.io/v1"]
)


@settings(max_examples=300)
@given(st.data(), st.sampled_from(generate.NAMES))
def test_the_fast_validator_agrees_on_anything(data: st.DataObject, schema: SchemaName) -> None:
    """Whatever is made of the schema's own keys is accepted by both or by neither."""
    names = st.sampled_from([*sorted(keys(SCHEMAS[schema])), "unknown"])
    tree = st.recursive(
        LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3), max_leaves=8
    )
    value = data.draw(st.dictionaries(names, tree, max_size=3))
    assert accepted_by_fast(schema, value) == accepted_by_jsonschema(schema, value)
    assert bool(problems(schema, value)) == (not accepted_by_jsonschema(schema, value))


@pytest.mark.parametrize("name", generate.NAMES)
def test_schemas_are_schemas(name: str) -> None:
    """Each is valid draft-07."""
    jsonschema.Draft7Validator.check_schema(SCHEMAS[name])


def properties(schema: Any, path: str = "") -> dict[str, Any]:
    """Every property of a schema by its path."""
    found = {}
    for key, value in schema.get("properties", {}).items():
        below = f"{path}.{key}" if path else key
        found[below] = value
        found.update(properties(value, below))
    return found


def test_every_setting_is_described_with_its_default() -> None:
    """Each property of the integration has a description; each with a default says it, and says the right one."""
    for path, schema in properties(SCHEMAS["integration"]).items():
        assert schema.get("description"), path
        default: Any = DEFAULTS
        for key in path.split("."):
            default = default[key] if isinstance(default, dict) and key in default else None
        stated = re.search(r"Default (\S+)\.$", schema["description"])
        if path.startswith("accessLogs.logFormat."):
            continue
        assert bool(stated) != isinstance(default, dict) or default == {}, path
        if stated:
            words: dict[str, Any] = {"true": True, "false": False, "null": None, "empty": ("", {}), "none": ([], {})}
            expected = words.get(stated[1], stated[1])
            assert (
                default == expected
                or default in (expected if isinstance(expected, tuple) else ())
                or str(default) == expected
            ), path


def test_every_setting_has_an_option() -> None:
    """Flags and variables reach every leaf of the settings, and nothing else."""
    leaves = {
        tuple(path.split("."))
        for path, schema in properties(SCHEMAS["integration"]).items()
        if "properties" not in schema or path == "accessLogs.logFormat"
    }
    leaves -= {leaf for leaf in leaves if leaf[:2] == ("accessLogs", "logFormat") and len(leaf) > 2}
    reached = {option.path for option in OPTIONS} - {("service",)} | {("service", "name"), ("service", "namespace")}
    assert reached == leaves
    assert len({option.flag for option in OPTIONS}) == len(OPTIONS)


def test_the_facts_in_code_and_schema_agree() -> None:
    """Provider kinds and their fields are listed for the rules, for `check` and for users: the same ones."""
    definitions = SCHEMAS["mesh-config"]["definitions"]
    kinds = [key for key in definitions["extensionProvider"]["properties"] if key != "name"]
    assert sorted(kinds) == sorted(istio.KINDS) == sorted(KINDS)
    for kind, fields in istio.FIELDS.items():
        assert sorted(definitions[kind]["properties"]) == sorted(fields), f"istio.FIELDS, {kind}"


def test_the_kinds_of_a_provider_keep_their_order() -> None:
    """Of several in one entry the last one counts: they stand as Istio declares them."""
    assert [kind for kind in KINDS if kind in TRACERS] == list(TRACERS)
    assert KINDS[-2:] == ("envoyOtelAls", "sds")


def strict_parts(schema: Any, kind: str, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every part of the mesh config's schema with its place and the message or enum that `check` takes it for."""
    if "$ref" in schema:
        schema = {**SCHEMAS["mesh-config"]["definitions"][schema["$ref"].rsplit("/", 1)[1]], **schema}
    if kind.startswith("[]"):
        yield from strict_parts(schema["items"], kind.removeprefix("[]"), path)
        return
    yield path, kind, schema
    for key, below in schema.get("properties", {}).items():
        yield from strict_parts(below, MESSAGES[kind][key], f"{path}.{key}".lstrip("."))


def test_check_decodes_what_the_schema_knows() -> None:
    """A field that one of them lacks would be written by `render` and called unknown by `check`, or be refused."""
    for path, kind, schema in strict_parts(SCHEMAS["mesh-config"], "MeshConfig"):
        if schema.get("additionalProperties") is False:
            assert sorted(schema["properties"]) == sorted(MESSAGES[kind]), f"{path}: mesh_types.py, {kind}"
        if "enum" in schema:
            assert schema["enum"] == ENUMS[kind], f"{path}: mesh_types.py, {kind}"


def test_check_is_complete_for_what_the_schemas_know() -> None:
    """Of a version above NEWEST `check` calls no field unknown: none of the schemas may be that new."""
    assert max(SINCE.values()) <= NEWEST, "mesh_types.py, NEWEST"
    assert istio.OLDEST_RELEASE < istio.ASSUMED_VERSION <= NEWEST


def test_derived_files_are_fresh(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`make generate` would change nothing."""
    monkeypatch.setattr("sys.argv", ["generate.py", "--check"])
    assert generate.main() == 0, capsys.readouterr().out
