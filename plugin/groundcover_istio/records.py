"""Immutable values with named fields, as `typing.NamedTuple` makes them, without its cost at every start.

Importing `typing` takes 3.3 ms, and making forty classes by compiling source code for each, as it does, 3.6 ms;
these take 0.5 ms. Type checkers are shown the real one; a test holds the two together.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414  it is what this module is for
else:
    from _operator import itemgetter  # `operator`, written in Python, takes 0.5 ms

    class _FromAnnotations(type):
        """Makes the annotations of a class body the fields of a tuple, and their values its defaults."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body[field] for field in fields if field in body}
            body |= {field: property(itemgetter(index)) for index, field in enumerate(fields)}
            own = {"_fields": fields, "_field_defaults": defaults, "__match_args__": fields, "__slots__": ()}
            return super().__new__(cls, name, bases, {**body, **own})

    class NamedTuple(tuple, metaclass=_FromAnnotations):  # noqa: SLOT001  the metaclass says so for all of them
        """Base of classes whose annotations are the fields of a tuple."""

        def __new__(cls, *values: Any, **named: Any) -> Self:
            """Values by position, by name or by default; raises TypeError as a function would."""
            if named or len(values) != len(cls._fields):
                given = {**cls._field_defaults, **dict(zip(cls._fields, values, strict=False)), **named}
                twice = named.keys() & cls._fields[: len(values)]
                if twice or given.keys() != set(cls._fields) or len(values) > len(cls._fields):
                    raise TypeError(f"{cls.__name__} takes {', '.join(cls._fields)}; got {values} and {named}")
                values = (given[field] for field in cls._fields)
            return tuple.__new__(cls, values)

        def __repr__(self) -> str:
            """As the call that makes it."""
            return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._asdict().items())})"

        def __getnewargs__(self) -> tuple[Any, ...]:
            """What a copy is made of."""
            return tuple(self)

        def _replace(self, **changed: Any) -> Self:
            return type(self)(**{**self._asdict(), **changed})

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self, strict=True))
