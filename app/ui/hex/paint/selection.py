"""Cursor and selection as one immutable value."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ....core.values.byte_block import ByteBlock
from .pane_layout import PaneLayout


@dataclass(frozen=True, slots=True)
class Selection:
    """A cursor, and the byte that a selection began at.

    Attributes:
        cursor: Offset of the byte under the cursor.
        anchor: The other end, itself selected; None when nothing is.
        stride: 0 for all bytes between the two; else they are corners of a rectangle in rows of
            so many bytes.
    """

    cursor: int = 0
    anchor: int | None = None
    stride: int = 0

    @property
    def block(self) -> ByteBlock:
        """The selected bytes, or the empty block at the cursor."""
        if self.anchor is None:
            return ByteBlock(self.cursor, 0)
        low, high = sorted((self.cursor, self.anchor))
        if not self.stride:
            return ByteBlock(low, high - low + 1)
        rows = high // self.stride - low // self.stride + 1
        left, right = sorted((low % self.stride, high % self.stride))
        start = low // self.stride * self.stride + left
        if rows == 1:
            return ByteBlock(start, right - left + 1)
        return ByteBlock(start, right - left + 1, rows, self.stride)

    @property
    def start(self) -> int:
        """First selected byte; the cursor when nothing is selected."""
        return self.block.start

    @property
    def length(self) -> int:
        """Bytes from the first selected one to the last; 0 when nothing is selected."""
        return self.block.span

    @property
    def end(self) -> int:
        """Offset behind the last selected byte."""
        return self.block.end

    def holds(self, offset: int) -> bool:
        """Whether a byte is selected."""
        return any(self.block.pieces(offset, offset + 1))

    def span(self) -> tuple[int, int]:
        """What an action works on: the selected bytes, or the one under the cursor."""
        return self.start, max(1, self.length)

    def moved(self, to: int, size: int, *, extend: bool = False, stride: int = 0) -> Selection:
        """The cursor elsewhere, clamped to the region.

        Args:
            to: Where to.
            size: Bytes in the region.
            extend: Select from where the selection began (or the cursor was) to there.
            stride: Select the rectangle between the two, in rows of so many bytes.
        """
        cursor = min(max(0, to), max(0, size - 1))
        if not extend or size <= 0:
            return Selection(cursor)
        anchor = self.cursor if self.anchor is None else self.anchor
        return Selection(cursor, anchor, stride)._inside(size)

    def whole(self, layout: PaneLayout, size: int) -> Selection:
        """The same with all of each value of a pane that it touches; a rectangle stays one."""
        if self.anchor is None or self.stride or layout.unit == 1:
            return self
        low = min(self.start, layout.value_start(self.start))
        high = min(layout.value_start(self.end - 1) + layout.unit, size) - 1
        ends = (high, low) if self.cursor >= self.anchor else (low, high)
        return replace(self, cursor=ends[0], anchor=ends[1])

    def clamped(self, size: int) -> Selection:
        """The same in a region of another size."""
        last = max(0, size - 1)
        anchor = None if self.anchor is None or size <= 0 else min(self.anchor, last)
        return Selection(min(self.cursor, last), anchor, self.stride)._inside(size)

    def _inside(self, size: int) -> Selection:
        """The same, where the last row is too short for the rectangle without it, or narrower."""
        if not self.stride or self.anchor is None or self.block.end <= size:
            return self
        if self.cursor > self.anchor:
            return Selection(self.cursor - self.stride, self.anchor, self.stride)
        row = self.cursor - self.cursor % self.stride
        return Selection(row + (size - 1) % self.stride, self.anchor, self.stride)

    @staticmethod
    def of_block(block: ByteBlock) -> Selection:
        """The selection of a block; the cursor is at its first byte.

        A block that no rectangle in rows of its stride is becomes the range that it spans.
        """
        stride = 0 if block.rows == 1 else block.stride
        made = Selection(block.start, block.end - 1, stride) if block.length else None
        if made is not None and made.block == block:
            return made
        return Selection.of(block.start, block.span)

    @staticmethod
    def of(start: int, length: int) -> Selection:
        """A selection by its range; the cursor is at its first byte."""
        return Selection(start, start + length - 1) if length > 0 else Selection(start)
