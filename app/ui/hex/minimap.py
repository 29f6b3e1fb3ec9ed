"""The whole region in a strip: where it changes, what is allocated, what the view shows."""

from __future__ import annotations

from time import monotonic_ns
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QHelpEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ...core.values.units import format_age, format_offset, format_size
from ...core.watch.frame import F32, Activity, Frame
from ..style.heat_colors import heat_index, heat_table
from ..style.outside_text import tip
from ..style.theme import DARK, Theme
from . import tooltip
from .decorations.decorations import Decoration, Decorations
from .decorations.overview import tint_colors, tint_strip, to_image
from .page_rate import rate_text, undersampled_text

_REPAINT_MS: Final = 100
_WIDTH: Final = 28
_INSET: Final = 4
_LEAST: Final = 4
_MOST_BITS: Final = 8.0  # of a byte
_KINDS: Final = (
    (0.5, "nearly all bytes the same"),
    (3.5, "few values, or much of one"),
    (5.5, "text, numbers or code"),
    (7.2, "dense: code, pictures or sound"),
    (8.1, "compressed, encrypted or noise"),
)

Pixels = npt.NDArray[np.uint32]


def strip(activity: Activity, rows: int, theme: Theme, least: int = 1) -> Pixels:
    """One pixel per row: heat where something changes, ground where nothing ever was.

    What changes takes `least` rows at least.
    """
    rows = max(1, rows)
    edges = np.arange(rows, dtype=np.int64) * len(activity.rate) // rows
    rate = np.maximum.reduceat(activity.rate, edges)
    there = np.logical_or.reduceat(activity.allocated, edges)
    cell_rows = max(1, rows // len(activity.rate))
    index = _spread(heat_index(rate), least - cell_rows + 1)
    table = heat_table().astype(np.uint32)
    hot = np.uint32(0xFF000000) | table[:, 0] << 16 | table[:, 1] << 8 | table[:, 2]
    quiet = np.uint32(theme.color("hover").rgba())
    absent = np.uint32(theme.color("ground").rgba())
    pixels: Pixels = np.where(index > 0, hot[index], np.where(there, quiet, absent))
    return pixels.astype(np.uint32)


def _spread(index: npt.NDArray[np.uint8], rows: int) -> npt.NDArray[np.uint8]:
    """What is hot reaches over quiet neighbours, `rows` in all."""
    if rows < 2 or not index.any():
        return index
    before = (rows - 1) // 2
    padded = np.pad(index, (rows - 1 - before, before))
    windows = np.lib.stride_tricks.sliding_window_view(padded, rows)
    spread: npt.NDArray[np.uint8] = np.where(index, index, windows.max(axis=1))
    return spread


def entropy_strip(entropy: F32, rows: int, theme: Theme) -> Pixels:
    """One pixel per row: dark where all bytes are the same, bright where any is as likely."""
    at = np.arange(max(1, rows), dtype=np.int64) * len(entropy) // max(1, rows)
    bits = entropy[at]
    table = heat_table().astype(np.uint32)
    colors = np.uint32(0xFF000000) | table[:, 0] << 16 | table[:, 1] << 8 | table[:, 2]
    index = np.clip(np.nan_to_num(bits) / _MOST_BITS * 255, 0, 255).astype(np.uint8)
    absent = np.uint32(theme.color("ground").rgba())
    pixels: Pixels = np.where(np.isnan(bits), absent, colors[index]).astype(np.uint32)
    return pixels


class Minimap(QWidget):
    """A strip beside the hex view. Decorations are marked at its left edge, beside the heat.

    By choice it shows entropy in place of the heat of changes.

    Signals:
        goto_wanted(int): A place was clicked.
        scrub_wanted(int): The mouse was dragged on to there.
    """

    goto_wanted = Signal(object)
    scrub_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._size = 0
        self._view = (0, 0)
        self._cursor = 0
        self._activity: Activity | None = None
        self._entropy: F32 | None = None
        self._image: QImage | None = None
        self._decorations: Decorations | None = None
        self._marks: QImage | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_REPAINT_MS)
        self._soon.timeout.connect(self.update)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Minimap of the region")

    def sizeHint(self) -> QSize:
        """Narrow."""
        return QSize(_WIDTH, 100)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        self._image = self._marks = None
        self.update()

    def set_decorations(self, decorations: Decorations) -> None:
        """Mark these ranges."""
        self._decorations = decorations
        decorations.changed.connect(self._decorated)
        self._decorated()

    def _decorated(self) -> None:
        self._marks = None
        self._later()

    def set_region(self, size: int) -> None:
        """Another region; 0 is none."""
        self._size = size
        self._activity = self._entropy = self._image = self._marks = None
        self.update()

    def set_frame(self, frame: Frame) -> None:
        """Take the activity of this Frame."""
        if self._activity is None or frame.activity.number != self._activity.number:
            self._activity = frame.activity
            if self._entropy is None:
                self._image = None
                self._later()

    def set_entropy(self, entropy: F32 | None) -> None:
        """Show this entropy of equal parts, in bits per byte; None shows changes again."""
        self._entropy, self._image = entropy, None
        self._later()

    def set_view(self, start: int, length: int) -> None:
        """What the hex view shows."""
        self._view = (start, length)
        self._later()

    def set_cursor(self, offset: int) -> None:
        """Where the cursor is."""
        self._cursor = offset
        self._later()

    def _later(self) -> None:
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    # --- where --------------------------------------------------------------------------------

    def offset_at(self, y: float) -> int:
        """The offset at a height."""
        share = min(max(0.0, y / max(1, self.height())), 1.0)
        return min(int(share * self._size), max(0, self._size - 1))

    def y_of(self, offset: int) -> float:
        """The height of an offset."""
        return offset / self._size * self.height() if self._size else 0.0

    def view_mark(self) -> QRectF:
        """The frame around what the view shows, never too thin to be seen."""
        start, length = self._view
        top, bottom = self.y_of(start), self.y_of(start + length)
        if bottom - top < _LEAST:
            top = min(max(0.0, (top + bottom - _LEAST) / 2), max(0.0, self.height() - _LEAST))
            bottom = top + _LEAST
        return QRectF(0.5, top, self.width() - 1, bottom - top)

    # --- painting -----------------------------------------------------------------------------

    def _picture(self) -> QImage | None:
        rows = max(1, round(self.height() * self.devicePixelRatioF()))
        if self._activity is not None and (self._image is None or self._image.height() != rows):
            least = round(_LEAST * self.devicePixelRatioF())
            if self._entropy is not None:
                pixels = entropy_strip(self._entropy, rows, self._theme)
            else:
                pixels = np.ascontiguousarray(strip(self._activity, rows, self._theme, least))
            self._image = QImage(pixels.data, 1, rows, 4, QImage.Format.Format_RGB32).copy()
        return self._image

    def _mark_picture(self) -> QImage | None:
        """The decorations as a column of one pixel; None while there are none."""
        if self._decorations is None or not len(self._decorations):
            return None
        rows = max(1, round(self.height() * self.devicePixelRatioF()))
        if self._marks is None or self._marks.height() != rows:
            least = round(_LEAST * self.devicePixelRatioF())
            tints = tint_strip(self._decorations, self._size, rows, least)
            colors = tint_colors(self._theme, self._theme.panel)
            self._marks = to_image(colors[tints][:, np.newaxis])
        return self._marks

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Heat, then decorations, then the view's frame, then the cursor."""
        painter = QPainter(self)
        theme = self._theme
        painter.fillRect(self.rect(), theme.color("panel"))
        if not self._size:
            return
        image = self._picture()
        place = QRectF(_INSET, 0, self.width() - 2 * _INSET, self.height())
        if image is not None:
            painter.drawImage(place, image, QRectF(image.rect()))
        marks = self._mark_picture()
        if marks is not None:
            painter.drawImage(QRectF(0, 0, _INSET, self.height()), marks, QRectF(marks.rect()))
        if self._view[1]:
            mark = self.view_mark()
            painter.fillRect(mark, theme.color("text", 40))
            painter.setPen(theme.color("text"))
            painter.drawRect(mark)
        y = min(self.y_of(self._cursor), self.height() - 2.0)
        painter.fillRect(QRectF(0, y, _INSET, 2), theme.color("mine"))
        painter.fillRect(QRectF(self.width() - _INSET, y, _INSET, 2), theme.color("mine"))

    # --- events -------------------------------------------------------------------------------

    def resizeEvent(self, _event: QResizeEvent) -> None:
        """The picture has as many rows as the strip."""
        self._image = self._marks = None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go there."""
        if event.button() is Qt.MouseButton.LeftButton and self._size:
            self.goto_wanted.emit(self.offset_at(event.position().y()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go along."""
        if event.buttons() & Qt.MouseButton.LeftButton and self._size:
            self.scrub_wanted.emit(self.offset_at(event.position().y()))

    def event(self, event: QEvent) -> bool:
        """Tool tips are made when they are asked for."""
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), tip(self.tip_at(QPointF(event.pos()))), self)
            return True
        return super().event(event)

    def tip_at(self, place: QPointF) -> str:
        """Offset, rate and age of the place under the mouse."""
        if not self._size:
            return ""
        offset = self.offset_at(place.y())
        lines = [f"{format_offset(offset)}  ({offset})"]
        activity = self._activity
        if self._entropy is not None:
            lines.append(entropy_text(self._entropy, offset, self._size))
        if activity is not None:
            cell = min(offset // activity.cell_bytes, len(activity.rate) - 1)
            lines += _about(activity, cell)
        ranges = self._ranges_at(place.y())
        if ranges:
            lines += ["", tooltip.ranges_text(ranges)]
        return "\n".join(lines)

    def _ranges_at(self, y: float) -> list[Decoration]:
        """The decorations that may be marked at a height, the topmost first."""
        if self._decorations is None:
            return []
        low, high = self.offset_at(y - _LEAST / 2), self.offset_at(y + _LEAST / 2)
        return self._decorations.touching(low, high - low + 1)[::-1]


def entropy_text(entropy: F32, offset: int, size: int) -> str:
    """`entropy 7.9 of 8 bits: compressed, encrypted or noise`."""
    bits = float(entropy[min(offset * len(entropy) // size, len(entropy) - 1)])
    if np.isnan(bits):
        return "entropy: nothing was ever written"
    words = next(words for most, words in _KINDS if bits <= most)
    return f"entropy {bits:.1f} of 8 bits: {words}"


def _about(activity: Activity, cell: int) -> list[str]:
    if not activity.allocated[cell]:
        return [f"{format_size(activity.cell_bytes)}: never written"]
    if not activity.seen_ns[cell]:
        return ["not looked at yet"]
    now = monotonic_ns()
    changed = int(activity.changed_ns[cell])
    last = f"last change {format_age(now - changed)} ago" if changed else "not seen to change"
    looked = format_age(now - int(activity.seen_ns[cell]))
    why = undersampled_text(activity, cell)
    lines = [f"busiest page: {rate_text(activity, cell)}, {last}", f"oldest look {looked} ago"]
    return [*lines, why] if why else lines
