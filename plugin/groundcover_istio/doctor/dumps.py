"""A folder of what `kubectl get -o json` printed, in place of a cluster."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from groundcover_istio.doctor.source import KINDS, Query, Reading, believed
from groundcover_istio.errors import UsageError

if TYPE_CHECKING:
    from groundcover_istio.model import Data


class Dumps(NamedTuple):
    """The objects of every file, by kind, and the files that could not be read."""

    folder: str
    items: dict[str, list[Data]]
    broken: dict[str, str]

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
        if name in self.broken:
            return Reading(query, [], self.broken[name])
        if kind not in self.items:
            return Reading(query, [], f"{self.folder} has no {name}.json")
        return believed(query, {"items": self.items[kind]})


def load(folder: str) -> Dumps:
    """The dumps of a folder; raises UsageError where there are none."""
    paths = sorted(Path(folder).glob("*.json"))
    if not paths:
        raise UsageError(
            "holds no *.json", where=folder, hint="kubectl get pods --all-namespaces -o json > DIR/pods.json, and so on"
        )
    known = {resource.partition(".")[0]: kind for resource, kind in KINDS.items()}
    dumps = Dumps(folder, {}, {})
    for path in paths:
        try:
            answer = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError):
            dumps.broken[path.stem] = f"{path} is no JSON"
            continue
        if path.stem in known:
            dumps.items.setdefault(known[path.stem], [])
        items = answer.get("items") if isinstance(answer, dict) else None
        if not isinstance(items, list):
            dumps.broken[path.stem] = f"{path} is no list of objects"
            continue
        for item in items:
            kind = item.get("kind") if isinstance(item, dict) else None
            dumps.items.setdefault(str(kind), []).append(item)
            if path.stem in known and kind != known[path.stem]:
                dumps.broken[path.stem] = f"{path} holds something that is no {known[path.stem]}"
    return dumps
