"""`make audit`: known vulnerabilities of every locked dependency, and mistakes in the workflows.

pip-audit asks a vulnerability service about each version that a lock file names; nothing is resolved or installed.
Another service than PyPI's is asked by pip-audit's own variables, as PIP_AUDIT_VULNERABILITY_SERVICE=osv and
PIP_AUDIT_OSV_URL. zizmor reads the workflows, offline. Both run whatever the other finds; exit 1 where either finds
something, or can't ask.

    python tools/audit.py [--workflows]     with --workflows only the part that needs no network
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import environments

if TYPE_CHECKING:
    from pathlib import Path

ROOT = environments.ROOT
LOCKS = [
    ROOT / "requirements-dev.lock",
    *sorted(environments.LOCKS.glob("*.txt")),
    *sorted(ROOT.glob("tests/*/requirements.txt")),
]


def main(arguments: list[str]) -> int:
    """Ask about everything; 0 or 1."""
    programs = environments.environment("audit", environments.LOCKS / "audit.txt") / "bin"
    failed = [] if arguments == ["--workflows"] else [lock.name for lock in LOCKS if not _audited(programs, lock)]
    workflows = [str(programs / "zizmor"), "--offline", "--no-progress", "--persona=pedantic", ".github/workflows"]
    if subprocess.run(workflows, cwd=ROOT, check=False).returncode:
        failed.append("workflows")
    print(f"audit: {'failed for ' + ', '.join(failed) if failed else 'nothing found'}")
    return int(bool(failed))


def _audited(programs: Path, lock: Path) -> bool:
    print(f"audit: {lock.relative_to(ROOT)}", flush=True)
    # --strict: a package that the service does not know is not one without vulnerabilities.
    command = [str(programs / "pip-audit"), "--strict", "--require-hashes", "--disable-pip", "--progress-spinner=off"]
    return subprocess.run([*command, "--requirement", str(lock)], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
