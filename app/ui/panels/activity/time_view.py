"""The stretch of time that graphs and waterfall show, and the ticks of a time axis.

Seconds before the newest Frame, positive into the past: a moment is an *age*.
"""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QObject, Signal

LONGEST_S: Final = 300.0
_SHORTEST_S: Final = 1.0
_STEPS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120)


class TimeView(QObject):
    """From `back_s` ago to `back_s + span_s` ago; one for all views of a panel.

    Signals:
        changed(): It shows another stretch.
    """

    changed = Signal()

    def __init__(self, span_s: float, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.span_s = self.home_s = span_s
        self.back_s = 0.0

    @property
    def oldest_s(self) -> float:
        """The age at its far end."""
        return self.back_s + self.span_s

    def set_home(self, span_s: float) -> None:
        """Show the last `span_s` seconds, now and after a reset."""
        self.home_s = span_s
        self.reset()

    def reset(self) -> None:
        """Back to the present, unzoomed."""
        self._show(self.home_s, 0.0)

    def zoom(self, factor: float, age_s: float) -> None:
        """Show `factor` times as much; what is at `age_s` stays in its place."""
        span = min(max(self.span_s * factor, _SHORTEST_S), LONGEST_S)
        share = (age_s - self.back_s) / self.span_s
        self._show(span, age_s - share * span)

    def pan(self, seconds: float) -> None:
        """Go so far into the past."""
        self._show(self.span_s, self.back_s + seconds)

    def _show(self, span_s: float, back_s: float) -> None:
        back = min(max(0.0, back_s), LONGEST_S - span_s)
        if (span_s, back) != (self.span_s, self.back_s):
            self.span_s, self.back_s = span_s, back
            self.changed.emit()


def time_ticks(newest_s: float, oldest_s: float, fit: float) -> list[float]:
    """Ages at round numbers, ascending, with room for `fit` labels; at least one step apart."""
    span = oldest_s - newest_s
    step = next((s for s in _STEPS if span / s <= max(1.0, fit)), _STEPS[-1])
    first, last = math.ceil(newest_s / step - 1e-9), math.floor(oldest_s / step + 1e-9)
    return [round(n * step, 1) for n in range(first, last + 1)]


def age_text(age_s: float, at_zero: str = "now") -> str:
    """`now`, `-2.5 s`, `-90 s`, `-2 min`: a label of a time axis."""
    if age_s == 0:
        return at_zero
    if age_s >= 120 and age_s % 60 == 0:
        return f"-{age_s / 60:g} min"
    return f"-{age_s:g} s"
