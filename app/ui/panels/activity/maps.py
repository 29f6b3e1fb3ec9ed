"""Page-activity maps of the whole region: the present as a grid, the past as a waterfall."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ....core.watch.frame import Activity
from ...hex.paint.decorations import Decorations
from ...hex.paint.overview import MapShape, map_outlines, tint_colors, to_image
from ...style.heat_colors import TOP_RATE, heat_index, heat_table
from ...style.theme import DARK

U8 = npt.NDArray[np.uint8]
WATER_ROWS: Final = 512
_LEAST: Final = 6  # pixels of an outline: the four in it show the heat


@cache
def table_colors() -> tuple[int, ...]:
    """The heat table as QRgb values for an indexed image."""
    return tuple(0xFF000000 | int(r) << 16 | int(g) << 8 | int(b) for r, g, b, _ in heat_table())


def _image(indices: U8) -> QImage:
    rows, columns = indices.shape
    padded = np.zeros((rows, (columns + 3) // 4 * 4), np.uint8)
    padded[:, :columns] = indices
    image = QImage(padded.data, columns, rows, padded.shape[1], QImage.Format.Format_Indexed8)
    image.setColorTable(table_colors())
    return image.copy()


def fold(values: npt.NDArray[np.float32], columns: int) -> npt.NDArray[np.float32]:
    """Cells folded to at most `columns`, each the busiest of those that it stands for."""
    if len(values) <= columns:
        return values
    edges = np.linspace(0, len(values), columns, endpoint=False).astype(np.int64)
    return np.maximum.reduceat(values, edges)


class _Map(QWidget):
    """Base: an indexed image stretched over the widget, with hover and click by cell.

    Signals:
        goto_wanted(int): Offset that was clicked.
        hovered(int): Cell under the mouse, -1 when there is none.
    """

    goto_wanted = Signal(object)
    hovered = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self.setMinimumSize(80, 48)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.theme = DARK
        self.activity: Activity | None = None
        self.image: QImage | None = None

    def cell_at(self, place: QPointF) -> int:
        """The activity cell under a point; -1 outside."""
        raise NotImplementedError

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.color("ground"))
        if self.image is not None:
            painter.drawImage(QRectF(self.rect()), self.image)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.hovered.emit(self.cell_at(event.position()))

    def leaveEvent(self, _event: object) -> None:
        self.hovered.emit(-1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        if cell >= 0 and self.activity is not None:
            self.goto_wanted.emit(
                min(cell * self.activity.cell_bytes, self.activity.region_size - 1)
            )


class HeatMap(_Map):
    """Every cell of the region in reading order, with outlines around decorations."""

    def __init__(self) -> None:
        super().__init__()
        self._columns = 1
        self._rows = 1
        self._decorations: Decorations | None = None
        self._outlines: QImage | None = None
        self._outlined: tuple[object, ...] = ()
        self.setAccessibleName("Page activity of the whole region")

    def set_decorations(self, decorations: Decorations) -> None:
        """Outline these ranges."""
        self._decorations = decorations
        decorations.changed.connect(self.update)

    def _outline_picture(self, activity: Activity) -> QImage | None:
        """The outlines, drawn anew when they or the map's layout changed; None without any."""
        if self._decorations is None or not len(self._decorations):
            return None
        ratio = self.devicePixelRatioF()
        width, height = (max(1, round(part * ratio)) for part in (self.width(), self.height()))
        count, size = len(activity.rate), activity.cell_bytes
        shape = MapShape(count, size, self._columns, self._rows, width, height)
        key = (self._decorations.version, shape)
        if key != self._outlined:
            self._outlined = key
            line = max(1, round(ratio))
            tints = map_outlines(self._decorations, shape, _LEAST * line, line)
            # A heat map's ground is dark in both themes.
            self._outlines = to_image(tint_colors(DARK, DARK.ground)[tints])
        return self._outlines

    def show_activity(self, activity: Activity) -> None:
        """Another picture."""
        self.activity = activity
        count = len(activity.rate)
        ratio = self.width() / max(1, self.height())
        # Cells about square on the screen; a grid in address order, left to right, top to bottom.
        self._columns = max(1, min(count, round((count * ratio) ** 0.5)))
        self._rows = -(-count // self._columns)
        cells = np.zeros(self._rows * self._columns, np.uint8)
        cells[:count] = heat_index(activity.rate)
        self.image = _image(cells.reshape(self._rows, self._columns))
        self.update()

    def cell_at(self, place: QPointF) -> int:
        if self.activity is None or not self.rect().contains(place.toPoint()):
            return -1
        column = int(place.x() * self._columns / self.width())
        row = int(place.y() * self._rows / self.height())
        cell = row * self._columns + column
        return cell if cell < len(self.activity.rate) else -1

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.activity is None:
            return
        painter = QPainter(self)
        if self.width() / self._columns >= 6:
            painter.setPen(QPen(self.theme.color("grid"), 1))
            for column in range(1, self._columns):
                x = round(column * self.width() / self._columns)
                painter.drawLine(x, 0, x, self.height())
            for row in range(1, self._rows):
                y = round(row * self.height() / self._rows)
                painter.drawLine(0, y, self.width(), y)
        outlines = self._outline_picture(self.activity)
        if outlines is not None:
            painter.drawImage(QRectF(self.rect()), outlines)


class Waterfall(_Map):
    """Addresses left to right, time top (now) to bottom (the past)."""

    _COLUMNS: Final = 256

    def __init__(self) -> None:
        super().__init__()
        self._rows = np.zeros((WATER_ROWS, self._COLUMNS), np.uint8)
        self._count = 0
        self.setAccessibleName("Page activity over time")

    def add_row(self, activity: Activity) -> None:
        """The present becomes the first row."""
        self.activity = activity
        row = heat_index(fold(activity.rate, self._COLUMNS))
        at = np.arange(self._COLUMNS) * len(row) // self._COLUMNS
        self._rows[self._count % WATER_ROWS] = row[at]
        self._count += 1

    def redraw(self, rows: int) -> None:
        """Show the newest `rows`."""
        rows = min(rows, WATER_ROWS)
        newest = (self._count - 1 - np.arange(rows)) % WATER_ROWS
        picture = self._rows[newest].copy()
        picture[self._count :] = 0
        self.image = _image(picture)
        self.update()

    def clear(self) -> None:
        """Forget the past."""
        self._count = 0
        self._rows[:] = 0

    def cell_at(self, place: QPointF) -> int:
        if self.activity is None or not self.rect().contains(place.toPoint()):
            return -1
        return int(place.x() * len(self.activity.rate) / self.width())


class Scale(QWidget):
    """The colours of the maps with their rates: changes per second and page."""

    def __init__(self) -> None:
        super().__init__()
        self.theme = DARK
        self.setFixedHeight(26)
        self.setMinimumWidth(220)
        self.setToolTip("Colour scale: changes seen per second of the busiest page in a cell")

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        ramp = _image(np.arange(256, dtype=np.uint8)[None, :])
        painter.drawImage(QRectF(0, 0, self.width(), 8), ramp)
        painter.setPen(self.theme.color("quiet"))
        font = painter.font()
        font.setPointSizeF(font.pointSizeF() - 1)
        painter.setFont(font)
        low, high = np.log10(0.05), np.log10(TOP_RATE)
        for rate, text in ((0.1, "0.1"), (1, "1"), (10, "10"), (100, "100"), (1000, "1000/s")):
            x = (np.log10(rate) - low) / (high - low) * self.width()
            painter.drawLine(int(x), 8, int(x), 11)
            shift = painter.fontMetrics().horizontalAdvance(text.split("/")[0]) // 2
            right = self.width() - painter.fontMetrics().horizontalAdvance(text)
            painter.drawText(max(0, min(int(x) - shift, right)), 22, text)
