"""`make fuzz`: coverage-guided fuzzing of the tool, in an environment of its own in the user's cache folder.

    python tools/fuzz.py SECONDS [libFuzzer options]   look for new inputs; those that reach more are kept in build/fuzz
    python tools/fuzz.py --keep                        the fewest of all of them that reach as much: tests/fuzz/corpus

Seeds are tests/fuzz/corpus and the golden cases. Exit 1 with the input's path where something does not hold.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import environments

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests" / "fuzz"
CORPUS = TESTS / "corpus"
WORK = ROOT / "build" / "fuzz"
# Bytes of an input, seconds for one, megabytes of memory.
LIMITS: Final = ("-max_len=6000", "-timeout=30", "-rss_limit_mb=1024")
DEFAULT_SECONDS: Final = "60"


def main(arguments: list[str]) -> int:
    """Fuzz, or keep what was found."""
    python = environments.environment("fuzz", TESTS / "requirements.txt") / "bin" / "python"
    seeds = WORK / "seeds"
    shutil.rmtree(seeds, ignore_errors=True)
    seeds.mkdir(parents=True)
    for case in sorted((ROOT / "tests/golden/cases").iterdir()):
        (seeds / case.name).write_bytes(b"a" + (case / "input.yaml").read_bytes())
    found = WORK / "found"
    found.mkdir(exist_ok=True)
    # libFuzzer starts itself anew when it merges, by this name.
    launcher = WORK / "fuzz_render"
    launcher.write_text(f'#!/bin/sh\nexec "{python}" "{TESTS / "fuzz_render.py"}" "$@"\n')
    launcher.chmod(0o755)
    fuzzer = [str(launcher), *LIMITS]
    if arguments[:1] == ["--keep"]:
        kept = WORK / "kept"
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
        code = subprocess.run(
            [*fuzzer, "-merge=1", "-use_counters=0", str(kept), *map(str, (CORPUS, seeds, found))], check=False
        ).returncode
        return code or replace_corpus(kept)
    seconds, *options = arguments or [DEFAULT_SECONDS]
    command = [*fuzzer, f"-max_total_time={seconds}", f"-artifact_prefix={WORK}/", f"-dict={TESTS / 'yaml.dict'}"]
    command += ["-print_final_stats=1", *options, *map(str, (found, CORPUS, seeds))]
    return int(subprocess.run(command, check=False, cwd=WORK).returncode != 0)


def replace_corpus(kept: Path) -> int:
    """Put the inputs in place of those that a run named by their hash; those that a person named stay."""
    named = {path.read_bytes() for path in CORPUS.iterdir() if not is_hash(path.name)}
    for path in CORPUS.iterdir():
        if is_hash(path.name):
            path.unlink()
    for path in sorted(kept.iterdir()):
        if path.read_bytes() not in named:
            shutil.copyfile(path, CORPUS / path.name)
    return 0


def is_hash(name: str) -> bool:
    """Whether libFuzzer gave the name."""
    return len(name) == hashlib.sha1(b"", usedforsecurity=False).digest_size * 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
