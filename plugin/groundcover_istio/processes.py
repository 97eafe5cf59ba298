"""A program of the user's, run to its end: for so long, with so much output, and no longer than we run ourselves."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio.interrupts import LONGEST_WAIT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from groundcover_istio.interrupts import Noted

MOST: Final = 1 << 30
"""Bytes that a program may write: what kubectl says of a hundred thousand pods is less."""
_AT_ONCE: Final = 1 << 20


class Ended(NamedTuple):
    """A program that came to its end."""

    code: int
    out: bytearray
    err: bytearray


def run(
    command: Sequence[str], timeout: float, interrupt: Noted, environment: Mapping[str, str] | None = None
) -> Ended:
    """Run a program in a session of its own; whatever it started ends with it.

    Raises OSError where it can't be started, TimeoutError after `timeout` seconds or at an interrupt, and
    OverflowError when it writes more than MOST bytes.
    """
    process = subprocess.Popen(  # noqa: S603  kubectl and Helm, as the user names them
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    try:
        out, err = _output(process, timeout, interrupt)
    except BaseException:
        _end(process)
        raise
    return Ended(process.returncode, out, err)


def _output(process: subprocess.Popen[bytes], timeout: float, interrupt: Noted) -> list[bytearray]:
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
                    if len(key.data) > MOST:
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
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1)
