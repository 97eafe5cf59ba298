"""Policy checks of the rendered chart by checkov, with a reason for each one that does not hold.

checkov is a large tree (about 300 MB), so it lives in an environment of its own and is no part of the tests.
A check that fails without a reason here is an error, and so is a reason that nothing needs any more.

    python tools/chart_policy.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import environments
import helm_binaries

HELM: Final = "4.1.4"
CHART = Path(__file__).resolve().parent.parent / "chart"
# Both security modes, and the agent.
FILES: Final = ("default", "capabilities", "metrics-agent")
EVERY: Final = ("DaemonSet", "Deployment", "Pod")
SENSOR: Final = ("DaemonSet",)

# Check: the kinds that may fail it, and why. Pod is the one of `helm test`.
REASONS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "CKV2_K8S_6": (
        ("Pod",),
        "a NetworkPolicy is opt-in (networkPolicy.enabled): the receivers serve the whole cluster",
    ),
    "CKV_K8S_8": (("Pod",), "it runs once and ends"),
    "CKV_K8S_9": (("Pod",), "it runs once and ends"),
    "CKV_K8S_11": (("Deployment", "Pod"), "a CPU limit throttles; memory, which can hurt others, is limited"),
    "CKV_K8S_15": (EVERY, "a version's tag does not move, and a node has to start without the registry"),
    "CKV_K8S_16": (
        SENSOR,
        "securityContext.mode privileged: as the vendor ships it; mode capabilities is the other way",
    ),
    "CKV_K8S_17": (SENSOR, "it attaches to the processes of the whole node"),
    "CKV_K8S_20": (SENSOR, "mode privileged"),
    "CKV_K8S_22": (SENSOR, "mode privileged; read-only in mode capabilities"),
    "CKV_K8S_23": (SENSOR, "eBPF programs are loaded by root"),
    "CKV_K8S_25": (SENSOR, "mode capabilities: a list with a reason for each"),
    "CKV_K8S_28": (SENSOR, "mode privileged"),
    "CKV_K8S_29": (SENSOR, "the pod's context is the user's (podSecurityContext); the container has its own"),
    "CKV_K8S_31": (SENSOR, "the default profiles forbid bpf() and perf_event_open()"),
    "CKV_K8S_35": (SENSOR, "the sensor reads its key from the environment"),
    "CKV_K8S_37": (SENSOR, "mode privileged"),
    "CKV_K8S_38": (("DaemonSet", "Deployment"), "both read pods; without rights the sensor gets no token"),
    "CKV_K8S_39": (SENSOR, "the ci values add SYS_ADMIN, which kernels before 5.8 need"),
    "CKV_K8S_40": (SENSOR, "root, see CKV_K8S_23"),
    "CKV_K8S_43": (EVERY, "image.digest is the user's"),
}


def main() -> int:
    """Render, check, and compare what failed with the reasons."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in FILES:
            (Path(scratch) / f"{name}.yaml").write_text(render(name), encoding="utf-8")
        report = check(Path(scratch))
    failed = {(c["check_id"], c["resource"].partition(".")[0]): c for c in report["results"]["failed_checks"]}
    reasons = {(identity, kind) for identity, (kinds, _) in REASONS.items() for kind in kinds}
    for identity, kind in sorted(failed.keys() - reasons):
        found = failed[identity, kind]
        print(f"chart_policy: {identity} on {found['resource']}: {found['check_name']}; fix it or say why not")
    for identity, kind in sorted(reasons - failed.keys()):
        print(f"chart_policy: {identity} on {kind} is excused and holds: take the excuse away")
    passed = report["summary"]["passed"]
    print(f"chart_policy: {passed} checks hold, {len(failed)} kinds of failures, {len(reasons)} with a reason")
    return int(failed.keys() != reasons or not passed)


def render(name: str) -> str:
    """What Helm makes of one of the chart's ci values."""
    command = [str(helm_binaries.helm(HELM)), "template", "groundcover", str(CHART), "-n", "groundcover"]
    command += ["-f", str(CHART / "ci" / f"{name}-values.yaml")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def check(folder: Path) -> dict[str, Any]:
    """What checkov says about the manifests in a folder, without asking anything outside."""
    command = [str(checkov()), "--framework", "kubernetes", "--directory", str(folder), "--output", "json"]
    command += ["--quiet", "--compact", "--skip-download"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    try:
        report: Any = json.loads(done.stdout)
    except json.JSONDecodeError:
        sys.exit(f"chart_policy: checkov failed: {done.stderr.strip() or done.stdout.strip()}")
    return report if isinstance(report, dict) else dict(report[0])


def checkov() -> Path:
    """The executable, installed when it is not there yet."""
    return environments.environment("checkov", environments.LOCKS / "checkov.txt") / "bin" / "checkov"


if __name__ == "__main__":
    sys.exit(main())
