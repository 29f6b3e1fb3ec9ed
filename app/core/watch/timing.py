"""Absolute deadlines without drift, a budget of processor time, and rates.

Separate from the sampler, so that each can be tested with its own clock.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from .frame import Traffic

MIN_HZ: Final = 1.0
MAX_HZ: Final = 240.0
DEFAULT_SHARE: Final = 0.25
# Unused budget is kept for this long, so that a burst after an idle time is short.
SAVED_NS: Final = 100_000_000
WINDOW_NS: Final = 1_000_000_000
# A sample that comes this much later than the period asks was not late: sampling stood still.
STALL_PERIODS: Final = 2.5
STALL_NS: Final = 500_000_000


class Deadlines:
    """Ticks at start + n periods: a late tick does not move those after it."""

    def __init__(self, now_ns: int, period_ns: int) -> None:
        self.next_ns = now_ns
        self.period_ns = period_ns

    def set_period(self, period_ns: int) -> None:
        """Another rate from the next tick on; a longer wait that began is cut short."""
        self.next_ns += period_ns - self.period_ns
        self.period_ns = period_ns

    def advance(self, now_ns: int) -> None:
        """A tick was made; the next deadline, leaving out those that already passed."""
        self.next_ns += self.period_ns
        if self.next_ns <= now_ns:
            missed = (now_ns - self.next_ns) // self.period_ns + 1
            self.next_ns += missed * self.period_ns


class Budget:
    """A share of one core for the calling thread.

    Args:
        share: 0.01 to 1.
        wall: Monotonic nanoseconds.
        spent: Processor time of this thread, nanoseconds.
    """

    def __init__(
        self,
        share: float = DEFAULT_SHARE,
        wall: Callable[[], int] = time.monotonic_ns,
        spent: Callable[[], int] = time.thread_time_ns,
    ) -> None:
        self.share = share
        self._wall = wall
        self._spent = spent
        self._last_wall = wall()
        self._last_spent = spent()
        self._left = 0.0

    def left_ns(self) -> int:
        """Processor time that may be used now; negative after too much was used."""
        wall, spent = self._wall(), self._spent()
        self._left += self.share * (wall - self._last_wall) - (spent - self._last_spent)
        self._last_wall, self._last_spent = wall, spent
        limit = self.share * SAVED_NS
        self._left = min(limit, max(-10 * limit, self._left))
        return int(self._left)


def longest_gap_ns(period_ns: int) -> int:
    """Two samples that are further apart than this have a gap between them."""
    return max(STALL_NS, int(STALL_PERIODS * period_ns))


class Reading(NamedTuple):
    """Running totals at one moment."""

    time_ns: int
    observed: int
    read: int
    written: int
    spent_ns: int


class Meter:
    """Rates over a sliding window, from running totals."""

    def __init__(self) -> None:
        self._readings: deque[Reading] = deque()

    def add(self, reading: Reading) -> Traffic:
        """Add the present totals; the rates over the window that ends now."""
        readings = self._readings
        readings.append(reading)
        # Two at least, and the window not shorter than asked once there is enough.
        while len(readings) > 2 and reading.time_ns - readings[1].time_ns >= WINDOW_NS:
            readings.popleft()
        first = readings[0]
        over_ns = reading.time_ns - first.time_ns
        if over_ns <= 0:
            return Traffic()
        per_s = 1e9 / over_ns
        return Traffic(
            over_ns=over_ns,
            observed_bytes_per_s=(reading.observed - first.observed) * per_s,
            read_bytes_per_s=(reading.read - first.read) * per_s,
            written_bytes_per_s=(reading.written - first.written) * per_s,
            cost=min(1.0, max(0.0, (reading.spent_ns - first.spent_ns) / over_ns)),
        )

    def begins(self, now_ns: int, period_ns: int) -> bool:
        """Whether a reading now would be the first, or the first after a stall."""
        last = self._readings[-1] if self._readings else None
        if last is not None and now_ns - last.time_ns > longest_gap_ns(period_ns):
            self.clear()
        return not self._readings

    def clear(self) -> None:
        """Forget the totals so far, so that the time of a pause does not count."""
        self._readings.clear()
