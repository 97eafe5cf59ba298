"""The tool's own commands on the rig's cluster, and what they say."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from . import rig


def doctor(cluster: rig.Cluster) -> tuple[int, list[dict[str, Any]]]:
    """What `groundcover-istio doctor` says of the cluster."""
    path = f"{Path(cluster.parts['kubectl']).parent}:/usr/bin:/bin"
    command = [str(rig.TOOL), "doctor", "--kubeconfig", str(cluster.kubeconfig), "--format", "json"]
    done = subprocess.run(
        command, env={"PATH": path, "HOME": str(cluster.folder)}, capture_output=True, text=True, check=False
    )
    (context,) = json.loads(done.stdout)["contexts"]
    return done.returncode, list(context["items"])


def broken_rules(manifests: str, *options: str) -> list[str]:
    """The rules that check finds broken by manifests."""
    command = [str(rig.TOOL), "check", "--format", "json", *options, "-"]
    done = subprocess.run(command, input=manifests, capture_output=True, text=True, check=False)
    return [each["rule"] for each in json.loads(done.stdout)["findings"]]
