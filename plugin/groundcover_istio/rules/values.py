"""A mesh config that an operator hands to the istiod chart as values: what stands beside it, and what it displaces."""

from __future__ import annotations

from groundcover_istio import istio
from groundcover_istio.control_plane import IN_VALUES
from groundcover_istio.errors import ManifestError
from groundcover_istio.model import Decision, Operation, dig
from groundcover_istio.spelling import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from groundcover_istio.inventory import MeshConfig
    from groundcover_istio.model import Data
    from groundcover_istio.rules.plan import Plan

# What is written to a mesh config, but for enableTracing, which is true in both places then.
_WRITTEN: Final = (
    ("extensionProviders",),
    ("defaultProviders", "tracing"),
    ("defaultProviders", "accessLogging"),
    ("defaultConfig", "tracing", "sampling"),
)
# What has to be a mapping, since we write into one of its name.
_MAPPINGS: Final = (("defaultProviders",), ("defaultConfig",), ("defaultConfig", "tracing"))


def said(mesh: MeshConfig, key: str) -> Data:
    """What counts for a key of the mesh config, None for nothing; an IstioOperator has two places for it."""
    held = mesh.data.get(key)
    return _below(mesh).get(key) if held is None else held


def require_one_place(mesh: MeshConfig) -> None:
    """Raise ManifestError where spec.values.meshConfig of an IstioOperator says what we write to spec.meshConfig.

    istioctl merges the two, mapping by mapping; a list or a value is taken from spec.meshConfig, up to 1.23 from
    spec.values (operator/pkg/render/manifest.go; before: pkg/translate/translate.go, TranslateHelmValues).
    """
    below = _below(mesh)
    istio.refuse_snake_case(below, istio.WRITTEN, mesh.resource.where, "spec.values.meshConfig.")
    for path in _MAPPINGS:
        held = dig(below, *path)
        if held is not None and not isinstance(held, dict):
            raise ManifestError(
                f"{'.'.join(path)} in spec.values.meshConfig is {show(held)}, not a mapping",
                where=mesh.resource.where,
                hint=f"write {'.'.join(path)} as a mapping",
            )
    keys = [".".join(path) for path in _WRITTEN if dig(below, *path) is not None]
    if below.get("enableTracing") not in (None, True):
        keys.append("enableTracing")
    if keys:
        raise ManifestError(
            f"{', '.join(keys)} in spec.values.meshConfig stands against what is written to spec.meshConfig;"
            " istioctl takes one of the two",
            where=mesh.resource.where,
            hint="move it to spec.meshConfig",
        )


def chart_defaults(telemetry: Data) -> dict[str, list[str]]:
    """The chart's own defaultProviders, which it writes where the values have none; `telemetry` is that of the values.

    Istio 1.18 to 1.31, istio-discovery/templates/_helpers.tpl (default-prometheus, default-sd-metrics and -logs): a
    provider counts where its switch prints as `true`, and the two above it are what a template takes for true.
    """
    above = (dig(telemetry, "enabled"), dig(telemetry, "v2", "enabled"))
    if not all(switch is None or switch for switch in above):
        return {}
    prometheus, stackdriver = (dig(telemetry, "v2", name, "enabled") for name in ("prometheus", "stackdriver"))
    logs = ["stackdriver"] if _prints_true(stackdriver) else []
    metrics = ["prometheus"] if prometheus is None or _prints_true(prometheus) else []
    return {"metrics": [*metrics, *logs], "accessLogging": logs}


def _prints_true(switch: Data) -> bool:
    return switch is True or switch == "true"


def own_defaults(mesh: MeshConfig) -> dict[str, list[str]]:
    """The chart's own defaultProviders, as far as they count: those of the values take their place."""
    telemetry = dig(mesh.resource.data, "spec", "values", "telemetry")
    return {} if said(mesh, "defaultProviders") else chart_defaults(telemetry)


def kept_defaults(plan: Plan, mesh: MeshConfig) -> list[Operation]:
    """What keeps the chart's own defaultProviders, where the first one of ours takes their place."""
    operations: list[Operation] = []
    for key, names in own_defaults(mesh).items():
        if names:
            values = {"kind": key, "names": ", ".join(names)}
            plan.decisions.append(Decision("defaults-kept", "info", str(mesh.resource.id), values))
            operations.append(Operation("set", ("defaultProviders", key), names))
    return operations


def note_profile(plan: Plan, mesh: MeshConfig, operations: list[Operation]) -> None:
    """Mention that a list of ours takes the place of the one that the profile brings: without one ours comes first."""
    if operations and uses_demo_profile(mesh) and not mesh.data.get("extensionProviders"):
        plan.decisions.append(Decision("profile-covered", "warning", str(mesh.resource.id), {}))


def uses_demo_profile(mesh: MeshConfig) -> bool:
    """Whether the values build on the one profile of Istio's that has a mesh config of weight for us."""
    spec = mesh.resource.data.get("spec")
    names = (dig(spec, "profile"), dig(spec, "values", "profile"))
    return mesh.is_values and istio.DEMO_PROFILE in names


def _below(mesh: MeshConfig) -> dict[str, Data]:
    """spec.values.meshConfig of an IstioOperator."""
    found = dig(mesh.resource.data, *IN_VALUES)
    return found if mesh.resource.id.kind == "IstioOperator" and isinstance(found, dict) else {}
