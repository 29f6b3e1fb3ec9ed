"""The table of finished tests: which are overlaid in the charts, their figures, saving them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.core.errors import ScopeError
from app.ui.measure.runs import KEPT, Run, save_run
from app.ui.theme import DARK, PAD, Theme, mono_font

Index = QModelIndex | QPersistentModelIndex
COLUMNS: Final = ("run", "p50", "p99", "p99.9", "max", "count", "lost")
_WIDEST: Final = ("99.9 µs", "99.9 µs", "99.9 µs", "99.9 µs", "100,000", "1000")


class RunModel(QAbstractTableModel):
    """Runs, the newest first; each can be overlaid or not."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[Run] = []
        self.shown: set[int] = set()
        self.theme = DARK

    def add(self, run: Run) -> None:
        """Another run: overlaid, with those of its kind that are."""
        self.beginInsertRows(QModelIndex(), 0, 0)
        self.runs.insert(0, run)
        self.shown.add(run.number)
        self.endInsertRows()
        if len(self.runs) > KEPT:
            self.beginRemoveRows(QModelIndex(), KEPT, len(self.runs) - 1)
            self.shown -= {old.number for old in self.runs[KEPT:]}
            del self.runs[KEPT:]
            self.endRemoveRows()

    def clear(self) -> None:
        """Forget all."""
        self.beginResetModel()
        self.runs, self.shown = [], set()
        self.endResetModel()

    def overlaid(self, kind: str) -> list[Run]:
        """Runs of a kind that are shown in the charts, oldest first."""
        return [run for run in reversed(self.runs) if run.kind == kind and run.number in self.shown]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self.runs)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return COLUMNS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        run = self.runs[index.row()]
        first = index.column() == 0
        if role == Qt.ItemDataRole.DisplayRole:
            name = f"{run.number}  {run.title}"
            return name if first else run.figures.get(COLUMNS[index.column()], "")
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
        metrics = self.table.fontMetrics()
        for column, widest in enumerate(_WIDEST, 1):
            header.resizeSection(column, metrics.horizontalAdvance(widest) + PAD + 4)
        self.save = QPushButton("Save run…")
        self.save.setToolTip("JSON; latency runs also as CSV or HdrHistogram log (.hlog)")
        self.clear = QPushButton("Clear")
        self.detail = QLabel()
        self.detail.setWordWrap(True)
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        foot = QHBoxLayout()
        foot.addWidget(self.detail, 1)
        foot.addWidget(self.save)
        foot.addWidget(self.clear)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.table, 1)
        layout.addLayout(foot)
        self.model.dataChanged.connect(lambda *_: self.changed.emit())
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._choose())
        self.save.clicked.connect(self._save)
        self.clear.clicked.connect(self._clear)
        self._choose()

    def add(self, run: Run) -> None:
        """A finished test; it becomes the current one."""
        self.model.add(run)
        self.table.setCurrentIndex(self.model.index(0, 0))
        self.changed.emit()

    def current(self) -> Run | None:
        """The run of the current row."""
        row = self.table.currentIndex().row()
        return self.model.runs[row] if 0 <= row < len(self.model.runs) else None

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self.model.theme = theme
        self.detail.setStyleSheet(f"color: {theme.quiet}")
        self.table.viewport().update()

    def save_to(self, path: Path) -> None:
        """Save the current run; says what became of it."""
        run = self.current()
        if run is None:
            return
        try:
            save_run(run, path)
        except ScopeError as error:
            self.told.emit(str(error))
        else:
            self.told.emit(f"Saved run {run.number} to {path}.")

    def _choose(self) -> None:
        run = self.current()
        self.save.setEnabled(run is not None)
        self.clear.setEnabled(bool(self.model.runs))
        self.detail.setText("  ·  ".join(run.lines) if run else "")
        self.chosen.emit(run)

    def _save(self) -> None:
        run = self.current()
        if run is None:
            return
        forms = "JSON (*.json)"
        if hasattr(run.result, "csv_text"):
            forms += ";;CSV (*.csv);;HdrHistogram log (*.hlog)"
        path, _ = QFileDialog.getSaveFileName(
            self, "Save run", f"{run.kind}-{run.number}.json", forms
        )
        if path:
            self.save_to(Path(path))

    def _clear(self) -> None:
        self.model.clear()
        self._choose()
        self.changed.emit()
