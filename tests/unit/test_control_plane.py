"""What an operator's object says of its control plane, to `render`, `check` and `export` alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from groundcover_istio.control_plane import ControlPlane, of_object
from groundcover_istio.model import Data, Version

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OPERATOR = ("spec", "meshConfig")
SAIL = ("spec", "values", "meshConfig")


def istio_operator(spec: Data) -> dict[str, Data]:
    """An IstioOperator."""
    return {
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "metadata": {"name": "mesh"},
        "spec": spec,
    }


def sail(spec: Data, kind: str = "Istio") -> dict[str, Data]:
    """An object of the Sail operator."""
    return {"apiVersion": "sailoperator.io/v1", "kind": kind, "metadata": {"name": "prod"}, "spec": spec}


def tag(version: str) -> dict[str, Data]:
    """Values, or a component, with an image tag."""
    return {"tag": version}


OBJECTS = [
    pytest.param(istio_operator(None), ControlPlane(OPERATOR, None, "", ""), id="an empty operator says nothing"),
    pytest.param(
        istio_operator({"namespace": "my-istio", "revision": "canary", "tag": "1.24.2"}),
        ControlPlane(OPERATOR, Version(1, 24), "my-istio", "canary"),
        id="namespace, revision and tag at the top",
    ),
    pytest.param(
        istio_operator({"values": {"global": {"istioNamespace": "my-istio", **tag("1.24.2")}, "revision": "canary"}}),
        ControlPlane(OPERATOR, Version(1, 24), "my-istio", "canary"),
        id="the same among the values",
    ),
    pytest.param(
        istio_operator({"tag": "1.24.2", "values": {"global": tag("1.20.0"), "pilot": tag("1.21.0")}}),
        ControlPlane(OPERATOR, Version(1, 21), "", ""),
        id="the tag of istiod alone counts before that of all",
    ),
    pytest.param(
        istio_operator({"tag": "1.24.2", "values": {"global": tag("1.20.0")}}),
        ControlPlane(OPERATOR, Version(1, 24), "", ""),
        id="the tag at the top counts before that of the values",
    ),
    pytest.param(
        istio_operator({"components": {"pilot": tag("1.22.1")}, "values": {"pilot": tag("1.21.0")}}),
        ControlPlane(OPERATOR, Version(1, 22), "", ""),
        id="the tag of the component counts before all others",
    ),
    pytest.param(
        istio_operator({"namespace": ["my-istio"], "values": {"global": {"istioNamespace": 5}}}),
        ControlPlane(OPERATOR, None, "", ""),
        id="a namespace that is no text is none",
    ),
    pytest.param(
        sail({"version": "v1.27.3", "namespace": "mesh", "values": {"pilot": tag("1.21.0")}}),
        ControlPlane(SAIL, Version(1, 27), "mesh", "prod"),
        id="the version of Sail counts, whose images the operator sets",
    ),
    pytest.param(
        sail({"version": "v1.27.3", "updateStrategy": {"type": "RevisionBased"}}),
        ControlPlane(SAIL, Version(1, 27), "", "prod-v1-27-3"),
        id="a revision for each version",
    ),
    pytest.param(
        sail({"version": "v1.27.3", "updateStrategy": {"type": "RevisionBased"}}, "IstioRevision"),
        ControlPlane(SAIL, Version(1, 27), "", "prod"),
        id="an IstioRevision is its own revision",
    ),
    pytest.param(istio_operator({}) | {"apiVersion": "example.com/v1"}, None, id="an object of another group"),
    pytest.param(sail({}) | {"kind": "ZTunnel"}, None, id="another object of Sail"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "said"), OBJECTS)
def test_what_an_object_says(data: dict[str, Data], said: ControlPlane | None) -> None:
    """Its version as its images have it, its namespace, its revision."""
    assert of_object(data) == said


ONE_FOR_ALL = """apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh}
spec:
  namespace: my-istio
  revision: canary
  meshConfig:
    accessLogFile: /dev/stdout
  values:
    pilot: {tag: 1.21.0}
"""


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["render"], id="render"),
        pytest.param(["export", "istio-operator", "--into", "mesh.yaml"], id="export"),
    ],
)
def test_no_command_writes_what_that_istio_can_not_read(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: Callable[..., Any]
) -> None:
    """The version of istiod's own image counts for both."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mesh.yaml").write_text(ONE_FOR_ALL)
    code, _, err = tool(*command, stdin=ONE_FOR_ALL.encode())
    assert code == 2
    assert "istio 1.21 has no extensionProviders.opentelemetry.http" in err


def test_check_reads_the_same(tmp_path: Path, tool: Callable[..., Any]) -> None:
    """A field of a later Istio, and a mesh-wide Telemetry in its root namespace, are found."""
    provider = "{name: otel-tracing, opentelemetry: {service: s.n.svc.cluster.local, port: 4318, http: {path: /v1/traces, timeout: 5s}}}"
    telemetry = "apiVersion: telemetry.istio.io/v1alpha1\nkind: Telemetry\nmetadata: {name: all, namespace: my-istio}\nspec:\n  tracing:\n  - disableSpanReporting: true\n"
    mesh = ONE_FOR_ALL.replace(
        "accessLogFile: /dev/stdout",
        f"extensionProviders: [{provider}]\n    defaultProviders: {{tracing: [otel-tracing], metrics: [prometheus]}}",
    )
    (tmp_path / "mesh.yaml").write_text(f"{mesh}---\n{telemetry}")
    code, out, _ = tool("check", str(tmp_path / "mesh.yaml"))
    assert code == 1
    assert "GCI024" in out.decode()
    assert "GCI038" in out.decode()
