"""How often each shown byte was seen to change: counted from Frame to Frame while somebody asks."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ....core.watch.frame import F32, I64, Frame

U32 = npt.NDArray[np.uint32]

_OVER_NS: Final = 1_000_000_000
"""A rate is a mean that forgets: what was before this long weighs a third."""


class ChangeRates:
    """Counts and rates of the bytes of the newest Frame.

    Between two Frames that were shown a byte counts once, however often it changed: what is told
    is what was seen. Bytes that leave the Frame are forgotten.

    Attributes:
        start: Offset of the first byte.
        counts: (n,) changes seen since the byte came into the Frame.
        rates: (n,) changes seen per second.
    """

    def __init__(self) -> None:
        self.start = 0
        self.counts: U32 = np.zeros(0, np.uint32)
        self.rates: F32 = np.zeros(0, np.float32)
        self._changed_ns: I64 = np.zeros(0, np.int64)
        self._time_ns = 0

    def add(self, frame: Frame) -> None:
        """Count what changed since the Frame before."""
        changed_ns = frame.sample.changed_ns
        if frame.start != self.start or len(changed_ns) != len(self.counts):
            self._move(frame.start, changed_ns)
        newly = changed_ns > self._changed_ns
        passed = max(0, frame.time_ns - self._time_ns)
        self.rates *= np.float32(np.exp(-passed / _OVER_NS))
        self.rates[newly] += np.float32(1e9 / _OVER_NS)
        self.counts[newly] += 1
        self._changed_ns, self._time_ns = changed_ns, frame.time_ns

    def _move(self, start: int, changed_ns: I64) -> None:
        """Keep what is known of the bytes that are in the Frame still."""
        counts = np.zeros(len(changed_ns), np.uint32)
        rates = np.zeros(len(changed_ns), np.float32)
        before = changed_ns.copy()  # a change from before the byte was here counts for nothing
        low = max(start, self.start)
        high = max(low, min(start + len(changed_ns), self.start + len(self.counts)))
        here, there = slice(low - start, high - start), slice(low - self.start, high - self.start)
        counts[here], rates[here] = self.counts[there], self.rates[there]
        before[here] = self._changed_ns[there]
        self.start, self.counts, self.rates, self._changed_ns = start, counts, rates, before

    def at(self, offset: int) -> tuple[int, float] | None:
        """Count and rate of one byte; None where it is not in the Frame."""
        place = offset - self.start
        if not 0 <= place < len(self.counts):
            return None
        return int(self.counts[place]), float(self.rates[place])
