"""Which files of a folder are left out: patterns as .gitignore has them, against the path below the folder."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from groundcover_istio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_OPTION: Final = "--exclude"
_PIECE: Final = re.compile(
    r"(?P<folders>(?:^|(?<=/))\*\*/)|(?P<all>(?<=/)\*\*$)|(?P<name>\*+)|\[(?P<not>[!^]?)(?P<set>\]?[^\]/]*)\]"
    r"|\\(?P<itself>.)|.",
    re.DOTALL,
)


class Exclusion:
    """The patterns of a run. What is below a folder that one matches is left out too."""

    def __init__(self, globs: Sequence[str]) -> None:
        """Raises UsageError for a pattern that can match nothing."""
        self._patterns = [(_pattern(glob), glob.endswith("/")) for glob in globs]

    def __bool__(self) -> bool:
        """Whether there is any pattern."""
        return bool(self._patterns)

    def takes(self, path: Path, folder: Path) -> bool:
        """Whether a file or a folder below `folder` is to be left out."""
        below = path.relative_to(folder).as_posix()
        return any(
            pattern.fullmatch(below) and (not folders_only or os.path.isdir(path))  # noqa: PTH112  Path's may raise
            for pattern, folders_only in self._patterns
        )


def _pattern(glob: str) -> re.Pattern[str]:
    """The rules of gitignore(5): one with a slash before its end counts from the folder, any other at every depth.

    `*` and `?` stand for no slash, `**/` for any folders, `/**` for all that is below.
    """
    text = glob.removeprefix("./").removesuffix("/")
    if text.startswith("!"):
        raise UsageError(
            f'"{glob}" begins with !, and no pattern takes another one back', where=_OPTION, hint="name the file too"
        )
    anchored = "/" in text or text != glob.removesuffix("/")
    text = text.removeprefix("/")
    if not text:
        raise UsageError(f'"{glob}" matches no file', where=_OPTION, hint=f"{_OPTION} 'helmfile*.yaml'")
    try:
        return re.compile(("" if anchored else "(?:.*/)?") + _PIECE.sub(_piece, text), re.DOTALL)
    except re.error as error:
        raise UsageError(f'"{glob}" is no pattern: {error.msg}', where=_OPTION) from error


def _piece(match: re.Match[str]) -> str:
    if match["folders"]:
        return "(?:.*/)?"
    if match["all"]:
        return ".+"
    if match["name"]:
        return "[^/]*"
    if match["set"]:
        listed = "".join(each if each == "-" else re.escape(each) for each in match["set"])
        return f"(?!/)[{'^' if match['not'] else ''}{listed}]"
    return "[^/]" if match[0] == "?" else re.escape(match["itself"] or match[0])
