"""Installs the Helm 4 plugin: a folder with a manifest and a script that starts this interpreter.

Helm 4 takes only plugins as post-renderers, Helm 3 only executables, and Helm 3 fails on its own
`helm plugin list` when it finds a Helm 4 plugin in the folder that both majors use by default.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio import __version__, processes
from groundcover_istio.errors import PROGRAM, UsageError
from groundcover_istio.interrupts import Held, Noted

if TYPE_CHECKING:
    from collections.abc import Mapping

# Helm 4.1 and later refuse a manifest with any other key, and a version that is no X.Y.Z.
MANIFEST: Final = f"""\
apiVersion: v1
type: postrenderer/v1
name: {PROGRAM}
version: {__version__}
runtime: subprocess
runtimeConfig:
  platformCommand:
    - command: ${{HELM_PLUGIN_DIR}}/bin/run
      args: ["--error-channel", "document"]
"""
# What the executable does too; `python -m` would import all that it needs to find a module: 4 ms.
START: Final = f"from {__package__}.__main__ import start; start()"
_HELM_NAME: Final = re.compile(r"helm([-_.]?v?[34][\w.-]*)?")
_SECONDS: Final = 30


class Helm(NamedTuple):
    """A Helm found on this machine."""

    path: str
    version: str
    major: int
    plugins: str
    """Its HELM_PLUGINS: one folder, or several with the path separator between."""


def install(helm: str, directory: str | None, *, dry_run: bool, environment: Mapping[str, str]) -> str:
    """Install the plugin for `helm`, a name on PATH or a path; returns what was done, for the user.

    Raises UsageError where Helm is missing or too old, or the folder is not to be written to.
    """
    found = _helm(helm, environment)
    if not found:
        raise UsageError(
            f"{helm} is not on PATH, or not a Helm", where="--helm", hint="install Helm 4, or name it: --helm PATH"
        )
    if found.major < 4:
        raise UsageError(
            f"{found.path} is Helm {found.version}, which takes any executable and needs no plugin",
            where="--helm",
            hint=f"helm install … --post-renderer {_executable(environment)}\nfor Helm 4 name it: --helm PATH",
        )
    folders = [directory] if directory else found.plugins.split(os.pathsep)[:1]
    if not folders[0]:
        raise UsageError(
            f"{found.path} does not say where its plugins are (helm env HELM_PLUGINS)",
            where="--helm",
            hint="name the folder: --directory DIR",
        )
    shared = _sharing_helm3(folders[0], environment)
    if shared and directory:
        raise UsageError(
            f"{shared.path} (Helm {shared.version}) uses this folder too;"
            " a Helm 4 plugin there breaks its `helm plugin list`",
            where="--directory",
            hint="choose another folder, and name it to Helm 4 in HELM_PLUGINS",
        )
    if shared:
        folders.insert(0, str(_own_folder(environment)))
    target = Path(folders[0]) / PROGRAM
    _refuse_foreign(target)
    if not dry_run:
        _write(target, environment)
    lines = [f"{'would install' if dry_run else 'installed'} {target} for Helm {found.version} ({found.path})"]
    if shared:
        lines += [
            f"{shared.path} is Helm {shared.version} and would fail on a Helm 4 plugin in {folders[1]},",
            "so the plugin has a folder of its own; tell Helm 4 about it:",
            f"  export HELM_PLUGINS={shlex.quote(os.pathsep.join(folders))}",
        ]
    elif directory and directory not in found.plugins.split(os.pathsep):
        lines.append(f"tell Helm 4 about the folder: export HELM_PLUGINS={shlex.quote(directory)}")
    lines.append(f"use it: helm install … --post-renderer {PROGRAM}")
    return "\n".join(lines) + "\n"


def _helm(name: str, environment: Mapping[str, str]) -> Helm | None:
    path = shutil.which(name, path=environment.get("PATH", ""))
    said = _output([path, "version", "--template", "{{.Version}}"], environment) if path else ""
    version = re.match(r"v?(\d+)\.\S+", said)
    if not path or not version:
        return None
    plugins = _output([path, "env", "HELM_PLUGINS"], environment).strip()
    return Helm(path, version[0].lstrip("v"), int(version[1]), plugins)


def _output(command: list[str], environment: Mapping[str, str]) -> str:
    """What a program says; empty where it can't be asked."""
    try:
        with Noted() as interrupt:
            return processes.run(command, _SECONDS, interrupt, environment).out.decode(errors="replace")
    except (OSError, OverflowError):  # a TimeoutError is an OSError
        return ""


def _sharing_helm3(folder: str, environment: Mapping[str, str]) -> Helm | None:
    """A Helm 3 on PATH that looks for plugins in `folder`."""
    places = [Path(place or ".") for place in environment.get("PATH", "").split(os.pathsep)]
    for program in (each for place in places for each in _inside(place)):
        other = _helm(str(program), environment) if _HELM_NAME.fullmatch(program.name) else None
        if other and other.major == 3 and folder in other.plugins.split(os.pathsep):
            return other
    return None


def _inside(folder: Path) -> list[Path]:
    """What is in a folder; nothing where it is none or may not be listed."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _own_folder(environment: Mapping[str, str]) -> Path:
    home = environment.get("HOME") or str(Path.home())
    data = environment.get("XDG_DATA_HOME") or f"{home}/.local/share"
    return Path(data) / PROGRAM / "helm4-plugins"


def _refuse_foreign(target: Path) -> None:
    try:
        _refuse_other(target)
    except OSError as error:
        raise UsageError(f"can't be read: {error.strerror}", where=error.filename or str(target)) from error


def _refuse_other(target: Path) -> None:
    manifest = target / "plugin.yaml"
    hint = f"helm plugin uninstall {PROGRAM}"
    if target.is_symlink():
        raise UsageError(f"is a link to {target.readlink()}, a plugin under development", where=str(target), hint=hint)
    if target.exists() and not (manifest.is_file() and f"name: {PROGRAM}\n".encode() in manifest.read_bytes()):
        raise UsageError("exists and is not this plugin", where=str(target), hint="move it away")


def _write(target: Path, environment: Mapping[str, str]) -> None:
    """Written beside and moved into place, so that Helm never sees half a plugin."""
    script = _script(environment)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with Held(), tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{PROGRAM}-") as scratch:
            new = Path(scratch) / "new"
            (new / "bin").mkdir(parents=True)
            (new / "plugin.yaml").write_text(MANIFEST)
            (new / "bin" / "run").write_text(script)
            (new / "bin" / "run").chmod(0o755)
            if target.exists():
                target.rename(Path(scratch) / "old")
            new.rename(target)
    except OSError as error:
        raise UsageError(f"can't be written: {error.strerror}", where=error.filename or str(target)) from error


def _script(environment: Mapping[str, str]) -> str:
    package = Path(__file__).resolve().parent.parent
    elsewhere = {key: value for key, value in environment.items() if key != "PYTHONPATH"}
    found = _output([sys.executable, "-P", "-c", f"import {__package__}; print(True)"], elsewhere)
    lines = ["#!/bin/sh"]
    if not found:
        lines += [f"PYTHONPATH={shlex.quote(str(package))}${{PYTHONPATH:+:$PYTHONPATH}}", "export PYTHONPATH"]
    lines.append(f'exec {shlex.quote(sys.executable)} -P -c {shlex.quote(START)} "$@"')
    return "\n".join([*lines, ""])


def _executable(environment: Mapping[str, str]) -> str:
    beside = Path(sys.executable).with_name(PROGRAM)
    return shutil.which(PROGRAM, path=environment.get("PATH", "")) or (str(beside) if beside.exists() else PROGRAM)
