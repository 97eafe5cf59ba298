"""Changes to data, turned into the smallest edits of the text that holds it.

`edits_for` lays operations onto a parsed text: a scalar is replaced where it stands, a new key
goes below the last one of its mapping, a new item behind the last one of its list, in the style
and at the indentation found there. Comments stay. What can't be edited safely is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio.errors import EditError
from groundcover_istio.k8syaml import (
    Alias,
    Mapping,
    Node,
    Scalar,
    Sequence,
    Tree,
    block_lines,
    flow_text,
    is_merge_key,
    pair_lines,
    scalar_text,
)
from groundcover_istio.model import Data, Edit, Operation, Path
from groundcover_istio.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Iterable

_COLON: Final = re.compile(r"[ \t]*:")
_REST_OF_LINE: Final = re.compile(r"[^\r\n]*(\r\n|\n|\r)?")
_INDICATORS: Final = re.compile(r"[|>][-+0-9]*")
_BLANK: Final = re.compile(r"[ \t]*")


def apply(text: str, edits: Iterable[Edit]) -> str:
    """`text` with every edit made; of edits at one place the first given comes first.

    Raises EditError when two of them overlap.
    """
    parts: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        if edit.start < position:
            raise EditError("two changes fall on the same text")
        parts += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join([*parts, text[position:]])


def apply_to_data(data: Data, operations: Iterable[Operation]) -> Data:
    """What `data` becomes: the same operations on the data instead of the text. `data` is changed."""
    for operation in operations:
        *parents, last = operation.path
        holder = data
        for key, following in zip(parents, operation.path[1:], strict=True):
            if isinstance(holder, dict) and holder.get(str(key)) is None:
                holder[str(key)] = {} if isinstance(following, str) else []
            holder = holder[key]
        if operation.action == "set":
            holder[last] = operation.value
        elif operation.action == "append":
            if holder.get(last) is None:
                holder[last] = []
            holder[last].append(operation.value)
        elif operation.action == "remove":
            del holder[last]
        else:
            items = [(operation.value if key == last else key, value) for key, value in holder.items()]
            holder.clear()
            holder.update(items)
    return data


def edits_for(text: str, tree: Tree, operations: Iterable[Operation]) -> tuple[Edit, ...]:
    """The edits of `text` that carry out `operations` on its one document.

    Raises EditError where the way to a change leads through an alias, an anchor that an alias
    uses, a merge key, twin keys, or a key that is written as something else than `key:`.
    """
    layer = _Layer(text, tree)
    return tuple(layer.edit(tree.root, (), _grouped(operations)))


class _Change(NamedTuple):
    """What happens below one node: its own new value or removal, or changes to its children."""

    operations: list[Operation]
    children: dict[str | int, _Change]


def _grouped(operations: Iterable[Operation]) -> _Change:
    root = _Change([], {})
    for operation in operations:
        change = root
        for key in operation.path:
            change = change.children.setdefault(key, _Change([], {}))
        change.operations.append(operation)
    return root


def _value_of(change: _Change) -> Data:
    """The whole value of something that is not there yet."""
    value: Data = None
    for operation in change.operations:
        if operation.action == "set":
            value = operation.value
        elif operation.action == "append":
            value = [*(value or []), operation.value]
    for key, child in change.children.items():
        value = {**(value or {}), key: _value_of(child)}
    return value


class _Layer:
    """One text and its tree."""

    def __init__(self, text: str, tree: Tree) -> None:
        self.text = text
        self.aliased = tree.aliased
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.stripped: set[int] = set()
        self.json = text.lstrip().startswith(("{", "[")) and _is_json(tree.root)

    def edit(self, node: Node | None, path: Path, change: _Change) -> list[Edit]:
        """The edits at and below `node`; `path` is where it stands, for messages."""
        if node is None:
            return self._insert_lines(len(self.text), block_lines(_value_of(change), 0))
        self._refuse_shared(node, path)
        if isinstance(node, Mapping):
            return self._edit_mapping(node, path, change)
        if isinstance(node, Sequence):
            return self._edit_sequence(node, path, change)
        raise EditError(f"{spell(path)} is neither a mapping nor a list")

    def _refuse_shared(self, node: Node, path: Path) -> None:
        refuse_shared(node, path, self.aliased)

    # --- mappings

    def _edit_mapping(self, node: Mapping, path: Path, change: _Change) -> list[Edit]:
        if any(is_merge_key(key) for key, _ in node.pairs):
            raise EditError(
                f"{spell(path)} has a merge key (<<), so what it says can't be changed in one place",
                hint="write the merged keys out",
            )
        edits: list[Edit] = []
        added: dict[str, Data] = {}
        for key, child in change.children.items():
            pairs = node.find(str(key))
            if len(pairs) > 1:
                raise EditError(
                    f"{spell((*path, key))} stands there {len(pairs)} times",
                    hint="keep one of them; the last one counts",
                )
            if pairs:
                edits += self._edit_pair(node, pairs[0], (*path, key), child)
            else:
                added[str(key)] = _value_of(child)
        if added:
            edits += self._add_pairs(node, added)
        return edits

    def _edit_pair(self, holder: Mapping, pair: tuple[Node, Node], path: Path, change: _Change) -> list[Edit]:
        key, value = pair
        edits: list[Edit] = []
        appended: list[Data] = []
        for operation in change.operations:
            if operation.action == "remove":
                return [self._removal(holder.pairs.index(pair), holder.pairs, flow=holder.flow)]
            if operation.action == "append":
                appended.append(operation.value)
            elif operation.action == "set":
                self._refuse_shared(value, path)
                edits += self._set_value(holder, pair, operation.value, path)
            elif isinstance(key, Scalar):
                edits.append(Edit(key.start, key.end, scalar_text(operation.value, style=key.style)))
        if not appended and not change.children:
            return edits
        self._refuse_shared(value, path)
        if _is_empty(value):
            return edits + self._set_value(holder, pair, _value_of(change), path)
        # What goes into the last item comes first: both may end up at one place of the text.
        edits += self.edit(value, path, change) if change.children else []
        return edits + (self._append(value, appended) if appended and isinstance(value, Sequence) else [])

    def _set_value(self, holder: Mapping, pair: tuple[Node, Node], new: Data, path: Path) -> list[Edit]:
        key, old = pair
        scalar = not isinstance(new, dict | list) or not new
        if holder.flow or (scalar and isinstance(old, Scalar) and old.style not in ("|", ">")):
            style = old.style if isinstance(old, Scalar) and old.style in ("'", '"') else '"' if self.json else ""
            text = scalar_text(new, style=style) if scalar and not isinstance(new, dict | list) else self._flow(new)
            gap = " " if self.text[old.start - 1 : old.start] == ":" else ""
            return [Edit(old.start, old.end, gap + text)]
        colon = _COLON.match(self.text, key.end)
        if not colon:
            raise EditError(f"{spell(path)} is not written as `key:`", hint="write it so")
        column = self._column(holder.pairs[0][0].start)
        first, *rest = pair_lines("", new, column)
        edits = [Edit(colon.end(), max(colon.end(), self._content_end(old)), first[column + 1 :])]
        return edits + (self._insert_lines(self._line_after(self._content_end(old)), rest) if rest else [])

    def _add_pairs(self, node: Mapping, added: dict[str, Data]) -> list[Edit]:
        if not node.flow:
            column = self._column(node.pairs[0][0].start)
            return self._insert_behind(node, block_lines(added, column))
        items = [self._flow({key: value})[1:-1] for key, value in added.items()]
        starts = [key.start for key, _ in node.pairs]
        ends = [value.end for _, value in node.pairs]
        return self._add_flow_items(node, starts, ends, items)

    # --- sequences

    def _edit_sequence(self, node: Sequence, path: Path, change: _Change) -> list[Edit]:
        edits: list[Edit] = []
        for index, child in change.children.items():
            item = node.items[int(index)]
            self._refuse_shared(item, (*path, index))
            for operation in child.operations:
                if operation.action == "remove":
                    pairs = [(self._dash(node, number), each) for number, each in enumerate(node.items)]
                    edits.append(self._removal(int(index), pairs, flow=node.flow))
                elif isinstance(item, Scalar):
                    edits.append(Edit(item.start, item.end, scalar_text(operation.value, style=item.style)))
            if child.children:
                edits += self.edit(item, (*path, index), child)
        return edits

    def _append(self, node: Sequence, values: list[Data]) -> list[Edit]:
        if node.flow:
            items = [self._flow(value) for value in values]
            return self._add_flow_items(
                node, [item.start for item in node.items], [item.end for item in node.items], items
            )
        lines = block_lines(values, self._column(node.start))
        return self._insert_behind(node, lines)

    def _dash(self, node: Sequence, index: int) -> Node:
        """The dash before an item, as if it were its key."""
        item = node.items[index]
        start = item.start if node.flow else self.text.rfind("-", 0, item.start)
        return Scalar("-", "", "", "", start, start + 1)

    # --- text

    def _flow(self, value: Data) -> str:
        return flow_text(value, json=self.json)

    def _add_flow_items(
        self, node: Mapping | Sequence, starts: list[int], ends: list[int], items: list[str]
    ) -> list[Edit]:
        opening, closing = self.text[node.start : node.end][0], self.text[node.end - 1]
        if not starts:
            return [Edit(node.start, node.end, opening + ", ".join(items) + closing)]
        line_start = self._line_start(starts[-1])
        lead = self.text[line_start : starts[-1]]
        # Where each entry has a line of its own, so has the new one.
        between = "," + self.newline + lead if not lead.strip() and line_start > node.start else ", "
        return [Edit(ends[-1], ends[-1], "".join(between + item for item in items))]

    def _removal(self, index: int, pairs: list[tuple[Node, Node]], *, flow: bool) -> Edit:
        start, end = pairs[index][0].start, self._content_end(pairs[index][1])
        if flow:
            if index + 1 < len(pairs):
                return Edit(start, pairs[index + 1][0].start, "")
            return Edit(self._content_end(pairs[index - 1][1]) if index else start, end, "")
        blank = _BLANK.match(self.text, end)
        rest = blank.end() if blank else end
        comment = self.text[rest : rest + 1] not in ("", "\r", "\n")
        line_start = self._line_start(start)
        if not self.text[line_start:start].strip():
            return Edit(start, rest, "") if comment else Edit(line_start, self._line_after(end), "")
        # The first key of a list item, behind its dash: the next one moves up, unless a comment is there.
        following = pairs[index + 1][0].start if index + 1 < len(pairs) else end
        return Edit(start, rest if comment or self.text[end:following].strip() else following, "")

    def _insert_behind(self, node: Node, lines: list[str]) -> list[Edit]:
        """Whole lines put in below what `node` says."""
        end = self._line_after(self._content_end(node))
        leaf = node
        while isinstance(leaf, Mapping | Sequence) and not leaf.flow:
            leaf = leaf.pairs[-1][1] if isinstance(leaf, Mapping) else leaf.items[-1]
        edits = self._insert_lines(end, lines)
        if (
            end == len(self.text)
            and isinstance(leaf, Scalar)
            and leaf.style in ("|", ">")
            and self.text[-1] not in "\r\n"
        ):
            # Cut off before its line break, the block scalar has none at its end; with lines below it would get one.
            indicators = _INDICATORS.match(self.text, leaf.start)
            if indicators and "-" not in indicators[0] and leaf.start not in self.stripped:
                self.stripped.add(leaf.start)
                edits.insert(0, Edit(leaf.start, indicators.end(), indicators[0].replace("+", "") + "-"))
        return edits

    def _insert_lines(self, position: int, lines: list[str]) -> list[Edit]:
        """Whole lines put in at `position`, the start of a line or the end of the text."""
        text = self.newline.join(lines)
        behind_line = position and self.text[position - 1] not in "\r\n"
        return [Edit(position, position, self.newline + text if behind_line else text + self.newline)]

    def _content_end(self, node: Node) -> int:
        """Where what the node says ends: before trailing blank lines and comments."""
        if isinstance(node, Mapping) and not node.flow:
            return self._content_end(node.pairs[-1][1])
        if isinstance(node, Sequence) and not node.flow:
            return self._content_end(node.items[-1])
        if isinstance(node, Scalar) and node.style in ("|", ">"):
            header = _REST_OF_LINE.match(self.text, node.start)
            if not header or "+" not in header[0]:
                return len(self.text[: node.end].rstrip(" \t\r\n"))
        return node.end

    def _line_start(self, position: int) -> int:
        return max(self.text.rfind("\n", 0, position), self.text.rfind("\r", 0, position)) + 1

    def _line_after(self, position: int) -> int:
        """The start of the line after the one that `position` is in, or the end of the text."""
        if position and self.text[position - 1] in "\r\n":
            return position
        match = _REST_OF_LINE.match(self.text, position)
        return match.end() if match else position

    def _column(self, position: int) -> int:
        return position - self._line_start(position)


def refuse_shared(node: Node, path: Path, aliased: frozenset[str]) -> None:
    """Raise EditError where a change to `node` would change something else too, or lose its tag."""
    if isinstance(node, Alias):
        raise EditError(
            f"{spell(path)} is the alias *{node.anchor}; changing it would change what the anchor says elsewhere",
            hint=f"write the value of {spell(path)} out instead of *{node.anchor}",
        )
    if node.anchor in aliased:
        raise EditError(
            f"{spell(path)} carries the anchor &{node.anchor}, which an alias uses elsewhere",
            hint=f"write the value out in both places instead of *{node.anchor}",
        )
    marked = f"anchor &{node.anchor}" if node.anchor else f"tag {node.tag}" if node.tag else ""
    if marked and not (isinstance(node, Mapping) and not node.flow):
        raise EditError(f"{spell(path)} carries the {marked}, which a change would lose", hint="remove it")


def find_scalar(tree: Tree, path: Path) -> tuple[Mapping, Scalar]:
    """The scalar at `path`, a way of keys and list indices, and the mapping that holds it.

    Raises EditError where twin keys, an alias or an anchor in use are on the way, or no scalar is at its end.
    """
    node = tree.root
    holder: Node | None = None
    for depth, key in enumerate(path):
        holder = node
        if isinstance(node, Sequence):
            node = node.items[int(key)]
        elif isinstance(node, Mapping):
            pairs = node.find(str(key))
            if len(pairs) > 1:
                raise EditError(
                    f"{spell(path[: depth + 1])} stands there {len(pairs)} times",
                    hint="keep one of them; the last one counts",
                )
            node = pairs[0][1] if pairs else None
        if node is not None:
            refuse_shared(node, path[: depth + 1], tree.aliased)
    if not isinstance(holder, Mapping) or not isinstance(node, Scalar):
        raise EditError(f"{spell(path)} is not a scalar")
    return holder, node


def _is_json(node: Node | None) -> bool:
    """Whether a flow collection is written as JSON: its keys in double quotes."""
    if isinstance(node, Mapping):
        return all(isinstance(key, Scalar) and key.style == '"' for key, _ in node.pairs)
    return isinstance(node, Sequence) and all(_is_json(item) for item in node.items)


def _is_empty(node: Node) -> bool:
    """Null, `[]` or `{}`."""
    if isinstance(node, Mapping):
        return not node.pairs
    if isinstance(node, Sequence):
        return not node.items
    return isinstance(node, Scalar) and not node.style and node.value in ("", "~", "null", "Null", "NULL")
