"""Every value does something, every value that is read is declared, and no allowed values break a template."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .draw import SCHEMA, SUBCHART, SUBSCHEMA, leaves, others, values_of
from .kubernetes import NEWEST, complaints
from .support import CHART, Helm, HelmError, at, load, merged, values

if TYPE_CHECKING:
    from collections.abc import Iterator

SUBVALUES = CHART / "charts" / "istio-metrics"
OURS = (
    "with the values of groundcover-sensor:",
    "The chart groundcover-sensor can't work without:",
    "istio-metrics.serviceAccount.create is false and",
)
ALL_ON = {name: {"enabled": True} for name in ("firehose", "rum", "profiles")}
AGENT = {"metrics": {"enabled": True, "mode": "agent"}, "istio-metrics": {"enabled": True}}
# Installs under which a value may matter.
BASES: tuple[dict[str, Any], ...] = (
    values(),
    values(
        receivers=ALL_ON,
        networkPolicy={"enabled": True},
        telemetry={"enabled": True},
        metrics={"enabled": True},
        probes={"startup": {"enabled": True}},
    ),
    values(
        **AGENT,
        securityContext={"mode": "capabilities"},
        serviceAccount={"create": False, "name": "x"},
        rbac={"create": False},
    ),
    {
        "clusterId": "c",
        "global": {
            "ingress": {"site": "b.example.com"},
            "groundcoverPredefinedTokenSecret": {"secretName": "s"},
        },
    },
    values(metrics={"enabled": True, "mode": "monitors"}, existingSecret={"name": "s"}, token=""),
)
# Both charts' values, drawn once: to build the strategies takes longer than to draw.
DRAWN = st.tuples(values_of(SCHEMA), st.none() | values_of(SUBSCHEMA, "istio-metrics"))
# Enough for every run; a number in GROUNDCOVER_ISTIO_FUZZ draws more, and other ones.
EXAMPLES = int(os.environ.get("GROUNDCOVER_ISTIO_FUZZ", "60"))
# Kubernetes' schemas; tests/chart/test_objects.py says so when they are not there.
SCHEMAS = find_spec("kubernetes_validate") is not None
# Read by nobody, on purpose.
UNREAD = {"enabled"}


def every_leaf() -> Iterator[tuple[str, list[Any]]]:
    """Give every value of both values files with other values for it."""
    for path, schema, default in leaves(SCHEMA, load((CHART / "values.yaml").read_text())):
        yield path, others(path, schema, default)
    for path, schema, default in leaves(SUBSCHEMA, load((SUBVALUES / "values.yaml").read_text())):
        yield f"{SUBCHART}{path}", others(path, schema, default)


LEAVES = dict(every_leaf())


def outcome(helm: Helm, given_values: dict[str, Any]) -> str:
    """Give the render, or the chart's own refusal."""
    try:
        return helm.text(given_values, "--api-versions", "security.openshift.io/v1", "--kube-version", "1.36.0")
    except HelmError as error:
        assert any(sentence in str(error) for sentence in OURS), error  # noqa: PT017 - which message is the point
        return str(error)


@pytest.mark.parametrize("path", LEAVES)
def test_every_value_does_something(helm: Helm, path: str) -> None:
    """Another value makes another render, or a message, under one of the bases."""
    bases = BASES[2:3] if path.startswith(f"{SUBCHART}") and path != f"{SUBCHART}enabled" else BASES
    # A subchart's globals are its parent's.
    where = path.removeprefix(SUBCHART) if path.startswith(f"{SUBCHART}global.") else path
    assert any(
        outcome(helm, merged(base, at(where, value))) != outcome(helm, base) for base in bases for value in LEAVES[path]
    )


def test_every_value_that_is_read_is_declared() -> None:
    """What templates read is in values.yaml, where its reader looks."""
    for folder, root in ((CHART, SCHEMA), (SUBVALUES, SUBSCHEMA)):
        text = "\n".join(p.read_text() for p in sorted((folder / "templates").rglob("*")) if p.is_file())
        found = set(re.findall(r"\.Values\.([A-Za-z_.]+[A-Za-z])", text))
        assert len(found) > 10
        declared = load((folder / "values.yaml").read_text())
        for path in found:
            data: Any = declared
            for key in path.split("."):
                assert isinstance(data, dict), path
                assert key in data, path
                data = data[key]
        assert set(root["properties"]) - set(declared) == UNREAD


def check(helm: Helm, own: dict[str, Any], agent: dict[str, Any] | None) -> None:
    """Render drawn values on top of the required ones."""
    drawn = {key: value for key, value in own.items() if key != "istio-metrics"}
    if agent is not None:
        drawn = merged(drawn, merged(AGENT, {"istio-metrics": {**agent, "enabled": True}}))
    base: dict[str, Any] = {"clusterId": "c", "token": "t", "ingestion": {"site": "a.example.com"}}
    try:
        render = helm.render(merged(drawn, base), "--kube-version", "1.36.0")
    except HelmError as error:
        assert any(sentence in str(error) for sentence in OURS), error  # noqa: PT017 - which message is the point
        return
    assert render.has("DaemonSet")
    for o in render.objects if SCHEMAS else ():
        assert complaints(o, NEWEST) == []


@pytest.mark.timeout(0)  # the more examples, the longer
def test_allowed_values_render_or_are_refused(helm: Helm) -> None:
    """Never a template error, and what renders is valid."""

    @given(DRAWN)
    @settings(max_examples=EXAMPLES, derandomize=EXAMPLES == 60, database=None)
    def fuzz(pair: tuple[dict[str, Any], dict[str, Any] | None]) -> None:
        check(helm, *pair)

    fuzz()
