"""The table of bookmarks: what each column shows, and what a person may type into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRect, Qt
from PySide6.QtGui import QBrush, QColor, QIcon, QPainter, QPixmap

from ....core.annotations.bookmark import AS_BYTES, AS_TEXT, COLORS, Bookmark
from ....core.values.steady import Pace
from ....core.values.units import format_age, format_offset, format_short_offset, format_size
from ....core.values.value_type import Endian
from ....core.values.value_types import type_named
from ...style.theme import DARK, Theme
from .live_values import LiveValue

Index = QModelIndex | QPersistentModelIndex
SWATCH: Final = 12


class Column(IntEnum):
    """What stands where."""

    MARK = 0  # colour and digit
    OFFSET = 1
    LENGTH = 2
    NAME = 3
    VALUE = 4
    KIND = 5
    SPAN = 6
    NOTE = 7


_HEADS: Final = ("key", "offset", "length", "name", "value", "type", "least … greatest", "note")
_MOVING: Final = (Column.VALUE, Column.SPAN)


def kind_text(kind: str, endian: Endian) -> str:
    """`u32`, or `u32 big`."""
    return f"{kind} big" if has_order(kind) and endian is Endian.BIG else kind


def has_order(kind: str) -> bool:
    """Whether the byte order makes a difference."""
    return kind not in (AS_BYTES, AS_TEXT) and type_named(kind).endian_matters


def is_typed(kind: str) -> bool:
    """Whether a value can be typed over what stands there."""
    return kind not in (AS_BYTES, AS_TEXT)


def swatch(theme: Theme, color: str) -> QIcon:
    """A square of a bookmark's colour."""
    pixmap = QPixmap(SWATCH, SWATCH)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.fillRect(QRect(1, 1, SWATCH - 2, SWATCH - 2), QColor(tint_color(theme, color)))
    painter.end()
    return QIcon(pixmap)


def tint_color(theme: Theme, color: str) -> str:
    """A bookmark's colour in a theme."""
    return theme.tints[COLORS.index(color)]


class BookmarkModel(QAbstractTableModel):
    """Rows are the bookmarks that pass the filter, by place.

    Args:
        values: Gives what is known of a bookmark's value.
    """

    def __init__(self, values: Callable[[Bookmark], LiveValue | None]) -> None:
        super().__init__()
        self.marks: list[Bookmark] = []
        self.theme = DARK
        self.stale = False
        self.pace = Pace.LIVE
        self.clock_ns = 0
        self._values = values
        self._swatches: dict[str, QIcon] = {}

    def show(self, marks: Sequence[Bookmark]) -> bool:
        """Other bookmarks; True when other rows than before are there, so that none is chosen."""
        same = [mark.key for mark in marks] == [mark.key for mark in self.marks]
        if not same:
            self.beginResetModel()
        self.marks = list(marks)
        if same:
            self._changed(0, len(Column) - 1)
        else:
            self.endResetModel()
        return not same

    def swatch_of(self, color: str) -> QIcon:
        """A square of a colour."""
        return self._swatches.get(color, QIcon())

    def show_values(self, clock_ns: int) -> None:
        """Values are shown anew; `clock_ns` is the moment."""
        self.clock_ns = clock_ns
        self._changed(Column.VALUE, Column.SPAN)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self.theme = theme
        self._swatches = {color: swatch(theme, color) for color in COLORS}
        self._changed(0, len(Column) - 1)

    def _changed(self, first: int, last: int) -> None:
        if self.marks:
            self.dataChanged.emit(self.index(0, first), self.index(len(self.marks) - 1, last))

    def row_of(self, key: str) -> int:
        """The row of a bookmark; -1 when it is not shown."""
        return next((row for row, mark in enumerate(self.marks) if mark.key == key), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """One row per bookmark."""
        return 0 if parent.isValid() else len(self.marks)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """As many as heads."""
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Column heads; the values' says when they are no living ones."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            word = self.pace.word if section == Column.VALUE else ""
            return f"{_HEADS[section]} ({word})" if word else _HEADS[section]
        if role == Qt.ItemDataRole.ToolTipRole and section == Column.MARK:
            return "Ctrl+0 to Ctrl+9 go there, Ctrl+Shift+0 to 9 set one"
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """All but what follows from the memory can be edited."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        column = index.column()
        fixed = column == Column.SPAN or (
            column == Column.VALUE and not is_typed(self.marks[index.row()].kind)
        )
        return flags if fixed else flags | Qt.ItemFlag.ItemIsEditable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Texts, colours, tips."""
        mark, column = self.marks[index.row()], Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(mark, column)
        if role == Qt.ItemDataRole.EditRole:
            return self._typed(mark, column)
        if role == Qt.ItemDataRole.DecorationRole and column is Column.MARK:
            return self.swatch_of(mark.color)
        if role == Qt.ItemDataRole.ForegroundRole:
            quiet = self.stale if column in _MOVING else column in (Column.LENGTH, Column.KIND)
            return QBrush(self.theme.color("quiet" if quiet else "text"))
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(mark, column)
        return None

    def _text(self, mark: Bookmark, column: Column) -> str:
        value = self._values(mark) if column in _MOVING else None
        match column:
            case Column.MARK:
                return "" if mark.digit is None else str(mark.digit)
            case Column.OFFSET:
                return format_offset(mark.start)
            case Column.LENGTH:
                return format_size(mark.length)
            case Column.NAME:
                return mark.name
            case Column.VALUE:
                return value.text if value is not None else ""
            case Column.KIND:
                return kind_text(mark.kind, mark.endian)
            case Column.SPAN:
                return value.stats.span() if value is not None else ""
            case Column.NOTE:
                return " ".join(mark.note.split())

    def _typed(self, mark: Bookmark, column: Column) -> str:
        """What stands in the line when its editing begins."""
        if column is Column.OFFSET:
            return format_short_offset(mark.start)
        if column is Column.LENGTH:
            return str(mark.length)
        if column is Column.NOTE:
            return mark.note
        if column is Column.VALUE:
            value = self._values(mark)
            return mark.value(value.shown_data) if value is not None else ""
        return self._text(mark, column)

    def _tip(self, mark: Bookmark, column: Column) -> str:
        if column is Column.MARK:
            led = "" if mark.digit is None else f", Ctrl+{mark.digit} goes there"
            return f"{mark.color}{led}"
        if column is Column.SPAN:
            value = self._values(mark)
            if value is None or not value.stats.looks:
                return "Of numbers, while this list is in sight"
            age = format_age(max(0, self.clock_ns - value.stats.since_ns))
            return f"{value.stats.span()}\nof {value.stats.looks:,} looks in {age}"
        if column is Column.NOTE:
            return mark.note
        return self._text(mark, column)


def passes(mark: Bookmark, words: Sequence[str]) -> bool:
    """Whether a filter lets it through: each word in its name, note, type, colour or offset."""
    if not words:
        return True
    key = "" if mark.digit is None else f"key {mark.digit}"
    text = f"{mark.name} {mark.note} {kind_text(mark.kind, mark.endian)} {mark.color} {key}"
    text = f"{text} {format_offset(mark.start)} {format_short_offset(mark.start)}".lower()
    return all(word in text for word in words)
