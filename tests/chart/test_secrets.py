"""The ingestion key is where it must be and nowhere else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .support import CI_FILES, REQUIRED, TOKEN, Helm, Render, load, values

KEYS = ("API_KEY", "secretKeyRef")


def test_token_is_in_the_secret_only(helm: Helm) -> None:
    """One planted token, every object searched."""
    holders = [o["kind"] for o in helm.render(REQUIRED).objects if TOKEN in json.dumps(o)]
    assert holders == ["Secret"]


@pytest.mark.parametrize("file", CI_FILES, ids=lambda f: f.stem)
def test_tokens_of_all_ci_values(helm: Helm, file: Any) -> None:
    """The same for every feature."""
    token = load(file.read_text()).get("token", "no token at all")
    holders = [o["kind"] for o in helm.render(file).objects if token in json.dumps(o)]
    assert holders in (["Secret"], [])


@pytest.mark.parametrize(
    ("over", "secret", "key", "made"),
    [
        pytest.param({}, "groundcover-sensor-token", "API_KEY", True, id="token"),
        pytest.param(
            {"token": "", "global": {"groundcover_token": "g"}},
            "groundcover-sensor-token",
            "API_KEY",
            True,
            id="global token",
        ),
        pytest.param({"token": "", "existingSecret": {"name": "s"}}, "s", "API_KEY", False, id="own secret"),
        pytest.param(
            {"token": "", "existingSecret": {"name": "s", "key": "k"}},
            "s",
            "k",
            False,
            id="own secret and key",
        ),
        pytest.param(
            {
                "token": "",
                "global": {"groundcoverPredefinedTokenSecret": {"secretName": "g", "secretKey": "k"}},
            },
            "g",
            "k",
            False,
            id="global secret",
        ),
    ],
)
def test_sensor_reads_the_key(helm: Helm, over: dict[str, Any], secret: str, key: str, *, made: bool) -> None:
    """The container refers to a Secret, and the chart makes it when it has the key."""
    render = helm.render(values(**over))
    assert render.env["API_KEY"]["valueFrom"]["secretKeyRef"] == {"name": secret, "key": key}
    assert render.has("Secret") is made
    if made:
        assert render.get("Secret")["metadata"]["name"] == secret
        assert list(render.get("Secret")["stringData"]) == [key]


def test_nothing_but_the_secret_follows_the_token(helm: Helm, default: Render) -> None:
    """Not even a checksum, by which a short token could be guessed. A new token needs a restart, and the notes say so."""
    other = helm.render(values(token="another"))  # noqa: S106 - not a secret of anyone
    different = [o["kind"] for o, before in zip(other.ordered(), default.ordered(), strict=True) if o != before]
    assert different == ["Secret"]
    notes = helm.text(REQUIRED, "--dry-run=client", command="install").partition("NOTES:")[2]
    assert "kubectl -n groundcover rollout restart daemonset/groundcover-sensor" in notes


@pytest.mark.parametrize(
    ("over", "mounted"),
    [
        pytest.param({}, True, id="rights and so a token"),
        pytest.param({"rbac": {"create": False}}, False, id="no rights, no token"),
        pytest.param(
            {"rbac": {"create": False}, "serviceAccount": {"automount": True}},
            True,
            id="rights of the user's own",
        ),
    ],
)
def test_account_token_is_mounted_for_rights_only(helm: Helm, over: dict[str, Any], *, mounted: bool) -> None:
    """A token that can do nothing is still a token."""
    render = helm.render(values(**over))
    assert render.pod["spec"]["automountServiceAccountToken"] is mounted
    assert render.get("ServiceAccount")["automountServiceAccountToken"] is False
    assert render.get("Pod")["spec"]["automountServiceAccountToken"] is False


@pytest.mark.parametrize(
    "over", [{"token": "key\n"}, {"token": " ", "global": {"groundcover_token": "key\r\n"}}], ids=str
)
def test_a_line_break_is_no_part_of_the_key(helm: Helm, over: dict[str, Any]) -> None:
    """A file has one at its end, and an HTTP header must not."""
    blank = {"token": " \n"}
    assert helm.render(values(**over)).get("Secret")["stringData"] == {"API_KEY": "key"}
    assert "token and existingSecret.name are both empty" in helm.refusal(values(**blank))


def test_the_secret_outlives_the_value(helm: Helm) -> None:
    """The upgrade that names the chart's own Secret as existingSecret would delete it under the sensors."""
    made = helm.render(REQUIRED).get("Secret")["metadata"]
    assert made["annotations"] == {"helm.sh/resource-policy": "keep"}
    after = helm.render(values(token="", existingSecret={"name": made["name"]}))
    assert not after.has("Secret")
    assert after.env["API_KEY"]["valueFrom"]["secretKeyRef"]["name"] == made["name"]
