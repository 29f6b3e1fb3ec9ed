"""The inspector's table: types in rows, little and big endian in columns, fresh and in flux."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QBrush, QRawFont

from ....core.values.steady import Pace
from ....core.values.value_type import Endian, ValueType
from ....core.values.value_types import TYPES
from ...style.theme import DARK, mono_font
from .number_watch import Cell
from .rows import Row, rows_for, wrapped

_FRESH_NS: Final = 1_200_000_000
_WIDE: Final = 40  # characters; any value fits
_HIDDEN_AT_FIRST: Final = ("u24", "i24", "u48", "i48", "dos", "unix64", "uleb", "bool")
Index = QModelIndex | QPersistentModelIndex


class InspectorModel(QAbstractTableModel):
    """Rows are types, columns are name, little, big.

    A type whose values are too long for a column has two rows, little endian first, each with one
    value over both columns.

    Attributes:
        types: The types that are shown.
        rows: What stands in each row.
    """

    def __init__(self) -> None:
        super().__init__()
        self.types: list[ValueType] = [t for t in TYPES if t.name not in _HIDDEN_AT_FIRST]
        self.data_bytes = b""
        self.flux = b""
        self.age_ns: list[int] = []
        self.mine = b""
        self._room = (_WIDE, _WIDE)
        self.rows: list[Row] = []
        self.means: dict[Cell, str] = {}
        self.pace = Pace.LIVE
        self.theme = DARK
        self.stale = False
        self._font = QRawFont.fromFont(mono_font())
        self._texts: list[list[str]] = []
        self._fresh: list[bool] = []
        self._peers: list[bool] = []  # fresh by a peer
        self._arrange()

    def show(
        self,
        data: bytes,
        flux: bytes,
        ages_ns: list[int],
        mine: bytes = b"",
        means: Mapping[Cell, str] | None = None,
    ) -> None:
        """Other bytes: which are in flux, how long ago each changed (0 = never), which by us.

        `means` stand in place of the numbers that they are of.
        """
        if (
            (data, flux, means or {}) == (self.data_bytes, self.flux, self.means)
            and not any(self._fresh)
            and not any(0 < age < _FRESH_NS for age in ages_ns)
        ):
            return
        self.data_bytes, self.flux, self.age_ns, self.mine = data, flux, ages_ns, mine
        self.means = dict(means or {})
        self._rebuild()
        last = self.index(max(0, len(self.rows) - 1), 2)
        self.dataChanged.emit(self.index(0, 1), last)

    def calm(self) -> None:
        """What is shown stays, and is fresh no more."""
        self.age_ns = []
        self._rebuild()
        self.dataChanged.emit(self.index(0, 1), self.index(max(0, len(self.rows) - 1), 2))

    def set_pace(self, pace: Pace) -> None:
        """Say in the heads how often values are shown."""
        self.pace = pace
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 1, 2)

    def choose(self, names: list[str]) -> None:
        """Which types are shown, by name."""
        self.beginResetModel()
        self.types = [kind for kind in TYPES if kind.name in names]
        self._arrange()
        self.endResetModel()

    def set_room(self, half: int, whole: int) -> None:
        """How many characters one column of values, and both together, have room for."""
        if (half, whole) == self._room:
            return
        self._room = (half, whole)
        if rows_for(self.types, half, whole) != self.rows:
            self.beginResetModel()
            self._arrange()
            self.endResetModel()
        else:
            self.dataChanged.emit(self.index(0, 1), self.index(max(0, len(self.rows) - 1), 2))

    def cell_at(self, index: Index) -> tuple[ValueType, Endian]:
        """Whose value stands there; of the name, and of an empty cell, the nearest."""
        row = self.rows[index.row()]
        return row.kind, row.orders[min(max(1, index.column()), len(row.orders)) - 1]

    def place_of(self, name: str, endian: Endian = Endian.LITTLE) -> tuple[int, int]:
        """Row and column of a type's value. Raises KeyError where it is not shown."""
        for number, row in enumerate(self.rows):
            if row.kind.name == name and endian in row.orders:
                return number, row.orders.index(endian) + 1
        raise KeyError(name)

    def _arrange(self) -> None:
        self.rows = rows_for(self.types, *self._room)
        self._rebuild()

    def _rebuild(self) -> None:
        self._texts = [[self._text(row.kind, order) for order in row.orders] for row in self.rows]
        fresh = [at for at, age in enumerate(self.age_ns) if 0 < age < _FRESH_NS]
        peers = [at for at in fresh if not self.mine[at : at + 1].strip(b"\0")]
        sizes = [row.kind.size or 4 for row in self.rows]
        self._fresh = [any(at < size for at in fresh) for size in sizes]
        self._peers = [any(at < size for at in peers) for size in sizes]

    def _text(self, kind: ValueType, endian: Endian) -> str:
        return self.means.get((kind.name, endian)) or self._now(kind, endian)

    def _now(self, kind: ValueType, endian: Endian) -> str:
        text = kind.decode(self.data_bytes, endian) or "-"
        if kind.group != "text" or text.isascii():
            return text
        # Bytes that are no text make characters of any script: to look through all fonts for
        # each would stall the window. What the font lacks is shown by its number.
        quoted, _, number = text.partition(" ")
        return text if self._font.supportsCharacter(ord(quoted[1])) else number

    def _value(self, row: int, column: int) -> str:
        """The text of a value; empty where its row has none in this column."""
        texts = self._texts[row]
        return texts[column - 1] if 0 < column <= len(texts) else ""

    def in_flux(self, row: int) -> bool:
        """Whether the row's value crosses bytes in flux."""
        return any(self.flux[: self.rows[row].kind.size or 4])

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """One row per type, or two."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Name, little, big."""
        return 0 if parent.isValid() else 3

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Column heads."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            word = f" ({self.pace.word})" if section and self.pace.word else ""
            return ("type", "little", "big")[section] + word
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Texts, colours, tips."""
        number, column = index.row(), index.column()
        row = self.rows[number]
        if role == Qt.ItemDataRole.EditRole and self.means and 0 < column <= len(row.orders):
            return self._now(row.kind, row.orders[column - 1])
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            text = self._value(number, column) if column else row.label
            shown = column > 0 and role == Qt.ItemDataRole.DisplayRole
            room = self._room[0 if len(row.orders) > 1 else 1]
            return "\n".join(wrapped(text, room)) if shown else text
        if role == Qt.ItemDataRole.ForegroundRole:
            return QBrush(self.theme.color(self._role(number, column)))
        if role == Qt.ItemDataRole.ToolTipRole:
            kind = row.kind
            flux = "\nBytes in flux: two reads in a row differed." if self.in_flux(number) else ""
            text = self._value(number, column) if column else kind.label
            return f"{text}\n{kind.size or 'variable'} B; type {kind.example} to edit{flux}"
        return None

    def _role(self, row: int, column: int) -> str:
        if column == 0 or self.stale or self._value(row, column) in ("-", "0", "0.0"):
            return "quiet"
        if self.in_flux(row):
            return "flux"
        if self._fresh[row]:
            return "changed" if self._peers[row] else "mine"
        return "text"

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Values can be edited."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if self._value(index.row(), index.column()):
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags
