"""The safety net: whatever an edit does, only what was planned gets out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from groundcover_istio import embedded, pipeline
from groundcover_istio.errors import EditError, ManifestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from groundcover_istio.model import Edit

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


def test_an_edit_never_reaches_the_next_separator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the line break at the document's end the separator behind it would become a part of the value."""
    monkeypatch.setattr(pipeline, "embed", lambda *arguments: spoiled(embedded.embed(*arguments), str.rstrip))
    with pytest.raises(EditError, match="it would be cut into other documents"):
        pipeline.run(STREAM.removesuffix(b"  other: x\n") + b"---\nkind: Pod\n")


def test_a_text_at_the_end_of_the_stream_gets_no_line_break() -> None:
    """Where a document is added below it; without one, or with a line break there, it is as any other."""
    service = (
        b"kind: Service\nmetadata:\n  name: groundcover-sensor\nspec:\n  ports: [{name: otlp-http, port: 4318}]\n---\n"
    )
    with pytest.raises(ManifestError, match="ends in a text without a line break"):
        pipeline.run(service + b"a: |\n  x")
    for end in (b"a: |\n  x\n", b"a:\n- |-\n  x", b"a: [b"):
        after = pipeline.run(service + end).after
        assert after.startswith(service + end.removesuffix(b"\n") + b"\n---\n")


def spoiled(edit: Edit, spoil: Callable[[str], str]) -> Edit:
    """The edit with another text."""
    return edit._replace(text=spoil(edit.text))
