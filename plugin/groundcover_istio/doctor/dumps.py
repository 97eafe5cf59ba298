"""A folder of what `kubectl get -o json` printed, in place of a cluster."""

from __future__ import annotations

import json
import shlex
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from groundcover_istio.doctor.source import KINDS, Query, Reading, believed
from groundcover_istio.errors import UsageError
from groundcover_istio.limits import MAX_FILE_BYTES

if TYPE_CHECKING:
    from groundcover_istio.model import Data


# The kind of the objects that a file is for, by its name.
_KINDS: Final = {resource.partition(".")[0]: kind for resource, kind in KINDS.items()}
_DUMP: Final = "kubectl get pods --all-namespaces -o json > DIR/pods.json, and so on"


class Dumps:
    """The objects of every file, by kind, and the files that could not be read."""

    def __init__(self, folder: str) -> None:
        """Read every file of a folder; raises UsageError where there is none, or the folder can't be listed."""
        self.folder = folder
        self._items: dict[str, list[Data]] = {}
        self._broken: dict[str, str] = {}
        try:
            paths = sorted(path for path in Path(folder).iterdir() if path.name.endswith(".json"))
        except OSError as error:
            raise UsageError(f"can't be read: {error.strerror}", where=folder, hint=_DUMP) from error
        if not paths:
            raise UsageError("holds no *.json", where=folder, hint=_DUMP)
        for path in paths:
            self._load(path)

    def read(self, query: Query) -> Reading:
        """The objects that a query asks for."""
        name = query.resource.partition(".")[0]
        # A file is for all that is asked of a kind; of Secrets that is Helm's alone.
        labels = query.labels if query.resource == "secrets" else ()
        command = " ".join(Query(query.resource, labels=labels).command)
        file = shlex.quote(f"{self.folder}/{name}.json")
        return self._read(query, name)._replace(fix=f"kubectl {command} > {file}")

    def _read(self, query: Query, name: str) -> Reading:
        kind = KINDS[query.resource]
        if name in self._broken:
            return Reading(query, [], self._broken[name])
        if kind not in self._items:
            return Reading(query, [], f"{self.folder} has no {name}.json")
        return believed(query, {"items": self._items[kind]})

    def _load(self, path: Path) -> None:
        try:
            answer = json.loads(_content(path))
        except OSError as error:
            self._broken[path.stem] = f"{path} can't be read: {error.strerror}"
            return
        except (ValueError, RecursionError):
            self._broken[path.stem] = f"{path} is no JSON"
            return
        wanted = _KINDS.get(path.stem)
        if wanted:
            self._items.setdefault(wanted, [])
        items = answer.get("items") if isinstance(answer, dict) else None
        if not isinstance(items, list):
            self._broken[path.stem] = f"{path} is no list of objects"
            return
        for item in items:
            kind = item.get("kind") if isinstance(item, dict) else None
            self._items.setdefault(str(kind), []).append(item)
            if wanted and kind != wanted:
                self._broken[path.stem] = f"{path} holds something that is no {wanted}"


def _content(path: Path) -> bytes:
    """The bytes of a dump; raises OSError also for what may have no end (pipes, devices), and for too large a file."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(0, "no regular file")
    if status.st_size > MAX_FILE_BYTES:
        raise OSError(0, f"more than {MAX_FILE_BYTES:,} bytes")
    return path.read_bytes()
