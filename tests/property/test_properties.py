"""What holds for any stream: hypothesis makes the mesh config, the scalar that carries it, and what stands around it."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundcover_istio import pipeline
from groundcover_istio.config import layer_from_options
from groundcover_istio.k8syaml import escape, parse, scalar_text, to_data

if TYPE_CHECKING:
    from groundcover_istio.model import Outcome

OTHER_PROVIDER = {
    "block": "name: authz # keep me\n  envoyExtAuthzGrpc:\n    service: authz.default.svc.cluster.local\n    port: 9000",
    "flow": "{name: authz, envoyExtAuthzGrpc: {service: authz.default.svc.cluster.local, port: 9000}}",
}
BROKEN = {
    "block": (
        "name: otel-tracing\n  # from the page\n  opentelemetry:\n    port: 4318\n"
        "    service: groundcover-sensor.groundcover.svc.cluster.local:4318 # as printed"
    ),
    "flow": "{name: otel-tracing, opentelemetry: {service: 'groundcover-sensor.groundcover:4318'}}",
}


def indented(lines: str, by: int) -> str:
    """Every line but blank ones moved to the right."""
    return textwrap.indent(lines, " " * by)


@st.composite
def provider_lists(draw: st.DrawFn) -> str:
    """The key extensionProviders in one of its forms, or nothing."""
    form = draw(st.sampled_from(["", "null", "empty", "block", "indented", "flow"]))
    entries = draw(st.lists(st.sampled_from([OTHER_PROVIDER, BROKEN]), min_size=1, max_size=2, unique_by=id))
    comment = draw(st.sampled_from(["", "  # providers", " # é"]))
    if form == "":
        return ""
    if form == "null":
        return f"extensionProviders:{comment}\n"
    if form == "empty":
        return f"extensionProviders: []{comment}\n"
    if form == "flow":
        return f"extensionProviders: [{', '.join(entry['flow'] for entry in entries)}]{comment}\n"
    by = 2 if form == "indented" else 0
    items = "\n".join(f"- {entry['block']}" for entry in entries)
    between = draw(st.sampled_from(["", "# the list\n", "\n"]))
    return f"extensionProviders:{comment}\n{indented(between, by)}{indented(items, by)}\n"


DEFAULT_PROVIDERS = ["", "defaultProviders: {}\n", "defaultProviders:\n  metrics:\n  - prometheus # chart\n",
                     "defaultProviders: {metrics: [prometheus]}\n", "defaultProviders:\n    tracing: []\n",
                     "defaultProviders:\n  tracing:\n    - otel-tracing\n"]  # fmt: skip
DEFAULT_CONFIG = ["", "defaultConfig:\n", "defaultConfig: {discoveryAddress: a}\n", "defaultConfig:\n  tracing:\n    sampling: 10 # x\n",
                  "defaultConfig:\n    holdApplicationUntilProxyStarts: true\n\n    # end\n"]  # fmt: skip
REST = ["rootNamespace: istio-system\n", "# a comment\n", "\n", "text: |\n  # no comment\n  x\n", "enableTracing: false\n",
        "trustDomain: 'büro.local'\n", "accessLogFormat: >-\n  a\n\n  b\n"]  # fmt: skip


@st.composite
def meshes(draw: st.DrawFn) -> str:
    """A mesh config as text."""
    parts = [draw(provider_lists()), draw(st.sampled_from(DEFAULT_PROVIDERS)), draw(st.sampled_from(DEFAULT_CONFIG))]
    parts += draw(st.lists(st.sampled_from(REST), max_size=4, unique=True))
    text = "".join(draw(st.permutations(parts)))
    if draw(st.booleans()):
        text = text.rstrip("\n")
    return text


@st.composite
def scalars(draw: st.DrawFn, mesh: str) -> str:
    """The mesh config as a value of the key `mesh`, at four spaces, in one of the styles that can hold it."""
    styles = ["double", "wrapped"]
    if mesh.strip() and not mesh.startswith((" ", "\n")):
        styles += ["|", "|-", "|+", "|2-"]
    style = draw(st.sampled_from(styles))
    if style == "double":
        return f'"{escape(mesh)}"'
    if style == "wrapped":
        lines = escape(mesh).split("\\n")
        # An escaped line break swallows the white space behind it, so a line's own is escaped too.
        return '"' + "\\n\\\n      ".join("\\" + line if line.startswith(" ") else line for line in lines) + '"'
    blank = draw(st.sampled_from(["", "  "]))
    lines = [f"    {line}" if line else blank for line in mesh.split("\n")]
    return f"{style}\n" + "\n".join(lines)


NEIGHBOURS = ["apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {mesh: x}\n", "# only a comment\n", "",
              "kind: ConfigMap\ndata:\n  a: |\n    -----BEGIN\n    mesh: {}\n", "kind: Service\nmetadata: {name: x}\n"]  # fmt: skip


@st.composite
def streams(draw: st.DrawFn) -> tuple[str, str, str]:
    """A stream's text before the mesh scalar, the scalar, and after it."""
    mesh = draw(meshes())
    scalar = draw(scalars(mesh))
    head = "".join(f"---\n{each}" for each in draw(st.lists(st.sampled_from(NEIGHBOURS), max_size=2)))
    head += "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: istio\n  namespace: istio-system\ndata:\n  mesh: "
    tail = draw(st.sampled_from(["\n", "\n  other: x\n", "\n# end\n"]))
    tail += "".join(f"---\n{each}" for each in draw(st.lists(st.sampled_from(NEIGHBOURS), max_size=2)))
    return head, scalar, tail


def run(stream: bytes, **options: str) -> Outcome:
    """One run with options by flag."""
    flags = {key.replace("_", "-"): value for key, value in options.items()}
    return pipeline.run(stream, [layer_from_options(flags, "test")])


def mesh_of(stream: bytes) -> dict[str, object]:
    """The mesh config in a stream, read by PyYAML alone."""
    for document in yaml.safe_load_all(stream.decode()):
        if isinstance(document, dict) and (document.get("metadata") or {}).get("name") == "istio":
            return yaml.safe_load(document["data"]["mesh"]) or {}
    pytest.fail("the mesh config has gone")


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(streams(), st.sampled_from(["otlp-http", "otlp-grpc"]), st.sampled_from(["\n", "\r\n"]))
def test_only_the_mesh_scalar_changes(parts: tuple[str, str, str], protocol: str, newline: str) -> None:
    """Around the scalar nothing changes, in it all comments stay, and what it says is what was planned."""
    head, scalar, tail = (part.replace("\n", newline) for part in parts)
    before = (head + scalar + tail).encode()
    old = mesh_of(before)
    after = run(before, protocol=protocol).after
    assert after.startswith(head.encode())
    assert after.endswith(tail.encode())
    assert after.count(b"\r") == 0 or newline == "\r\n"
    for comment in re.findall(r"#[^\n\\\"]*", scalar.replace("\r", "")):
        assert comment.encode() in after

    new = mesh_of(after)
    providers = {each["name"]: each for each in new.pop("extensionProviders")}  # type: ignore[attr-defined]
    ours = providers.pop("otel-tracing")["opentelemetry"]
    assert ours["service"] == "groundcover-sensor.groundcover.svc.cluster.local"
    assert ours["port"] == (4318 if protocol == "otlp-http" else 4317)
    assert ("http" in ours) == (protocol == "otlp-http")
    assert new.pop("enableTracing") is True
    assert new.pop("defaultProviders") == {**(old.pop("defaultProviders", None) or {}), "tracing": ["otel-tracing"]}  # type: ignore[dict-item]
    assert new.pop("defaultConfig") == {**(old.pop("defaultConfig", None) or {}), "tracing": {"sampling": 1}}  # type: ignore[dict-item]
    others = {each["name"]: each for each in old.pop("extensionProviders", None) or []}  # type: ignore[attr-defined]
    others.pop("otel-tracing", None)
    old.pop("enableTracing", None)
    assert providers == others
    assert new == old


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(streams(), st.sampled_from(["auto", "mesh", "telemetry", "none"]), st.booleans())
def test_a_second_run_changes_nothing(parts: tuple[str, str, str], activation: str, logs: bool) -> None:  # noqa: FBT001
    """f(f(x)) == f(x), byte for byte, whatever the settings."""
    options = {"activation": activation, "access_logs": str(logs).lower(), "replace_default_provider": "true"}
    once = run("".join(parts).encode(), **options).after
    assert run(once, **options).after == once


LINES = ["---", "--- # c", "---\t", "-------", "---x", "-----BEGIN CERTIFICATE-----", "...", "a: 1", "\tb", "# mesh: no", "kind: Pod",
         "kind: ConfigMap", "kind: Secret", "mesh: x", "", " ", "groundcover", "telemetry.istio.io", "\xff", "é", "\0", "%YAML 1.2"]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(LINES).filter(lambda line: line != "kind: ConfigMap")),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
def test_what_is_not_ours_passes_through(lines: list[str], newline: str, bom: bool) -> None:  # noqa: FBT001
    """A stream without anything of ours comes out as it went in, YAML or not."""
    stream = (b"\xef\xbb\xbf" if bom else b"") + newline.join(lines).encode("latin-1")
    outcome = run(stream)
    assert outcome.after == stream
    assert [each.code for each in outcome.decisions] == ["nothing-here"]


@settings(max_examples=500, deadline=None)
@given(st.text(), st.sampled_from(["", "'", '"']))
def test_written_scalars_read_back(text: str, style: str) -> None:
    """Whatever the text, it reads back as that text: by our rules and by PyYAML's."""
    line = f"key: {scalar_text(text, style=style)}\n"
    (tree,) = parse(line)
    assert to_data(tree.root) == {"key": text}
    assert yaml.safe_load(line) == {"key": text}
