"""What Helm hands to a chart below another: the values under its name, and what stands above them under `global`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from groundcover_istio.model import Data


def with_globals(values: Data, above: Data) -> dict[str, Data]:
    """The values of a chart with the `global` of the values above it, which counts before its own, key by key.

    Helm 3.17 and 4.3, coalesceGlobals: what is null above says nothing.
    """
    own = values if isinstance(values, dict) else {}
    shared = above.get("global") if isinstance(above, dict) else None
    return {**own, "global": _under(own.get("global"), shared)} if shared else own


def _under(below: Data, above: Data) -> Data:
    if not isinstance(above, dict):
        return below if above is None else above
    own = below if isinstance(below, dict) else {}
    return {**own, **{key: _under(own.get(key), value) for key, value in above.items()}}
