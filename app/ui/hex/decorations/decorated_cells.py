"""What decorations add to the codes of cells: tint, lines and bars. Pure numpy."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..paint import styles
from ..paint.cell_states import Codes
from .decorations import Decorations, Hits, Mark
from .range_index import I64, covered, greatest

_BELOW: Final = (Mark.BELOW, Mark.DOTS)


def clipped(hits: Hits, start: int, length: int) -> tuple[I64, I64]:
    """First places of the ranges in a span, and first places behind them."""
    first = np.maximum(hits.starts - start, 0)
    return first, np.minimum(hits.ends - start, length)


def top_tints(first: I64, behind: I64, tints: I64, size: int) -> I64:
    """The tint that is seen at each of `size` places; 0 where nothing has one.

    Args:
        first: First place of each range, in the order in which they are painted.
        behind: First place behind it.
        tints: Values of Tint.
        size: Places.
    """
    tinted = np.flatnonzero(tints)
    top = greatest(first[tinted], behind[tinted], tinted, size)
    found: I64 = np.where(top >= 0, np.append(tints, 0)[top], 0)
    return found


def decoration_codes(hits: Hits, start: int, length: int, columns: int) -> Codes:
    """What the ranges add to the codes of the bytes in a span that all of them touch.

    Lines are drawn around a range, not between its rows: the upper one runs over the first
    `columns` bytes of it, a lower one under the last.
    """
    first, behind = clipped(hits, start, length)
    codes = top_tints(first, behind, hits.tints, length).astype(np.int32) * (styles.TINT << 8)
    for bit in (Mark.ABOVE, *_BELOW):
        lined = hits.marks & bit != 0
        if not lined.any():
            continue
        low, high = hits.starts[lined], hits.ends[lined]
        if bit in _BELOW:
            low = np.maximum(low, high - columns)
        else:
            high = np.minimum(high, low + columns)
        low, high = np.clip(low - start, 0, length), np.clip(high - start, 0, length)
        codes[covered(low, high, length)] |= int(bit) * styles.LINES
    codes[first[hits.starts >= start]] |= styles.BAR_LEFT
    codes[behind[hits.ends <= start + length] - 1] |= styles.BAR_RIGHT
    return codes


class DecoratedCells:
    """The codes of the span on the screen, made anew when it or the ranges changed."""

    def __init__(self, decorations: Decorations) -> None:
        self.decorations = decorations
        self._key = (-1, 0, 0, 0)
        self._codes: Codes | None = None

    def codes(self, start: int, length: int, columns: int) -> Codes | None:
        """Of each byte in a span; None where no range touches it."""
        key = (self.decorations.version, start, length, columns)
        if key != self._key:
            self._key = key
            hits = self.decorations.hits(start, length)
            self._codes = decoration_codes(hits, start, length, columns) if len(hits) else None
        return self._codes
