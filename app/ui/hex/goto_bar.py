"""The go-to bar: an offset as people type it, with where it leads while it is typed."""

from __future__ import annotations

from typing import Final, cast

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from app.core.errors import ExpressionError
from app.core.expressions import evaluate
from app.core.units import format_offset, format_short_offset
from app.ui.theme import DARK, PAD, UNIT, Theme, mono_font

_HISTORY: Final = 50
_HELP: Final = "0x40, 64, +16, -0x10, end-0x100, page 5, 2 MiB…"


class GotoBar(QFrame):
    """A slim bar above the bytes. Enter goes, Esc closes, Up and Down bring earlier ones.

    Signals:
        go(int): An offset inside the region.
        closed(): The bar went away.
    """

    go = Signal(object)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._cursor = self._size = 0
        self._selection: tuple[int, int] | None = None
        self._history: list[str] = []
        self._at = 0
        self.edit = QLineEdit(placeholderText=_HELP)
        self.edit.setFont(mono_font())
        self.edit.setAccessibleName("Offset to go to")
        self.edit.setMaximumWidth(420)
        self.preview = QLabel()
        self.preview.setFont(mono_font())
        label = QLabel("Go to")
        label.setBuddy(self.edit)
        close = QPushButton("×")
        close.setFixedWidth(28)
        close.setToolTip("Close (Esc)")
        close.setAccessibleName("Close the go-to bar")
        close.clicked.connect(self.leave)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(PAD, UNIT, UNIT, UNIT)
        layout.setSpacing(PAD)
        layout.addWidget(label)
        layout.addWidget(self.edit, 2)
        layout.addWidget(self.preview, 3)
        layout.addWidget(close)
        self.edit.textChanged.connect(self._look)
        self.edit.returnPressed.connect(self._go)
        self.edit.installEventFilter(self)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        self.setStyleSheet(
            f"GotoBar {{ background: {theme.panel}; border-bottom: 1px solid {theme.line}; }}"
        )
        self._look()

    def open(self, cursor: int, size: int, selection: tuple[int, int] | None) -> None:
        """Show it, ready to type.

        Args:
            cursor: What + and - count from.
            size: Bytes in the region.
            selection: Start and length, for the name `sel`.
        """
        self._cursor, self._size, self._selection = cursor, size, selection
        self._at = len(self._history)
        self.show()
        self.edit.selectAll()
        self.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._look()

    def leave(self) -> None:
        """Close it."""
        self.hide()
        self.closed.emit()

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
        end = format_short_offset(self._size - 1)
        side = "before the region begins" if value < 0 else f"outside, the last byte is {end}"
        raise ExpressionError(f"{format_short_offset(value)} is {side}.")

    def _look(self) -> None:
        """Say where the text leads, or why nowhere."""
        problem, text = False, ""
        if self.edit.text().strip():
            try:
                target = self._target()
                text = f"→ {format_offset(target)}  ({target})"
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

    def _go(self) -> None:
        try:
            target = self._target()
        except ExpressionError:
            self._look()
            return
        text = self.edit.text().strip()
        self._history = [*(old for old in self._history if old != text), text][-_HISTORY:]
        self.hide()
        self.go.emit(target)

    def _recall(self, step: int) -> None:
        at = min(max(0, self._at + step), len(self._history))
        if at != self._at:
            self._at = at
            self.edit.setText(self._history[at] if at < len(self._history) else "")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys that the line does not know."""
        pressed = event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent)
        if watched is self.edit and pressed and self._key(cast("QKeyEvent", event).key()):
            return True
        return super().eventFilter(watched, event)

    def _key(self, key: int) -> bool:
        if key == Qt.Key.Key_Escape:
            self.leave()
            return True
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(key), 0)
        self._recall(step)
        return step != 0
