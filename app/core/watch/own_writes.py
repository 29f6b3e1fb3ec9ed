"""OwnWrites: which bytes this process wrote, so that their next change is not counted as a peer's.

A write is noted just before the bytes change; the sample in which the change appears may be taken
before or after that. So a note is kept until its bytes were seen to change (it is consumed byte by
byte for the visible range, page by page for the sweep), or until a complete pass that began
GRACE_NS after it saw no change: then the write changed nothing, or did not take effect.

No note is dropped for want of room: what is kept are ranges that do not overlap, and those that
touch and were noted at about the same time are one. A fill of any size is one range.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from typing import Final

import numpy as np
import numpy.typing as npt

from ..region.region import PAGE

Flags = npt.NDArray[np.bool_]
I64 = npt.NDArray[np.int64]

GRACE_NS: Final = 250_000_000


class OwnWrites:
    """The notes of one sweep. `note` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Of each range, in order of their offsets: both ends, and when it was noted last.
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._times: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._starts)

    def __len__(self) -> int:
        """Ranges that are kept."""
        return len(self._starts)

    def note(self, offset: int, length: int, now_ns: int) -> None:
        """These bytes are about to be written by us."""
        start, end = offset, offset + length
        with self._lock:
            first, last = bisect_left(self._ends, start), bisect_right(self._starts, end)
            before: list[tuple[int, int, int]] = []
            after: list[tuple[int, int, int]] = []
            for at in range(first, last):
                low, high, noted_ns = self._starts[at], self._ends[at], self._times[at]
                if now_ns - noted_ns <= GRACE_NS:
                    start, end = min(start, low), max(end, high)
                    continue
                if low < offset:
                    before.append((low, min(high, offset), noted_ns))
                if high > offset + length:
                    after.append((max(low, offset + length), high, noted_ns))
            self._replace(first, last, [*before, (start, end, now_ns), *after])

    def settle(self, looked_since_ns: int) -> None:
        """Everything was read after `looked_since_ns`: drop the notes from before."""
        with self._lock:
            kept = [
                one
                for one in zip(self._starts, self._ends, self._times, strict=True)
                if one[2] + GRACE_NS > looked_since_ns
            ]
            self._replace(0, len(self._starts), kept)

    def take(self, pages: I64) -> Flags | None:
        """Which bytes of these changed pages are ours; their notes are consumed.

        Returns:
            (len(pages), PAGE) True for each such byte; None where there is none.
        """
        own: Flags | None = None
        with self._lock:
            for row, page in enumerate(pages.tolist()):
                base, behind = page * PAGE, page * PAGE + PAGE
                first, last = bisect_right(self._ends, base), bisect_left(self._starts, behind)
                if first >= last:
                    continue
                if own is None:
                    own = np.zeros((len(pages), PAGE), np.bool_)
                for low, high in zip(self._starts[first:last], self._ends[first:last], strict=True):
                    own[row, max(0, low - base) : min(PAGE, high - base)] = True
                self._cut(first, last, base, behind)
        return own

    # -- under the lock ---------------------------------------------------------------------------

    def _cut(self, first: int, last: int, start: int, end: int) -> None:
        """Take [start, end) out of the ranges [first, last), each of which overlaps it."""
        rest = []
        if self._starts[first] < start:
            rest.append((self._starts[first], start, self._times[first]))
        if self._ends[last - 1] > end:
            rest.append((end, self._ends[last - 1], self._times[last - 1]))
        self._replace(first, last, rest)

    def _replace(self, first: int, last: int, ranges: list[tuple[int, int, int]]) -> None:
        self._starts[first:last] = [start for start, _end, _noted in ranges]
        self._ends[first:last] = [end for _start, end, _noted in ranges]
        self._times[first:last] = [noted for _start, _end, noted in ranges]
