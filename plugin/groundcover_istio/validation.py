"""Data against the JSON schemas: fast when all is well, complete when it is not.

The good path runs generated code; only when that finds something wrong is `jsonschema`
imported (70 ms), to list every problem with its path, what was found and what is accepted.
"""

from __future__ import annotations

from groundcover_istio import _validators
from groundcover_istio.records import NamedTuple
from groundcover_istio.spelling import show, spell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, Literal, TypeAlias

    from groundcover_istio.model import Data, Path

SchemaName: TypeAlias = "Literal['integration', 'mesh-config', 'telemetry']"

_FAST: Final[dict[str, Callable[[Data], Any]]] = {
    "integration": _validators.integration,
    "mesh-config": _validators.mesh_config,
    "telemetry": _validators.telemetry,
}

_MOST: Final = 20
_END: Final = r"\Z"
"""How the embedded schemas write the `$` at the end of a pattern."""


class Fault(NamedTuple):
    """Something that a schema does not allow."""

    path: Path
    """Of the value, or of the key that is missing or unknown."""
    words: str
    """What was found."""
    hint: str = ""
    """What is accepted instead, where `words` do not say it."""
    keyword: str = ""
    """Of the schema, which refuses it."""

    def __str__(self) -> str:
        """As a line of a message."""
        return f"{spell(self.path)}: {self.words}" + (f"; {self.hint}" if self.hint else "")


def problems(schema: SchemaName, data: Data) -> list[str]:
    """Everything about `data` that the schema does not allow, a line each; empty when it is valid."""
    try:
        _FAST[schema](data)
    except _validators.Invalid as first:
        return [str(fault) for fault in _explain(schema, data)] or [str(first)]
    return []


def faults(schema: SchemaName, data: Data) -> list[Fault]:
    """The same with the place of each."""
    return _explain(schema, data) if problems(schema, data) else []


def listed(found: list[str]) -> str:
    """Problems as the lines of a message, the first of very many."""
    rest = len(found) - _MOST
    return "\n  ".join([*found[:_MOST], *([f"and {rest} more"] if rest > 0 else [])])


def without_nulls(data: Data) -> Data:
    """The data without keys that hold nothing: neither istiod nor the API server sees a difference."""
    if isinstance(data, dict):
        return {key: without_nulls(value) for key, value in data.items() if value is not None}
    return [without_nulls(item) for item in data] if isinstance(data, list) else data


def _explain(schema: SchemaName, data: Data) -> list[Fault]:
    import json  # noqa: PLC0415  only here: the good path does without both

    import jsonschema  # noqa: PLC0415

    from groundcover_istio._schemas import SCHEMAS  # noqa: PLC0415

    validator = jsonschema.Draft7Validator(json.loads(SCHEMAS[schema]))
    errors = sorted(validator.iter_errors(data), key=lambda error: [str(part) for part in error.absolute_path])
    return [fault for error in errors for fault in _faults(error)]


def _faults(error: Any) -> list[Fault]:
    """One error in our words; `error` is a jsonschema.ValidationError."""
    path, keyword = tuple(error.absolute_path), error.validator
    allowed, found = error.validator_value, error.instance
    if keyword == "additionalProperties" and allowed is False:
        known = error.schema.get("properties", {})
        return [
            Fault((*path, key), "unknown key", _meant(key, list(known)), keyword) for key in found if key not in known
        ]
    if keyword == "required":
        missing = [key for key in allowed if key not in found and f"'{key}'" in error.message]
        return [Fault((*path, key), "missing", "", keyword) for key in missing]
    sentence = _SENTENCES.get(keyword)
    return [Fault(path, sentence(error, found, allowed) if sentence else error.message, "", keyword)]


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


def _meant(key: str, known: list[str]) -> str:
    import difflib  # noqa: PLC0415  only to explain an error

    close = difflib.get_close_matches(key, known, n=1)
    return f"did you mean {close[0]}?" if close else f"accepted: {', '.join(known)}"
