"""doctor: whether a live cluster is set up, and whether spans will arrive."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from groundcover_istio.arguments import Parser, add_settings, layers, parse
from groundcover_istio.doctor import Target, as_json, is_well, run_doctor, text
from groundcover_istio.errors import UsageError
from groundcover_istio.istio import number
from groundcover_istio.progress import Progress

if TYPE_CHECKING:
    from groundcover_istio.console import Console

UNWELL: Final = 1
_EPILOG: Final = """\
It only reads: kubectl get, each call with a time limit. What can't be read is named as such.

example: groundcover-istio doctor --context production
         groundcover-istio doctor --from support-bundle/   (X.json by kubectl get X -A -o json, X being pods, services,
         configmaps, endpointslices, namespaces, telemetries, sidecars, destinationrules, peerauthentications;
         secrets.json by kubectl get secrets -A -l owner=helm -o json, to compare with Helm's releases)
exit codes: 0 all is well, 1 something is not or can't be told, 2 usage or settings
"""


def parser() -> Parser:
    """The arguments of the command."""
    made = Parser(
        "doctor", "Examine a live cluster: is it set up, can proxies reach the sensor, will spans arrive.", _EPILOG
    )
    made.add_argument("--context", metavar="NAME", default="", help="context of kubectl, default the current one")
    made.add_argument("--kubeconfig", metavar="FILE", default="", help="as kubectl takes it")
    made.add_argument("--all-contexts", action="store_true", help="every context at the same time, with one table")
    made.add_argument("--from", dest="folder", metavar="DIR", default="", help="dumps in place of a cluster")
    made.add_argument("--kubectl", metavar="PROGRAM", default="kubectl", help="the kubectl to use, default on PATH")
    made.add_argument("--timeout", metavar="SECONDS", type=_seconds, default=10.0, help="for each call, default 10")
    made.add_argument("--format", choices=("text", "json"), default="text", help="default text")
    add_settings(made)
    return made


def _seconds(given: str) -> float:
    seconds = number(given)
    if seconds is None or seconds <= 0:
        raise argparse.ArgumentTypeError(f'"{given}" is no number of seconds above 0')
    return seconds


def run(arguments: list[str], console: Console) -> int:
    """Examine; 0 where all is well, else 1."""
    options = parse(parser(), arguments, console)
    given = [name for name in ("context", "all_contexts", "folder") if getattr(options, name)]
    if len(given) > 1:
        raise UsageError("--context, --all-contexts and --from exclude each other")
    target = Target(
        options.folder, options.kubectl, options.kubeconfig, options.context, options.all_contexts, options.timeout
    )
    with Progress("reading the cluster"):
        examined = run_doctor(target, layers(options, console))
    console.write(as_json(examined) if options.format == "json" else text(examined, color=console.color))
    return 0 if all(is_well(each.sections) for each in examined) else UNWELL
