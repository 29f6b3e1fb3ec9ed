"""Draws the envelope of a signal, channel below channel, with its level beside it."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from PySide6.QtCore import QLineF, QRect, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ....core.analysis.waveforms import F32, Wave
from ...style.theme import DARK, Theme, mono_font

_METER: Final = 10  # pixels
_GAP: Final = 6
_FLOOR_DB: Final = -60.0


def decibels(level: float) -> str:
    """A level against full scale."""
    return f"{round(20 * math.log10(level), 1) + 0.0:.1f} dB" if level > 0 else "silent"


class WaveView(QWidget):
    """Lanes of equal height; what is beyond full scale is drawn at its edge."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.wave: Wave | None = None
        self._theme = DARK
        self.setFont(mono_font(self.font().pointSizeF() - 1))
        self.setAccessibleName("Waveform of the range")
        self.setMinimumSize(120, 80)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        self.update()

    def show_wave(self, wave: Wave | None) -> None:
        """Show this; None is nothing."""
        self.wave = wave
        if wave is not None:
            levels = [
                f"channel {number + 1}: level {decibels(float(rms))}, peak {decibels(float(peak))}"
                for number, (rms, peak) in enumerate(zip(wave.rms, wave.peak, strict=True))
            ]
            self.setAccessibleDescription("; ".join(levels))
        self.update()

    def sizeHint(self) -> QSize:
        """Room for one lane."""
        return QSize(256, 120)

    def columns(self) -> int:
        """Columns that can be drawn."""
        return max(16, self.width() - _METER - _GAP)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Each lane: middle line, envelope, meter."""
        painter, theme, wave = QPainter(self), self._theme, self.wave
        painter.fillRect(self.rect(), theme.color("ground"))
        if wave is None:
            return
        count = len(wave.least)
        for number in range(count):
            top, behind = self.height() * number // count, self.height() * (number + 1) // count
            place = QRect(0, top, self.columns(), behind - top - 2)
            self._lane(painter, wave, number, place)
            meter = QRect(self.width() - _METER, top, _METER, behind - top - 2)
            self._meter(painter, float(wave.rms[number]), float(wave.peak[number]), meter)

    def _lane(self, painter: QPainter, wave: Wave, number: int, place: QRect) -> None:
        theme, least, greatest = self._theme, wave.least[number], wave.greatest[number]
        half = place.height() / 2
        middle = place.top() + half
        painter.setPen(theme.color("line"))
        painter.drawLine(place.left(), round(middle), place.right(), round(middle))
        pen = QPen(theme.traces[number % len(theme.traces)])
        painter.setPen(pen)
        width = place.width() / max(1, len(least))
        high = middle - np.clip(greatest, -1, 1) * (half - 1)
        low = middle - np.clip(least, -1, 1) * (half - 1)
        known = np.flatnonzero(np.isfinite(high) & np.isfinite(low)).tolist()
        if width > 1.5:  # each sample is seen for itself
            self._samples(painter, place.left(), width, high, known)
            known = []
        lines, before = [], -2
        for at in known:
            x = place.left() + (at + 0.5) * width
            top, bottom = float(high[at]), float(low[at])
            if before == at - 1:  # joined, so that a steep edge is no gap
                top = min(top, float(low[before]))
                bottom = max(bottom, float(high[before]))
            lines.append(QLineF(x, top, x, max(bottom, top + 1)))
            before = at
        painter.drawLines(lines)
        level = f"{decibels(float(wave.rms[number]))}, peak {decibels(float(wave.peak[number]))}"
        metrics = self.fontMetrics()
        chip = QRect(place.topLeft(), QSize(metrics.horizontalAdvance(level) + 8, metrics.height()))
        painter.fillRect(chip, theme.color("ground"))
        painter.setPen(theme.color("text"))
        painter.drawText(chip.left() + 4, chip.top() + metrics.ascent(), level)

    def _samples(
        self, painter: QPainter, left: float, width: float, y: F32, known: list[int]
    ) -> None:
        """A line from each sample to the next, and a dash for one that stands alone."""
        there, lines = set(known), []
        for at in known:
            x = left + (at + 0.5) * width
            if at + 1 in there:
                lines.append(QLineF(x, y[at], x + width, y[at + 1]))
            elif at - 1 not in there:
                lines.append(QLineF(x - 1, y[at], x + 1, y[at]))
        painter.drawLines(lines)

    def _meter(self, painter: QPainter, rms: float, peak: float, place: QRect) -> None:
        theme = self._theme
        painter.fillRect(place, theme.color("raised"))

        def height(level: float) -> int:
            db = 20 * math.log10(level) if level > 0 else _FLOOR_DB
            return round(place.height() * min(1.0, max(0.0, 1 - db / _FLOOR_DB)))

        high = height(rms)
        color = theme.color("warning" if peak >= 1.0 else "good")
        painter.fillRect(place.left(), place.bottom() + 1 - high, place.width(), high, color)
        at = place.bottom() + 1 - height(peak)
        painter.fillRect(place.left(), max(place.top(), at), place.width(), 2, theme.color("text"))
