"""A choice in a form: the wheel leaves it alone, and Enter does what the form is for."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QWidget

from .choice_list import ChoiceDelegate


class ComboBox(QComboBox):
    """A QComboBox that leaves the wheel to the form around it while it has no focus.

    Qt's own takes the wheel, and with it the focus, wherever the pointer happens to be when a
    person scrolls a form.

    Signals:
        entered(): Enter was pressed in it, as QLineEdit.returnPressed.
    """

    entered = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # not by the wheel
        self.setItemDelegate(ChoiceDelegate(self))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter belongs to the form."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The next or the one before, with the focus; else the form scrolls."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()
