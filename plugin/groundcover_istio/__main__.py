"""`python -m groundcover_istio`, and the executable of that name."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import NoReturn
else:
    import _signal as signal  # as in interrupts


def start() -> NoReturn:
    """Run the process's command line."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # While modules are imported Ctrl-C ends it as any program, without Python's traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from groundcover_istio.cli import run_process  # noqa: PLC0415  after the line above

    run_process()


if __name__ == "__main__":
    start()
