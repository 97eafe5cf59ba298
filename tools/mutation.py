"""`make mutation`: does a test fail when the code is wrong? cosmic-ray changes one thing at a time and runs the tests.

    python tools/mutation.py [MODULE …]     default: stream edits rules k8syaml

It works on a copy in build/mutation, with the tests that run in this process and fast. For each module it prints how
many of its mutants were killed, and each one that survived: its place and what was changed. What was done of a module
is kept, and goes on where it was stopped until the module's text changes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import environments

if TYPE_CHECKING:
    from pathlib import Path

ROOT = environments.ROOT
WORK = ROOT / "build" / "mutation"
TREE = WORK / "tree"
MODULES: Final = ("stream", "edits", "rules", "k8syaml")
UNIT: Final = ("edits", "stream", "k8syaml", "pipeline", "rules", "streams")
TESTS: Final = " ".join([*(f"tests/unit/test_{name}.py" for name in UNIT), "tests/golden"])
# `|` stands in annotations, which are never evaluated; a decorator has no other form here.
CONFIG: Final = """\
[cosmic-ray]
module-path = "plugin/groundcover_istio/{path}"
timeout = 90.0
excluded-modules = []
test-command = "{python} -m pytest -x -q -p no:cacheprovider -p no:randomly {tests}"

[cosmic-ray.distributor]
name = "local"

[cosmic-ray.filters.operators-filter]
exclude-operators = ["core/ReplaceBinaryOperator_BitOr_.*", "core/RemoveDecorator"]
"""


def main(modules: list[str]) -> int:
    """Each module in turn; 0, whatever survives: the score is a figure, not a gate."""
    locks = (ROOT / "requirements-dev.lock", environments.LOCKS / "mutation.txt")
    programs = environments.environment("mutation", *locks) / "bin"
    copy_tree()
    for module in modules or MODULES:
        run(programs, module)
    return 0


def copy_tree() -> None:
    """The files that git knows, as they are now."""
    shutil.rmtree(TREE, ignore_errors=True)
    command = ["git", "ls-files", "-z", "plugin", "schema", "tests", "tools", "pyproject.toml", "docs", "chart"]
    files = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, files.split("\0")):
        (TREE / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, TREE / name)


def run(programs: Path, module: str) -> None:
    """One module: its mutants, their tests, the figures."""
    source = TREE / "plugin/groundcover_istio" / module
    path = module if source.is_dir() else f"{module}.py"
    files = sorted(source.rglob("*.py")) if source.is_dir() else [source.with_suffix(".py")]
    key = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    config, session = WORK / f"{module}.toml", WORK / f"{module}-{key}.sqlite"
    config.write_text(CONFIG.format(path=path, python=programs / "python", tests=TESTS))
    environment = {**os.environ, "PYTHONPATH": str(TREE / "plugin"), "PYTHONDONTWRITEBYTECODE": "1"}
    # `baseline`: without a mutation the tests have to pass, else every mutant would count as killed.
    commands = [["cosmic-ray", "baseline", str(config)]]
    if not session.exists():
        commands.append(["cosmic-ray", "init", str(config), str(session)])
        commands.append(["cr-filter-operators", str(session), str(config)])
    for program, *arguments in [*commands, ["cosmic-ray", "exec", str(config), str(session)]]:
        subprocess.run([str(programs / program), *arguments], cwd=TREE, env=environment, check=True)
    dumped = subprocess.run(
        [str(programs / "cosmic-ray"), "dump", str(session)], cwd=TREE, check=True, capture_output=True, text=True
    )
    results = [json.loads(line) for line in dumped.stdout.splitlines()]
    tested = [(item["mutations"][0], result["test_outcome"]) for item, result in results if result["test_outcome"]]
    alive = [where for where, outcome in tested if outcome == "survived"]
    print(f"mutation: {module}: {len(tested) - len(alive)} of {len(tested)} killed")
    for where in alive:
        line, column = where["start_pos"]
        print(f"  {where['module_path']}:{line}:{column} {where['operator_name']} {where['occurrence']}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
