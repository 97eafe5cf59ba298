"""Directory cases: `values.yaml` renders to `expected.yaml`, object by object.

`pytest tests/chart --update` writes what Helm gives; read it before you commit it. Objects are compared, not text, and their
number too: an object that vanishes is a difference.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from .support import Helm, Object, load

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES = Path(__file__).parent / "golden"
NAMES = sorted(path.name for path in CASES.iterdir())


class Dumper(yaml.SafeDumper):
    """Writes text of several lines as a block, so that a configuration in a ConfigMap can be read and compared."""


def text(dumper: Dumper, data: str) -> yaml.ScalarNode:
    """Represent text."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)


Dumper.add_representer(str, text)


def opened(o: Object) -> Object:
    """Give an object with the YAML in its data parsed: a ConfigMap's text may differ in spaces between versions of Helm."""
    if o["kind"] != "ConfigMap":
        return o
    return {**o, "data": {key: load(value) for key, value in o["data"].items()}}


def documents(objects: list[Object]) -> Iterator[str]:
    """Write the objects, each under a line that says which it is."""
    for o in objects:
        head = f"# {o['kind']} {o['metadata']['name']}\n"
        yield head + yaml.dump(o, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)


@pytest.mark.parametrize("name", NAMES)
def test_case(helm: Helm, name: str, request: pytest.FixtureRequest) -> None:
    """The default and the typical installs render what was read and agreed on."""
    case = CASES / name
    render = helm.render(case / "values.yaml")
    if request.config.getoption("--update"):
        written = "# yamllint disable-file\n" + "---\n".join(documents(render.ordered()))
        (case / "expected.yaml").write_text(written, encoding="utf-8")
    expected = list(yaml.load_all((case / "expected.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader))
    assert [opened(o) for o in render.ordered()] == [opened(o) for o in expected]


def test_there_is_a_case_for_each_typical_install() -> None:
    """The default, ambient with metrics, a hardened one, one under an umbrella's globals."""
    assert NAMES == ["ambient-metrics", "default", "hardened", "platform-globals"]
