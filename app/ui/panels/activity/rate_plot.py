"""A plot of rates over the last seconds. Only this module loads pyqtgraph (lazy_plot.py)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from ....core.values.units import format_rate
from ...style.theme import Theme
from .sample_buffer import step_up, thin
from .time_view import TimeView, age_text, time_ticks

_TICK_PX: Final = 9
_LABEL_PX: Final = 48
_STYLES: Final = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)
_NOTCH: Final = 120


class _AgoAxis(pg.AxisItem):  # type: ignore[misc]
    """Seconds before the newest Frame; values are negative ages."""

    at_zero = "now"

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        return [(1.0, [-age for age in time_ticks(max(0.0, -high), -low, size / _LABEL_PX)])]

    def tickStrings(self, values: list[float], _scale: float, _spacing: float) -> list[str]:
        return [age_text(-value, self.at_zero) for value in values]


class RatePlot(pg.PlotWidget):  # type: ignore[misc]
    """Traces over the last seconds, 1 px pens, ranges that step. Gaps are gaps.

    The wheel zooms the time, a drag moves it, a double click shows what was chosen before.

    Signals:
        hovered(float | None): Age under the mouse, seconds.
    """

    hovered = Signal(object)

    def __init__(
        self, traces: tuple[str, ...], time: TimeView, *, share: bool, parent: QWidget
    ) -> None:
        left = pg.AxisItem("left")
        self._bottom = _AgoAxis("bottom")
        axes = {"left": left, "bottom": self._bottom}
        super().__init__(parent, axisItems=axes, enableMenu=False)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setMouseTracking(True)
        self._time = time
        self._share = share
        self._top = 0.0
        self._scaled = (0.0, 0)
        self._floor = 10.0 if share else 100.0
        self._dragged_from: QPointF | None = None
        self.curves = [
            self.plot([], [], antialias=False, name=name, connect="finite") for name in traces
        ]
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._cursor.hide()
        self.addItem(self._cursor, ignoreBounds=True)
        left.setWidth(64)

    def set_theme(self, theme: Theme, colors: list[str]) -> None:
        """Colours of ground, axes and traces."""
        self.setBackground(theme.ground)
        for name in ("left", "bottom"):
            axis = self.getAxis(name)
            axis.setPen(pg.mkPen(theme.line))
            axis.setTextPen(pg.mkPen(theme.quiet))
        self.showGrid(x=True, y=True, alpha=0.15)
        self._cursor.setPen(pg.mkPen(theme.quiet, width=1))
        for curve, color, style in zip(self.curves, colors, _STYLES, strict=False):
            curve.setPen(pg.mkPen(QColor(color), width=1, style=style))

    def set_at_zero(self, text: str) -> None:
        """What the newest Frame's moment is called."""
        if text != self._bottom.at_zero:
            self._bottom.at_zero = text
            self._bottom.picture = None
            self._bottom.update()

    def show_traces(self, times: Any, rows: Any) -> None:
        """Draw; `times` are negative ages, NaN is a gap."""
        columns = max(64, int(self.width()))
        known = rows[np.isfinite(rows)]
        greatest = float(known.max()) if known.size else 0.0
        wanted = step_up(max(greatest * 1.1, self._floor))
        if wanted > self._top or wanted < self._top / 4:
            self._top = wanted
        self._scale()
        self._show_stretch()
        for curve, row in zip(self.curves, rows, strict=True):
            curve.setData(*thin(times, row, columns), connect="finite")

    def empty(self) -> None:
        """Nothing to show yet."""
        self._top = self._floor
        self._scale()
        self._show_stretch()
        for curve in self.curves:
            curve.setData([], [])

    def set_cursor(self, age_s: float | None) -> None:
        """Mark this moment."""
        self._cursor.setVisible(age_s is not None)
        if age_s is not None:
            self._cursor.setValue(-age_s)

    def _show_stretch(self) -> None:
        self.setXRange(-self._time.oldest_s, -self._time.back_s, padding=0)

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

    # -- zoom and cursor ---------------------------------------------------------------------------

    def age_at(self, at: QPointF) -> float | None:
        """Seconds before the newest Frame at a point of the widget; None outside the plot."""
        box = self.getViewBox()
        scene = self.mapToScene(at.toPoint())
        if not box.sceneBoundingRect().contains(scene):
            return None
        return max(0.0, -float(box.mapSceneToView(scene).x()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom the time."""
        age = self.age_at(event.position())
        if age is not None:
            self._time.zoom(2 ** (-event.angleDelta().y() / _NOTCH / 2), age)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A drag may begin."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._dragged_from = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the time, or report the moment under the mouse."""
        if self._dragged_from is not None:
            by = event.position().x() - self._dragged_from.x()
            self._dragged_from = event.position()
            wide = max(1.0, float(self.getViewBox().width()))
            self._time.pan(by / wide * self._time.span_s)
            return
        self.hovered.emit(self.age_at(event.position()))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """The end of a drag."""
        self._dragged_from = None

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        """Show what was chosen before."""
        self._time.reset()

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the mouse."""
        super().leaveEvent(event)
        self.hovered.emit(None)


def _round_rate(rate: float) -> str:
    number, unit = format_rate(rate).split(" ")
    return f"{float(number):g} {unit}"
