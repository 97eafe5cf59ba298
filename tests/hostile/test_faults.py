"""Faults of what is around a run: streams, disks, signals, environment, a PyYAML without C. Nothing is lost, or half-written.

A kubectl that is missing, hangs, fails or lies: `tests/doctor/test_doctor.py`. A reader that goes away:
`tests/unit/test_cli.py`, `test_nobody_reads_on`.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from groundcover_istio import libyaml

from .conftest import beside, istiod, unmeasured

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).resolve().parents[1] / "golden/cases"
TOOL = [sys.executable, "-m", "groundcover_istio"]
ISTIOD = beside("kind: Pod\nmetadata: {name: é}\n".encode())
BROKEN = istiod(mesh=b"a: b: c\n").before
VALUES = b"# mine\nmeshConfig:\n  enableTracing: true\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with manifests, a broken one, a values file and a report of before."""
    (tmp_path / "manifests.yaml").write_bytes(ISTIOD.before)
    (tmp_path / "broken.yaml").write_bytes(BROKEN)
    (tmp_path / "values.yaml").write_bytes(VALUES)
    (tmp_path / "report.txt").write_bytes(b"old\n")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """A command line of a shell, `tool` in it being ours."""
    program = " ".join(f"'{part}'" for part in TOOL)
    return subprocess.run(["sh", "-c", line.replace("tool", program, 1)], cwd=folder, capture_output=True, check=False)


# --- standard streams ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        pytest.param("tool <&-", 2, "no manifests on standard input", id="standard input closed"),
        pytest.param("tool 0>/dev/null", 2, "standard input: can't be read: Bad file descriptor", id="standard input that is for writing"),
        pytest.param("tool <manifests.yaml >&-", 2, "standard output: is closed", id="standard output closed"),
        pytest.param("tool render --error-channel document broken.yaml >&-", 3, "not valid YAML", id="standard output closed, under Helm 4"),
        pytest.param("tool <manifests.yaml >/dev/full", 2, "standard output: can't be written: No space left on device", id="standard output full"),
        pytest.param("tool --error-channel document <manifests.yaml >/dev/full", 2, "standard output: can't be written", id="standard output full, under Helm 4"),
        pytest.param("tool diff manifests.yaml >/dev/full", 2, "standard output: can't be written", id="diff"),
        pytest.param("tool check manifests.yaml >/dev/full --format json", 2, "standard output: can't be written", id="check"),
        pytest.param("tool export istiod-values >/dev/full", 2, "standard output: can't be written", id="export"),
        pytest.param("tool rule GCI001 >/dev/full", 2, "standard output: can't be written", id="rule"),
        pytest.param("tool --help >/dev/full", 2, "standard output: can't be written: No space left on device", id="help"),
        pytest.param("tool check --help >&-", 2, "standard output: is closed", id="help of a command, standard output closed"),
        pytest.param("tool install-plugin --help >/dev/full", 2, "standard output: can't be written", id="help of install-plugin"),
        pytest.param("tool --help-settings >/dev/full", 2, "standard output: can't be written", id="help of settings"),
        pytest.param("tool --version >/dev/full", 2, "standard output: can't be written", id="version"),
        pytest.param("tool render --report - manifests.yaml 2>&-", 2, "", id="a report on a standard error that is closed"),
        pytest.param("tool render --report - manifests.yaml 2>/dev/full", 2, "", id="a report on a standard error that is full"),
        pytest.param("tool render --report /dev/full manifests.yaml", 2, "/dev/full: can't be written: No space left on device", id="a report on a device that is full"),
        pytest.param("tool render --report /proc/report manifests.yaml", 2, "/proc/report: can't be written", id="a report on a file system that takes none"),
        pytest.param("tool broken.yaml 2>&-", 2, "", id="an error on a standard error that is closed"),
        pytest.param("tool render broken.yaml 2>/dev/full", 3, "", id="an error on a standard error that is full"),
    ],
)  # fmt: skip
def test_a_stream_that_fails(line: str, code: int, message: str, folder: Path) -> None:
    """One message, the documented exit code, no output, and every file as it was."""
    before = contents(folder)
    done = shell(line, folder)
    err = done.stderr.decode()
    assert (done.returncode, done.stdout) == (code, b"")
    assert message in err
    assert err.count("error:") == bool(message)
    assert "Traceback" not in err
    assert "Exception" not in err
    assert contents(folder) == before


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_a_standard_error_that_fails_does_not_matter(redirection: str, folder: Path) -> None:
    """To a run that has nothing to say, or has said it on standard output."""
    done = shell(f"tool <manifests.yaml {redirection}", folder)
    assert (done.returncode, done.stdout) == (0, ISTIOD.after)
    done = shell(f"tool check broken.yaml {redirection}", folder)
    assert (done.returncode, b"GCI001" in done.stdout) == (1, True)


def unread(pipe: int) -> int:
    """How many bytes wait in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


PIPE = 65536
# A stream that is longer than a pipe holds.
LONG = ISTIOD.before + b"---\nkind: ConfigMap\ndata: {x: " + b"x" * 300_000 + b"}\n"


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["", "PYTHONUNBUFFERED"])
@pytest.mark.parametrize("blocking", [True, False], ids=["", "O_NONBLOCK"])
def test_a_reader_that_takes_its_time(*, blocking: bool, unbuffered: str) -> None:
    """Gets all of it, also where one write can take but a part: without a buffer Python says so and goes on."""
    ours, theirs = os.pipe()
    os.set_blocking(theirs, blocking)
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen(TOOL, stdin=subprocess.PIPE, stdout=theirs, env=environment) as process:
        os.close(theirs)
        assert process.stdin is not None
        process.stdin.write(LONG)
        process.stdin.close()
        while unread(ours) < PIPE:
            time.sleep(0.01)
        # Stopped and woken up in the midst of a write, a process is told how much was taken.
        process.send_signal(signal.SIGSTOP)
        process.send_signal(signal.SIGCONT)
        with os.fdopen(ours, "rb") as reader:
            out = reader.read()
    assert process.returncode == 0
    assert out == ISTIOD.after + LONG.removeprefix(ISTIOD.before)


@pytest.mark.parametrize("blocking", [True, False], ids=["", "O_NONBLOCK"])
def test_a_writer_that_takes_its_time(*, blocking: bool) -> None:
    """Is waited for to the end, also where nothing is there yet."""
    theirs, ours = os.pipe()
    os.set_blocking(theirs, blocking)
    with subprocess.Popen(TOOL, stdin=theirs, stdout=subprocess.PIPE) as process:
        os.close(theirs)
        with os.fdopen(ours, "wb", 0) as writer:
            writer.write(ISTIOD.before[:100])
            while unread(writer.fileno()):
                time.sleep(0.01)
            time.sleep(0.2)  # It has come back for more.
            writer.write(ISTIOD.before[100:])
        out, _ = process.communicate()
    assert (process.returncode, out) == (0, ISTIOD.after)


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["", "PYTHONUNBUFFERED"])
def test_a_disk_that_is_full_in_the_midst(unbuffered: str, folder: Path) -> None:
    """What fitted stands in the file behind standard output, as with every program; the exit code says that it is not all."""
    limit = len(ISTIOD.after) // 2
    environment = unmeasured(PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED=unbuffered)
    with (folder / "manifests.yaml").open("rb") as manifests, (folder / "out").open("wb") as out:
        done = subprocess.run(
            TOOL,
            stdin=manifests,
            stdout=out,
            stderr=subprocess.PIPE,
            env=environment,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )
    assert done.returncode == 2
    assert b"standard output: can't be written: File too large" in done.stderr
    assert (folder / "out").read_bytes() == ISTIOD.after[:limit]


# --- disks -----------------------------------------------------------------------------------------------------------

WRITING = {
    "--report over a file": ["render", "--report", "report.txt", "manifests.yaml"],
    "--report as a new file": ["render", "--report", "new.txt", "manifests.yaml"],
    "--into": ["export", "istiod-values", "--into", "values.yaml"],
}


@pytest.mark.parametrize("arguments", WRITING.values(), ids=WRITING)
def test_a_full_disk(arguments: list[str], folder: Path) -> None:
    """What does not fit is not written at all: the old file is there, nothing else is, and no manifests are."""

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))

    # Byte code would be a file too.
    environment = unmeasured(PYTHONDONTWRITEBYTECODE="1")
    before = contents(folder)
    done = subprocess.run(
        [*TOOL, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
        preexec_fn=full,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"can't be written: File too large" in done.stderr
    assert contents(folder) == before


# Root may write anywhere, so it goes on as nobody once all is imported that nobody may not read.
AS_NOBODY = """
import importlib, os, pkgutil, sys
import groundcover_istio
for module in pkgutil.walk_packages(groundcover_istio.__path__, "groundcover_istio."):
    importlib.import_module(module.name)
import encodings.utf_8_sig  # looked up by name
from groundcover_istio.cli import main
if os.geteuid() == 0:
    os.seteuid(65534)
raise SystemExit(main())
"""


@pytest.mark.parametrize("arguments", WRITING.values(), ids=WRITING)
def test_a_folder_that_cant_be_written_to(arguments: list[str]) -> None:
    """The same: as it was, and said why."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in (("manifests.yaml", ISTIOD.before), ("values.yaml", VALUES), ("report.txt", b"old\n")):
            (folder / file).write_bytes(text)
            (folder / file).chmod(0o644)  # whatever the umask
        folder.chmod(0o555)
        before = contents(folder)
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, *arguments],
            cwd=folder,
            env=unmeasured(),
            capture_output=True,
            check=False,
        )
        folder.chmod(0o755)
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"can't be written: Permission denied" in done.stderr
        assert contents(folder) == before


def test_a_file_of_somebody_else_where_the_new_one_is_put_together(folder: Path) -> None:
    """Process ids come again in containers: it is left alone, and the message names what can't be written."""
    line = "sh -c 'echo precious >report.txt.$$.tmp; exec \"$@\"' - "
    done = shell(f"{line} tool render --report report.txt manifests.yaml", folder)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"report.txt: can't be written: File exists" in done.stderr
    assert (folder / "report.txt").read_bytes() == b"old\n"
    assert [path.read_bytes() for path in folder.glob("*.tmp")] == [b"precious\n"]


def as_nobody(folder: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run of somebody who may read little, by relative names: what is above may be nobody else's."""
    command = [sys.executable, "-c", AS_NOBODY, *arguments]
    return subprocess.run(command, cwd=folder, env=unmeasured(), capture_output=True, text=True, check=False)


@pytest.mark.parametrize("mode", [0o000, 0o444], ids=["not listed", "not entered"])
def test_a_folder_that_cant_be_read(mode: int) -> None:
    """Is named, or what is in it; the rest is checked all the same, and it can be left out."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        inner = folder / "inner"
        (inner / "below").mkdir(parents=True)
        for file in (inner / "x.yaml", folder / "broken.yaml", inner / "notes.txt"):
            file.write_bytes(BROKEN)
            file.chmod(0o644)
        inner.chmod(mode)
        (folder / "link").symlink_to("inner/below")
        done = as_nobody(name, "check", ".")
        without = as_nobody(name, "check", ".", "--exclude", "inner", "--exclude", "link")
        # A pattern for folders asks of what kind it is that it matches.
        partly = as_nobody(name, "check", ".", "--exclude", "below/", "--exclude", "x.yaml/")
        inner.chmod(0o755)
    unread = re.findall(r"(?m)^(\S+):1:1: error: can't be read: Permission denied \[GCI000 unreadable\]$", done.stdout)
    assert unread == (["inner/below", "inner/x.yaml", "link"] if mode else ["inner", "link"])
    assert "broken.yaml:9:5: error" in done.stdout
    assert "fix: make it readable, or leave it out: --exclude GLOB" in done.stdout
    assert (done.returncode, without.returncode, partly.returncode) == (3, 1, 3)
    assert "a mistake in" not in done.stderr + partly.stderr


@pytest.mark.parametrize("name", ["locked/x.yaml", "x" * 300], ids=["in a folder that can't be entered", "too long"])
def test_a_name_that_cant_be_looked_up(name: str) -> None:
    """Whether it is a folder can't be told either: it is named, and the other inputs are checked."""
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top)
        folder.chmod(0o755)
        (folder / "locked").mkdir(0)
        (folder / "broken.yaml").write_bytes(BROKEN)
        (folder / "broken.yaml").chmod(0o644)
        check = as_nobody(top, "check", name, "broken.yaml")
        dumps = as_nobody(top, "doctor", "--from", name)
        cluster = as_nobody(top, "doctor", "--kubeconfig", name, "--kubectl", "true")
        (folder / "locked").chmod(0o755)
    why = "File name too long" if len(name) > 255 else "Permission denied"
    assert check.returncode == 3
    assert f"{name}:1:1: error: can't be read: {why} [GCI000 unreadable]\n" in check.stdout
    assert "broken.yaml:9:5: error" in check.stdout
    assert (dumps.returncode, dumps.stdout) == (2, "")
    assert f"groundcover-istio: error: {name}: can't be read: {why}\n" in dumps.stderr
    assert (cluster.returncode, cluster.stdout) == (2, "")
    assert cluster.stderr == f"groundcover-istio: error: --kubeconfig: {name} can't be read: {why}\n"


# --- signals ---------------------------------------------------------------------------------------------------------

# Runs a command line again and again, each time in a process forked for it, with a signal at another call that it makes.
AT_EVERY_CALL = """
import json, os, pathlib, signal, sys
from groundcover_istio import __main__, cli
points, folder, arguments = int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
files = {path.name: path.read_bytes() for path in folder.iterdir()}
leave = os._exit
if arguments:
    from groundcover_istio.commands import export, render
else:
    for name in [name for name in sys.modules if name.partition(".")[0] == "re"]:
        del sys.modules[name]  # as when Helm starts it

def end(code):
    raise SystemExit(code)  # how a run leaves, which is not yet the end of this one

def run(at, number=0):
    for path in folder.iterdir():
        path.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    out, err, count = (folder.with_name(name) for name in ("out", "err", "count"))
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        for name, descriptor in ((out, 1), (err, 2)):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
        os.dup2(os.open("manifests.yaml", os.O_RDONLY), 0)
        calls, compiling = 0, [0, 0]
        def hook(frame, event, argument):
            nonlocal calls
            calls += 1
            if frame.f_code.co_name == "_compiler":  # of patterns: what `re` consists of is imported
                compiling[event == "return"] = calls
            if calls == at:
                os.kill(os.getpid(), number)
        sys.argv[1:] = arguments
        code = 0
        os._exit = leave if at else end
        sys.setprofile(hook)
        try:
            __main__.start()
        except SystemExit as ending:
            sys.setprofile(None)
            code = ending.code
        count.write_text(json.dumps([calls, *compiling]))
        sys.stdout.flush()
        leave(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    after = {path.name: path.read_bytes().decode() for path in folder.iterdir()}
    calls = json.loads(count.read_text()) if count.exists() else []
    return {"signal": number, "code": code, "out": out.read_bytes().decode(), "err": err.read_text(), "files": after, "calls": calls}

undisturbed = run(0)
calls, begun, done = undisturbed["calls"]
# As many points as asked for, as many while `re` is imported, and each of the last ones, where it writes.
at = {1 + calls * point // points for point in range(points)}
at |= {begun + (done - begun) * point // points for point in range(points)} | set(range(calls - 40, calls))
at = sorted(at - {0})
signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
disturbed = [run(each, int(signals[index % 3])) for index, each in enumerate(at)]
json.dump({"undisturbed": undisturbed, "disturbed": disturbed}, sys.stdout)
"""
INTERRUPTED = "groundcover-istio: error: interrupted\n"


@pytest.mark.parametrize(
    "arguments", [[], WRITING["--report over a file"], WRITING["--into"]], ids=["as Helm starts it", "render", "export"]
)
def test_a_signal_at_any_point(arguments: list[str], folder: Path, tmp_path: Path) -> None:
    """Standard output is whole or empty, each file is the old or the new one, no other is left, and the code tells."""
    work = tmp_path / "work"
    work.mkdir()
    for path in folder.glob("*.*"):
        path.rename(work / path.name)
    before = {name: data.decode() for name, data in contents(work).items()}
    command = [sys.executable, "-c", AT_EVERY_CALL, "24", str(work), *arguments]
    done = subprocess.run(command, capture_output=True, check=True, env=unmeasured())
    found = json.loads(done.stdout)
    after = found["undisturbed"]
    assert after["code"] == 0
    assert (after["out"], after["files"]) != ("", before)
    assert len(found["disturbed"]) > (60 if arguments else 80)
    # One that makes fewer calls than the undisturbed one may be over before its signal.
    over = [run for run in found["disturbed"] if run["code"] == 0]
    assert len(over) <= 3
    assert [(run["out"], run["files"]) for run in over] == [(after["out"], after["files"])] * len(over)
    for run in found["disturbed"]:
        if run in over:
            continue
        assert run["code"] in (128 + run["signal"], -run["signal"])
        assert run["out"] in ("", after["out"])
        assert run["files"] in (before, after["files"])
        assert run["err"].removeprefix(after["err"]) in ("", INTERRUPTED)
    assert {run["code"] for run in found["disturbed"]} >= {129, 130, 143}


def started(folder: Path) -> subprocess.Popen[bytes]:
    """A post-renderer that waits for its input."""
    pipe = subprocess.PIPE
    return subprocess.Popen([*TOOL], stdin=pipe, stdout=pipe, stderr=pipe, cwd=folder, env=unmeasured())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_while_it_starts(number: signal.Signals, folder: Path) -> None:
    """The same for the interpreter's start and the imports."""
    codes = set()
    for milliseconds in range(2, 60, 8):
        run = started(folder)
        time.sleep(milliseconds / 1000)
        run.send_signal(number)
        out, err = run.communicate(ISTIOD.before)
        if run.returncode == 0:
            # Before we are there Python itself may drop Ctrl-C, in a callback or looking for a zip file: all is done then.
            assert (number, out) == (signal.SIGINT, ISTIOD.after)
            assert b"KeyboardInterrupt" in err or err.startswith(
                b"Failed checking if argv[0] is an import path entry\n"
            )
            continue
        codes.add(run.returncode)
        assert out in (b"", ISTIOD.after)
    # 1: Python's own way out of Ctrl-C while it is not even up.
    assert codes <= {128 + number, -number, 1 if number == signal.SIGINT else 128 + number}


def test_a_signal_while_nobody_reads_yet(folder: Path) -> None:
    """What is larger than a pipe holds comes whole: the signal waits for the reader."""
    large = beside(b"kind: Pod\nx: " + b"y" * 1_000_000 + b"\n")
    run = started(folder)
    assert run.stdin
    assert run.stdout
    run.stdin.write(large.before)
    run.stdin.close()
    first = run.stdout.read(1)
    run.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    assert first + run.stdout.read() == large.after
    run.stdout.close()
    assert run.stderr
    run.stderr.close()
    assert run.wait() == 128 + signal.SIGTERM


def test_a_signal_that_the_process_was_started_to_ignore(folder: Path) -> None:
    """As `nohup` does."""
    line = f"trap '' HUP INT; exec {sys.executable} -c '{AT_ONCE}' render manifests.yaml"
    done = subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, ISTIOD.after, b"")


AT_ONCE = """
import os, signal
from groundcover_istio import __main__, cli
run = cli.main
def main(**console):
    os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGINT)
    return run(**console)
cli.main = main
__main__.start()
"""


def test_a_signal_at_a_terminal_before_helm_is_told() -> None:
    """The document for Helm 4 is YAML, whatever the terminal gets."""
    terminal, end = pty.openpty()
    command = [*TOOL, "render", "--error-channel", "document"]
    run = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=end, env=unmeasured())
    while b" 1 s" not in os.read(terminal, 4096):
        pass
    run.send_signal(signal.SIGTERM)
    out, _ = run.communicate()
    os.close(end)
    os.close(terminal)
    assert (run.returncode, out.decode()) == (0, f"|-\n  {INTERRUPTED}")


IN_A_CALLBACK = """
import os, signal, weakref
from groundcover_istio import __main__, console
class Thing: pass
read = console.Console.read
def disturbed(*arguments):
    thing = Thing()
    reference = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGTERM))
    del thing
    return read(*arguments)
console.Console.read = disturbed
__main__.start()
"""


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        pytest.param(["render"], 143, "", INTERRUPTED, id="said on standard error"),
        pytest.param(["--error-channel", "document"], 0, f"|-\n  {INTERRUPTED}", "", id="said to Helm 4"),
    ],
)
def test_a_signal_where_python_drops_exceptions(
    arguments: list[str], code: int, out: str, err: str, folder: Path
) -> None:
    """As in a callback of the import machinery: it ends all the same."""
    command = [sys.executable, "-c", IN_A_CALLBACK, *arguments]
    done = subprocess.run(command, input=ISTIOD.before, cwd=folder, capture_output=True, check=False)
    assert (done.returncode, done.stdout.decode(), done.stderr.decode()) == (code, out, err)


def test_a_signal_while_helm_hangs(tmp_path: Path) -> None:
    """It ends at once, and leaves no Helm behind."""
    helm = tmp_path / "helm"
    helm.write_text(f"#!/bin/sh\necho $$ >> {tmp_path}/pids\nexec sleep 60\n")
    helm.chmod(0o755)
    require_end_of_all(["install-plugin", "--helm", str(helm), "--directory", str(tmp_path)], tmp_path / "pids")


BETWEEN_TWO_MOVES = """
import os, pathlib, signal, sys
from groundcover_istio import __main__
rename = pathlib.Path.rename
def move(path, target):
    os.kill(os.getpid(), signal.SIGTERM)
    return rename(path, target)
pathlib.Path.rename = move
__main__.start()
"""


def test_a_signal_while_the_plugin_is_replaced(tmp_path: Path) -> None:
    """There is always one, whole."""
    helm, folder = tmp_path / "helm", tmp_path / "plugins"
    helm.write_text('#!/bin/sh\n[ "$1" = version ] && echo v4.1.0\n')
    helm.chmod(0o755)
    arguments = ["install-plugin", "--helm", str(helm), "--directory", str(folder)]
    subprocess.run([*TOOL, *arguments], capture_output=True, check=True)
    plugin = folder / "groundcover-istio"
    (plugin / "bin/run").write_text("old\n")
    command = [sys.executable, "-c", BETWEEN_TWO_MOVES, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (143, "", INTERRUPTED)
    assert (plugin / "bin/run").read_text().startswith("#!/bin/sh\n")
    assert [path.name for path in folder.iterdir()] == ["groundcover-istio"]


@pytest.mark.parametrize(
    ("contexts", "further"),
    [
        pytest.param("", [], id="one context"),
        pytest.param("", ["--all-contexts"], id="asked for its contexts"),
        pytest.param('[ "$1" = config ] && exec echo "one\ntwo"', ["--all-contexts"], id="two contexts"),
    ],
)
def test_a_signal_while_kubectl_hangs(contexts: str, further: list[str], tmp_path: Path) -> None:
    """It ends at once, and leaves no kubectl behind."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f"#!/bin/sh\n{contexts}\necho $$ >> {tmp_path}/pids\nexec sleep 60\n")
    kubectl.chmod(0o755)
    require_end_of_all(["doctor", "--kubectl", str(kubectl), "--timeout", "20", *further], tmp_path / "pids")


def require_end_of_all(arguments: list[str], pids: Path) -> None:
    """A signal ends a command line at once, and whatever it started, which says so in the file `pids`."""
    run = subprocess.Popen([*TOOL, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=unmeasured())
    while not (pids.exists() and pids.read_text().endswith("\n")):
        time.sleep(0.02)
    run.send_signal(signal.SIGTERM)
    out, err = run.communicate(timeout=10)
    assert (run.returncode, out, err.decode()) == (128 + signal.SIGTERM, b"", INTERRUPTED)
    started = [Path(f"/proc/{pid}") for pid in pids.read_text().split()]
    deadline = time.monotonic() + 10
    while any(process.exists() for process in started) and time.monotonic() < deadline:
        time.sleep(0.02)  # whoever is killed is there until its parent, or its parent's, has taken note
    assert not [process for process in started if process.exists()]


def test_a_signal_while_a_report_goes_into_a_pipe(folder: Path) -> None:
    """It comes whole, as into a file."""
    os.mkfifo(folder / "pipe")
    one = istiod().before
    large = b"".join(one.replace(b"name: istio\n", f"name: istio-{number}\n".encode()) for number in range(800))
    run = subprocess.Popen(
        [*TOOL, "render", "--report", "pipe"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd=folder,
        env=unmeasured(),
    )
    assert run.stdin
    run.stdin.write(large)
    run.stdin.close()
    with (folder / "pipe").open("rb") as pipe:
        first = pipe.read(1)
        run.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        report = first + pipe.read()
    assert run.wait() == 128 + signal.SIGTERM
    assert len(report) > 1 << 16
    assert report.endswith(b"\n")


# --- environment -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"HOME": None}, id="no HOME"),
        pytest.param({"LANG": None, "LC_ALL": None, "LC_CTYPE": None}, id="no locale"),
        pytest.param({"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, id="an ASCII locale"),
        pytest.param({"PYTHONIOENCODING": "ascii:strict"}, id="streams in ASCII"),
        pytest.param({"PYTHONDONTWRITEBYTECODE": "1"}, id="no byte code"),
        pytest.param({"PATH": "/nowhere"}, id="nothing on PATH"),
        pytest.param({"TMPDIR": "/nowhere"}, id="no folder for temporary files"),
    ],
)
def test_an_unusual_environment(
    changes: dict[str, str | None], folder: Path, tool: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Makes no difference to a result or an exit code."""
    monkeypatch.chdir(folder)
    environment: dict[str, Any] = {**os.environ, **changes}
    environment = {key: value for key, value in environment.items() if value is not None}
    (folder / "é.yaml").write_bytes(BROKEN)
    for arguments in (["render", "--report", "-", "manifests.yaml"], ["check", "é.yaml"]):
        plain = tool(*arguments)
        done = subprocess.run([*TOOL, *arguments], cwd=folder, env=environment, capture_output=True, check=False)
        assert (done.returncode, done.stdout) == (plain.code, plain.out)
        assert b"Traceback" not in done.stderr
        assert done.stderr.isascii() or done.stderr.decode() == plain.err


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_a_file_name_that_is_no_text(form: str, folder: Path, tool: Callable[..., Any]) -> None:
    """Bytes that are no UTF-8 stand in a message as they are; in JSON escaped."""
    name = os.fsdecode(b"caf\xe9.yaml")
    (folder / "broken.yaml").rename(folder / name)
    code, out, err = tool("check", str(folder / name), "--format", form)
    assert code == 1
    assert b"caf" in out
    assert "a mistake in" not in err


def test_folders_that_lead_nowhere(folder: Path, tool: Callable[..., Any]) -> None:
    """Links in a circle and pipes are not followed, and no file is read twice."""
    inner = folder / "inner"
    inner.mkdir()
    for name in ("up", "again"):
        (inner / name).symlink_to(folder)
    (inner / "link.yaml").symlink_to(folder / "broken.yaml")
    os.mkfifo(inner / "pipe.yaml")
    _, out, err = tool("check", str(folder), "--format", "json")
    files = {finding["file"] for finding in json.loads(out)["findings"]}
    # An object stands in several inputs, and that is all there is to say.
    assert re.fullmatch(r"groundcover-istio: note: ConfigMap istio-system/istio is in 2 inputs \([^)]+\)[^\n]+\n", err)
    assert str(folder / "broken.yaml") in files
    assert not [file for file in files if str(inner) in file]


def test_a_folder_with_what_is_no_file(folder: Path, tool: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Devices without an end, terminals, sockets and pipes are passed over, by their own names and by links."""
    (folder / "broken.yaml").unlink()
    (folder / "zero.yaml").symlink_to("/dev/zero")
    (folder / "ptmx.json").symlink_to("/dev/ptmx")
    os.mkfifo(folder / "pipe.yml")
    (folder / "pipe.yaml").symlink_to("pipe.yml")
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.yaml")
    code, _, err = tool("check", ".")
    assert code == 0
    assert err.endswith(" in 2 inputs\n")


def test_a_file_that_is_named_may_be_a_pipe(folder: Path) -> None:
    """As shells have them for the output of a command, and as standard input goes by a name too."""
    os.mkfifo(folder / "pipe.yaml")
    for line in (
        "cat manifests.yaml | tool render /dev/stdin",
        "tool render /dev/stdin <manifests.yaml",
        "cat manifests.yaml >pipe.yaml & tool render pipe.yaml",
    ):
        done = shell(line, folder)
        assert (done.returncode, done.stdout, done.stderr) == (0, ISTIOD.after, b"")


def test_dumps_that_are_no_files(tmp_path: Path, tool: Callable[..., Any]) -> None:
    """Can't be read, and are not waited for."""
    os.mkfifo(tmp_path / "pods.json")
    (tmp_path / "services.json").symlink_to("/dev/zero")
    (tmp_path / "sidecars.json").mkdir()
    (tmp_path / "telemetries.json").symlink_to("nowhere")
    code, out, err = tool("doctor", "--from", str(tmp_path))
    assert (code, err) == (1, "")
    for name in ("pods", "services", "sidecars"):
        assert f"{tmp_path}/{name}.json can't be read: no regular file" in out.decode()
    assert f"{tmp_path}/telemetries.json can't be read: No such file or directory" in out.decode()


# --- PyYAML without its parser in C ----------------------------------------------------------------------------------

WITHOUT_C = """
import sys
sys.modules["yaml._yaml"] = None
from groundcover_istio.__main__ import start
start()
"""


def test_a_run_without_the_parser_in_c(folder: Path) -> None:
    """The same result, one warning on standard error."""
    (folder / "alias.yaml").write_bytes(istiod(mesh=b"a: *b\n").before)
    for arguments, code in (
        (["render", "manifests.yaml"], 0),
        (["render", "--error-channel", "document", "alias.yaml"], 0),
    ):
        plain = subprocess.run([*TOOL, *arguments], cwd=folder, capture_output=True, check=False)
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_C, *arguments], cwd=folder, capture_output=True, check=False
        )
        assert done.returncode == plain.returncode == code
        assert done.stdout == plain.stdout
        assert done.stderr.decode() == "groundcover-istio: warning: this PyYAML has no C parser (libyaml), so reading is slow; the result is the same\n"  # fmt: skip


@pytest.fixture
def _without_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libyaml, "_Parser", yaml.SafeLoader)


@pytest.mark.usefixtures("_without_c")
@pytest.mark.parametrize("name", sorted(path.parent.name for path in GOLDEN.glob("*/input.yaml")))
def test_a_directory_case_without_the_parser_in_c(name: str, tool: Callable[..., Any]) -> None:
    """The same bytes, the same refusals."""
    case = GOLDEN / name
    lines = (case / "args").read_text().splitlines() if (case / "args").exists() else []
    code, out, _ = tool(
        *(part for line in lines for part in line.split(" ", 1)), stdin=(case / "input.yaml").read_bytes()
    )
    expected = case / "expected.yaml"
    assert (code == 0) == expected.exists()
    assert out == (expected.read_bytes() if expected.exists() else b"")
