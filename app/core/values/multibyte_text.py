"""Which characters stand in bytes of UTF-8, UTF-16 and Shift-JIS, by numpy and without a loop.

Each function takes bytes, and how many of them are before the first whole unit. It gives (n,) code
points: at the first byte of each character its own, REST at the further ones, NONE where there is
no character that can be shown.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
_Flags = npt.NDArray[np.bool_]

NONE: Final = 0
REST: Final = -1
_PLANE: Final = 1 << 16


@cache
def _printable() -> _Flags:
    """Whether each code point of the first plane can be shown."""
    return np.array([chr(code).isprintable() for code in range(_PLANE)], np.bool_)


@cache
def two_cells_wide() -> _Flags:
    """Whether each code point of the first plane takes two cells of a fixed-width font."""
    kinds = (unicodedata.east_asian_width(chr(code)) for code in range(_PLANE))
    return np.array([kind in ("W", "F") for kind in kinds], np.bool_)


def _shown(codes: I32) -> _Flags:
    """Whether these can be shown; of what is behind the first plane all are."""
    found: _Flags = (codes >= _PLANE) | _printable()[np.minimum(codes, _PLANE - 1)]
    return found


def _put(out: I32, first: npt.NDArray[np.intp], codes: I32, length: int) -> None:
    """Characters of so many bytes, at their first bytes."""
    shown = _shown(codes)
    out[first] = np.where(shown, codes, NONE)
    for step in range(1, length):
        out[first[shown] + step] = REST


def utf8(data: U8, _parity: int) -> I32:
    """UTF-8; overlong forms, surrogates and cut characters are none."""
    out = np.full(len(data), NONE, np.int32)
    wide = np.concatenate([data, np.zeros(3, np.uint8)]).astype(np.int32)
    _put(out, np.flatnonzero(data < 0x80), wide[: len(data)][data < 0x80], 1)
    follows = wide & 0xC0 == 0x80
    for length, lead, mask, least in (
        (2, 0xC0, 0xE0, 0x80),
        (3, 0xE0, 0xF0, 0x800),
        (4, 0xF0, 0xF8, 0x10000),
    ):
        first = np.flatnonzero(wide[: len(data)] & mask == lead)
        codes = wide[first] & ~mask & 0xFF
        whole = np.ones(len(first), np.bool_)
        for step in range(1, length):
            whole &= follows[first + step]
            codes = codes << 6 | wide[first + step] & 0x3F
        whole &= (codes >= least) & (codes <= 0x10FFFF) & (codes >> 11 != 0x1B)
        _put(out, first[whole], codes[whole], length)
    return out


def utf16_le(data: U8, parity: int) -> I32:
    """UTF-16, low byte first."""
    return _utf16(data, parity, "<u2")


def utf16_be(data: U8, parity: int) -> I32:
    """UTF-16, high byte first."""
    return _utf16(data, parity, ">u2")


def _utf16(data: U8, parity: int, kind: str) -> I32:
    out = np.full(len(data), NONE, np.int32)
    body = np.ascontiguousarray(data[parity:])
    units = body[: len(body) // 2 * 2].view(kind).astype(np.int32)
    first = np.arange(len(units)) * 2 + parity
    high, low = units >> 10 == 0x36, units >> 10 == 0x37
    single = ~high & ~low
    _put(out, first[single], units[single], 2)
    pairs = np.flatnonzero(high[:-1] & low[1:])
    codes = _PLANE + ((units[pairs] & 0x3FF) << 10 | units[pairs + 1] & 0x3FF)
    _put(out, first[pairs], codes.astype(np.int32), 4)
    return out


@cache
def _shift_jis_pairs() -> I32:
    """The code point of each pair, by its two bytes as one number; NONE where there is none."""
    table = np.full(_PLANE, NONE, np.int32)
    for lead in (*range(0x81, 0xA0), *range(0xE0, 0xFD)):
        for trail in range(0x40, 0xFD):
            text = bytes((lead, trail)).decode("cp932", errors="ignore")
            if len(text) == 1:
                table[lead << 8 | trail] = ord(text)
    return table


def shift_jis(data: U8, _parity: int) -> I32:
    """Shift-JIS (cp932). In a run of bytes that can begin a pair, every second one does.

    A run that reaches beyond the front of the data is taken to begin there.
    """
    out = np.full(len(data), NONE, np.int32)
    if not len(data):
        return out
    wide = data.astype(np.int32)
    leads = (wide >= 0x81) & (wide <= 0x9F) | (wide >= 0xE0) & (wide <= 0xFC)
    trails = (wide >= 0x40) & (wide <= 0xFC) & (wide != 0x7F)
    places = np.arange(len(data))
    run = np.maximum.accumulate(np.where(leads, 0, places + 1))
    begins = leads & ((places - run) % 2 == 0)
    paired = np.zeros(len(data), np.bool_)
    paired[:-1] = begins[:-1] & trails[1:]
    second = np.zeros(len(data), np.bool_)
    second[1:] = paired[:-1]
    single = ~begins & ~second
    kana = (wide >= 0xA1) & (wide <= 0xDF)
    alone = single & ((wide < 0x80) | kana)
    codes = np.where(kana, wide - 0xA1 + 0xFF61, wide).astype(np.int32)
    _put(out, np.flatnonzero(alone), codes[alone], 1)
    first = np.flatnonzero(paired)
    _put(out, first, _shift_jis_pairs()[wide[first] << 8 | wide[first + 1]], 2)
    return out
