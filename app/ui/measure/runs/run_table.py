"""The table of finished tests: which are overlaid in the charts, their figures, saving them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QBoxLayout,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from ....core.errors import ScopeError
from ...action import bind_keys
from ...style.save_dialog import ask_where
from ...style.theme import PAD, Theme, mono_font
from ..keys import run_actions
from .run_model import ABOUT, COLUMNS, SWATCH, RunModel
from .runs import Run, comparison, save_run

_WIDE: Final = 560  # pixels
_FLAT: Final = 3  # times as wide as high
_LEAST_NAME: Final = "☑ ─── 1  1000/s, 8"
_EMPTY: Final = "Finished tests are listed here. The chosen one is described next to the list."


class RunTable(QWidget):
    """The table and what can be done with a run.

    Signals:
        changed(): Another set of runs is overlaid.
        chosen(Run | None): The current row.
        reported(str): What became of saving.
    """

    changed = Signal()
    chosen = Signal(object)
    reported = Signal(str)

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
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.setIconSize(SWATCH)
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
        self.clear.setToolTip("Forget all runs of this list; those that were saved stay saved")
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
        self._box = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(4)
        self._box.addWidget(self.table, 1)
        self._box.addLayout(foot, 1)
        self.model.dataChanged.connect(self._changed)
        self.table.viewport().installEventFilter(self)
        self.table.customContextMenuRequested.connect(self._menu)
        self._actions = run_actions(lambda: self)
        bind_keys(self.table, self._actions)
        self.model.modelReset.connect(self._choose)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._choose())
        self.save.clicked.connect(self.choose_file)
        self.clear.clicked.connect(self._clear)
        self._choose()

    def add(self, run: Run) -> None:
        """A finished test; it becomes the current one."""
        self.model.add(run)
        self._fit_columns()
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
        """Show whole columns, from the first; the text below has what does not fit."""
        metrics, header = self.table.fontMetrics(), self.table.horizontalHeader()
        room = self.table.viewport().width() - metrics.horizontalAdvance(_LEAST_NAME)
        for column, name in enumerate(COLUMNS[self.model.kind][1:], 1):
            texts = (ABOUT[name][1], *(run.figures.get(name, "") for run in self.model.runs))
            widest = max(metrics.horizontalAdvance(text) for text in texts) + PAD + 4
            header.resizeSection(column, widest)
            room -= widest
            header.setSectionHidden(column, room < 0 and column > 2)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Another width has room for other columns."""
        if event.type() == QEvent.Type.Resize and watched is self.table.viewport():
            self._fit_columns()
            self._show_detail()
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a wide and low panel the run's details are at the right of the table."""
        super().resizeEvent(event)
        width, height = event.size().width(), event.size().height()
        wide = width > _WIDE and width > _FLAT * height
        directions = QBoxLayout.Direction
        self._box.setDirection(directions.LeftToRight if wide else directions.TopToBottom)
        self._box.setSpacing(PAD if wide else 4)

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

    def save_to(self, path: Path) -> None:
        """Save the current run in the form of the path's ending; says what became of it."""
        run = self.current()
        if run is None:
            return
        try:
            save_run(run, path)
        except ScopeError as error:
            self.reported.emit(str(error))
        else:
            self.reported.emit(f"Saved run {run.number} to {path}.")

    def _choose(self) -> None:
        run = self.current()
        self.save.setEnabled(run is not None)
        self.clear.setEnabled(bool(self.model.runs))
        self._show_detail()
        self.chosen.emit(run)

    def _show_detail(self) -> None:
        run = self.current()
        text = "\n".join(self._lines(run)) if run else ""
        if text != self.detail.toPlainText():
            self.detail.setPlainText(text)

    def _lines(self, run: Run) -> list[str]:
        """What is known of a run; first how it compares, and figures without a column."""
        base = self.model.base_of(run)
        names = COLUMNS[self.model.kind]
        hidden = [
            f"{name} {run.figures[name]}"
            for column, name in enumerate(names)
            if name in run.figures and self.table.isColumnHidden(column)
        ]
        first = [comparison(run, base) if base is not None else "", ", ".join(hidden)]
        return [line for line in (*first, *run.lines) if line]

    def _changed(self) -> None:
        self._show_detail()
        self.changed.emit()

    # -- what can be done with a run ---------------------------------------------------------------

    def _menu(self, at: QPoint) -> None:
        run = self.current()
        if run is None or not self.table.indexAt(at).isValid():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for action in self._actions:
            menu.addAction(action.text, QKeySequence(action.key), action.callback)
        menu.popup(self.table.viewport().mapToGlobal(at))

    def rename(self) -> None:
        """Edit the name of the current run."""
        row = self.table.currentIndex().row()
        if row >= 0:
            self.table.edit(self.model.index(row, 0))

    def copy(self) -> None:
        """The current run's figures as text, for a spreadsheet or a mail."""
        run = self.current()
        if run is None:
            return
        rows = [("run", run.name), *run.figures.items()]
        text = "\n".join((*("\t".join(row) for row in rows), *run.lines))
        QGuiApplication.clipboard().setText(text)
        self.reported.emit(f"Copied the figures of run {run.number}.")

    def remove(self) -> None:
        """Forget the current run."""
        run, row = self.current(), self.table.currentIndex().row()
        if run is None:
            return
        self.model.remove(run.number)
        if self.model.runs:
            row = min(row, len(self.model.runs) - 1)
            self.table.setCurrentIndex(self.model.index(row, 0))
        self.changed.emit()
        self.reported.emit(f"Removed run {run.number}.")

    def choose_file(self) -> None:
        """Ask where to save the current run."""
        run = self.current()
        if run is None:
            return
        forms = "JSON (*.json)"
        if hasattr(run.result, "csv_text"):
            forms += ";;CSV (*.csv);;HdrHistogram log (*.hlog)"
        path = ask_where(self, "Save run", f"{run.kind}-{run.number}", forms)
        if path is not None:
            self.save_to(path)

    def _clear(self) -> None:
        self.model.clear()
        self._choose()
        self.changed.emit()
