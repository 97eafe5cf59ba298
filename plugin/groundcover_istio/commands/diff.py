"""diff: what render would change, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio import pipeline, report
from groundcover_istio.arguments import Parser, add_settings, layers, parse

if TYPE_CHECKING:
    from groundcover_istio.console import Console

DIFFERENT: Final = 1


def parser() -> Parser:
    """The arguments of the command."""
    made = Parser(
        "diff",
        "Show what the post-renderer would change, why, and what share of requests is stored then.",
        "example: helm template istiod istio/istiod -n istio-system | groundcover-istio diff\n"
        "exit codes: 0 nothing to change, 1 something, 2 usage or settings, 3 manifests",
        usage="[OPTIONS] [FILE]",
    )
    made.add_argument("file", nargs="?", default="-", metavar="FILE", help="manifests, default standard input")
    add_settings(made)
    return made


def run(arguments: list[str], console: Console) -> int:
    """Show the difference; 0 if there is none, else 1."""
    options = parse(parser(), arguments, console)
    outcome = pipeline.run(console.read(options.file), layers(options, console))
    console.write("".join(report.unified_diff(outcome)))
    console.write(report.text_report(outcome))
    return DIFFERENT if outcome.after != outcome.before else 0
