"""Mode shared: a mesh config of ours that istiod merges below its own, and the variable that names it.

istiod reads a second ConfigMap where SHARED_MESH_CONFIG names one in its namespace; what its own
says wins (pkg/config/mesh/mesh.go, features/pilot.go). Istio calls that experimental.
"""

from __future__ import annotations

from groundcover_istio import istio
from groundcover_istio.errors import ManifestError
from groundcover_istio.model import (
    MESH_KEY,
    SHARED_NAME,
    SHARED_VARIABLE,
    Data,
    Decision,
    Operation,
    Path,
    Settings,
    dig,
)
from groundcover_istio.rules.logs import access_log_names, note_left_logs
from groundcover_istio.rules.mesh_config import plan_mesh_config, require_shapes
from groundcover_istio.rules.plan import Addition, Change, Context, Plan, Sensor
from groundcover_istio.rules.provider import access_log_payload, repair, tracing_payload
from groundcover_istio.serializer import block_lines
from groundcover_istio.spelling import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from groundcover_istio.inventory import Inventory, MeshConfig, Resource

_CONTAINER: Final = "discovery"
_SAMPLING: Final = ("defaultConfig", "tracing", "sampling")


def plan_shared(plan: Plan, inventory: Inventory, context: Context) -> None:
    """Plan the shared mesh config with the sensor, and its name with istiod.

    Raises ManifestError where istiod's own mesh config says otherwise, or names another shared one.
    """
    own = [mesh for mesh in inventory.meshes if not mesh.is_shared]
    for mesh in own:
        require_shapes(mesh, context.settings)
    data = shared_mesh(context.settings, context.sensor, own)
    if context.settings.tracing.enabled:
        kind, payload = tracing_payload(context.settings, context.sensor)
        istio.require(context.version, f"extensionProviders.{kind}", payload, context.sensor.where)
    for mesh in own:
        _require_agreement(mesh, data, by_mesh=context.settings.tracing.activation == "mesh")
        if context.settings.access_logs.enabled and context.settings.tracing.activation != "none":
            note_left_logs(plan, mesh, context.settings)
        if mesh.is_values:
            _name_in_values(plan, mesh)
    _name_in_deployments(plan, inventory, [mesh for mesh in own if not mesh.is_values])
    shared = [mesh for mesh in inventory.meshes if mesh.is_shared]
    for mesh in shared:
        plan_mesh_config(plan, mesh, context)
    if not shared and context.with_sensor:
        beside = [*inventory.services, *inventory.integrations][0]
        known = _istiod_namespace(inventory, own)
        namespace = known or context.settings.root_namespace
        plan.additions.append(Addition(_config_map(data, namespace), beside))
        name = f"ConfigMap {SHARED_NAME}"
        plan.decisions.append(Decision("shared-added", "info", name, {}))
        if not known:
            plan.decisions.append(Decision("shared-namespace-assumed", "info", name, {"namespace": namespace}))


def _istiod_namespace(inventory: Inventory, meshes: list[MeshConfig]) -> str:
    """The namespace of istiod, in which alone it looks for the ConfigMap (pilot/pkg/bootstrap/mesh.go).

    Empty where nothing says it.
    """
    said = [*(each.id.namespace for each in inventory.deployments), *(mesh.namespace for mesh in meshes)]
    return next(filter(None, said), "")


def shared_mesh(settings: Settings, sensor: Sensor, meshes: list[MeshConfig]) -> dict[str, Data]:
    """The whole mesh config of ours: providers, defaults, sampling. `meshes` are istiod's own of the stream."""
    tracing, logs = settings.tracing, settings.access_logs
    providers: list[Data] = []
    defaults: dict[str, Data] = {}
    data: dict[str, Data] = {}
    active = tracing.activation in ("auto", "mesh")
    if tracing.enabled:
        kind, payload = tracing_payload(settings, sensor)
        providers.append({"name": tracing.provider_name, kind: payload})
        if active:
            data["enableTracing"] = True
            defaults["tracing"] = [tracing.provider_name]
    if logs.enabled:
        providers.append({"name": logs.provider_name, "envoyOtelAls": access_log_payload(settings, sensor)})
        if tracing.activation == "mesh":
            defaults["accessLogging"] = access_log_names(settings, meshes)
    data["extensionProviders"] = providers
    if defaults:
        data["defaultProviders"] = defaults
    if tracing.enabled and active and tracing.sampling_percentage:
        data["defaultConfig"] = {"tracing": {"sampling": tracing.sampling_percentage}}
    return data


def _config_map(data: dict[str, Data], namespace: str) -> dict[str, Data]:
    metadata = {
        "name": SHARED_NAME,
        "namespace": namespace,
        "labels": {"app.kubernetes.io/name": SHARED_NAME, "app.kubernetes.io/part-of": "groundcover"},
    }
    text = "\n".join([*block_lines(data, 0), ""])
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {MESH_KEY: text}}


def _require_agreement(mesh: MeshConfig, shared: dict[str, Data], *, by_mesh: bool) -> None:
    """What the mesh's own config sets wins: it must not stand against ours.

    `by_mesh`: no Telemetry says the sampling. A message inside defaultConfig is taken whole (mesh.go,
    MergeProxyConfig).
    """
    for index, entry in enumerate(mesh.data.get("extensionProviders") or []):
        name = str(entry.get("name"))
        ours = (each for each in shared["extensionProviders"] if istio.same_provider(each["name"], name))
        if any(_differs(entry, each) for each in ours):
            raise _disagreement(mesh, f"extensionProviders[{index}]", f"provider {show(name)}")
    named, logs = (dig(each, "defaultProviders", "accessLogging") for each in (mesh.data, shared))
    if named and logs and not any(istio.same_provider(logs[0], name) for name in named):
        raise _disagreement(mesh, "defaultProviders.accessLogging", show(named[0]))
    tracing = dig(mesh.data, "defaultConfig", "tracing")
    if tracing is not None and tracing.get("sampling") is None and by_mesh and dig(shared, *_SAMPLING) is not None:
        raise ManifestError(
            "defaultConfig.tracing takes the place of the shared mesh config's whole, and says no sampling",
            where=mesh.where,
            hint=f'set {".".join(_SAMPLING)} there too, tracing.activation to "auto", or meshConfig.mode to "patch"',
        )
    default, tracer = (dig(each, "defaultProviders", "tracing") for each in (mesh.data, shared))
    if default and tracer and not istio.same_provider(default[0], tracer[0]):
        raise _disagreement(mesh, "defaultProviders.tracing", show(default[0]))
    sampling, percentage = (dig(each, *_SAMPLING) for each in (mesh.data, shared))
    if None not in (sampling, percentage) and istio.number(sampling) != percentage:
        raise _disagreement(mesh, ".".join(_SAMPLING), show(sampling))
    if mesh.data.get("enableTracing") is False and "enableTracing" in shared:
        raise _disagreement(mesh, "enableTracing", show(value=False))


def _differs(entry: dict[str, Data], ours: dict[str, Data]) -> bool:
    """Whether an entry under the name of ours is not ours: of another spelling, or with something to repair."""
    kind = next(key for key in ours if key != "name")
    return bool(entry.get("name") != ours["name"] or repair(entry, kind, ours[kind], ())[0])


def _disagreement(mesh: MeshConfig, path: str, found: str) -> ManifestError:
    return ManifestError(
        f"{path} says {found}, which counts before the shared mesh config",
        where=mesh.where,
        hint='remove it there, or set meshConfig.mode to "patch"',
    )


def _name_in_values(plan: Plan, mesh: MeshConfig) -> None:
    """IstioOperator and Sail hand pilot.env to the chart, a mapping of variables."""
    path: Path = ("spec", "values", "pilot", "env", SHARED_VARIABLE)
    _name(plan, mesh.resource, dig(mesh.resource.data, *map(str, path)), Operation("set", path, SHARED_NAME))


def _name_in_deployments(plan: Plan, inventory: Inventory, meshes: list[MeshConfig]) -> None:
    found = False
    for deployment in inventory.deployments:
        containers = dig(deployment.data, "spec", "template", "spec", "containers")
        for index, container in enumerate(containers if isinstance(containers, list) else []):
            if isinstance(container, dict) and container.get("name") == _CONTAINER:
                found = True
                _name_in_container(plan, deployment, index, container.get("env"))
    if meshes and not found:
        plan.decisions.append(Decision("shared-not-named", "warning", str(meshes[0].resource.id), {}))


def _name_in_container(plan: Plan, deployment: Resource, index: int, env: Data) -> None:
    path: Path = ("spec", "template", "spec", "containers", index, "env")
    variables = [each for each in env if isinstance(each, dict)] if isinstance(env, list) else []
    named = [each.get("value", "another source") for each in variables if each.get("name") == SHARED_VARIABLE]
    entry = {"name": SHARED_VARIABLE, "value": SHARED_NAME}
    # Of variables of one name a container gets the last.
    _name(plan, deployment, named[-1] if named else None, Operation("append", path, entry))


def _name(plan: Plan, resource: Resource, current: Data, operation: Operation) -> None:
    if current == SHARED_NAME:
        plan.decisions.append(Decision("unchanged", "info", str(resource.id), {}))
        return
    if current is not None:
        raise ManifestError(
            f"{SHARED_VARIABLE} names {show(current)} already; istiod merges one shared mesh config",
            where=resource.where,
            hint='add ours to that ConfigMap, or set meshConfig.mode to "patch"',
        )
    plan.changes.append(Change(resource, [operation]))
    plan.decisions.append(Decision("shared-named", "info", str(resource.id), {}))
