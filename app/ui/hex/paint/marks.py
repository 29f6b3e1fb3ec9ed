"""Lines along decorations and bars at their ends, drawn over finished cells.

As part of the glyph blocks they would need many times as many, which the cache could not hold.
There are few of them, and they seldom change: for each row of the ring it is kept which pixels
they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from . import styles
from .cell_states import Codes
from .decorations import Mark
from .glyph_atlas import Indices, Pixels, packed
from .styles import CellLook, Looks

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_FOOT: Final = 3  # strokes that a bar's feet are long
_RELEVANT: Final = ~0xFF & ~(styles.STATE << 8)  # neither value nor state matters to marks


def line_masks(height: int, width: int, stroke: int) -> list[tuple[int, Mask]]:
    """For each bit of a code that is a line, the pixels of a cell that it inks."""
    above, below, dots = (np.zeros((height, width), np.bool_) for _ in range(3))
    above[:stroke] = below[-stroke:] = True
    dots[-stroke:, np.arange(width) // (2 * stroke) % 2 == 0] = True
    lines = ((Mark.ABOVE, above), (Mark.BELOW, below), (Mark.DOTS, dots))
    return [(int(mark) * styles.LINES, mask) for mark, mask in lines]


def bar_masks(height: int, width: int, stroke: int) -> list[tuple[int, Mask]]:
    """The same for bars: brackets at the cell's left and right edge."""
    left = np.zeros((height, width), np.bool_)
    left[:, :stroke] = True
    left[:stroke, : _FOOT * stroke] = left[-stroke:, : _FOOT * stroke] = True
    return [(styles.BAR_LEFT, left), (styles.BAR_RIGHT, left[:, ::-1])]


class Marks:
    """The marks of one pane: over a row that is being composed, or over copies of single cells.

    Args:
        row: Pixels of the row that is being composed: its cells without gaps.
        width: Pixels of a cell.
        stroke: Thickness of lines.
        slots: Rows of the image.
    """

    def __init__(self, row: Pixels, width: int, stroke: int, slots: int) -> None:
        self._row: Pixels = row.reshape(-1)
        self._width = width
        height, row_width = row.shape
        masks = line_masks(height, width, stroke) + bar_masks(height, width, stroke)
        self._in_row = [(bit, _inked(mask, row_width)) for bit, mask in masks]
        self._in_cell = [(bit, _inked(mask, width)) for bit, mask in masks]
        self._cell_pixels = height * width
        self._looks: Sequence[CellLook] = ()
        self._colors = np.zeros(styles.COUNT, np.uint32)  # by style; 0 is not known yet
        self._known: Codes = np.zeros((slots, row_width // width), np.int32)
        self._kept: list[tuple[Rows, Pixels] | None] = [None] * slots

    def set_looks(self, looks: Looks) -> None:
        """Take other colours."""
        self._looks = looks
        self._colors.fill(0)
        self._known.fill(0)
        self._kept = [None] * len(self._kept)

    def _color_of(self, codes: Indices) -> Pixels:
        style = codes >> 8 & styles.COUNT - 1
        colors: Pixels = self._colors[style]
        if not colors.all():
            for number in np.unique(style[colors == 0]).tolist():
                self._colors[number] = packed(self._looks[number].mark)
            colors = self._colors[style]
        return colors

    def draw(self, cells: Pixels, numbers: Rows, codes: Indices) -> None:
        """Draw over some of the cells that lie one behind another.

        Args:
            cells: All of them.
            numbers: Those that have marks.
            codes: Of each number.
        """
        flat, colors = cells.reshape(-1), self._color_of(codes)
        for here, places in _places(self._in_cell, numbers * self._cell_pixels, codes):
            flat[places] = colors[here, np.newaxis]

    def prepare(self, slots: Rows, codes: Codes) -> None:
        """Find the pixels of whole rows, where they are others than before."""
        relevant = codes & _RELEVANT
        relevant[relevant < styles.LINES] = 0
        stale = np.flatnonzero((relevant != self._known[slots]).any(axis=1))
        if not len(stale):
            return
        self._known[slots[stale]] = relevant[stale]
        rows, columns = np.nonzero(relevant[stale])
        marked = relevant[stale][rows, columns]
        colors = self._color_of(marked)
        parts = _places(self._in_row, columns * self._width, marked)
        owner = np.concatenate(
            [np.zeros(0, np.int64), *(np.repeat(rows[h], p.shape[1]) for h, p in parts)]
        )
        order = np.argsort(owner.astype(np.int16), kind="stable")
        places = np.concatenate([np.zeros(0, np.int64), *(p.ravel() for _, p in parts)])[order]
        inks = np.concatenate(
            [np.zeros(0, np.uint32), *(np.repeat(colors[h], p.shape[1]) for h, p in parts)]
        )[order]
        edges = np.searchsorted(owner[order], np.arange(len(stale) + 1))
        for at, slot in enumerate(slots[stale].tolist()):
            low, high = int(edges[at]), int(edges[at + 1])
            self._kept[slot] = (places[low:high], inks[low:high]) if low < high else None

    def compose(self, slot: int) -> None:
        """Draw those of a prepared row over its cells."""
        kept = self._kept[slot]
        if kept is not None:
            self._row[kept[0]] = kept[1]


def _inked(mask: Mask, width: int) -> Rows:
    """The pixels of a mask, in an image of this width."""
    rows, columns = np.nonzero(mask)
    inked: Rows = rows * width + columns
    return inked


def _places(shapes: list[tuple[int, Rows]], at: Rows, codes: Indices) -> list[tuple[Rows, Rows]]:
    """For each kind of mark: which cells have it, and the pixels that it inks in each, as a table.

    Args:
        shapes: Bit of a code, and the pixels of a cell at 0 that it inks.
        at: Where each cell begins.
        codes: Of the cells.
    """
    found = []
    for bit, shape in shapes:
        here = np.flatnonzero(codes & bit)
        if len(here):
            found.append((here, at[here, np.newaxis] + shape))
    return found
