"""What is installed and run for us is pinned by hash, and the lists of it agree."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest
import yaml

import environments

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*environments.LOCKS.glob("*.in"), *ROOT.glob("tests/*/requirements.in")])
LOCKS = [ROOT / "requirements-dev.lock", *(source.with_suffix(".txt") for source in SOURCES)]
INSTALLERS = [
    place
    for place in (ROOT / "Makefile", *sorted((ROOT / "tools").glob("*.py")))
    if "--require-hashes" in place.read_text() and "pip-audit" not in place.read_text()
]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yaml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RANGES = PROJECT["project"]["dependencies"]


def requirements(path: Path) -> list[str]:
    """The lines of a requirements file that ask for something."""
    return [line for line in path.read_text().splitlines() if line and line[0] not in "# "]


@pytest.mark.parametrize("lock", LOCKS, ids=[str(lock.relative_to(ROOT)) for lock in LOCKS])
def test_every_locked_package_has_a_version_and_hashes(lock: Path) -> None:
    """Pip then refuses whatever else it is given."""
    blocks = re.split(r"\n(?=\S)", lock.read_text())
    packages = [block for block in blocks if not block.startswith("#")]
    assert packages
    for package in packages:
        assert re.match(r"[a-z0-9][a-z0-9._-]*==\S+( ; [^\n]+)? \\\n    --hash=sha256:[0-9a-f]{64}", package), package


@pytest.mark.parametrize("place", INSTALLERS, ids=[str(place.relative_to(ROOT)) for place in INSTALLERS])
def test_what_installs_a_lock_takes_it_as_the_whole_list(place: Path) -> None:
    """Pip before 23.3 asks for `coverage[toml]` past the locked `coverage`, and fails on the day of its next release."""
    lines = [line for line in place.read_text().splitlines() if "--require-hashes" in line]
    assert all("--no-deps" in line for line in lines), lines


@pytest.mark.parametrize("source", SOURCES, ids=[str(source.relative_to(ROOT)) for source in SOURCES])
def test_every_package_that_is_asked_for_is_locked(source: Path) -> None:
    """`make lock` was run."""
    names = {re.split(r"[=<>\[]", line)[0].lower() for line in requirements(source)}
    assert names <= {line.split("==")[0] for line in requirements(source.with_suffix(".txt"))}


def test_a_release_lists_the_run_time_dependencies() -> None:
    """tools/requirements/runtime.in names the ranges of pyproject.toml."""
    assert requirements(environments.LOCKS / "runtime.in") == RANGES


def test_one_build_backend() -> None:
    """What builds the package is asked for in one range: for users, for a checkout and for a release."""
    (backend,) = PROJECT["build-system"]["requires"]
    assert backend in PROJECT["dependency-groups"]["dev"]
    assert backend in requirements(environments.LOCKS / "dist.in")


def test_what_a_source_distribution_holds(tmp_path: Path) -> None:
    """What the wheel is built from, and the documents: nothing of the chart and of the tests."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (made,) = tmp_path.iterdir()
    with tarfile.open(made) as sdist:
        paths = [Path(*Path(name).parts[1:]) for name in sdist.getnames()]
    assert {path.parts[0] for path in paths} == {
        ".gitignore", "CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "completions", "docs", "plugin", "pyproject.toml", "schema",
    }  # fmt: skip
    assert {path.parts[1] for path in paths if path.parts[0] == "plugin"} == {"groundcover_istio"}


def test_what_the_package_says_of_itself() -> None:
    """It names the Pythons that it is tested on; its description on PyPI has no link that leads nowhere there."""
    tested = re.search(r"python: \[(.+)\]", (ROOT / ".github/workflows/ci.yaml").read_text())
    assert tested
    said = [each.rpartition(" ")[2] for each in PROJECT["project"]["classifiers"] if ":: Python :: 3." in each]
    assert said == re.findall(r"[\d.]+", tested[1])
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / PROJECT["project"]["readme"]).read_text())
    assert all(link.startswith("https://") for link in links), links


def test_the_lowest_run_time_dependencies_are_tested() -> None:
    """`make test-minimal` runs with the floor of each range, whose other end `make test` has."""
    floors = {name.lower(): version for name, version in (re.split(r">=|,", each)[:2] for each in RANGES)}
    locked = dict(line.removesuffix(" \\").split("==") for line in requirements(environments.LOCKS / "minimal.txt"))
    found = {name: locked[name] for name in floors}
    assert all(f"{found[name]}.".startswith(f"{floor}.") for name, floor in floors.items()), found


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=[workflow.name for workflow in WORKFLOWS])
def test_actions_are_pinned_and_rights_are_given_by_job(workflow: Path) -> None:
    """By commit, since a tag can be moved; a workflow as a whole may read at most."""
    text = workflow.read_text()
    used = re.findall(r"uses: (.+)", text)
    assert used
    # A workflow of this repository is called at the same commit.
    for action in (each for each in used if not each.startswith("./")):
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v[\d.]+", action), action
    assert re.search(r"^permissions:(?: \{\}|\n  contents: read)\n", text, re.MULTILINE)


def test_a_release_passes_all_that_ci_runs() -> None:
    """On every Python; and what it publishes is built after that."""
    release = yaml.safe_load((ROOT / ".github/workflows/release.yaml").read_text())["jobs"]
    assert "workflow_call" in yaml.safe_load((ROOT / ".github/workflows/ci.yaml").read_text())["on"]
    assert release["ci"]["uses"] == "./.github/workflows/ci.yaml"
    before: dict[str, set[str]] = {}
    for name, job in release.items():
        needs = {job["needs"]} if isinstance(job.get("needs"), str) else set(job.get("needs", ()))
        before[name] = needs.union(*(before[each] for each in needs))
    assert all("ci" in before[name] for name in ("build", "attest", "pypi", "chart", "github"))
