"""How messages spell a path and a value, and how Istio spells a field."""

from __future__ import annotations

from groundcover_istio.errors import plain
from groundcover_istio.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from groundcover_istio.model import Data


_UNDERSCORE = pattern(r"_([a-z0-9])")


def spell(path: Iterable[str | int]) -> str:
    """A path as people write it: `extensionProviders[0].zipkin`; "the document" for none."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{plain(key)}" if text else plain(key)
    return text or "the document"


def show(value: Data) -> str:
    """A value found: text in quotes, a collection by its kind."""
    if isinstance(value, str):
        return f'"{plain(value)}"'
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def camel(name: str) -> str:
    """A field's name in camel case: jsonpb takes `extension_providers` for `extensionProviders`."""
    return _UNDERSCORE.sub(lambda match: match[1].upper(), name)
