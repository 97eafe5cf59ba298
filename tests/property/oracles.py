"""What holds for every run, whatever comes in: used by the hypothesis tests, the fuzzer and the corpus.

`examine` runs the command line in this process and raises AssertionError where one of these is not so:

- no traceback, and no "mistake in groundcover-istio itself"
- the exit code is a documented one
- standard output is all of the result or nothing (for Helm 4, one scalar document with the message)
- every document but those that carry a mesh config, a Telemetry or the like is the same bytes; what is added comes last
- a changed document, read by PyYAML alone, says what it said and what is ours to set, and nothing else
- once more changes nothing
- time is bounded (`SECONDS`); memory is bounded by whoever calls

None of it asks the code under test what it planned.
"""

from __future__ import annotations

import copy
import io
import json
import os
import re
import sys
import time
from typing import Any, Final, NamedTuple

import yaml

from groundcover_istio import cli

PREFIX: Final = "GROUNDCOVER_ISTIO_"
# Processor time for one run on at most 64 KB; the usual is a hundredth of it, an alias bomb takes a few.
SECONDS: Final = 20.0
MISTAKE: Final = "a mistake in"
BLANK: Final = b"# groundcover-istio: no manifests on standard input"
RENDER_EXITS: Final = (0, 2, 3)
EXITS: Final = {"diff": (0, 1, 2, 3), "check": (0, 1, 2, 3)}

# What a run may be asked for. The fuzzer's first byte picks one, so their order is kept and new ones come last.
ARGUMENTS: Final[tuple[tuple[str, ...], ...]] = (
    (),
    ("--error-channel", "document"),
    ("--protocol", "otlp-grpc", "--access-logs", "true"),
    ("--protocol", "datadog", "--replace-default-provider", "true"),
    ("--protocol", "zipkin", "--sampling-percentage", "0.5"),
    ("--activation", "telemetry", "--access-logs", "true"),
    ("--activation", "mesh", "--access-logs", "true", "--replace-default-provider", "true"),
    ("--activation", "none"),
    ("--mesh-config-mode", "shared"),
    ("--mesh-config-mode", "shared", "--access-logs", "true", "--activation", "mesh"),
    ("--tracing", "false", "--access-logs", "true"),
    ("--sampling-percentage", "null", "--istio-version", "1.20", "--protocol", "otlp-grpc"),
    ("--provider-name", "sensor-tracing", "--custom-tags", '{"env":{"literal":{"value":"a: b #c"}}}'),
    ("--enabled", "false"),
    ("diff", "--format", "json"),
    ("check", "--format", "json"),
)
# Characters: twenty problems, each with two texts that are cut to 100.
LONGEST_MESSAGE: Final = 20_000
OUR_PROVIDERS: Final = {
    "otel-tracing",
    "datadog-tracing",
    "zipkin-tracing",
    "sensor-tracing",
    "groundcover-access-logs",
}


class Result(NamedTuple):
    """What a call left behind."""

    code: int
    out: bytes
    err: str


class _Input:
    """Standard input that is no terminal."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)

    def isatty(self) -> bool:
        return False


class _Output(_Input):
    """Standard output that is no terminal."""

    def fileno(self) -> int:
        return 1


def call(arguments: tuple[str, ...], stdin: bytes) -> Result:
    """The command line in this process, without the tool's variables."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(PREFIX)}
    streams = sys.stdin, sys.stdout, sys.stderr
    out, err = _Output(b""), io.TextIOWrapper(io.BytesIO(), "utf-8")
    try:
        sys.stdin, sys.stdout, sys.stderr = _Input(stdin), out, err
        code = cli.main(arguments)
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        os.environ.update(kept)
    err.flush()
    return Result(code, out.buffer.getvalue(), err.buffer.getvalue().decode())


def examine(stream: bytes, arguments: tuple[str, ...] = ()) -> None:
    """All of it, on one stream; raises AssertionError."""
    start = time.process_time()
    result = call(arguments, stream)
    spent = time.process_time() - start
    assert spent < SECONDS, f"took {spent:.1f} s of processor time"
    assert MISTAKE not in result.err, result.err
    assert MISTAKE.encode() not in result.out or MISTAKE.encode() in stream, result.out.decode(errors="replace")
    assert "Traceback" not in result.err, result.err
    assert len(result.err) < LONGEST_MESSAGE, f"a message of {len(result.err)} characters"
    assert all(line.isprintable() for line in result.err.split("\n")), repr(result.err)
    if arguments[:1] and arguments[0] in EXITS:
        _examine_report(result, arguments)
    else:
        _examine_render(stream, arguments, result)


def _examine_report(result: Result, arguments: tuple[str, ...]) -> None:
    """`diff` or `check`: JSON, whole, or a message."""
    assert result.code in EXITS[arguments[0]]
    # What `check` can't read is a finding too.
    if result.code in (0, 1) or (arguments[0] == "check" and result.out):
        assert result.err == ""
        json.loads(result.out)
    else:
        assert result.out == b""
        assert result.err.startswith("groundcover-istio: error: ")


def _examine_render(stream: bytes, arguments: tuple[str, ...], result: Result) -> None:
    assert result.code in RENDER_EXITS
    if result.code:
        assert result.out == b"", "a failed run wrote to standard output"
        assert re.match(r"groundcover-istio: error: \S", result.err), result.err
        return
    assert result.err == "", result.err
    if _is_message(result.out, stream):
        (text,) = yaml.safe_load_all(result.out.decode())
        assert isinstance(text, str)
        return
    if not stream.strip():
        assert result.out.startswith(BLANK)
        assert result.out.count(b"\n") == 1
        return
    if result.out != stream:
        _examine_change(stream, result.out)
        again = call(arguments, result.out)
        # The results of a KRM function are those of each run.
        if b"ResourceList" not in stream:
            assert again == Result(0, result.out, ""), "a second run changes something"
        else:
            assert again.code == 0


def _is_message(out: bytes, stream: bytes) -> bool:
    """Whether the output is an error told to Helm 4 as a document."""
    return out.startswith(b"|-\n  groundcover-istio: error: ") and not stream.startswith(b"|-\n  groundcover-istio")


# --- what changed --------------------------------------------------------------------------------


def split(stream: bytes) -> list[bytes]:
    """The documents of a stream, each with the separator line before it."""
    documents = [b""]
    for line in re.findall(rb"[^\n]*\n|[^\n]+", stream):
        if line[:3] == b"---" and line[3:4] in (b"", b" ", b"\t", b"\r", b"\n") and documents != [b""]:
            documents.append(b"")
        documents[-1] += line
    return documents


def _examine_change(before: bytes, after: bytes) -> None:
    old, new = split(before), split(after)
    assert len(new) >= len(old), "a document is gone"
    added = new[len(old) :]
    for index, (one, other) in enumerate(zip(old, new, strict=False)):
        last = index == len(old) - 1
        ends = (b"", b"\n", b"\r\n") if added and last else (b"",)
        if not any(one + end == other for end in ends):
            _examine_document(one, other, before)
    for document in added:
        (data,) = yaml.load_all(document.decode(), yaml.CBaseLoader)
        revision = data["metadata"]["labels"].get("istio.io/rev")
        telemetry = f"groundcover-tracing-{revision}" if revision else "groundcover-tracing"
        identity = data["kind"], data["metadata"]["name"]
        assert identity in (("Telemetry", telemetry), ("ConfigMap", "groundcover-mesh")), identity


def _examine_document(before: bytes, after: bytes, stream: bytes) -> None:
    """A document of a stream that changed, by what PyYAML reads: text, lists, mappings, not our reading of scalars."""
    try:
        old = _all(before)
    except yaml.MarkedYAMLError:
        # PyYAML knows no anchor that is given anew, and no key that is a list or a mapping.
        return
    new = _all(after)
    assert len(old) == len(new)
    assert [_foreign(data) for data in old] == [_foreign(data) for data in new], "something of others changed"
    for one, other in zip(old, new, strict=True):
        if isinstance(one, dict) and one.get("kind") == "ConfigMap" and one != other:
            _examine_mesh(_read(one["data"]["mesh"]), _read(other["data"]["mesh"]), stream)


def _examine_mesh(before: Any, after: Any, stream: bytes) -> None:
    """Each provider that is new or has changed is one of ours, rightly aimed, and what names a tracer names it."""
    if after is None:
        return
    before = before if isinstance(before, dict) else {}
    held = before.get("extensionProviders")
    for provider in after["extensionProviders"]:
        if provider in (held or []):
            continue
        assert provider["name"] in OUR_PROVIDERS
        ((_, target),) = ((key, value) for key, value in provider.items() if key != "name" and value)
        assert ":" not in target["service"], target
        host, _, domain = target["service"].partition(".svc.")
        assert host, target
        assert domain == "cluster.local" or domain.encode() in stream, target
        assert 0 < int(target["port"]) < 65536, target
    tracers = (after.get("defaultProviders") or {}).get("tracing")
    assert (
        not tracers or tracers[0] in OUR_PROVIDERS or tracers == (before.get("defaultProviders") or {}).get("tracing")
    )


def _all(text: bytes) -> list[Any]:
    return list(yaml.load_all(text.decode("utf-8-sig"), yaml.CBaseLoader))


def _foreign(data: Any) -> Any:
    """What is not ours to change in an object, in a List's items too."""
    if not isinstance(data, dict):
        return data
    data = copy.deepcopy(data)
    kind = data.get("kind")
    items = data.get("items")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(items, list):
        data["items"] = [_foreign(item) for item in items]
        if kind == "ResourceList":
            data.pop("results", None)
            data["items"] = [item for item in data["items"] if not _is_added(item)]
    elif kind == "ConfigMap":
        _replace(data, ("data", "mesh"), lambda text: _foreign_mesh(_read(text)))
    elif kind == "IstioOperator":
        _replace(data, ("spec", "meshConfig"), _foreign_mesh)
        _replace(data, ("spec", "values", "pilot", "env"), lambda env: _less(env, "SHARED_MESH_CONFIG"))
    elif kind in ("Istio", "IstioRevision"):
        _replace(data, ("spec", "values", "meshConfig"), _foreign_mesh)
        _replace(data, ("spec", "values", "pilot", "env"), lambda env: _less(env, "SHARED_MESH_CONFIG"))
    elif kind == "Telemetry":
        _replace(data, ("spec", "tracing"), _foreign_tracing)
        _replace(data, ("spec", "accessLogging"), lambda _: None)
    elif kind == "Deployment":
        _replace(data, ("spec", "template", "spec", "containers"), _foreign_containers)
    return _without_nothing(data)


def _is_added(item: Any) -> bool:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    name = str(metadata.get("name")) if isinstance(metadata, dict) else ""
    return name == "groundcover-mesh" or name.startswith("groundcover-tracing")


def _read(text: Any) -> Any:
    """The mesh config in a ConfigMap; nothing where PyYAML knows less than Kubernetes, as above."""
    try:
        return yaml.load(text, yaml.CBaseLoader) if isinstance(text, str) else text  # noqa: S506  it builds strings only
    except yaml.MarkedYAMLError:
        return None


def _replace(data: Any, path: tuple[str, ...], change: Any) -> None:
    """Change the value at a path, None where there is none yet; what is no mapping stays."""
    for key in path[:-1]:
        if not isinstance(data, dict):
            return
        if not data.get(key):
            data[key] = {}
        data = data[key]
    if isinstance(data, dict):
        data[path[-1]] = change(data.get(path[-1]))


def _less(data: Any, *keys: str) -> Any:
    return {key: value for key, value in data.items() if key not in keys} if isinstance(data, dict) else data


def _foreign_mesh(mesh: Any) -> Any:
    if not isinstance(mesh, dict):
        return mesh or None
    mesh = _less(mesh, "enableTracing")
    providers = mesh.get("extensionProviders")
    if isinstance(providers, list):
        mesh["extensionProviders"] = [each for each in providers if not (isinstance(each, dict) and _is_ours(each))]
    if isinstance(mesh.get("defaultProviders"), dict):
        defaults = _less(mesh["defaultProviders"], "tracing", "accessLogging")
        # In values they are written out where our key would take the chart's own defaults away.
        of_the_chart = (["prometheus"], ["prometheus", "stackdriver"], ["stackdriver"])
        mesh["defaultProviders"] = _less(defaults, "metrics") if defaults.get("metrics") in of_the_chart else defaults
    if isinstance(mesh.get("defaultConfig"), dict) and isinstance(mesh["defaultConfig"].get("tracing"), dict):
        mesh["defaultConfig"]["tracing"] = _less(mesh["defaultConfig"]["tracing"], "sampling")
    return mesh


def _is_ours(provider: dict[str, Any]) -> bool:
    """Ours by name, or one that is aimed at the sensor, which may be mended and renamed."""
    return (
        provider.get("name") in OUR_PROVIDERS
        or "sensor" in json.dumps(provider)
        or "groundcover" in json.dumps(provider)
    )


def _foreign_tracing(tracing: Any) -> Any:
    ours = ("providers", "randomSamplingPercentage", "customTags")
    return [_less(each, *ours) for each in tracing] if isinstance(tracing, list) else tracing


def _foreign_containers(containers: Any) -> Any:
    if not isinstance(containers, list):
        return containers
    for container in containers:
        if isinstance(container, dict) and isinstance(container.get("env"), list):
            container["env"] = [
                each for each in container["env"] if each != {"name": "SHARED_MESH_CONFIG", "value": "groundcover-mesh"}
            ]
    return containers


def _without_nothing(data: Any) -> Any:
    """Without what is empty: null, '', {} and [] may become ours to fill."""
    if isinstance(data, dict):
        kept = {key: _without_nothing(value) for key, value in data.items()}
        return {key: value for key, value in kept.items() if value not in (None, "", "~", "null", {}, [])}
    if isinstance(data, list):
        return [value for value in map(_without_nothing, data) if value not in (None, {}, [])]
    return data
