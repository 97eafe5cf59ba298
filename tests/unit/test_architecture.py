"""The direction of imports, and what a good run never loads."""

from __future__ import annotations

import ast
import functools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import groundcover_istio
from groundcover_istio import __version__, helm_plugin

PACKAGE = Path(groundcover_istio.__file__).parent
ROOT = Path(__file__).resolve().parents[2]
NAME = "groundcover_istio"

# Which modules of ours each module may import, the lowest first; ARCHITECTURE.md shows the same.
ALLOWED = {
    "errors": set(),
    "package_parts": set(),
    "patterns": {"package_parts"},
    "records": set(),
    "model": {"errors", "records"},
    "limits": set(),
    "_since": set(),
    "_schemas": set(),
    "_validators": {"patterns"},
    "spelling": {"errors", "patterns", "model"},
    "chart_version": {"model"},
    "subcharts": {"model"},
    "helm_set": {"model"},
    "istio": {"errors", "patterns", "model", "spelling", "_since"},
    "control_plane": {"records", "model", "istio"},
    "mesh_types": set(),
    "decoding": {"errors", "model", "istio", "mesh_types", "spelling"},
    "libyaml": {"errors", "package_parts"},
    "k8syaml": {"errors", "patterns", "records", "model", "limits", "libyaml"},
    "serializer": {"patterns", "model", "k8syaml"},
    "stream": {"errors", "patterns", "records"},
    "validation": {"records", "model", "spelling", "_validators", "_schemas"},
    "config": {"errors", "records", "model", "istio", "k8syaml", "validation"},
    "options": {"errors", "records", "model", "k8syaml", "config"},
    "inventory": {"errors", "patterns", "records", "model", "limits", "istio", "control_plane", "k8syaml", "stream", "config"},
    "layout": {"patterns", "records", "model", "k8syaml"},
    "edits": {"errors", "records", "model", "k8syaml", "serializer", "layout", "spelling"},
    "embedded": {"patterns", "records", "model", "k8syaml", "serializer", "layout", "edits"},
    "rules.plan": {"records", "model", "inventory"},
    "rules.tracing": {"model", "istio"},
    "rules.versions": {"model", "istio", "inventory", "rules.plan"},
    "rules.sensor": {"errors", "patterns", "model", "istio", "config", "inventory", "rules.plan"},
    "rules.provider": {"errors", "model", "istio", "spelling", "inventory", "rules.plan", "rules.sensor"},
    "rules.values": {"errors", "model", "istio", "control_plane", "spelling", "inventory", "rules.plan"},
    "rules.logs": {"model", "istio", "spelling", "inventory", "rules.plan", "rules.values"},
    "rules.mesh_config": {
        "errors", "model", "istio", "spelling", "inventory", "rules.plan", "rules.provider", "rules.values", "rules.logs",
    },
    "rules.telemetry": {
        "errors", "model", "istio", "validation", "inventory", "rules.plan", "rules.tracing", "rules.logs",
        "rules.versions",
    },
    "rules.shared": {
        "errors", "model", "istio", "serializer", "spelling", "inventory", "rules.plan", "rules.provider", "rules.mesh_config",
        "rules.logs",
    },
    "rules": {
        "model", "inventory", "rules.plan", "rules.versions", "rules.sensor", "rules.mesh_config", "rules.telemetry",
        "rules.shared",
    },
    "discarded": {"model", "control_plane", "decoding", "spelling", "inventory", "edits", "rules.plan"},
    "report": {"errors", "model"},
    "difference": {"model", "k8syaml"},
    "pipeline": {
        "errors", "model", "k8syaml", "serializer", "stream", "validation", "istio", "config", "inventory", "edits", "embedded", "rules",
        "rules.plan", "discarded", "report",
    },
    "interrupts": set(),
    "processes": {"interrupts"},
    "helm_plugin": {"errors", "interrupts", "processes", ""},
    "checks.*": {
        "errors", "model", "chart_version", "subcharts", "helm_set", "spelling", "istio", "control_plane", "mesh_types", "decoding", "limits", "k8syaml", "serializer", "stream", "validation", "config", "inventory",
        "rules.tracing", "rules.telemetry", "rules.values", "",
    },
    "exports.*": {
        "errors", "model", "chart_version", "subcharts", "helm_set", "spelling", "istio", "control_plane", "k8syaml", "serializer", "stream", "validation", "config", "inventory", "edits", "embedded",
        "rules.sensor", "rules.logs", "rules.telemetry", "rules.values", "report", "pipeline",
    },
    "doctor.*": {
        "errors", "model", "limits", "spelling", "istio", "mesh_types", "decoding", "k8syaml", "config", "rules.tracing", "report", "interrupts",
        "processes", "checks.*",
    },
    "console": {"errors", "limits", "stream", "interrupts"},
    "progress": {"errors", "interrupts", "console"},
    "variables": {"errors", "libyaml", "config", "options", "console"},
    "arguments": {"errors", "config", "options", "console", "variables"},
    "commands": set(),
    "commands.render": {"errors", "stream", "pipeline", "report", "console", "progress", "variables", "arguments", ""},
    "commands.diff": {"errors", "stream", "pipeline", "report", "difference", "console", "progress", "arguments"},
    "commands.install_plugin": {"helm_plugin", "console", "arguments"},
    "commands.check": {"errors", "config", "console", "progress", "variables", "arguments", "checks.*"},
    "commands.rule": {"errors", "console", "arguments", "checks.*"},
    "commands.export": {"errors", "config", "console", "progress", "arguments", "exports.*"},
    "commands.doctor": {"errors", "istio", "console", "progress", "arguments", "doctor.*"},
    "cli": {"errors", "stream", "interrupts", "console", "commands", "commands.render"},
    "__main__": {"cli"},
    "": set(),
}  # fmt: skip


@functools.cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package by its name below it, the package itself as ''."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text())
    return found


def imported(tree: ast.Module) -> set[str]:
    """Every module that a module names in an import, wherever it stands; names taken from a package included."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def allowed(module: str) -> set[str] | None:
    """What the table allows a module: by its own name, or by its package's, where its neighbours are allowed too."""
    package = f"{module.split('.', maxsplit=1)[0]}.*"
    return ALLOWED.get(module, ALLOWED.get(package))


def may_import(module: str, name: str) -> bool:
    """Whether a module may import another one of ours."""
    may = allowed(module) or set()
    package = name.split(".", maxsplit=1)[0]
    same = f"{package}.*" in ALLOWED and module.split(".", maxsplit=1)[0] == package and module not in ALLOWED
    return name in may or f"{package}.*" in may or same


def ours(trees: dict[str, ast.Module], module: str) -> set[str]:
    """The modules of ours that a module imports; the package itself only where something of it is taken."""
    names = imported(trees[module])
    found = {name.removeprefix(NAME).lstrip(".") for name in names & {f"{NAME}.{each}".rstrip(".") for each in trees}}
    return found if f"{NAME}.__version__" in names else found - {""}


def row(module: str) -> str:
    """The row of the table that a module falls under."""
    return module if module in ALLOWED else f"{module.split('.', maxsplit=1)[0]}.*"


def test_imports_go_one_way() -> None:
    """No module imports one that the table does not allow it, and none is missing from the table."""
    trees = modules()
    assert [module for module in trees if allowed(module) is None] == []
    for module in trees:
        assert [name for name in sorted(ours(trees, module)) if not may_import(module, name)] == [], module


def test_nothing_is_allowed_that_is_not_used() -> None:
    """A permission that nothing needs would let an import in that nobody thought about."""
    trees = modules()
    used: dict[str, set[str]] = {module: set() for module in ALLOWED}
    for module in trees:
        used[row(module)] |= {row(name) for name in ours(trees, module)}
    assert {module: may - used[module] for module, may in ALLOWED.items() if may - used[module]} == {}


def test_the_table_has_no_cycle() -> None:
    """Each module may import only what stands above it in the table, the package's version aside."""
    seen = {""}
    for module, may in ALLOWED.items():
        assert may <= seen, module
        seen.add(module)


def shown(module: str) -> str:
    """The row of the page that a module falls under: a package has one, whatever rows it has in the table."""
    package = module.split(".", maxsplit=1)[0]
    return f"{package}.*" if (PACKAGE / package).is_dir() else module


def test_the_page_shows_the_table() -> None:
    """ARCHITECTURE.md names modules and packages in this order, each with what it, or all of it, may import."""
    page = (ROOT / "ARCHITECTURE.md").read_text()
    rows = dict(re.findall(r"^\| `([\w.*]+)` \| [^|]+ \| ([^|]*) ?\|$", page, re.MULTILINE))
    may: dict[str, set[str]] = {}
    for module, imports in ALLOWED.items():
        if module and not module.startswith("_"):
            names = {shown(name) for name in imports if name and not name.startswith("_")}
            may[shown(module)] = may.get(shown(module), set()) | names - {shown(module)}
    assert list(rows) == list(may)
    for module, names in may.items():
        assert {name.strip() for name in rows[module].split(",")} - {""} == names, module


@pytest.mark.parametrize(("library", "importers"), [("yaml", {"libyaml"}), ("jsonschema", {"validation"})])
def test_each_library_has_one_door(library: str, importers: set[str]) -> None:
    """A library is imported in one module of ours."""
    found = {
        module for module, tree in modules().items() if any(name.split(".")[0] == library for name in imported(tree))
    }
    assert found == importers


@pytest.mark.parametrize(
    ("value", "where"),
    [
        pytest.param("GROUNDCOVER_ISTIO_", {"errors"}, id="the prefix of variables"),
        pytest.param(65535, {"istio"}, id="the last port"),
        pytest.param("SHARED_MESH_CONFIG", {"model"}, id="the variable that names a shared mesh config"),
        pytest.param("PILOT_TRACE_SAMPLING", {"checks.activation"}, id="the variable of istiod's sampling"),
        pytest.param(100, {"istio", "errors", "limits", "report"}, id="all of something in percent"),
    ],
)
def test_a_constant_has_one_place(value: object, where: set[str]) -> None:
    """So that no two of them differ; 100 is a number of characters and of levels too, and the factor of a percentage."""
    found = {
        module
        for module, tree in modules().items()
        if any(isinstance(node, ast.Constant) and node.value == value for node in ast.walk(tree))
    }
    assert {module for module in found if not module.startswith("_")} == where


def test_no_environment_below_the_command_line() -> None:
    """Settings reach the engine as values: only the edges know the process."""
    for module, tree in modules().items():
        uses = any(
            isinstance(node, ast.Attribute) and node.attr in ("environ", "argv", "stdin") for node in ast.walk(tree)
        )
        assert not uses or module in ("cli", "console"), module


# --- what a run loads ----------------------------------------------------------------------------

LOADED = """
import sys
before = set(sys.modules)
from groundcover_istio.cli import main
code = main(sys.argv[1:])
print(*sorted(set(sys.modules) - before), file=sys.stderr)
raise SystemExit(code)
"""
# Of Python's own: next to nothing, or of `re` what compiles; `re` itself with what it imports would take 4 ms more.
LIGHT = {"gc"}
COMPILER = LIGHT | {"re._casefix", "re._compiler", "re._constants", "re._parser"}
PATH = {"cli", "console", "errors", "interrupts", "limits", "package_parts", "patterns", "records", "stream"}
PATCH = PATH | {
    "commands", "commands.render", "_since", "_validators", "config", "edits", "embedded", "inventory", "istio", "k8syaml",
    "layout", "libyaml", "model", "pipeline", "progress", "rules", "rules.mesh_config", "rules.plan", "rules.provider",
    "rules.sensor", "rules.telemetry", "rules.tracing", "rules.versions", "serializer", "spelling", "validation", "variables",
}  # fmt: skip


def loaded(stream: bytes, *arguments: str) -> set[str]:
    """The modules that a run on a stream has loaded, over those of an interpreter that has done nothing."""
    # Measuring coverage loads modules of its own.
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("COVERAGE", "GROUNDCOVER_ISTIO"))
    }
    command = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(command, input=stream, capture_output=True, check=True, env=environment)
    return set(done.stderr.decode().split())


@pytest.mark.parametrize("arguments", [(), ("--error-channel", "document")], ids=["Helm 3", "Helm 4"])
@pytest.mark.parametrize(
    ("stream", "ours", "others", "python"),
    [
        pytest.param(b"kind: Pod\n---\nkind: Secret\n", PATH, set(), LIGHT, id="a stream of nothing of ours"),
        pytest.param(
            b"kind: Pod\nmetadata: {name: mesh}\n", PATH, set(), COMPILER, id="one that looks as if, at first"
        ),
        pytest.param(
            (ROOT / "tests/data/istiod-compact.helm3.yaml").read_bytes(),
            PATCH,
            # PyYAML's parser in C with what it needs; `import yaml` would load twice as many and take 11 ms more.
            {"yaml._yaml", "yaml.error", "yaml.events", "yaml.nodes", "yaml.tokens"},
            # io: PyYAML's parser asks for it, and Python 3.14 has not loaded it by then.
            COMPILER | {"itertools", "io"},
            id="a mesh config is patched",
        ),
    ],
)
def test_what_a_run_loads(
    stream: bytes, ours: set[str], others: set[str], python: set[str], arguments: tuple[str, ...]
) -> None:
    """Exactly these modules of ours and of libraries, and of Python's own none but these: imports are most of a run."""
    names = loaded(stream, *arguments)
    assert {name.removeprefix(f"{NAME}.") for name in names if name.startswith(f"{NAME}.")} == ours
    rest = {name for name in names if name.split(".")[0] != NAME}
    standard = {name for name in rest if name.split(".")[0] in sys.stdlib_module_names}
    assert {name for name in rest - standard if "cython" not in name} == others
    assert {name for name in standard if not name.startswith(("_", "encodings."))} - python == set()


def test_arguments_load_a_parser() -> None:
    """What is pinned above is the run as Helm starts it; with arguments there is something to parse."""
    assert "argparse" in loaded(b"kind: Pod\n", "--protocol", "zipkin")


def test_the_plugin_manifest_is_the_one_that_is_installed() -> None:
    """`helm plugin install ./plugin` and `groundcover-istio install-plugin` give Helm the same manifest."""
    assert (ROOT / "plugin/plugin.yaml").read_text() == helm_plugin.MANIFEST
    assert f"version: {__version__}\n" in helm_plugin.MANIFEST
    assert helm_plugin.START in (ROOT / "plugin/bin/run").read_text()
