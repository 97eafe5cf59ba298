"""Which tracer is active and what share of requests it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from groundcover_istio import istio
from groundcover_istio.checks.world import TRACERS
from groundcover_istio.model import dig, items, mapping
from groundcover_istio.rules.tracing import CLIENT, entries_of, named_provider, saying, selects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.places import Place
    from groundcover_istio.checks.world import Mesh, Provider, Resource, World
    from groundcover_istio.model import Data, Path, Version

SAMPLING_VARIABLE: Final = "PILOT_TRACE_SAMPLING"
"""Of istiod: percent, where neither a Telemetry nor the mesh config says it."""
# Percent, where nothing says it (istio 1.31 pilot/pkg/features/telemetry.go).
_DEFAULT: Final = 1.0


class Named(NamedTuple):
    """A Telemetry that names a provider."""

    telemetry: Resource
    name: str
    path: Path


def is_mesh_wide(telemetry: Resource) -> bool:
    """Whether it selects nothing."""
    return not selects(telemetry.spec)


def applies(telemetry: Resource, mesh: Mesh) -> bool:
    """Whether a Telemetry is for the revision of a mesh config, as far as that is known."""
    return not telemetry.revision or not mesh.revision or telemetry.revision == mesh.revision


def entries(telemetry: Resource, section: str) -> Iterator[tuple[int, dict[str, Data]]]:
    """The readable entries of `spec.tracing` or another list."""
    for index, entry in enumerate(items(telemetry.spec.get(section))):
        if isinstance(entry, dict):
            yield index, entry


def named(telemetry: Resource, section: str) -> Iterator[Named]:
    """Every provider that a section of a Telemetry names."""
    for index, entry in entries(telemetry, section):
        for number, provider in enumerate(items(entry.get("providers"))):
            name = mapping(provider).get("name")
            if isinstance(name, str):
                yield Named(telemetry, name, ("spec", section, index, "providers", number, "name"))


def active_names(world: World, mesh: Mesh) -> set[str]:
    """The tracing providers in use, in lower case: Istio ignores case."""
    defaults = [name.lower() for name in mesh.default("tracing")[:1] if isinstance(name, str)]
    used = [
        each.name.lower()
        for telemetry in world.telemetries()
        if applies(telemetry, mesh)
        for each in named(telemetry, "tracing")
    ]
    return {*defaults, *used}


def is_active(world: World, provider: Provider) -> bool:
    """Whether something given names a tracing provider."""
    return provider.kind in TRACERS and provider.name.lower() in active_names(world, provider.mesh)


def is_used(world: World, provider: Provider) -> bool:
    """Whether something given names a provider, tracer or access log."""
    if provider.kind in TRACERS:
        return is_active(world, provider)
    names = [name.lower() for name in provider.mesh.default("accessLogging") if isinstance(name, str)]
    for telemetry in world.telemetries():
        if applies(telemetry, provider.mesh):
            names += [each.name.lower() for each in named(telemetry, "accessLogging")]
    return provider.name.lower() in names


def oldest_version(world: World, telemetry: Resource) -> Version | None:
    """The oldest Istio that a Telemetry is for; None where nothing says it."""
    known = [mesh.version for mesh in world.meshes if mesh.version_known and applies(telemetry, mesh)]
    return min(known) if known else world.version


class Share(NamedTuple):
    """A sampling percentage and where it stands; no path where nothing given says it."""

    percentage: float
    place: Place | None
    path: Path


class Counting(NamedTuple):
    """The sampling percentage that counts, and what says it."""

    percentage: float
    source: Literal["telemetry", "mesh", "istiod", "default"]


def is_percentage(value: float) -> bool:
    """Whether a sampling is one that Istio takes."""
    return 0 <= value <= istio.EVERY_REQUEST


def percentage(value: Data) -> float | None:
    """A sampling that Istio takes, in quotes too; None for anything else."""
    found = istio.number(value)
    return found if found is not None and is_percentage(found) else None


def counting(telemetry: Data, bootstrap: Data, pilot: Data) -> Counting:
    """What counts of the samplings of a mesh-wide Telemetry, defaultConfig.tracing and PILOT_TRACE_SAMPLING.

    A Telemetry or a variable that is out of range says nothing, a mesh config like that stands for 1 % (istio 1.31
    pilot/pkg/networking/core/tracing.go, proxyConfigSamplingValue; pilot/pkg/features/telemetry.go, TraceSampling).
    """
    if (live := percentage(telemetry)) is not None:
        return Counting(live, "telemetry")
    if istio.number(bootstrap):  # 0 means unset there
        return Counting(percentage(bootstrap) or _DEFAULT, "mesh")
    own = percentage(pilot)
    return Counting(_DEFAULT, "default") if own is None else Counting(own, "istiod")


def samples_none(value: float) -> bool:
    """Whether a percentage is so low that no request starts a trace."""
    return 0 <= value < istio.LEAST_SAMPLING


def for_the_mesh(world: World, mesh: Mesh) -> Iterator[Resource]:
    """The Telemetries that are for every proxy of a mesh; of several the oldest counts alone."""
    for telemetry in world.telemetries():
        if telemetry.namespace == mesh.root_namespace and is_mesh_wide(telemetry) and applies(telemetry, mesh):
            yield telemetry


def tracer_by_telemetry(world: World, mesh: Mesh, side: str = CLIENT) -> tuple[str, Resource] | None:
    """The tracer that the mesh-wide Telemetry names in place of the default one, and the Telemetry."""
    for telemetry in for_the_mesh(world, mesh):
        if name := named_provider(entries_of(telemetry.data), side):
            return name, telemetry
    return None


def sampling(world: World, mesh: Mesh) -> Share:
    """What share of requests starts a trace, by `counting`; it stands nowhere where what does is no percentage."""
    for telemetry in for_the_mesh(world, mesh):
        listed = items(telemetry.spec.get("tracing"))
        index = saying(listed, "randomSamplingPercentage")
        if index is not None and (live := percentage(listed[index]["randomSamplingPercentage"])) is not None:
            return Share(live, telemetry.place, ("spec", "tracing", index, "randomSamplingPercentage"))
    bootstrap = dig(mesh.data, "defaultConfig", "tracing", "sampling")
    share, source = counting(None, bootstrap, mesh.pilot_sampling)
    if source == "mesh" and percentage(bootstrap) is not None:
        return Share(share, mesh.place, ("defaultConfig", "tracing", "sampling"))
    return Share(share, None, ())
