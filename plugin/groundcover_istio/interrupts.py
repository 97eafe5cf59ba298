"""Ctrl-C and termination: an exception while nothing is written yet, held back while something is."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, Final

from groundcover_istio.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@contextlib.contextmanager
def held() -> Iterator[None]:
    """While its block runs a signal waits, so that what is written there is written whole."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
