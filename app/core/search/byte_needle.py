"""Bytes with wildcards: `FF ?? 1?`, `12 34 & FF F0`, and every form of hex without them."""

from __future__ import annotations

import re
from typing import Final

from ..errors import ValueFormatError
from ..values.hex_text import parse_hex
from ..values.value_type import shorten
from .patterns import MaskedPattern

_HINT: Final = "For example: FF ?? 1? (? is any digit), or 12 34 & FF F0 (bytes and their mask)."
_BETWEEN: Final = re.compile(r"(?:0x|\\x)|[\s,;:_-]+", re.IGNORECASE)


def byte_pattern(text: str, align: int = 1) -> MaskedPattern:
    """Bytes, as a person types them.

    Raises:
        ValueFormatError: They are none, or would match everywhere.
    """
    if "&" in text:
        value, mask = _masked(text)
    elif "?" in text:
        value, mask = _with_wildcards(text)
    else:
        value = parse_hex(text, lone_digit=True).data
        mask = b"\xff" * len(value)
    if not any(mask):
        raise ValueFormatError("Wildcards alone match everywhere.", _HINT)
    return MaskedPattern(value, mask, align)


def _masked(text: str) -> tuple[bytes, bytes]:
    left, _, right = text.partition("&")
    value = parse_hex(left, lone_digit=True).data
    mask = parse_hex(right, lone_digit=True).data
    if len(value) != len(mask):
        raise ValueFormatError(f"{len(value)} bytes have a mask of {len(mask)}.", _HINT)
    return bytes(v & m for v, m in zip(value, mask, strict=True)), mask


def _with_wildcards(text: str) -> tuple[bytes, bytes]:
    value, mask = bytearray(), bytearray()
    for word in _BETWEEN.sub(" ", text).split():
        digits = "??" if word == "?" else word
        if not re.fullmatch(r"[0-9a-fA-F?]+", digits) or len(digits) % 2:
            raise ValueFormatError(f"{shorten(word)!r} are no bytes of two digits.", _HINT)
        for at in range(0, len(digits), 2):
            pair = digits[at : at + 2]
            value.append(int(pair.replace("?", "0"), 16))
            mask.append(int("".join("0" if digit == "?" else "F" for digit in pair), 16))
    return bytes(value), bytes(mask)
