"""Limits: named in one place and on one page, refused with a message, and far above what is real."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from groundcover_istio import console, inventory, k8syaml, limits
from groundcover_istio.doctor import dumps

from .conftest import POD, istiod, unmeasured

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
LIMITS = {name: value for name, value in vars(limits).items() if name.startswith("MAX_")}
# Bytes of an object that etcd still takes.
ETCD = 1_572_864
MEBIBYTE = 1024 * 1024


def alias_bomb(nodes: int) -> bytes:
    """A key whose aliases stand for that many nodes, and a hundred more."""
    return b"a: &a [" + b"x, " * 98 + b"x]\nb: [" + b", ".join([b"*a"] * (nodes // 100)) + b"]\n"


@pytest.mark.parametrize(
    ("limit", "value", "stream", "message"),
    [
        pytest.param("MAX_LENGTH", 400, istiod(b"a: " + b"x" * 500 + b"\n").before, "line 2: longer than 400 characters", id="a document"),
        pytest.param("MAX_LENGTH", 200, istiod(mesh=b"# " + b"x" * 300 + b"\n").before, "line 8: longer than 200 characters", id="a mesh config"),
        pytest.param("MAX_DOCUMENTS", 2, istiod().before * 3, "line 21: more than 2 documents that may matter", id="documents of a stream"),
        pytest.param("MAX_DOCUMENTS", 2, istiod().before + b"\r--- a\r--- b\r--- c\r", "more than 2 documents", id="documents in one slice"),
        pytest.param("MAX_DEPTH", 3, istiod(b"a: [[[]]]\n").before, "line 2: nested deeper than 3 levels", id="levels"),
        pytest.param("MAX_NODES", 30, istiod(b"a: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]\n").before, "more than 30 keys and values", id="nodes"),
        pytest.param("MAX_ALIASED", 1000, istiod(alias_bomb(1100)).before, "line 3: aliases stand for more than 1,000 nodes", id="nodes by aliases"),
        pytest.param("MAX_ALIASED", 1000, istiod(alias_bomb(600)).before * 2, "line 13: with what stands before it, aliases stand for more than 1,000 nodes", id="nodes by aliases in several documents"),
        pytest.param("MAX_ALIASED", 1000, istiod(mesh=alias_bomb(600)).before * 2, "line 14: with what stands before it, aliases stand for more than 1,000 nodes", id="nodes by aliases in several mesh configs"),
    ],
)  # fmt: skip
def test_what_is_beyond_a_limit_is_refused(
    limit: str, value: int, stream: bytes, message: str, tool: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where, what was found, what is accepted; exit 3 and no output. Within it the same stream is patched."""
    code, _, err = tool(stdin=stream)
    assert (code, err) == (0, "")
    for module in (k8syaml, inventory):
        monkeypatch.setattr(module, limit, value, raising=False)
    code, out, err = tool(stdin=stream)
    assert (code, out) == (3, b"")
    assert message in err


def test_a_file_beyond_the_limit_is_refused(
    tool: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its size where it has one, else once as much is read, as of devices; at the limit it is taken."""
    stream = istiod()
    size = len(stream.before)
    for module in (console, dumps):
        monkeypatch.setattr(module, "MAX_FILE_BYTES", size)
    (tmp_path / "fits.yaml").write_bytes(stream.before)
    (tmp_path / "large.yaml").write_bytes(stream.before + b"#")
    assert tool("render", str(tmp_path / "fits.yaml")) == tool(stdin=stream.before) == (0, stream.after, "")
    why = f"can't be read: more than {size:,} bytes"
    for name, source in ((f"{tmp_path}/large.yaml", b""), ("standard input", stream.before + b"#"), ("/dev/zero", b"")):
        code, out, err = tool("render", *([] if source else [name]), stdin=source)
        assert (code, out, err) == (2, b"", f"groundcover-istio: error: {name}: {why}\n")
    code, out, err = tool("check", str(tmp_path), "/dev/zero")
    found = [line.split(": ", 1) for line in out.decode().splitlines() if "GCI000" in line]
    assert found == [
        [f"{name}:1:1", f"error: {why} [GCI000 unreadable]"] for name in ("/dev/zero", tmp_path / "large.yaml")
    ]
    assert code == 3
    assert "fits.yaml" in out.decode()
    (tmp_path / "pods.json").write_bytes(stream.before + b"#")
    assert f"pods.json {why}" in tool("doctor", "--from", str(tmp_path)).out.decode()


@pytest.mark.parametrize("arguments", [["check", "/dev/zero"], ["render", "/dev/zero"], ["</dev/zero"]], ids=" ".join)
def test_less_memory_than_the_limit(arguments: list[str]) -> None:
    """Is named as what it is, not called a mistake of ours."""
    command = [sys.executable, "-m", "groundcover_istio", *(each for each in arguments if each[0] != "<")]
    with Path("/dev/zero").open("rb") as zeros:
        done = subprocess.run(
            command,
            stdin=zeros,
            capture_output=True,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (128 * MEBIBYTE, 128 * MEBIBYTE)),
            env=unmeasured(),
        )
    assert done.returncode == (3 if "check" in arguments else 2)
    assert b"can't be read: not enough memory" in done.stdout + done.stderr


def test_what_kubernetes_takes_is_within_the_limits(tool: Callable[..., Any]) -> None:
    """An object as large as etcd's limit, with 10,000 keys aside from texts, is patched."""
    labels = b"".join(b"label-%d.example.com/name: v%d\n" % (index, index) for index in range(10_000))
    dense = b"a:\n" + b"".join(b"  " + line for line in labels.splitlines(keepends=True))
    stream = istiod(dense + b"b: |\n" + b"  text of a line\n" * ((ETCD - len(dense)) // 17))
    assert len(stream.before) > ETCD - 100
    assert tool(stdin=stream.before) == (0, stream.after, "")


PEAK = """
import pathlib, re, sys
from groundcover_istio.cli import main
code = main([])
peak = re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())
print(peak[1], file=sys.stderr)
raise SystemExit(code)
"""


def test_a_large_stream_is_read_in_bounded_memory(tmp_path: Path) -> None:
    """40 MB in 200,000 documents around a mesh config: patched, in less than four times its size."""
    others = (b"---\n" + POD + b"spec: {nodeName: " + b"x" * 140 + b"}\n") * 100_000
    plain = istiod()
    source, target = tmp_path / "in.yaml", tmp_path / "out.yaml"
    source.write_bytes(others + plain.before + others)
    with source.open("rb") as stdin, target.open("wb") as stdout:
        done = subprocess.run(
            [sys.executable, "-c", PEAK], stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, check=True
        )
    assert target.read_bytes() == others + plain.after + others
    assert int(done.stderr) * 1024 < 4 * source.stat().st_size + 64 * MEBIBYTE


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(b"a: &a [" + b"*a, " * 1000 + b"]\n", id="of itself"),
        pytest.param(
            b"a: &a [x, x, x, x, x, x, x, x, x, x]\n"
            + b"".join(b"%c: &%c [%s]\n" % (98 + n, 98 + n, b", ".join([b"*%c" % (97 + n)] * 10)) for n in range(20)),
            id="of 10 to the power of 20",
        ),
    ],
)
def test_a_bomb_of_aliases_takes_no_memory(lines: bytes) -> None:
    """256 MiB of address space are enough to refuse it."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (256 * MEBIBYTE, 256 * MEBIBYTE))

    done = subprocess.run(
        [sys.executable, "-m", "groundcover_istio"],
        input=istiod(lines).before,
        capture_output=True,
        check=False,
        preexec_fn=limit,
        timeout=60,
        env=unmeasured(),
    )
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"alias" in done.stderr


def test_a_mesh_config_as_large_as_kubernetes_takes_needs_little_memory() -> None:
    """1.5 MiB: its data, not a tree of nodes with their places, which would take twice as much."""
    entry = "- name: tracer-{}\n  zipkin:\n    service: zipkin.tracing.svc.cluster.local\n    port: 9411\n"
    entries = "".join(entry.format(number) for number in range(MEBIBYTE * 3 // 2 // len(entry)))
    stream = istiod(mesh=f"extensionProviders:\n{entries}".encode()).before
    done = subprocess.run([sys.executable, "-c", PEAK], input=stream, capture_output=True, check=True, env=unmeasured())
    assert int(done.stderr) < 80 * 1024


def test_the_page_shows_the_limits() -> None:
    """docs/limits.md names each with its value."""
    page = (ROOT / "docs/limits.md").read_text()
    rows = dict(re.findall(r"^\| `(MAX_\w+)` \| ([\d,]+) \|", page, re.MULTILINE))
    assert {name: int(value.replace(",", "")) for name, value in rows.items()} == LIMITS
    assert LIMITS["MAX_LENGTH"] > 10 * ETCD
