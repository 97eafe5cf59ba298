"""A mapping at the top of a document, before anything is known of what it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from groundcover_istio.checks.parts import Part
from groundcover_istio.control_plane import of_object

if TYPE_CHECKING:
    from groundcover_istio.checks.places import Place
    from groundcover_istio.checks.world import Resource
    from groundcover_istio.control_plane import ControlPlane
    from groundcover_istio.model import Data


class Source(NamedTuple):
    """A mapping at the top of a document."""

    place: Place
    text: str
    """Of the file."""
    data: dict[str, Data]
    resource: Resource | None
    """None where it is no object."""
    tags: list[str]
    """Of the istiod images in the file."""

    @property
    def part(self) -> Part:
        """All of it."""
        return Part(self.place, self.data)

    @property
    def control_plane(self) -> ControlPlane | None:
        """What it says where it is an object of Istio's operators."""
        return of_object(self.resource.data) if self.resource else None
