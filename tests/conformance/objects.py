"""What the rig's cluster holds besides the releases under test."""

from __future__ import annotations

from typing import Any

from .addresses import BACKEND, BACKEND_PORT, GATEWAY_PORT, NODE, SENSOR


def namespaces() -> list[dict[str, Any]]:
    """The namespaces of mesh, sensor and what the chart's examples name, with the accounts a controller would make."""
    names = ("istio-system", "groundcover", "elsewhere", "shop")
    spaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names]
    accounts = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": name}}
        for name in names
    ]
    return [*spaces, *accounts]


def backend() -> list[dict[str, Any]]:
    """A Service with one endpoint, a gateway to it, and what keeps Envoy from refusing Istio's own filters."""
    return [
        service("backend", "default", [{"name": "http", "port": BACKEND_PORT}]),
        endpoints("backend", "default", BACKEND, [("http", BACKEND_PORT)]),
        _gateway(),
        _virtual_service(),
        _plaintext(),
        _without("istio-stats", _http_filter("istio.stats")),
        _without("istio-alpn", _http_filter("istio.alpn")),
        _without("istio-stats-tcp", {"filter": {"name": "istio.stats"}}, of="NETWORK_FILTER"),
    ]


def service(name: str, namespace: str, ports: list[dict[str, Any]]) -> dict[str, Any]:
    """A Service without a selector: its endpoints are written by hand."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"ports": ports},
    }


def endpoints(name: str, namespace: str, address: str, ports: list[tuple[str, int]]) -> dict[str, Any]:
    """The endpoints of a Service: one address on the rig's node."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": namespace, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "nodeName": NODE, "conditions": {"ready": True}}],
        "ports": [{"name": port, "port": number, "protocol": "TCP"} for port, number in ports],
    }


def sensor_endpoints() -> list[dict[str, Any]]:
    """The receivers behind the sensor's Service: a Pod on the rig's node, since traffic stays on the node."""
    ports = [("otlp-http", 4318), ("otlp-grpc", 4317), ("zipkin", 9411), ("dd-traces", 8126)]
    slice_ = endpoints("groundcover-sensor", "groundcover", SENSOR, ports)
    slice_["endpoints"][0]["targetRef"] = {"kind": "Pod", "name": "sensor", "namespace": "groundcover"}
    spec = {
        "nodeName": NODE,
        "serviceAccountName": "groundcover-sensor",
        "automountServiceAccountToken": False,
        "containers": [{"name": "sensor", "image": "none"}],
    }
    labels = {"app.kubernetes.io/name": "sensor", "app.kubernetes.io/instance": "groundcover"}
    metadata = {"name": "sensor", "namespace": "groundcover", "labels": labels}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    return [pod, slice_]


def istiod_pod() -> dict[str, Any]:
    """The Pod that istiod would run in, for who looks for it in the cluster."""
    labels = {"app": "istiod", "istio": "pilot", "istio.io/rev": "default"}
    spec = {
        "nodeName": NODE,
        "serviceAccountName": "istiod",
        "automountServiceAccountToken": False,
        "containers": [{"name": "discovery", "image": "registry.istio.io/release/pilot:1.31.0"}],
    }
    metadata = {"name": "istiod-1", "namespace": "istio-system", "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def running(address: str) -> dict[str, Any]:
    """What a kubelet would report of a Pod."""
    conditions = [{"type": "Ready", "status": "True"}]
    return {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": conditions}


def _gateway() -> dict[str, Any]:
    server = {"port": {"number": GATEWAY_PORT, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}
    spec = {"selector": {"istio": "rig"}, "servers": [server]}
    metadata = {"name": "rig", "namespace": "default"}
    return {"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": metadata, "spec": spec}


def _virtual_service() -> dict[str, Any]:
    destination = {"host": "backend.default.svc.cluster.local", "port": {"number": BACKEND_PORT}}
    spec = {"hosts": ["*"], "gateways": ["rig"], "http": [{"route": [{"destination": destination}]}]}
    metadata = {"name": "rig", "namespace": "default"}
    return {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": metadata, "spec": spec}


def _plaintext() -> dict[str, Any]:
    """No agent gives the sidecar a certificate, without which it would wait to take connections."""
    metadata = {"name": "default", "namespace": "shop"}
    spec = {"mtls": {"mode": "DISABLE"}}
    return {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": metadata, "spec": spec}


def _http_filter(name: str) -> dict[str, Any]:
    return {"filter": {"name": "envoy.filters.network.http_connection_manager", "subFilter": {"name": name}}}


def _without(name: str, filter_chain: dict[str, Any], of: str = "HTTP_FILTER") -> dict[str, Any]:
    """Takes one of Istio's own filters, which a plain Envoy does not have, out of every listener."""
    match = {"context": "ANY", "listener": {"filterChain": filter_chain}}
    spec = {"configPatches": [{"applyTo": of, "match": match, "patch": {"operation": "REMOVE"}}]}
    metadata = {"name": name, "namespace": "istio-system"}
    return {"apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "metadata": metadata, "spec": spec}
