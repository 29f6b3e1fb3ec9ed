"""What the waterfall remembers: when each look at the region was made, and what it found."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ....core.watch.frame import Activity
from ....core.watch.timing import longest_gap_ns
from ...style.heat_colors import heat_index
from .time_view import LONGEST_S

U8 = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

COLUMNS: Final = 4096
# An Activity is made ten times a second at most.
CAPACITY: Final = round(LONGEST_S * 10) + 500


def fold(values: npt.NDArray[Any], columns: int) -> npt.NDArray[Any]:
    """Columns folded to at most `columns`, each the busiest of those that it stands for."""
    count = values.shape[-1]
    if count <= columns:
        return values
    edges = np.linspace(0, count, columns, endpoint=False).astype(np.int64)
    folded: npt.NDArray[Any] = np.maximum.reduceat(values, edges, axis=-1)
    return folded


def moved(activity: Activity, since_ns: int) -> npt.NDArray[np.float32]:
    """The rate of each cell that was seen to change since then, else 0.

    A cell that was not looked at since then keeps what the last look found. The rates of an
    Activity fade, so that they are seen; in the past, what stopped has stopped.
    """
    lit = activity.changed_ns >= np.minimum(since_ns, activity.seen_ns)
    rates: npt.NDArray[np.float32] = np.where(lit, activity.rate, 0)
    return rates


class HeatHistory:
    """The last five minutes of Activities, each with the time that it stands for.

    A row stands for the time since the look before it. Where nobody looked (a pause, a stopped
    engine, a busy window) there is a gap, which no row stands for.
    """

    def __init__(self) -> None:
        # Twice as many as are kept, so that they are moved once in five minutes.
        self._room = 2 * CAPACITY
        self._starts = np.zeros(self._room, np.int64)
        self._ends = np.zeros(self._room, np.int64)
        self._rows: U8 = np.zeros((0, 0), np.uint8)
        self._first = self._behind = 0
        self._number = -1
        self._since_ns = 0

    def __len__(self) -> int:
        return self._behind - self._first

    def clear(self) -> None:
        """Forget all."""
        self._first = self._behind = 0
        self._number, self._since_ns = -1, 0
        self._rows = np.zeros((0, 0), np.uint8)

    @property
    def columns(self) -> int:
        """How many there are of a region of this size."""
        return int(self._rows.shape[1])

    @property
    def last_ns(self) -> int:
        """Until when it is known; 0 = nothing is."""
        return int(self._ends[self._behind - 1]) if len(self) else 0

    def interrupt(self) -> None:
        """Nobody looks for now: what follows does not join what was."""
        self._since_ns = 0

    def add(self, activity: Activity, period_ns: int) -> None:
        """Take an Activity, unless it is none or known already."""
        if not activity.time_ns or activity.number == self._number:
            return
        self._number = activity.number
        start, self._since_ns = self._since_ns, activity.time_ns
        if not 0 < activity.time_ns - start <= longest_gap_ns(period_ns):
            return  # the first look after a gap: when it began to be so is not known
        columns = min(COLUMNS, len(activity.rate))
        if self._rows.shape[1] != columns:
            self._rows = np.zeros((self._room, columns), np.uint8)
            self._first = self._behind = 0
        if self._behind == self._room:
            self._make_room()
        at = self._behind
        self._starts[at], self._ends[at] = start, activity.time_ns
        self._rows[at] = heat_index(fold(moved(activity, start), columns))
        self._behind += 1
        self._first = max(self._first, self._behind - CAPACITY)

    def _make_room(self) -> None:
        kept = slice(self._first, self._behind)
        for part in (self._starts, self._ends, self._rows):
            part[: len(self)] = part[kept].copy()
        self._first, self._behind = 0, len(self)

    def picture(
        self, end_ns: int, slot_ns: float, rows: int, part: tuple[float, float], columns: int
    ) -> tuple[U8, Flags]:
        """The past in slots of equal time.

        Args:
            end_ns: Where the first, newest slot ends.
            slot_ns: How long each is.
            rows: How many of them.
            part: Shares of the region, 0 to 1, between which is shown.
            columns: At most so many.

        Returns:
            (rows, n) indices into the heat table, the busiest of what each stands for; (rows,)
            whether anything is known of a slot.
        """
        kept = slice(self._first, self._behind)
        width = self._rows.shape[1]
        low = min(int(part[0] * width), max(0, width - 1))
        high = min(max(low + 1, int(np.ceil(part[1] * width))), width)
        edges = end_ns - np.arange(rows + 1) * slot_ns
        first = np.searchsorted(self._ends[kept], edges[1:], "right")
        behind = np.searchsorted(self._starts[kept], edges[:-1], "left")
        known = behind > first
        if not known.any():
            return np.zeros((rows, max(1, min(columns, high - low))), np.uint8), known
        data = self._rows[kept, low:high]
        bounds = np.stack((first, behind), axis=1)[known]
        # Slots shorter than a look share its row: each pair of bounds is folded once.
        pairs, which = np.unique(bounds, axis=0, return_inverse=True)
        # Faster than reduceat, which does not use the processor's vectors here.
        found = np.stack([data[start:end].max(axis=0) for start, end in pairs.tolist()])
        folded = fold(found, columns)
        picture = np.zeros((rows, folded.shape[1]), np.uint8)
        picture[known] = folded[which.ravel()]
        return picture, known
