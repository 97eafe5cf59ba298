"""Data against the JSON schemas: fast when all is well, complete when it is not.

The good path runs generated code; only when that finds something wrong is `jsonschema`
imported (70 ms), to list every problem with its path, what was found and what is accepted.
"""

from __future__ import annotations

from groundcover_istio import _validators
from groundcover_istio.errors import plain
from groundcover_istio.spelling import show, spell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, Literal, TypeAlias

    from groundcover_istio.model import Data

SchemaName: TypeAlias = "Literal['integration', 'mesh-config', 'telemetry']"

_FAST: Final[dict[str, Callable[[Data], Any]]] = {
    "integration": _validators.integration,
    "mesh-config": _validators.mesh_config,
    "telemetry": _validators.telemetry,
}

_MOST: Final = 20
_END: Final = r"\Z"
"""How the embedded schemas write the `$` at the end of a pattern."""


def problems(schema: SchemaName, data: Data) -> list[str]:
    """Everything about `data` that the schema does not allow, a line each; empty when it is valid."""
    try:
        _FAST[schema](data)
    except _validators.Invalid as first:
        return _explain(schema, data) or [str(first)]
    return []


def listed(found: list[str]) -> str:
    """Problems as the lines of a message, the first of very many."""
    rest = len(found) - _MOST
    return "\n  ".join([*found[:_MOST], *([f"and {rest} more"] if rest > 0 else [])])


def without_nulls(data: Data) -> Data:
    """The data without keys that hold nothing: neither istiod nor the API server sees a difference."""
    if isinstance(data, dict):
        return {key: without_nulls(value) for key, value in data.items() if value is not None}
    return [without_nulls(item) for item in data] if isinstance(data, list) else data


def _explain(schema: SchemaName, data: Data) -> list[str]:
    import json  # noqa: PLC0415  only here: the good path does without both

    import jsonschema  # noqa: PLC0415

    from groundcover_istio._schemas import SCHEMAS  # noqa: PLC0415

    validator = jsonschema.Draft7Validator(json.loads(SCHEMAS[schema]))
    errors = sorted(validator.iter_errors(data), key=lambda error: [str(part) for part in error.absolute_path])
    return [line for error in errors for line in _sentences(error)]


def _sentences(error: Any) -> list[str]:
    """One error in our words; `error` is a jsonschema.ValidationError."""
    path, allowed, found = spell(error.absolute_path), error.validator_value, error.instance
    if error.validator == "additionalProperties" and allowed is False:
        known = error.schema.get("properties", {})
        return [_unknown(path, key, list(known)) for key in found if key not in known]
    if error.validator == "required":
        return [f"{_below(path, key)}: missing" for key in allowed if key not in found and f"'{key}'" in error.message]
    sentence = _SENTENCES.get(error.validator)
    return [f"{path}: {sentence(error, found, allowed) if sentence else error.message}"]


def _wrong_type(_: Any, found: Data, allowed: Data) -> str:
    names = allowed if isinstance(allowed, str) else " or ".join(allowed)
    return f"{show(found)} is not {'an' if names[0] in 'aeio' else 'a'} {names}"


def _wrong_form(error: Any, found: Data, allowed: Data) -> str:
    meaning = error.schema.get("description", "")
    return f"{show(found)} must match {allowed.replace(_END, '$')}" + (f" ({meaning})" if meaning else "")


def _wrong_count(error: Any, found: Data, _: Data) -> str:
    if "name" in error.schema["properties"]:
        return f"an extension provider has a name and exactly one kind, found {', '.join(found)}"
    return f"exactly one of {', '.join(error.schema['properties'])} is accepted, found {', '.join(found) or 'none'}"


def _not_one_of(_: Any, __: Data, allowed: Data) -> str:
    keys = [key for option in allowed for key in option.get("required", [])]
    return f"exactly one of {' and '.join(keys)} is accepted"


_SENTENCES: Final[dict[str, Callable[[Any, Data, Data], str]]] = {
    "enum": lambda _, found, allowed: f"{show(found)} is none of {', '.join(show(item) for item in allowed)}",
    "type": _wrong_type,
    "pattern": _wrong_form,
    "minimum": lambda _, found, allowed: f"{show(found)} is below {allowed}",
    "maximum": lambda _, found, allowed: f"{show(found)} is above {allowed}",
    "maxLength": lambda _, found, allowed: f"{show(found)} is longer than {allowed} characters",
    "minLength": lambda _, found, __: f"{show(found)} is too short",
    "minProperties": _wrong_count,
    "maxProperties": _wrong_count,
    "oneOf": _not_one_of,
    "not": lambda _, __, allowed: f"{' and '.join(allowed['required'])} exclude each other",
}


def _unknown(path: str, key: str, known: list[str]) -> str:
    import difflib  # noqa: PLC0415  only to explain an error

    close = difflib.get_close_matches(key, known, n=1)
    meant = f"; did you mean {close[0]}?" if close else f"; accepted: {', '.join(known)}"
    return f"{_below(path, plain(key))}: unknown key{meant}"


def _below(path: str, key: str) -> str:
    return key if path == "the document" else f"{path}.{key}"
