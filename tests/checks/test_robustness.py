"""Whatever stands in the inputs, there are findings or none, never an exception."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from groundcover_istio import k8syaml
from groundcover_istio.checks import engine, formats, pages, registry
from groundcover_istio.checks.finding import UNREADABLE
from groundcover_istio.checks.loading import File, Given

EXAMPLES = [text for rule in registry.RULES for section in ("Bad", "Good") for text in pages.examples(rule, section)]
DOCUMENTS = [[k8syaml.to_data(tree.root) for tree in k8syaml.parse(text)] for text in EXAMPLES]
JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        2.5,
        10**30,
        "",
        "*",
        "a",
        "a.b:1",
        "${X}",
        [],
        [None],
        ["a", 1],
        {},
        {"": None},
        {"name": ["x"]},
        [{"a": {}}],
    ]
)


def places(data: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of everything below."""
    below = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [found for key, value in below for found in ((*path, key), *places(value, (*path, key)))]


def spoilt(documents: list[Any], path: tuple[str | int, ...], junk: Any) -> list[Any]:
    """The documents with one value replaced."""
    changed: Any = copy.deepcopy(documents)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = junk
    return list(changed)


@settings(max_examples=400)
@given(st.data())
def test_anything_anywhere(data: st.DataObject) -> None:
    """One to three values of an example replaced by others, in the text of its mesh config too."""
    documents = copy.deepcopy(data.draw(st.sampled_from(DOCUMENTS)))
    for document in documents:
        mesh = document.get("data", {}).get("mesh") if document.get("kind") == "ConfigMap" else None
        if mesh:
            inner = [k8syaml.to_data(k8syaml.parse(mesh)[0].root)]
            path = data.draw(st.sampled_from(places(inner)))
            document["data"]["mesh"] = json.dumps(spoilt(inner, path, data.draw(JUNK))[0])
    for _ in range(data.draw(st.integers(1, 3))):
        documents = spoilt(documents, data.draw(st.sampled_from(places(documents))), data.draw(JUNK))
    text = "\n---\n".join(json.dumps(document) for document in documents)
    report = engine.check([File("x.yaml", text.encode())], Given())
    for form in formats.FORMATS.values():
        assert form(report.findings) is not None


def report_of(content: bytes) -> engine.Report:
    """What is found: in the file, by a rule that there is, and that it can't be read where that is so."""
    report = engine.check([File("x.yaml", content)], Given())
    lines = content.count(b"\n") + 1
    assert all(1 <= finding.line <= lines and finding.column >= 1 for finding in report.findings)
    found = {finding.rule for finding in report.findings}
    assert found <= {UNREADABLE, *registry.BY_ID}
    assert report.readable == (UNREADABLE not in found)
    return report


@settings(max_examples=200)
@given(st.sampled_from(EXAMPLES), st.integers(0, 2000), st.text(max_size=5))
def test_any_text(text: str, position: int, added: str) -> None:
    """Examples with something typed into them."""
    at = position % (len(text) + 1)
    report_of((text[:at] + added + text[at:]).encode("utf-8", "replace"))


@settings(max_examples=100)
@given(st.binary(max_size=60))
def test_any_bytes(content: bytes) -> None:
    """What is no text is reported, not raised."""
    report = report_of(content)
    try:
        content.decode()
    except UnicodeDecodeError:
        assert [finding.rule for finding in report.findings] == [UNREADABLE]
