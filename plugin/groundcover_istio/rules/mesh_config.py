"""What changes in a mesh config."""

from __future__ import annotations

from groundcover_istio import istio
from groundcover_istio.errors import ManifestError, plain
from groundcover_istio.model import LONGEST_NAME, Data, Decision, Operation, Path, Settings, dig
from groundcover_istio.rules.plan import Change, Context, Plan
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
            plan.decisions.append(_not_activated(mesh, settings.tracing.provider_name))
        _note_legacy_tracer(plan, mesh)
        note_others(plan, mesh, context)
    if settings.access_logs.enabled:
        payload = access_log_payload(settings, context.sensor)
        operations += define_provider(plan, mesh, context, settings.access_logs.provider_name, "envoyOtelAls", payload)
        by_telemetry = settings.tracing.activation == "telemetry" or (
            settings.tracing.activation == "auto" and context.with_sensor
        )
        if settings.tracing.activation == "none":
            plan.decisions.append(_not_activated(mesh, settings.access_logs.provider_name))
        else:
            from groundcover_istio.rules.logs import default_access_log, note_left_logs  # noqa: PLC0415  0.3 ms

            note_left_logs(plan, mesh, settings)
            operations += [] if by_telemetry else default_access_log(plan, mesh, settings, operations)
    if mesh.is_values:
        from groundcover_istio.rules.values import note_profile, require_one_place  # noqa: PLC0415  0.3 ms

        require_one_place(mesh)
        note_profile(plan, mesh, operations)
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


def _not_activated(mesh: MeshConfig, provider: str) -> Decision:
    return Decision("not-activated", "warning", str(mesh.resource.id), {"provider": provider})


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
    if current and istio.same_provider(current[0], name):
        return operations
    if not current:
        plan.decisions.append(Decision("tracer-activated", "info", resource, {"provider": name}))
        if mesh.is_values:
            from groundcover_istio.rules.values import kept_defaults  # noqa: PLC0415  as above

            operations += kept_defaults(plan, mesh)
        return [*operations, Operation("append", ("defaultProviders", "tracing"), name)]
    if not settings.tracing.replace_default_provider:
        raise ManifestError(
            f'defaultProviders.tracing names {show(current[0])}, not "{name}"; Istio uses only the first one',
            where=mesh.where,
            hint="set tracing.replaceDefaultProvider to true (--replace-default-provider true) to replace it,\n"
            f'tracing.providerName to "{plain(current[0], LONGEST_NAME)}" if that is the sensor\'s,\n'
            'or tracing.activation to "none" to keep it, and name ours in Telemetries of your own',
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


def _note_legacy_tracer(plan: Plan, mesh: MeshConfig) -> None:
    tracing = dig(mesh.data, "defaultConfig", "tracing") or {}
    for tracer in istio.LEGACY_TRACERS:
        if tracing.get(tracer) is not None:
            plan.decisions.append(Decision("legacy-tracer-left", "warning", str(mesh.resource.id), {"tracer": tracer}))
