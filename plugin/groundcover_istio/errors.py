"""What can go wrong, each with its exit code; imports nothing of ours.

A message says what was found and what is accepted, in lower case; `where` names the
place first (a file and line, an object, a flag), `hint` the command or YAML that mends it.
"""

from __future__ import annotations

PROGRAM = "groundcover-istio"
# Of our variables; here, since the start of every run looks for them and the settings are not loaded by then.
ENVIRONMENT_PREFIX = "GROUNDCOVER_ISTIO_"


def plain(text: str, longest: int = 100) -> str:
    """What others wrote, as a part of a message: cut to `longest` characters, without line breaks and control codes."""
    return escaped(text if len(text) <= longest else f"{text[:longest]}…")


def escaped(text: str) -> str:
    """A text on one line, with nothing in it that moves a terminal's cursor."""
    return text if text.isprintable() else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


class ToolError(Exception):
    """Base of every error a user may see; never raised itself."""

    exit_code = 3

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        """Keep the parts apart so that a caller can add the place it knows."""
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """The text for a person, one or more lines, without a final line break."""
        place = f"{self.where}: " if self.where else ""
        lines = [f"{PROGRAM}: error: {place}{self.message}"]
        lines += [f"  fix: {line}" if i == 0 else f"       {line}" for i, line in enumerate(self.hint.splitlines())]
        return "\n".join(lines)


class UsageError(ToolError):
    """The command line or the environment can't be understood."""

    exit_code = 2


class SettingsError(ToolError):
    """The settings are invalid or contradict each other."""

    exit_code = 2


class ManifestError(ToolError):
    """A manifest can't be read, or what it says stands against the settings."""

    exit_code = 3


class EditError(ToolError):
    """A manifest is fine but can't be edited safely as text."""

    exit_code = 3
