"""The encodings of the hex view's text column: which character each byte belongs to, and back.

Decoding is by numpy over whole screens of bytes. A character stands at its first byte; the further
bytes of a longer one are REST, and what is no character that can be shown is NONE.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import ValueFormatError
from . import multibyte_text
from .multibyte_text import I32, NONE
from .multibyte_text import REST as REST  # noqa: PLC0414  # part of what is decoded

U8 = npt.NDArray[np.uint8]
_Decode = Callable[[U8, int], I32]


@dataclass(frozen=True, slots=True)
class TextEncoding:
    """One encoding.

    Attributes:
        name: Stable name, as in the settings.
        label: Words for the head of the column and for menus.
        codec: What Python calls it.
        unit: Bytes of the smallest step: 2 for UTF-16.
        reach: Bytes before and behind a range that its characters may depend on.
    """

    name: str
    label: str
    codec: str
    unit: int = 1
    reach: int = 0
    _decode: _Decode | None = None

    @property
    def longest(self) -> int:
        """Bytes of the longest character."""
        return min(max(1, self.reach), 4)

    @property
    def single(self) -> bool:
        """Whether every byte is a character by itself."""
        return self._decode is None

    def table(self) -> I32:
        """The code points of all bytes, of a single-byte encoding; NONE where there is none."""
        return _table(self.codec)

    def decode(self, data: U8, parity: int = 0) -> I32:
        """The code point of each byte: (n,); REST inside of a character, NONE for no character.

        Args:
            data: (n,) bytes, `reach` of them before and behind what is asked for.
            parity: Bytes until the first whole unit.
        """
        if self._decode is None:
            return self.table()[data]
        return self._decode(data, parity)

    def encode(self, text: str) -> bytes:
        """Text as bytes.

        Raises:
            ValueFormatError: A character does not exist in this encoding.
        """
        try:
            return text.encode(self.codec)
        except UnicodeEncodeError as error:
            raise ValueFormatError(
                f"“{text[error.start]}” is not in {self.label}; nothing was written.",
                "Choose another encoding for the text column.",
            ) from error

    def text(self, data: bytes, dot: str = ".") -> str:
        """Bytes as a line of text, a dot for what is no character."""
        found = self.decode(np.frombuffer(data, np.uint8)).tolist()
        return "".join(dot if code == NONE else chr(code) for code in found if code != REST)


@cache
def _table(codec: str) -> I32:
    codes = []
    for value in range(256):
        text = bytes([value]).decode(codec, errors="ignore")
        codes.append(ord(text) if text and text.isprintable() else NONE)
    table = np.array(codes, np.int32)
    table.flags.writeable = False
    return table


ASCII: Final = TextEncoding("ascii", "ASCII", "ascii")
UTF8: Final = TextEncoding("utf8", "UTF-8", "utf-8", 1, 4, multibyte_text.utf8)
ENCODINGS: Final = (
    ASCII,
    UTF8,
    TextEncoding("utf16le", "UTF-16 LE", "utf-16-le", 2, 4, multibyte_text.utf16_le),
    TextEncoding("utf16be", "UTF-16 BE", "utf-16-be", 2, 4, multibyte_text.utf16_be),
    TextEncoding("latin1", "Latin-1", "latin-1"),
    TextEncoding("cp437", "CP437", "cp437"),
    TextEncoding("cp037", "EBCDIC", "cp037"),
    TextEncoding("sjis", "Shift-JIS", "cp932", 1, 64, multibyte_text.shift_jis),
)
_BY_NAME: Final = {encoding.name: encoding for encoding in ENCODINGS}


def encoding_named(name: object) -> TextEncoding | None:
    """The encoding with this name; None where there is none."""
    return _BY_NAME.get(name) if isinstance(name, str) else None
