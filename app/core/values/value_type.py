"""The interface of a value type: it decodes bytes into short text, and encodes text as bytes.

Decoding returns None when the bytes are too few or not a value. Numbers may be typed as in Python
(0x, 0b, _).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from ..errors import ValueFormatError


class Endian(Enum):
    """Byte order."""

    LITTLE = "little"
    BIG = "big"

    @property
    def mark(self) -> str:
        """As struct and numpy write it."""
        return "<" if self is Endian.LITTLE else ">"


Decode = Callable[[bytes, Endian], str | None]
Encode = Callable[[str, Endian], bytes]


@dataclass(frozen=True, slots=True)
class ValueType:
    """One way to read bytes.

    Attributes:
        name: Stable name (`u32`), as the command line takes it.
        label: Words for the inspector.
        size: Bytes; 0 when that depends on the bytes (UTF-8, LEB128).
        group: `integer`, `float`, `text`, `time`, `other`.
        endian_matters: Whether little and big differ.
        example: What one may type.
    """

    name: str
    label: str
    size: int
    group: str
    endian_matters: bool
    example: str
    _decode: Decode
    _encode: Encode

    def decode(self, data: bytes, endian: Endian = Endian.LITTLE) -> str | None:
        """The bytes at the head of `data` as text; None when they are too few or no such value."""
        if len(data) < max(1, self.size):
            return None
        try:
            return self._decode(data[: self.size] if self.size else data, endian)
        except (ValueError, OverflowError, struct.error, OSError):
            return None

    def encode(self, text: str, endian: Endian = Endian.LITTLE) -> bytes:
        """Text as bytes.

        Raises:
            ValueFormatError: Not such a value, or out of its range; the hint has an example.
        """
        try:
            return self._encode(text.strip() if self.group != "text" else text, endian)
        except ValueFormatError:
            raise
        except (ValueError, KeyError, OverflowError, struct.error, OSError) as error:
            raise ValueFormatError(
                f"{shorten(text)!r} is no {self.label}.", f"For example: {self.example}."
            ) from error


def shorten(text: str) -> str:
    """What a person typed, short enough for a sentence."""
    return text if len(text) <= 40 else f"{text[:39]}…"


def parse_int(text: str) -> int:
    """An integer as people write it: 10, -3, 0x1F, 0b101, 1_000."""
    return int(text.replace("'", ""), 0 if not re.fullmatch(r"[+-]?0\d+", text) else 10)
