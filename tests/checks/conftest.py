"""check, called as a library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from groundcover_istio.checks import engine
from groundcover_istio.checks.loading import File, Given

if TYPE_CHECKING:
    from collections.abc import Callable

    from groundcover_istio.checks.finding import Finding


@pytest.fixture
def findings() -> Callable[..., list[Finding]]:
    """What is found in texts, each an input of its own, named 0.yaml and so on."""

    def call(*texts: str, given: Given | None = None) -> list[Finding]:
        files = [File(f"{index}.yaml", text.encode()) for index, text in enumerate(texts)]
        return engine.check(files, given or Given()).findings

    return call
