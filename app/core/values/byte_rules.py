"""Rules that pick bytes out of a hex view: by value, mask, range, or how often they change.

41          this byte             4?          its high digit is 4
20..7E      from one to another   &81=80      of the bits 81 exactly 80 are set
!00         anything else         >=5/s       seen to change 5 times a second or more
00 FF 4?    any of these
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import ValueFormatError
from .value_type import shorten

Flags = npt.NDArray[np.bool_]

_HINT: Final = "For example: 41, 4?, 20..7E, &81=80, !00, or >=5/s."
_RATE: Final = re.compile(r">=?\s*(\d+(?:\.\d+)?)\s*(?:/s|Hz)", re.IGNORECASE)
_RANGE: Final = re.compile(r"(?:0x)?([0-9a-f]{1,2})(?:\.\.|-)(?:0x)?([0-9a-f]{1,2})", re.IGNORECASE)
_MASK: Final = re.compile(r"&(?:0x)?([0-9a-f]{1,2})=(?:0x)?([0-9a-f]{1,2})", re.IGNORECASE)
_DIGITS: Final = re.compile(r"(?:0x)?([0-9a-f?])([0-9a-f?])", re.IGNORECASE)
_VALUES: Final = np.arange(256)


@dataclass(frozen=True, slots=True)
class ByteRule:
    """What a rule picks.

    Attributes:
        text: As it was typed.
        values: The byte values that it picks, none for a rate.
        rate: Changes per second that it asks for at least; 0 for values.
    """

    text: str
    values: frozenset[int]
    rate: float = 0.0

    def table(self) -> Flags:
        """Whether each value is picked: (256,)."""
        found = np.zeros(256, np.bool_)
        found[list(self.values)] = True
        return found


def parse_rule(text: str) -> ByteRule:
    """Read a rule.

    Raises:
        ValueFormatError: It is none; the hint has examples.
    """
    text = text.strip()
    rate = _RATE.fullmatch(text)
    if rate is not None:
        if not float(rate[1]) > 0:
            raise ValueFormatError("Every byte changes 0 times a second or more.", _HINT)
        return ByteRule(text, frozenset(), float(rate[1]))
    words = text.replace(",", " ").split()
    picked = np.zeros(256, np.bool_)
    for word in words:
        part = _part(word.removeprefix("!"))
        picked |= ~part if word.startswith("!") else part
    if not picked.any():
        raise ValueFormatError(f"{shorten(text)!r} picks no byte.", _HINT)
    return ByteRule(text, frozenset(np.flatnonzero(picked).tolist()))


def _part(word: str) -> Flags:
    if (found := _RANGE.fullmatch(word)) is not None:
        return (int(found[1], 16) <= _VALUES) & (int(found[2], 16) >= _VALUES)
    if (found := _MASK.fullmatch(word)) is not None:
        picked: Flags = _VALUES & int(found[1], 16) == int(found[2], 16)
        return picked
    if (found := _DIGITS.fullmatch(word)) is not None:
        picked = np.ones(256, np.bool_)
        for digit, shift in ((found[1], 4), (found[2], 0)):
            if digit != "?":
                picked &= _VALUES >> shift & 15 == int(digit, 16)
        return picked
    raise ValueFormatError(f"{shorten(word)!r} is no rule for bytes.", _HINT)
