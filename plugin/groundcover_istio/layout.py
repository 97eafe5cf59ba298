"""Where things stand in a YAML text: lines, columns, where a node's words end and where a line may be put in."""

from __future__ import annotations

from groundcover_istio.k8syaml import Node, Scalar, last_leaf
from groundcover_istio.model import Edit
from groundcover_istio.patterns import pattern
from groundcover_istio.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_REST_OF_LINE: Final = pattern(r"[^\r\n]*(\r\n|\n|\r)?")
_INDICATORS: Final = pattern(r"[|>][-+0-9]*")
_BLANK: Final = pattern(r"[ \t]*")
_COLON: Final = pattern(r"[ \t]*:")


class Span(NamedTuple):
    """An entry of a collection: from its key, dash or item to the end of its words."""

    start: int
    end: int


class Layout:
    """The lines of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"

    def line_start(self, position: int) -> int:
        """The start of the line that `position` is in."""
        return max(self.text.rfind("\n", 0, position), self.text.rfind("\r", 0, position)) + 1

    def line_after(self, position: int) -> int:
        """The start of the next line, `position` itself if it is one, or the end of the text."""
        if self.starts_line(position):
            return position
        match = _REST_OF_LINE.match(self.text, position)
        return match.end() if match else position

    def starts_line(self, position: int) -> bool:
        """Whether a line break stands right before `position`."""
        return position > 0 and self.text[position - 1] in "\r\n"

    def column(self, position: int) -> int:
        """How many characters stand before `position` on its line, a byte order mark not counted."""
        start = self.line_start(position)
        return position - start - self.text.startswith("\ufeff", start)

    def entry_start(self, key: Node) -> int:
        """Where a pair in block style begins: at its key, or at the question mark before that."""
        lead = self.text[self.line_start(key.start) : key.start]
        mark = lead.rstrip(" \t")
        is_explicit = mark.endswith("?") and not mark[:-1].strip("-: \t\ufeff")
        return key.start - len(lead) + len(mark) - 1 if is_explicit else key.start

    def after_blanks(self, position: int) -> int:
        """The first character from `position` on that is neither space nor tab."""
        match = _BLANK.match(self.text, position)
        return match.end() if match else position

    def after_colon(self, key: Node) -> int:
        """The place behind a key's colon, -1 where the key is not written as `key:`."""
        match = _COLON.match(self.text, key.end)
        return match.end() if match else -1

    def words_end(self, node: Node) -> int:
        """Where what the node says ends: before comments, blank lines and the break of a block scalar."""
        leaf = last_leaf(node)
        if isinstance(leaf, Scalar) and leaf.style in ("|", ">"):
            return len(self.text[: leaf.end].rstrip(" \t\r\n"))
        return leaf.end

    def line_below(self, node: Node) -> int:
        """Where a line may be put in below the node without becoming part of it."""
        leaf, end = last_leaf(node), self.line_after(self.words_end(node))
        if isinstance(leaf, Scalar) and leaf.style in ("|", ">"):
            below = self.text[end : leaf.end]
            if "+" in self._indicators(leaf) or below.strip("\r\n"):
                return leaf.end  # Its blank lines are part of what it says.
        return end

    def insert_lines(self, position: int, lines: list[str]) -> Edit:
        """Whole lines put in at `position`, the start of a line or the end of the text."""
        text = self.newline.join(lines)
        behind = position > 0 and not self.starts_line(position)
        return Edit(position, position, self.newline + text if behind else text + self.newline)

    def keep_stripped(self, node: Node) -> list[Edit]:
        """What keeps the value of a block scalar at the very end of the text, when lines come below it.

        Cut off before its line break it has none at its end; with a line below it would get one.
        """
        leaf = last_leaf(node)
        if not isinstance(leaf, Scalar) or leaf.style not in ("|", ">") or leaf.end < len(self.text):
            return []
        indicators = self._indicators(leaf)
        if self.starts_line(leaf.end) or "-" in indicators:
            return []
        return [Edit(leaf.start, leaf.start + len(indicators), indicators.replace("+", "") + "-")]

    def _indicators(self, scalar: Scalar) -> str:
        match = _INDICATORS.match(self.text, scalar.start)
        return match[0] if match else ""

    def remove_lines(self, span: Span, following: int) -> Edit:
        """Remove an entry in block style; `following` is where the next one starts, `span.end` if there is none.

        A comment behind it stays on its line. The first key of a list item stands behind the dash:
        there the next one moves up, unless a comment is between them.
        """
        rest = self.after_blanks(span.end)
        comment = self.text[rest : rest + 1] not in ("", "\r", "\n")
        line_start = self.line_start(span.start)
        if not self.text[line_start : span.start].strip():
            if comment:
                return Edit(span.start, rest, "")
            return Edit(line_start, self.line_after(span.end), "")
        return Edit(span.start, rest if comment or self.text[span.end : following].strip() else following, "")
