"""Who reads what a run does is told where istiod would read nothing of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

MESH = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    trustDomain: cluster.local
"""
OPERATOR = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec:
  meshConfig:
    trustDomain: cluster.local
"""
WHY = "istiod discards the whole mesh config for it, keeps the one before, and runs on its defaults after a restart"


def stream(wrong: str, carrier: str = MESH) -> bytes:
    """A mesh config with one more field."""
    return f"{carrier}    {wrong}\n".encode()


@pytest.mark.parametrize("carrier", [MESH, OPERATOR], ids=["ConfigMap", "IstioOperator"])
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param("accessLogEncoding: json", 'accessLogEncoding is "json", not one of TEXT, JSON', id="an enum"),
        pytest.param("defaultConfig: {concurrency: two}", 'defaultConfig.concurrency is "two", not a whole number', id="deeper"),
        pytest.param("access_log_file: 5", "accessLogFile is 5, not a string", id="in snake case"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_ours(wrong: str, said: str, carrier: str, tool: Callable[..., Any]) -> None:
    """The manifests are edited all the same, since the value is not ours; the report warns, and diff says no effect."""
    code, out, err = tool("--report", "-", stdin=stream(wrong, carrier))
    assert (code, b"otel-tracing" in out) == (0, True)
    (line,) = [each for each in err.splitlines() if each.startswith("warning: ")]
    assert f": {said}" in line
    assert WHY in line
    shown = tool("diff", stdin=stream(wrong, carrier)).out.decode()
    assert line in shown
    assert "spans go to" not in shown


def test_for_programs(tool: Callable[..., Any]) -> None:
    """By a code, and the mesh does nothing of what is written."""
    data = json.loads(tool("diff", "--format", "json", stdin=stream("accessLogFile: 5")).out)
    (warning,) = [each for each in data["decisions"] if each["severity"] == "warning"]
    assert (warning["code"], warning["resource"]) == ("mesh-config-discarded", "ConfigMap istio-system/istio")
    assert warning["values"] == {"path": "accessLogFile", "found": "5", "wanted": "a string"}
    assert data["mesh"] == []


@pytest.mark.parametrize("right", ["accessLogEncoding: JSON", "accessLogFile: ${FILE}", "someField: 5"])
def test_what_istiod_reads(right: str, tool: Callable[..., Any]) -> None:
    """Nor is warned of what another tool is still to fill in, or of a field that istiod does not know and passes over."""
    shown = tool("diff", stdin=stream(right)).out.decode()
    assert "discards" not in shown
    assert "spans go to" in shown


def test_only_of_the_mesh_config_that_is_meant(tool: Callable[..., Any]) -> None:
    """Another revision's does what is written."""
    other = MESH.replace("name: istio,", "name: istio-canary,")
    shown = tool("diff", stdin=stream("accessLogFile: 5") + b"---\n" + other.encode()).out.decode()
    assert "ConfigMap istio-system/istio-canary: spans go to" in shown
    assert "ConfigMap istio-system/istio: spans go to" not in shown
