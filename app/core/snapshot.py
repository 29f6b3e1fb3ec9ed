"""Snapshot: the bytes of each page as they were last seen, as far as memory allows.

Made of slabs that come zero-filled from the system and commit only the pages written to them,
so that a sparse region has a sparse snapshot. It stops growing at its bound; pages beyond it
are watched by their hash alone.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from app.core.region import PAGE

Pages = npt.NDArray[np.uint8]

SLAB_PAGES: Final = 256
SLAB: Final = SLAB_PAGES * PAGE


class Snapshot:
    """Pages by number. A page never stored is all zeros.

    Attributes:
        bound: Most bytes that may be stored.
        stored: Bytes stored.
    """

    def __init__(self, bound: int) -> None:
        self.bound: Final = bound
        self.stored = 0
        self._slabs: dict[int, Pages] = {}

    @property
    def room(self) -> int:
        """How many more pages may be stored."""
        return max(0, (self.bound - self.stored) // PAGE)

    def slab(self, page: int) -> Pages:
        """The (SLAB_PAGES, PAGE) slab that holds a page."""
        number = page // SLAB_PAGES
        slab = self._slabs.get(number)
        if slab is None:
            slab = np.zeros((SLAB_PAGES, PAGE), np.uint8)
            self._slabs[number] = slab
        return slab

    def count_stored(self, pages: int) -> None:
        """Pages that were written to a slab for the first time."""
        self.stored += pages * PAGE
