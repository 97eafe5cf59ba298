"""Says in one line what this machine's Python lacks; runs under any Python 3."""

import sys


def main():
    """Exit 1 with that line, or 0."""
    if sys.version_info < (3, 11):
        sys.exit(
            "setup: Python 3.11 or newer is needed, this is %d.%d; name one: make PYTHON=python3.12"
            % sys.version_info[:2]
        )
    try:
        import ensurepip  # noqa: F401, PLC0415
        import venv  # noqa: F401, PLC0415
    except ImportError:
        package = "python%d.%d-venv" % sys.version_info[:2]
        sys.exit("setup: this Python can't make virtual environments; install them: apt-get install %s" % package)


main()
