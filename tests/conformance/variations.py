"""Data to ask two judges about: what a schema allows, and one thing changed in data that is all right."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, Final

import jsonschema
from hypothesis import strategies as st

from groundcover_istio._schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hypothesis.strategies import DrawFn

Place = tuple[str | int, ...]

AWKWARD: Final[list[Any]] = [
    *(None, True, False, 0, 1, -1, 7, 65535, 65536, 2**31, 2**32 - 1, 2**32, 2**64, 10**22),
    *(0.5, 4317.0, 1e3, 1e22, -0.0, -0.5, 100.5, 1e-7),
    *("", "0", "00", "07", "1", "-1", "-0", "+1", " 5", "5 ", "1\n", "1.0", "1.5", "1e3", "1_0", "0x1F", "٣", "4317"),
    *(
        "65535",
        "65536",
        "99999",
        "999999999",
        "4294967295",
        "4294967296",
        "50",
        "100",
        "100.0",
        "100.5",
        "NaN",
        "Infinity",
    ),
    *(
        "true",
        "null",
        "5s",
        "5s\n",
        "5",
        "-5s",
        "+5s",
        ".5s",
        "5.s",
        "1h30m",
        "1m1h",
        "500ms",
        "5us",
        "5µs",
        "5μs",
        "٣s",
    ),
    *("2562047h", "9999999h", "99999h", "9999999999s", "1.5.5s", "1h1m1s1ms1us1ns1s", "5S", "1d", "0.0000000001ns"),
    *(
        "a",
        "A",
        "a.b",
        "a.b.",
        ".a.b",
        "a..b",
        "a_b",
        "-a",
        "a-",
        "a.1",
        "1.a",
        "4318",
        "a:4318",
        "10.0.0.1",
        "300.0.0.1",
    ),
    *(
        "::1",
        "a.b\n",
        "ns/a",
        "ns/a.b",
        "NS/a.b",
        "ns/A.b",
        "ns/*.b",
        "*/a.b",
        "./a.b",
        "~ns/a.b",
        "/a.b",
        "ns/",
        "a/b/c",
    ),
    *(
        "http://a.b",
        "a" * 63,
        "a" * 64,
        f"{'a' * 63}.b",
        "a." * 127 + "a",
        "a." * 128 + "a",
        "n" * 64 + "/a.b",
        "a.0x1",
    ),
    *("/", "/v1/traces", "v1/traces", "//", "/?a=b", "/ü", "ISTIO_CANONICAL", "istio_canonical", "USE_B3", "CLIENT"),
    *([], {}, [None], [""], ["a"], [{}], [1], [["a"]], {"a": None}, {"a": "b"}, {"a": 1}, {"": "b"}, {"<<": "b"}),
    *([{"name": "a"}], [{"name": "a", "value": "b"}], [{"value": "b"}], [{"name": "", "value": "b"}]),
    *([{"name": "a", "envName": ""}], [{"name": "a", "value": "b", "envName": "C"}], [{"name": "a", "value": None}]),
]
"""Values at the edges of what numbers, durations, hosts, paths, enums and lists may be."""


def snake(name: str) -> str:
    """A field's other spelling."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def resolve(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """A schema, or the definition it refers to."""
    found: dict[str, Any] = root["definitions"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def is_open(schema: dict[str, Any]) -> bool:
    """Whether a schema says no more than that here is an object or a list."""
    return schema.get("type") in ("object", "array") and not schema.keys() & {
        "properties",
        "additionalProperties",
        "items",
    }


def strict_part(schema: dict[str, Any], root: dict[str, Any] | None = None) -> dict[str, Any]:
    """A schema, its references filled in, without the properties that it does not look into."""
    root = root or schema
    made = dict(resolve(schema, root))
    if "properties" in made:
        kept = {key: value for key, value in made["properties"].items() if not is_open(resolve(value, root))}
        made["properties"] = {key: strict_part(value, root) for key, value in kept.items()}
        made["x-open"] = made.get("additionalProperties") is True
        made["additionalProperties"] = False
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = strict_part(made[key], root)
    made.pop("definitions", None)
    return made


def strict_schema(name: str) -> dict[str, Any]:
    """The strict part of one of our schemas, its patterns as Python reads them."""
    return strict_part(json.loads(SCHEMAS[name]))


def allowed(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Data that a strict schema allows.

    hypothesis-jsonschema 0.23.1 does the same by internals that Hypothesis 6.170 no longer has.
    """
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    made = st.one_of([_ALLOWED[kind](schema) for kind in kinds])
    return made.filter(jsonschema.Draft7Validator(schema).is_valid) if schema.keys() & {"oneOf", "not"} else made


def _text(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    longest = schema.get("maxLength")
    if "pattern" in schema:
        made = st.from_regex(schema["pattern"])
        return made.filter(lambda text: len(text) <= longest) if longest else made
    return st.text(min_size=schema.get("minLength", 0), max_size=longest or 8)


@st.composite
def _object(draw: DrawFn, schema: dict[str, Any]) -> dict[str, Any]:
    properties, required = schema.get("properties", {}), schema.get("required", [])
    others = [key for key in properties if key not in required]
    least = max(schema.get("minProperties", 0) - len(required), 0)
    most = min(schema.get("maxProperties", len(properties)) - len(required), len(others))
    chosen = draw(st.lists(st.sampled_from(others), unique=True, min_size=least, max_size=most)) if others else []
    made = {key: draw(allowed(properties[key])) for key in (*required, *chosen)}
    further = schema.get("additionalProperties")
    if isinstance(further, dict):
        made |= draw(st.dictionaries(st.text(max_size=4), allowed(further), max_size=3))
    return made


_ALLOWED: Final[dict[str, Callable[[dict[str, Any]], st.SearchStrategy[Any]]]] = {
    "object": _object,
    "array": lambda schema: st.lists(allowed(schema["items"]), max_size=3),
    "string": _text,
    "boolean": lambda _: st.booleans(),
    "null": lambda _: st.none(),
    "integer": lambda schema: st.integers(schema.get("minimum"), schema.get("maximum")),
    "number": lambda schema: st.floats(
        schema.get("minimum"), schema.get("maximum"), allow_nan=False, allow_infinity=False
    ),
}


def places(data: Any, schema: dict[str, Any], place: Place = ()) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every place of `data` that the strict schema speaks of, filled or not, with the schema there."""
    yield place, schema
    if isinstance(data, dict):
        for key, below in schema.get("properties", {}).items():
            yield from places(data.get(key), below, (*place, key))
        others = schema.get("additionalProperties")
        if isinstance(others, dict):
            for key in data:
                yield from places(data[key], others, (*place, key))
    elif isinstance(data, list) and "items" in schema:
        for index, item in enumerate(data):
            yield from places(item, schema["items"], (*place, index))


def replaced(data: Any, place: Place, value: Any) -> Any:
    """A copy with another value at a place whose parent is there."""
    if not place:
        return value
    made = copy.deepcopy(data)
    parent = made
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = value
    return made


def has_parent(data: Any, place: Place) -> bool:
    """Whether something can be put at a place."""
    for key in place[:-1]:
        if not isinstance(data, dict | list) or (isinstance(data, dict) and key not in data):
            return False
        data = data[key]  # type: ignore[index]
    return not place or isinstance(data, list) or (isinstance(data, dict) and isinstance(place[-1], str))


def rewritten(data: Any, schema: dict[str, Any]) -> Iterator[Any]:
    """Every copy with one key left out, written in snake case beside or instead, or an unknown one added."""
    for place, below in places(data, schema):
        if not has_parent(data, place):
            continue
        held = data
        for key in place:
            held = held.get(key) if isinstance(held, dict) else held[key]
        if isinstance(held, dict) and "properties" in below:
            for key in held:
                yield replaced(data, place, {name: each for name, each in held.items() if name != key})
            # Where any key may be, the schema knows those that it names and no other spelling.
            if below["x-open"]:
                continue
            yield replaced(data, place, {**held, "unknown": 1})
            for key, value in held.items():
                others = {name: each for name, each in held.items() if name != key}
                yield replaced(data, place, {**others, snake(key): value})
                yield replaced(data, place, {**others, key.upper(): value})
                yield replaced(data, place, {**held, snake(key): value})
        elif isinstance(held, list) and held:
            yield replaced(data, place, [*held, held[0]])
            yield replaced(data, place, [held])
            yield replaced(data, place, held[0])


@st.composite
def changed(draw: DrawFn, bases: st.SearchStrategy[Any], schema: dict[str, Any]) -> Any:
    """Data with one to three things changed, at places that the strict schema speaks of."""
    data = draw(bases)
    for _ in range(draw(st.integers(1, 3))):
        spots = [place for place, _ in places(data, schema) if has_parent(data, place)]
        if draw(st.booleans()):
            options = list(rewritten(data, schema))
            data = draw(st.sampled_from(options)) if options else data
        else:
            place = draw(st.sampled_from(spots))
            data = replaced(data, place, draw(st.sampled_from(AWKWARD) | VALUES))
    return data


VALUES: Final = st.one_of(
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.from_regex(r"\A[-+]?([0-9]{0,12}(\.[0-9]{0,3})?(ns|us|µs|ms|s|m|h)){1,3}\Z"),
    st.from_regex(r"\A([-*.~a-zA-Z0-9]{0,3}/)?[-_*a-z0-9]{1,3}(\.[-_A-Za-z0-9]{0,3}){0,4}\Z"),
    st.from_regex(r"\A-?[0-9]{1,11}(\.[0-9]{1,3})?([eE][-+]?[0-9]{1,3})?\Z"),
)
"""Random ones of the same kinds."""
