"""Which Istio a stream is for, and in which cluster."""

from __future__ import annotations

from groundcover_istio import istio
from groundcover_istio.model import Decision, dig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from groundcover_istio.inventory import Inventory, MeshConfig
    from groundcover_istio.model import Settings, Version
    from groundcover_istio.rules.plan import Plan


def mesh_version(mesh: MeshConfig | None, settings: Settings, istiod_tags: list[str]) -> Version:
    """The Istio version of a mesh: as set, else by the istiod image, else by what the object says, else assumed."""
    if settings.istio_version:
        return settings.istio_version
    tags = {version for tag in istiod_tags if (version := istio.release(tag))}
    if len(tags) == 1:
        return tags.pop()
    if mesh and mesh.version:
        return mesh.version
    return min(tags) if tags else istio.ASSUMED_VERSION


def oldest_version(meshes: Iterable[MeshConfig], settings: Settings, istiod_tags: list[str]) -> Version:
    """Of the meshes that read one object the oldest version, which has to know all of it."""
    versions = [mesh_version(mesh, settings, istiod_tags) for mesh in meshes]
    return min(versions, default=mesh_version(None, settings, istiod_tags))


def note_assumed_version(plan: Plan, inventory: Inventory, settings: Settings, istiod_tags: list[str]) -> None:
    """Mention each mesh config whose Istio nothing says."""
    if settings.istio_version or any(map(istio.release, istiod_tags)):
        return
    version = {"version": str(istio.ASSUMED_VERSION)}
    for mesh in inventory.meshes:
        if not mesh.version and not mesh.is_shared:
            plan.decisions.append(Decision("version-assumed", "info", str(mesh.resource.id), version))


def cluster_domain(plan: Plan, inventory: Inventory, settings: Settings, told: list[str]) -> str:
    """The DNS domain of the cluster: as set, else as istiod or its operator is told, else Kubernetes' own default.

    istiod's registry names a Service by the domain that istiod is told (pkg/config/kube, ServiceHostname), and looks a
    provider's host up there: another one is mentioned, since it may be that of a ServiceEntry or of several clusters.
    """
    values = (
        dig(mesh.resource.data, "spec", "values", "global", "proxy", "clusterDomain") for mesh in inventory.meshes
    )
    domains = {*told, *(domain for value in values if (domain := istio.domain_name(value)))}
    is_written = settings.mode == "patch" or inventory.services or inventory.integrations
    domain = settings.cluster_domain or (min(domains, default="") if is_written else "") or istio.DEFAULT_DOMAIN
    for other in sorted(domains - {domain}):
        plan.decisions.append(Decision("domain-differs", "warning", "", {"domain": domain, "told": other}))
    is_beside = inventory.deployments or any(not mesh.is_shared for mesh in inventory.meshes)
    if settings.mode == "shared" and is_written and not is_beside and not settings.cluster_domain:
        plan.decisions.append(Decision("domain-assumed", "info", "", {"domain": domain}))
    return domain
