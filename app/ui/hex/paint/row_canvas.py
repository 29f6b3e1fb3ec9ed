"""Rows of glyph blocks in a QImage's own memory, and only those that differ from what is there.

The image is a ring of whole rows: row r of the region is in slot r % slots, so that scrolling
by any number of pixels paints nothing but the rows that come into sight. Why glyph images are
copied row by row: docs/measurements.md, "Painting a hex grid".
"""

from __future__ import annotations

from typing import Final, cast

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from . import styles
from .cell_states import BLANK, Codes
from .geometry import Grid, address_text
from .glyph_atlas import GlyphPool, Indices, Pixels, Pools, packed
from .styles import CellLook, Rgb

_NEVER: Final = -2
_Rows = npt.NDArray[np.int64]
_Lines = npt.NDArray[np.void]


class _PaneBlit:
    """One pane of the canvas: its cells as strided views, and what was painted in each.

    A line of a cell is one item of numpy, as wide as the cell: numpy then copies lines and not
    pixels, which takes two thirds of the time (measured).
    """

    def __init__(
        self,
        pixels: Pixels,
        slots: int,
        grid: Grid,
        pool: GlyphPool,
        block: int,
        gap: int,
        left: int,
    ) -> None:
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
        self._lines = np.arange(grid.height)[:, np.newaxis]

    def update(self, slots: _Rows, codes: Codes, ground: int) -> npt.NDArray[np.bool_]:
        """Paint the cells whose code is another than before; says which rows were touched."""
        differs = codes != self.painted[slots]
        counts = differs.sum(axis=1)
        whole = np.flatnonzero((counts > self._columns // 3) & (codes[:, -1] != BLANK))
        if len(whole):
            self._whole_rows(slots[whole], codes[whole])
            differs[whole, : self._row.shape[1]] = False
        rows, columns = np.nonzero(differs)
        if len(rows):
            self._some_cells(slots[rows], columns, codes[rows, columns], ground)
        self.painted[slots] = codes
        touched: npt.NDArray[np.bool_] = counts > 0
        return touched

    def _whole_rows(self, slots: _Rows, codes: Codes) -> None:
        """All blocks that are complete; one row at a time, so that it stays in the cache."""
        at = self._pool.slots(codes[:, : self._row.shape[1]]).astype(np.int64) * self._height
        lines = self._pool.blocks.reshape(-1, self._pool.width).view(self._cell_line)[:, 0]
        for slot, row in zip(slots.tolist(), at, strict=True):
            np.take(lines, row + self._lines, out=self._row, mode="clip")
            self._whole_blocks[slot] = self._row_blocks

    def _some_cells(self, slots: _Rows, columns: _Rows, codes: Indices, ground: int) -> None:
        full = codes >= 0
        block, inner = np.divmod(columns, self._block)
        at = self._pool.slots(codes[full])
        glyphs = self._pool.blocks.view(self._cell_line)[..., 0]
        self._cells[slots[full], block[full], inner[full]] = glyphs[at]
        if not full.all():
            bare = np.full(self._pool.width, ground, np.uint32).view(self._cell_line)
            self._cells[slots[~full], block[~full], inner[~full]] = bare


class Canvas:
    """The painted rows."""

    def __init__(self, grid: Grid, rows: int, pools: Pools) -> None:
        self.grid, self.type = grid, pools.type
        self.slots = max(1, rows)
        height = self.slots * grid.height
        # The strided views reach to the end of the last block, which may be incomplete.
        width = grid.width + grid.block * grid.cell
        self._pixels: Pixels = np.zeros((height, width), np.uint32)
        self.image = QImage(
            cast("bytes", self._pixels.data.cast("B")),
            width,
            height,
            width * 4,
            QImage.Format.Format_RGB32,
        )
        self._hex_pool, self._text_pool = pools.hex, pools.text
        self._hex = _PaneBlit(
            self._pixels, self.slots, grid, self._hex_pool, grid.block, grid.gap, grid.hex_x
        )
        self._text = _PaneBlit(
            self._pixels, self.slots, grid, self._text_pool, grid.columns, 0, grid.text_x
        )
        self._row_in_slot = np.full(self.slots, -1, np.int64)
        self._label_in_slot = np.full(self.slots, -1, np.int64)
        self._looks: tuple[CellLook, ...] = ()
        self._tinted = False  # something was ever selected

    def set_looks(self, looks: tuple[CellLook, ...], line: Rgb) -> None:
        """Take other colours (the pools have them already): everything is painted anew."""
        self._looks = looks
        self._pixels.fill(packed(looks[styles.TEXT].ground))
        for x in self.dividers():
            self._pixels[:, x : x + self.type.stroke] = packed(line)
        self._row_in_slot.fill(-1)
        self._label_in_slot.fill(-1)
        self._hex.painted.fill(_NEVER)
        self._text.painted.fill(_NEVER)

    def dividers(self) -> tuple[int, int]:
        """Where the thin lines between address, hex and text are."""
        return self.grid.hex_x - self.grid.char, self.grid.text_x - self.grid.char

    def update(self, first_row: int, hex_codes: Codes, text_codes: Codes, here: int) -> _Rows:
        """Paint rows from `first_row` on; returns those that changed.

        Args:
            first_row: Row of the region.
            hex_codes: (rows, columns) codes of the hex pane; at most `slots` rows.
            text_codes: The same for the text pane.
            here: The cursor's row, whose address is emphasised.
        """
        rows = np.arange(first_row, first_row + len(hex_codes), dtype=np.int64)
        slots = rows % self.slots
        fresh = self._row_in_slot[slots] != rows
        self._row_in_slot[slots] = rows
        ground = packed(self._looks[styles.TEXT].ground)
        before = self._hex.painted[slots]
        touched = self._hex.update(slots, hex_codes, ground)
        touched |= self._text.update(slots, text_codes, ground)
        touched |= self._labels(rows, slots, here)
        self._gaps(slots, before, hex_codes, ground)
        changed: _Rows = rows[touched | fresh]
        return changed

    def _labels(self, rows: _Rows, slots: _Rows, here: int) -> npt.NDArray[np.bool_]:
        """Address column. A label's identity is its row, and whether the cursor is there."""
        identity = rows * 2 + (rows == here)
        stale: npt.NDArray[np.bool_] = self._label_in_slot[slots] != identity
        for at in np.flatnonzero(stale):
            row, slot = int(rows[at]), int(slots[at])
            self._label(slot, row, styles.LABEL_HERE if row == here else styles.LABEL)
        self._label_in_slot[slots] = identity
        return stale

    def _label(self, slot: int, row: int, style: int) -> None:
        grid = self.grid
        text = address_text(row * grid.columns, grid.digits).encode("ascii")
        codes = np.frombuffer(text, np.uint8).astype(np.int32) | style << 8
        at = self._text_pool.slots(codes)
        glyphs = self._text_pool.blocks[at]
        top = slot * grid.height
        width = len(codes) * grid.char
        area = self._pixels[top : top + grid.height, grid.address_x : grid.address_x + width]
        area.reshape(grid.height, len(codes), grid.char)[:] = glyphs.transpose(1, 0, 2)

    def _gaps(self, slots: _Rows, before: Codes, codes: Codes, ground: int) -> None:
        """The wider gaps between blocks belong to a selection that spans them."""
        block, columns = self.grid.block, self.grid.columns
        behind = np.arange(block, columns, block)
        if not len(behind):
            return
        if not self._tinted and int(codes.max()) < styles.SELECTED << 8:
            return
        self._tinted = True
        now, then = _spans(codes, behind), _spans(before, behind)
        tint = packed(self._looks[styles.SELECTED].ground)
        for row, number in zip(*np.nonzero(now != then), strict=True):
            top = int(slots[row]) * self.grid.height
            right = self.grid.hex_left(int(behind[number]))
            color = tint if now[row, number] else ground
            self._pixels[top : top + self.grid.height, right - self.grid.gap : right] = color


def _spans(codes: Codes, behind: _Rows) -> npt.NDArray[np.bool_]:
    """Whether the cells on both sides of each gap are selected."""
    selected = (codes >= 0) & (codes >> 8 & styles.SELECTED != 0)
    both: npt.NDArray[np.bool_] = selected[:, behind] & selected[:, behind - 1]
    return both
