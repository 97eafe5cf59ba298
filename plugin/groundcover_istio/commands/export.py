"""export: the same configuration as a file, for tools that run no executables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.arguments import Parser, add_settings, layers, parse
from groundcover_istio.errors import UsageError
from groundcover_istio.exports import run_export, write_into
from groundcover_istio.exports.carriers import KINDS
from groundcover_istio.progress import Progress

if TYPE_CHECKING:
    import argparse

    from groundcover_istio.config import Layer
    from groundcover_istio.console import Console

_EPILOG: Final = """\
kinds:
  istiod-values        values of Istio's istiod chart: Helm, Flux, Argo CD, Fleet
  istio-operator       IstioOperator, for istioctl
  sail                 Istio of the Sail operator
  shared-mesh-config   a ConfigMap that istiod reads beside its own
  telemetry            the mesh-wide Telemetry: live sampling, tags, access logs
  kustomize            patches of the mesh config that --from FILE holds

example: groundcover-istio export istiod-values --protocol otlp-grpc --into values.yaml
exit codes: 0 done, 2 usage or settings, 3 files that can't be read or safely edited
"""


def parser() -> Parser:
    """The arguments of the command."""
    made = Parser(
        "export",
        "Write what the post-renderer would do as a file, for GitOps tools that run no executables.",
        _EPILOG,
        usage="KIND [OPTIONS]",
    )
    made.add_argument("kind", choices=KINDS, metavar="KIND", help="what to write")
    made.add_argument("--into", metavar="FILE", help="edit this file in place, all else in it kept")
    made.add_argument("--at", metavar="PATH", help="where FILE has the values, as spec.values")
    made.add_argument(
        "--from",
        dest="source",
        metavar="FILE",
        help="manifests of the sensor; for kustomize, of istiod",
    )
    add_settings(made)
    return made


def run(arguments: list[str], console: Console) -> int:
    """Export; 0 or an error."""
    options = parse(parser(), arguments, console)
    _refuse(options)
    with Progress("reading"):
        source = console.read(options.source) if options.source else None
        settings = layers(options, console)
    if options.into:
        _edit(options, source, settings, console)
    else:
        with Progress("exporting"):
            exported = run_export(options.kind, source, options.source or "", settings)
        console.write(exported)
    return 0


def _refuse(options: argparse.Namespace) -> None:
    """Raise UsageError for options that make no sense together."""
    if options.into == "-":
        # Standard input could be read, but there is no file to put the result into.
        raise UsageError(
            "- is standard input, which can't be edited in place",
            where="--into",
            hint="name the file; or leave --into away: a new one goes to standard output;\n"
            "manifests from standard input: groundcover-istio render",
        )
    if options.at == "":
        raise UsageError("is empty", where="--at", hint="name a place, as spec.values, or leave --at away")
    if options.at and (options.kind != "istiod-values" or not options.into):
        raise UsageError("says where values stand in the file of --into", where="--at")


def _edit(options: argparse.Namespace, source: bytes | None, settings: list[Layer], console: Console) -> None:
    before = console.read(options.into)
    with Progress("exporting"):
        after, notes = write_into(
            options.kind, before, options.into, (source, options.source or ""), settings, options.at or ""
        )
    if after != before:
        console.write_file(options.into, after.decode())
    console.say("".join(f"{note.line}\n" for note in notes))
