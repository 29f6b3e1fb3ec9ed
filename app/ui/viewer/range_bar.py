"""The range bar: a range as people type it (Ctrl+E), with what it would select while typed."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ...core.errors import ExpressionError
from ...core.values.expressions import parse_range
from ...core.values.units import format_short_offset, format_size
from .input_bar import LineBar


class RangeBar(LineBar):
    """Enter selects.

    Signals:
        chosen(int, int): Start and length, inside the region, length at least 1.
    """

    chosen = Signal(object, object)

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
            "as 0x40..0x80, 0x40:16, cursor:4K, page 5:page 1"
        )

    def open(self, cursor: int, size: int, selection: tuple[int, int] | None) -> None:
        """Show it with the present selection, ready to type over."""
        start, length = selection or (cursor, 16)
        self.edit.setText(f"{format_short_offset(start)}:{length}")
        super().open(cursor, size, selection)

    def _range(self) -> tuple[int, int]:
        """What was typed. Raises ExpressionError for what is none or not inside the region."""
        start, length = parse_range(self.edit.text(), cursor=self._cursor, size=self._size)
        if length == 0:
            raise ExpressionError("The range is empty.")
        if start < 0 or start + length > self._size:
            end = format_short_offset(self._size)
            raise ExpressionError(f"Outside: the region ends before {end}.")
        return start, length

    def _meaning(self) -> str:
        start, length = self._range()
        last = format_short_offset(start + length - 1)
        return f"→ {format_short_offset(start)} to {last}, {format_size(length)}"

    def _take(self) -> None:
        start, length = self._range()
        self.hide()
        self.chosen.emit(start, length)
