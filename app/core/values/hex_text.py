"""Hex that was typed, or pasted into a field that shows it before anything happens.

The hex view's paste writes at once, so it reads by stricter rules of its own
(app/ui/hex/clipboard.py).
"""

from __future__ import annotations

import ast
import base64
import re
from typing import Final

from ..errors import ValueFormatError

# An offset with a colon (xxd), or a long one with two spaces before pairs (hexdump -C).
_DUMP_LINE: Final = re.compile(
    r"^\s*(?:(?:0x)?[0-9a-f']{4,20}:\s+|(?:0x)?[0-9a-f']{6,20}\s{2,}(?=[0-9a-f]{2}(?:\s|$)))",
    re.IGNORECASE,
)


def typed_hex(text: str) -> bytes:
    r"""Hex bytes as people give them to a verb or a field; a lone digit is a byte.

    `DE AD`, `dead`, `0xDE, 0xAD`, `\xDE\xAD`, C arrays, lines of a hex dump with offsets and
    text column, `base64:...`.

    Raises:
        ValueFormatError: Anything else; the message shows the first bad part.
    """
    text = text.strip()
    if text.startswith("base64:"):
        try:
            return base64.b64decode("".join(text[7:].split()), validate=True)
        except ValueError as error:
            raise ValueFormatError("This is no base64.") from error
    listed = _listed(text)
    if listed is not None:
        return listed
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and all(_DUMP_LINE.match(line) for line in lines):
        text = "\n".join(map(_dump_bytes, lines))
    brace = re.search(r"\{([^{}]*)\}", text)
    text = brace.group(1) if brace else text
    parts = re.sub(r"\\x|0x|[,;:\s\"'\[\]()]|\bb(?=['\"])", " ", text, flags=re.IGNORECASE).split()
    out = bytearray()
    for part in parts:
        if not re.fullmatch(r"[0-9a-fA-F]+", part) or (len(part) % 2 and len(part) != 1):
            raise ValueFormatError(f"{part[:20]!r} is no hex.", "For example: DE AD BE EF.")
        out += bytes.fromhex(part if len(part) > 1 else f"0{part}")
    if not out:
        raise ValueFormatError("There are no hex bytes in this.", "For example: DE AD BE EF.")
    return bytes(out)


def _listed(text: str) -> bytes | None:
    """Python bytes and lists of decimal numbers, None for anything else."""
    if not re.fullmatch(r"b(['\"]).*\1|\[\s*\d{1,3}(\s*,\s*\d{1,3})*\s*\]", text, re.DOTALL):
        return None
    try:
        return bytes(ast.literal_eval(text))
    except (ValueError, SyntaxError, MemoryError) as error:
        raise ValueFormatError(f"{text[:20]!r} holds no bytes.") from error


def _dump_bytes(line: str) -> str:
    """The bytes of a hex dump's line: behind the offset, before the text column."""
    body = _DUMP_LINE.sub("", line, count=1).split("|")[0]
    taken: list[str] = []
    for word in re.split(r"(\s+)", body):
        if word.isspace() or not word:
            # The text column is far away; the gap in the middle of 16 bytes is 2 wide.
            if len(word) > 2 or (len(word) == 2 and len("".join(taken)) != 16):
                break
        elif re.fullmatch(r"(?:[0-9a-fA-F]{2})+", word):
            taken.append(word)
        else:
            break
    return " ".join(taken)
