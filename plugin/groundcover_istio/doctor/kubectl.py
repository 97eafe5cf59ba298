"""A live cluster, read through kubectl: nothing but `get`, each call with a time limit."""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio.doctor.source import Query, Reading, believed
from groundcover_istio.errors import UsageError
from groundcover_istio.interrupts import LONGEST_WAIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundcover_istio.interrupts import Noted

_LONGEST: Final = 200
# Bytes of an answer: that of a hundred thousand pods has less.
_MOST: Final = 1 << 30
_AT_ONCE: Final = 1 << 20
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
    timeout: float
    """Seconds for each call."""
    interrupt: Noted
    """Once it came no call is made, and those that run are ended."""

    def read(self, query: Query) -> Reading:
        """The objects that a query asks for."""
        reading = self._read(query)
        return reading._replace(fix=f"kubectl auth can-i list {query.resource} {' '.join(query.scope)}")

    def _read(self, query: Query) -> Reading:
        answer = self._run(query.command)
        if answer.error:
            return Reading(query, [], answer.error)
        try:
            return believed(query, json.loads(answer.out))
        except (ValueError, RecursionError):
            return Reading(query, [], "the answer is no JSON")

    def contexts(self) -> list[str]:
        """The names of every context; raises UsageError where they can't be had."""
        answer = self._run(["config", "get-contexts", "--output", "name"])
        names = [line.strip() for line in answer.out.decode(errors="replace").splitlines() if line.strip()]
        if answer.error or not names:
            raise UsageError(answer.error or "kubectl knows no context", where="--all-contexts")
        return names

    def _run(self, arguments: Sequence[str]) -> Answer:
        command = [self.program, *arguments, *(["--kubeconfig", self.kubeconfig] if self.kubeconfig else [])]
        command += ["--context", self.context] if self.context else []
        if arguments[0] == "get":
            command += ["--request-timeout", f"{self.timeout:g}s"]
        if self.interrupt.came:
            return Answer(b"", "interrupted")
        try:
            process = subprocess.Popen(  # noqa: S603  the user's own kubectl
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            return Answer(b"", f"kubectl can't be started: {error.strerror}")
        try:
            out, err = _output(process, self.timeout, self.interrupt)
        except TimeoutError:
            _end(process)
            return Answer(b"", f"no answer within {self.timeout:g} s")
        except OverflowError:
            _end(process)
            return Answer(b"", f"an answer of more than {_MOST >> 20:,} MiB")
        if process.returncode:
            return Answer(b"", _reason(err.decode(errors="replace")) or f"kubectl ended with {process.returncode}")
        return Answer(out)


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


def _output(process: subprocess.Popen[bytes], timeout: float, interrupt: Noted) -> list[bytearray]:
    """What it writes to standard output and to standard error until it ends.

    Raises TimeoutError after `timeout` seconds or at an interrupt, and OverflowError when it is more than an
    answer may hold.
    """
    deadline = time.monotonic() + timeout
    parts = {stream: bytearray() for stream in (process.stdout, process.stderr) if stream}
    try:
        with selectors.DefaultSelector() as ready:
            for stream, part in parts.items():
                ready.register(stream, selectors.EVENT_READ, part)
            while ready.get_map():
                if (left := deadline - time.monotonic()) <= 0 or interrupt.came:
                    raise TimeoutError
                for key, _ in ready.select(min(left, LONGEST_WAIT)):
                    read = os.read(key.fd, _AT_ONCE)
                    key.data.extend(read)
                    if len(key.data) > _MOST:
                        raise OverflowError
                    if not read:
                        ready.unregister(key.fileobj)
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    finally:
        for stream in parts:
            stream.close()
    return list(parts.values())


def _end(process: subprocess.Popen[bytes]) -> None:
    """End kubectl and whatever it started to log in with."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1)


def _reason(text: str) -> str:
    """The last line that kubectl wrote, which is the one that says why."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return _PREFIX.sub("", lines[-1])[:_LONGEST] if lines else ""
