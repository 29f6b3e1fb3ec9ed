"""OwnWrites: which bytes this process wrote, so that their next change is not counted as a peer's.

A write is noted just before the bytes change; the sample in which the change appears may be taken
before or after that. So a note is kept until its bytes were seen to change (it is consumed byte by
byte for the visible range, page by page for the sweep), or until a complete pass that began
GRACE_NS after it saw no change: then the write changed nothing, or did not take effect.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

import numpy as np
import numpy.typing as npt

from ..region.region import PAGE

Flags = npt.NDArray[np.bool_]
I64 = npt.NDArray[np.int64]

GRACE_NS: Final = 250_000_000
MAX_NOTES: Final = 1024


class _Note:
    """One noted range and the pages of it that were seen to change already."""

    __slots__ = ("consumed", "end", "noted_ns", "start")

    def __init__(self, start: int, end: int, noted_ns: int) -> None:
        self.start = start
        self.end = end
        self.noted_ns = noted_ns
        self.consumed: Flags | None = None

    def take(self, pages: I64) -> Flags:
        """Which of `pages` this note still covers; those pages are consumed."""
        base = self.start // PAGE
        inside = (pages >= base) & (pages * PAGE < self.end)
        if self.consumed is None and inside.any():
            self.consumed = np.zeros(-(-self.end // PAGE) - base, np.bool_)
        if self.consumed is not None:
            at = pages[inside] - base
            inside[inside] = ~self.consumed[at]
            self.consumed[at] = True
        return inside


class OwnWrites:
    """The notes of one sweep. `note` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._notes: OrderedDict[tuple[int, int], _Note] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._notes)

    def note(self, offset: int, length: int, now_ns: int) -> None:
        """These bytes are about to be written by us. Beyond a limit the oldest note is dropped."""
        key = (offset, offset + length)
        with self._lock:
            self._notes.pop(key, None)
            self._notes[key] = _Note(*key, now_ns)
            if len(self._notes) > MAX_NOTES:
                self._notes.popitem(last=False)

    def settle(self, looked_since_ns: int) -> None:
        """Everything was read after `looked_since_ns`: drop the notes from before."""
        with self._lock:
            old = [k for k, n in self._notes.items() if n.noted_ns + GRACE_NS <= looked_since_ns]
            for key in old:
                del self._notes[key]

    def take(self, pages: I64) -> list[tuple[int, int, Flags]]:
        """Ranges of ours that touch these changed pages: (start, end, which of the pages)."""
        with self._lock:
            notes = list(self._notes.values())
        taken = []
        for note in notes:
            inside = note.take(pages)
            if inside.any():
                taken.append((note.start, note.end, inside))
        return taken


def own_bytes(pages: I64, taken: list[tuple[int, int, Flags]]) -> Flags:
    """(len(pages), PAGE) True for each byte that was our own write."""
    own = np.zeros((len(pages), PAGE), np.bool_)
    for start, end, inside in taken:
        for row in np.flatnonzero(inside):
            base = int(pages[row]) * PAGE
            own[row, max(0, start - base) : max(0, end - base)] = True
    return own
