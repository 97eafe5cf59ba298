"""What holds for any stream: hypothesis makes the mesh config, the scalar that carries it, and what stands around it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from groundcover_istio import pipeline
from groundcover_istio.k8syaml import parse, to_data
from groundcover_istio.options import layer_from_options
from groundcover_istio.serializer import block_lines, flow_text, scalar_text

from . import oracles
from .streams import grammar, streams

if TYPE_CHECKING:
    from groundcover_istio.model import Outcome


def run(stream: bytes, **options: str) -> Outcome:
    """One run with options by flag."""
    flags = {key.replace("_", "-"): value for key, value in options.items()}
    return pipeline.run(stream, [layer_from_options(flags, "test")])


def mesh_of(stream: bytes) -> dict[str, object]:
    """The mesh config in a stream, read by PyYAML alone."""
    for document in yaml.load_all(stream.decode(), yaml.CSafeLoader):
        if isinstance(document, dict) and (document.get("metadata") or {}).get("name") == "istio":
            return yaml.safe_load(document["data"]["mesh"]) or {}
    pytest.fail("the mesh config has gone")


@settings(max_examples=300)
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


@settings(max_examples=100)
@given(streams(), st.sampled_from(["auto", "mesh", "telemetry", "none"]), st.booleans())
def test_a_second_run_changes_nothing(parts: tuple[str, str, str], activation: str, logs: bool) -> None:  # noqa: FBT001
    """f(f(x)) == f(x), byte for byte, whatever the settings."""
    options = {"activation": activation, "access_logs": str(logs).lower(), "replace_default_provider": "true"}
    once = run("".join(parts).encode(), **options).after
    assert run(once, **options).after == once


LINES = ["---", "--- # c", "---\t", "-------", "---x", "-----BEGIN CERTIFICATE-----", "...", "a: 1", "\tb", "# mesh: no", "kind: Pod",
         "kind: ConfigMap", "kind: Secret", "mesh: x", "", " ", "groundcover", "telemetry.istio.io", "\xff", "é", "\0", "%YAML 1.2"]  # fmt: skip


@settings(max_examples=300)
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


@settings(max_examples=500)
@given(st.text(), st.sampled_from(["", "'", '"']))
def test_written_scalars_read_back(text: str, style: str) -> None:
    """Whatever the text, it reads back as that text: by our rules and by PyYAML's."""
    line = f"key: {scalar_text(text, style=style)}\n"
    (tree,) = parse(line)
    assert to_data(tree.root) == {"key": text}
    assert yaml.safe_load(line) == {"key": text}


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.text("ab \n\t:#-'\"\\", max_size=12)
)
COLLECTIONS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab \n?-", max_size=4), inner, max_size=3)
)  # fmt: skip


@settings(max_examples=500)
@given(COLLECTIONS)
def test_written_data_reads_back(data: Any) -> None:
    """Whatever it is, in block style and in flow style; every text with its line breaks, every number."""
    for text in ("\n".join(block_lines({"key": data}, 0)) + "\n", f"key: {flow_text(data, json=False)}\n"):
        (tree,) = parse(text)
        assert to_data(tree.root) == {"key": data}


@settings(max_examples=400)
@given(grammar(), st.sampled_from(oracles.ARGUMENTS))
def test_whatever_comes_in(stream: bytes, arguments: tuple[str, ...]) -> None:
    """All that `oracles` names, on streams of everything we know of, whole and broken."""
    oracles.examine(stream, arguments)
