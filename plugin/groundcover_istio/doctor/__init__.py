"""A live cluster, or a dump of one: is it set up, can proxies reach the sensor, will spans arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio.doctor.cluster import side_by_side
from groundcover_istio.doctor.dumps import Dumps
from groundcover_istio.doctor.examine import examine, is_well
from groundcover_istio.doctor.kubectl import Kubectl, find
from groundcover_istio.doctor.output import Examined, as_json, text
from groundcover_istio.interrupts import Noted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundcover_istio.config import Layer

_CLUSTERS_AT_ONCE: Final = 8


class Target(NamedTuple):
    """What is to be examined."""

    folder: str
    """A folder of dumps; empty: a cluster."""
    kubectl: str
    kubeconfig: str
    context: str
    all_contexts: bool
    timeout: float


def run_doctor(target: Target, layers: Sequence[Layer]) -> list[Examined]:
    """The checklist of every cluster; raises UsageError where none can be reached at all."""
    if target.folder:
        return [Examined("", examine(Dumps(target.folder).read, layers))]
    program = find(target.kubectl)
    with Noted() as interrupt:
        kubectl = Kubectl(program, target.kubeconfig, target.context, target.kubectl, target.timeout, interrupt)
        kubectl.require_context()
        if not target.all_contexts:
            return [Examined("", examine(kubectl.read, layers, kubectl.tools))]
        contexts = kubectl.contexts("--all-contexts")
        each = [kubectl._replace(context=context) for context in contexts]
        examined = side_by_side(lambda one: examine(one.read, layers, one.tools), each, _CLUSTERS_AT_ONCE)
    return [Examined(context, sections) for context, sections in zip(contexts, examined, strict=True)]


__all__ = ["Examined", "Target", "as_json", "is_well", "run_doctor", "text"]
