"""Which Istio a stream is for, and in which cluster."""

from __future__ import annotations

from groundcover_istio import istio
from groundcover_istio.errors import ManifestError
from groundcover_istio.rules.plan import dig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from groundcover_istio.inventory import Inventory, MeshConfig
    from groundcover_istio.model import Settings, Version

_DEFAULT_DOMAIN: Final = "cluster.local"


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


def cluster_domain(inventory: Inventory, settings: Settings, istiod_domains: list[str]) -> str:
    """The DNS domain of the cluster: as set, else as istiod or its operator is told, else Kubernetes' own default.

    Raises ManifestError where istiod is told another one than what is set: its registry names a Service by its own
    (pkg/config/kube conversion, ServiceHostname), and a host of another domain is none to it.
    """
    values = (
        dig(mesh.resource.data, "spec", "values", "global", "proxy", "clusterDomain") for mesh in inventory.meshes
    )
    told = {*istiod_domains, *(str(value) for value in values if value)}
    domain = settings.cluster_domain or min(told, default=_DEFAULT_DOMAIN)
    for other in sorted(told - {domain}):
        raise ManifestError(
            f"the cluster's DNS domain is {domain}, and istiod is told {other}; it knows no host of another domain",
            hint=f"set clusterDomain to {other} (--cluster-domain), or leave it unset;\n"
            "give control planes of different domains one by one",
        )
    return domain
