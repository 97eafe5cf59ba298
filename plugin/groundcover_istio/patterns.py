"""Regular expressions that are compiled when they are first used: a run uses few of those that modules name.

A stream of nothing of ours needs none, so that not even `re` is imported for it: 6 of its 27 ms.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, AnyStr, Self


def pattern(text: AnyStr) -> re.Pattern[AnyStr]:
    """What `re.compile` gives, later: the first use of one of its methods compiles it."""
    return _Pattern(_compile, text, 0)  # type: ignore[return-value]  # it has every method of a pattern


def _compile(text: AnyStr, flags: int) -> re.Pattern[AnyStr]:
    import re  # noqa: PLC0415  see above

    return re.compile(text, flags)


class _Pattern:
    """Stands for a compiled pattern and becomes one, method by method."""

    def __init__(self, compile_: Callable[[Any, int], re.Pattern[Any]], text: str | bytes, flags: int) -> None:
        self._made_by = (compile_, text, flags)

    def __getattr__(self, name: str) -> Any:
        """The method of the compiled pattern; from then on it is an attribute of its own."""
        compile_, text, flags = self._made_by
        value = getattr(compile_(text, flags), name)
        setattr(self, name, value)
        return value


class CompiledOnUse:
    """While its block imports a library, that library's patterns too wait for their first use."""

    def __enter__(self) -> Self:
        """Put another `re.compile` in the place of Python's."""
        import re  # noqa: PLC0415  see above

        self._re, self._compile = re, re.compile
        re.compile = lambda text, flags=0: _Pattern(self._compile, text, flags)  # type: ignore[assignment]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put Python's back."""
        self._re.compile = self._compile
