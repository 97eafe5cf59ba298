"""Istio's own decoding of mesh configs, one question at a time."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Answer(NamedTuple):
    """What Istio says of a mesh config; an empty text or tuple: nothing."""

    strict: str
    """Why a decoder that allows no unknown fields refuses it."""
    lenient: str
    """Why one that skips unknown fields refuses it."""
    istiod: str
    """Why istiod discards it."""
    warnings: tuple[str, ...]
    """What istiod logs of one that it takes."""

    @property
    def silent(self) -> bool:
        """Whether nobody has a word against it."""
        return not (self.strict or self.istiod or self.warnings)


class Decoder:
    """A running filter (tools/meshconfig)."""

    def __init__(self, program: str, log: Path) -> None:
        self._log = log.open("w")
        self._process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        self.fields: dict[str, dict[str, str]] = self._answer()
        """Of each message its fields, and of each field the message it holds, or nothing."""

    def ask(self, mesh_config: Any) -> Answer:
        """What Istio says of a mesh config, given as data."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(as_yaml(mesh_config)) + "\n")
        self._process.stdin.flush()
        said = self._answer()
        return Answer(said["strict"], said["lenient"], said["istiod"], tuple(said["warnings"]))

    def stop(self) -> None:
        """End it."""
        self._process.communicate()
        self._log.close()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def as_yaml(data: Any) -> str:
    """The data in YAML that every reader reads alike: all strings in quotes, no character outside ASCII."""
    text = json.dumps(data, ensure_ascii=False)
    return re.sub(r"[^\x20-\x7e]", lambda found: f"\\U{ord(found[0]):08x}", text)
