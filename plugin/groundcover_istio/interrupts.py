"""Ctrl-C and termination: an exception while nothing is written yet, held back while something is."""

from __future__ import annotations

from groundcover_istio.errors import Interrupted

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import Final
else:
    # What `signal` hands on, without the enums that it makes of it: 4 of 15 ms of a run with nothing to do.
    import _signal as signal

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def install() -> None:
    """From now on raise Interrupted on a signal, once; one that the process was started to ignore stays ignored."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(number: int, _: object) -> None:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # A second one must not disturb what tidies up after the first.
    raise Interrupted(number)


def uninstall() -> None:
    """From now on a signal ends the process at once: everything is written."""
    for number in _SIGNALS:
        if signal.getsignal(number) is _interrupt:
            signal.signal(number, signal.SIG_DFL)


def let_in() -> None:
    """Undo for this thread, and the processes it starts, what Held does to the one that started it."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


class Held:
    """While its block runs a signal waits, so that what is written there is written whole."""

    def __enter__(self) -> None:
        """Hold signals back."""
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)

    def __exit__(self, *_: object) -> None:
        """Let in the ones that came."""
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)
