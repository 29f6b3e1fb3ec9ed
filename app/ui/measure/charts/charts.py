"""Charts of distributions: the percentile curve, the histogram, values over time, rate by size.

Axes are logarithmic by plotting logarithms (axes.py has their ticks). 1 px pens; every trace has a
colour and a line style. The pointer over a chart reads every curve there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QMouseEvent, QPen
from PySide6.QtWidgets import QLabel, QToolTip, QVBoxLayout

from ....core.measure.histogram import Histogram
from ....core.values.units import format_rate, format_size, format_time
from ...style.outside_text import tip
from ...style.theme import DARK, Theme
from .axes import (
    NinesAxis,
    RateAxis,
    SecondsAxis,
    SizeAxis,
    TimeAxis,
)

F64 = npt.NDArray[np.float64]
STYLES: Final = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
    Qt.PenStyle.DashDotLine,
)
_BARS_PER_OCTAVE: Final = 8
EMPTY: Final = "No curve yet: start a test, or tick a finished run in the table."
WAITING: Final = "The curve begins with the first figures of this test."


def trace_pen(theme: Theme, color: int) -> QPen:
    """A run's pen: colours repeat after six runs, with another line style."""
    colors = theme.traces
    pen: QPen = pg.mkPen(
        QColor(colors[color % len(colors)]), width=1, style=STYLES[color % len(STYLES)]
    )
    return pen


@dataclass(frozen=True, slots=True)
class Trace:
    """One run in a chart.

    Attributes:
        name: For the legend.
        x: Ascending.
        y: As many, in the chart's unit.
        color: Number of the theme's trace colour and of the line style.
        mark: Symbol at each point, where the chart has symbols.
    """

    name: str
    x: F64
    y: F64
    color: int = 0
    mark: str = "o"


class Chart(pg.PlotWidget):  # type: ignore[misc]
    """Base: traces over two axes, in the theme's colours."""

    def __init__(self, left: Any, bottom: Any, name: str) -> None:
        super().__init__(axisItems={"left": left, "bottom": bottom}, enableMenu=False)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setMouseTracking(True)
        self.setMenuEnabled(False)
        self.setMinimumSize(160, 90)
        self.setAccessibleName(name)
        left.setWidth(64)
        self._theme = DARK
        self._traces: tuple[Trace, ...] = ()
        # Axes without a curve would show numbers that were not measured: this covers them.
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
        full = [trace for trace in traces if np.isfinite(trace.y).any()]
        self.empty.setVisible(not full)
        if full:
            self._fit(full)

    def draw(self, trace: Trace) -> None:
        """One trace; a gap where it has no value."""
        pen = self.pen_of(trace)
        self.plot(trace.x, trace.y, pen=pen, antialias=False, connect="finite")

    def pen_of(self, trace: Trace) -> QPen:
        """The trace's pen."""
        return trace_pen(self._theme, trace.color)

    def _fit(self, full: list[Trace]) -> None:
        self._fit_x(min(float(t.x.min()) for t in full), max(float(t.x.max()) for t in full))
        bottom = min(float(np.nanmin(t.y)) for t in full)
        self._fit_y(bottom, max(float(np.nanmax(t.y)) for t in full))

    def _fit_x(self, low: float, high: float) -> None:
        self.setXRange(low, max(high, low + 1e-9), padding=0.02)

    def _fit_y(self, bottom: float, top: float) -> None:
        self.setYRange(bottom, max(top, bottom + 0.1), padding=0.05)

    # -- what the pointer reads --------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say what every curve is here: it names them too."""
        super().mouseMoveEvent(event)
        box = self.getViewBox()
        at = self.mapToScene(event.position().toPoint())
        inside = box.sceneBoundingRect().contains(at)
        text = self.readout(box.mapSceneToView(at).x()) if inside else ""
        QToolTip.showText(event.globalPosition().toPoint(), tip(text), self)

    def readout(self, x: float) -> str:
        """Each curve's value nearest to `x`, a line for each run."""
        lines = []
        for trace in self._traces:
            known = np.flatnonzero(np.isfinite(trace.y))
            if len(known):
                at = known[np.abs(trace.x[known] - x).argmin()]
                lines.append(f"{trace.name}:  {self.words(float(trace.x[at]), float(trace.y[at]))}")
        return "\n".join(lines)

    def words(self, x: float, y: float) -> str:
        """A point of this chart in words."""
        raise NotImplementedError


class PercentileChart(Chart):
    """Time by percentile, both logarithmic: where a distribution has its knees."""

    def __init__(self) -> None:
        super().__init__(TimeAxis("left"), NinesAxis("bottom"), "Percentile curve")

    @staticmethod
    def trace(name: str, histogram: Histogram, color: int) -> Trace:
        """A run's curve. The last value is at the highest percentile that `count` samples give."""
        values, above = histogram.curve()
        if not len(values):
            return Trace(name, np.zeros(0), np.zeros(0), color)
        share = np.maximum(above, 0.5 / histogram.count)
        return Trace(name, -np.log10(share), np.log10(np.maximum(values, 1)), color)

    def words(self, x: float, y: float) -> str:
        """`99.9 % within 5.2 ms`."""
        return f"{100 * (1 - 10**-x):.{max(0, math.ceil(x) - 1)}f} % within {format_time(10**y)}"


class HistogramChart(Chart):
    """How many samples of each time; both logarithmic, so that the tail can be seen."""

    def __init__(self) -> None:
        super().__init__(pg.AxisItem("left"), TimeAxis("bottom"), "Histogram")
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
        first = 0 if top < 2 else 1  # 0 and 1 are one above the other where there are thousands
        ticks = [(0.0, "0"), *((math.log10(1 + 10**n), f"{10**n:,}") for n in range(first, 8))]
        self.getAxis("left").setTicks([[t for t in ticks if t[0] <= max(top, 1.0) * 1.05]])

    def words(self, x: float, y: float) -> str:
        """`120 of about 5.2 ms`."""
        return f"{round(10**y) - 1:,} of about {format_time(10**x)}"


class SeriesChart(Chart):
    """Times over the run, logarithmic; at most two points per pixel column come in."""

    def __init__(self) -> None:
        super().__init__(TimeAxis("left"), SecondsAxis("bottom"), "Over time")

    @staticmethod
    def trace(name: str, seconds: F64, times_ns: F64, color: int) -> Trace:
        """A run over time; 0 where nothing was answered, which is a gap and no short time."""
        known = np.where(times_ns > 0, times_ns, np.nan)
        return Trace(name, seconds, np.log10(known), color)

    def words(self, x: float, y: float) -> str:
        """`5.2 ms at 1.3 s`."""
        return f"{format_time(10**y)} at {x:.1f} s"


class RateChart(Chart):
    """Bytes per second by message or block size."""

    def __init__(self) -> None:
        super().__init__(RateAxis("left"), SizeAxis("bottom"), "Rate by size")

    @staticmethod
    def trace(name: str, sizes: F64, rates: F64, color: int, mark: str = "o") -> Trace:
        """One sweep."""
        return Trace(name, np.log2(np.maximum(sizes, 1)), rates, color, mark)

    def draw(self, trace: Trace) -> None:
        """A sweep has few points: each has its mark, so that one alone is seen too."""
        pen = self.pen_of(trace)
        solid = pg.mkPen(pen.color(), width=1)
        self.plot(
            trace.x,
            trace.y,
            pen=pen,
            antialias=False,
            symbol=trace.mark,
            symbolSize=6,
            symbolPen=solid,
            symbolBrush=pen.color(),
        )

    def _fit_x(self, low: float, high: float) -> None:
        if high - low < 2:  # one size alone stands in the middle, beside its name
            low, high = low - 1, high + 1
        super()._fit_x(low, high)

    def _fit_y(self, bottom: float, top: float) -> None:
        self.setYRange(0, max(top, 1.0), padding=0.05)

    def words(self, x: float, y: float) -> str:
        """`1.39 GB/s at 64 KiB`."""
        return f"{format_rate(y)} at {format_size(round(2**x))}"
