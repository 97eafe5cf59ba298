"""`make dist`: what a release consists of, in dist/: sdist, wheel, chart, and a bill of materials (CycloneDX).

Everything is built twice and must be the same bytes; times come from SOURCE_DATE_EPOCH, else the last commit.
The wheel is installed into an empty environment, where it has to patch a stream; the bill lists that environment.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path
from typing import Final

import environments
import helm_binaries

ROOT = environments.ROOT
DIST = ROOT / "dist"
HELM: Final = "4.3.1"
STREAM = ROOT / "tests/data/istiod-compact.helm3.yaml"
MARK: Final = b"groundcover-sensor.groundcover.svc.cluster.local"


def main() -> int:
    """Build twice, compare, try, list."""
    programs = environments.environment("dist", environments.LOCKS / "dist.txt") / "bin"
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or _output(["git", "log", "-1", "--format=%ct"]).strip()
    with tempfile.TemporaryDirectory() as scratch:
        first, second = Path(scratch) / "1", Path(scratch) / "2"
        for folder in (first, second):
            build(programs, folder, epoch)
        differ = [path.name for path in first.iterdir() if path.read_bytes() != (second / path.name).read_bytes()]
        if differ:
            print(f"dist: built twice, {', '.join(differ)} differ")
            return 1
        shutil.rmtree(DIST, ignore_errors=True)
        shutil.copytree(first, DIST)
        try_out(programs, next(DIST.glob("*.whl")), Path(scratch) / "empty", epoch)
    for path in sorted(DIST.iterdir()):
        print(f"dist: {path.name}, {path.stat().st_size} bytes")
    return 0


def build(programs: Path, folder: Path, epoch: str) -> None:
    """The sdist, the wheel from it, and the chart."""
    folder.mkdir()
    command = [str(programs / "python"), "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "SOURCE_DATE_EPOCH": epoch})
    package = [str(helm_binaries.helm(HELM)), "package", str(ROOT / "chart"), "--destination", str(folder)]
    subprocess.run(package, check=True, stdout=subprocess.DEVNULL)
    settle(next(folder.glob("groundcover-sensor-*.tgz")), int(epoch))


def settle(package: Path, epoch: int) -> None:
    """Give every file of a chart's package one time: Helm writes the time of packaging."""
    with tarfile.open(package) as tarball:
        members = [(member, tarball.extractfile(member)) for member in tarball.getmembers()]
        files = [(member, file.read() if file else b"") for member, file in members]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tarball:
        for member, content in sorted(
            files, key=lambda each: each[0].name != each[0].name.split("/")[0] + "/Chart.yaml"
        ):
            settled = tarfile.TarInfo(member.name)
            settled.size, settled.mode, settled.mtime = len(content), 0o644, epoch
            tarball.addfile(settled, io.BytesIO(content))
    package.write_bytes(gzip.compress(buffer.getvalue(), mtime=0))


def try_out(programs: Path, wheel: Path, empty: Path, epoch: str) -> None:
    """Install the wheel with nothing but what it needs, run it, and list what is there."""
    venv.create(empty, with_pip=True)
    pip = [str(empty / "bin/python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    lock = environments.LOCKS / "runtime.txt"
    subprocess.run([*pip, "install", *environments.LOCKED, str(lock)], check=True)
    subprocess.run([*pip, "install", "--no-deps", "--no-index", str(wheel)], check=True)
    subprocess.run([*pip, "check"], check=True)
    tool = str(empty / "bin/groundcover-istio")
    patched = subprocess.run([tool], input=STREAM.read_bytes(), check=True, capture_output=True).stdout
    if MARK not in patched:
        message = "the installed wheel does not patch a stream"
        raise RuntimeError(message)
    subprocess.run([*pip, "uninstall", "--yes", "pip", "setuptools"], check=True)
    bill = wheel.with_suffix(".cdx.json")
    command = [str(programs / "cyclonedx-py"), "environment", "--output-reproducible", "--spec-version", "1.6"]
    command += ["--pyproject", str(ROOT / "pyproject.toml"), "--output-file", str(bill), str(empty / "bin/python")]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "SOURCE_DATE_EPOCH": epoch})
    listed = json.loads(bill.read_text())
    # pyproject.toml leaves it to the package.
    listed["metadata"]["component"]["version"] = wheel.name.split("-")[1]
    bill.write_text(json.dumps(listed, indent=2) + "\n")


def _output(command: list[str]) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (subprocess.CalledProcessError, RuntimeError, helm_binaries.UnavailableError) as problem:
        sys.exit(f"dist: {problem}")
