"""Directory cases: `input.yaml` and `args` (one line an option) give `expected.yaml` and `report.txt`, or `error.txt`.

`pytest tests/golden --update` writes what the tool gives; read it before you commit it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.name for path in CASES.iterdir())


def arguments(case: Path) -> list[str]:
    """The case's command line; each line of `args` is an option and its value."""
    lines = (case / "args").read_text().splitlines() if (case / "args").exists() else []
    return [part for line in lines for part in line.split(" ", 1)]


@pytest.mark.parametrize("name", NAMES)
def test_case(name: str, tool: Callable[..., tuple[int, bytes, str]], request: pytest.FixtureRequest) -> None:
    """The output, the report or the message is the expected one, to the byte."""
    case = CASES / name
    code, out, err = tool(*arguments(case), "--report", "-", stdin=(case / "input.yaml").read_bytes())
    got = (
        {"expected.yaml": out, "report.txt": err.encode()}
        if code == 0
        else {"error.txt": f"exit {code}\n{err}".encode()}
    )
    if code:
        assert out == b""
    if request.config.getoption("--update"):
        for stale in ("expected.yaml", "report.txt", "error.txt"):
            (case / stale).unlink(missing_ok=True)
        for file, content in got.items():
            (case / file).write_bytes(content)
    expected = {path.name: path.read_bytes() for path in case.iterdir() if path.name not in ("input.yaml", "args")}
    assert got == expected


@pytest.mark.parametrize("name", [name for name in NAMES if (CASES / name / "expected.yaml").exists()])
def test_case_again(name: str, tool: Callable[..., tuple[int, bytes, str]]) -> None:
    """What came out goes through again without a change: f(f(x)) == f(x). The results of a KRM function are of each run."""
    case = CASES / name
    once = (case / "expected.yaml").read_bytes()
    code, twice, _ = tool(*arguments(case), stdin=once)
    assert code == 0
    assert twice.partition(b"\nresults:\n")[0].rstrip() == once.partition(b"\nresults:\n")[0].rstrip()
    assert twice == once or b"kind: ResourceList" in once
