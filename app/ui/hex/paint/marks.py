"""Marks of decorations over finished cells: lines along a range, bars at its ends.

As part of the glyph blocks they would need many times as many, which the cache could not hold.
Lines are as wide as a cell and take the place of lines of its block; bars are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from . import styles
from .cell_states import Codes
from .decorations import Mark
from .glyph_atlas import DOTTED, SOLID, GlyphPool, Indices, Pixels, packed
from .styles import CellLook, Looks

Rows = npt.NDArray[np.int64]
_Box = tuple[slice, slice]

_FOOT: Final = 3  # strokes that a bar's feet are long
_RELEVANT: Final = styles.GROUND | styles.BAR_LEFT | styles.BAR_RIGHT
_GROUND_SHIFT: Final = 8 + styles.SELECTED.bit_length() - 1
_LINE_CODES: Final = np.array(
    [
        ground << _GROUND_SHIFT | styles.LINE << 8 | kind
        for kind in (SOLID, DOTTED)
        for ground in range(styles.COUNT // styles.SELECTED)
    ],
    np.int32,
)
ABOVE: Final = Mark.ABOVE * styles.LINES
BELOW: Final = Mark.BELOW * styles.LINES
DOTS: Final = Mark.DOTS * styles.LINES


def line_numbers(pool: GlyphPool, codes: Codes, stroke: int) -> Rows:
    """Which lines of the pool's blocks make some cells: (rows, height, columns).

    Args:
        pool: Blocks; those that are missing are made.
        codes: Of cells, none of them BLANK.
        stroke: Thickness of lines.
    """
    glyphs, used = codes & styles.GLYPH, int(np.bitwise_or.reduce(codes, axis=None))
    lined = used & (ABOVE | BELOW | DOTS) != 0
    # All at once: a pool that is full forgets what it gave out before.
    wanted = np.concatenate([glyphs.ravel(), _LINE_CODES]) if lined else glyphs.ravel()
    first = pool.slots(wanted).astype(np.int64) * pool.height
    numbers: Rows = np.arange(pool.height)[:, np.newaxis] + first[: codes.size].reshape(
        len(codes), 1, -1
    )
    if lined:
        solid, dotted = first[codes.size :].reshape(2, -1)
        ground = codes >> _GROUND_SHIFT & len(solid) - 1
        for bit, line, place in (
            (ABOVE, solid, slice(0, stroke)),
            (DOTS, dotted, slice(-stroke, None)),
            (BELOW, solid, slice(-stroke, None)),  # the later one stays
        ):
            if used & bit:
                here = (codes & bit != 0)[:, np.newaxis]
                np.copyto(numbers[:, place], line[ground][:, np.newaxis], where=here)
    return numbers


class Bars:
    """The bars of one pane: over a row that is being composed, or over copies of single cells.

    They seldom change: for each row of the image it is kept which pixels they are.

    Args:
        row: Pixels of the row that is being composed: its cells without gaps.
        width: Pixels of a cell.
        stroke: Thickness of a bar.
        slots: Rows of the image.
    """

    def __init__(self, row: Pixels, width: int, stroke: int, slots: int) -> None:
        self._row: Pixels = row.reshape(-1)
        self._width = width
        height, row_width = row.shape
        foot = min(_FOOT * stroke, width)
        left, right = slice(0, stroke), slice(width - stroke, width)
        edges = slice(0, stroke), slice(height - stroke, height)
        self._boxes: list[tuple[int, list[_Box]]] = [
            (styles.BAR_LEFT, [(slice(None), left), *((edge, slice(0, foot)) for edge in edges)]),
            (
                styles.BAR_RIGHT,
                [(slice(None), right), *((edge, slice(width - foot, width)) for edge in edges)],
            ),
        ]
        self._in_row: list[tuple[int, Rows]] = []
        for bit, boxes in self._boxes:
            mask = np.zeros((height, width), np.bool_)
            for box in boxes:
                mask[box] = True
            y, x = np.nonzero(mask)
            self._in_row.append((bit, y * row_width + x))
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
        style = (codes & styles.GROUND) >> 8
        colors: Pixels = self._colors[style]
        if not colors.all():
            for number in np.unique(style[colors == 0]).tolist():
                self._colors[number] = packed(self._looks[number].mark)
            colors = self._colors[style]
        return colors

    def draw(self, cells: Pixels, codes: Indices) -> None:
        """Draw over copies of cells: (cells, height, width)."""
        for bit, boxes in self._boxes:
            here = np.flatnonzero(codes & bit)
            if len(here):
                colors = self._color_of(codes[here])[:, np.newaxis, np.newaxis]
                for y, x in boxes:
                    cells[here, y, x] = colors

    def prepare(self, slots: Rows, codes: Codes) -> None:
        """Find the pixels of whole rows, where they are others than before."""
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
                inks.append(np.repeat(self._color_of(codes[columns]), len(shape)))
        return (np.concatenate(places), np.concatenate(inks)) if places else None

    def compose(self, slot: int) -> None:
        """Draw those of a prepared row over its cells."""
        kept = self._kept[slot]
        if kept is not None:
            self._row[kept[0]] = kept[1]
