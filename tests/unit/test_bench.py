"""The arithmetic of `make bench`, and that its page is one of its making."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import bench
import bench_page
from bench_inputs import Inputs
from bench_measure import FailedError, Sample, Stopwatch, ratio
from bench_peers import ALONE, CAT, EMPTY, KUSTOMIZE, RENDER, THROUGH, YQ, is_edited, mesh_text

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests/data"


def sample(*milliseconds: float, megabytes: float = 10) -> Sample:
    """One of these times in each round."""
    return Sample([each / 1000 for each in milliseconds], megabytes)


def test_a_ratio_pairs_what_ran_in_the_same_round() -> None:
    """A busy moment slows both, so it is no difference: the medians alone would give 2."""
    ours, theirs = sample(10, 20, 200), sample(5, 20, 100)
    assert ratio(ours, theirs).median == 2
    assert ratio(sample(10, 30, 20), sample(10, 30, 20)) == (1, (1, 1))
    assert ratio(sample(10, 40, 90), sample(10, 20, 30)) == (2, (1.5, 2.5))


def results(
    name: str, milliseconds: float, *, size: int = 200_000, megabytes: float = 10, helm: float = 100
) -> bench.Results:
    """A run in which every peer takes 10 ms on one input, and Helm alone 100."""
    samples = {RENDER: sample(milliseconds, megabytes=megabytes)} | {
        peer: sample(10) for peer in (YQ, KUSTOMIZE, EMPTY)
    }
    through = {"istiod, Helm 3": {ALONE: sample(100), THROUGH: sample(helm)}}
    return bench.Results([bench.Row(name, size, 1, samples)], through, {}, "made up")


@pytest.mark.parametrize(
    ("measured", "missed"),
    [
        pytest.param(results("istiod", 3), [], id="all met"),
        pytest.param(results("istiod", 14), ["0.35 times kubectl kustomize"], id="too slow for one"),
        pytest.param(results("istiod", 16), ["1.5 times yq", "0.35 times kubectl kustomize"], id="too slow for two"),
        pytest.param(results("unrelated release", 16), ["1.5 times an empty interpreter"], id="nothing to do"),
        pytest.param(results("istiod among many, 5 MB", 2, size=5_000_000), ["0.1 times yq"], id="5 MB"),
        pytest.param(results("x", 1, megabytes=31), ["4 times the stream + 30 MB"], id="too large"),
        pytest.param(results("x", 1, helm=126), ["1.25 times without"], id="through Helm"),
    ],
)  # fmt: skip
def test_a_missed_goal_is_named(measured: bench.Results, missed: list[str]) -> None:
    """Each is compared with its limit."""
    found = [goal.text for goal in bench.goals(measured) if not goal.met]
    assert len(found) == len(missed)
    assert all(part in text for part, text in zip(missed, found, strict=True))
    assert bench_page.goals_text(bench.goals(measured)).count("MISSED") == len(missed)


def test_what_grows_faster_than_the_stream_is_found() -> None:
    """Twice as dear from 20 MB on, though the first megabyte pays for the start."""
    times = {1: 100, 5: 140, 20: 290, 100: 1890}
    rows = [
        bench.Row(f"istiod among many, {size} MB", size * 1_000_000, 1, {RENDER: sample(took), YQ: sample(9999)})
        for size, took in times.items()
    ]
    found = {goal.text: goal.met for goal in bench.goals(bench.Results(rows, {}, {}, ""))}
    assert found["1 to 100 MB: a megabyte of the last at most 1.3 times as dear as one of the first"]
    assert not found["a further megabyte from 20 MB on at most 1.3 times as dear as one below"]


def test_a_command_is_measured_whole(tmp_path: Path) -> None:
    """Its time, its memory, its output; one that fails is no result."""
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(b"a: b\n")
    hungry = [sys.executable, "-c", "import sys, time; x = b'x' * 50_000_000; time.sleep(0.1); print(sys.stdin.read())"]
    with Stopwatch({}) as stopwatch:
        seconds, megabytes = stopwatch.run(hungry, source, target)
        assert seconds >= 0.1
        assert 50 < megabytes < 100
        assert target.read_bytes() == b"a: b\n\n"
        samples = stopwatch.side_by_side({CAT: ["/bin/cat"], EMPTY: [sys.executable, "-c", "pass"]}, source, 3)
        assert [len(each.seconds) for each in samples.values()] == [3, 3]
        with pytest.raises(FailedError, match="ended with 1"):
            stopwatch.run([sys.executable, "-c", "raise SystemExit(1)"], source)


def test_a_peer_that_does_not_edit_is_found() -> None:
    """What every output is checked for before it is timed."""
    mesh = {
        "enableTracing": True,
        "defaultConfig": {"tracing": {"sampling": 1}},
        "defaultProviders": {"tracing": ["otel-tracing"]},
        "extensionProviders": [
            {
                "name": "otel-tracing",
                "opentelemetry": {
                    "service": "groundcover-sensor.groundcover.svc.cluster.local",
                    "port": 4318,
                    "http": {"path": "/v1/traces", "timeout": "5s"},
                },
            }
        ],
    }
    assert is_edited(mesh)
    assert not is_edited({**mesh, "extensionProviders": []})
    stream = (DATA / "istiod-compact.helm3.yaml").read_bytes()
    assert "rootNamespace" in mesh_text(stream)
    with pytest.raises(FailedError, match="no mesh config"):
        mesh_text(b"kind: Pod\n")


def test_streams_are_as_large_as_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made around a stream that is at hand, the same at every run."""
    (tmp_path / "istiod-1.helm3-stdin.yaml").write_bytes((DATA / "istiod-compact.helm3.yaml").read_bytes())
    monkeypatch.setenv("GROUNDCOVER_ISTIO_TEST_DATA", str(tmp_path))
    inputs = Inputs(tmp_path, ROOT)
    assert inputs.origin == "what Helm 3 handed to a post-renderer for istiod-1"
    made = [inputs.among_thousands(1), inputs.giant_config_map(1), inputs.giant_mesh(1)]
    assert all(abs(each.size - 1_000_000) < 10_000 for each in made)
    assert made[0].documents > 1000
    assert inputs.tiny_documents(500).documents > 500
    before = made[0].path.read_bytes()
    assert inputs.among_thousands(1).path.read_bytes() == before


def test_the_page_is_one_that_bench_writes() -> None:
    """Every goal has a verdict, and the headings are those of the tool."""
    page = (ROOT / "docs/benchmarks.md").read_text()
    assert bench_page.METHOD in page
    assert bench_page.CAVEATS in page
    rows = re.findall(r"^\| (.+ at most .+) \| [\d.,]+ \| (met|\*\*missed\*\*) \|$", page, re.MULTILINE)
    assert len(rows) > 10
    for heading in ("Goals", "Side by side", "Through Helm", "What a start costs", "Measured on", "To repeat it"):
        assert f"\n## {heading}\n" in page
