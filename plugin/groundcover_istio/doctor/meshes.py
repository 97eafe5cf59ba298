"""The control plane: revisions of istiod, and the mesh config that each of them reads."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio import k8syaml
from groundcover_istio.decoding import discarding, normal
from groundcover_istio.doctor.cluster import is_ready
from groundcover_istio.doctor.items import UNKNOWN_CHART, Item, fail, ok, warn
from groundcover_istio.doctor.source import counted, listed, mappings, namespace_of
from groundcover_istio.errors import ManifestError
from groundcover_istio.istio import DEFAULT_DOMAIN, parse_version, told_domain, variable
from groundcover_istio.model import SHARED_VARIABLE, dig
from groundcover_istio.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.doctor.cluster import Cluster
    from groundcover_istio.model import Data, Version

# A tag of the image may have a variant behind it; what is no release is no version of a chart.
_CHART: Final = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(-(alpha|beta|rc)[.0-9]+)?(?=-distroless$|-debug$|$)")


class Revision(NamedTuple):
    """One control plane."""

    name: str
    namespace: str
    pods: list[dict[str, Data]]

    @property
    def version(self) -> Version | None:
        """The version of its istiod."""
        return parse_version(versions(self.pods)[0])

    @property
    def chart(self) -> str:
        """The version of its chart, by the chart's label or the image's tag; a placeholder where neither says it."""
        labels = [str(dig(pod, "metadata", "labels", "helm.sh/chart") or "") for pod in self.pods]
        told = [each.removeprefix("istiod-") for each in labels if each.startswith("istiod-")]
        found = {match[0] for each in told or versions(self.pods) if (match := _CHART.match(each))}
        return found.pop() if len(found) == 1 else UNKNOWN_CHART

    @property
    def release(self) -> dict[str, str]:
        """What a command that renders it anew needs."""
        return {"namespace": self.namespace, "chart": self.chart}

    @property
    def config_map(self) -> str:
        """The name of its ConfigMap."""
        return "istio" if self.name == "default" else f"istio-{self.name}"

    @property
    def domain(self) -> str:
        """The cluster's DNS domain as istiod is told it (pilot-discovery, cmd.go): its registry has hosts of no other.

        Empty where it is told by a variable.
        """
        told = [told_domain(dig(pod, "spec", "containers")) for pod in self.pods]
        return next((each for each in told if each is not None), DEFAULT_DOMAIN)

    def variable(self, name: str) -> str:
        """An environment variable of istiod, empty where it is unset."""
        values = [value for pod in self.pods for value in variable(dig(pod, "spec", "containers"), name)]
        return str(values[0] or "") if values else ""


class Mesh(NamedTuple):
    """The mesh config that one control plane works with."""

    revision: Revision
    where: str
    data: dict[str, Data]
    changed: str
    """When its text was last changed, empty where that can't be told."""

    @property
    def root(self) -> str:
        """The root namespace."""
        return str(self.data.get("rootNamespace") or self.revision.namespace)

    @property
    def providers(self) -> list[dict[str, Data]]:
        """The extension providers."""
        return mappings(self.data.get("extensionProviders"))

    def provider(self, name: str) -> dict[str, Data] | None:
        """The provider of that name; Istio ignores case there, and takes the first."""
        return next((each for each in self.providers if str(each.get("name")).lower() == name.lower()), None)


def revisions(cluster: Cluster) -> list[Revision]:
    """The control planes that run, by namespace and revision."""
    found: dict[tuple[str, str], list[dict[str, Data]]] = {}
    for pod in cluster.istiod.items:
        name = str(dig(pod, "metadata", "labels", "istio.io/rev") or "default")
        found.setdefault((namespace_of(pod), name), []).append(pod)
    return [Revision(name, namespace, found[namespace, name]) for namespace, name in sorted(found)]


def check_revisions(cluster: Cluster) -> Iterator[Item]:
    """Whether istiod runs, in which versions."""
    if not cluster.istiod.error and not cluster.istiod.items:
        yield fail("istiod-none")
    for each in revisions(cluster):
        found = versions(each.pods)
        ready = sum(map(is_ready, each.pods))
        values = {"revision": each.name, "namespace": each.namespace, "pods": counted(len(each.pods), "pod")}
        if ready:
            yield ok("istiod", version=" and ".join(found), ready=ready, **values)
        else:
            yield fail("istiod-not-ready", version=" and ".join(found), **values)
        if len(found) > 1:
            yield warn("istiod-versions", versions=listed(found), revision=each.name, namespace=each.namespace)


def versions(pods: list[dict[str, Data]]) -> list[str]:
    """The versions of pods of istiod, by the tags of their images."""
    found = set()
    for pod in pods:
        images = [str(each.get("image")) for each in mappings(dig(pod, "spec", "containers"))]
        image = next((each for each in images if "/pilot" in each), "".join(images[:1]))
        found.add(image.partition("@")[0].rpartition("/")[2].partition(":")[2] or "of unknown version")
    return sorted(found)


def meshes(cluster: Cluster) -> tuple[list[Mesh], list[Item]]:
    """The mesh config of every control plane, and what is wrong with those that can't be used."""
    found: list[Mesh] = []
    items: list[Item] = []
    for revision in revisions(cluster):
        reading = cluster.config_maps(revision.namespace)
        if reading.error:
            continue
        names = [name for name in (revision.variable(SHARED_VARIABLE), revision.config_map) if name]
        maps = {each["metadata"]["name"]: each for each in reading.items}
        where = f"ConfigMap {revision.namespace}/{revision.config_map}"
        if revision.config_map not in maps:
            items.append(fail("mesh-missing", mesh=where, **revision.release))
            continue
        data: dict[str, Data] = {}
        wrong: list[Item] = []
        for name in names:
            if name in maps:
                layer, problems = _read(maps[name])
                values = {"mesh": f"ConfigMap {revision.namespace}/{name}", **revision.release}
                wrong += [fail("mesh-invalid", problem=each, **values) for each in problems]
                data = merged(data, layer)
        if wrong:
            items += wrong
            continue
        changed = max((_changed(maps[name]) for name in names if name in maps), default="")
        found.append(Mesh(revision, where, data, changed))
    return found, items


def _read(config_map: dict[str, Data]) -> tuple[dict[str, Data], list[str]]:
    """The mesh config in a ConfigMap, in camel case, and everything for which istiod would discard it."""
    text = dig(config_map, "data", "mesh")
    if not isinstance(text, str):
        return {}, ["has no text under the key mesh"]
    try:
        documents = k8syaml.load(text)
    except ManifestError as error:
        return {}, [error.message]
    data = documents[0] if documents else None
    if data is not None and not isinstance(data, dict):
        return {}, ["is no mapping"]
    data = normal(data) or {}
    return data, [f"{spell(each.path)} is {each.found}, not {each.wanted}" for each in discarding(data)]


def merged(below: dict[str, Data], above: dict[str, Data]) -> dict[str, Data]:
    """A mesh config laid over another, as istiod does it (pkg/config/mesh/mesh.go): providers by name."""
    result = copy.deepcopy(below)
    for key, value in above.items():
        old = result.get(key)
        if key in ("defaultConfig", "defaultProviders") and isinstance(old, dict) and isinstance(value, dict):
            result[key] = {**old, **value}
        elif key == "extensionProviders" and isinstance(old, list) and isinstance(value, list):
            # Of an entry that is null istiod makes an empty one.
            names = [each.get("name") for each in mappings(value)]
            result[key] = [*(each for each in mappings(old) if each.get("name") not in names), *mappings(value)]
        else:
            result[key] = value
    return result


def _changed(config_map: dict[str, Data]) -> str:
    """When the text of a mesh config was last written, by its managed fields."""
    times = [
        str(each.get("time") or "")
        for each in mappings(dig(config_map, "metadata", "managedFields"))
        if dig(each, "fieldsV1", "f:data", "f:mesh") is not None
    ]
    return max(times, default="")
