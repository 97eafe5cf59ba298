"""What is read, and what is refused for its size: every limit on input, in one place (docs/limits.md).

All but the first hold for what is parsed. A document that nothing has to be known of passes through, whatever it is.
Each is far above what Kubernetes takes: etcd refuses an object of more than 1.5 MiB.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

MAX_FILE_BYTES: Final = 1024 * 1024 * 1024
"""Bytes of a file or of standard input, whatever is in them: devices and pipes may have no end."""
MAX_LENGTH: Final = 16 * 1024 * 1024
"""Characters of one YAML document, or of a mesh config in a scalar."""
MAX_DOCUMENTS: Final = 200_000
"""YAML documents that are parsed of one input."""
MAX_DEPTH: Final = 100
"""Levels of lists and mappings in each other, those that aliases refer to included."""
MAX_NODES: Final = 1_000_000
"""Keys, values, lists and mappings of one document, each alias counted as what it refers to."""
MAX_ALIASED: Final = 200_000
"""Of those, how many may come from aliases, in all the documents of one input."""
