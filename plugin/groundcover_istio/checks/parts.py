"""Parts of a document with where they stand: below a path, and inside of a text that is YAML itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from groundcover_istio import k8syaml
from groundcover_istio.checks.places import Inner, Place
from groundcover_istio.errors import ManifestError
from groundcover_istio.limits import MAX_ALIASED
from groundcover_istio.model import mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.model import Data, Path


class Part(NamedTuple):
    """Something in a document: where it stands, and its data."""

    place: Place
    data: Data


def at(part: Part | None, path: Path) -> Part | None:
    """What stands below, None for nothing; where it is not written out, as with merge keys, at the place above."""
    if not part:
        return None
    node, data = part.place.root, part.data
    for key in path:
        if isinstance(data, dict):
            data = data.get(str(key))
        else:
            data = data[key] if isinstance(data, list) and isinstance(key, int) and key < len(data) else None
        node = below(node, key)
    return None if data is None else Part(part.place._replace(root=node or part.place.root), data)


def children(part: Part | None) -> Iterator[tuple[str, Part]]:
    """Every key of a mapping with what stands below, as `at` gives it for one, in one walk."""
    node = part.place.root if part else None
    pairs = node.pairs if isinstance(node, k8syaml.Mapping) else []
    written = {key.value: value for key, value in pairs if isinstance(key, k8syaml.Scalar)}
    for key, data in mapping(part.data).items() if part else ():
        found = written.get(key)
        found = found.target if isinstance(found, k8syaml.Alias) else found
        if part and data is not None:
            yield key, Part(part.place._replace(root=found or node), data)


class Texts:
    """Reads the YAML in texts of one input, and counts what all of their aliases stand for."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._expanded = 0

    def read(self, text: str) -> tuple[k8syaml.Tree, ...]:
        """Its documents; raises ManifestError where it can't be read, and where the aliases are too many."""
        trees = k8syaml.parse(text)
        self._expanded += sum(tree.expanded for tree in trees)
        if self._expanded > MAX_ALIASED:
            raise ManifestError(f"with what stands before it, aliases stand for more than {MAX_ALIASED:,} nodes")
        return trees


def text_at(text: str, part: Part | None, texts: Texts) -> Part | None:
    """The YAML in a text; None where there is none or it can't be read, which is the business of what renders it."""
    scalar = part.place.root if part else None
    if not part or not isinstance(part.data, str) or not isinstance(scalar, k8syaml.Scalar):
        return None
    try:
        trees = texts.read(part.data)
        data = k8syaml.to_data(trees[0].root) if trees else None
    except ManifestError:
        return None
    place = part.place._replace(inner=Inner(text, scalar), root=trees[0].root if trees else None)
    return Part(place, data)


def below(node: k8syaml.Node | None, key: str | int) -> k8syaml.Node | None:
    """What stands under a key or an index, aliases followed; None where it is not written out."""
    node = node.target if isinstance(node, k8syaml.Alias) else node
    found: k8syaml.Node | None = None
    if isinstance(node, k8syaml.Mapping) and isinstance(key, str):
        found = node.get(key)
    elif isinstance(node, k8syaml.Sequence) and isinstance(key, int) and key < len(node.items):
        found = node.items[key]
    return found.target if isinstance(found, k8syaml.Alias) else found
