"""check: what is wrong, or likely not wanted, in manifests, mesh configs and values files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio import config
from groundcover_istio.arguments import Parser, parse
from groundcover_istio.checks import engine, formats, inputs
from groundcover_istio.checks.exclusion import Exclusion
from groundcover_istio.checks.finding import LEVELS, UNREADABLE, at_least
from groundcover_istio.checks.loading import File, Given
from groundcover_istio.errors import PROGRAM, ManifestError, UsageError
from groundcover_istio.progress import Progress
from groundcover_istio.variables import layers

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from groundcover_istio.checks.finding import Finding
    from groundcover_istio.console import Console

FOUND: Final = 1
# The settings that check reads, by option.
_SETTINGS: Final = {"istio-version": "istioVersion", "service": "service", "root-namespace": "rootNamespace"}
_JUNIT: Final = "junit"
"""The one format that shows inputs without findings too."""
_DESCRIPTION: Final = """\
Find what keeps spans from arriving, or is likely not wanted, in any mix of rendered manifests, mesh configs,
istiod values (files, or in resources of Flux, Argo CD, k3s and Crossplane, in fleet.yaml, helmfiles and
kustomization.yaml), IstioOperators and Sail resources. What is given together is looked at as one cluster's: check
one at a time. Of folders are passed over: the templates and files of charts, and what can't be read and says nothing
of Istio.
A comment in a file suppresses findings on its own line, or on the next line that is not a comment:
  # groundcover-istio: ignore[GCI007] why
"""
_EPILOG: Final = """\
--istio-version, --service and --root-namespace are variables too, as GROUNDCOVER_ISTIO_SERVICE.
example: helm template istiod istio/istiod -n istio-system | groundcover-istio check - overlays/
exit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage or nothing to check, 3 an input can't be read
"""


def parser() -> Parser:
    """The arguments of the command."""
    made = Parser("check", _DESCRIPTION, _EPILOG, usage="[OPTIONS] [FILE|FOLDER …]")
    made.add_argument("files", nargs="*", metavar="FILE", help="files and folders, - for standard input (default)")
    made.add_argument(
        "--exclude", metavar="GLOB", action="append", default=[], help="leave out in folders, as .gitignore; repeatable"
    )
    made.add_argument("--format", choices=(*formats.FORMATS, _JUNIT), default="text", help="default text")
    made.add_argument("--fail-on", choices=LEVELS, default="warning", help="least severity that fails, default warning")
    made.add_argument("--select", metavar="IDS", help="these rules only, as GCI007,GCI013")
    made.add_argument("--ignore", metavar="IDS", default="", help="all but these rules")
    made.add_argument("--istio-version", metavar="VERSION", help="default: what the inputs say, by image or labels")
    made.add_argument("--service", metavar="NAME.NAMESPACE", help="the sensor, default groundcover-sensor.groundcover")
    made.add_argument("--root-namespace", metavar="NAME", help="default: the mesh config's, istio-system")
    return made


def run(arguments: list[str], console: Console) -> int:
    """Check; 0, 1 where something at or above --fail-on is found, 3 where an input can't be read."""
    options = parse(parser(), arguments, console)
    selected, given, exclusion = _selected(options), _given(options, console), Exclusion(options.exclude)
    with Progress("checking"):
        named = inputs.expand(options.files, exclusion)
        files = [_read(name, console)._replace(found=name in named.found) for name in named.files]
        report = engine.check(files, given, selected)
    inputs.require_content(named, report.empty, report.passed, report.strange)
    strange = [name for name in report.strange if name not in named.found]
    notes = (inputs.templates_left_out(named), inputs.passed_over(report.passed), inputs.not_understood(strange))
    for note in filter(None, (*notes, report.note)):
        console.say(f"{PROGRAM}: note: {note}\n")
    read = [name for name in named.files if name not in (*report.passed, *strange)]
    if options.format == _JUNIT:
        from groundcover_istio.checks.junit import junit  # noqa: PLC0415  only here

        console.write(junit(report.findings, read, options.fail_on))
    else:
        console.write(formats.FORMATS[options.format](report.findings))
    if options.format == "text":
        console.say(_summary(report.findings, len(read)))
    if not report.readable:
        return ManifestError.exit_code
    return FOUND if any(at_least(finding.severity, options.fail_on) for finding in report.findings) else 0


def _read(name: str, console: Console) -> File:
    """A file, or why it can't be read; for standard input raises UsageError."""
    if name == inputs.STDIN:
        return File(name, console.read(name))
    try:
        return File(name, console.read(name))
    except UsageError as error:
        return File(name, b"", error.message)


def _selected(options: Namespace) -> frozenset[str]:
    chosen = _ids(options.select, "--select") if options.select is not None else engine.ALL
    return chosen - _ids(options.ignore, "--ignore")


def _ids(text: str, option: str) -> frozenset[str]:
    found = frozenset(part.strip().upper() for part in text.split(",") if part.strip())
    if UNREADABLE in found:
        raise UsageError(
            f"{UNREADABLE} is no rule: it stands for an input that can't be read, and is always shown",
            where=option,
            hint="mend the file, or leave it out: name the files and folders to check",
        )
    for unknown in sorted(found - engine.ALL):
        raise UsageError(f'"{unknown}" is no rule', where=option, hint="groundcover-istio rule")
    return found


def _given(options: Namespace, console: Console) -> Given:
    """What options say about the cluster, else variables.

    Raises UsageError for a variable that nothing reads, SettingsError for a value that no command takes.
    """
    texts = {flag: getattr(options, flag.replace("-", "_")) for flag in _SETTINGS}
    given = {flag: text for flag, text in texts.items() if text is not None}
    # What else variables say is not asked of check, and may contradict itself.
    said = [
        config.Layer(layer.where, {key: layer.data[key] for key in _SETTINGS.values() if key in layer.data})
        for layer in layers(None, given, console)
    ]
    settings = config.resolve(said)
    names_service = any("name" in layer.data.get("service", {}) for layer in said)
    return Given(
        settings.istio_version,
        (settings.service.name, settings.service.namespace) if names_service else None,
        settings.root_namespace if any("rootNamespace" in layer.data for layer in said) else "",
    )


def _summary(findings: Sequence[Finding], files: int) -> str:
    counts = {level: sum(finding.severity == level for finding in findings) for level in LEVELS}
    words = ", ".join(
        f"{count} {level}{'s' if count != 1 and level != 'info' else ''}" for level, count in counts.items()
    )
    return f"{words} in {files} input{'s' if files != 1 else ''}\n"
