"""Ctrl-C and termination: held back while something is written, noted while other processes run, else the end at once.

No exception carries them: Python drops one that comes up in a callback, and goes on.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from typing import Final, NoReturn, Self
else:
    # What `signal` hands on, without the enums that it makes of it: 4 of 15 ms of a run with nothing to do.
    import _signal as signal

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LONGEST_WAIT: Final = 0.1
"""Seconds; Python hears of a signal that comes just before its main thread begins to wait only when it has waited."""


def install(end: Callable[[int], NoReturn]) -> None:
    """From now on a signal calls `end` with its number; one that the process was started to ignore stays ignored.

    `end` runs wherever the main thread is, outside of what Held and Noted guard; a second signal does not disturb it.
    """
    ending = False

    def interrupt(number: int, _: object) -> None:
        nonlocal ending
        if not ending:
            ending = True
            end(number)

    for number in _heeded():
        signal.signal(number, interrupt)


def uninstall() -> None:
    """From now on a signal ends the process as any other: everything is written."""
    for number in _heeded():
        signal.signal(number, signal.SIG_DFL)


def _heeded() -> list[int]:
    return [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


class Held:
    """While its block runs a signal waits, so that what is written there is written whole."""

    def __enter__(self) -> None:
        """Hold signals back."""
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)

    def __exit__(self, *_: object) -> None:
        """Let in the ones that came."""
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)


class Noted:
    """While its block runs a signal is noted for all threads to see, so that they end what they started."""

    def __init__(self) -> None:
        self.came = 0
        """The number of a signal that came; 0: none did."""

    def __enter__(self) -> Self:
        """Note signals from now on; for the main thread alone."""
        self._before = {number: signal.getsignal(number) for number in _heeded()}
        for number in self._before:
            signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        """Let in the one that came last."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self.came:
            signal.raise_signal(self.came)

    def _note(self, number: int, _: object) -> None:
        self.came = number
