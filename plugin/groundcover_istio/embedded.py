"""YAML inside a scalar: edits of the inner text become one edit of the outer text.

A ConfigMap holds the mesh config as text in the scalar `data.mesh`. Each scalar style is taken
apart into pieces of which it is known how they stand in the outer text; pieces that an edit does
not touch are put back as they stood, the others are written in the same style where it can hold
them. Where it can't (or the scalar is empty), the scalar becomes a literal block, or a
double-quoted string inside flow style and JSON.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio.edits import apply
from groundcover_istio.k8syaml import escape
from groundcover_istio.model import Edit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from groundcover_istio.k8syaml import Mapping, Scalar

_BREAK: Final = re.compile(r"\r\n|\n|\r")
_HEADER: Final = re.compile(r"[|>][-+0-9]*[ \t]*(?:#[^\r\n]*)?(\r\n|\n|\r|\Z)")


def embed(text: str, holder: Mapping, scalar: Scalar, edits: Sequence[Edit]) -> Edit:
    """One edit of `text` that makes `edits`, given in characters of the scalar's value, inside `scalar`.

    `holder` is the mapping that the scalar is a value of.
    """
    raw = text[scalar.start : scalar.end]
    changed: str | None = None
    if scalar.style in ("|", ">"):
        changed = _edit_block(raw, scalar, edits)
    elif scalar.style in ('"', "'") and scalar.value:
        changed = _edit_quoted(raw, scalar, edits)
    if changed is None:
        return _rewritten(text, holder, scalar, apply(scalar.value, edits))
    return Edit(scalar.start, scalar.end, changed)


def _rewritten(text: str, holder: Mapping, scalar: Scalar, value: str) -> Edit:
    """The whole scalar anew."""
    gap = " " if text[scalar.start - 1 : scalar.start] == ":" else ""
    if holder.flow or "\r" in value:
        return Edit(scalar.start, scalar.end, f'{gap}"{escape(value)}"')
    first = holder.pairs[0][0].start
    indent = " " * (first - text.rfind("\n", 0, first) - 1 + 2)
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = [indent + line if line else "" for line in value.removesuffix("\n").split("\n")]
    header = "|" if value.endswith("\n") else "|-"
    if scalar.style in ("|", ">"):
        # Its range includes the line break behind it.
        return Edit(scalar.start, scalar.end, newline.join([header, *lines, ""]))
    # A comment behind the scalar stays on its line.
    rest = _BREAK.split(text[scalar.end :], maxsplit=1)[0]
    return Edit(scalar.start, scalar.end + len(rest), gap + newline.join([(header + rest).rstrip(), *lines]))


# --- block scalars -------------------------------------------------------------------------------


class _Line(NamedTuple):
    """A line of the value: `raw` is how it stands in the outer text, up to its last character."""

    value: str
    raw: str
    gap: str
    """The outer text from this line's end to the next one's start."""


def _edit_block(raw: str, scalar: Scalar, edits: Sequence[Edit]) -> str | None:
    header = _HEADER.match(raw)
    if not header:
        return None
    body = raw[header.end() :]
    lines, indent, tail = _lines(body, scalar.style)
    if _text(lines) != scalar.value.rstrip("\n"):
        return None
    newline = header[1] or "\n"
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
    if _text(_lines(changed, scalar.style)[0]) != apply(scalar.value, edits).rstrip("\n"):
        return None
    return header[0] + changed + tail


def _text(lines: list[_Line]) -> str:
    return "\n".join(line.value for line in lines)


def _lines(body: str, style: str) -> tuple[list[_Line], str, str]:
    """The lines of a block scalar, its indentation, and what follows the last line with content.

    In a folded one a line of the value may take several rows (YAML 1.2 §8.1.3).
    """
    indent, rows, tail = _rows(body)
    if style == "|":
        return [_Line(row[len(indent) :], row, gap) for row, gap in rows], indent, tail
    lines: list[_Line] = []
    blank = ""
    for row, gap in rows:
        content = row[len(indent) :]
        if not content:
            blank += row + gap
            continue
        if lines:
            last = lines[-1]
            gaps = last.gap + blank
            needed = _breaks(last.value, content, style)
            empty = len(_BREAK.findall(gaps)) - needed
            if empty < 0:
                lines[-1] = _Line(f"{last.value} {content}", last.raw + gaps + row, gap)
                continue
            lines[-1] = last._replace(gap=gaps)
            lines += [_Line("", "", "")] * empty
        lines.append(_Line(content, row, gap))
        blank = ""
    return lines, indent, tail


def _rows(body: str) -> tuple[str, list[tuple[str, str]], str]:
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
    rows.append((content[position:], ""))
    first = next((row for row, _ in rows if row.strip(" ")), "")
    return first[: len(first) - len(first.lstrip(" "))], rows, tail


def _edited_lines(lines: list[_Line], value: str, edits: Sequence[Edit]) -> list[tuple[int, str]]:
    """The lines of the edited value, each with the index of the line it was, or -1 if anything in it changed."""
    starts: dict[int, int] = {}
    position = 0
    for index, line in enumerate(lines):
        starts[position] = index
        position += len(line.value) + 1
    origins = _origins(len(value), edits)
    edited: list[tuple[int, str]] = []
    position = 0
    for text in apply(value, edits).rstrip("\n").split("\n"):
        first = origins[position] if position < len(origins) else -1
        end = position + len(text)
        index = starts.get(first, -1)
        same = index >= 0 and lines[index].value == text and origins[position:end] == [*range(first, first + len(text))]
        edited.append((index if same else -1, text))
        position = end + 1
    return edited


def _origins(length: int, edits: Sequence[Edit]) -> list[int]:
    """For each character of the edited text its place in the text before, -1 for a new one."""
    origins: list[int] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        origins += range(position, edit.start)
        origins += [-1] * len(edit.text)
        position = edit.end
    return [*origins, *range(position, length)]


def _breaks(above: str, below: str, style: str) -> int:
    """How many line breaks stand between two neighbouring lines of the value."""
    folds = style == ">" and above[:1] not in ("", " ", "\t") and below[:1] not in ("", " ", "\t")
    return 2 if folds else 1


# --- quoted scalars ------------------------------------------------------------------------------


def _edit_quoted(raw: str, scalar: Scalar, edits: Sequence[Edit]) -> str | None:
    double = scalar.style == '"'
    pieces = _double_quoted(raw) if double else _single_quoted(raw)
    if pieces is None or "".join(piece for piece, _ in pieces) != scalar.value:
        return None
    quote: Callable[[str], str] = escape if double else lambda text: text.replace("'", "''")
    # ends[i]: where in `raw` the first i characters of the value end.
    ends = [1]
    for piece, end in pieces:
        ends += [end] * len(piece)
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
_DOUBLE: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(\r\n|\n|\r)[ \t]*|(.))"
    r"|([ \t]*(?:(?:\r\n|\n|\r)[ \t]*)+)|([^\\])"
)
_SINGLE: Final = re.compile(r"('')|([ \t]*(?:(?:\r\n|\n|\r)[ \t]*)+)|([^'])")


def _double_quoted(raw: str) -> list[tuple[str, int]] | None:
    """The pieces of a double-quoted scalar's value, each with where it ends in `raw` (YAML 1.2 §7.3.1)."""
    pieces: list[tuple[str, int]] = []
    position = 1
    while position < len(raw) - 1:
        match = _DOUBLE.match(raw, position)
        if not match:
            return None
        two, four, eight, joined, code, fold, plain = match.groups()
        if two or four or eight:
            piece = chr(int(two or four or eight, 16))
        elif joined:
            piece = ""
        elif code:
            if code not in _CODES:
                return None
            piece = _CODES[code]
        else:
            piece = _folded(fold) if fold else plain
        pieces.append((piece, match.end()))
        position = match.end()
    return pieces


def _single_quoted(raw: str) -> list[tuple[str, int]] | None:
    """The same for a single-quoted scalar (YAML 1.2 §7.3.2)."""
    pieces: list[tuple[str, int]] = []
    position = 1
    while position < len(raw) - 1:
        match = _SINGLE.match(raw, position)
        if not match:
            return None
        quote, fold, plain = match.groups()
        pieces.append(("'" if quote else _folded(fold) if fold else plain, match.end()))
        position = match.end()
    return pieces


def _folded(fold: str) -> str:
    """A line break folds to a space, each further one is kept."""
    breaks = len(_BREAK.findall(fold))
    return "\n" * (breaks - 1) or " "
