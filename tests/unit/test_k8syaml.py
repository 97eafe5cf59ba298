from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from groundcover_istio import k8syaml
from groundcover_istio.errors import ManifestError
from groundcover_istio.k8syaml import (
    Alias,
    Mapping,
    Node,
    Scalar,
    Sequence,
    load,
    parse,
    resolve_plain,
    to_data,
)

if TYPE_CHECKING:
    from groundcover_istio.model import Path

# What Helm 3.17.3 and 4.3.1 make of these plain scalars; tests/helm asks them again.
PLAIN = {
    "1e3": 1000, "1E3": 1000, "1e+3": 1000, "1e-3": 0.001, "0o10": 8, "010": 8, "08": 8, "09": 9, "1_000": 1000,
    "y": True, "yes": True, "on": True, "Yes": True, "n": False, "off": False, "0b1": 1, "0x1F": 31, "12:30": "12:30",
    "2024-01-01": "2024-01-01", "123e4567": "123e4567", "=": "=", "~": None, "": None, "null": None, "-0": 0, "-5": -5,
    "+7": 7, ".5": 0.5, "1.": 1, "1.5": 1.5, "-": "-", "1.2.3": "1.2.3", "5s": "5s", "a b": "a b",
    "017": 15, "0b11": 3, "-0x1f": -31, "1\u06634": "1\u06634", "9" * 64: int("9" * 64), "1" * 65: int(float("1" * 65)), "1e999": "1e999",
    "0x" + "f" * 64: 16**64 - 1, "0x" + "f" * 65: "0x" + "f" * 65,
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
        pytest.param(
            "a: &a 5\nb: &b on\nc: {*a : 1, *b : 2}\n",
            {"a": 5, "b": True, "c": {"5": 1, "on": 2}},
            id="an alias as a key is what it stands for",
        ),
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
    """A document's data is what the API server would get, with its whole tree or without."""
    (tree,) = parse(text) if text[0] != "#" else (None,)
    assert to_data(tree.root if tree else None) == data
    assert load(text) == ([data] if tree else [])


SHAPES = "a:\n- b: [c]\n- d: {e: f}\n1: {j: &k {l: m}, n: *k}\n"


@pytest.mark.parametrize(
    ("along", "shape"),
    [
        pytest.param(None, "{a: [{b: [c]}, {d: {e: f}}], 1: {j: {l: m}, n: *{l: m}}}", id="everything"),
        pytest.param([], "<>", id="nothing"),
        pytest.param([()], "{a: <>, 1: <>}", id="the root"),
        pytest.param([("a",)], "{a: [<>, <>], 1: <>}", id="a list"),
        pytest.param([("a", 1)], "{a: [<>, {d: <>}], 1: <>}", id="an item"),
        pytest.param([("a", 1, "d", "x"), ("a", 0)], "{a: [{b: <>}, {d: {e: f}}], 1: <>}", id="two paths"),
        pytest.param([("x", "y")], "{a: <>, 1: <>}", id="what is not there"),
        pytest.param([("b",)], "{a: <>, 1: <>}", id="a key further down"),
        pytest.param([("1", "n", "l")], "{a: <>, 1: {j: <>, n: *<>}}", id="an alias on the way"),
        pytest.param([("1", "j", "l")], "{a: <>, 1: {j: {l: m}, n: *{l: m}}}", id="an anchor on the way"),
    ],
)
def test_what_is_on_no_path_is_folded(along: list[Path] | None, shape: str) -> None:
    """Its data is the same."""
    (whole,), (tree,) = parse(SHAPES), parse(SHAPES, along)
    assert shape_of(tree.root) == shape
    assert to_data(tree.root) == to_data(whole.root)


def shape_of(node: Node | None) -> str:
    """A tree in one line, with `<>` for what is folded."""
    if isinstance(node, Mapping):
        return "{" + ", ".join(f"{shape_of(key)}: {shape_of(value)}" for key, value in node.pairs) + "}"
    if isinstance(node, Sequence):
        return "[" + ", ".join(shape_of(item) for item in node.items) + "]"
    if isinstance(node, Alias):
        return f"*{shape_of(node.target)}"
    return node.value if isinstance(node, Scalar) else "<>"


def test_several_documents() -> None:
    """Each document has a tree of its own, its positions counted in the whole text."""
    first, second = parse("a: 1\n---\nb: 2\n")
    assert first.root is not None
    assert second.root is not None
    assert (first.root.start, second.root.start) == (0, 9)


def test_of_twin_keys_the_last_is_taken() -> None:
    """As Kubernetes takes it."""
    (tree,) = parse("a: 1\nb: 2\na: 3\n")
    assert isinstance(tree.root, k8syaml.Mapping)
    assert to_data(tree.root.get("a")) == 3
    assert tree.root.get("c") is None


def test_documents_of_nothing() -> None:
    """They have no root, wherever they stand."""
    assert [tree.root for tree in parse("# nothing\n---\n---\n" + "\n" * 300 + "# nothing\n---\n")] == [None] * 3


def test_what_aliases_stand_for_is_counted_by_document() -> None:
    """Each document knows its own."""
    assert [tree.expanded for tree in parse("- &x [a, b]\n- *x\n- *x\n---\na\n---\n- &x [a, b]\n- *x\n")] == [6, 0, 3]


@pytest.mark.parametrize(
    ("limit", "text", "size"),
    [
        pytest.param("MAX_LENGTH", "a: bcdef", 8, id="characters"),
        pytest.param(
            "MAX_LENGTH",
            "a: b\n---\nc: defghij\n",
            15,
            id="characters of the longest document, its separators included",
        ),
        pytest.param("MAX_DOCUMENTS", "a\n---\nb\n---\nc\n", 3, id="documents"),
        pytest.param("MAX_NODES", "a", 1, id="a scalar"),
        pytest.param("MAX_NODES", "[a, {b: c}, []]", 6, id="keys, values and collections"),
        pytest.param("MAX_NODES", "- &x a\n- *x\n- *x\n", 4, id="aliases of a scalar"),
        pytest.param("MAX_NODES", "- &x [a, b]\n- *x\n", 7, id="an alias of three nodes"),
        pytest.param("MAX_ALIASED", "- &x a\n- *x\n- *x\n", 2, id="aliases alone"),
        pytest.param("MAX_ALIASED", "- &x [a, {b: c}]\n- *x\n", 5, id="what they stand for"),
        pytest.param("MAX_ALIASED", "- &x [a]\n- &y [*x]\n- *y\n", 5, id="and what that stands for"),
        pytest.param("MAX_ALIASED", "- &x a\n- *x\n---\n- &y b\n- *y\n- *y\n", 3, id="of all documents"),
        pytest.param("MAX_DEPTH", "[[[a]]]", 3, id="lists in lists"),
        pytest.param("MAX_DEPTH", "a: {b: [c]}\nd: {}\n", 3, id="mappings and lists"),
        pytest.param("MAX_DEPTH", "- [[]]\n- a\n- []\n", 3, id="the deepest, wherever it stands"),
        pytest.param("MAX_DEPTH", "- &x a\n- [*x]\n", 2, id="an alias of a scalar"),
        pytest.param("MAX_DEPTH", "- &x [[a]]\n- [*x]\n", 4, id="an alias of a list of lists"),
        pytest.param("MAX_DEPTH", "- &x [a]\n- &y [*x]\n- [[*y]]\n", 5, id="an alias of a list with an alias"),
        pytest.param("MAX_DEPTH", "- &x []\n- [[*x]]\n", 4, id="an alias of an empty list"),
        pytest.param("MAX_DEPTH", "- [[[a]]]\n- &y [b]\n- [[*y]]\n", 4, id="an alias of less than stands before"),
    ],
)
def test_limits(limit: str, text: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As much as a limit says is read, and no more."""
    monkeypatch.setattr(k8syaml, limit, size)
    parse(text)
    monkeypatch.setattr(k8syaml, limit, size - 1)
    with pytest.raises(ManifestError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        pytest.param("\ufeffa: 1\n", 1, id="at the beginning"),
        pytest.param("---\n\ufeffa: 1\n", 5, id="behind the separator"),
        pytest.param("--- \r\n\ufeffa: 1\n", 7, id="behind a separator of Windows"),
    ],
)
def test_byte_order_marks_that_are_skipped(text: str, start: int) -> None:
    """No character moves, so that positions are those of the text."""
    (tree,) = parse(text)
    assert tree.root is not None
    assert tree.root.start == start
    assert to_data(tree.root) == {"a": 1}
    with pytest.raises(ManifestError) as caught:
        parse(f"{text}b: [\n")
    assert caught.value.where == f"line {text.count(chr(10)) + 2}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("\n\ufeffa: 1\n", 2, id="in the second line"),
        pytest.param("a: 1\nb: 2\nc: 3\n\n\ufeffd: 4\n", 5, id="further down"),
        pytest.param("---\n\n\ufeffa: 1\n", 3, id="below the line behind the separator"),
        pytest.param("\ufeffa: 1\n\ufeffb: 2\n", 2, id="below one that is skipped"),
        pytest.param("a: 1\r\ufeffb: 2\n", 1, id="behind a carriage return, which is no line of its own here"),
        pytest.param("a: x\u0085\ufeffb\n", 1, id="behind a next line of Unicode's"),
        pytest.param("a: 1\nb: x\u2028\ufeffy\n", 2, id="behind a line separator"),
        pytest.param("a: x\u2029\ufeffb\n", 1, id="behind a paragraph separator"),
    ],
)
def test_byte_order_marks_that_are_letters(text: str, line: int) -> None:
    """Elsewhere go-yaml takes one for a letter, and libyaml does not."""
    with pytest.raises(ManifestError, match="a byte order mark begins the line") as caught:
        parse(text)
    assert caught.value.where == f"line {line}"


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
        pytest.param("\n\0", "not valid YAML", "line 2", id="a NUL byte below nothing"),
        pytest.param(
            "a: 1\n\n\nb: \x07\n", "not valid YAML: control characters are not allowed", "line 4", id="a bell"
        ),
        pytest.param(
            "[\n" * 120 + "a\n" + "]" * 120,
            "nested deeper than 100 levels",
            "line 101",
            id="deep nesting, where it begins",
        ),
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
    (tree,) = parse("? [a]\n: b\n", [()])
    with pytest.raises(ManifestError, match="as its key"):
        to_data(tree.root)
    with pytest.raises(ManifestError, match="as its key"):
        load("x: 1\ny:\n  ? [a]\n  : [b]\n")
