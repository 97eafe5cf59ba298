"""What stands in a Secret, or in a value that nothing is said about, is in no message, report, finding or log.

A token is planted wherever one may stand, and looked for in whatever a run leaves but the manifests of `render`.
"""

from __future__ import annotations

import base64
import gzip
import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from groundcover_istio import libyaml, pipeline

from .conftest import ADDED, MESH, OBJECT, indented, istiod

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOKEN = "hunter2-0123456789abcdef"  # noqa: S105  not one of anything
ENCODED = base64.b64encode(TOKEN.encode()).decode()
SECRET = f"""\
apiVersion: v1
kind: Secret
metadata:
  name: sensor-token
  namespace: groundcover
  annotations: {{note: {TOKEN}}}
data: {{token: {ENCODED}}}
stringData:
  config: |
    ingestion:
      token: {TOKEN}
"""
OTHERS = f"""\
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings, annotations: {{kubectl.kubernetes.io/last-applied-configuration: '{TOKEN}'}}}}
data: {{password: {TOKEN}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: istiod, namespace: istio-system}}
spec:
  template:
    spec:
      containers:
      - {{name: discovery, image: docker.io/istio/pilot:1.24.3, env: [{{name: TOKEN, value: {TOKEN}}}], args: [--token={TOKEN}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: groundcover-sensor, namespace: groundcover, annotations: {{token: {TOKEN}}}}}
spec: {{ports: [{{name: otlp-http, port: 4318}}]}}
"""
SENSOR = f"""\
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: sensor-istio
  labels: {{app.kubernetes.io/component: istio-integration}}
  annotations: {{token: {TOKEN}}}
data:
  other: {TOKEN}
  integration.yaml: |
"""
MESH_CONFIG = f"rootNamespace: istio-system\ntrustDomain: {TOKEN}\nextensionProviders:\n- name: other\n  envoyOtelAls: {{service: x, port: 1, logFormat: {{labels: {{t: {TOKEN}}}}}}}\n"
# The same on a line each, so that there is nothing but the changed line between one and the next.
NEIGHBOURS = f'--- {{"kind": "Secret", "stringData": {{"token": "{TOKEN}"}}}}\n'
ONE_LINE = f'--- {{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {{"name": "istio"}}, "data": {{"mesh": {json.dumps(MESH)}}}}}\n'


def release(mesh: str, integration: str = "enabled: true\n") -> bytes:
    """Everything together, with a mesh config and settings."""
    settings = SENSOR + indented(integration.encode()).decode()
    return f"---\n{SECRET}{OTHERS}{settings}---\n{OBJECT}{indented(mesh.encode()).decode()}---\n{SECRET}".encode()


STREAMS = {
    "what is patched": release(MESH_CONFIG),
    "what is there already": release(MESH_CONFIG.partition("extensionProviders")[0] + ADDED),
    "neighbours of a line each": (NEIGHBOURS + ONE_LINE + NEIGHBOURS + ONE_LINE.replace('"istio"', '"istio-canary"') + NEIGHBOURS).encode(),
    "a mesh config that is no YAML": release(MESH_CONFIG + f"a: b: {TOKEN}\n"),
    "a mesh config with an alias of nothing": release(MESH_CONFIG + f"a: *{TOKEN}\n"),
    "a mesh config that is a text": release(TOKEN + "\n"),
    "a mesh config that is a list": release(f"- {TOKEN}\n"),
    "a mesh config nested too deep": release(MESH_CONFIG + f"a: {'[' * 200}{TOKEN}{']' * 200}\n"),
    "another's default tracer": release(MESH_CONFIG + "defaultProviders: {tracing: [other]}\n"),
    "a provider of a wrong type": release(MESH_CONFIG + f"- name: otel-tracing\n  opentelemetry: {{port: x, http: {{path: /, headers: [{{name: t, value: {TOKEN}}}]}}}}\n"),
    "settings that are no YAML": release(MESH_CONFIG, f"a: b: {TOKEN}\n"),
    "settings that are unknown": release(MESH_CONFIG, f"tracing: {{password: {TOKEN}}}\n"),
    "settings that are too large a value": release(MESH_CONFIG, f"tracing: {{samplingPercentage: 101, customTags: {{t: {{literal: {{value: {TOKEN}}}}}}}}}\n"),
    "settings of a wrong form": release(MESH_CONFIG, f"tracing: {{http: {{headers: [{{name: t, value: {TOKEN}, secret: {TOKEN}}}]}}}}\n"),
    "settings that are two of one": release(MESH_CONFIG, f"tracing: {{customTags: {{t: {{literal: {{value: {TOKEN}}}, header: {{name: x}}}}}}}}\n"),
    "bytes that are no UTF-8": release(MESH_CONFIG).replace(b"other", b"oth\xff", 1),
}  # fmt: skip
# A line in a Secret that can't be read, or that is read as something else than text.
LINES = {
    "a colon too many": f"  token: a: {TOKEN}",
    "an alias": f"  token: *{TOKEN}",
    "a tag": f"  token: !{TOKEN} x",
    "a tag of no handle": f"  token: !{TOKEN}!x y",
    "a tag of a bad form": f"  token: !<{TOKEN} x",
    "an anchor twice": f"  a: &{TOKEN} x\n  b: &{TOKEN} y",
    "a directive": f"%{TOKEN}",
    "an open quote": f'  token: "{TOKEN}',
    "text behind a quote": f'  token: "x" {TOKEN}',
    "an unknown escape": f'  token: "\\q{TOKEN}"',
    "a bracket too few": f"  token: [{TOKEN}",
    "a character that starts nothing": f"  token: @{TOKEN}",
    "a tab": f"\t{TOKEN}: x",
    "a wrong indentation": f"   a: x\n  {TOKEN}: y",
    "a control character": f"  token: {TOKEN}\x01",
    "a block scalar of a bad form": f"  token: |{TOKEN}\n    x",
    "a list as a key": f"  ? [{TOKEN}]\n  : x",
    "a list that is merged": f"  <<: [{TOKEN}]",
    "a key without a value": f"  {TOKEN}",
    "a very long text": f"  token: {TOKEN * 1000}",
    "a mesh config": f"  mesh: |\n    extensionProviders: [{TOKEN}",
    "a manifest": f"  x: |\n    kind: ConfigMap\n    metadata: {{name: istio}}\n    mesh: {{\n  token: a: {TOKEN}",
}


def secret(lines: str) -> str:
    """A Secret with such lines in it."""
    return f"apiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\nstringData:\n  a: b\n{lines}\n"


def assert_hidden(*texts: str | bytes) -> None:
    """The token is in none of them, nor its beginning or its base64."""
    for text in texts:
        found = text.decode(errors="replace") if isinstance(text, bytes) else text
        assert TOKEN[:12] not in found
        assert ENCODED[:12] not in found


def test_what_is_looked_for_is_there() -> None:
    """Every stream holds the token."""
    assert all(TOKEN.encode() in stream for stream in STREAMS.values())
    assert all(TOKEN in line for line in LINES.values())


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_render_tells_nothing(stream: bytes, tool: Callable[..., Any], tmp_path: Path) -> None:
    """Neither its reports nor its errors, on either channel."""
    codes = set()
    for form in ("text", "json"):
        for target in ("-", str(tmp_path / "report")):
            code, out, err = tool("render", "--report", target, "--report-format", form, stdin=stream)
            codes.add(code)
            assert_hidden(err, *(path.read_text() for path in tmp_path.iterdir()))
            assert bool(out) == (code == 0)
    assert len(codes) == 1
    shown = tool("render", "--error-channel", "document", stdin=stream).out
    if codes != {0}:
        assert shown.startswith(b"|-\n")
        assert_hidden(shown)


@pytest.mark.parametrize("name", [name for name in STREAMS if "type" not in name])
def test_diff_tells_nothing(name: str, tool: Callable[..., Any]) -> None:
    """Around a change it shows the document that changes only; what is planted near the change is left out here."""
    stream = STREAMS[name].replace(f"t: {TOKEN}".encode(), b"t: x").replace(f"trustDomain: {TOKEN}".encode(), b"a: b")
    for form in ("text", "json"):
        _, out, err = tool("diff", "--format", form, stdin=stream)
        assert_hidden(out, err)


PLANTED = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "stringData": {"t": TOKEN}}
PATCHED = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "istio", "namespace": "istio-system"},
    "data": {"mesh": "rootNamespace: istio-system\n"},
}
LIST: dict[str, Any] = {"apiVersion": "v1", "kind": "List", "items": [PLANTED, PATCHED, PLANTED]}


@pytest.mark.parametrize(
    ("stream", "shown"),
    [
        pytest.param(yaml.safe_dump(LIST, sort_keys=False), "+      enableTracing: true", id="block style"),
        pytest.param(
            f"kind: List\n# {TOKEN}\nitems:\n  # {TOKEN}\n"
            + "".join(f"  - {json.dumps(each)}\n  # {TOKEN}\n" for each in LIST["items"]),
            "enableTracing",
            id="an item to a line, between comments",
        ),
        pytest.param(
            yaml.safe_dump(LIST, sort_keys=False).replace("kind: Secret", 'kind: "\\x53ecret"'),
            "+",
            id="a kind with an escape",
        ),
        pytest.param(
            yaml.safe_dump(LIST, sort_keys=False)
            .replace("kind: Secret", "kind: &s Secret", 1)
            .replace("kind: Secret", "kind: *s"),
            "enableTracing",
            id="a kind by an alias",
        ),
        pytest.param(
            yaml.safe_dump(
                {**LIST, "items": [{"kind": "SecretList", "items": [{"stringData": {"t": TOKEN}}]}, PATCHED]},
                sort_keys=False,
            ),
            "enableTracing",
            id="items of a SecretList, which have no kind",
        ),
        pytest.param(json.dumps(LIST), "+(not shown: a Secret stands on this line)", id="JSON on one line"),
        pytest.param(json.dumps(LIST, indent=1), "enableTracing", id="JSON on many lines"),
        pytest.param(
            json.dumps(LIST).replace('}}, {"apiVersion"', '}},\n{"apiVersion"', 1),
            "+(not shown: a Secret stands on this line)",
            id="JSON, a Secret behind the change",
        ),
    ],
)
def test_diff_tells_nothing_of_a_list(stream: str, shown: str, tool: Callable[..., Any]) -> None:
    """What stands beside a change in the same document is no context where it may be a Secret's."""
    for form in ("text", "json"):
        code, out, err = tool("diff", "--format", form, stdin=stream.encode())
        assert code == 1
        assert shown in out.decode()
        assert_hidden(out, err)


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_check_tells_nothing(stream: bytes, tool: Callable[..., Any]) -> None:
    """In no format."""
    for form in ("text", "json", "sarif", "github"):
        _, out, err = tool("check", "-", "--format", form, "--fail-on", "info", stdin=stream)
        assert_hidden(out, err)


@pytest.mark.parametrize("parser", ["C", "Python"])
@pytest.mark.parametrize("lines", LINES.values(), ids=LINES)
def test_a_secret_that_cant_be_read(
    lines: str, parser: str, tool: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Alone, among others, and in a List with a mesh config, where render reads it too: the line is named, not what is on it."""
    if parser == "Python":
        monkeypatch.setattr(libyaml, "_Parser", yaml.SafeLoader)
    alone = secret(lines)
    listed = "apiVersion: v1\nkind: List\nitems:\n" + "".join(
        "- " + "\n  ".join(part.rstrip("\n").split("\n")) + "\n" for part in (istiod().before.decode()[4:], alone)
    )
    (tmp_path / "secret.yaml").write_text(alone)
    for form, stream in itertools.product(("text", "json", "sarif", "github"), (f"---\n{alone}{OTHERS}", listed)):
        _, out, err = tool("check", "-", str(tmp_path / "secret.yaml"), "--format", form, stdin=stream.encode())
        assert_hidden(out, err)
    for arguments in (["--report", "-"], ["export", "kustomize", "--from", "-"], ["export", "telemetry", "--from", "-"], ["--config", str(tmp_path / "secret.yaml")]):  # fmt: skip
        code, out, err = tool(*arguments, stdin=listed.encode())
        assert_hidden(err, b"" if code == 0 and arguments[0] == "--report" else out)
        assert "a mistake in" not in err


VALUES = f"global: {{token: {TOKEN}}}\nenv: {{PASSWORD: {TOKEN}}}\n"


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param("meshConfig: {enableTracing: true}\n", id="edited"),
        pytest.param(f"meshConfig: {TOKEN}\n", id="no mapping"),
        pytest.param(f"meshConfig: {{a: b: {TOKEN}}}\n", id="no YAML"),
        pytest.param(f"meshConfig: *{TOKEN}\n", id="an alias"),
        pytest.param(
            f"meshConfig: {{defaultProviders: {{tracing: [x]}}, trustDomain: {TOKEN}}}\n", id="another's tracer"
        ),
    ],
)
def test_export_tells_nothing(lines: str, tool: Callable[..., Any], tmp_path: Path) -> None:
    """Of the file that it edits."""
    file = tmp_path / "values.yaml"
    file.write_text(VALUES + lines)
    _, out, err = tool("export", "istiod-values", "--into", str(file))
    assert_hidden(out, err)


def record(text: bytes) -> dict[str, Any]:
    """A release of Helm as its Secret."""
    held = base64.b64encode(base64.b64encode(text)).decode()
    labels = {"owner": "helm", "name": "istiod", "status": "deployed", "version": "1"}
    metadata = {"name": "sh.helm.release.v1.istiod.v1", "namespace": "istio-system", "labels": labels}
    return {"kind": "Secret", "metadata": metadata, "data": {"release": held, "token": ENCODED}}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(gzip.compress(json.dumps({"config": {"a": TOKEN}, "manifest": release(MESH_CONFIG).decode()}).encode()), id="a release"),
        pytest.param(gzip.compress(json.dumps({"manifest": secret(LINES["a colon too many"]) + "kind: ConfigMap"}).encode()), id="a manifest that is no YAML"),
        pytest.param(gzip.compress(f'{{"manifest": {TOKEN}'.encode()), id="no JSON"),
        pytest.param(TOKEN.encode(), id="no gzip"),
    ],
)  # fmt: skip
def test_doctor_tells_nothing(text: bytes, tool: Callable[..., Any], tmp_path: Path) -> None:
    """Of a release record or any other object."""
    pod = {
        "kind": "Pod",
        "metadata": {"name": "istiod", "namespace": "istio-system", "labels": {"app": "istiod"}, "annotations": {"a": TOKEN}},
        "spec": {"containers": [{"name": "discovery", "image": "docker.io/istio/pilot:1.24.3", "env": [{"name": "T", "value": TOKEN}]}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }  # fmt: skip
    for mesh in (MESH_CONFIG, f"a: b: {TOKEN}", TOKEN):
        metadata = {"name": "istio", "namespace": "istio-system", "annotations": {"a": TOKEN}}
        config_map = {"kind": "ConfigMap", "metadata": metadata, "data": {"mesh": mesh, "other": TOKEN}}
        for plural, item in {"pods": pod, "configmaps": config_map, "secrets": record(text)}.items():
            (tmp_path / f"{plural}.json").write_text(json.dumps({"kind": "List", "items": [item]}))
        for form in ("text", "json"):
            code, out, err = tool("doctor", "--from", str(tmp_path), "--format", form)
            assert code == 1
            assert_hidden(out, err)


def test_a_mistake_of_ours_tells_nothing(tool: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that nobody foresaw may hold anything in its words: they are left out, its place is not."""

    def fail(*_: object) -> None:
        raise ValueError(f"could not convert {TOKEN!r}")

    monkeypatch.setattr(pipeline, "make_plan", fail)
    code, out, err = tool(stdin=STREAMS["what is patched"])
    assert (code, out) == (3, b"")
    assert "a mistake in groundcover-istio itself: ValueError at pipeline.py:" in err
    assert_hidden(err)
