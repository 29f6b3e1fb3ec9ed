"""What must be drawn again: rows as runs, and rectangles in logical and device pixels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from PySide6.QtCore import QRect
from PySide6.QtGui import QRegion

from .surface import to_device


def rects(region: QRegion) -> list[QRect]:
    """The rectangles of a region."""
    return list(cast("Iterable[QRect]", region))  # the stubs do not know that it is iterable


def device(place: QRect, ratio: float) -> QRect:
    """The device pixels of a rectangle, one more at each side."""
    left, top = to_device(place.left(), ratio) - 1, to_device(place.top(), ratio) - 1
    right = to_device(place.right() + 1, ratio) + 2
    bottom = to_device(place.bottom() + 1, ratio) + 2
    return QRect(max(0, left), max(0, top), right - max(0, left), bottom - max(0, top))


def runs(rows: list[int]) -> Iterator[tuple[int, int]]:
    """Sorted rows as first and count of each gapless run."""
    at = 0
    while at < len(rows):
        end = at + 1
        while end < len(rows) and rows[end] == rows[end - 1] + 1:
            end += 1
        yield rows[at], end - at
        at = end
