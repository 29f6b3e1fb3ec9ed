"""The parts of the panel of bookmarks and where they stand."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QStackedLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from ...style.theme import DARK, PAD, UNIT, Theme, mono_font
from ..pace_box import PaceBox
from .model import SWATCH, BookmarkModel, Column

_EMPTY: Final = (
    "No bookmarks here yet.\n"
    "Ctrl+B names the selection or the byte under the cursor; Ctrl+Shift+1 sets bookmark 1, "
    "Ctrl+1 goes there."
)
_NO_REGION: Final = "Open a region; what you name in it stands here with its living value."
_FILTERED: Final = "No bookmark has these words."
# Characters, by column; the note takes the rest.
_WIDTHS: Final = (6, 13, 9, 20, 22, 11, 24)
_LEAST_WIDTH, _MOST_WIDTH = 24, 2000


class BookmarkLayout:
    """The panel's widgets.

    Attributes:
        filter: Words that a bookmark must have.
        pace: How often values are shown.
        reset: Least and greatest begin anew.
        add, remove: A bookmark here; away with the chosen ones.
        more: A menu of what is needed seldom.
        problem: Why what was typed was refused.
        table: The list.
    """

    def __init__(self, panel: QWidget, model: BookmarkModel) -> None:
        self._theme = DARK
        self.filter = QLineEdit(placeholderText="Filter", clearButtonEnabled=True)
        self.filter.setAccessibleName("Filter bookmarks")
        self.filter.setToolTip("Words in name, note, type, colour or offset; “key 3”")
        self.filter.setMaximumWidth(220)
        self.pace = PaceBox()
        self.reset = QPushButton("Reset")
        self.reset.setToolTip("Least and greatest begin anew")
        self.add = QPushButton("Add")
        self.add.setToolTip("A bookmark for the selection or the byte under the cursor (Ctrl+B)")
        self.remove = QPushButton("Remove")
        self.remove.setToolTip("Remove the chosen ones (Del); Ctrl+Z brings them back")
        self.more = QPushButton("More")
        for button in (self.reset, self.add, self.remove):
            button.setAutoDefault(True)  # Enter presses it
        self.counted = QLabel()
        self.problem = QLabel(wordWrap=True)
        self.problem.hide()
        self.table = _table(model)
        self.empty = QLabel(_NO_REGION)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self._lay_out(panel)

    def _lay_out(self, panel: QWidget) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(PAD, UNIT, PAD, UNIT)
        bar.setSpacing(UNIT)
        bar.addWidget(self.filter, 2)
        bar.addWidget(self.counted)
        bar.addStretch(1)
        for part in (self.pace, self.reset, self.add, self.remove, self.more):
            bar.addWidget(part)
        self.problem.setContentsMargins(PAD, 0, PAD, UNIT)
        stack = QWidget()
        self._stack = QStackedLayout(stack)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.table)
        layout = QVBoxLayout(panel)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.problem)
        layout.addWidget(stack, 1)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        for label in (self.empty, self.counted):
            label.setStyleSheet(f"color: {theme.quiet}")
        self.problem.setStyleSheet(f"color: {theme.fault}")

    def complain(self, text: str) -> None:
        """Say why what was typed was refused."""
        self.problem.setText(text)
        self.problem.show()

    def count(self, shown: int, of: int, *, open_region: bool) -> None:
        """How many are shown, or what would fill the list."""
        self._stack.setCurrentIndex(1 if shown else 0)
        self.empty.setText(_FILTERED if of else _EMPTY if open_region else _NO_REGION)
        self.counted.setText("" if not of else f"{of}" if shown == of else f"{shown} of {of}")

    def widths(self) -> list[int]:
        """Of the columns, for the settings."""
        return [self.table.columnWidth(column) for column in Column if column is not Column.NOTE]

    def set_widths(self, widths: object) -> None:
        """As they were; anything odd is passed over."""
        good = isinstance(widths, list) and len(widths) == len(_WIDTHS)
        if isinstance(widths, list) and good:
            for column, width in enumerate(widths):
                if type(width) is int and _LEAST_WIDTH <= width <= _MOST_WIDTH:
                    self.table.setColumnWidth(column, width)


def _table(model: BookmarkModel) -> QTableView:
    table = QTableView()
    table.setModel(model)
    table.setFont(mono_font())
    table.setShowGrid(False)
    table.setTabKeyNavigation(False)  # Tab leads on, arrows move inside
    table.setIconSize(QSize(SWATCH, SWATCH))
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    table.setAccessibleName("Bookmarks")
    table.setWordWrap(False)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 5)
    header = table.horizontalHeader()
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
    header.setHighlightSections(False)
    header.setSectionResizeMode(Column.NOTE, QHeaderView.ResizeMode.Stretch)
    digit = table.fontMetrics().horizontalAdvance("0")
    for column, characters in enumerate(_WIDTHS):
        table.setColumnWidth(column, digit * characters)
    return table
