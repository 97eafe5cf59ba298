"""Helm's own record: whether the manifest that a release stored has the provider. Nothing of it is ever shown."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio import k8syaml
from groundcover_istio.config import resources_of
from groundcover_istio.decoding import normal
from groundcover_istio.doctor.items import Item, fail, ok, unknown, warn
from groundcover_istio.doctor.tracer import aimed_at_sensor
from groundcover_istio.errors import ManifestError
from groundcover_istio.model import dig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.doctor.cluster import Cluster
    from groundcover_istio.doctor.meshes import Mesh
    from groundcover_istio.model import Data, Settings

_LARGEST: Final = 64 * 1024 * 1024
_GZIP: Final = 31
_REVISION: Final = re.compile(r"[0-9]{1,9}")


class Stored(NamedTuple):
    """One revision of a release."""

    name: str
    revision: int
    deployed: bool
    secret: dict[str, Data]


class UnreadableError(Exception):
    """A record that can't be read; the text says why, without what is in it."""


def check_releases(cluster: Cluster, mesh: Mesh, settings: Settings) -> Iterator[Item]:
    """Whether the release that owns the mesh config carries the patch, or lost it."""
    namespace = mesh.revision.namespace
    reading = cluster.releases(namespace)
    if reading.error:
        return
    live = any(aimed_at_sensor(each, settings) for each in mesh.providers)
    releases = list(filter(None, map(_stored, reading.items)))
    for current in (each for each in releases if each.deployed):
        label = f"{namespace}/{current.name}"
        try:
            held = _has_provider(current, mesh, settings)
            if held is None:
                continue
            values = {"release": label, "revision": str(current.revision), "name": current.name}
            values |= mesh.revision.release
            before = None if held else _last_with_provider(releases, current, mesh, settings)
        except UnreadableError as error:
            yield unknown("release-unread", release=label, reason=str(error))
            continue
        if held:
            yield ok("release", **values)
        elif before is not None:
            code = "release-rolled-back" if _is_rollback(current) else "release-lost"
            yield fail(code, before=before, **values)
        elif live:
            yield warn("release-differs", **values)


def _stored(secret: dict[str, Data]) -> Stored | None:
    labels = dig(secret, "metadata", "labels") or {}
    name, revision = str(labels.get("name") or ""), str(labels.get("version") or "")
    if not name or not _REVISION.fullmatch(revision):
        return None
    return Stored(name, int(revision), labels.get("status") == "deployed", secret)


def _last_with_provider(releases: list[Stored], current: Stored, mesh: Mesh, settings: Settings) -> int | None:
    """The last revision before the current one whose manifest had the provider."""
    older = [each for each in releases if each.name == current.name and each.revision < current.revision]
    for each in sorted(older, key=lambda each: -each.revision):
        try:
            if _has_provider(each, mesh, settings):
                return each.revision
        except UnreadableError:
            continue
    return None


def _has_provider(stored: Stored, mesh: Mesh, settings: Settings) -> bool | None:
    """Whether the manifest's mesh config sends to the sensor; None where it has no such mesh config."""
    manifest = _manifest(stored.secret)
    if "extensionProviders" not in manifest and "mesh:" not in manifest:
        return None
    try:
        documents = k8syaml.load(manifest)
        for each in (resource for document in documents for resource in resources_of(document)):
            if each["kind"] == "ConfigMap" and dig(each, "metadata", "name") == mesh.revision.config_map:
                meshes = k8syaml.load(str(dig(each, "data", "mesh") or ""))
                providers = dig(normal(meshes[0]) if meshes else {}, "extensionProviders")
                held = providers if isinstance(providers, list) else []
                return any(isinstance(entry, dict) and aimed_at_sensor(entry, settings) for entry in held)
    except ManifestError as error:
        raise UnreadableError("its manifest is no YAML") from error
    return None


def _is_rollback(stored: Stored) -> bool:
    """Whether Helm describes the revision as a rollback, as it does by itself (pkg/action/rollback.go)."""
    return str(dig(_record(stored.secret), "info", "description")).startswith("Rollback to ")


def _manifest(secret: dict[str, Data]) -> str:
    """The manifest in a release's Secret."""
    manifest = dig(_record(secret), "manifest")
    if not isinstance(manifest, str):
        raise UnreadableError("its record has no manifest")
    return manifest


def _record(secret: dict[str, Data]) -> Data:
    """What Helm keeps of a revision in a Secret: JSON in gzip in base64, in the base64 of every Secret."""
    text = dig(secret, "data", "release")
    if not isinstance(text, str) or not text:
        raise UnreadableError("the Secret has no record")
    try:
        packed = base64.b64decode(base64.b64decode(text, validate=True), validate=True)
        unpacker = zlib.decompressobj(_GZIP)
        plain = unpacker.decompress(packed, _LARGEST)
        if unpacker.unconsumed_tail:
            raise UnreadableError("its record is larger than 64 MiB")
        return json.loads(plain)
    except (binascii.Error, ValueError, zlib.error, RecursionError) as error:
        raise UnreadableError("its record is not as Helm writes it") from error
