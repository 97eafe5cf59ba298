"""Every input that the fuzzer has kept, and each that has found something, through the same oracles."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from . import oracles

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests/fuzz/corpus"
INPUTS = [path for path in sorted(CORPUS.iterdir()) if path.stat().st_size]
FIRST = ord("a")
# Of a process of its own, with all that a run which fails loads; it takes 37.
MEGABYTES = 64
PARTS = 8


def examine(path: Path) -> None:
    """One input through the oracles; its first byte picks the arguments."""
    first, *rest = path.read_bytes()
    oracles.examine(bytes(rest), oracles.ARGUMENTS[(first - FIRST) % len(oracles.ARGUMENTS)])


@pytest.mark.parametrize("part", range(PARTS))
def test_the_fuzzers_corpus(part: int) -> None:
    """What must hold for every run holds."""
    for path in INPUTS[part::PARTS]:
        try:
            examine(path)
        except AssertionError as error:
            pytest.fail(f"{path.name}: {error}")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of a process by itself")
def test_the_fuzzers_corpus_takes_little_memory() -> None:
    """All of it in one process of its own: the most that it ever held."""
    command = [sys.executable, "-m", "tests.property.test_corpus"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < MEGABYTES * 1024


if __name__ == "__main__":
    for each in INPUTS:
        examine(each)
    # Not getrusage: on Linux that counts what the process that started this one held.
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(peak)  # noqa: T201  the answer
