"""Which DestinationRule counts for a host, and the TLS that it asks for (pilot/pkg/model/push_context.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from groundcover_istio.checks.hosts import covers
from groundcover_istio.model import dig, items

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from groundcover_istio.model import Data, Path

TLS: Final = ("SIMPLE", "MUTUAL", "ISTIO_MUTUAL")
"""The modes in which a proxy begins with a handshake; without a mode it speaks plaintext, as with DISABLE."""

Origin = TypeVar("Origin")


class Rule(NamedTuple, Generic[Origin]):
    """A DestinationRule."""

    namespace: str
    """Empty where the manifest leaves it to the release."""
    host: str
    """As a full name, or with a wildcard in front."""
    spec: Data
    origin: Origin
    """Where it was read."""

    def tls(self, port: int | None) -> tuple[Path, str]:
        """Where it says the TLS mode of a port, and the mode; empty where it leaves that to Istio.

        Settings of the port's own inherit nothing: without `tls` in them the rule says nothing about it
        (pilot/pkg/networking/util/util.go, GetPortLevelTrafficPolicy).
        """
        policy: Path = ("spec", "trafficPolicy")
        for index, settings in enumerate(items(dig(self.spec, "trafficPolicy", "portLevelSettings"))):
            if port and dig(settings, "port", "number") == port:
                mode = str(dig(settings, "tls", "mode") or "")
                return (*policy, "portLevelSettings", index, "tls", "mode"), mode
        return (*policy, "tls", "mode"), str(dig(self.spec, "trafficPolicy", "tls", "mode") or "")


def rule(spec: Data, namespace: str, origin: Origin, domain: str) -> Rule[Origin]:
    """A DestinationRule as istiod reads it: a short host is one of its own namespace (ResolveShortnameToFQDN).

    `domain` is the cluster's.
    """
    host = str(dig(spec, "host") or "")
    short = host and "." not in host and host != "*"
    return Rule(namespace, f"{host}.{namespace}.svc.{domain}" if short else host, spec, origin)


def deciding(rules: Iterable[Rule[Origin]], host: str, home: str, root: str) -> Iterator[list[Rule[Origin]]]:
    """The rules that decide for a host of namespace `home`, for the clients of each namespace where they differ.

    Clients look in their own namespace, then in the host's, then in the root namespace; where any rule there covers
    the host, the most specific one counts, whatever it says, and the search ends.
    """
    own: dict[str, list[Rule[Origin]]] = {}
    for each in rules:
        if covers(each.host, host):
            # Without a namespace it is most likely installed with istiod.
            own.setdefault(each.namespace or root, []).append(each)
    exported = ([each for each in own.get(namespace, ()) if _is_exported(each)] for namespace in (home, root))
    yield from [_most_specific(found) for found in exported if found][:1]
    for namespace, found in own.items():
        if namespace not in (home, root) or not all(map(_is_exported, found)):
            yield _most_specific(found)


def _is_exported(each: Rule[Origin]) -> bool:
    """Whether clients of every namespace see it."""
    export_to = items(dig(each.spec, "exportTo"))
    return not export_to or "*" in export_to


def _most_specific(rules: list[Rule[Origin]]) -> list[Rule[Origin]]:
    """Those of an exact host, else of the longest; of several those with a policy, of which the oldest counts."""
    best = max((not each.host.startswith("*"), len(each.host)) for each in rules)
    found = [each for each in rules if (not each.host.startswith("*"), len(each.host)) == best]
    return [each for each in found if dig(each.spec, "trafficPolicy")] or found
