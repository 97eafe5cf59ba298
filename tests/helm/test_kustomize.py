"""A KRM function for a real kustomize, where Go can build one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
EXECUTABLE = Path(sys.executable).with_name("groundcover-istio")
FUNCTION = """\
apiVersion: groundcover-istio/v1
kind: GroundcoverIstio
metadata:
  name: groundcover
  annotations:
    config.kubernetes.io/function: |
      exec: {{path: {path}}}
spec:
  tracing: {{protocol: {protocol}, samplingPercentage: 7}}
"""


def build(kustomize: Path, folder: Path, protocol: str) -> subprocess.CompletedProcess[str]:
    """`kustomize build` of the sensor and istiod, with the function as a transformer."""
    for name in ("istiod-compact.helm3.yaml", "sensor-compact.helm3.yaml"):
        shutil.copy(ROOT / "tests/data" / name, folder)
    (folder / "groundcover-istio").symlink_to(EXECUTABLE)
    (folder / "kustomization.yaml").write_text(
        "resources: [istiod-compact.helm3.yaml, sensor-compact.helm3.yaml]\ntransformers: [groundcover.yaml]\n"
    )
    (folder / "groundcover.yaml").write_text(FUNCTION.format(path="./groundcover-istio", protocol=protocol))
    command = [str(kustomize), "build", "--enable-alpha-plugins", "--enable-exec", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_function_patches_what_kustomize_builds(kustomize: Path, tmp_path: Path) -> None:
    """The mesh config is patched and the Telemetry added, by the settings in the function's spec."""
    done = build(kustomize, tmp_path, "otlp-http")
    assert done.returncode == 0, done.stderr
    objects: dict[tuple[str, str], Any] = {
        (each["kind"], each["metadata"]["name"]): each for each in yaml.load_all(done.stdout, yaml.CSafeLoader)
    }
    mesh = yaml.safe_load(objects["ConfigMap", "istio"]["data"]["mesh"])
    assert mesh["defaultConfig"]["tracing"] == {"sampling": 7}
    assert mesh["extensionProviders"][0]["opentelemetry"]["service"] == "eyes-sensor.obs.svc.cluster.local"
    assert objects["Telemetry", "groundcover-tracing"]["spec"] == {"tracing": [{"randomSamplingPercentage": 7}]}
    assert "kustomize.config.k8s.io" not in done.stdout


def test_an_error_of_the_function_reaches_the_user(kustomize: Path, tmp_path: Path) -> None:
    """Kustomize shows it and builds nothing."""
    done = build(kustomize, tmp_path, "datadog")
    assert done.returncode != 0
    assert done.stdout == ""
    assert "has no port for dd-traces (8126)" in done.stderr
