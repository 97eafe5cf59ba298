"""The settings' variables: what check reads of them, and those that nothing reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

NEW = b"""\
meshConfig:
  defaultProviders: {tracing: [otel-tracing], metrics: [prometheus]}
  extensionProviders:
  - name: otel-tracing
    opentelemetry:
      service: groundcover-sensor.groundcover
      port: 4318
      http: {path: /v1/traces, timeout: 5s}
"""
ROOT = b"""\
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: all, namespace: mesh}
spec: {tracing: [{disableSpanReporting: true}]}
"""
SHORT = NEW.replace(b"groundcover-sensor.groundcover", b"eyes.obs")


@pytest.mark.parametrize(
    ("name", "value", "text", "rule"),
    [
        ("ISTIO_VERSION", "1.21", NEW, "GCI024"),
        ("SERVICE", "eyes.obs", SHORT, "GCI004"),
        ("ROOT_NAMESPACE", "mesh", ROOT, "GCI038"),
    ],
)
def test_a_setting_is_read(
    name: str,
    value: str,
    text: bytes,
    rule: str,
    tool: Callable[..., tuple[int, bytes, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As its option is."""
    assert rule not in tool("check", stdin=text)[1].decode()
    monkeypatch.setenv(f"GROUNDCOVER_ISTIO_{name}", value)
    assert rule in tool("check", stdin=text)[1].decode()


def test_an_option_counts_before_its_variable(
    tool: Callable[..., tuple[int, bytes, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For all three."""
    for name, value in (("ISTIO_VERSION", "1.21"), ("SERVICE", "a.b"), ("ROOT_NAMESPACE", "other")):
        monkeypatch.setenv(f"GROUNDCOVER_ISTIO_{name}", value)
    assert "GCI024" not in tool("check", "--istio-version", "1.24", stdin=NEW)[1].decode()
    assert "GCI004" in tool("check", "--service", "eyes.obs", stdin=SHORT)[1].decode()
    assert "GCI038" in tool("check", "--root-namespace", "mesh", stdin=ROOT)[1].decode()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SERVCE", "x", "GROUNDCOVER_ISTIO_SERVCE: nothing reads this variable"),
        ("SERVICE", "x", 'GROUNDCOVER_ISTIO_SERVICE: "x" is not NAME.NAMESPACE'),
        ("SERVICE", "Foo_.bar", 'environment: invalid settings\n  service.name: "Foo_" must match '),
        ("ISTIO_VERSION", "new", 'environment: invalid settings\n  istioVersion: "new" must match '),
        ("ROOT_NAMESPACE", "Foo_", 'environment: invalid settings\n  rootNamespace: "Foo_" must match '),
    ],
)
def test_what_is_wrong_is_a_usage_error(
    name: str,
    value: str,
    words: str,
    tool: Callable[..., tuple[int, bytes, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Which names the variable."""
    monkeypatch.setenv(f"GROUNDCOVER_ISTIO_{name}", value)
    code, out, err = tool("check", stdin=NEW)
    assert (code, out) == (2, b"")
    assert words in err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        pytest.param("--service", "eyes", id="a service without its namespace"),
        pytest.param("--service", "Foo_.bar", id="a service that Kubernetes takes for none"),
        pytest.param("--root-namespace", "Foo_", id="a namespace that Kubernetes takes for none"),
        pytest.param("--root-namespace", "", id="an empty namespace"),
        pytest.param("--istio-version", "latest", id="a version that is none"),
        pytest.param("--istio-version", "1.24 or so", id="a version with something behind it"),
    ],
)
def test_options_are_refused_as_render_refuses_them(
    option: str, value: str, tool: Callable[..., tuple[int, bytes, str]]
) -> None:
    """In the same words."""
    code, out, err = tool("check", option, value, stdin=NEW)
    assert (code, out) == (2, b"")
    assert err == tool("render", option, value, stdin=NEW)[2]


def test_settings_of_other_commands_pass(
    tool: Callable[..., tuple[int, bytes, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that render reads is none of check's business, nor are ports without a Service."""
    for name, value in (("PROTOCOL", "zipkin"), ("ZIPKIN_PORT", "9999"), ("ISTIO_VERSION", "")):
        monkeypatch.setenv(f"GROUNDCOVER_ISTIO_{name}", value)
    assert tool("check", stdin=ROOT) == (0, b"", "0 errors, 0 warnings, 0 info in 1 input\n")
