"""The go-to bar: an offset as people type it, with where it leads while it is typed."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from ...core.errors import ExpressionError
from ...core.values.expressions import evaluate
from ...core.values.units import format_offset, format_short_offset
from .input_bar import LineBar

_HISTORY: Final = 50


class GotoBar(LineBar):
    """Enter goes; Up and Down bring earlier ones.

    Signals:
        go(int): An offset inside the region.
    """

    go = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            parent,
            title="Go to",
            name="go-to bar",
            what="Offset to go to",
            example="0x40, +16, end-1K",
        )
        self.edit.setToolTip(
            "An offset: 0x40, 64, 2 MiB, page 5, end-0x100, or from the cursor: +16, -0x10\n"
            "As it is printed it is hex: 00000040, 0000'0040"
        )
        self._history: list[str] = []
        self._at = 0

    def open(self, cursor: int, size: int, selection: tuple[int, int] | None) -> None:
        """Show it, ready to type; the selection has the name `sel`."""
        self._at = len(self._history)
        super().open(cursor, size, selection)

    def _target(self) -> int:
        """The offset that was typed.

        Raises:
            ExpressionError: It is none, or outside of the region.
        """
        value = evaluate(
            self.edit.text(), cursor=self._cursor, size=self._size, selection=self._selection
        )
        if 0 <= value < self._size:
            return value
        if value < 0:
            raise ExpressionError(f"{format_short_offset(value)}: before the region begins.")
        raise ExpressionError(f"Past the last byte, {format_short_offset(self._size - 1)}.")

    def _meaning(self) -> str:
        target = self._target()
        return f"→ {format_offset(target)}  ({target})"

    def _take(self) -> None:
        target = self._target()
        text = self.edit.text().strip()
        self._history = [*(old for old in self._history if old != text), text][-_HISTORY:]
        self.hide()
        self.go.emit(target)

    def _recall(self, step: int) -> None:
        at = min(max(0, self._at + step), len(self._history))
        if at != self._at:
            self._at = at
            self.edit.setText(self._history[at] if at < len(self._history) else "")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down, which the line leaves to us."""
        if event.key() == Qt.Key.Key_Up:
            self._recall(-1)
        elif event.key() == Qt.Key.Key_Down:
            self._recall(1)
        else:
            super().keyPressEvent(event)
