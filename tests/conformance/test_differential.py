"""Our schemas and decoder against Istio's own: neither accepts what the other refuses, but for what is listed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundcover_istio import _validators, decoding
from groundcover_istio._schemas import SCHEMAS
from groundcover_istio.mesh_types import ENUMS, MESSAGES

from . import rig
from .admission import Admission
from .conftest import PARTS
from .decoder import Decoder
from .differences import ACCEPTANCES, REFUSALS, TELEMETRY_REFUSALS, Acceptance, Refusal
from .variations import (
    AWKWARD,
    VALUES,
    allowed,
    changed,
    has_parent,
    places,
    replaced,
    resolve,
    rewritten,
    strict_schema,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXAMPLES = int(os.environ.get("GROUNDCOVER_ISTIO_EXAMPLES", "0"))
"""How many random examples each test tries; unset: a few, the same in each run."""
pytestmark = pytest.mark.timeout(0)  # the more examples, the longer

MESH = strict_schema("mesh-config")
WHOLE = json.loads(SCHEMAS["mesh-config"])
EXPLAINING = jsonschema.Draft7Validator(WHOLE)
HEADERS = [{"name": "x-a", "value": "b"}, {"name": "x-b", "envName": "C"}]
GENERAL: dict[str, Any] = {
    "rootNamespace": "istio-system",
    "enableTracing": True,
    "accessLogFile": "/dev/stdout",
    "defaultProviders": {"tracing": ["a"], "metrics": ["prometheus"], "accessLogging": ["e"]},
    "defaultConfig": {"tracing": {"sampling": 50.5, "maxPathTagLength": 100, "enableIstioTags": True}},
}
PROVIDERS: list[dict[str, Any]] = [
    {
        "name": "a",
        "opentelemetry": {
            "service": "a.b.svc.cluster.local",
            "port": 4318,
            "maxTagLength": 256,
            "serviceAttributeEnrichment": "ISTIO_CANONICAL",
            "http": {"path": "/v1/traces", "timeout": "5s", "headers": HEADERS},
        },
    },
    {
        "name": "b",
        "opentelemetry": {"service": "c/a.b", "port": "4317", "grpc": {"timeout": "1m30s", "initialMetadata": HEADERS}},
    },
    {"name": "c", "datadog": {"service": "a", "port": 8126, "maxTagLength": "256"}},
    {
        "name": "d",
        "zipkin": {
            "service": "a.b",
            "port": 9411,
            "enable64bitTraceId": True,
            "path": "/api/v2/spans",
            "traceContextOption": "USE_B3",
            "timeout": "5s",
            "headers": HEADERS,
        },
    },
    {
        "name": "e",
        "envoyOtelAls": {
            "service": "a",
            "port": 4317,
            "logName": "f",
            "logFormat": {"text": "%PATH%", "labels": {"g": "h"}},
        },
    },
]
FULL = [GENERAL, *({"extensionProviders": [each]} for each in PROVIDERS)]
"""Everything that the schema is strict about."""


def real_mesh_configs() -> Iterator[Any]:
    """The mesh configs of the streams that Helm hands to a post-renderer."""
    more = os.environ.get("GROUNDCOVER_ISTIO_TEST_DATA")
    folders = [rig.ROOT / "tests/data", *([Path(more)] if more else [])]
    for path in sorted(path for folder in folders for path in folder.glob("istiod-*.yaml")):
        for each in yaml.load_all(path.read_text(), yaml.CSafeLoader):
            if each and each["kind"] == "ConfigMap" and "mesh" in each["data"]:
                yield yaml.load(each["data"]["mesh"], yaml.CSafeLoader)


REAL = list(real_mesh_configs())


def examples(count: int) -> settings:
    """So many examples, or as many as the environment says."""
    return settings(
        max_examples=EXAMPLES or count,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="session")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decoder]:
    """Istio's own decoding."""
    made = Decoder(PARTS["meshconfig"], tmp_path_factory.mktemp("meshconfig") / "log")
    yield made
    made.stop()


def accepts(validate: Callable[[Any], Any], data: Any) -> bool:
    """Whether one of our schemas has no word against it."""
    try:
        validate(data)
    except _validators.Invalid:
        return False
    return True


def require_agreement(mesh_config: Any, decoder: Decoder) -> None:
    """Fail where our schema and Istio disagree about a mesh config, but for what is listed."""
    answer, accepted = decoder.ask(mesh_config), accepts(_validators.mesh_config, mesh_config)
    said = answer.strict or answer.istiod or "\n".join(answer.warnings)
    if accepted and not answer.silent:
        assert any(each.covers(said) for each in ACCEPTANCES), f"accepted, but Istio says: {said}\n{mesh_config}"
    if not accepted and answer.silent:
        errors = list(EXPLAINING.iter_errors(mesh_config))
        # Of a provider with two kinds Istio looks at one.
        double = [tuple(error.absolute_path) for error in errors if error.validator == "maxProperties"]
        for error in errors:
            if error.validator != "maxProperties" and tuple(error.absolute_path)[:2] in double:
                continue
            assert any(each.covers(error) for each in REFUSALS), f"Istio takes it, but: {error.message}\n{mesh_config}"


def test_awkward_values_at_every_place(decoder: Decoder) -> None:
    """Schema and Istio agree on every awkward value at every place of a mesh config that the schema is strict about."""
    for full in FULL:
        assert accepts(_validators.mesh_config, full)
        assert decoder.ask(full).silent
        for place, _ in places(full, MESH):
            if has_parent(full, place):
                for value in AWKWARD:
                    require_agreement(replaced(full, place, value), decoder)


def test_awkward_keys_at_every_place(decoder: Decoder) -> None:
    """They agree on keys left out, unknown, in snake case, instead and beside, on lists of lists and repeated items."""
    for full in FULL:
        for mesh_config in rewritten(full, MESH):
            require_agreement(mesh_config, decoder)


@examples(150)
@given(st.data())
def test_what_the_schema_allows(decoder: Decoder, data: st.DataObject) -> None:
    """Istio has no word against anything that the strict part of the schema allows."""
    mesh_config = data.draw(allowed(MESH))
    assert accepts(_validators.mesh_config, mesh_config)
    require_agreement(mesh_config, decoder)


@examples(200)
@given(st.data())
def test_changed_mesh_configs(decoder: Decoder, data: st.DataObject) -> None:
    """They agree on real and generated mesh configs with up to three things changed."""
    assert REAL
    bases = st.one_of(st.sampled_from([*REAL, *FULL]), allowed(MESH))
    require_agreement(data.draw(changed(bases, MESH)), decoder)


@pytest.mark.parametrize("refusal", REFUSALS, ids=[each.what for each in REFUSALS])
def test_a_listed_refusal_is_one(refusal: Refusal, decoder: Decoder) -> None:
    """Each listed refusal is one: Istio takes it, the schema does not, and for that reason."""
    assert decoder.ask(refusal.example).silent
    errors = list(EXPLAINING.iter_errors(refusal.example))
    assert errors
    assert any(refusal.covers(error) for error in errors)


@pytest.mark.parametrize("acceptance", ACCEPTANCES, ids=[each.what for each in ACCEPTANCES])
def test_a_listed_acceptance_is_one(acceptance: Acceptance, decoder: Decoder) -> None:
    """Each listed acceptance is one: the schema takes it, Istio does not, and for that reason."""
    assert accepts(_validators.mesh_config, acceptance.example)
    answer = decoder.ask(acceptance.example)
    assert acceptance.covers(answer.strict or answer.istiod)


def closed_messages(schema: dict[str, Any], message: str, decoder: Decoder) -> Iterator[tuple[str, set[str]]]:
    """Each of Istio's messages where the schema refuses unknown keys, with the keys that it knows."""
    schema = resolve(schema, WHOLE)
    schema = resolve(schema["items"], WHOLE) if "items" in schema else schema
    if schema.get("additionalProperties") is False:
        yield message, set(schema["properties"])
    for key, below in schema.get("properties", {}).items():
        if decoder.fields[message].get(key):
            yield from closed_messages(below, decoder.fields[message][key], decoder)


def test_the_schema_knows_every_field(decoder: Decoder) -> None:
    """Where unknown keys are refused, Istio's own types have no field that the schema lacks, nor the other way round."""
    found = list(closed_messages(WHOLE, "istio.mesh.v1alpha1.MeshConfig", decoder))
    assert len({message for message, _ in found}) == 11
    for message, keys in found:
        assert keys == set(decoder.fields[message]), message


TELEMETRY = strict_schema("telemetry")["properties"]["spec"]
EXPLAINING_TELEMETRY = jsonschema.Draft7Validator(json.loads(SCHEMAS["telemetry"]))
FULL_TELEMETRY: dict[str, Any] = {
    "tracing": [
        {
            "providers": [{"name": "a"}],
            "randomSamplingPercentage": 50.5,
            "disableSpanReporting": False,
            "useRequestIdForTraceSampling": True,
            "enableIstioTags": True,
            "disableContextPropagation": False,
            "customTags": {
                "a": {"literal": {"value": "b"}},
                "c": {"environment": {"name": "D", "defaultValue": ""}},
                "e": {"header": {"name": "f", "defaultValue": "g"}},
                "h": {"formatter": {"value": "%PATH%"}},
            },
        }
    ],
    "accessLogging": [{"providers": [{"name": "b"}], "disabled": False}],
}


@pytest.fixture(scope="session")
def admission(cluster: rig.Cluster) -> Iterator[Admission]:
    """The API server's judgement."""
    assert cluster.get("crd", "telemetries.telemetry.istio.io", "default")
    made = Admission()
    yield made
    made.stop()


def telemetry(spec: Any) -> dict[str, Any]:
    """The object that the API server is asked about."""
    return {"apiVersion": "telemetry.istio.io/v1", "kind": "Telemetry", "metadata": {"name": "a"}, "spec": spec}


def require_agreement_on_telemetry(spec: Any, admission: Admission) -> None:
    """Fail where our schema and Istio's CRD disagree about a Telemetry, but for what is listed."""
    refusal, accepted = admission.refusal(spec), accepts(_validators.telemetry, telemetry(spec))
    assert not (accepted and refusal), f"accepted, but the API server says: {refusal}\n{spec}"
    if not accepted and not refusal:
        for error in EXPLAINING_TELEMETRY.iter_errors(telemetry(spec)):
            assert any(each.covers(error) for each in TELEMETRY_REFUSALS), f"it takes it, but: {error.message}\n{spec}"


def test_telemetry_with_awkward_values_at_every_place(admission: Admission) -> None:
    """Schema and API server agree on every awkward key and value at every place of a Telemetry."""
    assert not admission.refusal(FULL_TELEMETRY)
    for place, _ in places(FULL_TELEMETRY, TELEMETRY):
        if has_parent(FULL_TELEMETRY, place):
            for value in AWKWARD:
                require_agreement_on_telemetry(replaced(FULL_TELEMETRY, place, value), admission)
    for spec in rewritten(FULL_TELEMETRY, TELEMETRY):
        require_agreement_on_telemetry(spec, admission)


@examples(200)
@given(st.data())
def test_generated_and_changed_telemetry(admission: Admission, data: st.DataObject) -> None:
    """They agree on Telemetries that the schema allows, and on those with up to three things changed."""
    bases = allowed(TELEMETRY) | st.just(FULL_TELEMETRY)
    require_agreement_on_telemetry(data.draw(bases | changed(bases, TELEMETRY)), admission)


def test_rules_in_cel_are_alive(admission: Admission) -> None:
    """What only a rule in CEL refuses, a selector beside a target, is refused: the CRD's rules are alive."""
    selector, target = {"matchLabels": {"app": "web"}}, {"kind": "Service", "name": "web", "group": ""}
    assert not admission.refusal({"selector": selector})
    assert not admission.refusal({"targetRefs": [target]})
    assert "only one of targetRefs or selector can be set" in admission.refusal(
        {"selector": selector, "targetRefs": [target]}
    )


@pytest.mark.parametrize("refusal", TELEMETRY_REFUSALS, ids=[each.what for each in TELEMETRY_REFUSALS])
def test_a_listed_refusal_of_a_telemetry_is_one(refusal: Refusal, admission: Admission) -> None:
    """Each listed refusal of a Telemetry is one: the API server takes it, the schema does not, and for that reason."""
    assert not admission.refusal(refusal.example)
    assert any(refusal.covers(error) for error in EXPLAINING_TELEMETRY.iter_errors(telemetry(refusal.example)))


def fields_of(message: str, path: tuple[str, ...] = (), depth: int = 7) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every field that `check` knows of a mesh config, with its type; `[]` in a path is a list's only item."""
    for name, kind in MESSAGES[message].items():
        below = (*path, name)
        yield below, kind
        inner = kind.removeprefix("[]").removeprefix("{}")
        if inner in MESSAGES and depth:
            wrapped = (*below, "[]") if kind.startswith("[]") else (*below, "{}") if kind.startswith("{}") else below
            yield from fields_of(inner, wrapped, depth - 1)


def built(path: tuple[str, ...], value: Any) -> Any:
    """A mesh config with a value at the end of a path and nothing else."""
    for key in reversed(path):
        value = [value] if key == "[]" else {"a" if key == "{}" else key: value}
    return value


def require_same_decoding(mesh_config: dict[str, Any], decoder: Decoder) -> None:
    """Fail where `check`'s decoder finds a wrong type or an unknown field and Istio's does not, or the other way round."""
    answer, normal = decoder.ask(mesh_config), decoding.normal(mesh_config)
    wrong = list(decoding.wrong_types(normal))
    assert bool(wrong) == bool(answer.lenient), f"{wrong}\n{answer.lenient}\n{mesh_config}"
    if not wrong:
        unknown = list(decoding.unknown_fields(normal, decoding.ROOT, ()))
        assert bool(unknown) == bool(answer.strict), f"{unknown}\n{answer.strict}\n{mesh_config}"


FIELDS = [(path, kind) for path, kind in fields_of(decoding.ROOT) if kind.strip("[]{}") != "object"]


def test_types_of_every_field(decoder: Decoder) -> None:
    """What `check` says of a type is what Istio's decoder says, for each field of MeshConfig with every awkward value."""
    assert len(FIELDS) > 200
    assert {kind.strip("[]{}") for _, kind in FIELDS} >= {
        "string",
        "bool",
        "int32",
        "uint32",
        "double",
        "duration",
        *ENUMS,
    }
    for path, _ in FIELDS:
        for value in AWKWARD:
            require_same_decoding(built(path, value), decoder)


@examples(500)
@given(path=st.sampled_from([path for path, _ in FIELDS]), value=VALUES)
def test_types_of_random_values(decoder: Decoder, path: tuple[str, ...], value: Any) -> None:
    """What `check` says of random numbers, texts, durations and hosts in any field is what Istio's decoder says."""
    require_same_decoding(built(path, value), decoder)
