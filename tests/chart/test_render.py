"""The chart as a whole: lint, versions of Helm, determinism, names, packaging."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from .support import CHART, CI_FILES, REQUIRED, VERSIONS, Helm, Object, Render, at, load, merged, values

if TYPE_CHECKING:
    from pathlib import Path

AGENT: dict[str, Any] = {"metrics": {"enabled": True, "mode": "agent"}, "istio-metrics": {"enabled": True}}
CLUSTER_SCOPED = {"ClusterRole", "ClusterRoleBinding", "PriorityClass"}

by_version = pytest.mark.parametrize("version", VERSIONS)
by_file = pytest.mark.parametrize("file", CI_FILES, ids=lambda f: f.stem)


@by_version
@by_file
def test_lint_is_clean(helms: dict[str, Helm], version: str, file: Path) -> None:
    """No warning and no error in strict mode."""
    report = helms[version].run("lint", "--strict", str(CHART), "-f", str(file))
    assert "[WARNING]" not in report
    assert "[ERROR]" not in report


@by_file
def test_every_helm_renders_the_same_objects(helms: dict[str, Helm], file: Path) -> None:
    """The text may differ between versions of Helm, the objects may not."""
    first, *others = (helms[version].render(file).ordered() for version in VERSIONS)
    assert first
    for other in others:
        assert other == first


def test_two_renders_are_equal(helm: Helm) -> None:
    """Nothing in the chart is random or a date."""
    argv = ("template", "groundcover", str(CHART), "-f", str(CI_FILES[0]))
    assert helm.run(*argv) == helm.run(*argv)


@by_file
def test_every_namespaced_object_says_its_namespace(helm: Helm, file: Path) -> None:
    """Tools that apply a rendered file without -n put the objects where they belong."""
    given = load(file.read_text())
    expected = given.get("namespaceOverride", "groundcover")
    for o in helm.render(file).objects:
        namespace = o["metadata"].get("namespace")
        assert namespace == (None if o["kind"] in CLUSTER_SCOPED else expected), o["metadata"]


@by_file
def test_no_two_objects_share_an_identity(helm: Helm, file: Path) -> None:
    """An object that is rendered twice would overwrite itself."""
    ids = [(o["kind"], o["metadata"]["name"]) for o in helm.render(file).objects]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("release", "over", "name"),
    [
        pytest.param("groundcover", {}, "groundcover-sensor", id="suffix is added"),
        pytest.param("gc-sensor", {}, "gc-sensor", id="suffix is there already"),
        pytest.param("groundcover-sensor", {}, "groundcover-sensor", id="release is the name"),
        pytest.param("groundcover-sensor-b", {}, "groundcover-sensor-b", id="release has it"),
        pytest.param("a.b", {}, "a-b-sensor", id="dots of a release name become dashes"),
        pytest.param("x" * 53, {}, "x" * 53 + "-sensor", id="longest release name"),
        pytest.param("r", {"fullnameOverride": "mine"}, "mine", id="override wins"),
    ],
)
def test_names(helm: Helm, release: str, over: dict[str, Any], name: str) -> None:
    """The Service's name is the first part of the address that the mesh sends to."""
    render = helm.render(values(**over), release=release)
    assert render.service["metadata"]["name"] == name
    assert render.get("DaemonSet")["metadata"]["name"] == name
    assert render.get("ServiceAccount")["metadata"]["name"] == name
    assert render.integration["service"]["name"] == name


def test_names_that_look_like_other_types_stay_text(helm: Helm) -> None:
    """A namespace may be called 123 and an account true, and YAML must not read them as such."""
    given = values(
        fullnameOverride="null", serviceAccount={"name": "true"}, priorityClass={"create": False, "name": "on"}
    )
    render = helm.render(given, namespace="123")
    assert render.get("ServiceAccount")["metadata"] | {"labels": {}} == {
        "name": "true",
        "namespace": "123",
        "labels": {},
    }
    assert render.service["metadata"]["name"] == "null"
    assert render.pod["spec"]["serviceAccountName"] == "true"
    assert render.pod["spec"]["priorityClassName"] == "on"
    assert render.integration["service"]["namespace"] == "123"
    assert render.integration["service"]["name"] == "null"


def test_service_can_be_recognised(default: Render) -> None:
    """The post-renderer knows the sensor's Service by these two labels."""
    labels = default.service["metadata"]["labels"]
    assert labels["app.kubernetes.io/name"] == "sensor"
    assert labels["app.kubernetes.io/part-of"] == "groundcover"


@by_file
def test_standard_labels_are_everywhere(helm: Helm, file: Path) -> None:
    """Every object of the chart can be found by release, chart and role."""
    for o in helm.render(file).objects:
        if o["metadata"]["name"].endswith(("-extra", "-text", "-test")):
            continue
        assert {
            "app.kubernetes.io/name",
            "app.kubernetes.io/instance",
            "app.kubernetes.io/version",
            "app.kubernetes.io/component",
            "app.kubernetes.io/managed-by",
            "helm.sh/chart",
        } <= set(o["metadata"]["labels"])


def test_next_chart_version_changes_labels_only(helm: Helm, tmp_path: Path) -> None:
    """A new chart version with the same sensor restarts no pod."""
    other = tmp_path / "chart"
    shutil.copytree(CHART, other)
    manifest = other / "Chart.yaml"
    manifest.write_text(re.sub(r"(?m)^version: .*$", "version: 9.9.9", manifest.read_text()))

    def without_chart_label(o: Object) -> Object:
        copy: Object = json.loads(json.dumps(o))
        copy["metadata"].get("labels", {}).pop("helm.sh/chart", None)
        return copy

    before, after = helm.render(REQUIRED), helm.render(REQUIRED, chart=other)
    assert [without_chart_label(o) for o in after.ordered()] == [without_chart_label(o) for o in before.ordered()]
    assert after.pod == before.pod


@by_version
def test_lock_file_is_in_step(helms: dict[str, Helm], version: str, tmp_path: Path) -> None:
    """Helm builds the dependencies from Chart.lock without a complaint."""
    other = tmp_path / "chart"
    shutil.copytree(CHART, other)
    helms[version].run("dependency", "build", str(other))
    assert (other / "Chart.lock").read_bytes() == (CHART / "Chart.lock").read_bytes()
    listed = helms[version].run("dependency", "list", str(other)).splitlines()[1].split()
    assert listed == ["istio-metrics", "0.1.0", "unpacked"]


def test_lock_file_is_where_tools_look_for_it() -> None:
    """The repository's own Chart.lock is a link to the chart's, and pins what Chart.yaml asks for."""
    link = CHART.parent / "Chart.lock"
    assert link.is_symlink()
    assert link.resolve() == CHART / "Chart.lock"
    pinned = {d["name"]: d["version"] for d in load(link.read_text())["dependencies"]}
    asked = load((CHART / "Chart.yaml").read_text())["dependencies"]
    assert pinned == {d["name"]: d["version"] for d in asked}
    for dependency in asked:
        own = load((CHART / "charts" / dependency["name"] / "Chart.yaml").read_text())
        assert (own["name"], own["version"]) == (dependency["name"], dependency["version"])
        assert dependency["condition"] == f"{dependency['name']}.enabled"


@by_version
def test_package_renders_the_same(helms: dict[str, Helm], version: str, tmp_path: Path) -> None:
    """Nothing that rendering needs is left out of the package, and the ci values are."""
    helm = helms[version]
    helm.run("package", str(CHART), "-d", str(tmp_path))
    (package,) = tmp_path.glob("groundcover-sensor-*.tgz")
    for given in (REQUIRED, values(**AGENT)):
        assert helm.render(given, chart=package) == helm.render(given)


FREE = (
    "annotations", "commonLabels", "nodeSelector", "podAnnotations", "podLabels", "resources.limits", "service.annotations",
    "service.labels", "serviceAccount.annotations", "istio-metrics.commonLabels", "istio-metrics.nodeSelector",
    "istio-metrics.podAnnotations", "istio-metrics.podLabels", "istio-metrics.resources.limits",
    "istio-metrics.serviceAccount.annotations",
)  # fmt: skip


@by_version
def test_null_takes_a_key_of_an_earlier_file_away(helms: dict[str, Helm], version: str, tmp_path: Path) -> None:
    """Helm's own way; where the chart has no default of the key, Helm hands the null on."""
    earlier: dict[str, Any] = values(**AGENT)
    later: dict[str, Any] = {}
    for path in FREE:
        earlier = merged(earlier, at(path, {"own": "1", "gone": "2"}))
        later = merged(later, at(path, {"gone": None}))
    tag = {"literal": {"value": "x"}}
    terms: dict[str, Any] = {"podAntiAffinity": {"own": [], "gone": []}, "podAffinity": {"gone": []}}
    for path, have, none in (
        ("istio.tracing.customTags", {"own": tag, "gone": tag}, {"gone": None}),
        ("affinity", terms, {"podAntiAffinity": {"gone": None}, "podAffinity": None}),
        ("istio-metrics.affinity", terms, {"podAntiAffinity": {"gone": None}, "podAffinity": None}),
    ):
        earlier, later = merged(earlier, at(path, have)), merged(later, at(path, none))
    file = tmp_path / "later.json"
    file.write_text(json.dumps(later))
    render = helms[version].render(earlier, "-f", str(file))
    assert render.integration["tracing"]["customTags"] == {"own": tag}
    text = json.dumps(render.objects)
    assert text.count('"own"') >= len(FREE)
    assert "gone" not in text
    agent = render.get("Deployment")["spec"]["template"]["spec"]
    for pod in (render.pod["spec"], agent):
        assert (pod["nodeSelector"], pod["affinity"]["podAntiAffinity"]) == ({"own": "1"}, {"own": []})
        assert "podAffinity" not in pod["affinity"]


@by_version
def test_null_takes_labels_of_monitors_away(helms: dict[str, Helm], version: str) -> None:
    """The same for what only mode monitors has."""
    monitors = {"labels": {"own": "1", "gone": None}, "annotations": {"own": "1", "gone": None}}
    render = helms[version].render(values(metrics={"enabled": True, "mode": "monitors", "monitors": monitors}))
    found = [o["metadata"] for o in render.objects if o["kind"].endswith("Monitor")]
    assert len(found) == 4
    for each in found:
        assert each["annotations"] == {"own": "1"}
        assert "gone" not in each["labels"]


@by_version
def test_works_as_a_subchart(helms: dict[str, Helm], version: str, tmp_path: Path) -> None:
    """Values under its key, globals from the parent, an `enabled` of the parent's condition."""
    shutil.copytree(CHART, tmp_path / "charts" / "groundcover-sensor")
    dependency = "{name: groundcover-sensor, version: 0.1.0, condition: groundcover-sensor.enabled}"
    (tmp_path / "Chart.yaml").write_text(
        f"apiVersion: v2\nname: platform\nversion: 1.0.0\ndependencies:\n  - {dependency}\n"
    )
    given: dict[str, Any] = {
        "global": {
            "groundcover_token": "from-the-parent",
            "ingress": {"site": "acme.platform.grcv.io"},
            "unknown": {"to": "us"},
        },
        "groundcover-sensor": {"enabled": True, "clusterId": "my-cluster"},
    }
    render = helms[version].render(given, chart=tmp_path, release="platform")
    assert render.service["metadata"]["name"] == "platform-sensor"
    assert render.get("Secret")["stringData"] == {"API_KEY": "from-the-parent"}
    given["groundcover-sensor"] |= AGENT
    agent = helms[version].render(given, chart=tmp_path, release="platform").get("Deployment")
    (container,) = agent["spec"]["template"]["spec"]["containers"]
    assert "-remoteWrite.url=http://platform-sensor.groundcover.svc:8428/api/v1/write" in container["args"]
    off = {"groundcover-sensor": {"enabled": False}}
    assert helms[version].render(off, chart=tmp_path, release="platform").objects == ()


@pytest.mark.parametrize(
    ("kube", "fits"),
    [
        pytest.param("1.25.0", True, id="oldest"),
        pytest.param("1.37.0", True, id="newest"),
        pytest.param("v1.25.16-eks-1234567", True, id="build of a cloud"),
        pytest.param("1.24.17", False, id="too old"),
    ],
)
def test_kubernetes_versions(helm: Helm, kube: str, *, fits: bool) -> None:
    """Builds of clouds count as releases, though they look like pre-releases."""
    if fits:
        assert helm.render(REQUIRED, "--kube-version", kube).has("DaemonSet")
    else:
        assert "incompatible with Kubernetes" in helm.refusal(REQUIRED, "--kube-version", kube)


def test_notes_say_what_matters(helm: Helm) -> None:
    """Endpoints, the commands of the Istio side, the effective sampling, and no secret."""
    notes = helm.text(REQUIRED, "--dry-run=client", command="install").partition("NOTES:")[2]
    for expected in (
        "groundcover-sensor.groundcover.svc.cluster.local:4318",
        "groundcover-istio install-plugin",
        "helm upgrade groundcover ./chart -n groundcover --reset-then-reuse-values --post-renderer groundcover-istio\n",
        "helm upgrade istiod istio/istiod -n istio-system --reuse-values --post-renderer groundcover-istio",
        "Every later upgrade of the two needs --post-renderer groundcover-istio too",
        "Istio 1 % x sensor 0.05 = 0.05 %",
        "rollout status daemonset/groundcover-sensor",
        "its own node only",
    ):
        assert expected in notes
    assert REQUIRED["token"] not in notes


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        pytest.param(
            {"istio": {"tracing": {"samplingPercentage": 100}}},
            "WARNING: istio.tracing.samplingPercentage is 100",
            id="everything is sampled",
        ),
        pytest.param(
            {"istio": {"tracing": {"samplingPercentage": None}}},
            "whatever the mesh samples, times the sensor's own ratio of 0.05",
            id="the mesh decides",
        ),
        pytest.param(
            {"istio": {"tracing": {"samplingPercentage": 10}}},
            "Istio 10 % x sensor 0.05 = 0.5 %",
            id="another percentage",
        ),
        pytest.param(
            {"sensor": {"samplingRatio": {"otel": 1}}},
            "Istio 1 % x sensor 1 = 1 %",
            id="another ratio",
        ),
        pytest.param({"istio": {"enabled": False}}, "Switched off", id="no mesh"),
        pytest.param({}, "Without this step\n     there is neither", id="what only a Telemetry carries"),
        pytest.param(
            {}, "For Istio below 1.22 set istio.istioVersion, such as 1.21", id="a Telemetry for an old Istio"
        ),
        pytest.param({}, "istio.tracing.activation: mesh, which adds no Telemetry", id="no CRDs of Istio"),
        pytest.param(
            {"istio": {"tracing": {"activation": "mesh"}}},
            "With istio.tracing.activation mesh this step adds nothing",
            id="no Telemetry",
        ),
        pytest.param(
            {"istio": {"tracing": {"activation": "none", "customTags": {"a": {"literal": {"value": "b"}}}}}},
            "WARNING: istio.tracing.activation is none, so no Telemetry is written",
            id="tags that nothing carries",
        ),
        pytest.param(
            {"istio": {"meshConfig": {"mode": "shared"}}},
            "Without it the mesh has no provider and\n     sends no span",
            id="a shared mesh config",
        ),
        pytest.param(
            {"istio": {"tracing": {"protocol": "zipkin"}}},
            "with zipkin Envoy rejects whole listener updates",
            id="a protocol that needs the sensor",
        ),
        pytest.param({"service": {"internalTrafficPolicy": "Cluster"}}, "any sensor", id="any node's sensor"),
        pytest.param({"securityContext": {"mode": "capabilities"}}, "not proven", id="unproven mode"),
        pytest.param(
            {"token": "", "existingSecret": {"name": "mine"}},
            "read from key API_KEY of Secret groundcover/mine",
            id="where the key is expected",
        ),
        pytest.param(
            {"metrics": {"enabled": True}}, "scrapes the pods of its own node every 30s: istio-proxies", id="metrics"
        ),
        pytest.param(
            {"metrics": {"enabled": True, "mode": "agent"}, "istio-metrics": {"enabled": True}},
            "logs deployment/groundcover-istio-metrics",
            id="metrics by an agent",
        ),
        pytest.param(
            {"metrics": {"enabled": True, "mode": "monitors"}},
            "http://groundcover-sensor.groundcover.svc:8428/api/v1/write",
            id="metrics by an operator",
        ),
    ],
)
def test_notes_follow_the_values(helm: Helm, over: dict[str, Any], expected: str) -> None:
    """Each note is there when its values are."""
    notes = helm.text(values(**over), "--dry-run=client", command="install")
    assert expected in notes.partition("NOTES:")[2]


@pytest.mark.parametrize(
    ("over", "apis", "warned"),
    [
        pytest.param({}, (), False, id="nothing is known"),
        pytest.param({}, ("v1alpha1",), True, id="Istio below 1.22"),
        pytest.param({}, ("v1alpha1", "v1"), False, id="Istio 1.22"),
        pytest.param({"istio": {"istioVersion": "1.21"}}, ("v1alpha1",), False, id="the version is set"),
        pytest.param({"istio": {"tracing": {"activation": "mesh"}}}, ("v1alpha1",), False, id="no Telemetry"),
    ],
)
def test_notes_warn_of_an_old_istio(
    helm: Helm, over: dict[str, Any], apis: tuple[str, ...], tmp_path: Path, *, warned: bool
) -> None:
    """An installation sees the cluster's APIs; a copy of the notes as a template sees those that are given."""
    other = tmp_path / "chart"
    shutil.copytree(CHART, other)
    notes = (other / "templates" / "NOTES.txt").read_text()
    (other / "templates" / "_notes.tpl").write_text(f'{{{{ define "notes" }}}}{notes}{{{{ end }}}}')
    template = 'kind: Notes\nmetadata: {name: notes}\ntext: {{ include "notes" . | toJson }}\n'
    (other / "templates" / "notes.yaml").write_text(template)
    argv = [each for api in apis for each in ("--api-versions", f"telemetry.istio.io/{api}")]
    text = helm.render(values(**over), *argv, chart=other).get("Notes")["text"]
    assert ("WARNING: Istio here is older than 1.22" in text) == warned


def test_notes_keep_istios_version_and_the_key_where_they_are(helm: Helm) -> None:
    """An upgrade of istiod names the version that runs, and no file gets the ingestion key."""
    notes = helm.text(REQUIRED, "--dry-run=client", command="install").partition("NOTES:")[2].replace("\\\n", "")
    upgrades = [line for line in notes.splitlines() if "helm upgrade istiod" in line]
    assert upgrades
    for line in upgrades:
        assert "--version \"$(helm get metadata istiod -n istio-system | sed -n 's/^VERSION: //p')\"" in line
    assert "get manifest" not in notes
    assert "get configmap groundcover-sensor-istio -o yaml > groundcover.yaml" in notes
