"""The integration document: valid, resolved, explicit about null."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from .support import CI_FILES, ROOT, VERSIONS, Helm, Render, at, load, values

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft7Validator:
    """The contract between the chart and the post-renderer."""
    schema = json.loads((ROOT / "schema" / "integration.schema.json").read_text())
    return jsonschema.Draft7Validator(schema)


@pytest.mark.parametrize("file", CI_FILES, ids=lambda f: f.stem)
def test_document_is_valid(helm: Helm, validator: jsonschema.Draft7Validator, file: Path) -> None:
    """Every document satisfies the contract's schema."""
    assert list(validator.iter_errors(helm.render(file).integration)) == []


@pytest.mark.parametrize("file", CI_FILES, ids=lambda f: f.stem)
def test_ratios_are_those_of_the_sensor(helm: Helm, file: Path) -> None:
    """What is reported is what the sensor's configuration says."""
    render = helm.render(file)
    ingestor = render.config["apmIngestor"]
    assert render.integration["sensor"]["samplingRatio"] == {
        "otel": ingestor["otel"]["direct"]["samplingRatio"],
        "datadog": ingestor["dataDog"]["samplingRatio"],
    }


def test_config_map_can_be_recognised(default: Render) -> None:
    """One key, under the label that the post-renderer looks for."""
    config_map = default.get("ConfigMap", "groundcover-sensor-istio")
    assert config_map["metadata"]["labels"]["app.kubernetes.io/component"] == "istio-integration"
    assert list(config_map["data"]) == ["integration.yaml"]


def test_default_document(default: Render) -> None:
    """The values' defaults, with the release filled in."""
    assert default.integration == {
        "enabled": True,
        "rootNamespace": "istio-system",
        "istioVersion": "",
        "clusterDomain": "",
        "meshConfig": {"mode": "patch"},
        "service": {
            "name": "groundcover-sensor",
            "namespace": "groundcover",
            "ports": {"otlpHttp": 4318, "otlpGrpc": 4317, "datadog": 8126, "zipkin": 9411},
        },
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
            "zipkin": {
                "path": "",
                "timeout": "",
                "headers": [],
                "enable64bitTraceId": False,
                "traceContextOption": "",
            },
        },
        "accessLogs": {
            "enabled": False,
            "providerName": "groundcover-access-logs",
            "logName": "",
            "logFormat": {},
            "keepFileLog": True,
        },
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_null_sampling_survives(helms: dict[str, Helm], version: str) -> None:
    """Helm takes a null key out of the values; the document says null all the same."""
    given = values(**at("istio.tracing.samplingPercentage", None))
    tracing = helms[version].render(given).integration["tracing"]
    assert "samplingPercentage" in tracing
    assert tracing["samplingPercentage"] is None


@pytest.mark.parametrize(
    ("over", "path", "expected"),
    [
        pytest.param({"namespaceOverride": "elsewhere"}, "service.namespace", "elsewhere", id="namespace"),
        pytest.param(at("istio.service.name", "theirs"), "service.name", "theirs", id="own name"),
        pytest.param(
            at("istio.service.name", "theirs"),
            "service.namespace",
            "groundcover",
            id="what an own service leaves out is filled in",
        ),
        pytest.param(
            at("istio.service.ports", {"otlpHttp": 80}),
            "service.ports",
            {"otlpHttp": 80, "otlpGrpc": 4317, "datadog": 8126, "zipkin": 9411},
            id="own port",
        ),
        pytest.param(
            at("receivers.zipkin.enabled", False),
            "service.ports",
            {"otlpHttp": 4318, "otlpGrpc": 4317, "datadog": 8126},
            id="a receiver that is off has no port",
        ),
        pytest.param(
            at("sensor.samplingRatio.otel", 1),
            "sensor.samplingRatio",
            {"otel": 1, "datadog": 0.05},
            id="ratio from the value",
        ),
        pytest.param(
            at("sensor.config.apmIngestor.dataDog.samplingRatio", 0.2),
            "sensor.samplingRatio",
            {"otel": 0.05, "datadog": 0.2},
            id="ratio from the effective configuration",
        ),
        pytest.param(
            at("istio.sensor.samplingRatio.otel", 0.7),
            "sensor.samplingRatio",
            {"otel": 0.7, "datadog": 0.05},
            id="ratio of another sensor",
        ),
        pytest.param(at("istio.enabled", False), "enabled", False, id="off is said, not left out"),
        pytest.param(at("istio.tracing.maxTagLength", 512), "tracing.maxTagLength", 512, id="tag"),
        pytest.param(
            at("istio.tracing.samplingPercentage", 0.01),
            "tracing.samplingPercentage",
            0.01,
            id="a small percentage keeps its digits",
        ),
    ],
)
def test_document_is_resolved(
    helm: Helm,
    validator: jsonschema.Draft7Validator,
    over: dict[str, Any],
    path: str,
    expected: Any,
) -> None:
    """What the user says wins, the release fills in the rest."""
    document = helm.render(values(**over)).integration
    assert list(validator.iter_errors(document)) == []
    value: Any = document
    for key in path.split("."):
        value = value[key]
    assert value == expected


def test_values_schema_embeds_the_contract() -> None:
    """The schema of the `istio` values is the contract's, word for word, but that null takes a tag away."""
    contract = json.loads((ROOT / "schema" / "integration.schema.json").read_text())
    tags = contract["properties"]["tracing"]["properties"]["customTags"]
    tags["additionalProperties"] = {"anyOf": [tags["additionalProperties"], {"type": "null"}]}
    chart = json.loads((ROOT / "chart" / "values.schema.json").read_text())
    meta = {"$schema", "$id", "title", "definitions"}
    assert chart["properties"]["istio"] == {k: v for k, v in contract.items() if k not in meta}
    assert chart["definitions"] == contract["definitions"]


def test_values_have_every_key_of_the_contract() -> None:
    """A key without a default in values.yaml is one that has none."""
    contract = json.loads((ROOT / "schema" / "integration.schema.json").read_text())
    given = load((ROOT / "chart" / "values.yaml").read_text())["istio"]
    without_default = {"service.", "sensor.", "tracing.maxTagLength", "accessLogs.logFormat."}

    def missing(schema: dict[str, Any], data: dict[str, Any], path: str) -> list[str]:
        found: list[str] = []
        for key, sub in schema.get("properties", {}).items():
            here = f"{path}{key}"
            if key not in data:
                found.append(here)
            elif isinstance(data[key], dict):
                found += missing(sub, data[key], f"{here}.")
        return found

    assert [m for m in missing(contract, given, "") if not m.startswith(tuple(without_default))] == []
