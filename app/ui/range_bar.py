"""The range bar: a range as people type it (Ctrl+E), with what it would select while typed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from app.core.errors import ExpressionError
from app.core.expressions import parse_range
from app.core.units import format_short_offset, format_size
from app.ui.elided import ElidedLabel
from app.ui.theme import DARK, PAD, UNIT, Theme, mono_font


class RangeBar(QFrame):
    """A slim bar above the bytes. Enter selects, Esc closes.

    Signals:
        chosen(int, int): Start and length, inside the region, length at least 1.
        closed(): The bar went away without a choice.
    """

    chosen = Signal(object, object)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._cursor = self._size = 0
        self.edit = QLineEdit(placeholderText="0x40..0x80, 0x40:16, cursor:4K, page 5:page 1")
        self.edit.setFont(mono_font())
        self.edit.setAccessibleName("Range to select")
        self.edit.setToolTip("START..END (END itself not selected) or START:LENGTH")
        self.edit.setMaximumWidth(420)
        self.preview = ElidedLabel()
        self.preview.setFont(mono_font())
        label = QLabel("Select")
        label.setBuddy(self.edit)
        close = QPushButton("×")
        close.setFixedWidth(28)
        close.setToolTip("Close (Esc)")
        close.setAccessibleName("Close the range bar")
        close.clicked.connect(self.leave)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(PAD, UNIT, UNIT, UNIT)
        layout.setSpacing(PAD)
        layout.addWidget(label)
        layout.addWidget(self.edit, 2)
        layout.addWidget(self.preview, 3)
        layout.addWidget(close)
        self.edit.textChanged.connect(self._look)
        self.edit.returnPressed.connect(self._choose)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        self.setStyleSheet(
            f"RangeBar {{ background: {theme.panel}; border-bottom: 1px solid {theme.line}; }}"
        )
        self._look()

    def open(self, cursor: int, size: int, selection: tuple[int, int] | None) -> None:
        """Show it with the present selection, ready to type over."""
        self._cursor, self._size = cursor, size
        start, length = selection or (cursor, 16)
        self.edit.setText(f"{format_short_offset(start)}:{length}")
        self.show()
        self.edit.selectAll()
        self.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._look()

    def leave(self) -> None:
        """Close it."""
        self.hide()
        self.closed.emit()

    def _range(self) -> tuple[int, int]:
        """What was typed. Raises ExpressionError for what is none or not inside the region."""
        start, length = parse_range(self.edit.text(), cursor=self._cursor, size=self._size)
        if length == 0:
            raise ExpressionError("The range is empty.")
        if start < 0 or start + length > self._size:
            end = format_short_offset(self._size)
            raise ExpressionError(f"It goes outside of the region, which ends before {end}.")
        return start, length

    def _look(self) -> None:
        problem, text = False, ""
        if self.edit.text().strip():
            try:
                start, length = self._range()
                last = format_short_offset(start + length - 1)
                text = f"→ {format_short_offset(start)} to {last}, {format_size(length)}"
            except ExpressionError as error:
                problem, text = True, str(error)
        color = self._theme.fault if problem else self._theme.quiet
        self.preview.setText(text)
        self.preview.setToolTip(text)
        self.preview.setStyleSheet(f"color: {color};")
        if self.edit.property("invalid") != problem:
            self.edit.setProperty("invalid", problem)
            self.edit.style().unpolish(self.edit)
            self.edit.style().polish(self.edit)

    def _choose(self) -> None:
        try:
            start, length = self._range()
        except ExpressionError:
            self._look()
            return
        self.hide()
        self.chosen.emit(start, length)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes; the line leaves this key to us."""
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)
