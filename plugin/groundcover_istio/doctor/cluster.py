"""What is read of a cluster: first what runs, then what that refers to; the calls of each step at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final, TypeVar

from groundcover_istio.doctor.source import Query, Reading, mappings, namespace_of
from groundcover_istio.interrupts import LONGEST_WAIT
from groundcover_istio.model import dig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from groundcover_istio.doctor.items import Tools
    from groundcover_istio.model import Data

_T = TypeVar("_T")
_R = TypeVar("_R")
_CALLS_AT_ONCE: Final = 6
_ISTIOD: Final = Query("pods", labels=(("app", "istiod"),))
_PROXIES: Final = Query("pods", labels=(("service.istio.io/canonical-name", ""),))
_INTEGRATION: Final = Query("configmaps", labels=(("app.kubernetes.io/component", "istio-integration"),))
_TELEMETRIES: Final = Query("telemetries.telemetry.istio.io")
_SIDECARS: Final = Query("sidecars.networking.istio.io")
_RULES: Final = Query("destinationrules.networking.istio.io")
_AUTHENTICATIONS: Final = Query("peerauthentications.security.istio.io")
_FIRST: Final = (_ISTIOD, _PROXIES, _INTEGRATION, _TELEMETRIES, _SIDECARS, _RULES, _AUTHENTICATIONS)


def side_by_side(call: Callable[[_T], _R], arguments: Sequence[_T], most: int) -> list[_R]:
    """What a call gives for each argument, `most` at the same time."""
    with ThreadPoolExecutor(most) as pool:
        answers = [pool.submit(call, argument) for argument in arguments]
        while wait(answers, LONGEST_WAIT).not_done:
            pass
        return [answer.result() for answer in answers]


class Cluster:
    """Every reading so far; what is asked for first is read then, once."""

    def __init__(self, read: Callable[[Query], Reading], tools: Tools) -> None:
        """`tools`: how messages call the programs that mend it."""
        self.tools = tools
        self.readings: dict[Query, Reading] = {}
        self._read = read

    def add(self, queries: Iterable[Query]) -> None:
        """Read what was not read yet."""
        wanted = [query for query in dict.fromkeys(queries) if query not in self.readings]
        self.readings.update(zip(wanted, side_by_side(self._read, wanted, _CALLS_AT_ONCE), strict=True))

    def get(self, query: Query) -> Reading:
        """One reading."""
        self.add([query])
        return self.readings[query]

    @property
    def istiod(self) -> Reading:
        """The pods of the control plane that are not finished."""
        return self._running(_ISTIOD)

    @property
    def proxies(self) -> Reading:
        """The pods that have a proxy and are not finished."""
        reading = self._running(_PROXIES)
        return reading._replace(items=[pod for pod in reading.items if proxy_of(pod)])

    @property
    def integrations(self) -> Reading:
        """The ConfigMaps that hold the settings."""
        return self.get(_INTEGRATION)

    @property
    def telemetries(self) -> Reading:
        """Every Telemetry."""
        return self.get(_TELEMETRIES)

    @property
    def sidecars(self) -> Reading:
        """Every Sidecar."""
        return self.get(_SIDECARS)

    @property
    def destination_rules(self) -> Reading:
        """Every DestinationRule."""
        return self.get(_RULES)

    @property
    def authentications(self) -> Reading:
        """Every PeerAuthentication."""
        return self.get(_AUTHENTICATIONS)

    def config_maps(self, namespace: str) -> Reading:
        """The ConfigMaps of the control plane's namespace."""
        return self.get(Query("configmaps", namespace))

    def services(self, namespace: str) -> Reading:
        """The Services of a namespace."""
        return self.get(Query("services", namespace))

    def endpoints(self, namespace: str) -> Reading:
        """The EndpointSlices of a namespace."""
        return self.get(Query("endpointslices.discovery.k8s.io", namespace))

    def pods(self, namespace: str) -> Reading:
        """The pods of a namespace that are not finished."""
        return self._running(Query("pods", namespace))

    def releases(self, namespace: str) -> Reading:
        """The Secrets in which Helm keeps its releases."""
        return self.get(Query("secrets", namespace, (("owner", "helm"),)))

    @property
    def namespaces(self) -> Reading:
        """Every namespace."""
        return self.get(Query("namespaces"))

    @property
    def control_planes(self) -> list[str]:
        """The namespaces that istiod runs in."""
        return sorted({namespace_of(pod) for pod in self.istiod.items})

    def _running(self, query: Query) -> Reading:
        reading = self.get(query)
        finished = ("Succeeded", "Failed")
        return reading._replace(items=[pod for pod in reading.items if dig(pod, "status", "phase") not in finished])


def gather(read: Callable[[Query], Reading], sensor_namespace: str, tools: Tools) -> Cluster:
    """Read what every check needs; a few things more are read when they are found to matter."""
    cluster = Cluster(read, tools)
    cluster.add(_FIRST)
    planes = cluster.control_planes
    later = [Query("configmaps", each) for each in planes]
    later += [Query("secrets", each, (("owner", "helm"),)) for each in planes]
    near = ("services", "endpointslices.discovery.k8s.io", "pods")
    cluster.add([*later, *(Query(resource, sensor_namespace) for resource in near)])
    return cluster


def proxy_of(pod: dict[str, Data]) -> dict[str, Data] | None:
    """The container of a pod that is Istio's proxy; a sidecar may be an init container."""
    containers = [*mappings(dig(pod, "spec", "containers")), *mappings(dig(pod, "spec", "initContainers"))]
    return next((each for each in containers if each.get("name") == "istio-proxy"), None)


def is_ready(pod: dict[str, Data]) -> bool:
    """Whether a pod says it is ready."""
    conditions = mappings(dig(pod, "status", "conditions"))
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)
