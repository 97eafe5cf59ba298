"""Whole streams: what passes through, and what becomes of real ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).resolve().parents[1] / "data"
OUTSIDE = os.environ.get("GROUNDCOVER_ISTIO_TEST_DATA", "")


def streams(pattern: str) -> list[Any]:
    """Streams of the project and of the folder that the environment names, one parameter each."""
    folders = [DATA, *([Path(OUTSIDE)] if OUTSIDE else [])]
    paths = sorted(path for folder in folders for path in folder.glob(pattern))
    return [pytest.param(path, id=path.name) for path in paths]


def documents(stream: bytes) -> list[dict[str, Any]]:
    """Every object of a stream, read by PyYAML alone."""
    return [document for document in yaml.load_all(stream.decode(), yaml.CSafeLoader) if document]


ODD = {
    "empty documents": b"---\n---\n\n---\n",
    "only comments": b"# Source: x/templates/y.yaml\n# nothing here\n",
    "carriage returns": b"---\r\nkind: Pod\r\nmetadata: {name: groundcover-sensor}\r\n",
    "a byte order mark": b"\xef\xbb\xbfkind: Pod\n",
    "a byte order mark in the middle": b"kind: Pod\n---\n\xef\xbb\xbfkind: Pod\n",
    "no final line break": b"kind: Pod\n--- # end",
    "tabs in a scalar": b"data:\n  a: |\n    x\ty\n  mesh: no\n",
    "a certificate": b"data:\n  a: |\n    -----BEGIN CERTIFICATE-----\n    mesh: x\n    -----END CERTIFICATE-----\n",
    "dashes at the start of a line": b'a: "x\n-------\n"\n',
    "glued to the separator": b"---apiVersion: v1\nkind: ConfigMap\n",
    "a document on the separator's line": b'--- {"kind": "Pod"}\n--- null\n',
    "not UTF-8": b"kind: Secret\ndata: \xff\xfe mesh\n",
    "NUL bytes": b"kind: Pod\0\n",
    "not YAML": b"Error: INSTALLATION FAILED: x: [\n\tmesh: }",
    "UTF-16": "kind: ConfigMap\nmesh: x\n".encode("utf-16"),
    "a ConfigMap of another name": b"kind: ConfigMap\napiVersion: v1\nmetadata: {name: mesh}\ndata: {mesh: 'a: 1'}\n",
    "a mesh config without data": b"kind: ConfigMap\napiVersion: v1\nmetadata: {name: istio}\ndata:\n",
    "metadata that is null": b"kind: ConfigMap\napiVersion: v1\nmetadata:\ndata: {mesh: 'a: 1'}\n",
    "labels that are a list": b"kind: Service\nmetadata: {labels: [groundcover]}\n",
    "a Telemetry alone": b"apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: a, namespace: istio-system}\n",
    "a Service of another's": b"apiVersion: v1\nkind: Service\nmetadata: {name: groundcover-alligator}\nspec: {ports: []}\n",
}


@pytest.mark.parametrize("stream", ODD.values(), ids=ODD)
def test_nothing_of_ours_passes_through(stream: bytes, tool: Callable[..., Any]) -> None:
    """Byte for byte, whatever it is."""
    assert tool(stdin=stream) == (0, stream, "")


@pytest.mark.parametrize("path", streams("*.yaml"))
def test_switched_off_everything_passes_through(path: Path, tool: Callable[..., Any]) -> None:
    """With `enabled: false` no stream changes."""
    assert tool("--enabled", "false", stdin=path.read_bytes()) == (0, path.read_bytes(), "")


@pytest.mark.parametrize("path", streams("istiod-*.yaml"))
@pytest.mark.parametrize(
    ("protocol", "name", "kind", "payload"),
    [
        ("otlp-http", "otel-tracing", "opentelemetry", {"port": 4318, "http": {"path": "/v1/traces", "timeout": "5s"}}),
        ("otlp-grpc", "otel-tracing", "opentelemetry", {"port": 4317}),
        ("datadog", "datadog-tracing", "datadog", {"port": 8126}),
        ("zipkin", "zipkin-tracing", "zipkin", {"port": 9411}),
    ],
)
def test_an_istiod_release(
    path: Path, protocol: str, name: str, kind: str, payload: dict[str, Any], tool: Callable[..., Any]
) -> None:
    """Only the text of the mesh config changes; it says what it said and our four fields; once more changes nothing."""
    before = path.read_bytes()
    code, after, err = tool("--protocol", protocol, stdin=before)
    assert (code, err) == (0, "")
    objects = dict(enumerate(documents(before)))
    changed = {index: document for index, document in enumerate(documents(after)) if document != objects[index]}
    assert len(documents(after)) == len(objects)
    ((index, document),) = changed.items()
    mesh = yaml.safe_load(document["data"].pop("mesh"))
    old = yaml.safe_load(objects[index]["data"].pop("mesh"))
    assert document == objects[index]
    host = "groundcover-sensor.groundcover.svc.cluster.local"
    assert mesh == {
        **old,
        "extensionProviders": [{"name": name, kind: {"service": host, **payload}}],
        "defaultProviders": {"metrics": ["prometheus"], "tracing": [name]},
        "enableTracing": True,
        "defaultConfig": {**old["defaultConfig"], "tracing": {"sampling": 1}},
    }
    assert_only_lines_added(before, after)
    assert tool("--protocol", protocol, stdin=after).out == after


def assert_only_lines_added(before: bytes, after: bytes) -> None:
    """Every line of `before` stands in `after`, in its order, to the byte."""
    lines = iter(after.splitlines(keepends=True))
    for line in before.splitlines(keepends=True):
        assert line in lines


@pytest.mark.parametrize("path", streams("groundcover-vendor-*.yaml"))
def test_the_vendors_chart(path: Path, tool: Callable[..., Any]) -> None:
    """The sensor Service of the vendor's chart is found among eight; one Telemetry is appended, nothing else changes."""
    before = path.read_bytes()
    code, after, err = tool("--protocol", "otlp-grpc", stdin=before)
    assert (code, err) == (0, "")
    assert after.startswith(before)
    comment, telemetry = after[len(before) :].removeprefix(b"---\n").split(b"\n", 1)
    assert comment == b"# Source: groundcover/templates/groundcover-istio-telemetry.yaml"
    assert yaml.safe_load(telemetry)["spec"] == {"tracing": [{"randomSamplingPercentage": 1}]}
    assert tool("--protocol", "otlp-grpc", stdin=after).out == after
    assert tool("--activation", "mesh", stdin=before).out == before


@pytest.mark.parametrize("path", streams("istiod-*.helm3*.yaml"))
def test_sensor_and_istiod_in_one_stream(path: Path, tool: Callable[..., Any]) -> None:
    """An umbrella release: the mesh config points to the sensor's real port, and there is one Telemetry."""
    sensor = (DATA / "sensor-compact.helm3.yaml").read_bytes()
    code, after, err = tool(stdin=sensor + path.read_bytes())
    assert (code, err) == (0, "")
    telemetries = [document for document in documents(after) if document["kind"] == "Telemetry"]
    assert [each["metadata"]["namespace"] for each in telemetries] == ["istio-system"]
    mesh = next(
        each for each in documents(after) if each["metadata"]["name"] == "istio" and each["kind"] == "ConfigMap"
    )
    provider = yaml.safe_load(mesh["data"]["mesh"])["extensionProviders"][0]["opentelemetry"]
    assert (provider["service"], provider["port"]) == ("eyes-sensor.obs.svc.cluster.local", 14318)
    assert tool(stdin=after).out == after


def test_helm_4_is_told_the_template_of_an_added_object(tool: Callable[..., Any]) -> None:
    """By the annotation that Helm 4 strips again, and only where the stream has it."""
    sensor = (DATA / "sensor-compact.helm4.yaml").read_bytes()
    telemetry = documents(tool(stdin=sensor).out)[-1]
    assert telemetry["metadata"]["annotations"] == {
        "postrenderer.helm.sh/postrender-filename": "eyes/templates/groundcover-istio-telemetry.yaml"
    }
    assert b"# Source" not in tool(stdin=sensor).out


def test_a_chart_name_that_is_no_name_is_not_passed_on(tool: Callable[..., Any]) -> None:
    """Helm 4 would write a file of that name with --output-dir."""
    sensor = (DATA / "sensor-compact.helm4.yaml").read_bytes().replace(b"'eyes/", b"'../")
    code, after, _ = tool(stdin=sensor)
    assert code == 0
    assert "annotations" not in documents(after)[-1]["metadata"]
