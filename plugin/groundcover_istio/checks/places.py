"""Where things stand in a file, through the scalar that holds a mesh config too."""

from __future__ import annotations

import bisect
import re
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio.k8syaml import Alias, Mapping, Scalar, Sequence
from groundcover_istio.spelling import camel

if TYPE_CHECKING:
    from groundcover_istio.k8syaml import Node
    from groundcover_istio.model import Path

_HEADER: Final = re.compile(r"[|>][^\r\n]*")
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
# Escapes that stand for white space or for nothing; every other single character is taken for content.
_BLANK_ESCAPES: Final = frozenset("tnvfrNLP \t\r\n_")


class Lines:
    """Where the lines of a text start."""

    def __init__(self, text: str) -> None:
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both from 1."""
        line = bisect.bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1


class Inner:
    """How the characters of a scalar's value stand in the text around it.

    Only characters that are no white space are followed: in every style they stand in the text in
    the same order, with nothing but white space, quotes and escapes between them.
    """

    def __init__(self, text: str, scalar: Scalar) -> None:
        raw = text[scalar.start : scalar.end]
        self.start = scalar.start
        self.counts = [0, *accumulate(not char.isspace() for char in scalar.value)]
        self.offsets = _contents(raw, scalar.style)
        if len(self.offsets) != self.counts[-1]:
            self.offsets = []

    def outer(self, position: int) -> int:
        """The place in the text around; the scalar's own where that can't be told."""
        count = self.counts[min(position, len(self.counts) - 1)]
        return self.start + self.offsets[count] if count < len(self.offsets) else self.start


def _contents(raw: str, style: str) -> list[int]:
    """Where in a scalar's text each character of its value stands that is no white space."""
    if style == '"':
        return _double_quoted(raw)
    first, last = 0, len(raw)
    if style in ("|", ">"):
        header = _HEADER.match(raw)
        first = header.end() if header else 0
    elif style == "'":
        # Of two quotes that stand for one the second counts; the outer ones are no part of such a pair.
        first, last = 1, len(raw) - 1
        raw = "'" + raw[first:last].replace("''", " '") + "'"
    return [index for index in range(first, last) if not raw[index].isspace()]


def _double_quoted(raw: str) -> list[int]:
    found: list[int] = []
    index = 1
    while index < len(raw) - 1:
        escape = _ESCAPE.match(raw, index)
        if not escape:
            if not raw[index].isspace():
                found.append(index)
            index += 1
            continue
        digits = next((group for group in escape.groups()[:3] if group), "")
        blank = chr(int(digits, 16)).isspace() if digits else escape[4] in _BLANK_ESCAPES
        if not blank:
            found.append(index)
        index = escape.end()
    return found


class Place(NamedTuple):
    """Something that was read from a file, and where its parts stand there."""

    file: str
    resource: str
    """The object it is or belongs to, for messages; empty where there is none."""
    root: Node | None
    lines: Lines
    inner: Inner | None
    """None where it stands in the file itself, not inside a scalar."""

    def at(self, path: Path) -> tuple[int, int]:
        """Line and column of a key or an item, of the last one on the way that is written out."""
        node, found = self.root, self.root
        for key in path:
            if isinstance(node, Alias):
                node = node.target
            step = _step(node, key)
            if step is None:
                break
            found, node = step
        offset = found.start if found is not None else 0
        return self.lines.at(self.inner.outer(offset) if self.inner else offset)


def _step(node: Node | None, key: str | int) -> tuple[Node, Node] | None:
    """The place of a key or an item, and what stands there."""
    if isinstance(node, Sequence) and isinstance(key, int) and key < len(node.items):
        return node.items[key], node.items[key]
    if isinstance(node, Mapping):
        for name, value in reversed(node.pairs):
            if isinstance(name, Scalar) and key in (name.value, camel(name.value)):
                return name, value
    return None
