"""`make test-minimal`: the tests of the engine, with the lowest run-time dependencies that pyproject.toml allows.

They are locked in tools/requirements/minimal.txt and installed over the development dependencies in an environment of
its own; `make test` runs with the newest ones. Options are passed to pytest.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from typing import Final

import environments

FOLDERS: Final = ("unit", "golden", "property", "checks", "export", "hostile")


def main(options: list[str]) -> int:
    """Compare the lock with the ranges, install, run."""
    ranges = tomllib.loads((environments.ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    lowest = {name: version for name, version in (re.split(">=|,", each)[:2] for each in ranges)}
    lock = environments.LOCKS / "minimal.txt"
    locked = dict(re.findall(r"^(\S+)==(\S+)", lock.read_text(), re.MULTILINE))
    for name, version in lowest.items():
        found = locked.get(name.lower(), "")
        if not f"{found}.".startswith(f"{version}."):
            print(f"minimal: pyproject.toml allows {name} {version}, {lock.name} has {found or 'none'}: mend minimal.in")
            return 1
    python = environments.environment("minimal", environments.ROOT / "requirements-dev.lock", lock) / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--editable", str(environments.ROOT)], check=True)
    tests = [f"tests/{folder}" for folder in FOLDERS if (environments.ROOT / "tests" / folder).is_dir()]
    return subprocess.run([str(python), "-m", "pytest", *tests, *options], cwd=environments.ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
