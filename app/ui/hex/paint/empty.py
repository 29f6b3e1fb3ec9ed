"""What the hex view says while it has nothing to show."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter

from ...style.theme import UNIT, Theme

HEAD: Final = "No region is open"
WAYS: Final = (
    "Choose one in the device list,",
    "open a file as shared memory (Ctrl+O), or drop it here.",
    "The demo is a live region with a peer that plays.",
)


def paint(painter: QPainter, place: QRect, theme: Theme) -> None:
    """A head and the ways on, in the middle."""
    painter.fillRect(place, theme.color("ground"))
    line = painter.fontMetrics().height() + UNIT
    top = place.center().y() - (len(WAYS) + 2) * line // 2
    painter.setPen(theme.color("text"))
    centre = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
    painter.drawText(QRect(place.left(), top, place.width(), line), centre, HEAD)
    painter.setPen(theme.color("quiet"))
    for number, text in enumerate(WAYS, 1):
        row = QRect(place.left(), top + number * line + 2 * UNIT, place.width(), line)
        painter.drawText(row, centre, text)
