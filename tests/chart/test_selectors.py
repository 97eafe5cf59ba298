"""Selectors can never change, whatever the values and the version say."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from .support import CHART, REQUIRED, Helm, Object, Render, values

if TYPE_CHECKING:
    from pathlib import Path

EXPECTED = {"app.kubernetes.io/name": "sensor", "app.kubernetes.io/instance": "groundcover"}


def selectors(render: Render) -> list[Object]:
    """Give every selector of a render that finds the sensor's pods."""
    return [
        render.get("DaemonSet")["spec"]["selector"]["matchLabels"],
        render.service["spec"]["selector"],
        render.get("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ]


def test_selectors_ignore_values_and_versions(helm: Helm, tmp_path: Path) -> None:
    """Every label value set, another chart and another sensor: the selectors are the same."""
    other = tmp_path / "chart"
    shutil.copytree(CHART, other)
    manifest = other / "Chart.yaml"
    text = re.sub(r"(?m)^version: .*$", "version: 7.8.9", manifest.read_text())
    manifest.write_text(re.sub(r"(?m)^appVersion: .*$", 'appVersion: "7.8.9"', text))
    policy = {"networkPolicy": {"enabled": True}}
    labelled = values(
        **policy,
        commonLabels={"team": "a"},
        podLabels={"tier": "b"},
        podAnnotations={"c": "d"},
        annotations={"e": "f"},
        service={"labels": {"g": "h"}, "annotations": {"i": "j"}},
        serviceAccount={"annotations": {"k": "l"}},
        image={"tag": "1.0.0"},
        mesh={"optOutSidecar": False, "optOutAmbient": False},
        env="prod",
        fullnameOverride="other",
    )
    before = helm.render(values(**policy))
    after = helm.render(labelled, chart=other)
    assert selectors(before) == selectors(after) == [EXPECTED] * 3
    labels = after.pod["metadata"]["labels"]
    assert labels.items() >= {"team": "a", "tier": "b", **EXPECTED}.items()


def test_common_labels_reach_every_object(helm: Helm) -> None:
    """Labels for finding and billing are on all objects."""
    render = helm.render(values(commonLabels={"team": "a"}, networkPolicy={"enabled": True}))
    assert all(o["metadata"]["labels"]["team"] == "a" for o in render.objects)


def test_pods_do_not_carry_the_chart_version(helm: Helm) -> None:
    """Otherwise a new chart would restart every sensor."""
    assert "helm.sh/chart" not in helm.render(REQUIRED).pod["metadata"]["labels"]
