"""Measures commands side by side, whole processes, in turns."""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import TYPE_CHECKING, Final, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

NOWHERE: Final = "/dev/null"


class FailedError(Exception):
    """A command that is to be measured does not do its work."""


class Sample(NamedTuple):
    """What a command took, once for each round."""

    seconds: list[float]
    megabytes: float
    """The most memory that it held at once, in any round."""

    @property
    def median(self) -> float:
        """In seconds."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> tuple[float, float]:
        """First and third quartile, in seconds."""
        return quartiles(self.seconds)


class Ratio(NamedTuple):
    """One command's time over another's, each pair from the same round."""

    median: float
    spread: tuple[float, float]


def ratio(ours: Sample, theirs: Sample) -> Ratio:
    """How many times the others' time ours is."""
    pairs = [mine / other for mine, other in zip(ours.seconds, theirs.seconds, strict=True)]
    return Ratio(statistics.median(pairs), quartiles(pairs))


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """First and third quartile; of one value itself."""
    if len(values) == 1:
        return values[0], values[0]
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return first, third


class Stopwatch:
    """Runs commands in one environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Start the process that starts the others."""
        launcher = __file__.replace("bench_measure", "bench_process")
        self._launcher = subprocess.Popen(
            [sys.executable, "-I", "-S", launcher],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=dict(environment),
        )

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._launcher.communicate()

    def run(self, command: Sequence[str], source: Path | str, target: Path | str = NOWHERE) -> tuple[float, float]:
        """Seconds and megabytes of one run; raises FailedError where it does not end with 0."""
        if not self._launcher.stdin or not self._launcher.stdout:
            raise FailedError("the launcher has no streams")
        self._launcher.stdin.write("\t".join([str(source), str(target), *command]) + "\n")
        self._launcher.stdin.flush()
        answer = self._launcher.stdout.readline().split()
        if not answer or answer[0] != "0":
            raise FailedError(f"{' '.join(command)} ended with {answer[0] if answer else 'nothing'}")
        return float(answer[1]), int(answer[2]) / 1000

    def side_by_side(self, commands: Mapping[str, Sequence[str]], source: Path | str, rounds: int) -> dict[str, Sample]:
        """Every command once in each round, after one that does not count."""
        runs: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for number in range(rounds + 1):
            for name, command in commands.items():
                took = self.run(command, source)
                if number:
                    runs[name].append(took)
        return {
            name: Sample([seconds for seconds, _ in each], max(megabytes for _, megabytes in each))
            for name, each in runs.items()
        }
