"""Snapshot: the bytes of each page as they were last seen, as far as memory allows.

One sparse array over the whole region: the system commits only the pages written to it, so
that a sparse region has a sparse snapshot, and a page never stored reads as zeros. It stops
growing at its bound; pages beyond it are watched by their hash alone.
"""

from __future__ import annotations

import contextlib
import mmap
import sys
from typing import Final

import numpy as np
import numpy.typing as npt

from ..region.region import PAGE

_LINUX: Final = sys.platform == "linux"
# Not in Python's mmap module before 3.13; asm-generic/mman.h, the same on x86 and Arm.
_MAP_NORESERVE: Final = 0x4000


class Snapshot:
    """Pages by number.

    Attributes:
        pages: (n, PAGE) the bytes; pages never stored are zeros.
        stored: Pages stored.
    """

    def __init__(self, pages: int, bound: int) -> None:
        self._most: Final = bound // PAGE
        self.stored = 0
        raw = _sparse(pages * PAGE)
        if raw is None:
            # Without memory overcommit the array cannot be that large: only the first pages fit.
            raw = np.zeros(max(1, min(pages, self._most)) * PAGE, np.uint8)
        self.pages: npt.NDArray[np.uint8] = raw.reshape(-1, PAGE)

    def of(self, pages: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """A copy of these pages; undefined bytes for pages beyond the array."""
        if len(pages) and int(pages.max()) >= len(self.pages):
            pages = np.minimum(pages, len(self.pages) - 1)
        # Indexing copies whole rows three times as fast as np.take(out=) does (measured).
        found: npt.NDArray[np.uint8] = self.pages[pages]
        return found

    def places(
        self, pages: npt.NDArray[np.int64], new: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.bool_]:
        """Which of `pages` may be stored, where `new` ones take room; they are counted."""
        room = min(self._most - self.stored, len(pages))
        fits = (~new | (np.cumsum(new) <= room)) & (pages < len(self.pages))
        self.stored += int(np.count_nonzero(new & fits))
        return fits


def _sparse(size: int) -> npt.NDArray[np.uint8] | None:
    """Zeros that take memory only where they are written; None where the system refuses."""
    found = None
    if sys.platform != "win32":
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | (_MAP_NORESERVE if _LINUX else 0)
        with contextlib.suppress(OSError):
            found = np.frombuffer(mmap.mmap(-1, size, flags=flags), np.uint8)
    return found
