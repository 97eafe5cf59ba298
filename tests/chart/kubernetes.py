"""What Kubernetes' own schemas say about an object, strictly: a field that does not exist is a complaint.

The schemas are those in the package kubernetes-validate. Its own function reads some megabytes for each object; here they are
read once, and a kind without a schema is an error unless it is named as an operator's.
"""

from __future__ import annotations

import functools
import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

if TYPE_CHECKING:
    from .support import Object

OLDEST, NEWEST = "1.25", "1.37"
# Kinds of operators: Kubernetes has no schema of them, and the tests of the metrics look at them.
CUSTOM = {"PodMonitor", "ServiceMonitor", "VMPodScrape", "VMServiceScrape"}


@functools.cache
def registry(version: str) -> Registry[Any]:
    """Give the definitions of a version of Kubernetes."""
    return Resource.from_contents(contents(version, "_definitions.json")) @ Registry()


def contents(version: str, name: str) -> Any:
    """Read one of the package's files."""
    pytest.importorskip("kubernetes_validate")
    folder = resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    return json.loads((folder / name).read_text(encoding="utf-8"))


@functools.cache
def validator(version: str, api: str, kind: str) -> Draft202012Validator:
    """Give the schema of a kind."""
    # rbac.authorization.k8s.io/v1 is in rbac-v1
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api)
    schema = Resource.from_contents(contents(version, f"{kind.lower()}-{group}.json"))
    return Draft202012Validator(schema.contents, registry=schema @ registry(version))


def complaints(o: Object, version: str) -> list[str]:
    """Give what is wrong with an object."""
    if o["kind"] in CUSTOM:
        return []
    found = validator(version, o["apiVersion"], o["kind"]).iter_errors(o)
    return [f"{o['kind']} {error.json_path}: {error.message}" for error in found]
