"""The set-ups that docs/helm.md shows, its commands run as they stand there on its files."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (Path(__file__).resolve().parents[2] / "docs/helm.md").read_text()
# Behind this stands what runs the executable, and needs no export.
EXPORTS = PAGE.partition("### Tools that can run the executable")[0]
FILES = {
    text.split("\n", 1)[0].removeprefix("# "): text for text in re.findall(r"```yaml\n(.*?)```", EXPORTS, re.DOTALL)
}
COMMANDS = re.findall(r"^groundcover-istio (export .* --into .*)$", PAGE, re.MULTILINE)


def mesh_configs(data: Any) -> list[Any]:
    """Every mesh config in data, however deep."""
    if isinstance(data, list):
        return [mesh for each in data for mesh in mesh_configs(each)]
    if not isinstance(data, dict):
        return []
    return [data["meshConfig"]] if "meshConfig" in data else mesh_configs(list(data.values()))


def test_every_file_has_its_command() -> None:
    """And none is for a file that the page does not show."""
    assert sorted(command.split()[3] for command in COMMANDS) == sorted(FILES) != []


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command(command: str, tmp_path: Path, tool: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """It puts one mesh config beside istiod's other values, and takes Istio's version from the file."""
    monkeypatch.chdir(tmp_path)
    name = command.split()[3]
    Path(name).write_text(FILES[name])
    code, out, err = tool(*shlex.split(command))
    assert (code, out) == (0, b""), err
    (mesh,) = mesh_configs(list(yaml.safe_load_all(Path(name).read_text())))
    assert [each["name"] for each in mesh["extensionProviders"]] == ["otel-tracing"]
    Path(name).write_text(FILES[name].replace("1.26", "1.21"))
    assert "istio 1.21 has no extensionProviders.opentelemetry.http" in tool(*shlex.split(command)).err


def test_the_plugin_of_argo_cd_fails_where_helm_fails(tmp_path: Path) -> None:
    """Its command, with a Helm that fails and a post-renderer that would not, ends with Helm's exit code."""
    (plugin,) = yaml.safe_load_all(PAGE.partition("# plugin.yaml\n")[2].partition("```")[0])
    generate = plugin["spec"]["generate"]
    for name, script in (("helm", "exit 7"), ("groundcover-istio", "cat")):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([*generate["command"], *generate["args"]], env=environment, cwd=tmp_path, check=False)
    assert done.returncode == 7


def test_a_change_of_mind(tmp_path: Path, tool: Callable[..., Any]) -> None:
    """What is still active is said, until its name is taken out, and nothing else has to be."""
    file = tmp_path / "values.yaml"
    file.write_text("meshConfig: {accessLogFile: /dev/stdout}\n")
    command = ["export", "istiod-values", "--into", str(file)]
    assert tool(*command, "--access-logs", "true").code == 0
    quiet = "already says what it has to say"
    for options, name, key in (
        ([], "groundcover-access-logs", "accessLogging"),
        (["--activation", "telemetry"], "otel-tracing", "tracing"),
    ):
        said = tool(*command, *options).err
        assert f"{name} is still active here" in said
        assert f"remove its name from defaultProviders.{key}\n" in said
        assert quiet not in said
        values = yaml.safe_load(file.read_text())
        values["meshConfig"]["defaultProviders"][key].remove(name)
        file.write_text(yaml.safe_dump(values))
        assert quiet in tool(*command, *options).err
