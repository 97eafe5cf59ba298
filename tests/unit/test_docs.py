"""What the documents say is so: links lead somewhere, options exist, samples are what the tool writes."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from groundcover_istio import commands
from groundcover_istio.checks.registry import RULES
from groundcover_istio.cli import COMMANDS
from groundcover_istio.commands import check, render
from groundcover_istio.errors import ENVIRONMENT_PREFIX
from groundcover_istio.options import OPTIONS
from groundcover_istio.variables import OWN_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
RIG = ROOT / "tests/conformance"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "chart/README.md"])
README = (ROOT / "README.md").read_text()
# Options of other programs, and of ours that are no settings.
OTHERS = {"namespace", "version", "create-namespace", "set", "set-string", "reuse-values", "reset-then-reuse-values", "post-renderer", "post-renderer-args", "output-dir",
          "enable-alpha-plugins", "into", "at", "enable-exec", "config", "report", "report-format", "error-channel", "update", "dry-run", "helm", "directory"}  # fmt: skip


def anchors(page: Path) -> set[str]:
    """What GitHub lets a link name in a page: its headings, in lower case, blanks as dashes, without other signs."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", text, re.MULTILINE):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        # The second of the same words has a number.
        found.add(next(each for each in (slug, *(f"{slug}-{n}" for n in range(1, 100))) if each not in found))
    return found


def test_anchors_are_those_of_github(tmp_path: Path) -> None:
    """As its pages have them."""
    page = tmp_path / "page.md"
    page.write_text(
        "# `a` and b: (c)\n```sh\n# no heading\n```\n## Under [Flux](x.md), Argo CD\n## Two\n### Two ##\n## É_é-1\n"
    )
    assert anchors(page) == {"a-and-b-c", "under-flux-argo-cd", "two", "two-1", "é_é-1"}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link is a file or folder of the repository, and a heading there, where it names one."""
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not link.startswith("https://"):
            name, _, anchor = link.partition("#")
            target = page.parent / name if name else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


def test_options_in_the_readme_exist() -> None:
    """Every --option that the README names is one."""
    known = OTHERS | {option.flag for option in OPTIONS}
    assert set(re.findall(r"--([a-z][a-z-]+)", README)) <= known


def test_variables_have_our_prefix() -> None:
    """Those that are no settings have it too: a misspelt one is found by it."""
    assert all(variable.startswith(ENVIRONMENT_PREFIX) for variable in OWN_VARIABLES.values())


def test_commands_are_named() -> None:
    """Each module of a command is one of the command line's, which the README and the help name."""
    modules = (path.stem for path in Path(commands.__file__).parent.glob("*.py") if path.stem != "__init__")
    assert sorted(COMMANDS) == sorted(name.replace("_", "-") for name in modules)
    for name in set(COMMANDS) - {"render"}:
        assert f"groundcover-istio {name}" in README, name
        assert re.search(rf"^  .*\b{name}\b", render.parser().description or "", re.MULTILINE), name


def test_the_rules_are_counted() -> None:
    """The README, and the changes of a version that is still to come, give the number of rules that there are."""
    unreleased = (ROOT / "CHANGELOG.md").read_text().partition("## Unreleased\n")[2].partition("\n## ")[0]
    counted = re.findall(r"(\d+) rules", README)
    assert counted
    assert {*counted, *re.findall(r"(\d+) rules", unreleased)} == {str(len(RULES))}


def test_the_hook_and_the_page_on_ci_call_what_there_is() -> None:
    """Every command parses, the hook's too, the formats are such that pages show, and what stands there is YAML."""
    text = (ROOT / "docs/ci.md").read_text()
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    program, command = hook["entry"].split()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert program in project["scripts"]
    assert command == "check"
    found = [shlex.split(line) for line in re.findall(r"groundcover-istio check ([^`|>\n]+)", text)]
    *_, config = blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    (used,) = config["repos"][0]["hooks"]
    assert used["id"] == hook["id"]
    found += [hook["args"], used["args"]]
    parsed = [check.parser().parse_args(arguments) for arguments in found]
    assert {each.format for each in parsed} == {"text", "sarif", "github", "junit"}
    assert len(blocks) == 3


def samples() -> list[dict[str, Any]]:
    """The mesh configs that the README shows."""
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)]
    return [block for block in blocks if "extensionProviders" in block]


def mesh_after(mesh: dict[str, Any], tool: Callable[..., Any], *options: str) -> Any:
    """A mesh config after a run."""
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "istio"},
        "data": {"mesh": yaml.safe_dump(mesh)},
    }
    code, out, err = tool(*options, stdin=yaml.safe_dump(config_map).encode())
    assert code == 0, err
    return yaml.safe_load(yaml.safe_load(out)["data"]["mesh"])


def test_the_readme_shows_what_is_written(tool: Callable[..., Any]) -> None:
    """The right sample is what the tool makes of nothing, and of the broken one."""
    broken, right = samples()
    assert mesh_after({}, tool) == right
    mended = mesh_after({"extensionProviders": broken["extensionProviders"][1:]}, tool)
    assert mended == right
    mended = mesh_after({"extensionProviders": broken["extensionProviders"][:1]}, tool, "--protocol", "datadog")
    assert mended["extensionProviders"] == [
        {
            "name": "datadog-tracing",
            "datadog": {"service": "groundcover-sensor.groundcover.svc.cluster.local", "port": 8126},
        }
    ]


def test_the_conformance_page_names_every_test() -> None:
    """It was made by a run of the tests that there are, and the README has its summary."""
    page = (ROOT / "docs/conformance.md").read_text()
    tests = {
        name
        for path in RIG.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert set(re.findall(r"`(test_[a-z0-9_]+)`", page)) == tests
    (summary,) = re.findall(r"^Last full run.*\n", page, re.MULTILINE)
    assert f"make conformance-report -->\n{summary}<!-- end" in README


def test_what_rules_say_to_be_shown_is_shown() -> None:
    """A page says of its rule's consequence that it was shown, not shown, or that there is nothing to show."""
    shown = set(re.findall(r"GCI\d{3}", (RIG / "faults.py").read_text()))
    shown |= {f"GCI{each}" for each in re.findall(r"def test_gci(\d{3})", (RIG / "test_consequences.py").read_text())}
    said = {
        rule.id for rule in RULES if "\n## Proof\nShown on a real istiod and Envoy by `make conformance`: " in rule.page
    }
    assert said == shown
    others = ("Not shown by `make conformance`: ", "Nothing to show: ")
    for rule in RULES:
        assert rule.id in said or rule.page.split("## Proof\n")[1].startswith(others), rule.id
