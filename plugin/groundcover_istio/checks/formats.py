"""Findings for people and for programs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from groundcover_istio import __version__
from groundcover_istio.checks.finding import UNREADABLE, Finding
from groundcover_istio.checks.registry import BY_ID, RULES, name_of
from groundcover_istio.errors import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from groundcover_istio.model import Data

SARIF_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# What paths from there begin at; CodeQL calls it so too.
_ROOT: Final = "%SRCROOT%"
_SARIF_LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}
_GITHUB_LEVELS: Final = {"error": "error", "warning": "warning", "info": "notice"}


def text(findings: Sequence[Finding]) -> str:
    """A line for each finding, as a compiler writes it, and its fix below."""
    return "".join(_entry(finding) for finding in findings)


def _entry(finding: Finding) -> str:
    place = f"{_on_one_line(finding.file)}:{finding.line}:{finding.column}"
    head = f"{place}: {finding.severity}: {finding.message} [{finding.rule} {name_of(finding.rule)}]\n"
    first, *rest = finding.fix.splitlines() or [""]
    if not first:
        return head
    if not rest:
        return f"{head}  fix: {first}\n"
    return head + "  fix:\n" + "".join(f"    {line}\n" for line in (first, *rest))


def _on_one_line(name: str) -> str:
    """A file's name without line breaks and control codes; its bytes that are no text in this locale stay."""
    kept = (each.isprintable() or "\udc80" <= each <= "\udcff" for each in name)
    return "".join(each if keep else ascii(each)[1:-1] for each, keep in zip(name, kept, strict=True))


def as_json(findings: Sequence[Finding]) -> str:
    """One JSON object."""
    keys = ("rule", "severity", "file", "line", "column", "message", "fix")
    listed = [{key: getattr(finding, key) for key in keys} for finding in findings]
    return json.dumps({"findings": listed}, indent=2) + "\n"


def sarif(findings: Sequence[Finding]) -> str:
    """A SARIF 2.1.0 log, for code scanning."""
    order = [UNREADABLE, *BY_ID]
    driver = {"name": PROGRAM, "version": __version__, "rules": [_unreadable_rule(), *(_sarif_rules())]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, order.index(finding.rule)) for finding in findings],
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _sarif_rules() -> list[Data]:
    return [
        {
            "id": rule.id,
            "name": rule.name,
            "shortDescription": {"text": f"{rule.summary}."},
            "help": {"text": rule.page, "markdown": rule.page},
            "defaultConfiguration": {"level": _SARIF_LEVELS[rule.severity]},
        }
        for rule in RULES
    ]


def _unreadable_rule() -> Data:
    return {
        "id": UNREADABLE,
        "name": name_of(UNREADABLE),
        "shortDescription": {"text": "An input can't be read."},
        "defaultConfiguration": {"level": "error"},
    }


def _result(finding: Finding, index: int) -> Data:
    region = {"startLine": finding.line, "startColumn": finding.column}
    location: dict[str, Data] = {"physicalLocation": {"artifactLocation": _artifact(finding.file), "region": region}}
    if finding.resource:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.resource, "kind": "resource"}]
    fix = f"\n\nfix:\n{finding.fix}" if finding.fix else ""
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _SARIF_LEVELS[finding.severity],
        "message": {"text": finding.message + fix},
        "locations": [location],
    }


def _artifact(file: str) -> Data:
    """A file by its path from the working directory, which code scanning takes for the repository's; else whole."""
    from urllib.parse import quote  # noqa: PLC0415  only here

    if file == "-":
        return {"uri": "stdin"}
    # As it is named, and where links lead: macOS' /tmp is one.
    for real in (os.path.abspath, os.path.realpath):
        folder, path = Path(real(".")), Path(real(file))
        if path.is_relative_to(folder):
            return {"uri": quote(os.fsencode(path.relative_to(folder).as_posix())), "uriBaseId": _ROOT}
    return {"uri": Path(file).resolve().as_uri()}


def github(findings: Sequence[Finding]) -> str:
    """Workflow commands, which GitHub shows at the lines of a pull request."""
    lines = []
    for finding in findings:
        title = f"{finding.rule} {name_of(finding.rule)}"
        properties = {"file": finding.file, "line": finding.line, "col": finding.column, "title": title}
        listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
        body = finding.message + (f"\nfix: {finding.fix}" if finding.fix else "")
        lines.append(f"::{_GITHUB_LEVELS[finding.severity]} {listed}::{_data(body)}\n")
    return "".join(lines)


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


FORMATS: Final[dict[str, Callable[[Sequence[Finding]], str]]] = {
    "text": text,
    "json": as_json,
    "sarif": sarif,
    "github": github,
}
