"""What CHANGELOG.md says of a version, for its release on GitHub; an error where that section is not ready.

python tools/release_notes.py 0.1.0
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).resolve().parent.parent / "CHANGELOG.md"
UNRELEASED = "Unreleased"


class NotReadyError(Exception):
    """The changelog was not made ready for the release; the text says what to do."""


def notes(changelog: str, version: str) -> str:
    """The section of a version, without its heading, each item on one line.

    Raises NotReadyError where there is none, where it is empty, or where changes are still called unreleased.
    """
    parts = re.split(r"^## +(.+)\n", changelog, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], (text.strip() for text in parts[2::2]), strict=True))
    heading = re.compile(rf"{re.escape(version)} - \d{{4}}-\d\d-\d\d")
    found = next((text for title, text in sections.items() if heading.fullmatch(title)), "")
    if not found:
        raise NotReadyError(f'nothing under "## {version} - YYYY-MM-DD": rename "## {UNRELEASED}"')
    if sections.get(UNRELEASED):
        raise NotReadyError(f'there are changes under "## {UNRELEASED}": move them to "## {version} - …"')
    # GitHub shows a line break in a release's notes as one.
    return re.sub(r"(?<=\S)\n +(?![-* ])", " ", found) + "\n"


def main(arguments: list[str]) -> int:
    """Print them."""
    (version,) = arguments
    try:
        print(notes(CHANGELOG.read_text(), version), end="")
    except NotReadyError as problem:
        print(f"release_notes: {CHANGELOG.name}: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
