"""The past of the whole region: addresses from left to right, time from top (now) down."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QImage, QPainter, QPaintEvent, QPen

from ....core.values.units import format_short_offset
from ...hex.decorations.decorations import Decorations
from ...hex.decorations.overview import tint_colors, tint_strip, to_image
from ...style.heat_colors import heat_rate
from ...style.theme import DARK
from .address_view import AddressView, address_text
from .heat_history import HeatHistory
from .heat_scale import heat_image
from .maps import LEAST, Map, Place, whole_steps
from .time_view import TimeView, age_text, time_ticks

_GAP: Final = 12  # pixels between two labels
_STRIP: Final = 3  # pixels


class Waterfall(Map):
    """Rows are slots of equal time. One without a sample is hatched.

    Args:
        history: What to show.
        address, time: Which part of it.
    """

    def __init__(self, history: HeatHistory, address: AddressView, time: TimeView) -> None:
        super().__init__(address)
        self._history = history
        self.time = time
        self.end_ns = 0
        self.at_zero = "now"
        self.known: npt.NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._picture: npt.NDArray[np.uint8] = np.zeros((0, 0), np.uint8)
        self._newest = 0  # number of the first row's slot
        # That, the grid, and until when the history was known, when it was drawn.
        self._drawn: tuple[int, tuple[object, ...], int] | None = None
        self._age_s: float | None = None
        self._decorations: Decorations | None = None
        self._strip: QImage | None = None
        self._striped: tuple[int, ...] = ()
        self.setAccessibleName("Page activity over time")
        time.changed.connect(self.refresh)

    @property
    def plot(self) -> QRect:
        """Right of the times and above the addresses."""
        metrics = self.label_metrics()
        left, below = metrics.horizontalAdvance("-0.5 s ") + 6, metrics.height() + 2
        left = left if self.width() > 3 * left else 0
        below = below if self.height() > 3 * below else 0
        return QRect(left, 0, max(1, self.width() - left), max(1, self.height() - below))

    def clear(self) -> None:
        """Nothing to show."""
        self.activity = self.image = None
        self._drawn = None
        self.update()

    def set_decorations(self, decorations: Decorations) -> None:
        """Mark these ranges along the addresses."""
        self._decorations = decorations
        decorations.changed.connect(self.update)

    def show_until(self, end_ns: int) -> None:
        """Show the time before this Frame."""
        self.end_ns = end_ns
        self.refresh()
        self.look_again()

    @property
    def slot_ns(self) -> float:
        """The time of a row: a pixel's."""
        return self.time.span_s * 1e9 / self.plot.height()

    def refresh(self) -> None:
        """Draw anew if there is anything new."""
        if self.activity is None:
            return
        plot, slot = self.plot, self.slot_ns
        # Slots lie on a fixed grid, so that a row keeps what it shows while it moves down, and
        # only those that were not over when they were drawn are made anew.
        newest = math.ceil((self.end_ns - self.time.back_s * 1e9) / slot)
        part = (self.address.start / self.covered, self.address.end / self.covered)
        grid = (slot, part, plot.width(), plot.height(), self._history.columns)
        if (newest, grid, self._history.last_ns) == self._drawn:
            return
        columns, rows = max(1, plot.width() // LEAST), plot.height()
        fresh = rows
        if self._drawn and self._drawn[1] == grid and self._drawn[0] <= newest:
            unknown = math.ceil((round(newest * slot) - self._drawn[2]) / slot) + 1
            fresh = min(max(unknown, newest - self._newest), rows)
        self._drawn = (newest, grid, self._history.last_ns)
        picture, known = self._history.picture(round(newest * slot), slot, fresh, part, columns)
        if fresh < rows:
            moved = newest - self._newest
            kept = slice(fresh - moved, rows - moved)
            picture = np.concatenate((picture, self._picture[kept]))
            known = np.concatenate((known, self.known[kept]))
        self._newest, self._picture, self.known = newest, picture, known
        self.image = heat_image(picture)
        self.update()

    # -- where -------------------------------------------------------------------------------------

    def age_at(self, y: float) -> float:
        """Seconds before the newest Frame."""
        return self.time.back_s + (y - self.plot.y()) / self.plot.height() * self.time.span_s

    def y_of(self, age_s: float) -> float:
        """The height of an age."""
        return self.plot.y() + (age_s - self.time.back_s) / self.time.span_s * self.plot.height()

    def x_of(self, offset: int) -> float:
        """Where a byte is drawn."""
        share = (offset - self.address.start) / max(1, self.address.length)
        return self.plot.x() + share * self.plot.width()

    def place_at(self, at: QPointF) -> Place | None:
        """The column and the time at a point."""
        plot = self.plot
        if self.activity is None or not plot.contains(at.toPoint()):
            return None
        columns = self.image.width() if self.image is not None else 1
        column = min(int((at.x() - plot.x()) * columns / plot.width()), columns - 1)
        cell = self.activity.cell_bytes
        start, length = self.address.start, self.address.length
        first = (start + length * column // columns) // cell
        behind = max(first + 1, -(-(start + length * (column + 1) // columns) // cell))
        offset, wide = first * cell, (behind - first) * cell
        return Place(offset, wide, self.busiest(offset, wide), self.age_at(at.y()))

    def rate_at(self, place: Place) -> float | None:
        """The rate at a place and time; None where nothing was sampled."""
        if place.age_s is None or not self.covered:
            return None
        part = (place.offset / self.covered, (place.offset + place.length) / self.covered)
        at = round(self.end_ns - place.age_s * 1e9)
        picture, known = self._history.picture(at + 1, 1, 1, part, 1)
        return heat_rate(int(picture[0, 0])) if known[0] else None

    # -- zoom and cursor ---------------------------------------------------------------------------

    def zoom(self, steps: float, at: QPointF, *, other: bool) -> None:
        """Time; with Ctrl, addresses."""
        place = self.place_at(at)
        if place is None or not steps:
            return
        if other:
            self.address.zoom(whole_steps(steps), place.offset)
        elif place.age_s is not None:
            self.time.zoom(2 ** (-steps / 2), place.age_s)

    def pan(self, by: QPointF) -> None:
        """Into the past, and along the addresses."""
        plot = self.plot
        self.time.pan(-by.y() / plot.height() * self.time.span_s)
        if self.address.zoomed:
            self.address.pan(-round(by.x() / plot.width() * self.address.length))

    def reset(self) -> None:
        """Both."""
        self.address.reset()
        self.time.reset()

    def set_cursor(self, age_s: float | None) -> None:
        """Mark this moment, as the graphs do."""
        if age_s != self._age_s:
            self._age_s = age_s
            self.update()

    # -- painting ----------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The picture, hatched where nothing is known, axes, and the cursor."""
        painter = QPainter(self)
        plot = self.plot
        painter.fillRect(plot, self.theme.color("ground"))
        if self.activity is None or self.image is None:
            return
        painter.drawImage(QRectF(plot), self.image)
        self._paint_gaps(painter, plot)
        self._paint_ranges(painter, plot)
        painter.setFont(self.label_font())
        if plot.x():
            self._paint_times(painter, plot)
        if plot.height() < self.height():
            self._paint_addresses(painter, plot)
        painter.setPen(QPen(DARK.color("text", 160), 1))
        if self._age_s is not None and self.time.back_s <= self._age_s <= self.time.oldest_s:
            y = round(self.y_of(self._age_s))
            painter.drawLine(plot.left(), y, plot.right(), y)
        if self._under is not None and plot.contains(self._under.toPoint()):
            x = round(self._under.x())
            painter.drawLine(x, plot.top(), x, plot.bottom())

    def _paint_gaps(self, painter: QPainter, plot: QRect) -> None:
        """Rows of which nothing is known."""
        edges = np.flatnonzero(np.diff(np.concatenate(([True], self.known, [True]))))
        hatch = QBrush(self.theme.color("quiet", 110), Qt.BrushStyle.BDiagPattern)
        for first, behind in edges.reshape(-1, 2).tolist():
            rows = QRect(plot.x(), plot.y() + first, plot.width(), behind - first)
            painter.fillRect(rows, self.theme.color("panel"))
            painter.fillRect(rows, hatch)

    def _paint_ranges(self, painter: QPainter, plot: QRect) -> None:
        """A strip along the addresses, in the colours of the heat map's outlines."""
        decorations, address = self._decorations, self.address
        if decorations is None or not len(decorations) or address.length <= 0:
            return
        key = (decorations.version, address.start, address.length, plot.width())
        if key != self._striped:
            self._striped = key
            tints = tint_strip(decorations, address.length, plot.width(), LEAST, address.start)
            self._strip = to_image(tint_colors(DARK, DARK.ground)[tints[np.newaxis]])
        strip = QRect(plot.x(), plot.bottom() + 1 - _STRIP, plot.width(), _STRIP)
        if self._strip is not None:
            painter.drawImage(strip, self._strip)

    def _paint_times(self, painter: QPainter, plot: QRect) -> None:
        metrics, time = self.label_metrics(), self.time
        painter.setPen(self.theme.color("quiet"))
        free = 0.0
        for age in time_ticks(time.back_s, time.oldest_s, plot.height() / (metrics.height() + 6)):
            y = self.y_of(age)
            top = min(max(0.0, y - metrics.height() / 2), plot.bottom() + 1 - metrics.height())
            if top >= free:
                free = top + metrics.height()
                box = QRectF(0, top, plot.x() - 6, metrics.height())
                painter.drawText(box, Qt.AlignmentFlag.AlignRight, age_text(age, self.at_zero))
            painter.drawLine(plot.x() - 4, round(y), plot.x() - 1, round(y))

    def _paint_addresses(self, painter: QPainter, plot: QRect) -> None:
        """At quarters and halves of what is shown, as many as have room."""
        metrics, address = self.label_metrics(), self.address
        painter.setPen(self.theme.color("quiet"))
        texts, parts = format_short_offset, 8
        if plot.width() / 4 > metrics.horizontalAdvance(address_text(address.end)) + _GAP:
            texts = address_text
        wide = metrics.horizontalAdvance(texts(address.end)) + _GAP
        while parts > 1 and plot.width() / parts < wide:
            parts //= 2
        whole = 1 << max(0, address.length - 1).bit_length()
        for offset in range(address.start, address.end, max(1, whole // parts)):
            x, text = self.x_of(offset), texts(offset)
            painter.drawLine(round(x), plot.bottom() + 1, round(x), plot.bottom() + 3)
            left = min(x, self.width() - metrics.horizontalAdvance(text))
            painter.drawText(QPointF(left, self.height() - metrics.descent() - 1), text)
