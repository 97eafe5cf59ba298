"""What the hostile inputs are put into, and what becomes of it undisturbed."""

from __future__ import annotations

import os
import textwrap
from typing import NamedTuple

MESH = "rootNamespace: istio-system\nenableTracing: true\n"
OBJECT = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: istio
  namespace: istio-system
data:
  mesh: |-
"""
# What render adds to this mesh config.
ADDED = """\
extensionProviders:
- name: otel-tracing
  opentelemetry:
    service: groundcover-sensor.groundcover.svc.cluster.local
    port: 4318
    http:
      path: /v1/traces
      timeout: 5s
defaultProviders:
  tracing:
  - otel-tracing
defaultConfig:
  tracing:
    sampling: 1
"""
POD = b"apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n"


class Stream(NamedTuple):
    """A stream, and what render makes of it."""

    before: bytes
    after: bytes


def unmeasured(**more: str) -> dict[str, str]:
    """The environment for a process in which no coverage is measured, with more variables.

    Measuring takes three times as long, memory and files of its own, starts before us and swallows Ctrl-C; and a process
    that is killed leaves half a file of it. Nor has it a variable of ours.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("COVERAGE", "GROUNDCOVER_ISTIO_"))}
    return kept | more


def indented(text: bytes) -> bytes:
    """Lines as they stand in a block scalar of `data`."""
    return b"".join(b"    " + line if line.strip(b"\r\n") else line for line in text.splitlines(keepends=True))


def istiod(document: bytes = b"", mesh: bytes = b"") -> Stream:
    """A mesh config, with something at the top of its document or of its own text."""
    start = b"---\n" + document + OBJECT.encode() + indented(mesh + MESH.encode())
    return Stream(start, start + textwrap.indent(ADDED, "    ").encode())


def beside(other: bytes) -> Stream:
    """A document before and behind one that is patched."""
    plain, last = istiod(), b"---\n" + POD
    around = b"---\n" + other + (b"" if other.endswith(b"\n") else b"\n")
    return Stream(*(around + each + around + last for each in plain))
