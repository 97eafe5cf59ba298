from __future__ import annotations

import math

import pytest

from groundcover_istio.errors import ManifestError
from groundcover_istio.k8syaml import block_lines, flow_text, parse, resolve_plain, scalar_text, to_data

# What Helm 3.17.3 and 4.3.1 make of these plain scalars; tests/helm asks them again.
PLAIN = {
    "1e3": 1000, "1E3": 1000, "1e+3": 1000, "1e-3": 0.001, "0o10": 8, "010": 8, "08": 8, "09": 9, "1_000": 1000,
    "y": True, "yes": True, "on": True, "Yes": True, "n": False, "off": False, "0b1": 1, "0x1F": 31, "12:30": "12:30",
    "2024-01-01": "2024-01-01", "123e4567": "123e4567", "=": "=", "~": None, "": None, "null": None, "-0": 0, "-5": -5,
    "+7": 7, ".5": 0.5, "1.": 1, "1.5": 1.5, "-": "-", "1.2.3": "1.2.3", "5s": "5s", "a b": "a b",
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), PLAIN.items(), ids=[f"plain {text!r}" for text in PLAIN])
def test_plain_scalars_are_read_as_kubernetes_reads_them(text: str, value: object) -> None:
    """Numbers, booleans and strings by go-yaml's rules, not by PyYAML's."""
    assert resolve_plain(text) == value
    assert type(resolve_plain(text)) is type(value)


def test_special_floats() -> None:
    """Infinity and not-a-number have YAML's spellings only."""
    assert resolve_plain(".inf") == math.inf
    assert resolve_plain("-.Inf") == -math.inf
    assert math.isnan(float(resolve_plain(".nan") or 0))
    assert resolve_plain("inf") == "inf"


@pytest.mark.parametrize(
    ("text", "data"),
    [
        pytest.param("a: 1\na: 2\n", {"a": 2}, id="of twin keys the last counts"),
        pytest.param("a: &x {b: 1}\nc: *x\n", {"a": {"b": 1}, "c": {"b": 1}}, id="an alias says what its anchor says"),
        pytest.param(
            "x: &x {b: 1, c: 2}\ny: {<<: *x, b: 3}\n", {"x": {"b": 1, "c": 2}, "y": {"c": 2, "b": 3}}, id="merge"
        ),
        pytest.param(
            "x: &x {b: 1}\nz: &z {b: 2, d: 4}\ny:\n  <<: [*x, *z]\n",
            {"x": {"b": 1}, "z": {"b": 2, "d": 4}, "y": {"b": 1, "d": 4}},
            id="of several merged mappings the first counts",
        ),
        pytest.param("!!str 5", "5", id="a tag makes a number text"),
        pytest.param('!!int "5"', 5, id="a tag makes text a number"),
        pytest.param("- 1\n- [a, {b: c}]\n", [1, ["a", {"b": "c"}]], id="lists"),
        pytest.param("1: a\ntrue: b\n", {"1": "a", "true": "b"}, id="keys are text"),
        pytest.param("# nothing\n", None, id="a document of comments is empty"),
    ],
)
def test_data(text: str, data: object) -> None:
    """A document's data is what the API server would get."""
    (tree,) = parse(text) if text[0] != "#" else (None,)
    assert to_data(tree.root if tree else None) == data


def test_several_documents() -> None:
    """Each document has a tree of its own, its positions counted in the whole text."""
    first, second = parse("a: 1\n---\nb: 2\n")
    assert first.root is not None
    assert second.root is not None
    assert (first.root.start, second.root.start) == (0, 9)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{key}: &{key} [{', '.join([f'*{below}'] * 10)}]\n" for below, key in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message", "where"),
    [
        pytest.param(
            "a: b: c\n", "not valid YAML: mapping values are not allowed in this context", "line 1", id="syntax"
        ),
        pytest.param("a:\n  - b\n c: d\n", "not valid YAML", "line 3", id="indentation"),
        pytest.param("[" * 101 + "]" * 101, "nested deeper than 100 levels", "line 1", id="deep nesting"),
        pytest.param(BOMB, "aliases stand for more than 200,000 nodes", "line 6", id="an alias bomb"),
        pytest.param(
            "a: &a [*a]\n", "an alias (*) has no anchor before it or refers to itself", "line 1", id="recursion"
        ),
        pytest.param("a: *b\n", "", "line 1", id="an alias without anchor"),
        pytest.param("a: 1\nb: \0\n", "not valid YAML", "line 2", id="a NUL byte"),
    ],
)
def test_what_is_refused(text: str, message: str, where: str) -> None:
    """What can't be read, or not within bounds, is refused with its line."""
    with pytest.raises(ManifestError) as caught:
        parse(text)
    assert message in caught.value.message
    assert caught.value.where == where


def test_keys_that_are_collections_are_refused() -> None:
    """JSON has no such keys, so neither has Kubernetes."""
    (tree,) = parse("? [a]\n: b\n")
    with pytest.raises(ManifestError, match="as its key"):
        to_data(tree.root)
    (tree,) = parse("a: {<<: 5}\n")
    with pytest.raises(ManifestError, match="no mapping"):
        to_data(tree.root)


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
