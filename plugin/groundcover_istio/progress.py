"""Progress: one line for a person at a terminal, while something takes more than a second."""

from __future__ import annotations

import sys

from groundcover_istio.console import ERASE
from groundcover_istio.errors import PROGRAM
from groundcover_istio.interrupts import Held

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from types import TracebackType
    from typing import Self


class Progress:
    """While its block runs, says on standard error what is being done, and for how many seconds now.

    Nothing is written in the first second, nor ever where standard error is no terminal; the line
    is gone when the block ends, so that results and errors stand alone.
    """

    def __init__(self, what: str, *, every: float = 1.0) -> None:
        """`what`, such as "reading the cluster"; `every` is in seconds, before the first line and between two."""
        self._what = what
        self._every = every
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Start to count, at a terminal."""
        if sys.stderr is not None and sys.stderr.isatty():
            # Not at the top: nobody but a person at a terminal waits for it to be imported.
            import threading  # noqa: PLC0415

            self._done = threading.Event()
            self._thread = threading.Thread(target=self._tell, daemon=True)
            # It never takes a signal: one that comes to it would get through what Held holds back.
            with Held():
                self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the line away, whatever the way out."""
        if self._thread is not None:
            self._done.set()
            self._thread.join()

    def _tell(self) -> None:
        seconds, line = 0.0, ""
        while not self._done.wait(self._every):
            seconds += self._every
            line = f"{PROGRAM}: {self._what} … {seconds:.0f} s"
            sys.stderr.write(ERASE + line)
            sys.stderr.flush()
        if line:
            sys.stderr.write(ERASE)
            sys.stderr.flush()
