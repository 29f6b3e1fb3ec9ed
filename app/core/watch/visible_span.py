"""RangeSampler: the visible bytes, read in one copy, and when each of them last changed.

Each sample reads the range twice: the first copy is the sample, and where the second differs, the
byte is in flux. What is known per byte (when it last changed, and whether we wrote it) is kept when
the range is scrolled or resized; bytes that were not visible before start as never changed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..region.buffers import aligned_bytes
from ..region.region import PAGE, Region
from .frame import I64, U8, Flags, RangeSample
from .own_writes import GRACE_NS
from .page_table import frozen


def empty_sample(start: int, time_ns: int) -> RangeSample:
    """Nothing seen yet."""
    none = frozen(np.zeros(0, np.bool_))
    return RangeSample(
        start=start,
        time_ns=time_ns,
        data=frozen(np.zeros(0, np.uint8)),
        flux=none,
        changed=none,
        changed_ns=frozen(np.zeros(0, np.int64)),
        mine=none,
    )


class RangeSampler:
    """Samples one range after the other. One thread samples; any may call `note_write`.

    Attributes:
        last: The last sample.
        read_bytes: Bytes read so far.
        changed_bytes: Bytes seen to change by another hand than ours so far.
    """

    def __init__(self, region: Region, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._region: Final = region
        self._clock = clock
        self._lock = threading.Lock()
        self._noted: dict[tuple[int, int], int] = {}  # both ends, and when
        self._pending: I64 | None = None
        self._again = aligned_bytes(PAGE)
        self.last = empty_sample(0, 0)
        self.read_bytes = 0
        self.changed_bytes = 0

    def note_write(self, offset: int, length: int) -> None:
        """Bytes that are about to be written by us; their next change is ours."""
        with self._lock:
            self._noted[offset, offset + length] = self._clock()

    def sample(self, start: int, length: int, *, twice: bool = True) -> RangeSample:
        """Read the range and compare it with the sample before.

        Raises:
            RegionGoneError: The memory behind it is gone; `last` stays as it was.
        """
        began_ns = self._clock()
        data = self._read(start, aligned_bytes(length))
        time_ns = self._clock()
        if twice:
            if len(self._again) < length:
                self._again = aligned_bytes(length)
            flux = data != self._read(start, self._again[:length])
        else:
            flux = np.zeros(length, np.bool_)
        self.last = self._compare(start, data, flux, began_ns, time_ns)
        return self.last

    def _read(self, start: int, into: U8) -> U8:
        self._region.read_into(start, into.data)
        self.read_bytes += len(into)
        return into

    def _compare(
        self, start: int, data: U8, flux: Flags, began_ns: int, time_ns: int
    ) -> RangeSample:
        last = self.last
        same = start == last.start and len(data) == len(last.data)
        if same:
            changed, changed_ns, mine = data != last.data, last.changed_ns, last.mine
        else:
            changed, changed_ns, mine = self._moved(start, data)
        self._take_notes(start, len(data), same=same)
        if changed.any():
            changed_ns, mine = changed_ns.copy(), mine.copy()
            changed_ns[changed] = time_ns
            mine[changed] = False if self._pending is None else self._pending[changed] != 0
            self.changed_bytes += int(np.count_nonzero(changed & ~mine))
        self._settle(changed, began_ns)
        return RangeSample(
            start=start,
            time_ns=time_ns,
            data=frozen(data),
            flux=frozen(flux),
            changed=frozen(changed),
            changed_ns=frozen(changed_ns),
            mine=frozen(mine),
        )

    def _moved(self, start: int, data: U8) -> tuple[Flags, I64, Flags]:
        """What is known of the bytes that were visible before."""
        last, length = self.last, len(data)
        here, there = _overlap(start, length, last.start, len(last.data))
        changed = np.zeros(length, np.bool_)
        changed[here] = data[here] != last.data[there]
        return (
            changed,
            _carried(last.changed_ns, length, here, there),
            _carried(last.mine, length, here, there),
        )

    def _take_notes(self, start: int, length: int, *, same: bool) -> None:
        """Mark our own writes in the range; after reading, so that none is missed."""
        if self._pending is not None and not same:
            here, there = _overlap(start, length, self.last.start, len(self.last.data))
            self._pending = _carried(self._pending, length, here, there)
        with self._lock:
            noted, self._noted = self._noted, {}
        for (low, high), noted_ns in noted.items():
            if low < start + length and high > start:
                if self._pending is None:
                    self._pending = np.zeros(length, np.int64)
                self._pending[max(0, low - start) : high - start] = noted_ns

    def _settle(self, changed: Flags, began_ns: int) -> None:
        """Drop notes whose change was seen, or that have expired."""
        if self._pending is not None:
            self._pending[changed] = 0
            self._pending[self._pending + GRACE_NS <= began_ns] = 0
            if not self._pending.any():
                self._pending = None

    def changed_offsets(self, since_ns: int) -> I64:
        """Ascending offsets in view whose last change, not ours, was at `since_ns` or later."""
        last = self.last
        recent = (last.changed_ns >= max(1, since_ns)) & ~last.mine
        return np.flatnonzero(recent) + last.start


def _overlap(start: int, length: int, start2: int, length2: int) -> tuple[slice, slice]:
    """The common part of two ranges, as a slice of each of them."""
    low = max(start, start2)
    high = max(low, min(start + length, start2 + length2))
    return slice(low - start, high - start), slice(low - start2, high - start2)


def _carried(old: npt.NDArray[Any], length: int, here: slice, there: slice) -> npt.NDArray[Any]:
    new = np.zeros(length, old.dtype)
    new[here] = old[there]
    return new
