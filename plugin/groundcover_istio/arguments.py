"""Arguments that several commands take, and the settings they make."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final, NoReturn

from groundcover_istio import variables
from groundcover_istio.console import Console
from groundcover_istio.errors import PROGRAM, UsageError
from groundcover_istio.options import OPTIONS, Option
from groundcover_istio.variables import complete

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from groundcover_istio.config import Layer

# The settings that --help shows; --help-settings shows all.
COMMON_SETTINGS: Final = ("protocol", "sampling-percentage", "activation", "access-logs", "service", "istio-version")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help begins beside all but the longest options, so that a page fits a screen."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32)


class Parser(argparse.ArgumentParser):
    """Raises instead of exiting, so that an error takes the same way out as every other."""

    def __init__(self, command: str, description: str, epilog: str, *, usage: str = "[OPTIONS]") -> None:
        name = f"{PROGRAM} {command}".strip()
        super().__init__(
            prog=name,
            usage=f"{name} {usage}",
            description=description,
            epilog=epilog,
            formatter_class=_Formatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(message, hint=f"{self.prog} --help")

    def _print_message(self, message: str, file: object = None) -> None:
        """Help and version take the way of every result: argparse says nothing where they can't be written."""
        del file
        Console({}).write(message)


class _HelpSettings(argparse.Action):
    """--help-settings: every setting, then the end."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        lines = ["settings, each also a variable (--protocol is GROUNDCOVER_ISTIO_PROTOCOL):"]
        lines += [f"  {_flag(option):<48} {option.help}" for option in OPTIONS]
        Console({}).write("".join(f"{line}\n" for line in lines))
        parser.exit()


def add_settings(parser: Parser) -> None:
    """The options of every command that runs the engine: --config and the settings."""
    parser.add_argument("--config", metavar="FILE", help="integration document, values or manifest")
    group = parser.add_argument_group("settings (all of them: --help-settings)")
    for option in OPTIONS:
        shown = option.help if option.flag in COMMON_SETTINGS else argparse.SUPPRESS
        group.add_argument(f"--{option.flag}", dest=f"setting {option.flag}", metavar=_value(option), help=shown)
    group.add_argument("--help-settings", action=_HelpSettings, nargs=0, help=argparse.SUPPRESS)


def _flag(option: Option) -> str:
    return f"--{option.flag} {_value(option)}"


def _value(option: Option) -> str:
    if option.path == ("service",):
        return "NAME.NAMESPACE"
    return "{" + ",".join(option.choices) + "}" if option.choices else option.kind.upper()


def parse(parser: Parser, arguments: Sequence[str], console: Console) -> argparse.Namespace:
    """The options of a command line, completed from variables; raises UsageError."""
    options = parser.parse_args(arguments)
    complete(vars(options), console)
    return options


def layers(options: argparse.Namespace, console: Console) -> list[Layer]:
    """The settings that --config, variables and options give, the weakest first."""
    return variables.layers(options.config, given_settings(options), console)


def given_settings(options: argparse.Namespace) -> dict[str, str]:
    """The settings that were given as options: their texts by flag."""
    setting: Callable[[Option], str | None] = lambda option: getattr(options, f"setting {option.flag}")  # noqa: E731
    return {option.flag: value for option in OPTIONS if (value := setting(option)) is not None}
