"""What is right, or not known, is not reported: real streams, Istio's own charts, and what `render` writes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from groundcover_istio.checks import engine
from groundcover_istio.checks.loading import File, Given

if TYPE_CHECKING:
    from collections.abc import Callable

    from groundcover_istio.checks.finding import Finding

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "GROUNDCOVER_ISTIO_TEST_DATA"
GOLDEN = sorted((ROOT / "tests/golden/cases").glob("*/expected.yaml"))
STATSD = b"    - name: statsd\n"
PORTS = b"""\
    - {name: otlp-grpc, port: 4317, appProtocol: grpc}
    - {name: dd-traces, port: 8126}
    - {name: zipkin, port: 9411}
"""
# What is wrong in these inputs is not of the post-renderer's making, and none of its business.
THEIRS = {
    ("access-logs-beside-others", "GCI014"),
    ("cluster-domain-that-istiod-is-not-told", "GCI041"),
    ("cluster-domains-of-two-control-planes", "GCI041"),
    ("nothing-of-ours", "GCI000"),
    ("vendor-page-datadog-under-another-protocol", "GCI002"),
}


def check(path: Path) -> list[Finding]:
    """What is found in a file."""
    return engine.check([File(path.name, path.read_bytes())], Given()).findings


def grave(findings: list[Finding]) -> list[Finding]:
    """Those above info."""
    return [finding for finding in findings if finding.severity != "info"]


@pytest.mark.parametrize("path", sorted((ROOT / "tests/data").glob("*.yaml")), ids=lambda path: path.name)
def test_streams_of_the_project(path: Path) -> None:
    """Nothing at all, but that istiod's own chart sets no tracer up."""
    assert {finding.rule for finding in check(path)} == ({"GCI039"} if path.name.startswith("istiod") else set())


def test_real_streams() -> None:
    """Nothing in what Helm makes of istiod's and the vendor's chart, but that no tracer is set up."""
    if not os.environ.get(VARIABLE):
        pytest.skip(f"{VARIABLE} names no folder with real streams")
    paths = sorted(Path(os.environ[VARIABLE]).glob("*.yaml"))
    assert paths
    assert {finding.rule for path in paths for finding in check(path)} <= {"GCI039"}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.parent.name)
def test_what_render_writes(path: Path) -> None:
    """No error in what comes out of the post-renderer, but for what others put there."""
    errors = [finding for finding in check(path) if finding.severity == "error"]
    assert [each for each in errors if (path.parent.name, each.rule) not in THEIRS] == []


def test_profiles_of_istio(istio_module: Path) -> None:
    """Every profile, as values and as IstioOperator: nothing above info, and of that only what is true of demo."""
    paths = [
        *(istio_module / "manifests/helm-profiles").glob("*.yaml"),
        *(istio_module / "manifests/profiles").glob("*.yaml"),
    ]
    found = {path: check(path) for path in paths}
    assert len(found) > 20
    assert {path.name: grave(each) for path, each in found.items()} == {path.name: [] for path in paths}
    assert {(path.name, each.rule) for path, listed in found.items() for each in listed} == {("demo.yaml", "GCI013")}


@pytest.mark.parametrize("profile", ["", "demo", "ambient", "remote", "preview", "stable", "openshift"])
def test_charts_of_istio(istio_module: Path, helm_binaries: dict[str, Path], profile: str, tmp_path: Path) -> None:
    """The rendered istiod chart, with and without a profile."""
    chart = tmp_path / "istiod"
    shutil.copytree(istio_module / "manifests/charts/istio-control/istio-discovery", chart)
    for path in [chart, *chart.rglob("*")]:
        path.chmod(0o755)
    values = istio_module / "manifests/helm-profiles" / f"{profile}.yaml"
    given = ["--values", str(values)] if profile and values.exists() else []
    command = [str(helm_binaries["3.17.3"]), "template", "istiod", str(chart), "--namespace", "istio-system", *given]
    out = subprocess.run(command, capture_output=True, check=True).stdout
    findings = engine.check([File("-", out)], Given()).findings
    assert grave(findings) == []
    assert {finding.rule for finding in findings} <= {"GCI013", "GCI039"}


def test_samples_of_istio(istio_module: Path) -> None:
    """Istio's samples, folder by folder, most without a mesh config: nothing is guessed."""
    folders: dict[Path, list[File]] = {}
    for path in sorted((istio_module / "samples").rglob("*.yaml")):
        if "templates" not in path.parts:
            folders.setdefault(path.parent, []).append(File(path.name, path.read_bytes()))
    assert len(folders) > 30
    reports = {folder: engine.check(files, Given()) for folder, files in folders.items()}
    assert [folder for folder, report in reports.items() if not report.readable or grave(report.findings)] == []


def test_empty_inputs() -> None:
    """Nothing is found in nothing, and where there is something else, that is known."""
    for content in (b"", b"\n", b"---\n", b"# only a comment\n", b"null\n", b"\xef\xbb\xbf", b"[]\n", b"a\n"):
        strange = ("x.yaml",) if content in (b"[]\n", b"a\n") else ()
        expected = engine.Report([], True, frozenset(("x.yaml",)), strange=strange)
        assert engine.check([File("x.yaml", content)], Given()) == expected


@pytest.mark.parametrize("protocol", ["otlp-http", "otlp-grpc", "datadog", "zipkin"])
def test_what_render_makes_of_istiod_and_sensor(protocol: str, tool: Callable[..., tuple[int, bytes, str]]) -> None:
    """Both in one stream, through the post-renderer: nothing above info but that datadog ignores sampling."""
    streams = [ROOT / "tests/data/istiod-compact.helm3.yaml", ROOT / "tests/data/sensor-compact.helm3.yaml"]
    stream = b"".join(path.read_bytes() for path in streams).replace(STATSD, PORTS + STATSD)
    code, out, err = tool("--protocol", protocol, stdin=stream)
    assert (code, err) == (0, "")
    findings = engine.check([File("all.yaml", out)], Given()).findings
    assert {finding.rule for finding in grave(findings)} == ({"GCI019"} if protocol == "datadog" else set())
