"""Bytes as text for the clipboard and the terminal."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Final

from ..errors import ValueFormatError
from .byte_block import ByteBlock
from .escaped_text import escaped
from .units import format_short_offset


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


def xxd(data: bytes, start: int = 0) -> str:
    """Lines as `xxd` prints them: bytes in groups of two, then their text."""
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        groups = " ".join(row[two : two + 2].hex() for two in range(0, len(row), 2))
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{start + at:08x}: {groups:<39}  {text}")
    return "\n".join(lines)


_ARRAYS: Final = {
    "C array": ("const unsigned char data[{0}] = {{", "}};"),
    "C++ array": ("constexpr std::array<std::uint8_t, {0}> data = {{", "}};"),
    "Rust array": ("const DATA: [u8; {0}] = [", "];"),
    "Go slice": ("var data = []byte{{", "}}"),
    "C# array": ("byte[] data = new byte[{0}] {{", "}};"),
}


def _array(form: str) -> Callable[[bytes, int], str]:
    head, tail = _ARRAYS[form]
    return lambda data, _: f"{head.format(len(data))}\n{_words(data)}\n{tail.format()}"


_FORMS: Final[dict[str, Callable[[bytes, int], str]]] = {
    "hex": lambda data, _: data.hex(" ").upper(),
    "hex without spaces": lambda data, _: data.hex(),
    "text": _text,
    "hexdump -C": hexdump,
    "xxd": xxd,
    **{form: _array(form) for form in _ARRAYS},
    "Python bytes": lambda data, _: repr(data),
    "JSON array": lambda data, _: json.dumps(list(data)),
    "escaped string": lambda data, _: escaped(data),
    "base64": lambda data, _: base64.b64encode(data).decode("ascii"),
}
FORMS: Final[tuple[str, ...]] = tuple(_FORMS)
BY_ROW: Final = ("hex", "hex without spaces", "text", "hexdump -C", "xxd")
"""Forms in which each row of a block has lines of its own, with its own offset."""


def copy_as(form: str, data: bytes, start: int = 0) -> str:
    """`data` in one of FORMS; `start` is its offset, for dumps.

    Raises:
        ValueFormatError: No such form.
    """
    if form not in _FORMS:
        raise ValueFormatError(f"There is no form {form!r}.", f"Forms: {', '.join(FORMS)}.")
    return _FORMS[form](data, start)


def copy_block_as(form: str, data: bytes, block: ByteBlock) -> str:
    """The bytes of a block, row behind row, in one of FORMS.

    Raises:
        ValueFormatError: No such form.
    """
    if block.whole or form not in BY_ROW:
        return copy_as(form, data, block.start)
    width = block.width
    return "\n".join(
        copy_as(form, data[row * width : (row + 1) * width], block.start + row * block.stride)
        for row in range(block.rows)
    )


def address_text(block: ByteBlock) -> str:
    """`0x40`, `0x40:16` or `0x40:8 x 4 every 16`: where a block lies, as it can be typed."""
    start = format_short_offset(block.start)
    return f"{start}:{block.shape}" if block.length > 1 else start
