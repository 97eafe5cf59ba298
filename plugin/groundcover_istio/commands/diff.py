"""diff: what render would change, why, and what the mesh does then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio import pipeline, report, stream
from groundcover_istio.arguments import Parser, add_settings, layers, parse
from groundcover_istio.difference import unified_diff
from groundcover_istio.errors import UsageError
from groundcover_istio.progress import Progress

if TYPE_CHECKING:
    from groundcover_istio.console import Console

DIFFERENT: Final = 1


def parser() -> Parser:
    """The arguments of the command."""
    made = Parser(
        "diff",
        "Show what the post-renderer would change, why, and what the mesh does then.",
        "example: helm template istiod istio/istiod -n istio-system | groundcover-istio diff\n"
        "exit codes: 0 nothing to change, 1 something, 2 usage, settings or empty input, 3 manifests",
        usage="[OPTIONS] [FILE]",
    )
    made.add_argument("file", nargs="?", default="-", metavar="FILE", help="manifests, default standard input")
    made.add_argument("--format", choices=("text", "json"), default="text", help="default text")
    add_settings(made)
    return made


def run(arguments: list[str], console: Console) -> int:
    """Show the difference; 0 if there is none, else 1."""
    options = parse(parser(), arguments, console)
    with Progress("rendering"):
        manifests = console.read(options.file)
        _require_content(manifests, options.file)
        outcome = pipeline.run(manifests, layers(options, console), explain=True)
    if options.format == "json":
        console.write(report.json_diff(outcome, "".join(unified_diff(outcome))))
    else:
        difference = "".join(unified_diff(outcome, color=console.color))
        parts = [difference, report.decisions_text(outcome), report.effect_text(outcome)]
        console.write("\n".join(part for part in parts if part))
    return DIFFERENT if outcome.after != outcome.before else 0


def _require_content(manifests: bytes, name: str) -> None:
    """Raise UsageError for input that is empty: of a pipe that broke it would be said that nothing has to change.

    Not so `render`, which Helm starts over charts that render to nothing.
    """
    if stream.is_blank(manifests):
        piped = name == "-"
        raise UsageError(
            "holds nothing to compare; looked for: manifests",
            where="standard input" if piped else name,
            hint="what writes to it may have failed; with `set -o pipefail` the shell says so"
            if piped
            else "what wrote it may have failed",
        )
