"""New files: a carrier, the shared mesh config, the Telemetry; and a Telemetry that is there already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio import config, k8syaml, pipeline, serializer
from groundcover_istio.edits import apply_to_data
from groundcover_istio.errors import ToolError, UsageError
from groundcover_istio.exports.carriers import SHARED_USE, TELEMETRY_USE, Carrier
from groundcover_istio.exports.files import edit, read
from groundcover_istio.exports.merge import (
    changes,
    config_map,
    merge,
    names_of_ours,
    needed_version,
    patch_mode,
    require_enabled,
    still_active,
    text_of,
)
from groundcover_istio.exports.shared import is_shared, name_shared
from groundcover_istio.model import MESH_KEY, SHARED_NAME, dig, items, mapping
from groundcover_istio.rules.logs import access_log_names
from groundcover_istio.rules.telemetry import TELEMETRY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from groundcover_istio.config import Layer
    from groundcover_istio.model import Data, Decision, Settings

_MARK: Final = "groundcover-istio-export"


def carrier_text(carrier: Carrier, layers: Sequence[Layer]) -> str:
    """A new file that holds the mesh config in a carrier, or the name of the shared one."""
    if is_shared(layers):
        named = name_shared({}, carrier, layers, carrier.words, ())
        data, about = apply_to_data({}, named.operations), carrier.about_shared
    else:
        merged = merge({}, layers, carrier.words, {})
        assumed = [each.values["needed"] for each in merged.decisions if each.code == "version-assumed"]
        data, about = merged.data, (*carrier.about, *(line for each in assumed for line in _version_note(each)))
        for key in reversed(carrier.path):
            data = {key: data}
    skeleton = dict(carrier.skeleton)
    if skeleton and carrier.kind == "istio-operator":
        skeleton["metadata"] = {**skeleton["metadata"], "namespace": config.resolve(layers).root_namespace}
    return with_comment(about, {**skeleton, **data})


def shared_text(layers: Sequence[Layer]) -> str:
    """The ConfigMap that istiod reads beside its own mesh config: the one that render adds to the sensor's release.

    There the Telemetry turns access logs on, if there is one. None comes with this file, which does it itself.
    """
    settings = require_enabled(config.resolve(layers))
    shared = config.Layer("export", {"meshConfig": {"mode": "shared"}})
    outcome = pipeline.run(_integration(settings).encode(), [*layers, shared])
    made = next(each for each in k8syaml.load(outcome.after.decode()) if each["metadata"]["name"] == SHARED_NAME)
    mesh: Data = k8syaml.load(made.pop("data")[MESH_KEY])[0]
    if settings.access_logs.enabled and settings.tracing.activation == "auto":
        mesh["defaultProviders"] = {
            **mapping(mesh.get("defaultProviders")),
            "accessLogging": access_log_names(settings, []),
        }
    use = [line.format(root=settings.root_namespace) for line in SHARED_USE]
    if not settings.istio_version:
        needed = needed_version(mesh, settings)
        use += _version_note(str(needed)) if needed else []
    lines = [*comment(use), *serializer.block_lines(made, 0)]
    return "\n".join([*lines, "data:", *literal(MESH_KEY, text_of(mesh), 2)]) + "\n"


def _version_note(needed: str) -> list[str]:
    """What a new file says of the Istio that it needs, where the settings do not name yours.

    In the file, since that outlasts the terminal, and standard output alone may be seen.
    """
    return [f"It needs Istio {needed} or newer; for an older one export it with --istio-version."]


def telemetry_text(layers: Sequence[Layer]) -> str:
    """The mesh-wide Telemetry."""
    settings = _with_telemetry(layers)
    outcome = pipeline.run(_surroundings(settings).encode(), patch_mode(layers))
    made = k8syaml.load(outcome.after.decode())[-1]
    if made["kind"] != "Telemetry":
        raise UsageError(
            "with these settings it would say nothing",
            where="telemetry",
            hint="set tracing.samplingPercentage (--sampling-percentage)",
        )
    return with_comment(TELEMETRY_USE, made)


def into_telemetry(text: str, name: str, layers: Sequence[Layer]) -> tuple[str, tuple[Decision, ...]]:
    """Merge into the mesh-wide Telemetry that a file holds; the new text and what was decided.

    Raises UsageError where the file holds none.
    """
    settings = _with_telemetry(layers)
    newline = "\r\n" if "\r\n" in text else "\n"
    behind = "" if text.endswith("\n") or not text else newline
    cut = f"{behind}---{newline}# {_MARK}\n"
    try:
        outcome = pipeline.run((text + cut + _surroundings(settings)).encode(), patch_mode(layers))
    except ToolError as error:
        error.where = f"{name}, {error.where}" if error.where else name
        raise
    decisions = tuple(each for each in outcome.decisions if each.resource.startswith("Telemetry "))
    if not decisions or any(each.code == "telemetry-added" for each in decisions):
        raise UsageError(
            f"holds no Telemetry without a selector in namespace {settings.root_namespace}",
            where=name,
            hint="groundcover-istio export telemetry > FILE",
        )
    trees, changed = read(text, name), read(outcome.after.decode().partition(cut)[0], name)
    planned = [
        (old, changes(k8syaml.to_data(old.root), k8syaml.to_data(new.root), ()))
        for old, new in zip(trees, changed, strict=True)
    ]
    after = edit(text, name, [(tree, operations) for tree, operations in planned if operations])
    documents = [k8syaml.to_data(tree.root) for tree in changed]
    return after, (*decisions, *_still_named(documents, settings, {each.resource for each in decisions}))


def _still_named(documents: list[Data], settings: Settings, resources: set[str]) -> Iterator[Decision]:
    """A warning for each provider of ours that a Telemetry names though the settings switch it off."""
    off = {"tracing": not settings.tracing.enabled, "accessLogging": not settings.access_logs.enabled}
    for held in (each for document in documents for each in config.resources_of(document)):
        names = (dig(held, "metadata", "namespace") or settings.root_namespace, dig(held, "metadata", "name"))
        resource = f"{held['kind']} {'/'.join(map(str, names))}"
        for key, ours in names_of_ours(settings).items():
            rules = items(dig(held, "spec", key)) if off[key] and resource in resources else []
            named = (
                provider for rule in rules if not dig(rule, "disabled") for provider in items(dig(rule, "providers"))
            )
            for name in (str(dig(provider, "name")) for provider in named):
                if name.lower() in ours:
                    yield still_active(name, f"spec.{key}", resource)


def _with_telemetry(layers: Sequence[Layer]) -> Settings:
    settings = require_enabled(config.resolve(layers))
    activation = settings.tracing.activation
    if activation not in ("auto", "telemetry"):
        raise UsageError(
            f'with activation "{activation}" there is no Telemetry',
            where="telemetry",
            hint='set tracing.activation to "auto" or "telemetry" (--activation)',
        )
    return settings


def _surroundings(settings: Settings) -> str:
    """What makes the engine write the Telemetry: the integration ConfigMap, or the mesh config it then belongs to."""
    root = settings.root_namespace
    if settings.tracing.activation == "telemetry":
        # With a file log of its own: whether the mesh has one is not known, and it is not to be lost.
        return text_of(config_map("istio", root, "mesh", text_of({"accessLogFile": "/dev/stdout"})))
    return _integration(settings)


def _integration(settings: Settings) -> str:
    """The integration ConfigMap, by which the engine knows the sensor's release."""
    data = config_map(TELEMETRY_NAME, settings.service.namespace, config.INTEGRATION_KEY, "{}")
    key, value = config.INTEGRATION_LABEL
    data["metadata"]["labels"] = {key: value}
    return text_of(data)


def with_comment(lines: Iterable[str], data: Data) -> str:
    """Data as a YAML file below a comment."""
    return "\n".join([*comment(lines), *serializer.block_lines(data, 0)]) + "\n"


def comment(lines: Iterable[str]) -> list[str]:
    """Lines as comments."""
    return [f"# {line}" for line in lines]


def literal(key: str, text: str, indent: int) -> list[str]:
    """`key: text` as lines, in a literal block where that can hold the text, else quoted."""
    pad = " " * indent
    plain = all(char.isprintable() or char == "\n" for char in text)
    if not text.strip() or not plain or text[0] in " \n" or text.endswith("\n\n"):
        return [f"{pad}{key}: {serializer.scalar_text(text, style=chr(34))}"]
    header = "|" if text.endswith("\n") else "|-"
    lines = text.removesuffix("\n").split("\n")
    return [f"{pad}{key}: {header}", *(f"{pad}  {line}" if line else "" for line in lines)]
