"""The command line: finds the command, and turns whatever it raises into one line and an exit code."""

from __future__ import annotations

import gc
import os
import sys

from groundcover_istio import interrupts, stream
from groundcover_istio.console import Console, is_bare
from groundcover_istio.errors import ENVIRONMENT_PREFIX, PROGRAM, ManifestError, ToolError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final, NoReturn

    from groundcover_istio.stream import Document

_FOLDER: Final = os.path.dirname(__file__) + os.sep  # noqa: PTH120  importing pathlib costs 8 ms
COMMANDS: Final = ("render", "diff", "check", "rule", "export", "doctor", "install-plugin")


def run_process() -> NoReturn:
    """The process's own command line, to its end; a signal ends it with 128 and its number, as shells have it."""
    # A run leaves no cycles worth a search, which would take 1 of 30 ms.
    gc.disable()
    console = Console(os.environ)

    def end(number: int) -> NoReturn:
        code = 128 + number
        try:
            code = console.interrupted(code)
        finally:
            os._exit(code)

    interrupts.install(end)
    code = main(console=console)
    interrupts.uninstall()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):  # closed, or never there: Python's own exit knows what to do
        raise SystemExit(code) from None
    # Everything is written: not to take the interpreter apart piece by piece saves 3 of 30 ms.
    os._exit(code)


def main(argv: Sequence[str] | None = None, console: Console | None = None) -> int:
    """Run a command line, by default the process's own; returns the exit code.

    No error leaves it: a mistake of ours too ends in one line, without a traceback.
    """
    console = console or Console(os.environ)
    try:
        return _dispatch(list(sys.argv[1:] if argv is None else argv), console)
    except ToolError as error:
        return console.fail(str(error), error.exit_code)
    except BrokenPipeError:
        return ManifestError.exit_code  # Nobody reads on, so nobody is told.
    except Exception as error:  # the last resort: a user gets one line, never a traceback
        if os.environ.get("GROUNDCOVER_ISTIO_TRACEBACK"):
            raise
        # Where it happened, not its own words: they may hold what stands in a manifest.
        what = f"{PROGRAM}: error: a mistake in {PROGRAM} itself: {type(error).__name__} at {_place(error)}"
        hint = "nothing was written; please report it, with what GROUNDCOVER_ISTIO_TRACEBACK=1 makes of it"
        return console.fail(f"{what}\n  fix: {hint}", ManifestError.exit_code)


def _place(error: Exception) -> str:
    """The line of ours that an exception came through last, as `rules/plan.py:12`."""
    place, trace = "cli.py", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith(_FOLDER):
            place = f"{file.removeprefix(_FOLDER)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _candidates(arguments: list[str], console: Console) -> tuple[Document, ...] | None:
    """Where this is the bare post-renderer, the documents that can matter; None where it is not, or has no input.

    They are found before anything is imported that only they need: argument parser, YAML and rules.
    """
    if not is_bare(arguments) or any(name.startswith(ENVIRONMENT_PREFIX) for name in console.environment):
        return None
    console.channel = arguments[1] if arguments else "auto"
    manifests = console.read("-")
    return None if stream.is_blank(manifests) else stream.candidates(manifests)


def _dispatch(arguments: list[str], console: Console) -> int:
    documents = _candidates(arguments, console)
    if documents:
        from groundcover_istio.commands import render  # noqa: PLC0415

        return render.run(arguments, console, documents)
    if documents is not None:
        console.write(console.read("-"))
        return 0
    if arguments and is_bare(arguments[:2]):
        # Before the command is imported, which may fail already: where it has no YAML to read.
        console.channel = arguments[1]
    name, rest = "render", arguments
    if arguments and not arguments[0].startswith("-"):
        name, *rest = arguments
        if name not in COMMANDS:
            raise UsageError(
                f'"{name}" is no command; accepted: {", ".join(COMMANDS)}',
                hint=f"{PROGRAM} --help; to read a file: {PROGRAM} render FILE",
            )
    module = f"{__package__}.commands.{name.replace('-', '_')}"
    # What importlib.import_module does, without importing `importlib`: 0.6 ms.
    try:
        code: int = __import__(module, fromlist=("run",)).run(rest, console)
    except UsageError as error:
        _name_late_command(error, arguments if rest is arguments else [])
        raise
    return code


def _name_late_command(error: UsageError, arguments: list[str]) -> None:
    """Say so where `render`, for want of a command before the options, took one behind them for a file."""
    late = next((each for each in arguments if each in COMMANDS and not os.path.exists(each)), "")  # noqa: PTH110  as above
    if late and (error.where == late or error.message.startswith("unrecognized arguments")):
        error.hint = f"the command comes first: {PROGRAM} {late} [OPTIONS]"
