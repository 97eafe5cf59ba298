"""A live cluster, read through kubectl: nothing but `get`, each call with a time limit."""

from __future__ import annotations

import difflib
import json
import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio import processes
from groundcover_istio.doctor.items import Tools
from groundcover_istio.doctor.source import SILENCE, Query, Reading, believed, listed
from groundcover_istio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundcover_istio.interrupts import Noted

_LONGEST: Final = 200
_PREFIX: Final = re.compile(r"error: |Error from server(?: \(\w+\))?: ", re.IGNORECASE)


class Answer(NamedTuple):
    """Standard output, or why there is none."""

    out: bytes | bytearray
    error: str = ""


class Kubectl(NamedTuple):
    """The user's own kubectl, for one context."""

    program: str
    kubeconfig: str
    context: str
    """Empty: the current one."""
    shown: str
    """What the user calls it."""
    timeout: float
    """Seconds for each call."""
    interrupt: Noted
    """Once it came no call is made, and those that run are ended."""

    def read(self, query: Query) -> Reading:
        """The objects that a query asks for."""
        reading = self._read(query)
        return reading._replace(fix=f"{self.tools.kubectl} auth can-i list {query.resource} {' '.join(query.scope)}")

    @property
    def tools(self) -> Tools:
        """How the user calls kubectl and Helm for this context."""
        file = ["--kubeconfig", self.kubeconfig] if self.kubeconfig else []
        kubectl, helm = (
            shlex.join([program, *([option, self.context] if self.context else []), *file])
            for program, option in ((self.shown, "--context"), ("helm", "--kube-context"))
        )
        return Tools(kubectl, helm)

    def _read(self, query: Query) -> Reading:
        answer = self._run(query.command)
        if answer.error:
            return Reading(query, [], answer.error)
        try:
            return believed(query, json.loads(answer.out))
        except (ValueError, RecursionError):
            return Reading(query, [], "the answer is no JSON")

    def require_context(self) -> None:
        """Raise UsageError where kubectl knows no such context: each call would only say the same."""
        if self.kubeconfig:
            _require_there(self.kubeconfig)
        if not self.context:
            return
        names = self._replace(context="").contexts("--context")
        if self.context not in names:
            close = difflib.get_close_matches(self.context, names, n=1)
            raise UsageError(
                f"kubectl knows no context {self.context}; it knows {listed(names)}",
                where="--context",
                hint=f"did you mean {close[0]}?"
                if close
                else f"{self._replace(context='').tools.kubectl} config get-contexts",
            )

    def contexts(self, option: str) -> list[str]:
        """The names of every context, which an option asks for; raises UsageError where they can't be had."""
        answer = self._run(["config", "get-contexts", "--output", "name"])
        names = [line.strip() for line in answer.out.decode(errors="replace").splitlines() if line.strip()]
        if answer.error or not names:
            raise UsageError(answer.error or "kubectl knows no context", where=option)
        return names

    def _run(self, arguments: Sequence[str]) -> Answer:
        command = [self.program, *arguments, *(["--kubeconfig", self.kubeconfig] if self.kubeconfig else [])]
        command += ["--context", self.context] if self.context else []
        if arguments[0] == "get":
            command += ["--request-timeout", f"{self.timeout:g}s"]
        if self.interrupt.came:
            return Answer(b"", "interrupted")
        try:
            ended = processes.run(command, self.timeout, self.interrupt)
        except TimeoutError:
            return Answer(b"", f"{SILENCE} {self.timeout:g} s")
        except OverflowError:
            return Answer(b"", f"an answer of more than {processes.MOST >> 20:,} MiB")
        except OSError as error:
            return Answer(b"", f"kubectl can't be started: {error.strerror}")
        if ended.code:
            return Answer(b"", _reason(ended.err.decode(errors="replace")) or f"kubectl ended with {ended.code}")
        return Answer(ended.out)


def find(program: str) -> str:
    """The path of kubectl; raises UsageError where there is none."""
    path = shutil.which(program)
    if not path:
        raise UsageError(
            "is not on PATH",
            where=program,
            hint="install kubectl, or give a folder of what it printed: groundcover-istio doctor --from DIR",
        )
    return path


def _require_there(kubeconfig: str) -> None:
    """Raise UsageError for a file that can't be looked up, of which kubectl would say that it has no context."""
    try:
        Path(kubeconfig).stat()
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"{kubeconfig} is not there", where="--kubeconfig") from None
    except OSError as error:
        raise UsageError(f"{kubeconfig} can't be read: {error.strerror}", where="--kubeconfig") from error


def _reason(text: str) -> str:
    """The last line that kubectl wrote, which is the one that says why."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return _PREFIX.sub("", lines[-1])[:_LONGEST] if lines else ""
