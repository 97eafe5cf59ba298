"""`--at`: what it finds, and what it refuses rather than write values where nothing reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from groundcover_istio.exports import write_into

from .test_export_properties import DATA, KEYS, MESHES, STYLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
spec: {interval: 1h, values: {pilot: {password: hunter2}}, empty: , none: []}
"""
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
spec:
  project: hunter2
  sources:
  - {chart: base}
  - {chart: istiod, helm: {values: ""}}
  - {chart: istiod, helm: {valuesObject: {}, values: "a: 1"}}
  - {chart: istiod, helm: {values: "a: [hunter2"}}
  - {chart: istiod, helm: {values: "- 1"}}
  - {chart: istiod, helm: {values: "a: 1\\n---\\nb: 2"}}
  - {chart: istiod, helm: {releaseName: a}}
  - {chart: istiod, helm: {values: "{{ .name }}: 1"}}
  - {chart: istiod, helm: {values: &text "a: 1"}, again: *text}
"""
REFUSED = {
    "an empty step": (RELEASE, "spec..x", '"spec..x" has a step that is empty'),
    "a step that is half an index": (RELEASE, "spec[x]", '"spec[x]" has a step that is empty or no key'),
    "an index behind the document's": (RELEASE, "[0].[1]", '"[1]" has a step that is empty or no key'),
    "a document that is an object": (RELEASE, "[0]", "has values of the istiod chart under spec.values"),
    "a first step that is not there": (RELEASE, "sepc.values", "sepc is not there; the document has apiVersion, kind, spec"),
    "and what it may mean": (RELEASE, "sepc.values", "did you mean --at spec.values?"),
    "a last key that is almost one": (RELEASE, "spec.value", "spec.value is not there; spec has interval, values"),
    "and what that may mean": (RELEASE, "spec.value", "did you mean --at spec.values?"),
    "nothing where steps go on": (RELEASE, "spec.none.a", "spec.none.a is not there; spec.none is empty"),
    "a missing step in the middle": (RELEASE, "spec.empty.a.b", "spec.empty.a is not there; spec.empty is empty"),
    "a step in a number": (RELEASE, "spec.values.pilot.password.a", "spec.values.pilot.password: holds no values"),
    "a value that is a list": (RELEASE, "spec.none", "spec.none is a list, values are a mapping"),
    "the mesh config": (RELEASE, "spec.values.meshConfig", "fix: --at spec.values\n"),
    "the mesh config at the top": ("a: 1\n", "meshConfig", "fix: leave meshConfig away"),
    "an index out of range": (APPLICATION, "spec.sources[9].helm", "spec.sources[9] is not there"),
    "a key in a list": (APPLICATION, "spec.sources.helm.values", "spec.sources.helm is not there; spec.sources has items"),
    "no values of Argo CD": (APPLICATION, "spec.value", "Argo CD reads no values at spec.value"),
    "a mapping for a text": (APPLICATION, "spec.sources[6].helm.values", "fix: --at spec.sources[6].helm.valuesObject"),
    "a text passed over": (APPLICATION, "spec.sources[2].helm.values", "passed over where valuesObject stands beside it"),
    "an object over a text": (APPLICATION, "spec.sources[3].helm.valuesObject", "would take the place of values"),
    "values of an umbrella": ("istiod: {meshConfig: {}}\nglobal: {hub: a}\n", "", "fix: --at istiod\n"),
    "of one that sets nothing": ("istiod:\nglobal: {hub: a}\n", "", "has values of the istiod chart under istiod;"),
    "of one with two": ("a: {pilot: {}}\nb: {pilot: {}}\nc: {}\n", "", "fix: --at a, or --at b\n"),
    "of one in an object": ("spec: {values: {istiod: {pilot: {}}}}\n", "spec.values", "fix: --at spec.values.istiod\n"),
    "of one in a text": (
        'spec: {values: "istiod: {pilot: {}}"}\n', "spec.values", "file.yaml, spec.values: has values of the istiod chart",
    ),
    "and where it is": ('spec: {values: "istiod: {pilot: {}}"}\n', "spec.values", "fix: --at spec.values.istiod\n"),
    "a text that is no YAML": (APPLICATION, "spec.sources[3].helm.values", "spec.sources[3].helm.values, line 2: not valid"),
    "a text that is a template": (APPLICATION, "spec.sources[7].helm.values", "spec.sources[7].helm.values: a mapping has"),
    "a text of a list": (APPLICATION, "spec.sources[4].helm.values", "spec.sources[4].helm.values: holds no values"),
    "a text of two documents": (APPLICATION, "spec.sources[5].helm.values", "holds 2 YAML documents, a"),
    "a text with an anchor": (APPLICATION, "spec.sources[8].helm.values", "carries the anchor &text"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "at", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(text: str, at: str, message: str, tmp_path: Path, tool: Callable[..., Any]) -> None:
    """With the step that is missing, and what stands there; the file stays, and no value of it is shown."""
    path = tmp_path / "file.yaml"
    path.write_text(text)
    code, out, err = tool("export", "istiod-values", "--into", str(path), *(["--at", at] if at else []))
    assert code in (2, 3)
    assert out == b""
    assert message in err
    assert "hunter2" not in err
    assert path.read_text() == text


TAKEN = {
    "values with something below them": "pilot: {}\nother: {pilot: {}}\n",
    "what the chart itself has": "_internal_defaults_do_not_set: {pilot: {}}\n",
    "a profile": "profile: ambient\nglobal: {istiod: {enableAnalysis: true}}\n",
}


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN)
def test_values_of_the_chart_itself(text: str, tmp_path: Path, tool: Callable[..., Any]) -> None:
    """Are none of an umbrella."""
    path = tmp_path / "values.yaml"
    path.write_text(text)
    assert tool("export", "istiod-values", "--into", str(path)).code == 0
    assert path.read_text().startswith(text)


@settings(max_examples=100)
@given(
    st.dictionaries(KEYS, DATA, max_size=3),
    MESHES,
    STYLES,
    st.sampled_from(["|", ">", "'", '"', ""]),
    st.sampled_from([20, 80]),
)
def test_a_text_is_edited_as_a_file_would_be(values: Any, mesh: Any, style: Any, scalar: str, width: Any) -> None:
    """However it stands in the file; around it nothing changes."""
    inner = yaml.safe_dump({**values, "meshConfig": mesh}, sort_keys=False, **style)
    root: Any = yaml.compose(yaml.safe_dump({"spec": {"helm": {"a": 1, "values": inner}, "b": [2]}}), yaml.SafeLoader)
    root.value[0][1].value[1][1].value[1][1].style = scalar or None
    before = yaml.serialize(root, Dumper=yaml.SafeDumper, width=width)
    # PyYAML folds lines that it must not fold.
    assume(yaml.safe_load(before)["spec"]["helm"]["values"] == inner)
    edited, _ = write_into("istiod-values", before.encode(), "f", (None, ""), [], "spec.helm.values")
    alone, _ = write_into("istiod-values", inner.encode(), "f", (None, ""), [], "")
    after = yaml.safe_load(edited)
    assert yaml.safe_load(after["spec"]["helm"].pop("values")) == yaml.safe_load(alone)
    assert after == {"spec": {"helm": {"a": 1}, "b": [2]}}
