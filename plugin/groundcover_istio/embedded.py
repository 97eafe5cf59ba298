"""YAML inside a scalar: edits of the inner text become one edit of the outer text.

A ConfigMap holds the mesh config as text in the scalar `data.mesh`. Each scalar style is taken
apart into pieces of which it is known how they stand in the outer text; pieces that an edit does
not touch are put back as they stood, the others are written in the same style where it can hold
them. Where it can't (or the scalar is empty), the scalar becomes a literal block, or a
double-quoted string inside flow style and JSON.
"""

from __future__ import annotations

import io

from groundcover_istio.edits import apply
from groundcover_istio.k8syaml import is_null
from groundcover_istio.layout import Layout
from groundcover_istio.model import Edit
from groundcover_istio.patterns import pattern
from groundcover_istio.records import NamedTuple
from groundcover_istio.serializer import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Final

    from groundcover_istio.k8syaml import Mapping, Scalar

_BREAK: Final = pattern(r"\r\n|\n|\r")
# What ends a block scalar, by YAML 1.1, which PyYAML and go-yaml read (§5.4).
_FINAL_BREAK: Final = pattern(r"(?:\r\n|[\n\r\x85\u2028\u2029])\Z")
_HEADER: Final = pattern(r"[|>][-+]?([1-9])?[-+]?[ \t]*(?:#[^\r\n]*)?(\r\n|\n|\r|\Z)")


def embed(text: str, holder: Mapping, scalar: Scalar, edits: Sequence[Edit]) -> Edit:
    """One edit of `text` that makes `edits`, given in characters of the scalar's value, inside `scalar`.

    `holder` is the mapping that the scalar is a value of. A plain null counts as no text.
    """
    raw = text[scalar.start : scalar.end]
    changed: str | None = None
    column = Layout(text).column(holder.pairs[0][0].start)
    if scalar.style in ("|", ">"):
        changed = _edit_block(raw, scalar, edits, column)
    elif scalar.style in ('"', "'") and scalar.value:
        changed = _edit_quoted(raw, scalar, edits)
    if changed is not None:
        return Edit(scalar.start, scalar.end, changed)
    return _rewritten(text, holder, scalar, apply("" if is_null(scalar) else scalar.value, edits), column)


def _rewritten(text: str, holder: Mapping, scalar: Scalar, value: str, column: int) -> Edit:
    """The whole scalar anew."""
    gap = " " if text[scalar.start - 1 : scalar.start] == ":" else ""
    if holder.flow or "\r" in value or value.lstrip("\n").startswith(" "):
        tail = _BREAK.findall(text[scalar.start : scalar.end])[-1:] if scalar.style in ("|", ">") else []
        return Edit(scalar.start, scalar.end, f'{gap}"{escape(value)}"{"".join(tail)}')
    newline = "\r\n" if "\r\n" in text else "\n"
    indent = " " * (column + 2)
    lines = [indent + line if line else "" for line in value.removesuffix("\n").split("\n")]
    header = "|" if value.endswith("\n") else "|-"
    if scalar.style in ("|", ">"):
        # Its range includes the line break behind it, which stays; so does a comment on its first line.
        raw = text[scalar.start : scalar.end]
        comment = raw.splitlines()[0].lstrip("|>+-0123456789")
        final = _FINAL_BREAK.search(raw)
        changed = newline.join([header + comment, *lines]) + (final[0] if final else newline)
        return Edit(scalar.start, scalar.end, changed)
    # A comment behind the scalar stays on its line; a block scalar that ends with a line break needs one.
    rest = _BREAK.split(text[scalar.end :], maxsplit=1)[0]
    end = scalar.end + len(rest)
    tail_break = [""] if end == len(text) else []
    return Edit(scalar.start, end, gap + newline.join([(header + rest).rstrip(), *lines, *tail_break]))


# --- block scalars -------------------------------------------------------------------------------


class _Line(NamedTuple):
    """A line of the value: `raw` is how it stands in the outer text, up to its last character."""

    value: str
    raw: str
    gap: str
    """The outer text from this line's end to the next one's start."""


def _edit_block(raw: str, scalar: Scalar, edits: Sequence[Edit], column: int) -> str | None:
    header = _HEADER.match(raw)
    if not header:
        return None
    content, tail = _without_blank_end(raw[header.end() :])
    # An indentation indicator counts from the column of the keys (YAML 1.2 §8.1.1.1).
    indent = " " * (column + int(header[1])) if header[1] else _indentation(content)
    # A scalar of nothing has no row whose line break could stay behind the new ones.
    if not indent or not content.strip() or not _says(_lines(content, scalar.style, indent), scalar.value):
        return None
    newline = header[2] or "\n"
    wanted = apply(scalar.value, edits)
    lines = enumerate(_lines(content, scalar.style, indent))
    # What is written so far, and the line of the value it ends with: its index, or -1, its text and what is behind it.
    out = io.StringIO()
    before, gap, empty = -1, "", 0
    above: str | None = None
    for origin, line in _edited_lines(scalar.value, wanted, edits):
        if not line and scalar.style == ">":
            empty += 1
            continue
        if above is not None:
            kept = before >= 0 and origin == before + 1 + empty
            out.write(gap if kept else newline * (empty + _breaks(above, line, scalar.style)))
        if origin >= 0:
            found = next(each for index, each in lines if index == origin)
            out.write(found.raw)
            gap = found.gap
        else:
            out.write(indent + line if line else "")
        before, above, empty = origin, line, 0
    changed = out.getvalue()
    if not _says(_lines(_without_blank_end(changed)[0], scalar.style, indent), wanted):
        return None
    return header[0] + changed + tail


def _says(lines: Iterator[_Line], value: str) -> bool:
    """Whether a block scalar of these lines has that value, line breaks at its end aside."""
    position = 0
    for line in lines:
        end = position + len(line.value)
        if value[position:end] != line.value or value[end : end + 1] not in ("", "\n"):
            return False
        position = end + 1
    return position == len(value.rstrip("\n")) + 1


def _indentation(content: str) -> str:
    """The spaces before the first line of a block scalar that is not blank."""
    first = next((row for row, _ in _rows(content) if row.strip(" ")), "")
    return first[: len(first) - len(first.lstrip(" "))]


def _lines(content: str, style: str, indent: str) -> Iterator[_Line]:
    """The lines of a block scalar's value.

    In a folded one a line of the value may take several rows (YAML 1.2 §8.1.3).
    """
    if style == "|":
        yield from (_Line(row[len(indent) :], row, gap) for row, gap in _rows(content))
        return
    # Of a line of the value: its words and its raw text in pieces, and what stands behind it.
    words: list[str] = []
    raws: list[str] = []
    gap = ""
    for row, behind in _rows(content):
        word = row[len(indent) :]
        if words and not word:
            gap += row + behind
            continue
        if words:
            empty = len(_BREAK.findall(gap)) - _breaks(words[0], word, style)
            if empty < 0:
                words.append(word)
                raws += [gap, row]
                gap = behind
                continue
            yield _Line(" ".join(words), "".join(raws), gap)
            # Empty lines have no text of their own: what stands between is all behind the line above them.
            yield from [_Line("", "", "")] * empty
        words, raws, gap = [word], [row], behind
    yield _Line(" ".join(words), "".join(raws), gap)


def _without_blank_end(body: str) -> tuple[str, str]:
    """A block scalar up to its last line that is not blank, and what follows it."""
    content = body.rstrip(" \t\r\n")
    # White space at the end of the last line is content, on the lines after it is not.
    last = _BREAK.search(body, len(content))
    return (body[: last.start()], body[last.start() :]) if last else (body, "")


def _rows(content: str) -> Iterator[tuple[str, str]]:
    """Physical lines with their line breaks."""
    position = 0
    for match in _BREAK.finditer(content):
        yield content[position : match.start()], match[0]
        position = match.end()
    yield content[position:], ""


def _edited_lines(before: str, after: str, edits: Sequence[Edit]) -> Iterator[tuple[int, str]]:
    """The lines of the edited value, each with the index of the line it was, or -1 if anything in it changed."""
    last_before, last_after = (len(value.rstrip("\n")) for value in (before, after))
    kept = _kept(len(before), edits)
    position = part = 0
    # A line of the value before: where it starts, and its index.
    start = index = 0
    while position <= last_after:
        end = after.find("\n", position)
        end = len(after) if end < 0 else end
        while part < len(kept) and kept[part].end <= position:
            part += 1
        origin = -1
        if part < len(kept) and kept[part].start <= position and end <= kept[part].end:
            was, was_end = position + kept[part].shift, end + kept[part].shift
            while start < was:
                start, index = (before.find("\n", start) + 1 or len(before) + 1), index + 1
            if start == was <= last_before and before[was_end : was_end + 1] in ("", "\n"):
                origin = index
        yield origin, after[position:end]
        position = end + 1


class _Kept(NamedTuple):
    """Characters of the edited text, `start` to `end`, that stand `shift` further on in the text before."""

    start: int
    end: int
    shift: int


def _kept(length: int, edits: Sequence[Edit]) -> list[_Kept]:
    """What is left of a text of that length, in stretches: a place for each character would take 40 bytes."""
    kept: list[_Kept] = []
    position = shift = 0
    changing = sorted((edit for edit in edits if edit.text or edit.start < edit.end), key=lambda edit: edit.start)
    for edit in [*changing, Edit(length, length, "")]:
        if edit.start > position:
            kept.append(_Kept(position - shift, edit.start - shift, shift))
        position = edit.end
        shift += edit.end - edit.start - len(edit.text)
    return kept


def _breaks(above: str, below: str, style: str) -> int:
    """How many line breaks stand between two neighbouring lines of the value."""
    folds = style == ">" and above[:1] not in ("", " ", "\t") and below[:1] not in ("", " ", "\t")
    return 2 if folds else 1


# --- quoted scalars ------------------------------------------------------------------------------


def _edit_quoted(raw: str, scalar: Scalar, edits: Sequence[Edit]) -> str | None:
    double = scalar.style == '"'
    pieces = _double_quoted(raw) if double else _single_quoted(raw)
    if pieces is None or "".join(piece.value for piece in pieces) != scalar.value:
        return None
    quote: Callable[[str], str] = escape if double else lambda text: text.replace("'", "''")
    # ends[i]: where in `raw` the first i characters of the value end.
    ends = [1]
    for piece in pieces:
        verbatim = piece.end - piece.start == len(piece.value)
        ends += range(piece.start + 1, piece.end + 1) if verbatim else [piece.end] * len(piece.value)
    outer: list[Edit] = []
    for edit in edits:
        if not double and _BREAK.search(edit.text):
            return None
        outer.append(Edit(ends[edit.start], ends[edit.end], quote(edit.text)))
    return apply(raw, outer)


_CODES: Final = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_FOLD: Final = r"([ \t]*(?:\r\n|\n|\r)[ \t\r\n]*)"
# Runs of plain text and of spaces are taken whole: one by one they would take quadratic time.
_DOUBLE: Final = pattern(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(\r\n|\n|\r)[ \t]*|(.))"
    r"|([^\\ \t\r\n]+|[ \t]+(?![ \t\r\n]))|" + _FOLD
)
_SINGLE: Final = pattern(r"('')|([^' \t\r\n]+|[ \t]+(?![ \t\r\n]))|" + _FOLD)


class _Piece(NamedTuple):
    """A part of a quoted scalar's value and where it stands in the raw text."""

    value: str
    start: int
    end: int


def _double_quoted(raw: str) -> list[_Piece] | None:
    """The pieces of a double-quoted scalar's value (YAML 1.2 §7.3.1)."""
    pieces: list[_Piece] = []
    position = 1
    while position < len(raw) - 1:
        match = _DOUBLE.match(raw, position, len(raw) - 1)
        if not match:
            return None
        two, four, eight, joined, code, plain, fold = match.groups()
        if two or four or eight:
            value = chr(int(two or four or eight, 16))
        elif joined:
            value = ""
        elif code:
            if code not in _CODES:
                return None
            value = _CODES[code]
        else:
            value = plain or _folded(fold)
        pieces.append(_Piece(value, position, match.end()))
        position = match.end()
    return pieces


def _single_quoted(raw: str) -> list[_Piece] | None:
    """The same for a single-quoted scalar (YAML 1.2 §7.3.2)."""
    pieces: list[_Piece] = []
    position = 1
    while position < len(raw) - 1:
        match = _SINGLE.match(raw, position, len(raw) - 1)
        if not match:
            return None
        quote, plain, fold = match.groups()
        pieces.append(_Piece("'" if quote else plain or _folded(fold), position, match.end()))
        position = match.end()
    return pieces


def _folded(fold: str) -> str:
    """A line break folds to a space, each further one is kept."""
    breaks = len(_BREAK.findall(fold))
    return "\n" * (breaks - 1) or " "
