"""A name as `helm --set` takes it (pkg/strvals, tried with Helm 3.17 and 4.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from groundcover_istio.model import Path

# Keys that Helm takes in a name, one in the other (MaxNestedNameLevel).
_DEEPEST: Final = 30
_KEY: Final = r"(?:\\.|[^\\=,.\[])+"
_INDEX: Final = r"\[\+?([0-9]{1,9})\]"
_NAME: Final = re.compile(rf"{_KEY}(?:{_INDEX})*(?:\.{_KEY}(?:{_INDEX})*)*", re.DOTALL)
_STEP: Final = re.compile(rf"({_KEY})|{_INDEX}", re.DOTALL)


def path_of(name: str) -> Path:
    """The keys and indices of a name, as a.b[0].c; a backslash keeps what follows it. Empty where Helm sets nothing."""
    steps = _STEP.findall(name) if _NAME.fullmatch(name) else []
    found = tuple(int(index) if index else re.sub(r"(?s)\\(.)", r"\1", key) for key, index in steps)
    return found if len(found) <= _DEEPEST else ()
