"""PyYAML's parser in C, and of the package around it no more than that parser needs.

`import yaml` also loads a second parser, written in Python, a writer and all that these make and use, `re` among it:
17 of 30 ms. The parser in C wants the classes of its tokens, events, nodes and errors: 2 ms. Where PyYAML is not as it
is known here, or has no parser in C, the whole of it is imported.
"""

from __future__ import annotations

import sys

from groundcover_istio.errors import PROGRAM, UsageError
from groundcover_istio.package_parts import PackageParts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final

    from yaml import error as error  # noqa: PLC0414  handed on
    from yaml import events as events  # noqa: PLC0414

# Modules of which the parser in C takes an error, and nothing else.
_ERRORS: Final = {
    "scanner": "ScannerError",
    "parser": "ParserError",
    "composer": "ComposerError",
    "constructor": "ConstructorError",
    "serializer": "SerializerError",
    "emitter": "EmitterError",
    "representer": "RepresenterError",
}


def _parser_alone() -> Any:
    """The parser in C, its package imported in part; None where that can't be done."""
    parts = PackageParts("yaml")
    try:
        with parts:
            from yaml import error, events, nodes, tokens  # noqa: F401, PLC0415

            for name, raised in _ERRORS.items():
                parts.stand_in(f"yaml.{name}", **{raised: type(raised, (error.MarkedYAMLError,), {})})
            unreadable = type("ReaderError", (error.YAMLError,), {"__init__": _keep_reason})
            parts.stand_in("yaml.reader", ReaderError=unreadable)
            from yaml._yaml import CParser  # noqa: PLC0415
    except (ImportError, AttributeError):
        return None
    return CParser


def _keep_reason(error: Any, name: str, position: int, character: object, encoding: str, reason: str) -> None:
    """What yaml.reader.ReaderError does with what a parser tells it."""
    error.name, error.position, error.character, error.encoding, error.reason = (
        name, position, character, encoding, reason,
    )  # fmt: skip


def _parser_of_the_package() -> Any:
    """What the whole package has; raises UsageError where there is none, as a system's Python may have none."""
    try:
        import yaml  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "yaml":
            raise
        raise UsageError(
            f"this Python ({sys.executable}) has no PyYAML",
            hint=f"for a plugin of Helm 4: {PROGRAM} install-plugin, whose Python has it,\n"
            "or name one that has it: GROUNDCOVER_ISTIO_PYTHON=/path/to/python3",
        ) from error

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


_Parser: Final = _parser_alone() or _parser_of_the_package()
COMPILED: Final = _Parser.__name__ != "SafeLoader"
"""Whether PyYAML has its parser in C. Without it everything is the same, 20 times slower."""
if not TYPE_CHECKING:
    # Both ways leave these two loaded.
    error, events = sys.modules["yaml.error"], sys.modules["yaml.events"]


def parse(text: str) -> Iterator[events.Event]:
    """The events of a YAML text; raises error.YAMLError where it is none."""
    parser = _Parser(text)
    try:
        while parser.check_event():
            yield parser.get_event()
    finally:
        parser.dispose()
