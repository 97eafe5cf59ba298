"""Data as YAML text, which Kubernetes and every YAML reader reads back as the same data."""

from __future__ import annotations

from groundcover_istio.k8syaml import resolve_plain
from groundcover_istio.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from groundcover_istio.model import Data

# A plain scalar that every YAML reader takes for a string: a word, a host name, a path, a duration.
_SAFE: Final = pattern(r"[A-Za-z/][A-Za-z0-9/]*([-._/][A-Za-z0-9]+)*|[1-9][0-9]*(ms|s|m|h)")
_MUST_ESCAPE: Final = pattern(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]')
# A text that a literal block holds as it is: it begins with no white space, and one line break ends it.
_LITERAL: Final = pattern(r"[^\s][^\n]*\n(\n*[ ]*[^\s][^\n]*\n)*")
_PLAIN_TEXT: Final = pattern(r'["\\\n]')
_NO_NUMBERS: Final = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape(text: str) -> str:
    """`text` as it stands between double quotes, in YAML and in JSON alike."""
    return _MUST_ESCAPE.sub(lambda match: _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04x}", text)


def scalar_text(value: Data, *, style: str = "") -> str:
    """A scalar as text that Kubernetes and every YAML reader reads back as `value`.

    A string is plain only where nothing could take it for anything else; `style` asks for one of
    the two quotes, which a single quote gets only where it can hold the text.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float_text(value)
    if style == "'" and not _MUST_ESCAPE.search(value.replace('"', "").replace("\\", "")):
        return "'" + str(value).replace("'", "''") + "'"
    if style == "" and _SAFE.fullmatch(value) and isinstance(resolve_plain(value), str):
        return str(value)
    return f'"{escape(value)}"'


def _float_text(value: float) -> str:
    """Without exponent: `1e-05` is a string to a YAML 1.1 reader."""
    if value.is_integer():
        return str(int(value))
    digits, _, exponent = repr(value).partition("e")
    if not exponent:
        return _NO_NUMBERS.get(digits, digits)
    # Of a fraction the exponent is negative, and one digit stands before the point.
    sign, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    return f"{sign}0.{'0' * (-int(exponent) - 1)}{digits.replace('.', '')}"


def flow_text(value: Data, *, json: bool) -> str:
    """`value` on one line in flow style; with `json`, as strict JSON."""
    style = '"' if json else ""
    if isinstance(value, dict):
        pairs = (f"{scalar_text(key, style=style)}: {flow_text(item, json=json)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow_text(item, json=json) for item in value) + "]"
    return scalar_text(value, style=style)


def block_lines(value: Data, indent: int) -> list[str]:
    """`value` as lines in block style, each indented by `indent` spaces; lists stand under their key."""
    pad = " " * indent
    lines: list[str] = []
    if isinstance(value, dict) and value:
        for key, item in value.items():
            lines += pair_lines(scalar_text(key), item, indent)
    elif isinstance(value, list) and value:
        for item in value:
            first, *rest = block_lines(item, indent + 2)
            lines += [f"{pad}- {first[indent + 2 :]}", *rest]
    else:
        lines.append(pad + flow_text(value, json=False))
    return lines


def pair_lines(key: str, value: Data, indent: int) -> list[str]:
    """`key: value` as lines in block style."""
    pad = " " * indent
    if isinstance(value, dict) and value:
        return [f"{pad}{key}:", *block_lines(value, indent + 2)]
    if isinstance(value, list) and value:
        return [f"{pad}{key}:", *block_lines(value, indent)]
    if (
        isinstance(value, str)
        and "\n" in value
        and _LITERAL.fullmatch(value)
        and not _MUST_ESCAPE.search(_PLAIN_TEXT.sub("", value))
    ):
        text = [f"{pad}  {line}" if line else "" for line in value.removesuffix("\n").split("\n")]
        return [f"{pad}{key}: |", *text]
    return [f"{pad}{key}: {flow_text(value, json=False)}"]
