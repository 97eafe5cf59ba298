"""Coverage-guided fuzzing of the command line, by atheris (libFuzzer); `make fuzz` runs it.

An input's first byte picks the arguments (`oracles.ARGUMENTS`), the rest is the stream on standard input. What must hold
is in `tests/property/oracles.py`; libFuzzer bounds memory and the time of one input.

Half of the mutations are libFuzzer's own, on bytes; the others move, take and put whole lines, which keeps most of YAML's
structure and reaches deeper.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import atheris

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "plugin")]

with atheris.instrument_imports(include=["groundcover_istio"]):
    import groundcover_istio.commands.check
    import groundcover_istio.commands.diff
    import groundcover_istio.commands.render
    import groundcover_istio.validation  # noqa: F401
from tests.property import oracles  # noqa: E402  they have to import an instrumented package

CASES = ROOT / "tests/golden/cases"
LINES = sorted({line for path in CASES.glob("*/input.yaml") for line in path.read_bytes().splitlines(keepends=True)})
FIRST = ord("a")


def one_input(data: bytes) -> None:
    """One run, with everything that must hold."""
    if data:
        oracles.examine(data[1:], oracles.ARGUMENTS[(data[0] - FIRST) % len(oracles.ARGUMENTS)])


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """A neighbour of `data`, at most `max_size` bytes long."""
    chance = random.Random(seed)  # noqa: S311  no secret depends on it
    if chance.random() < 0.5:
        return bytes(atheris.Mutate(data, max_size))
    first, lines = data[:1] or b"a", data[1:].splitlines(keepends=True)
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = chance.randint(0, len(lines))
        action = chance.randrange(7)
        if action == 0:
            lines.insert(at, chance.choice(LINES))
        elif action == 1 and lines:
            del lines[at : at + chance.choice((1, 1, 2, 5))]
        elif action == 2 and lines:
            lines[at:at] = lines[(start := chance.randrange(len(lines))) : start + chance.choice((1, 2, 5, 20))]
        elif action == 3 and at < len(lines):
            lines[at] = chance.choice((b" ", b"  ", b"- ", b"\t")) + lines[at]
        elif action == 4 and at < len(lines):
            lines[at] = lines[at].lstrip(b" ") if chance.random() < 0.3 else lines[at].removeprefix(b"  ")
        elif action == 5 and at < len(lines):
            lines[at] = lines[at].rstrip(b"\r\n") + chance.choice((b"\r\n", b"\r", b"", b"\n\n", b" # c\n"))
        elif action == 6:
            first = bytes((FIRST + chance.randrange(len(oracles.ARGUMENTS)),))
    return (first + b"".join(lines))[:max_size]


def crossed(one: bytes, other: bytes, max_size: int, seed: int) -> bytes:
    """The first lines of one input, the last ones of another."""
    chance = random.Random(seed)  # noqa: S311  as above
    head, tail = one.splitlines(keepends=True), other[1:].splitlines(keepends=True)
    lines = head[: chance.randint(0, len(head))] + tail[chance.randint(0, len(tail)) :]
    return b"".join(lines)[:max_size]


if __name__ == "__main__":
    atheris.Setup(
        [str(ROOT / "build/fuzz/fuzz_render"), *sys.argv[1:]],
        one_input,
        custom_mutator=mutate,
        custom_crossover=crossed,
    )
    atheris.Fuzz()
