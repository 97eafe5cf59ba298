"""Which Istio a stream is for."""

from __future__ import annotations

from groundcover_istio import istio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from groundcover_istio.inventory import MeshConfig
    from groundcover_istio.model import Settings, Version


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
