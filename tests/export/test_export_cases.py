"""Directory cases of `export`: `args` (one line an option), and where given a user's file and manifests, give files.

`input.yaml` is what `--into` edits, `source.yaml` what `--from` names. Out come `expected.yaml` (standard output, or
the edited file) and `notes.txt` (standard error), or `error.txt`. `pytest tests/export --update` writes what the tool
gives; read it before you commit it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.name for path in CASES.iterdir())
RESULTS = ("expected.yaml", "notes.txt", "error.txt")


def arguments(case: Path) -> list[str]:
    """The case's command line; each line of `args` is an option and its value."""
    parts = [part for line in (case / "args").read_text().splitlines() for part in line.split(" ", 1)]
    files = {"--into": "input.yaml", "--from": "source.yaml"}
    return ["export", *parts, *(part for option in files.items() if (case / option[1]).exists() for part in option)]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def outcome(name: str, folder: Path, tool: Callable[..., Any], before: bytes | None = None) -> dict[str, bytes]:
    """What a case gives; `before` in place of the file to edit."""
    case = CASES / name
    for file in ("input.yaml", "source.yaml"):
        if (case / file).exists():
            shutil.copy(case / file, folder / file)
    edited = folder / "input.yaml"
    if before is not None:
        edited.write_bytes(before)
    code, out, err = tool(*arguments(case))
    if code:
        assert out == b""
        assert not edited.exists() or edited.read_bytes() == (case / "input.yaml").read_bytes()
        return {"error.txt": f"exit {code}\n{err}".encode()}
    if edited.exists():
        assert out == b""
        out = edited.read_bytes()
    return {"expected.yaml": out} | ({"notes.txt": err.encode()} if err else {})


@pytest.mark.parametrize("name", NAMES)
def test_case(name: str, tmp_path: Path, tool: Callable[..., Any], request: pytest.FixtureRequest) -> None:
    """The file and what is said about it, or the message, are the expected ones, to the byte."""
    case = CASES / name
    got = outcome(name, tmp_path, tool)
    if request.config.getoption("--update"):
        for stale in RESULTS:
            (case / stale).unlink(missing_ok=True)
        for file, content in got.items():
            (case / file).write_bytes(content)
    assert got == {path.name: path.read_bytes() for path in case.iterdir() if path.name in RESULTS}


@pytest.mark.parametrize(
    "name",
    [name for name in NAMES if {"input.yaml", "expected.yaml"} <= {path.name for path in (CASES / name).iterdir()}],
)
def test_case_again(name: str, tmp_path: Path, tool: Callable[..., Any]) -> None:
    """A file that was edited stays as it is the second time."""
    once = (CASES / name / "expected.yaml").read_bytes()
    assert outcome(name, tmp_path, tool, once)["expected.yaml"] == once
