"""What the environment says, and the settings of a run: read without an argument parser, so that `argparse` can wait.

Helm starts a post-renderer without arguments; not to load a parser then saves 9 of 35 ms.
"""

from __future__ import annotations

from groundcover_istio import config, libyaml
from groundcover_istio.console import CHANNELS, Console
from groundcover_istio.errors import ENVIRONMENT_PREFIX, PROGRAM, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Final

# Variables of the prefix that are options but no settings of the integration.
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
SLOW: Final = "this PyYAML has no C parser (libyaml), so reading is slow; the result is the same"


def complete(options: dict[str, Any], console: Console) -> None:
    """Fill in the options that are None from their variables, and set the console's channel where that is one.

    Says so where PyYAML has no parser in C. Raises UsageError for an option that is empty, as by a variable of the
    shell that nothing set, and for a channel that there is none of.
    """
    for name, variable in OWN_VARIABLES.items():
        if options.get(name) == "":
            flag = f"--{name.replace('_', '-')}"
            raise UsageError("says nothing", where=flag, hint="leave it out, or give it a value")
        if options.get(name, "") is None and console.environment.get(variable):
            options[name] = console.environment[variable]
    if not libyaml.COMPILED:
        console.say(f"{PROGRAM}: warning: {SLOW}\n")
    # A command that Helm does not start has no such option.
    if "error_channel" in options:
        require_choice(options["error_channel"], CHANNELS, OWN_VARIABLES["error_channel"])
        console.channel = options["error_channel"] or "auto"


def bare_options(arguments: Sequence[str], console: Console) -> dict[str, Any]:
    """The options of a bare post-renderer (`console.is_bare`): what its variables say."""
    options = {**dict.fromkeys(OWN_VARIABLES), "error_channel": arguments[1] if arguments else None}
    # Before anything is checked: a usage error must take the right way out too.
    console.channel = options["error_channel"] or console.environment.get(OWN_VARIABLES["error_channel"], "auto")
    complete(options, console)
    return options


def require_choice(value: str | None, accepted: Sequence[str], where: str) -> None:
    """Raise UsageError where a value, from a variable perhaps, is none of those accepted."""
    if value is not None and value not in accepted:
        raise UsageError(f'"{value}" is none of {", ".join(accepted)}', where=where)


def layers(file: str | None, given: Mapping[str, str], console: Console) -> list[config.Layer]:
    """The settings that a --config file, variables and options give, the weakest first; `given` has texts by flag."""
    found = [config.layer_from_file(console.read_text(file), file)] if file else []
    said = {
        name: text
        for name, text in console.environment.items()
        if name.startswith(ENVIRONMENT_PREFIX) and name not in KNOWN_VARIABLES
    }
    if said or given:
        from groundcover_istio.options import layer_from_environment, layer_from_options  # noqa: PLC0415  0.4 ms

        found += [layer_from_environment(said), layer_from_options(given, "command line")]
    return found
