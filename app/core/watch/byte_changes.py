"""Exact differences between two copies of memory: numpy kernels without allocation churn.

The sampler compares the visible range with the sample before, the sweep compares whole pages
with its snapshot. Fresh arrays of megabytes cost more in page faults than the comparison
itself, so a Comparer owns its buffers; and numpy releases the interpreter lock while it
compares, which memoryview and bytes do not (docs/measurements.md, "Copies").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..region.region import PAGE

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_WORD: Final = 8
# Above this share of changed words, listing each position costs more than a mask (measured).
_DENSE: Final = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class PageChanges:
    """What changed in a batch of pages; one entry per page, all arrays of one length.

    Attributes:
        count: Changed bytes.
        first: Position of the first changed byte inside its page; 0 where none changed.
        last: Position of the last one; 0 where none changed.
    """

    count: I64
    first: U16
    last: U16


class Comparer:
    """Differences between equally long uint8 arrays of at most `capacity` bytes.

    What it returns may be a view into its buffers: good until the next call. Not to be
    shared between threads.
    """

    def __init__(self, capacity: int) -> None:
        words = max(1, -(-capacity // _WORD))
        self.capacity: Final = words * _WORD
        self._mask = np.empty(words * _WORD, np.bool_)
        self._words = np.empty(words, np.bool_)

    def mask(self, now: U8, before: U8) -> Flags:
        """True where a byte differs. A view, good until the next call."""
        out = self._mask[: len(now)]
        np.not_equal(now, before, out=out)
        return out

    def count(self, now: U8, before: U8) -> int:
        """How many bytes differ."""
        return int(np.count_nonzero(self.mask(now, before)))

    def positions(self, now: U8, before: U8) -> I64:
        """Ascending positions of the bytes that differ; a new array."""
        whole = len(now) // _WORD * _WORD
        head = self._word_positions(now[:whole], before[:whole])
        if whole == len(now):
            return head
        tail = np.flatnonzero(now[whole:] != before[whole:]) + whole
        return np.concatenate((head, tail))

    def _word_positions(self, now: U8, before: U8) -> I64:
        """Words first: an eighth of the flags to look through."""
        wide_now, wide_before = now.view(np.uint64), before.view(np.uint64)
        flags = self._words[: len(wide_now)]
        np.not_equal(wide_now, wide_before, out=flags)
        words = np.flatnonzero(flags)
        if len(words) > _DENSE * len(flags):
            return np.flatnonzero(self.mask(now, before))
        differs = (wide_now[words] ^ wide_before[words]).view(np.uint8) != 0
        inside = np.flatnonzero(differs)
        found: I64 = words[inside >> 3] * _WORD + (inside & 7)
        return found

    def pages(self, now: U8, before: U8) -> PageChanges:
        """Count, first and last changed byte for each of a batch of whole pages.

        Args:
            now: The pages, one behind the other, flat; a multiple of `PAGE` bytes.
            before: The same pages as they were.
        """
        pages = len(now) // PAGE
        at = self.positions(now, before)
        page = at // PAGE
        bounds = np.searchsorted(page, np.arange(pages + 1))
        count = np.diff(bounds)
        first = np.zeros(pages, np.uint16)
        last = np.zeros(pages, np.uint16)
        some = count > 0
        first[some] = at[bounds[:-1][some]] % PAGE
        last[some] = at[bounds[1:][some] - 1] % PAGE
        return PageChanges(count.astype(np.int64, copy=False), first, last)
