"""How often each byte occurs, as 256 bars."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPoint, QRect, QSize
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ...hex.tooltip import character
from ...style.theme import DARK, Theme, mono_font

_HEIGHT: Final = 84
_LOW: Final = 48
_TICKS: Final = (0x00, 0x40, 0x80, 0xC0, 0xFF)
_LEAST: Final = 2  # pixels of a byte that occurs


class HistogramView(QWidget):
    """Bars on a logarithmic scale, so that a rare byte is seen beside a frequent one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts: npt.NDArray[np.int64] = np.zeros(256, np.int64)
        self._height = _HEIGHT
        self._theme = DARK
        self.setFont(mono_font(self.font().pointSizeF() - 1))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Histogram of the bytes")

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        self.update()

    def show_counts(self, counts: npt.NDArray[np.int64] | None) -> None:
        """How often each of the 256 bytes occurs; None is nothing."""
        self._counts = np.zeros(256, np.int64) if counts is None else counts
        kinds = int(np.count_nonzero(self._counts))
        most = int(self._counts.argmax())
        text = f"{kinds} of 256 bytes occur, most often 0x{most:02X}" if kinds else "no bytes"
        self.setAccessibleDescription(text)
        self.update()

    def set_low(self, low: bool) -> None:
        """Whether there is little room."""
        height = _LOW if low else _HEIGHT
        if height != self._height:
            self._height = height
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(256, self._height)

    def _bars(self) -> QRect:
        return QRect(0, 0, self.width(), self.height() - self.fontMetrics().height() - 2)

    def _span(self, value: int) -> tuple[int, int]:
        """First pixel of a byte, and the first behind it."""
        width = self.width()
        first = value * width // 256
        return first, max(first + 1, (value + 1) * width // 256)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Bars and ticks."""
        painter, theme, place = QPainter(self), self._theme, self._bars()
        painter.fillRect(place, theme.color("ground"))
        painter.fillRect(0, place.bottom(), self.width(), 1, theme.color("line"))
        most = int(self._counts.max())
        if most:
            scaled = np.log1p(self._counts) / np.log1p(most) * (place.height() - 1)
            for value in np.flatnonzero(self._counts).tolist():
                first, behind = self._span(value)
                high = max(_LEAST, round(float(scaled[value])))
                painter.fillRect(
                    first, place.height() - high, behind - first, high, theme.traces[0]
                )
        painter.setPen(theme.color("quiet"))
        metrics = self.fontMetrics()
        for value in _TICKS:
            text = f"{value:02X}"
            width = metrics.horizontalAdvance(text)
            left = min(max(0, self._span(value)[0] - width // 2), self.width() - width)
            painter.drawText(left, self.height() - metrics.descent(), text)

    def tip_at(self, place: QPoint) -> str:
        """What hovering tells."""
        value = min(255, max(0, place.x() * 256 // max(1, self.width())))
        total = int(self._counts.sum())
        if not total:
            return ""
        count = int(self._counts[value])
        return f"0x{value:02X} {character(value)}: {count:,} times, {count / total * 100:.3g} %"

    def event(self, event: QEvent) -> bool:
        """The tool tip is made when it is asked for."""
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.tip_at(event.pos()), self)
            return True
        return super().event(event)
