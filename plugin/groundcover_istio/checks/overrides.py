"""Helm's values of several sources: mappings laid over each other, over them what `helm --set` says, all with places.

Types by Helm's pkg/strvals, the order by pkg/cli/values; both tried with Helm 3.17 and 4.3.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio import k8syaml
from groundcover_istio.checks.parts import Part
from groundcover_istio.decoding import is_placeholder
from groundcover_istio.helm_set import path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from groundcover_istio.checks.places import Place
    from groundcover_istio.model import Data

# Helm fills a list with null up to 65,536 items; what lies further behind the others than this says nothing of ours.
_FARTHEST: Final = 16
# What strconv.ParseInt reads, a zero before other digits aside, which typedVal leaves a text.
_INTEGER: Final = re.compile(r"[-+][0-9]{1,19}|[1-9][0-9]{0,18}|0", re.ASCII)
_INT64: Final = range(-(2**63), 2**63)
_WORDS: Final[dict[str, Data]] = {"true": True, "false": False, "null": None}


class Override(NamedTuple):
    """One value, as `--set` takes it, or `--set-string`."""

    name: str
    """With dots between keys, and indices: a.b[0].c."""
    value: str
    """Escaped as what writes the argument does it."""
    start: int
    """Where in the file the value stands."""
    string: bool = False
    """Whether it is a text whatever it looks like."""


class _Spot:
    """A value that can still change: a mapping or a list of other spots, or any other data; and where it stands."""

    __slots__ = ("start", "value")

    def __init__(self, value: Data, start: int) -> None:
        self.value = value
        self.start = start


def laid(parts: Iterable[Part | None], overrides: Iterable[Override], place: Place) -> Part | None:
    """All of it as one mapping, each key and item with its place in the file; None where nothing is given.

    Of mappings the later one counts before an earlier one, of `overrides` those that are texts before others. One that
    Helm would refuse is passed over, which is the business of what renders it.
    """
    given = [part for part in parts if part and isinstance(part.data, dict)]
    said = sorted(overrides, key=lambda override: override.string)
    if not said and len(given) <= 1:
        return given[0] if given else None
    root = _Spot({}, said[0].start if said else 0)
    for part in given:
        inner = part.place.inner
        root = _merged(root, _spot(part.data, part.place.root, inner.outer if inner else _same, _start(part)))
    for override in said:
        _lay(root, override)
    return Part((given[0].place if given else place)._replace(root=_node(root), inner=None), _data(root))


def _same(position: int) -> int:
    return position


def _start(part: Part) -> int:
    root, inner = part.place.root, part.place.inner
    start = root.start if root else 0
    return inner.outer(start) if inner else start


def _spot(data: Data, node: k8syaml.Node | None, outer: Callable[[int], int], start: int) -> _Spot:
    """What is not written out, as with merge keys, stands where it is merged in."""
    node = node.target if isinstance(node, k8syaml.Alias) else node
    if isinstance(data, dict):
        pairs = node.pairs if isinstance(node, k8syaml.Mapping) else []
        written = {key.value: (key.start, value) for key, value in pairs if isinstance(key, k8syaml.Scalar)}
        spots = {}
        for key, value in data.items():
            place, below = written.get(key, (None, None))
            spots[key] = _spot(value, below, outer, start if place is None else outer(place))
        return _Spot(spots, start)
    if isinstance(data, list):
        items = node.items if isinstance(node, k8syaml.Sequence) else [None] * len(data)
        pairs_of = zip(data, items, strict=True)
        return _Spot([_spot(each, item, outer, outer(item.start) if item else start) for each, item in pairs_of], start)
    return _Spot(data, start)


def _merged(under: _Spot, over: _Spot) -> _Spot:
    """Mappings key by key, anything else whole (loader.MergeMaps)."""
    if not isinstance(under.value, dict) or not isinstance(over.value, dict):
        return over
    both = dict(under.value)
    for key, spot in over.value.items():
        both[key] = _merged(both[key], spot) if key in both else spot
    return _Spot(both, over.start)


def _data(spot: _Spot) -> Data:
    if isinstance(spot.value, dict):
        return {key: _data(each) for key, each in spot.value.items()}
    return [_data(each) for each in spot.value] if isinstance(spot.value, list) else spot.value


def _node(spot: _Spot) -> k8syaml.Node:
    """A tree that has the places."""
    start = spot.start
    if isinstance(spot.value, dict):
        pairs: list[tuple[k8syaml.Node, k8syaml.Node]] = [
            (k8syaml.Scalar(key, "", "", "", each.start, each.start), _node(each)) for key, each in spot.value.items()
        ]
        return k8syaml.Mapping(pairs, False, "", "", start, start)
    if isinstance(spot.value, list):
        return k8syaml.Sequence([_node(each) for each in spot.value], False, "", "", start, start)
    return k8syaml.Scalar("", "", "", "", start, start)


# --- what --set says -----------------------------------------------------------------------------


def _lay(root: _Spot, override: Override) -> None:
    """Set one value, or nothing where Helm would fail or set nothing."""
    path, read = path_of(override.name), _value(override)
    if not path or read is None:
        return
    spot, made = root, len(path) - 1
    for index, key in enumerate(path[:-1]):
        below = _below(spot, key)
        wanted = list if isinstance(path[index + 1], int) else dict
        # An item of a list that is null becomes what is wanted, and a mapping whatever it was.
        if below is None or (
            isinstance(key, int) and (below.value is None or wanted is dict) and not _is(below, wanted)
        ):
            made = index
            break
        if not _is(below, wanted):
            return
        spot = below
    new = _Spot(read.value, override.start)
    for key in reversed(path[made + 1 :]):
        if isinstance(key, int):
            if key > _FARTHEST:
                return
            new = _Spot([*(_Spot(None, override.start) for _ in range(key)), new], override.start)
        else:
            new = _Spot({key: new}, override.start)
    _put(spot, path[made], new)


def _is(spot: _Spot, wanted: type) -> bool:
    return isinstance(spot.value, wanted)


def _below(spot: _Spot, key: str | int) -> _Spot | None:
    if isinstance(key, int):
        found: _Spot | None = spot.value[key] if key < len(spot.value) else None
    else:
        found = spot.value.get(key)
    return found


def _put(spot: _Spot, key: str | int, new: _Spot) -> None:
    if isinstance(key, int):
        missing = key + 1 - len(spot.value)
        if missing > _FARTHEST:
            return
        spot.value.extend(_Spot(None, new.start) for _ in range(missing))
    spot.value[key] = new


class _Read(NamedTuple):
    """A value as Helm reads it."""

    value: Data


def _value(override: Override) -> _Read | None:
    """None where Helm would take a part of it for another name, or refuse it."""
    text = override.value
    if is_placeholder(text):
        return _Read(text)
    if not text.startswith("{"):
        words = _words(text, ",")
        return _Read(_typed(words[0], string=override.string)) if len(words) == 1 else None
    inside, *behind = _words(text[1:], "}", escapes=False)
    if behind != [""]:
        return None
    return _Read([_Spot(_typed(word, string=override.string), override.start) for word in _words(inside, ",")])


def _words(text: str, end: str, *, escapes: bool = True) -> list[str]:
    """What stands between the characters that end a word; with `escapes`, those are taken away."""
    words, rest = [""], iter(text)
    for char in rest:
        if char == "\\":
            words[-1] += ("" if escapes else char) + next(rest, "")
        elif char == end:
            words.append("")
        else:
            words[-1] += char
    return words


def _typed(text: str, *, string: bool) -> Data:
    """A text, unless it is true, false, null or a whole number; 0.5 is a text."""
    if string:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    return int(text) if _INTEGER.fullmatch(text) and int(text) in _INT64 else text
