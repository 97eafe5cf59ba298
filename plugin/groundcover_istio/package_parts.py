"""A module of a package without what its package imports around it, which may cost more than the module."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType, TracebackType
    from typing import Any


class PackageParts:
    """While its block runs an empty package stands in a package's place, and the block imports modules of it.

    Whoever imports the package afterwards gets all of it, with the same modules. Raises ImportError where there is no
    such package, or where it is imported already: then there is nothing to spare.
    """

    def __init__(self, package: str) -> None:
        """Of which package, one of the highest level."""
        self._name = package
        self._stands_in: list[str] = []

    def __enter__(self) -> ModuleType:
        """The empty package."""
        found = None if self._name in sys.modules else _find(self._name)
        if not found or not found.submodule_search_locations:
            raise ImportError(f"no package {self._name} to import in part")
        package = self.stand_in(self._name)
        package.__path__ = found.submodule_search_locations
        return package

    def stand_in(self, name: str, **content: Any) -> ModuleType:
        """Let a module of the package be an empty one, but for its `content`."""
        module = type(sys)(name)
        module.__dict__.update(content)
        sys.modules[name] = module
        self._stands_in.append(name)
        parent, _, own = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], own, module)
        return module

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take away what stood in."""
        for name in self._stands_in:
            sys.modules.pop(name, None)


def _find(name: str) -> Any:
    """What `importlib.util.find_spec` finds, without importing that."""
    return next((found for finder in sys.meta_path if (found := finder.find_spec(name, None))), None)
