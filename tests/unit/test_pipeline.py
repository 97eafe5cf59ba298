"""The safety net: whatever an edit does, only what was planned gets out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from groundcover_istio import embedded, pipeline
from groundcover_istio.edits import apply, edits_for
from groundcover_istio.errors import EditError
from groundcover_istio.istio import is_sensor_host
from groundcover_istio.k8syaml import parse
from groundcover_istio.model import Edit, Operation

if TYPE_CHECKING:
    from collections.abc import Callable

STREAM = b"""\
apiVersion: v1
kind: ConfigMap
metadata:
  name: istio
data:
  mesh: |
    rootNamespace: istio-system
  other: x
"""


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(
            lambda text: text.replace("4318", "4319"),
            "the edited mesh config reads differently from the plan",
            id="another value",
        ),
        pytest.param(
            lambda text: text + "  third: y\n", "something else in the document would change", id="a neighbour"
        ),
        pytest.param(
            lambda text: text.replace("- otel", "-otel"), "the edited text can't be read", id="broken mesh config"
        ),
        pytest.param(lambda _: "[", "the edited text can't be read", id="broken document"),
        pytest.param(lambda _: "*x", "the edited text can't be read", id="an alias to nothing"),
        pytest.param(lambda _: "5\n", "the edited text can't be read", id="no text"),
    ],
)
def test_an_edit_that_goes_wrong_never_gets_out(
    spoil: Callable[[str], str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The edited text is read again and compared with the plan; a difference is an error that names the object."""
    monkeypatch.setattr(pipeline, "embed", lambda *arguments: spoiled(embedded.embed(*arguments), spoil))
    with pytest.raises(EditError, match=message) as caught:
        pipeline.run(STREAM)
    assert caught.value.where == "line 1, ConfigMap istio"
    assert caught.value.hint.startswith("nothing was written")


def spoiled(edit: Edit, spoil: Callable[[str], str]) -> Edit:
    """The edit with another text."""
    return edit._replace(text=spoil(edit.text))


def test_edits_that_overlap_are_refused() -> None:
    """Neither of them would come out as it was meant."""
    with pytest.raises(EditError, match="two changes fall on the same text"):
        apply("abc", [Edit(0, 2, "x"), Edit(1, 3, "y")])


@pytest.mark.parametrize(
    ("text", "operation", "result"),
    [
        pytest.param("a: 1\r\nb: 2\r\n", Operation("set", ("c", "d"), 3), "a: 1\r\nb: 2\r\nc:\r\n  d: 3\r\n", id="line breaks are the text's own"),
        pytest.param("- a: 1\n  b: 2\n- c\n", Operation("remove", (0, "a")), "- b: 2\n- c\n", id="the first key of an item"),
        pytest.param("- a: 1 # x\n  b: 2\n", Operation("remove", (0, "a")), "- # x\n  b: 2\n", id="its comment stays"),
        pytest.param("- a: 1\n  # x\n  b: 2\n", Operation("remove", (0, "a")), "- \n  # x\n  b: 2\n", id="and one between"),
        pytest.param("a:\n- 1\n- 2", Operation("remove", ("a", 1)), "a:\n- 1\n", id="the last item of a text without final line break"),
        pytest.param("[a, {b: 1}]\n", Operation("set", (1, "b"), "x y"), '[a, {b: "x y"}]\n', id="inside a flow list"),
        pytest.param("a:  |\n  x\nb: 1\n", Operation("set", ("a",), 5), "a: 5\nb: 1\n", id="a block scalar becomes a number"),
        pytest.param("a: b\n", Operation("set", ("a",), {"c": [1]}), "a:\n  c:\n  - 1\n", id="a scalar becomes a mapping"),
        pytest.param("a: 'x'\n", Operation("set", ("a",), "y"), "a: 'y'\n", id="quotes stay"),
        pytest.param("a: |\n  x\n     \nb: 1\n", Operation("set", ("c",), 1), "a: |\n  x\n     \nb: 1\nc: 1\n", id="below a scalar with a blank end"),
        pytest.param("b: 1\na: |\n  x\n     \n", Operation("set", ("c",), 1), "b: 1\na: |\n  x\n     \nc: 1\n", id="blank rows that are content"),
        pytest.param("'a': 1\n", Operation("rename", ("a",), "b"), "'b': 1\n", id="a key keeps its quotes"),
    ],
)  # fmt: skip
def test_edits(text: str, operation: Operation, result: str) -> None:
    """An operation on the data, laid onto the text."""
    (tree,) = parse(text)
    assert apply(text, edits_for(text, tree, [operation])) == result


@pytest.mark.parametrize(
    ("text", "operation", "message"),
    [
        pytest.param(
            "a: 5\n", Operation("set", ("a", "b"), 1), "a is neither a mapping nor a list", id="below a scalar"
        ),
        pytest.param(
            "a: [[x]]\n", Operation("set", ("a", 0), "y"), r"a\[0\] is not a scalar", id="an item that is a list"
        ),
        pytest.param(
            "a: &x {}\n",
            Operation("set", ("a", "b"), 1),
            "a carries the anchor &x, which a change would lose",
            id="an anchor",
        ),
    ],
)
def test_edits_that_are_refused(text: str, operation: Operation, message: str) -> None:
    """What can't be changed safely is named by its path."""
    (tree,) = parse(text)
    with pytest.raises(EditError, match=message):
        edits_for(text, tree, [operation])


@pytest.mark.parametrize(
    ("host", "is_sensor"),
    [
        ("groundcover-sensor.groundcover.svc.cluster.local", True),
        ("groundcover-sensor.groundcover.svc.cluster.local:8126", True),
        ("groundcover-sensor.groundcover.svc.other.domain.", True),
        ("groundcover-sensor.groundcover", True),
        ("groundcover-sensor", True),
        ("groundcover/groundcover-sensor.groundcover.svc.cluster.local", True),
        ("http://Groundcover-Sensor.groundcover:4318", True),
        ("groundcover-alligator.groundcover.svc.cluster.local", True),
        ("groundcover-sensor.other.svc.cluster.local", False),
        ("groundcover-sensor.groundcover.example.com", False),
        ("zipkin.istio-system:9411", False),
        (5, False),
    ],
)
def test_what_means_the_sensor(host: object, is_sensor: bool) -> None:  # noqa: FBT001
    """Rightly written or not, with or without a port, under any cluster domain."""
    assert is_sensor_host(host, "groundcover-sensor", "groundcover") == is_sensor
    assert is_sensor_host("eyes.obs", "eyes", "obs")
