"""Every input that the fuzzer has kept, and each that has found something, through the same oracles."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from . import oracles

CORPUS = Path(__file__).resolve().parents[1] / "fuzz/corpus"
INPUTS = [path for path in sorted(CORPUS.iterdir()) if path.stat().st_size]
FIRST = ord("a")
MEGABYTES = 256


@pytest.mark.parametrize("part", range(8))
def test_the_fuzzers_corpus(part: int) -> None:
    """What must hold for every run holds; all of them together take little memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for path in INPUTS[part::8]:
        first, *rest = path.read_bytes()
        try:
            oracles.examine(bytes(rest), oracles.ARGUMENTS[(first - FIRST) % len(oracles.ARGUMENTS)])
        except AssertionError as error:
            pytest.fail(f"{path.name}: {error}")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEGABYTES * 1024
