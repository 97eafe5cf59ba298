"""A Telemetry is one that the API server takes as it is written.

## What
A Telemetry has a value of a wrong type or form, a part that is missing, such as the value of a literal tag, both
`selector` and `targetRefs`; or, as a warning, a field that Telemetry does not have, or a custom tag without a source.
Nothing is said of what stands in `metrics`.

## Why
What has a wrong type is refused by the API server, and the release fails. A field that is misspelt is dropped, or
refused by clients that check: `disableSpanReportin: true` disables nothing. `groundcover-istio` merges nothing into a
Telemetry like that.

## Bad
```yaml
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh-default, namespace: istio-system}
spec:
  tracing:
  - providers: [{name: otel-tracing}]
    disableSpanReportin: true
```
```yaml
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh-default, namespace: istio-system}
spec:
  tracing:
    providers: [{name: otel-tracing}]
```
```yaml
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh-default, namespace: istio-system}
spec:
  tracing:
  - randomSamplingPercentage: 10%
    customTags: {cluster: {literal: {}}}
```

## Good
```yaml
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh-default, namespace: istio-system}
spec:
  tracing:
  - providers: [{name: otel-tracing}]
    randomSamplingPercentage: 10
    customTags: {cluster: {literal: {value: east}}}
```

## Source
istio 1.31 manifests/charts/base/files/crd-all.gen.yaml (a structural schema without
`x-kubernetes-preserve-unknown-fields`).

## Proof
Not shown by `make conformance`: what a real API server refuses never reaches istiod. It does compare the schema with
that API server's answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.activation import entries, is_percentage
from groundcover_istio.checks.finding import Hit
from groundcover_istio.checks.gci017 import in_telemetry
from groundcover_istio.decoding import is_placeholder
from groundcover_istio.istio import number
from groundcover_istio.model import dig
from groundcover_istio.serializer import pair_lines
from groundcover_istio.spelling import show, spell
from groundcover_istio.validation import faults, without_nulls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.checks.finding import Level
    from groundcover_istio.checks.world import Resource, World
    from groundcover_istio.model import Data, Path
    from groundcover_istio.validation import Fault

ID: Final = "GCI037"
NAME: Final = "telemetry-refused"
SEVERITY: Final[Level] = "error"

_REFUSED: Final = "the API server refuses the Telemetry"
_SCOPES: Final = ("selector", "targetRef", "targetRefs")
"""What the schema, which is that of a mesh-wide Telemetry, does not know."""
_SECTIONS: Final = ("tracing", "metrics", "accessLogging", *_SCOPES)
_MODES: Final = ("CLIENT_AND_SERVER", "CLIENT", "SERVER")


def check(world: World) -> Iterator[Hit]:
    """Compare every Telemetry with the schema."""
    for telemetry in world.telemetries():
        data = without_nulls(telemetry.data)
        for fault in faults("telemetry", _mesh_wide(data)):
            if not _has_other_rule(telemetry, fault) and not is_placeholder(_at(data, fault.path)):
                yield _hit(telemetry, data, fault)
        yield from _scopes(telemetry, data)
        yield from _modes(telemetry)


def _mesh_wide(data: Data) -> Data:
    """The same without what it selects, under a name that is valid: those are none of the schema's business."""
    spec = data.get("spec", {})
    kept = {key: value for key, value in spec.items() if key not in _SCOPES} if isinstance(spec, dict) else spec
    return {**data, "kind": "Telemetry", "metadata": {"name": "telemetry"}, "spec": kept}


def _has_other_rule(telemetry: Resource, fault: Fault) -> bool:
    """Whether a sampling that is out of its range or at a wrong place is reported for that already."""
    if fault.keyword == "additionalProperties":
        return fault.path in in_telemetry(telemetry)
    share = number(_at(telemetry.data, fault.path)) if fault.path[-1:] == ("randomSamplingPercentage",) else None
    return share is not None and not is_percentage(share)


def _at(data: Data, path: Path) -> Data:
    for key in path:
        inside = isinstance(data, list) and isinstance(key, int) and key < len(data)
        data = data[key] if inside else data.get(key) if isinstance(data, dict) else None
    return data


def _hit(telemetry: Resource, data: Data, fault: Fault) -> Hit:
    where = spell(fault.path)
    if fault.keyword == "additionalProperties":
        message = f"a Telemetry has no field {where}; the API server drops it"
        fix = fault.hint.replace("accepted", f"remove it; {spell(fault.path[:-1])} may have")
        fix = "move it below spec" if len(fault.path) == 1 and fault.path[0] in _SECTIONS else fix
        return Hit(telemetry.place, fault.path, message, fix, "warning")
    if fault.keyword == "minProperties":
        fix = "give it a literal, environment, header or formatter"
        return Hit(telemetry.place, fault.path, f"{where} has no source, so no proxy writes it", fix, "warning")
    return Hit(telemetry.place, fault.path, f"{where}: {fault.words}; {_REFUSED}", _fix(_at(data, fault.path), fault))


def _fix(found: Data, fault: Fault) -> str:
    if fault.keyword == "type" and fault.words.endswith("is not an array") and isinstance(found, dict):
        return "\n".join(pair_lines(str(fault.path[-1]), [found], 0))
    names = [key for key in fault.path if isinstance(key, str)]
    # Below customTags stand names of tags.
    known = names[: names.index("customTags") + 1] if "customTags" in names else names
    return f"what is accepted: kubectl explain telemetry.{'.'.join(known)}"


def _scopes(telemetry: Resource, data: Data) -> Iterator[Hit]:
    given = [key for key in _SCOPES if dig(data, "spec", key) is not None]
    if len(given) > 1:
        message = f"{' and '.join(given)} exclude each other; {_REFUSED}"
        yield Hit(telemetry.place, ("spec", given[1]), message, f"remove all but one of {', '.join(given)}")


def _modes(telemetry: Resource) -> Iterator[Hit]:
    """What the schema leaves open, since `render` has no use for it."""
    for section in ("tracing", "accessLogging"):
        for index, entry in entries(telemetry, section):
            mode = dig(entry, "match", "mode")
            if mode is not None and mode not in _MODES and not is_placeholder(mode):
                path: Path = ("spec", section, index, "match", "mode")
                message = f"{spell(path)}: {show(mode)} is none of {', '.join(_MODES)}; {_REFUSED}"
                yield Hit(telemetry.place, path, message, "mode: CLIENT_AND_SERVER")
