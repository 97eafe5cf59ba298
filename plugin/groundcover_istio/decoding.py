"""A mesh config as istiod decodes it (jsonpb): names of fields, types, what is unknown."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio.errors import SettingsError
from groundcover_istio.istio import is_port, require
from groundcover_istio.mesh_types import ENUMS, MESSAGES
from groundcover_istio.model import dig, mapping
from groundcover_istio.spelling import camel, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from groundcover_istio.model import Data, Path, Version

ROOT: Final = "MeshConfig"
# Of these istiod decodes the value, then reads the part again by this name alone (pkg/config/mesh/mesh.go).
BY_NAME: Final = {"default_config": "defaultConfig", "default_providers": "defaultProviders"}
# What Go's time.ParseDuration reads.
DURATION: Final = re.compile(r"[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)")
_PART: Final = re.compile(r"([0-9.]+)([a-zµμ]+)")
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
# Go counts nanoseconds in 64 bits.
_LONGEST: Final = 2**63 / 1e9
_INTEGERS: Final = {
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
}
# Tracers of the bootstrap in the order of their declaration, and those whose address istiod checks.
_TRACERS: Final = ("zipkin", "lightstep", "datadog", "stackdriver", "openCensusAgent")
_ADDRESSED: Final = ("zipkin", "datadog")
ADDRESS_WANTED: Final = "host:port"
_LABEL: Final = "[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(rf"({_LABEL}(\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{{1,5}})")
# What another tool is still to fill in.
_PLACEHOLDER: Final = re.compile(r"\$\{|\{\{")
# What JSON calls a number, and blanks around it.
_NUMBER: Final = re.compile(r" *-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)? *")


class Wrong(NamedTuple):
    """A value that istiod can't decode."""

    path: Path
    value: Data
    wanted: str

    @property
    def found(self) -> str:
        """The value, as messages show it."""
        return show(self.value)


def normal(data: Data, kind: str = ROOT) -> Data:
    """The same data with every field in camel case, where it is the other spelling of one that exists.

    Those of BY_NAME stay as they are: they say nothing.
    """
    if kind[:2] in ("[]", "{}"):
        inner = kind[2:]
        if isinstance(data, list):
            return [normal(item, inner) for item in data]
        return {key: normal(value, inner) for key, value in data.items()} if isinstance(data, dict) else data
    fields = MESSAGES.get(kind)
    if fields is None or not isinstance(data, dict):
        return data
    renamed: dict[str, Data] = {}
    for key, value in data.items():
        name = key if key in fields or camel(key) not in fields else camel(key)
        passed_over = kind == ROOT and key in BY_NAME
        renamed[key if passed_over else name] = normal(value, fields.get(name, ""))
    return renamed


def discarding(data: Data) -> Iterator[Wrong]:
    """Every value for which istiod discards the whole mesh config, given data that `normal` made."""
    yield from wrong_types(data)
    yield from _bootstrap(data)


def discarding_as_written(data: Data) -> Iterator[Wrong]:
    """The same of a file, in which other tools are still to fill in what they leave a place for."""
    return (wrong for wrong in discarding(data) if not is_placeholder(wrong.value))


def wrong_types(data: Data, kind: str = ROOT, path: Path = ()) -> Iterator[Wrong]:
    """Every value of a wrong type, given data that `normal` made."""
    if data is None:
        return
    if kind.startswith("[]"):
        yield from _list(data, kind[2:], path)
    elif kind.startswith("{}"):
        yield from _map(data, kind[2:], path)
    elif kind in MESSAGES:
        yield from _message(data, kind, path)
    elif kind in ENUMS:
        if not (isinstance(data, str) and data in ENUMS[kind]) and not (_is_integer(data) and _INT32(data)):
            yield Wrong(path, data, f"one of {', '.join(ENUMS[kind])}")
    else:
        accepts, words = _SCALARS[kind]
        if not accepts(data):
            yield Wrong(path, data, words)


def is_placeholder(data: Data) -> bool:
    """Whether another tool is still to fill in what stands there."""
    return isinstance(data, str) and _PLACEHOLDER.search(data) is not None


def _list(data: Data, kind: str, path: Path) -> Iterator[Wrong]:
    if not isinstance(data, list):
        yield Wrong(path, data, "a list")
        return
    for index, item in enumerate(data):
        yield from wrong_types(item, kind, (*path, index))


def _map(data: Data, kind: str, path: Path) -> Iterator[Wrong]:
    if not isinstance(data, dict):
        yield Wrong(path, data, "a mapping")
        return
    for key, item in data.items():
        yield from wrong_types(item, kind, (*path, key))


def _message(data: Data, kind: str, path: Path) -> Iterator[Wrong]:
    if not isinstance(data, dict):
        yield Wrong(path, data, "a mapping")
        return
    for key, value in data.items():
        field = MESSAGES[kind].get(key) or (MESSAGES[ROOT].get(BY_NAME.get(key, "")) if kind == ROOT else None)
        if field:
            yield from wrong_types(value, field, (*path, key))


def _bootstrap(data: Data) -> Iterator[Wrong]:
    """What fails as fatally after decoding: a bootstrap tracer's address; of several tracers the last one counts.

    So says istio 1.31 pkg/config/validation/agent/validation.go (ValidateProxyAddress).
    """
    tracing = mapping(dig(data, "defaultConfig", "tracing"))
    tracer = next((key for key in reversed(_TRACERS) if isinstance(tracing.get(key), dict)), "")
    address = mapping(tracing.get(tracer)).get("address") or ""
    if tracer not in _ADDRESSED or not isinstance(address, str):
        return
    match = _ADDRESS.fullmatch(address.replace("$(HOST_IP)", "127.0.0.1", 1))
    if not match or not is_port(int(match["port"])):
        yield Wrong(("defaultConfig", "tracing", tracer, "address"), address, ADDRESS_WANTED)


def unknown_fields(data: Data, kind: str, path: Path) -> Iterator[tuple[Path, str]]:
    """The path of every field that its message does not have, and the message."""
    if kind[:2] in ("[]", "{}"):
        items = enumerate(data) if isinstance(data, list) else data.items() if isinstance(data, dict) else ()
        for key, item in items:
            yield from unknown_fields(item, kind[2:], (*path, key))
    elif kind in MESSAGES and isinstance(data, dict):
        for key, value in data.items():
            field = MESSAGES[kind].get(key)
            if field is None:
                yield (*path, key), kind
            else:
                yield from unknown_fields(value, field, (*path, key))


def newer_fields(version: Version, name: str, path: Path, value: Data) -> Iterator[tuple[Path, str]]:
    """The path of every field that came with a newer Istio than the one in use, and that in words.

    `name` is that of the value at `path`, as `istio.require` takes it.
    """
    try:
        require(version, name, None, "")
    except SettingsError as error:
        yield path, error.message
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from newer_fields(version, name, (*path, index), item)
    elif isinstance(value, dict):
        for key, item in value.items():
            # Below customTags stand names of tags, then fields.
            below = name if name.endswith(".customTags") else f"{name}.{key}"
            yield from newer_fields(version, below, (*path, key), item)


def _is_null(data: str) -> bool:
    """Whether a text in the place of a number means nothing: jsonpb takes its quotes away, then reads JSON."""
    return data.strip(" ") == "null"


def _is_integer(data: Data) -> bool:
    """Whether it is a whole number; 4317.0 is one, since YAML becomes JSON on its way and the point is gone."""
    return not isinstance(data, bool) and (isinstance(data, int) or (isinstance(data, float) and data.is_integer()))


def _integer(low: int, high: int) -> Callable[[Data], bool]:
    def accepts(data: Data) -> bool:
        if isinstance(data, str):
            digits = re.fullmatch(r" *(-?(0|[1-9][0-9]{0,19})) *", data)
            inside = bool(digits) and low <= int(data) <= high and not (low == 0 and "-" in data)
            return inside or _is_null(data)
        # Go reads no -0 into an unsigned number.
        return _is_integer(data) and low <= data <= high and not (low == 0 and str(data).startswith("-"))

    return accepts


def _is_number(data: Data) -> bool:
    if isinstance(data, str):
        number = _NUMBER.fullmatch(data)
        finite = bool(number) and math.isfinite(float(data))
        return finite or _is_null(data) or data in ("NaN", "Infinity", "-Infinity")
    return isinstance(data, int | float) and not isinstance(data, bool) and math.isfinite(data)


def _is_duration(data: Data) -> bool:
    if not isinstance(data, str) or not DURATION.fullmatch(data):
        return False
    return sum(float(count) * _SECONDS[unit] for count, unit in _PART.findall(data)) < _LONGEST


_INT32: Final = _integer(*_INTEGERS["int32"])

_SCALARS: Final[dict[str, tuple[Callable[[Data], bool], str]]] = {
    "string": (lambda data: isinstance(data, str), "a string"),
    "bool": (lambda data: isinstance(data, bool), "true or false without quotes"),
    "double": (_is_number, "a number"),
    "duration": (
        _is_duration,
        "a duration with its unit, such as 5s",
    ),
    "object": (lambda data: isinstance(data, dict), "a mapping"),
    "struct": (lambda data: isinstance(data, dict), "a mapping"),
    **{name: (_integer(low, high), f"a whole number from {low} to {high}") for name, (low, high) in _INTEGERS.items()},
}
