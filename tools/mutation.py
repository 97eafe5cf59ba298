"""`make mutation`: does a test fail when the code is wrong? cosmic-ray changes one thing at a time and runs the tests.

    python tools/mutation.py [--again] [MODULE …]     default: stream edits rules k8syaml serializer

It works on a copy in build/mutation, with the tests that run in this process and fast. For each module it prints how
many of its mutants were killed, how many live for a reason that stands in mutants.toml, and each other one: its place
and what was changed; exit 1 where there is one. What was done of a module is kept, and goes on where it was stopped
until the module's text changes; with --again those that survived are tried once more, as after tests were added.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import environments

ROOT = environments.ROOT
WORK = ROOT / "build" / "mutation"
TREE = WORK / "tree"
EXPLAINED = ROOT / "tools" / "mutants.toml"
MODULES: Final = ("stream", "edits", "rules", "k8syaml", "serializer")
UNIT: Final = ("edits", "stream", "k8syaml", "serializer", "pipeline", "rules", "streams")
# In mutants.toml: the line stands in several, and is the same in each.
ANY_FILE: Final = "*"
# No test of these needs Hypothesis, whose import takes longer than most mutants live.
PYTEST: Final = "{python} -m pytest -x -q -p no:cacheprovider -p no:randomly -p no:hypothesispytest"
# `|` stands in annotations, which are never evaluated; a decorator has no other form here.
CONFIG: Final = """\
[cosmic-ray]
module-path = "plugin/groundcover_istio/{path}"
timeout = 300.0
excluded-modules = []
test-command = "sh -c '{command}'"

[cosmic-ray.distributor]
name = "local"

[cosmic-ray.filters.operators-filter]
exclude-operators = ["core/ReplaceBinaryOperator_BitOr_.*", "core/RemoveDecorator"]
"""


def main(arguments: list[str]) -> int:
    """Each module in turn; 1 where a mutant lives that nothing explains."""
    locks = (ROOT / "requirements-dev.lock", environments.LOCKS / "mutation.txt")
    programs = environments.environment("mutation", *locks) / "bin"
    copy_tree()
    modules = [argument for argument in arguments if argument != "--again"]
    unexplained = [run(programs, module, again="--again" in arguments) for module in modules or MODULES]
    return int(any(unexplained))


def copy_tree() -> None:
    """The files that git knows, as they are now."""
    shutil.rmtree(TREE, ignore_errors=True)
    command = ["git", "ls-files", "-z", "plugin", "schema", "tests", "tools", "pyproject.toml", "docs", "chart"]
    files = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, files.split("\0")):
        (TREE / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, TREE / name)


def run(programs: Path, module: str, *, again: bool) -> int:
    """One module: its mutants, their tests, the figures; how many live unexplained."""
    source = TREE / "plugin/groundcover_istio" / module
    path = module if source.is_dir() else f"{module}.py"
    files = sorted(source.rglob("*.py")) if source.is_dir() else [source.with_suffix(".py")]
    key = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    config, session = WORK / f"{module}.toml", WORK / f"{module}-{key}.sqlite"
    # The module's own tests come first, and alone: most mutants end there, before the others are so much as read.
    own, others = f"tests/unit/test_{module}.py", [f"tests/unit/test_{name}.py" for name in UNIT if name != module]
    pytest = PYTEST.format(python=programs / "python")
    # A mutant that never ends is ended by the limit of 60 s of CPU: a timeout would end the shell alone.
    command = f"ulimit -t 60; {pytest} {own} && {pytest} {' '.join(others)} tests/golden"
    config.write_text(CONFIG.format(path=path, command=command))
    environment = {**os.environ, "PYTHONPATH": str(TREE / "plugin")}
    # Without a mutation the tests have to pass, else every mutant would count as killed. This run also leaves the
    # tests' byte code for all others: cosmic-ray lets none be written, since that of a mutant could pass for the next.
    subprocess.run(["/bin/sh", "-c", command], cwd=TREE, env=environment, check=True)
    commands = []
    if not session.exists():
        commands.append(["cosmic-ray", "init", str(config), str(session)])
        commands.append(["cr-filter-operators", str(session), str(config)])
    elif again:
        with closing(sqlite3.connect(session)) as database, database:
            database.execute("DELETE FROM work_results WHERE test_outcome = 'SURVIVED'")
    for program, *arguments in [*commands, ["cosmic-ray", "exec", str(config), str(session)]]:
        subprocess.run([str(programs / program), *arguments], cwd=TREE, env=environment, check=True)
    dumped = subprocess.run(
        [str(programs / "cosmic-ray"), "dump", str(session)], cwd=TREE, check=True, capture_output=True, text=True
    )
    results = [json.loads(line) for line in dumped.stdout.splitlines()]
    return report(module, [(item["mutations"][0], result) for item, result in results if result["test_outcome"]])


def report(module: str, tested: list[tuple[dict[str, Any], dict[str, Any]]]) -> int:
    """Say what became of a module's mutants; how many live unexplained."""
    reasons = explained()
    alive = [(where, *changed_line(result["diff"])) for where, result in tested if result["test_outcome"] == "survived"]
    unexplained = [
        (where, was, becomes)
        for where, was, becomes in alive
        if not reasons & {(name, was, becomes) for name in (file(where), ANY_FILE)}
    ]
    killed, known = len(tested) - len(alive), len(alive) - len(unexplained)
    print(f"mutation: {module}: {killed} of {len(tested)} killed, {known} explained, {len(unexplained)} alive")
    for where, was, becomes in unexplained:
        print(f"  {where['module_path']}:{where['start_pos'][0]}: {was}  →  {becomes}")
    return len(unexplained)


def file(where: dict[str, Any]) -> str:
    """The file of a mutant, as mutants.toml names it."""
    return Path(where["module_path"]).relative_to("plugin/groundcover_istio").as_posix()


def changed_line(diff: str) -> tuple[str, str]:
    """The first line that a mutant changes, without its indentation, and what it makes of it."""
    lines = [line for line in diff.splitlines() if line[:1] in ("-", "+") and line[:3] not in ("---", "+++")]
    was, becomes = (next((line[1:].strip() for line in lines if line[0] == sign), "") for sign in "-+")
    return was, becomes


def explained() -> set[tuple[str, str, str]]:
    """The mutants that may live: their file or ANY_FILE, the line, and what the line becomes."""
    reasons = tomllib.loads(EXPLAINED.read_text())["reason"]
    return {
        (name, was, becomes)
        for each in reasons
        for name, lines in each["files"].items()
        for was, changed in lines.items()
        for becomes in changed
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
