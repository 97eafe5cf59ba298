"""`make test-minimal`: the tests of the engine, with the lowest run-time dependencies that pyproject.toml allows.

They are locked in tools/requirements/minimal.txt and installed over the development dependencies in an environment of
its own; `make test` runs with the newest ones. Options are passed to pytest.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import environments

FOLDERS: Final = ("unit", "golden", "property", "checks", "export", "hostile")


def main(options: list[str]) -> int:
    """Install and run."""
    lock = environments.LOCKS / "minimal.txt"
    # Development dependencies may want newer versions than ours are tried with here.
    made = environments.environment("minimal", environments.ROOT / "requirements-dev.lock", lock, agree=False)
    python = made / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--editable", str(environments.ROOT)], check=True)
    tests = [f"tests/{folder}" for folder in FOLDERS]
    return subprocess.run(
        [str(python), "-m", "pytest", *tests, *options], cwd=environments.ROOT, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
