"""Line icons at 16 px, drawn by us as small SVG paths and tinted by the theme."""

from __future__ import annotations

from functools import cache
from typing import Final

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from .theme import Theme

# Paths on a 16 x 16 grid, 1.4 px strokes with round ends.
_PATHS: Final[dict[str, str]] = {
    "pause": "M5 3v10M11 3v10",
    "play": "M4.5 3l8 5-8 5z",
    "step": "M4 3l6 5-6 5zM12.5 3v10",
    "lock": "M3.5 7.5h9v6h-9zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
    "unlock": "M3.5 7.5h9v6h-9zM5.5 7.5V5a2.5 2.5 0 0 1 4.9-.7",
    "undo": "M6 3L3 6l3 3M3 6h6a4 4 0 0 1 0 8H6",
    "redo": "M10 3l3 3-3 3M13 6H7a4 4 0 0 0 0 8h3",
    "goto": "M2 8h9M8 4.5L11.5 8 8 11.5M14 3v10",
    "theme": "M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11",
    "refresh": "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3",
    "menu": "M3 4h10M3 8h10M3 12h10",
    "search": "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.4 10.4L13.5 13.5",
    "open": "M2 12.5v-9h4l1.5 2H14v7z",
    "close": "M4 4l8 8M12 4l-8 8",
    "devices": "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.5M5 11h.5",
    "hex": "M3 3.5h3v3.5H3zM10 3.5h3v3.5h-3zM3 9.5h3V13H3zM10 9.5h3V13h-3z",
    "inspector": "M2.5 4h3M2.5 8h3M2.5 12h3M8 4h5.5M8 8h5.5M8 12h5.5",
    "activity": "M2 9h3l2-5.5 3 9L12 9h2",
    "write": "M3 13l.7-3 7-7 2.3 2.3-7 7zM9 4.7L11.3 7",
    "journal": "M3.5 2.5h9v11h-9zM6 6h4M6 8.5h4M6 11h2.5",
    "bookmark": "M4.5 2.5h7v11L8 10.5l-3.5 3z",
    "measure": "M2.5 12a5.5 5.5 0 1 1 11 0M8 12l3-4.5",
    "guide": "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 7.5V11M8 5v.2",
    "copy": "M5.5 5.5h7v8h-7zM3.5 10.5v-8h7",
    "save": "M3 3h8l2 2v8H3zM5.5 3v3.5h4V3M5.5 13v-4h5v4",
}
_SVG: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="{path}" fill="none" '
    'stroke="{color}" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round"/></svg>'
)


def _pixmap(name: str, color: str, size: int) -> QPixmap:
    svg = _SVG.format(path=_PATHS[name], color=color)
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap


@cache
def _icon(name: str, color: str, quiet: str) -> QIcon:
    made = QIcon()
    for size in (16, 24, 32, 48):
        made.addPixmap(_pixmap(name, color, size), QIcon.Mode.Normal)
        made.addPixmap(_pixmap(name, quiet, size), QIcon.Mode.Disabled)
    return made


def icon(name: str, theme: Theme, role: str = "text") -> QIcon:
    """An icon of the set, in a colour of the theme. Raises KeyError for an unknown name."""
    return _icon(name, getattr(theme, role), theme.quiet)


def names() -> tuple[str, ...]:
    """All icons of the set."""
    return tuple(_PATHS)
