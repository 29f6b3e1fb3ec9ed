"""Rows of glyph blocks in a QImage's own memory, and only those that differ from what is there.

The image is a ring of whole rows: row r of the region is in slot r % slots, so that scrolling
by any number of pixels paints nothing but the rows that come into sight. Why glyph images are
copied row by row: docs/measurements.md, "Painting a hex grid".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from ..decorations.marks import ABOVE, BELOW, DOTS, NO_BYTE, Rows
from . import styles
from .cell_states import Codes
from .geometry import Grid, address_text
from .glyph_atlas import Pixels, Pools, packed
from .pane_blit import PaneBlit
from .styles import CellLook, Looks, Rgb

_TINT_BITS: Final = styles.COUNT - styles.TINT << 8
_SPANNING_BITS: Final = _TINT_BITS | styles.BAR_LEFT - styles.LINES


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
        self._hex = PaneBlit(
            self._pixels, grid, pools, self._hex_pool, grid.block, grid.gap, grid.hex_x
        )
        self._text = PaneBlit(
            self._pixels, grid, pools, self._text_pool, grid.columns, 0, grid.text_x
        )
        self._row_in_slot = np.full(self.slots, -1, np.int64)
        self._label_in_slot = np.full(self.slots, -1, np.int64)
        gaps = (grid.columns - 1) // grid.block
        self._gap_in_slot = np.zeros((self.slots, gaps), np.int32)
        self._looks: Sequence[CellLook] = ()
        self._tinted = False  # something was ever selected or decorated

    def set_looks(self, looks: Looks, line: Rgb) -> None:
        """Take other colours (the pools have them already): everything is painted anew."""
        self._looks = looks
        self._pixels.fill(packed(looks[styles.TEXT].ground))
        for x in self.dividers():
            self._pixels[:, x : x + self.type.stroke] = packed(line)
        self._row_in_slot.fill(-1)
        self._label_in_slot.fill(-1)
        self._gap_in_slot.fill(0)
        self._hex.set_looks(looks)
        self._text.set_looks(looks)

    def dividers(self) -> tuple[int, int]:
        """Where the thin lines between address, hex and text are."""
        return self.grid.hex_x - self.grid.char, self.grid.text_x - self.grid.char

    def update(self, first_row: int, hex_codes: Codes, text_codes: Codes, here: int) -> Rows:
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
        self._gaps(slots, before, hex_codes)
        touched |= self._text.update(slots, text_codes, ground)
        touched |= self._labels(rows, slots, here)
        changed: Rows = rows[touched | fresh]
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

    def _gaps(self, slots: Rows, before: Codes, codes: Codes) -> None:
        """The wider gaps between blocks belong to the selection or decoration that spans them."""
        grid = self.grid
        behind = np.arange(grid.block, grid.columns, grid.block)
        if not len(behind):
            return
        if not self._tinted and int(codes.max()) < styles.SELECTED << 8:
            return
        self._tinted = True
        other = ((before ^ codes) & NO_BYTE).any(axis=1)
        if not other.any():
            return
        slots, codes = slots[other], codes[other]
        now = _spanning(codes[:, behind - 1], codes[:, behind])
        for row, number in zip(*np.nonzero(now != self._gap_in_slot[slots]), strict=True):
            top = int(slots[row]) * grid.height
            right = grid.hex_left(int(behind[number]))
            area = self._pixels[top : top + grid.height, right - grid.gap : right]
            self._gap(area, int(now[row, number]))
        self._gap_in_slot[slots] = now

    def _gap(self, area: Pixels, code: int) -> None:
        look, stroke = self._looks[code >> 8 & styles.COUNT - 1], self.type.stroke
        area[:] = packed(look.ground)
        if code & ABOVE:
            area[:stroke] = packed(look.mark)
        if code & BELOW:
            area[-stroke:] = packed(look.mark)
        elif code & DOTS:
            dots = np.arange(self.grid.gap) // (2 * stroke) % 2 == 0
            area[-stroke:, dots] = packed(look.mark)


def _spanning(left: Codes, right: Codes) -> Codes:
    """What of a code the cells on both sides of each gap have in common."""
    both = left & right
    common: Codes = both & styles.SELECTED << 8
    joined = (left & styles.BAR_RIGHT == 0) & (right & styles.BAR_LEFT == 0)
    joined &= (left ^ right) & _TINT_BITS == 0
    common |= np.where(joined, both & _SPANNING_BITS, 0)
    common[(left < 0) | (right < 0)] = 0
    return common
