"""PageTable: what the sweep knows of each page, and a summary of it in cells for the views.

Sized for regions of 16 GiB and more: about 33 bytes per page, zero-filled by the kernel, so that
only what was written is committed. The summary is lazy: only cells whose pages were read since the
last Activity are computed again.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..region.region import PAGE, Extent
from .frame import Activity

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]

BLOCK_PAGES: Final = 16
BLOCK: Final = BLOCK_PAGES * PAGE
MAX_CELLS: Final = 16384
# Rates follow with this time constant, so that a burst is visible for seconds, not minutes.
RATE_TAU_NS: Final = 1_000_000_000
_FOREVER: Final = np.iinfo(np.int64).max
# Slower than once in ten minutes is not a rate any more; keeps denormals out.
_LOWEST_RATE: Final = 1.0 / 600
# A page that changed in nine samples of ten also changed in the sample before, eight times of nine.
_NEARLY_EVERY: Final = 0.88
# Such a page is no longer busy when it was seen unchanged for more than two of its intervals.
_STILL_BUSY: Final = 2e9

KNOWN: Final = 1
DATA: Final = 2
SNAPSHOT: Final = 4
STORED: Final = 8


def frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same array, read-only from now on."""
    array.setflags(write=False)
    return array


def cell_pages(pages: int) -> int:
    """Pages per cell: the smallest power of two that needs no more than MAX_CELLS cells."""
    return 1 << max(0, (-(-pages // MAX_CELLS) - 1).bit_length())


class PageTable:
    """One row per page; a block of 16 pages is read at once.

    Attributes:
        pages: Pages of the region (the last may be short).
        blocks: Blocks of the region.
        hash: (pages,) xxh3_64 of the bytes last read; 0 is none.
        flags: (pages,) KNOWN (read at least once), DATA (allocated), SNAPSHOT (its bytes are
            known), STORED (they take memory).
        changed_ns: (pages,) when a change was last seen, 0 is never.
        count: (pages,) changes seen.
        first: (pages,) first byte of the last change, inside the page.
        last: (pages,) last byte of it.
        rate: (pages,) changes per second as of `changed_ns`.
        in_a_row: (pages,) share of its changes seen in consecutive samples, averaged as `rate`.
        seen_ns: (blocks,) when the block was last read, 0 is never.
    """

    def __init__(self, size: int) -> None:
        self.size: Final = size
        self.pages: Final = -(-size // PAGE)
        self.blocks: Final = -(-size // BLOCK)
        self.cell_pages: Final = cell_pages(self.pages)
        self.cells: Final = -(-self.pages // self.cell_pages)
        rows = -(-self.pages // max(BLOCK_PAGES, self.cell_pages))
        rows *= max(BLOCK_PAGES, self.cell_pages)
        self.hash = np.zeros(rows, np.uint64)
        self.flags = np.zeros(rows, np.uint8)
        self.changed_ns = np.zeros(rows, np.int64)
        self.count = np.zeros(rows, np.uint32)
        self.first = np.zeros(rows, np.uint16)
        self.last = np.zeros(rows, np.uint16)
        self.rate = np.zeros(rows, np.float32)
        self.in_a_row = np.zeros(rows, np.float32)
        self.seen_ns = np.zeros(rows // BLOCK_PAGES, np.int64)
        self.seen_ns[self.blocks :] = _FOREVER
        self._dirty = np.ones(self.cells, np.bool_)
        self._activity: Activity | None = None

    # -- allocation -----------------------------------------------------------------------

    def allocate(self, start: int, end: int, extents: list[Extent], now_ns: int) -> None:
        """Set which pages of [start, end) hold data; holes count as known zeros."""
        first, last = start // PAGE, -(-end // PAGE)
        data = np.zeros(last - first, np.bool_)
        for low, high in extents:
            data[low // PAGE - first : -(-high // PAGE) - first] = True
        flags = self.flags[first:last]
        flags[data] |= DATA
        # A hole is known to be zeros, so that what appears there later is a change.
        flags[(flags & DATA) == 0] |= KNOWN | SNAPSHOT
        blocks = slice(start // BLOCK, -(-end // BLOCK))
        self.seen_ns[blocks][~self._any_data(blocks)] = now_ns
        self._mark(first, last)

    def _any_data(self, blocks: slice) -> npt.NDArray[np.bool_]:
        pages = self.flags[blocks.start * BLOCK_PAGES : blocks.stop * BLOCK_PAGES] & DATA
        # Two words per block instead of sixteen bytes.
        found: npt.NDArray[np.bool_] = (
            pages.view(np.uint64).reshape(-1, BLOCK_PAGES // 8).any(axis=1)
        )
        return found

    def data_blocks(self, first: int, last: int) -> npt.NDArray[np.bool_]:
        """For each block of [first, last) whether any page of it holds data."""
        return self._any_data(slice(first, last))

    def all_data(self, first: int, last: int) -> bool:
        """Whether every page of blocks [first, last) holds data."""
        pages = self.flags[first * BLOCK_PAGES : min(last * BLOCK_PAGES, self.pages)]
        return bool((pages & DATA).all())

    # -- looks -------------------------------------------------------------------------------

    def looked(self, first: int, last: int, now_ns: int) -> None:
        """Pages [first, last), whole blocks, were read."""
        self.seen_ns[first // BLOCK_PAGES : -(-last // BLOCK_PAGES)] = now_ns
        self._mark(first, last)

    def change(self, pages: I64, time_ns: I64, interval_ns: I64) -> None:
        """These pages were seen to change, `interval_ns` after they were read before (0: no rate).

        A rate is changes per second over the real interval between two reads, averaged with
        RATE_TAU_NS; a page cannot be seen to change more than once per read. `rate` is as of
        `changed_ns`; its decay since then is computed when it is shown.
        """
        before_ns, share = self.changed_ns[pages], self.in_a_row[pages]
        rate = self._decayed(self.rate[pages], before_ns, time_ns)
        at_once = (before_ns > 0) & (time_ns - interval_ns == before_ns)
        weight = -np.expm1(np.maximum(time_ns - before_ns, 0) * (-1.0 / RATE_TAU_NS))
        self.in_a_row[pages] = share + (at_once - share) * weight
        interval = np.maximum(interval_ns, 1)
        gain = -np.expm1(interval * (-1.0 / RATE_TAU_NS)) * (1e9 / interval)
        gain[interval_ns <= 0] = 0
        self.rate[pages] = rate + gain
        self.changed_ns[pages] = time_ns
        self.count[pages] += 1

    @staticmethod
    def _decayed(rate: npt.NDArray[Any], since_ns: I64, now_ns: I64) -> npt.NDArray[Any]:
        passed = np.maximum(now_ns - since_ns, 0)
        decayed: npt.NDArray[Any] = rate * np.exp(passed * (-1.0 / RATE_TAU_NS))
        return decayed

    def _mark(self, first: int, last: int) -> None:
        self._dirty[first // self.cell_pages : -(-last // self.cell_pages)] = True

    # -- the picture -----------------------------------------------------------------------------

    def activity(self, now_ns: int, sweep_ns: int, *, exact: bool) -> Activity:
        """The whole region in at most MAX_CELLS cells; the same object when nothing is new."""
        before = self._activity
        cells = np.flatnonzero(self._dirty)
        if before is not None and not len(cells):
            return before
        self._dirty[:] = False
        rate, saturated = self._fold_rate(cells, before)
        self._activity = Activity(
            number=1 if before is None else before.number + 1,
            time_ns=now_ns,
            region_size=self.size,
            cell_bytes=self.cell_pages * PAGE,
            rate=rate,
            saturated=saturated,
            changed_ns=self._fold(self.changed_ns, cells, before and before.changed_ns),
            seen_ns=self._fold_seen(),
            allocated=self._fold(self.flags & DATA != 0, cells, before and before.allocated),
            sweep_ns=sweep_ns,
            exact=exact,
        )
        return self._activity

    def _fold(self, values: npt.NDArray[Any], cells: I64, before: Any) -> npt.NDArray[Any]:
        """The largest of each cell's pages, computed again for `cells` only."""
        rows = values[: self.cells * self.cell_pages].reshape(self.cells, self.cell_pages)
        if before is None or len(cells) * 2 > self.cells:
            return frozen(rows.max(axis=1))
        out = before.copy()
        out[cells] = rows[cells].max(axis=1)
        return frozen(out)

    def _fold_rate(
        self, cells: I64, before: Activity | None
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """The busiest page of each cell, decayed to when its block was last read.

        Returns:
            Its rate, and whether that is only how often it was looked at.
        """
        out = np.zeros(self.cells, np.float32) if before is None else before.rate.copy()
        full = np.zeros(self.cells, np.bool_) if before is None else before.saturated.copy()
        rows = self.rate[: self.cells * self.cell_pages].reshape(self.cells, self.cell_pages)
        busy = cells[rows[cells].any(axis=1)]
        pages = busy[:, None] * self.cell_pages + np.arange(self.cell_pages)
        seen_ns = self.seen_ns[pages // BLOCK_PAGES]
        rates = self._decayed(self.rate[pages], self.changed_ns[pages], seen_ns)
        busiest = pages[np.arange(len(busy)), rates.argmax(axis=1)]
        rate = rates.max(axis=1)
        unchanged_ns = self.seen_ns[busiest // BLOCK_PAGES] - self.changed_ns[busiest]
        out[cells] = 0
        out[busy] = np.where(rate < _LOWEST_RATE, 0, rate)
        full[cells] = False
        full[busy] = (self.in_a_row[busiest] >= _NEARLY_EVERY) & (
            unchanged_ns * rate <= _STILL_BUSY
        )
        return frozen(out), frozen(full)

    def _fold_seen(self) -> npt.NDArray[Any]:
        """For each cell, when its block that was read longest ago was read."""
        if self.cell_pages < BLOCK_PAGES:
            per_block = BLOCK_PAGES // self.cell_pages
            return frozen(np.repeat(self.seen_ns, per_block)[: self.cells])
        per_cell = self.cell_pages // BLOCK_PAGES
        return frozen(self.seen_ns[: self.cells * per_cell].reshape(-1, per_cell).min(axis=1))
