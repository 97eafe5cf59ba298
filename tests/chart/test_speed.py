"""Rendering stays cheap: less than twice the time of a chart with next to nothing in it, whole processes compared."""

from __future__ import annotations

import json
import subprocess
import time
from statistics import median
from typing import TYPE_CHECKING

import pytest

from .support import CHART, REQUIRED, VERSIONS, Helm

if TYPE_CHECKING:
    from pathlib import Path

PAIRS = 5
# Other work on the machine makes single measurements useless, so that a slow one is taken again.
ATTEMPTS = 8
LIMIT = 2.0


def seconds(helm: Helm, *args: str) -> float:
    """Run Helm and give the time it took."""
    started = time.perf_counter()
    subprocess.run([str(helm.binary), *args], check=True, stdout=subprocess.DEVNULL, env=helm.environment)
    return time.perf_counter() - started


def ratio(helm: Helm, empty: Path, values: Path) -> float:
    """Give how many times the empty chart's time this one takes: the median over pairs taken in turns."""
    ratios = []
    for _ in range(PAIRS):
        first, second = (seconds(helm, "template", "x", str(chart), "-f", str(values)) for chart in (empty, CHART))
        ratios.append(second / first)
    return median(ratios)


@pytest.mark.parametrize("version", VERSIONS)
def test_rendering_is_cheap(helms: dict[str, Helm], version: str, tmp_path: Path) -> None:
    """One ConfigMap in one template is the measure: it is Helm's own time."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: empty\nversion: 0.1.0\n")
    (tmp_path / "templates" / "x.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
    values = tmp_path / "given.yaml"
    values.write_text(json.dumps(REQUIRED))
    measured = []
    for _ in range(ATTEMPTS):
        measured.append(ratio(helms[version], tmp_path, values))
        if measured[-1] < LIMIT:
            return
    pytest.fail(f"{measured} times the time of an empty chart")
