"""What can carry the configuration: where the mesh config stands in it, and how it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio.control_plane import IN_VALUES, of_object, version_of_values
from groundcover_istio.model import SHARED_NAME, dig

if TYPE_CHECKING:
    from groundcover_istio.model import Data, Version


class Carrier(NamedTuple):
    """A kind of file that holds a mesh config as structured YAML."""

    kind: str
    """What the command line calls it."""
    words: str
    """What messages call it."""
    api_group: str
    """Empty: a values file, which is no object."""
    object_kind: str
    path: tuple[str, ...]
    """Where its mesh config stands."""
    profile: tuple[str, ...]
    """Where it names a profile of Istio's."""
    skeleton: dict[str, Data]
    """What stands around the mesh config in a new file."""
    variables: tuple[str, ...]
    """Where istiod's environment variables stand."""
    title: str
    """What a new file is, the beginning of its comment."""
    use: tuple[str, ...]
    """How to use a new file, as comment lines."""
    lists: tuple[str, ...]
    """What to know of the lists in its mesh config, as comment lines."""
    above: str
    """What could still take the place of what is written."""

    @property
    def about(self) -> tuple[str, ...]:
        """The comment of a new file that holds a mesh config."""
        return (f"{self.title}: traces go to the groundcover sensor.", *self.use, *self.lists)

    @property
    def about_shared(self) -> tuple[str, ...]:
        """The comment of a new file that names the shared mesh config."""
        return (f"{self.title}: istiod reads the mesh config {SHARED_NAME} beside its own.", *self.use, *SHARED_BESIDE)

    def holds(self, document: Data) -> bool:
        """Whether a document is of this kind."""
        if not self.api_group:
            return document is None or isinstance(document, dict)
        if not isinstance(document, dict):
            return False
        group = str(document.get("apiVersion")).partition("/")[0]
        return (group, document.get("kind")) == (self.api_group, self.object_kind)

    def version(self, document: dict[str, Data]) -> Version | None:
        """What it says of Istio's version."""
        described = of_object(document) if self.api_group else None
        return described.version if described else version_of_values(document)

    def beside(self, document: Data) -> dict[str, Data]:
        """What the values beside its mesh config say of what the chart makes of that, as `spec.values` has it."""
        values = dig(document, "spec", "values") if self.api_group else document
        second = None if "values" in self.path or not self.api_group else dig(values, "meshConfig")
        domain = dig(values, "global", "proxy", "clusterDomain")
        return {
            "profile": dig(document, *self.profile),
            "telemetry": dig(values, "telemetry"),
            "meshConfig": second,
            "global": {"proxy": {"clusterDomain": domain}},
        }


_METRICS: Final = (
    "`metrics: [prometheus]` repeats what the chart sets by itself: setting defaultProviders in values drops it,",
    "and with it every istio_* metric.",
)

CARRIERS: Final = (
    Carrier(
        "istiod-values",
        "values of the istiod chart",
        "",
        "",
        ("meshConfig",),
        ("profile",),
        {},
        ("pilot", "env"),
        "Values of Istio's istiod chart",
        (
            "helm upgrade istiod istio/istiod -n istio-system --version YOUR-VERSION -f YOUR-VALUES -f THIS-FILE",
            "Without --version Helm takes the newest Istio.",
        ),
        (
            "Helm replaces lists: extensionProviders of other values files, or of a profile, belong into this list;",
            "`groundcover-istio export istiod-values --into FILE` writes it into the file that has them.",
            *_METRICS,
        ),
        "Helm replaces lists: a values file given after this one, or --set, that has {at}.extensionProviders or"
        " {at}.defaultProviders.tracing takes their place",
    ),
    Carrier(
        "istio-operator",
        "IstioOperator",
        "install.istio.io",
        "IstioOperator",
        ("spec", "meshConfig"),
        ("spec", "profile"),
        {
            "apiVersion": "install.istio.io/v1alpha1",
            "kind": "IstioOperator",
            "metadata": {"name": "groundcover-tracing"},
        },
        ("spec", "values", "pilot", "env"),
        "IstioOperator",
        ("istioctl install -f YOUR-FILE -f THIS-FILE",),
        (
            "istioctl from 1.24 on replaces lists: extensionProviders of your other files belong into this list;",
            "`groundcover-istio export istio-operator --into FILE` writes it into the file that has them.",
            *_METRICS,
        ),
        "istioctl from 1.24 on replaces lists: a file given after this one, or --set, that has"
        " {at}.extensionProviders or {at}.defaultProviders.tracing takes their place; so does spec.values.meshConfig",
    ),
    Carrier(
        "sail",
        "Istio of the Sail operator",
        "sailoperator.io",
        "Istio",
        IN_VALUES,
        ("spec", "profile"),
        {"apiVersion": "sailoperator.io/v1", "kind": "Istio", "metadata": {"name": "default"}},
        ("spec", "values", "pilot", "env"),
        "Istio of the Sail operator (OpenShift Service Mesh 3)",
        ("Set metadata.name to that of your Istio, and merge this into it; applied alone it is a whole Istio.",),
        (
            "A patch replaces lists: extensionProviders that yours has belong into this list;",
            "`groundcover-istio export sail --into FILE` writes it into the file that has them.",
            *_METRICS,
        ),
        "a patch or overlay of this Istio that has {at}.extensionProviders or {at}.defaultProviders.tracing"
        " takes their place; a change of the ConfigMap istio itself is reverted by the operator",
    ),
)
SHARED_BESIDE: Final = (
    f"ConfigMap {SHARED_NAME} has to be in istiod's namespace: groundcover-istio export shared-mesh-config > FILE,",
    "or the sensor's release with the post-renderer in the same mode; istiod starts anew to read it.",
)
SHARED_USE: Final = (
    "A mesh config of its own, which istiod reads beside its own one: traces go to the groundcover sensor.",
    "kubectl apply -f THIS-FILE, and give istiod its name (without --version Helm takes the newest Istio):",
    "helm upgrade istiod istio/istiod -n {root} --version YOUR-VERSION \\",
    "  --reuse-values --set pilot.env.SHARED_MESH_CONFIG=" + SHARED_NAME,
    "Istio calls it experimental. Where the mesh's own config sets the same thing, that counts;",
    "entries of extensionProviders are merged by name.",
)
TELEMETRY_USE: Final = (
    "The mesh-wide Telemetry; what it says is live, no restart.",
    "kubectl apply -f THIS-FILE; of several without a selector in one namespace Istio uses the oldest only,",
    "so where one is there already: groundcover-istio export telemetry --into ITS-FILE",
)
KINDS: Final = (*(each.kind for each in CARRIERS), "shared-mesh-config", "telemetry", "kustomize")
