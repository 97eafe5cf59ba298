"""Whether Istio's decoder reads each mesh config of tests/checks/data/decoded.json, asked anew and written there.

The file stands in for the decoder where there is no Go. It is a list with one mesh config on a line; to add one, write
`{"mesh": {…}}` on a line of its own and run this. The answers are those of tests/conformance/tools/meshconfig, which is
built with Istio's own code.

    python tools/decoded.py     needs Go, and a minute the first time
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import conformance
import environments
import helm_binaries

if TYPE_CHECKING:
    from pathlib import Path

RECORD = environments.ROOT / "tests/checks/data/decoded.json"


def main() -> int:
    """Ask about each, write the answers, and say how many are others than before."""
    cache = helm_binaries.cache_folder().parent / "conformance"
    recorded = json.loads(RECORD.read_text())
    answered = asked(conformance.build("meshconfig", conformance.PARTS["meshconfig"], cache), recorded)
    RECORD.write_text(text(answered))
    changed = sum(before != after for before, after in zip(recorded, answered, strict=True))
    print(f"decoded: {len(answered)} mesh configs, {changed} of them with another answer than before")
    return 0


def asked(program: Path, recorded: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same mesh configs, each with whether the program's lenient decoder, which istiod uses, reads it."""
    # The program takes a mesh config as text, in a JSON string; JSON is YAML.
    questions = "".join(json.dumps(json.dumps(each["mesh"])) + "\n" for each in recorded)
    done = subprocess.run([str(program)], input=questions, capture_output=True, check=True, text=True)
    # What it knows of the fields stands on the first line.
    answers = [json.loads(line) for line in done.stdout.splitlines()[1:]]
    return [
        {"accepted": not answer["lenient"], "mesh": each["mesh"]}
        for each, answer in zip(recorded, answers, strict=True)
    ]


def text(recorded: list[dict[str, Any]]) -> str:
    """The file: a mesh config on a line."""
    return "[\n" + ",\n".join(json.dumps(each) for each in recorded) + "\n]\n"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, subprocess.CalledProcessError) as problem:
        sys.exit(f"decoded: {problem}")
