"""The values that pass between the steps, and what the data of a document holds: without input or output, without YAML.

`NamedTuple` rather than dataclass: importing `dataclasses` alone costs 13 ms at every start, `typing` 3 ms.
"""

from __future__ import annotations

from groundcover_istio.errors import plain
from groundcover_istio.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, Literal, TypeAlias


# What YAML and JSON documents hold: None, bool, int, float, str, list, dict with str keys.
Data: TypeAlias = "Any"
Path = tuple[str | int, ...]
Severity: TypeAlias = "Literal['info', 'warning']"

MESH_KEY: Final = "mesh"
DEFAULT_SERVICE: Final = "groundcover-sensor"
# The ConfigMap that istiod merges below its own mesh config, where the integration is kept apart (mode shared).
SHARED_NAME: Final = "groundcover-mesh"
SHARED_VARIABLE: Final = "SHARED_MESH_CONFIG"
LONGEST_NAME: Final = 253
"""Characters that the API server takes in an object's name."""


class ResourceId(NamedTuple):
    """Which object, and where in the stream it stands."""

    kind: str
    namespace: str
    """Empty where the manifest leaves it to the release."""
    name: str
    line: int
    """Line of its first byte in the stream, from 1."""

    def __str__(self) -> str:
        """Kind, namespace and name, as messages spell an object."""
        # Whole: programs find the object by it.
        namespace, name = (plain(each, LONGEST_NAME) for each in (self.namespace, self.name))
        name = f"{namespace}/{name}" if namespace else name
        return f"{self.kind} {name or 'without a name'}"


class Edit(NamedTuple):
    """Replace characters `start` to `end` of a text."""

    start: int
    end: int
    text: str


class Operation(NamedTuple):
    """One change to a document's data; `path` starts at the document's root.

    set     the value at `path`; missing mappings on the way are made
    append  `value` to the list at `path`; a missing or null list is made
    remove  what stands at `path`
    rename  the last key of `path` to `value`; comes after the changes below that key
    """

    action: Literal["set", "append", "remove", "rename"]
    path: Path
    value: Data = None


class Decision(NamedTuple):
    """What was decided about one object: a stable code, which `report` turns into a sentence."""

    code: str
    severity: Severity
    resource: str
    values: dict[str, str]


class Version(NamedTuple):
    """An Istio minor version, such as 1.24."""

    major: int
    minor: int

    def __str__(self) -> str:
        """As Istio writes it."""
        return f"{self.major}.{self.minor}"


class Service(NamedTuple):
    """The Service of the sensor; ports by role, None where it has none."""

    name: str
    namespace: str
    ports: dict[str, int]


class Http(NamedTuple):
    """The exporter of otlp-http."""

    path: str
    timeout: str
    headers: list[Data]


class Grpc(NamedTuple):
    """The exporter of otlp-grpc; an empty timeout is left out."""

    timeout: str
    initial_metadata: list[Data]


class Zipkin(NamedTuple):
    """The exporter of zipkin; empty values are left out."""

    path: str
    timeout: str
    headers: list[Data]
    enable64bit_trace_id: bool
    trace_context_option: str


class Tracing(NamedTuple):
    """Spans of the proxies."""

    enabled: bool
    protocol: str
    provider_name: str
    """Resolved: never empty."""
    activation: str
    replace_default_provider: bool
    sampling_percentage: float | None
    """Percent, 0 to 100; None leaves the mesh's own."""
    custom_tags: dict[str, Data]
    max_tag_length: int | None
    """Characters."""
    http: Http
    grpc: Grpc
    zipkin: Zipkin


class AccessLogs(NamedTuple):
    """Access logs of the proxies."""

    enabled: bool
    provider_name: str
    log_name: str
    log_format: dict[str, Data]
    keep_file_log: bool


class Settings(NamedTuple):
    """Everything a run is told, resolved and valid."""

    enabled: bool
    root_namespace: str
    istio_version: Version | None
    """None: read it from the stream."""
    cluster_domain: str
    """Empty: read it from the stream."""
    service: Service
    mode: str
    """How the mesh config is carried: patch or shared."""
    sampling_ratio: dict[str, float]
    """The sensor's own, 0 to 1, for `otel` and `datadog`."""
    tracing: Tracing
    access_logs: AccessLogs


class Sampling(NamedTuple):
    """What share of requests ends up stored."""

    protocol: str
    istio_percentage: float | None
    sensor_ratio: float


class Effect(NamedTuple):
    """What a mesh does once its mesh config is applied."""

    resource: str
    tracer: str
    target: str
    """Host and port of the sensor."""
    activation: str
    """What turns the tracer on, as `report.ACTIVATIONS` spells it."""
    restarts: tuple[str, ...]
    """What has to start anew for all of it to hold: pods, istiod."""


class Outcome(NamedTuple):
    """One run: the stream before and after, and what was decided."""

    before: bytes
    after: bytes
    decisions: tuple[Decision, ...]
    sampling: Sampling | None
    """None where nothing of the mesh or the sensor was in the stream."""
    effects: tuple[Effect, ...] = ()
    """One for each mesh config in the stream that is traced."""


def dig(data: Data, *keys: str) -> Data:
    """The value below nested keys, None where something on the way is missing or no mapping."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def mapping(value: Data) -> dict[str, Data]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Data) -> list[Data]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []
