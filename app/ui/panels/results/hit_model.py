"""The hits of a search as a table of any length: rows are fetched when they are on the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QBrush, QFont

from ....core.search.hits import HitRow
from ....core.search.needle import Endians
from ....core.values.units import format_offset
from ....core.values.value_type import Endian, ValueType
from ...style.theme import DARK, Theme, mono_font

Index = QModelIndex | QPersistentModelIndex
OFFSET, LENGTH, VALUE, CONTEXT = range(4)
_HEADS: Final = ("offset", "bytes", "value", "context")
_BYTES: Final = 16  # of a value
_KEPT: Final = 4096  # rows


def shown_text(data: bytes) -> str:
    """Bytes as text, a dot for what is not printable."""
    return "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in data)


Shown = Callable[[bytes, int], str]
"""A value as text, from its bytes (at most the first 64), and how many it has in all."""


def hex_of(data: bytes, length: int) -> str:
    """Bytes as hex."""
    return data[:_BYTES].hex(" ").upper() + (" …" if length > _BYTES else "")


def text_of(encoding: str) -> Shown:
    """As text of an encoding."""

    def shown(data: bytes, length: int) -> str:
        text = data.decode(encoding, "replace")
        text = "".join(char if char.isprintable() else "·" for char in text)
        return text + ("…" if length > len(data) else "")

    return shown


def value_of(kind: ValueType, endians: Endians) -> Shown:
    """As a value of a type; of both orders where either may be meant."""
    orders = [order for order in Endian if endians in (Endians.BOTH, Endians(order.value))]

    def shown(data: bytes, length: int) -> str:
        values = [kind.decode(data, order) or "–" for order in orders]
        return f"{' or '.join(dict.fromkeys(values))}   {hex_of(data, length)}"

    return shown


class HitModel(QAbstractTableModel):
    """Hits by number."""

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = DARK
        self._shown: Shown = hex_of
        self._count = 0
        self._rows: dict[int, HitRow] = {}
        self._gone = mono_font()
        self._gone.setStrikeOut(True)

    @property
    def count(self) -> int:
        """Hits."""
        return self._count

    def clear(self, shown: Shown) -> None:
        """Another search.

        Args:
            shown: How values are shown.
        """
        self.beginResetModel()
        self._count, self._rows, self._shown = 0, {}, shown
        self.endResetModel()

    def grow(self, count: int) -> None:
        """There are more hits than before."""
        if count > self._count:
            self.beginInsertRows(QModelIndex(), self._count, count - 1)
            self._count = count
            self.endInsertRows()

    def take(self, first: int, rows: tuple[HitRow, ...]) -> None:
        """What stands at these hits now."""
        if len(self._rows) + len(rows) > _KEPT:
            self._rows.clear()
        fresh = {first + at: row for at, row in enumerate(rows) if first + at < self._count}
        changed = [at for at, row in fresh.items() if self._rows.get(at) != row]
        self._rows |= fresh
        if changed:
            last = len(_HEADS) - 1
            self.dataChanged.emit(self.index(min(changed), 0), self.index(max(changed), last))

    def row(self, number: int) -> HitRow | None:
        """A hit as it was last seen; None when it was not fetched yet."""
        return self._rows.get(number)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """One row per hit."""
        return 0 if parent.isValid() else self._count

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """As many as heads."""
        return 0 if parent.isValid() else len(_HEADS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Column heads."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return _HEADS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Texts; what matches no more is struck out, and the tool tip says so."""
        row = self._rows.get(index.row())
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(row, index.column())
        if row is None:
            return None
        if role == Qt.ItemDataRole.ToolTipRole and row.matches is False:
            return "It does not match any more"
        if role == Qt.ItemDataRole.FontRole and row.matches is False:
            return QFont(self._gone)
        if role == Qt.ItemDataRole.ForegroundRole:
            quiet = row.matches is False or index.column() in (LENGTH, CONTEXT)
            return QBrush(self.theme.color("quiet" if quiet else "text"))
        return None

    def text(self, row: HitRow | None, column: int) -> str:
        """A cell."""
        if row is None:
            return "…" if column == OFFSET else ""
        if column == OFFSET:
            return format_offset(row.offset)
        if column == LENGTH:
            return str(row.length)
        if column == VALUE:
            return self._shown(row.value, row.length)
        before, after = shown_text(row.before[-8:]), shown_text(row.after[:8])
        return f"{before}⟦{shown_text(row.value[:16])}⟧{after}"

    def line(self, row: HitRow) -> str:
        """A hit as a line of text, for the clipboard."""
        return "\t".join(self.text(row, column) for column in range(len(_HEADS)))
