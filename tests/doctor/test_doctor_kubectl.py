"""Real kubectl against an API server of a few lines: what it asks, and how it words what it is refused."""

from __future__ import annotations

import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from .conftest import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GROUPS = {
    "endpointslices": "discovery.k8s.io",
    "telemetries": "telemetry.istio.io",
    "sidecars": "networking.istio.io",
    "destinationrules": "networking.istio.io",
    "peerauthentications": "security.istio.io",
}


class Server:
    """Serves a cluster; some kinds are forbidden, some are not there at all."""

    def __init__(self, cluster: Any) -> None:
        self.cluster = cluster
        self.forbidden: set[str] = set()
        self.absent: set[str] = set()
        self.methods: set[str] = set()
        self.paths: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.methods.add(self.command)
                server.paths.append(self.path)
                code, body = server.answer(self.path)
                data = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  as the base class calls them

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.http.server_address[1]}"

    def answer(self, path: str) -> tuple[int, Any]:
        """What the API server says."""
        url = urlsplit(path)
        parts = url.path.strip("/").split("/")
        if parts == ["api"]:
            return 200, {"kind": "APIVersions", "versions": ["v1"]}
        if parts == ["apis"]:
            names = sorted({group for plural, group in GROUPS.items() if plural not in self.absent})
            versions = {name: {"groupVersion": f"{name}/v1", "version": "v1"} for name in names}
            groups = [{"name": name, "versions": [each], "preferredVersion": each} for name, each in versions.items()]
            return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        if parts == ["version"]:
            return 200, {"major": "1", "minor": "32", "gitVersion": "v1.32.0"}
        if parts[0] not in ("api", "apis"):
            return 404, {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}
        group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
        if not rest:
            return 200, self.resources(group)
        plural = rest[-1]
        if plural in self.forbidden:
            message = f'{plural} is forbidden: User "me" cannot list resource "{plural}"'
            return 403, {
                "kind": "Status",
                "apiVersion": "v1",
                "status": "Failure",
                "reason": "Forbidden",
                "message": message,
                "code": 403,
            }
        namespace = rest[1] if rest[0] == "namespaces" and len(rest) > 2 else ""
        items = [each for each in self.cluster[plural] if namespace in ("", each["metadata"]["namespace"])]
        for part in parse_qs(url.query).get("labelSelector", []):
            for key, _, value in (each.partition("=") for each in part.split(",")):
                held = [(each, each["metadata"]["labels"]) for each in items]
                items = [each for each, labels in held if key in labels and value in ("", labels[key])]
        api = f"{group}/v1" if group else "v1"
        items = [{**each, "apiVersion": api} for each in items]
        return 200, {"kind": f"{KINDS[plural]}List", "apiVersion": api, "metadata": {}, "items": items}

    def resources(self, group: str) -> Any:
        """The kinds of a group."""
        names = [each for each in KINDS if GROUPS.get(each, "") == group and each not in self.absent]
        resources = [
            {
                "name": each,
                "singularName": "",
                "namespaced": each != "namespaces",
                "kind": KINDS[each],
                "verbs": ["get", "list"],
            }
            for each in names
        ]
        version = f"{group}/v1" if group else "v1"
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}


@pytest.fixture
def server(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A cluster that the current context of real kubectl points to."""
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    made = Server(cluster)
    config = tmp_path / "config"
    contexts = [{"name": name, "context": {"cluster": name, "user": ""}} for name in ("live", "dead")]
    servers = {"live": made.url, "dead": "http://127.0.0.1:1"}
    clusters = [{"name": name, "cluster": {"server": url}} for name, url in servers.items()]
    kubeconfig = {"apiVersion": "v1", "kind": "Config", "contexts": contexts, "clusters": clusters}
    config.write_text(json.dumps({**kubeconfig, "current-context": "live"}))
    monkeypatch.setenv("KUBECONFIG", str(config))
    monkeypatch.setenv("HOME", str(tmp_path))
    yield made
    made.http.shutdown()
    made.http.server_close()


def test_a_healthy_cluster(server: Server, tool: Callable[..., Any]) -> None:
    """Nothing but reading, and nothing wrong."""
    code, out, err = tool("doctor")
    assert (code, err) == (0, "")
    assert "ok" in out.decode()
    assert server.methods == {"GET"}


def test_what_is_forbidden_and_what_is_not_there(server: Server, tool: Callable[..., Any]) -> None:
    """In the API server's words."""
    server.forbidden, server.absent = {"secrets", "endpointslices"}, {"telemetries"}
    code, out, _ = tool("doctor")
    text = out.decode()
    assert code == 1
    assert "could not read endpointslices of namespace groundcover: endpointslices is forbidden" in text
    assert "could not read secrets of namespace istio-system: secrets is forbidden" in text
    assert "could not read telemetries: the server doesn't have a resource type" in text
    assert "ready endpoint" not in text


def test_a_fleet(server: Server, tool: Callable[..., Any]) -> None:
    """A cluster that can't be reached is said to be so, beside one that can."""
    del server
    code, out, _ = tool("doctor", "--all-contexts", "--format", "json", "--timeout", "5")
    dead, live = sorted(json.loads(out)["contexts"], key=lambda each: each["context"])
    assert code == 1
    assert (dead["context"], dead["ok"], live["ok"]) == ("dead", False, True)
    assert {each["status"] for each in dead["items"]} == {"unknown"}
    assert "refused" in dead["items"][0]["message"]


def test_a_context_that_is_not_there(server: Server, tool: Callable[..., Any]) -> None:
    """Real kubectl is asked for the names of those that are; the cluster is asked for no object."""
    code, out, err = tool("doctor", "--context", "liv")
    assert (code, out) == (2, b"")
    assert "kubectl knows no context liv; it knows dead, live" in err
    assert not [path for path in server.paths if path.startswith("/api")]
    assert tool("doctor", "--context", "live").code == 0
