"""The public YAML test suite: each of its cases as documents around an istiod."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from groundcover_istio import pipeline
from groundcover_istio.checks import engine
from groundcover_istio.checks.loading import File, Given
from groundcover_istio.errors import ToolError
from groundcover_istio.options import layer_from_options

from .conftest import beside, istiod

CASES: list[dict[str, str]] = json.loads((Path(__file__).parent / "yaml-test-suite/cases.json").read_text())
IDS = [f"{each['id']} {each['name']}" for each in CASES]


def test_the_suite_is_whole() -> None:
    """402 cases, as the suite has since 2022."""
    assert len({each["id"] for each in CASES}) == 402


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_case_passes_through(case: dict[str, str]) -> None:
    """Byte for byte, before and behind an istiod that is patched, that is left alone, and that has all it needs."""
    stream = beside(case["yaml"].encode())
    assert pipeline.run(stream.before).after == stream.after
    assert pipeline.run(stream.after).after == stream.after
    switched_off = [layer_from_options({"enabled": "false"}, "test")]
    assert pipeline.run(stream.before, switched_off).after == stream.before


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_case_where_it_is_read(case: dict[str, str]) -> None:
    """As the text of a mesh config, in its document and by check: edited and verified, or refused; nothing else."""
    text = case["yaml"].encode()
    for stream in (istiod(mesh=text), istiod(document=text)):
        with contextlib.suppress(ToolError):
            after = pipeline.run(stream.before).after
            assert pipeline.run(after).after == after
    engine.check([File("case.yaml", text), File("stream.yaml", beside(text).before)], Given())


def test_all_cases_in_one_stream(tool: Any) -> None:
    """The process says the same, of all of them at once; check reads them and ends."""
    stream = beside(b"\n---\n".join(each["yaml"].encode() for each in CASES))
    done = subprocess.run(
        [sys.executable, "-m", "groundcover_istio"], input=stream.before, capture_output=True, check=True
    )
    assert (done.stdout, done.stderr) == (stream.after, b"")
    assert tool("check", "-", stdin=stream.before).code == 3
