"""The stream as bytes: which documents can matter, where they stand, and what must not be read.

Documents are slices of the input; whatever is not a candidate is never decoded, parsed or copied,
so it comes out as it went in. The candidates are found by searching the whole stream for a few
byte strings, which is why a stream with nothing of ours costs little more than reading it.
"""

from __future__ import annotations

from groundcover_istio.errors import ManifestError
from groundcover_istio.patterns import pattern
from groundcover_istio.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from re import Pattern
    from typing import Final

BOM: Final = "\ufeff"

# A separator is `---` at the start of a line, alone or before white space (YAML 1.2 §9.1.2);
# `-----BEGIN …`, `-------` and `---apiVersion` are none.
_SEPARATOR: Final = pattern(rb"\n---(?=[ \t\r\n]|\Z)")
# Each pattern starts with a word rather than with what may stand before it: such a search is ten times as fast.
# Before a value may stand an anchor, a tag, the header of a block scalar, a quote; in its place an alias.
_BEFORE: Final = rb"[\"']?\s*:\s*(?:[&!]\S*\s+)*(?:\*|(?:[|>][-+0-9]*\s+)?[\"']?"
_KIND: Final = rb"kind" + _BEFORE + rb"(?:%s|List)\b)"
_CONFIG_MAP: Final = pattern(_KIND % rb"ConfigMap")
_SERVICE: Final = pattern(_KIND % rb"Service")
_TELEMETRY: Final = pattern(_KIND % rb"Telemetry")
_OPERATOR: Final = pattern(_KIND % rb"IstioOperator")
_SAIL: Final = pattern(_KIND % rb"Istio(?:Revision)?")
_DEPLOYMENT: Final = pattern(_KIND % rb"Deployment")
_RESOURCE_LIST: Final = pattern(_KIND % rb"ResourceList")
_MESH: Final = pattern(rb"mesh(?<![\w.-]mesh)[\"']?\s*:")
_MESH_NAME: Final = pattern(rb"name" + _BEFORE + rb"(?:istio|groundcover-mesh)\b)")
_ISTIOD: Final = pattern(rb"name" + _BEFORE + rb"istiod\b)")

# Where Helm says which template a document came from: Helm 3 in a comment, Helm 4 in an annotation.
_SOURCE: Final = pattern(rb"(?m)^# Source: ([^/\s]+)/\S")
_FILENAME: Final = pattern(rb"postrenderer\.helm\.sh/postrender-filename[\"']?\s*:\s*[\"']?([^/\s\"']+)/")
_CHART: Final = pattern(r"[A-Za-z0-9][A-Za-z0-9._-]*")
FILENAME_ANNOTATION: Final = "postrenderer.helm.sh/postrender-filename"

# The tag of istiod's image, as `…/pilot:1.24.3`, `…/istio-pilot:1.24.3-distroless`, and what stands before it on its
# line.
_PILOT: Final = pattern(rb"pilot:(?:(?<=/pilot:)|(?<=istio-pilot:))([0-9][\w.+-]*)")
_IMAGE: Final = pattern(rb"image[\"']?[ \t]*:[ \t]*[\"']?[^\s\"']*\Z")
_LONGEST_IMAGE: Final = 512


# What istiod is told of the cluster's DNS domain, but for the default and for what proxies have there.
_DOMAIN: Final = pattern(rb"--domain(?![\"']?(?:=|[\s,]+(?:-\s+)?)[\"']?(?:cluster\.local(?![\w.-])|\$\())")


class Document(NamedTuple):
    """A slice of the stream that may hold something of interest; a separator line belongs to it."""

    start: int
    """Byte offset of its first byte."""
    end: int
    """Byte offset after its last byte."""
    line: int
    """Line of its first byte, from 1."""
    text: str
    """Its characters, without a byte order mark."""


def candidates(stream: bytes, service_name: str = "", *, deployments: bool = False) -> tuple[Document, ...]:
    """The documents that can hold a mesh config, our integration, the sensor's Service or a Telemetry.

    The sensor's Service has `groundcover` in it or the name given. With `deployments` also istiod's
    Deployment, which only the shared mesh config needs.
    Raises ManifestError when one of them is not UTF-8.
    """
    marks = (
        (b"mesh", (_CONFIG_MAP, _MESH, _MESH_NAME)),
        (b"istio-integration", (_CONFIG_MAP,)),
        (b"telemetry.istio.io", (_TELEMETRY,)),
        (b"install.istio.io", (_OPERATOR,)),
        (b"sailoperator.io", (_SAIL,)),
        (b"config.kubernetes.io", (_RESOURCE_LIST,)),
        (b"groundcover", (_SERVICE,)),
        *(((service_name.encode(), (_SERVICE,)),) if service_name else ()),
        *(((b"istiod", (_DEPLOYMENT, _ISTIOD)),) if deployments else ()),
    )
    return _documents(stream, marks)


def with_domain(stream: bytes, *, default: bool) -> tuple[Document, ...]:
    """The documents in which istiod may be told a cluster domain, with `default` also Kubernetes' own default.

    Raises ManifestError when one of them is not UTF-8.
    """
    # Patterns are compiled when they are used: on Istio's own chart, as most have it, only the first.
    return _documents(stream, ((b"--domain", (*(() if default else (_DOMAIN,)), _DEPLOYMENT, _ISTIOD)),))


def _documents(stream: bytes, marks: Iterable[tuple[bytes, tuple[Pattern[bytes], ...]]]) -> tuple[Document, ...]:
    """The documents that have one of the marks in them and match each of its patterns, in the stream's order."""
    found: dict[int, int] = {}
    for mark, patterns in marks:
        offset = stream.find(mark)
        while offset >= 0:
            start, end = _slice(stream, offset)
            if all(pattern.search(stream, start, end) for pattern in patterns):
                found[start] = end
            offset = stream.find(mark, end)
    documents = []
    line, counted = 1, 0
    for start, end in sorted(found.items()):
        line += stream.count(b"\n", counted, start)
        counted = start
        documents.append(Document(start, end, line, _decode(stream[start:end], line)))
    return tuple(documents)


def _slice(stream: bytes, offset: int) -> tuple[int, int]:
    """Where the document around `offset` starts, its separator line included, and ends."""
    start = stream.rfind(b"\n---", 0, offset)
    while start >= 0 and not _SEPARATOR.match(stream, start):
        start = stream.rfind(b"\n---", 0, start)
    following = _SEPARATOR.search(stream, offset)
    return start + 1, following.start() + 1 if following else len(stream)


def last_document(stream: bytes) -> bytes:
    """The last of the slices, from its separator on."""
    return stream[_slice(stream, len(stream))[0] :]


def _decode(body: bytes, line: int) -> str:
    try:
        return body.decode().removeprefix(BOM)
    except UnicodeDecodeError as error:
        at = line + body.count(b"\n", 0, error.start)
        raise ManifestError(
            f"byte 0x{body[error.start]:02x} is not valid UTF-8", where=f"line {at}", hint="write the manifest in UTF-8"
        ) from error


def splice(stream: bytes, replaced: list[tuple[Document, str]], added: list[str]) -> bytes:
    """The stream with the text of some documents replaced and others appended.

    `added` texts end with a line break and carry no separator. Everything else is the same bytes.
    """
    parts: list[bytes | memoryview] = []
    position = 0
    # Views, not copies: it saves the size of the stream.
    view = memoryview(stream)
    for document, text in replaced:
        # A byte order mark at the document's start is not in its text: it stays.
        start = document.end - len(document.text.encode())
        parts += [view[position:start], text.encode()]
        position = document.end
    parts.append(view[position:])
    newline = line_break(stream)
    if added and next((part for part in reversed(parts) if part), b"\n")[-1:] != b"\n":
        parts.append(newline)
    parts += [b"---" + newline + text.encode().replace(b"\n", newline) for text in added]
    return b"".join(parts)


def line_break(stream: bytes) -> bytes:
    """The line break that the stream's first line ends with."""
    first = stream.find(b"\n")
    return b"\r\n" if first > 0 and stream[first - 1 : first] == b"\r" else b"\n"


def is_blank(stream: bytes) -> bool:
    """Whether the stream holds white space only."""
    return not stream or stream.isspace()


def is_helm4(stream: bytes) -> bool:
    """Whether Helm 4 made the stream: it annotates every document with its template's file name."""
    return _FILENAME.search(stream) is not None


def chart_of(stream: bytes, document: Document) -> tuple[str, bool]:
    """The chart that a document came from, '' if unknown, and whether Helm said so by annotation."""
    annotation = _FILENAME.search(stream, document.start, document.end)
    match = annotation or _SOURCE.search(stream, document.start, document.end)
    chart = match[1].decode("ascii", "replace") if match else ""
    return (chart if _CHART.fullmatch(chart) else "", annotation is not None)


def istiod_tags(stream: bytes) -> list[str]:
    """The tags of every istiod image that the stream names, in order."""
    return [
        match[1].decode()
        for match in _PILOT.finditer(stream)
        if _IMAGE.search(stream[max(0, match.start() - _LONGEST_IMAGE) : match.start()].rpartition(b"\n")[2])
    ]
