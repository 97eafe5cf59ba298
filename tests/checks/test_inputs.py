"""What is read of the files and folders that are named: each once, with an end, whatever else is there."""

from __future__ import annotations

import time

import pytest

from groundcover_istio.checks import engine
from groundcover_istio.checks.loading import File, Given


@pytest.mark.parametrize(
    ("content", "matters"),
    [
        pytest.param(b"name: istiod\n\tx", True, id="a name behind its key"),
        pytest.param(b'{"name": "a", "x": 1, "y": "GroundCover"}\n\tx', True, id="further on in the line, in other letters"),
        pytest.param(b'{"x": "istio", "name": "a"}\n\tx', False, id="before the key"),
        pytest.param(b'{"x": "istio", "name": "istio"}\n\tx', True, id="before and behind it"),
        pytest.param(b"name: a\nx: istio\n\tx", False, id="on the next line"),
        pytest.param(b"name: a\rx: istio\n\tx", False, id="behind a carriage return"),
        pytest.param(b"x: istio\n\tx", False, id="behind another key"),
        pytest.param(b"x: networking.istio.io/v1\n\tx", True, id="an API group anywhere"),
    ],
)  # fmt: skip
def test_what_says_something_of_istio(content: bytes, matters: bool) -> None:  # noqa: FBT001
    """A broken file that nobody named is passed over but where it does."""
    report = engine.check([File("x.yaml", content, found=True)], Given())
    assert report.passed == (() if matters else ("x.yaml",))


def test_a_long_line_is_gone_through_once() -> None:
    """Not from each of its keys: broken JSON on one line takes the time of its size, not of its square."""
    content = b"[" + b",".join([b'{"name":"a"}'] * 10_000) + b"\tx"
    begun = time.process_time()
    report = engine.check([File("x.json", content, found=True)], Given())
    assert report.passed == ("x.json",)
    assert time.process_time() - begun < 1
