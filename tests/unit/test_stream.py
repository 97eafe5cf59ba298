"""A stream as bytes: where its documents begin and end, which of them can matter, and what stays as it is."""

from __future__ import annotations

import pytest

from groundcover_istio import stream
from groundcover_istio.errors import ManifestError

SERVICE = b"kind: Service\nmetadata: {name: groundcover-sensor}\n"
MESH = b"kind: ConfigMap\nmetadata: {name: istio}\ndata: {mesh: ''}\n"
POD = b"kind: Pod\nmetadata: {name: shop}\n"


def found(manifests: bytes, service: str = "", *, deployments: bool = False) -> list[bytes]:
    """The bytes of every candidate."""
    return [manifests[each.start : each.end] for each in stream.candidates(manifests, service, deployments=deployments)]


@pytest.mark.parametrize(
    "manifests",
    [
        pytest.param([SERVICE], id="alone"),
        pytest.param([b"---\n" + SERVICE], id="behind a separator at the very beginning"),
        pytest.param([POD, b"---\n" + SERVICE], id="the last"),
        pytest.param([POD, b"---\n" + SERVICE, b"---\n" + POD], id="in the middle"),
        pytest.param([POD, b"--- # Service\n" + SERVICE, b"---"], id="before a separator at the very end"),
        pytest.param([POD, b"---\t\n" + SERVICE, b"--- \n" + POD], id="behind a separator with white space"),
        pytest.param([POD, b"---\r\n" + SERVICE, b"---\r\n" + POD], id="behind a separator of Windows"),
        pytest.param([SERVICE, b"---\n---\n" + POD], id="before two separators"),
        pytest.param([POD, b"---\n" + SERVICE + b"x: |\n  ---\n", b"---\n" + POD], id="with one that is indented"),
        pytest.param([POD, b"---\n-----BEGIN\n" + SERVICE + b"-----END\n---x\n", b"---\n" + POD], id="with what looks like one"),
        pytest.param([b"groundcover", b"\n---\n" + SERVICE][1:], id="behind an empty line"),
        pytest.param([POD * 40, b"---\n" + SERVICE, b"---\n" + POD * 40], id="far from both ends"),
    ],
)  # fmt: skip
def test_where_a_document_begins_and_ends(manifests: list[bytes]) -> None:
    """From its separator line to before the next one; the others are not touched."""
    joined = b"".join(manifests)
    wanted = next(each for each in manifests if SERVICE in each)
    # The line break before a separator at the beginning of a text belongs to nothing.
    assert found(joined) == [wanted.removeprefix(b"\n") if joined.startswith(b"\n---") else wanted]
    (document,) = stream.candidates(joined)
    assert document.line == joined.count(b"\n", 0, document.start) + 1
    assert document.text.encode() == joined[document.start : document.end]


@pytest.mark.parametrize(
    ("document", "matters"),
    [
        pytest.param(MESH, True, id="a mesh config"),
        pytest.param(b'{"kind":"ConfigMap","metadata":{"name":"istio"},"data":{"mesh":""}}', True, id="in JSON"),
        pytest.param(b"'kind': 'ConfigMap'\n'name': 'istio-canary'\n'mesh': |\n", True, id="in single quotes, of a revision"),
        pytest.param(b"kind :\n  ConfigMap\nname: groundcover-mesh\nmesh : x\n", True, id="of ours, with blanks and line breaks"),
        pytest.param(MESH.replace(b"name: istio", b"name: &name istio"), True, id="with an anchor"),
        pytest.param(MESH.replace(b"name: istio", b"name: !!str &name 'istio'"), True, id="with a tag, an anchor and quotes"),
        pytest.param(MESH.replace(b"name: istio", b"app: &name istio\nname: *name"), True, id="by an alias"),
        pytest.param(MESH.replace(b"name: istio", b"name: >-\n  istio"), True, id="in a block scalar"),
        pytest.param(MESH.replace(b"kind: ConfigMap", b"kind: !!str ConfigMap"), True, id="of a kind with a tag"),
        pytest.param(MESH.replace(b"name: istio", b"name: &istio other"), False, id="an anchor of that name"),
        pytest.param(MESH.replace(b"ConfigMap", b"List"), True, id="a list of whatever"),
        pytest.param(MESH.replace(b"ConfigMap", b"ConfigMapList"), False, id="another kind"),
        pytest.param(MESH.replace(b"ConfigMap", b"Secret"), False, id="a Secret"),
        pytest.param(MESH.replace(b"name: istio", b"name: istiod"), False, id="another name"),
        pytest.param(MESH.replace(b"mesh:", b"meshNetworks:"), False, id="mesh networks alone"),
        pytest.param(MESH.replace(b"mesh:", b"service-mesh:"), False, id="another key"),
        pytest.param(MESH.replace(b"mesh:", b"service.mesh:"), False, id="another key with a dot"),
        pytest.param(MESH.replace(b"mesh:", b"my_mesh:"), False, id="another key with an underscore"),
        pytest.param(b"kind: ConfigMap\nmetadata: {name: istio-integration}\n", True, id="an integration"),
        pytest.param(b"kind: Secret\nmetadata: {name: istio-integration}\n", False, id="a Secret of that name"),
        pytest.param(b"apiVersion: telemetry.istio.io/v1\nkind: Telemetry\n", True, id="a Telemetry"),
        pytest.param(b"apiVersion: telemetry.istio.io/v1\nkind: Other\n", False, id="another kind of its group"),
        pytest.param(b"apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n", True, id="an IstioOperator"),
        pytest.param(b"apiVersion: sailoperator.io/v1\nkind: Istio\n", True, id="Sail's Istio"),
        pytest.param(b"apiVersion: sailoperator.io/v1\nkind: IstioRevision\n", True, id="Sail's IstioRevision"),
        pytest.param(b"apiVersion: sailoperator.io/v1\nkind: IstioCNI\n", False, id="another kind of Sail's"),
        pytest.param(b"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n", True, id="a KRM function's list"),
        pytest.param(SERVICE, True, id="the sensor's Service"),
        pytest.param(SERVICE.replace(b"groundcover-sensor", b"eyes"), False, id="another Service"),
        pytest.param(b"kind: Deployment\nmetadata: {name: istiod}\n", False, id="istiod"),
        pytest.param(POD, False, id="a Pod"),
    ],
)  # fmt: skip
def test_what_can_matter(document: bytes, matters: bool) -> None:  # noqa: FBT001  a column of the table
    """By its kind and by words in it; what passes is looked at more closely, what does not is never parsed."""
    assert bool(stream.candidates(b"---\n" + POD + b"---\n" + document + b"---\n" + POD)) == matters


def test_what_matters_by_settings() -> None:
    """A Service of another name, and istiod for the shared mesh config."""
    manifests = b"---\n".join(
        [POD, SERVICE.replace(b"groundcover-sensor", b"eyes"), b"kind: Deployment\nname: istiod\n"]
    )
    assert found(manifests) == []
    assert [b"eyes" in each for each in found(manifests, "eyes")] == [True]
    assert [b"istiod" in each for each in found(manifests, deployments=True)] == [True]
    assert found(b"kind: Deployment\nname: istiod-gateway-x\nimage: istiod\n", deployments=True) != []
    assert found(b"kind: Deployment\nname: istio\nimage: istiod\n", deployments=True) == []


def test_candidates_come_in_the_streams_order() -> None:
    """Whatever they were found by; each with the line it begins on."""
    manifests = b"---\n".join([POD, SERVICE, POD, MESH, SERVICE])
    assert found(manifests) == [b"---\n" + SERVICE, b"---\n" + MESH, b"---\n" + SERVICE]
    assert [each.line for each in stream.candidates(manifests)] == [3, 9, 13]


def test_bytes_that_are_no_text() -> None:
    """Only where they would be read; the message names the line."""
    assert found(b"---\n" + POD + b"\xff\n---\n" + SERVICE) == [b"---\n" + SERVICE]
    with pytest.raises(ManifestError, match="byte 0xff is not valid UTF-8") as caught:
        found(b"---\n" + POD + b"---\n" + SERVICE + b"\n\xff\n")
    assert caught.value.where == "line 8"
    with pytest.raises(ManifestError) as caught:
        found(b"\n" + SERVICE + b"\xff\n")
    assert caught.value.where == "line 4"


def test_at_the_very_beginning() -> None:
    """What is looked for may be the stream's first bytes, and so may a separator be, or what looks like one."""
    assert found(b"groundcover: x\nkind: Service\n") == [b"groundcover: x\nkind: Service\n"]
    assert found(b"\n---x\n" + SERVICE) == [b"\n---x\n" + SERVICE]
    assert found(b"\n---\na\n---x\n" + SERVICE) == [b"---\na\n---x\n" + SERVICE]


def test_a_byte_order_mark_is_no_text() -> None:
    """It stays where it stands."""
    manifests = b"\xef\xbb\xbf" + SERVICE
    (document,) = stream.candidates(manifests)
    assert document.text == SERVICE.decode()
    assert stream.splice(manifests, [(document, "x: y\n")], []) == b"\xef\xbb\xbfx: y\n"


@pytest.mark.parametrize(
    ("manifests", "added", "result"),
    [
        pytest.param(b"a: 1\n", ["b: 2\n"], b"a: 1\n---\nb: 2\n", id="a document"),
        pytest.param(b"a: 1", ["b: 2\n"], b"a: 1\n---\nb: 2\n", id="behind one without a line break at its end"),
        pytest.param(b"", ["b: 2\n"], b"---\nb: 2\n", id="to nothing"),
        pytest.param(b"a: 1\r\n", ["b:\n  c\n"], b"a: 1\r\n---\r\nb:\r\n  c\r\n", id="with the stream's line breaks"),
        pytest.param(b"a: 1\r\nb: 2", ["c: 3\n"], b"a: 1\r\nb: 2\r\n---\r\nc: 3\r\n", id="with them at its end"),
        pytest.param(b"\na: 1\r\n", ["b: 2\n"], b"\na: 1\r\n---\nb: 2\n", id="with those of its first line"),
        pytest.param(b"ab: 1\r\n", ["b: 2\n"], b"ab: 1\r\n---\r\nb: 2\r\n", id="wherever the first one stands"),
        pytest.param(b"\r\na: 1\r\n", ["b: 2\n"], b"\r\na: 1\r\n---\r\nb: 2\r\n", id="also at the very beginning"),
        pytest.param(b"a:\t\n", ["b: 2\n"], b"a:\t\n---\nb: 2\n", id="not with a tab before it"),
        pytest.param(b"a\rb", ["b: 2\n"], b"a\rb\n---\nb: 2\n", id="not where it has none"),
        pytest.param(b"a\rb\n", ["b: 2\n"], b"a\rb\n---\nb: 2\n", id="not with a carriage return elsewhere"),
        pytest.param(b"a: 1\n", ["b: 2\n", "c: 3\n"], b"a: 1\n---\nb: 2\n---\nc: 3\n", id="two"),
        pytest.param(b"a: 1", [], b"a: 1", id="nothing"),
    ],
)  # fmt: skip
def test_what_is_added(manifests: bytes, added: list[str], result: bytes) -> None:
    """Behind everything else, which stays."""
    assert stream.splice(manifests, [], added) == result


def test_what_is_replaced() -> None:
    """And nothing else, also where something is added."""
    manifests = b"---\n".join([POD, SERVICE, POD, SERVICE.removesuffix(b"\n")])
    first, last = stream.candidates(manifests)
    assert stream.splice(manifests, [(first, "---\nx\n")], []) == manifests.replace(SERVICE, b"x\n")
    both = stream.splice(manifests, [(first, "---\nx\n"), (last, "---\ny")], ["z\n"])
    assert both == b"---\n".join([POD, b"x\n", POD, b"y\n", b"z\n"])


@pytest.mark.parametrize(
    ("document", "chart"),
    [
        pytest.param("# Source: istiod/templates/x.yaml\na: 1\n", ("istiod", False), id="Helm 3's comment"),
        pytest.param("# Source: a/charts/b/templates/x.yaml\na: 1\n", ("a", False), id="the release's own chart, not a subchart"),
        pytest.param("a: 1 # Source: b/c\n", ("", False), id="a comment elsewhere"),
        pytest.param("# Source: a\n", ("", False), id="no template"),
        pytest.param("# Source: a?/b\n", ("", False), id="no name of a chart"),
        pytest.param('postrenderer.helm.sh/postrender-filename: "istiod/templates/x.yaml"\n', ("istiod", True), id="Helm 4's annotation"),
        pytest.param("{'postrenderer.helm.sh/postrender-filename':'a/b'}\n", ("a", True), id="in flow style"),
        pytest.param("# Source: a/b\npostrenderer.helm.sh/postrender-filename: b/c\n", ("b", True), id="the annotation before the comment"),
        pytest.param("a: 1\n", ("", False), id="nothing"),
    ],
)  # fmt: skip
def test_the_chart_of_a_document(document: str, chart: tuple[str, bool]) -> None:
    """As Helm says it of this document, not of its neighbours."""
    other = b"# Source: other/x.yaml\npostrenderer.helm.sh/postrender-filename: other/x\n"
    manifests = b"---\n".join([other, document.encode(), other])
    start = len(other) + 4
    place = stream.Document(start, start + len(document), 1, document)
    assert stream.chart_of(manifests, place) == chart
    assert stream.is_helm4(document.encode()) == chart[1]


@pytest.mark.parametrize(
    ("manifests", "tags"),
    [
        pytest.param(b"image: docker.io/istio/pilot:1.24.3\n", ["1.24.3"], id="an image"),
        pytest.param(b'  - "image": "x/pilot:1.24.3-distroless"\n', ["1.24.3-distroless"], id="in quotes"),
        pytest.param(b"{image: 'x/pilot:1.24.3'}\nimage : x/pilot:1.25\n", ["1.24.3", "1.25"], id="two"),
        pytest.param(b"image: mirror/istio-pilot:1.21.6\n", ["1.21.6"], id="a mirror's name for it"),
        pytest.param(b"image: x/autopilot:1.21.6\n", [], id="another name"),
        pytest.param(b"image: x/auto-pilot:1.21.6\n", [], id="another name with a dash"),
        pytest.param(b"image: x/pilot:latest\n", [], id="no version"),
        pytest.param(b"image: x/proxyv2:1.24.3\n", [], id="another image"),
        pytest.param(b"# see x/pilot:1.24.3\nimage: y\n", [], id="not as an image"),
        pytest.param(b"image:\nx/pilot:1.24.3\n", [], id="on another line"),
        pytest.param(b"image: " + b"x" * 504 + b"/pilot:1.24.3\n", ["1.24.3"], id="a name as long as is looked at"),
        pytest.param(b"image: " + b"x" * 505 + b"/pilot:1.24.3\n", [], id="a longer one"),
    ],
)  # fmt: skip
def test_the_tags_of_istiod(manifests: bytes, tags: list[str]) -> None:
    """Of every image that the stream names."""
    assert stream.istiod_tags(manifests) == tags


ISTIOD = b"kind: Deployment\nmetadata: {name: istiod-canary}\nargs: "


@pytest.mark.parametrize(
    ("document", "default", "found"),
    [
        pytest.param(ISTIOD + b"[--domain, corp.example]\n", False, True, id="another domain"),
        pytest.param(ISTIOD + b"\n- --domain\n- corp.example\n", False, True, id="on two lines"),
        pytest.param(ISTIOD + b'["--domain=corp.example"]\n', False, True, id="in one argument"),
        pytest.param(ISTIOD + b"[--domain, cluster.local.example]\n", False, True, id="one that begins as the default"),
        pytest.param(ISTIOD + b'["--domain","cluster.local"]\n', False, False, id="the default"),
        pytest.param(ISTIOD + b"\n- --domain\n- cluster.local\n", False, False, id="the default on two lines"),
        pytest.param(ISTIOD + b"\n- --domain\n- cluster.local\n", True, True, id="the default, which is asked for"),
        pytest.param(ISTIOD + b"\n- --domain\n- $(POD_NAMESPACE).svc.x\n", False, False, id="a proxy's"),
        pytest.param(ISTIOD.replace(b"istiod", b"dns") + b"[--domain, a.b]\n", True, False, id="another Deployment's"),
        pytest.param(ISTIOD.replace(b"Deployment", b"Pod") + b"[--domain, a.b]\n", True, False, id="another kind's"),
    ],
)  # fmt: skip
def test_where_istiod_may_be_told_a_cluster_domain(document: bytes, *, default: bool, found: bool) -> None:
    """Found by bytes, before anything is parsed."""
    manifests = POD + b"--domain x\n---\n" + document + b"---\n" + POD
    documents = stream.with_domain(manifests, default=default)
    assert [(each.line, each.text) for each in documents] == (
        [(2 + POD.count(b"\n"), "---\n" + document.decode())] if found else []
    )


def test_a_domain_at_the_very_beginning() -> None:
    """Whatever stands there: it is looked at."""
    assert len(stream.with_domain(b"--domain: a.b\n" + ISTIOD + b"[]\n", default=False)) == 1


def test_blank() -> None:
    """White space only."""
    assert stream.is_blank(b"")
    assert stream.is_blank(b" \n")
    assert not stream.is_blank(b" x")
