"""The streams that `make bench` measures on: real ones, and large ones made around them, the same at every run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import helm_binaries

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA_VARIABLE: Final = "GROUNDCOVER_ISTIO_TEST_DATA"
HELM: Final = "3.17.3"
# The 1.31 line; Istio's tags have no `v`, so Go knows its releases by pseudo-versions only.
ISTIO: Final = "istio.io/istio@v0.0.0-20260827124520-eed52ebb66ad"
MEGABYTE: Final = 1_000_000
SENSOR: Final = (
    "--namespace=groundcover",
    "--set=clusterId=bench",
    "--set=ingestion.site=acme.platform.grcv.io",
    "--set-string=token=none",
)

# A release as any other: nothing in it that the post-renderer looks for.
APPLICATION: Final = """\
---
# Source: shop/templates/{n}.yaml
apiVersion: v1
kind: Service
metadata:
  name: shop-{n}
  namespace: shop
  labels: {{app.kubernetes.io/name: shop-{n}, app.kubernetes.io/part-of: shop}}
spec:
  selector: {{app.kubernetes.io/name: shop-{n}}}
  ports:
  - {{name: http, port: 80, targetPort: 8080}}
---
# Source: shop/templates/{n}.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: shop-{n}
  namespace: shop
data:
  application.yaml: |
    server: {{port: 8080}}
    database:
      url: jdbc:postgresql://db-{n}.shop.svc.cluster.local:5432/shop
      pool: {{minimum: 2, maximum: 20}}
---
# Source: shop/templates/{n}.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop-{n}
  namespace: shop
spec:
  replicas: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: shop-{n}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: shop-{n}
      annotations:
        checksum/config: "{n:064x}"
    spec:
      serviceAccountName: shop-{n}
      containers:
      - name: shop
        image: "registry.example.com/shop/{n}:1.{n}.0"
        args: ["--config=/etc/shop/application.yaml", "--verbosity=2"]
        ports:
        - {{name: http, containerPort: 8080, protocol: TCP}}
        env:
        - name: POD_NAME
          valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}
        readinessProbe:
          httpGet: {{path: /ready, port: http}}
          periodSeconds: 10
        resources:
          requests: {{cpu: 100m, memory: 128Mi}}
          limits: {{memory: 256Mi}}
        volumeMounts:
        - {{name: config, mountPath: /etc/shop}}
      volumes:
      - name: config
        configMap: {{name: shop-{n}}}
"""
TINY: Final = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c-{n}}}\ndata: {{a: b}}\n"
PROVIDER: Final = """\
    - name: provider-{n}
      opentelemetry:
        port: 4317
        service: collector-{n}.observability.svc.cluster.local
"""


class Input(NamedTuple):
    """A stream and what is known about it."""

    name: str
    path: Path
    edited: bool
    """Whether a mesh config is in it that becomes another."""
    added: bool
    """Whether a Telemetry is added to it."""
    documents: int

    @property
    def size(self) -> int:
        """Bytes."""
        return self.path.stat().st_size


class Inputs:
    """Makes streams in a folder."""

    def __init__(self, folder: Path, root: Path) -> None:
        """Find the real istiod stream, or make it: `origin` says which."""
        self.folder = folder
        self.root = root
        given = os.environ.get(DATA_VARIABLE)
        found = sorted(root.joinpath(given).glob("istiod-*.helm3-stdin.yaml")) if given else []
        if found:
            self.istiod_text = found[-1].read_text()
            self.origin = f"what Helm 3 handed to a post-renderer for {found[-1].name.partition('.helm3')[0]}"
        else:
            self.istiod_text = self._helm("istiod", str(self.istio_chart()), "--namespace=istio-system")
            self.origin = f"Istio's own chart, of {ISTIO}, rendered by Helm {HELM}"

    def istiod(self) -> Input:
        """A real istiod release, as Helm hands it to a post-renderer."""
        return self._input("istiod", self.istiod_text, edited=True)

    def chart(self) -> Input:
        """Our chart's release, to which a Telemetry is added."""
        return self._input("our chart", self._helm("groundcover", "chart", *SENSOR), added=True)

    def unrelated(self) -> Input:
        """A release of 200 KB with nothing of ours in it."""
        return self._input("unrelated release", _up_to(200_000, APPLICATION))

    def among_thousands(self, megabytes: int) -> Input:
        """An istiod in the middle of an application's documents."""
        half = (megabytes * MEGABYTE - len(self.istiod_text)) // 2
        before, after = _up_to(half, APPLICATION), _up_to(half, APPLICATION, first=MEGABYTE)
        return self._input(f"istiod among many, {megabytes} MB", before + self._separated() + after, edited=True)

    def giant_config_map(self, megabytes: int) -> Input:
        """An istiod beside one ConfigMap that holds nearly all of the stream."""
        line = f"    {'all work and no play makes a long line, ' * 2}{{n}}\n"
        giant = "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: giant\ndata:\n  text: |\n"
        giant += _up_to(megabytes * MEGABYTE - len(self.istiod_text), line)
        return self._input(f"one giant ConfigMap, {megabytes} MB", giant + self._separated(), edited=True)

    def giant_mesh(self, megabytes: int) -> Input:
        """A mesh config with thousands of extension providers."""
        head = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\n"
        head += "data:\n  mesh: |-\n    rootNamespace: istio-system\n    extensionProviders:\n"
        mesh = head + _up_to(megabytes * MEGABYTE - len(head) - len(PROVIDER), PROVIDER)
        return self._input(f"one giant mesh, {megabytes} MB", mesh, edited=True)

    def tiny_documents(self, count: int) -> Input:
        """An istiod behind a great many documents of three lines."""
        text = "".join(TINY.format(n=n) for n in range(count))
        return self._input(f"{count:,} tiny documents", text + self._separated(), edited=True)

    def _separated(self) -> str:
        return self.istiod_text if self.istiod_text.startswith("---") else f"---\n{self.istiod_text}"

    def _input(self, name: str, text: str, *, edited: bool = False, added: bool = False) -> Input:
        path = self.folder / f"{''.join(letter if letter.isalnum() else '-' for letter in name)}.yaml"
        path.write_text(text)
        return Input(name, path, edited, added, text.count("\n---\n") + 1)

    def _helm(self, *arguments: str) -> str:
        """What Helm hands to a post-renderer: `helm template` sorts and joins documents only afterwards."""
        stream, spy = self.folder / "stream.yaml", self.folder / "spy"
        spy.write_text(f"#!/bin/sh\nexec tee '{stream}'\n")
        spy.chmod(0o755)
        command = [str(helm_binaries.helm(HELM)), "template", *arguments, f"--post-renderer={spy}"]
        subprocess.run(command, cwd=self.root, check=True, stdout=subprocess.DEVNULL)
        return stream.read_text()

    def istio_chart(self) -> Path:
        """A copy of Istio's own istiod chart; from its Go module."""
        chart = self.folder / "istiod-chart"
        if not chart.exists():
            command = [helm_binaries.go(), "mod", "download", "-json", ISTIO]
            done = subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
            source = Path(json.loads(done.stdout)["Dir"]) / "manifests/charts/istio-control/istio-discovery"
            shutil.copytree(source, chart, copy_function=shutil.copyfile)
        for path in [chart, *chart.rglob("*")]:
            path.chmod(0o755)
        return chart


def _up_to(size: int, template: str, *, first: int = 0) -> str:
    """The template with n = 0, 1, 2, … until the text has that many bytes."""

    def parts() -> Iterator[str]:
        made, number = 0, first
        while made < size:
            part = template.format(n=number)
            yield part
            made += len(part)
            number += 1

    return "".join(parts())
