"""What a plan is made of."""

from __future__ import annotations

from groundcover_istio.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from groundcover_istio.inventory import MeshConfig, Resource
    from groundcover_istio.model import Data, Decision, Effect, Operation, Sampling, Settings, Version


class Sensor(NamedTuple):
    """Where spans go."""

    name: str
    namespace: str
    host: str
    ports: dict[str, int]
    where: str
    """What says so, for messages."""
    doubts: tuple[Decision, ...] = ()
    """Why spans may not arrive there."""


class Change(NamedTuple):
    """What is to be done to one object; the paths of a mesh config's operations start in its text."""

    target: MeshConfig | Resource
    operations: list[Operation]


class Addition(NamedTuple):
    """An object to be added to the stream, in the release that `beside` belongs to."""

    data: dict[str, Data]
    beside: Resource


class Plan(NamedTuple):
    """Everything that is to be done, and what was decided."""

    changes: list[Change]
    additions: list[Addition]
    decisions: list[Decision]
    sampling: Sampling | None
    effects: list[Effect]


class Context(NamedTuple):
    """What the rules for one mesh config know besides it."""

    settings: Settings
    sensor: Sensor
    version: Version
    """Of the mesh's control plane."""
    with_sensor: bool
    """Whether the sensor's release is in the same stream."""
