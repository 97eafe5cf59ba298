"""The annotation `proxy.istio.io/config` of pods: what their proxies start with instead of defaultConfig."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.checks.parts import Texts, at, text_at
from groundcover_istio.checks.world import ProxyConfig
from groundcover_istio.decoding import normal
from groundcover_istio.model import mapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from groundcover_istio.checks.sources import Source
    from groundcover_istio.model import Path

ANNOTATION: Final = "proxy.istio.io/config"
_TEMPLATE: Final[Path] = ("spec", "template")
_PODS: Final[dict[str, Path]] = {
    "Pod": (),
    "CronJob": ("spec", "jobTemplate", *_TEMPLATE),
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"), _TEMPLATE),
}
"""Where each kind has its pod."""


def proxy_configs(sources: Sequence[Source]) -> Iterator[ProxyConfig]:
    """Every one among the inputs that can be read."""
    texts = {source.place.file: Texts() for source in sources}
    for source in sources:
        path = _PODS.get(source.resource.kind) if source.resource else None
        if path is not None:
            annotation = at(source.part, (*path, "metadata", "annotations", ANNOTATION))
            found = text_at(source.text, annotation, texts[source.place.file])
            data = mapping(normal(found.data, "ProxyConfig")) if found else {}
            if found and data:
                yield ProxyConfig(data, found.place)
