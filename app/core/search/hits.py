"""Hits that were found, and what stands there now."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..errors import ScopeError
from ..region.region import Region
from .patterns import Found, Pattern, Slice

MOST_HITS: Final = 1 << 21
CONTEXT: Final = 16  # bytes before and behind a hit
SHOWN_VALUE: Final = 64  # bytes of a hit in a row
_GROUP: Final = 256 << 10


class HitList:
    """Hits in address order; it grows while others read. Any thread."""

    def __init__(self, most: int = MOST_HITS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._starts = np.empty(1024, np.int64)
        self._lengths = np.empty(1024, np.int32)
        self._count = 0
        self.full = False

    def __len__(self) -> int:
        return self._count

    def add(self, found: Found) -> bool:
        """Take more in; False when there is no room for all of them."""
        with self._lock:
            room = self._most - self._count
            if len(found) > room:
                found, self.full = found.part(slice(room)), True
            count = self._count + len(found)
            while count > len(self._starts):
                self._starts = np.concatenate([self._starts, np.empty_like(self._starts)])
                self._lengths = np.concatenate([self._lengths, np.empty_like(self._lengths)])
            self._starts[self._count : count] = found.starts
            self._lengths[self._count : count] = found.lengths
            self._count = count
            return not self.full

    def part(self, first: int, count: int) -> Found:
        """Some of them, as a copy."""
        with self._lock:
            which = slice(first, min(first + count, self._count))
            return Found(self._starts[which].copy(), self._lengths[which].copy())


@dataclass(frozen=True, slots=True)
class HitRow:
    """One hit as it is now.

    Attributes:
        before, value, after: Bytes; a long value is cut to SHOWN_VALUE.
        matches: Whether it still matches; None where that could not be found out.
    """

    offset: int
    length: int
    before: bytes
    value: bytes
    after: bytes
    matches: bool | None


def rows_now(region: Region, pattern: Pattern, found: Found) -> tuple[HitRow, ...]:
    """What stands at these hits now, and whether it still matches.

    Raises:
        RegionGoneError: The memory went.
    """
    rows = []
    known = True
    for start, length in zip(found.starts.tolist(), found.lengths.tolist(), strict=True):
        low = max(0, start - max(CONTEXT, pattern.lead))
        high = min(region.size, start + max(pattern.reach, min(length, SHOWN_VALUE) + CONTEXT))
        data = region.read(low, high - low)
        at = start - low
        matches: bool | None = None
        if known:
            try:
                matches = still_there(pattern, data, low, start, length)
            except ScopeError:
                known = False  # an expression that explodes, and would do so at the next one, too
        shown = min(length, SHOWN_VALUE)
        after = data[at + shown : at + shown + CONTEXT]
        rows.append(
            HitRow(
                start,
                length,
                data[max(0, at - CONTEXT) : at],
                data[at : at + shown],
                after,
                matches,
            )
        )
    return tuple(rows)


def still_there(pattern: Pattern, data: bytes, base: int, start: int, length: int) -> bool:
    """Whether a hit of this length begins at `start`, in bytes that begin at `base`."""
    part = Slice(np.frombuffer(data, np.uint8), base, start, start + 1)
    found = pattern.find(part)
    return len(found) > 0 and int(found.lengths[0]) == length


def values_now(region: Region, found: Found) -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of each hit, read together where they lie together.

    Raises:
        RegionGoneError: The memory went.
    """
    starts, ends = found.starts.tolist(), (found.starts + found.lengths).tolist()
    first = 0
    while first < len(starts):
        last = first + 1
        while last < len(starts) and max(ends[last], ends[last - 1]) - starts[first] <= _GROUP:
            last += 1
        base = starts[first]
        data = region.read(base, max(ends[first:last]) - base)
        for start, end in zip(starts[first:last], ends[first:last], strict=True):
            yield start, data[start - base : end - base]
        first = last
