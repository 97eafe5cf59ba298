"""What is asked of a cluster, and what an answer has to look like to be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio.model import dig

if TYPE_CHECKING:
    from groundcover_istio.model import Data

# What kubectl calls a resource, and the kind of its objects; the name before the first dot is that of a dump's file.
KINDS: Final = {
    "pods": "Pod",
    "configmaps": "ConfigMap",
    "services": "Service",
    "endpointslices.discovery.k8s.io": "EndpointSlice",
    "telemetries.telemetry.istio.io": "Telemetry",
    "sidecars.networking.istio.io": "Sidecar",
    "destinationrules.networking.istio.io": "DestinationRule",
    "peerauthentications.security.istio.io": "PeerAuthentication",
    "secrets": "Secret",
    "namespaces": "Namespace",
}

SILENCE: Final = "no answer within"
"""How the error of a call begins that came to no end."""


class Query(NamedTuple):
    """Objects of a kind, in one namespace or in all, with certain labels."""

    resource: str
    namespace: str = ""
    """Empty: all."""
    labels: tuple[tuple[str, str], ...] = ()
    """An empty value: any."""

    @property
    def words(self) -> str:
        """As messages name it."""
        name = self.resource.partition(".")[0]
        return f"{name} of namespace {self.namespace}" if self.namespace else name

    @property
    def scope(self) -> list[str]:
        """As kubectl takes where to look."""
        return ["--namespace", self.namespace] if self.namespace else ["--all-namespaces"]

    @property
    def command(self) -> list[str]:
        """What kubectl is asked."""
        selector = ",".join(f"{key}={value}" if value else key for key, value in self.labels)
        labels = ["--selector", selector] if selector else []
        # Without it kubectl leaves managed fields out, which say when a mesh config was changed.
        fields = ["--show-managed-fields"] if self.resource == "configmaps" else []
        return ["get", self.resource, *self.scope, *labels, "--output", "json", *fields]

    def wants(self, item: dict[str, Data]) -> bool:
        """Whether an object is one of those asked for."""
        if self.namespace and namespace_of(item) != self.namespace:
            return False
        held = dig(item, "metadata", "labels")
        held = held if isinstance(held, dict) else {}
        return all(key in held and (not value or held[key] == value) for key, value in self.labels)


class Reading(NamedTuple):
    """The objects found, or why they could not be read."""

    query: Query
    items: list[dict[str, Data]]
    error: str = ""
    fix: str = ""
    """A command that shows why not, or mends it."""


def believed(query: Query, answer: Data) -> Reading:
    """The objects in an answer; an error where it is no list of what was asked for."""
    kind = KINDS[query.resource]
    if not isinstance(answer, dict) or not isinstance(answer.get("items"), list):
        return Reading(query, [], "the answer is no list of objects")
    if dig(answer, "metadata", "continue"):
        return Reading(query, [], "the answer is cut off")
    for item in answer["items"]:
        name = dig(item, "metadata", "name")
        if not isinstance(name, str) or not name or dig(item, "kind") != kind:
            return Reading(query, [], f"the answer holds something that is no {kind}")
    return Reading(query, [item for item in answer["items"] if query.wants(item)])


def name_of(item: dict[str, Data]) -> str:
    """Namespace and name."""
    return f"{namespace_of(item)}/{item['metadata']['name']}"


def namespace_of(item: dict[str, Data]) -> str:
    """The namespace of an object."""
    return str(dig(item, "metadata", "namespace") or "default")


def mappings(value: Data) -> list[dict[str, Data]]:
    """The mappings in what should be a list of them."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def strings(value: Data) -> list[str]:
    """The texts in what should be a list of them."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(names: list[str], most: int = 5) -> str:
    """Names as a sentence holds them, the first few of many."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
