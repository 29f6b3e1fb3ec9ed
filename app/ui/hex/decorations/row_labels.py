"""Labels of decorations, at the right end of the row in which each begins, where there is room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor, QPainter

from ...style.theme import Theme
from ..paint import styles
from ..paint.geometry import Grid
from ..paint.overlay import Sheet
from .decorations import Decorations

_LEAST_CHARS: Final = 8
_MOST_PER_ROW: Final = 8
_FROM_ABOVE: Final = "↑ "


@dataclass(frozen=True, slots=True)
class RowLabel:
    """One label: its range's tint, and text."""

    tint: int
    text: str


Labels = dict[int, tuple[RowLabel, ...]]


def row_labels(
    decorations: Decorations, grid: Grid, first_row: int, rows: int, whole_row: int
) -> Labels:
    """By row: what begins there, by place; in one row also what reaches in from above.

    Args:
        decorations: What is shown.
        grid: The layout.
        first_row: First of the visible rows.
        rows: How many are visible.
        whole_row: The first that is wholly visible.
    """
    start, length = grid.span(first_row, rows)
    found: dict[int, list[tuple[int, int, RowLabel]]] = {}
    for item in decorations.touching(start, length):
        above = item.start < start
        if item.label and not (above and grid.row_of(item.end - 1) < whole_row):
            row = whole_row if above else grid.row_of(item.start)
            text = _FROM_ABOVE + item.label if above else item.label
            here = found.setdefault(row, [])
            here.append((item.start, -item.length, RowLabel(item.tint, text)))
    return {
        row: tuple(label for _, _, label in sorted(labels, key=lambda one: one[:2])[:_MOST_PER_ROW])
        for row, labels in found.items()
    }


class LabelColumn:
    """The labels that are on the screen."""

    def __init__(self, decorations: Decorations) -> None:
        self._decorations = decorations
        self._key: tuple[object, ...] = ()
        self.labels: Labels = {}

    def refresh(self, sheet: Sheet, whole_row: int, width: int) -> set[int]:
        """Take what the ranges are now; says in which rows the labels differ.

        Args:
            sheet: The visible rows.
            whole_row: The first that is wholly visible.
            width: Free pixels beside them.
        """
        roomy = width >= _LEAST_CHARS * sheet.grid.char
        key = (self._decorations.version, sheet.grid, sheet.first_row, sheet.rows, whole_row, roomy)
        if key == self._key:
            return set()
        self._key = key
        before, self.labels = self.labels, {}
        if roomy and len(self._decorations):
            self.labels = row_labels(
                self._decorations, sheet.grid, sheet.first_row, sheet.rows, whole_row
            )
        rows = before.keys() | self.labels.keys()
        return {row for row in rows if before.get(row) != self.labels.get(row)}

    def draw(self, painter: QPainter, sheet: Sheet, theme: Theme, area: QRect) -> None:
        """Draw them into the free area beside the rows."""
        if not self.labels:
            return
        painter.setFont(sheet.type.font)
        ground = styles.rgb(theme.ground)
        for row, labels in self.labels.items():
            place = QRect(area.left(), sheet.y(row), area.width(), sheet.grid.height)
            if area.intersects(place):
                self._draw_row(painter, sheet, theme, place, labels, ground)

    def _draw_row(
        self,
        painter: QPainter,
        sheet: Sheet,
        theme: Theme,
        place: QRect,
        labels: tuple[RowLabel, ...],
        ground: styles.Rgb,
    ) -> None:
        char, stroke = sheet.grid.char, sheet.type.stroke
        x = place.left()
        for label in labels:
            room = (place.right() + 1 - x) // char - 1
            if room < 3:
                break
            text = label.text if len(label.text) <= room else label.text[: room - 1] + "…"
            color = QColor(*styles.mark_color(theme, label.tint, ground))
            bar = QRect(x, place.top() + 3 * stroke, 2 * stroke, place.height() - 6 * stroke)
            painter.fillRect(bar, color)
            painter.setPen(theme.color("quiet"))
            painter.drawText(QPoint(x + char, place.top() + sheet.type.baseline), text)
            x += (len(text) + 3) * char
