"""What is read of the files and folders that are named: each once, with an end, whatever else is there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from groundcover_istio.checks import engine
from groundcover_istio.checks.exclusion import Exclusion
from groundcover_istio.checks.inputs import expand
from groundcover_istio.checks.loading import File, Given

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PLAIN = "a: 1\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, `top` from where the test stands, with a file in it."""
    made = tmp_path / "top"
    made.mkdir()
    (made / "a.yaml").write_text(PLAIN)
    monkeypatch.chdir(tmp_path)
    return made


def files(*names: str) -> list[str]:
    """What is read of these names."""
    return list(expand(names, Exclusion([])).files)


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


@pytest.mark.timeout(60)
def test_a_long_line_is_gone_through_once() -> None:
    """Not from each of its keys: broken JSON on one line takes the time of its size, a second, not of its square."""
    content = b'["istio",' + b",".join([b'{"name":"a"}'] * 40_000) + b"\tx"
    report = engine.check([File("x.json", content, found=True)], Given())
    assert report.passed == ("x.json",)


@pytest.mark.timeout(60)
def test_links_among_folders_are_no_new_folders(folder: Path) -> None:
    """Ways through ten that lead to each other are a million; a file has one name, that without links."""
    (folder / "a.yaml").unlink()
    names = "abcdefghij"
    for one in names:
        (folder / one).mkdir()
        for other in set(names) - {one}:
            (folder / one / f"_{other}").symlink_to(folder / other)
    (folder / "h" / "x.yaml").write_text(PLAIN)
    assert files("top") == ["top/h/x.yaml"]


def test_a_file_is_read_once(folder: Path) -> None:
    """Of several links to it by the first, and by none where it has a name of its own; hard links are files like any."""
    outside = folder.parent / "outside.yaml"
    outside.write_text(PLAIN)
    (folder / "0.yaml").symlink_to("b/own.yaml")
    (folder / "b").mkdir()
    (folder / "b" / "own.yaml").write_text(PLAIN)
    (folder / "b" / "hard.yaml").hardlink_to(folder / "b" / "own.yaml")
    (folder / "c.yaml").symlink_to(outside)
    (folder / "d.yaml").symlink_to(outside)
    (folder / "e").symlink_to("b")
    assert files("top") == ["top/a.yaml", "top/b/hard.yaml", "top/b/own.yaml", "top/c.yaml"]


def test_a_folder_outside_is_read_through_a_link(folder: Path) -> None:
    """Under the link's name; of links that lead nowhere those that are named like a manifest are."""
    outside = folder.parent / "outside"
    (outside / "below").mkdir(parents=True)
    (outside / "below" / "x.yaml").write_text(PLAIN)
    (folder / "0").symlink_to(outside)
    (folder / "again").symlink_to(outside)
    (folder / "gone").symlink_to("nowhere")
    (folder / "gone.yaml").symlink_to("nowhere")
    assert files("top") == ["top/0/below/x.yaml", "top/a.yaml", "top/gone.yaml"]


@pytest.fixture
def deep(folder: Path) -> Iterator[Path]:
    """A folder more than a thousand below; taken away again, which others could not."""
    made = [folder]
    for _ in range(1_200):
        made.append(made[-1] / "d")
        made[-1].mkdir()
    yield made[-1]
    for path in reversed(made[1:]):
        path.rmdir()


def test_a_thousand_folders_in_each_other(deep: Path) -> None:
    """Are gone through like any, deeper than Python's own calls may be."""
    file = deep / "x.yaml"
    file.write_text(PLAIN)
    assert files("top") == ["top/a.yaml", str(file.relative_to(file.parents[1_201]))]
    file.unlink()


def test_folders_deeper_than_a_path_is_long(folder: Path, tool: Callable[..., Any]) -> None:
    """The first that the system takes no path of is named, the others are read."""
    at = os.open(folder, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=at)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)
    code, out, err = tool("check", "top")
    assert code == 3
    assert out.decode().count("error: can't be read: File name too long [GCI000 unreadable]") == 1
    assert err == "1 error, 0 warnings, 0 info in 2 inputs\n"
