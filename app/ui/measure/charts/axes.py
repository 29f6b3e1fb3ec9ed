"""Axes with our own ticks: times with units, shares as the field writes them, sizes, rates.

Charts plot logarithms, so that ticks are ours. An axis never shows more ticks than have room
beside one another, and where it can, at least two.
"""

from __future__ import annotations

import math
from typing import Final

import pyqtgraph as pg

from ....core.values.units import format_rate, format_size, format_time

Ticks = list[tuple[float, list[float]]]
_NINES: Final = {
    0.0: "0 %",
    0.301: "50 %",
    1.0: "90 %",
    2.0: "99 %",
    3.0: "99.9 %",
    4.0: "99.99 %",
    5.0: "99.999 %",
    6.0: "99.9999 %",
    7.0: "99.99999 %",
}
_ROW_PX: Final = 18  # a label of a vertical axis
_LABEL_PX: Final = 62  # and of a horizontal one
_SHARE_PX: Final = 52  # `99.99 %`


def _round_time(time_ns: float) -> str:
    number, unit = format_time(time_ns).split()
    return f"{float(number):g} {unit}"


def time_ticks(low: float, high: float, fit: float) -> Ticks:
    """Ticks of a logarithmic axis from 10^low to 10^high with room for `fit` labels.

    Decades, every second or third one where there are many, parts of a decade where there are
    few; where neither gives two, round steps.
    """
    span = max(high - low, 1e-9)
    step = max(1, math.ceil(span / max(fit, 1)))
    numbers = range(math.ceil(low), math.floor(high) + 1)
    decades = [float(n) for n in numbers if n % step == 0]
    first, last = math.floor(low), math.floor(high)
    for factors in ((2, 5), (3,)):
        parts = [n + math.log10(f) for n in range(first, last + 1) for f in factors]
        parts = [at for at in parts if low <= at <= high]
        if span * (len(factors) + 1) <= fit and len(decades) + len(parts) > 1:
            return [(1.0, decades), (0.3, parts)]
    if len(decades) > 1 or span > 2:
        return [(float(step), decades or [float(n) for n in numbers[:1]])]
    return [(0.1, _round_steps(low, high))]


def _round_steps(low: float, high: float) -> list[float]:
    """Two or three round numbers, the widest apart there are."""
    bottom, top = 10**low, 10 ** max(high, low + 1e-6)
    power = 10.0 ** math.floor(math.log10(top))
    while True:
        for step in (power * 5, power * 2, power):
            first, last = math.ceil(bottom / step), math.floor(top / step)
            if last > first:
                return [math.log10(n * step) for n in range(max(1, first), last + 1)][:4]
        power /= 10


class TimeAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Logarithmic times: values are log10 of nanoseconds."""

    def tickValues(self, low: float, high: float, size: float) -> Ticks:
        return time_ticks(low, high, size / (_ROW_PX if self.orientation == "left" else _LABEL_PX))

    def tickStrings(self, values: list[float], _scale: float, _spacing: float) -> list[str]:
        return [_round_time(10**value) for value in values]


class NinesAxis(pg.AxisItem):  # type: ignore[misc]
    """Shares by their number of nines."""

    def tickValues(self, low: float, high: float, size: float) -> Ticks:
        unit_px = size / max(high - low, 1e-9)
        step = max(1, math.ceil(_SHARE_PX / unit_px))
        shown = [at for at in _NINES if low - 0.01 <= at <= high + 0.01]
        whole = [at for at in shown if at % step == 0]
        half = [at for at in shown if at % 1 and unit_px * (1 - at) > _SHARE_PX]
        return [(1.0, whole), (0.3, half)]

    def tickStrings(self, values: list[float], _scale: float, _spacing: float) -> list[str]:
        return [_NINES.get(round(value, 3), "") for value in values]


class SizeAxis(pg.AxisItem):  # type: ignore[misc]
    """Sizes as powers of two: values are log2 of bytes."""

    def tickValues(self, low: float, high: float, size: float) -> Ticks:
        step = max(1, math.ceil((high - low) / max(2, size / 60)))
        return [
            (float(step), [float(n) for n in range(math.ceil(low), math.floor(high) + 1, step)])
        ]

    def tickStrings(self, values: list[float], _scale: float, _spacing: float) -> list[str]:
        return [format_size(2 ** round(value)) if value >= 0 else "" for value in values]


class RateAxis(pg.AxisItem):  # type: ignore[misc]
    """Bytes per second."""

    def tickStrings(self, values: list[float], _scale: float, _spacing: float) -> list[str]:
        return [format_rate(value) if value else "0" for value in values]


class SecondsAxis(pg.AxisItem):  # type: ignore[misc]
    """Seconds since the run began."""

    def tickStrings(self, values: list[float], _scale: float, _spacing: float) -> list[str]:
        return [f"{value:g} s" for value in values]
