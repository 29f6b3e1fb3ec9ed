"""A slim bar below the bytes while a large undo or redo goes on: how far it is, and Stop."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QWidget

from ...core.values.units import format_size
from ..session.write_requests import Working
from ..style.outside_text import PlainLabel
from ..style.theme import PAD, UNIT, Theme

_STEPS = 1000  # a QProgressBar counts no more than 2 GiB in bytes


class WorkBar(QFrame):
    """Progress of long work; hidden while there is none.

    Signals:
        stop_wanted(int): Cancel this request.
    """

    stop_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._request = 0
        self.text = PlainLabel()
        self.progress = QProgressBar()
        self.progress.setRange(0, _STEPS)
        self.progress.setMaximumWidth(420)
        self.stop = QPushButton("Stop")
        self.stop.setAutoDefault(True)
        self.stop.clicked.connect(lambda: self.stop_wanted.emit(self._request))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(PAD, UNIT, UNIT, UNIT)
        layout.setSpacing(PAD)
        layout.addWidget(self.text)
        layout.addWidget(self.progress, 1)
        layout.addWidget(self.stop)
        layout.addStretch(0)
        self.hide()

    def show_work(self, work: Working | None) -> None:
        """Show how far the work is; None when it has ended."""
        self.setVisible(work is not None)
        if work is None:
            self._request = 0
            return
        self._request = work.request
        self.text.setText(f"{work.word}: {format_size(work.done)} of {format_size(work.total)}")
        self.progress.setValue(work.done * _STEPS // max(1, work.total))
        self.setAccessibleDescription(f"{work.word} goes on")

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self.setStyleSheet(
            f"WorkBar {{ background: {theme.panel}; border-top: 1px solid {theme.line}; }}"
        )
