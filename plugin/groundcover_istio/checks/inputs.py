"""Names on the command line → files to read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from groundcover_istio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STDIN: Final = "-"
SUFFIXES: Final = (".yaml", ".yml", ".json")


def expand(names: Sequence[str]) -> list[str]:
    """Every file that the names mean, each once; a folder means the manifests below it.

    Left out in folders: what starts with a dot, and the templates and schemas of Helm charts, which
    are no YAML until Helm renders them. Raises UsageError where standard input is named with other
    names twice, or a folder can't be read.
    """
    if names.count(STDIN) > 1:
        raise UsageError("standard input (-) is named twice")
    found: dict[str, None] = {}
    for name in names or (STDIN,):
        if name != STDIN and Path(name).is_dir():
            found.update((str(path), None) for path in _manifests(Path(name), frozenset()))
        else:
            found[name] = None
    return list(found)


def _manifests(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    """The manifests below a folder. A link to one of the folders that it is in leads nowhere new."""
    try:
        real, entries = folder.resolve(), sorted(folder.iterdir())
    except OSError as error:
        raise UsageError(f"can't be read: {error.strerror}", where=str(folder)) from error
    if real in above:
        return
    chart = (folder / "Chart.yaml").exists()
    for path in entries:
        if path.name.startswith(".") or (chart and path.name in ("templates", "values.schema.json")):
            continue
        if path.is_dir():
            yield from _manifests(path, above | {real})
        elif path.suffix in SUFFIXES and not path.is_fifo():
            yield path
