"""`--from FILE`: manifests of the sensor's release, from which its Service and its settings are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundcover_istio import config, stream
from groundcover_istio.config import Layer
from groundcover_istio.errors import ManifestError, ToolError
from groundcover_istio.inventory import take
from groundcover_istio.rules.sensor import find_sensor

if TYPE_CHECKING:
    from collections.abc import Sequence


def layers_from(manifests: bytes, name: str, layers: Sequence[Layer]) -> list[Layer]:
    """The layers of the settings, with what manifests say below and the Service they hold above.

    Raises ManifestError where they hold neither the integration ConfigMap nor a Service of the sensor,
    or where that Service can't take what the settings send.
    """
    try:
        outside = config.resolve(layers).service.name
        held = take(stream.candidates(manifests, outside), outside)
        own = [config.integration_layer([each.data for each in held.integrations], name)] if held.integrations else []
        settings = config.resolve([*own, *layers])
        if settings.service.name != outside:
            held = take(stream.candidates(manifests, settings.service.name), settings.service.name)
        if not held.integrations and not held.services:
            raise ManifestError(
                "holds neither the integration ConfigMap nor the sensor's Service",
                hint="helm get manifest groundcover -n groundcover > FILE",
            )
        sensor = find_sensor(held, settings)
    except ToolError as error:
        if not error.where.startswith((name, "command line", "environment")):
            error.where = f"{name}, {error.where}" if error.where else name
        raise
    service = {"name": sensor.name, "namespace": sensor.namespace, "ports": sensor.ports}
    return [*own, *layers, Layer(name, {"service": service})] if held.services else [*own, *layers]
