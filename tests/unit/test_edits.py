"""Operations on data, laid onto the text that holds it."""

from __future__ import annotations

import json

import pytest

from groundcover_istio.edits import apply, apply_to_data, edits_for, find_scalar
from groundcover_istio.errors import EditError
from groundcover_istio.k8syaml import parse, to_data
from groundcover_istio.model import Data, Edit, Operation, Path


def put(*path: str | int, to: Data) -> Operation:
    """Set the value at a path."""
    return Operation("set", path, to)


def append(*path: str | int, item: Data) -> Operation:
    """Add an item to the list at a path."""
    return Operation("append", path, item)


def remove(*path: str | int) -> Operation:
    """Take away what is at a path."""
    return Operation("remove", path)


def rename(*path: str | int, to: str) -> Operation:
    """Another name for a key."""
    return Operation("rename", path, to)


def edited(text: str, *operations: Operation) -> str:
    """The text with the operations laid onto it; to know the tree along their paths is enough."""
    (tree,), (along,) = parse(text), parse(text, [operation.path for operation in operations])
    edits = edits_for(text, tree, operations)
    assert edits_for(text, along, operations) == edits
    return apply(text, edits)


MANY = "".join(f"- {number}\n" for number in range(300))
BLOCKS = [
    pytest.param("a: 1\r\nb: 2\r\n", [put("c", "d", to=3)], "a: 1\r\nb: 2\r\nc:\r\n  d: 3\r\n", id="line breaks are the text's own"),
    pytest.param("- a: 1\n  b: 2\n- c\n", [remove(0, "a")], "- b: 2\n- c\n", id="the first key of an item"),
    pytest.param("- a: 1\n  b: 2\n  c: 3\n", [remove(0, "a")], "- b: 2\n  c: 3\n", id="the first of three"),
    pytest.param("- a: 1 # x\n  b: 2\n", [remove(0, "a")], "- # x\n  b: 2\n", id="its comment stays"),
    pytest.param("- a: 1\n  # x\n  b: 2\n", [remove(0, "a")], "- \n  # x\n  b: 2\n", id="and one between"),
    pytest.param("a:\n- 1\n- 2", [remove("a", 1)], "a:\n- 1\n", id="the last item of a text without final line break"),
    pytest.param("[a, {b: 1}]\n", [put(1, "b", to="x y")], '[a, {b: "x y"}]\n', id="inside a flow list"),
    pytest.param("[a, {b: 1}]\n", [put(1, "b", to="x")], "[a, {b: x}]\n", id="which is no JSON"),
    pytest.param("a:  |\n  x\nb: 1\n", [put("a", to=5)], "a: 5\nb: 1\n", id="a block scalar becomes a number"),
    pytest.param("a: b\n", [put("a", to={"c": [1]})], "a:\n  c:\n  - 1\n", id="a scalar becomes a mapping"),
    pytest.param("a:\n a: b\n", [put("a", "a", to={"c": 1})], "a:\n a:\n   c: 1\n", id="a scalar becomes one, indented by one"),
    pytest.param("a:\n   a: b\n", [put("a", "a", to=[1])], "a:\n   a:\n   - 1\n", id="a scalar becomes a list, indented by three"),
    pytest.param("a: 'x'\n", [put("a", to="y")], "a: 'y'\n", id="quotes stay"),
    pytest.param("a: |\n  x\n     \nb: 1\n", [put("c", to=1)], "a: |\n  x\n     \nb: 1\nc: 1\n", id="below a scalar with a blank end"),
    pytest.param("b: 1\na: |\n  x\n     \n", [put("c", to=1)], "b: 1\na: |\n  x\n     \nc: 1\n", id="blank rows that are content"),
    pytest.param("'a': 1\n", [rename("a", to="b")], "'b': 1\n", id="a key keeps its quotes"),
    pytest.param("a: 1\nb: 2\nc: 3\n", [rename("b", to="d")], "a: 1\nd: 2\nc: 3\n", id="a key among others"),
    pytest.param("a:\nb: 1\n", [put("a", to=5)], "a: 5\nb: 1\n", id="a key without a value"),
    pytest.param("a: # x\nb: 1\n", [put("a", to=5)], "a: 5 # x\nb: 1\n", id="a key with a comment instead"),
    pytest.param("{a: , b: 1}\n", [put("a", to=5)], "{a: 5, b: 1}\n", id="a key without a value in flow style"),
    pytest.param("{'a':, b: 1}\n", [put("a", to=5)], "{'a': 5, b: 1}\n", id="a key in quotes without a value in flow style"),
    pytest.param("? a\n: 1\n", [put("a", to=5)], "? a\n: 5\n", id="a value behind a colon of its own line"),
    pytest.param("- 1\n- 2\n", [remove(0)], "- 2\n", id="the first item of all"),
    pytest.param(MANY, [remove(299)], MANY.removesuffix("- 299\n"), id="the last item of many"),
    pytest.param(f"a:\n{MANY}b: 1", [remove("b"), put("c", to=2)], f"a:\n{MANY}c: 2", id="the last line goes and another comes"),
    pytest.param("a: 1\nb: 2\n", [remove("a"), put("b", to=3), put("c", to=4)], "b: 3\nc: 4\n", id="several at once"),
    pytest.param("a:\n- 1\n", [append("a", item=2), append("a", item=3)], "a:\n- 1\n- 2\n- 3\n", id="in the order given"),
    pytest.param("- 1\n- 2\n", [put(0, to=3), remove(1)], "- 3\n", id="items by their place before any of it changes"),
    pytest.param("-\n- 1\n", [put(0, "a", to=5)], "- a: 5\n- 1\n", id="below an item that says nothing"),
    pytest.param("-\n", [put(0, "a", "b", to=5)], "- a:\n    b: 5\n", id="two levels below one"),
    pytest.param("a:\n  - # - x\n  - 1\n", [put("a", 0, "b", "c", to=5)], "a:\n  - b: # - x\n      c: 5\n  - 1\n", id="below one with a comment"),
    pytest.param("- - ~\n  - 1", [put(0, 0, "a", to=5), put(0, 0, "b", to=6)], "- - a: 5\n    b: 6\n  - 1", id="below one that says null, in a list in a list"),
    pytest.param("? a\n: 1\n", [put("b", to=5)], "? a\n: 1\nb: 5\n", id="below a key behind a question mark"),
    pytest.param("- ? a\n  : 1\n", [put(0, "b", to=5)], "- ? a\n  : 1\n  b: 5\n", id="below one in a list"),
    pytest.param("a?: 1\n", [put("b", to=5)], "a?: 1\nb: 5\n", id="below a key that has a question mark"),
    pytest.param("? a\n: - 1\n", [append("a", item=2)], "? a\n: - 1\n  - 2\n", id="a list below one"),
    pytest.param("-", [put(0, "a", "b", to=5)], "- a:\n    b: 5", id="below one at the end of a text without final line break"),
]  # fmt: skip
FLOWS = [
    pytest.param("[null, 1]\n", [put(0, "a", "b", to=5)], "[{a: {b: 5}}, 1]\n", id="below an item that says null"),
    pytest.param("[a, b, c]\n", [remove(1)], "[a, c]\n", id="one in the middle"),
    pytest.param("[a, b, c, d]\n", [remove(2), remove(1)], "[a, d]\n", id="two in the middle"),
    pytest.param("[a, b, c, d]\n", [remove(3), remove(0)], "[b, c]\n", id="first and last"),
    pytest.param("[a, b]\n", [remove(1), remove(0)], "[]\n", id="all"),
    pytest.param("[a, # x\n b, # y\n c]\n", [remove(0)], "[ # x\n b, # y\n c]\n", id="the first, its comment stays"),
    pytest.param("[a, # x\n b, # y\n c]\n", [remove(1)], "[a, # x\n  # y\n c]\n", id="the middle one, its comment stays"),
    pytest.param("[a, # x\n b, # y\n c]\n", [remove(2), remove(1)], "[a # x\n  # y\n ]\n", id="the last two, both comments stay"),
    pytest.param("[a, # x, y\n b]\n", [remove(0)], "[ # x, y\n b]\n", id="a comma in a comment is not one of the list's"),
    pytest.param('{"a":1}\n', [put("a", to="b")], '{"a":"b"}\n', id="JSON without blanks"),
    pytest.param('{"a": 1}\n', [put("b", to={"c": [True]})], '{"a": 1, "b": {"c": [true]}}\n', id="JSON stays JSON"),
    pytest.param("{a: 1}\n", [put("b", to="x")], "{a: 1, b: x}\n", id="flow style stays flow style"),
    pytest.param("{'a': 1}\n", [put("b", to="x")], "{'a': 1, b: x}\n", id="single quotes are no JSON"),
    pytest.param("x: [a,\n  b, c]\n", [append("x", item="d")], "x: [a,\n  b, c, d]\n", id="an item where several stand on a line"),
    pytest.param("x: [\n  a,\n  b\n]\n", [append("x", item="c")], "x: [\n  a,\n  b,\n  c\n]\n", id="an item where each has a line"),
    pytest.param("x: {\n  a: 1\n}\n", [put("x", "b", to=2)], "x: {\n  a: 1,\n  b: 2\n}\n", id="a key where each has a line"),
    pytest.param("[\n  a,\n  b\n]\n", [put(0, to="c"), remove(1)], "[\n  c\n]\n", id="an item to a line"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "operations", "result"), [*BLOCKS, *FLOWS])
def test_edits(text: str, operations: list[Operation], result: str) -> None:
    """Operations on the data are the smallest change of the text."""
    assert edited(text, *operations) == result


@pytest.mark.parametrize(("text", "operations", "result"), [*BLOCKS, *FLOWS])
def test_edits_further_down(text: str, operations: list[Operation], result: str) -> None:
    """Wherever in a text it stands: below a long comment the same is done."""
    above = further_up(text)
    assert edited(above + text, *operations) == above + result


def further_up(text: str) -> str:
    """Something long that may stand above a text: a comment with its line breaks, or blanks, as JSON has no comments."""
    comment = f"# {'far ' * 100}" + ("\r\n" if "\r\n" in text else "\n")
    return " " * 400 if text.startswith('{"') else comment


@pytest.mark.parametrize(("text", "operations", "result"), [*BLOCKS, *FLOWS])
def test_edits_say_what_the_operations_do(text: str, operations: list[Operation], result: str) -> None:
    """Read again, the text says what the same operations make of the data, in the same order."""
    (before,), (after,) = parse(text), parse(result)
    assert json.dumps(apply_to_data(to_data(before.root), operations)) == json.dumps(to_data(after.root))


def test_what_operations_leave_alone_is_shared() -> None:
    """The data before stays as it was."""
    name = "abc"[:2]  # equal to "ab", and another object
    before: Data = {name: [{"c": 1}, {"d": 2}], "e": {"f": 3}}
    operations = [put("ab", 0, "c", to=4), append("ab", item=5), rename("e", to="g"), put("h", "i", to=6)]
    after = apply_to_data(before, operations)
    assert after == {"ab": [{"c": 4}, {"d": 2}, 5], "g": {"f": 3}, "h": {"i": 6}}
    assert before == {"ab": [{"c": 1}, {"d": 2}], "e": {"f": 3}}
    assert after["ab"][1] is before[name][1]
    assert apply_to_data({name: 1}, [rename("ab", to="c")]) == {"c": 1}


@pytest.mark.parametrize(
    ("text", "operation", "message"),
    [
        pytest.param("a: 5\n", put("a", "b", to=1), "a is neither a mapping nor a list", id="below a scalar"),
        pytest.param("a: [x]\n", put("a", "b", to=1), "a is a list, not a mapping", id="a key of a list"),
        pytest.param("a: {b: []}\n", put("a", "b", "c", to=1), "a.b is a list, not a mapping", id="a key of an empty list"),
        pytest.param("a: [[x]]\n", put("a", 0, to="y"), "a[0] is not a scalar", id="an item that is a list"),
        pytest.param("a: [[x]]\n", append("a", 0, item="y"), "a[0] is not a scalar", id="an item in an item that is a list"),
        pytest.param("a: &x {}\n", put("a", "b", to=1), "a carries the anchor &x, which a change would lose", id="an anchor"),
        pytest.param("a: !x {}\n", put("a", "b", to=1), "a carries the tag !x, which a change would lose", id="a tag"),
        pytest.param("a: &x\n  b: 1\nc: *x\n", put("a", "b", to=2), "a carries the anchor &x, which an alias uses elsewhere", id="an anchor in use"),
        pytest.param("a: &x {}\nc: *x\n", put("c", "b", to=2), "c is the alias *x", id="an alias"),
        pytest.param("a: 1\na: 2\n", put("a", to=3), "a stands there 2 times", id="twins"),
        pytest.param("x: &x {a: 1}\nb:\n  <<: *x\n", put("b", "a", to=3), "b has a merge key (<<)", id="a merge key"),
        pytest.param("? a\n: 1\n", put("a", to=[1]), "a is not written as `key:`", id="a question mark"),
        pytest.param("? a\n: |\n  b\n", put("a", to=1), "a is not written as `key:`", id="one and a block scalar"),
        pytest.param("? a\n: 1\nb: 2\n", remove("a"), "a is not written as `key:`", id="one that is to go"),
        pytest.param("? a\nb: 1\n", put("a", to=1), "a is not written as `key:`", id="one without a value"),
        pytest.param("{a, b: 1}\n", put("a", to=1), "a is not written as `key:`", id="a key alone"),
    ],
)  # fmt: skip
def test_edits_that_are_refused(text: str, operation: Operation, message: str) -> None:
    """What can't be changed safely is named by its path."""
    for above in ("", further_up(text)):
        with pytest.raises(EditError) as caught:
            edited(above + text, operation)
        assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        pytest.param("a: &x {b: c}\nd: *x\n", ("a", "b"), "a carries the anchor &x", id="an anchor at the first key"),
        pytest.param("a:\n- b: &x {c: d}\n- *x\n", ("a", 0, "b", "c"), "a[0].b carries the anchor &x", id="one further down"),
        pytest.param("a: {b: 1, b: 2}\n", ("a", "b"), "a.b stands there 2 times", id="twins"),
        pytest.param("a: {b: [c]}\n", ("a", "b"), "a.b is not written out", id="a list"),
        pytest.param("a: {b: c}\n", ("a", "d"), "a.d is not written out", id="nothing"),
        pytest.param("a: [b]\n", ("a", 0), "a[0] is not written out", id="an item"),
    ],
)  # fmt: skip
def test_scalars_that_are_refused(text: str, path: Path, message: str) -> None:
    """The message names the place where the way ends."""
    (tree,) = parse(text)
    with pytest.raises(EditError) as caught:
        find_scalar(tree, path)
    assert caught.value.message.startswith(message)


def test_a_scalar_and_what_holds_it() -> None:
    """By keys and list indices."""
    (tree,) = parse("a: [b, {c: d}]\n")
    holder, scalar = find_scalar(tree, ("a", 1, "c"))
    assert scalar.value == "d"
    assert holder.get("c") is scalar


def test_edits_that_overlap_are_refused() -> None:
    """Neither of them would come out as it was meant."""
    with pytest.raises(EditError, match="two changes fall on the same text"):
        apply("abc", [Edit(0, 2, "x"), Edit(1, 3, "y")])
    assert apply("abc", [Edit(2, 3, "y"), Edit(0, 2, "x"), Edit(3, 3, "z")]) == "xyz"
