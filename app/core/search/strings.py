"""Strings: runs of printable characters in an encoding, of a least length."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import ValueFormatError
from ..region.region import Region
from ..values.value_type import shorten
from .patterns import U8, Found, Slice

STRING_ENCODINGS: Final = ("ascii", "utf-8", "utf-16-le", "utf-16-be", "latin-1", "cp437")
LONGEST_STRING: Final = 4096  # bytes; a longer run is several strings
_MOST_LEAST: Final = 1024
Flags = npt.NDArray[np.bool_]


def strings_pattern(encoding: str, least: int) -> StringsPattern:
    """Strings of `least` characters or more.

    Raises:
        ValueFormatError: No such encoding, or a length that makes no sense.
    """
    if encoding not in STRING_ENCODINGS:
        raise ValueFormatError(
            f"There are no strings in {shorten(encoding)!r}.",
            f"Encodings: {', '.join(STRING_ENCODINGS)}.",
        )
    if not 1 <= least <= _MOST_LEAST:
        raise ValueFormatError(f"{least} is no least length.", f"1 to {_MOST_LEAST} characters.")
    return StringsPattern(encoding, least)


class StringsPattern:
    """Runs of printable characters, one behind the other.

    Line ends and tabs are printable, other control characters are not. UTF-16 is looked for at
    even offsets, and only Latin, Greek and Cyrillic letters, since nearly any two bytes are some
    character.
    """

    lead = 0
    reach = LONGEST_STRING + 4
    chained = True

    def __init__(self, encoding: str, least: int) -> None:
        self._least = least
        self._wide = encoding.startswith("utf-16")
        if self._wide:
            self._runs: Callable[[U8], tuple[Flags, Flags]] = lambda data: _wide(
                data, big=encoding.endswith("be")
            )
        elif encoding == "utf-8":
            self._runs = _utf8
        else:
            table = _printable(encoding)
            self._runs = lambda data: (table[data], table[data])

    def find(self, part: Slice) -> Found:
        """The hits of a slice."""
        unit = 2 if self._wide else 1
        skip = part.first - part.base
        skip += (part.base + skip) % unit
        inside, begins = self._runs(part.data[skip:])
        edges = np.flatnonzero(np.diff(inside, prepend=False, append=False))
        starts, ends = edges[::2], edges[1::2]
        long = np.flatnonzero(ends - starts >= self._least)
        starts, ends = _in_pieces(starts[long], ends[long], LONGEST_STRING // unit)
        count = np.concatenate(([0], np.cumsum(begins)))
        enough = count[ends] - count[starts] >= self._least
        starts, ends = starts[enough], ends[enough]
        wanted = starts * unit + skip < part.last - part.base
        starts, ends = starts[wanted], ends[wanted]
        lengths = ((ends - starts) * unit).astype(np.int32)
        return Found(starts.astype(np.int64) * unit + skip + part.base, lengths)

    def glimpse(self, _region: Region, _first: int, _last: int) -> None:
        """That cannot be told without a copy."""

    def close(self) -> None:
        """Nothing is held."""


def _in_pieces(
    starts: npt.NDArray[np.intp], ends: npt.NDArray[np.intp], longest: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Runs that are longer than `longest` as several."""
    if not len(starts) or int((ends - starts).max()) <= longest:
        return starts, ends
    counts = -(-(ends - starts) // longest)
    which = np.repeat(np.arange(len(starts)), counts)
    number = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    first = starts[which] + number * longest
    return first, np.minimum(first + longest, ends[which])


@cache
def _printable(encoding: str) -> Flags:
    """By byte: whether it is a printable character of a one-byte encoding."""
    table = np.zeros(256, np.bool_)
    for byte in range(256):
        text = bytes([byte]).decode(encoding, "replace")
        table[byte] = (text.isprintable() and text != "\ufffd") or byte in b"\t\n\r"
    return table


def _utf8(data: U8) -> tuple[Flags, Flags]:
    """By byte: whether it belongs to a printable character, and whether it is its first."""
    padded = np.concatenate([data, np.zeros(3, np.uint8)])
    more = padded & 0xC0 == 0x80
    size = len(data)
    one, two, three = more[1 : size + 1], more[2 : size + 2], more[3:]
    after = padded[1 : size + 1]
    pair = (data >= 0xC2) & (data <= 0xDF) & one & ((data > 0xC2) | (after >= 0xA0))
    triple = (data & 0xF0 == 0xE0) & one & two
    triple &= ((data != 0xE0) | (after >= 0xA0)) & ((data != 0xED) | (after < 0xA0))
    quad = (data >= 0xF0) & (data <= 0xF4) & one & two & three
    quad &= ((data != 0xF0) | (after >= 0x90)) & ((data != 0xF4) | (after < 0x90))
    begins = _printable("ascii")[data] | pair | triple | quad
    inside = begins.copy()
    inside[1:] |= (pair | triple | quad)[:-1]
    inside[2:] |= (triple | quad)[:-2]
    inside[3:] |= quad[:-3]
    return inside, begins


@cache
def _letters() -> Flags:
    """By code unit of UTF-16: whether it is a printable letter or sign of Europe."""
    table = np.zeros(1 << 16, np.bool_)
    for code in (*range(0x20, 0x250), *range(0x370, 0x530), *range(0x2010, 0x2040), 0x20AC):
        table[code] = chr(code).isprintable()
    table[[9, 10, 13]] = True
    return table


def _wide(data: U8, *, big: bool) -> tuple[Flags, Flags]:
    """By pair of bytes: whether it is a printable character."""
    units = np.frombuffer(data[: len(data) // 2 * 2].tobytes(), ">u2" if big else "<u2")
    found = _letters()[units]
    return found, found
