"""Our entries in extensionProviders: what they hold, and how a wrong one is mended."""

from __future__ import annotations

from groundcover_istio import istio
from groundcover_istio.errors import ManifestError, plain
from groundcover_istio.model import Data, Decision, Operation, Path, Settings
from groundcover_istio.rules.sensor import PORT_ROLES
from groundcover_istio.spelling import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from groundcover_istio.inventory import MeshConfig
    from groundcover_istio.rules.plan import Context, Plan, Sensor


def tracing_payload(settings: Settings, sensor: Sensor) -> tuple[str, dict[str, Data]]:
    """The kind of the tracing provider and what it holds (mesh/v1alpha1/config.proto)."""
    tracing = settings.tracing
    payload: dict[str, Data] = {"service": sensor.host, "port": sensor.ports[PORT_ROLES[tracing.protocol]]}
    if tracing.max_tag_length is not None:
        payload["maxTagLength"] = tracing.max_tag_length
    if tracing.protocol == "otlp-http":
        # Without timeout Envoy rejects the listener: istiod passes an unset one through (networking/core/tracing.go).
        http = {"path": tracing.http.path, "timeout": tracing.http.timeout, "headers": tracing.http.headers}
        return "opentelemetry", {**payload, "http": _set(http)}
    if tracing.protocol == "otlp-grpc":
        grpc = _set({"timeout": tracing.grpc.timeout, "initialMetadata": tracing.grpc.initial_metadata})
        return "opentelemetry", {**payload, **_set({"grpc": grpc})}
    if tracing.protocol == "datadog":
        return "datadog", payload
    zipkin = {
        "path": tracing.zipkin.path,
        "timeout": tracing.zipkin.timeout,
        "headers": tracing.zipkin.headers,
        "enable64bitTraceId": tracing.zipkin.enable64bit_trace_id,
        "traceContextOption": tracing.zipkin.trace_context_option,
    }
    return "zipkin", {**payload, **_set(zipkin)}


def access_log_payload(settings: Settings, sensor: Sensor) -> dict[str, Data]:
    """What the envoyOtelAls provider holds."""
    logs = settings.access_logs
    payload = {"service": sensor.host, "port": sensor.ports["otlpGrpc"]}
    return {**payload, **_set({"logName": logs.log_name, "logFormat": logs.log_format})}


def _set(values: dict[str, Data]) -> dict[str, Data]:
    """Without what is empty or false: Istio's own default."""
    return {key: value for key, value in values.items() if value}


def define_provider(
    plan: Plan, mesh: MeshConfig, context: Context, name: str, kind: str, payload: dict[str, Data]
) -> list[Operation]:
    """Define the provider, or bring the entry of its name to what it has to be."""
    where = mesh.resource.where
    istio.require(context.version, f"extensionProviders.{kind}", payload, where)
    providers = mesh.data.get("extensionProviders") or []
    found = [index for index, each in enumerate(providers) if istio.same_provider(str(each.get("name", "")), name)]
    if not found:
        plan.decisions.append(
            Decision("provider-added", "info", str(mesh.resource.id), {"provider": name, "target": _target(payload)})
        )
        return [Operation("append", ("extensionProviders",), {"name": name, kind: payload})]
    entry = providers[found[0]]
    setting = "accessLogs.providerName" if kind == "envoyOtelAls" else "tracing.providerName"
    if len(found) > 1 or entry["name"] != name:
        names = ", ".join(show(providers[index]["name"]) for index in found)
        raise ManifestError(
            f'extensionProviders has {names} where "{name}" is to stand; Istio ignores case there',
            where=mesh.where,
            hint=f"remove what is superfluous, or set {setting} to another name",
        )
    place = f"{mesh.where}, extensionProviders[{found[0]}]"
    istio.refuse_snake_case(entry, istio.KINDS, place)
    istio.refuse_snake_case(entry.get(kind), istio.FIELDS[kind], place)
    _refuse_foreign(entry, context.sensor, place, setting)
    operations, wrong = repair(entry, kind, payload, ("extensionProviders", found[0]))
    if operations:
        plan.decisions.append(
            Decision(
                "provider-repaired",
                "warning",
                str(mesh.resource.id),
                {"provider": name, "target": _target(payload), "wrong": "; ".join(wrong)},
            )
        )
    return operations


def _target(payload: dict[str, Data]) -> str:
    return f"{payload['service']}:{payload['port']}"


def _targets(entry: dict[str, Data]) -> list[Data]:
    """Where an entry sends to, by the right field and by the one the vendor's page prints."""
    holders = [entry, *(entry[kind] for kind in istio.KINDS if isinstance(entry.get(kind), dict))]
    return [holder[key] for holder in holders for key in ("service", "address") if holder.get(key)]


def note_others(plan: Plan, mesh: MeshConfig, context: Context) -> None:
    """Mention entries of other names that are aimed at the sensor, such as one of another protocol."""
    ours = (context.settings.tracing.provider_name, context.settings.access_logs.provider_name)
    for entry in mesh.data.get("extensionProviders") or []:
        name, sensor = str(entry.get("name")), context.sensor
        if name not in ours and any(
            istio.is_sensor_host(each, sensor.name, sensor.namespace) for each in _targets(entry)
        ):
            plan.decisions.append(Decision("other-provider", "warning", str(mesh.resource.id), {"provider": name}))


def _refuse_foreign(entry: dict[str, Data], sensor: Sensor, where: str, setting: str) -> None:
    """An entry of our name that is aimed elsewhere is somebody else's."""
    foreign = [
        str(target) for target in _targets(entry) if not istio.is_sensor_host(target, sensor.name, sensor.namespace)
    ]
    if foreign:
        flag = "access-logs-provider-name" if setting.startswith("accessLogs") else "provider-name"
        targets = ", ".join(map(plain, foreign))
        raise ManifestError(
            f"provider {show(entry['name'])} sends to {targets}, not to {sensor.host} ({sensor.where})",
            where=where,
            hint=f"set {setting} to a name of its own (--{flag}),\n"
            "or name the sensor's Service with --service NAME.NAMESPACE",
        )


def repair(
    entry: dict[str, Data], kind: str, payload: dict[str, Data], path: Path
) -> tuple[list[Operation], list[str]]:
    """What brings an entry to hold `payload` as `kind`, and what was wrong with it.

    Fields that the payload does not set and the kind knows stay as they are.
    """
    operations: list[Operation] = []
    wrong: list[str] = []
    kinds = [each for each in entry if each != "name"]
    current = kind if kind in kinds else next((each for each in kinds if each in istio.KINDS), "")
    for other in kinds:
        if other != current:
            operations.append(Operation("remove", (*path, other)))
            wrong.append(f"{other} does not belong there" if other in istio.KINDS else f"unknown field {other}")
    held = entry.get(current) if current else None
    if not isinstance(held, dict):
        action = Operation("set", (*path, current or kind), payload)
        operations.append(action)
        wrong.append(f"{kind} was missing")
    else:
        operations += _repair_payload(held, kind, payload, (*path, current), wrong)
    if current and current != kind:
        operations.append(Operation("rename", (*path, current), kind))
        wrong.append(f"was {current}")
    return operations, wrong


def _repair_payload(
    held: dict[str, Data], kind: str, payload: dict[str, Data], path: Path, wrong: list[str]
) -> list[Operation]:
    operations: list[Operation] = []
    # `address` is what the vendor's page prints; it takes the place of `service`, its comment with it.
    renamed = "address" if "address" in held and "service" not in held else ""
    for key, value in payload.items():
        old_key = renamed if key == "service" and renamed else key
        old = held.get(old_key)
        if key == "http" and isinstance(old, dict):
            operations += _repair_payload_http(old, value, (*path, key), wrong)
        elif old_key not in held or not (_equal(old, value) or (key == "service" and old == _with_namespace(value))):
            operations.append(Operation("set", (*path, old_key), value))
            wrong.append(f"{old_key} was {show(old)}" if old_key in held else f"{key} was missing")
        if old_key != key:
            operations.append(Operation("rename", (*path, old_key), key))
    exclusive = "grpc" if "http" in payload else "http"
    for key in held:
        if key != renamed and (key not in istio.FIELDS[kind] or (key == exclusive and kind == "opentelemetry")):
            operations.append(Operation("remove", (*path, key)))
            wrong.append(f"{key} does not belong there")
    return operations


def _repair_payload_http(held: dict[str, Data], http: dict[str, Data], path: Path, wrong: list[str]) -> list[Operation]:
    operations = []
    for key, value in http.items():
        if not _equal(held.get(key), value):
            operations.append(Operation("set", (*path, key), value))
            wrong.append(f"http.{key} was {show(held[key])}" if key in held else f"http.{key} was missing")
    for key in held:
        if key not in ("path", "timeout", "headers"):
            operations.append(Operation("remove", (*path, key)))
            wrong.append(f"http.{key} is unknown")
    return operations


def _with_namespace(host: str) -> str:
    """The same host as Istio spells it where several namespaces might have it (networking/core, LookupCluster)."""
    return f"{host.split('.')[1]}/{host}"


def _equal(old: Data, new: Data) -> bool:
    """Whether istiod reads both alike: jsonpb takes "4317" for 4317."""
    return bool(old == new) or (isinstance(new, int) and not isinstance(new, bool) and str(old) == str(new))
