"""What we write and read as scalars, against Helm's own reading."""

from __future__ import annotations

import json
import random
import subprocess
from typing import TYPE_CHECKING

import pytest

from groundcover_istio.k8syaml import parse, to_data
from groundcover_istio.serializer import scalar_text

if TYPE_CHECKING:
    from pathlib import Path

CHART = "apiVersion: v2\nname: scalars\nversion: 1.0.0\n"
TEMPLATE = '{{ .Files.Get "scalars.yaml" | fromYaml | toJson }}\n'
PLAIN = [
    "1e3", "1E3", "1e+3", "1e-3", "0o10", "010", "08", "09", "1_000", "y", "yes", "on", "Yes", "n", "off", "0b1", "0x1F",
    "12:30", "12:30:45", "2024-01-01", "123e4567", "=", "~", "null", "Null", "True", "FALSE", ".5", "1.", "1.5", "-5",
    "+7", "1.2.3", "5s", "a b", ".inf.", "_1", "1__0", "0", "00", "-0", "0.0", "1e400", "12345678901234567890", "0x", "0b2",
    "1e", "e1", "YES", "oN", "nO", "~a", "null1", "0.1e-2", "9223372036854775807", "18446744073709551615", "-.5", "+.5",
]  # fmt: skip


def helm_reads(helm: Path, text: str, folder: Path) -> dict[str, object]:
    """The mapping that Helm reads from a YAML text."""
    (folder / "templates").mkdir()
    (folder / "Chart.yaml").write_text(CHART)
    (folder / "templates/out.yaml").write_text(TEMPLATE)
    (folder / "scalars.yaml").write_text(text)
    done = subprocess.run([str(helm), "template", "x", str(folder)], capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("{"))
    data = json.loads(line)
    assert isinstance(data, dict)
    return data


def as_float(value: object) -> object:
    """A number as a float, anything else as it is."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


@pytest.mark.parametrize("version", ["3.17.3", "4.3.1"])
def test_plain_scalars_are_read_as_helm_reads_them(
    version: str, helm_binaries: dict[str, Path], tmp_path: Path
) -> None:
    """Every plain scalar has the same value to us and to Helm."""
    text = "".join(f"k{index}: {scalar}\n" for index, scalar in enumerate(PLAIN))
    theirs = helm_reads(helm_binaries[version], text, tmp_path)
    (tree,) = parse(text)
    ours = to_data(tree.root)
    for index, scalar in enumerate(PLAIN):
        # Helm has one kind of number, a 64-bit float.
        assert as_float(ours[f"k{index}"]) == as_float(theirs[f"k{index}"]), scalar
        assert isinstance(ours[f"k{index}"], bool) == isinstance(theirs[f"k{index}"], bool), scalar


@pytest.mark.parametrize("version", ["3.17.3", "4.3.1"])
def test_written_strings_are_read_back_by_helm(version: str, helm_binaries: dict[str, Path], tmp_path: Path) -> None:
    """Whatever the text, in each of the three styles Helm reads the string that was meant."""
    generator = random.Random(20261125)  # noqa: S311  the same texts in every run
    alphabet = "abyno019eE.:-+_/~#'\"\\ \t\n%@`!&*?|>[]{},=éß日\u2028\u0007"
    texts = [*PLAIN, "", " ", *("".join(generator.choices(alphabet, k=generator.randint(1, 6))) for _ in range(2000))]
    values = {f"k{index}": text for index, text in enumerate(texts)}
    styles = ["", "'", '"']
    lines = [
        f"{key}: {scalar_text(text, style=styles[index % 3])}\n" for index, (key, text) in enumerate(values.items())
    ]
    assert helm_reads(helm_binaries[version], "".join(lines), tmp_path) == values
