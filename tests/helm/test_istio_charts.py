"""Istio's own charts, where Go can fetch them: what real Helm makes of them, through the post-renderer."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPY = "#!/bin/sh\ntee '{file}'\n"
MESH = {
    "default values": "{}",
    "providers of its own": (
        "meshConfig: {accessLogFile: /dev/stdout, extensionProviders: [{name: authz, envoyExtAuthzGrpc: {service: a.b, port: 1}}]}"
    ),
    "a revision": "revision: 1-31",
    "the snippet of the vendor's page": (
        "meshConfig: {extensionProviders: [{name: otel-tracing, opentelemetry:"
        " {port: 4318, service: 'groundcover-sensor.groundcover.svc.cluster.local:4318', http: {path: /v1/traces, timeout: 5s}}}]}"
    ),
}


@pytest.mark.parametrize("values", MESH.values(), ids=MESH)
def test_istios_own_chart(
    values: str, istiod_chart: Path, helm_binaries: dict[str, Path], tmp_path: Path, tool: Callable[..., Any]
) -> None:
    """The mesh config alone changes, in the ConfigMap of its revision; a second run changes nothing."""
    stream = tmp_path / "stream.yaml"
    spy = tmp_path / "spy"
    spy.write_text(SPY.format(file=stream))
    spy.chmod(0o755)
    (tmp_path / "values.yaml").write_text(values)
    command = [helm_binaries["3.17.3"], "template", "istiod", istiod_chart, "--namespace", "istio-system"]
    command += ["--values", tmp_path / "values.yaml", "--post-renderer", spy]
    subprocess.run([str(part) for part in command], capture_output=True, check=True)
    before = stream.read_bytes()
    code, after, err = tool(stdin=before)
    assert (code, err) == (0, "")
    old, new = (list(yaml.load_all(each.decode(), yaml.CSafeLoader)) for each in (before, after))
    (changed,) = [index for index, document in enumerate(old) if document != new[index]]
    assert len(old) == len(new)
    assert new[changed]["metadata"]["name"] == ("istio-1-31" if "revision" in values else "istio")
    mesh = yaml.safe_load(new[changed]["data"].pop("mesh"))
    old[changed]["data"].pop("mesh")
    assert old[changed] == new[changed]
    provider = next(each for each in mesh["extensionProviders"] if each["name"] == "otel-tracing")
    assert provider["opentelemetry"] == {
        "service": "groundcover-sensor.groundcover.svc.cluster.local",
        "port": 4318,
        "http": {"path": "/v1/traces", "timeout": "5s"},
    }
    assert mesh["defaultProviders"] == {"metrics": ["prometheus"], "tracing": ["otel-tracing"]}
    assert tool(stdin=after).out == after
