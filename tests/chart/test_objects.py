"""Every object is one that Kubernetes knows, in the oldest and the newest version that the chart supports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .kubernetes import CUSTOM, NEWEST, OLDEST, complaints
from .support import CHART, CI_FILES, Helm, HelmError, Render, load

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("kubernetes_validate")
# Files that need a newer Kubernetes, and what the chart says on the oldest.
TOO_NEW = {"scheduling-values": "it needs Kubernetes 1.31"}


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("file", CI_FILES, ids=lambda f: f.stem)
def test_objects_are_valid(helm: Helm, file: Path, version: str) -> None:
    """No unknown field, no wrong type, no kind without a schema but the operators'."""
    argv = ("--kube-version", f"{version}.0", "--api-versions", "security.openshift.io/v1")
    try:
        render = helm.render(file, *argv)
    except HelmError as error:
        assert version == OLDEST
        assert TOO_NEW[file.stem] in str(error)  # noqa: PT017
        return
    assert [c for o in render.objects for c in complaints(o, version)] == []


def test_every_kind_is_seen(helm: Helm) -> None:
    """The ci values make every kind that the templates know, so that none goes unchecked."""
    seen = {
        (o["apiVersion"], o["kind"])
        for file in CI_FILES
        for o in helm.render(
            file, "--kube-version", f"{NEWEST}.0", "--api-versions", "security.openshift.io/v1"
        ).objects
    }
    kinds = {kind for _, kind in seen}
    written = {
        line.removeprefix("kind: ").strip()
        for p in [*(CHART / "templates").rglob("*.yaml"), *(CHART / "charts").rglob("templates/*.yaml")]
        for line in p.read_text().splitlines()
        if line.startswith("kind: ")
    }
    assert written
    assert written <= kinds
    assert kinds >= CUSTOM
    assert {api for api, kind in seen if kind in CUSTOM} == {
        "monitoring.coreos.com/v1",
        "operator.victoriametrics.com/v1beta1",
    }


def test_strict_means_strict(default: Render) -> None:
    """A field that does not exist is noticed, and so is a kind that does not."""
    service = default.service
    wrong = {**service, "spec": {**service["spec"], "internalTraficPolicy": "Local"}}
    assert len(complaints(wrong, NEWEST)) == 1
    with pytest.raises(FileNotFoundError):
        complaints({"apiVersion": "apps/v1", "kind": "DeamonSet"}, NEWEST)


def test_versions_are_those_of_the_chart() -> None:
    """The oldest is what Chart.yaml admits."""
    for chart in (CHART, CHART / "charts" / "istio-metrics"):
        assert load((chart / "Chart.yaml").read_text())["kubeVersion"] == f">={OLDEST}.0-0"
