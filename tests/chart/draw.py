"""Draws values from the chart's schemas: random ones for the fuzz, and for each default some other values that are allowed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from .support import CHART

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Schema = dict[str, Any]
SCHEMA: Schema = json.loads((CHART / "values.schema.json").read_text())
SUBSCHEMA: Schema = json.loads((CHART / "charts" / "istio-metrics" / "values.schema.json").read_text())

_QUANTITIES = {"limits": {"memory": "1Gi"}, "requests": {"cpu": "1", "memory": 1073741824}}
_PORT_PEER: dict[str, Any] = {"namespaceSelector": {}}
_TERM = {"matchExpressions": [{"key": "a", "operator": "Exists"}]}
# What Kubernetes, an operator or the sensor defines, and so the schema leaves open: a few good ones for each path.
SAMPLES: dict[str, list[Any]] = {
    "affinity": [
        {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [_TERM]}}},
        {
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "a", "labelSelector": {}}]
            }
        },
        {},
    ],
    "extraContainers": [[{"name": "more", "image": "i"}], []],
    "extraEnv": [[{"name": "A", "value": "{{ .Release.Name }}"}], [{"name": "NODE_NAME", "value": "n"}], []],
    "extraEnvFrom": [[{"secretRef": {"name": "s"}}], []],
    "extraObjects": [["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}"], []],
    "extraVolumeMounts": [[{"name": "v", "mountPath": "/v"}], []],
    "extraVolumes": [[{"name": "v", "emptyDir": {}}], []],
    "global": [{"cattle": {"x": 1}}, {"imageRegistry": "g"}, {"imagePullSecrets": ["s", {"name": "t"}]}, {}],
    "imagePullSecrets": [[{"name": "s"}], []],
    "initContainers": [[{"name": "first", "image": "i"}], []],
    "istio.tracing.customTags": [{"a": {"literal": {"value": "{{ x }}"}}}, {}],
    "istio.tracing.grpc.initialMetadata": [[{"name": "x", "value": "y"}], []],
    "istio.tracing.http.headers": [[{"name": "x", "envName": "Y"}], []],
    "istio.tracing.zipkin.headers": [[{"name": "x", "value": '"'}], []],
    "metrics.extraScrapeConfigs": [
        [{"job_name": "own", "static_configs": [{"targets": ["a:1"]}]}],
        [{"job_name": "istiod"}],
        [],
    ],
    "metrics.drop": [["istio_.*_bucket"], []],
    "metrics.extraKeep": [["a|b"], []],
    "metrics.keep": [["istio_.*"], []],
    "metrics.monitors.endpoint": [{"honorLabels": True}, {"path": None}, {}],
    "metrics.monitors.spec": [{"targetLimit": 1}, {"selector": {"matchLabels": {"a": "b"}}}, {}],
    "metrics.metricRelabelings": [[{"action": "labeldrop", "regex": "a"}], []],
    "metrics.relabelings": [[{"source_labels": ["a"], "target_label": "b"}], []],
    "networkPolicy.egress": [[{"to": [_PORT_PEER]}], []],
    "networkPolicy.extraIngress": [[{"ports": [{"port": 1}]}], []],
    "networkPolicy.from": [[_PORT_PEER], []],
    "nodeRequirements": [[{"key": "a", "operator": "Exists"}], []],
    "podSecurityContext": [{"fsGroup": 0}, {}],
    "rbac.extraRules": [[{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}], []],
    "resources": [_QUANTITIES, {"limits": {"cpu": 0.5}}, {}],
    "securityContext.seLinuxOptions": [{"type": "spc_t"}, {}],
    "service.ipFamilies": [["IPv6"], []],
    "sensor.config": [
        {"loglevel": 5},
        {"httphandler": 5},
        {"httphandler": None},
        {"receivers": {"metricsscraper": {"enabled": True}}},
        {"apmIngestor": {"dataDog": {"tracesPort": 1}}},
        {"apmIngestor": None},
        {"apmIngestor": []},
        {"apmIngestor": {"otel": {"direct": {"samplingRatio": "x"}}}},
        {"k8sEntitiesWatch": {"crd": {"allowedKinds": {"x": {"group": "g", "kindPlural": "ks"}}}}},
        {"k8sEntitiesWatch": {"crd": {"allowedKinds": {"x": None, "rollout": {"group": 1}}}}},
        {"k8sEntitiesWatch": {"crd": 1}},
        {"mine": {"a": [1, {"b": None}]}},
        {},
    ],
    "tolerations": [[{"operator": "Exists"}], [{"key": "a", "effect": "NoSchedule"}], []],
    "updateStrategy": [{"type": "OnDelete"}, {"rollingUpdate": {"maxUnavailable": 1}}, {}],
}
# Text that is easily read as something else, or breaks a template that forgets to quote.
ODD = ["", "true", "null", "1e3", "0x1F", "~", "- a", "a: b", "#", "'", '"', "{{ x }}", "%", "ä", "a\nb", " "]
# One of them fits any pattern of the schemas.
WORDS = [
    "other", "a.example.com", "https://a.example.com/x", "/etc/other", "1.24", "42s", "10.0.0.1", "my_series", "OTHER",
    "sha256:" + "ab" * 32, "500MB", "x",
]  # fmt: skip
LABELS = {"team": "a", "example.com/x": "1"}
SUBCHART = "istio-metrics."


def resolved(schema: Schema, root: Schema) -> Schema:
    """Follow a reference into the definitions."""
    while "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rpartition("/")[2]]
    return schema


def values_of(root: Schema, path: str = "", schema: Schema | None = None) -> st.SearchStrategy[Any]:
    """Draw values that the schema allows; an object gets few of its keys, so that most draws say one or two things."""
    schema = resolved(schema if schema is not None else root, root)
    sample = path.removeprefix(SUBCHART)
    if sample in SAMPLES:
        return st.sampled_from(SAMPLES[sample])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([_of_type(kind, schema, root, path) for kind in types])


def _of_type(kind: str, schema: Schema, root: Schema, path: str) -> st.SearchStrategy[Any]:
    simple: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
        "boolean": st.booleans,
        "null": st.none,
        "integer": lambda: st.integers(schema.get("minimum", 0), schema.get("maximum", 2**31 - 1)),
        "number": lambda: st.one_of(
            st.sampled_from([0, 1, 0.5, 1e-7, 0.05]),
            st.floats(schema.get("minimum", 0), schema.get("maximum", 1e9)),
        ),
        "string": lambda: _text(schema),
    }
    if kind in simple:
        return simple[kind]()
    if kind == "array":
        return st.lists(values_of(root, f"{path}[]", schema["items"]), max_size=3)
    return _object(schema, root, path)


def _text(schema: Schema) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        limit = schema.get("maxLength", 100)
        return st.from_regex(schema["pattern"], fullmatch=True, alphabet=st.characters(codec="ascii")).filter(
            lambda text: "\n" not in text and len(text) <= limit
        )
    low, high = schema.get("minLength", 0), schema.get("maxLength", 100)
    return st.sampled_from([text for text in [*ODD, *WORDS] if low <= len(text) <= high])


def _object(schema: Schema, root: Schema, path: str) -> st.SearchStrategy[dict[str, Any]]:
    extra = schema.get("additionalProperties", True)
    if not schema.get("properties"):
        if isinstance(extra, dict):
            return st.dictionaries(st.sampled_from(sorted(LABELS)), values_of(root, f"{path}{{}}", extra), max_size=2)
        message = f"{path} is open and has no samples"
        raise ValueError(message)
    properties = {key: values_of(root, f"{path}.{key}".lstrip("."), sub) for key, sub in schema["properties"].items()}
    required = {key: properties.pop(key) for key in schema.get("required", [])}
    keys = st.lists(st.sampled_from(sorted(properties)), max_size=4, unique=True)
    return keys.flatmap(lambda chosen: st.fixed_dictionaries({**required, **{key: properties[key] for key in chosen}}))


def leaves(root: Schema, defaults: dict[str, Any], path: str = "") -> Iterator[tuple[str, Schema, Any]]:
    """Give every value of a values file that no key stands below, with its schema and default."""
    schema = root
    for key in path.rstrip(".").split(".") if path else []:
        schema = resolved(schema["properties"][key], root)
    for key, default in defaults.items():
        here = f"{path}{key}"
        sub = resolved(schema["properties"][key], root)
        if isinstance(default, dict) and sub.get("properties") and (key == "global" or here not in SAMPLES):
            yield from leaves(root, default, f"{here}.")
        else:
            yield here, sub, default


def others(path: str, schema: Schema, default: Any) -> list[Any]:
    """Give values that are allowed and not the default."""
    path = path.removeprefix(SUBCHART)
    candidates: list[Any] = [*SAMPLES.get(path, []), *schema.get("enum", [])]
    kinds = schema.get("type", "string")
    if "boolean" in kinds:
        candidates.append(not default)
    elif "integer" in kinds:
        candidates.append(int(default) + 1 if default < schema.get("maximum", 2**31) else default - 1)
    elif "number" in kinds:
        candidates.append(0.5)
    elif "string" in kinds and "enum" not in schema:
        candidates += [word for word in WORDS if re.search(schema.get("pattern", ""), word)][:2]
    elif "array" in kinds and not candidates:
        candidates.append(["OTHER"])
    elif "object" in kinds and not candidates:
        candidates.append(LABELS)
    return [candidate for candidate in candidates if candidate != default]
