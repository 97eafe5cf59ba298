"""The plan: what has to change in the mesh configs and Telemetries of a stream, and why. Pure."""

from __future__ import annotations

from groundcover_istio.model import Decision, Effect, Sampling, Settings
from groundcover_istio.rules.mesh_config import plan_mesh_config
from groundcover_istio.rules.plan import Context, Plan, Sensor
from groundcover_istio.rules.sensor import PORT_ROLES, find_sensor
from groundcover_istio.rules.telemetry import effective_percentage, mesh_wide_telemetries, plan_telemetry
from groundcover_istio.rules.versions import cluster_domain, mesh_version, note_assumed_version, oldest_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.inventory import Inventory


def make_plan(inventory: Inventory, settings: Settings, istiod_tags: list[str], istiod_domains: list[str]) -> Plan:
    """What to do with a stream.

    `istiod_tags` are the tags of the istiod images in it, `istiod_domains` the DNS domains that istiod is told there.
    Raises SettingsError and ManifestError where the settings can't be carried out on it.
    """
    plan = Plan([], [], [], None, [])
    ours = [*inventory.integrations, *inventory.services]
    if not settings.enabled:
        plan.decisions.append(Decision("disabled", "info", "", {}))
        return plan
    if not ours and not inventory.meshes:
        plan.decisions.append(Decision("nothing-here", "info", "", {}))
        return plan
    settings = settings._replace(cluster_domain=cluster_domain(plan, inventory, settings, istiod_domains))
    sensor = find_sensor(inventory, settings)
    plan.decisions.extend(sensor.doubts)
    note_assumed_version(plan, inventory, settings, istiod_tags)
    if settings.mode == "shared":
        from groundcover_istio.rules.shared import plan_shared  # noqa: PLC0415  seldom needed: 0.2 ms

        version = oldest_version([mesh for mesh in inventory.meshes if not mesh.is_shared], settings, istiod_tags)
        plan_shared(plan, inventory, Context(settings, sensor, version, bool(ours)))
    for mesh in inventory.meshes if settings.mode == "patch" else []:
        version = mesh_version(mesh, settings, istiod_tags)
        plan_mesh_config(plan, mesh, Context(settings, sensor, version, bool(ours)))
    telemetries = mesh_wide_telemetries(inventory, settings)
    plan_telemetry(plan, inventory, settings, istiod_tags, telemetries)
    if not settings.tracing.enabled:
        return plan
    plan.effects.extend(_effects(inventory, settings, sensor))
    ratio = settings.sampling_ratio["datadog" if settings.tracing.protocol == "datadog" else "otel"]
    percentage = effective_percentage(settings, telemetries)
    return plan._replace(sampling=Sampling(settings.tracing.protocol, percentage, ratio))


def _effects(inventory: Inventory, settings: Settings, sensor: Sensor) -> Iterator[Effect]:
    """What each mesh of the stream does then: where its spans go, what turns that on, what has to start anew."""
    tracing, shared = settings.tracing, settings.mode == "shared"
    target = f"{sensor.host}:{sensor.ports[PORT_ROLES[tracing.protocol]]}"
    activation = {"auto": "default", "mesh": "default"}.get(tracing.activation, tracing.activation)
    samples = tracing.activation in ("auto", "mesh") and bool(tracing.sampling_percentage)
    restarts = (("istiod",) if shared else ()) + (("pods",) if samples else ())
    for mesh in inventory.meshes:
        if not (shared and mesh.is_shared):
            yield Effect(str(mesh.resource.id), tracing.provider_name, target, activation, restarts)
