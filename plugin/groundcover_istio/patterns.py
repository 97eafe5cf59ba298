"""Regular expressions that are compiled when they are first used: a run uses few of those that modules name.

A stream of nothing of ours needs none. Where one is needed, it is compiled by what compiles it in Python's `re`,
without that module and the `enum` and `functools` it imports: 4 of its 6 ms.
"""

from __future__ import annotations

import sys

from groundcover_istio.package_parts import PackageParts

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Any, AnyStr


def pattern(text: AnyStr) -> re.Pattern[AnyStr]:
    """What `re.compile` gives, later: the first use of one of its methods compiles it."""
    return _Pattern(text)  # type: ignore[return-value]  # it has every method of a pattern


class _Pattern:
    """Stands for a compiled pattern and becomes one, method by method."""

    def __init__(self, text: str | bytes) -> None:
        self._text = text

    def __getattr__(self, name: str) -> Any:
        """The method of the compiled pattern; from then on it is an attribute of its own."""
        value = getattr(_compile(self._text), name)
        setattr(self, name, value)
        return value


def _compile(text: str | bytes) -> re.Pattern[Any]:
    if "re" not in sys.modules:
        try:
            compiler: Any = sys.modules.get("re._compiler") or _compiler()
            return compiler.compile(text)  # type: ignore[no-any-return]
        except (ImportError, AttributeError):  # a Python whose `re` is made of other parts
            pass
    import re  # noqa: PLC0415  see above

    return re.compile(text)


def _compiler() -> Any:
    with PackageParts("re"):
        from re import _compiler as compiler  # type: ignore[attr-defined]  # noqa: PLC0415
    return compiler
