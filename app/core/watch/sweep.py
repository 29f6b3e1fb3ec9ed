"""Sweep: which pages of the whole region change, found exactly, a slice of time at a time.

No system reports what another process or a guest wrote (docs/platform.md, "Memory of a file"),
so everything that is allocated is read and compared: in the mapping itself with the snapshot
where the Region can, else by a safe copy and a hash per page, and pages whose hash changed with
the snapshot (docs/measurements.md, "Change scan"). Holes are not read. A byte that changed and
changed back between two passes is not seen. "Exact" is up to a collision of a 64-bit hash, 2^-64
for each changed page.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from ..region.region import PAGE, Extent, Region
from .frame import Activity
from .own_writes import OwnWrites
from .page_scan import PageScan, Shared, Totals
from .page_table import BLOCK, BLOCK_PAGES, PageTable
from .snapshot import Snapshot

I64 = npt.NDArray[np.int64]
Piece = tuple[int, int, bool]

MEMORY_BOUND: Final = 512 << 20
# The system is asked for allocated ranges window by window, so that each call is short.
WINDOW_BLOCKS: Final = (64 << 20) // BLOCK
# Measured: 1 and 2 MiB pieces are slower here, by what Python costs per piece.
CHUNK_BLOCKS: Final = (4 << 20) // BLOCK
# A piece should not take longer than this, so that a tick is not late.
PIECE_NS: Final = 1_000_000
HOT_BLOCKS: Final = 64
HOT_EVERY_NS: Final = 10_000_000
HOT_REFRESH_NS: Final = 100_000_000
HOT_FOR_NS: Final = 2_000_000_000
# Where a whole pass is this short, reading busy blocks more often would gain nothing.
HOT_FROM_TURN_NS: Final = 50_000_000


class Sweep:
    """The change scan of one region. One thread scans; the others may ask and note writes.

    Args:
        region: What to watch.
        memory_bound: Most bytes of snapshot; beyond it pages are watched by hash only.
        clock: Monotonic nanoseconds.
    """

    def __init__(
        self,
        region: Region,
        *,
        memory_bound: int = MEMORY_BOUND,
        clock: Callable[[], int] = time.monotonic_ns,
        chunk_blocks: int = CHUNK_BLOCKS,
    ) -> None:
        self.region = region
        self.table = PageTable(region.size)
        self.turn_ns = 0
        self.turns = 0
        self._clock = clock
        self._chunk_blocks = chunk_blocks
        snapshot = Snapshot(self.table.pages, memory_bound)
        self._shared = Shared(region, self.table, snapshot, OwnWrites(), threading.Lock(), clock)
        self._scan = PageScan(self._shared, chunk_blocks, self._remember_hot)
        self._piece_blocks = 1
        self._turn: Iterator[Piece] | None = None
        self._turn_start_ns = 0
        self._recent: dict[int, int] = {}
        self._hot: list[int] = []
        self._hot_at = 0
        self._hot_due_ns = 0
        self._mapped_out = False

    # -- scanning ----------------------------------------------------------------------------

    def scan(self, deadline_ns: int) -> bool:
        """Scan until the deadline or the end of the pass, whichever comes first.

        Busy blocks that are due come first, then the pass goes on where it stopped. At least
        one piece is read, so it ends late by a piece at most.

        Returns:
            True when this call completed a pass over the whole region.

        Raises:
            RegionGoneError: The memory behind the region is gone.
        """
        self._visit_hot(deadline_ns)
        self._begin_turn()
        done = self._go_on(deadline_ns)
        if done:
            self._end_turn()
        return done

    def _begin_turn(self) -> None:
        if self._turn is None:
            self._turn_start_ns = self._clock()
            self._turn = self._pieces()

    def _end_turn(self) -> None:
        self._turn = None
        self.turn_ns = max(1, self._clock() - self._turn_start_ns)
        self.turns += 1
        self._shared.own.settle(self._turn_start_ns)

    def _go_on(self, deadline_ns: int) -> bool:
        """Scan pieces until the pass or the time ends; returns whether the pass has ended."""
        try:
            for first, last, full in self._turn or ():
                self._look(first, last, full=full)
                if self._clock() >= deadline_ns:
                    return False
            return True
        except BaseException:
            # After a fault the rest of the pass is unread: the next scan begins a new one.
            self._turn = None
            raise
        finally:
            self._scan.flush()

    def _look(self, first: int, last: int, *, full: bool) -> None:
        """Look at a piece, and fit the next one to what this mapping costs."""
        totals = self._scan.totals
        read, took = totals.read_bytes, totals.read_ns
        self._scan.sample_pages(first, last, full=full)
        per_block = (totals.read_ns - took) * BLOCK // max(1, totals.read_bytes - read)
        fitting = max(1, min(PIECE_NS // max(per_block, 1), self._chunk_blocks))
        self._piece_blocks = min(fitting, self._piece_blocks * 2)

    def _pieces(self) -> Iterator[Piece]:
        """Runs of pages with data, whole blocks, in address order, without holes."""
        table = self.table
        if not self._mapped_out:
            self._ask_allocation(0, table.blocks)
            self._mapped_out = True
        for start in range(0, table.blocks, WINDOW_BLOCKS):
            end = min(start + WINDOW_BLOCKS, table.blocks)
            full = table.all_data(start, end)
            if not full and self.turns:
                self._ask_allocation(start, end)
            yield from self._runs(start, end, full=full)

    def _ask_allocation(self, first: int, last: int) -> None:
        start, end = first * BLOCK, min(last * BLOCK, self.region.size)
        extents = self.region.extents(start, end)
        with self._shared.lock:
            self.table.allocate(start, end, extents, self._clock())

    def _runs(self, start: int, end: int, *, full: bool) -> Iterator[Piece]:
        """The blocks with data in [start, end), as pieces of a size that reads fast enough."""
        data = self.table.data_blocks(start, end)
        at = 0
        while at < len(data):
            at += int(data[at:].argmax())
            if not data[at]:
                return
            run = data[at : at + self._piece_blocks]
            length = len(run) if full or run.all() else int(run.argmin())
            first = (start + at) * BLOCK_PAGES
            yield first, min(first + length * BLOCK_PAGES, self.table.pages), full
            at += length

    def _visit_hot(self, deadline_ns: int) -> None:
        """Read busy blocks more often than once a pass; in at most half of the time."""
        now = self._clock()
        if self.turn_ns and self.turn_ns < HOT_FROM_TURN_NS:
            return
        if now >= self._hot_due_ns:
            self._hot_due_ns = now + HOT_REFRESH_NS
            self._choose_hot(now)
        half = now + (deadline_ns - now) // 2
        for _ in range(len(self._hot)):
            self._hot_at = (self._hot_at + 1) % len(self._hot)
            block = self._hot[self._hot_at]
            if self._clock() - int(self.table.seen_ns[block]) < HOT_EVERY_NS:
                continue
            first = block * BLOCK_PAGES
            last = min(first + BLOCK_PAGES, self.table.pages)
            self._look(first, last, full=False)
            if self._clock() >= half:
                break
        self._scan.flush()

    def _remember_hot(self, changed: I64, now_ns: int) -> None:
        if len(changed) and len(self._recent) < HOT_BLOCKS * 64:
            self._recent.update(dict.fromkeys(np.unique(changed // BLOCK_PAGES).tolist(), now_ns))

    def _choose_hot(self, now_ns: int) -> None:
        """Blocks in view, then the busiest of those that changed lately."""
        self._recent = {b: t for b, t in self._recent.items() if now_ns - t < HOT_FOR_NS}
        rate = self.table.rate.reshape(-1, BLOCK_PAGES)
        busy = sorted(self._recent, key=lambda block: -float(rate[block].max()))
        low, high = self._shared.span
        shown = range(low // BLOCK, -(-high // BLOCK))
        data = self.table.data_blocks(shown.start, shown.stop)
        chosen = [block for block, some in zip(shown, data, strict=True) if some]
        self._hot = list(dict.fromkeys(chosen + busy))[:HOT_BLOCKS]

    @property
    def totals(self) -> Totals:
        """What was read and found since the sweep was made; it grows on."""
        return self._scan.totals

    # -- what others ask ---------------------------------------------------------------------------

    def attend(self, start: int, end: int) -> None:
        """Set the visible range [start, end): its blocks are read often.

        Bytes that change there are counted by the RangeSampler, not in `totals.changed_bytes`.
        """
        self._shared.span = (start, end)

    def count_from(self, time_ns: int) -> None:
        """Leave what changed before this time, between two sweeps, out of `changed_bytes`.

        It has no rate. The next sample of each page separates old changes from new ones.
        """
        self._shared.counted_from_ns = time_ns

    def note_write(self, offset: int, length: int) -> None:
        """Bytes that are about to be written by us; their next change is not a peer's."""
        if length > 0:
            self._shared.own.note(offset, length, self._clock())

    def activity(self) -> Activity:
        """A summary of the whole region; the same object when nothing was read since."""
        with self._shared.lock:
            return self.table.activity(self._clock(), self.turn_ns, exact=self._shared.exact)

    def changed_offsets(self, since_ns: int = 1, leave_out: Extent = (0, 0)) -> I64:
        """First and last byte of the last change of each page changed since then, ascending.

        Args:
            since_ns: Only pages that were seen to change at this time or later.
            leave_out: A range of offsets not to name.
        """
        low, high = leave_out
        with self._shared.lock:
            pages = np.flatnonzero(self.table.changed_ns >= max(1, since_ns))
            at = pages * PAGE
            found = np.union1d(at + self.table.first[pages], at + self.table.last[pages])
        return found[(found < low) | (found >= high)]

    def changed_extents(self, since_ns: int) -> list[Extent]:
        """The pages that were seen to change at this time or later, as ranges of bytes."""
        with self._shared.lock:
            pages = np.flatnonzero(self.table.changed_ns >= max(1, since_ns))
        if not len(pages):
            return []
        breaks = np.flatnonzero(np.diff(pages) > 1)
        first = pages[np.concatenate(([0], breaks + 1))] * PAGE
        last = (pages[np.concatenate((breaks, [len(pages) - 1]))] + 1) * PAGE
        ends = np.minimum(last, self.region.size)
        return list(zip(first.tolist(), ends.tolist(), strict=True))


def next_offset(found: I64, start: int, *, backwards: bool) -> int | None:
    """The next of ascending offsets behind (before) `start`, around the end if need be."""
    if not len(found):
        return None
    if backwards:
        return int(found[int(np.searchsorted(found, start, side="left")) - 1])
    return int(found[int(np.searchsorted(found, start, side="right")) % len(found)])
