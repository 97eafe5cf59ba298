"""Everything given in one run, read: what the rules look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from groundcover_istio import istio
from groundcover_istio.checks.providers import KINDS, host_of, http_exporter, speaks_grpc
from groundcover_istio.model import dig, items, mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.places import Place
    from groundcover_istio.model import Data, Path, Version

Carrier = Literal["configmap", "values", "operator", "sail", "bare"]

TRACERS: Final = ("zipkin", "lightstep", "datadog", "stackdriver", "opencensus", "skywalking", "opentelemetry")
# Those that name a Service and a port.
SENDERS: Final = (*(kind for kind in TRACERS if kind != "stackdriver"), "envoyHttpAls", "envoyTcpAls", "envoyOtelAls")
BUILT_IN: Final = {"prometheus": "prometheus", "stackdriver": "stackdriver", "envoy": "envoyFileAccessLog"}


class Resource(NamedTuple):
    """A Kubernetes object."""

    kind: str
    group: str
    """The group of its apiVersion; empty for core."""
    namespace: str
    """Empty where the manifest leaves it to the release."""
    name: str
    data: dict[str, Data]
    place: Place

    @property
    def labels(self) -> dict[str, Data]:
        """Its labels."""
        return mapping(dig(self.data, "metadata", "labels"))

    @property
    def annotations(self) -> dict[str, Data]:
        """Its annotations."""
        return mapping(dig(self.data, "metadata", "annotations"))

    @property
    def spec(self) -> dict[str, Data]:
        """Its spec."""
        return mapping(self.data.get("spec"))

    @property
    def revision(self) -> str:
        """The one revision it is for; empty: for all."""
        return str(self.labels.get("istio.io/rev") or "")


class Mesh(NamedTuple):
    """A mesh config, wherever it stands."""

    carrier: Carrier
    data: dict[str, Data]
    """In camel case."""
    place: Place
    version: Version
    version_known: bool
    """Whether something says so; else it is assumed."""
    root_namespace: str
    cluster_domain: str
    """The DNS domain that its istiod is told; empty where nothing says it."""
    revision: str
    """Empty where nothing says so."""
    layer: bool
    """Whether another source may complete it: a shared mesh config, a values file."""
    values: dict[str, Data]
    """The Helm values it is among; empty where there are none."""
    pilot_sampling: float | None
    """PILOT_TRACE_SAMPLING of its control plane, where it was given."""
    broken: str
    """Why it can't be read, at the root of its place; empty where it can."""
    documents: int
    """How many YAML documents its text holds; istiod reads the first."""

    def providers(self) -> Iterator[Provider]:
        """The entries of extensionProviders that are readable, each with the kind that counts."""
        entries = self.data.get("extensionProviders")
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            kind = next((kind for kind in reversed(KINDS) if isinstance(mapping(entry).get(kind), dict)), "")
            if kind and isinstance(entry.get("name"), str):
                path: Path = ("extensionProviders", index)
                yield Provider(self, entry["name"], kind, entry[kind], path, (*path, kind))

    def default(self, key: str) -> list[Data]:
        """The names in one list of defaultProviders."""
        return items(dig(self.data, "defaultProviders", key))


class Provider(NamedTuple):
    """An extension provider."""

    mesh: Mesh
    name: str
    kind: str
    body: dict[str, Data]
    entry: Path
    path: Path
    """Of its body."""

    @property
    def place(self) -> Place:
        """The text it stands in."""
        return self.mesh.place

    @property
    def host(self) -> str:
        """The host of its service, without namespace and port; empty where there is none."""
        return host_of(self.body.get("service"))

    @property
    def port(self) -> int | None:
        """Its port, None where that is no number."""
        return istio.port_number(self.body.get("port"))

    @property
    def http2(self) -> bool:
        """Whether it speaks gRPC."""
        return speaks_grpc(self.kind, self.body)

    @property
    def http(self) -> dict[str, Data] | None:
        """What it says of its export of OTLP over HTTP; None where there is none."""
        return http_exporter(self.kind, self.body)


class ProxyConfig(NamedTuple):
    """What an annotation of pods says in place of a mesh's defaultConfig, field by field."""

    data: dict[str, Data]
    """In camel case."""
    place: Place


class World(NamedTuple):
    """Everything given in one run."""

    meshes: tuple[Mesh, ...]
    resources: tuple[Resource, ...]
    root_namespace: str
    sensors: tuple[tuple[str, str], ...]
    """Name and namespace of every Service that is a sensor's."""
    sampling_ratio: dict[str, float] | None
    """The sensor's own, where an integration ConfigMap says so."""
    version: Version | None
    """Istio's, where the user or an integration ConfigMap says it."""
    proxies: tuple[ProxyConfig, ...] = ()
    """Those of workloads whose pods have one of their own."""

    def of_kind(self, kind: str, group: str = "") -> Iterator[Resource]:
        """The objects of a kind."""
        return (resource for resource in self.resources if resource.kind == kind and resource.group == group)

    def telemetries(self) -> list[Resource]:
        """Every Telemetry."""
        return list(self.of_kind("Telemetry", "telemetry.istio.io"))

    def is_sensor(self, host: str) -> bool:
        """Whether a host is a groundcover sensor's."""
        return any(istio.is_sensor_host(host, name, namespace) for name, namespace in self.sensors)

    def service(self, host: str) -> Resource | None:
        """The Service that a host names, where it was given."""
        name, *rest = host.lower().split(".")
        if len(rest) > 1 and rest[1] != "svc":
            return None
        found = [resource for resource in self.of_kind("Service") if resource.name == name]
        exact = [resource for resource in found if rest and resource.namespace == rest[0]]
        loose = [resource for resource in found if rest and not resource.namespace]
        return next(iter([*exact, *loose]), None)

    def senders(self) -> Iterator[Provider]:
        """Every provider that sends spans or logs to a Service."""
        return (each for mesh in self.meshes for each in mesh.providers() if each.kind in SENDERS)
