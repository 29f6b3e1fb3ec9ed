"""Page-activity maps of the region: what they share, and the present as a grid.

Wheel zooms, a drag moves, a double click shows all again; a click goes there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QFont,
    QFontMetrics,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

from ....core.values.units import format_short_offset
from ....core.watch.frame import Activity
from ...hex.decorations.decorations import Decorations
from ...hex.decorations.overview import MapShape, map_outlines, tint_colors, to_image
from ...style.heat_colors import heat_index
from ...style.theme import DARK
from .address_view import AddressView
from .heat_scale import heat_image

F32 = npt.NDArray[np.float32]
LEAST: Final = 4  # pixels: nothing is drawn smaller, so that one busy page is seen
_OUTLINE: Final = 6  # pixels of an outline: the four in it show the heat
_GRID_FROM: Final = 8  # pixels of a tile
_NOTCH: Final = 120  # of a mouse wheel, eighths of a degree


@dataclass(frozen=True, slots=True)
class Place:
    """What is under the mouse on a map.

    Attributes:
        offset, length: The part of the region that is drawn there.
        cell: The busiest cell of the Activity in it.
        age_s: How long before the newest Frame; None is the present.
    """

    offset: int
    length: int
    cell: int
    age_s: float | None = None


class Map(QWidget):
    """Base: a picture beside an axis or two, with hover, click, zoom and drag.

    Signals:
        goto_wanted(int): Offset that was clicked.
        hovered(Place | None): What is under the mouse.
    """

    goto_wanted = Signal(object)
    hovered = Signal(object)

    def __init__(self, address: AddressView) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self.setMinimumSize(80, 48)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.theme = DARK
        self.address = address
        self.activity: Activity | None = None
        self.image: QImage | None = None
        self._pressed: QPointF | None = None
        self._dragged = False
        self._under: QPointF | None = None
        address.changed.connect(self.refresh)

    # -- for those that derive ---------------------------------------------------------------------

    @property
    def plot(self) -> QRect:
        """Where the picture is."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Make the picture again."""
        raise NotImplementedError

    def place_at(self, at: QPointF) -> Place | None:
        """What is drawn at a point."""
        raise NotImplementedError

    def zoom(self, steps: float, at: QPointF, *, other: bool) -> None:
        """The wheel was turned at a point, with Ctrl (`other`) or without."""
        raise NotImplementedError

    def pan(self, by: QPointF) -> None:
        """The picture was dragged by so many pixels."""
        raise NotImplementedError

    def reset(self) -> None:
        """Show all again."""
        self.address.reset()

    # -- common ------------------------------------------------------------------------------------

    @property
    def covered(self) -> int:
        """Bytes that the Activity's cells stand for; the last may reach behind the region."""
        activity = self.activity
        return len(activity.rate) * activity.cell_bytes if activity is not None else 0

    def busiest(self, offset: int, length: int) -> int:
        """The busiest cell in a part of the region."""
        activity = self.activity
        assert activity is not None
        first = min(offset // activity.cell_bytes, len(activity.rate) - 1)
        behind = max(first + 1, -(-(offset + length) // activity.cell_bytes))
        return first + int(activity.rate[first:behind].argmax())

    def cell_at(self, at: QPointF) -> int:
        """The busiest cell of what is drawn at a point; -1 where nothing is."""
        place = self.place_at(at)
        return -1 if place is None else place.cell

    def label_font(self) -> QFont:
        """Of the axes."""
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() - 1)
        return font

    def label_metrics(self) -> QFontMetrics:
        """Of the axes."""
        return QFontMetrics(self.label_font())

    def look_again(self) -> None:
        """Say again what is under the mouse: the picture changed."""
        if self._under is not None:
            self.hovered.emit(self.place_at(self._under))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another size, another picture."""
        super().resizeEvent(event)
        self.refresh()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click or a drag begins."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._pressed, self._dragged = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag, or say what is here."""
        at = event.position()
        if self._pressed is not None:
            by = at - self._pressed
            if self._dragged or by.manhattanLength() >= QApplication.startDragDistance():
                self._dragged = True
                self._pressed = at
                self.pan(by)
            return
        self._under = at
        self.look_again()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """What was not a drag was a click."""
        if event.button() is not Qt.MouseButton.LeftButton or self._pressed is None:
            return
        self._pressed = None
        place = self.place_at(event.position())
        if not self._dragged and place is not None and self.activity is not None:
            offset = max(place.offset, place.cell * self.activity.cell_bytes)
            self.goto_wanted.emit(min(offset, self.activity.region_size - 1))

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        """Show all again."""
        self.reset()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom, with what is under the mouse in its place."""
        other = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        self.zoom(event.angleDelta().y() / _NOTCH, event.position(), other=other)
        event.accept()

    def leaveEvent(self, _event: object) -> None:
        """Nothing is under the mouse."""
        self._under = None
        self.hovered.emit(None)
        self.update()


def whole_steps(steps: float) -> int:
    """Notches of a wheel as whole steps, at least one; a fine wheel or a touch pad gives parts."""
    return max(1, round(steps)) if steps > 0 else min(-1, round(steps))


def tiling(count: int, width: int, height: int) -> tuple[int, int, int]:
    """How to lay out cells in a rectangle, in reading order, no tile smaller than LEAST pixels.

    Both numbers are powers of two, so that tiles and rows begin at round addresses.

    Returns:
        Cells per tile, tiles per row, rows.
    """
    cells, most, tallest = 1, max(1, width // LEAST), max(1, height // LEAST)
    while True:
        tiles = -(-count // cells)
        fitting = []
        columns = 1
        while columns <= most and columns < 2 * tiles:
            rows = -(-tiles // columns)
            if rows <= tallest:
                skew = abs(math.log(max(1, width) / columns / (max(1, height) / rows)))
                fitting.append((skew, columns, rows))
            columns *= 2
        if fitting:
            return (cells, *min(fitting)[1:])
        cells *= 2


class HeatMap(Map):
    """The cells of the region in reading order, with outlines around decorations."""

    def __init__(self, address: AddressView) -> None:
        super().__init__(address)
        self._cells, self._columns, self._rows = 1, 1, 1  # of a tile; tiles per row; rows
        self._first = self._count = 0  # cells shown
        self._rates: F32 | None = None
        self._decorations: Decorations | None = None
        self._outlines: QImage | None = None
        self._outlined: tuple[object, ...] = ()
        self.setAccessibleName("Page activity of the whole region")

    @property
    def plot(self) -> QRect:
        """Right of the addresses."""
        left = (
            self.label_metrics().horizontalAdvance(
                format_short_offset(max(0, self.address.size - 1))
            )
            + 8
        )
        left = left if self.width() > 3 * left else 0
        return QRect(left, 0, max(1, self.width() - left), max(1, self.height()))

    @property
    def tile_bytes(self) -> int:
        """Bytes of the region in one tile."""
        return self._cells * (self.activity.cell_bytes if self.activity is not None else 0)

    def set_decorations(self, decorations: Decorations) -> None:
        """Outline these ranges."""
        self._decorations = decorations
        decorations.changed.connect(self.update)

    def show_activity(self, activity: Activity, rates: F32 | None = None) -> None:
        """Another picture; of these rates instead of the Activity's own."""
        self.activity, self._rates = activity, rates
        self.refresh()
        self.look_again()

    def clear(self) -> None:
        """Nothing to show."""
        self.activity = self._rates = self.image = None
        self.update()

    def refresh(self) -> None:
        """Lay the cells out and colour them."""
        activity = self.activity
        if activity is None:
            return
        rates = activity.rate if self._rates is None else self._rates
        self._first = min(self.address.start // activity.cell_bytes, len(rates) - 1)
        behind = max(self._first + 1, -(-self.address.end // activity.cell_bytes))
        shown = rates[self._first : behind]
        self._count = len(shown)
        plot = self.plot
        self._cells, self._columns, self._rows = tiling(len(shown), plot.width(), plot.height())
        tiles = np.zeros(self._rows * self._columns, np.uint8)
        starts = np.arange(0, len(shown), self._cells)
        tiles[: len(starts)] = heat_index(np.maximum.reduceat(shown, starts))
        self.image = heat_image(tiles.reshape(self._rows, self._columns))
        self.update()

    def place_at(self, at: QPointF) -> Place | None:
        """The tile at a point."""
        plot = self.plot
        if self.activity is None or not plot.contains(at.toPoint()):
            return None
        column = min(int((at.x() - plot.x()) * self._columns / plot.width()), self._columns - 1)
        row = min(int((at.y() - plot.y()) * self._rows / plot.height()), self._rows - 1)
        first = (row * self._columns + column) * self._cells
        if first >= self._count:
            return None
        offset = (self._first + first) * self.activity.cell_bytes
        length = min(self._cells, self._count - first) * self.activity.cell_bytes
        return Place(offset, length, self.busiest(offset, length))

    def tile_rect(self, offset: int) -> QRectF:
        """Where the byte at an offset is drawn."""
        assert self.activity is not None
        cell = offset // self.activity.cell_bytes - self._first
        row, column = divmod(cell // self._cells, self._columns)
        plot = self.plot
        wide, high = plot.width() / self._columns, plot.height() / self._rows
        return QRectF(plot.x() + column * wide, plot.y() + row * high, wide, high)

    def zoom(self, steps: float, at: QPointF, *, other: bool) -> None:
        """Half or twice as much for a notch."""
        place = self.place_at(at)
        if place is not None and steps:
            self.address.zoom(whole_steps(steps), place.offset)

    def pan(self, by: QPointF) -> None:
        """Whole rows."""
        share = by.y() / max(1, self.plot.height())
        if self._pressed is not None and abs(share) < 1 / 16:
            self._pressed = self._pressed - by  # until it is enough for a step
            return
        self.address.pan(-round(share * self.address.length))

    def _outline_picture(self, activity: Activity) -> QImage | None:
        """The outlines, drawn anew when they or the map's layout changed; None without any."""
        if self._decorations is None or not len(self._decorations):
            return None
        ratio, plot = self.devicePixelRatioF(), self.plot
        width, height = (max(1, round(part * ratio)) for part in (plot.width(), plot.height()))
        start = self._first * activity.cell_bytes
        count = -(-self._count // self._cells)
        shape = MapShape(count, self.tile_bytes, self._columns, self._rows, width, height, start)
        key = (self._decorations.version, shape)
        if key != self._outlined:
            self._outlined = key
            line = max(1, round(ratio))
            tints = map_outlines(self._decorations, shape, _OUTLINE * line, line)
            # A heat map's ground is dark in both themes.
            self._outlines = to_image(tint_colors(DARK, DARK.ground)[tints])
        return self._outlines

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Tiles, grid, outlines, addresses, and a frame around the tile under the mouse."""
        painter = QPainter(self)
        plot = self.plot
        painter.fillRect(plot, self.theme.color("ground"))
        if self.activity is None or self.image is None:
            return
        painter.drawImage(QRectF(plot), self.image)
        if plot.width() / self._columns >= _GRID_FROM and plot.height() / self._rows >= _GRID_FROM:
            self._paint_grid(painter, plot)
        outlines = self._outline_picture(self.activity)
        if outlines is not None:
            painter.drawImage(QRectF(plot), outlines)
        if plot.x():
            self._paint_addresses(painter, plot)
        place = self.place_at(self._under) if self._under is not None else None
        if place is not None:
            painter.setPen(QPen(DARK.color("text"), 1))
            painter.drawRect(self.tile_rect(place.offset).toRect().adjusted(0, 0, -1, -1))

    def _paint_grid(self, painter: QPainter, plot: QRect) -> None:
        painter.setPen(QPen(self.theme.color("grid"), 1))
        for column in range(1, self._columns):
            x = plot.x() + round(column * plot.width() / self._columns)
            painter.drawLine(x, plot.top(), x, plot.bottom())
        for row in range(1, self._rows):
            y = plot.y() + round(row * plot.height() / self._rows)
            painter.drawLine(plot.left(), y, plot.right(), y)

    def _paint_addresses(self, painter: QPainter, plot: QRect) -> None:
        """The first address of rows, as many as have room."""
        painter.setFont(self.label_font())
        painter.setPen(self.theme.color("quiet"))
        metrics = self.label_metrics()
        high = plot.height() / self._rows
        step = 1
        while step * high < metrics.height() + 4:
            step *= 2
        row_bytes = self._columns * self.tile_bytes
        for row in range(0, self._rows, step):
            text = format_short_offset(self.address.start + row * row_bytes)
            y = plot.y() + row * high + max(0.0, (high - metrics.height()) / 2)
            y = min(y, plot.bottom() + 1 - metrics.height())
            box = QRectF(0, y, plot.x() - 4, metrics.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignRight, text)
