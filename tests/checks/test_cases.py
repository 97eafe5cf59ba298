"""Directory cases: the files of a folder and `args` (one argument a line) give `expected.txt`.

`args` names the files; without it all of them are given. A line `< file` makes that one standard input.
`pytest tests/checks --update` writes what the tool gives; read it before you commit it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from groundcover_istio.checks.registry import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.name for path in CASES.iterdir())
OWN = ("args", "expected.txt")


def arguments(case: Path) -> tuple[list[str], bytes]:
    """The case's arguments and its standard input."""
    if not (case / "args").exists():
        return sorted(path.name for path in case.iterdir() if path.name not in OWN), b""
    lines = (case / "args").read_text().splitlines()
    stdin = next(((case / line[2:]).read_bytes() for line in lines if line.startswith("< ")), b"")
    return [line for line in lines if not line.startswith("< ")], stdin


@pytest.mark.parametrize("name", NAMES)
def test_case(
    name: str,
    tool: Callable[..., tuple[int, bytes, str]],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit code, output and summary are the expected ones."""
    case = CASES / name
    monkeypatch.chdir(case)
    given, stdin = arguments(case)
    code, out, err = tool("check", *given, stdin=stdin)
    got = f"exit {code}\n{out.decode()}{err}"
    if request.config.getoption("--update"):
        (case / "expected.txt").write_text(got)
    assert got == (case / "expected.txt").read_text()


def test_every_rule_has_a_case() -> None:
    """Each id is in the expected output of some case."""
    texts = "".join((CASES / name / "expected.txt").read_text() for name in NAMES)
    assert [rule.id for rule in RULES if f"[{rule.id} " not in texts] == []
