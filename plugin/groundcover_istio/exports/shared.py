"""Mode shared in a carrier: in place of a mesh config the variable by which istiod knows the shared one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from groundcover_istio import config, istio
from groundcover_istio.errors import ManifestError
from groundcover_istio.exports.merge import require_enabled, through_pipeline
from groundcover_istio.model import SHARED_NAME, SHARED_VARIABLE, Data, Decision, Operation, Path, dig, mapping
from groundcover_istio.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundcover_istio.config import Layer
    from groundcover_istio.exports.carriers import Carrier


class Named(NamedTuple):
    """What names the shared mesh config in a carrier."""

    operations: list[Operation]
    decided: list[tuple[str, list[Decision]]]
    """By their places: the variable, and the mesh config beside it."""


def is_shared(layers: Sequence[Layer]) -> bool:
    """Whether the settings keep the mesh config apart, in a ConfigMap of its own."""
    return config.resolve(layers).mode == "shared"


def name_shared(data: Data, carrier: Carrier, layers: Sequence[Layer], name: str, base: Path) -> Named:
    """Name the shared mesh config to istiod, as `render` does for an object of its operators.

    `data` is what the file `name` holds at `base`. Raises ToolError where the file's own mesh config stands against the
    shared one, or where it names another one.
    """
    settings = require_enabled(config.resolve(layers))
    mesh, variables, variable_way = dig(data, *carrier.path), *_variables(data, carrier, name, base)
    mesh_at, variable_at = (f"{name}, {spell((*base, *way))}" for way in (carrier.path, variable_way))
    values = {**carrier.beside(data), "pilot": {"env": variables}}
    outcome = through_pipeline({"values": values, "meshConfig": mesh}, layers, mesh_at, variable_at)
    named = [each for each in outcome.decisions if each.code == "shared-named"]
    # What depends on Istio's version is written elsewhere.
    silent = ("shared-named", "unchanged", "nothing-here", "version-assumed")
    beside = [each for each in outcome.decisions if each.code not in silent]
    beside += [
        Decision("before-shared", "warning", "", {"provider": provider})
        for provider in (settings.tracing.provider_name, settings.access_logs.provider_name)
        if any(istio.same_provider(str(each.get("name")), provider) for each in dig(mesh, "extensionProviders") or [])
    ]
    operation = Operation("set", (*base, *carrier.variables, SHARED_VARIABLE), SHARED_NAME)
    return Named([operation] if named else [], [(variable_at, named), (mesh_at, beside)])


def _variables(data: Data, carrier: Carrier, name: str, base: Path) -> tuple[dict[str, Data], Path]:
    """The environment variables of istiod, and where the one that counts for us stands, or has to.

    Newer charts take `env` at the top too, and lay `pilot` over it (istio-discovery/templates/zzy_descope_legacy.yaml,
    of July 2024); those before know `pilot.env` alone.
    """
    *above, pilot, env = carrier.variables
    for path in (above, (*above, pilot), carrier.variables):
        held = dig(data, *path)
        if not isinstance(held, dict | None):
            wrong = spell((*base, *path))
            raise ManifestError(f"{wrong} is no mapping", where=name, hint=f"write {wrong} as a mapping")
    at_top, own = (mapping(dig(data, *path)) for path in ((*above, env), carrier.variables))
    way = (*above, env) if SHARED_VARIABLE in at_top and SHARED_VARIABLE not in own else carrier.variables
    return {**at_top, **own}, way
