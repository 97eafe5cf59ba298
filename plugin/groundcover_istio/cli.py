"""The command line: arguments, environment, streams and exit codes; nothing else touches the process."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Final, NoReturn

from groundcover_istio import __version__, config, pipeline, report, stream
from groundcover_istio.errors import PROGRAM, ManifestError, SettingsError, ToolError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from groundcover_istio.model import Outcome

DIFFERENT: Final = 1
CHANNELS: Final = ("auto", "stderr", "document")
# Variables of the prefix that are no settings of the integration.
OWN_VARIABLES: Final = {
    "config": "GROUNDCOVER_ISTIO_CONFIG",
    "report": "GROUNDCOVER_ISTIO_REPORT",
    "report_format": "GROUNDCOVER_ISTIO_REPORT_FORMAT",
    "error_channel": "GROUNDCOVER_ISTIO_ERROR_CHANNEL",
}
# Those, and what is for other hands: the interpreter of the plugin folder, debugging, the tests.
KNOWN_VARIABLES: Final = frozenset(OWN_VARIABLES.values()) | {
    "GROUNDCOVER_ISTIO_PYTHON",
    "GROUNDCOVER_ISTIO_TRACEBACK",
    "GROUNDCOVER_ISTIO_TEST_DATA",
}
BLANK_NOTICE: Final = (
    b"# groundcover-istio: no manifests on standard input, so nothing to change"
    b" (helm 3 runs no post-renderer over what --output-dir writes)\n"
)

_DESCRIPTION: Final = """\
Make Istio send its traces to the groundcover sensor, by patching rendered manifests.

  groundcover-istio [OPTIONS]        the post-renderer: manifests in, manifests out
  groundcover-istio diff             what it would change, and why; exit 1 if anything
  groundcover-istio install-plugin   make it known to Helm 4
"""
_EPILOG: Final = """\
Every option is also an environment variable: --sampling-percentage is
GROUNDCOVER_ISTIO_SAMPLING_PERCENTAGE. Strongest first: options, variables, --config, the
integration ConfigMap in the manifests, defaults.

exit codes: 0 done, 1 differences (diff), 2 usage or settings, 3 manifests that can't be read or
safely edited. Unless it is 0, render writes nothing to standard output.
"""


class _Parser(argparse.ArgumentParser):
    """Raises instead of exiting, so that an error takes the same way out as every other."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"{PROGRAM} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line, by default the process's own; returns the exit code.

    No exception leaves it: a mistake of ours too ends in one line, without a traceback.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    channel = _Channel(os.environ)
    try:
        return _dispatch(arguments, channel)
    except ToolError as error:
        return channel.fail(str(error), error.exit_code)
    except BrokenPipeError:
        # Nobody reads on; keep Python from complaining about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ManifestError.exit_code
    except KeyboardInterrupt:
        return channel.fail(f"{PROGRAM}: error: interrupted", ManifestError.exit_code)
    except Exception as error:
        if os.environ.get("GROUNDCOVER_ISTIO_TRACEBACK"):
            raise
        what = f"{PROGRAM}: error: a mistake in {PROGRAM} itself: {type(error).__name__}: {error}"
        hint = "nothing was written; please report it, with what GROUNDCOVER_ISTIO_TRACEBACK=1 makes of it"
        return channel.fail(f"{what}\n  fix: {hint}", ManifestError.exit_code)


class _Channel:
    """Where errors go. Helm 4 throws a post-renderer's standard error and exit code away; the one
    thing it shows is a document that is no mapping, which it refuses with its text (all 4.x so far).
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.choice = environment.get(OWN_VARIABLES["error_channel"], "auto")
        self.manifests = b""

    def fail(self, text: str, code: int) -> int:
        if self.choice == "document" or (self.choice == "auto" and stream.is_helm4(self.manifests)):
            lines = "".join(f"  {line}\n" for line in text.splitlines())
            _write(b"|-\n" + lines.encode(errors="replace"))
            return 0
        sys.stderr.write(text + "\n")
        return code


def _dispatch(arguments: list[str], channel: _Channel) -> int:
    commands: dict[str, Callable[[list[str], _Channel], int]] = {
        "render": _render,
        "diff": _diff,
        "install-plugin": _install_plugin,
    }
    first = arguments[0] if arguments else ""
    if first in commands:
        return commands[first](arguments[1:], channel)
    if first and not first.startswith("-"):
        raise UsageError(f'"{first}" is no command; accepted: {", ".join(commands)}', hint=f"{PROGRAM} --help")
    return _render(arguments, channel)


def _render(arguments: list[str], channel: _Channel) -> int:
    parser = _parser(PROGRAM, _DESCRIPTION, _EPILOG)
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    parser.add_argument("--report", metavar="FILE", help="write what was decided and why; - for standard error")
    parser.add_argument("--report-format", choices=report.FORMATS, help="default text")
    options = _parsed(parser, arguments, channel)
    outcome = _run(options, channel)
    if options.report:
        _write_report(outcome, options.report, options.report_format or "text")
    _write(BLANK_NOTICE if stream.is_blank(outcome.after) else outcome.after)
    return 0


def _diff(arguments: list[str], channel: _Channel) -> int:
    parser = _parser(
        f"{PROGRAM} diff", "Show what the post-renderer would change, and why.", "exit codes: 0 nothing, 1 something"
    )
    outcome = _run(_parsed(parser, arguments, channel), channel)
    _write("".join(report.unified_diff(outcome)).encode())
    _write(report.text_report(outcome).encode())
    return DIFFERENT if outcome.after != outcome.before else 0


def _install_plugin(arguments: list[str], channel: _Channel) -> int:
    from groundcover_istio import helm_plugin  # noqa: PLC0415  subprocess and shutil, only for this command

    parser = _Parser(prog=f"{PROGRAM} install-plugin", description="Install the Helm 4 plugin for this interpreter.")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, do nothing")
    parser.add_argument(
        "--helm", default="helm", metavar="PROGRAM", help="the Helm to install for, default helm on PATH"
    )
    parser.add_argument("--directory", metavar="DIR", help="plugin folder to install into, default the one Helm names")
    channel.choice = "stderr"
    options = parser.parse_args(arguments)
    _write(
        helm_plugin.install(options.helm, options.directory, dry_run=options.dry_run, environment=os.environ).encode()
    )
    return 0


# --- arguments -----------------------------------------------------------------------------------


def _parser(name: str, description: str, epilog: str) -> _Parser:
    parser = _Parser(
        prog=name,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="the manifests, default standard input")
    parser.add_argument(
        "--config", metavar="FILE", help="an integration document, a values file with `istio:`, or a manifest"
    )
    parser.add_argument(
        "--error-channel",
        choices=CHANNELS,
        help="how an error reaches the user; document: as the one document Helm 4 shows. auto: that under Helm 4 only",
    )
    settings = parser.add_argument_group("settings")
    for option in config.OPTIONS:
        kind = "{" + ",".join(option.choices) + "}" if option.choices else option.kind.upper()
        settings.add_argument(f"--{option.flag}", dest=f"setting {option.flag}", metavar=kind, help=option.help)
    return parser


def _parsed(parser: _Parser, arguments: list[str], channel: _Channel) -> argparse.Namespace:
    # Before parsing: a usage error must take the right way out too.
    for index, argument in enumerate(arguments):
        if argument.startswith("--error-channel"):
            channel.choice = argument.partition("=")[2] or "".join(arguments[index + 1 : index + 2])
    options = parser.parse_args(arguments)
    for name, variable in OWN_VARIABLES.items():
        if getattr(options, name, "") is None and os.environ.get(variable):
            setattr(options, name, os.environ[variable])
    for name, accepted in (("error_channel", CHANNELS), ("report_format", tuple(report.FORMATS))):
        value = getattr(options, name, None)
        if value is not None and value not in accepted:
            raise UsageError(f'"{value}" is none of {", ".join(accepted)}', where=OWN_VARIABLES[name])
    channel.choice = options.error_channel or "auto"
    return options


def _run(options: argparse.Namespace, channel: _Channel) -> Outcome:
    layers = []
    channel.manifests = _read(options.file)
    if options.config:
        layers.append(config.layer_from_file(_read_text(options.config), options.config))
    layers.append(config.layer_from_environment(os.environ, KNOWN_VARIABLES))
    given = {
        option.flag: value
        for option in config.OPTIONS
        if (value := getattr(options, f"setting {option.flag}")) is not None
    }
    layers.append(config.layer_from_options(given, "command line"))
    return pipeline.run(channel.manifests, layers)


# --- streams -------------------------------------------------------------------------------------


def _read(name: str) -> bytes:
    if name != "-":
        try:
            with open(name, "rb") as file:  # noqa: PTH123  importing pathlib costs 8 ms at every start
                return file.read()
        except OSError as error:
            raise UsageError(f"can't be read: {error.strerror}", where=name) from error
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(
            "no manifests on standard input",
            hint=f"helm template RELEASE CHART | {PROGRAM}, or helm install … --post-renderer {PROGRAM}",
        )
    return sys.stdin.buffer.read()


def _read_text(name: str) -> str:
    try:
        return _read(name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError("is not valid UTF-8", where=name) from error


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _write_report(outcome: Outcome, name: str, form: str) -> None:
    text = report.FORMATS[form](outcome)
    if name == "-":
        sys.stderr.write(text)
        return
    try:
        with open(name, "w", encoding="utf-8") as file:  # noqa: PTH123  as above
            file.write(text)
    except OSError as error:
        raise UsageError(f"can't be written: {error.strerror}", where=name) from error
