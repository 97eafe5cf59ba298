"""YAML inside a scalar: edits of the inner text become one edit of the outer text.

A ConfigMap holds the mesh config as text in the scalar `data.mesh`. Each scalar style is taken
apart into pieces of which it is known how they stand in the outer text; pieces that an edit does
not touch are put back as they stood, the others are written in the same style where it can hold
them. Where it can't (or the scalar is empty), the scalar becomes a literal block, or a
double-quoted string inside flow style and JSON.
"""

from __future__ import annotations

from groundcover_istio.edits import apply
from groundcover_istio.k8syaml import escape, is_null
from groundcover_istio.layout import Layout
from groundcover_istio.model import Edit
from groundcover_istio.patterns import pattern
from groundcover_istio.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
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
    body = raw[header.end() :]
    # An indentation indicator counts from the column of the keys (YAML 1.2 §8.1.1.1).
    indent = " " * (column + int(header[1])) if header[1] else _indentation(body)
    lines, tail = _lines(body, scalar.style, indent)
    # A scalar of nothing has no row whose line break could stay behind the new ones.
    if not indent or not body.strip() or _text(lines) != scalar.value.rstrip("\n"):
        return None
    newline = header[2] or "\n"
    out: list[str] = []
    before, above, empty = -1, "", 0
    for origin, line in _edited_lines(lines, scalar.value, edits):
        if not line and scalar.style == ">":
            empty += 1
            continue
        if out:
            kept = before >= 0 and origin == before + 1 + empty
            out.append(lines[before].gap if kept else newline * (empty + _breaks(above, line, scalar.style)))
        out.append(lines[origin].raw if origin >= 0 else indent + line if line else "")
        before, above, empty = origin, line, 0
    changed = "".join(out)
    if _text(_lines(changed, scalar.style, indent)[0]) != apply(scalar.value, edits).rstrip("\n"):
        return None
    return header[0] + changed + tail


def _text(lines: list[_Line]) -> str:
    return "\n".join(line.value for line in lines)


def _indentation(body: str) -> str:
    """The spaces before the first line of a block scalar that is not blank."""
    first = next((row for row in _BREAK.split(body) if row.strip(" ")), "")
    return first[: len(first) - len(first.lstrip(" "))]


def _lines(body: str, style: str, indent: str) -> tuple[list[_Line], str]:
    """The lines of a block scalar, and what follows the last one with content.

    In a folded one a line of the value may take several rows (YAML 1.2 §8.1.3).
    """
    rows, tail = _rows(body)
    if style == "|":
        return [_Line(row[len(indent) :], row, gap) for row, gap in rows], tail
    # Per line of the value: its words and its raw text in pieces, and what stands behind it.
    words: list[list[str]] = []
    raws: list[list[str]] = []
    gaps: list[str] = []
    for row, gap in rows:
        content = row[len(indent) :]
        if not words:
            words, raws, gaps = [[content]], [[row]], [gap]
        elif not content:
            gaps[-1] += row + gap
        else:
            empty = len(_BREAK.findall(gaps[-1])) - _breaks(words[-1][0], content, style)
            if empty < 0:
                words[-1].append(content)
                raws[-1] += [gaps[-1], row]
                gaps[-1] = gap
                continue
            # Empty lines have no text of their own: what stands between is all behind the line above them.
            words += [[""] for _ in range(empty)] + [[content]]
            raws += [[""] for _ in range(empty)] + [[row]]
            gaps += [""] * empty + [gap]
    lines = [_Line(" ".join(word), "".join(raw), gap) for word, raw, gap in zip(words, raws, gaps, strict=True)]
    return lines, tail


def _rows(body: str) -> tuple[list[tuple[str, str]], str]:
    """Physical lines of a block scalar with their line breaks, without the blank ones at its end."""
    content = body.rstrip(" \t\r\n")
    # White space at the end of the last line is content, on the lines after it is not.
    last = _BREAK.search(body, len(content))
    content, tail = (body[: last.start()], body[last.start() :]) if last else (body, "")
    rows: list[tuple[str, str]] = []
    position = 0
    for match in _BREAK.finditer(content):
        rows.append((content[position : match.start()], match[0]))
        position = match.end()
    return [*rows, (content[position:], "")], tail


def _edited_lines(lines: list[_Line], value: str, edits: Sequence[Edit]) -> list[tuple[int, str]]:
    """The lines of the edited value, each with the index of the line it was, or -1 if anything in it changed."""
    starts: dict[int, int] = {}
    position = 0
    for index, line in enumerate(lines):
        starts[position] = index
        position += len(line.value) + 1
    kept = _kept(len(value), edits)
    edited: list[tuple[int, str]] = []
    position, part = 0, 0
    for text in apply(value, edits).rstrip("\n").split("\n"):
        while part < len(kept) and kept[part].end <= position:
            part += 1
        end, index = position + len(text), -1
        if part < len(kept) and kept[part].start <= position and end <= kept[part].end:
            index = starts.get(position + kept[part].shift, -1)
        edited.append((index if index >= 0 and lines[index].value == text else -1, text))
        position = end + 1
    return edited


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
