"""The command line: finds the command, and turns whatever it raises into one line and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Final

from groundcover_istio import interrupts, stream
from groundcover_istio.console import CHANNELS, Console
from groundcover_istio.errors import PROGRAM, Interrupted, ManifestError, ToolError, UsageError
from groundcover_istio.model import DEFAULT_SERVICE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

ENVIRONMENT_PREFIX: Final = "GROUNDCOVER_ISTIO_"
# What the Helm 4 plugin is started with (plugin.yaml).
PLUGIN_ARGUMENTS: Final = ("--error-channel", "document")
_CTRL_C: Final = 130
_FOLDER: Final = os.path.dirname(__file__) + os.sep  # noqa: PTH120  importing pathlib costs 8 ms
COMMANDS: Final = ("render", "diff", "check", "rule", "export", "doctor", "install-plugin")


def run_process() -> NoReturn:
    """The process's own command line, to its end; an interrupt ends it with 128 and the signal's number."""
    try:
        interrupts.install()
        code = main()
        interrupts.uninstall()
    except Interrupted as error:
        code = error.exit_code
    raise SystemExit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line, by default the process's own; returns the exit code.

    No exception leaves it: a mistake of ours too ends in one line, without a traceback.
    """
    console = Console(os.environ)
    try:
        return _run(argv, console)
    except (Interrupted, KeyboardInterrupt) as error:
        return console.fail(f"{PROGRAM}: error: interrupted", getattr(error, "exit_code", _CTRL_C))


def _run(argv: Sequence[str] | None, console: Console) -> int:
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


def _passes_through(arguments: list[str], console: Console) -> bool:
    """Whether this is the bare post-renderer and nothing in the manifests can matter: then they are written out.

    It saves 30 ms of a run's 57 at 200 KB: argparse and YAML are not even imported.
    """
    bare = not arguments or (len(arguments) == len(PLUGIN_ARGUMENTS) and arguments[0] == PLUGIN_ARGUMENTS[0])
    if not bare or any(name.startswith(ENVIRONMENT_PREFIX) for name in console.environment):
        return False
    console.channel = arguments[1] if arguments else "auto"
    if console.channel not in CHANNELS or stream.is_blank(console.read("-")):
        return False
    if stream.candidates(console.read("-"), DEFAULT_SERVICE):
        return False
    console.write(console.read("-"))
    return True


def _dispatch(arguments: list[str], console: Console) -> int:
    if _passes_through(arguments, console):
        return 0
    name, rest = "render", arguments
    if arguments and not arguments[0].startswith("-"):
        name, *rest = arguments
        if name not in COMMANDS:
            raise UsageError(f'"{name}" is no command; accepted: {", ".join(COMMANDS)}', hint=f"{PROGRAM} --help")
    command = importlib.import_module(f"{__package__}.commands.{name.replace('-', '_')}")
    code: int = command.run(rest, console)
    return code
