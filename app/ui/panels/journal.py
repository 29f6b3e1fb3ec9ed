"""The journal: every write of this window, when, where, old, new, and what became of it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QBrush, QGuiApplication
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStackedLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from ...core.engine.messages import ListWrites
from ...core.values.units import format_offset, format_size
from ...core.write.record import WriteOutcome, WriteRecord
from ..action import Action, Gesture, bind_keys
from ..panel import About, Panel, PanelHost
from ..session.session import Session
from ..style.outside_text import printable
from ..style.theme import DARK, Theme, mono_font

Index = QModelIndex | QPersistentModelIndex
_HEADS: Final = ("time", "offset", "length", "old", "new", "what", "landed")
_SHOWN: Final = 8
_KEPT: Final = 20_000


def _bytes(data: bytes, length: int) -> str:
    return data[:_SHOWN].hex(" ").upper() + (" …" if length > _SHOWN else "")


def _clock(seconds: float) -> str:
    millis = int(seconds * 1000) % 1000
    return f"{time.strftime('%H:%M:%S', time.localtime(seconds))}.{millis:03d}"


class JournalModel(QAbstractTableModel):
    """Records, the newest last."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[WriteRecord] = []
        self.theme = DARK

    def append(self, records: tuple[WriteRecord, ...]) -> None:
        """Take more in; an undo also changes the entry that it takes back."""
        known = {record.number for record in self.records[-200:]}
        fresh = [record for record in records if record.number not in known]
        taken_in = {record.joins for record in fresh}
        fresh = [record for record in fresh if record.number not in taken_in]
        if not fresh:
            return
        self._remove(taken_in & known)
        first = len(self.records)
        self.beginInsertRows(QModelIndex(), first, first + len(fresh) - 1)
        self.records += fresh
        self.endInsertRows()
        for record in fresh:
            if record.leaves is not None:
                self._mark(record.undoes, record.leaves)
        if len(self.records) > _KEPT:
            self.beginRemoveRows(QModelIndex(), 0, len(self.records) - _KEPT - 1)
            del self.records[:-_KEPT]
            self.endRemoveRows()

    def _remove(self, numbers: set[int]) -> None:
        """Entries that a newer one has taken in."""
        for row in range(len(self.records) - 1, -1, -1):
            if not numbers:
                return
            if self.records[row].number in numbers:
                numbers.remove(self.records[row].number)
                self.beginRemoveRows(QModelIndex(), row, row)
                del self.records[row]
                self.endRemoveRows()

    def _mark(self, number: int, outcome: WriteOutcome) -> None:
        for row in range(len(self.records) - 1, -1, -1):
            if self.records[row].number == number:
                self.records[row] = replace(self.records[row], outcome=outcome)
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(_HEADS) - 1))
                return

    def clear(self) -> None:
        """Another region."""
        self.beginResetModel()
        self.records = []
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """One row per write."""
        return 0 if parent.isValid() else len(self.records)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """As many as heads."""
        return 0 if parent.isValid() else len(_HEADS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Column heads."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return _HEADS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Texts and colours."""
        record = self.records[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return (
                _clock(record.clock_s),
                format_offset(record.offset),
                format_size(record.length),
                _bytes(record.old, record.length),
                _bytes(record.new, record.length),
                printable(record.label),
                record.outcome.value,
            )[index.column()]
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 6:
            good = record.outcome in (WriteOutcome.WHOLE, WriteOutcome.UNDONE)
            return QBrush(self.theme.color("quiet" if good else "warning"))
        return None


class JournalPanel(Panel):
    """The panel.

    Signals:
        goto_wanted(int): Double click on a write.
        undo_wanted(), redo_wanted(): The buttons.
    """

    about = About(
        "journal",
        "Journal",
        Qt.DockWidgetArea.BottomDockWidgetArea,
        ("edit",),
        ("Alt+6",),
        "journal",
        "Every write of this window, to undo",
    )
    goto_wanted = Signal(object)
    undo_wanted = Signal()
    redo_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = JournalModel()
        self.table = QTableView()
        self.table.setTabKeyNavigation(False)
        self.table.setModel(self.model)
        self.table.setFont(mono_font())
        self.table.setShowGrid(False)
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.table.setAccessibleName("Writes of this window")
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(self.table.fontMetrics().height() + 5)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        digit = self.table.fontMetrics().horizontalAdvance("0")
        for column, characters in enumerate((14, 14, 10, 27, 27, 28)):
            self.table.setColumnWidth(column, digit * characters)
        header.setSectionResizeMode(6, QHeaderView.ResizeMode.Stretch)
        self.table.doubleClicked.connect(lambda _index: self.go_to_row())
        bind_keys(self.table, self.own_actions())
        self.empty = QLabel(
            "Nothing was written in this window yet.\n"
            "Unlock writing (Ctrl+L), then type over a byte; each write stands here and can be "
            "undone (Ctrl+Z)."
        )
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        stack = QWidget()
        self._stack = QStackedLayout(stack)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.table)
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 4, 8, 4)
        bar.setSpacing(4)
        self.count = QLabel()
        bar.addWidget(self.count, 1)
        for word, signal in (
            ("Undo", self.undo_wanted),
            ("Redo", self.redo_wanted),
            ("Copy row", None),
        ):
            button = QPushButton(word)
            button.clicked.connect(signal if signal is not None else self.copy_row)
            bar.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(stack, 1)
        layout.addLayout(bar)

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        super().set_session(session)
        self.model.clear()
        self._count()

    def attach(self, host: PanelHost) -> None:
        self.goto_wanted.connect(host.goto_wanted)
        self.undo_wanted.connect(lambda: host.action_wanted.emit("undo"))
        self.redo_wanted.connect(lambda: host.action_wanted.emit("redo"))

    def listen(self, session: Session) -> None:
        session.writes_changed.connect(self._fetch)
        session.opened.connect(self._reset)

    def own_actions(self) -> tuple[Action, ...]:
        scope = self.about.title
        go, copy = "Go to where it was written", "Copy the row"
        return (
            Action("go_to_write", go, ("Return", "Enter"), self.go_to_row, scope),
            Action("copy_write", copy, ("Ctrl+C",), self.copy_row, scope),
        )

    def own_gestures(self) -> tuple[Gesture, ...]:
        return (Gesture(self.about.title, "Double click", "Go to where it was written"),)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self.model.theme = theme
        self.empty.setStyleSheet(f"color: {theme.quiet}")

    def _reset(self, _info: object) -> None:
        self.model.clear()
        self._count()

    def _fetch(self) -> None:
        if self._session is not None:
            last = self.model.records[-1].number if self.model.records else 0
            self._session.ask(ListWrites(last), self._take, lambda _error: None)

    def _take(self, records: tuple[WriteRecord, ...]) -> None:
        self.model.append(records)
        self._count()
        self.table.scrollToBottom()

    def _count(self) -> None:
        number = len(self.model.records)
        self._stack.setCurrentIndex(1 if number else 0)
        self.count.setText("" if not number else "1 write" if number == 1 else f"{number} writes")

    def go_to_row(self) -> None:
        """Go to where the chosen write is."""
        index = self.table.currentIndex()
        if index.isValid():
            self.goto_wanted.emit(self.model.records[index.row()].offset)

    def copy_row(self) -> None:
        """The current row as text."""
        index = self.table.currentIndex()
        if index.isValid():
            cells = (index.siblingAtColumn(column).data() for column in range(len(_HEADS)))
            QGuiApplication.clipboard().setText("\t".join(map(str, cells)))
