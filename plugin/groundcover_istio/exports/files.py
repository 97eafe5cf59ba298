"""A user's own file, edited in place: everything but what changes stays, to the byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio import k8syaml
from groundcover_istio.config import Layer
from groundcover_istio.edits import apply, apply_to_data, edits_for
from groundcover_istio.errors import EditError, ManifestError, ToolError, UsageError
from groundcover_istio.exports.merge import Merged, merge
from groundcover_istio.istio import release
from groundcover_istio.rules.plan import dig
from groundcover_istio.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundcover_istio.exports.carriers import Carrier
    from groundcover_istio.k8syaml import Tree
    from groundcover_istio.model import Data, Operation, Path

# The one profile of Istio's that has extensionProviders.
PROFILE: Final = "demo"


class Edited(NamedTuple):
    """A file's text after the edit, and what was done to each place in it."""

    text: str
    covered: list[str]
    """Places whose new list of providers takes the place of one that a profile brings."""
    merged: list[tuple[str, Merged]]


def into_file(text: str, name: str, carrier: Carrier, layers: Sequence[Layer], at: Path) -> Edited:
    """Write the configuration into a file that holds a carrier.

    `at` is where values stand in the file, () at its top. Raises ToolError: then nothing is to be written.
    """
    trees = read(text, name)
    found = [tree for tree in trees if carrier.holds(k8syaml.to_data(tree.root))]
    if not carrier.api_group and len(trees) > 1:
        raise UsageError(f"holds {len(trees)} YAML documents, a values file is one", where=name)
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
    path: Path = (*at, *carrier.path)
    merged: list[tuple[str, Merged]] = []
    covered: list[str] = []
    planned: list[tuple[Tree, list[Operation]]] = []
    for tree in found or [k8syaml.NOTHING]:
        place = f"{name}, {spell(path)}"
        data = k8syaml.to_data(tree.root)
        held = dig(data, *map(str, path))
        result = merge(held, [*_stated_version(data, carrier, at, place), *layers], place, values=True)
        merged.append((place, result))
        if dig(data, *map(str, at), *carrier.profile) == PROFILE and not dig(held, "extensionProviders"):
            covered.append(place)
        planned.append((tree, [each._replace(path=(*path, *each.path)) for each in result.operations]))
    return Edited(edit(text, name, planned), covered, merged)


def _stated_version(data: Data, carrier: Carrier, at: Path, where: str) -> list[Layer]:
    """The Istio version that a file states, as the weakest of the settings; none where it states none."""
    texts = [dig(data, *map(str, at), *path) for path in carrier.version]
    # What stands at the top under `global` Helm hands to every chart below.
    version = release(*texts, dig(data, "global", "tag"))
    return [Layer(where, {"istioVersion": str(version)})] if version else []


def load(text: str, name: str) -> list[Data]:
    """The data of the YAML documents of a file that a user wrote."""
    return [k8syaml.to_data(tree.root) for tree in read(text, name)]


def read(text: str, name: str) -> tuple[Tree, ...]:
    """The YAML documents of a file that a user wrote."""
    try:
        return k8syaml.parse(text)
    except ManifestError as error:
        raise ManifestError(error.message, where=_at(name, error.where), hint=error.hint) from error


def edit(text: str, name: str, planned: list[tuple[Tree, list[Operation]]]) -> str:
    """The text with operations carried out on some of its documents, read again and compared.

    Raises EditError where that can't be done without touching anything else.
    """
    try:
        edits = [each for tree, operations in planned if operations for each in edits_for(text, tree, operations)]
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
    if load(after, name) != wanted:
        raise EditError(
            "can't be edited safely: the edited text reads differently from the plan",
            where=name,
            hint="nothing was written; please report this with the file's text",
        )


def _at(name: str, where: str) -> str:
    return f"{name}, {where}" if where else name
