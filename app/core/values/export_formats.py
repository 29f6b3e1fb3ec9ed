"""Bytes as text for the clipboard and the terminal."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Final

from ..errors import ValueFormatError


def hexdump(data: bytes, start: int = 0, columns: int = 16) -> str:
    """Lines of offset, hex and text, as `hexdump -C` shows them."""
    if columns < 1:
        raise ValueFormatError(f"A dump of {columns} columns has none.")
    lines = []
    half = (columns + 1) // 2
    rest = columns - half
    widths = half * 3 - 1, max(0, rest * 3 - 1)
    for at in range(0, len(data), columns):
        row = data[at : at + columns]
        left, right = row[:half].hex(" "), row[half:].hex(" ")
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{start + at:08x}  {left:<{widths[0]}}  {right:<{widths[1]}}  |{text}|")
    return "\n".join(lines)


def _words(data: bytes, per_line: int = 12) -> str:
    rows = (data[at : at + per_line] for at in range(0, len(data), per_line))
    return "\n".join("    " + " ".join(f"0x{byte:02x}," for byte in row) for row in rows)


def _text(data: bytes, _start: int) -> str:
    return data.decode("utf-8", errors="replace").replace("\0", "␀")


_FORMS: Final[dict[str, Callable[[bytes, int], str]]] = {
    "hex": lambda data, _: data.hex(" ").upper(),
    "hex without spaces": lambda data, _: data.hex(),
    "text": _text,
    "hex dump": hexdump,
    "C array": lambda data, _: f"const unsigned char data[{len(data)}] = {{\n{_words(data)}\n}};",
    "Python bytes": lambda data, _: repr(data),
    "Rust array": lambda data, _: f"const DATA: [u8; {len(data)}] = [\n{_words(data)}\n];",
    "Go slice": lambda data, _: f"var data = []byte{{\n{_words(data)}\n}}",
    "JSON array": lambda data, _: json.dumps(list(data)),
    "base64": lambda data, _: base64.b64encode(data).decode("ascii"),
}
FORMS: Final[tuple[str, ...]] = tuple(_FORMS)


def copy_as(form: str, data: bytes, start: int = 0) -> str:
    """`data` in one of FORMS; `start` is its offset, for the hex dump.

    Raises:
        ValueFormatError: No such form.
    """
    if form not in _FORMS:
        raise ValueFormatError(f"There is no form {form!r}.", f"Forms: {', '.join(FORMS)}.")
    return _FORMS[form](data, start)
