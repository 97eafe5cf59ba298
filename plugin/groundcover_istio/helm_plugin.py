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
from groundcover_istio.errors import PROGRAM, UsageError, escaped
from groundcover_istio.interrupts import Held, Noted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
# As Helm reads `name: groundcover-istio`, with or without quotes.
_OURS: Final = re.compile(rb"""^name:[ \t]*(["']?)%s\1[ \t]*(#.*)?\r?$""" % PROGRAM.encode(), re.MULTILINE)
_HELM_NAME: Final = re.compile(r"helm([-_.]?v?[34][\w.-]*)?")
_SECONDS: Final = 30


class Helm(NamedTuple):
    """A Helm found on this machine."""

    path: str
    version: str
    major: int
    plugins: tuple[str, ...]
    """The folders of its HELM_PLUGINS, absolute."""


def install(helm: str, directory: str | None, *, dry_run: bool, environment: Mapping[str, str]) -> str:
    """Install the plugin for `helm`, a name on PATH or a path; returns what was done, for the user.

    Raises UsageError where Helm is missing or too old, or the folder is not to be written to.
    """
    found = _helm4(helm, environment)
    own = str(_own_folder(environment))
    folders = _folders(found, own, environment)
    if directory:
        directory = os.path.abspath(directory)  # noqa: PTH100  pathlib's absolute() keeps `..`
        folders = [directory, *(each for each in folders if each != directory)]
    elif not folders:
        raise UsageError(
            f"{found.path} does not say where its plugins are (helm env HELM_PLUGINS)",
            where="--helm",
            hint="name the folder: --directory DIR",
        )
    shared = _sharing_helm3(folders[0], own, environment)
    if shared and directory:
        raise UsageError(
            f"{shared.path} (Helm {shared.version}) uses this folder too;"
            " a Helm 4 plugin there breaks its `helm plugin list`",
            where="--directory",
            hint="choose another folder, which Helm 4 alone is told about, or leave --directory away",
        )
    if shared:
        folders.insert(0, own)
    target = Path(folders[0]) / PROGRAM
    _refuse_foreign(target, folders, found)
    if not dry_run:
        _write(target, environment)
    lines = [f"{'would install' if dry_run else 'installed'} {target} for Helm {found.version} ({found.path})"]
    if shared:
        lines += [
            f"{shared.path} is Helm {shared.version} and would fail on a Helm 4 plugin in {folders[1]},",
            "so the plugin has a folder of its own.",
        ]
    return "\n".join([*lines, *_use(found, folders, own, is_shared=bool(shared)), ""])


def _use(found: Helm, folders: list[str], own: str, *, is_shared: bool) -> list[str]:
    """How the plugin is used; Helm 4 alone is told about a folder, since Helm 3 reads HELM_PLUGINS too."""
    lines = []
    program = "helm"
    if is_shared or folders[0] not in found.plugins:
        program = "helm4"
        command = f"HELM_PLUGINS={shlex.quote(os.pathsep.join(folders))} {shlex.quote(found.path)}"
        lines += [
            "tell this Helm alone about the folder; a Helm 3 would read HELM_PLUGINS too:",
            f"  alias {program}={shlex.quote(command)}",
        ]
    if is_shared and own in found.plugins:
        lines.append(f"HELM_PLUGINS is set here and names {own} to Helm 3 as well: take that folder out of it")
    return [*lines, f"use it: {program} install … --post-renderer {PROGRAM}"]


def _folders(found: Helm, own: str, environment: Mapping[str, str]) -> list[str]:
    """The user's plugin folders; ours, which an earlier run had told Helm about by a variable, is none of them."""
    folders = [each for each in found.plugins if each != own]
    if not folders and found.plugins:
        default = _helm(found.path, {key: value for key, value in environment.items() if key != "HELM_PLUGINS"})
        return list(default.plugins) if default else []
    return folders


def _helm4(name: str, environment: Mapping[str, str]) -> Helm:
    found = _helm(name, environment)
    if not found:
        raise UsageError(
            f"{name} is not on PATH, or not a Helm", where="--helm", hint="install Helm 4, or name it: --helm PATH"
        )
    if found.major < 4:
        raise UsageError(
            f"{found.path} is Helm {found.version}, which takes any executable and needs no plugin",
            where="--helm",
            hint=f"helm install … --post-renderer {_executable(environment)}\nfor Helm 4 name it: --helm PATH",
        )
    return found


def _helm(name: str, environment: Mapping[str, str]) -> Helm | None:
    path = shutil.which(name, path=environment.get("PATH", ""))
    said = _output([path, "version", "--template", "{{.Version}}"], environment) if path else ""
    version = re.match(r"v?(\d+)\.\S+", said)
    if not path or not version:
        return None
    said = _output([path, "env", "HELM_PLUGINS"], environment).strip()
    plugins = tuple(os.path.abspath(each) for each in said.split(os.pathsep) if each)  # noqa: PTH100  as above
    return Helm(os.path.abspath(path), version[0].lstrip("v"), int(version[1]), plugins)  # noqa: PTH100


def _output(command: list[str], environment: Mapping[str, str]) -> str:
    """What a program says; empty where it can't be asked."""
    try:
        with Noted() as interrupt:
            return processes.run(command, _SECONDS, interrupt, environment).out.decode(errors="replace")
    except (OSError, OverflowError):  # a TimeoutError is an OSError
        return ""


def _sharing_helm3(folder: str, own: str, environment: Mapping[str, str]) -> Helm | None:
    """A Helm 3 on PATH that looks for plugins in `folder`, or would if it were not told of ours."""
    places = [Path(place or ".") for place in environment.get("PATH", "").split(os.pathsep)]
    for program in (each for place in places for each in _inside(place)):
        other = _helm(str(program), environment) if _HELM_NAME.fullmatch(program.name) else None
        if other and other.major == 3 and folder in _folders(other, own, environment):
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


def _refuse_foreign(target: Path, folders: Iterable[str], helm: Helm) -> None:
    uninstall = f"{shlex.quote(helm.path)} plugin uninstall {PROGRAM}"
    try:
        _refuse_other(target, uninstall)
        for each in sorted(manifest for folder in folders for manifest in Path(folder).glob("*/plugin.yaml")):
            # Every plugin command of Helm 4 fails on two plugins of one name (plugin/loader.go, detectDuplicates).
            if each.parent != target and _OURS.search(each.read_bytes()):
                # Beside a second one `helm plugin uninstall` fails as well.
                hint = "move it out of that folder" if target.exists() else uninstall
                raise UsageError(
                    f"is a plugin {PROGRAM} already, and Helm 4 takes no two of one name",
                    where=str(each.parent),
                    hint=hint,
                )
    except OSError as error:
        raise UsageError(f"can't be read: {error.strerror}", where=error.filename or str(target)) from error


def _refuse_other(target: Path, uninstall: str) -> None:
    manifest = target / "plugin.yaml"
    if target.is_symlink():
        raise UsageError(
            f"is a link to {target.readlink()}, a plugin under development", where=str(target), hint=uninstall
        )
    if target.exists() and not (manifest.is_file() and _OURS.search(manifest.read_bytes())):
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
    python = shlex.quote(sys.executable)
    gone = f"{PROGRAM}: error: {escaped(sys.executable)}, which this plugin was installed for, is gone"
    document = ("|-", f"  {gone}", f"    fix: {PROGRAM} install-plugin")
    lines += [
        f'[ -x {python} ] && exec {python} -P -c {shlex.quote(START)} "$@"',
        "# Of a plugin that fails Helm shows nothing but that; it refuses a document that is a text, and shows it.",
        f"printf '%s\\n' {' '.join(map(shlex.quote, document))}",
    ]
    return "\n".join([*lines, ""])


def _executable(environment: Mapping[str, str]) -> str:
    beside = Path(sys.executable).with_name(PROGRAM)
    return shutil.which(PROGRAM, path=environment.get("PATH", "")) or (str(beside) if beside.exists() else PROGRAM)
