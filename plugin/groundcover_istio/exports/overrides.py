"""What a file sets beside the values, which counts before them as `helm --set` does: the parameters of Argo CD etc."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio import istio
from groundcover_istio.errors import ManifestError, plain
from groundcover_istio.exports.at import reach
from groundcover_istio.helm_set import path_of
from groundcover_istio.model import SHARED_NAME, SHARED_VARIABLE, dig, items
from groundcover_istio.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from groundcover_istio.model import Data, Path, Settings

# Under these keys Argo CD, helmfile and k3s' HelmChart have values.
_VALUES: Final = ("values", "valuesObject", "valuesContent")
# Of the same mapping: Argo CD's (ApplicationSourceHelm), helmfile's (ReleaseSpec), k3s' (HelmChartSpec, a mapping).
_SET: Final = ("parameters", "fileParameters", "set", "setString", "setTemplate")


class Override(NamedTuple):
    """One value that is set beside the values."""

    where: str
    """Its place for messages."""
    name: str
    """As the file has it."""
    path: Path
    """What it sets, from where the values stand."""
    value: Data
    """None where a file or a list has it."""


def overrides_beside(document: Data, path: Path, name: str) -> list[Override]:
    """What a document of the file `name` sets beside the values that stand at `path`, or above that."""
    found: list[Override] = []
    for depth, key in enumerate(path):
        if key not in _VALUES:
            continue
        holder = reach(document, path[:depth])
        # Of helmfile's list of values each is whole; below stands the way to a chart's own in those of its parent.
        inside = tuple(each for each in path[depth + 1 :] if isinstance(each, str))
        for kind in _SET:
            for step, said, value in _pairs(dig(holder, kind)):
                where, way = f"{name}, {spell((*path[:depth], kind, step))}", path_of(said)
                found += [Override(where, said, way, value)] if way else []
        found = below(found, inside)
    return found


def below(overrides: Sequence[Override], path: Path) -> list[Override]:
    """Those that set something below a way, with their own ways from there."""
    size = len(path)
    return [each._replace(path=each.path[size:]) for each in overrides if each.path[:size] == path]


def refuse_overrides(overrides: Sequence[Override], settings: Settings) -> None:
    """Raise ManifestError where one sets what the settings write, and to something else."""
    written = list(_written(settings))
    for each in overrides:
        for path, value in written:
            size = min(len(path), len(each.path))
            # With `tracing[0]` the first of the list is set, with `defaultProviders` all that is below.
            if path[:size] != each.path[:size] or (each.path == path and _says(each.value, value)):
                continue
            raise ManifestError(
                f"{plain(each.name)} is set there, as by helm --set, and counts before the values that are written",
                where=each.where,
                hint="take it out; what of it is to stay belongs into meshConfig of the values"
                if path[0] == "meshConfig"
                else "take it out",
            )


def _written(settings: Settings) -> Iterator[tuple[Path, Data]]:
    """What the values say with these settings, from their top, and to what; None where that is no single value."""
    tracing, logs = settings.tracing, settings.access_logs
    active = tracing.activation in ("auto", "mesh")
    yield ("meshConfig", "extensionProviders"), None
    if tracing.enabled and active:
        yield ("meshConfig", "enableTracing"), True
        yield ("meshConfig", "defaultProviders", "tracing", 0), tracing.provider_name
        if tracing.sampling_percentage:
            yield ("meshConfig", "defaultConfig", "tracing", "sampling"), float(tracing.sampling_percentage)
    if logs.enabled and active:
        yield ("meshConfig", "defaultProviders", "accessLogging"), None
    if settings.mode == "shared":
        yield ("pilot", "env", SHARED_VARIABLE), SHARED_NAME


def _says(said: Data, wanted: Data) -> bool:
    """Whether a value, which may stand there as a text, is the one that is wanted."""
    if isinstance(wanted, float):
        return istio.number(said) == wanted
    return wanted is not None and str(said).lower() == str(wanted).lower()


def _pairs(held: Data) -> Iterator[tuple[str | int, str, Data]]:
    """The key or index, the name and the value of what is set."""
    if isinstance(held, dict):
        yield from ((key, key, value) for key, value in held.items())
    for index, each in enumerate(items(held)):
        if isinstance(dig(each, "name"), str):
            yield index, each["name"], dig(each, "value")
