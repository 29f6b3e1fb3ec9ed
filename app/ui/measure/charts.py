"""Charts of distributions: the percentile curve, the histogram, values over time, rate by size.

Axes are logarithmic by plotting logarithms, so that ticks are ours: times with units, shares as
the field writes them (90 %, 99.9 %). 1 px pens; every trace has a colour and a line style.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QVBoxLayout

from app.core.probe.stats import Histogram
from app.core.units import format_rate, format_size
from app.ui.theme import DARK, Theme

F64 = npt.NDArray[np.float64]
STYLES: Final = (
    Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine,
)  # fmt: skip
_NINES: Final = ((0.0, "0 %"), (1.0, "90 %"), (2.0, "99 %"), (3.0, "99.9 %"), (4.0, "99.99 %"),
                 (5.0, "99.999 %"), (6.0, "99.9999 %"), (7.0, "99.99999 %"))  # fmt: skip
_BARS_PER_OCTAVE: Final = 8
EMPTY: Final = "No curve yet: start a test, or tick a finished run in the table."


def format_time(time_ns: float) -> str:
    """`290 ns`, `4.2 µs`, `16.7 ms`, `1.2 s`: three digits."""
    for factor, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns")):
        if abs(time_ns) >= factor or factor == 1:
            value = time_ns / factor
            digits = 0 if unit == "ns" or abs(value) >= 100 else 1 if abs(value) >= 10 else 2
            return f"{value:.{digits}f} {unit}"
    raise AssertionError


def _round_time(time_ns: float) -> str:
    number, unit = format_time(time_ns).split()
    return f"{float(number):g} {unit}"


class _TimeAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Logarithmic times: values are log10 of nanoseconds."""

    def tickValues(self, low: float, high: float, _size: float) -> list[tuple[float, list[float]]]:
        first, last = math.floor(low), math.ceil(high)
        decades = [float(n) for n in range(first, last + 1) if low <= n <= high]
        factors = (2, 5) if high - low < 1.5 else (3,) if high - low < 3 else ()
        parts = [n + math.log10(f) for n in range(first, last + 1) for f in factors]
        return [(1.0, decades), (0.3, [v for v in parts if low <= v <= high])]

    def tickStrings(self, values: list[float], _scale: float, _spacing: float) -> list[str]:
        return [_round_time(10**value) for value in values]


class _NinesAxis(pg.AxisItem):  # type: ignore[misc]
    """Shares by their number of nines."""

    def tickValues(self, low: float, high: float, _size: float) -> list[tuple[float, list[float]]]:
        return [(1.0, [at for at, _ in _NINES if low - 0.01 <= at <= high + 0.01])]

    def tickStrings(self, values: list[float], _scale: float, _spacing: float) -> list[str]:
        names = dict(_NINES)
        return [names.get(round(value), "") for value in values]


class _SizeAxis(pg.AxisItem):  # type: ignore[misc]
    """Sizes as powers of two: values are log2 of bytes."""

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        step = max(1, math.ceil((high - low) / max(2, size / 60)))
        return [
            (float(step), [float(n) for n in range(math.ceil(low), math.floor(high) + 1, step)])
        ]

    def tickStrings(self, values: list[float], _scale: float, _spacing: float) -> list[str]:
        return [format_size(2 ** round(value)) for value in values]


class _RateAxis(pg.AxisItem):  # type: ignore[misc]
    """Bytes per second."""

    def tickStrings(self, values: list[float], _scale: float, _spacing: float) -> list[str]:
        return [format_rate(value) if value else "0" for value in values]


class _SecondsAxis(pg.AxisItem):  # type: ignore[misc]
    """Seconds since the run began."""

    def tickStrings(self, values: list[float], _scale: float, _spacing: float) -> list[str]:
        return [f"{value:g} s" for value in values]


@dataclass(frozen=True, slots=True)
class Trace:
    """One run in a chart.

    Attributes:
        name: For the legend.
        x: Ascending.
        y: As many, in the chart's unit.
        color: Number of the theme's trace colour and of the line style.
    """

    name: str
    x: F64
    y: F64
    color: int = 0


class Chart(pg.PlotWidget):  # type: ignore[misc]
    """Base: traces over two axes, in the theme's colours."""

    def __init__(self, left: Any, bottom: Any, name: str) -> None:
        super().__init__(axisItems={"left": left, "bottom": bottom}, enableMenu=False)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMenuEnabled(False)
        self.setMinimumSize(160, 90)
        self.setAccessibleName(name)
        left.setWidth(64)
        self._theme = DARK
        self._traces: tuple[Trace, ...] = ()
        # Axes without a curve would show numbers that nobody measured: this covers them.
        self.empty = QLabel(EMPTY)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.empty)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        self.setBackground(theme.ground)
        self.empty.setStyleSheet(f"color: {theme.quiet}; background: {theme.ground}")
        for name in ("left", "bottom"):
            axis = self.getAxis(name)
            axis.setPen(pg.mkPen(theme.line))
            axis.setTextPen(pg.mkPen(theme.quiet))
        self.showGrid(x=True, y=True, alpha=0.15)
        self.show_traces(self._traces)

    def show_traces(self, traces: tuple[Trace, ...]) -> None:
        """Draw these and nothing else."""
        self._traces = traces
        self.clear()
        for trace in traces:
            self.draw(trace)
        self.empty.setVisible(not any(len(trace.x) for trace in traces))
        self._fit(traces)

    def draw(self, trace: Trace) -> None:
        """One trace."""
        self.plot(trace.x, trace.y, pen=self.pen_of(trace), antialias=False)

    def pen_of(self, trace: Trace) -> Any:
        """The trace's pen."""
        colors = self._theme.traces
        color = QColor(colors[trace.color % len(colors)])
        return pg.mkPen(color, width=1, style=STYLES[trace.color % len(STYLES)])

    def _fit(self, traces: tuple[Trace, ...]) -> None:
        full = [trace for trace in traces if len(trace.x)]
        if not full:
            return
        low, high = min(float(t.x.min()) for t in full), max(float(t.x.max()) for t in full)
        self.setXRange(low, max(high, low + 1e-9), padding=0.02)
        bottom, top = min(float(t.y.min()) for t in full), max(float(t.y.max()) for t in full)
        self._fit_y(bottom, top)

    def _fit_y(self, bottom: float, top: float) -> None:
        self.setYRange(bottom, max(top, bottom + 0.1), padding=0.05)


class PercentileChart(Chart):
    """Time by percentile, both logarithmic: where a distribution has its knees."""

    def __init__(self) -> None:
        super().__init__(_TimeAxis("left"), _NinesAxis("bottom"), "Percentile curve")

    @staticmethod
    def trace(name: str, histogram: Histogram, color: int) -> Trace:
        """A run's curve. The last value stands at the percentile that one of `count` can tell."""
        values, above = histogram.curve()
        if not len(values):
            return Trace(name, np.zeros(0), np.zeros(0), color)
        share = np.maximum(above, 0.5 / histogram.count)
        return Trace(name, -np.log10(share), np.log10(np.maximum(values, 1)), color)


class HistogramChart(Chart):
    """How many samples of each time; both logarithmic, so that the tail can be seen."""

    def __init__(self) -> None:
        super().__init__(pg.AxisItem("left"), _TimeAxis("bottom"), "Histogram")
        self.getAxis("left").setStyle(showValues=True)

    @staticmethod
    def trace(name: str, histogram: Histogram, color: int) -> Trace:
        """A run's histogram in eighths of an octave, as steps; y is log10(1 + count)."""
        bars = histogram.bars()
        if not bars:
            return Trace(name, np.zeros(0), np.zeros(0), color)
        low = np.array([bar[0] for bar in bars], np.float64)
        count = np.array([bar[2] for bar in bars], np.float64)
        place = np.floor(np.log2(np.maximum(low, 1)) * _BARS_PER_OCTAVE).astype(np.int64)
        first, last = int(place.min()), int(place.max())
        summed = np.bincount(place - first, weights=count, minlength=last - first + 1)
        edges = np.arange(first, last + 2) / _BARS_PER_OCTAVE * math.log10(2)
        x = np.repeat(edges, 2)
        y = np.concatenate(([0.0], np.repeat(np.log10(1 + summed), 2), [0.0]))
        return Trace(name, x, y, color)

    def _fit_y(self, bottom: float, top: float) -> None:
        self.setYRange(0, max(top, 1.0), padding=0.05)
        ticks = [(0.0, "0"), *((math.log10(1 + 10**n), f"{10**n:,}") for n in range(8))]
        self.getAxis("left").setTicks([[t for t in ticks if t[0] <= max(top, 1.0) * 1.05]])


class SeriesChart(Chart):
    """Times over the run, logarithmic; at most two points per pixel column come in."""

    def __init__(self) -> None:
        super().__init__(_TimeAxis("left"), _SecondsAxis("bottom"), "Over time")

    @staticmethod
    def trace(name: str, seconds: F64, times_ns: F64, color: int) -> Trace:
        """A run over time."""
        return Trace(name, seconds, np.log10(np.maximum(times_ns, 1)), color)


class RateChart(Chart):
    """Bytes per second by message or block size."""

    def __init__(self) -> None:
        super().__init__(_RateAxis("left"), _SizeAxis("bottom"), "Rate by size")

    @staticmethod
    def trace(name: str, sizes: F64, rates: F64, color: int) -> Trace:
        """One sweep."""
        return Trace(name, np.log2(np.maximum(sizes, 1)), rates, color)

    def draw(self, trace: Trace) -> None:
        """A sweep has few points: each has its mark, so that one alone is seen too."""
        pen = self.pen_of(trace)
        self.plot(
            trace.x, trace.y, pen=pen, antialias=False,
            symbol="o", symbolSize=5, symbolPen=pen, symbolBrush=pen.color(),
        )  # fmt: skip

    def _fit_y(self, bottom: float, top: float) -> None:
        self.setYRange(0, max(top, 1.0), padding=0.05)
