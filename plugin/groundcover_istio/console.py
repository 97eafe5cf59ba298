"""The process as commands see it: streams, environment, and the way out for errors."""

from __future__ import annotations

import os
import stat
import sys

from groundcover_istio import interrupts, stream
from groundcover_istio.errors import PROGRAM, SettingsError, UsageError, escaped
from groundcover_istio.limits import MAX_FILE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, BinaryIO, Final, TextIO

CHANNELS: Final = ("auto", "stderr", "document")
ERASE: Final = "\r\033[K"
"""Takes away the line that stands at a terminal."""
# How Helm 4 starts the plugin (plugin.yaml), with a channel.
_CHANNEL_OPTION: Final = "--error-channel"
_AT_ONCE: Final = 1 << 20
"""Bytes that are asked for at once where nobody knows how many there are."""


def is_bare(arguments: Sequence[str]) -> bool:
    """Whether these are the arguments that Helm starts a post-renderer with: none, or the plugin's."""
    plugin = len(arguments) == len((_CHANNEL_OPTION, "document")) and arguments[0] == _CHANNEL_OPTION
    return not arguments or (plugin and arguments[1] in CHANNELS)


class Console:
    """Standard input and output, files by name, the environment, and where an error is shown."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.channel = "stderr"
        """Where errors go; for a command that Helm does not start, this: who starts it sees the exit code."""
        self.manifests: bytes | None = None
        """What was read from standard input, once it was: it can be read only once."""
        self.written = False
        """Whether something was written to standard output; no error is put behind it."""

    @property
    def color(self) -> bool:
        """Whether standard output is a terminal that wants colour."""
        return sys.stdout is not None and sys.stdout.isatty() and not self.environment.get("NO_COLOR")

    def read(self, name: str) -> bytes:
        """The bytes of a file, of standard input for `-`.

        Raises UsageError where it can't be read or is too large, or where standard input is a terminal.
        """
        if name != "-":
            try:
                with open(name, "rb") as file:  # noqa: PTH123  importing pathlib costs 8 ms at every start
                    return _read_all(file)
            except (OSError, MemoryError) as error:
                raise UsageError(f"can't be read: {_why(error)}", where=name) from error
        if self.manifests is not None:
            return self.manifests
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError(
                "no manifests on standard input",
                hint=f"helm template RELEASE CHART | {PROGRAM}, or helm install … --post-renderer {PROGRAM}",
            )
        try:
            self.manifests = _read_all(sys.stdin.buffer)
        except (OSError, MemoryError) as error:
            raise UsageError(f"can't be read: {_why(error)}", where="standard input") from error
        return self.manifests

    def read_text(self, name: str) -> str:
        """The text of a file in UTF-8; raises SettingsError where it is none."""
        try:
            return self.read(name).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise SettingsError("is not valid UTF-8", where=name) from error

    def write(self, text: str | bytes) -> None:
        """Write a result to standard output, whole: an interrupt waits for it.

        Raises BrokenPipeError where nobody reads on, UsageError where it can't be written.
        """
        if sys.stdout is None:
            raise UsageError("is closed", where="standard output")
        # In a file's name there may be bytes that are no UTF-8.
        data = text.encode(errors="surrogateescape") if isinstance(text, str) else text
        with interrupts.Held():
            self.written = True
            try:
                _write_all(sys.stdout.buffer, data)
            except OSError as error:
                _give_up(sys.stdout)
                if isinstance(error, BrokenPipeError):
                    raise
                raise UsageError(f"can't be written: {error.strerror}", where="standard output") from error

    def write_file(self, name: str, text: str) -> None:
        """Write a file whole or not at all, standard error for `-`; raises UsageError where it can't be.

        A link stays a link and a file keeps its mode.
        """
        if name == "-":
            if not self.say(text):
                raise UsageError("can't be written", where="standard error")
            return
        target = os.path.realpath(name)
        try:
            if os.path.exists(target) and not os.path.isfile(target):  # noqa: PTH110, PTH113  a pipe, /dev/stderr
                with open(target, "w", encoding="utf-8") as pipe, interrupts.Held():  # noqa: PTH123  as above
                    pipe.write(text)
                    pipe.flush()
                return
            with interrupts.Held():
                _replace(target, f"{target}.{os.getpid()}.tmp", text)
        except OSError as error:
            raise UsageError(f"can't be written: {error.strerror}", where=name) from error

    def say(self, text: str) -> bool:
        """Write to standard error, where nothing but a person reads; whether that was possible."""
        if sys.stderr is None:
            return False
        with interrupts.Held():
            try:
                if not hasattr(sys.stderr, "buffer"):  # one of a program that calls this one
                    sys.stderr.write(text)
                    return True
                # Any text can be said, whatever PYTHONIOENCODING has.
                _write_all(sys.stderr.buffer, text.encode(sys.stderr.encoding, "backslashreplace"))
            except OSError:
                _give_up(sys.stderr)
                return False
        return True

    def fail(self, text: str, code: int) -> int:
        """Show an error and return the exit code.

        Helm 4 throws a post-renderer's standard error and exit code away; the one thing it shows is
        a document that is no mapping, which it refuses with its text (all 4.x so far).
        """
        document = self.channel == "document" or (self.channel == "auto" and stream.is_helm4(self.manifests or b""))
        return self._show(text, code, document=document)

    def interrupted(self, code: int) -> int:
        """The same for a signal, which may have come in the midst of an import: nothing is imported for it."""
        if sys.stderr is not None and sys.stderr.isatty():
            self.say(ERASE)  # The line of Progress, which does not come to it any more.
        return self._show(f"{PROGRAM}: error: interrupted", code, document=self.channel == "document")

    def _show(self, text: str, code: int, *, document: bool) -> int:
        # A file's name may have in it what no terminal and no YAML should be given.
        lines = [escaped(line) for line in text.split("\n")]
        if document and not self.written:
            try:
                self.write("|-\n" + "".join(f"  {line}\n" for line in lines))
            except (OSError, UsageError):
                pass
            else:
                return 0
        self.say("\n".join(lines) + "\n")
        return code


def _replace(target: str, scratch: str, text: str) -> None:
    """Write a file's new text beside it, then put it in its place; on failure nothing of it is left."""
    mode = os.stat(target).st_mode & 0o7777 if os.path.exists(target) else None  # noqa: PTH110, PTH116
    # What is there already is not ours, and not taken away below.
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        if mode is not None:
            os.chmod(scratch, mode)  # noqa: PTH101
        os.replace(scratch, target)  # noqa: PTH105
    finally:
        if os.path.exists(scratch):  # noqa: PTH110
            os.remove(scratch)  # noqa: PTH107


def _read_all(source: Any) -> bytes:
    """What comes until the end, also where it comes late and the other side asked for no waiting (O_NONBLOCK).

    Raises OSError where it is more than MAX_FILE_BYTES: at once where a file's size says so, else as soon as it is.
    """
    size = _size(source)
    # In one piece where the size is known: pieces are put together in as much memory again.
    at_once = size + 1 if size else _AT_ONCE
    left = MAX_FILE_BYTES if size <= MAX_FILE_BYTES else -1
    chunks = []
    while left >= 0 and (chunk := source.read(at_once)) != b"":
        if chunk is None:
            _wait_for(source, reading=True)
        else:
            chunks.append(chunk)
            left -= len(chunk)
            at_once = _AT_ONCE
    if left < 0:
        raise OSError(0, f"more than {MAX_FILE_BYTES:,} bytes")
    return b"".join(chunks)


def _size(source: Any) -> int:
    """The bytes of a file; 0 of all else, and of the system's own files, which have no size."""
    try:
        status = os.fstat(source.fileno())
    except (OSError, AttributeError):  # one of a program that calls this one
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _why(error: OSError | MemoryError) -> str:
    return str(error.strerror) if isinstance(error, OSError) else "not enough memory"


def _write_all(target: BinaryIO, data: bytes) -> None:
    """Write to the end: with PYTHONUNBUFFERED, as container images set it, one `write` may take a part and say so."""
    target.flush()
    raw: Any = getattr(target, "raw", target)
    view = memoryview(data)
    while view:
        written = raw.write(view)
        if written is None:
            _wait_for(raw, reading=False)
        view = view[written or 0 :]


def _wait_for(stream: BinaryIO, *, reading: bool) -> None:
    import select  # noqa: PLC0415  seldom needed

    select.select([stream] if reading else [], [] if reading else [stream], [])


def _give_up(broken: TextIO) -> None:
    """Keep Python from writing once more, at exit, what could not be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), broken.fileno())
