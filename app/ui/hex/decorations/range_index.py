"""Which of many byte ranges touch a span: sorted arrays, and maxima over them in a flat tree.

Ranges may overlap and nest. A search takes O(log n + hits) steps of numpy, whatever their shape:
a prefix of the starts bounds it on one side, and a tree of greatest ends finds on the other side
only what reaches into the span, so that one range over everything does not make all others be
looked at.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]

FANOUT: Final = 16
LAST: Final = (1 << 63) - 1


class RangeIndex:
    """Ranges by number, in the order of their starts.

    Args:
        starts: First bytes, ascending.
        ends: First bytes behind them.
    """

    def __init__(self, starts: I64, ends: I64) -> None:
        self.starts, self.ends = starts, ends
        self._levels = [ends]  # each item is the greatest of FANOUT of the level below
        while len(self._levels[-1]) > FANOUT:
            below = self._levels[-1]
            edges = np.arange(0, len(below), FANOUT)
            self._levels.append(np.maximum.reduceat(below, edges))

    def __len__(self) -> int:
        return len(self.starts)

    def touching(self, start: int, end: int) -> I64:
        """Numbers of the ranges that share a byte with [start, end), ascending."""
        start, end = max(0, start), min(end, LAST)
        count = int(np.searchsorted(self.starts, end, "left")) if start < end else 0
        bounds = [count]  # how many nodes of each level lie before the end of the prefix
        for _ in self._levels[1:]:
            bounds.append(-(-bounds[-1] // FANOUT))
        found = np.arange(bounds[-1], dtype=np.int64)
        found = found[self._levels[-1][found] > start]
        for level in range(len(self._levels) - 2, -1, -1):
            found = (found[:, np.newaxis] * FANOUT + np.arange(FANOUT)).ravel()
            found = found[found < bounds[level]]
            found = found[self._levels[level][found] > start]
        return found

    def first_behind(self, offset: int) -> int | None:
        """Number of the first range that begins behind an offset; None where there is none."""
        at = int(np.searchsorted(self.starts, min(offset, LAST), "right"))
        return at if at < len(self.starts) else None

    def last_before(self, offset: int) -> int | None:
        """Number of the last range that begins before an offset; None where there is none."""
        at = int(np.searchsorted(self.starts, min(offset, LAST), "left")) - 1
        return at if at >= 0 else None


def greatest(first: I64, behind: I64, rank: I64, size: int) -> I64:
    """For each of `size` places the greatest rank of the ranges over it, -1 where there is none.

    Each range is written as two blocks whose length is a power of two, and the blocks are pushed
    down to single places: O(n + size * log(size)), however much the ranges overlap.

    Args:
        first: First place of each range.
        behind: First place behind it; at most `size`, and greater than `first`.
        rank: Not negative.
        size: Places.
    """
    if not len(first):
        return np.full(size, -1, np.int64)
    power = np.frexp((behind - first).astype(np.float64))[1].astype(np.int64) - 1
    order = np.lexsort((rank, power))
    edges = np.searchsorted(power[order], np.arange(int(power.max()) + 2))
    above = np.full(size, -1, np.int64)
    for level in range(int(power.max()), -1, -1):
        block = 1 << level
        here = order[edges[level] : edges[level + 1]]  # ascending: where two meet, the last stays
        for place in (first[here], behind[here] - block):
            value = np.full(size, -1, np.int64)
            value[place] = rank[here]
            np.maximum(above, value, out=above)
        if level:
            half = block >> 1
            below = above.copy()
            np.maximum(below[half:], above[: size - half], out=below[half:])
            above = below
    return above


def covered(first: I64, behind: I64, size: int) -> npt.NDArray[np.bool_]:
    """Which of `size` places lie under at least one range."""
    steps = np.bincount(first, minlength=size + 1) - np.bincount(behind, minlength=size + 1)
    under: npt.NDArray[np.bool_] = np.cumsum(steps)[:size] > 0
    return under
