"""`make bench`: what the post-renderer costs, beside other tools that make the same edit, in one run.

python tools/bench.py --write     everything, into docs/benchmarks.md
python tools/bench.py --check     what the goals are about; exit 1 names those that are missed
python tools/bench.py --short     small inputs, few rounds; shows the ratios, writes and asserts nothing
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import bench_page
import bench_peers
import helm_binaries
from bench_inputs import SENSOR, Inputs
from bench_measure import FailedError, Ratio, Sample, Stopwatch, ratio
from bench_peers import ALONE, EMPTY, EMPTY_CHART, KUSTOMIZE, RENDER, THROUGH, THROUGH_CAT, THROUGH_PYTHON, YQ, Peers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bench_inputs import Input

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "benchmarks.md"
PROGRAM: Final = "groundcover-istio"
HELMS: Final = ("3.17.3", "4.3.1")
# Rounds for inputs of up to so many bytes: the times of large ones vary less, and each takes seconds.
ROUNDS: Final = {300_000: 31, 4_000_000: 11, sys.maxsize: 5}
SMALL: Final = 300_000


class Row(NamedTuple):
    """What was measured on one input."""

    name: str
    size: int
    documents: int
    samples: dict[str, Sample]

    def over(self, peer: str) -> Ratio:
        """Ours over a peer's."""
        return ratio(self.samples[RENDER], self.samples[peer])


class Goal(NamedTuple):
    """Something promised, and what was found."""

    text: str
    limit: float
    found: float

    @property
    def met(self) -> bool:
        """Whether it is kept."""
        return self.found <= self.limit


class Results(NamedTuple):
    """One run of the benchmark."""

    rows: list[Row]
    helm: dict[str, dict[str, Sample]]
    """By what is rendered and by which Helm: alone and with the post-renderer."""
    starts: dict[str, Sample]
    """What an interpreter takes that only imports something."""
    origin: str
    """Where the istiod stream comes from."""

    def row(self, name: str) -> Row | None:
        """What was measured on an input, if it was."""
        return next((row for row in self.rows if row.name == name), None)


def main(arguments: list[str]) -> int:
    """Measure; write, check or show."""
    mode = arguments[0] if len(arguments) == 1 else ""
    if mode not in ("--write", "--check", "--short"):
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="groundcover-istio-") as scratch:
        results, versions = measure(Path(scratch), mode)
    found = goals(results)
    if mode == "--write":
        PAGE.write_text(bench_page.page(results, found, versions))
        print(f"bench: {PAGE.relative_to(ROOT)} written")
    print(bench_page.goals_text(found))
    missed = [goal for goal in found if not goal.met]
    return 1 if missed and mode == "--check" else 0


def measure(scratch: Path, mode: str) -> tuple[Results, dict[str, str]]:
    """Everything that the mode asks for, and the versions of all that was measured."""
    inputs = Inputs(scratch, ROOT)
    peers = Peers(scratch)
    print(f"bench: istiod stream: {inputs.origin}", flush=True)
    rows = []
    with Stopwatch(environment()) as stopwatch:
        for given in chosen(inputs, mode):
            commands = peers.of(given, stopwatch, asked(given, mode))
            if not (given.edited or given.added):
                commands[EMPTY] = [str(peers.python), "-c", "pass"]
            rounds = 5 if mode == "--short" else next(rounds for most, rounds in ROUNDS.items() if given.size <= most)
            samples = stopwatch.side_by_side(commands, given.path, rounds)
            rows.append(Row(given.name, given.size, given.documents, samples))
            print(bench_page.row_text(rows[-1]), flush=True)
            given.path.unlink()
        starts = {} if mode == "--check" else stopwatch.side_by_side(bench_peers.starts(peers.python), "/dev/null", 11)
    helm = through_helm(inputs, peers, scratch, 5 if mode == "--short" else 21)
    return Results(rows, helm, starts, inputs.origin), versions(peers)


def chosen(inputs: Inputs, mode: str) -> Iterator[Input]:
    """The inputs of a mode, made one by one."""
    yield inputs.istiod()
    yield inputs.unrelated()
    yield inputs.among_thousands(1)
    if mode == "--short":
        return
    if mode == "--write":
        yield inputs.chart()
    for megabytes in (5, 20, 100):
        yield inputs.among_thousands(megabytes)
    yield inputs.giant_config_map(20)
    yield inputs.giant_mesh(1)
    if mode == "--write":
        yield inputs.giant_mesh(5)
    yield inputs.tiny_documents(100_000)


def asked(given: Input, mode: str) -> tuple[str, ...]:
    """The peers that a mode compares with on an input: all for the page, else those of the goals or of a first look."""
    if mode == "--write" or given.size <= SMALL:
        return bench_peers.PEERS
    return (YQ,) if mode == "--short" or given.name.endswith(" 5 MB") else ()


def through_helm(inputs: Inputs, peers: Peers, scratch: Path, rounds: int) -> dict[str, dict[str, Sample]]:
    """`helm template` of istiod and of our chart, alone, with post-renderers, and of a chart of one ConfigMap."""
    idle = idle_post_renderers(scratch, peers.python)
    plugins = helm4_plugins(peers, scratch, idle.values())
    charts = {
        "istiod": [str(inputs.istio_chart()), "--namespace=istio-system"],
        "our chart": [str(ROOT / "chart"), *SENSOR],
    }
    measured = {}
    for version in HELMS:
        three = version == HELMS[0]
        post_renderers = {THROUGH: peers.render, **idle}
        variables = {"HELM_PLUGINS": str(scratch / "none" if three else plugins)}
        with Stopwatch(environment() | variables) as stopwatch:
            for name, arguments in charts.items():
                command = [str(helm_binaries.helm(version)), "template", "x", *arguments]
                commands = {ALONE: command}
                for title, program in post_renderers.items():
                    commands[title] = [*command, "--post-renderer", str(program) if three else program.name]
                if name == "our chart":
                    commands[EMPTY_CHART] = [*command[:3], str(empty_chart(scratch)), *SENSOR]
                title = f"{name}, Helm {version}"
                measured[title] = stopwatch.side_by_side(commands, "/dev/null", rounds)
                print(bench_page.helm_text(title, measured[title]), flush=True)
    return measured


def idle_post_renderers(scratch: Path, python: Path) -> dict[str, Path]:
    """Programs that hand on what comes in: what any post-renderer costs, and what any one in Python does."""
    programs = {
        THROUGH_CAT: ("cat", "#!/bin/sh\nexec cat\n"),
        THROUGH_PYTHON: ("copy", f"#!{python}\nimport sys\n\nsys.stdout.buffer.write(sys.stdin.buffer.read())\n"),
    }
    for name, text in programs.values():
        (scratch / name).write_text(text)
        (scratch / name).chmod(0o755)
    return {title: scratch / name for title, (name, _) in programs.items()}


def helm4_plugins(peers: Peers, scratch: Path, idle: Iterable[Path]) -> Path:
    """A folder with ours as Helm 4 takes it, and with others of the same manifest."""
    plugins = scratch / "plugins"
    command = [str(peers.render), "install-plugin", "--helm", str(helm_binaries.helm(HELMS[1]))]
    alone = environment() | {"HELM_PLUGINS": str(plugins)}
    subprocess.run([*command, "--directory", str(plugins)], check=True, capture_output=True, env=alone)
    ours = (plugins / PROGRAM / "plugin.yaml").read_text()
    for program in idle:
        (plugins / program.name / "bin").mkdir(parents=True)
        (plugins / program.name / "plugin.yaml").write_text(ours.replace(f"name: {PROGRAM}", f"name: {program.name}"))
        shutil.copy(program, plugins / program.name / "bin" / "run")
    return plugins


def empty_chart(scratch: Path) -> Path:
    """A chart with one ConfigMap."""
    chart = scratch / "empty"
    (chart / "templates").mkdir(parents=True, exist_ok=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: empty\nversion: 0.1.0\n")
    (chart / "templates" / "x.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
    return chart


def goals(results: Results) -> list[Goal]:
    """Those that can be told from what was measured."""
    found: list[Goal] = []

    def goal(text: str, limit: float, measured: float) -> None:
        found.append(Goal(text, limit, measured))

    if row := results.row("istiod"):
        goal("istiod stream: at most 1.5 times yq", 1.5, row.over(YQ).median)
        goal("istiod stream: at most 0.35 times kubectl kustomize", 0.35, row.over(KUSTOMIZE).median)
    if row := results.row("istiod among many, 5 MB"):
        goal("5 MB: at most 0.1 times yq", 0.1, row.over(YQ).median)
    if row := results.row("unrelated release"):
        goal("nothing to do, 200 KB: at most 1.5 times an empty interpreter", 1.5, row.over(EMPTY).median)
    rows = [row for size in (1, 5, 20, 100) if (row := results.row(f"istiod among many, {size} MB"))]
    if rows[2:]:
        first, last = (row.samples[RENDER].median / row.size for row in (rows[0], rows[-1]))
        goal("1 to 100 MB: a megabyte of the last at most 1.3 times as dear as one of the first", 1.3, last / first)
        # Start-up makes the first one dear; what each further megabyte takes says more.
        dearer = growth(rows[-2], rows[-1]) / growth(rows[0], rows[-2])
        goal("a further megabyte from 20 MB on at most 1.3 times as dear as one below", 1.3, dearer)
    for row in results.rows:
        allowed = 4 * row.size / 1e6 + 30
        text = f"{row.name}: at most 4 times the stream + 30 MB of memory, which is {allowed:.0f} MB"
        goal(text, allowed, row.samples[RENDER].megabytes)
    for name, samples in results.helm.items():
        through = ratio(samples[THROUGH], samples[ALONE]).median
        goal(f"{name}: helm template with us at most 1.25 times without", 1.25, through)
        if empty := samples.get(EMPTY_CHART):
            goal(f"{name}: at most 2 times a chart of one ConfigMap", 2, ratio(samples[ALONE], empty).median)
    return found


def growth(smaller: Row, larger: Row) -> float:
    """Seconds for each further byte."""
    return (larger.samples[RENDER].median - smaller.samples[RENDER].median) / (larger.size - smaller.size)


def environment() -> dict[str, str]:
    """Nothing of the person's own reaches a command that is measured."""
    foreign = ("PYTHON", "HELM_", "GROUNDCOVER_ISTIO_", "COVERAGE")
    return {key: value for key, value in os.environ.items() if not key.startswith(foreign)}


def versions(peers: Peers) -> dict[str, str]:
    """What was measured with."""
    lines = {
        "Python": [str(peers.python), "--version"],
        "pip": [sys.executable, "-m", "pip", "--version"],
        "PyYAML": [str(peers.python), "-c", "import yaml; print(yaml.__version__)"],
        "yq": [str(peers.yq), "--version"],
        "Go": [helm_binaries.go(), "version"],
        "kubectl": [str(peers.kubectl), "version", "--client"],
    }
    found = {name: bench_peers.first_line(command) for name, command in lines.items()}
    return found | {f"Helm {version[0]}": version for version in HELMS}


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (FailedError, helm_binaries.UnavailableError, subprocess.CalledProcessError) as problem:
        sys.exit(f"bench: {problem}")
