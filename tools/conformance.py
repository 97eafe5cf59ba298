"""`make conformance`: a real API server, istiod, Envoy and receivers on this machine, without containers.

Builds the parts once into the user's cache folder, then runs tests/conformance in a network
namespace of its own, where all of them end with it. Needs Linux, root, Go, unshare and ip.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

import environments
import helm_binaries

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests" / "conformance"
LOGS = ROOT / "build" / "conformance"
ISTIO_CHARTS: Final = {"base": "base", "istiod": "istio-control/istio-discovery"}
KUBERNETES: Final = "v1.37.2"


class Part(NamedTuple):
    """A binary built from a module in tests/conformance/tools."""

    module: str
    package: str
    flags: str


PARTS: Final = {
    "etcd": Part("etcd", ".", "-s -w"),
    "kube-apiserver": Part(
        "apiserver",
        "k8s.io/kubernetes/cmd/kube-apiserver",
        f"-s -w -X k8s.io/component-base/version.gitVersion={KUBERNETES}"
        " -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=37",
    ),
    "pilot-discovery": Part("istiod", "istio.io/istio/pilot/cmd/pilot-discovery", "-s -w"),
    "istioctl": Part("istioctl", "istio.io/istio/istioctl/cmd/istioctl", "-s -w"),
    "collector": Part("collector", ".", "-s -w"),
    "meshconfig": Part("meshconfig", ".", "-s -w"),
}


def main(arguments: list[str]) -> NoReturn:
    """Build what is missing, then become pytest in the namespace, with `arguments`; exit 1 where it can't."""
    missing = missing_parts()
    if missing:
        sys.exit(f"conformance: {missing}")
    cache = helm_binaries.cache_folder().parent / "conformance"
    rig = {name: str(build(name, part, cache)) for name, part in PARTS.items()}
    python = python_parts()
    rig |= {"envoy": str(next(python.glob("lib/python*/site-packages/envoy/_bin/envoy")))}
    rig |= {"ddapm-test-agent": str(python / "bin/ddapm-test-agent"), "charts": str(istio_charts(cache))}
    rig |= {f"helm{version[0]}": str(helm_binaries.helm(version)) for version in ("3.17.3", "4.3.1")}
    rig["kubectl"] = str(helm_binaries.kubectl())
    run(rig, arguments)


def run(rig: dict[str, str], arguments: list[str]) -> NoReturn:
    """Become pytest in a namespace: whoever ends this process ends the namespace, and all that runs there."""
    # Their logs stay here; what a former run left is gone.
    pytest = [sys.executable, "-m", "pytest", str(TESTS), "-p", "no:cacheprovider", "--basetemp", str(LOGS), *arguments]
    LOGS.parent.mkdir(exist_ok=True)
    command = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", *pytest]
    os.execvpe(command[0], command, {**os.environ, "GROUNDCOVER_ISTIO_RIG": json.dumps(rig)})  # noqa: S606


def missing_parts() -> str:
    """What this machine lacks, and what to do about it; empty if nothing."""
    if sys.platform != "linux":
        return "Linux is needed, for network namespaces"
    if os.geteuid() != 0:
        return "root is needed, for network namespaces: sudo make conformance"
    for program, package in (("go", "golang"), ("unshare", "util-linux"), ("ip", "iproute2"), ("openssl", "openssl")):
        if not shutil.which(program):
            return f"{program} is not on PATH: apt-get install {package}"
    return ""


def build(name: str, part: Part, cache: Path) -> Path:
    """The binary of a part, from the cache or built into it; keyed by its module's files."""
    module = TESTS / "tools" / part.module
    files = b"".join(path.read_bytes() for path in sorted(module.iterdir()))
    key = hashlib.sha256(files + part.flags.encode()).hexdigest()[:16]
    target = cache / f"{name}-{key}" / name
    if target.is_file():
        return target
    print(f"conformance: building {name}, once (minutes)", flush=True)
    start = time.monotonic()
    scratch = target.with_name(f".{name}.{os.getpid()}")
    # Git may refuse to tell of a checkout that is another user's, as in a container.
    command = [
        "go",
        "build",
        "-mod=readonly",
        "-buildvcs=false",
        "-ldflags",
        part.flags,
        "-o",
        str(scratch),
        part.package,
    ]
    subprocess.run(command, cwd=module, check=True)
    scratch.rename(target)
    print(f"conformance: built {name} in {time.monotonic() - start:.0f} s", flush=True)
    return target


def python_parts() -> Path:
    """An environment with Envoy and Datadog's test agent."""
    folder = environments.environment("conformance", TESTS / "requirements.txt")
    next(folder.glob("lib/python*/site-packages/envoy/_bin/envoy")).chmod(0o755)
    return folder


def istio_charts(cache: Path) -> Path:
    """A writable copy of Istio's own charts, of the version that istiod is built from."""
    module = TESTS / "tools" / "istiod"
    command = ["go", "mod", "download", "-json", "istio.io/istio"]
    done = subprocess.run(command, cwd=module, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    version, folder = found["Version"], found["Dir"]
    target = cache / f"charts-{version}"
    if not target.exists():
        scratch = cache / f".charts.{os.getpid()}"
        for name, place in ISTIO_CHARTS.items():
            shutil.copytree(Path(folder) / "manifests/charts" / place, scratch / name, copy_function=shutil.copyfile)
        for path in scratch.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        scratch.rename(target)
    return target


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (subprocess.CalledProcessError, helm_binaries.UnavailableError) as problem:
        sys.exit(f"conformance: {problem}")
