"""PageScan: one pass over a run of pages: what may have changed is copied and compared exactly.

Where the Region can compare its mapping with the snapshot, only pages that differ are copied.
Elsewhere all are, by the Region's safe copy into a small scratch, and a hash per page says which
changed: unchanged memory is read once, and the snapshot not at all (docs/measurements.md,
"Change scan").
Changed pages are gathered and compared with the snapshot in batches: numpy costs a
microsecond per call, and a few pages at a time would spend more on calls than on bytes.
"""

from __future__ import annotations

import mmap
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from ..region.region import PAGE, Extent, Region
from .byte_changes import Comparer
from .own_writes import OwnWrites
from .page_table import BLOCK, BLOCK_PAGES, DATA, KNOWN, SNAPSHOT, STORED, PageTable
from .snapshot import Snapshot

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

BATCH_PAGES: Final = 256
# Holds data, and its bytes are in the snapshot.
_COMPARABLE: Final = DATA | STORED


@dataclass(slots=True)
class Totals:
    """Running totals.

    Attributes:
        read_bytes: Bytes read.
        read_ns: Wall time inside reads.
        changed_bytes: Bytes seen to differ, without our own writes and the visible range, and
            without those that changed while sampling stood still (Sweep.count_from);
            where only hashes are kept, a changed page counts with all its bytes.
        changed_pages: Pages seen to change, our own writes left out.
    """

    read_bytes: int = 0
    read_ns: int = 0
    changed_bytes: int = 0
    changed_pages: int = 0


@dataclass(slots=True)
class Shared:
    """What a scan works on; `lock` is for those that ask while it does.

    Changes of a page that was last read before `counted_from_ns` are not counted.
    """

    region: Region
    table: PageTable
    snapshot: Snapshot
    own: OwnWrites
    lock: threading.Lock
    clock: Callable[[], int]
    span: Extent = (0, 0)
    exact: bool = True
    counted_from_ns: int = 0


class PageScan:
    """The scratch and the batch of the thread that scans.

    Args:
        shared: What it works on.
        chunk_blocks: Blocks that fit into the scratch.
        on_change: Called with (pages, time) of each batch of changed pages, with the lock held.
    """

    def __init__(
        self, shared: Shared, chunk_blocks: int, on_change: Callable[[I64, int], None]
    ) -> None:
        self.totals = Totals()
        self._shared = shared
        self._on_change = on_change
        size = chunk_blocks * BLOCK
        # Page-aligned: into an unaligned buffer the kernel's copy (rep movsb) has a quarter of its
        # speed on some processors (measured).
        self._scratch = memoryview(mmap.mmap(-1, size))
        self._pages = np.frombuffer(self._scratch, np.uint8).reshape(-1, PAGE)
        self._parts = [self._scratch[at : at + PAGE] for at in range(0, size, PAGE)]
        room = BATCH_PAGES + len(self._parts)
        self._comparer = Comparer(room * PAGE)
        self._now = np.zeros((room, PAGE), np.uint8)
        self._page = np.zeros(room, np.int64)
        self._hash = np.zeros(room, np.uint64)
        self._time_ns = np.zeros(room, np.int64)
        self._interval_ns = np.zeros(room, np.int64)
        self._held = 0

    # -- looking -------------------------------------------------------------------------------

    def sample_pages(self, first: int, last: int, *, full: bool) -> None:
        """Read pages [first, last), whole blocks; `full` when all of them hold data.

        What changed is known after `flush` at the latest. A page must not be read again
        before that.
        """
        shared, table = self._shared, self._shared.table
        pages = self._read_differing(first, last)
        if pages is None:
            pages = self._read(first, last, full=full)
        now_ns = shared.clock()
        if pages is None or len(pages):
            self._hold_changed(first, last, pages, now_ns)
        table.looked(first, last, now_ns)

    def _hold_changed(self, first: int, last: int, pages: I64 | None, now_ns: int) -> None:
        """Hash the pages read, and put those with a new hash into the batch."""
        table = self._shared.table
        if pages is None:
            parts, old = self._parts[: last - first], table.hash[first:last]
        else:
            parts, old = [self._parts[page] for page in pages.tolist()], table.hash[first + pages]
        digests = np.fromiter(map(xxh3_64_intdigest, parts), np.uint64, len(parts))
        differs = np.flatnonzero(digests != old)
        if len(differs):
            inside = differs if pages is None else pages[differs]
            self._hold(first, inside, digests[differs], now_ns)

    def _read_differing(self, first: int, last: int) -> I64 | None:
        """Fill the scratch with pages that differ from the snapshot, where the Region can tell.

        Returns:
            Which they are; None when all pages have to be read.
        """
        region, table = self._shared.region, self._shared.table
        if not (table.flags[first:last] & _COMPARABLE == _COMPARABLE).all():
            return None
        began = time.monotonic_ns()
        end = min(last * PAGE, region.size)
        length = end - first * PAGE
        before = self._shared.snapshot.pages[first:last].reshape(-1)[:length]
        flags = region.read_differing(first * PAGE, self._scratch[:length], before.data)
        if flags is None:
            return None
        self._pad(first, end)
        self.totals.read_bytes += length
        self.totals.read_ns += time.monotonic_ns() - began
        return np.flatnonzero(np.frombuffer(flags, np.uint8))

    def _pad(self, first: int, end: int) -> None:
        """Fill the part of the last page behind the region's end with zeros."""
        if end % PAGE:
            self._pages[end // PAGE - first, end % PAGE :] = 0

    def _read(self, first: int, last: int, *, full: bool) -> I64 | None:
        """Fill the scratch with the pages that hold data; which they are, None for all."""
        region, table = self._shared.region, self._shared.table
        began = time.monotonic_ns()
        end = min(last * PAGE, region.size)
        length = end - first * PAGE
        pages = None if full else np.flatnonzero(table.flags[first:last] & DATA)
        if pages is None or len(pages) == last - first:
            pages = None
            region.read_into(first * PAGE, self._scratch[:length])
        else:
            length = self._read_runs(first, pages)
        self._pad(first, end)
        self.totals.read_bytes += length
        self.totals.read_ns += time.monotonic_ns() - began
        return pages

    def _read_runs(self, first: int, pages: I64) -> int:
        """Read only the given pages, each run of neighbours in one go; bytes read."""
        cuts = np.flatnonzero(np.diff(pages) != 1) + 1
        total = 0
        for run in np.split(pages, cuts):
            low = int(run[0]) * PAGE
            high = min((int(run[-1]) + 1) * PAGE, self._shared.region.size - first * PAGE)
            self._shared.region.read_into(first * PAGE + low, self._scratch[low:high])
            total += high - low
        return total

    def _hold(self, first: int, inside: I64, digests: U64, now_ns: int) -> None:
        """Put pages whose hash is new into the batch."""
        held = slice(self._held, self._held + len(inside))
        pages = first + inside
        seen_ns = self._shared.table.seen_ns[pages // BLOCK_PAGES]
        self._now[held] = self._pages[inside]
        self._page[held] = pages
        self._hash[held] = digests
        self._time_ns[held] = now_ns
        self._interval_ns[held] = np.where(seen_ns, now_ns - seen_ns, 0)
        self._held = held.stop
        if self._held >= BATCH_PAGES:
            self.flush()

    # -- comparing -------------------------------------------------------------------------------

    def flush(self) -> None:
        """Compare the batch with the snapshot, and enter what changed into the table."""
        held, self._held = self._held, 0
        if held:
            with self._shared.lock:
                self._settle(held)

    def _settle(self, held: int) -> None:
        table, pages = self._shared.table, self._page[:held]
        flags = table.flags[pages]
        known = flags & KNOWN != 0
        last_ns = self._time_ns[:held] - self._interval_ns[:held]
        if known.all():
            changed = self._compare(pages, self._now[:held], flags, last_ns)
        elif known.any():
            changed = np.zeros(held, np.bool_)
            changed[known] = self._compare(
                pages[known], self._now[:held][known], flags[known], last_ns[known]
            )
        else:
            changed = known
        table.hash[pages] = self._hash[:held]
        self._keep(pages, self._now[:held], flags)
        if changed.any():
            which, time_ns = pages[changed], self._time_ns[:held][changed]
            table.change(which, time_ns, self._interval_ns[:held][changed])
            self._on_change(which, int(time_ns[-1]))

    def _compare(self, pages: I64, now: U8, flags: U8, last_ns: I64) -> Flags:
        """Which of these known pages, last read at `last_ns`, changed apart from our own writes."""
        shared, table = self._shared, self._shared.table
        before = shared.snapshot.of(pages)
        ours = self._forget_own(pages, now, before) if shared.own else np.zeros(1, np.bool_)
        found = self._comparer.pages(now.reshape(-1), before.reshape(-1))
        by_hash = flags & SNAPSHOT == 0
        found.count[by_hash] = np.where(ours, 0, PAGE)[by_hash] if len(ours) > 1 else PAGE
        found.first[by_hash] = 0
        found.last[by_hash] = PAGE - 1
        # A page that was a hole has changed, even if only zeros were written.
        theirs: Flags = (found.count > 0) | ((table.hash[pages] == 0) & ~ours)
        table.first[pages[theirs]] = found.first[theirs]
        table.last[pages[theirs]] = found.last[theirs]
        self.totals.changed_pages += int(np.count_nonzero(theirs))
        counted = last_ns >= shared.counted_from_ns
        in_view = self._in_view(pages, now, before, counted & ~by_hash)
        self.totals.changed_bytes += int(found.count[counted].sum()) - in_view
        return theirs

    def _forget_own(self, pages: I64, now: U8, before: U8) -> Flags:
        """Enter our own writes into `before`, so that they do not differ; the pages concerned."""
        own = self._shared.own.take(pages)
        if own is None:
            return np.zeros(len(pages), np.bool_)
        before[own] = now[own]
        touched: Flags = own.any(axis=1)
        return touched

    def _in_view(self, pages: I64, now: U8, before: U8, counted: Flags) -> int:
        """Of what is counted, changed bytes in the visible range: the RangeSampler counts them."""
        low, high = self._shared.span
        rows = (pages * PAGE < high) & (pages * PAGE + PAGE > low) & counted
        total = 0
        for row in np.flatnonzero(rows):
            base = int(pages[row]) * PAGE
            part = slice(max(0, low - base), min(PAGE, high - base))
            total += int(np.count_nonzero(now[row, part] != before[row, part]))
        return total

    def _keep(self, pages: I64, now: U8, flags: U8) -> None:
        """Store the pages in the snapshot as far as there is room."""
        shared = self._shared
        fits = shared.snapshot.places(pages, flags & STORED == 0)
        flags = flags | np.uint8(KNOWN | SNAPSHOT | STORED)
        if fits.all():
            shared.snapshot.pages[pages] = now
        else:
            shared.exact = False
            shared.snapshot.pages[pages[fits]] = now[fits]
            flags[~fits] &= ~np.uint8(SNAPSHOT | STORED)
        shared.table.flags[pages] = flags
