"""Finished tests as a table: figures by column, which are overlaid, what they are called."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap

from ....core.measure.histogram import LEAST_BEYOND
from ...style.theme import DARK, Theme
from ..charts.charts import trace_pen
from .runs import KEPT, Run

Index = QModelIndex | QPersistentModelIndex
TIMES: Final = ("run", "p50", "p99", "p99.9", "max", "lost", "count")
TRANSFERS: Final = ("run", "rate", "Gbit/s", "CPU/GB", "bad", "lost", "sizes")
MAPPINGS: Final = ("run", "read", "write", "copy", "load", "store")
COLUMNS: Final = {
    "latency": TIMES,
    "flash": TIMES,
    "transfer": TRANSFERS,
    "bandwidth": MAPPINGS,
}
# What a column is, and the widest text in it.
ABOUT: Final = {
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
_WEAK: Final = (
    f"Rests on too few samples: fewer than {LEAST_BEYOND} lie beyond it. A longer test tells more."
)
LONGEST_NAME: Final = 60
SWATCH: Final = QSize(18, 8)


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

    def remove(self, number: int) -> None:
        """Forget one."""
        self.beginResetModel()
        self._all = [run for run in self._all if run.number != number]
        self._filter()
        self.endResetModel()

    def base_of(self, run: Run) -> Run | None:
        """What a run is compared with: the oldest other one that is shown in the charts."""
        return next((other for other in self.overlaid() if other is not run), None)

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
            return ABOUT[COLUMNS[self.kind][section]][0]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        run = self.runs[index.row()]
        first = index.column() == 0
        if role == Qt.ItemDataRole.DisplayRole:
            return run.name if first else run.figures.get(COLUMNS[self.kind][index.column()], "")
        if role == Qt.ItemDataRole.EditRole and first:
            return run.title
        if role == Qt.ItemDataRole.DecorationRole and first:
            return swatch(self.theme, run.color)
        if role == Qt.ItemDataRole.CheckStateRole and first:
            on = run.number in self.shown
            return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
        weak = COLUMNS[self.kind][index.column()] in run.weak
        if role == Qt.ItemDataRole.ForegroundRole and weak:
            return QColor(self.theme.quiet)
        if role == Qt.ItemDataRole.ToolTipRole:
            lines = [f"{run.kind}: {run.title}", *run.lines]
            return "\n".join([_WEAK, *lines] if weak else lines)
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if index.column():
            return False
        if role == Qt.ItemDataRole.EditRole:
            return self._rename(index, str(value).strip())
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        number = self.runs[index.row()].number
        on = Qt.CheckState(value) == Qt.CheckState.Checked
        self.shown = self.shown | {number} if on else self.shown - {number}
        self.dataChanged.emit(index, index)
        return True

    def _rename(self, index: Index, title: str) -> bool:
        if not title:
            return False
        old = self.runs[index.row()]
        new = dataclasses.replace(old, title=title[:LONGEST_NAME])
        at = next(n for n, run in enumerate(self._all) if run is old)
        self._all[at] = new
        self._filter()
        self.dataChanged.emit(index, index)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == 0:
            flags |= Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEditable
        return flags


def swatch(theme: Theme, color: int) -> QPixmap:
    """A piece of a run's line, as the charts draw it."""
    picture = QPixmap(SWATCH)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    pen = trace_pen(theme, color)
    pen.setWidth(2)
    painter.setPen(pen)
    painter.drawLine(0, SWATCH.height() // 2, SWATCH.width(), SWATCH.height() // 2)
    painter.end()
    return picture
