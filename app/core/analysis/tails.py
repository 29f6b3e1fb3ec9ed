"""The end of a text that grows in a range: what stands before the zeros behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ..errors import CancelledError
from ..region.region import Region
from .range_reader import SLICE, IsCancelled, read_range

MAX_TAIL: Final = 256 << 10


@dataclass(frozen=True, slots=True)
class Tail:
    """The last bytes that are not zero.

    Attributes:
        start: Offset of the first of them.
        data: They; empty where the whole range is zeros.
        before: Bytes of the range that lie before them.
    """

    start: int
    data: bytes
    before: int


def tail_of(region: Region, start: int, length: int, most: int, *, cancelled: IsCancelled) -> Tail:
    """At most `most` bytes before the zeros at the end of a range.

    Raises:
        CancelledError: Stopped while it went through the zeros.
        OutOfRangeError, RegionGoneError: As Region.read_into.
    """
    end = start + length
    buffer = np.zeros(min(SLICE, length), np.uint8)
    while end > start:
        if cancelled():
            raise CancelledError("Reading the text was stopped.")
        low = max(start, end - len(buffer))
        part = buffer[: end - low]
        read_range(region, low, part)
        found = np.flatnonzero(part)
        if len(found):
            end = low + int(found[-1]) + 1
            break
        end = low
    first = max(start, end - min(most, MAX_TAIL))
    data = np.zeros(end - first, np.uint8)
    read_range(region, first, data)
    return Tail(first, data.tobytes(), first - start)
