"""The chart's README: its table of values, and its table of the vendor's keys."""

from __future__ import annotations

import re
from typing import Any

import pytest

import chart_readme

from .support import CHART, load

README = (CHART / "README.md").read_text()


def test_table_is_in_step_with_the_values() -> None:
    """What values.yaml says is what the README says."""
    assert chart_readme.main(["--check"]) == 0


def test_every_value_has_a_row() -> None:
    """Or lies below one that has."""
    rows = {row.key for row in chart_readme.rows((CHART / "values.yaml").read_text())}

    def uncovered(data: dict[str, Any], path: str) -> list[str]:
        found: list[str] = []
        for key, value in data.items():
            if f"{path}{key}" in rows:
                continue
            found += uncovered(value, f"{path}{key}.") if isinstance(value, dict) else [f"{path}{key}"]
        return found

    assert uncovered(load((CHART / "values.yaml").read_text()), "") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("# -- One.\na: 1\n", [("a", "int", 1, "One.")], id="one line"),
        pytest.param("# Why.\n# -- One\n# two.\na: x\n", [("a", "string", "x", "One two.")], id="several lines"),
        pytest.param("# Section.\na:\n  # -- B.\n  b: true\n", [("a.b", "bool", True, "B.")], id="nested"),
        pytest.param("# -- A.\na:\n  b: 1\n", [("a", "object", {"b": 1}, "A.")], id="a described map"),
        pytest.param("# -- A.\n\na: 1\n# -- B.\nb: []\n", None, id="a comment apart is not its description"),
    ],
)
def test_comments_are_read(text: str, expected: list[tuple[str, str, Any, str]] | None) -> None:
    """The convention of helm-docs."""
    if expected is None:
        with pytest.raises(chart_readme.UndescribedError):
            chart_readme.rows(text)
    else:
        assert chart_readme.rows(text) == expected


def test_vendors_keys_lead_to_keys_of_ours() -> None:
    """Each key in the right column is one of the chart's."""
    section = README.partition("## Coming from groundcover's chart")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \| (.*) \|$", section, re.MULTILINE)
    assert len(rows) > 25
    values = load((CHART / "values.yaml").read_text())
    for _, ours in rows:
        for code in re.findall(r"`([^`]+)`", ours):
            for path in alternatives(code.partition(":")[0]):
                data: Any = values
                for key in path.split("."):
                    assert isinstance(data, dict), path
                    if path.startswith("sensor.config."):
                        break
                    assert key in data, path
                    data = data[key]


def alternatives(code: str) -> list[str]:
    """Spell out `a.{b,c}`."""
    match = re.fullmatch(r"(.*)\{(.*)\}", code)
    return [match[1] + part for part in match[2].split(",")] if match else [code]
