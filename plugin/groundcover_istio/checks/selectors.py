"""Label selectors: which namespaces istiod looks into (istio 1.31 pkg/kube/namespace/filter.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundcover_istio.model import items, mapping

if TYPE_CHECKING:
    from groundcover_istio.model import Data

_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist")


def discovers(selectors: Data, labels: dict[str, Data]) -> bool:
    """Whether a mesh config's `discoverySelectors` have istiod look into a namespace with these labels.

    Without any, and where one of them is invalid, it looks into all.
    """
    listed = [each for each in items(selectors) if isinstance(each, dict)]
    return not listed or not all(map(_is_valid, listed)) or any(selects(each, labels) for each in listed)


def _is_valid(selector: dict[str, Data]) -> bool:
    return all(mapping(each).get("operator") in _OPERATORS for each in items(selector.get("matchExpressions")))


def selects(selector: dict[str, Data], labels: dict[str, Data]) -> bool:
    """Whether a label selector matches (apimachinery, LabelSelectorAsSelector); an empty one matches everything."""
    equal = mapping(selector.get("matchLabels")).items() <= labels.items()
    return equal and all(_holds(mapping(each), labels) for each in items(selector.get("matchExpressions")))


def _holds(expression: dict[str, Data], labels: dict[str, Data]) -> bool:
    key, operator = str(expression.get("key")), expression.get("operator")
    if operator in ("In", "NotIn"):
        return bool((labels.get(key) in items(expression.get("values"))) == (operator == "In"))
    return (key in labels) == (operator == "Exists")
