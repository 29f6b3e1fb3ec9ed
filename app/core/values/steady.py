"""Values that change too fast to be read: shown less often, as a mean, or held.

What is looked at 60 times a second is shown at a pace that a person sets; the least and greatest
since the last reset count every look, whatever the pace.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import Final

Number = int | float
_SECOND: Final = 1_000_000_000


class Pace(Enum):
    """How often a value is shown anew."""

    LIVE = "live"
    FIVE = "5 times a second"
    ONE = "once a second"
    MEAN_FIVE = "mean of 0.2 s"
    MEAN_ONE = "mean of 1 s"
    HELD = "held"

    @property
    def period_ns(self) -> int:
        """Between two that are shown; 0 shows each, and HELD none."""
        if self in (Pace.FIVE, Pace.MEAN_FIVE):
            return _SECOND // 5
        return _SECOND if self in (Pace.ONE, Pace.MEAN_ONE) else 0

    @property
    def is_mean(self) -> bool:
        """Whether numbers are shown as the mean of what was seen since the last one."""
        return self in (Pace.MEAN_FIVE, Pace.MEAN_ONE)

    @property
    def word(self) -> str:
        """Beside the value; empty while it is live."""
        return "" if self is Pace.LIVE else "mean" if self.is_mean else self.value


class PaceClock:
    """Says when something is shown anew.

    Attributes:
        pace: How often.
    """

    def __init__(self) -> None:
        self.pace = Pace.LIVE
        self._due_ns = 0

    def set_pace(self, pace: Pace, now_ns: int) -> None:
        """Another pace; the first period begins now."""
        self.pace = pace
        self._due_ns = now_ns + pace.period_ns

    def is_due(self, now_ns: int) -> bool:
        """Whether to show it now; then the next period has begun."""
        if self.pace is Pace.HELD:
            return False
        if now_ns < self._due_ns:
            return False
        # Late ones do not crowd: the next is a whole period behind this or the last one.
        self._due_ns = max(self._due_ns + self.pace.period_ns, now_ns)
        return True


class NumberStats:
    """What is known of a number that is looked at again and again.

    Attributes:
        least, greatest: Since the last reset; None before the first look.
        looks: How many.
        since_ns: When the first of them was.
    """

    __slots__ = ("_looks", "_sum", "greatest", "least", "looks", "since_ns")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.least: Number | None = None
        self.greatest: Number | None = None
        self.looks = 0
        self.since_ns = 0
        self._sum: Number = 0
        self._looks = 0

    def add(self, value: Number, now_ns: int) -> None:
        """One look. What is no finite number is passed over."""
        if not math.isfinite(value):
            return
        if self.least is None or value < self.least:
            self.least = value
        if self.greatest is None or value > self.greatest:
            self.greatest = value
        if not self.looks:
            self.since_ns = now_ns
        self.looks += 1
        self._sum += value
        self._looks += 1

    def take_mean(self) -> str:
        """The mean since it was taken last, with one decimal for integers; empty without a look."""
        total, looks = self._sum, self._looks
        self._sum, self._looks = 0, 0
        if not looks:
            return ""
        if isinstance(total, float):
            return f"{total / looks:.7g}"
        tenths = (20 * total + looks) // (2 * looks)  # exact, also beyond 2^53
        sign = "-" if tenths < 0 else ""
        return f"{sign}{abs(tenths) // 10}.{abs(tenths) % 10}"

    def span(self) -> str:
        """`12 … 98`; empty before the first look."""
        if self.least is None or self.greatest is None:
            return ""
        return f"{number_text(self.least)} … {number_text(self.greatest)}"


def number_text(value: Number) -> str:
    """A number, short."""
    return str(value) if isinstance(value, int) else f"{value:.7g}"
