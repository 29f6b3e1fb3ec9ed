"""Where the graphs and maps of the Activity panel stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QGridLayout, QWidget


@dataclass(frozen=True, slots=True)
class Shape:
    """One arrangement; what has no place in it is hidden.

    Attributes:
        places: Row, column, rows, columns of each part; in the row is its head, below it the part.
        columns: How much of the width each column gets.
        rows: How much of the height the upper and the lower parts get.
        strip: Whether buttons and scale stand at the right of the parts, else below them.
    """

    places: Mapping[str, tuple[int, int, int, int]]
    columns: tuple[int, ...]
    rows: tuple[int, int] = (1, 1)
    strip: bool = False


WIDE: Final = Shape(
    {
        "changes": (0, 0, 3, 1),
        "own": (0, 1, 1, 1),
        "cost": (2, 1, 1, 1),
        "heat": (0, 2, 3, 1),
        "water": (0, 3, 3, 1),
    },
    columns=(5, 4, 4, 4),
)
TALL: Final = Shape(
    {
        "changes": (0, 0, 1, 2),
        "own": (2, 0, 1, 1),
        "cost": (2, 1, 1, 1),
        "heat": (0, 2, 1, 1),
        "water": (2, 2, 1, 1),
    },
    columns=(3, 3, 5),
    rows=(3, 2),
)
LOW: Final = Shape(
    {
        "changes": (0, 0, 1, 1),
        "own": (0, 1, 1, 1),
        "cost": (0, 2, 1, 1),
        "heat": (0, 3, 1, 1),
        "water": (0, 4, 1, 1),
    },
    columns=(5, 4, 4, 4, 4),
    rows=(1, 0),
    strip=True,
)
SMALL: Final = Shape(
    {"changes": (0, 0, 1, 1), "heat": (0, 1, 1, 1), "water": (0, 2, 1, 1)},
    columns=(1, 1, 1),
    rows=(1, 0),
    strip=True,
)
_TALL_FROM: Final = 340  # pixels of height
_LOW_FROM: Final = 1150  # pixels of width
_MOST_COLUMNS: Final = 5


def shape_for(size: QSize, least_wide: int) -> Shape:
    """What fits a panel of this size; `least_wide` is the height that WIDE takes at least."""
    if size.height() < least_wide:
        return LOW if size.width() >= _LOW_FROM else SMALL
    return TALL if size.height() >= max(_TALL_FROM, least_wide) else WIDE


def arrange(
    grid: QGridLayout, heads: Mapping[str, QWidget], parts: Mapping[str, QWidget], shape: Shape
) -> None:
    """Put the parts where they stand in this shape, each below its head.

    The grid belongs to a widget already, which the parts become children of.
    """
    for name, head in heads.items():
        for part in (head, parts[name]):
            grid.removeWidget(part)
            part.hide()
    for name, (row, column, high, wide) in shape.places.items():
        grid.addWidget(heads[name], row, column, 1, wide)
        grid.addWidget(parts[name], row + 1, column, high, wide)
        heads[name].show()
        parts[name].show()
    for column in range(_MOST_COLUMNS):
        stretch = shape.columns[column] if column < len(shape.columns) else 0
        grid.setColumnStretch(column, stretch)
    for row, stretch in zip((1, 3), shape.rows, strict=True):
        grid.setRowStretch(row, stretch)
