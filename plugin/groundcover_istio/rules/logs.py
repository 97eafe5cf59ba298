"""Who gets access logs.

Once a Telemetry or defaultProviders.accessLogging names providers, istiod asks no more what else there is: the list of
a Telemetry takes the place of the mesh config's (pilot/pkg/model/telemetry.go, mergeLogs), either takes that of
accessLogFile and enableEnvoyAccessLogService (networking/core/accesslog.go).
"""

from __future__ import annotations

from groundcover_istio import istio
from groundcover_istio.model import Decision, Operation, dig
from groundcover_istio.rules.values import kept_defaults, own_defaults, said, uses_demo_profile
from groundcover_istio.spelling import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from groundcover_istio.inventory import MeshConfig
    from groundcover_istio.model import Path, Settings
    from groundcover_istio.rules.plan import Plan

_PATH: Final[Path] = ("defaultProviders", "accessLogging")


def access_log_names(settings: Settings, meshes: Sequence[MeshConfig]) -> list[str]:
    """Whom a Telemetry or a shared mesh config has to name: ours, and who got access logs without it.

    `meshes` are istiod's own of the stream; where there is none, proxies are taken to write a file log.
    """
    logs = settings.access_logs
    others = (name for mesh in meshes for name in _default_names(mesh))
    names = [logs.provider_name, *(name for name in others if not istio.same_provider(name, logs.provider_name))]
    if logs.keep_file_log and (not meshes or any(_writes_file_log(mesh) for mesh in meshes)):
        names.append(istio.BUILT_IN_FILE_LOG)
    return list(dict.fromkeys(names))


def default_access_log(
    plan: Plan, mesh: MeshConfig, settings: Settings, planned: Sequence[Operation]
) -> list[Operation]:
    """What makes our provider a default one, besides what is `planned` for the mesh config."""
    name = settings.access_logs.provider_name
    if any(istio.same_provider(name, each) for each in _default_names(mesh)):
        return []
    plan.decisions.append(Decision("access-log-activated", "info", str(mesh.resource.id), {"provider": name}))
    file_log = settings.access_logs.keep_file_log and _writes_file_log(mesh)
    names = [name, istio.BUILT_IN_FILE_LOG] if file_log else [name]
    # A default tracer of ours has kept them already.
    is_first = not any(each.path[0] == _PATH[0] for each in planned)
    kept = kept_defaults(plan, mesh) if mesh.is_values and is_first else []
    return [*kept, *(Operation("append", _PATH, each) for each in names)]


def note_left_logs(plan: Plan, mesh: MeshConfig, settings: Settings) -> None:
    """Mention the logs of a mesh that stop, or go elsewhere, where a provider is named."""
    if _default_names(mesh):
        return
    name, path = str(mesh.resource.id), said(mesh, "accessLogFile")
    if path and path != istio.STANDARD_OUTPUT:
        code = "file-log-moved" if settings.access_logs.keep_file_log else "file-log-stopped"
        plan.decisions.append(Decision(code, "warning", name, {"path": show(path)}))
    if said(mesh, "enableEnvoyAccessLogService") is True:
        plan.decisions.append(Decision("log-service-stopped", "warning", name, {}))


def _default_names(mesh: MeshConfig) -> list[str]:
    named = dig(mesh.data, *map(str, _PATH)) or []
    return named or (own_defaults(mesh).get("accessLogging", []) if mesh.is_values else [])


def _writes_file_log(mesh: MeshConfig) -> bool:
    """Whether the mesh config itself has proxies write one, which a list of providers ends."""
    path = said(mesh, "accessLogFile")
    return not _default_names(mesh) and bool(path or (path is None and uses_demo_profile(mesh)))
