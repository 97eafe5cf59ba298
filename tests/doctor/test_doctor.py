"""A healthy cluster, one fault at a time, and what can't be read."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundcover_istio.commands import doctor
from groundcover_istio.doctor.examine import examine
from groundcover_istio.doctor.items import SENTENCES
from groundcover_istio.doctor.source import Query, Reading, believed

from .conftest import KINDS
from .faults import FAULTS, UNTOUCHED, early, patched_by_hand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CASES = Path(__file__).parent / "cases"
READ = ("pods", "configmaps", "services", "endpointslices", "telemetries", "sidecars", "destinationrules",
        "peerauthentications", "secrets")  # fmt: skip


def findings(tool: Callable[..., Any], *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and everything that is not ok."""
    code, out, err = tool("doctor", "--format", "json", *arguments)
    assert err == ""
    (context,) = json.loads(out)["contexts"]
    assert context["ok"] == (code == 0)
    return code, [each for each in context["items"] if each["status"] != "ok"]


def codes(found: list[dict[str, Any]]) -> list[str]:
    """Their codes."""
    return sorted(f"{each['status']} {each['code']}" for each in found)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_and_nothing_else(
    name: str, cluster: Any, tmp_path: Path, tool: Callable[..., Any], request: pytest.FixtureRequest
) -> None:
    """By its code; the text says what was found, what it causes and how to mend it."""
    change, wanted = FAULTS[name]
    change(cluster)
    folder = str(cluster.write(tmp_path / "dump"))
    code, found = findings(tool, "--from", folder)
    assert codes(found) == sorted(wanted)
    assert code == any(not each.startswith("warn") for each in wanted)
    for each in found:
        assert each["fix"] or each["code"] == "release-unread"
    text = tool("doctor", "--from", folder).out.decode().replace(folder, "DIR")
    assert "hunter2" not in text
    path = CASES / f"{name}.txt"
    if request.config.getoption("--update"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("name", FAULTS)
def test_kubectl_shows_the_same(
    name: str, cluster: Any, kubectl: Callable[..., Path], tool: Callable[..., Any]
) -> None:
    """A live cluster and its dump are judged alike; nothing but `get` is called, each time with a limit."""
    change, wanted = FAULTS[name]
    change(cluster)
    folder = kubectl(cluster)
    _, found = findings(tool)
    assert codes(found) == sorted(wanted)
    calls = (folder.parent / "calls").read_text().splitlines()
    assert all(call.startswith("get ") and "--request-timeout 10s" in call for call in calls)


def test_every_code_is_tested() -> None:
    """Of those that are no ok, each is the outcome of a fault."""
    tested = {each.split()[1] for _, wanted in FAULTS.values() for each in wanted}
    bad = {code for code, sentence in SENTENCES.items() if sentence.fix or sentence.causes}
    assert bad - tested == UNTOUCHED


MISBEHAVIOUR = {
    "forbidden": "sys.stderr.write('Error from server (Forbidden): pods is forbidden: User \"me\" cannot list it\\n'); raise SystemExit(1)",
    "no such kind": 'sys.stderr.write("error: the server doesn\'t have a resource type\\n"); raise SystemExit(1)',
    "silent failure": "raise SystemExit(3)",
    "silent success": "raise SystemExit",
    "no JSON": 'print("Unable to connect"); raise SystemExit',
    "half an answer": 'print(\'{"items": [{"kind":\'); raise SystemExit',
    "a status": 'print(\'{"kind": "Status", "status": "Failure"}\'); raise SystemExit',
    "another kind": 'print(\'{"items": [{"kind": "Lie", "metadata": {"name": "a"}}]}\'); raise SystemExit',
    "no objects": "print('{\"items\": [1, null]}'); raise SystemExit",
    "nameless objects": "print('{\"items\": [{}]}'); raise SystemExit",
    "cut off": 'print(\'{"items": [], "metadata": {"continue": "x"}}\'); raise SystemExit',
    "deep": "print('[' * 100000); raise SystemExit",
    "no text": "sys.stdout.buffer.write(b'\\xff\\xfe\\x00'); raise SystemExit",
}


# Every way for one kind, and two ways for each kind.
CANT_READ = [("pods", name) for name in MISBEHAVIOUR] + [
    (plural, name) for plural in READ[1:] for name in ("forbidden", "another kind")
]


@pytest.mark.parametrize(("plural", "how"), CANT_READ)
def test_what_cant_be_read_is_named(
    plural: str, how: str, cluster: Any, kubectl: Callable[..., Path], tool: Callable[..., Any]
) -> None:
    """No crash, and nothing is said to be well that was not seen."""
    (kubectl(cluster) / f"{plural}.how").write_text(MISBEHAVIOUR[how])
    code, out, err = tool("doctor")
    text = out.decode()
    assert (code, err) == (0 if plural == "secrets" else 1, "")
    assert f"could not read {plural}" in text
    assert "Traceback" not in text
    for line in FROM[plural]:
        assert line not in text


# What an ok must not say while its objects are unread.
FROM = {
    "pods": ["ok    istiod", "on every node", "none with a proxy", "none runs with", "is the tracer"],
    "configmaps": ["is the tracer", "requests are sampled"],
    "services": ["has port 4318", "ready endpoint", "none with a proxy"],
    "endpointslices": ["ready endpoint"],
    "telemetries": ["is the tracer", "requests are sampled", "mesh-wide Telemetry", "none runs with"],
    "sidecars": ["no Sidecar keeps"],
    "destinationrules": ["no DestinationRule changes"],
    "peerauthentications": ["no PeerAuthentication keeps"],
    "secrets": ["its manifest has"],
}


@pytest.mark.timeout(60)
def test_a_hanging_kubectl_is_left(cluster: Any, kubectl: Callable[..., Path], tool: Callable[..., Any]) -> None:
    """After the time limit, which counts for each call."""
    folder = kubectl(cluster)
    for plural in READ:
        (folder / f"{plural}.how").write_text("time.sleep(600)")
    code, out, _ = tool("doctor", "--timeout", "0.5")
    assert code == 1
    assert "could not read the cluster: no answer within 0.5 s" in out.decode()
    assert "  ok  " not in out.decode()


REFUSED = {
    "of one text": "The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?",
    "with the path of each": 'Get "https://10.0.0.1/api": dial tcp 10.0.0.1:443: connect: connection refused',
}


def test_a_cluster_that_is_silent_now_and_then_is_unreachable_too(
    cluster: Any, kubectl: Callable[..., Path], tool: Callable[..., Any]
) -> None:
    """The line says what says the most."""
    folder = kubectl(cluster)
    for plural in KINDS:
        how = (
            "time.sleep(60)" if plural == "pods" else "sys.stderr.write('lookup x: no such host'); raise SystemExit(1)"
        )
        (folder / f"{plural}.how").write_text(how)
    code, found = findings(tool, "--timeout", "2")
    assert (code, codes(found)) == (1, ["unknown unreachable"])
    assert found[0]["message"] == "could not read the cluster: lookup x: no such host"


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_an_unreachable_cluster_is_one_line(
    text: str, cluster: Any, kubectl: Callable[..., Path], tool: Callable[..., Any]
) -> None:
    """Not one for each call, with a hint about rights."""
    folder = kubectl(cluster)
    for plural in KINDS:
        (folder / f"{plural}.how").write_text(
            f"sys.stderr.write({text!r} + name * {'Get' in text}); raise SystemExit(1)"
        )
    code, found = findings(tool)
    assert (code, codes(found)) == (1, ["unknown unreachable"])
    assert found[0]["message"].startswith(f"could not read the cluster: {text[:20]}")
    assert found[0]["fix"] == "kubectl cluster-info"
    assert "can-i" not in tool("doctor").out.decode()


def test_a_kubectl_without_end_is_left(
    cluster: Any, kubectl: Callable[..., Path], tool: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After as many bytes as an answer may have: it would take all memory."""
    monkeypatch.setattr("groundcover_istio.processes.MOST", 1 << 24)
    folder = kubectl(cluster)
    for stream, plural in (("1", "sidecars"), ("2", "pods")):
        (folder / f"{plural}.how").write_text(f"import os\nwhile True: os.write({stream}, b'x' * 65536)")
    code, out, _ = tool("doctor", "--timeout", "30")
    assert code == 1
    for plural in ("sidecars", "pods"):
        assert f"could not read {plural}: an answer of more than 16 MiB" in out.decode()


def test_no_kubectl(tool: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Is a usage error that names the way without it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    code, out, err = tool("doctor")
    assert (code, out) == (2, b"")
    assert "kubectl: is not on PATH" in err
    assert "--from DIR" in err


def test_all_contexts(cluster: Any, kubectl: Callable[..., Path], tool: Callable[..., Any]) -> None:
    """Each cluster has its checklist; a table shows which one needs a look."""
    folder = kubectl(cluster)
    cluster.one("endpointslices", "groundcover-sensor-x")["endpoints"] = []
    cluster.write_by_namespace(folder.parent / "two")
    code, out, _ = tool("doctor", "--all-contexts")
    table = out.decode().split("CONTEXT")[1].splitlines()
    assert code == 1
    assert [line.split()[0] for line in table[1:3]] == ["one", "two"]
    assert table[1].split()[2:] == ["0", "0", "0", "-"]
    assert table[2].split()[2:] == ["1", "0", "0", "endpoints-none"]
    data = json.loads(tool("doctor", "--all-contexts", "--format", "json").out)
    assert [each["ok"] for each in data["contexts"]] == [True, False]


def test_the_users_context_and_kubeconfig_are_passed_on(
    cluster: Any, kubectl: Callable[..., Path], tool: Callable[..., Any]
) -> None:
    """As they are; kubectl is asked first whether it knows such a context."""
    folder = kubectl(cluster)
    file = folder.parent / "a b"
    file.touch()
    assert tool("doctor", "--context", "two", "--kubeconfig", str(file)).code == 0
    first, *calls = (folder.parent / "calls").read_text().splitlines()
    assert first == f"config get-contexts --output name --kubeconfig {file}"
    assert all(f"--kubeconfig {file} --context two" in call for call in calls)


def test_what_mends_a_cluster_speaks_to_the_one_examined(
    cluster: Any, kubectl: Callable[..., Path], tool: Callable[..., Any]
) -> None:
    """Not to that of the current context: with it a fix would restart another cluster's pods."""
    early(cluster)
    patched_by_hand(cluster)
    cluster["endpointslices"].clear()
    cluster.one("pods", "istiod-1")["status"].pop("conditions")
    folder = kubectl(cluster)
    (folder / "sidecars.how").write_text("raise SystemExit(3)")
    file = folder.parent / "a b"
    file.touch()
    out = tool("doctor", "--context", "two", "--kubeconfig", str(file)).out.decode()
    lines = [part for line in out.splitlines() for part in line.replace("fix:", "").split("; ")]
    commands = [line.strip() for line in lines if re.match(r" *(kubectl|helm) ", line)]
    for each in commands:
        option = "--context" if each.startswith("kubectl") else "--kube-context"
        assert each.split(" ", 1)[1].startswith(f"{option} two --kubeconfig '{file}' "), each
    for words in (
        "auth can-i list sidecars",
        "rollout restart",
        "describe pods",
        "describe service",
        "upgrade istiod … ",
    ):
        assert any(words in each for each in commands), words


def test_a_context_that_kubectl_does_not_know(
    cluster: Any, kubectl: Callable[..., Path], tool: Callable[..., Any]
) -> None:
    """Is one usage error; no call is made that would only say the same."""
    folder = kubectl(cluster)
    code, out, err = tool("doctor", "--context", "tow")
    assert (code, out) == (2, b"")
    assert "--context: kubectl knows no context tow; it knows one, two\n  fix: did you mean two?" in err
    assert len((folder.parent / "calls").read_text().splitlines()) == 1
    assert "fix: kubectl config get-contexts" in tool("doctor", "--context", "production").err
    code, _, err = tool("doctor", "--kubeconfig", "/nowhere")
    assert code == 2
    assert "--kubeconfig: /nowhere is not there" in err


USAGE = {
    "two sources": ["--context", "a", "--from", "b"],
    "no such folder": ["--from", "/nowhere"],
    "no number": ["--timeout", "soon"],
    "no time": ["--timeout", "0"],
    "no format": ["--format", "xml"],
    "bad setting": ["--protocol", "carrier-pigeon"],
}


@pytest.mark.parametrize("arguments", USAGE.values(), ids=USAGE)
def test_usage(arguments: list[str], tool: Callable[..., Any]) -> None:
    """Exit code 2, one message, no checklist."""
    code, out, err = tool("doctor", *arguments)
    assert (code, out) == (2, b"")
    assert err.startswith("groundcover-istio: error: ")


@pytest.mark.parametrize("given", ["soon", "0", "-1", "nan", "inf"])
def test_a_time_limit_that_is_none(given: str, tool: Callable[..., Any]) -> None:
    """In words, with what was given."""
    assert (
        f'argument --timeout: "{given}" is no number of seconds above 0\n' in tool("doctor", f"--timeout={given}").err
    )


def test_dumps_that_are_missing_or_broken(cluster: Any, tmp_path: Path, tool: Callable[..., Any]) -> None:
    """Are named; an object of the wrong kind in a file is no reason to believe the rest of it."""
    folder = cluster.write(tmp_path / "dump")
    (folder / "sidecars.json").unlink()
    (folder / "services.json").write_text("{")
    (folder / "destinationrules.json").write_text("[]")
    (folder / "telemetries.json").write_text('{"items": [{"kind": "Lie", "metadata": {"name": "a"}}]}')
    _, found = findings(tool, "--from", str(folder))
    assert codes(found) == ["unknown unread"] * 4
    reasons = " ".join(each["message"] for each in found)
    out = tool("doctor", "--from", str(folder)).out.decode()
    assert "can-i" not in out
    resource = "sidecars.networking.istio.io"
    assert f"kubectl get {resource} --all-namespaces --output json > {folder}/sidecars.json" in out
    spaced = folder.rename(tmp_path / "a dump")
    for name in ("configmaps", "secrets"):
        (spaced / f"{name}.json").unlink()
    out = tool("doctor", "--from", str(spaced)).out.decode()
    assert f"kubectl get configmaps --all-namespaces --output json --show-managed-fields > '{spaced}/configmaps" in out
    assert f"kubectl get secrets --all-namespaces --selector owner=helm --output json > '{spaced}/secrets.json'" in out
    for part in ("no sidecars.json", "services.json is no JSON", "destinationrules.json is no list", "is no Telemetry"):
        assert part in reasons


def test_objects_that_no_api_server_would_give(cluster: Any, tmp_path: Path, tool: Callable[..., Any]) -> None:
    """Whatever stands in place of any value, doctor ends with a checklist."""
    for plural, items in cluster.items():
        for junk in (None, 1, "x", [], [None], {"a": 1}):
            for key in [key for key in items[0] if key not in ("kind", "metadata")] if items else []:
                broken = {**cluster, plural: [{**each, key: junk} for each in items]}
                folder = type(cluster)(broken).write(tmp_path / "dump")
                code, out, err = tool("doctor", "--from", str(folder))
                assert code in (0, 1), (plural, key, junk)
                assert err == ""
                assert out


def test_help_fits_a_screen() -> None:
    """And shows an example."""
    text = doctor.parser().format_help()
    assert "example: " in text
    assert len(text.splitlines()) <= 40


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_junk_anywhere_ends_in_a_checklist(data: st.DataObject, cluster: Any) -> None:
    """Any value in any object in place of which stands something else: no exception, and every line has its words."""
    broken = copy.deepcopy(cluster)
    spots = list(places(broken))
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(spots))
        holder[key] = data.draw(JUNK)

    def read(query: Query) -> Reading:
        return believed(query, {"items": broken[query.resource.partition(".")[0]]})

    for section in examine(read, []):
        for item in section.items:
            assert item.text
            assert isinstance(item.causes + item.fix, str)


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.just([None]), st.just({"a": [1]}), st.just([{}])
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container below a value and each of its keys."""
    for key, inner in list(value.items()) if isinstance(value, dict) else enumerate(value):
        if not (isinstance(value, dict) and key in KINDS):
            yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


RECORDS = {
    "no record": None,
    "no text": 1,
    "no base64": "%%%",
    "no gzip": base64.b64encode(base64.b64encode(b"hunter2")).decode(),
    "no JSON": base64.b64encode(base64.b64encode(gzip.compress(b"hunter2"))).decode(),
    "no manifest": base64.b64encode(base64.b64encode(gzip.compress(b'{"config": "hunter2"}'))).decode(),
    "no YAML": base64.b64encode(base64.b64encode(gzip.compress(b'{"manifest": "mesh: [hunter2"}'))).decode(),
    "too much": base64.b64encode(base64.b64encode(gzip.compress(b" " * (65 * 1024 * 1024)))).decode(),
}


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_a_release_that_cant_be_read(record: Any, cluster: Any, tmp_path: Path, tool: Callable[..., Any]) -> None:
    """Is named; nothing that is in it is shown."""
    cluster.one("secrets", "sh.helm.release.v1.istiod.v2")["data"]["release"] = record
    folder = str(cluster.write(tmp_path / "dump"))
    code, found = findings(tool, "--from", folder)
    assert (code, codes(found)) == (1, ["unknown release-unread"])
    assert "hunter2" not in json.dumps(found)


def test_releases_of_other_charts_do_not_matter(cluster: Any, tmp_path: Path, tool: Callable[..., Any]) -> None:
    """Nor do Secrets that look like a release, nor an unreadable revision of long ago."""
    other = base64.b64encode(base64.b64encode(gzip.compress(b'{"manifest": "kind: x"}'))).decode()
    labels = {"owner": "helm", "name": "base", "status": "deployed", "version": "1"}
    cluster.add("Secret", "sh.helm.release.v1.base.v1", "istio-system", labels=labels, data={"release": other})
    cluster.add("Secret", "odd", "istio-system", labels={"owner": "helm"}, data={})
    cluster.one("secrets", "sh.helm.release.v1.istiod.v1")["data"]["release"] = "%"
    code, found = findings(tool, "--from", str(cluster.write(tmp_path / "dump")))
    assert (code, found) == (0, [])


def test_a_proxy_with_a_sampling_of_its_own_is_not_old(cluster: Any, tmp_path: Path, tool: Callable[..., Any]) -> None:
    """Its pod says so in an annotation."""
    for name in ("web", "cart"):
        made = cluster.one("pods", name)
        made["metadata"]["annotations"]["proxy.istio.io/config"] = "tracing: {sampling: 50}"
        made["spec"]["containers"][1]["env"][0]["value"] = '{"tracing": {"sampling": 50}}'
    assert findings(tool, "--from", str(cluster.write(tmp_path / "dump"))) == (0, [])


def test_istiods_own_sampling(cluster: Any, tmp_path: Path, tool: Callable[..., Any]) -> None:
    """Counts where nothing else sets one; what is no percentage is Istio's default."""
    cluster.mesh(lambda mesh: mesh.pop("defaultConfig"))
    default = "1 % of requests are sampled, by Istio's default"
    for value, words in (
        ("25", "25 % of requests are sampled, by PILOT_TRACE_SAMPLING"),
        ("", default),
        ("x", default),
        ("nan", default),
        ("-5", default),
        ("101", default),
    ):
        env = [{"name": "PILOT_TRACE_SAMPLING", "value": value}]
        cluster.one("pods", "istiod-1")["spec"]["containers"][0]["env"] = env
        assert words in tool("doctor", "--from", str(cluster.write(tmp_path / "dump"))).out.decode()


def test_sampling_as_text(cluster: Any, tmp_path: Path, tool: Callable[..., Any]) -> None:
    """A number in quotes is one to istiod: the proxies that have it as a number are not older."""
    cluster.mesh(lambda mesh: mesh["defaultConfig"]["tracing"].update(sampling="1"))
    out = tool("doctor", "--from", str(cluster.write(tmp_path / "dump"))).out.decode()
    assert "1 % of requests are sampled, by defaultConfig.tracing.sampling" in out
    assert findings(tool, "--from", str(cluster.write(tmp_path / "dump"))) == (0, [])


def test_sampling_that_is_no_number(cluster: Any, tmp_path: Path, tool: Callable[..., Any]) -> None:
    """It makes istiod discard the whole mesh config."""
    cluster.mesh(lambda mesh: mesh["defaultConfig"]["tracing"].update(sampling="all"))
    out = tool("doctor", "--from", str(cluster.write(tmp_path / "dump"))).out.decode()
    assert 'defaultConfig.tracing.sampling is "all", not a number' in out
