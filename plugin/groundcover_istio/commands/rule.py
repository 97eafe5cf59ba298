"""rule: the page of a rule of `check`, or the table of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundcover_istio.arguments import Parser, parse
from groundcover_istio.checks import pages, registry
from groundcover_istio.errors import UsageError

if TYPE_CHECKING:
    from groundcover_istio.console import Console


def parser() -> Parser:
    """The arguments of the command."""
    made = Parser(
        "rule",
        "Print the page of a rule of `check`: what it finds, what that causes, bad and good examples, the source.\n"
        "Without ID the table of all rules.",
        "example: groundcover-istio rule GCI007",
        usage="[ID]",
    )
    made.add_argument("id", nargs="?", metavar="ID", help="of a rule, such as GCI007, or its name")
    return made


def run(arguments: list[str], console: Console) -> int:
    """Print; 0."""
    options = parse(parser(), arguments, console)
    if options.id is None:
        console.write(pages.table())
        return 0
    for rule in registry.RULES:
        if options.id.upper() == rule.id or options.id.lower() == rule.name:
            console.write(pages.page(rule))
            return 0
    raise UsageError(f'"{options.id}" is no rule', hint="the table of all rules: groundcover-istio rule")
