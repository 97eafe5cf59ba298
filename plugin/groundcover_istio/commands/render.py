"""render: manifests in, manifests out. The post-renderer."""

from __future__ import annotations

from groundcover_istio import __version__, pipeline, stream
from groundcover_istio.console import CHANNELS, is_bare
from groundcover_istio.errors import PROGRAM
from groundcover_istio.progress import Progress
from groundcover_istio.variables import OWN_VARIABLES, bare_options, layers, require_choice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from groundcover_istio.arguments import Parser
    from groundcover_istio.console import Console
    from groundcover_istio.stream import Document

# As report.FORMATS has them.
REPORT_FORMATS: Final = ("text", "json")
BLANK_NOTICE: Final = (
    b"# groundcover-istio: no manifests on standard input, so nothing to change"
    b" (helm 3 runs no post-renderer over what --output-dir writes)\n"
)
_DESCRIPTION: Final = """\
Make Istio send its traces to the groundcover sensor, by patching rendered manifests.
Without a command it is the post-renderer, as `render` is: manifests in, manifests out.
To read a file without any option, write `render FILE`.

  diff             what it would change, why, and what the mesh does then
  check, rule      what keeps spans from arriving, in any manifests; the page of a rule
  export           the same configuration as a file, for tools that run no executables
  doctor           a live cluster: will spans arrive
  install-plugin   make it known to Helm 4
"""
_EPILOG: Final = """\
example: helm upgrade istiod istio/istiod -n istio-system --version YOUR-VERSION \\
  --reuse-values --post-renderer groundcover-istio
exit codes: 0 done, 2 usage or settings, 3 manifests that can't be read or safely edited;
unless it is 0, nothing is written to standard output
"""


def parser() -> Parser:
    """The arguments of the command."""
    from groundcover_istio.arguments import Parser, add_settings  # noqa: PLC0415  see run

    made = Parser("", _DESCRIPTION, _EPILOG, usage="[COMMAND] [OPTIONS] [FILE]")
    made.add_argument("file", nargs="?", default="-", metavar="FILE", help="manifests, default standard input")
    made.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    made.add_argument("--report", metavar="FILE", help="write the decisions; - for stderr")
    made.add_argument("--report-format", choices=REPORT_FORMATS, help="default text")
    made.add_argument("--error-channel", choices=CHANNELS, help="document: as one that Helm 4 shows")
    add_settings(made)
    return made


def run(arguments: list[str], console: Console, documents: tuple[Document, ...] | None = None) -> int:
    """Render; 0 or an error. `documents` as `pipeline.run` takes them."""
    given: dict[str, str] = {}
    if is_bare(arguments):
        options = bare_options(arguments, console)
    else:
        # Not at the top: without arguments there is nothing to parse, which saves argparse, 9 ms.
        from groundcover_istio.arguments import given_settings, parse  # noqa: PLC0415

        console.channel = _channel(arguments, console)
        parsed = parse(parser(), arguments, console)
        options, given = vars(parsed), given_settings(parsed)
    require_choice(options["report_format"], REPORT_FORMATS, OWN_VARIABLES["report_format"])
    with Progress("rendering"):
        manifests = console.read(options.get("file", "-"))
        settings = layers(options["config"], given, console)
        outcome = pipeline.run(manifests, settings, documents, explain=bool(options["report"]))
    if options["report"]:
        from groundcover_istio import report  # noqa: PLC0415  seldom asked for: 0.2 ms

        console.write_file(options["report"], report.FORMATS[options["report_format"] or "text"](outcome))
    console.write(BLANK_NOTICE if stream.is_blank(outcome.after) else outcome.after)
    return 0


def _channel(arguments: list[str], console: Console) -> str:
    """The error channel asked for, found without parsing: a usage error must take the right way out too."""
    found = console.environment.get(OWN_VARIABLES["error_channel"], "auto")
    for index, argument in enumerate(arguments):
        if argument.startswith("--error-channel"):
            found = argument.partition("=")[2] or "".join(arguments[index + 1 : index + 2])
    return found
