"""Findings as a JUnit report, which GitLab and others show beside their tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from groundcover_istio.checks.finding import UNREADABLE, at_least
from groundcover_istio.checks.registry import name_of
from groundcover_istio.errors import PROGRAM, escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundcover_istio.checks.finding import Finding, Level

_STDIN: Final = {"-": "stdin"}
_OUTCOMES: Final = ("failure", "error", "skipped")


def junit(findings: Sequence[Finding], inputs: Sequence[str], fail_on: Level) -> str:
    """One suite: a case for each finding, and one that passes for each input without any.

    What does not fail the run is a case that was skipped; an input that can't be read is an error.
    """
    suites = ET.Element("testsuites")
    suite = ET.SubElement(suites, "testsuite", name=PROGRAM)
    for finding in findings:
        title = f"{finding.line}:{finding.column} {finding.rule} {name_of(finding.rule)}"
        outcome = ET.SubElement(_case(suite, finding.file, title), _outcome(finding, fail_on), message=finding.message)
        outcome.text = (
            f"{_shown(finding.file)}:{finding.line}:{finding.column}: {finding.severity}: {finding.message}\n"
        )
        outcome.text += f"fix:\n{finding.fix}\n" if finding.fix else ""
    found = {finding.file for finding in findings}
    for name in inputs:
        if name not in found:
            _case(suite, name, "no findings")
    suite.set("tests", str(len(suite)))
    for outcome_name, count in zip(_OUTCOMES, ("failures", "errors", "skipped"), strict=True):
        suite.set(count, str(len(suite.findall(f"testcase/{outcome_name}"))))
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _case(suite: ET.Element, file: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=_shown(file), name=name, file=_shown(file))


def _shown(file: str) -> str:
    """A file's name without what XML can't hold."""
    return escaped(_STDIN.get(file, file))


def _outcome(finding: Finding, fail_on: Level) -> str:
    if finding.rule == UNREADABLE:
        return "error"
    return "failure" if at_least(finding.severity, fail_on) else "skipped"
