"""What an object of Istio's operators, or the istiod chart's values, say of the control plane that they describe."""

from __future__ import annotations

from groundcover_istio.istio import release
from groundcover_istio.model import Data, Path, dig
from groundcover_istio.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from groundcover_istio.model import Version

IN_VALUES: Final = ("spec", "values", "meshConfig")
"""Where an object has the mesh config among the istiod chart's values; an IstioOperator has another place too."""


class ControlPlane(NamedTuple):
    """A control plane, as an object describes it; what nothing says is None or empty."""

    place: Path
    """Where in the object its mesh config stands."""
    version: Version | None
    namespace: str
    """That of istiod, which is the root namespace unless the mesh config names another."""
    revision: str


def of_object(data: dict[str, Data]) -> ControlPlane | None:
    """What an IstioOperator, or an Istio or IstioRevision of the Sail operator, says; None for any other object."""
    kind, group = data.get("kind"), str(data.get("apiVersion")).partition("/")[0]
    spec = data.get("spec")
    if kind == "IstioOperator" and group == "install.istio.io":
        return _of_operator(spec)
    if kind in ("Istio", "IstioRevision") and group == "sailoperator.io":
        return _of_sail(kind, str(dig(data, "metadata", "name") or ""), spec)
    return None


def version_of_values(values: Data) -> Version | None:
    """By the image tag that the istiod chart takes (istio-discovery/templates/deployment.yaml)."""
    return release(dig(values, "pilot", "tag"), dig(values, "tag"), dig(values, "global", "tag"))


def _of_operator(spec: Data) -> ControlPlane:
    """Istioctl hands its tags, namespace and revision to the chart as values (operator/pkg/render/manifest.go)."""
    values = dig(spec, "values")
    # spec.tag becomes global.tag, a component's own tag stands before both.
    version = release(
        dig(spec, "components", "pilot", "tag"),
        dig(values, "pilot", "tag"),
        dig(values, "tag"),
        dig(spec, "tag"),
        dig(values, "global", "tag"),
    )
    namespace = _name(dig(spec, "namespace")) or _name(dig(values, "global", "istioNamespace"))
    revision = dig(spec, "revision") or dig(values, "revision")
    return ControlPlane(("spec", "meshConfig"), version, namespace, str(revision or ""))


def _of_sail(kind: str, name: str, spec: Data) -> ControlPlane:
    """The operator sets the images by spec.version, and the revision as getActiveRevisionName says (Sail 1.x)."""
    by_version = kind == "Istio" and dig(spec, "updateStrategy", "type") == "RevisionBased"
    suffix = f"-{dig(spec, 'version')}".replace(".", "-") if by_version else ""
    version = release(dig(spec, "version")) or version_of_values(dig(spec, "values"))
    return ControlPlane(IN_VALUES, version, _name(dig(spec, "namespace")), name + suffix)


def _name(value: Data) -> str:
    return value if isinstance(value, str) else ""
