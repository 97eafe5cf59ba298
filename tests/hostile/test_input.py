"""Every hostile input and its documented outcome, as the table of docs/limits.md has it.

Each stands in three places: in a document that nothing has to be known of, in one that is read (a mesh config's
ConfigMap), and in the mesh config inside it. More of the same: `tests/unit/test_streams.py` (what passes through),
`tests/golden` (twin keys, merge keys, aliases, byte order marks), `tests/helm/test_scalars.py` (scalars as Helm reads
them), `tests/checks/test_robustness.py` and `tests/property` (anything anywhere).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

from .conftest import MESH, beside, istiod, unmeasured

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
PATCHED = "patched, else untouched"
# No measurement: each takes seconds at most, and where it went wrong, by the sizes below, minutes or no end.
pytestmark = pytest.mark.timeout(60)
PWNED = Path("/tmp/groundcover-istio-pwned")  # noqa: S108  never written, which is what is tested


class Case(NamedTuple):
    """Lines at the top of a document or of a mesh config, and what comes of a run."""

    lines: bytes
    read: str = PATCHED
    """Where the document is read: patched, or a part of the message."""
    mesh: str = ""
    """Where they stand in a mesh config; empty: the same."""


def text(lines: str) -> bytes:
    """Lines in UTF-8."""
    return lines.encode()


BOMB = text(
    "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"{key}: &{key} [{', '.join([f'*{below}'] * 10)}]\n" for below, key in zip("abcdefgh", "bcdefghi", strict=True)
    )
)
TAGS = f"a: !!python/object/apply:os.system ['touch {PWNED}']\nb: !!python/name:os.system\nc: !secret {{d: !!binary aGk=}}\n"
CASES = {
    "aliases that stand for a billion words": Case(BOMB, "aliases stand for more than 200,000 nodes"),
    "an alias inside its own anchor": Case(b"a: &a [*a]\n", "an alias (*) has no anchor before it or refers to itself"),
    "an alias of no anchor": Case(b"a: *b\n", "an alias (*) has no anchor before it or refers to itself"),
    "2,000 anchors": Case(text("".join(f"k{index}: &a{index} v\n" for index in range(2_000)))),
    "100,000 brackets in each other": Case(b"a: " + b"[" * 100_000 + b"]" * 100_000 + b"\n", "nested deeper than 100 levels"),
    "1,500 levels by indentation": Case(b"".join(b" " * level + b"a:\n" for level in range(1500)), "nested deeper than 100 levels"),
    "1,000,000 keys": Case(text("".join(f"k{index}: v\n" for index in range(1_000_000))), "more than 1,000,000 keys and values"),
    "2,000 mappings merged into one": Case(text(f"a:\n  <<: [{', '.join(f'{{k{index}: v}}' for index in range(2_000))}]\n")),
    "a merge key beside": Case(b"<<: {a: 1}\n", mesh="the document has a merge key (<<)"),
    "a merge key aside": Case(b"a: &a {b: 1}\nc: {<<: *a}\n"),
    "a text of 2 MiB": Case(b"a: " + b"b" * (2 << 20) + b"\n"),
    "a text of 17 MiB": Case(b"a: " + b"b" * (17 << 20) + b"\n", "longer than 16,777,216 characters"),
    "50,000 lines of comments": Case(b"# a\n" * 50_000),
    "bytes that are no UTF-8": Case(b"a: \xff\n", "byte 0xff is not valid UTF-8"),
    "a NUL byte": Case(b"a: b\0\n", "control characters are not allowed"),
    "a control character": Case(b"a: b\x07\n", "control characters are not allowed"),
    "half a surrogate pair": Case(b'a: "\\ud800"\n', "invalid Unicode character escape code"),
    "mixed line endings": Case(b"a: b\r\nc: d\n# e\r\n\r\nf: |\r\n  g\n  h\r\n"),
    "carriage returns alone": Case(b"a: b\rc: d\r"),
    "line breaks of YAML 1.1": Case(text("a: 'b\u2028  c'\nd: \"e\u0085  f\"\n"), mesh="could not find expected ':'"),
    "a byte order mark at the beginning": Case(text("\ufeffa: b\n")),
    "a byte order mark below a comment": Case(text("# Source: a/templates/b.yaml\n\ufeffa: b\n"), "a byte order mark begins the line"),
    "a byte order mark in the middle": Case(text("a: b\ufeffc\n")),
    "tags that name code": Case(text(TAGS)),
    "duplicate keys aside": Case(b"a: 1\na: 2\n"),
    "numbers and booleans that PyYAML reads otherwise": Case(b"a: 1e3\nb: 0o17\nc: y\nd: 12:30\ne: .inf\nf: 1_000\ng: 2024-01-01\nh: =\non: off\n"),
    "look-alikes of a separator": Case(b"a: |\n  ---\n  --- b\n  -----BEGIN-----\nc: '---'\n---d: 1\n-----: 2\n"),
    "a list as a key": Case(b"? [a, b]\n: c\n", "a mapping has a list or a mapping as its key"),
    "a key of 2,000 characters": Case(b"k" * 2000 + b": v\n", "mapping values are not allowed in this context"),
    "a tab as indentation": Case(b"a:\n\tb: c\n", "found character that cannot start any token"),
    "a quote that is never closed": Case(b'a: "b\n', "found unexpected end of stream"),
    "an end of a document in the middle": Case(b"a: b\n...\n", "did not find expected <document start>"),
}  # fmt: skip
# Those that take a second stand in one place that is read.
LIGHT = [name for name in CASES if name not in ("1,000,000 keys", "a text of 17 MiB")]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_in_a_document_that_is_not_read(case: Case, tool: Callable[..., Any]) -> None:
    """It passes through to the byte, twice, while the mesh config between is patched."""
    stream = beside(case.lines)
    assert tool(stdin=stream.before) == (0, stream.after, "")


@pytest.mark.parametrize("name", CASES)
def test_in_a_document_that_is_read(name: str, tool: Callable[..., Any]) -> None:
    """The mesh config in it is patched, or one message says where, what, and there is no output."""
    expect(istiod(document=CASES[name].lines), CASES[name].read, tool if name in LIGHT else process)
    assert not PWNED.exists()


@pytest.mark.parametrize("name", LIGHT)
def test_in_a_mesh_config(name: str, tool: Callable[..., Any]) -> None:
    """The same for the text inside the scalar."""
    expect(istiod(mesh=CASES[name].lines), CASES[name].mesh or CASES[name].read, tool)
    assert not PWNED.exists()


def process(stdin: bytes) -> tuple[int, bytes, str]:
    """The tool as a process of its own, in which no coverage is measured."""
    command = [sys.executable, "-m", "groundcover_istio"]
    done = subprocess.run(command, input=stdin, env=unmeasured(), capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr.decode()


def expect(stream: Any, outcome: str, tool: Callable[..., Any]) -> None:
    """Run render and compare."""
    code, out, err = tool(stdin=stream.before)
    if outcome == PATCHED:
        # In a document with carriage returns the new lines have some too.
        assert (code, out.replace(b"\r", b""), err) == (0, stream.after.replace(b"\r", b""), "")
        lines = iter(out.splitlines(keepends=True))
        assert all(line in lines for line in stream.before.splitlines(keepends=True)[:-1])
        return
    assert (code, out) == (3, b"")
    assert err.startswith("groundcover-istio: error: line ")
    assert outcome in err
    assert len(err) < 500


@pytest.mark.parametrize("name", LIGHT)
def test_the_other_commands(name: str, tool: Callable[..., Any], tmp_path: Path) -> None:
    """check, which reads every document, diff, export and doctor end too: with an answer, or one message."""
    lines = CASES[name].lines
    manifests, values = istiod(mesh=lines).before, tmp_path / "values.yaml"
    values.write_bytes(lines + b"meshConfig:\n  enableTracing: true\n")
    before = values.read_bytes()
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    metadata = {"name": "istio", "namespace": "istio-system"}
    data = {"mesh": (lines + MESH.encode()).decode(errors="replace")}
    config_map = {"kind": "ConfigMap", "metadata": metadata, "data": data}
    (dumps / "configmaps.json").write_text(json.dumps({"kind": "List", "items": [config_map]}))
    calls = {
        "check": tool("check", "-", stdin=beside(lines).before + manifests),
        "diff": tool("diff", stdin=manifests),
        "export": tool("export", "istiod-values", "--into", str(values)),
        "doctor": tool("doctor", "--from", str(dumps)),
    }
    codes = {"check": (0, 1, 3), "diff": (1, 3), "export": (0, 3), "doctor": (1,)}
    assert {
        command: (code in codes[command], "a mistake in" in err) for command, (code, _, err) in calls.items()
    } == dict.fromkeys(calls, (True, False))
    assert (values.read_bytes() == before) == (calls["export"].code != 0)


LINES = "a\\n::error::b\\e[31m\\a"
LONG = "x" * 100_000


LINES_OF_TEXT = "".join(f"      {index % 103}\n" for index in range(150_000))
ITEM = "- kind: ConfigMap\n  metadata: {name: istio}\n  data:\n    mesh: 'a: 1'\n    rest: |\n" + LINES_OF_TEXT


@pytest.mark.parametrize("items", [1, 2], ids=["behind the change", "between two changes"])
def test_the_difference_of_a_long_document(items: int, tool: Callable[..., Any]) -> None:
    """Only what stands between the first change and the last is compared, and that no longer than difflib can do it."""
    done = tool("diff", stdin=("kind: List\nitems:\n" + ITEM * items).encode())
    assert (done.code, done.out.count(b"\n@@ ")) == (1, 1)
    assert done.out.count(b"\n+          service: groundcover-sensor") == items


MESSAGES = {
    "a name with line breaks and terminal codes": f'kind: ConfigMap\nmetadata: {{name: istio, namespace: "{LINES}"}}\ndata: {{mesh: "["}}\n',
    "a very long namespace": f"kind: ConfigMap\nmetadata: {{name: istio, namespace: {LONG}}}\ndata: {{mesh: '['}}\n",
    "a tracer's name": f'kind: ConfigMap\nmetadata: {{name: istio}}\ndata: {{mesh: \'defaultProviders: {{tracing: ["{LINES}{LONG}"]}}\'}}\n',
    "a provider's target": f"kind: ConfigMap\nmetadata: {{name: istio}}\ndata: {{mesh: 'extensionProviders: [{{name: otel-tracing, zipkin: {{service: \"{LINES}{LONG}\"}}}}]'}}\n",
    "an unknown setting": f'kind: ConfigMap\nmetadata: {{name: x, labels: {{app.kubernetes.io/component: istio-integration}}}}\ndata: {{integration.yaml: \'"{LINES}{LONG}": 1\'}}\n',
    "a thousand unknown settings": f"kind: ConfigMap\nmetadata: {{name: x, labels: {{app.kubernetes.io/component: istio-integration}}}}\ndata: {{integration.yaml: '{{{', '.join(f'k{index}: 1' for index in range(1000))}}}'}}\n",
    "an integration's name": f'kind: ConfigMap\nmetadata: {{name: "{LINES}{LONG}", labels: {{app.kubernetes.io/component: istio-integration}}}}\ndata: {{integration.yaml: a}}\n',
}  # fmt: skip


@pytest.mark.parametrize("stream", MESSAGES.values(), ids=MESSAGES)
def test_what_others_wrote_in_a_message(stream: str, tool: Callable[..., Any]) -> None:
    """It is cut, begins no line that a CI system acts on, and moves no cursor; for Helm 4 the document stays one text."""
    code, out, err = tool(stdin=stream.encode())
    assert (code in (2, 3), out) == (True, b"")
    assert len(err) < 5_000
    assert all(line.isprintable() for line in err.split("\n"))
    assert "\n::error::" not in err
    shown = tool("--error-channel", "document", stdin=stream.encode()).out
    assert yaml.safe_load(shown) == err.rstrip("\n")
    found = tool("check", "-", stdin=stream.encode()).out.decode()
    assert all(len(line) < 1_500 and line.isprintable() for line in found.split("\n"))


ALIASED = "a: &a [" + "x, " * 440 + "]\n    b: [" + "*a, " * 440 + "]\n"
REVISION = "metadata: {{name: t, namespace: istio-system, labels: {{istio.io/rev: r{}}}}}\n"
MESH_OF_MANY = (
    "---\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata: {mesh: 'enableTracing: true'}\n"
)
MANY = {
    "mesh configs full of aliases": "".join(f"---\nkind: ConfigMap\nmetadata: {{name: istio, namespace: n{index}}}\ndata:\n  mesh: |\n    {ALIASED}" for index in range(300)),
    "annotations full of aliases": "".join(f"---\nkind: Pod\napiVersion: v1\nmetadata:\n  name: p{index}\n  annotations:\n   proxy.istio.io/config: |\n    {ALIASED}" for index in range(300)),
    "Telemetries of one name": MESH_OF_MANY + "---\napiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: t, namespace: istio-system}\n" * 5_000,
    "Telemetries of as many revisions": MESH_OF_MANY + "".join("---\napiVersion: telemetry.istio.io/v1\nkind: Telemetry\n" + REVISION.format(index) for index in range(5_000)),
}  # fmt: skip


@pytest.mark.parametrize("stream", MANY.values(), ids=MANY)
def test_check_of_many(stream: str, tool: Callable[..., Any]) -> None:
    """Takes time as long as the input, not as its square, and what aliases stand for is counted over all of it."""
    assert tool("check", "-", stdin=stream.encode()).code in (0, 1)


NINES = "9" * 5_000
NUMBERS = {
    "the version of a chart's label": f"kind: ConfigMap\nmetadata: {{name: istio, labels: {{helm.sh/chart: istiod-1.{NINES}}}}}\ndata: {{mesh: 'a: 1'}}\n",
    "the tag of an image": f"image: docker.io/istio/pilot:1.{NINES}\n---\nkind: ConfigMap\nmetadata: {{name: istio}}\ndata: {{mesh: 'a: 1'}}\n",
    "the version of an integration": f"kind: ConfigMap\nmetadata: {{name: x, labels: {{app.kubernetes.io/component: istio-integration}}}}\ndata: {{integration.yaml: 'istioVersion: 1.{NINES}'}}\n",
    "a Service's port": f"kind: Service\nmetadata: {{name: groundcover-sensor}}\nspec: {{ports: [{{name: otlp-http, port: {NINES}}}]}}\n",
    **{
        f"a provider's {what}": f"kind: ConfigMap\nmetadata: {{name: istio}}\ndata:\n  mesh: |\n    {text}\n"
        for what, text in {
            "port": f"extensionProviders: [{{name: otel-tracing, opentelemetry: {{service: groundcover-sensor.groundcover, port: {NINES}}}}}]",
            "port in quotes": f"extensionProviders: [{{name: x, zipkin: {{service: a.b, port: '{NINES}'}}}}]",
            "address": f"extensionProviders: [{{name: x, datadog: {{address: 'a.b:{NINES}'}}}}]",
            "sampling": f"defaultConfig: {{tracing: {{sampling: {NINES}}}}}",
            "sampling in quotes": f"defaultConfig: {{tracing: {{sampling: '{NINES}'}}}}",
        }.items()
    },
}  # fmt: skip


@pytest.mark.parametrize("stream", NUMBERS.values(), ids=NUMBERS)
def test_numbers_of_more_digits_than_python_reads(stream: str, tool: Callable[..., Any]) -> None:
    """int() refuses more than 4,300: none of ours comes to that."""
    for arguments in (["render"], ["diff"], ["check"], ["check", "--format", "json"]):
        code, _, err = tool(*arguments, stdin=stream.encode())
        assert code in (0, 1, 2, 3)
        assert "a mistake in" not in err
    for command in ("check", "render"):
        assert "must match" in tool(command, "--istio-version", f"1.{NINES}", stdin=stream.encode()).err


STREAMS = {
    "Helm's error text": b"Error: INSTALLATION FAILED: execution error at (istiod/templates/mesh.yaml:3:4): kind: ConfigMap, mesh: [\n",
    "100,000 documents": b"---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n" * 100_000,
    "separators alone": b"---\n" * 100_000,
    "a million dashes": b"\n" + b"-" * 1_000_000 + b"\n" + b"\n----" * 100_000,
    "one long line": b"kind: ConfigMap, mesh: istio " * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_a_stream_of_nothing_of_ours(stream: bytes, tool: Callable[..., Any]) -> None:
    """It comes out as it went in."""
    assert tool(stdin=stream) == (0, stream, "")


def test_a_stream_that_is_cut_off_anywhere(tool: Callable[..., Any]) -> None:
    """What is left of it is patched or passes, every byte of it, or there is one message and no output."""
    whole = istiod(mesh=b"a: 'b'\n").before
    codes = set()
    for end in range(len(whole)):
        cut = whole[:end] + b"\xc3" * (end % 7 == 0)
        code, out, err = tool(stdin=cut)
        codes.add(code)
        if code == 0:
            lines = iter(out.splitlines())
            # The header of a block scalar that is empty so far is written anew.
            assert all(line in lines for line in cut.splitlines()[:-1] if not line.startswith(b"  mesh:"))
            assert err == ""
        else:
            assert (code, out) == (3, b"")
            assert "a mistake in" not in err
    assert codes == {0, 3}


def test_numbers_and_booleans_are_what_helm_reads(tool: Callable[..., Any]) -> None:
    """`enableTracing: on` is true and 1e2 is 100, so nothing is to be done about them."""
    done = istiod(mesh=b"").after.replace(b"enableTracing: true", b"enableTracing: on")
    done = done.replace(b"sampling: 1\n", b"sampling: 1e0\n").replace(b"port: 4318", b"port: 0x10DE")
    assert tool(stdin=done) == (0, done, "")
    assert yaml.safe_load(yaml.safe_load(done)["data"]["mesh"])["defaultConfig"]["tracing"]["sampling"] == "1e0"


def test_the_page_shows_the_table() -> None:
    """docs/limits.md names every case with its outcome."""
    page = (ROOT / "docs/limits.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ") and line.count("|") == 4]
    written = {tuple(cell.strip().strip("`") for cell in row.strip("|").split("|")) for row in rows}
    assert {(name, case.read, case.mesh or case.read) for name, case in CASES.items()} <= written
