"""The range bar: a range as people type it (Ctrl+E), with what it would select while typed."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ...core.errors import ExpressionError
from ...core.values.byte_block import ByteBlock, parse_shape
from ...core.values.expressions import evaluate, parse_range
from ...core.values.units import format_short_offset
from ..hex.paint.selection import Selection
from .input_bar import LineBar


class RangeBar(LineBar):
    """Enter selects.

    Attributes:
        block: What is selected when it is opened; empty for nothing.
        columns: Bytes in a row of the view, from row to row of a rectangle that does not say it.

    Signals:
        chosen(ByteBlock): Inside the region, at least one byte.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            parent,
            title="Select",
            name="range bar",
            what="Range to select",
            example="0x40..0x80, cursor:4K",
        )
        self.edit.setToolTip(
            "START..END (END itself not selected) or START:LENGTH, "
            "as 0x40..0x80, 0x40:16, cursor:4K, page 5:page 1,\n"
            "or START:WIDTH x ROWS for a rectangle, as 0x40:4 x 8"
        )
        self.block = ByteBlock(0, 0)
        self.columns = 16

    def open(self, cursor: int, size: int, selection: tuple[int, int] | None) -> None:
        """Show it with the present selection, ready to type over."""
        block = self.block if self.block.length else ByteBlock(cursor, 16)
        self.edit.setText(f"{format_short_offset(block.start)}:{block.shape}")
        super().open(cursor, size, selection)

    def _value(self, text: str) -> int:
        return evaluate(text, cursor=self._cursor, size=self._size)

    def _block(self) -> ByteBlock:
        """What was typed. Raises ExpressionError for what is none or not inside the region."""
        start, colon, shape = self.edit.text().rpartition(":")
        block = parse_shape(shape, 0, self._value, self.columns) if colon else None
        if block is None:
            begin, length = parse_range(self.edit.text(), cursor=self._cursor, size=self._size)
            block = ByteBlock(max(0, begin), length)
        else:
            begin = self._value(start)
            block = replace(block, start=max(0, begin))
        if block.length == 0:
            raise ExpressionError("The range is empty.")
        if begin < 0 or block.end > self._size:
            end = format_short_offset(self._size)
            raise ExpressionError(f"Outside: the region ends before {end}.")
        if not block.whole and Selection.of_block(block).block != block:
            raise ExpressionError("The rows of a rectangle do not go round the view's edge.")
        return block

    def _meaning(self) -> str:
        return f"→ {self._block().summary}"

    def _take(self) -> None:
        block = self._block()
        self.hide()
        self.chosen.emit(block)
