"""Which Istio a stream is for."""

from __future__ import annotations

from groundcover_istio import istio
from groundcover_istio.config import parse_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from groundcover_istio.inventory import MeshConfig
    from groundcover_istio.model import Settings, Version


def mesh_version(mesh: MeshConfig | None, settings: Settings, istiod_tags: list[str]) -> Version:
    """The Istio version of a mesh: as set, else by the istiod image, else by what the object says, else assumed."""
    if settings.istio_version:
        return settings.istio_version
    tags = {version for tag in istiod_tags if (version := release(tag))}
    if len(tags) == 1:
        return tags.pop()
    if mesh and (version := release(mesh.version)):
        return version
    return min(tags) if tags else istio.ASSUMED_VERSION


def release(text: str) -> Version | None:
    """The version that a text gives; None where it gives none, or one that is a placeholder."""
    version = parse_version(text)
    return version if version and version >= istio.OLDEST_RELEASE else None
