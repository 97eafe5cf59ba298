"""`--at`: where in a file the chart's values stand, by the steps that lead there."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio.chart_version import is_istiod, istiod_minor
from groundcover_istio.errors import UsageError
from groundcover_istio.model import dig
from groundcover_istio.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from groundcover_istio.model import Data, Path

# `[1]`, as messages spell an index; `.1` means the same.
_INDEX: Final = re.compile(r"\[([0-9]+)\]")
# So much alike is a slip of the pen: `value` and `values`, but not `valueFiles` or `valuesFrom` and `values`.
_ALIKE: Final = 0.8
# Of the istiod chart's values those that no other chart has; `global` every chart may have.
_OWN: Final = ("meshConfig", "pilot")
# Where the istiod chart keeps what it sets itself (values.yaml, from 1.20 on), and once did.
_NOT_BELOW: Final = ("_internal_defaults_do_not_set", "defaults", "global")
_ARGO: Final = "argoproj.io"
_ARGO_VALUES: Final = frozenset(("values", "valuesObject"))


# `[1]`, alone or before a way with a dot between them: the second document of the file.
_DOCUMENT: Final = re.compile(r"\[([0-9]{1,9})\](?:\.(.+))?", re.DOTALL)
# How deep values may stand in a file that is no values file: `releases[0].values[0]` in one of helmfile.
_DEEPEST: Final = 4


class Place(NamedTuple):
    """Where values stand in a document."""

    path: Path
    """Of the values, or of the text that holds them."""
    rest: str
    """The way on inside that text."""
    held: Data
    """What stands there; None where its last key is still missing."""


def resolve(document: Data, at: str, name: str) -> Place:
    """The place that `--at` names in a document of the file `name`.

    All of it has to be there but its last key, which is missing where nothing was set yet. Raises UsageError.
    """
    steps = _steps(at)
    path: Path = ()
    held = document
    for depth, step in enumerate(steps):
        if isinstance(held, str):
            break
        key = _key(held, step, path, name, steps[depth + 1 :])
        held = held[key] if isinstance(key, int) else dig(held, key)
        path = (*path, key)
    rest = ".".join(steps[len(path) :])
    _refuse_argo(document, path, held, name)
    if not isinstance(held, str) and path[-1] == "meshConfig":
        raise UsageError(
            f"{spell(path)} is the mesh config, --at names the values that hold it",
            where=f"{name}, --at",
            hint=f"--at {spell(path[:-1])}" if path[:-1] else "leave meshConfig away",
        )
    if not isinstance(held, dict | str | None):
        raise UsageError(f"{spell(path)} is {_words(held)}, values are a mapping", where=f"{name}, --at")
    return Place(path, rest, held)


def split_document(at: str) -> tuple[int | None, str]:
    """The document that `--at` names, None where it names none, and the way in it."""
    found = _DOCUMENT.fullmatch(at)
    return (int(found[1]), found[2] or "") if found else (None, at)


def chart_beside(document: Data, path: Path) -> tuple[str, str]:
    """The chart that the values at a place are for, and its version, by what stands around them; empty where unsaid.

    As a HelmRelease says it (spec.chart.spec), an Application of Argo CD (spec.source, spec.sources) and helmfile: with
    its repository's name before it.
    """
    chart, version = "", ""
    for depth in range(len(path)):
        held = reach(document, path[:depth])
        spec = dig(held, "chart", "spec")
        for said, key in ((held, "targetRevision"), (held, "version"), (spec, "version")):
            if isinstance(dig(said, "chart"), str) and (dig(said, key) is not None or not chart):
                chart, version = str(dig(said, "chart")), str(dig(said, key) or "")
    return chart, version


def is_for_istiod(document: Data, at: str) -> bool:
    """Whether a document has, at this place, values of a chart that it calls istiod."""
    try:
        return is_istiod(chart_beside(document, resolve(document, at, "").path)[0])
    except UsageError:
        return False


def istiod_version(document: Data, path: Path) -> str:
    """Istio's minor version by that of the istiod chart which the values at a place are for; empty where unsaid."""
    return istiod_minor(*chart_beside(document, path))


def is_there(document: Data, at: str) -> bool:
    """Whether all of a way stands in a document."""
    try:
        return resolve(document, at, "").held is not None
    except UsageError:
        return False


def reach(data: Data, path: Path) -> Data:
    """What stands at the end of a way through data, all of which is there."""
    for key in path:
        data = data[key]
    return data


def refuse_umbrella(values: Data, path: Path, where: str) -> None:
    """Raise UsageError where values are those of a chart that has Istio's below it: Helm hands that its own key alone.

    `path` is where the values stand.
    """
    if not isinstance(values, dict) or any(key in values for key in _OWN):
        return
    below = [each for each in _places_of_own(values, ()) if each[0] not in _NOT_BELOW]
    if not below and "istiod" in values:
        below = [("istiod",)]
    if below:
        raise UsageError(
            f"has values of the istiod chart under {' and '.join(map(spell, below))};"
            " a meshConfig beside that no chart reads",
            where=where,
            hint=", or ".join(f"--at {_quoted(spell((*path, *each)))}" for each in below),
        )


def _places_of_own(held: Data, path: Path) -> Iterator[Path]:
    """Where, in a file that is no values file itself, something stands that no other chart's values have."""
    pairs: Iterable[tuple[str | int, Data]] = enumerate(held) if isinstance(held, list) else ()
    if isinstance(held, dict):
        pairs = ((str(key), value) for key, value in held.items())
    for key, value in pairs:
        if isinstance(value, dict) and any(isinstance(value.get(each), dict | None) for each in _OWN if each in value):
            yield (*path, key)
        elif len(path) + 1 < _DEEPEST:
            yield from _places_of_own(value, (*path, key))


def _quoted(way: str) -> str:
    """A way as a shell takes it, which might look for files by the brackets."""
    return f"'{way}'" if "[" in way else way


def _steps(at: str) -> list[str]:
    steps = _INDEX.sub(r".\1", at).split(".")
    if not all(steps) or any(mark in at for mark in ("[]", "]]", "[[")) or any(set(step) & set("[]") for step in steps):
        raise UsageError(
            f'"{at}" has a step that is empty or no key',
            where="--at",
            hint="keys with a dot between, an index in brackets, as spec.sources[1].helm.valuesObject",
        )
    return steps


def _key(held: Data, step: str, path: Path, name: str, behind: list[str]) -> str | int:
    """The key or index that a step means; raises UsageError where there is none."""
    where = f"{name}, --at"
    if isinstance(held, list):
        if step.isdecimal() and int(step) < len(held):
            return int(step)
        found = f"has items [0] to [{len(held) - 1}]" if len(held) > 1 else "has item [0] alone" if held else "is empty"
        missing = spell((*path, int(step) if step.isdecimal() else step))
        raise UsageError(f"{missing} is not there; {spell(path)} {found}", where=where)
    if not isinstance(held, dict | None):
        raise UsageError(f"{spell(path)} is {_words(held)}, without a {step} in it", where=where)
    keys = list(map(str, held or {}))
    if step in keys:
        return step
    close = difflib.get_close_matches(step, keys, n=1, cutoff=_ALIKE if not behind else 0.6)
    if not behind and not close:
        return step
    there = f"{spell(path)} has {', '.join(keys)}" if keys else f"{spell(path)} is empty"
    raise UsageError(
        f"{spell((*path, step))} is not there; {there}",
        where=where,
        hint=f"did you mean --at {_joined((*path, *close, *behind))}?"
        if close and "." not in close[0]
        else "name what is there, or write it first; only the last key may be missing, and no key may have a dot",
    )


def spelled(at: str) -> str:
    """The way as messages spell it."""
    return _joined(_steps(at))


def _joined(steps: Iterable[str | int]) -> str:
    return spell(int(step) if isinstance(step, str) and step.isdecimal() else step for step in steps)


def _refuse_argo(document: Data, path: Path, held: Data, name: str) -> None:
    """Raise UsageError where Argo CD would not read what is written, or would not read the rest any more.

    It takes `values` as a text, and passes it over where `valuesObject` stands beside it
    (pkg/apis/application/v1alpha1/types.go, ApplicationSourceHelm.ValuesString).
    """
    if str(dig(document, "apiVersion")).partition("/")[0] != _ARGO:
        return
    if not _ARGO_VALUES & {*path}:
        raise UsageError(
            f"Argo CD reads no values at {spell(path)}",
            where=f"{name}, --at",
            hint="--at spec.source.helm.valuesObject, or spec.sources[n].helm.valuesObject",
        )
    if path[-1] not in _ARGO_VALUES:
        return
    beside = reach(document, path[:-1])
    as_object, as_text = (spell((*path[:-1], key)) for key in ("valuesObject", "values"))
    if path[-1] == "values" and dig(beside, "valuesObject") is not None:
        message, hint = f"{as_text} is passed over where valuesObject stands beside it", f"--at {as_object}"
    elif path[-1] == "values" and not isinstance(held, str):
        message, hint = f"{as_text} takes a text, and none is there", f"--at {as_object}"
    elif path[-1] == "valuesObject" and held is None and dig(beside, "values"):
        message, hint = f"{as_object} would take the place of values, which stands beside it", f"--at {as_text}"
    else:
        return
    raise UsageError(message, where=f"{name}, --at", hint=hint)


def _words(value: Data) -> str:
    """The kind of a value; not the value, which may be a password."""
    return "a list" if isinstance(value, list) else "a mapping" if isinstance(value, dict) else "a single value"
