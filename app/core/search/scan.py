"""A search through a region: slice by slice, holes left out, each slice one safe copy.

The memory lives: two slices are of two moments, and what was found may be gone a moment later. A
slice with hits is therefore read a second time, and the hits that are not there any more are
counted as unsteady. The memory may also go while it is searched; that is the region's error.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ..errors import DeletedError, ReplacedError
from ..region.buffers import aligned_bytes
from ..region.region import Extent, Region
from .patterns import U8, Found, Pattern, Slice

SLICE: Final = 512 << 10
_WINDOW: Final = 256 << 20  # of which the system is asked at once what is allocated
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

    def forward(self) -> Iterator[tuple[Found, Slice]]:
        """Hits in address order with the copy that they are in, which is good until the next.

        It ends early when it is cancelled.

        Raises:
            RegionGoneError: The memory went.
            ValueFormatError: The expression takes too long.
        """
        pieces = self._pieces()
        reader = _Reader(self.region, self.pattern, self.slice_bytes)
        behind = 0  # the end of the last hit, for patterns that chain
        for start, end in pieces:
            for first in range(start, end, self.slice_bytes):
                if self.cancelled():
                    return
                last = min(first + self.slice_bytes, end)
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
        reader = _Reader(self.region, self.pattern, self.slice_bytes)
        chained = self.pattern.chained
        for start, end in reversed(self._pieces()):
            for last in range(end, start, -self.slice_bytes):
                if self.cancelled():
                    return
                first = max(start, last - self.slice_bytes)
                from_here = max(start, first - self.pattern.reach) if chained else first
                found, part = self._look(reader, from_here, last)
                found = found.part(found.starts >= first)
                if len(found):
                    yield found, part
                self._step(last - first)

    def _pieces(self) -> list[Extent]:
        """Where a hit may begin: what holds data, and before it as far as a hit reaches."""
        found: list[Extent] = []
        self.tally.holes = 0
        for start, end in self.scope:
            self.tally.holes += end - start
            for low, high in data_extents(self.region, start, end):
                self.tally.holes -= high - low
                first = max(start, low - self.pattern.reach + 1)
                if found and first <= found[-1][1]:
                    found[-1] = (found[-1][0], max(found[-1][1], high))
                elif first < high:
                    found.append((first, high))
        self.tally.wanted = sum(end - start for start, end in found)
        return found

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
    """Reads slices with what stands before and behind them; holes are zeros, and are not read."""

    def __init__(self, region: Region, pattern: Pattern, slice_bytes: int) -> None:
        self._region, self._pattern = region, pattern
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
        extents = self._region.extents(start, end)
        if extents != [(start, end)]:
            with suppress(DeletedError, ReplacedError):  # its bytes are there all the same
                self._region.check()  # what was cut off is no hole
            buffer[:] = bytes(buffer.nbytes)
        for low, high in extents:
            self._region.read_into(low, buffer[low - start : high - start])


def data_extents(region: Region, start: int, end: int) -> Iterator[Extent]:
    """What holds data in [start, end), ascending; asked of the system in bounded steps."""
    for at in range(start, end, _WINDOW):
        yield from region.extents(at, min(at + _WINDOW, end))
