"""Fixtures of the chart's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .support import REQUIRED, VERSION, Helm, Render

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def helms(helm_binaries: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Helm]:
    """Every version of Helm, each with a home of its own."""
    return {
        version: Helm(binary, tmp_path_factory.mktemp(f"helm-{version}")) for version, binary in helm_binaries.items()
    }


@pytest.fixture(scope="session")
def helm(helms: dict[str, Helm]) -> Helm:
    """The Helm for tests that do not compare versions."""
    return helms[VERSION]


@pytest.fixture(scope="session")
def default(helm: Helm) -> Render:
    """The render of the required values and nothing else."""
    return helm.render(REQUIRED)
