"""Who reads what a run does is told where istiod would read nothing of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

MESH = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    trustDomain: cluster.local
"""
OPERATOR = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec:
  meshConfig:
    trustDomain: cluster.local
"""
WHY = "istiod discards the whole mesh config for it, keeps the one before, and runs on its defaults after a restart"


def stream(wrong: str, carrier: str = MESH) -> bytes:
    """A mesh config with one more field."""
    return f"{carrier}    {wrong}\n".encode()


@pytest.mark.parametrize("carrier", [MESH, OPERATOR], ids=["ConfigMap", "IstioOperator"])
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param("accessLogEncoding: json", 'accessLogEncoding is "json", not one of TEXT, JSON', id="an enum"),
        pytest.param("defaultConfig: {concurrency: two}", 'defaultConfig.concurrency is "two", not a whole number', id="deeper"),
        pytest.param("access_log_file: 5", "accessLogFile is 5, not a string", id="in snake case"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_ours(wrong: str, said: str, carrier: str, tool: Callable[..., Any]) -> None:
    """The manifests are edited all the same, since the value is not ours; the report warns, and diff says no effect."""
    code, out, err = tool("--report", "-", stdin=stream(wrong, carrier))
    assert (code, b"otel-tracing" in out) == (0, True)
    (line,) = [each for each in err.splitlines() if each.startswith("warning: ")]
    assert f": {said}" in line
    assert WHY in line
    shown = tool("diff", stdin=stream(wrong, carrier)).out.decode()
    assert line in shown
    assert "spans go to" not in shown


def test_for_programs(tool: Callable[..., Any]) -> None:
    """By a code, and the mesh does nothing of what is written."""
    data = json.loads(tool("diff", "--format", "json", stdin=stream("accessLogFile: 5")).out)
    (warning,) = [each for each in data["decisions"] if each["severity"] == "warning"]
    assert (warning["code"], warning["resource"]) == ("mesh-config-discarded", "ConfigMap istio-system/istio")
    assert warning["values"] == {"path": "accessLogFile", "found": "5", "wanted": "a string"}
    assert (data["mesh"], data["sampling"]) == ([], None)


@pytest.mark.parametrize("right", ["accessLogEncoding: JSON", "accessLogFile: ${FILE}", "someField: 5"])
def test_what_istiod_reads(right: str, tool: Callable[..., Any]) -> None:
    """Nor is warned of what another tool is still to fill in, or of a field that istiod does not know and passes over."""
    shown = tool("diff", stdin=stream(right)).out.decode()
    assert "discards" not in shown
    assert "spans go to" in shown


def test_what_is_mended(tool: Callable[..., Any]) -> None:
    """Is judged as it will be: the wrong port of our own provider is gone then."""
    wrong = "extensionProviders: [{name: otel-tracing, opentelemetry: {service: groundcover-sensor.groundcover.svc.cluster.local, port: x}}]"
    code, _, err = tool("--report", "-", stdin=stream(wrong))
    assert (code, "mended" in err, "discards" in err) == (0, True, False)


def test_an_integration_that_is_switched_off(tool: Callable[..., Any]) -> None:
    """Says nothing of a mesh that it leaves alone."""
    assert "discards" not in tool("--enabled", "false", "--report", "-", stdin=stream("accessLogFile: 5")).err


@pytest.mark.parametrize("name", ["istio-canary", "istio"])
def test_only_the_mesh_config_that_is_meant(name: str, tool: Callable[..., Any]) -> None:
    """Another revision's, or one of the same name in another namespace, does what is written."""
    other = MESH.replace("name: istio, namespace: istio-system", f"name: {name}, namespace: other")
    shown = tool("diff", stdin=stream("accessLogFile: 5") + b"---\n" + other.encode()).out.decode()
    assert f"ConfigMap other/{name}: spans go to" in shown
    assert "ConfigMap istio-system/istio: spans go to" not in shown
    assert "of requests stored" in shown


def test_of_two_objects_of_one_name(tool: Callable[..., Any]) -> None:
    """By their places, since an operator's objects need no name here."""
    nameless = OPERATOR.replace("metadata: {name: mesh, namespace: istio-system}\n", "metadata: {}\n")
    both = stream("accessLogFile: 5", nameless) + b"---\n" + nameless.encode()
    shown = tool("diff", stdin=both).out.decode()
    assert (shown.count("istiod discards"), shown.count("spans go to")) == (1, 1)


def test_the_other_place_of_an_operators_object(tool: Callable[..., Any]) -> None:
    """spec.values.meshConfig is a part of the same mesh config."""
    both = OPERATOR + "  values: {meshConfig: {accessLogFile: 5}}\n"
    shown = tool("diff", stdin=both.encode()).out.decode()
    assert "spec.values.meshConfig.accessLogFile is 5, not a string" in shown
    assert "spans go to" not in shown
    assert "accessLogFile is 5, not a string" in tool("check", "-", stdin=both.encode()).out.decode()


SHARED = MESH.replace("name: istio,", "name: groundcover-mesh,")
AKS = MESH.replace("name: istio,", "name: istio-asm-1-24,")
AKS_SHARED = MESH.replace("name: istio,", "name: istio-shared-configmap-asm-1-24,")
WRONG = "    accessLogFile: 5\n"


@pytest.mark.parametrize(
    ("mode", "meshes", "traced"),
    [
        pytest.param("shared", (MESH, SHARED + WRONG), [], id="ours takes istiod's own with it"),
        pytest.param("shared", (SHARED + WRONG,), [], id="ours alone"),
        pytest.param("shared", (MESH + WRONG, SHARED), [], id="and the other way round"),
        pytest.param("patch", (MESH + WRONG, SHARED), [], id="in mode patch too"),
        pytest.param("patch", (AKS, AKS_SHARED + WRONG), [], id="so does that of AKS"),
        pytest.param("patch", (AKS + WRONG, AKS_SHARED), [], id="the other way round"),
        pytest.param("patch", (AKS.replace("1-24", "1-25"), AKS_SHARED + WRONG), ["istio-asm-1-25"], id="of its revision alone"),
        pytest.param("shared", (MESH + WRONG, MESH.replace("istio,", "istio-canary,"), SHARED), ["istio-canary"], id="another revision has it still"),
        pytest.param("shared", (MESH, (SHARED + WRONG).replace("istio-system", "other")), ["istio"], id="in another namespace it is not merged"),
    ],
)  # fmt: skip
def test_what_istiod_merges(mode: str, meshes: tuple[str, ...], traced: list[str], tool: Callable[..., Any]) -> None:
    """Istiod discards a shared mesh config and its own together; what is sampled is said where spans go."""
    data = json.loads(
        tool("diff", "--format", "json", "--mesh-config-mode", mode, stdin="---\n".join(meshes).encode()).out
    )
    assert [each["resource"].rpartition("/")[2] for each in data["mesh"]] == traced
    assert (data["sampling"] is None) == (not traced)


def test_many_values(tool: Callable[..., Any]) -> None:
    """Some are named, the others counted; a function's results do not outgrow what it reads."""
    wrong = stream(f"trustDomainAliases: [{'1, ' * 66_000}]")
    shown = tool("--report", "-", stdin=wrong).err
    assert shown.count("istiod discards") == 10
    assert (
        "warning: ConfigMap istio-system/istio: of 65,990 more values the same holds; `groundcover-istio check`"
        in shown
    )
    assert len(as_function(wrong.decode(), tool)) == 11


def as_function(manifest: str, tool: Callable[..., Any]) -> list[str]:
    """The warnings in the results of a KRM function."""
    indented = "".join(f"  {line}\n" for line in manifest.splitlines())
    items = f"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n-{indented[1:]}"
    code, out, _ = tool(stdin=items.encode())
    assert code == 0
    (made,) = yaml.load_all(out, yaml.CSafeLoader)
    return [each["message"] for each in made["results"] if each["severity"] == "warning"]


def test_as_a_function(tool: Callable[..., Any]) -> None:
    """Its results are what kustomize shows."""
    end = "nothing that it says holds until it is mended"
    assert as_function(MESH + WRONG, tool) == [
        f"ConfigMap istio-system/istio: accessLogFile is 5, not a string: {WHY}; {end}"
    ]
