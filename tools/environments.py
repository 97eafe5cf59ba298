"""Environments of hash-locked Python packages, each made once in the user's cache folder.

For what must not meet the development dependencies in .venv: large trees, other versions, few Pythons.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

import helm_binaries

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "tools" / "requirements"
# What pip is told before the name of a lock. A lock names everything, and pip before 23.3 asks for `package[extra]`
# anew, past the locked `package`: the next release of that package would be taken, and refused for want of a hash.
LOCKED = ("--require-hashes", "--no-deps", "--no-build-isolation", "--requirement")
# What builds a package that has no wheel, from there too: without isolation pip takes it as it is installed.
BUILDERS = LOCKS / "sdist.txt"


def environment(name: str, *locks: Path, agree: bool = True) -> Path:
    """The folder of the environment, in which `bin/python` has what the lock files name.

    They are installed one after the other: a later one may take other versions, which have to `agree` with all else
    that is there. Raises CalledProcessError.
    """
    # The place too: what an environment links to may go away.
    python = f"{sys.base_prefix} {sys.version}".encode()
    locks = (BUILDERS, *locks)
    key = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks) + python).hexdigest()[:16]
    folder = helm_binaries.cache_folder().parent / f"{name}-{key}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as alone:
        # Whoever comes second waits, and finds it there.
        fcntl.flock(alone, fcntl.LOCK_EX)
        _make(name, folder, locks, agree=agree)
    return folder


def _make(name: str, folder: Path, locks: tuple[Path, ...], *, agree: bool) -> None:
    if not (folder / ".complete").exists():
        print(f"{name}: installing into {folder}, once", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        for lock in locks:
            subprocess.run([*pip, *LOCKED, str(lock)], check=True)
        checked = [str(folder / "bin/python"), "-m", "pip", "--disable-pip-version-check", "check"]
        if agree:
            subprocess.run(checked, check=True, stdout=sys.stderr)
        (folder / ".complete").touch()


if __name__ == "__main__":
    print(environment(sys.argv[1], LOCKS / f"{sys.argv[1]}.txt"))
