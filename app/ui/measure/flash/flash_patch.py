"""The patch that flashes: bright or dark by the flash's number, with what a camera can read on it.

It answers after painting: the paint event notes what was drawn, and a later event, when the image
was passed to the window system, takes the time. The display's own delay after that cannot be
measured by the program; a camera can.
"""

from __future__ import annotations

from time import monotonic_ns
from typing import Final

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ....core.measure.flash.flash import BARS, Flip, Painted, bars
from ...style.theme import PAD, mono_font

DARK: Final = QColor("#000000")
BRIGHT: Final = QColor("#FFFFFF")


class FlashPatch(QWidget):
    """Shows the newest flash.

    Signals:
        painted(Painted): A flash of the peer was painted.
        pressed(int, int): A key or click: the number shown (0 none yet), and the ns since it was
            painted.
    """

    painted = Signal(object)
    pressed = Signal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(160, 96)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Flash patch")
        self.flip: Flip | None = None
        self.hint = ""
        self._drawn = 0
        self._paints = 0
        self._painted_ns = 0

    def show_flip(self, flip: Flip) -> None:
        """Another flash; painted with the next paint event, as any view is."""
        self.flip = flip
        self.update()

    def clear(self, hint: str = "") -> None:
        """Nothing flashes; `hint` says what to do."""
        self.flip = None
        self.hint = hint
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw, and answer behind it."""
        flip = self.flip
        bright = flip is not None and bool(flip.number & 1)
        ground, ink = (BRIGHT, DARK) if bright else (DARK, BRIGHT)
        painter = QPainter(self)
        painter.fillRect(self.rect(), ground)
        painter.setPen(ink)
        if flip is None:
            painter.drawText(
                self.rect().adjusted(PAD, PAD, -PAD, -PAD),
                Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap,
                self.hint,
            )
        else:
            self._paints += 1
            self._draw_number(painter, flip, ink)
        painter.end()
        if flip is not None and flip.number != self._drawn:
            self._drawn = flip.number
            QTimer.singleShot(0, self, self._handed_over)

    def _draw_number(self, painter: QPainter, flip: Flip, ink: QColor) -> None:
        bar_height = max(16, self.height() // 4)
        strip = QRect(0, self.height() - bar_height, self.width(), bar_height)
        each = strip.width() / BARS
        for index, on in enumerate(bars(flip.number)):
            left, right = round(index * each), round((index + 1) * each)
            bar = QRect(strip.left() + left + 1, strip.top(), right - left - 2, strip.height() - 2)
            if on:
                painter.fillRect(bar, ink)
            else:
                painter.drawRect(bar.adjusted(0, 0, -1, -1))
        font = QFont(mono_font())
        font.setPixelSize(max(14, min(self.width() // 5, (self.height() - bar_height) // 2)))
        painter.setFont(font)
        area = self.rect().adjusted(0, 0, 0, -bar_height)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, f"{flip.number % 100_000:05d}")
        small = mono_font()
        painter.setFont(small)
        who = "stored here" if flip.ours else "seen here"
        painter.drawText(PAD, PAD + painter.fontMetrics().ascent(), f"{who} · paint {self._paints}")

    def _handed_over(self) -> None:
        flip = self.flip
        self._painted_ns = monotonic_ns()
        if flip is not None and flip.number == self._drawn and not flip.ours:
            self.painted.emit(
                Painted(flip.number, self._painted_ns, 0, self._paints, self._period_ns())
            )

    def _period_ns(self) -> int:
        rate = self.screen().refreshRate()
        return round(1e9 / rate) if rate > 0 else 0

    def _press(self) -> None:
        number = self.flip.number if self.flip is not None else 0
        since = monotonic_ns() - self._painted_ns if self._painted_ns else 0
        self.pressed.emit(number, since)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click counts as a key."""
        self.setFocus()
        self._press()
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space and Enter answer a flash; other keys work as usual."""
        keys = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.key() in keys and not event.isAutoRepeat():
            self._press()
        else:
            super().keyPressEvent(event)
