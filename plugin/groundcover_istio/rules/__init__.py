"""The plan: what has to change in the mesh configs and Telemetries of a stream, and why. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundcover_istio.model import Decision, Sampling, Settings
from groundcover_istio.rules.mesh_config import plan_mesh_config
from groundcover_istio.rules.plan import Context, Plan
from groundcover_istio.rules.sensor import find_sensor
from groundcover_istio.rules.shared import plan_shared
from groundcover_istio.rules.telemetry import plan_telemetry
from groundcover_istio.rules.versions import mesh_version

if TYPE_CHECKING:
    from groundcover_istio.inventory import Inventory


def make_plan(inventory: Inventory, settings: Settings, istiod_tags: list[str]) -> Plan:
    """What to do with a stream.

    `istiod_tags` are the tags of the istiod images in it. Raises SettingsError and ManifestError
    where the settings can't be carried out on it.
    """
    plan = Plan([], [], [], None)
    ours = [*inventory.integrations, *inventory.services]
    if not settings.enabled:
        plan.decisions.append(Decision("disabled", "info", "", {}))
        return plan
    if not ours and not inventory.meshes:
        plan.decisions.append(Decision("nothing-here", "info", "", {}))
        return plan
    sensor = find_sensor(inventory, settings)
    if settings.mode == "shared":
        version = mesh_version(inventory.meshes[0] if inventory.meshes else None, settings, istiod_tags)
        plan_shared(plan, inventory, Context(settings, sensor, version, bool(ours)))
    for mesh in inventory.meshes if settings.mode == "patch" else []:
        version = mesh_version(mesh, settings, istiod_tags)
        plan_mesh_config(plan, mesh, Context(settings, sensor, version, bool(ours)))
    plan_telemetry(plan, inventory, settings, istiod_tags)
    if not settings.tracing.enabled:
        return plan
    ratio = settings.sampling_ratio["datadog" if settings.tracing.protocol == "datadog" else "otel"]
    return plan._replace(sampling=Sampling(settings.tracing.protocol, settings.tracing.sampling_percentage, ratio))
