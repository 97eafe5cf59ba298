"""What makes a run start quickly, and what it must not change."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import typing
from typing import Any

import pytest

from groundcover_istio import records
from groundcover_istio.package_parts import PackageParts


class Ours(records.NamedTuple):
    """Made by us."""

    first: int
    second: str = "b"

    @property
    def both(self) -> str:
        """Something of its own."""
        return f"{self.first}{self.second}"


class Pythons(typing.NamedTuple):
    """Made by Python."""

    first: int
    second: str = "b"


CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}),
    ((1, "c"), {}),
    ((), {"second": "c", "first": 1}),
    ((1,), {"second": "c"}),
    ((), {}),
    ((1, 2, 3), {}),
    ((1,), {"first": 2}),
    ((1,), {"third": 3}),
]


def outcome(made: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> object:
    """What a call gives, or that it is refused."""
    try:
        value = made(*arguments, **named)
    except TypeError:
        return TypeError
    return tuple(value), value.first, value.second, value._asdict(), repr(value).partition("(")[2]


@pytest.mark.parametrize(("arguments", "named"), CALLS)
def test_records_are_named_tuples(arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
    """By position, by name, by default, and refused where Python's own refuse."""
    assert outcome(Ours, arguments, named) == outcome(Pythons, arguments, named)


def test_records_do_what_named_tuples_do() -> None:
    """Compare, replace, copy, match, and can't be changed."""
    value = Ours(1)
    assert value == (1, "b")
    assert value < Ours(2)
    assert hash(value) == hash((1, "b"))
    assert value._replace(second="c") == Ours(1, "c")
    assert type(copy.deepcopy(value)) is Ours
    assert copy.deepcopy(value) == value
    assert value.both == "1b"
    match value:
        case Ours(first, second):
            assert (first, second) == (1, "b")
    with pytest.raises(AttributeError):
        value.first = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        value.third = 3  # type: ignore[attr-defined]


PATTERNS = r"""
import sys
from groundcover_istio.patterns import pattern
words = pattern(r"\w+")
print(words.findall("a b"), words.pattern, "re" in sys.modules)
print(pattern(rb"(?i)A").sub(rb"[\g<0>]", b"ba"))
try:
    pattern("(").match("a")
except Exception as error:
    print(type(error).__module__, error)
import enum, re
print(re.compile("A", re.IGNORECASE), re._compiler.__name__, re.fullmatch(words.pattern, "ab"))
"""
COMPILED = r"""['a', 'b'] \w+ {imported}
b'b[a]'
re missing ), unterminated subpattern at position 0
re.compile('A', re.IGNORECASE) re._compiler <re.Match object; span=(0, 2), match='ab'>
"""


@pytest.mark.parametrize(
    ("way", "imported"),
    [
        pytest.param("", "False", id="by what compiles in `re`, which is not imported"),
        pytest.param("import re", "True", id="by `re`, which is there"),
        pytest.param(
            "from groundcover_istio import patterns as p; p._compiler = lambda: p.none",
            "True",
            id="by `re`, made of others",
        ),
    ],
)
def test_patterns_are_what_re_compiles(way: str, imported: str) -> None:
    """The first use compiles them, and what is wrong with one is said then. `re` is whole afterwards."""
    # Measuring coverage loads modules of its own, `re` among them.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
    command = [sys.executable, "-c", f"{way}\n{PATTERNS}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == COMPILED.format(imported=imported)


def test_parts_of_a_package_are_not_taken_where_it_is_imported() -> None:
    """Nor where there is none: whoever wants them is told by ImportError."""
    for name in ("pytest", "nothing_of_that_name", "antigravity"):
        with pytest.raises(ImportError, match=name), PackageParts(name):
            pass


WAYS = {
    "the parser in C alone": "",
    "the package was there before": "import yaml",
    "PyYAML without its part in C": "import sys; sys.modules['yaml._yaml'] = None",
}
PARSE = """
from groundcover_istio import k8syaml
from groundcover_istio.errors import ManifestError
tree, = k8syaml.parse("a: [1, &x b]\\nc: |\\n  d\\ne: *x\\n")
print(tree)
for broken in ("a: b: c", "a: \\x00", "a: 1\\na: [}", "*a", "- \\n  - x\\n -"):
    try:
        k8syaml.parse(broken)
    except ManifestError as error:
        print(error.where)
import yaml
print(yaml.safe_load("a: 2020-01-01"), yaml.load("a: [1.5, yes]", Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
try:
    yaml.load("- [}", Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
except yaml.MarkedYAMLError as error:
    print("refused", error.problem_mark.line)
"""


def test_every_way_to_pyyaml_reads_the_same() -> None:
    """Trees and errors are the same, and whoever imports the package later has all of it."""
    runs = [
        subprocess.run([sys.executable, "-c", f"{way}\n{PARSE}"], capture_output=True, text=True, check=True)
        for way in WAYS.values()
    ]
    assert runs[0].stdout.endswith("{'a': datetime.date(2020, 1, 1)} {'a': [1.5, True]}\nrefused 0\n")
    assert {run.stdout for run in runs} == {runs[0].stdout}
