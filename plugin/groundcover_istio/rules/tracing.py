"""What a Telemetry says of tracing, and for which workloads (pilot/pkg/model/telemetry.go, Telemetries.Tracing).

Istio lays the entries of its `spec.tracing` over each other in their order, field by field, for the spans of clients
and of servers apart.
"""

from __future__ import annotations

from groundcover_istio.istio import same_provider
from groundcover_istio.model import dig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from groundcover_istio.model import Data

CLIENT: Final = "CLIENT"
"""The side of gateways and outgoing requests, where most traces begin: it counts where one figure is asked for."""
SERVER: Final = "SERVER"
SIDES: Final = (CLIENT, SERVER)


def selects(spec: Data) -> bool:
    """Whether a Telemetry is for some workloads of its namespace; an empty selector selects nothing."""
    return any(dig(spec, *path) for path in (("selector", "matchLabels"), ("targetRef",), ("targetRefs",)))


def entries_of(telemetry: Data) -> Data:
    """What stands in a Telemetry's `spec.tracing`."""
    return dig(telemetry, "spec", "tracing")


def sides(entry: Data) -> tuple[str, ...]:
    """The sides that an entry is for, one or both."""
    mode = dig(entry, "match", "mode")
    return (mode,) if mode in SIDES else SIDES


def saying(entries: Data, key: str, side: str = CLIENT) -> int | None:
    """The index of the entry that counts for a field on a side, the last one that says it; None where none does.

    An empty list says nothing, an empty mapping does.
    """
    listed = entries if isinstance(entries, list) else []
    found = [i for i, entry in enumerate(listed) if side in sides(entry) and dig(entry, key) not in (None, [])]
    return found[-1] if found else None


def said(entries: Data, key: str, side: str = CLIENT) -> Data:
    """What counts for a field on a side; None where no entry says it."""
    index = saying(entries, key, side)
    return None if index is None else entries[index][key]


def named_provider(entries: Data, side: str = CLIENT) -> str:
    """The name of the provider that counts on a side, the first of its list; empty where none is named."""
    providers = said(entries, "providers", side)
    name = dig(providers[0], "name") if isinstance(providers, list) else None
    return name if isinstance(name, str) else ""


def providers_but(ours: str, entries: Data) -> list[str]:
    """The names of the providers that count on a side and are not ours."""
    names = dict.fromkeys(named_provider(entries, side) for side in SIDES)
    return [name for name in names if name and not same_provider(name, ours)]
