"""What programs read: SARIF, JSON, workflow annotations."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from groundcover_istio import __version__
from groundcover_istio.checks import engine, formats, registry
from groundcover_istio.checks.finding import Finding
from groundcover_istio.checks.junit import junit
from groundcover_istio.checks.loading import File, Given
from groundcover_istio.commands import check, rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from groundcover_istio.arguments import Parser

HERE = Path(__file__).parent
SCHEMA = json.loads((HERE / "data" / "sarif-2.1.0-subset.schema.json").read_text())
INPUTS = sorted(path for path in (HERE / "cases").rglob("*") if path.suffix in (".yaml", ".yml", ".json"))


def log_of(findings: list[Finding]) -> Any:
    """The SARIF log, valid."""
    log = json.loads(formats.sarif(findings))
    jsonschema.Draft7Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(log)
    return log


def test_sarif_is_valid_for_every_case() -> None:
    """Each result of any case is valid and points to its rule."""
    found = [
        finding
        for path in INPUTS
        for finding in engine.check([File(str(path.relative_to(HERE)), path.read_bytes())], Given()).findings
    ]
    log = log_of(found)
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    results = log["runs"][0]["results"]
    assert [rules[result["ruleIndex"]]["id"] for result in results] == [each.rule for each in found]
    assert len(results) > 100


def test_sarif_of_nothing() -> None:
    """The rules stand there even where nothing is found; that is how code scanning knows what was looked for."""
    log = log_of([])
    driver = log["runs"][0]["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("groundcover-istio", __version__)
    assert [rule["id"] for rule in driver["rules"]] == ["GCI000", *(each.id for each in registry.RULES)]
    assert log["runs"][0]["results"] == []


@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("-", {"uri": "stdin"}),
        ("./a/b.yaml", {"uri": "a/b.yaml", "uriBaseId": "%SRCROOT%"}),
        ("größe, x%.yaml", {"uri": "gr%C3%B6%C3%9Fe%2C%20x%25.yaml", "uriBaseId": "%SRCROOT%"}),
        ("{here}/a/b.yaml", {"uri": "a/b.yaml", "uriBaseId": "%SRCROOT%"}),
        ("{here}/../link/a/b.yaml", {"uri": "a/b.yaml", "uriBaseId": "%SRCROOT%"}),
        ("../ä.yaml", {"uri": "file://{above}/%C3%A4.yaml"}),
        ("{above}/b c.yaml", {"uri": "file://{above}/b%20c.yaml"}),
    ],
    ids=[
        "standard input", "a path from here", "a name that needs escapes", "an absolute path", "by a link",
        "a path to elsewhere", "an absolute path elsewhere",
    ],
)  # fmt: skip
def test_sarif_locations_are_uris(
    file: str, place: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths begin at the working directory where they can, levels are SARIF's, the object a logical location."""
    here, above = tmp_path / "here", tmp_path
    here.mkdir()
    (above / "link").symlink_to(here)
    monkeypatch.chdir(here)
    place = {key: value.format(above=above) for key, value in place.items()}
    finding = Finding("GCI007", "info", file.format(here=here, above=above), 3, 5, "found", "a\nb", "ConfigMap a/b")
    (result,) = log_of([finding])["runs"][0]["results"]
    assert result == {
        "ruleId": "GCI007",
        "ruleIndex": 7,
        "level": "note",
        "message": {"text": "found\n\nfix:\na\nb"},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": place, "region": {"startLine": 3, "startColumn": 5}},
                "logicalLocations": [{"fullyQualifiedName": "ConfigMap a/b", "kind": "resource"}],
            }
        ],
    }


def test_json_has_exactly_these_keys() -> None:
    """What programs rely on."""
    finding = Finding("GCI007", "error", "a.yaml", 3, 5, "found", "", "")
    assert json.loads(formats.as_json([finding])) == {
        "findings": [
            {
                "rule": "GCI007",
                "severity": "error",
                "file": "a.yaml",
                "line": 3,
                "column": 5,
                "message": "found",
                "fix": "",
            }
        ]
    }


def test_text_without_a_fix() -> None:
    """One line."""
    finding = Finding("GCI007", "error", "a.yaml", 3, 5, "found", "", "")
    assert formats.text([finding]) == "a.yaml:3:5: error: found [GCI007 otlp-http-without-timeout]\n"


def test_annotations_are_one_line_each() -> None:
    """GitHub reads a command a line; breaks, colons and commas in properties are escaped."""
    findings = [
        Finding("GCI007", severity, "a:b,c%.yaml", 3, 5, "50 %\r\nfound", "x: y", "")
        for severity in ("error", "warning", "info")
    ]
    lines = formats.github(findings).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error", "::warning", "::notice"]
    assert lines[0] == (
        "::error file=a%3Ab%2Cc%25.yaml,line=3,col=5,title=GCI007 otlp-http-without-timeout"
        "::50 %25%0D%0Afound%0Afix: x: y"
    )


def junit_of(text: str) -> tuple[dict[str, str], list[tuple[dict[str, str], list[str]]]]:
    """The suite's attributes, and each case with what came of it."""
    root = ET.fromstring(text)  # noqa: S314  our own
    (suite,) = root
    assert (root.tag, suite.tag, {case.tag for case in suite} | {"testcase"}) == (
        "testsuites",
        "testsuite",
        {"testcase"},
    )
    return suite.attrib, [(case.attrib, [each.tag for each in case]) for case in suite]


def test_junit_has_a_case_for_each_finding_and_for_each_clean_input() -> None:
    """What fails the run is a failure, what does not is skipped, an input that can't be read an error."""
    findings = [
        Finding("GCI007", "error", "a.yaml", 3, 5, 'found <b> & "c"', "x: 1\ny: 2", ""),
        Finding("GCI025", "warning", "a.yaml", 4, 5, "found", "", ""),
        Finding("GCI039", "info", "-", 1, 1, "found", "", ""),
        Finding("GCI000", "error", "b\x1b\udce4.yaml", 1, 1, "not valid", "mend it", ""),
    ]
    text = junit(findings, ["a.yaml", "b\x1b\udce4.yaml", "c.yaml", "-"], "warning")
    suite, cases = junit_of(text)
    counts = {"tests": "5", "failures": "2", "errors": "1", "skipped": "1"}
    assert suite == {"name": "groundcover-istio", **counts}
    assert [(case["file"], case["name"], outcome) for case, outcome in cases] == [
        ("a.yaml", "3:5 GCI007 otlp-http-without-timeout", ["failure"]),
        ("a.yaml", "4:5 GCI025 default-providers-without-metrics", ["failure"]),
        ("stdin", "1:1 GCI039 no-tracer", ["skipped"]),
        ("b\\x1b\\udce4.yaml", "1:1 GCI000 unreadable", ["error"]),
        ("c.yaml", "no findings", []),
    ]
    assert all(case["classname"] == case["file"] for case, _ in cases)
    (first, *_) = ET.fromstring(text).iter("failure")  # noqa: S314
    assert first.get("message") == 'found <b> & "c"'
    assert first.text == 'a.yaml:3:5: error: found <b> & "c"\nfix:\nx: 1\ny: 2\n'


def test_junit_is_valid_for_every_case() -> None:
    """Each finding of the cases is in it once."""
    for path in INPUTS:
        found = engine.check([File("x.yaml", path.read_bytes())], Given()).findings
        suite, _ = junit_of(junit(found, ["x.yaml"], "info"))
        assert int(suite["tests"]) == max(len(found), 1)
        assert int(suite["failures"]) + int(suite["errors"]) == len(found)


def test_rule_prints_a_page(tool: Callable[..., tuple[int, bytes, str]]) -> None:
    """By id or name, in any case; without one, the table."""
    code, out, _ = tool("rule", "gci007")
    assert code == 0
    assert out.decode().startswith("# GCI007 otlp-http-without-timeout\n\nSeverity: error. OTLP over HTTP needs")
    assert tool("rule", "otlp-http-without-timeout") == (0, out, "")
    code, table, _ = tool("rule")
    assert code == 0
    assert [line.split()[0] for line in table.decode().splitlines()] == [each.id for each in registry.RULES]
    assert tool("rule", "GCI999")[0] == 2


@pytest.mark.parametrize("parser", [check.parser, rule.parser], ids=["check", "rule"])
def test_help_fits_a_screen(parser: Callable[[], Parser]) -> None:
    """With an example."""
    text = parser().format_help()
    assert len(text.splitlines()) <= 40
    assert re.search(r"^example: groundcover-istio ", text, re.MULTILINE) or "| groundcover-istio" in text
