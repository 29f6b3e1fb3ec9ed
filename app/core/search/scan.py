"""A search through a region: slice by slice, holes left out, each slice one safe copy.

The memory lives: two slices are of two moments, and what was found may be gone a moment later. A
slice with hits is therefore read a second time, and the hits that are not there any more are
counted as unsteady. The memory may also go while it is searched; that is the region's error.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ..region.buffers import aligned_bytes
from ..region.region import Extent, Region
from .patterns import I64, U8, Found, Pattern, Slice

SLICE: Final = 512 << 10
_STRIDE: Final = 8  # slices that are asked about at once, without a copy
_PROGRESS_NS: Final = 50_000_000

OnProgress = Callable[[int, int], None]


@dataclass(slots=True)
class Tally:
    """What a search has done.

    Attributes:
        wanted: Starts that are to be looked at.
        searched: Of those, how many were.
        holes: Bytes of the scope that were never written, and are left out.
        unsteady: Hits that were gone at a second look right after.
    """

    wanted: int = 0
    searched: int = 0
    holes: int = 0
    unsteady: int = 0


@dataclass(slots=True)
class Scan:
    """One search.

    Attributes:
        region: Where.
        pattern: What; closing it is the caller's.
        scope: Ranges of starts, ascending, none over another.
        progress: Called with bytes done and in all, now and then.
        cancelled: Asked before each slice.
        slice_bytes: Starts in one slice.
        tally: What was done so far.
    """

    region: Region
    pattern: Pattern
    scope: Iterable[Extent]
    progress: OnProgress = lambda _done, _total: None
    cancelled: Callable[[], bool] = lambda: False
    slice_bytes: int = SLICE
    tally: Tally = field(default_factory=Tally)
    _said_ns: int = 0
    _data: list[Extent] = field(default_factory=list)

    def forward(self) -> Iterator[tuple[Found, Slice]]:
        """Hits in address order with the copy that they are in, which is good until the next.

        It ends early when it is cancelled.

        Raises:
            RegionGoneError: The memory went.
            ValueFormatError: The expression takes too long.
        """
        pieces = self._pieces()
        reader = _Reader(self.region, self.pattern, self.slice_bytes, self._data)
        behind = 0  # the end of the last hit, for patterns that chain
        for stride in _cut(pieces, self.slice_bytes * _STRIDE):
            if self.cancelled():
                return
            glimpsed = self._glimpse(reader, *stride)
            for first, last in _cut([stride], self.slice_bytes):
                if _has_none(glimpsed, first, last):
                    self._step(last - first)
                    continue
                if self.cancelled():
                    return
                from_here = max(first, behind) if self.pattern.chained else first
                if from_here < last:
                    found, part = self._look(reader, from_here, last)
                    if len(found):
                        behind = int(found.starts[-1] + found.lengths[-1])
                        yield found, part
                self._step(last - first)

    def backward(self) -> Iterator[tuple[Found, Slice]]:
        """As forward, the last slice first; the hits of a slice are ascending all the same.

        Hits of patterns that chain begin anew before each slice, as far before it as they reach.
        """
        chained, pieces = self.pattern.chained, self._pieces()
        reader = _Reader(self.region, self.pattern, self.slice_bytes, self._data)
        for stride in reversed(list(_cut(pieces, self.slice_bytes * _STRIDE))):
            if self.cancelled():
                return
            glimpsed = self._glimpse(reader, *stride)
            for first, last in reversed(list(_cut([stride], self.slice_bytes))):
                if _has_none(glimpsed, first, last):
                    self._step(last - first)
                    continue
                if self.cancelled():
                    return
                from_here = self._before(pieces, first) if chained else first
                found, part = self._look(reader, from_here, last)
                found = found.part(found.starts >= first)
                if len(found):
                    yield found, part
                self._step(last - first)

    def _pieces(self) -> list[Extent]:
        """Where a hit may begin: what holds data, and before it as far as a hit reaches."""
        found: list[Extent] = []
        self.tally.holes = 0
        self._data = []
        for start, end in self.scope:
            self.tally.holes += end - start
            around = max(0, start - self.pattern.lead)
            behind = min(self.region.size, end + self.pattern.reach)
            data = self.region.extents(around, behind)
            self._data += data
            for low, high in _clipped(data, start, end):
                self.tally.holes -= high - low
                first = max(start, low - self.pattern.reach + 1)
                if found and first <= found[-1][1]:
                    found[-1] = (found[-1][0], max(found[-1][1], high))
                elif first < high:
                    found.append((first, high))
        self.tally.wanted = sum(end - start for start, end in found)
        return found

    def _before(self, pieces: list[Extent], first: int) -> int:
        """Where a pattern that chains begins, so that it is in step at `first`."""
        start = max(start for start, _ in pieces if start <= first)
        return max(start, first - self.pattern.reach)

    def _glimpse(self, reader: _Reader, first: int, last: int) -> I64 | None:
        """Where hits may begin, found without a copy; None: that is not known."""
        if not reader.holds(first, last):
            return None
        return self.pattern.glimpse(self.region, first, last)

    def _look(self, reader: _Reader, first: int, last: int) -> tuple[Found, Slice]:
        part = reader.read(first, last)
        found = self.pattern.find(part)
        if len(found):
            self.tally.unsteady += self._gone_again(reader, first, last, found)
        return found, part

    def _gone_again(self, reader: _Reader, first: int, last: int, found: Found) -> int:
        """How many of these hits are not there at a second look."""
        again = reader.read_again(first, last)
        if again is None:
            return 0
        still = np.isin(found.starts, self.pattern.find(again).starts, assume_unique=True)
        return int(np.count_nonzero(~still))

    def _step(self, count: int) -> None:
        self.tally.searched += count
        now = time.monotonic_ns()
        if now - self._said_ns >= _PROGRESS_NS:
            self._said_ns = now
            self.progress(self.tally.searched, self.tally.wanted)


class _Reader:
    """Reads slices with what stands before and behind them; holes are zeros, and are not read.

    Which parts hold data was asked of the system once, when the search began: it looks for the next
    hole as far as there is none.
    """

    def __init__(
        self, region: Region, pattern: Pattern, slice_bytes: int, data: list[Extent]
    ) -> None:
        self._region, self._pattern = region, pattern
        self._data = _merged(data)
        self._starts_of_data = [start for start, _ in self._data]
        self._ends_of_data = [end for _, end in self._data]
        self._room = slice_bytes + pattern.lead + 2 * pattern.reach
        self._one = aligned_bytes(self._room)
        self._two: U8 | None = None

    def read(self, first: int, last: int) -> Slice:
        """The slice whose starts are [first, last)."""
        start, end = self._ends(first, last)
        data = self._one[: end - start]
        self._fill(start, data.data)
        return Slice(data, start, first, last)

    def read_again(self, first: int, last: int) -> Slice | None:
        """The slice that was read last, read once more; None when nothing changed in it."""
        start, end = self._ends(first, last)
        if self._two is None:
            self._two = aligned_bytes(self._room)
        data = self._two[: end - start]
        self._fill(start, data.data)
        if np.array_equal(data, self._one[: end - start]):
            return None
        return Slice(data, start, first, last)

    def _ends(self, first: int, last: int) -> Extent:
        start = max(0, first - self._pattern.lead)
        return start, min(self._region.size, last + self._pattern.reach - 1)

    def _fill(self, start: int, buffer: memoryview) -> None:
        end = start + buffer.nbytes
        if not self.holds(start, end):
            buffer[:] = bytes(buffer.nbytes)
        first = bisect_right(self._ends_of_data, start)
        last = bisect_left(self._starts_of_data, end)
        for low, high in _clipped(self._data[first:last], start, end):
            self._region.read_into(low, buffer[low - start : high - start])

    def holds(self, start: int, end: int) -> bool:
        """Whether all of [start, end) holds data."""
        at = bisect_right(self._ends_of_data, start)
        return at < len(self._data) and self._data[at][0] <= start and end <= self._data[at][1]


def _has_none(glimpsed: I64 | None, first: int, last: int) -> bool:
    """Whether it is known that no hit begins in [first, last)."""
    return glimpsed is not None and not ((glimpsed >= first) & (glimpsed < last)).any()


def _cut(pieces: Iterable[Extent], length: int) -> Iterator[Extent]:
    """Pieces in parts of at most this length."""
    for start, end in pieces:
        for first in range(start, end, length):
            yield first, min(first + length, end)


def _clipped(extents: Iterable[Extent], start: int, end: int) -> Iterator[Extent]:
    """What of some ranges lies in [start, end)."""
    for low, high in extents:
        if low < end and high > start:
            yield max(low, start), min(high, end)


def _merged(extents: list[Extent]) -> list[Extent]:
    """Ranges that touch, or lie over another, as one."""
    found: list[Extent] = []
    for start, end in sorted(extents):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
