"""The checklist for people and for programs, and one table for many clusters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio.doctor.examine import Section, is_well

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundcover_istio.doctor.items import Item
    from groundcover_istio.model import Data

_MARKS: Final = {"ok": "ok  ", "fail": "FAIL", "warn": "warn", "unknown": "?   "}
_WORDS: Final = {"ok": "ok", "fail": "failed", "warn": "warned of", "unknown": "could not be told"}
_COLORS: Final = {"ok": "32", "fail": "31", "warn": "33", "unknown": "35"}


class Examined(NamedTuple):
    """The checklist of one cluster."""

    context: str
    """Empty where there is only one."""
    sections: list[Section]

    @property
    def items(self) -> list[Item]:
        """Every line of it."""
        return [item for section in self.sections for item in section.items]

    def count(self, status: str) -> int:
        """How many lines have a status."""
        return sum(item.status == status for item in self.items)


def text(examined: list[Examined], *, color: bool) -> str:
    """The checklists, and a table where there are several."""
    lines: list[str] = []
    for each in examined:
        lines += [f"== {each.context}"] if each.context else []
        lines += _checklist(each, color=color)
        lines.append("")
    if examined and examined[0].context:
        lines += [*_table(examined), ""]
    return "\n".join(lines)


def _checklist(examined: Examined, *, color: bool) -> Iterator[str]:
    for section in examined.sections:
        yield section.title
        for item in section.items:
            mark = _MARKS[item.status]
            mark = f"\033[{_COLORS[item.status]}m{mark}\033[0m" if color else mark
            yield f"  {mark}  {item.text}"
            if item.status != "ok":
                yield from _labelled("causes", item.causes)
                yield from _labelled("fix", item.fix)
    counts = [f"{number} {words}" for status, words in _WORDS.items() if (number := examined.count(status))]
    yield f"{', '.join(counts) or 'nothing to judge'}"


def _labelled(label: str, words: str) -> Iterator[str]:
    for index, line in enumerate(words.splitlines()):
        yield f"        {label + ':' if not index else '':<7} {line}"


def _table(examined: list[Examined]) -> Iterator[str]:
    rows = [("CONTEXT", "OK", "FAILED", "WARNINGS", "UNKNOWN", "FIRST")]
    for each in examined:
        first = next(
            (item for status in ("fail", "unknown", "warn") for item in each.items if item.status == status), None
        )
        counts = [str(each.count(status)) for status in ("ok", "fail", "warn", "unknown")]
        rows.append((each.context, *counts, first.code if first else "-"))  # type: ignore[arg-type]  # six in all
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def as_json(examined: list[Examined]) -> str:
    """The same for programs."""
    contexts = [
        {
            "context": each.context,
            "ok": is_well(each.sections),
            "items": [_item(section, item) for section in each.sections for item in section.items],
        }
        for each in examined
    ]
    return json.dumps({"ok": all(each["ok"] for each in contexts), "contexts": contexts}, indent=2) + "\n"


def _item(section: Section, item: Item) -> dict[str, Data]:
    bad = item.status != "ok"
    return {
        "section": section.title,
        "code": item.code,
        "status": item.status,
        "message": item.text,
        "causes": item.causes if bad else "",
        "fix": item.fix if bad else "",
        "values": item.values,
    }
