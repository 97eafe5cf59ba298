"""What the API server says of an object that it is asked to make, without making it."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any

from .addresses import API_PORT


class Admission:
    """One connection for many questions: kubectl would take longer to start than the API server to answer."""

    def __init__(self) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the rig's API server signs for itself
        self._connection = http.client.HTTPSConnection("127.0.0.1", API_PORT, context=context, timeout=30)

    def refusal(self, spec: Any) -> str:
        """Why a mesh-wide Telemetry with this spec is refused; empty where it is not."""
        metadata = {"name": "differential", "namespace": "istio-system"}
        body = {"apiVersion": "telemetry.istio.io/v1", "kind": "Telemetry", "metadata": metadata, "spec": spec}
        path = "/apis/telemetry.istio.io/v1/namespaces/istio-system/telemetries?dryRun=All&fieldValidation=Strict"
        headers = {"Authorization": "Bearer token", "Content-Type": "application/json"}
        self._connection.request("POST", path, json.dumps(body), headers)
        response = self._connection.getresponse()
        said = json.loads(response.read())
        return "" if response.status == http.client.CREATED else str(said["message"])

    def stop(self) -> None:
        """Hang up."""
        self._connection.close()
