r"""Text as bytes: the one reader for the command line, for fields and for what is pasted.

Bytes in hex (`DE AD`, `dead`, `0xDE, 0xAD`, `\xDE\xAD`, `DEh`), string literals with escapes,
lists as C, C++, C#, Rust, Go, Python and JSON write them, dumps (hex_dumps.py), Intel HEX and
S-records (hex_records.py), `base64:...`.
One text means the same bytes everywhere, or is refused; an address is never taken for data.

Numbers in a list in brackets are decimal unless they have 0x: `{ 10, 20 }` are 0A 14. Outside
of one everything is hex: `10 20` are 10 20. A number alone (`0xDEADBEEF`) are its digits in the
order in which they are written; several numbers of more than two digits are words, and refused.
"""

from __future__ import annotations

import ast
import base64
import re
from functools import lru_cache
from typing import Final

from ..errors import ValueFormatError
from .escaped_text import parse_escaped
from .hex_dumps import HexText, parse_dump
from .hex_records import parse_records

__all__ = ("HexText", "parse_hex", "typed_hex")

_HINT: Final = "For example: DE AD BE EF, { 0xDE, 0xAD }, or lines of a hex dump."
_PYTHON: Final = re.compile(r"(?:bytearray\()?(b(['\"]).*\2)\)?", re.DOTALL)
_COMMENT: Final = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_LIST: Final = re.compile(
    r"(?P<head>[^{}]*?)[\[{](?P<inner>[^\[\]{}]*)[\]}]\s*\)?\s*[;,]?\s*"
    r"(?:(?:static\s+|const\s+)*unsigned\s+int\s+\w+\s*=\s*[0-9]+;)?"  # xxd -i tells the length
)
# What stands before a list: a declaration, a type, a call.
_HEAD: Final = re.compile(
    r"(?:[^=]*=)?\s*(?:new\s+)?&?\s*(?:\[[0-9]*\]\s*)?(?:[a-z_]\w*\s*(?:\[[0-9]*\])?\s*[!(]?)?\s*",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"(0x[0-9a-f]+|[0-9]+)u?l{0,2}", re.IGNORECASE)
_PAIRS: Final = re.compile(r"[0-9a-fA-F]{2}(?:\s+[0-9a-fA-F]{2})*", re.ASCII)
# Columns of od -A n -t u1: hex digits stand closer.
_COLUMNS: Final = re.compile(r"\s*[0-9]{2}(?:[ \t]{2,}[0-9]{2}){2,}\s*")
_TOKEN: Final = re.compile(
    r"(?:0x(?P<number>[0-9a-f]+)|(?P<escaped>\\x[0-9a-f]{2}(?:\\x[0-9a-f]{2})*)"
    r"|(?P<suffixed>[0-9a-f]{2})h\b|(?P<plain>[0-9a-f]+))u?"
    r"(?:\s*[,;]\s*|\s+|[:_-](?=[0-9a-f])|$)",
    re.IGNORECASE,
)


def parse_hex(text: str, *, lone_digit: bool = False) -> HexText:
    """Read bytes from text.

    Args:
        text: What a person typed or pasted.
        lone_digit: Whether one digit that is all of the text is a byte (`7` is 07), as in a
            field that shows what it understood. Elsewhere half a byte is refused, not guessed.

    Raises:
        ValueFormatError: The text is nothing of that; the message shows the first bad part.
    """
    text = text.strip()
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise ValueFormatError("There are no hex bytes in this.", _HINT)
    if lone_digit and re.fullmatch(r"[0-9a-fA-F]", text):
        text = f"0{text}"
    found = _not_hex(text) or parse_records(lines) or parse_dump(lines) or _source(text)
    if not found.data:
        raise ValueFormatError("There are no hex bytes in this.", _HINT)
    return found


def typed_hex(text: str) -> bytes:
    """The bytes of a field, where one digit alone is a byte.

    Raises:
        ValueFormatError: As parse_hex.
    """
    return parse_hex(text, lone_digit=True).data


def _not_hex(text: str) -> HexText | None:
    """Forms with a sign of their own: base64, Python's bytes, string literals."""
    if text.startswith("base64:"):
        try:
            data = base64.b64decode("".join(text[7:].split()), validate=True)
        except ValueError as error:
            raise ValueFormatError("This is no base64.", "It ends with = where it must.") from error
        return HexText(data, "base64")
    python = _PYTHON.fullmatch(text)
    if python is None:
        literal = parse_escaped(text)
        return None if literal is None else HexText(literal, "string")
    try:
        return HexText(bytes(ast.literal_eval(python[1])), "Python bytes")
    except (ValueError, SyntaxError, MemoryError) as error:
        raise ValueFormatError(f"{text[:20]!r} holds no bytes.", _HINT) from error


def _source(text: str) -> HexText:
    """Hex bytes as they are, or a list of a programming language."""
    body = _COMMENT.sub(" ", text).strip()
    if not re.search(r"[\[\]{}]", body):
        return HexText(_tokens(body), "hex")
    found = _LIST.fullmatch(body)
    if found is None or not _is_head(found["head"]):
        raise ValueFormatError(f"{body[:20]!r} is no list of bytes.", _HINT)
    return HexText(_listed(found["inner"]), "list")


def _is_head(head: str) -> bool:
    """Whether the text before a list is not data."""
    data = re.fullmatch(r"[0-9a-f\s,]+", head, re.IGNORECASE) and head.strip()
    return not data and _HEAD.fullmatch(head) is not None


# -- lists -----------------------------------------------------------------------------------------


def _listed(inner: str) -> bytes:
    if "," not in inner and len(inner.split()) > 1:
        return _spaced(inner)
    words = inner.strip().removesuffix(",").split(",")
    return bytes(_byte(word.strip()) for word in words) if inner.strip() else b""


def _spaced(inner: str) -> bytes:
    """`[DE AD]`, as programs log bytes; `[10 20]` is ambiguous: decimal or hex."""
    if re.fullmatch(r"[0-9\s]+", inner):
        raise _decimal_or_hex(inner)
    return _tokens(inner.strip())


@lru_cache(1024)
def _byte(word: str) -> int:
    match = _NUMBER.fullmatch(word)
    if match is None:
        raise ValueFormatError(
            f"{word[:20]!r} is no number from 0 to 255.", "In a list hex needs 0x: { 0xDE, 0xAD }."
        )
    digits = match[1]
    if len(digits) > 20:
        value = 256
    elif digits[:2].lower() == "0x":
        value = int(digits, 16)
    else:
        value = int(digits)
        if digits[0] == "0" and value > 7:
            raise ValueFormatError(
                f"Is {word[:20]!r} octal or decimal?", "Write it as hex, with 0x."
            )
    if value > 255:
        raise ValueFormatError(f"{word[:20]!r} is more than a byte.", "0 to 255, or 0x00 to 0xFF.")
    return value


# -- hex without more ------------------------------------------------------------------------------


def _decimal_or_hex(text: str) -> ValueFormatError:
    return ValueFormatError(
        f"Is {text.strip()[:20]!r} decimal or hex?",
        "{ 10, 20 } is decimal; 0x10 0x20 and 10 20, with single blanks, are hex.",
    )


def _tokens(text: str) -> bytes:
    if all(map(_COLUMNS.fullmatch, text.splitlines())):
        raise _decimal_or_hex(text)
    body = text.strip("\"'").strip()
    if _PAIRS.fullmatch(body):
        return bytes.fromhex(body)
    if "\\x" in body:  # strings of several lines
        body = re.sub(r"[\"']\s*[\"']", "", body)
    out = bytearray()
    at = count = 0
    wide = ""
    while at < len(body):
        match = _TOKEN.match(body, at)
        if match is None:
            raise ValueFormatError(f"{body[at:].split()[0][:20]!r} is no hex.", _HINT)
        out += _token_bytes(match)
        count += 1
        if match["number"] and len(match["number"]) > 2:
            wide = wide or match["number"]
        at = match.end()
    if wide and count > 1:
        raise ValueFormatError(
            f"'0x{wide[:18]}' is a word, not a byte.", "Words; copy bytes (x/16xb)."
        )
    return bytes(out)


def _token_bytes(match: re.Match[str]) -> bytes:
    if match["escaped"]:
        return bytes.fromhex(match["escaped"].lower().replace("\\x", ""))
    digits = match["number"] or match["suffixed"] or match["plain"]
    if len(digits) == 1 and match["number"]:
        digits = f"0{digits}"  # 0x7 is a number; 7 is half a byte
    if len(digits) % 2:
        raise ValueFormatError(f"{digits[:20]!r} has an odd number of hex digits.", _HINT)
    return bytes.fromhex(digits)
