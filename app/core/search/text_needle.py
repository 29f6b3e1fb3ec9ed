"""Text in an encoding, with or without case."""

from __future__ import annotations

from itertools import product
from typing import Final

from ..errors import ValueFormatError
from ..values.value_type import shorten
from .patterns import MaskedPattern, Pattern, any_of

# As Python names them, and as people read them.
ENCODINGS: Final = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "latin-1": "Latin-1",
    "cp437": "CP437",
}
_MOST_FORMS: Final = 64


def text_pattern(text: str, encoding: str, align: int = 1, *, ignore_case: bool = False) -> Pattern:
    """Text, to be found in one encoding.

    Without case each character stands for its upper and its lower case, of one character each.

    Raises:
        ValueFormatError: Empty, not of this encoding, or of too many forms without case.
    """
    if encoding not in ENCODINGS:
        raise ValueFormatError(
            f"There is no encoding {shorten(encoding)!r}.", f"Encodings: {', '.join(ENCODINGS)}."
        )
    if not text:
        raise ValueFormatError("There is no text to find.", "Type at least one character.")
    if not ignore_case:
        value = encoded(text, encoding)
        return MaskedPattern(value, b"\xff" * len(value), align)
    # What each part of the text may be: one form of bytes and a mask where case is a matter of
    # bits, several where it is not.
    parts: list[list[tuple[bytes, bytes]]] = [_forms(char, encoding) for char in text]
    count = 1
    for forms in parts:
        count *= len(forms)
        if count > _MOST_FORMS:
            raise ValueFormatError(
                f"Without case {shorten(text)!r} has more than {_MOST_FORMS} forms in "
                f"{ENCODINGS[encoding]}.",
                "Search with case, or for a part of it.",
            )
    found = []
    for chosen in product(*parts):
        value, mask = (b"".join(piece) for piece in zip(*chosen, strict=True))
        found.append(MaskedPattern(value, mask, align))
    return any_of(tuple(found))


def encoded(text: str, encoding: str) -> bytes:
    """Text as bytes of an encoding.

    Raises:
        ValueFormatError: The encoding lacks a character.
    """
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        char = text[error.start]
        raise ValueFormatError(
            f"{char!r} does not exist in {ENCODINGS.get(encoding, encoding)}.",
            "Choose another encoding.",
        ) from error


def _forms(char: str, encoding: str) -> list[tuple[bytes, bytes]]:
    """A character without case, as (value, mask) of bytes."""
    codes = [encoded(char, encoding)]
    for other in (char.lower(), char.upper()):
        if len(other) == 1:
            try:
                code = other.encode(encoding)
            except UnicodeEncodeError:
                continue
            if code not in codes:
                codes.append(code)
    if len(codes) == 2 and len(codes[0]) == len(codes[1]):
        differ = bytes(a ^ b for a, b in zip(*codes, strict=True))
        if sum(byte.bit_count() for byte in differ) == 1:
            mask = bytes(~byte & 0xFF for byte in differ)
            return [(bytes(a & m for a, m in zip(codes[0], mask, strict=True)), mask)]
    return [(code, b"\xff" * len(code)) for code in codes]
