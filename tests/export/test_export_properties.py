"""Whatever a user's file holds and however it is written: only what is ours changes, and only once."""

from __future__ import annotations

import copy
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from groundcover_istio import k8syaml
from groundcover_istio.config import Layer
from groundcover_istio.edits import apply_to_data
from groundcover_istio.exports import write_into
from groundcover_istio.exports.merge import changes

KEYS = st.sampled_from(["pilot", "global", "meshNetworks", "a b", "# no comment", "x: y", "-", "1", "true", "ключ"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 99999),
    st.text(max_size=12),
    st.sampled_from(["a # b", "- x", "%", "1.0"]),
)
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)
PROVIDERS = st.lists(
    st.sampled_from(
        [
            {"name": "authz", "envoyExtAuthzGrpc": {"service": "a.b.svc.cluster.local", "port": 1}},
            {"name": "zipkin-tracing", "zipkin": {"service": "groundcover-sensor.groundcover.svc.cluster.local", "port": 9411}},
            {"name": "Datadog-Tracing", "datadog": {"address": "groundcover-sensor.groundcover:8126"}},
            {"name": "team", "zipkin": {"service": "groundcover-sensor.groundcover.svc.cluster.local", "port": 9411}},
            {"name": "jaeger", "opentelemetry": {"service": "jaeger.o.svc.cluster.local", "port": 4317}},
        ]
    ),
    max_size=4,
    unique_by=lambda each: str(each["name"]),
)  # fmt: skip
MESHES = st.fixed_dictionaries(
    {},
    optional={
        "extensionProviders": PROVIDERS,
        "accessLogFile": st.sampled_from(["", "/dev/stdout"]),
        "defaultConfig": st.fixed_dictionaries({}, optional={"image": DATA, "tracing": st.just({"sampling": 3})}),
        "defaultProviders": st.just({"metrics": ["prometheus"]}),
        "trustDomain": st.text(max_size=5),
    },
)
SETTINGS = st.sampled_from(
    [
        {},
        {"tracing": {"protocol": "zipkin"}},
        {"accessLogs": {"enabled": True}},
        {"tracing": {"activation": "telemetry"}},
    ]
)
STYLES = st.fixed_dictionaries(
    {"default_flow_style": st.booleans(), "indent": st.sampled_from([2, 4]), "allow_unicode": st.booleans()}
)


def read(text: str | bytes) -> Any:
    """As Kubernetes reads it."""
    return k8syaml.to_data(k8syaml.parse(text if isinstance(text, str) else text.decode())[0].root)


def without_ours(values: Any) -> Any:
    """What is not ours to change."""
    values = copy.deepcopy(values)
    mesh = values.get("meshConfig") or {}
    for key in ("extensionProviders", "defaultProviders", "enableTracing"):
        mesh.pop(key, None)
    (mesh.get("defaultConfig") or {}).pop("tracing", None)
    if not mesh.get("defaultConfig"):
        mesh.pop("defaultConfig", None)
    values["meshConfig"] = mesh
    return values


@settings(max_examples=150)
@given(st.dictionaries(KEYS, DATA, max_size=4), MESHES, SETTINGS, STYLES)
def test_only_what_is_ours_changes(values: Any, mesh: Any, given_settings: Any, style: Any) -> None:
    """And the second time nothing does; a broken entry of ours takes today's name or is gone, a valid one is never lost."""
    text = yaml.safe_dump({**values, "meshConfig": mesh}, sort_keys=False, **style)
    layers = [Layer("test", given_settings)]
    once, _ = write_into("istiod-values", text.encode(), "f", (None, ""), layers, "")
    assert without_ours(read(once)) == without_ours(read(text))
    twice, _ = write_into("istiod-values", once, "f", (None, ""), layers, "")
    assert twice == once
    names = [each["name"] for each in read(once)["meshConfig"]["extensionProviders"]]
    before = mesh.get("extensionProviders", [])
    foreign = [each for each in before if each["name"] in ("authz", "jaeger", "team")]
    assert [each for each in read(once)["meshConfig"]["extensionProviders"] if each in foreign] == foreign
    assert "Datadog-Tracing" not in names
    assert len(names) >= len([each for each in before if each["name"] != "Datadog-Tracing"])
    assert len(names) == len(set(names))


@given(DATA, DATA)
def test_changes_make_one_of_the_other(before: Any, after: Any) -> None:
    """The operations between two values, carried out."""
    done = apply_to_data({"root": copy.deepcopy(before)}, changes({"root": before}, {"root": after}, ()))
    assert done == {"root": after}
