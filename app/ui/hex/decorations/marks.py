"""Marks of decorations around the glyphs: lines along a range, bars at its ends.

As part of the glyph blocks they would need many times as many, which the cache could not hold.
Lines lie in the outermost lines of a row, which no glyph inks: they are painted when decorations
or the selection change, and not with every value. Bars are drawn over the glyphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ..paint import styles
from ..paint.cell_states import Codes
from ..paint.glyph_atlas import Indices, Pixels, packed
from ..paint.styles import CellLook, Looks
from .decorations import Mark

Rows = npt.NDArray[np.int64]

_FOOT: Final = 3  # strokes that a bar's feet are long
_RELEVANT: Final = styles.GROUND | styles.BAR_LEFT | styles.BAR_RIGHT
NO_BYTE: Final = ~(styles.STATE << 8 | 0xFF | styles.PAGES)
"""What of a code is not of the byte itself: selection, tint and marks."""
ABOVE: Final = Mark.ABOVE * styles.LINES
BELOW: Final = Mark.BELOW * styles.LINES
DOTS: Final = Mark.DOTS * styles.LINES


class Marks:
    """The marks of one pane.

    Args:
        row: Pixels of a row that is being composed: its cells without gaps and outermost lines.
        width: Pixels of a cell.
        stroke: Thickness of lines and bars.
        slots: Rows of the image.
    """

    def __init__(self, row: Pixels, width: int, stroke: int, slots: int) -> None:
        self._row: Pixels = row.reshape(-1)
        self._width, self._stroke = width, stroke
        height, row_width = row.shape
        down = np.arange(height)[:, np.newaxis] * row_width
        at_left = (down + np.arange(stroke)).ravel()
        self._in_row = (
            (styles.BAR_LEFT, at_left),
            (styles.BAR_RIGHT, at_left + width - stroke),
        )
        self._looks: Sequence[CellLook] = ()
        self._dots = np.arange(width) // (2 * stroke) % 2 == 0
        self._grounds = np.zeros(styles.COUNT, np.uint32)  # by style; 0 is not known yet
        self._colors = np.zeros(styles.COUNT, np.uint32)
        self._known: Codes = np.zeros((slots, row_width // width), np.int32)
        self._kept: list[tuple[Rows, Pixels] | None] = [None] * slots

    def set_looks(self, looks: Looks) -> None:
        """Take other colours."""
        self._looks = looks
        self._colors.fill(0)
        self._known.fill(0)
        self._kept = [None] * len(self._kept)

    def _style_of(self, codes: Indices) -> Indices:
        """The style of the grounds that cells are on, whose colours are then known."""
        style: Indices = (codes & styles.GROUND) >> 8
        if not self._colors[style].all():
            for number in np.unique(style).tolist():
                self._grounds[number] = packed(self._looks[number].ground)
                self._colors[number] = packed(self._looks[number].mark)
        return style

    def outer_lines(self, codes: Indices) -> Pixels:
        """The outermost lines of cells: (cells, upper and lower, width)."""
        style = self._style_of(codes)
        grounds, colors = self._grounds[style], self._colors[style][:, np.newaxis, np.newaxis]
        lines: Pixels = np.empty((len(codes), 2, self._width), np.uint32)
        lines[:] = grounds[:, np.newaxis, np.newaxis]
        foot = min(_FOOT * self._stroke, self._width)
        both = slice(0, 2)
        for bit, edges, part in (
            (ABOVE, slice(0, 1), slice(None)),
            (BELOW, slice(1, 2), slice(None)),
            (styles.BAR_LEFT, both, slice(0, foot)),
            (styles.BAR_RIGHT, both, slice(self._width - foot, None)),
        ):
            here = np.flatnonzero(codes & bit)
            if len(here):
                lines[here, edges, part] = colors[here]
        here = np.flatnonzero(codes & DOTS)
        if len(here):
            lines[here, 1] = np.where(self._dots, colors[here, 0], lines[here, 1])
        return lines

    def draw(self, cells: Pixels, codes: Indices) -> None:
        """Draw bars over copies of cells: (cells, height, width)."""
        for bit, part in (
            (styles.BAR_LEFT, slice(0, self._stroke)),
            (styles.BAR_RIGHT, slice(self._width - self._stroke, None)),
        ):
            here = np.flatnonzero(codes & bit)
            if len(here):
                colors = self._colors[self._style_of(codes[here])]
                cells[here, :, part] = colors[:, np.newaxis, np.newaxis]

    def prepare(self, slots: Rows, codes: Codes) -> None:
        """Find the pixels of the bars of those rows whose decorations have changed."""
        relevant = codes & _RELEVANT
        relevant[relevant < styles.BAR_LEFT] = 0
        stale = np.flatnonzero((relevant != self._known[slots]).any(axis=1))
        self._known[slots[stale]] = relevant[stale]
        for at, slot in zip(stale.tolist(), slots[stale].tolist(), strict=True):
            self._kept[slot] = self._find(relevant[at])

    def _find(self, codes: Indices) -> tuple[Rows, Pixels] | None:
        places: list[Rows] = []
        inks: list[Pixels] = []
        for bit, shape in self._in_row:
            columns = np.flatnonzero(codes & bit)
            if len(columns):
                places.append((columns[:, np.newaxis] * self._width + shape).ravel())
                inks.append(np.repeat(self._colors[self._style_of(codes[columns])], len(shape)))
        return (np.concatenate(places), np.concatenate(inks)) if places else None

    def compose(self, slot: int) -> None:
        """Draw the bars of a prepared row over its cells."""
        kept = self._kept[slot]
        if kept is not None:
            self._row[kept[0]] = kept[1]
