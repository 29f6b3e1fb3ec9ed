"""Snapshot: the bytes of each page as they were last seen, as far as memory allows.

One sparse array over the whole region: the system commits only the pages written to it, so
that a sparse region has a sparse snapshot, and a page never stored reads as zeros. It stops
growing at its bound; pages beyond it are watched by their hash alone.
"""

from __future__ import annotations

import mmap
import sys
from typing import Final

import numpy as np
import numpy.typing as npt

from app.core.region import PAGE


class Snapshot:
    """Pages by number.

    Attributes:
        pages: (n, PAGE) the bytes; pages never stored are zeros.
        stored: Pages stored.
    """

    def __init__(self, pages: int, bound: int) -> None:
        self._most: Final = bound // PAGE
        self.stored = 0
        if sys.platform != "win32":
            # Address space is free of charge where nothing is reserved for it.
            flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)
            raw = np.frombuffer(mmap.mmap(-1, pages * PAGE, flags=flags), np.uint8)
        else:
            # Windows charges what may be written, so that only the first pages get a place.
            pages = min(pages, self._most)
            raw = np.zeros(pages * PAGE, np.uint8)
        self.pages: npt.NDArray[np.uint8] = raw.reshape(-1, PAGE)

    def places(
        self, pages: npt.NDArray[np.int64], new: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.bool_]:
        """Which of `pages` may be stored, where `new` ones take room; they are counted."""
        room = min(self._most - self.stored, len(pages))
        fits = (~new | (np.cumsum(new) <= room)) & (pages < len(self.pages))
        self.stored += int(np.count_nonzero(new & fits))
        return fits
