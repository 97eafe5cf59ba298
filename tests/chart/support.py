"""Runs Helm on the chart and gives parsed objects back."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "chart"
VERSIONS = ("3.17.3", "4.1.4", "4.3.1")
# For everything that does not compare versions.
VERSION = "4.1.4"
CI_FILES = sorted((CHART / "ci").glob("*-values.yaml"))

# The smallest values that render, with a token that is easy to find where it should not be.
TOKEN = "planted-ingestion-key"  # noqa: S105 - not a secret of anyone
REQUIRED: dict[str, Any] = {
    "clusterId": "my-cluster",
    "token": TOKEN,
    "ingestion": {"site": "acme.platform.grcv.io"},
}

Object: TypeAlias = dict[str, Any]


def load(text: str) -> Any:
    """Read one YAML document."""
    return yaml.load(text, yaml.CSafeLoader)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge values the way Helm does, without its treatment of null."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            result[key] = merged(old, value)
        else:
            result[key] = value
    return result


def values(**over: Any) -> dict[str, Any]:
    """Give the required values with others merged over them."""
    return merged(REQUIRED, over)


def at(path: str, value: Any) -> dict[str, Any]:
    """Give nested maps with one value at a dotted path."""
    result: Any = value
    for key in reversed(path.split(".")):
        result = {key: result}
    assert isinstance(result, dict)
    return result


@dataclass(frozen=True)
class Render:
    """The objects of a release."""

    objects: tuple[Object, ...]

    def get(self, kind: str, name: str | None = None) -> Object:
        """Give the one object of a kind, and of a name where there are more."""
        found = [o for o in self.objects if o["kind"] == kind and name in {None, o["metadata"]["name"]}]
        assert len(found) == 1, f"{len(found)} objects {kind} {name}"
        return found[0]

    def has(self, kind: str) -> bool:
        """Say whether there is an object of a kind."""
        return any(o["kind"] == kind for o in self.objects)

    @property
    def service(self) -> Object:
        """The Service of the sensor."""
        return self.get("Service")

    @property
    def pod(self) -> Object:
        """The pod template of the DaemonSet."""
        template: Object = self.get("DaemonSet")["spec"]["template"]
        return template

    @property
    def sensor(self) -> Object:
        """The sensor's container."""
        (container,) = (c for c in self.pod["spec"]["containers"] if c["name"] == "sensor")
        found: Object = container
        return found

    @property
    def config(self) -> Object:
        """The sensor's config.yaml."""
        return self._data("-config", "config.yaml")

    @property
    def integration(self) -> Object:
        """The integration document."""
        return self._data("-istio", "integration.yaml")

    def _data(self, suffix: str, key: str) -> Object:
        name = self.get("DaemonSet")["metadata"]["name"] + suffix
        document: Object = load(self.get("ConfigMap", name)["data"][key])
        return document

    @property
    def env(self) -> dict[str, Object]:
        """The sensor's environment by name."""
        entries: list[Object] = self.sensor["env"]
        assert len({e["name"] for e in entries}) == len(entries)
        return {e["name"]: e for e in entries}

    def ordered(self) -> list[Object]:
        """Give the objects in an order that does not depend on Helm's."""
        return sorted(
            self.objects,
            key=lambda o: (o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]),
        )


class HelmError(Exception):
    """Helm said no."""


@dataclass(repr=False)
class Helm:
    """One version of Helm."""

    binary: Path
    home: Path
    cache: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Say which Helm, and not all that it ever rendered."""
        return f"Helm({str(self.binary)!r})"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the person who runs the tests, with a home of Helm's own."""
        return os.environ | {f"HELM_{name}_HOME": str(self.home / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}

    def run(self, *args: str, stdin: str = "") -> str:
        """Run Helm and give its standard output."""
        done = subprocess.run(
            [str(self.binary), *args],
            input=stdin,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise HelmError(done.stderr + done.stdout)
        return done.stdout

    def text(
        self,
        given: Mapping[str, Any] | Path,
        *args: str,
        release: str = "groundcover",
        namespace: str = "groundcover",
        chart: Path = CHART,
        command: str = "template",
    ) -> str:
        """Render the chart, each set of values once per session."""
        if isinstance(given, Path):
            source, stdin = str(given), ""
        else:
            source, stdin = "-", json.dumps(given)
        argv = (command, release, str(chart), "-n", namespace, "-f", source, *args)
        key = json.dumps([argv, stdin])
        if key not in self.cache:
            self.cache[key] = self.run(*argv, stdin=stdin)
        return self.cache[key]

    def render(self, given: Mapping[str, Any] | Path, *args: str, **options: Any) -> Render:
        """Render the chart and read what comes out."""
        documents: Iterator[Any] = yaml.load_all(self.text(given, *args, **options), yaml.CSafeLoader)
        return Render(tuple(d for d in documents if d is not None))

    def refusal(self, given: Mapping[str, Any], *args: str, **options: Any) -> str:
        """Render values that must not render, and give the message."""
        try:
            self.text(given, *args, **options)
        except HelmError as error:
            return str(error)
        message = "these values should not render"
        raise AssertionError(message)
