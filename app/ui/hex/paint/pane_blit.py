"""One pane of the canvas: glyph blocks copied to where they differ from what is there."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..decorations.marks import NO_BYTE, Marks, Rows
from . import styles
from .cell_states import BLANK, Codes
from .glyph_atlas import GlyphPool, Indices, Pixels
from .pane_layout import PaneLayout
from .styles import Looks

_NEVER: Final = -2
_Lines = npt.NDArray[np.void]


class PaneBlit:
    """One pane of the canvas: its cells as strided views, and what was painted in each.

    A line of a cell is one item of numpy, as wide as the cell: numpy then copies lines and not
    pixels, which takes two thirds of the time (measured).
    """

    def __init__(
        self, pixels: Pixels, height: int, layout: PaneLayout, pool: GlyphPool, stroke: int
    ) -> None:
        slots, columns, block = pixels.shape[0] // height, layout.cells, layout.block
        self._pool, self._block, self._columns, self._height = pool, block, columns, height
        self.painted: Codes = np.full((slots, columns), _NEVER, np.int32)
        line, pixel = pixels.strides
        width = pixel * pool.width
        step = block * width + pixel * layout.gap
        whole = columns // block
        self._cell_line = np.dtype((np.void, width))
        self._cells: _Lines = np.ndarray(
            (slots, -(-columns // block), block, height),
            self._cell_line,
            pixels,
            layout.x * pixel,
            (line * height, step, width, line),
        )
        self._stroke, self._inner = stroke, slice(stroke, height - stroke)
        inner = height - 2 * stroke
        self._whole_blocks: _Lines = np.ndarray(
            (slots, inner, whole),
            np.dtype((np.void, block * width)),
            pixels,
            layout.x * pixel + stroke * line,
            (line * height, line, step),
        )
        self._row: _Lines = np.zeros((inner, whole * block), self._cell_line)
        self._row_blocks: _Lines = self._row.view(self._whole_blocks.dtype)
        composed = self._row.view(np.uint32).reshape(inner, -1)
        self._marks = Marks(composed, pool.width, stroke, slots)
        self._lines = np.arange(stroke, height - stroke)[:, np.newaxis]

    def set_looks(self, looks: Looks) -> None:
        """Take other colours: all cells are painted anew."""
        self.painted.fill(_NEVER)
        self._marks.set_looks(looks)

    def update(self, slots: Rows, codes: Codes, ground: int) -> npt.NDArray[np.bool_]:
        """Paint the cells whose code is another than before; says which rows were touched."""
        other = codes ^ self.painted[slots]
        differs = other != 0
        counts = differs.sum(axis=1)
        rows, columns = np.nonzero(other & NO_BYTE)
        if len(rows):
            self._outer_lines(slots[rows], columns, codes[rows, columns])
        whole = np.flatnonzero((counts > self._columns // 3) & (codes[:, -1] != BLANK))
        if len(whole):
            self._whole_rows(slots[whole], codes[whole, : self._row.shape[1]])
            differs[whole, : self._row.shape[1]] = False
        rows, columns = np.nonzero(differs)
        if len(rows):
            self._some_cells(slots[rows], columns, codes[rows, columns], ground)
        self.painted[slots] = codes
        touched: npt.NDArray[np.bool_] = counts > 0
        return touched

    def _outer_lines(self, slots: Rows, columns: Rows, codes: Indices) -> None:
        """The lines of cells that no glyph inks."""
        full = codes >= 0
        slots, (block, inner) = slots[full], np.divmod(columns[full], self._block)
        lines = self._marks.outer_lines(codes[full]).view(self._cell_line)[..., 0]
        for line in range(self._stroke):
            self._cells[slots, block, inner, line] = lines[:, 0]
            self._cells[slots, block, inner, -1 - line] = lines[:, 1]

    def _whole_rows(self, slots: Rows, codes: Codes) -> None:
        """All blocks that are complete; one row at a time, so that it stays in the cache."""
        self._marks.prepare(slots, codes)
        at = self._pool.slots(codes & styles.GLYPH).astype(np.int64) * self._height
        lines = self._pool.blocks.reshape(-1, self._pool.width).view(self._cell_line)[:, 0]
        for slot, row in zip(slots.tolist(), at, strict=True):
            np.take(lines, row + self._lines, out=self._row, mode="clip")
            self._marks.compose(slot)
            self._whole_blocks[slot] = self._row_blocks

    def _some_cells(self, slots: Rows, columns: Rows, codes: Indices, ground: int) -> None:
        full = codes >= 0
        block, inner = np.divmod(columns, self._block)
        at = self._pool.slots(codes[full] & styles.GLYPH)
        cells = self._pool.blocks[:, self._inner].view(self._cell_line)[..., 0][at]
        if int(codes.max()) >= styles.BAR_LEFT:
            self._marks.draw(cells[..., np.newaxis].view(np.uint32), codes[full])
        self._cells[slots[full], block[full], inner[full], self._inner] = cells
        if not full.all():
            bare = np.full(self._pool.width, ground, np.uint32).view(self._cell_line)
            self._cells[slots[~full], block[~full], inner[~full]] = bare
