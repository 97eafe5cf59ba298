"""Where tools that run Helm for their users hold the values of a chart, and which chart they ask for.

What a tool hands to Helm as `--set` counts over the values beside it, whatever stands where in the file.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from groundcover_istio import k8syaml
from groundcover_istio.chart_version import is_istiod, istiod_minor
from groundcover_istio.checks.overrides import Override, laid
from groundcover_istio.checks.parts import at, children, text_at
from groundcover_istio.model import dig, items, mapping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from groundcover_istio.checks.parts import Part, Texts
    from groundcover_istio.checks.sources import Source
    from groundcover_istio.checks.world import Resource
    from groundcover_istio.model import Data, Path

_APPLICATIONS: Final[dict[str, Path]] = {"Application": ("spec",), "ApplicationSet": ("spec", "template", "spec")}
"""Where Argo CD's kinds have the spec of an Application."""
# provider-helm's groups, of the cluster and of a namespace.
_CROSSPLANE: Final = ("helm.crossplane.io", "helm.m.crossplane.io")
_VALUES_KEY: Final = "values.yaml"
"""Where Flux looks for values in a ConfigMap, unless it is told another key (helm-controller, valuesFrom)."""
_FLUX: Final = ".toolkit.fluxcd.io"


class Release(NamedTuple):
    """The values of a chart."""

    values: Part | None
    chart: str
    """Istio's minor version by the chart that is asked for beside them; empty where nothing says it."""


References: TypeAlias = "dict[tuple[str | None, str, str], str | None]"
"""Where Flux' HelmReleases take values from, by namespace as it is written, name and key of a ConfigMap.

With no namespace (None) those of all: a manifest may leave it to whoever applies it. The value is Istio's minor version
by the chart that is asked for, as in Release; empty where several differ, None where none of them is istiod's.
"""


def references_in(sources: Iterable[Source]) -> References:
    """Those of every HelmRelease, but for a single value (targetPath)."""
    found: References = {}
    for resource in (source.resource for source in sources):
        if resource and resource.kind == "HelmRelease" and resource.group.endswith(_FLUX):
            asked = dig(resource.spec, "chart", "spec")
            # Istio's other charts may share a ConfigMap with istiod's, and say nothing of its version.
            another = dig(asked, "chart") and not is_istiod(dig(asked, "chart"))
            said = None if another else _asked_for(asked)
            for each in items(resource.spec.get("valuesFrom")):
                if dig(each, "kind") == "ConfigMap" and not dig(each, "targetPath"):
                    name, key = str(dig(each, "name")), str(dig(each, "valuesKey") or _VALUES_KEY)
                    for place in ((resource.namespace, name, key), (None, name, key)):
                        found[place] = _agreed(found.get(place), said)
    return found


def _agreed(one: str | None, other: str | None) -> str | None:
    """What both say; empty where they differ."""
    return other if one is None else one if other in (None, one) else ""


def releases_of(source: Source, texts: Texts, references: References) -> Iterator[Release]:
    """Every release that a file of such a tool, or a resource of its, describes."""
    resource = source.resource
    if not resource or resource.kind == "Kustomization":
        yield from _of_kustomize(source)
    if not resource:
        yield from _of_fleet(source)
        yield from _of_helmfile(source)
    elif resource.kind == "ConfigMap":
        yield from _of_config_map(source, resource, texts, references)
    elif resource.kind in ("HelmChart", "HelmChartConfig") and resource.group == "helm.cattle.io":
        yield from _of_k3s(source, texts)
    elif resource.kind == "Release" and resource.group in _CROSSPLANE:
        yield from _of_crossplane(source)
    elif resource.kind == "HelmRelease":
        yield Release(at(source.part, ("spec", "values")), _asked_for(dig(resource.spec, "chart", "spec")))
    elif resource.kind in _APPLICATIONS and resource.group == "argoproj.io":
        yield from _of_argo_cd(source, at(source.part, _APPLICATIONS[resource.kind]), texts)


def _asked_for(held: Data, key: str = "version") -> str:
    """Istio's minor version by the reference to a chart that a mapping holds; empty where it says none."""
    return istiod_minor(dig(held, "chart"), dig(held, key))


def _of_fleet(source: Source) -> Iterator[Release]:
    """The values in Fleet's fleet.yaml, and those that it lays over them for some clusters."""
    chart = _asked_for(source.data.get("helm"))
    customizations = range(len(items(source.data.get("targetCustomizations"))))
    for path in ((), *(("targetCustomizations", index) for index in customizations)):
        yield Release(at(source.part, (*path, "helm", "values")), chart)


def _of_helmfile(source: Source) -> Iterator[Release]:
    """The values that stand in a helmfile itself; of those in files only the names do."""
    for index, each in enumerate(items(source.data.get("releases"))):
        release = at(source.part, ("releases", index))
        listed = range(len(items(mapping(each).get("values"))))
        said = [
            *_said_to_helmfile(release, "set", string=False),
            *_said_to_helmfile(release, "setString", string=True),
        ]
        if release:
            values = laid((at(release, ("values", each)) for each in listed), said, release.place)
            yield Release(values, _asked_for(each))


def _of_argo_cd(source: Source, spec: Part | None, texts: Texts) -> Iterator[Release]:
    """Every source of an Argo CD Application; `valuesObject` takes the place of `values`."""
    listed = items(dig(spec.data, "sources")) if spec else []
    for path in (("source",), *(("sources", index) for index in range(len(listed)))):
        held, helm = at(spec, path), at(spec, (*path, "helm"))
        if held and helm:
            given = at(helm, ("valuesObject",)) or text_at(source.text, at(helm, ("values",)), texts)
            values = laid((given,), _said(helm, "parameters", _with_commas), helm.place)
            yield Release(values, _asked_for(held.data, "targetRevision"))


def _of_kustomize(source: Source) -> Iterator[Release]:
    """The charts that kustomize inflates, with the values that stand in its file."""
    for index, each in enumerate(items(source.data.get("helmCharts"))):
        yield Release(at(source.part, ("helmCharts", index, "valuesInline")), _named(each))


def _of_config_map(source: Source, resource: Resource, texts: Texts, references: References) -> Iterator[Release]:
    """What a HelmRelease of Flux takes its values from, or may, by the usual key; of its other uses nothing is said."""
    for key, held in children(at(source.part, ("data",))):
        namespaces = (resource.namespace, "") if resource.namespace else (None,)
        places = [place for each in namespaces if (place := (each, resource.name, key)) in references]
        if places or key == _VALUES_KEY:
            values = text_at(source.text, held, texts)
            if values and isinstance(mapping(values.data).get("meshConfig", {}), dict):
                chart = functools.reduce(_agreed, (references[place] for place in places), None)
                yield Release(values, chart or "")


def _of_k3s(source: Source, texts: Texts) -> Iterator[Release]:
    """What k3s and RKE2 install; a HelmChartConfig has values for a HelmChart that is elsewhere."""
    spec = at(source.part, ("spec",))
    if spec:
        values = text_at(source.text, at(spec, ("valuesContent",)), texts)
        yield Release(laid((values,), _said_to_k3s(spec), spec.place), _asked_for(spec.data))


def _said_to_k3s(spec: Part) -> Iterator[Override]:
    """Numbers and three words by --set, all else by --set-string (helm-controller, typedVal)."""
    held = at(spec, ("set",))
    root = held.place.root if held else None
    for key, value in root.pairs if isinstance(root, k8syaml.Mapping) else ():
        node = value.target if isinstance(value, k8syaml.Alias) else value
        if isinstance(key, k8syaml.Scalar) and isinstance(node, k8syaml.Scalar):
            typed = not isinstance(k8syaml.to_data(node), str) or node.value.lower() in ("true", "false", "null")
            yield Override(key.value, _with_commas(node.value), value.start, string=not typed)


def _of_crossplane(source: Source) -> Iterator[Release]:
    """A Release of Crossplane's provider-helm, which sets its values as Helm does (composeValuesFromSpec)."""
    asked = at(source.part, ("spec", "forProvider"))
    if asked:
        values = laid((at(asked, ("values",)),), _said(asked, "set", str), asked.place)
        yield Release(values, _named(dig(asked.data, "chart")))


def _named(held: Data) -> str:
    """Istio's minor version by a mapping with the name and the version of a chart."""
    return istiod_minor(dig(held, "name"), dig(held, "version"))


def _said(part: Part | None, key: str, spelled: Callable[[str], str]) -> Iterator[Override]:
    """What a list of names and values says; `spelled` makes of a value what the tool makes of it for Helm."""
    for index, each in enumerate(items(dig(part.data, key)) if part else []):
        found, name = at(part, (key, index, "value")), dig(each, "name")
        text = _written(found)
        if found and found.place.root and isinstance(name, str) and text is not None:
            yield Override(name, spelled(text), found.place.root.start, mapping(each).get("forceString") is True)


def _said_to_helmfile(release: Part | None, key: str, *, string: bool) -> Iterator[Override]:
    """The same with lists too, and nothing in a name or a value that means one (pkg/state/state.go, escape)."""
    for override in _said(release, key, _escaped):
        # What is empty helmfile passes over, and such a reference is a secret's.
        if override.value and not override.value.startswith("ref+"):
            yield override._replace(name=_escaped(override.name), string=string)
    for index, each in enumerate(items(dig(release.data, key)) if release else []):
        found, name = at(release, (key, index, "values")), dig(each, "name")
        listed = [_written(at(found, (number,))) for number in range(len(items(found.data)))] if found else []
        if found and found.place.root and isinstance(name, str) and listed and "value" not in each:
            text = ",".join(_escaped(item) for item in listed if item is not None)
            yield Override(_escaped(name), f"{{{text}}}", found.place.root.start, string)


def _written(part: Part | None) -> str | None:
    """The text of a scalar as it is written: a tool that wants a text takes 4317 for one."""
    root = part.place.root if part else None
    if not part or isinstance(part.data, dict | list):
        return None
    return root.value if isinstance(root, k8syaml.Scalar) else part.data if isinstance(part.data, str) else None


def _with_commas(value: str) -> str:
    """Those of a list stay, others mean nothing (Argo CD's util/helm/cmd.go, cleanSetParameters)."""
    is_list = value.startswith("{") and value.endswith("}")
    return value if is_list else re.sub(r"(?<!\\),", r"\\,", value)


def _escaped(text: str) -> str:
    return re.sub("[{},]", r"\\\g<0>", text)
