"""Where the graphs and maps of the Activity panel stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtWidgets import QGridLayout, QWidget

# Row, column, rows, columns of each part; the row of its head, below which it stands.
_WIDE: Final = {
    "changes": (0, 0, 3, 1),
    "own": (0, 1, 1, 1),
    "cost": (2, 1, 1, 1),
    "heat": (0, 2, 3, 1),
    "water": (0, 3, 3, 1),
}
_TALL: Final = {
    "changes": (0, 0, 1, 2),
    "own": (2, 0, 1, 1),
    "cost": (2, 1, 1, 1),
    "heat": (0, 2, 1, 1),
    "water": (2, 2, 1, 1),
}
TALL_FROM: Final = 340  # pixels


def arrange(
    grid: QGridLayout, heads: Mapping[str, QWidget], parts: Mapping[str, QWidget], *, tall: bool
) -> None:
    """Side by side, or above one another where there is the height (`tall`)."""
    places, columns, rows = (_TALL, (3, 3, 5), (3, 2)) if tall else (_WIDE, (5, 4, 4, 4), (1, 1))
    for name, (row, column, high, wide) in places.items():
        for part in (heads[name], parts[name]):
            grid.removeWidget(part)
        grid.addWidget(heads[name], row, column, 1, wide)
        grid.addWidget(parts[name], row + 1, column, high, wide)
    for column in range(4):
        grid.setColumnStretch(column, columns[column] if column < len(columns) else 0)
    for row, stretch in zip((1, 3), rows, strict=True):
        grid.setRowStretch(row, stretch)
