"""Data as YAML text."""

from __future__ import annotations

import pytest

from groundcover_istio.serializer import block_lines, flow_text, scalar_text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.5, "1.5"),
        (1000.0, "1000"),
        (1e-05, "0.00001"),
        (1.5e-20, "0.000000000000000000015"),
        (-1.5e-07, "-0.00000015"),
        (2.25e-06, "0.00000225"),
        (float("inf"), ".inf"),
        (float("-inf"), "-.inf"),
        (float("nan"), ".nan"),
    ],
)
def test_numbers_are_written_without_exponent(number: float, text: str) -> None:
    """A YAML 1.1 reader takes `1e-05` for a text."""
    assert scalar_text(number) == text


@pytest.mark.parametrize(
    ("value", "style", "text"),
    [
        pytest.param("otel-tracing", "", "otel-tracing", id="a name is plain"),
        pytest.param("a.b.svc.cluster.local", "", "a.b.svc.cluster.local", id="a host is plain"),
        pytest.param("/v1/traces", "", "/v1/traces", id="a path is plain"),
        pytest.param("5s", "", "5s", id="a duration is plain"),
        pytest.param("yes", "", '"yes"', id="a word that is a boolean is quoted"),
        pytest.param("y", "", '"y"', id="so is one that go-yaml takes for one"),
        pytest.param("1e3", "", '"1e3"', id="and what looks like a number"),
        pytest.param("", "", '""', id="and nothing"),
        pytest.param("a: b", "", '"a: b"', id="and punctuation"),
        pytest.param('a"\\\n\t\x07\u2028é', "", '"a\\"\\\\\\n\\t\\u0007\\u2028é"', id="escapes are JSON's"),
        pytest.param("it's", "'", "'it''s'", id="single quotes are kept"),
        pytest.param("a\nb", "'", '"a\\nb"', id="unless they can't hold the text"),
        pytest.param("a", '"', '"a"', id="double quotes are kept"),
        pytest.param(None, "", "null", id="null"),
        pytest.param(True, '"', "true", id="booleans are never quoted"),
        pytest.param(0.00001, "", "0.00001", id="no exponent"),
        pytest.param(12.5, "", "12.5", id="a fraction"),
        pytest.param(5.0, "", "5", id="a whole number"),
    ],
)
def test_scalar_text(value: object, style: str, text: str) -> None:
    """A scalar is written so that no YAML reader takes it for something else."""
    assert scalar_text(value, style=style) == text


def test_blocks_and_flows() -> None:
    """The same data in block style, flow style and JSON."""
    data = {"a": [{"b": 1, "c": []}, "x"], "d": {}, "e": {"f": None}}
    block = ["a:", "- b: 1", "  c: []", "- x", "d: {}", "e:", "  f: null"]
    assert block_lines(data, 0) == block
    assert block_lines(data, 2) == ["  " + line for line in block]
    assert flow_text(data, json=False) == "{a: [{b: 1, c: []}, x], d: {}, e: {f: null}}"
    assert flow_text(data, json=True) == '{"a": [{"b": 1, "c": []}, "x"], "d": {}, "e": {"f": null}}'
    assert block_lines([], 1) == [" []"]
