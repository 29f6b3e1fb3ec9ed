"""All ways in which a text can be meant as bytes, so that a person chooses and nothing is guessed.

`10 20` are hex or decimal numbers, `AAAA` is hex or base64. What parse_hex takes it for is first.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from ..errors import ValueFormatError
from .hex_text import HexText, parse_hex

_NUMBERS: Final = re.compile(r"[0-9]{1,3}(?:(?:\s*[,;]\s*|\s+)[0-9]{1,3})*\s*[,;]?", re.ASCII)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{2,}={0,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Readings:
    """What a text may mean.

    Attributes:
        found: Each different result once, the likeliest first.
        certain: Whether the first may be offered as what is meant; else a person has to choose.
    """

    found: tuple[HexText, ...]
    certain: bool


def readings(text: str) -> Readings:
    """What a text may mean as bytes; its characters are the last of it.

    Raises:
        ValueFormatError: It is nothing but characters; says why it is no hex.
    """
    text = text.strip()
    problem: ValueFormatError | None = None
    found: list[HexText] = []
    try:
        found.append(parse_hex(text))
    except ValueFormatError as error:
        problem = error
    for other in (_decimal(text), _base64(text)):
        if other is not None and all(other.data != one.data for one in found):
            found.append(other)
    if not found:
        assert problem is not None
        raise problem
    certain = problem is None or (len(found) == 1 and found[0].form != "base64")
    certain = certain or (len(found) == 1 and any(sign in text for sign in "=+/"))
    characters = HexText(text.encode("utf-8", errors="replace"), "characters")
    return Readings((*found, characters), certain)


def _decimal(text: str) -> HexText | None:
    if _NUMBERS.fullmatch(text) is None:
        return None
    numbers = [int(word) for word in re.findall(r"[0-9]+", text)]
    return HexText(bytes(numbers), "decimal numbers") if max(numbers) < 256 else None


def _base64(text: str) -> HexText | None:
    joined = "".join(text.split())
    # Spaces inside of a line separate words; base64 is broken between lines.
    if len(joined) % 4 or " " in text or _BASE64.fullmatch(joined) is None:
        return None
    try:
        data = base64.b64decode(joined, validate=True)
    except (ValueError, binascii.Error):
        return None
    # Bits that no byte takes are zero where bytes were encoded.
    return HexText(data, "base64") if base64.b64encode(data).decode() == joined else None
