"""The wider gaps between the blocks of a pane: they belong to what spans them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from ..decorations.marks import ABOVE, BELOW, DOTS, NO_BYTE, Rows
from . import styles
from .cell_states import Codes
from .glyph_atlas import Pixels, packed
from .pane_layout import PaneLayout
from .styles import CellLook, Looks

_TINT_BITS: Final = styles.COUNT - styles.TINT << 8
_SPANNING_BITS: Final = _TINT_BITS | styles.BAR_LEFT - styles.LINES


class Gaps:
    """The gaps of one pane, painted where the selection or a decoration spans them.

    Args:
        pixels: All rows of the canvas.
        height: Of a row.
        layout: The pane.
        stroke: Thickness of lines.
    """

    def __init__(self, pixels: Pixels, height: int, layout: PaneLayout, stroke: int) -> None:
        self._pixels, self._height, self._layout, self._stroke = pixels, height, layout, stroke
        count = (layout.cells - 1) // layout.block if layout.gap else 0
        self._behind = (np.arange(count) + 1) * layout.block  # the first cell behind each gap
        self._painted = np.zeros((pixels.shape[0] // height, count), np.int32)
        self._looks: Sequence[CellLook] = ()
        self._tinted = False  # something was ever selected or decorated

    def set_looks(self, looks: Looks) -> None:
        """Take other colours: all gaps have the plain ground again."""
        self._looks = looks
        self._painted.fill(0)

    def update(self, slots: Rows, before: Codes, codes: Codes) -> None:
        """Paint the gaps that look different than before."""
        if not len(self._behind):
            return
        if not self._tinted and int(codes.max()) < styles.SELECTED << 8:
            return
        self._tinted = True
        other = ((before ^ codes) & NO_BYTE).any(axis=1)
        if not other.any():
            return
        slots, codes = slots[other], codes[other]
        now = _spanning(codes[:, self._behind - 1], codes[:, self._behind])
        for row, number in zip(*np.nonzero(now != self._painted[slots]), strict=True):
            top = int(slots[row]) * self._height
            right = self._layout.cell_left(int(self._behind[number]))
            area = self._pixels[top : top + self._height, right - self._layout.gap : right]
            self._paint(area, int(now[row, number]))
        self._painted[slots] = now

    def _paint(self, area: Pixels, code: int) -> None:
        look, stroke = self._looks[code >> 8 & styles.COUNT - 1], self._stroke
        area[:] = packed(look.ground)
        if code & ABOVE:
            area[:stroke] = packed(look.mark)
        if code & BELOW:
            area[-stroke:] = packed(look.mark)
        elif code & DOTS:
            dots = np.arange(self._layout.gap) // (2 * stroke) % 2 == 0
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
