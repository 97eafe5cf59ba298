"""The table of values in the chart's README, from the comments in values.yaml; `--check` only compares.

A comment above a key that holds `# -- ` describes it from there on, the convention of helm-docs. A key without one has
to lie below a key with one, or hold keys that have one: a value that nobody described is an error.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

CHART = Path(__file__).resolve().parent.parent / "chart"
README = CHART / "README.md"
SUBCHART = "istio-metrics"
BEGIN = "<!-- values: written by tools/chart_readme.py -->\n"
END = "<!-- end of values -->\n"
LONGEST_DEFAULT = 60


class Row(NamedTuple):
    """One value."""

    key: str
    kind: str
    default: Any
    description: str


class UndescribedError(Exception):
    """A value without a description; the text is its key."""


def main(arguments: list[str] | None = None) -> int:
    """Write the table, or with --check say that it is stale (exit 1)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the table is stale")
    check = parser.parse_args(arguments).check
    try:
        text = readme(README.read_text(encoding="utf-8"))
    except UndescribedError as error:
        print(f"chart_readme: {error} has no description (`# -- …` above it)", file=sys.stderr)
        return 1
    if text == README.read_text(encoding="utf-8"):
        return 0
    print(f"chart/README.md: {'the table of values is stale, run tools/chart_readme.py' if check else 'written'}")
    if not check:
        README.write_text(text, encoding="utf-8")
    return int(check)


def readme(text: str) -> str:
    """The README with its tables made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    own = table(rows((CHART / "values.yaml").read_text(encoding="utf-8")))
    sub = table(rows((CHART / "charts" / SUBCHART / "values.yaml").read_text(encoding="utf-8"), f"{SUBCHART}."))
    between = f"\nOf the subchart `{SUBCHART}`, the agent of `metrics.mode: agent`:\n\n"
    return f"{before}{BEGIN}\n{own}{between}{sub}\n{END}{after}"


def table(values: list[Row]) -> str:
    """The values as a table."""
    lines = ["| Key | Type | Default | Description |", "|---|---|---|---|"]
    for row in values:
        default = json.dumps(row.default, ensure_ascii=False)
        default = "see values.yaml" if len(default) > LONGEST_DEFAULT else f"`{default}`"
        cells = (f"`{row.key}`", row.kind, default, row.description)
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def rows(text: str, prefix: str = "") -> list[Row]:
    """Every described value of a values file, in its order."""
    root = yaml.compose(text, yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        message = "the values are no map"
        raise TypeError(message)
    return list(_rows(root, text.splitlines(), prefix, described=False))


def _rows(node: yaml.MappingNode, lines: list[str], prefix: str, *, described: bool) -> Iterator[Row]:
    for key_node, value_node in node.value:
        key = f"{prefix}{key_node.value}"
        description = comment(lines, key_node.start_mark.line)
        if description:
            default = yaml.SafeLoader("").construct_document(value_node)
            yield Row(key, kind(default), default, description)
        if isinstance(value_node, yaml.MappingNode) and value_node.value:
            yield from _rows(value_node, lines, f"{key}.", described=described or bool(description))
        elif not description and not described:
            raise UndescribedError(key)


def comment(lines: list[str], line: int) -> str:
    """The description in the comment above a line, or nothing."""
    block: list[str] = []
    while line and lines[line - 1].lstrip().startswith("#"):
        line -= 1
        block.insert(0, lines[line].lstrip().removeprefix("#").strip())
    starts = [i for i, text in enumerate(block) if text.startswith("-- ")]
    if not starts:
        return ""
    return " ".join([block[starts[-1]].removeprefix("-- "), *block[starts[-1] + 1 :]])


def kind(value: Any) -> str:
    """The type of a default, in the words of helm-docs."""
    names = {bool: "bool", int: "int", float: "float", str: "string", list: "list", dict: "object"}
    return names[type(value)]


if __name__ == "__main__":
    sys.exit(main())
