"""Real Helm, both majors, with the post-renderer as its users install it."""

from __future__ import annotations

import atexit
import functools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

from groundcover_istio import helm_plugin
from groundcover_istio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
ISTIOD = ROOT / "tests/charts/istiod"
SENSOR = ROOT / "chart"
REQUIRED = ["--values", str(SENSOR / "ci/default-values.yaml")]
HELM3, HELM4 = ["3.17.3"], ["4.1.4", "4.3.1"]
EXECUTABLE = Path(sys.executable).with_name("groundcover-istio")
ADDED = "templates/groundcover-istio-telemetry.yaml"


class Helm(NamedTuple):
    """A Helm of one version, with folders of its own."""

    version: str
    program: Path
    environment: dict[str, str]

    def __call__(self, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run it, whatever it returns."""
        command = [str(self.program), *map(str, arguments)]
        everything = {**self.environment, **environment}
        return subprocess.run(command, env=everything, capture_output=True, text=True, check=False)

    def template(self, *arguments: str | Path, **environment: str) -> str:
        """The output of `helm template` with the post-renderer; fails the test when Helm fails."""
        done = self("template", *arguments, "--post-renderer", self.post_renderer, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def post_renderer(self) -> str:
        """What --post-renderer takes: an executable in Helm 3, a plugin in Helm 4."""
        return "groundcover-istio" if self.version[0] == "4" else str(EXECUTABLE)


@functools.cache
def system() -> str:
    """A folder for PATH with what the system has, but for a Helm of its own, which install-plugin would look at too."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    for path in [*Path("/usr/bin").iterdir(), *Path("/bin").iterdir()]:
        if not path.name.startswith("helm") and not (folder / path.name).is_symlink():
            (folder / path.name).symlink_to(path)
    return str(folder)


def make_helm(version: str, program: Path, home: Path) -> Helm:
    """A Helm with a home of its own, whose folder names have spaces, and the plugin installed in it where it is Helm 4."""
    folder = home / f"with spaces {version}"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HELM_")}
    environment |= {
        "HOME": str(folder),
        "PATH": f"{program.parent}:{system()}",
        "HELM_CACHE_HOME": str(folder / "cache"),
        "HELM_CONFIG_HOME": str(folder / "config"),
        "HELM_DATA_HOME": str(folder / "data"),
        "KUBECONFIG": str(folder / "none"),
    }
    folder.mkdir(parents=True)
    if version[0] == "4":
        command = [str(EXECUTABLE), "install-plugin", "--helm", str(program)]
        subprocess.run(command, env=environment, capture_output=True, check=True)
    return Helm(version, program, environment)


@pytest.fixture(scope="session")
def helms(helm_binaries: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Helm]:
    """Every pinned Helm, ready to render."""
    home = tmp_path_factory.mktemp("helm")
    return {version: make_helm(version, program, home) for version, program in helm_binaries.items()}


@pytest.fixture
def helm(request: pytest.FixtureRequest, helms: dict[str, Helm]) -> Helm:
    """The Helm that the test is parametrised with."""
    return helms[request.param]


def objects(text: str) -> list[dict[str, Any]]:
    """The objects in Helm's output."""
    return [document for document in yaml.load_all(text, yaml.CSafeLoader) if document]


def find(text: str, kind: str, name: str) -> dict[str, Any]:
    """One object in Helm's output."""
    (found,) = [each for each in objects(text) if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def istiod_arguments(helm: Helm) -> list[str | Path]:
    """An istiod release; Helm 4.1.4 fails on six dashes in a scalar with any post-renderer."""
    dashes = ["--set", "dashes=false"] if helm.version == "4.1.4" else []
    return ["istiod", ISTIOD, "--namespace", "istio-system", *dashes]


@pytest.mark.parametrize("helm", HELM3 + HELM4, indirect=True)
def test_an_istiod_release(helm: Helm) -> None:
    """The mesh config is patched, and nothing else: the same objects as without the post-renderer."""
    plain = helm("template", *istiod_arguments(helm)).stdout
    rendered = helm.template(*istiod_arguments(helm))
    mesh = find(rendered, "ConfigMap", "istio")
    assert yaml.safe_load(mesh["data"]["mesh"])["defaultProviders"] == {
        "metrics": ["prometheus"],
        "tracing": ["otel-tracing"],
    }
    assert "postrender-filename" not in rendered
    before = {(each["kind"], each["metadata"]["name"]): each for each in objects(plain)}
    for each in objects(rendered):
        old = before.pop((each["kind"], each["metadata"]["name"]))
        if each != mesh:
            assert each == old
    assert before == {}


@pytest.mark.parametrize("helm", HELM3 + HELM4, indirect=True)
def test_the_sensors_release(helm: Helm) -> None:
    """Our chart with its integration ConfigMap: one Telemetry is added."""
    arguments: list[str | Path] = ["groundcover", SENSOR, "--namespace", "groundcover", *REQUIRED]
    rendered = helm.template(*arguments)
    telemetry = find(rendered, "Telemetry", "groundcover-tracing")
    assert telemetry["metadata"]["namespace"] == "istio-system"
    assert telemetry["spec"] == {"tracing": [{"randomSamplingPercentage": 1}]}
    assert f"# Source: groundcover-sensor/{ADDED}\n" in rendered
    assert "postrender-filename" not in rendered
    assert helm.template(*arguments) == rendered


@pytest.mark.parametrize("helm", HELM3 + HELM4, indirect=True)
def test_values_of_the_chart_are_the_settings(helm: Helm) -> None:
    """What `istio:` says in the values reaches the post-renderer, null included."""
    values = [
        "--set",
        "istio.tracing.activation=auto,istio.rootNamespace=mesh-root",
        "--set-json",
        "istio.tracing.samplingPercentage=25",
    ]
    rendered = helm.template("groundcover", SENSOR, "--namespace", "groundcover", *REQUIRED, *values)
    telemetry = find(rendered, "Telemetry", "groundcover-tracing")
    assert telemetry["metadata"]["namespace"] == "mesh-root"
    assert telemetry["spec"] == {"tracing": [{"randomSamplingPercentage": 25}]}
    null = ["--set-json", "istio.tracing.samplingPercentage=null"]
    rendered = helm.template("groundcover", SENSOR, "--namespace", "groundcover", *REQUIRED, *null)
    assert not [each for each in objects(rendered) if each["kind"] == "Telemetry"]


@pytest.mark.parametrize("helm", HELM3 + HELM4, indirect=True)
def test_show_only_finds_an_added_object(helm: Helm) -> None:
    """--show-only selects it by the template name it was given."""
    rendered = helm.template("groundcover", SENSOR, "--namespace", "groundcover", *REQUIRED, "--show-only", ADDED)
    assert [each["kind"] for each in objects(rendered)] == ["Telemetry"]


@pytest.mark.parametrize("helm", HELM3 + HELM4, indirect=True)
def test_arguments_and_variables(helm: Helm) -> None:
    """Options reach the tool by --post-renderer-args and by environment."""
    arguments = istiod_arguments(helm)
    options = ["--post-renderer-args", "--protocol", "--post-renderer-args", "zipkin"]
    assert "zipkin-tracing" in helm.template(*arguments, *options)
    assert "zipkin-tracing" in helm.template(*arguments, GROUNDCOVER_ISTIO_PROTOCOL="zipkin")


@pytest.mark.parametrize("helm", HELM3 + HELM4, indirect=True)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            ["--set", "meshConfig.defaultProviders.tracing={jaeger}"],
            'defaultProviders.tracing names "jaeger"',
            id="manifests",
        ),
        pytest.param(["--post-renderer-args", "--nonsense"], "unrecognized arguments: --nonsense", id="usage"),
        pytest.param(
            ["--post-renderer-args", "--sampling-percentage=101"],
            "tracing.samplingPercentage: 101 is above 100",
            id="settings",
        ),
    ],
)
def test_an_error_reaches_the_user(helm: Helm, options: list[str], message: str) -> None:
    """Helm fails, shows our message and how to mend it, and renders nothing."""
    done = helm("template", *istiod_arguments(helm), "--post-renderer", helm.post_renderer, *options)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "groundcover-istio: error: " in done.stderr
    assert message in done.stderr
    assert "fix: " in done.stderr or "invalid settings" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("helm", HELM4, indirect=True)
def test_install_dry_run(helm: Helm) -> None:
    """Helm 4 renders an installation without a cluster."""
    arguments: list[str | Path] = ["groundcover", SENSOR, "--namespace", "groundcover", *REQUIRED]
    done = helm("install", *arguments, "--dry-run=client", "--post-renderer", helm.post_renderer)
    assert done.returncode == 0, done.stderr
    assert "kind: Telemetry" in done.stdout


@pytest.mark.parametrize("helm", HELM3 + HELM4, indirect=True)
def test_a_chart_that_renders_to_nothing(helm: Helm, tmp_path: Path) -> None:
    """Helm 4 refuses empty output, so there is a comment."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: empty\nversion: 1.0.0\n")
    assert objects(helm.template("empty", tmp_path)) == []


@pytest.mark.parametrize("helm", HELM3 + HELM4, indirect=True)
def test_output_dir(helm: Helm, tmp_path: Path) -> None:
    """Helm 4 writes post-rendered files; Helm 3 writes them before it renders, and the tool says so."""
    printed = helm.template(*istiod_arguments(helm), "--output-dir", tmp_path)
    written = (tmp_path / "istiod/templates/configmap.yaml").read_text()
    if helm.version[0] == "4":
        assert "otel-tracing" in written
    else:
        assert "otel-tracing" not in written
        assert "helm 3 runs no post-renderer over what --output-dir writes" in printed


@pytest.mark.parametrize("helm", HELM4, indirect=True)
def test_no_hooks(helm: Helm) -> None:
    """Helm 4 hands hooks over and drops them afterwards."""
    rendered = helm.template(*istiod_arguments(helm), "--no-hooks")
    assert "otel-tracing" in rendered
    assert "kind: Job" not in rendered
    assert "kind: Job" in helm.template(*istiod_arguments(helm))


@pytest.mark.parametrize("helm", HELM3, indirect=True)
def test_an_unrelated_chart_is_untouched(helm: Helm, tmp_path: Path) -> None:
    """Under Helm 3 the output is the same to the byte; Helm 4 writes everything anew whatever the post-renderer does."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: other\nversion: 1.0.0\n")
    (tmp_path / "templates/a.yaml").write_bytes(b"# c\r\nkind: Pod\r\nmetadata: {name: a,   labels: &l {x: y}}\r\n")
    assert helm.template("other", tmp_path) == helm("template", "other", tmp_path).stdout


@pytest.mark.parametrize("helm", HELM4, indirect=True)
def test_any_working_directory(helm: Helm, tmp_path: Path) -> None:
    """The plugin does not depend on where Helm is started, nor on what Python would find there."""
    (tmp_path / "yaml.py").write_text("raise SystemExit('not this one')\n")
    command = [str(helm.program), "template", *map(str, istiod_arguments(helm)), "--post-renderer", "groundcover-istio"]
    done = subprocess.run(command, env=helm.environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "otel-tracing" in done.stdout


@pytest.mark.parametrize("helm", HELM4, indirect=True)
def test_the_plugin_folder_itself_is_a_plugin(helm: Helm, tmp_path: Path) -> None:
    """`helm plugin install ./plugin` from a checkout, its interpreter named by a variable."""
    plugins = {"HELM_DATA_HOME": str(tmp_path)}
    done = helm("plugin", "install", ROOT / "plugin", **plugins)
    assert done.returncode == 0, done.stderr
    rendered = helm.template(*istiod_arguments(helm), **plugins, GROUNDCOVER_ISTIO_PYTHON=sys.executable)
    assert "otel-tracing" in rendered


@pytest.mark.parametrize("helm", HELM4, indirect=True)
@pytest.mark.parametrize("options", [(), ("--post-renderer-args", "--protocol", "--post-renderer-args", "zipkin")])
def test_a_plugin_folder_whose_python_has_no_yaml(helm: Helm, options: tuple[str, ...], tmp_path: Path) -> None:
    """Helm shows what is missing, and what helps."""
    plugins = {"HELM_DATA_HOME": str(tmp_path / "data")}
    assert helm("plugin", "install", ROOT / "plugin", **plugins).returncode == 0
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "python"], check=True)
    python = str(tmp_path / "python/bin/python3")
    post_renderer = ["--post-renderer", "groundcover-istio", *options]
    done = helm("template", *istiod_arguments(helm), *post_renderer, **plugins, GROUNDCOVER_ISTIO_PYTHON=python)
    assert done.returncode == 1
    assert f"groundcover-istio: error: this Python ({python}) has no PyYAML" in done.stderr
    assert "GROUNDCOVER_ISTIO_PYTHON=/path/to/python3" in done.stderr


@pytest.mark.parametrize("helm", HELM4, indirect=True)
def test_a_plugin_whose_python_is_gone(helm: Helm, tmp_path: Path) -> None:
    """As that of an environment that was removed; Helm shows that, and what helps."""
    installed = Path(helm.environment["HELM_DATA_HOME"]) / "plugins/groundcover-istio"
    plugin = tmp_path / "plugins/groundcover-istio"
    shutil.copytree(installed, plugin)
    run = plugin / "bin/run"
    run.write_text(run.read_text().replace(sys.executable, "/nowhere/python"))
    options = ["--post-renderer", "groundcover-istio"]
    done = helm("template", *istiod_arguments(helm), *options, HELM_PLUGINS=str(plugin.parent))
    assert done.returncode == 1
    assert "fix: groundcover-istio install-plugin" in done.stderr
    assert "error: /nowhere/python, which this plugin was installed for, is gone" in done.stderr


# --- install-plugin ------------------------------------------------------------------------------


def install(path: Path, home: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`groundcover-istio install-plugin` with a PATH and a home, which it is started in."""
    measured = {key: value for key, value in os.environ.items() if key.startswith("COVERAGE")}
    environment = {"PATH": f"{path}:{system()}", "HOME": str(home), **measured, **variables}
    command = [str(EXECUTABLE), "install-plugin", *options]
    return subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)


def aliased(said: str) -> str:
    """What `helm4` stands for, by what install-plugin says."""
    (line,) = [line for line in said.splitlines() if line.startswith("  alias ")]
    (name, command) = shlex.split(line)[1].split("=", 1)
    assert name == "helm4"
    return command


def on_path(folder: Path, **programs: Path) -> Path:
    """A folder for PATH with these programs."""
    folder.mkdir()
    for name, program in programs.items():
        (folder / name).symlink_to(program)
    return folder


def test_install_plugin_for_helm_4(helm_binaries: dict[str, Path], tmp_path: Path) -> None:
    """Into Helm's own folder; a dry run does nothing; a second time it is replaced."""
    path = on_path(tmp_path / "bin", helm=helm_binaries["4.3.1"])
    folder = tmp_path / ".local/share/helm/plugins/groundcover-istio"
    done = install(path, tmp_path, "--dry-run")
    assert done.stdout.startswith(f"would install {folder} for Helm 4.3.1 ")
    assert not folder.exists()
    for _ in range(2):
        done = install(path, tmp_path)
        assert done.stdout.startswith(f"installed {folder} for Helm 4.3.1 ")
        assert sorted(each.name for each in folder.rglob("*")) == ["bin", "plugin.yaml", "run"]
        assert [each.name for each in folder.parent.iterdir()] == ["groundcover-istio"]


def test_install_plugin_with_helm_3_only(helm_binaries: dict[str, Path], tmp_path: Path) -> None:
    """It says that Helm 3 takes the executable itself."""
    done = install(on_path(tmp_path / "bin", helm=helm_binaries["3.17.3"]), tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is Helm 3.17.3, which takes any executable and needs no plugin" in done.stderr
    assert f"--post-renderer {EXECUTABLE}" in done.stderr


def test_install_plugin_without_helm(tmp_path: Path) -> None:
    """It says that Helm is missing."""
    done = install(tmp_path, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--helm: helm is not on PATH, or not a Helm" in done.stderr


def test_install_plugin_with_a_broken_helm(tmp_path: Path) -> None:
    """A program that can't be started counts as none."""
    broken = tmp_path / "bin"
    broken.mkdir()
    (broken / "helm").write_text("no program\n")
    (broken / "helm").chmod(0o755)
    assert "--helm: helm is not on PATH, or not a Helm" in install(broken, tmp_path).stderr


def test_install_plugin_beside_helm_3(helm_binaries: dict[str, Path], tmp_path: Path) -> None:
    """Both majors look into one folder, and Helm 3 fails on a Helm 4 plugin: so it gets a folder of its own."""
    path = on_path(tmp_path / "bin", helm=helm_binaries["4.3.1"], helm3=helm_binaries["3.17.3"])
    done = install(path, tmp_path)
    assert done.returncode == 0, done.stderr
    environment = {"PATH": system(), "HOME": str(tmp_path)}
    listed = subprocess.run(
        [path / "helm3", "plugin", "list"], env=environment, capture_output=True, text=True, check=True
    )
    assert (listed.stdout.splitlines(), listed.stderr) == (["NAME\tVERSION\tDESCRIPTION"], "")
    assert "export" not in done.stdout  # Helm 3 would read that too.
    assert done.stdout.endswith("use it: helm4 install … --post-renderer groundcover-istio\n")
    command = f"{aliased(done.stdout)} plugin list"
    listed = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=True)
    assert "groundcover-istio" in listed.stdout
    shared = str(tmp_path / ".local/share/helm/plugins")
    own = str(tmp_path / ".local/share/groundcover-istio/helm4-plugins")
    assert install(path, tmp_path).stdout == done.stdout
    for said in (f"{own}:{shared}", own, f"{own}:{shared}:/else"):
        again = install(path, tmp_path, HELM_PLUGINS=said)
        named = [each for each in said.split(":") if each != own] or [shared]
        assert aliased(again.stdout).startswith(f"HELM_PLUGINS={':'.join([own, *named])} ")
        assert f"names {own} to Helm 3 as well: take that folder out of it\n" in again.stdout
    done = install(path, tmp_path, "--directory", shared)
    assert done.returncode == 2
    assert "a Helm 4 plugin there breaks its `helm plugin list`" in done.stderr


def test_install_plugin_where_a_folder_of_path_may_not_be_listed(
    helm_binaries: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is passed over; the rest of PATH, and nothing of the process's own, says which Helm there is."""
    path = on_path(tmp_path / "bin", helm=helm_binaries["4.3.1"])
    closed = tmp_path / "closed"
    closed.mkdir()
    listed = Path.iterdir

    def iterdir(self: Path) -> Iterator[Path]:
        # The tests may run as root, who may list every folder.
        if self == closed:
            raise PermissionError(13, "Permission denied", str(self))
        return listed(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    monkeypatch.setenv("PATH", "/nowhere")
    environment = {"PATH": f"{closed}:{tmp_path}/none:{path}", "HOME": str(tmp_path)}
    done = helm_plugin.install("helm", None, dry_run=False, environment=environment)
    assert done.startswith("installed ")
    on_path(tmp_path / "three", helm=helm_binaries["3.17.3"], **{"groundcover-istio": EXECUTABLE})
    environment["PATH"] = str(tmp_path / "three")
    with pytest.raises(UsageError) as refused:
        helm_plugin.install("helm", None, dry_run=True, environment=environment)
    assert f"--post-renderer {tmp_path}/three/groundcover-istio" in (refused.value.hint or "")


def test_install_plugin_into_a_folder(helm_binaries: dict[str, Path], tmp_path: Path) -> None:
    """Another folder is named to Helm by a variable; what is not ours is left alone."""
    path = on_path(tmp_path / "bin", helm=helm_binaries["4.3.1"])
    done = install(path, tmp_path, "--directory", "mine")
    assert aliased(done.stdout) == f"HELM_PLUGINS={tmp_path}/mine:{tmp_path}/.local/share/helm/plugins {path}/helm"
    done = install(path, tmp_path, "--directory", "mine", HELM_PLUGINS=f"{tmp_path}/mine:/else")
    assert "alias" not in done.stdout
    shutil.rmtree(tmp_path / "mine/groundcover-istio")
    (tmp_path / "mine/groundcover-istio").mkdir()
    done = install(path, tmp_path, "--directory", str(tmp_path / "mine"))
    assert "exists and is not this plugin" in done.stderr
    (tmp_path / "mine/groundcover-istio").rmdir()
    (tmp_path / "mine/groundcover-istio").symlink_to(ROOT / "plugin")
    done = install(path, tmp_path, "--directory", str(tmp_path / "mine"))
    assert "a plugin under development" in done.stderr
    done = install(path, tmp_path, "--directory", "/proc/nowhere")
    assert done.returncode == 2
    assert "can't be written" in done.stderr


def test_install_plugin_beside_a_plugin_of_its_name(helm_binaries: dict[str, Path], tmp_path: Path) -> None:
    """As `helm plugin install ./plugin` links it: with two of one name every plugin command of Helm 4 fails."""
    path = on_path(tmp_path / "bin", helm=helm_binaries["4.3.1"])
    environment = {"PATH": f"{path}:{system()}", "HOME": str(tmp_path)}
    subprocess.run(["helm", "plugin", "install", ROOT / "plugin"], env=environment, capture_output=True, check=True)
    linked = tmp_path / ".local/share/helm/plugins/plugin"
    for options in ([], ["--directory", "mine"]):
        done = install(path, tmp_path, *options)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{linked}: is a plugin groundcover-istio already, and Helm 4 takes no two" in done.stderr
        assert re.search(r"fix: \S+/helm plugin uninstall groundcover-istio\n", done.stderr)
    (linked.parent / "groundcover-istio").mkdir()
    (linked.parent / "groundcover-istio/plugin.yaml").write_text("name: groundcover-istio\n")
    assert "fix: move it out of that folder\n" in install(path, tmp_path).stderr
    shutil.rmtree(linked.parent / "groundcover-istio")
    command = ["helm", "plugin", "uninstall", "groundcover-istio"]
    subprocess.run(command, env=environment, capture_output=True, check=True)
    assert install(path, tmp_path).returncode == 0


# --- several charts at once ----------------------------------------------------------------------


@pytest.fixture(scope="session")
def umbrella(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chart that brings the sensor and istiod in one release."""
    chart = tmp_path_factory.mktemp("umbrella")
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: umbrella\nversion: 1.0.0\n")
    shutil.copytree(SENSOR, chart / "charts/groundcover-sensor")
    shutil.copytree(ISTIOD, chart / "charts/istiod")
    values = yaml.safe_load((SENSOR / "ci/default-values.yaml").read_text())
    values["istio"] = {"tracing": {"protocol": "otlp-grpc", "samplingPercentage": 10}}
    (chart / "values.yaml").write_text(yaml.safe_dump({"groundcover-sensor": values, "istiod": {"dashes": False}}))
    return chart


@pytest.mark.parametrize("helm", HELM3 + HELM4, indirect=True)
def test_sensor_and_istiod_in_one_release(helm: Helm, umbrella: Path) -> None:
    """The sensor's settings and its Service decide the mesh config; there is one Telemetry, of the umbrella chart."""
    rendered = helm.template("mesh", umbrella, "--namespace", "istio-system")
    mesh = yaml.safe_load(find(rendered, "ConfigMap", "istio")["data"]["mesh"])
    provider = {"service": "mesh-sensor.istio-system.svc.cluster.local", "port": 4317}
    assert mesh["extensionProviders"] == [{"name": "otel-tracing", "opentelemetry": provider}]
    assert mesh["defaultConfig"]["tracing"] == {"sampling": 10}
    telemetry = find(rendered, "Telemetry", "groundcover-tracing")
    assert telemetry["spec"] == {"tracing": [{"randomSamplingPercentage": 10}]}
    assert f"# Source: umbrella/{ADDED}\n" in rendered


@pytest.mark.parametrize("helm", HELM3, indirect=True)
def test_the_streams_of_the_project_are_what_helm_renders(helm: Helm, tmp_path: Path) -> None:
    """tests/data holds what Helm hands to a post-renderer for the stand-in chart."""
    spy = tmp_path / "spy"
    spy.write_text(f"#!/bin/sh\ntee '{tmp_path}/stream'\n")
    spy.chmod(0o755)
    helm("template", *istiod_arguments(helm), "--post-renderer", spy)
    assert (tmp_path / "stream").read_bytes() == (ROOT / "tests/data/istiod-compact.helm3.yaml").read_bytes()
