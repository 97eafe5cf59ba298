"""YAML as Kubernetes reads it: a tree with positions, and its data.

PyYAML's parser scans and parses; what a plain scalar means is
decided here by the rules of Helm and the API server (sigs.k8s.io/yaml on go-yaml v2), which
differ from PyYAML's: `1e3` is a number, `y` a bool, `12:30` a string.
Positions count characters of the text, from 0.
"""

from __future__ import annotations

import sys

from groundcover_istio import libyaml
from groundcover_istio.errors import ManifestError
from groundcover_istio.limits import MAX_ALIASED, MAX_DEPTH, MAX_DOCUMENTS, MAX_LENGTH, MAX_NODES
from groundcover_istio.patterns import pattern
from groundcover_istio.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Final

    from groundcover_istio.model import Data, Path

MERGE_KEY: Final = "<<"

_BOM: Final = "\ufeff"
_MARK_BEHIND_SEPARATOR: Final = pattern(r"---[ \t]*(\r?\n)\ufeff")
_MARK_BEGINS_A_LINE: Final = pattern(r"[\n\r\x85\u2028\u2029]\ufeff")
# What the Python parser, other than the one in C, quotes of the text: in a Secret it may be a password's part.
_QUOTED: Final = pattern(r"(?<=tag handle) .+")
_TOO_DEEP: Final = "exceeded maximum nesting depth"
_SEVERAL: Final = "split it up; Kubernetes takes no object of more than 1.5 MiB"


class Scalar(NamedTuple):
    """A scalar; `style` is '' (plain), one of the two quotes, '|' or '>'."""

    value: str
    style: str
    tag: str
    anchor: str
    start: int
    end: int


class Sequence(NamedTuple):
    """A sequence, in flow (`[a, b]`) or block style."""

    items: list[Node]
    flow: bool
    tag: str
    anchor: str
    start: int
    end: int


class Mapping(NamedTuple):
    """A mapping, in flow (`{a: b}`) or block style; keys in the order written, twins included."""

    pairs: list[tuple[Node, Node]]
    flow: bool
    tag: str
    anchor: str
    start: int
    end: int

    def find(self, key: str) -> list[tuple[Node, Node]]:
        """Every pair under `key`: none, one, or twins."""
        return [pair for pair in self.pairs if isinstance(pair[0], Scalar) and pair[0].value == key]

    def get(self, key: str) -> Node | None:
        """The value under `key`, of twins the last, as Kubernetes reads it."""
        found = self.find(key)
        return found[-1][1] if found else None


class Alias(NamedTuple):
    """A reference to the node with that anchor."""

    anchor: str
    target: Scalar | Sequence | Mapping | Folded
    start: int
    end: int


class Folded(NamedTuple):
    """A collection of which no more is kept than its data, and the node whose words come last in it."""

    data: Data
    last: Scalar | Sequence | Mapping | Alias | Folded | None
    """None in flow style, where that is the collection's own end."""
    tag: str
    anchor: str
    start: int
    end: int


Node = Scalar | Sequence | Mapping | Alias | Folded


class Tree(NamedTuple):
    """One YAML document: its root, None when empty, and the anchors that some alias uses."""

    root: Node | None
    aliased: frozenset[str]
    expanded: int = 0
    """How many nodes its aliases stand for."""


NOTHING: Final = Tree(None, frozenset())


def parse(text: str, along: Iterable[Path] | None = None) -> tuple[Tree, ...]:
    """Read every document in `text`; where paths are given, a collection that is on none of them is folded.

    A tree takes 20 bytes for each character of a mesh config, its data 5. To fold one raises what `to_data` raises.

    Raises ManifestError, its `where` a line of `text` from 1, when it is no YAML, refers to itself,
    or is beyond one of the `limits`. Of the text its message holds no more than a character.
    """
    try:
        return _parse(_without_first_mark(text), _opened(along))
    except ManifestError as error:
        if text.startswith(_BOM) and error.where:
            # Counted with the line break that stood in for the mark.
            error.where = f"line {int(error.where.removeprefix('line ')) - 1}"
        raise


def load(text: str) -> list[Data]:
    """The data of every document in `text`; raises ManifestError as `parse` and `to_data` do."""
    return [to_data(tree.root) for tree in parse(text, ())]


class _Opened(dict["str | int | None", "_Opened"]):
    """A collection that is not folded: what in it is not folded either, by key or index."""


class _AllOpened(_Opened):
    """One in which nothing is folded."""

    def get(self, *_: object) -> _Opened:
        """Itself, whatever the key."""
        return self


def _opened(along: Iterable[Path] | None) -> _Opened | None:
    """How the paths go through a document; None where there is no path."""
    if along is None:
        return _AllOpened()
    root: _Opened | None = None
    for path in along:
        root = opened = _Opened() if root is None else root
        for key in path:
            opened = opened.setdefault(key, _Opened())
    return root


def _parse(text: str, opened: _Opened | None) -> tuple[Tree, ...]:
    try:
        return tuple(_trees(libyaml.parse(text), opened))
    except libyaml.error.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}" if mark else ""
        problem = " ".join(part for part in (error.context, error.problem) if part)
        if _TOO_DEEP in problem:
            raise _too_deep(where) from None
        raise ManifestError(f"not valid YAML: {_QUOTED.sub('', problem)}", where=where) from None
    except libyaml.error.YAMLError as error:
        # A ReaderError, the only one that is not marked: a character that may not stand in YAML.
        reader: Any = error
        line = text.count("\n", 0, reader.position) + 1
        raise ManifestError(f"not valid YAML: {reader.reason}", where=f"line {line}") from None


def _without_first_mark(text: str) -> str:
    """The text with a byte order mark at its beginning or behind its separator as white space; no character moves.

    Helm and kubectl cut a stream before they read it, so there it begins a text and is skipped. At any other beginning
    of a line go-yaml takes it for a letter of the word behind it, and libyaml does not: such a text is refused.
    """
    if _BOM not in text:
        return text
    if text.startswith(_BOM):
        # Skipped, but libyaml then counts its characters from one too few.
        text = "\n" + text[1:]
    if behind := _MARK_BEHIND_SEPARATOR.match(text):
        text = f"{text[: behind.start(1)]} {behind[1]}{text[behind.end() :]}"
    if found := _MARK_BEGINS_A_LINE.search(text):
        line = text.count("\n", 0, found.end()) + 1
        raise ManifestError(
            "a byte order mark begins the line, and Kubernetes takes it for a letter",
            where=f"line {line}",
            hint="remove it",
        )
    return text


def _trees(events: Iterator[libyaml.events.Event], opened: _Opened | None) -> Iterator[Tree]:
    count = expanded = 0
    for event in events:
        if isinstance(event, libyaml.events.DocumentStartEvent):
            count += 1
            if count > MAX_DOCUMENTS:
                raise ManifestError(f"more than {MAX_DOCUMENTS:,} documents", where=_line(event), hint=_SEVERAL)
            tree = _Builder(_start(event), expanded, opened).build(events)
            expanded += tree.expanded
            yield tree


class _Builder:
    """Turns the events of one document into a tree, without recursion."""

    def __init__(self, start: int, expanded: int, opened: _Opened | None) -> None:
        """`start`: where the document begins; `expanded`: what the aliases of those before stand for."""
        self.start = start
        self.opened = opened
        self.before = self.expanded = expanded
        self.anchors: dict[str, tuple[Scalar | Sequence | Mapping | Folded, int, int]] = {}
        self.aliased: set[str] = set()
        self.stack: list[tuple[libyaml.events.CollectionStartEvent, list[Node], int, _Opened | None]] = []
        self.size = 0
        # How deep the collections nest that are open, their closed children and their aliases included.
        self.heights: list[int] = []

    def build(self, events: Iterator[libyaml.events.Event]) -> Tree:
        root: Node | None = None
        for event in events:
            if isinstance(event, libyaml.events.DocumentEndEvent):
                break
            if _end(event) > self.start + MAX_LENGTH:
                raise ManifestError(f"longer than {MAX_LENGTH:,} characters", where=_line(event), hint=_SEVERAL)
            if isinstance(event, libyaml.events.CollectionStartEvent):
                self.stack.append((event, [], self.size, self._opened()))
                self.heights.append(0)
                self._nest(0, event)
                continue
            node = self._node(event)
            if self.stack:
                self.stack[-1][1].append(node)
            else:
                root = node
        if isinstance(root, Scalar) and root.start == root.end:
            root = None
        return Tree(root, frozenset(self.aliased), self.expanded - self.before)

    def _opened(self) -> _Opened | None:
        """What is to become of the collection that begins."""
        if not self.stack:
            return self.opened
        start, children, _, opened = self.stack[-1]
        if opened is None:
            return None
        if isinstance(start, libyaml.events.SequenceStartEvent):
            return opened.get(len(children))
        # Where it is a key itself it counts as what stands before it: no edit leads there.
        key = children[-1] if children else None
        return opened.get(key.value if isinstance(key, Scalar) else None)

    def _node(self, event: libyaml.events.Event) -> Node:
        if isinstance(event, libyaml.events.AliasEvent):
            return self._alias(event)
        if isinstance(event, libyaml.events.ScalarEvent):
            self._grow(1, event)
            scalar = Scalar(
                event.value,
                event.style or "",
                event.tag or "",
                event.anchor or "",
                _start(event),
                _end(event),
            )
            return self._keep(scalar, 1, 0)
        start, children, before, opened = self.stack.pop()
        height = self.heights.pop() + 1
        self._grow(1, event)
        self._nest(height, event)
        place = (bool(start.flow_style), start.tag or "", start.anchor or "", _start(start))
        collection: Sequence | Mapping
        if isinstance(event, libyaml.events.SequenceEndEvent):
            collection = Sequence(children, *place, _end(event))
        else:
            collection = Mapping(list(zip(children[::2], children[1::2], strict=True)), *place, _end(event))
        return self._keep(_folded(collection) if opened is None else collection, self.size - before, height)

    def _alias(self, event: libyaml.events.AliasEvent) -> Alias:
        anchor = event.anchor or ""
        if anchor not in self.anchors:
            # Without its name: in a Secret it may be a password that begins with an asterisk.
            raise ManifestError(
                "an alias (*) has no anchor before it or refers to itself",
                where=_line(event),
                hint="put a text that begins with * in quotes",
            )
        self.aliased.add(anchor)
        target, size, height = self.anchors[anchor]
        self.expanded += size
        if self.expanded > MAX_ALIASED:
            raise ManifestError(
                f"aliases stand for more than {MAX_ALIASED:,} nodes", where=_line(event), hint="write them out"
            )
        self._grow(size, event)
        self._nest(height, event)
        return Alias(anchor, target, _start(event), _end(event))

    def _keep(self, node: Scalar | Sequence | Mapping | Folded, size: int, height: int) -> Node:
        if node.anchor:
            self.anchors[node.anchor] = (node, size, height)
        return node

    def _nest(self, height: int, event: libyaml.events.Event) -> None:
        """Note that something of that height stands in the innermost open collection."""
        if self.heights:
            self.heights[-1] = max(self.heights[-1], height)
        if len(self.heights) + height > MAX_DEPTH:
            raise _too_deep(_line(event))

    def _grow(self, size: int, event: libyaml.events.Event) -> None:
        self.size += size
        if self.size > MAX_NODES:
            raise ManifestError(f"more than {MAX_NODES:,} keys and values", where=_line(event), hint=_SEVERAL)


def _too_deep(where: str) -> ManifestError:
    return ManifestError(f"nested deeper than {MAX_DEPTH} levels", where=where, hint="write it flatter")


def _line(event: Any) -> str:
    return f"line {event.start_mark.line + 1}"


def _start(event: Any) -> int:
    return int(event.start_mark.index)


def _end(event: Any) -> int:
    return int(event.end_mark.index)


def _folded(node: Sequence | Mapping) -> Folded:
    last = None if node.flow else last_leaf(node)
    return Folded(to_data(node), last, node.tag, node.anchor, node.start, node.end)


def last_leaf(node: Node) -> Node:
    """The node whose words come last in a block collection; the node itself in flow style."""
    while isinstance(node, Mapping | Sequence) and not node.flow:
        node = node.pairs[-1][1] if isinstance(node, Mapping) else node.items[-1]
    return node.last or node if isinstance(node, Folded) else node


def to_data(node: Node | None) -> Data:
    """The value of a node, as Helm and the API server would read it.

    Of twin keys the last wins; merge keys (`<<`) are merged; an alias gives its target's value.
    Raises ManifestError where a key is no scalar.
    """
    if node is None:
        return None
    if isinstance(node, Alias):
        return to_data(node.target)
    if isinstance(node, Folded):
        return node.data
    if isinstance(node, Scalar):
        return _scalar_data(node)
    if isinstance(node, Sequence):
        return [to_data(item) for item in node.items]
    return _mapping_data(node)


def _mapping_data(node: Mapping) -> dict[str, Data]:
    merged: dict[str, Data] = {}
    own: dict[str, Data] = {}
    for key, value in node.pairs:
        name = to_data(key)
        if isinstance(name, list | dict):
            raise ManifestError("a mapping has a list or a mapping as its key")
        if is_merge_key(key):
            for source in _merge_sources(to_data(value)):
                for each, held in source.items():
                    merged.setdefault(each, held)
        else:
            # Kept once for all mappings: 2 of 7 MB of a mesh config's data.
            own[sys.intern(name if isinstance(name, str) else _key_text(key))] = to_data(value)
    return {**merged, **own}


def is_merge_key(key: Node) -> bool:
    """Whether a mapping's key is the merge key `<<`."""
    return isinstance(key, Scalar) and key.value == MERGE_KEY and (not key.style or key.tag.endswith(":merge"))


def is_null(node: Node) -> bool:
    """Whether a node is a null that is written plainly: nothing, `~` or `null`."""
    return isinstance(node, Scalar) and not node.style and not node.tag and node.value in _NULL


def _merge_sources(value: Data) -> list[dict[str, Data]]:
    sources = value if isinstance(value, list) else [value]
    if not all(isinstance(source, dict) for source in sources):
        raise ManifestError("a merge key (<<) refers to something that is no mapping")
    return sources


def _key_text(key: Node) -> str:
    """A key that reads as no text, such as `on`, as it is written."""
    key = key.target if isinstance(key, Alias) else key
    return key.value if isinstance(key, Scalar) else ""


def _scalar_data(node: Scalar) -> Data:
    if node.style or node.tag:
        numeric = node.tag.endswith((":int", ":float", ":bool", ":null"))
        return resolve_plain(node.value) if numeric else node.value
    return resolve_plain(node.value)


_TRUE: Final = frozenset(("true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"))
_FALSE: Final = frozenset(("false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF"))
_NULL: Final = frozenset(("", "~", "null", "Null", "NULL"))
_FLOAT: Final = pattern(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER: Final = pattern(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|0[bB]([01]+)|(0|[1-9][0-9]*))")
# Digits. Longer ones are floats to go-yaml, and Python refuses to read very long ones.
_LONGEST_INTEGER: Final = 64
_SPECIAL: Final = {sign + dot: float(sign + dot[1:]) for sign in ("", "+", "-") for dot in (".inf", ".Inf", ".INF")} | {
    dot: float("nan") for dot in (".nan", ".NaN", ".NAN")
}


def resolve_plain(text: str) -> bool | int | float | str | None:
    """What a plain scalar means to Helm and the API server (go-yaml v2, resolve.go)."""
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if text in _SPECIAL:
        return _SPECIAL[text]
    # Words and durations end here, before the patterns, which take 0.3 ms to compile.
    if text[0] not in "+-.0123456789" or text[-1] not in "0123456789abcdefABCDEF._":
        return text
    return _number(text)


def _number(text: str) -> int | float | str:
    # Ports and the like need no patterns either.
    if text.isascii() and text.isdigit() and text[0] != "0" and len(text) <= _LONGEST_INTEGER:
        return int(text)
    digits = text.replace("_", "")
    if match := _INTEGER.fullmatch(digits):
        sign, *groups = match.groups()
        for base, group in zip((16, 8, 2, 10), groups, strict=True):
            if group is not None and len(group) <= _LONGEST_INTEGER:
                return int(sign + group, base)
    if _FLOAT.fullmatch(digits) and abs(number := float(digits)) != float("inf"):
        return _whole(number)
    return text


def _whole(number: float) -> int | float:
    """JSON has one kind of number: 1000.0 and 1000 are the same."""
    return int(number) if number.is_integer() else number
