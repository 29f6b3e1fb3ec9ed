"""A slim bar below the bytes with one line to type in, and what it leads to while it is typed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from ...core.errors import ExpressionError
from ..style.elided_label import ElidedLabel
from ..style.theme import DARK, PAD, UNIT, Theme, mono_font


class LineBar(QFrame):
    """What the bars share. Enter takes what was typed, Esc closes.

    Args:
        title: In front of the line.
        name: Of the bar, as it is read out.
        what: What the line is for, as it is read out.
        example: Shown while nothing is typed.

    Signals:
        closed(): The bar was closed without taking the text.
    """

    closed = Signal()

    def __init__(
        self, parent: QWidget | None, *, title: str, name: str, what: str, example: str
    ) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._cursor = self._size = 0
        self._selection: tuple[int, int] | None = None
        self.edit = QLineEdit(placeholderText=example)
        self.edit.setFont(mono_font())
        self.edit.setAccessibleName(what)
        self.edit.setMaximumWidth(420)
        self.preview = ElidedLabel()
        self.preview.setFont(mono_font())
        label = QLabel(title)
        label.setBuddy(self.edit)
        close = QPushButton("×")
        close.setFixedWidth(28)
        close.setToolTip("Close (Esc)")
        close.setAccessibleName(f"Close the {name}")
        close.clicked.connect(self.leave)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(PAD, UNIT, UNIT, UNIT)
        layout.setSpacing(PAD)
        layout.addWidget(label)
        layout.addWidget(self.edit, 2)
        layout.addWidget(self.preview, 3)
        layout.addWidget(close)
        self.edit.textChanged.connect(self._look)
        self.edit.returnPressed.connect(self._enter)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        self.setStyleSheet(
            f"LineBar {{ background: {theme.panel}; border-top: 1px solid {theme.line}; }}"
        )
        self._look()

    def open(self, cursor: int, size: int, selection: tuple[int, int] | None) -> None:
        """Show it, ready to type.

        Args:
            cursor: What + and - count from.
            size: Bytes in the region.
            selection: Start and length of what is selected.
        """
        self._cursor, self._size, self._selection = cursor, size, selection
        self.show()
        self.edit.selectAll()
        self.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._look()

    def leave(self) -> None:
        """Close it."""
        self.hide()
        self.closed.emit()

    def _meaning(self) -> str:
        """The value of the text. Raises ExpressionError for a text that has none."""
        raise NotImplementedError

    def _take(self) -> None:
        """Hide the bar and do what was typed. Raises ExpressionError when that is nothing."""
        raise NotImplementedError

    def _look(self) -> None:
        """Show the text's value, or why it has none."""
        problem, text = False, ""
        if self.edit.text().strip():
            try:
                text = self._meaning()
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

    def _enter(self) -> None:
        try:
            self._take()
        except ExpressionError:
            self._look()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes; the line leaves this key to us."""
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)
