"""Positions: through every style of scalar that can hold a mesh config, to line and column of the file."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundcover_istio import k8syaml, serializer
from groundcover_istio.checks.places import Inner, Lines
from groundcover_istio.spelling import camel

if TYPE_CHECKING:
    from collections.abc import Callable

    from groundcover_istio.checks.finding import Finding

HEAD = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: istio}\ndata:\n"
# The text of each case holds MARK where the finding has to be: before `http` of a provider without a timeout.
STYLES = {
    "literal block": (
        "  mesh: |-\n    extensionProviders:\n    - name: a\n      opentelemetry:\n        service: a.b.svc.cluster.local\n"
        "        port: 1\n        MARKhttp: {path: /x}\n"
    ),
    "literal block with an indentation indicator": (
        "  mesh: |2- # here\n    extensionProviders:\n    - name: a\n      opentelemetry: {service: a.b.svc.cluster.local,\n"
        "        port: 1, MARKhttp: {path: /x}}\n"
    ),
    "literal block with blank lines and comments": (
        "  mesh: |\n\n    # first\n\n    extensionProviders:\n\n    - name: a # it's\n      opentelemetry:\n"
        "        port: 1\n        MARKhttp: {path: /x}\n        service: a.b.svc.cluster.local\n\n  other: 1\n"
    ),
    "folded block": (
        "  mesh: >-\n    {extensionProviders: [{name: a, opentelemetry:\n    {service: a.b.svc.cluster.local, port: 1,\n\n"
        "    MARKhttp: {path: /x}}}]}\n"
    ),
    "double quotes": (
        '  mesh: "extensionProviders:\\n- name: a\\n  opentelemetry:\\n    service: \\x61.b.svc.cluster.local\\n'
        '    port: 1\\n    MARKhttp: {path: \\"/x\\"}\\n"\n'
    ),
    "double quotes over several lines": (
        '  mesh: "{extensionProviders: [{name: a,\n    opentelemetry: {service: a.b.svc.cluster.local, port: 1, \\\n'
        '    MARKhttp: {path: /x}}}]}"\n'
    ),
    "single quotes": (
        "  mesh: '{extensionProviders: [{name: ''a'', opentelemetry:\n    {service: ''a.b.svc.cluster.local'', port: 1,"
        " MARKhttp: {path: /x}}}]}'\n"
    ),
    "with text that is no ASCII": (
        "  # größer\n  mesh: |-\n    # Größe € 𝄞\n    extensionProviders:\n    - {name: é, opentelemetry: {port: 1,"
        " service: a.b.svc.cluster.local, MARKhttp: {path: /x}}}\n"
    ),
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("body", STYLES.values(), ids=STYLES)
def test_line_and_column_in_the_file(body: str, newline: str, findings: Callable[..., list[Finding]]) -> None:
    """The finding stands exactly where the key is written."""
    marked = (HEAD + body).replace("\n", newline)
    (found,) = [each for each in findings(marked.replace("MARK", "")) if each.rule == "GCI007"]
    before = marked[: marked.index("MARK")]
    assert (found.line, found.column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))


def test_json_document(findings: Callable[..., list[Finding]]) -> None:
    """A mesh config inside JSON: the scalar's line, and the column inside it."""
    mesh = "extensionProviders:\n- name: a\n  opentelemetry:\n    port: 1\n    service: a.b.svc.cluster.local\n    http: {}\n"
    text = json.dumps(
        {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "istio"}, "data": {"mesh": mesh}}, indent=1
    )
    (found,) = [each for each in findings(text) if each.rule == "GCI007"]
    line = text.split("\n")[found.line - 1]
    assert line[found.column - 1 :].startswith("http: {}")


def block(header: str, value: str) -> str:
    """A block scalar that holds these lines."""
    return f"{header}2-\n" + "".join(f"  {line}\n" for line in value.split("\n"))


BREAKS = {0x85: "x", 0x2028: "x"}
"""What YAML folds like a line break where it is not escaped."""
ESCAPING: dict[str, Callable[[str], str]] = {
    "JSON": json.dumps,
    "JSON without escapes of letters": lambda value: json.dumps(value.translate(BREAKS), ensure_ascii=False),
    "double quotes as this project writes them": lambda value: f'"{serializer.escape(value)}"',
}
RAW: dict[str, Callable[[str], str]] = {
    "double quotes over several lines": lambda value: '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"',
    "single quotes": lambda value: "'" + value.replace("'", "''") + "'",
    "literal block": lambda value: block("|", value),
    "folded block": lambda value: block(">", value),
    "plain": lambda value: "a" + re.sub(r"[:#\"'\\]", "b", value),
}


def follow(text: str) -> str:
    """Find each character that is no white space of the scalar in a text again; its value."""
    root = k8syaml.parse(text)[0].root
    assert isinstance(root, k8syaml.Scalar)
    inner = Inner(text, root)
    for index, char in enumerate(root.value):
        if not char.isspace():
            assert text[inner.outer(index)] in (char, "\\")
    return root.value


@pytest.mark.parametrize("style", ESCAPING.values(), ids=ESCAPING)
@given(value=st.text(alphabet=st.sampled_from("ab:# \n\t\"'\\é\u2028\x85"), max_size=40))
def test_every_escape_is_followed(style: Callable[[str], str], value: str) -> None:
    """Where everything can be written, the value is the one that was meant."""
    assert follow(style(value)) in (value, value.translate(BREAKS))


@pytest.mark.parametrize("style", RAW.values(), ids=RAW)
@given(value=st.text(alphabet=st.sampled_from("ab:# \n\"'\\é"), max_size=40))
def test_every_style_is_followed(style: Callable[[str], str], value: str) -> None:
    """Folded or not, no character but white space is lost or stands elsewhere."""
    text = style(value)
    written = [char for char in value if not char.isspace()]
    assert len([char for char in follow(text) if not char.isspace()]) == len(written) + text.startswith("a")


def test_lines_count_from_one() -> None:
    """The first character is 1:1; the one after a line break starts a line."""
    lines = Lines("ab\n\nc")
    assert [lines.at(offset) for offset in (0, 1, 3, 4)] == [(1, 1), (1, 2), (2, 1), (3, 1)]


def test_camel_case() -> None:
    """Jsonpb's two spellings."""
    assert camel("extension_providers") == "extensionProviders"
    assert camel("enable64bit_trace_id") == "enable64bitTraceId"
    assert camel("service") == "service"
