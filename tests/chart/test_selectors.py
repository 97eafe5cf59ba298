"""Selectors can never change, whatever the values and the version say."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any

from .support import CHART, REQUIRED, Helm, Object, Render, values

if TYPE_CHECKING:
    from pathlib import Path

EXPECTED = {"app.kubernetes.io/name": "sensor", "app.kubernetes.io/instance": "groundcover"}


def selectors(render: Render) -> list[Object]:
    """Give every selector of a render that finds the sensor's pods."""
    return [
        render.get("DaemonSet")["spec"]["selector"]["matchLabels"],
        render.service["spec"]["selector"],
        render.get("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ]


def test_selectors_ignore_values_and_versions(helm: Helm, tmp_path: Path) -> None:
    """Every label value set, another chart and another sensor: the selectors are the same."""
    other = tmp_path / "chart"
    shutil.copytree(CHART, other)
    manifest = other / "Chart.yaml"
    text = re.sub(r"(?m)^version: .*$", "version: 7.8.9", manifest.read_text())
    manifest.write_text(re.sub(r"(?m)^appVersion: .*$", 'appVersion: "7.8.9"', text))
    policy = {"networkPolicy": {"enabled": True}}
    labelled = values(
        **policy,
        commonLabels={"team": "a"},
        podLabels={"tier": "b"},
        podAnnotations={"c": "d"},
        annotations={"e": "f"},
        service={"labels": {"g": "h"}, "annotations": {"i": "j"}},
        serviceAccount={"annotations": {"k": "l"}},
        image={"tag": "1.0.0"},
        mesh={"optOutSidecar": False, "optOutAmbient": False},
        env="prod",
        fullnameOverride="other",
    )
    before = helm.render(values(**policy))
    after = helm.render(labelled, chart=other)
    assert selectors(before) == selectors(after) == [EXPECTED] * 3
    labels = after.pod["metadata"]["labels"]
    assert labels.items() >= {"team": "a", "tier": "b", **EXPECTED}.items()


def test_common_labels_reach_every_object(helm: Helm) -> None:
    """Labels for finding and billing are on all objects."""
    render = helm.render(values(commonLabels={"team": "a"}, networkPolicy={"enabled": True}))
    assert all(o["metadata"]["labels"]["team"] == "a" for o in render.objects)


def test_pods_do_not_carry_the_chart_version(helm: Helm) -> None:
    """Otherwise a new chart would restart every sensor."""
    assert "helm.sh/chart" not in helm.render(REQUIRED).pod["metadata"]["labels"]


def test_selectors_of_the_agent(helm: Helm, tmp_path: Path) -> None:
    """The same for the subchart's Deployment."""
    other = tmp_path / "chart"
    shutil.copytree(CHART, other)
    for manifest, old in (
        (other / "Chart.yaml", "0.1.0"),
        (other / "charts" / "istio-metrics" / "Chart.yaml", "0.1.0"),
    ):
        manifest.write_text(manifest.read_text().replace(f"version: {old}", "version: 7.8.9"))
    agent = {"metrics": {"enabled": True, "mode": "agent"}, "istio-metrics": {"enabled": True}}
    own = {
        "commonLabels": {"team": "a"},
        "podLabels": {"tier": "b"},
        "podAnnotations": {"c": "d"},
        "fullnameOverride": "other",
        "image": {"tag": "v1"},
    }
    labelled = values(**agent)
    labelled["istio-metrics"] = {**own, "enabled": True}
    before, after = helm.render(values(**agent)), helm.render(labelled, chart=other)
    found = [r.get("Deployment")["spec"]["selector"]["matchLabels"] for r in (before, after)]
    assert found == [{"app.kubernetes.io/name": "istio-metrics", "app.kubernetes.io/instance": "groundcover"}] * 2
    labels = after.get("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert labels.items() >= {"team": "a", "tier": "b", **found[0]}.items()
    assert "helm.sh/chart" not in labels


def test_a_network_policy_lets_the_charts_own_pods_in(helm: Helm) -> None:
    """Who limits the senders still has `helm test`, and the agent's metrics."""
    given: dict[str, Any] = values(
        metrics={"enabled": True, "mode": "agent"},
        networkPolicy={"enabled": True, "from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
    )
    given["istio-metrics"] = {"enabled": True, "namespaceOverride": "monitoring"}
    render = helm.render(given)
    user, *own = render.get("NetworkPolicy")["spec"]["ingress"][0]["from"]
    assert user == {"ipBlock": {"cidr": "10.0.0.0/8"}}
    test, agent = (peer["podSelector"]["matchLabels"] for peer in own)
    assert render.get("Pod")["metadata"]["labels"].items() >= test.items()
    assert render.get("Deployment")["spec"]["template"]["metadata"]["labels"].items() >= agent.items()
    assert [peer.get("namespaceSelector") for peer in own] == [
        None,
        {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}},
    ]
    given["istio-metrics"] = {"enabled": True}
    given["tests"] = {"enabled": False}
    peers = helm.render(given).get("NetworkPolicy")["spec"]["ingress"][0]["from"]
    assert peers[1:] == [{"podSelector": {"matchLabels": agent}}]
    alone = values(networkPolicy={"enabled": True})
    assert "from" not in helm.render(alone).get("NetworkPolicy")["spec"]["ingress"][0]
