"""The paste bar: what the text on the clipboard was taken for, before anything is written."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from ...core.values.hex_text import HexText
from ...core.values.pasted_text import Readings
from ...core.values.units import format_short_offset
from ..style.combo_box import ComboBox
from ..style.elided_label import ElidedLabel
from ..style.theme import PAD, UNIT, Theme, mono_font

_SHOWN: Final = 24  # bytes


class PasteBar(QFrame):
    """Hidden until foreign text is pasted. Enter writes, Esc leaves the memory as it is.

    Signals:
        accepted(bytes): Write these.
        closed(): Nothing is written.
    """

    accepted = Signal(bytes)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._readings: tuple[HexText, ...] = ()
        self._place = 0
        self.ways = QLabel("Paste as")
        self.choice = ComboBox()
        self.choice.setAccessibleName("What the pasted text means")
        self.choice.setPlaceholderText("choose what it means")
        self.ways.setBuddy(self.choice)
        self.preview = ElidedLabel()
        self.preview.setFont(mono_font())
        self.go = QPushButton("Paste")
        self.go.setAutoDefault(True)
        self.go.setToolTip("Write these bytes (Enter)")
        close = QPushButton("×")
        close.setFixedWidth(28)
        close.setToolTip("Write nothing (Esc)")
        close.setAccessibleName("Close the paste bar")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(PAD, UNIT, UNIT, UNIT)
        layout.setSpacing(PAD)
        layout.addWidget(self.ways)
        layout.addWidget(self.choice)
        layout.addWidget(self.preview, 1)
        layout.addWidget(self.go)
        layout.addWidget(close)
        self.choice.currentIndexChanged.connect(self._look)
        self.choice.entered.connect(self._enter)
        self.go.clicked.connect(self._enter)
        close.clicked.connect(self.leave)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self.setStyleSheet(
            f"PasteBar {{ background: {theme.panel}; border-top: 1px solid {theme.line}; }}"
        )
        self.preview.setStyleSheet(f"color: {theme.quiet};")

    def ask(self, readings: Readings) -> None:
        """Show what a text may mean; nothing is chosen where that is not certain."""
        self._readings = readings.found
        self.choice.blockSignals(True)
        self.choice.clear()
        for reading in readings.found:
            self.choice.addItem(reading.summary)
        self.choice.setCurrentIndex(0 if readings.certain else -1)
        self.choice.blockSignals(False)
        ways = len(readings.found) - 1  # its characters are always the last of them
        self.ways.setText("Paste as" if ways == 1 else f"Paste as one of {ways}")
        self._look()
        self.show()
        self.choice.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def set_place(self, offset: int) -> None:
        """Where it would be written."""
        self._place = offset
        if self.isVisible():
            self._look()

    def chosen(self) -> HexText | None:
        """The reading that is chosen."""
        at = self.choice.currentIndex()
        return self._readings[at] if 0 <= at < len(self._readings) else None

    def _look(self) -> None:
        chosen = self.chosen()
        self.go.setEnabled(chosen is not None)
        if chosen is None:
            self.preview.setText("It can be read in several ways; Down chooses.")
            return
        data = chosen.data
        shown = data[:_SHOWN].hex(" ").upper() + (" …" if len(data) > _SHOWN else "")
        self.preview.setText(f"→ {format_short_offset(self._place)}: {shown}")
        self.preview.setToolTip(f"{chosen.summary}\n{shown}")

    def _enter(self) -> None:
        chosen = self.chosen()
        if chosen is not None:
            self.hide()
            self._readings = ()
            self.accepted.emit(chosen.data)

    def leave(self) -> None:
        """Close it; nothing is written."""
        self.hide()
        self._readings = ()
        self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes."""
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)
