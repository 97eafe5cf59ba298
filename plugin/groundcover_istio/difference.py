"""What a run changes, as a unified diff that shows nothing of a Secret."""

from __future__ import annotations

import difflib
import re
from bisect import bisect_left, bisect_right
from itertools import accumulate, zip_longest
from typing import TYPE_CHECKING, Final, Literal

from groundcover_istio import k8syaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.model import Outcome

    _Opcode = tuple[Literal["replace", "delete", "insert", "equal"], int, int, int, int]

_CONTEXT: Final = 3
# Lines: 1.5 seconds.
_LONGEST: Final = 10_000
_COLORS: Final = {"+": "\033[32m", "-": "\033[31m", "@": "\033[36m"}
_HIDDEN: Final = "(not shown: a Secret stands on this line)\n"


class _Matcher(difflib.SequenceMatcher[str]):
    """Compares what stands between the first and the last line that differ; where that is very long, it is one change.

    The time that difflib takes grows with the square of the lines.
    """

    def __init__(self, old: list[str], new: list[str]) -> None:
        """The lines of a document before and after."""
        shorter = min(len(old), len(new))
        first = next((index for index in range(shorter) if old[index] != new[index]), shorter)
        last = next((index for index in range(shorter - first) if old[~index] != new[~index]), shorter - first)
        self._first, self._last = first, (len(old) - last, len(new) - last)
        self._lengths = len(old), len(new)
        super().__init__(None, old[first : self._last[0]], new[first : self._last[1]])

    def get_opcodes(self) -> list[_Opcode]:
        """As difflib has them, of the whole documents."""
        first, (old_last, new_last), (old_length, new_length) = self._first, self._last, self._lengths
        found: list[_Opcode] = [("equal", 0, first, 0, first)] if first else []
        if max(old_last, new_last) - first > _LONGEST:
            found.append(("replace", first, old_last, first, new_last))
        else:
            found += [
                (action, old_start + first, old_end + first, new_start + first, new_end + first)
                for action, old_start, old_end, new_start, new_end in super().get_opcodes()
            ]
        return found + ([("equal", old_last, old_length, new_last, new_length)] if old_last < old_length else [])


def unified_diff(outcome: Outcome, *, color: bool = False) -> Iterator[str]:
    """The lines of the difference between the stream before and after, with three lines of context.

    The context ends where the document does: what stands above or below it may be a Secret. Where a Secret is in the
    document itself, as in a List, there is none, and a changed line that the Secret stands on is not shown.
    """
    before, after = (_documents(text.decode(errors="replace")) for text in (outcome.before, outcome.after))
    lines = list(_hunks(before, after))
    for line in ["--- rendered\n", "+++ post-rendered\n", *lines] if lines else []:
        text = line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"
        code = _COLORS.get(line[0]) if color else None
        yield f"{code}{text[:-1]}\033[0m\n" if code else text


def _documents(text: str) -> list[list[str]]:
    """The lines of each document, its separator first. `render` takes none away and adds only at the end."""
    documents: list[list[str]] = [[]]
    # At line breaks alone: an editor, patch and git count no U+2028, form feed or next line as one.
    for line in filter(None, re.split(r"(?<=\n)", text)):
        if line.startswith("---") and line[3:4] in ("", " ", "\t", "\r", "\n"):
            documents.append([])
        documents[-1].append(line)
    return documents


def _hunks(before: list[list[str]], after: list[list[str]]) -> Iterator[str]:
    old_line = new_line = 0
    nothing: list[str] = []
    for old, new in zip_longest(before, after, fillvalue=nothing):
        if old != new:
            yield from _hunks_of(old, new, old_line, new_line)
        old_line, new_line = old_line + len(old), new_line + len(new)


def _hunks_of(old: list[str], new: list[str], old_line: int, new_line: int) -> Iterator[str]:
    """The hunks of one document, which begins below so many lines."""
    hidden_old, hidden_new = _of_secrets(old), _of_secrets(new)
    context = 0 if hidden_old or hidden_new else _CONTEXT
    for group in _Matcher(old, new).get_grouped_opcodes(context):
        first, last = group[0], group[-1]
        ranges = _range(old_line + first[1], last[2] - first[1]), _range(new_line + first[3], last[4] - first[3])
        yield f"@@ -{ranges[0]} +{ranges[1]} @@\n"
        for action, old_start, old_end, new_start, new_end in group:
            if action == "equal":
                yield from (f" {line}" for line in old[old_start:old_end])
                continue
            yield from (f"-{_HIDDEN if index in hidden_old else old[index]}" for index in range(old_start, old_end))
            yield from (f"+{_HIDDEN if index in hidden_new else new[index]}" for index in range(new_start, new_end))


def _range(start: int, length: int) -> str:
    """As unified diffs have it: the first line from 1, which is left out of a range of none, and how many."""
    return f"{start + 1}" if length == 1 else f"{start + (length > 0)},{length}"


def _of_secrets(document: list[str]) -> frozenset[int]:
    """The lines, from 0, on which Secrets stand."""
    text = "".join(document)
    ends = list(accumulate(len(line) for line in document))
    found: set[int] = set()
    for node in (node for tree in k8syaml.parse(text) for node in _secrets(tree.root)):
        last = len(text[: node.end].rstrip())
        found.update(range(bisect_right(ends, node.start), bisect_left(ends, last) + 1))
    return frozenset(found)


def _secrets(root: k8syaml.Node | None) -> Iterator[k8syaml.Mapping]:
    """Every object of that kind at or below a node."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, k8syaml.Sequence):
            waiting += node.items
        elif isinstance(node, k8syaml.Mapping):
            # Whatever it is written as. What stands in a SecretList may leave its own kind out.
            if k8syaml.to_data(node.get("kind")) in ("Secret", "SecretList"):
                yield node
            else:
                waiting += [value for _, value in node.pairs]
