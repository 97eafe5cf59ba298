"""install-plugin: the Helm 4 plugin, for this very interpreter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundcover_istio import helm_plugin
from groundcover_istio.arguments import Parser

if TYPE_CHECKING:
    from groundcover_istio.console import Console


def parser() -> Parser:
    """The arguments of the command."""
    made = Parser(
        "install-plugin",
        "Install the Helm 4 plugin for this interpreter. Helm 3 needs none.",
        "example: groundcover-istio install-plugin --dry-run",
    )
    made.add_argument("--dry-run", action="store_true", help="say what would be done, do nothing")
    made.add_argument("--helm", default="helm", metavar="PROGRAM", help="the Helm to install for, default helm on PATH")
    made.add_argument("--directory", metavar="DIR", help="plugin folder to install into, default the one Helm names")
    return made


def run(arguments: list[str], console: Console) -> int:
    """Install; 0 or an error."""
    options = parser().parse_args(arguments)
    done = helm_plugin.install(
        options.helm, options.directory, dry_run=options.dry_run, environment=console.environment
    )
    console.write(done)
    return 0
