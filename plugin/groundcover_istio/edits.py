"""Changes to data, turned into the smallest edits of the text that holds it.

`edits_for` lays operations onto a parsed text: a scalar is replaced where it stands, a new key
goes below the last one of its mapping, a new item behind the last one of its list, in the style
and at the indentation found there. Comments stay. What can't be edited safely is refused.
"""

from __future__ import annotations

import itertools

from groundcover_istio.errors import EditError
from groundcover_istio.k8syaml import Alias, Mapping, Node, Scalar, Sequence, Tree, is_merge_key, is_null
from groundcover_istio.layout import Layout, Span
from groundcover_istio.model import Data, Edit, Operation, Path
from groundcover_istio.records import NamedTuple
from groundcover_istio.serializer import block_lines, flow_text, pair_lines, scalar_text
from groundcover_istio.spelling import spell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


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
    """What `data` becomes: the same operations on the data instead of the text. What they leave alone is shared."""
    for operation in operations:
        *parents, last = operation.path
        data = holder = data.copy()
        for key, following in zip(parents, operation.path[1:], strict=True):
            if (holder.get(key) if isinstance(holder, dict) else holder[key]) is None:
                holder[key] = {} if isinstance(following, str) else []
            holder[key] = holder = holder[key].copy()
        if operation.action == "set":
            holder[last] = operation.value
        elif operation.action == "append":
            holder[last] = [*(holder.get(last) or ()), operation.value]
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
    # Of several insertions at one place each may want to keep the same block scalar as it is: once is enough.
    editor = _Editor(text, tree)
    edits = list(dict.fromkeys(editor.edit(tree.root, (), _grouped(operations))))
    ends = [edit for edit in edits if edit.start < edit.end == len(text) and not edit.text]
    last_line_goes = any(editor.layout.starts_line(edit.start) for edit in ends)
    for index, edit in enumerate(edits):
        if last_line_goes and edit.start == len(text):
            # Its line break is that of the line which goes.
            edits[index] = edit._replace(text=edit.text.lstrip("\r\n"))
            break
    return tuple(edits)


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


class _Editor:
    """Lays changes onto one text."""

    def __init__(self, text: str, tree: Tree) -> None:
        self.text = text
        self.layout = Layout(text)
        self.aliased = tree.aliased
        self.json = text.lstrip().startswith(("{", "[")) and _is_json(tree.root)

    def edit(self, node: Node | None, path: Path, change: _Change) -> list[Edit]:
        """The edits at and below `node`; `path` is where it stands, for messages."""
        if node is None or is_null(node):
            nothing = [Edit(node.start, self.layout.after_blanks(node.end), "")] if node else []
            return [*nothing, self.layout.insert_lines(len(self.text), block_lines(_value_of(change), 0))]
        refuse_shared(node, path, self.aliased)
        if isinstance(node, Mapping):
            return self._edit_mapping(node, path, change)
        if isinstance(node, Sequence):
            return self._edit_sequence(node, path, change, [])
        raise EditError(f"{spell(path)} is neither a mapping nor a list")

    def _edit_mapping(self, node: Mapping, path: Path, change: _Change) -> list[Edit]:
        if any(is_merge_key(key) for key, _ in node.pairs):
            raise EditError(
                f"{spell(path)} has a merge key (<<), so what it says can't be changed in one place",
                hint="write the merged keys out",
            )
        edits: list[Edit] = []
        added: dict[str, Data] = {}
        removed: set[int] = set()
        for key, child in change.children.items():
            pair = only_pair(node, (*path, key))
            if not pair:
                added[str(key)] = _value_of(child)
            elif any(operation.action == "remove" for operation in child.operations):
                self._require_key(node, pair[0], (*path, key))
                removed.add(node.pairs.index(pair))
            else:
                edits += self._edit_pair(node, pair, (*path, key), child)
        spans = [Span(key.start, self.layout.words_end(value)) for key, value in node.pairs]
        if node.flow:
            items = [self._flow({key: value})[1:-1] for key, value in added.items()]
            return edits + self._change_flow(node, spans, removed, items)
        lines = block_lines(added, self.layout.column(self.layout.entry_start(node.pairs[0][0]))) if added else []
        return edits + self._change_block(node, spans, removed, lines)

    def _require_key(self, holder: Mapping, key: Node, path: Path) -> None:
        """Raise EditError where a key in block style stands behind a question mark, as any apart from its colon."""
        if not holder.flow and self.layout.entry_start(key) < key.start:
            raise EditError(f"{spell(path)} is not written as `key:`", hint="write it so")

    def _edit_pair(self, holder: Mapping, pair: tuple[Node, Node], path: Path, change: _Change) -> list[Edit]:
        key, value = pair
        edits: list[Edit] = []
        appended: list[Data] = []
        for operation in change.operations:
            if operation.action == "append":
                appended.append(operation.value)
            elif operation.action == "set":
                refuse_shared(value, path, self.aliased)
                edits += self._set_value(holder, pair, operation.value, path)
            elif isinstance(key, Scalar):
                edits.append(Edit(key.start, key.end, scalar_text(operation.value, style=key.style)))
        if not appended and not change.children:
            return edits
        refuse_shared(value, path, self.aliased)
        if isinstance(value, Sequence) and any(isinstance(each, str) for each in change.children):
            raise EditError(f"{spell(path)} is a list, not a mapping", hint="make it a mapping, or take it out")
        if self._is_empty(value):
            return edits + self._set_value(holder, pair, _value_of(change), path)
        if isinstance(value, Sequence):
            return edits + self._edit_sequence(value, path, change, appended)
        return edits + self.edit(value, path, change)

    def _is_empty(self, node: Node) -> bool:
        """Null, `[]` or `{}`; not where a comment stands between the brackets."""
        entries = node.pairs if isinstance(node, Mapping) else node.items if isinstance(node, Sequence) else None
        return is_null(node) if entries is None else not entries and "#" not in self.text[node.start : node.end]

    def _set_value(self, holder: Mapping, pair: tuple[Node, Node], new: Data, path: Path) -> list[Edit]:
        key, old = pair
        scalar = not isinstance(new, dict | list) or not new
        in_place = holder.flow or (scalar and isinstance(old, Scalar) and old.style not in ("|", ">"))
        colon = self.layout.after_colon(key)
        if colon < 0 and not (in_place and old.start < old.end):
            raise EditError(f"{spell(path)} is not written as `key:`", hint="write it so")
        if in_place:
            style = old.style if isinstance(old, Scalar) and old.style in ("'", '"') else '"' if self.json else ""
            text = self._flow(new) if isinstance(new, dict | list) else scalar_text(new, style=style)
            gap = " " if old.start == old.end == colon else ""
            return [Edit(old.start, old.end, gap + text)]
        column = self.layout.column(key.start)
        first, *rest = pair_lines("", new, column)
        edits = [Edit(colon, max(colon, self.layout.words_end(old)), first[column + 1 :])]
        return [*edits, self.layout.insert_lines(self.layout.line_below(old), rest)] if rest else edits

    def _edit_sequence(self, node: Sequence, path: Path, change: _Change, appended: list[Data]) -> list[Edit]:
        edits: list[Edit] = []
        removed: set[int] = set()
        for key, child in change.children.items():
            index = int(key)
            item = node.items[index]
            if any(operation.action == "remove" for operation in child.operations):
                removed.add(index)
                continue
            refuse_shared(item, (*path, index), self.aliased)
            for operation in child.operations:
                if not isinstance(item, Scalar):
                    raise EditError(f"{spell((*path, index))} is not a scalar")
                edits.append(Edit(item.start, item.end, scalar_text(operation.value, style=item.style)))
            if child.children and is_null(item):
                edits += self._fill_item(node, item, _value_of(child))
            elif child.children:
                edits += self.edit(item, (*path, index), child)
        spans = [Span(self._item_start(node, item), self.layout.words_end(item)) for item in node.items]
        if node.flow:
            return edits + self._change_flow(node, spans, removed, [self._flow(value) for value in appended])
        lines = block_lines(appended, self.layout.column(node.start)) if appended else []
        return edits + self._change_block(node, spans, removed, lines)

    def _fill_item(self, node: Sequence, item: Node, new: Data) -> list[Edit]:
        """The edits that give an item which is null a value."""
        if node.flow:
            return [Edit(item.start, item.end, self._flow(new))]
        start = self._item_start(node, item)
        column = self.layout.column(start)
        first, *rest = block_lines([new], column)
        edits = [Edit(start, self.layout.words_end(item), first[column:])]
        return [*edits, self.layout.insert_lines(self.layout.line_below(item), rest)] if rest else edits

    def _item_start(self, node: Sequence, item: Node) -> int:
        return item.start if node.flow else self.text.rfind("-", 0, item.start)

    def _change_block(
        self, node: Mapping | Sequence, spans: list[Span], removed: set[int], lines: list[str]
    ) -> list[Edit]:
        """Entries of a block collection taken out, and lines put in below it."""
        edits = []
        for index in sorted(removed):
            following = spans[index + 1].start if index + 1 < len(spans) else spans[index].end
            edits.append(self.layout.remove_lines(spans[index], following))
        if not lines:
            return edits
        return [*edits, *self.layout.keep_stripped(node), self.layout.insert_lines(self.layout.line_below(node), lines)]

    def _change_flow(
        self, node: Mapping | Sequence, spans: list[Span], removed: set[int], items: list[str]
    ) -> list[Edit]:
        """Entries of a flow collection taken out with their commas, and others put in behind the last one."""
        kept = [index for index in range(len(spans)) if index not in removed]
        if not kept:
            start, end = (spans[0].start, spans[-1].end) if spans else (node.end - 1, node.end - 1)
            return [Edit(start, end, ", ".join(items))] if items or spans else []
        edits = [Edit(spans[0].start, spans[kept[0]].start, self._comments(spans, 0, kept[0]))]
        for index, following in itertools.pairwise(kept):
            comments = self._comments(spans, index + 1, following)
            edits.append(Edit(spans[index + 1].start, spans[following].start, comments))
        last = kept[-1]
        added = "".join(self._between(node, spans[last]) + item for item in items)
        gap = self._comments(spans, last, len(spans) - 1)
        edits.append(Edit(spans[last].end, spans[-1].end, added + gap))
        return [edit for edit in edits if edit.start < edit.end or edit.text]

    def _comments(self, spans: list[Span], first: int, last: int) -> str:
        """What stands between the entries `first` to `last`, where comments are in it, without its commas."""
        gaps = [self.text[spans[index].end : spans[index + 1].start] for index in range(first, last)]
        return "".join(gap.replace(",", "", 1) for gap in gaps if "#" in gap)

    def _between(self, node: Mapping | Sequence, last: Span) -> str:
        """The comma before a new entry; where each entry has a line of its own, so has the new one."""
        line_start = self.layout.line_start(last.start)
        lead = self.text[line_start : last.start]
        return "," + self.layout.newline + lead if not lead.strip() and line_start > node.start else ", "

    def _flow(self, value: Data) -> str:
        return flow_text(value, json=self.json)


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


def only_pair(node: Mapping, path: Path) -> tuple[Node, Node] | None:
    """The pair under the last key of `path`, None if there is none; raises EditError where there are twins."""
    pairs = node.find(str(path[-1]))
    if len(pairs) > 1:
        raise EditError(f"{spell(path)} stands there {len(pairs)} times", hint="keep one of them; the last one counts")
    return pairs[0] if pairs else None


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
            pair = only_pair(node, path[: depth + 1])
            node = pair[1] if pair else None
        if node is not None:
            refuse_shared(node, path[: depth + 1], tree.aliased)
    if not isinstance(holder, Mapping) or not isinstance(node, Scalar):
        raise EditError(f"{spell(path)} is not written out", hint="write it as a scalar, without a merge key (<<)")
    return holder, node


def _is_json(node: Node | None) -> bool:
    """Whether a flow collection is written as JSON: its keys in double quotes."""
    if isinstance(node, Mapping):
        return all(isinstance(key, Scalar) and key.style == '"' for key, _ in node.pairs)
    return isinstance(node, Sequence) and all(_is_json(item) for item in node.items)
