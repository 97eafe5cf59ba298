"""Names on the command line → files to read."""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from groundcover_istio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundcover_istio.checks.exclusion import Exclusion

STDIN: Final = "-"
SUFFIXES: Final = (".yaml", ".yml", ".json")
_WANTED: Final = "manifests, a mesh config or values"
_NAME_ANOTHER: Final = "name a folder or a file that has some"
# What of a chart is not read: templates, and what they may fill in.
_RENDERED: Final = ("templates", "files")
_CHART: Final = "Chart.yaml"
_NOWHERE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
"""What the system says of a link that nothing is at the end of."""
_Identity: TypeAlias = tuple[int, int]
"""A device, and the number that a folder or file has there."""


class Inputs(NamedTuple):
    """What the names on the command line mean."""

    files: tuple[str, ...]
    """Every one once."""
    below: dict[str, tuple[str, ...]]
    """The files of each folder that was named, and standard input as its own."""
    charts: tuple[str, ...]
    """Folders of Helm charts whose templates were left out."""
    found: frozenset[str]
    """Those of the files that only a folder names."""
    excluded: frozenset[str] = frozenset()
    """The folders in which the user's patterns left something out."""


def expand(names: Sequence[str], exclusion: Exclusion) -> Inputs:
    """Every file that the names mean; a folder means the manifests below it, but for what is to be left out there.

    Left out in folders: what starts with a dot, and of Helm charts the templates, the files that these
    read and the schema, which are no manifests until Helm renders them; and what is no regular file.
    A folder that can't be listed is a file here, which can't be read. Raises UsageError where standard
    input is named twice.
    """
    if names.count(STDIN) > 1:
        raise UsageError("standard input (-) is named twice")
    found: dict[str, None] = {}
    below: dict[str, tuple[str, ...]] = {}
    charts: dict[str, None] = {}
    excluded: set[str] = set()
    for name in names or (STDIN,):
        if name != STDIN and os.path.isdir(name):  # noqa: PTH112  Path's raises where it may not look
            walk = _Walk(Path(name), exclusion, charts)
            listed = tuple(str(path) for path in walk.manifests())
            excluded.update((name,) if walk.excluded else ())
            below[name] = listed
            found.update(dict.fromkeys(listed))
        else:
            below.update({name: (name,)} if name == STDIN else {})
            found[name] = None
    return Inputs(tuple(found), below, tuple(charts), frozenset(found).difference(names), frozenset(excluded))


def require_content(inputs: Inputs, empty: frozenset[str], passed: Sequence[str], strange: Sequence[str]) -> None:
    """Raise UsageError where a folder, standard input or all of it holds nothing to look at: all is not well then.

    `empty` are the files without a document, `passed` those of them that can't be read, `strange` those that hold
    something else. A file that was named may be empty, or be one of several that holds something else: hooks name
    whatever was changed.
    """
    for name, files in inputs.below.items():
        if empty.issuperset(files):
            what = "standard input" if name == STDIN else name
            wanted = _WANTED + ("" if name == STDIN else f", in {', '.join(SUFFIXES)} files")
            raise UsageError(
                f"holds nothing to check; looked for: {wanted}", where=what, hint=_hint(name, inputs, passed)
            )
    if strange and empty.issuperset(inputs.files):
        raise UsageError(f"holds nothing to check; looked for: {_WANTED}", where=strange[0], hint=_NAME_ANOTHER)


def _hint(name: str, inputs: Inputs, passed: Sequence[str]) -> str:
    if name == STDIN:
        return "what writes to it may have failed"
    if name in inputs.excluded:
        return "--exclude leaves out what there is"
    return templates_left_out(inputs) or passed_over(passed) or _NAME_ANOTHER


def templates_left_out(inputs: Inputs) -> str:
    """What to do about charts in the folders that were named, by `_RENDERED`; empty where there are none."""
    if not inputs.charts:
        return ""
    first, *more = inputs.charts
    whose = f"{first} and of {len(more)} more" if more else first
    how = f"render them: helm template NAME {first} | groundcover-istio check -"
    return f"the templates and files of chart {whose} are not read; {how}"


def passed_over(names: Sequence[str]) -> str:
    """What to say of files that were found in folders, can't be read and are no business of check's."""
    if not names:
        return ""
    which = f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]
    say, one = ("say", "one") if len(names) > 1 else ("says", "it")
    return f"{which} can't be read and {say} nothing of Istio: passed over; name {one} to see why"


def not_understood(names: Sequence[str]) -> str:
    """What to say of files that were named and hold something else; empty where there are none."""
    if not names:
        return ""
    which, hold = (f"{names[0]} and {len(names) - 1} more", "hold") if len(names) > 1 else (names[0], "holds")
    return f"{which} {hold} nothing to check: no {_WANTED.replace(', a', ',')}"


class _Walk:
    """One folder that was named, gone through."""

    def __init__(self, top: Path, exclusion: Exclusion, charts: dict[str, None]) -> None:
        """`charts` takes the folders of charts whose templates are left out."""
        self._top, self._exclusion, self._charts = top, exclusion, charts
        self._folders = deque([top])
        """Folders still to be listed."""
        self._links: deque[Path] = deque()
        """Links still to be followed: after all else, so that what has a name without links goes by that one."""
        self._seen: set[_Identity] = set()
        """Folders and files that were come by: links may lead there by more ways than there is time for."""
        self._files: list[Path] = []
        self.excluded = False
        """Whether the user's patterns left something out."""

    def manifests(self) -> list[Path]:
        """The manifests below the folder, each once. What can't be listed is among them: reading it says why."""
        while self._folders or self._links:
            if self._folders:
                self._list(self._folders.popleft())
            else:
                self._follow(self._links.popleft())
        return sorted(self._files)

    def _list(self, folder: Path) -> None:
        try:
            status = folder.stat()
            if not self._is_new(status.st_dev, status.st_ino):
                return
            with os.scandir(folder) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError:
            self._files.append(folder)
            return
        chart = any(entry.name == _CHART for entry in entries)
        if chart and any(os.path.isdir(folder / name) for name in _RENDERED):  # noqa: PTH112  as above
            self._charts[str(folder)] = None
        for entry in entries:
            path = folder / entry.name
            if entry.name.startswith(".") or (chart and entry.name in (*_RENDERED, "values.schema.json")):
                continue
            if self._exclusion and self._exclusion.takes(path, self._top):
                self.excluded = True
            else:
                self._enter(entry, path, status.st_dev)

    def _enter(self, entry: os.DirEntry[str], path: Path, device: int) -> None:
        try:
            if entry.is_symlink():
                self._links.append(path)
            elif entry.is_dir():
                self._folders.append(path)
            elif path.suffix in SUFFIXES and entry.is_file():
                # One of several hard links is a file like any other.
                self._is_new(device, entry.inode())
                self._files.append(path)
        except OSError:  # A file system that says what an entry is only to those who may read it.
            self._files.append(path)

    def _follow(self, link: Path) -> None:
        try:
            status = link.stat()
        except OSError as error:
            # One that leads nowhere may be anything's, by its name; of any other a folder may be at the end.
            if link.suffix in SUFFIXES or error.errno not in _NOWHERE:
                self._files.append(link)
            return
        if stat.S_ISDIR(status.st_mode):
            self._folders.append(link)
        elif link.suffix in SUFFIXES and stat.S_ISREG(status.st_mode) and self._is_new(status.st_dev, status.st_ino):
            self._files.append(link)

    def _is_new(self, device: int, number: int) -> bool:
        """Whether a folder or file, by the numbers that the system has for it, was not come by yet; now it was."""
        known = (device, number) in self._seen
        self._seen.add((device, number))
        return not known
