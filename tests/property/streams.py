"""Streams as hypothesis strategies: mesh configs, the scalars that carry them, and a grammar of whole streams.

`streams` gives parts of a good stream, of which a test knows what must become of them; `grammar` gives anything that may
come from Helm, kubectl, a hand or an accident, of which only `oracles` knows what must hold.
"""

from __future__ import annotations

import textwrap

from hypothesis import strategies as st

from groundcover_istio.serializer import escape

OTHER_PROVIDER = {
    "block": "name: authz # keep me\n  envoyExtAuthzGrpc:\n    service: authz.default.svc.cluster.local\n    port: 9000",
    "flow": "{name: authz, envoyExtAuthzGrpc: {service: authz.default.svc.cluster.local, port: 9000}}",
}
BROKEN = {
    "block": (
        "name: otel-tracing\n  # from the page\n  opentelemetry:\n    port: 4318\n"
        "    service: groundcover-sensor.groundcover.svc.cluster.local:4318 # as printed"
    ),
    "flow": "{name: otel-tracing, opentelemetry: {service: 'groundcover-sensor.groundcover:4318'}}",
}


def indented(lines: str, by: int) -> str:
    """Every line but blank ones moved to the right."""
    return textwrap.indent(lines, " " * by)


@st.composite
def provider_lists(draw: st.DrawFn) -> str:
    """The key extensionProviders in one of its forms, or nothing."""
    form = draw(st.sampled_from(["", "null", "empty", "block", "indented", "flow"]))
    entries = draw(st.lists(st.sampled_from([OTHER_PROVIDER, BROKEN]), min_size=1, max_size=2, unique_by=id))
    comment = draw(st.sampled_from(["", "  # providers", " # é"]))
    if form == "":
        return ""
    if form == "null":
        return f"extensionProviders:{comment}\n"
    if form == "empty":
        return f"extensionProviders: []{comment}\n"
    if form == "flow":
        return f"extensionProviders: [{', '.join(entry['flow'] for entry in entries)}]{comment}\n"
    by = 2 if form == "indented" else 0
    items = "\n".join(f"- {entry['block']}" for entry in entries)
    between = draw(st.sampled_from(["", "# the list\n", "\n"]))
    return f"extensionProviders:{comment}\n{indented(between, by)}{indented(items, by)}\n"


DEFAULT_PROVIDERS = ["", "defaultProviders: {}\n", "defaultProviders:\n  metrics:\n  - prometheus # chart\n",
                     "defaultProviders: {metrics: [prometheus]}\n", "defaultProviders:\n    tracing: []\n",
                     "defaultProviders:\n  tracing:\n    - otel-tracing\n"]  # fmt: skip
DEFAULT_CONFIG = ["", "defaultConfig:\n", "defaultConfig: {discoveryAddress: a}\n", "defaultConfig:\n  tracing:\n    sampling: 10 # x\n",
                  "defaultConfig:\n    holdApplicationUntilProxyStarts: true\n\n    # end\n"]  # fmt: skip
REST = ["rootNamespace: istio-system\n", "# a comment\n", "\n", "text: |\n  # no comment\n  x\n", "enableTracing: false\n",
        "trustDomain: 'büro.local'\n", "accessLogFormat: >-\n  a\n\n  b\n"]  # fmt: skip


@st.composite
def meshes(draw: st.DrawFn) -> str:
    """A mesh config as text."""
    parts = [draw(provider_lists()), draw(st.sampled_from(DEFAULT_PROVIDERS)), draw(st.sampled_from(DEFAULT_CONFIG))]
    parts += draw(st.lists(st.sampled_from(REST), max_size=4, unique=True))
    text = "".join(draw(st.permutations(parts)))
    if draw(st.booleans()):
        text = text.rstrip("\n")
    return text


@st.composite
def scalars(draw: st.DrawFn, mesh: str) -> str:
    """The mesh config as a value of the key `mesh`, at four spaces, in one of the styles that can hold it."""
    styles = ["double", "wrapped"]
    if mesh.strip() and not mesh.startswith((" ", "\n")):
        styles += ["|", "|-", "|+", "|2-"]
    style = draw(st.sampled_from(styles))
    if style == "double":
        return f'"{escape(mesh)}"'
    if style == "wrapped":
        lines = escape(mesh).split("\\n")
        # An escaped line break swallows the white space behind it, so a line's own is escaped too.
        return '"' + "\\n\\\n      ".join("\\" + line if line.startswith(" ") else line for line in lines) + '"'
    blank = draw(st.sampled_from(["", "  "]))
    lines = [f"    {line}" if line else blank for line in mesh.split("\n")]
    return f"{style}\n" + "\n".join(lines)


NEIGHBOURS = ["apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {mesh: x}\n", "# only a comment\n", "",
              "kind: ConfigMap\ndata:\n  a: |\n    -----BEGIN\n    mesh: {}\n", "kind: Service\nmetadata: {name: x}\n"]  # fmt: skip


@st.composite
def streams(draw: st.DrawFn) -> tuple[str, str, str]:
    """A stream's text before the mesh scalar, the scalar, and after it."""
    mesh = draw(meshes())
    scalar = draw(scalars(mesh))
    head = "".join(f"---\n{each}" for each in draw(st.lists(st.sampled_from(NEIGHBOURS), max_size=2)))
    head += "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: istio\n  namespace: istio-system\ndata:\n  mesh: "
    tail = draw(st.sampled_from(["\n", "\n  other: x\n", "\n# end\n"]))
    tail += "".join(f"---\n{each}" for each in draw(st.lists(st.sampled_from(NEIGHBOURS), max_size=2)))
    return head, scalar, tail


# --- a grammar of whole streams ------------------------------------------------------------------

SEPARATORS = ["---\n", "---\n", "--- # c\n", "---\t\n", "---\n---\n", "\n---   \n", "...\n---\n"]
LOOK_ALIKES = [
    "-------\n",
    "-----BEGIN CERTIFICATE-----\n",
    "---apiVersion: v1\n",
    " ---\n",
    "%YAML 1.1\n---\n",
    "--- {}\n",
    "...\n",
]
CHARTS = ["istiod", "groundcover-sensor", "base", "../x", "a b"]
METADATA = [
    "metadata:\n  name: {name}\n",
    "metadata: {{name: {name}, namespace: istio-system}}\n",
    'metadata: {{"name": "{name}", labels: {{helm.sh/chart: istiod-1.21.0}}}}\n',
    "metadata:\n    # c\n    namespace: 'istio-system' # ns\n    name: \"{name}\"\n",
    "metadata: &m\n  name: {name}\n",
    "metadata:\n",
]
NAMES = [
    "istio",
    "istio-1-24",
    "istio-shared-configmap-asm",
    "groundcover-mesh",
    "groundcover-sensor",
    "groundcover-tracing",
    "istiod",
    "other",
]
INTEGRATIONS = ["istio:\n  tracing: {protocol: zipkin}\n", "enabled: false\n", "enabled: true\ntracing:\n  protocol: otlp-grpc\n",
                "accessLogs: {enabled: true}\nservice: {name: groundcover-sensor, namespace: obs}\n", "tracing: 5\n", "[", ""]  # fmt: skip
PORTS = ["[{name: otlp-http, port: 4318}, {name: otlp-grpc, port: 4317, appProtocol: grpc}]", "[{port: 4318}]",
         "\n  - name: dd-traces\n    port: 8126\n  - {name: zipkin, port: 9411}", "[{name: otlp-http, port: '4318'}]", "[]", "{}",
         "[{name: otlp-http, port: 99999}, {port: 4317, protocol: UDP}]"]  # fmt: skip
TELEMETRIES = ["{}", "\n  tracing:\n  - randomSamplingPercentage: 10", "{tracing: [{providers: [{name: zipkin}]}]}", "\n  tracing: # c\n  - {}",
               "{accessLogging: [{providers: [{name: envoy}]}]}", "{selector: {matchLabels: {a: b}}}", "{targetRefs: []}", "[]",
               "{tracing: [{customTags: {env: {literal: {value: x}}}}, {}]}"]  # fmt: skip
CONTAINERS = ["\n      - name: discovery\n        image: docker.io/istio/pilot:1.24.3\n        env:\n        - name: A\n          value: b",
              "[{name: discovery, image: 'x/pilot:1.20.1-distroless'}]", "\n      - {name: discovery, env: []}", "[]",
              "\n      - name: discovery\n        env:\n        - {name: SHARED_MESH_CONFIG, value: other}"]  # fmt: skip
JUNK = ["kind: Secret\nstringData: {mesh: x, groundcover: y}\n", '{"kind": "ConfigMap", "data": {"mesh": "a: 1"}}\n', "null\n", "5\n",
        "Error: INSTALLATION FAILED: x: [\n\tmesh: }\n", "kind: ConfigMap\nmesh: [\n", "\0\n", "a: &a [*a]\n", "kind: [ConfigMap]\nmesh: x\n",
        "? {a: b}\n: kind: ConfigMap\n", "!!python/object:os.system {kind: ConfigMap}\n", "# Source: a/b\n", "'kind': ConfigMap\n'mesh': \n"]  # fmt: skip
SPOILERS = ["&a ", "*a", "!!str ", "!x ", "<<: ", "\t", "\0", "\u2028", "\ufeff", "\x85", "'", '"', "|", ">", "- ", ": ", "#", "{", "}", "[", "]", "\n", "\r", "---\n", "~",
            "null", "mesh:", "0x1F", "1e3", "yes", "? ", "%", "@", "`", "\\", "é"]  # fmt: skip


@st.composite
def objects(draw: st.DrawFn) -> str:
    """A Kubernetes object of one of the kinds that matter, rightly or wrongly filled."""
    kind = draw(
        st.sampled_from(
            ["mesh", "mesh", "mesh", "integration", "service", "telemetry", "operator", "sail", "deployment"]
        )
    )
    metadata = draw(st.sampled_from(METADATA)).format(name=draw(st.sampled_from(NAMES)))
    labels = "\n  labels: {app.kubernetes.io/name: sensor, app.kubernetes.io/part-of: groundcover}\n"
    if kind == "mesh":
        mesh = draw(meshes())
        value = (
            draw(scalars(mesh))
            if draw(st.integers(0, 5))
            else draw(st.sampled_from(["", "{}", "*x", "[]", "5", "''", "&x |-\n    a: 1"]))
        )
        extra = draw(st.sampled_from(["", "  meshNetworks: 'networks: {}'\n", "  mesh: 'a: 1'\n", "  <<: {mesh: x}\n"]))
        return f"apiVersion: v1\nkind: ConfigMap\n{metadata}data:\n{extra}  mesh: {value}\n"
    if kind == "integration":
        text = escape(draw(st.sampled_from(INTEGRATIONS)))
        name = "metadata: {name: x, labels: {app.kubernetes.io/component: istio-integration}}\n"
        return f'apiVersion: v1\nkind: ConfigMap\n{name}data:\n  integration.yaml: "{text}"\n'
    if kind == "service":
        named = f"metadata:\n  name: eyes{labels}" if draw(st.booleans()) else metadata
        return f"kind: Service\napiVersion: v1\n{named}spec:\n  ports: {draw(st.sampled_from(PORTS))}\n"
    if kind == "telemetry":
        version = draw(st.sampled_from(["v1", "v1alpha1"]))
        return f"apiVersion: telemetry.istio.io/{version}\nkind: Telemetry\n{metadata}spec: {draw(st.sampled_from(TELEMETRIES))}\n"
    if kind == "deployment":
        containers = draw(st.sampled_from(CONTAINERS))
        return f"apiVersion: apps/v1\nkind: Deployment\n{metadata}spec:\n  template:\n    spec:\n      containers: {containers}\n"
    mesh = indented(draw(meshes()), 6 if kind == "operator" else 8)
    below = f"\n{mesh}" if mesh.strip() and not mesh.rstrip().endswith("\n#") else " {}\n"
    if kind == "operator":
        return f"apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n{metadata}spec:\n  tag: 1.24.0\n  meshConfig:{below}"
    sail = draw(st.sampled_from(["Istio", "IstioRevision"]))
    return f"apiVersion: sailoperator.io/v1\nkind: {sail}\n{metadata}spec:\n  version: v1.24.0\n  values:\n    meshConfig:{below}"


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A document with what Helm writes around it: an object, a list of them, or something else."""
    form = draw(st.sampled_from(["object"] * 6 + ["list", "junk", "neighbour"]))
    if form == "junk":
        return draw(st.sampled_from(JUNK))
    if form == "neighbour":
        return draw(st.sampled_from(NEIGHBOURS))
    chart = draw(st.sampled_from(CHARTS))
    mark = draw(st.sampled_from(["", f"# Source: {chart}/templates/x.yaml\n"]))
    if form == "list":
        kind = draw(st.sampled_from(["List", "ConfigMapList", "ResourceList"]))
        items = [f"- {indented(each, 2).lstrip()}" for each in draw(st.lists(objects(), max_size=3))]
        body = "".join(item if item.endswith("\n") else f"{item}\n" for item in items)
        group = "config.kubernetes.io/v1" if kind == "ResourceList" else "v1"
        return f"{mark}apiVersion: {group}\nkind: {kind}\nitems:{'' if items else ' []'}\n{body}"
    made = draw(objects())
    if draw(st.integers(0, 4)) == 0:
        annotation = f"annotations: {{postrenderer.helm.sh/postrender-filename: '{chart}/templates/x.yaml'}}"
        made = made.replace("metadata:\n  name", f"metadata:\n  {annotation}\n  name", 1)
    return mark + made


@st.composite
def grammar(draw: st.DrawFn) -> bytes:
    """A stream: documents and separators, in one of the encodings and line breaks; some of them spoilt."""
    text = ""
    for document in draw(st.lists(documents(), max_size=4)):
        text += draw(st.sampled_from(SEPARATORS if draw(st.integers(0, 9)) else LOOK_ALIKES)) + document
    if draw(st.integers(0, 3)) == 0:
        text = text.removeprefix("---\n")
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 3]))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.sampled_from([0, 0, 1, 3, 20]))
        text = text[:start] + draw(st.sampled_from(["", *SPOILERS])) + text[end:]
    if draw(st.integers(0, 4)) == 0:
        text = text.rstrip("\n")
    newline = draw(st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"]))
    encoded = text.replace("\n", newline).encode()
    mark = draw(st.sampled_from([b"", b"", b"", b"\xef\xbb\xbf", b"\xff"]))
    at = draw(st.sampled_from([0, 0, len(encoded) // 2]))
    return encoded[:at] + mark + encoded[at:]
