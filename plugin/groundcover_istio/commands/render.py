"""render: manifests in, manifests out. The post-renderer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio import __version__, pipeline, report, stream
from groundcover_istio.arguments import (
    OWN_VARIABLES,
    Parser,
    add_error_channel,
    add_settings,
    layers,
    parse,
    require_choice,
)
from groundcover_istio.errors import PROGRAM
from groundcover_istio.progress import Progress

if TYPE_CHECKING:
    from groundcover_istio.console import Console

BLANK_NOTICE: Final = (
    b"# groundcover-istio: no manifests on standard input, so nothing to change"
    b" (helm 3 runs no post-renderer over what --output-dir writes)\n"
)
_DESCRIPTION: Final = """\
Make Istio send its traces to the groundcover sensor, by patching rendered manifests.
Without a command it is the post-renderer, as `render` is: manifests in, manifests out.

  diff             what it would change, why, and what the mesh does then
  check, rule      what keeps spans from arriving, in any manifests; the page of a rule
  export           the same configuration as a file, for tools that run no executables
  doctor           a live cluster: will spans arrive
  install-plugin   make it known to Helm 4
"""
_EPILOG: Final = """\
example: helm upgrade istiod istio/istiod -n istio-system --post-renderer groundcover-istio
exit codes: 0 done, 2 usage or settings, 3 manifests that can't be read or safely edited;
unless it is 0, nothing is written to standard output
"""


def parser() -> Parser:
    """The arguments of the command."""
    made = Parser("", _DESCRIPTION, _EPILOG, usage="[COMMAND] [OPTIONS] [FILE]")
    made.add_argument("file", nargs="?", default="-", metavar="FILE", help="manifests, default standard input")
    made.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    made.add_argument("--report", metavar="FILE", help="write the decisions; - for stderr")
    made.add_argument("--report-format", choices=report.FORMATS, help="default text")
    add_error_channel(made)
    add_settings(made)
    return made


def run(arguments: list[str], console: Console) -> int:
    """Render; 0 or an error."""
    options = parse(parser(), arguments, console)
    require_choice(options.report_format, tuple(report.FORMATS), OWN_VARIABLES["report_format"])
    with Progress("rendering"):
        outcome = pipeline.run(console.read(options.file), layers(options, console))
    if options.report:
        console.write_file(options.report, report.FORMATS[options.report_format or "text"](outcome))
    console.write(BLANK_NOTICE if stream.is_blank(outcome.after) else outcome.after)
    return 0
