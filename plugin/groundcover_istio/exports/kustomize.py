"""A kustomization that patches rendered objects: the whole mesh config, guarded by the one it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from groundcover_istio import config, k8syaml, pipeline, serializer
from groundcover_istio.errors import ManifestError, ToolError, UsageError
from groundcover_istio.exports.carriers import CARRIERS
from groundcover_istio.exports.files import edit, load, read, verify
from groundcover_istio.exports.merge import merge, patch_mode, require_enabled
from groundcover_istio.exports.objects import comment, literal
from groundcover_istio.exports.shared import is_shared
from groundcover_istio.model import MESH_KEY, Data, Operation, Path, dig

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from groundcover_istio.config import Layer
    from groundcover_istio.model import Outcome

_SAIL: Final = next(each for each in CARRIERS if each.kind == "sail")
_MARK: Final = "# groundcover-istio"
RENDER: Final = (
    "helm template istiod istio/istiod -n istio-system --version YOUR-VERSION > istiod.yaml,\n"
    "groundcover-istio export kustomize --from istiod.yaml"
)
"""How to get what a patch is made of, for hints."""
_USE: Final = (
    "Kustomization: Istio's traces go to the groundcover sensor.",
    "Add your resources to it, or write the patches into your own: groundcover-istio export kustomize --from MANIFESTS",
    "--into kustomization.yaml. Flux takes the same patches in a HelmRelease: spec.postRenderers[].kustomize.patches.",
    "A ConfigMap holds the mesh config as one text, and a patch can only replace it whole. So each patch first tests",
    "that the text is still the one it was made from: after an upgrade of Istio or a change of your values the build",
    "fails, rather than bringing the old mesh config back. Then export again.",
    "Sampling that is live, custom tags: groundcover-istio export telemetry > telemetry.yaml, among the resources.",
)


class Patch(NamedTuple):
    """A patch of one object."""

    target: dict[str, str]
    """What it is aimed at, as kustomize selects it."""
    text: str


def kustomization_text(manifests: str, name: str, layers: Sequence[Layer]) -> str:
    """A new kustomization with a patch of each mesh config in the manifests."""
    lines = [*comment(_USE), "apiVersion: kustomize.config.k8s.io/v1beta1", "kind: Kustomization", "patches:"]
    for patch in patches(manifests, name, layers):
        target, *rest = serializer.pair_lines("target", patch.target, 2)
        lines += [f"- {target.lstrip()}", *rest, *literal("patch", patch.text, 2)]
    return "\n".join(lines) + "\n"


def into_kustomization(text: str, name: str, made: list[Patch]) -> str:
    """Put patches into a kustomization; one of ours with the same target gives way to the new one."""
    trees = read(text, name)
    data = k8syaml.to_data(trees[0].root) if len(trees) == 1 else None
    if not isinstance(data, dict) or data.get("kind", "Kustomization") not in ("Kustomization", "Component"):
        raise UsageError(
            "is no kustomization", where=name, hint="groundcover-istio export kustomize --from FILE > FILE"
        )
    if not isinstance(data.get("patches") or [], list):
        raise ManifestError("patches is no list", where=name)
    operations: list[Operation] = []
    texts: dict[str, str] = {}
    for index, patch in enumerate(made):
        # With a word behind the number: no token is the beginning of another.
        token = f"GROUNDCOVER-ISTIO-PATCH-{index}-TEXT"
        place = _place_of(data.get("patches") or [], patch)
        if place is None:
            operations.append(Operation("append", ("patches",), {"target": patch.target, "patch": token}))
        elif data["patches"][place]["patch"] != patch.text:
            operations.append(Operation("set", ("patches", place, "patch"), token))
        texts[token] = patch.text
    marked = edit(text, name, [(trees[0], operations)]) if operations else text
    after = _filled(marked, texts)
    final = [each._replace(value=_real(each.value, texts)) for each in operations]
    verify(text, after, name, [(trees[0], final)])
    return after


def _real(value: Data, texts: dict[str, str]) -> Data:
    return {**value, "patch": texts[value["patch"]]} if isinstance(value, dict) else texts[value]


def _place_of(held: list[Data], patch: Patch) -> int | None:
    for index, each in enumerate(held):
        ours = str(dig(each, "patch") or "").startswith(_MARK)
        if ours and dig(each, "target") == patch.target:
            return index
    return None


def _filled(text: str, texts: dict[str, str]) -> str:
    """The text with each token's line made the block it stands for; quoted where the token stands on no such line."""
    newline = "\r\n" if "\r\n" in text else "\n"
    for token, value in texts.items():
        lines: list[str] = []
        for line in text.split(newline):
            key, _, rest = line.partition(": ")
            if rest.strip("\"'") == token and key.lstrip(" -") == "patch":
                indent = len(key) - len(key.lstrip(" -"))
                first, *more = literal("patch", value, indent)
                lines += [key[:indent] + first.lstrip(), *more]
            else:
                quoted = serializer.scalar_text(value, style='"')
                lines.append(line.replace(f'"{token}"', quoted).replace(token, quoted))
        text = newline.join(lines)
    return text


def patches(manifests: str, name: str, layers: Sequence[Layer]) -> list[Patch]:
    """A patch of each mesh config that manifests hold and the settings change.

    Raises UsageError where they hold none.
    """
    if is_shared(layers):
        raise UsageError(
            "in mode shared no mesh config is patched",
            where="meshConfig.mode",
            hint="groundcover-istio export shared-mesh-config > FILE, which says how istiod gets its name;\n"
            "or set meshConfig.mode to patch (--mesh-config-mode)",
        )
    require_enabled(config.resolve(layers))
    before = load(manifests, name)
    outcome = _rendered(manifests, name, layers)
    found = list(_of_config_maps(outcome.after.decode(), name, before))
    found += [
        _of_sail(each, name, layers)
        for document in before
        for each in config.resources_of(document)
        if _SAIL.holds(each)
    ]
    right = [
        each.resource
        for each in outcome.decisions
        if each.code == "unchanged" and each.resource.startswith("ConfigMap ")
    ]
    if not found and right:
        raise UsageError(
            f"{', '.join(right)} already says what it has to say, so there is nothing to patch",
            where=name,
            hint=f"give what a patch is to be made of, before patches and post-renderers:\n{RENDER}",
        )
    if not found:
        raise UsageError(
            "holds no mesh config: neither ConfigMap istio nor Istio of the Sail operator", where=name, hint=RENDER
        )
    return found


def _rendered(manifests: str, name: str, layers: Sequence[Layer]) -> Outcome:
    try:
        return pipeline.run(manifests.encode(), patch_mode(layers))
    except ToolError as error:
        error.where = f"{name}, {error.where}" if error.where else name
        raise


def _of_config_maps(after: str, name: str, before: list[Data]) -> Iterator[Patch]:
    for old, new in zip(before, load(after, name), strict=False):
        # Behind the items of a list stands what was added to them, which is no patch.
        for held, changed in zip(config.resources_of(old), config.resources_of(new), strict=False):
            if held != changed and held["kind"] == "ConfigMap":
                texts = (held["data"][MESH_KEY] or "", changed["data"][MESH_KEY])
                yield _patch(held, "v1", _guarded(("data", MESH_KEY), *texts))


def _of_sail(held: dict[str, Data], name: str, layers: Sequence[Layer]) -> Patch:
    path: Path = _SAIL.path
    where = f"{name}, Istio {dig(held, 'metadata', 'name')}, spec.values.meshConfig"
    old = dig(held, *_SAIL.path)
    data: Data = merge(old, layers, where, _SAIL.beside(held)).data
    while len(path) > 1 and not isinstance(dig(held, *map(str, path[:-1])), dict):
        data, path, old = {str(path[-1]): data}, path[:-1], None
    return _patch(held, str(held["apiVersion"]).partition("/")[2], _guarded(path, old, data))


def _patch(held: dict[str, Data], version: str, text: str) -> Patch:
    group = str(held["apiVersion"]).rpartition("/")[0]
    target = {"group": group, "version": version, "kind": held["kind"], "name": str(dig(held, "metadata", "name"))}
    namespace = dig(held, "metadata", "namespace")
    target |= {"namespace": namespace} if namespace else {}
    return Patch({key: value for key, value in target.items() if value}, text)


def _guarded(path: Path, old: Data, new: Data) -> str:
    """A JSON patch (RFC 6902): the old value tested, the new one put in its place."""
    pointer = "/" + "/".join(str(key) for key in path)
    lines = [f"{_MARK}: the mesh config, with traces to the groundcover sensor"]
    lines += [] if old is None else ["- op: test", f"  path: {pointer}", *_value(old)]
    lines += ["- op: add" if old is None else "- op: replace", f"  path: {pointer}", *_value(new)]
    return "\n".join(lines)


def _value(value: Data) -> list[str]:
    return literal("value", value, 2) if isinstance(value, str) else serializer.pair_lines("value", value, 2)
