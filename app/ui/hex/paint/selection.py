"""Cursor and selection as one immutable value."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .pane_layout import PaneLayout


@dataclass(frozen=True, slots=True)
class Selection:
    """A cursor, and the byte that a selection began at.

    Attributes:
        cursor: Offset of the byte under the cursor.
        anchor: The other end, itself selected; None when nothing is.
    """

    cursor: int = 0
    anchor: int | None = None

    @property
    def start(self) -> int:
        """First selected byte; the cursor when nothing is selected."""
        return self.cursor if self.anchor is None else min(self.cursor, self.anchor)

    @property
    def length(self) -> int:
        """Selected bytes; 0 when nothing is."""
        return 0 if self.anchor is None else abs(self.cursor - self.anchor) + 1

    @property
    def end(self) -> int:
        """Offset behind the last selected byte."""
        return self.start + self.length

    def span(self) -> tuple[int, int]:
        """What an action works on: the selected bytes, or the one under the cursor."""
        return self.start, max(1, self.length)

    def moved(self, to: int, size: int, *, extend: bool = False) -> Selection:
        """The cursor elsewhere, clamped to the region.

        Args:
            to: Where to.
            size: Bytes in the region.
            extend: Select from where the selection began (or the cursor was) to there.
        """
        cursor = min(max(0, to), max(0, size - 1))
        if not extend or size <= 0:
            return Selection(cursor)
        return Selection(cursor, self.cursor if self.anchor is None else self.anchor)

    def whole(self, layout: PaneLayout, size: int) -> Selection:
        """The same with all of each value of a pane that it touches."""
        if self.anchor is None or layout.unit == 1:
            return self
        low = min(self.start, layout.value_start(self.start))
        high = min(layout.value_start(self.end - 1) + layout.unit, size) - 1
        ends = (high, low) if self.cursor >= self.anchor else (low, high)
        return replace(self, cursor=ends[0], anchor=ends[1])

    def clamped(self, size: int) -> Selection:
        """The same in a region of another size."""
        last = max(0, size - 1)
        anchor = None if self.anchor is None or size <= 0 else min(self.anchor, last)
        return Selection(min(self.cursor, last), anchor)

    @staticmethod
    def of(start: int, length: int) -> Selection:
        """A selection by its range; the cursor is at its first byte."""
        return Selection(start, start + length - 1) if length > 0 else Selection(start)
