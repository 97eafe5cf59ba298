"""What a reference to Istio's chart, as GitOps tools hold it beside values, says of Istio's version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from groundcover_istio.model import Data

_CHART: Final = "istiod"
# The version of a chart, or a range of patch releases, as Helm reads it: 1.21.6, ~1.21.0, 1.21.x, 1.21.
_ONE_MINOR: Final = re.compile(r"[~=v ]*(1\.[0-9]{1,4})(\.([0-9]+|[xX*]))?([-+][-+.0-9A-Za-z]+)?")


def is_istiod(chart: Data) -> bool:
    """Whether a chart's name, its repository before it or not, is that of istiod's chart."""
    return isinstance(chart, str) and chart.rpartition("/")[2] == _CHART


def istiod_minor(chart: Data, version: Data) -> str:
    """Istio's minor version, as 1.21, where a reference names istiod's chart; empty where it says none.

    `^1.21.0` and `>=1.21` mean the newest Istio there is, `~1.21.0` and `1.21.x` a patch of 1.21. A number says
    nothing: 1.20 would be read as 1.2.
    """
    found = _ONE_MINOR.fullmatch(version.strip()) if is_istiod(chart) and isinstance(version, str) else None
    return found[1] if found else ""
