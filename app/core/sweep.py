"""Sweep: which pages of the whole region change, found exactly, a slice of time at a time.

Nothing tells what another process or a guest wrote (perf.md section 6), so everything that is
allocated is read and compared. It is read into a scratch through the Region's safe copy, a
hash per page says whether it changed, and only changed pages are compared with the snapshot
(perf.md section 5). Holes are not read. What changed and changed back between two looks is
not seen. "Exact" is up to a collision of a 64-bit hash, 2^-64 for each changed page.
"""

from __future__ import annotations

import mmap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from app.core.changes import Comparer
from app.core.frame import Activity
from app.core.own_writes import OwnWrites, own_bytes
from app.core.page_table import BLOCK, BLOCK_PAGES, DATA, KNOWN, SNAPSHOT, STORED, PageTable
from app.core.region import PAGE, Extent, Region
from app.core.snapshot import SLAB_PAGES, Snapshot

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

MEMORY_BOUND: Final = 512 << 20
# Allocation is asked for window by window, so that one question stays short.
WINDOW_BLOCKS: Final = (64 << 20) // BLOCK
CHUNK_BLOCKS: Final = (256 << 10) // BLOCK
# A piece should not take longer than this, so that a tick that is due is not kept waiting.
PIECE_NS: Final = 1_000_000
HOT_BLOCKS: Final = 64
HOT_EVERY_NS: Final = 10_000_000
HOT_REFRESH_NS: Final = 100_000_000
HOT_FOR_NS: Final = 2_000_000_000
# Where a whole turn is this short, visiting hot blocks apart would gain nothing.
HOT_FROM_TURN_NS: Final = 50_000_000


@dataclass(slots=True)
class Totals:
    """What the sweep has done since it was made; only grows.

    Attributes:
        read_bytes: Bytes read.
        read_ns: Wall time inside reads.
        changed_bytes: Bytes seen to differ, our own writes left out; where only hashes are
            kept, a changed page counts whole.
        changed_pages: Pages seen to change.
        turns: Complete turns over the region.
    """

    read_bytes: int = 0
    read_ns: int = 0
    changed_bytes: int = 0
    changed_pages: int = 0
    turns: int = 0


class Sweep:
    """The change scan of one region. One thread scans; find_change and note_write are for any.

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
        self.snapshot = Snapshot(memory_bound)
        self.totals = Totals()
        self.turn_ns = 0
        self.exact = True
        self._clock = clock
        self._lock = threading.Lock()
        self._own = OwnWrites()
        self._chunk = max(1, min(chunk_blocks, SLAB_PAGES // BLOCK_PAGES))
        size = self._chunk * BLOCK
        # Page-aligned: a scratch a few bytes off costs the kernel's copy three quarters of its
        # speed on some processors (measured, rep movsb).
        self._scratch = memoryview(mmap.mmap(-1, size))
        self._bytes = np.frombuffer(self._scratch, np.uint8).reshape(-1, PAGE)
        self._parts = [self._scratch[at : at + PAGE] for at in range(0, size, PAGE)]
        self._comparer = Comparer(size)
        self._piece_blocks = 1
        self._turn: Iterator[tuple[int, int]] | None = None
        self._turn_start_ns = 0
        self._span: Extent = (0, 0)
        self._recent: dict[int, int] = {}
        self._hot: list[int] = []
        self._hot_at = 0
        self._hot_due_ns = 0
        self._mapped_out = False

    # -- scanning ----------------------------------------------------------------------------

    def scan(self, deadline_ns: int) -> bool:
        """Go on until the deadline or the end of the turn, whichever comes first.

        Hot blocks that are due come first, then the turn goes on where it stopped. At least
        one piece is looked at, so that it ends late by a piece at most.

        Returns:
            True when this call completed a turn over the whole region.

        Raises:
            RegionGoneError: The memory behind the region is gone.
        """
        self._visit_hot(deadline_ns)
        if self._turn is None:
            self._turn = self._pieces()
            self._turn_start_ns = self._clock()
        for first, last in self._turn:
            self._look(first, last)
            if self._clock() >= deadline_ns:
                return False
        self._end_turn()
        return True

    def full_scan(self) -> Totals:
        """One complete turn from the start, now. What it found is the growth of the totals."""
        before = Totals(**{name: getattr(self.totals, name) for name in Totals.__slots__})
        self._turn = None
        while not self.scan(self._clock() + 1_000_000_000):
            pass
        return Totals(
            **{
                name: getattr(self.totals, name) - getattr(before, name)
                for name in Totals.__slots__
            }
        )

    def _end_turn(self) -> None:
        now = self._clock()
        self.turn_ns = max(1, now - self._turn_start_ns)
        self.totals.turns += 1
        self._own.settle(self._turn_start_ns)
        self._turn = None

    def _pieces(self) -> Iterator[tuple[int, int]]:
        """Ranges of pages with data, whole blocks, in address order; holes are asked for."""
        if not self._mapped_out:
            self._ask_allocation(0, self.table.blocks)
            self._mapped_out = True
        for start in range(0, self.table.blocks, WINDOW_BLOCKS):
            end = min(start + WINDOW_BLOCKS, self.table.blocks)
            pages = self.table.flags[start * BLOCK_PAGES : min(end * BLOCK_PAGES, self.table.pages)]
            if self.totals.turns and not (pages & DATA).all():
                self._ask_allocation(start, end)
            yield from self._runs(start, end)

    def _ask_allocation(self, first: int, last: int) -> None:
        start, end = first * BLOCK, min(last * BLOCK, self.region.size)
        extents = self.region.extents(start, end)
        with self._lock:
            self.table.allocate(start, end, extents, self._clock())

    def _runs(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The blocks with data in [start, end), as ranges of pages of at most a piece."""
        data = self.table.data_blocks(start, end)
        at = 0
        slab_blocks = SLAB_PAGES // BLOCK_PAGES
        while at < len(data):
            skip = int(data[at:].argmax())
            at += skip
            if not data[at]:
                return
            limit = min(self._piece_blocks, slab_blocks - (start + at) % slab_blocks)
            run = data[at : at + limit]
            length = len(run) if run.all() else int((~run).argmax())
            first = (start + at) * BLOCK_PAGES
            yield first, min(first + length * BLOCK_PAGES, self.table.pages)
            at += length

    def _visit_hot(self, deadline_ns: int) -> None:
        """Look at busy blocks more often than the turn comes by; at most half of the time."""
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
            self._look(first, min(first + BLOCK_PAGES, self.table.pages))
            if self._clock() >= half:
                return

    def _remember_hot(self, changed: I64, now_ns: int) -> None:
        if len(changed) and len(self._recent) < HOT_BLOCKS * 64:
            self._recent.update(dict.fromkeys(np.unique(changed // BLOCK_PAGES).tolist(), now_ns))

    def _choose_hot(self, now_ns: int) -> None:
        """Blocks in view, then the busiest of those that changed lately."""
        self._recent = {b: t for b, t in self._recent.items() if now_ns - t < HOT_FOR_NS}
        rate = self.table.rate.reshape(-1, BLOCK_PAGES)
        busy = sorted(self._recent, key=lambda block: -float(rate[block].max()))
        low, high = self._span
        shown = range(low // BLOCK, -(-high // BLOCK))
        data = self.table.data_blocks(shown.start, shown.stop)
        chosen = [block for block, some in zip(shown, data, strict=True) if some]
        self._hot = list(dict.fromkeys(chosen + busy))[:HOT_BLOCKS]

    # -- one look ------------------------------------------------------------------------------

    def _look(self, first: int, last: int) -> None:
        """Read pages [first, last) of one slab, find what changed, remember how it is now."""
        pages = self._read(first, last)
        now = self._clock()
        table = self.table
        parts = self._some_parts(pages, last - first)
        digests = np.fromiter(map(xxh3_64_intdigest, parts), np.uint64, len(parts))
        differs = np.flatnonzero(digests != table.hash[first:last][pages])
        with self._lock:
            if not len(differs):
                table.looked(first, last, differs, now)
                return
            inside = differs if isinstance(pages, slice) else pages[differs]
            known = table.flags[first + inside] & KNOWN != 0
            changed = self._compare(first, inside[known]) if known.any() else inside[:0]
            table.hash[first + inside] = digests[differs]
            self._keep(first, inside)
            table.flags[first + inside] |= KNOWN
            table.looked(first, last, changed, now)
            self._remember_hot(changed, now)

    def _some_parts(self, pages: I64 | slice, count: int) -> list[memoryview]:
        if isinstance(pages, slice):
            return self._parts[:count]
        return [self._parts[page] for page in pages]

    def _read(self, first: int, last: int) -> I64 | slice:
        """Fill the scratch with the pages that hold data; which they are."""
        start = time.monotonic_ns()
        data = self.table.flags[first:last] & DATA != 0
        end = min(last * PAGE, self.region.size)
        length = end - first * PAGE
        if data.all():
            self.region.read_into(first * PAGE, self._scratch[:length])
            pages: I64 | slice = slice(None)
        else:
            pages = np.flatnonzero(data)
            length = self._read_runs(first, pages)
        if end % PAGE and last == self.table.pages:
            self._bytes[end // PAGE - first, end % PAGE :] = 0
        self._count_read(length, time.monotonic_ns() - start)
        return pages

    def _read_runs(self, first: int, pages: I64) -> int:
        """Read only the given pages, each run of neighbours in one go; bytes read."""
        cuts = np.flatnonzero(np.diff(pages) != 1) + 1
        total = 0
        for run in np.split(pages, cuts):
            low = int(run[0]) * PAGE
            high = min((int(run[-1]) + 1) * PAGE, self.region.size - first * PAGE)
            self.region.read_into(first * PAGE + low, self._scratch[low:high])
            total += high - low
        return total

    def _count_read(self, length: int, took_ns: int) -> None:
        """Count, and fit the next piece to what this mapping costs."""
        self.totals.read_bytes += length
        self.totals.read_ns += took_ns
        per_block = took_ns * BLOCK // max(length, 1)
        fitting = max(1, min(PIECE_NS // max(per_block, 1), self._chunk))
        self._piece_blocks = min(fitting, self._piece_blocks * 2)

    def _compare(self, first: int, inside: I64) -> I64:
        """Which of these known pages changed by another hand than ours (absolute numbers)."""
        pages = first + inside
        table = self.table
        now = self._bytes[inside]
        before = self.snapshot.slab(first)[pages % SLAB_PAGES]
        taken = self._own.take(pages) if self._own else []
        ours = np.zeros(len(pages), np.bool_)
        if taken:
            own = own_bytes(pages, taken)
            before[own] = now[own]
            ours = own.any(axis=1)
        found = self._comparer.pages(now.reshape(-1), before.reshape(-1))
        by_hash = table.flags[pages] & SNAPSHOT == 0
        found.count[by_hash] = np.where(ours[by_hash], 0, PAGE)
        found.first[by_hash] = 0
        found.last[by_hash] = PAGE - 1
        # What was a hole has changed by being there, even if only zeros were written.
        theirs = (found.count > 0) | ((table.hash[pages] == 0) & ~ours)
        table.first[pages[theirs]] = found.first[theirs]
        table.last[pages[theirs]] = found.last[theirs]
        self.totals.changed_pages += int(np.count_nonzero(theirs))
        self.totals.changed_bytes += int(found.count.sum()) - self._attended(pages, now, before)
        changed: I64 = pages[theirs]
        return changed

    def _attended(self, pages: I64, now: U8, before: U8) -> int:
        """Changed bytes in the span that somebody else looks at, and counts."""
        low, high = self._span
        total = 0
        for row in np.flatnonzero((pages * PAGE < high) & (pages * PAGE + PAGE > low)):
            base = int(pages[row]) * PAGE
            part = slice(max(0, low - base), min(PAGE, high - base))
            if self.table.flags[pages[row]] & SNAPSHOT:
                total += int(np.count_nonzero(now[row, part] != before[row, part]))
        return total

    def _keep(self, first: int, inside: I64) -> None:
        """Store the pages in the snapshot as far as there is room."""
        table, pages = self.table, first + inside
        new = table.flags[pages] & STORED == 0
        room = self.snapshot.room
        if int(new.sum()) > room:
            keep = ~new | (np.cumsum(new) <= room)
            table.flags[pages[~keep]] &= ~np.uint8(SNAPSHOT)
            self.exact = False
            inside, pages, new = inside[keep], pages[keep], new[keep]
        if len(pages):
            self.snapshot.slab(first)[pages % SLAB_PAGES] = self._bytes[inside]
            self.snapshot.count_stored(int(new.sum()))
            table.flags[pages] |= STORED | SNAPSHOT

    # -- what others ask ---------------------------------------------------------------------------

    def attend(self, start: int, end: int) -> None:
        """[start, end) is in view: look there often, and leave its bytes to whoever shows it.

        Bytes that change there are not counted in `totals.changed_bytes`.
        """
        self._span = (start, end)

    def note_write(self, offset: int, length: int) -> None:
        """Bytes about to be written by our own hand; their next change is not a peer's."""
        if length > 0:
            self._own.note(offset, length, self._clock())

    def activity(self) -> Activity:
        """The whole region at a glance; the same object when nothing was looked at since."""
        with self._lock:
            return self.table.activity(self.turn_ns, exact=self.exact)

    def changed_offsets(self, since_ns: int = 1, leave_out: Extent = (0, 0)) -> I64:
        """First and last byte of the last change of each page changed since then, ascending.

        Args:
            since_ns: Only pages that were seen to change at this time or later.
            leave_out: A range of offsets not to name.
        """
        low, high = leave_out
        with self._lock:
            pages = np.flatnonzero(self.table.changed_ns >= max(1, since_ns))
            at = pages * PAGE
            found = np.union1d(at + self.table.first[pages], at + self.table.last[pages])
        return found[(found < low) | (found >= high)]

    def find_change(self, start: int, *, backwards: bool = False, within_ns: int = 0) -> int | None:
        """The next byte behind (before) `start` that was seen to change, wrapping around."""
        found = self.changed_offsets(self._clock() - within_ns if within_ns else 1)
        return next_offset(found, start, backwards=backwards)


def next_offset(found: I64, start: int, *, backwards: bool) -> int | None:
    """The next of ascending offsets behind (before) `start`, around the end if need be."""
    if not len(found):
        return None
    if backwards:
        return int(found[int(np.searchsorted(found, start, side="left")) - 1])
    return int(found[int(np.searchsorted(found, start, side="right")) % len(found)])
