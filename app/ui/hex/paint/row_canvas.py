"""Rows of glyph blocks in a QImage's own memory, and only those that differ from what is there.

The image is a ring of whole rows: row r of the region is in slot r % slots, so that scrolling
by any number of pixels paints nothing but the rows that come into sight. Why glyph images are
copied row by row: docs/measurements.md, "Painting a hex grid".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from ..decorations.marks import Rows
from . import styles
from .cell_states import Codes
from .gaps import Gaps
from .geometry import Grid, address_text
from .glyph_atlas import Pixels, Pools, packed
from .pane_blit import PaneBlit
from .styles import Looks, Rgb


class Canvas:
    """The painted rows."""

    def __init__(self, grid: Grid, rows: int, pools: Pools) -> None:
        self.grid, self.type = grid, pools.type
        self.slots = max(1, rows)
        height = self.slots * grid.height
        layouts = grid.layouts.items()
        # The strided views reach to the end of the last block, which may be incomplete.
        width = grid.width + max(one.block * one.cell for _, one in layouts if one.gap)
        self._pixels: Pixels = np.zeros((height, width), np.uint32)
        self.image = QImage(
            cast("bytes", self._pixels.data.cast("B")),
            width,
            height,
            width * 4,
            QImage.Format.Format_RGB32,
        )
        self._text_pool, stroke = pools.text, pools.type.stroke
        self._blits = [
            PaneBlit(self._pixels, grid.height, one, pools.of(pane), stroke)
            for pane, one in layouts
        ]
        self._gaps = [Gaps(self._pixels, grid.height, one, stroke) for _, one in layouts]
        self._row_in_slot = np.full(self.slots, -1, np.int64)
        self._label_in_slot = np.full(self.slots, -1, np.int64)
        self._ground = 0

    def set_looks(self, looks: Looks, line: Rgb) -> None:
        """Take other colours (the pools have them already): everything is painted anew."""
        self._ground = packed(looks[styles.TEXT].ground)
        self._pixels.fill(self._ground)
        for x in self.dividers():
            self._pixels[:, x : x + self.type.stroke] = packed(line)
        self._row_in_slot.fill(-1)
        self._label_in_slot.fill(-1)
        for blit, gaps in zip(self._blits, self._gaps, strict=True):
            blit.set_looks(looks)
            gaps.set_looks(looks)

    def dividers(self) -> tuple[int, ...]:
        """Where the thin lines before the panes are."""
        return tuple(one.x - self.grid.char for one in self.grid.layouts.values())

    def update(self, first_row: int, codes: Sequence[Codes], here: int) -> Rows:
        """Paint rows from `first_row` on; returns those that changed.

        Args:
            first_row: Row of the region.
            codes: (rows, cells) codes of each pane, from left to right; at most `slots` rows.
            here: The cursor's row, whose address is emphasised.
        """
        rows = np.arange(first_row, first_row + len(codes[0]), dtype=np.int64)
        slots = rows % self.slots
        touched = self._row_in_slot[slots] != rows
        self._row_in_slot[slots] = rows
        for blit, gaps, now in zip(self._blits, self._gaps, codes, strict=True):
            before = blit.painted[slots]
            touched |= blit.update(slots, now, self._ground)
            gaps.update(slots, before, now)
        touched |= self._labels(rows, slots, here)
        changed: Rows = rows[touched]
        return changed

    def _labels(self, rows: Rows, slots: Rows, here: int) -> npt.NDArray[np.bool_]:
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
