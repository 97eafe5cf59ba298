"""Addresses and ports of the rig, all in one network namespace. istiod takes 8080, 15010, 15012, 15014, 15017 and 9876."""

from __future__ import annotations

from typing import Final

SENSOR: Final = "10.77.0.10"
GATEWAY: Final = "10.77.0.20"
BACKEND: Final = "10.77.0.30"
SIDECAR: Final = "10.77.0.40"
ADDRESSES: Final = (SENSOR, GATEWAY, BACKEND, SIDECAR)
ETCD_PORT: Final = 2379
API_PORT: Final = 6443
GATEWAY_PORT: Final = 18080
BACKEND_PORT: Final = 19000
NODE: Final = "node-1"
HOST: Final = "groundcover-sensor.groundcover.svc.cluster.local"
SPANS_PER_REQUEST: Final = 2
"""What the proxy sends for a sampled request: one span of the listener, one of the upstream call."""
