"""The configuration as files, for tools that run no executables: what `render` would do, said in values and objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from groundcover_istio import report
from groundcover_istio.errors import ManifestError, UsageError
from groundcover_istio.exports.at import spelled, split_document
from groundcover_istio.exports.carriers import CARRIERS, SHARED_BESIDE
from groundcover_istio.exports.files import into_file
from groundcover_istio.exports.kustomize import RENDER, into_kustomization, kustomization_text, patches
from groundcover_istio.exports.objects import carrier_text, into_telemetry, shared_text, telemetry_text
from groundcover_istio.exports.shared import is_shared
from groundcover_istio.exports.sources import layers_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundcover_istio.config import Layer
    from groundcover_istio.model import Decision

# What is said about a file that was edited, beside the sentences of `report`.
SENTENCES: Final = {
    "renamed": "{old}, our entry of before, is {new} now; a Telemetry that names {old} has to name {new}",
    "respelt": "{old}, our entry of before, is spelt {new} now",
    "still-active": "{provider} is still active here, which the settings do not say: what is missing is written, and"
    " nothing taken away; to end it remove its name from {place}",
    "version-assumed": "Istio is taken to be {version}, since nothing here names its minor version; what is written"
    " needs {needed}, so for an older one give --istio-version",
    "before-shared": "{provider} is defined here too, which counts before the shared mesh config: settings that change"
    " have no effect until it is removed from extensionProviders, and its name from defaultProviders",
    "unchanged": "already says what it has to say; left as it is",
    "no-metrics": "defaultProviders has no `metrics`, so the chart's own `metrics: [prometheus]` does not count and"
    " istio_* metrics are missing; add it unless you mean that",
}
_BOM: Final = "\ufeff"
_BY_KIND: Final = {each.kind: each for each in CARRIERS}


class Note(NamedTuple):
    """What is said about a file that was edited."""

    level: Literal["done", "note", "warning"]
    text: str
    code: str = ""
    """Of the decision that it tells of."""

    @property
    def line(self) -> str:
        """As a person reads it."""
        return self.text if self.level == "done" else f"{self.level}: {self.text}"


def run_export(kind: str, source: bytes | None, source_name: str, layers: Sequence[Layer]) -> str:
    """The text of a new file; `source` is what `--from` names."""
    if kind == "kustomize":
        return kustomization_text(_mesh_source(source, source_name), source_name, layers)
    found = layers if source is None else layers_from(source, source_name, layers)
    if kind in _BY_KIND:
        return carrier_text(_BY_KIND[kind], found)
    return shared_text(found) if kind == "shared-mesh-config" else telemetry_text(found)


def write_into(
    kind: str, before: bytes, name: str, source: tuple[bytes | None, str], layers: Sequence[Layer], at: str
) -> tuple[bytes, list[Note]]:
    """The bytes of a user's file with the configuration in it, and what to say about it."""
    whole = decoded(before, name)
    text = whole.removeprefix(_BOM)
    if kind == "shared-mesh-config":
        raise UsageError(
            "shared-mesh-config is a file of its own",
            where="--into",
            hint="groundcover-istio export shared-mesh-config > FILE",
        )
    if kind == "kustomize":
        made = patches(_mesh_source(*source), source[1], layers)
        after = into_kustomization(text, name, made)
        count = f"{len(made)} patches" if len(made) > 1 else "1 patch"
        notes = [Note("done", f"{name}: {count} of the mesh config")]
    else:
        found = layers if source[0] is None else layers_from(source[0], source[1], layers)
        after, notes = _carrier_into(kind, text, name, found, at)
    if after == text:
        notes = [each for each in notes if each.level != "done"]
        # What is still active, or counts before, is not what the settings say.
        if not any(each.code in ("still-active", "before-shared") for each in notes):
            notes.insert(0, Note("done", f"{name}: {SENTENCES['unchanged']}"))
    return (whole[: len(whole) - len(text)] + after).encode(), notes


def _carrier_into(kind: str, text: str, name: str, layers: Sequence[Layer], at: str) -> tuple[str, list[Note]]:
    if kind == "telemetry":
        after, decisions = into_telemetry(text, name, layers)
        return after, [_note(f"{name}, {each.resource}", each) for each in decisions]
    carrier = _BY_KIND[kind]
    edited = into_file(text, name, carrier, layers, at)
    notes = [_note(place, each) for place, decisions in edited.decided for each in decisions]
    if is_shared(layers):
        return edited.text, [*notes, Note("note", " ".join(SHARED_BESIDE))]
    way = split_document(at)[1]
    prefix = f"{spelled(way)}." if way else ""
    return edited.text, [*notes, Note("note", carrier.above.format(at=prefix + ".".join(carrier.path)))]


def _note(place: str, decision: Decision) -> Note:
    words = SENTENCES.get(decision.code) or report.SENTENCES[decision.code]
    values = report.shown(decision)
    level: Literal["done", "note", "warning"] = "warning" if decision.severity == "warning" else "done"
    if decision.code == "version-assumed":
        # Counts for what was written before too, where nothing is done now.
        level = "note"
    return Note(level, f"{place}: {words.format(**values)}", decision.code)


def _mesh_source(source: bytes | None, name: str) -> str:
    if source is None:
        raise UsageError(
            "kustomize needs the manifests that hold the mesh config",
            where="--from",
            hint=RENDER,
        )
    return decoded(source, name).removeprefix(_BOM)


def decoded(data: bytes, name: str) -> str:
    """Bytes as text; raises ManifestError where they are not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ManifestError("is not valid UTF-8", where=f"{name}, line {line}") from error
