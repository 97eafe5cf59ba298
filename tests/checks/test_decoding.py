"""Types as istiod's decoder takes them.

`data/decoded.json` holds random mesh configs, and whether Go's golang/protobuf v1.5.4 jsonpb, lenient as
istiod calls it, read them into istio.io/api's MeshConfig of the 1.31 line. `python tools/decoded.py` asks it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from groundcover_istio.decoding import normal, wrong_types
from groundcover_istio.mesh_types import ENUMS, MESSAGES

RECORDED = json.loads((Path(__file__).parent / "data" / "decoded.json").read_text())
SCALARS = {"string", "bool", "double", "duration", "object", "struct", "int32", "uint32", "int64"}


def test_agrees_with_the_decoder() -> None:
    """What it reads has no wrong type, what it refuses has one."""
    assert len(RECORDED) >= 400
    wrong = [each for each in RECORDED if each["accepted"] == bool(list(wrong_types(normal(each["mesh"]))))]
    assert wrong == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("proxyListenPort", 15001.0),
        ("proxyListenPort", 1e3),
        ("proxyListenPort", " 15001 "),
        ("proxyListenPort", "null"),
        ("accessLogEncoding", 1.0),
        ("connectTimeout", "2562047h"),
        ("connectTimeout", "-1.5h.5m0s"),
    ],
)
def test_what_istiod_reads(field: str, value: object) -> None:
    """YAML becomes JSON on its way, where 15001.0 is 15001; text in a number's place loses its quotes."""
    assert list(wrong_types({field: value})) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("proxyListenPort", 15001.5),
        ("proxyListenPort", "015001"),
        ("proxyListenPort", "15001\n"),
        ("proxyListenPort", 1e22),
        ("defaultConfig.fileFlushMinSizeKb", -0.0),
        ("defaultConfig.fileFlushMinSizeKb", "-0"),
        ("defaultConfig.tracing.sampling", "1e999"),
        ("defaultConfig.tracing.sampling", float("nan")),
        ("connectTimeout", "2562048h"),
        ("connectTimeout", "9999999999999999999999s"),
        ("connectTimeout", "٣s"),
    ],
)
def test_what_istiod_does_not_read(field: str, value: object) -> None:
    """Go's durations end at 292 years, its unsigned numbers know no -0, JSON no leading 0."""
    mesh: object = value
    for key in reversed(field.split(".")):
        mesh = {key: mesh}
    assert len(list(wrong_types(mesh))) == 1


def test_every_type_is_known() -> None:
    """The table refers to nothing outside itself."""
    kinds = {kind.lstrip("[]{}") for fields in MESSAGES.values() for kind in fields.values()}
    assert kinds <= SCALARS | MESSAGES.keys() | ENUMS.keys()


@pytest.mark.parametrize(
    ("mesh", "expected"),
    [
        (
            {"extension_providers": [{"zipkin": {"max_tag_length": 1}}]},
            {"extensionProviders": [{"zipkin": {"maxTagLength": 1}}]},
        ),
        ({"defaultConfig": {"proxy_metadata": {"A_b": "x"}}}, {"defaultConfig": {"proxyMetadata": {"A_b": "x"}}}),
        ({"no_such_field": {"a_b": 1}}, {"no_such_field": {"a_b": 1}}),
        ({"extensionProviders": "a_b"}, {"extensionProviders": "a_b"}),
    ],
    ids=["fields at every level", "keys of a map are data", "unknown fields stay", "wrong types stay"],
)
def test_both_spellings(mesh: dict[str, object], expected: dict[str, object]) -> None:
    """Snake case becomes camel case where that is a field."""
    assert normal(mesh) == expected
