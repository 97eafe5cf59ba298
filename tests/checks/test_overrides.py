"""Values laid over each other are those that real Helm makes of the same files and arguments."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from groundcover_istio import k8syaml
from groundcover_istio.checks.overrides import Override, laid
from groundcover_istio.checks.parts import Part
from groundcover_istio.checks.places import Lines, Place

if TYPE_CHECKING:
    from pathlib import Path

FIRST = "m:\n  l: [{k: a, o: {s: x}}, q, null]\n  s: text\n  z: null\n  gone: {a: 1, b: [1, 2]}\n"
SECOND = "m:\n  gone: {b: [3], c: null}\n  z: {a: 1}\n"
# What a name and a value are for Helm: each an argument of its own.
SAID = [
    "m.l[0].o.s=y", "m.l[1].o=1", "m.l[2].o=1", "m.l[2][1]=1", "m.l[4]=0", "m.s.t=1", "m.z.t=1", "m.z[0]=1", "m.x=0.5",
    "m.x=+5", "m.x=-07", "m.x=007", "m.x=00", "m.x=0", "m.x={a,b}", "m.x={}", "m.x={a{,b}", "m.x=", r"m\.k.x=TRUE",
    "m.l.x=1", "m.l[x]=1", "m.l[0][1]=2", "m.n[0][1]=2", "m.n[1].a[0].b=2", "m..x=1", ".x=1", "[0]=1", "m.x={a",
    "m.x={a}b", r"m.x={a\}\,b}", r"m.x=a\,b\\", "m.x=a,b", "m.l[0]=null", "m.x[ 1 ]=1", "m.l[-1]=1", "m.l[+1]=6", "m.x=nUll",
    "m.x=9223372036854775807", "m.x=9223372036854775808", "m.x={1,true,a b}", "m.x[0]={1,true}", "m.l[0]x=3", "m.l[0=3",
    "m.l]=3", r"m.\[a=3", "m.x=a=b", "m.x=[1]", "m={a}", "m=1",
]  # fmt: skip


def part_of(text: str) -> Part:
    """A values file."""
    root = k8syaml.parse(text)[0].root
    return Part(Place("values.yaml", "", root, Lines(text), None), k8syaml.to_data(root))


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chart that shows its values."""
    folder = tmp_path_factory.mktemp("shown")
    (folder / "templates").mkdir()
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: shown\nversion: 1.0.0\n")
    (folder / "templates/shown.yaml").write_text("shown: |-\n  {{ toJson .Values }}\n")
    (folder / "first.yaml").write_text(FIRST)
    (folder / "second.yaml").write_text(SECOND)
    return folder


def of_helm(helm: Path, chart: Path, *arguments: str) -> Any:
    """What Helm makes of it; None where it refuses it."""
    command = [str(helm), "template", "x", str(chart), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if done.returncode else json.loads(k8syaml.to_data(k8syaml.parse(done.stdout)[0].root)["shown"])


def test_each_value_is_set_as_helm_sets_it(chart: Path, helm_binaries: dict[str, Path]) -> None:
    """What Helm refuses changes nothing."""
    helm = helm_binaries["3.17.3"]
    before = k8syaml.load(FIRST)[0]
    texts = [("--set-string", said) for said in ("m.x=0", "m.x=nUll", "m.x={1,true}")]
    for option, said in [*(("--set", each) for each in SAID), *texts]:
        name, _, value = said.partition("=")
        found = laid([part_of(FIRST)], [Override(name, value, 0, option == "--set-string")], part_of("{}").place)
        expected = of_helm(helm, chart, "-f", str(chart / "first.yaml"), option, said)
        assert found is not None
        assert found.data == (before if expected is None else expected), (option, said)


@pytest.mark.parametrize("version", ["3.17.3", "4.3.1"])
def test_the_order_is_helms(version: str, chart: Path, helm_binaries: dict[str, Path]) -> None:
    """Files one after the other, then --set, then --set-string, wherever they stand."""
    said = [Override("m.s", "1", 0, string=True), Override("m.s", "2", 0), Override("m.gone.a", "3", 0)]
    arguments = ["--set-string", "m.s=1", "--set", "m.s=2", "--set", "m.gone.a=3"]
    files = ["-f", str(chart / "first.yaml"), "-f", str(chart / "second.yaml")]
    found = laid([part_of(FIRST), None, part_of("- text"), part_of(SECOND)], said, part_of("{}").place)
    assert found is not None
    assert found.data == of_helm(helm_binaries[version], chart, *arguments, *files)


def test_places_are_kept() -> None:
    """Of what is laid over, of what stays, of what is made on the way, and of an alias's target."""
    text = "a: &a\n  b: [1, 2]\nc: *a\nover: x\n"
    over = text.index("x")
    said = [Override("a.b[0]", "7", over), Override("a.new.deep[1]", "7", over)]
    found = laid([part_of(text)], said, part_of("{}").place)
    assert found is not None
    ways: list[tuple[str | int, ...]] = [("a", "b"), ("a", "b", 1), ("a", "b", 0), ("a", "new", "deep", 1), ("c", "b")]
    assert [found.place.at(way) for way in ways] == [(2, 3), (2, 10), (4, 7), (4, 7), (2, 3)]
    assert laid([], [], found.place) is None
