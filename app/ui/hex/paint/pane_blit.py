"""One pane of the canvas: glyph blocks copied to where they differ from what is there."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from . import styles
from .cell_states import BLANK, Codes
from .geometry import Grid
from .glyph_atlas import GlyphPool, Indices, Pixels, Pools
from .marks import Bars, Rows, line_numbers
from .styles import Looks

_NEVER: Final = -2
_BATCH_LINES: Final = 1 << 17  # lines of cells whose numbers are looked up at a time
_Lines = npt.NDArray[np.void]


class PaneBlit:
    """One pane of the canvas: its cells as strided views, and what was painted in each.

    A line of a cell is one item of numpy, as wide as the cell: numpy then copies lines and not
    pixels, which takes two thirds of the time (measured).
    """

    def __init__(
        self,
        pixels: Pixels,
        grid: Grid,
        pools: Pools,
        pool: GlyphPool,
        block: int,
        gap: int,
        left: int,
    ) -> None:
        slots = pixels.shape[0] // grid.height
        self._pool, self._block = pool, block
        self._columns, self._height = grid.columns, grid.height
        self.painted: Codes = np.full((slots, grid.columns), _NEVER, np.int32)
        line, pixel = pixels.strides
        width = pixel * pool.width
        step = block * width + pixel * gap
        whole = grid.columns // block
        self._cell_line = np.dtype((np.void, width))
        self._cells: _Lines = np.ndarray(
            (slots, -(-grid.columns // block), block, grid.height),
            self._cell_line,
            pixels,
            left * pixel,
            (line * grid.height, step, width, line),
        )
        self._whole_blocks: _Lines = np.ndarray(
            (slots, grid.height, whole),
            np.dtype((np.void, block * width)),
            pixels,
            left * pixel,
            (line * grid.height, line, step),
        )
        self._row: _Lines = np.zeros((grid.height, whole * block), self._cell_line)
        self._row_blocks: _Lines = self._row.view(self._whole_blocks.dtype)
        composed = self._row.view(np.uint32).reshape(grid.height, -1)
        self._stroke = pools.type.stroke
        self._bars = Bars(composed, pool.width, self._stroke, slots)
        self._batch = max(1, _BATCH_LINES // (grid.height * grid.columns))

    def set_looks(self, looks: Looks) -> None:
        """Take other colours: all cells are painted anew."""
        self.painted.fill(_NEVER)
        self._bars.set_looks(looks)

    def update(self, slots: Rows, codes: Codes, ground: int) -> npt.NDArray[np.bool_]:
        """Paint the cells whose code is another than before; says which rows were touched."""
        differs = codes != self.painted[slots]
        counts = differs.sum(axis=1)
        whole = np.flatnonzero((counts > self._columns // 3) & (codes[:, -1] != BLANK))
        if len(whole):
            for part in np.array_split(whole, -(-len(whole) // self._batch)):
                self._whole_rows(slots[part], codes[part, : self._row.shape[1]])
            differs[whole, : self._row.shape[1]] = False
        rows, columns = np.nonzero(differs)
        if len(rows):
            self._some_cells(slots[rows], columns, codes[rows, columns], ground)
        self.painted[slots] = codes
        touched: npt.NDArray[np.bool_] = counts > 0
        return touched

    def _whole_rows(self, slots: Rows, codes: Codes) -> None:
        """All blocks that are complete; one row at a time, so that it stays in the cache."""
        self._bars.prepare(slots, codes)
        numbers = line_numbers(self._pool, codes, self._stroke)
        lines = self._pool.blocks.reshape(-1, self._pool.width).view(self._cell_line)[:, 0]
        for slot, row in zip(slots.tolist(), numbers, strict=True):
            np.take(lines, row, out=self._row, mode="clip")
            self._bars.compose(slot)
            self._whole_blocks[slot] = self._row_blocks

    def _some_cells(self, slots: Rows, columns: Rows, codes: Indices, ground: int) -> None:
        full = codes >= 0
        block, inner = np.divmod(columns, self._block)
        numbers = line_numbers(self._pool, codes[full][:, np.newaxis], self._stroke)[..., 0]
        lines = self._pool.blocks.reshape(-1, self._pool.width).view(self._cell_line)[:, 0]
        cells = lines[numbers]
        if int(codes.max()) >= styles.BAR_LEFT:
            self._bars.draw(cells[..., np.newaxis].view(np.uint32), codes[full])
        self._cells[slots[full], block[full], inner[full]] = cells
        if not full.all():
            bare = np.full(self._pool.width, ground, np.uint32).view(self._cell_line)
            self._cells[slots[~full], block[~full], inner[~full]] = bare
