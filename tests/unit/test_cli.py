"""The command line: arguments, variables, files, channels and exit codes."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from groundcover_istio import __version__, cli, options, pipeline

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).resolve().parents[1] / "data"
ISTIOD = (DATA / "istiod-compact.helm3.yaml").read_bytes()
ISTIOD4 = (DATA / "istiod-compact.helm4.yaml").read_bytes()
BROKEN = b"kind: ConfigMap\nmetadata: {name: istio}\ndata:\n  mesh: 'a: b: c'\n"


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        pytest.param(["--protocol", "zipkin", "diff"], "diff", id="which render takes for a file"),
        pytest.param(["--protocol", "zipkin", "export", "sail"], "export", id="with arguments of its own"),
        pytest.param(["--format", "json", "check"], "check", id="with options of its own"),
    ],
)
def test_a_command_behind_options(
    arguments: list[str], command: str, tool: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said where it belongs, unless there is a file of that name."""
    monkeypatch.chdir(tmp_path)
    code, out, err = tool(*arguments, stdin=ISTIOD)
    assert (code, out) == (2, b"")
    assert f"fix: the command comes first: groundcover-istio {command} [OPTIONS]\n" in err
    (tmp_path / command).write_bytes(ISTIOD)
    assert "the command comes first" not in tool(*arguments, stdin=ISTIOD).err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["rendr"], '"rendr" is no command; accepted: render, diff, check, rule, export, doctor, install-plugin', id="an unknown command"),
        pytest.param(["--protocl", "zipkin"], "unrecognized arguments: --protocl", id="an unknown option"),
        pytest.param(["--protocol"], "argument --protocol: expected one argument", id="a value missing"),
        pytest.param(["--protocol", "otlp"], '--protocol: "otlp" is none of otlp-http, otlp-grpc, datadog, zipkin', id="a choice"),
        pytest.param(["--sampling-percentage", "x"], '--sampling-percentage: "x" is not a number or null', id="a number"),
        pytest.param(["--otlp-http-port", "1.5"], '--otlp-http-port: "1.5" is not a whole number', id="a whole number"),
        pytest.param(["--otlp-http-port", "true"], '--otlp-http-port: "true" is not a whole number', id="a boolean is no number"),
        pytest.param(["--tracing", "1"], '--tracing: "1" is not true or false', id="a number is no boolean"),
        pytest.param(["--custom-tags", "{"], "--custom-tags: not valid YAML", id="broken JSON"),
        pytest.param(["--custom-tags", "x"], '--custom-tags: "x" is not a JSON object or list', id="a word is no JSON object"),
        pytest.param(["--service", "a"], '--service: "a" is not NAME.NAMESPACE', id="a service without namespace"),
        pytest.param(["--service", "a.b.svc"], '--service: "a.b.svc" is not NAME.NAMESPACE', id="a service with domain"),
        pytest.param(["--sampling-percentage", "101"], "command line: invalid settings\n  tracing.samplingPercentage: 101 is above 100", id="out of range"),
        pytest.param(["--http-timeout", ""], 'tracing.http.timeout: "" must match', id="no timeout"),
        pytest.param(["--activation", "mesh", "--custom-tags", '{"a":{"literal":{"value":"b"}}}'], "tracing.customTags needs a Telemetry", id="tags without Telemetry"),
        pytest.param(["--activation", "mesh", "--sampling-percentage", "0"], "tracing.samplingPercentage 0 can't be said in a mesh config", id="zero without Telemetry"),
        pytest.param(["--access-logs", "true", "--access-logs-provider-name", "otel-tracing"], 'are both "otel-tracing"', id="one name twice"),
        pytest.param(["--provider-name", "Prometheus"], "is \"Prometheus\", which is Istio's own", id="the name of a provider of Istio's own"),
        pytest.param(["--access-logs", "true", "--access-logs-provider-name", "envoy"], 'accessLogs.providerName is "envoy"', id="the same for access logs"),
        pytest.param(["--custom-tags", "{}\n---\n{}"], "--custom-tags: holds 2 YAML documents, one is accepted", id="two documents"),
        pytest.param(["--config", "/nowhere"], "/nowhere: can't be read: No such file or directory", id="no such file"),
        pytest.param(["render", "/nowhere"], "/nowhere: can't be read: No such file or directory", id="no such manifests"),
        pytest.param(["--report", "/nowhere/x"], "/nowhere/x: can't be written: No such file or directory", id="a report nowhere"),
        pytest.param(["--error-channel", "mail"], "argument --error-channel: invalid choice: 'mail'", id="a channel"),
    ],
)  # fmt: skip
def test_usage_and_settings(arguments: list[str], message: str, tool: Callable[..., Any]) -> None:
    """Each mistake is named with what is accepted; exit 2, no output."""
    code, out, err = tool(*arguments, stdin=ISTIOD)
    assert (code, out) == (2, b"")
    assert message in err
    assert err.startswith("groundcover-istio: error: ")


def test_no_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal, or with standard input closed, it says what to type instead of waiting."""
    monkeypatch.setattr(sys, "stdin", None)
    assert cli.main([]) == 2
    assert "no manifests on standard input" in capsys.readouterr().err


def test_version_and_help(tool: Callable[..., Any]) -> None:
    """--version and --help print to standard output, the help with every option."""
    code, out, err = subprocess_tool("--version")
    assert (code, out, err) == (0, f"groundcover-istio {__version__}\n", "")
    code, out, _ = subprocess_tool("--help")
    assert code == 0
    assert "example: helm upgrade" in out
    code, out, _ = subprocess_tool("--help-settings")
    assert code == 0
    for option in options.OPTIONS:
        assert f"--{option.flag} " in out
    assert tool("render", stdin=ISTIOD).code == 0


def subprocess_tool(*arguments: str, stdin: bytes = b"", **environment: str) -> tuple[int, str, str]:
    """The tool as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "groundcover_istio", *arguments],
        input=stdin,
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_every_option_is_a_variable(tool: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What a flag does, its variable does; the flag is stronger."""
    monkeypatch.setenv("GROUNDCOVER_ISTIO_PROTOCOL", "zipkin")
    monkeypatch.setenv("GROUNDCOVER_ISTIO_SERVICE", "eyes.obs")
    monkeypatch.setenv("GROUNDCOVER_ISTIO_ZIPKIN_PORT", "9999")
    by_variable = tool(stdin=ISTIOD).out
    assert b"service: eyes.obs.svc.cluster.local\n        port: 9999\n" in by_variable
    for name in ("PROTOCOL", "SERVICE", "ZIPKIN_PORT"):
        monkeypatch.delenv(f"GROUNDCOVER_ISTIO_{name}")
    flags = ["--protocol", "zipkin", "--service", "eyes.obs", "--zipkin-port", "9999"]
    assert tool(*flags, stdin=ISTIOD).out == by_variable
    monkeypatch.setenv("GROUNDCOVER_ISTIO_PROTOCOL", "datadog")
    assert tool(*flags, stdin=ISTIOD).out == by_variable


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("GROUNDCOVER_ISTIO_PROTOCOLL", "zipkin", "GROUNDCOVER_ISTIO_PROTOCOLL: nothing reads this variable"),
        (
            "GROUNDCOVER_ISTIO_SAMPLING_PERCENTAGE",
            "much",
            'GROUNDCOVER_ISTIO_SAMPLING_PERCENTAGE: "much" is not a number',
        ),
        ("GROUNDCOVER_ISTIO_SAMPLING_PERCENTAGE", "-1", "environment: invalid settings"),
        ("GROUNDCOVER_ISTIO_SAMPLING_PERCENTAGE", "", '"" is not a number or null'),
        ("GROUNDCOVER_ISTIO_MAX_TAG_LENGTH", " ", '" " is not a whole number or null'),
        ("GROUNDCOVER_ISTIO_SERVICE", "x", "fix: GROUNDCOVER_ISTIO_SERVICE=groundcover-sensor.groundcover"),
        ("GROUNDCOVER_ISTIO_ERROR_CHANNEL", "mail", '"mail" is none of auto, stderr, document'),
        ("GROUNDCOVER_ISTIO_REPORT_FORMAT", "xml", '"xml" is none of text, json'),
    ],
)
def test_a_wrong_variable_is_named(
    name: str, value: str, message: str, tool: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable of ours that nothing reads is a typing mistake."""
    monkeypatch.setenv(name, value)
    code, out, err = tool("--report", "-", stdin=ISTIOD)
    assert (code, out) == (2, b"")
    assert message in err


CONFIGS = {
    "an integration document": "tracing: {protocol: zipkin}\n",
    "a values file": "token: secret\nistio:\n  tracing: {protocol: zipkin}\n",
    "a values file of an umbrella chart": "global: {}\nsensor:\n  istio:\n    tracing: {protocol: zipkin}\n",
    "a manifest": "---\n# Source: x\nkind: Service\napiVersion: v1\n---\n"
    + (DATA / "sensor-compact.helm3.yaml").read_text().replace("samplingPercentage: 5", "protocol: zipkin"),
    "a List": json.dumps(
        {
            "kind": "List",
            "apiVersion": "v1",
            "items": [
                {
                    "kind": "ConfigMap",
                    "apiVersion": "v1",
                    "metadata": {"name": "x", "labels": {"app.kubernetes.io/component": "istio-integration"}},
                    "data": {"integration.yaml": "tracing: {protocol: zipkin}"},
                }
            ],
        }
    ),
}


@pytest.mark.parametrize("text", CONFIGS.values(), ids=CONFIGS)
def test_config_files(text: str, tool: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--config takes each of the three forms; its variable too; flags and variables are stronger."""
    file = tmp_path / "config.yaml"
    file.write_text("\ufeff" + text)
    assert b"zipkin-tracing" in tool("--config", str(file), stdin=ISTIOD).out
    assert b"datadog-tracing" in tool("--config", str(file), "--protocol", "datadog", stdin=ISTIOD).out
    monkeypatch.setenv("GROUNDCOVER_ISTIO_CONFIG", str(file))
    assert b"zipkin-tracing" in tool(stdin=ISTIOD).out


@pytest.mark.parametrize(
    ("text", "host"),
    [
        pytest.param("fullnameOverride: gc\nnamespaceOverride: obs\nistio: {}\n", "gc.obs", id="both overrides"),
        pytest.param("istio: {enabled: true}\nfullnameOverride: gc\n", "gc.groundcover", id="a name"),
        pytest.param("istio: {}\nnamespaceOverride: obs\n", "groundcover-sensor.obs", id="a namespace"),
        pytest.param("sensor: {namespaceOverride: obs, istio: {}}\n", "groundcover-sensor.obs", id="a subchart's"),
        pytest.param("istio: {}\nfullnameOverride: ''\n", "groundcover-sensor.groundcover", id="an empty one"),
        pytest.param("istio: {service: {name: a}}\nfullnameOverride: gc\nnamespaceOverride: obs\n", "a.obs", id="its own"),
    ],
)  # fmt: skip
def test_the_service_of_the_sensors_values(text: str, host: str, tool: Callable[..., Any], tmp_path: Path) -> None:
    """The values say beside `istio` what the Service is called and where it is; an option is stronger."""
    file = tmp_path / "values.yaml"
    file.write_text(text)
    assert f"service: {host}.svc.cluster.local\n".encode() in tool("--config", str(file), stdin=ISTIOD).out
    assert b"service: other.one.svc" in tool("--config", str(file), "--service", "other.one", stdin=ISTIOD).out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a: b: c\n", "config.yaml, line 1: not valid YAML", id="no YAML"),
        pytest.param(
            "tracing: {protocl: zipkin}\n",
            "tracing.protocl: unknown key; did you mean protocol?",
            id="a typing mistake",
        ),
        pytest.param(
            "apiVersion: v1\nkind: Pod\n", "config.yaml: holds no settings", id="a manifest without the ConfigMap"
        ),
        pytest.param("a: 1\n---\nb: 2\n", "config.yaml: holds no settings", id="two documents"),
        pytest.param("istio:\n  tracing: 5\n", "tracing: 5 is not an object", id="a wrong type"),
        pytest.param("", "config.yaml: is empty", id="nothing, as helm get manifest of no release leaves"),
        pytest.param("# nothing\n---\n", "config.yaml: is empty", id="comments alone"),
        pytest.param(
            "clusterId: c\ningestion: {site: a.b}\n", "config.yaml: has no `istio:` section", id="values without it"
        ),
        pytest.param(
            "a: {istio: {tracing: {protocol: zipkin}}}\nb: {istio: {}}\n",
            "config.yaml: several subcharts have an `istio:` section",
            id="two subcharts",
        ),
    ],
)
def test_config_files_that_are_wrong(text: str, message: str, tool: Callable[..., Any], tmp_path: Path) -> None:
    """Exit 2, the file named."""
    file = tmp_path / "config.yaml"
    file.write_text(text)
    code, out, err = tool("--config", str(file), stdin=ISTIOD)
    assert (code, out) == (2, b"")
    assert message in err


def test_a_config_file_that_is_no_text(tool: Callable[..., Any], tmp_path: Path) -> None:
    """Exit 2 as well."""
    file = tmp_path / "config.yaml"
    file.write_bytes(b"\xff")
    assert "is not valid UTF-8" in tool("--config", str(file), stdin=ISTIOD).err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("--config", ""), "--config: says nothing", id="no file's name"),
        pytest.param(("diff", "--config", ""), "--config: says nothing", id="to another command"),
        pytest.param(("--report", ""), "--report: says nothing", id="no report"),
        pytest.param(("--http-headers", "[{name: \udcff, value: b}]"), "--http-headers: is not valid UTF-8", id="a header that is no text"),
        pytest.param(("--access-logs-log-name", "\udcff"), "--access-logs-log-name: is not valid UTF-8", id="a name that is no text"),
    ],
)  # fmt: skip
def test_options_that_say_nothing_readable(arguments: tuple[str, ...], message: str, tool: Callable[..., Any]) -> None:
    """As of a variable of the shell that nothing set, or bytes that are no UTF-8: exit 2, nothing is written."""
    code, out, err = tool(*arguments, stdin=ISTIOD)
    assert (code, out) == (2, b"")
    assert message in err


def test_manifests_from_a_file(tool: Callable[..., Any]) -> None:
    """A file name stands for standard input."""
    assert tool("render", str(DATA / "istiod-compact.helm3.yaml")) == tool(stdin=ISTIOD)


def test_reports(tool: Callable[..., Any], tmp_path: Path) -> None:
    """To a file or standard error, as text or JSON; the manifests are the same."""
    plain = tool(stdin=ISTIOD)
    assert plain.err == ""
    file = tmp_path / "report.json"
    assert tool("--report", str(file), "--report-format", "json", stdin=ISTIOD) == plain
    report = json.loads(file.read_text())
    assert report["changed"] is True
    assert [each["code"] for each in report["decisions"]] == [
        "provider-added",
        "tracing-enabled",
        "tracer-activated",
        "sampling-set",
    ]
    assert report["sampling"] == {
        "protocol": "otlp-http",
        "istioPercentage": 1,
        "sensorRatio": 0.05,
        "storedPercentage": 0.05,
    }
    assert tool("--report", "-", stdin=ISTIOD).err.endswith("= 0.05 % of requests stored (1 request in 2,000)\n")
    nothing = json.loads(tool("--report", "-", "--report-format", "json", stdin=b"kind: Pod\n").err)
    assert (nothing["changed"], nothing["sampling"]) == (False, None)
    own = json.loads(
        tool("--report", "-", "--report-format", "json", "--sampling-percentage", "null", stdin=ISTIOD).err
    )
    assert own["sampling"]["storedPercentage"] is None


def test_diff(tool: Callable[..., Any]) -> None:
    """The difference, the decisions, what the mesh does then; exit 1 if there is a difference, 0 if not."""
    code, out, err = tool("diff", stdin=ISTIOD)
    assert (code, err) == (1, "")
    text = out.decode()
    assert text.startswith("--- rendered\n+++ post-rendered\n@@ ")
    assert "\n+    - name: otel-tracing\n" in text
    assert "ConfigMap istio-system/istio: otel-tracing is the default tracing provider" in text
    host = "groundcover-sensor.groundcover.svc.cluster.local:4318"
    assert f"\n\nConfigMap istio-system/istio: spans go to {host} through otel-tracing, as the default tracer\n" in text
    assert text.endswith("= 0.05 % of requests stored (1 request in 2,000)\n")
    again = tool("diff", stdin=tool(stdin=ISTIOD).out)
    assert again.code == 0
    assert again.out.startswith(b"ConfigMap istio-system/istio: already says what it has to say\n")
    unfinished = (
        ISTIOD.rstrip(b"\n") + b"\n---\nkind: ConfigMap\nmetadata: {name: istio-x}\ndata:\n  mesh: |-\n    a: 1"
    )
    assert b"\\ No newline at end of file" in tool("diff", stdin=unfinished).out


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        pytest.param(
            ["--activation", "none"], ["once a Telemetry names it; until then nothing is sent"], id="not activated"
        ),
        pytest.param(["--activation", "telemetry"], ["where a Telemetry names it"], id="by Telemetry"),
        pytest.param(["--mesh-config-mode", "shared"], ["restart: istiod starts anew"], id="shared"),
        pytest.param(["--tracing", "false"], [], id="switched off"),
    ],
)
def test_diff_says_what_the_mesh_does(options: list[str], lines: list[str], tool: Callable[..., Any]) -> None:
    """For each way to turn the tracer on."""
    text = tool("diff", *options, stdin=ISTIOD).out.decode()
    assert [line for line in lines if line not in text] == []
    assert ("spans go to" in text) == bool(lines)


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r"])
def test_diff_counts_lines_as_others_do(mark: str, tool: Callable[..., Any]) -> None:
    """Only a line feed ends one: hunks begin at the number that an editor shows, and each of their lines is whole."""
    above = f"# a{mark}b{mark}\n"
    wanted = tool("diff", "--format", "json", stdin=b"# a\n" + ISTIOD).out
    got = tool("diff", "--format", "json", stdin=above.encode() + ISTIOD).out
    assert json.loads(got)["diff"] == json.loads(wanted)["diff"].replace("# a\n", above)


@pytest.mark.parametrize("stdin", [b"", b"\n \n"], ids=["empty", "blank"])
def test_diff_of_nothing_is_refused(stdin: bytes, tmp_path: Path, tool: Callable[..., Any]) -> None:
    """`helm template` that failed wrote none: exit code 0 let it through a gate. `render` goes on, as Helm has it."""
    code, out, err = tool("diff", stdin=stdin)
    assert (code, out) == (2, b"")
    assert err == (
        "groundcover-istio: error: standard input: holds nothing to compare; looked for: manifests\n"
        "  fix: what writes to it may have failed; with `set -o pipefail` the shell says so\n"
    )
    (tmp_path / "rendered.yaml").write_bytes(stdin)
    code, out, err = tool("diff", str(tmp_path / "rendered.yaml"))
    assert (code, out) == (2, b"")
    assert "rendered.yaml: holds nothing to compare; looked for: manifests\n  fix: what wrote it may have failed" in err
    assert tool("diff", stdin=b"# a chart that renders to nothing\n").code == 0
    assert tool(stdin=stdin).code == 0


def test_diff_as_json(tool: Callable[..., Any]) -> None:
    """The same for programs."""
    code, out, _ = tool("diff", "--format", "json", stdin=ISTIOD)
    assert code == 1
    data = json.loads(out)
    assert data["diff"].startswith("--- rendered\n")
    assert data["mesh"] == [
        {
            "resource": "ConfigMap istio-system/istio",
            "tracer": "otel-tracing",
            "target": "groundcover-sensor.groundcover.svc.cluster.local:4318",
            "activation": "default",
            "restarts": ["pods"],
        }
    ]


@pytest.mark.parametrize(("variables", "colored"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_diff_on_a_terminal(variables: dict[str, str], colored: bool) -> None:  # noqa: FBT001
    """In colour, unless NO_COLOR says no."""
    terminal, end = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | variables
    command = [sys.executable, "-m", "groundcover_istio", "diff", "--activation", "none"]
    subprocess.run(command, input=ISTIOD, stdout=end, env=environment, check=False)
    os.close(end)
    shown = os.read(terminal, 65536)
    os.close(terminal)
    assert (b"\033[32m+    - name: otel-tracing\033[0m" in shown) == colored
    assert b"spans go to" in shown


# --- errors --------------------------------------------------------------------------------------


def test_errors_go_to_standard_error(tool: Callable[..., Any]) -> None:
    """In a pipe and under Helm 3: nothing on standard output, exit 3."""
    code, out, err = tool(stdin=BROKEN)
    assert (code, out) == (3, b"")
    assert err.startswith("groundcover-istio: error: line 1, ConfigMap istio, line 1 of data.mesh: not valid YAML: ")


def test_under_helm_4_an_error_is_one_document(tool: Callable[..., Any]) -> None:
    """Helm 4 shows no more of a post-renderer than a document that is no object; the stream tells that it is Helm 4."""
    stream = ISTIOD4 + b"---\n" + BROKEN
    code, out, err = tool(stdin=stream)
    assert (code, err) == (0, "")
    assert out.startswith(b"|-\n  groundcover-istio: error: line ")
    assert all(line.startswith(b"  ") for line in out.splitlines()[1:])
    assert tool("--error-channel", "stderr", stdin=stream)[:2] == (3, b"")
    document = tool("--error-channel=document", stdin=BROKEN)
    assert (document.code, document.err) == (0, "")
    assert document == tool("--error-channel", "document", stdin=BROKEN)
    usage = tool("--error-channel", "document", "--nonsense", stdin=ISTIOD)
    assert usage.code == 0
    assert usage.out.startswith(b"|-\n  groundcover-istio: error: unrecognized arguments: --nonsense\n")


@pytest.mark.parametrize("command", [["diff"], ["export", "kustomize", "--from", "-"]])
def test_what_helm_does_not_start_fails_with_its_exit_code(command: list[str], tool: Callable[..., Any]) -> None:
    """A stream that Helm 4 made, looked at by a person: no document instead of the error, and no exit code 0."""
    code, out, err = tool(*command, stdin=ISTIOD4 + b"---\n" + BROKEN)
    assert (code, out) == (3, b"")
    assert err.startswith("groundcover-istio: error: ")


@pytest.mark.parametrize(
    "command", [["diff"], ["check"], ["rule"], ["export", "telemetry"], ["doctor"], ["install-plugin"]]
)
def test_a_usage_error_of_what_helm_does_not_start_is_no_document(
    command: list[str], tool: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is for the post-renderer alone."""
    monkeypatch.setenv("GROUNDCOVER_ISTIO_ERROR_CHANNEL", "document")
    for channel in ([], ["--error-channel=document"]):
        code, out, err = tool(*command, *channel, "--bogus")
        assert (code, out) == (2, b"")
        assert err.startswith("groundcover-istio: error: unrecognized arguments: ")


def test_blank_input_gives_a_comment(tool: Callable[..., Any]) -> None:
    """Helm 4 refuses empty output, and a chart may render to nothing."""
    for stream in (b"", b"\n \n"):
        code, out, _ = tool(stdin=stream)
        assert code == 0
        assert out.startswith(b"# groundcover-istio: no manifests on standard input")
        assert out.count(b"\n") == 1


def test_a_mistake_of_ours_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback reaches a user, unless asked for."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(pipeline, "run", fail)
    assert cli.main(["render", str(DATA / "istiod-compact.helm3.yaml")]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "a mistake in groundcover-istio itself: ZeroDivisionError at commands/render.py:" in err
    assert "by zero" not in err
    monkeypatch.setenv("GROUNDCOVER_ISTIO_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        cli.main(["render", str(DATA / "istiod-compact.helm3.yaml")])


def test_nobody_reads_on() -> None:
    """A closed pipe ends the tool without a traceback."""
    command = f"'{sys.executable}' -m groundcover_istio; echo $? >&2"
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(["sh", "-c", command], input=ISTIOD, stdout=write, stderr=subprocess.PIPE, check=True)
    os.close(write)
    assert done.stderr == b"3\n"


@pytest.mark.parametrize(
    ("command", "what"), [("render", "rendering"), ("diff", "rendering"), ("check", "checking")], ids=str
)
def test_progress_at_a_terminal(command: str, what: str) -> None:
    """What takes more than a second says so, and leaves no line behind."""
    run, terminal, shown = in_progress(command)
    run.communicate(b"a: b\n")
    try:
        while chunk := os.read(terminal, 4096):
            shown += chunk
    except OSError:  # how Linux ends a pseudo-terminal
        pass
    os.close(terminal)
    erase = "\r\x1b[K"
    assert shown.decode().startswith(f"{erase}groundcover-istio: {what} … 1 s")
    assert shown.decode().rpartition(erase)[2] in ("", "0 errors, 0 warnings, 0 info in 1 input\r\n")


def in_progress(command: str) -> tuple[subprocess.Popen[bytes], int, bytes]:
    """A run with a terminal as its standard error that has said what it does: it, the terminal, and what that shows."""
    terminal, end = pty.openpty()
    run = subprocess.Popen(
        [sys.executable, "-m", "groundcover_istio", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=end
    )
    os.close(end)
    shown = b""
    while b" 1 s" not in shown:
        shown += os.read(terminal, 4096)
    return run, terminal, shown


def test_an_interrupt_at_a_terminal() -> None:
    """The line about progress makes room for the one that says why it ends."""
    run, terminal, shown = in_progress("render")
    run.send_signal(signal.SIGINT)
    while not shown.endswith(b"\n"):
        shown += os.read(terminal, 4096)
    assert run.wait() == 128 + signal.SIGINT
    run.communicate()
    os.close(terminal)
    assert shown.decode().rpartition("\r\x1b[K")[2] == "groundcover-istio: error: interrupted\r\n"


def test_progress_takes_no_signal() -> None:
    """Its thread would let in what is held back while something is written: the handler runs in the main thread."""
    run, terminal, _ = in_progress("render")
    blocked = [
        int(line.split()[1], 16)
        for status in Path(f"/proc/{run.pid}/task").glob("*/status")
        if status.parent.name != str(run.pid)
        for line in status.read_text().splitlines()
        if line.startswith("SigBlk")
    ]
    wanted = sum(1 << number - 1 for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    run.communicate(b"a: b\n")
    os.close(terminal)
    assert [mask & wanted for mask in blocked] == [wanted]


def test_no_progress_in_a_pipe() -> None:
    """A log gets results and errors only, however long it took."""
    run = subprocess.Popen(
        [sys.executable, "-m", "groundcover_istio", "render"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(1.5)
    assert run.communicate(b"a: b\n") == (b"a: b\n", b"")


COMPLETED = """
source "$1"; shift
COMP_WORDS=(groundcover-istio "$@"); COMP_CWORD=$#
_shtab_groundcover_istio groundcover-istio "${COMP_WORDS[$COMP_CWORD]}" "${COMP_WORDS[$COMP_CWORD-1]}" 2>/dev/null
echo "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        pytest.param(["--prot"], "--protocol", id="an option of render"),
        pytest.param(["--report-format", "j"], "json", id="its value"),
        pytest.param(["exp"], "export", id="a command"),
        pytest.param(["export", "--in"], "--into", id="a command's option"),
    ],
)
def test_completion(words: list[str], completed: str) -> None:
    """In bash; without a command it is `render`."""
    script = str(DATA.parents[1] / "completions/groundcover-istio")
    command = ["bash", "-c", COMPLETED, "bash", script, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"{completed}\n"
