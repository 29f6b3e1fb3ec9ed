"""A plot of rates over the last seconds. Only this module loads pyqtgraph (lazy_plot.py)."""

from __future__ import annotations

from typing import Any, Final

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from ....core.values.units import format_rate
from ...style.theme import Theme
from .sample_buffer import step_up, thin

_TICK_PX: Final = 9
_STYLES: Final = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)


class _AgoAxis(pg.AxisItem):  # type: ignore[misc]
    """Seconds before now."""

    def tickStrings(self, values: list[float], _scale: float, _spacing: float) -> list[str]:
        return [f"{value:g} s" if value else "now" for value in values]


class RatePlot(pg.PlotWidget):  # type: ignore[misc]
    """Traces over the last seconds, 1 px pens, ranges that step."""

    def __init__(self, traces: tuple[str, ...], *, share: bool, parent: QWidget) -> None:
        left = pg.AxisItem("left")
        axes = {"left": left, "bottom": _AgoAxis("bottom")}
        super().__init__(parent, axisItems=axes, enableMenu=False)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._share = share
        self._top = 0.0
        self._scaled = (0.0, 0)
        self._floor = 10.0 if share else 1000.0
        self.curves = [self.plot([], [], antialias=False, name=name) for name in traces]
        left.setWidth(64)

    def set_theme(self, theme: Theme, colors: list[str]) -> None:
        """Colours of ground, axes and traces."""
        self.setBackground(theme.ground)
        for name in ("left", "bottom"):
            axis = self.getAxis(name)
            axis.setPen(pg.mkPen(theme.line))
            axis.setTextPen(pg.mkPen(theme.quiet))
        self.showGrid(x=True, y=True, alpha=0.15)
        for curve, color, style in zip(self.curves, colors, _STYLES, strict=False):
            curve.setPen(pg.mkPen(QColor(color), width=1, style=style))

    def show_traces(self, times: Any, rows: Any, span_s: int) -> None:
        """Draw; `times` are seconds before now, negative."""
        columns = max(64, int(self.width()))
        greatest = float(rows.max()) if rows.size else 0.0
        wanted = step_up(max(greatest * 1.1, self._floor))
        if wanted > self._top or wanted < self._top / 4:
            self._top = wanted
        self._scale()
        self.setXRange(-span_s, 0, padding=0)
        for curve, row in zip(self.curves, rows, strict=True):
            curve.setData(*thin(times, row, columns))

    def empty(self, span_s: int) -> None:
        """Nothing to show yet."""
        self._top = self._floor
        self._scale()
        self.setXRange(-span_s, 0, padding=0)
        for curve in self.curves:
            curve.setData([], [])

    def _scale(self) -> None:
        """Two ticks that are always there, with room for the upper one's text."""
        if self._scaled == (self._top, self.height()):
            return
        self._scaled = (self._top, self.height())
        room = _TICK_PX / max(_TICK_PX * 3, self.height() - 20)
        self.setYRange(0, self._top * (1 + room), padding=0)
        ticks = [self._top, self._top / 2] if self.height() >= 90 else [self._top]
        texts = [f"{tick:g} %" if self._share else _round_rate(tick) for tick in ticks]
        self.getAxis("left").setTicks([list(zip(ticks, texts, strict=True))])


def _round_rate(rate: float) -> str:
    number, unit = format_rate(rate).split(" ")
    return f"{float(number):g} {unit}"
