"""The values schema: strict, described, and in step with values.yaml."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from .support import CHART, CI_FILES, load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
SUBCHART = CHART / "charts" / "istio-metrics"
SUBSCHEMA: dict[str, Any] = json.loads((SUBCHART / "values.schema.json").read_text())
by_schema = pytest.mark.parametrize("schema", [SCHEMA, SUBSCHEMA], ids=["chart", "subchart"])
VALUES: dict[str, Any] = load((CHART / "values.yaml").read_text())


def properties(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every property of a schema with its path."""
    for key, sub in schema.get("properties", {}).items():
        here = f"{path}.{key}".lstrip(".")
        yield here, sub
        yield from properties(sub, here)
    items = schema.get("items")
    if isinstance(items, dict):
        yield from properties(items, f"{path}[]")


@by_schema
def test_schema_is_valid(schema: dict[str, Any]) -> None:
    """It is a draft-07 schema."""
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    jsonschema.Draft7Validator.check_schema(schema)


@by_schema
def test_every_property_is_described(schema: dict[str, Any]) -> None:
    """An editor shows the description."""
    assert [path for path, sub in properties(schema) if not sub.get("description")] == []


def test_subcharts_schema_is_as_strict() -> None:
    """Closed but for globals and what Kubernetes defines; every key has a default, and the defaults fit."""
    values = load((SUBCHART / "values.yaml").read_text())
    open_ends = {
        path
        for path, sub in properties(SUBSCHEMA)
        if "object" in sub.get("type", []) and sub.get("additionalProperties", True) is True
    }
    assert {path for path in open_ends if not path.startswith("affinity.")} == {"global", "podSecurityContext"}
    assert SUBSCHEMA["additionalProperties"] is False
    assert set(SUBSCHEMA["properties"]) - set(values) == {"enabled"}
    assert list(jsonschema.Draft7Validator(SUBSCHEMA).iter_errors(values)) == []


def test_objects_are_closed() -> None:
    """A misspelt key is an error, except in globals and in what Kubernetes or the user defines."""
    open_ends = {
        path
        for path, sub in properties(SCHEMA)
        if "object" in sub.get("type", []) and sub.get("additionalProperties", True) is True
    }
    assert open_ends == {
        "affinity.nodeAffinity",
        "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution",
        "affinity.podAffinity",
        "affinity.podAntiAffinity",
        "global",
        "global.groundcoverPredefinedTokenSecret",
        "global.ingress",
        "istio-metrics",
        "metrics.monitors.endpoint",
        "metrics.monitors.spec",
        "podSecurityContext",
        "sensor.config",
        "updateStrategy",
    }
    assert SCHEMA["additionalProperties"] is False


def test_values_and_schema_have_the_same_keys() -> None:
    """Every key has a type, and every property has a default."""
    only_in_schema = {"enabled"}
    optional = re.compile(
        r"^probes\.\w+\.(\w+)$|^istio\.(service|sensor)\.|^istio\.tracing\.maxTagLength$"
        r"|^affinity\.|^resources\.claims$|^istio\.accessLogs\.logFormat\.|^securityContext\.seLinuxOptions\.|\[\]"
    )

    def keys(data: dict[str, Any], path: str = "") -> Iterator[str]:
        for key, value in data.items():
            here = f"{path}.{key}".lstrip(".")
            yield here
            if isinstance(value, dict):
                yield from keys(value, here)

    declared = {path for path, _ in properties(SCHEMA)}
    given = set(keys(VALUES))
    free = {p for p in given if p.startswith(("resources.", "updateStrategy."))}
    assert given - declared - free == set()
    assert {p for p in declared - given if not optional.search(p)} == only_in_schema


def test_defaults_fit_the_schema() -> None:
    """The defaults alone are valid; what is required is a matter of the chart's own messages."""
    assert list(jsonschema.Draft7Validator(SCHEMA).iter_errors(VALUES)) == []


@pytest.mark.parametrize("file", CI_FILES, ids=lambda f: f.stem)
def test_partial_values_fit_the_schema(file: Path) -> None:
    """An editor that checks a user's file by the schema does not ask for every key."""
    assert list(jsonschema.Draft7Validator(SCHEMA).iter_errors(load(file.read_text()))) == []


def test_no_default_is_null() -> None:
    """Helm 4 drops a null default of the chart's own values."""

    def nulls(data: Any) -> bool:
        if isinstance(data, dict):
            return any(nulls(v) for v in data.values())
        return data is None

    assert not nulls(VALUES)
