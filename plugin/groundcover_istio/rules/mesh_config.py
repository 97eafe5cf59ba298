"""What changes in a mesh config."""

from __future__ import annotations

from groundcover_istio import istio
from groundcover_istio.errors import ManifestError, plain
from groundcover_istio.model import LONGEST_NAME, Data, Decision, Operation, Path, Settings
from groundcover_istio.rules.plan import Change, Context, Plan, dig
from groundcover_istio.rules.provider import access_log_payload, define_provider, note_others, tracing_payload
from groundcover_istio.spelling import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from groundcover_istio.inventory import MeshConfig


def plan_mesh_config(plan: Plan, mesh: MeshConfig, context: Context) -> None:
    """Plan the changes of one mesh config.

    Raises ManifestError where something that is to be edited has a wrong type or stands against the settings.
    """
    settings = context.settings
    require_shapes(mesh, settings)
    operations: list[Operation] = []
    name = str(mesh.resource.id)
    if settings.tracing.enabled:
        kind, payload = tracing_payload(settings, context.sensor)
        operations += define_provider(plan, mesh, context, settings.tracing.provider_name, kind, payload)
        if settings.tracing.activation in ("auto", "mesh"):
            operations += _default_tracer(plan, mesh, settings)
            operations += _mesh_sampling(plan, mesh, settings)
        elif settings.tracing.activation == "none":
            plan.decisions.append(
                Decision("not-activated", "warning", name, {"provider": settings.tracing.provider_name})
            )
        _note_legacy_tracer(plan, mesh)
        note_others(plan, mesh, context)
    if settings.access_logs.enabled:
        payload = access_log_payload(settings, context.sensor)
        operations += define_provider(plan, mesh, context, settings.access_logs.provider_name, "envoyOtelAls", payload)
        by_telemetry = settings.tracing.activation == "telemetry" or (
            settings.tracing.activation == "auto" and context.with_sensor
        )
        if settings.tracing.activation != "none" and not by_telemetry:
            operations += _default_access_log(plan, mesh, settings)
    if mesh.is_values and mesh.resource.id.kind == "IstioOperator":
        _require_one_place(mesh)
    if operations:
        plan.changes.append(Change(mesh, operations))
    else:
        plan.decisions.append(Decision("unchanged", "info", name, {}))


def require_shapes(mesh: MeshConfig, settings: Settings) -> None:
    """Raise ManifestError for a wrong type, which makes istiod discard the whole mesh config."""
    data, where = mesh.data, mesh.where
    istio.refuse_snake_case(data, istio.READ, where)
    if settings.access_logs.enabled:
        istio.refuse_snake_case(data, ("accessLogFile",), where)
    istio.refuse_snake_case(data.get("defaultProviders"), ("accessLogging",), where, "defaultProviders.")
    shapes: list[tuple[str, Data, type, str]] = [
        ("extensionProviders", data.get("extensionProviders"), list, "a list"),
        ("defaultProviders", data.get("defaultProviders"), dict, "a mapping"),
        ("defaultProviders.tracing", dig(data, "defaultProviders", "tracing"), list, "a list"),
        ("defaultProviders.accessLogging", dig(data, "defaultProviders", "accessLogging"), list, "a list"),
        ("defaultConfig", data.get("defaultConfig"), dict, "a mapping"),
        ("defaultConfig.tracing", dig(data, "defaultConfig", "tracing"), dict, "a mapping"),
        ("enableTracing", data.get("enableTracing"), bool, "true or false"),
    ]
    for path, value, kind, words in shapes:
        wrong_boolean = isinstance(value, bool) and kind is not bool
        if value is not None and (wrong_boolean or not isinstance(value, kind)):
            raise _wrong_shape(path, value, words, where)
    sampling = dig(data, "defaultConfig", "tracing", "sampling")
    if sampling is not None and istio.number(sampling) is None:
        raise _wrong_shape("defaultConfig.tracing.sampling", sampling, "a number", where)
    for path, kind, words in (
        ("extensionProviders", dict, "a mapping"),
        ("defaultProviders.tracing", str, "a name"),
        ("defaultProviders.accessLogging", str, "a name"),
    ):
        for index, value in enumerate(dig(data, *path.split(".")) or []):
            if not isinstance(value, kind):
                raise _wrong_shape(f"{path}[{index}]", value, words, where)


def _require_one_place(mesh: MeshConfig) -> None:
    """The operator lays spec.meshConfig over spec.values.meshConfig, and lists replace each other."""
    below = dig(mesh.resource.data, "spec", "values", "meshConfig")
    istio.refuse_snake_case(below, istio.WRITTEN, mesh.resource.where, "spec.values.meshConfig.")
    keys = [key for key in istio.WRITTEN if isinstance(below, dict) and below.get(key) is not None]
    if keys:
        raise ManifestError(
            f"{', '.join(keys)} in spec.values.meshConfig would be hidden by what is written to spec.meshConfig",
            where=mesh.resource.where,
            hint="move it to spec.meshConfig",
        )


def _wrong_shape(path: str, value: Data, words: str, where: str) -> ManifestError:
    return ManifestError(
        f"{path} is {show(value)}, not {words}; istiod discards a mesh config with such an error whole",
        where=where,
        hint=f"write {path} as {words}",
    )


def _default_tracer(plan: Plan, mesh: MeshConfig, settings: Settings) -> list[Operation]:
    name = settings.tracing.provider_name
    current = dig(mesh.data, "defaultProviders", "tracing") or []
    resource = str(mesh.resource.id)
    operations = []
    if mesh.data.get("enableTracing") is not True:
        plan.decisions.append(Decision("tracing-enabled", "info", resource, {}))
        operations.append(Operation("set", ("enableTracing",), True))
    if current and current[0].lower() == name.lower():  # istiod looks it up so (telemetry.go, fetchProvider)
        return operations
    if not current:
        plan.decisions.append(Decision("tracer-activated", "info", resource, {"provider": name}))
        return [*operations, *_keep_metrics(plan, mesh), Operation("append", ("defaultProviders", "tracing"), name)]
    if not settings.tracing.replace_default_provider:
        raise ManifestError(
            f'defaultProviders.tracing names {show(current[0])}, not "{name}"; Istio uses only the first one',
            where=mesh.where,
            hint="set tracing.replaceDefaultProvider to true (--replace-default-provider true) to replace it,\n"
            f'tracing.providerName to "{plain(current[0], LONGEST_NAME)}" if that is the sensor\'s,\n'
            'or tracing.activation to "telemetry" to keep it as the default',
        )
    plan.decisions.append(Decision("tracer-replaced", "warning", resource, {"provider": name, "old": str(current[0])}))
    path: Path = ("defaultProviders", "tracing")
    extra = [Operation("remove", (*path, index)) for index in range(len(current) - 1, 0, -1)]
    return [*operations, Operation("set", (*path, 0), name), *extra]


def _mesh_sampling(plan: Plan, mesh: MeshConfig, settings: Settings) -> list[Operation]:
    percentage = settings.tracing.sampling_percentage
    current = dig(mesh.data, "defaultConfig", "tracing", "sampling")
    resource = str(mesh.resource.id)
    if percentage is None or istio.number(current) == percentage:
        return []
    if percentage == 0:
        plan.decisions.append(Decision("sampling-zero", "warning", resource, {}))
        return []
    text = f"{percentage:g}"
    if current is None:
        plan.decisions.append(Decision("sampling-set", "info", resource, {"percentage": text}))
    else:
        plan.decisions.append(
            Decision("sampling-replaced", "warning", resource, {"percentage": text, "old": show(current)})
        )
    return [Operation("set", ("defaultConfig", "tracing", "sampling"), percentage)]


def _default_access_log(plan: Plan, mesh: MeshConfig, settings: Settings) -> list[Operation]:
    name = settings.access_logs.provider_name
    current = dig(mesh.data, "defaultProviders", "accessLogging") or []
    if name in current:
        return []
    file_log = bool(mesh.data.get("accessLogFile")) and settings.access_logs.keep_file_log
    plan.decisions.append(Decision("access-log-activated", "info", str(mesh.resource.id), {"provider": name}))
    path: Path = ("defaultProviders", "accessLogging")
    names = [name, istio.BUILT_IN_FILE_LOG] if file_log and not current else [name]
    return [*_keep_metrics(plan, mesh), *(Operation("append", path, each) for each in names)]


def _keep_metrics(plan: Plan, mesh: MeshConfig) -> list[Operation]:
    """In values defaultProviders takes the place of the chart's own, which names prometheus (_helpers.tpl)."""
    said = Decision("metrics-kept", "info", str(mesh.resource.id), {})
    if not mesh.is_values or said in plan.decisions or "metrics" in (mesh.data.get("defaultProviders") or {}):
        return []
    plan.decisions.append(said)
    return [Operation("set", ("defaultProviders", "metrics"), ["prometheus"])]


def _note_legacy_tracer(plan: Plan, mesh: MeshConfig) -> None:
    tracing = dig(mesh.data, "defaultConfig", "tracing") or {}
    for tracer in istio.LEGACY_TRACERS:
        if tracing.get(tracer) is not None:
            plan.decisions.append(Decision("legacy-tracer-left", "warning", str(mesh.resource.id), {"tracer": tracer}))
