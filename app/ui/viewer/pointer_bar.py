"""The pointer bar: how offsets in the memory are read, where this one leads, what points here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QModelIndex, QStringListModel, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ...core.values.pointer import POINTER_KINDS, PointerForm
from ...core.values.value_type import Endian
from ..style.combo_box import ComboBox
from ..style.elided_label import ElidedLabel
from ..style.theme import DARK, PAD, UNIT, Theme, mono_font

FROM_START, FROM_ITSELF, FROM_NUMBER = "start", "itself", "number"
_BASES: Final = (
    (FROM_START, "the region's start"),
    (FROM_ITSELF, "where it stands"),
    (FROM_NUMBER, "a number…"),
)
_ROWS: Final = 5  # places that are shown without scrolling


class PointerBar(QFrame):
    """Choices, what they make of the bytes at the cursor, and a list of places.

    Signals:
        edited(): Another choice.
        follow_wanted(): Go where the bytes at the cursor lead.
        find_wanted(): Find the places that point to the cursor.
        stop_wanted(): Stop finding.
        place_wanted(int): Go to the place at this row of the list.
        closed(): The bar was closed.
    """

    edited = Signal()
    follow_wanted = Signal()
    find_wanted = Signal()
    stop_wanted = Signal()
    place_wanted = Signal(int)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self.kind = ComboBox()
        self.kind.addItems(POINTER_KINDS)
        self.kind.setCurrentText(PointerForm().kind)
        self.kind.setAccessibleName("Type of pointers")
        self.endian = ComboBox()
        for endian in Endian:
            self.endian.addItem(endian.value, endian)
        self.endian.setAccessibleName("Byte order of pointers")
        self.base = ComboBox()
        self.base.setAccessibleName("What pointers count from")
        self.base.setMaximumWidth(220)
        self.base.setMinimumContentsLength(12)
        self.base.setSizeAdjustPolicy(
            ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.base.setToolTip("What an offset in the memory counts from")
        self.number = QLineEdit(placeholderText="0x1000")
        self.number.setFont(mono_font())
        self.number.setAccessibleName("Offset that pointers count from")
        self.number.setMaximumWidth(140)
        self.preview = ElidedLabel()
        self.preview.setFont(mono_font())
        self.aligned = QCheckBox("aligned only")
        self.aligned.setToolTip("Only places at multiples of the pointer's width")
        self.aligned.setChecked(True)
        self.search = QPushButton("Find what points here")
        self.search.setToolTip("All places whose value leads to the cursor (Shift+Space)")
        self.follow = QPushButton("Follow")
        self.follow.setToolTip(
            "Go where the bytes at the cursor lead (Space; Backspace comes back)"
        )
        self.head = QLabel(wordWrap=True)
        self.stop = QPushButton("Stop")
        for button in (self.search, self.follow, self.stop):
            button.setAutoDefault(True)  # Enter presses it
        self._texts = QStringListModel()
        self.list = QListView()
        self.list.setModel(self._texts)
        self.list.setFont(mono_font())
        self.list.setUniformItemSizes(True)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setAccessibleName("Places that point here")
        self._lay_out()
        self.set_places(())
        self.show_places("", ())
        self._connect()

    def _lay_out(self) -> None:
        close = QPushButton("×")
        close.setFixedWidth(28)
        close.setToolTip("Close (Esc)")
        close.setAccessibleName("Close the pointer bar")
        close.clicked.connect(self.leave)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(PAD, UNIT, UNIT, UNIT)
        rows.setSpacing(UNIT)
        for parts in (
            (self.kind, self.endian, QLabel("from"), self.base, None, close),
            (self.number, self.preview),
            (self.aligned, None, self.search, self.follow),
            (self.head, self.stop),
        ):
            row = QHBoxLayout()
            row.setSpacing(PAD)
            for part in parts:
                if part is None:
                    row.addStretch(1)
                else:
                    row.addWidget(part, 1 if part in (self.preview, self.head, self.base) else 0)
            rows.addLayout(row)
        rows.addWidget(self.list)

    def _connect(self) -> None:
        for box in (self.kind, self.endian, self.base):
            box.currentIndexChanged.connect(self._edited)
            box.entered.connect(self.follow_wanted)
        self.number.textChanged.connect(self._edited)
        self.number.returnPressed.connect(self.follow_wanted)
        self.search.clicked.connect(self.find_wanted)
        self.follow.clicked.connect(self.follow_wanted)
        self.stop.clicked.connect(self.stop_wanted)
        self.list.clicked.connect(self._go)
        self.list.activated.connect(self._go)

    def _edited(self) -> None:
        self.number.setVisible(self.base.currentData() == FROM_NUMBER)
        self.edited.emit()

    def _go(self, index: QModelIndex) -> None:
        self.place_wanted.emit(index.row())

    # -- choices -----------------------------------------------------------------------------------

    def set_places(self, names: Sequence[str]) -> None:
        """Bookmarks that pointers can count from."""
        chosen = self.chosen_base() if self.base.count() else FROM_START
        self.base.blockSignals(True)
        self.base.clear()
        for key, text in _BASES:
            self.base.addItem(text, key)
        for name in names:
            self.base.addItem(f"“{name}”", f"mark:{name}")
        if self.base.findData(chosen) < 0:  # it is told when it is used
            self.base.addItem(f"“{chosen.partition(':')[2]}”", chosen)
        self.base.blockSignals(False)
        self.choose_base(chosen)

    def chosen_base(self) -> str:
        """One of the FROM_ names, or `mark:NAME`."""
        return str(self.base.currentData())

    def choose_base(self, key: str) -> None:
        """As chosen_base; a bookmark that is not there leaves the region's start."""
        self.base.setCurrentIndex(max(0, self.base.findData(key)))
        self._edited()

    def open(self) -> None:
        """Show it, ready to choose."""
        self.show()
        self.kind.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def leave(self) -> None:
        """Close it."""
        self.hide()
        self.closed.emit()

    # -- what it shows -----------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        self.setStyleSheet(
            f"PointerBar {{ background: {theme.panel}; border-top: 1px solid {theme.line}; }}"
        )

    def show_preview(self, text: str, *, good: bool) -> None:
        """Where the bytes at the cursor lead, or why nowhere."""
        if text == self.preview.text() and good == self.follow.isEnabled():
            return
        self.preview.setText(text)
        self.preview.setToolTip(text)
        self.preview.setStyleSheet(f"color: {self._theme.quiet if good else self._theme.warning}")
        self.follow.setEnabled(good)

    def show_places(self, head: str, texts: Sequence[str], *, running: bool = False) -> None:
        """The places that were found, and a sentence about them."""
        self.head.setText(head)
        self.head.setVisible(bool(head))
        self.stop.setVisible(running)
        self.search.setEnabled(not running)
        self._texts.setStringList(list(texts))
        self.list.setVisible(bool(texts))
        rows = min(len(texts), _ROWS)
        self.list.setFixedHeight(rows * (self.list.fontMetrics().height() + 2) + 2)
        if texts:
            self.list.setCurrentIndex(self._texts.index(0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes."""
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)
