"""Starts one process after the other and measures each: run by `python -I -S`, with a job a line on standard input.

A process of its own, and as small as Python gets: what Linux gives as a process's peak memory includes
what the one that started it had. A job is input, output and command, with tabs between; the answer is
exit code, seconds and peak memory in kilobytes.
"""

from __future__ import annotations

import os
import sys
import time


def main() -> None:
    """Do all jobs."""
    for line in sys.stdin:
        source, target, *command = line.rstrip("\n").split("\t")
        files = [
            (os.POSIX_SPAWN_OPEN, 0, source, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        ]
        start = time.perf_counter()
        pid = os.posix_spawn(command[0], command, os.environ, file_actions=files)
        _, status, usage = os.wait4(pid, 0)
        seconds = time.perf_counter() - start
        print(os.waitstatus_to_exitcode(status), seconds, usage.ru_maxrss, flush=True)


if __name__ == "__main__":
    main()
