"""Where a window may be: on a screen, all of it, and no smaller than it can be used."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtWidgets import QWidget

LEAST: Final = QSize(900, 600)
WANTED: Final = QSize(1280, 800)
_TITLE: Final = 32  # what a frame takes above, until the window system says so


def fitted(frame: QRect, room: QRect) -> QRect:
    """The frame, no larger than the room and inside of it.

    Args:
        frame: Where a window is, with its frame.
        room: What the screen has for windows.
    """
    size = frame.size().boundedTo(room.size())
    left = min(max(frame.left(), room.left()), room.right() + 1 - size.width())
    top = min(max(frame.top(), room.top()), room.bottom() + 1 - size.height())
    return QRect(QPoint(left, top), size)


def least_size(room: QSize) -> QSize:
    """The least size of a window; a screen that is smaller still has to hold it."""
    return LEAST.boundedTo(room)


def fit_to_screen(window: QWidget) -> None:
    """Bring a window onto its screen, and limit how small it can be made there."""
    room = window.screen().availableGeometry()
    around = _frame(window)
    inner = QSize(room.width() - around.width(), room.height() - around.height())
    window.setMinimumSize(least_size(inner))
    if window.isMaximized() or window.isFullScreen():
        return
    place = window.geometry()
    whole = QRect(
        place.topLeft() - _corner(window),
        QSize(place.width() + around.width(), place.height() + around.height()),
    )
    wanted = fitted(whole, room)
    if wanted != whole:
        inside = QSize(wanted.width() - around.width(), wanted.height() - around.height())
        window.setGeometry(QRect(wanted.topLeft() + _corner(window), inside))


def _frame(window: QWidget) -> QSize:
    """What the window system adds around a window."""
    if not window.isVisible():
        return QSize(0, _TITLE)
    return window.frameGeometry().size() - window.geometry().size()


def _corner(window: QWidget) -> QPoint:
    """From the frame's corner to the window's."""
    if not window.isVisible():
        return QPoint(0, _TITLE)
    return window.geometry().topLeft() - window.frameGeometry().topLeft()
