"""A user's own file, edited in place: everything but what changes stays, to the byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio import config, k8syaml
from groundcover_istio.config import Layer
from groundcover_istio.edits import apply, apply_to_data, edits_for, find_scalar
from groundcover_istio.embedded import embed
from groundcover_istio.errors import EditError, ManifestError, ToolError, UsageError
from groundcover_istio.exports.at import (
    is_for_istiod,
    is_there,
    istiod_version,
    reach,
    refuse_umbrella,
    resolve,
    spelled,
    split_document,
)
from groundcover_istio.exports.merge import merge
from groundcover_istio.exports.overrides import below, overrides_beside, refuse_overrides
from groundcover_istio.exports.shared import is_shared, name_shared
from groundcover_istio.istio import release
from groundcover_istio.model import Operation, dig
from groundcover_istio.spelling import spell
from groundcover_istio.subcharts import with_globals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundcover_istio.exports.at import Place
    from groundcover_istio.exports.carriers import Carrier
    from groundcover_istio.exports.overrides import Override
    from groundcover_istio.k8syaml import Tree
    from groundcover_istio.model import Data, Decision, Edit, Path


class Above(NamedTuple):
    """What is known of a text that stands in a file."""

    path: Path
    """The way to it."""
    chart_version: str
    """What the file says of the chart that it is for."""
    overrides: list[Override]
    """What it sets beside the text."""


_NOTHING_ABOVE: Final = Above((), "", [])


class Edited(NamedTuple):
    """A file's text after the edit, and what was done to each place in it."""

    text: str
    edits: tuple[Edit, ...]
    """What made it of the text before."""
    decided: list[tuple[str, list[Decision]]]


def into_file(
    text: str, name: str, carrier: Carrier, layers: Sequence[Layer], at: str, *, above: Above = _NOTHING_ABOVE
) -> Edited:
    """Write the configuration into a file that holds a carrier.

    `at` is where values stand in the file, empty: at its top; `above` is for a text that stands in a file itself.
    Raises ToolError: then nothing is to be written.
    """
    number, at = split_document(at)
    found = _documents(text, name, carrier, at, number)
    places = [resolve(k8syaml.to_data(tree.root), at, name) for tree in found] if at else []
    if places and isinstance(places[0].held, str):
        return _into_text(text, name, found[0], places[0], carrier, layers)
    decided: list[tuple[str, list[Decision]]] = []
    planned: list[tuple[Tree, list[Operation]]] = []
    base = places[0].path if places else ()
    if not carrier.api_group:
        held = places[0].held if places else k8syaml.to_data(found[0].root)
        refuse_umbrella(held, (*above.path, *base), f"{name}, {spell(base)}" if base else name)
    path: Path = (*base, *carrier.path)
    place = f"{name}, {spell(path)}"
    for tree in found:
        top = k8syaml.to_data(tree.root)
        data = _as_handed_on(top, places[0]) if places else top
        stated = _stated(data, carrier, place, above.chart_version or istiod_version(top, base))
        given = [*stated, *layers]
        if not carrier.api_group:
            beside = [*below(above.overrides, base), *overrides_beside(top, base, name)]
            refuse_overrides(beside, config.resolve(given))
        if is_shared(layers):
            named = name_shared(data, carrier, given, name, base)
            decided += named.decided
            planned.append((tree, named.operations))
            continue
        result = merge(dig(data, *carrier.path), given, place, carrier.beside(data))
        decided.append((place, result.decisions))
        planned.append((tree, [each._replace(path=(*path, *each.path)) for each in result.operations]))
    edits = edits_of(text, name, planned)
    return Edited(applied(text, name, planned, edits), edits, decided)


def _documents(text: str, name: str, carrier: Carrier, at: str, number: int | None) -> list[Tree]:
    """The documents of a file that are to be edited; an empty one where there are none. `number` names one of them."""
    trees = read(text, name)
    if number is not None:
        if number >= len(trees):
            count = f"holds documents [0] to [{len(trees) - 1}]" if len(trees) > 1 else "holds one document alone"
            raise UsageError(f"document [{number}] is not there; the file {count}", where=f"{name}, --at")
        return [trees[number]]
    found = [tree for tree in trees if carrier.holds(k8syaml.to_data(tree.root))]
    if not carrier.api_group and len(trees) > 1:
        return [_only_one(trees, at, name)]
    if not found and trees:
        raise UsageError(
            f"holds no {carrier.words}", where=name, hint=f"groundcover-istio export {carrier.kind} > FILE"
        )
    top = k8syaml.to_data(found[0].root) if found else None
    if not carrier.api_group and not at and dig(top, "apiVersion") and dig(top, "kind"):
        raise UsageError(
            f"is an object of kind {dig(top, 'kind')}, where values at the top have no effect",
            where=name,
            hint="say where it has the chart's values, as --at spec.values",
        )
    return found or [k8syaml.NOTHING]


def _only_one(trees: Sequence[Tree], at: str, name: str) -> Tree:
    """Of several documents the one for chart istiod, else the only one that has a place; raises UsageError."""
    documents = [k8syaml.to_data(tree.root) for tree in trees]
    there = [index for index, each in enumerate(documents) if at and is_there(each, at)]
    for found in ([index for index, each in enumerate(documents) if at and is_for_istiod(each, at)], there):
        if len(found) == 1:
            return trees[found[0]]
    having = f"{len(there) or 'none'} of them with {spelled(at)}" if at else "a values file is one"
    ways = [f"--at '[{index}].{spelled(at)}'" for index in there or (0,)] if at else []
    raise UsageError(
        f"holds {len(trees)} YAML documents, {having}",
        where=name,
        hint=f"name the document by its number, from 0, as {', or '.join(ways)}"
        if at
        else "name the document by its number, from 0, and where it has the values, as --at '[1]' or '[1].spec.values'",
    )


def _into_text(text: str, name: str, tree: Tree, place: Place, carrier: Carrier, layers: Sequence[Layer]) -> Edited:
    """The same where the values are a text inside the file, as in an Application of Argo CD."""
    try:
        holder, scalar = find_scalar(tree, place.path)
    except ToolError as error:
        error.where = _at(name, error.where)
        raise
    document = k8syaml.to_data(tree.root)
    beside = overrides_beside(document, place.path, name)
    above = Above(place.path, istiod_version(document, place.path), beside)
    inner = into_file(scalar.value, f"{name}, {spell(place.path)}", carrier, layers, place.rest, above=above)
    edits = (embed(text, holder, scalar, inner.edits),) if inner.edits else ()
    after = apply(text, edits)
    path = (read(text, name).index(tree), *place.path)
    found = load(after, name)
    held = reach(found, path)
    wanted = apply_to_data(load(text, name), [Operation("set", path, held)])
    if found != wanted or load(held, name) != load(inner.text, name):
        raise _unsafe(name)
    return inner._replace(text=after, edits=edits)


def _as_handed_on(top: Data, place: Place) -> Data:
    """What stands at a place, with the `global` of all that it stands in: the outermost counts first."""
    data = place.held
    for depth in reversed(range(len(place.path))):
        data = with_globals(data, reach(top, place.path[:depth]))
    return data


def _stated(data: Data, carrier: Carrier, where: str, chart_version: str) -> list[Layer]:
    """Istio's version as a file states it, the weakest of the settings; none where it states none.

    That of the chart is the weakest of all: values may name an image of their own.
    """
    version = carrier.version(data) or release(chart_version)
    return [Layer(where, {"istioVersion": str(version)})] if version else []


def load(text: str, name: str) -> list[Data]:
    """The data of the YAML documents of a file that a user wrote."""
    return [k8syaml.to_data(tree.root) for tree in read(text, name)]


def read(text: str, name: str) -> tuple[Tree, ...]:
    """The YAML documents of a file that a user wrote."""
    try:
        trees = k8syaml.parse(text)
        # What is no data, such as a template `{{ x }}` as a key, is said here, where the file's name is known.
        for tree in trees:
            k8syaml.to_data(tree.root)
    except ManifestError as error:
        raise ManifestError(error.message, where=_at(name, error.where), hint=error.hint) from error
    return trees


def edit(text: str, name: str, planned: list[tuple[Tree, list[Operation]]]) -> str:
    """The text with operations carried out on some of its documents, read again and compared.

    Raises EditError where that can't be done without touching anything else.
    """
    return applied(text, name, planned, edits_of(text, name, planned))


def edits_of(text: str, name: str, planned: list[tuple[Tree, list[Operation]]]) -> tuple[Edit, ...]:
    """The edits of a text that carry out operations on some of its documents; raises EditError."""
    try:
        return tuple(each for tree, operations in planned if operations for each in edits_for(text, tree, operations))
    except ToolError as error:
        error.where = _at(name, error.where)
        raise


def applied(text: str, name: str, planned: list[tuple[Tree, list[Operation]]], edits: Sequence[Edit]) -> str:
    """The text with edits made, read again and compared with what was planned; raises EditError."""
    try:
        after = apply(text, edits)
    except ToolError as error:
        error.where = _at(name, error.where)
        raise
    verify(text, after, name, planned)
    return after


def verify(before: str, after: str, name: str, planned: list[tuple[Tree, list[Operation]]]) -> None:
    """Raise EditError unless the edited text reads as planned and as before everywhere else."""
    wanted: list[Data] = []
    for tree in read(before, name):
        operations = next((each for planned_tree, each in planned if planned_tree == tree), [])
        data = k8syaml.to_data(tree.root)
        wanted.append(apply_to_data({} if data is None and operations else data, operations))
    if not wanted:
        wanted = [apply_to_data({}, operations) for _, operations in planned]
    try:
        found = load(after, name)
    except ManifestError as error:
        raise _unsafe(name) from error
    if found != wanted:
        raise _unsafe(name)


def _unsafe(name: str) -> EditError:
    return EditError(
        "can't be edited safely: the edited text reads differently from the plan",
        where=name,
        hint="nothing was written; please report this with the file's text",
    )


def _at(name: str, where: str) -> str:
    return f"{name}, {where}" if where else name
