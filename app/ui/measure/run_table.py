"""The table of finished tests: which are overlaid in the charts, their figures, saving them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.core.errors import ScopeError
from app.ui.measure.runs import KEPT, Run, save_run
from app.ui.theme import DARK, PAD, Theme, mono_font

Index = QModelIndex | QPersistentModelIndex
TIMES: Final = ("run", "p50", "p99", "p99.9", "max", "count", "lost")
TRANSFERS: Final = ("run", "rate", "Gbit/s", "CPU/GB", "sizes", "bad", "lost")
MAPPINGS: Final = ("run", "read", "write", "copy", "load", "store")
COLUMNS: Final = {
    "latency": TIMES, "flash": TIMES, "transfer": TRANSFERS, "bandwidth": MAPPINGS,
}  # fmt: skip
# What a column is, and the widest text in it.
_ABOUT: Final = {
    "run": ("Number and settings; the tick shows it in the charts", ""),
    "p50": ("Half of all took no longer than this (median)", "99.9 µs"),
    "p99": ("99 of 100 took no longer than this", "99.9 µs"),
    "p99.9": ("999 of 1000 took no longer than this", "99.9 µs"),
    "max": ("The longest of all", "99.9 µs"),
    "count": ("How many were answered", "100,000"),
    "lost": ("How many were never answered, or never arrived", "1000"),
    "rate": ("Verified bytes per second, of the best size", "99.9 GB/s"),
    "Gbit/s": ("The same in gigabits per second", "Gbit/s"),
    "CPU/GB": ("Processor time of this side for a gigabyte", "CPU/GB"),
    "sizes": ("How many sizes were measured; the chart shows each", "sizes"),
    "bad": ("Messages that arrived changed or out of order", "1000"),
    "read": ("Copied out of the memory, of the best block size", "99.9 GB/s"),
    "write": ("Copied into the memory", "99.9 GB/s"),
    "copy": ("Copied inside the memory", "99.9 GB/s"),
    "load": ("One load of 8 bytes at a random place", "999 ns"),
    "store": ("One store of 8 bytes at a random place", "999 ns"),
}
_LEAST_NAME: Final = "☑ 1  1000/s"
_EMPTY: Final = "Finished tests are listed above; what is known of the chosen one stands here."


class RunModel(QAbstractTableModel):
    """Runs of one kind of test, the newest first; each can be overlaid or not."""

    def __init__(self) -> None:
        super().__init__()
        self.kind = "latency"
        self._all: list[Run] = []
        self.runs: list[Run] = []
        self.shown: set[int] = set()
        self.theme = DARK

    def add(self, run: Run) -> None:
        """Another run: overlaid, with those of its kind that are."""
        self.beginResetModel()
        self._all.insert(0, run)
        self.shown.add(run.number)
        self.shown -= {old.number for old in self._all[KEPT:]}
        del self._all[KEPT:]
        self._filter()
        self.endResetModel()

    def set_kind(self, kind: str) -> None:
        """Show the runs of this kind of test."""
        self.beginResetModel()
        self.kind = kind
        self._filter()
        self.endResetModel()

    def _filter(self) -> None:
        self.runs = [run for run in self._all if run.kind == self.kind]

    def clear(self) -> None:
        """Forget those that are listed."""
        self.beginResetModel()
        self._all = [run for run in self._all if run.kind != self.kind]
        self._filter()
        self.endResetModel()

    def overlaid(self) -> list[Run]:
        """Runs that are shown in the charts, oldest first."""
        return [run for run in reversed(self.runs) if run.number in self.shown]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self.runs)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(COLUMNS[self.kind])

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return COLUMNS[self.kind][section]
        if role == Qt.ItemDataRole.ToolTipRole and orientation == Qt.Orientation.Horizontal:
            return _ABOUT[COLUMNS[self.kind][section]][0]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        run = self.runs[index.row()]
        first = index.column() == 0
        if role == Qt.ItemDataRole.DisplayRole:
            name = f"{run.number}  {run.title}"
            return name if first else run.figures.get(COLUMNS[self.kind][index.column()], "")
        if role == Qt.ItemDataRole.CheckStateRole and first:
            on = run.number in self.shown
            return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.ForegroundRole and first:
            colors = self.theme.traces
            return QBrush(QColor(colors[run.number % len(colors)]))
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join((f"{run.kind}: {run.title}", *run.lines))
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole or index.column():
            return False
        number = self.runs[index.row()].number
        on = Qt.CheckState(value) == Qt.CheckState.Checked
        self.shown = self.shown | {number} if on else self.shown - {number}
        self.dataChanged.emit(index, index)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.column() == 0 else flags


class RunTable(QWidget):
    """The table and what can be done with a run.

    Signals:
        changed(): Another set of runs is overlaid.
        chosen(Run | None): The current row.
        told(str): What became of saving.
    """

    changed = Signal()
    chosen = Signal(object)
    told = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.model = RunModel()
        self.table = QTableView()
        self.table.setTabKeyNavigation(False)
        self.table.setModel(self.model)
        self.table.setFont(mono_font())
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setAccessibleName("Finished tests")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(self.table.fontMetrics().height() + 5)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(40)
        self.save = QPushButton("Save run…")
        self.save.setToolTip("JSON; latency runs also as CSV or HdrHistogram log (.hlog)")
        self.clear = QPushButton("Clear")
        self.detail = QPlainTextEdit()
        self.detail.setReadOnly(True)
        self.detail.setTabChangesFocus(True)
        self.detail.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.detail.setAccessibleName("What is known of the chosen test")
        self.detail.setMinimumHeight(40)
        self.detail.setPlaceholderText(_EMPTY)
        buttons = QVBoxLayout()
        buttons.addWidget(self.save)
        buttons.addWidget(self.clear)
        buttons.addStretch(1)
        foot = QHBoxLayout()
        foot.addWidget(self.detail, 1)
        foot.addLayout(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.table, 1)
        layout.addLayout(foot, 1)
        self.model.dataChanged.connect(lambda *_: self.changed.emit())
        self.model.modelReset.connect(self._choose)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._choose())
        self.save.clicked.connect(self._save)
        self.clear.clicked.connect(self._clear)
        self._choose()

    def add(self, run: Run) -> None:
        """A finished test; it becomes the current one."""
        self.model.add(run)
        self.table.setCurrentIndex(self.model.index(0, 0))
        self.changed.emit()

    def set_kind(self, kind: str) -> None:
        """List the runs of this kind of test."""
        self.model.set_kind(kind)
        self._fit_columns()
        if self.model.runs:
            self.table.setCurrentIndex(self.model.index(0, 0))
        self._choose()

    def _fit_columns(self) -> None:
        """Whole columns, the first ones first; what has no room stands in the text below."""
        metrics, header = self.table.fontMetrics(), self.table.horizontalHeader()
        room = self.table.viewport().width() - metrics.horizontalAdvance(_LEAST_NAME)
        for column, name in enumerate(COLUMNS[self.model.kind][1:], 1):
            widest = metrics.horizontalAdvance(_ABOUT[name][1]) + PAD + 4
            header.resizeSection(column, widest)
            room -= widest
            header.setSectionHidden(column, room < 0 and column > 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width has room for other columns."""
        super().resizeEvent(event)
        self._fit_columns()

    def current(self) -> Run | None:
        """The run of the current row."""
        row = self.table.currentIndex().row()
        return self.model.runs[row] if 0 <= row < len(self.model.runs) else None

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self.model.theme = theme
        self.detail.setStyleSheet(
            f"QPlainTextEdit {{ color: {theme.text}; background: {theme.panel}; border: none; }}"
        )
        self.table.viewport().update()

    def save_to(self, path: Path, form: str = ".json") -> None:
        """Save the current run, in that form where the name has none; says what became of it."""
        run = self.current()
        if run is None:
            return
        try:
            save_run(run, path, form)
        except ScopeError as error:
            self.told.emit(str(error))
        else:
            self.told.emit(f"Saved run {run.number} to {path}.")

    def _choose(self) -> None:
        run = self.current()
        self.save.setEnabled(run is not None)
        self.clear.setEnabled(bool(self.model.runs))
        self.detail.setPlainText("\n".join(run.lines) if run else "")
        self.chosen.emit(run)

    def _save(self) -> None:
        run = self.current()
        if run is None:
            return
        forms = "JSON (*.json)"
        if hasattr(run.result, "csv_text"):
            forms += ";;CSV (*.csv);;HdrHistogram log (*.hlog)"
        path, form = QFileDialog.getSaveFileName(
            self, "Save run", f"{run.kind}-{run.number}.json", forms
        )
        if path:
            self.save_to(Path(path), form.partition("*")[2].rstrip(")"))

    def _clear(self) -> None:
        self.model.clear()
        self._choose()
        self.changed.emit()
