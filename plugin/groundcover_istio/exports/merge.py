"""The mesh config a carrier holds, brought to the settings by the one engine, and what changed in it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio import config, istio, k8syaml, pipeline, serializer
from groundcover_istio.errors import SettingsError, ToolError
from groundcover_istio.model import Data, Decision, Operation, Path, dig
from groundcover_istio.rules.values import chart_defaults
from groundcover_istio.validation import problems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundcover_istio.config import Layer
    from groundcover_istio.model import Outcome, Settings, Version

_TRACERS: Final = ("opentelemetry", "datadog", "zipkin")
_LOGGER: Final = "envoyOtelAls"
_LOGGERS: Final = frozenset((config.DEFAULTS["accessLogs"]["providerName"],))


class Merged(NamedTuple):
    """A mesh config brought to the settings."""

    data: dict[str, Data]
    operations: list[Operation]
    """What makes it of the one before; paths start in the mesh config."""
    decisions: list[Decision]


def merge(mesh: Data, layers: Sequence[Layer], where: str, values: dict[str, Data]) -> Merged:
    """Bring a mesh config to what the settings say.

    `values` are those it is among, as `Carrier.beside` gives them.
    Raises ToolError as `pipeline.run` does, its place being `where`.
    """
    settings = require_enabled(config.resolve(layers))
    if mesh is not None and not isinstance(mesh, dict):
        raise SettingsError("is no mapping, a mesh config is one", where=where)
    before: dict[str, Data] = mesh or {}
    adopted, kept, decisions = _adopt(before, settings)
    after, found = _through_engine(adopted, layers, where, values)
    needed = needed_version(after, settings)
    for each in found:
        if each.code == "version-assumed":
            decisions += [each._replace(values={**each.values, "needed": str(needed)})] if needed else []
        elif each.code not in ("unchanged", "nothing-here"):
            decisions.append(each)
    defaults = after.get("defaultProviders")
    if defaults and not defaults.get("metrics") and chart_defaults(values.get("telemetry")).get("metrics"):
        decisions.append(Decision("no-metrics", "warning", "", {}))
    decisions += _still_active(after, settings)
    return Merged(after, _operations(before, after, kept), decisions)


def require_enabled(settings: Settings) -> Settings:
    """The settings; raises SettingsError where they switch everything off."""
    if not settings.enabled or not (settings.tracing.enabled or settings.access_logs.enabled):
        raise SettingsError(
            "the settings switch the integration off, so there is nothing to export",
            where="enabled, tracing.enabled",
            hint="set both to true",
        )
    return settings


def patch_mode(layers: Sequence[Layer]) -> list[Layer]:
    """The layers, with the mesh config to be patched however render is told to carry it."""
    return [*layers, config.Layer("export", {"meshConfig": {"mode": "patch"}})]


def config_map(name: str, namespace: str, key: str, text: str) -> dict[str, Data]:
    """A ConfigMap with one text."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {key: text}}


def text_of(data: Data) -> str:
    """Data as YAML text."""
    return "\n".join(serializer.block_lines(data, 0)) + "\n"


def _through_engine(
    mesh: dict[str, Data], layers: Sequence[Layer], where: str, values: dict[str, Data]
) -> tuple[dict[str, Data], tuple[Decision, ...]]:
    """What render makes of an object that holds this mesh config."""
    outcome = through_pipeline({"values": values, "meshConfig": mesh}, patch_mode(layers), where, where)
    return k8syaml.load(outcome.after.decode())[0]["spec"]["meshConfig"] or {}, outcome.decisions


def through_pipeline(spec: dict[str, Data], layers: Sequence[Layer], where: str, beside: str) -> Outcome:
    """What render makes of an IstioOperator; messages call its mesh config `where`, the rest of it `beside`."""
    kind = "IstioOperator"
    carrier = {"apiVersion": "install.istio.io/v1alpha1", "kind": kind, "spec": spec}
    try:
        return pipeline.run(text_of(carrier).encode(), layers)
    except ToolError as error:
        place, found, inside = error.where.partition("spec.meshConfig")
        if place.startswith("line ") or kind in place:
            error.where = where + inside.replace(", ", ".", 1) if found else beside
        raise


# --- our earlier entry ---------------------------------------------------------------------------


def _adopt(before: dict[str, Data], settings: Settings) -> tuple[dict[str, Data], list[int], list[Decision]]:
    """The mesh config with what was ours under another name under today's; which entries it kept; what that means.

    Ours is an entry that has one of our own names and is aimed at the sensor: any other may be somebody's with headers
    or tags of their own, and is left as `render` leaves it. Without this a change of protocol would leave the old
    entry. Where today's has its place already, another one gives way only if istiod could not read it.
    """
    mesh = copy.deepcopy(before)
    entries = mesh.get("extensionProviders")
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        return mesh, [], []
    wanted = [
        (_TRACERS, settings.tracing.provider_name, "tracing", settings.tracing.enabled),
        ((_LOGGER,), settings.access_logs.provider_name, "accessLogging", settings.access_logs.enabled),
    ]
    kept = list(range(len(entries)))
    decisions: list[Decision] = []
    for kinds, name, default, enabled in wanted:
        if not enabled:
            continue
        taken = any(each.get("name") == name for each in entries)
        spelt = [str(each.get("name")) for each in entries]
        for index in sorted(range(len(entries)), key=lambda at: spelt[at].lower() != name.lower()):
            entry, old = entries[index], spelt[index]
            ours = old.lower() in names_of_ours(settings)[default] and _is_aimed_at_sensor(entry, kinds, settings)
            if old == name or not ours or (taken and not problems("mesh-config", {"extensionProviders": [entry]})):
                continue
            if taken:
                kept.remove(index)
            entry["name"], taken = name, True
            _rename_default(mesh, default, old, name)
            # Istio looks a name up in whatever case (telemetry.go, fetchProvider): then no Telemetry has to change.
            values = {"old": old, "new": name}
            respelt = old.lower() == name.lower()
            decisions.append(
                Decision("respelt", "info", "", values) if respelt else Decision("renamed", "warning", "", values)
            )
    mesh["extensionProviders"] = [entries[index] for index in kept]
    return mesh, kept, decisions


def _is_aimed_at_sensor(entry: dict[str, Data], kinds: Sequence[str], settings: Settings) -> bool:
    kind = next((each for each in istio.KINDS if each in entry), "")
    held = entry.get(kind)
    targets = [held.get(key) for key in ("service", "address")] if isinstance(held, dict) else []
    name, namespace = settings.service.name, settings.service.namespace
    return kind in kinds and any(istio.is_sensor_host(each, name, namespace) for each in targets)


def needed_version(mesh: dict[str, Data], settings: Settings) -> Version | None:
    """The oldest Istio that knows our providers in a mesh config; None where every one does."""
    names = (settings.tracing.provider_name, settings.access_logs.provider_name)
    providers = mesh.get("extensionProviders") or []
    entries = [each for each in providers if any(istio.same_provider(str(each.get("name")), name) for name in names)]
    needed = max(
        (istio.needed(f"extensionProviders.{kind}", held) for each in entries for kind, held in each.items()),
        default=istio.OLDEST_RELEASE,
    )
    return needed if needed > istio.OLDEST_RELEASE else None


def _still_active(mesh: dict[str, Data], settings: Settings) -> list[Decision]:
    """A warning for each provider of ours that the mesh config activates though the settings don't.

    An export adds to a file; what it had put there before is the user's by now, and is left.
    """
    tracing, logs = settings.tracing, settings.access_logs
    active = {
        "tracing": tracing.enabled and tracing.activation in ("auto", "mesh"),
        "accessLogging": logs.enabled and tracing.activation != "none",
    }
    return [
        still_active(name, f"defaultProviders.{key}")
        for key, ours in names_of_ours(settings).items()
        for name in dig(mesh, "defaultProviders", key) or []
        if not active[key] and name.lower() in ours
    ]


def names_of_ours(settings: Settings) -> dict[str, frozenset[str]]:
    """The names that providers of ours have, in lower case, by the key under which they are activated."""
    tracer, logger = settings.tracing.provider_name, settings.access_logs.provider_name
    tracers = frozenset((*config.PROVIDER_NAMES.values(), tracer.lower()))
    return {"tracing": tracers, "accessLogging": _LOGGERS | {logger.lower()}}


def still_active(provider: str, place: str, resource: str = "") -> Decision:
    """The warning about a name that stands there although the settings don't say so."""
    return Decision("still-active", "warning", resource, {"provider": provider, "place": place})


def _rename_default(mesh: dict[str, Data], key: str, old: str, new: str) -> None:
    defaults = mesh.get("defaultProviders")
    names = defaults.get(key) if isinstance(defaults, dict) else None
    if isinstance(defaults, dict) and isinstance(names, list):
        defaults[key] = list(dict.fromkeys(new if name == old else name for name in names))


# --- what changed --------------------------------------------------------------------------------


def _operations(before: dict[str, Data], after: dict[str, Data], kept: list[int]) -> list[Operation]:
    key = "extensionProviders"
    if not before.get(key):
        return changes(before, after, ())
    entries = after.get(key) or []
    found = changes({**before, key: None}, {**after, key: None}, ())
    for place, index in enumerate(kept):
        found += _entry_changes(before[key][index], entries[place], (key, index))
    found += [Operation("append", (key,), entry) for entry in entries[len(kept) :]]
    return found + [
        Operation("remove", (key, index)) for index in reversed(range(len(before[key]))) if index not in kept
    ]


def _entry_changes(before: dict[str, Data], after: dict[str, Data], path: Path) -> list[Operation]:
    """Of an entry whose kind changed, what both kinds have stays where it is, with its comments."""
    gone, new = ([key for key in one if key not in other] for one, other in ((before, after), (after, before)))
    if len(gone) != 1 or len(new) != 1 or not isinstance(before[gone[0]], dict):
        return changes(before, after, path)
    same_name = changes({"name": before.get("name")}, {"name": after.get("name")}, path)
    inside = changes(before[gone[0]], after[new[0]], (*path, gone[0]))
    return [*same_name, *inside, Operation("rename", (*path, gone[0]), new[0])]


def changes(before: Data, after: Data, path: Path) -> list[Operation]:
    """The operations that make `after` of `before`; of a list of scalars that grew or shrank, at its end."""
    if before == after and type(before) is type(after):
        return []
    found: list[Operation] = []
    if isinstance(before, dict) and isinstance(after, dict) and before:
        for key, value in after.items():
            if key not in before:
                found.append(Operation("set", (*path, key), value))
            else:
                found += changes(before[key], value, (*path, key))
        return found + [Operation("remove", (*path, key)) for key in before if key not in after]
    if isinstance(before, list) and isinstance(after, list) and _go_together(before, after):
        for index in range(min(len(before), len(after))):
            found += changes(before[index], after[index], (*path, index))
        found += [Operation("append", path, value) for value in after[len(before) :]]
        return found + [Operation("remove", (*path, index)) for index in reversed(range(len(after), len(before)))]
    return [Operation("set", path, after)]


def _go_together(before: list[Data], after: list[Data]) -> bool:
    """Whether the items of two lists can be compared one by one."""
    scalars = not any(isinstance(value, dict | list) for value in [*before, *after])
    kinds = [isinstance(value, dict) for value in before] == [isinstance(value, dict) for value in after]
    return bool(before) and (scalars or (kinds and all(isinstance(value, dict) for value in before)))
