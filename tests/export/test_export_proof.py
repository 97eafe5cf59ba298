"""What is exported, used by the tool it is for, gives the mesh config that the post-renderer gives."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import helm_binaries as pinned
from groundcover_istio.commands import export

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).parents[1] / "data"
SETTINGS = {
    "default": [],
    "otlp-grpc": ["--protocol", "otlp-grpc"],
    "zipkin, logs": ["--protocol", "zipkin", "--access-logs", "true"],
    "datadog, own name": ["--protocol", "datadog", "--provider-name", "gc", "--sampling-percentage", "100"],
    "by Telemetry": ["--activation", "telemetry"],
}
USERS_VALUES = """\
meshConfig:
  accessLogFile: /dev/stdout
  extensionProviders:
  - name: authz   # first
    envoyExtAuthzGrpc: {service: a.b.svc.cluster.local, port: 1}
  defaultConfig:
    holdApplicationUntilProxyStarts: true
"""


class Rig:
    """The tool and one Helm, in a folder."""

    def __init__(self, folder: Path, helm: Path, chart: Path, tool: Callable[..., Any]) -> None:
        self.folder, self.helm, self.chart, self.tool = folder, helm, chart, tool

    def template(self, *values: Any) -> str:
        """What Helm renders of the istiod chart with values, each a text or data."""
        command = [str(self.helm), "template", "istiod", str(self.chart), "--namespace", "istio-system"]
        for index, each in enumerate(values):
            path = self.folder / f"values-{index}.yaml"
            path.write_text(each if isinstance(each, str) else yaml.safe_dump(each))
            command += ["--values", str(path)]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout

    def call(self, *arguments: str, stdin: str = "") -> str:
        """Standard output of the tool."""
        code, out, err = self.tool(*arguments, stdin=stdin.encode())
        assert code == 0, err
        return str(out.decode())

    def wanted(self, settings: list[str], *values: Any) -> Any:
        """The mesh config of the post-rendered chart."""
        return mesh_of(self.call("render", *settings, stdin=self.template(*values)))


@pytest.fixture
def rig(tmp_path: Path, helm_binaries: dict[str, Path], istiod_chart: Path, tool: Callable[..., Any]) -> Rig:
    """With Helm 3."""
    return Rig(tmp_path, helm_binaries["3.17.3"], istiod_chart, tool)


SENSOR = """\
apiVersion: v1
kind: Service
metadata:
  name: eyes
  namespace: obs
  labels: {app.kubernetes.io/name: sensor, app.kubernetes.io/part-of: groundcover}
spec:
  ports:
  - {name: otlp-http, port: 14318, appProtocol: http}
  - {name: otlp-grpc, port: 4317, appProtocol: grpc}
  - {name: zipkin, port: 9411, appProtocol: http}
"""


def mesh_of(manifests: str) -> Any:
    """The mesh config in manifests."""
    (found,) = [
        each["data"]["mesh"]
        for each in yaml.load_all(manifests, yaml.CSafeLoader)
        if each and each["kind"] == "ConfigMap" and each["metadata"]["name"] == "istio"
    ]
    return yaml.safe_load(found)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_every_carrier_gives_the_post_rendered_mesh_config(settings: list[str], rig: Rig) -> None:
    """Values as they are, IstioOperator and Sail by the values they stand for."""
    wanted = rig.wanted(settings)
    values = rig.call("export", "istiod-values", *settings)
    operator = yaml.safe_load(rig.call("export", "istio-operator", *settings))
    sail = yaml.safe_load(rig.call("export", "sail", *settings))
    for given in (values, {"meshConfig": operator["spec"]["meshConfig"]}, sail["spec"]["values"]):
        assert mesh_of(rig.template(given)) == wanted


def test_the_same_with_helm_4(rig: Rig, helm_binaries: dict[str, Path]) -> None:
    """Values of the newest Helm."""
    rig.helm = helm_binaries["4.3.1"]
    assert mesh_of(rig.template(rig.call("export", "istiod-values"))) == rig.wanted([])


@pytest.mark.parametrize("top", ["", "env: {A: b}\n", "pilot: {env: {A: b}}\n"], ids=["empty", "env", "pilot"])
def test_in_mode_shared_the_post_renderer_finds_nothing_left(top: str, rig: Rig) -> None:
    """The whole mesh config was exported, which the post-renderer then refused beside a shared one that differs."""
    shared = ["--mesh-config-mode", "shared"]
    path = rig.folder / "mine.yaml"
    path.write_text(top)
    rig.call("export", "istiod-values", *shared, "--into", str(path))
    manifests = rig.template(path.read_text())
    assert "name: SHARED_MESH_CONFIG\n" in manifests
    assert rig.call("render", *shared, stdin=manifests) == manifests
    assert mesh_of(manifests) == mesh_of(rig.template(top))


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_users_values_file_gives_the_post_rendered_mesh_config(settings: list[str], rig: Rig) -> None:
    """Edited in place, with providers of its own in it; twice gives the same file."""
    wanted = rig.wanted(settings, USERS_VALUES)
    path = rig.folder / "mine.yaml"
    path.write_text(USERS_VALUES)
    rig.call("export", "istiod-values", *settings, "--into", str(path))
    once = path.read_text()
    assert mesh_of(rig.template(once)) == wanted
    assert once.startswith(USERS_VALUES.split("  defaultConfig", maxsplit=1)[0])
    rig.call("export", "istiod-values", *settings, "--into", str(path))
    assert path.read_text() == once


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_kustomize_gives_the_post_rendered_mesh_config(settings: list[str], rig: Rig) -> None:
    """By real kustomize; manifests that changed since are refused rather than overwritten."""
    kubectl = str(pinned.kubectl())
    manifests = rig.template(USERS_VALUES)
    (rig.folder / "istiod.yaml").write_text(manifests)
    exported = rig.call("export", "kustomize", *settings, "--from", str(rig.folder / "istiod.yaml"))
    (rig.folder / "kustomization.yaml").write_text(exported + "resources: [istiod.yaml]\n")
    build = [kubectl, "kustomize", str(rig.folder)]
    built = subprocess.run(build, capture_output=True, check=True, text=True).stdout
    assert mesh_of(built) == mesh_of(rig.call("render", *settings, stdin=manifests))
    (rig.folder / "istiod.yaml").write_text(manifests.replace("accessLogFile: /dev/stdout", "accessLogFile: /tmp/log"))
    refused = subprocess.run(build, capture_output=True, check=False, text=True)
    assert refused.returncode != 0
    assert "/data/mesh" in refused.stderr


def test_kustomize_patches_an_istio_of_sail(tmp_path: Path, tool: Callable[..., Any]) -> None:
    """By real kustomize, with a mesh config in it and without."""
    kubectl = str(pinned.kubectl())
    head = "apiVersion: sailoperator.io/v1\nkind: Istio\nmetadata: {name: default}\n"
    for spec in ("spec: {namespace: istio-system}\n", "spec: {values: {meshConfig: {accessLogFile: /dev/stdout}}}\n"):
        path = tmp_path / "istio.yaml"
        path.write_text(head + spec)
        code, out, _ = tool("export", "kustomize", "--from", str(path))
        assert code == 0
        (tmp_path / "kustomization.yaml").write_text(out.decode() + "resources: [istio.yaml]\n")
        built = subprocess.run([kubectl, "kustomize", str(tmp_path)], capture_output=True, check=True).stdout
        rendered = tool("render", stdin=path.read_bytes())
        assert yaml.safe_load(built) == yaml.safe_load(rendered.out)


KUSTOMIZATIONS = {
    "without patches": "resources: [istiod.yaml]\n",
    "block": "resources: [istiod.yaml]\npatches:\n- target: {kind: Job}\n  patch: |\n    - {op: remove, path: /spec}\n",
    "flow": '{"kind": "Kustomization", "patches": [{"target": {"kind": "Job"}, "patch": "- {op: remove, path: /spec}"}]}',
}


@pytest.mark.parametrize("text", KUSTOMIZATIONS.values(), ids=KUSTOMIZATIONS)
def test_a_kustomization_takes_a_dozen_patches(text: str, tmp_path: Path, tool: Callable[..., Any]) -> None:
    """One for each revision of istiod, each with its own mesh config; the second time nothing changes."""
    names = [f"istio-{number}" for number in range(12)]
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: istio-system}\n"
    maps = [f"{head % name}data:\n  mesh: 'accessLogFile: /dev/{name}'\n" for name in names]
    (tmp_path / "istiod.yaml").write_text("---\n".join(maps))
    path = tmp_path / "kustomization.yaml"
    path.write_text(text)
    command = ["export", "kustomize", "--from", str(tmp_path / "istiod.yaml"), "--into", str(path)]
    code, _, err = tool(*command)
    assert code == 0, err
    once = path.read_text()
    added = [each for each in yaml.safe_load(once)["patches"] if each["target"]["kind"] == "ConfigMap"]
    assert [each["target"]["name"] for each in added] == names
    assert all(f"accessLogFile: /dev/{each['target']['name']}\n" in each["patch"] for each in added)
    assert tool(*command).code == 0
    assert path.read_text() == once


def test_the_shared_mesh_config_says_the_same(rig: Rig) -> None:
    """To istiod, which lays its own mesh config over the shared one, both together are the post-rendered one."""
    wanted, own = rig.wanted([]), mesh_of(rig.template())
    shared = yaml.safe_load(yaml.safe_load(rig.call("export", "shared-mesh-config"))["data"]["mesh"])
    merged = {**shared, **own}
    for key in ("defaultConfig", "defaultProviders"):
        merged[key] = {**shared[key], **own.get(key, {})}
    assert merged == wanted


@pytest.mark.parametrize(
    "settings",
    [
        [],
        ["--sampling-percentage", "0"],
        ["--protocol", "zipkin", "--root-namespace", "mesh", "--cluster-domain", "example.org"],
        ["--access-logs", "true"],
        ["--access-logs", "true", "--activation", "mesh"],
        ["--access-logs", "true", "--activation", "telemetry"],
        ["--access-logs", "true", "--activation", "none"],
    ],
    ids=" ".join,
)
def test_the_shared_mesh_config_is_the_one_that_render_adds(
    settings: list[str], tmp_path: Path, tool: Callable[..., Any]
) -> None:
    """To the sensor's stream; there a Telemetry turns access logs on with activation auto, which this file does itself."""
    sensor = tmp_path / "sensor.yaml"
    sensor.write_text(SENSOR)
    code, out, _ = tool("render", "--mesh-config-mode", "shared", *settings, stdin=SENSOR.encode())
    documents = [each for each in yaml.load_all(out, yaml.CSafeLoader) if each]
    (added,) = [each for each in documents if each["metadata"]["name"] == "groundcover-mesh"]
    exported = tool("export", "shared-mesh-config", *settings, "--from", str(sensor))
    assert (code, exported.code) == (0, 0)
    got = yaml.safe_load(exported.out)
    if settings == ["--access-logs", "true"]:
        (telemetry,) = [each for each in documents if each["kind"] == "Telemetry"]
        named = [each["name"] for each in telemetry["spec"]["accessLogging"][0]["providers"]]
        got["data"]["mesh"] = got["data"]["mesh"].replace(
            "".join(["  accessLogging:\n", *(f"  - {each}\n" for each in named)]), ""
        )
    assert got == added


@pytest.mark.parametrize("settings", [[], ["--sampling-percentage", "7"]], ids=["default", "sampling"])
def test_the_telemetry_is_the_one_that_render_adds(settings: list[str], tool: Callable[..., Any]) -> None:
    """To the sensor's stream."""
    sensor = DATA / "sensor-compact.helm3.yaml"
    code, out, _ = tool("render", *settings, stdin=sensor.read_bytes())
    added = [each for each in yaml.load_all(out, yaml.CSafeLoader) if each and each["kind"] == "Telemetry"]
    exported = tool("export", "telemetry", *settings, "--from", str(sensor))
    assert (code, exported.code) == (0, 0)
    assert added == [yaml.safe_load(exported.out)]


@pytest.mark.parametrize("name", ["operator-among-others", "operator-demo-profile", "sail-without-values"])
def test_render_makes_the_same_of_an_object(name: str, tool: Callable[..., Any]) -> None:
    """To the byte: there is one engine."""
    case = Path(__file__).parent / "cases" / name
    settings = [part for line in (case / "args").read_text().splitlines()[1:] for part in line.split(" ", 1)]
    code, out, _ = tool("render", *settings, stdin=(case / "input.yaml").read_bytes())
    assert (code, out) == (0, (case / "expected.yaml").read_bytes())


def test_a_file_behind_a_link_is_edited_and_the_link_stays(tmp_path: Path, tool: Callable[..., Any]) -> None:
    """A values file of a GitOps tree may be a symbolic link."""
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    real.write_text("{}\n")
    link.symlink_to(real)
    assert tool("export", "istiod-values", "--into", str(link)).code == 0
    assert link.is_symlink()
    assert "otel-tracing" in real.read_text()


def test_the_mode_of_a_file_stays(tmp_path: Path, tool: Callable[..., Any]) -> None:
    """Values may hold what others are not to read."""
    path = tmp_path / "values.yaml"
    path.write_text("password: hunter2\n")
    path.chmod(0o600)
    assert tool("export", "istiod-values", "--into", str(path)).code == 0
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_no_text_is_refused(tmp_path: Path, tool: Callable[..., Any]) -> None:
    """With the line of the first byte that is none; the file stays."""
    path = tmp_path / "values.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    code, out, err = tool("export", "istiod-values", "--into", str(path))
    assert (code, out) == (3, b"")
    assert f"{path}, line 2: is not valid UTF-8" in err
    assert path.read_bytes() == b"a: 1\nb: \xff\n"


def test_a_file_that_is_not_there(tmp_path: Path, tool: Callable[..., Any]) -> None:
    """Is named; nothing is made."""
    code, _, err = tool("export", "istiod-values", "--into", str(tmp_path / "none.yaml"))
    assert code == 2
    assert "none.yaml: can't be read" in err
    assert list(tmp_path.iterdir()) == []


def test_standard_input_is_no_file_to_edit(tool: Callable[..., Any]) -> None:
    """The edited file went to standard error: lost, with exit code 0."""
    code, out, err = tool("export", "istiod-values", "--into", "-", stdin=b"a: 1\n")
    assert (code, out) == (2, b"")
    assert "--into: - is standard input, which can't be edited in place" in err
    assert "leave --into away" in err


def test_an_empty_place_is_none(tmp_path: Path, tool: Callable[..., Any]) -> None:
    """As of a variable that is not set; it does not mean the top."""
    path = tmp_path / "values.yaml"
    path.write_text("a: 1\n")
    code, out, err = tool("export", "istiod-values", "--into", str(path), "--at", "")
    assert (code, out) == (2, b"")
    assert "--at: is empty" in err
    assert path.read_text() == "a: 1\n"


def test_help_fits_a_screen() -> None:
    """And shows an example."""
    text = export.parser().format_help()
    assert "example: " in text
    assert len(text.splitlines()) <= 40
