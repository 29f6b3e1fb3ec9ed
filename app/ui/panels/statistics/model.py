"""The table of statistics: a name and a value in each row."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QBrush

from ....core.analysis.statistics import Statistics, Wanted
from ...style.theme import DARK

Index = QModelIndex | QPersistentModelIndex
_NAMES: Final = (
    "bytes", "values", "sum", "least", "greatest", "mean", "entropy",
    "CRC-32", "other CRC", "XXH3-64", "MD5", "SHA-1", "SHA-256",
)  # fmt: skip


def rows_of(found: Statistics, wanted: Wanted) -> tuple[str, ...]:
    """What stands beside each name."""
    values = found.values
    rest = f", {values.rest} B left over" if values.rest else ""
    odd = values.count - values.numbers
    not_numbers = f", {odd:,} not finite" if odd else ""
    return (
        f"{found.length:,}",
        f"{values.count:,} of {wanted.kind}{rest}{not_numbers}",
        number(values.total),
        number(values.least),
        number(values.greatest),
        number(values.mean),
        f"{found.entropy:.4f} bits per byte",
        f"{found.crc32:08X}",
        wanted.crc.format(found.crc),
        f"{found.xxh3:016x}",
        found.md5,
        found.sha1,
        found.sha256,
    )


def number(value: float | None) -> str:
    """A whole number with all its digits, another with those that it has."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.10g}"


class StatisticsModel(QAbstractTableModel):
    """Rows in a fixed order, so that none moves while one reads."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: tuple[str, ...] = ("",) * len(_NAMES)
        self.room = 40  # characters of a value in a line
        self.theme = DARK
        self.old = False  # of bytes, or numbers, that are not wanted any more

    def show(self, texts: tuple[str, ...]) -> None:
        """Other values."""
        self.texts, self.old = texts, False
        self._changed()

    def clear(self) -> None:
        """Nothing is known."""
        self.show(("",) * len(_NAMES))

    def set_old(self) -> None:
        """What is shown is of something else; it goes when the new values are there."""
        self.old = True
        self._changed()

    def _changed(self) -> None:
        self.dataChanged.emit(self.index(0, 0), self.index(len(_NAMES) - 1, 1))

    def lines(self, row: int) -> int:
        """Lines that a value takes at most, the checksums' known width counted."""
        widest = {"MD5": 32, "SHA-1": 40, "SHA-256": 64}.get(_NAMES[row], 0)
        return max(1, len(_lines("0" * widest, self.room))) if widest else 1

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """One row per value."""
        return 0 if parent.isValid() else len(_NAMES)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Name and value."""
        return 0 if parent.isValid() else 2

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Texts, colours, tips."""
        row, column = index.row(), index.column()
        text = _NAMES[row] if column == 0 else self.texts[row]
        if role == Qt.ItemDataRole.DisplayRole:
            return "\n".join(_lines(text, self.room)) if column else text
        if role in (Qt.ItemDataRole.EditRole, Qt.ItemDataRole.ToolTipRole):
            return text
        if role == Qt.ItemDataRole.ForegroundRole:
            quiet = column == 0 or self.old
            return QBrush(self.theme.color("quiet" if quiet else "text"))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        return None


def _lines(text: str, room: int) -> list[str]:
    """The text in lines of the same length, at most `room` characters: a hash has no parts."""
    count = max(1, -(-len(text) // max(1, room)))
    size = max(1, -(-len(text) // count))
    return [text[at : at + size] for at in range(0, len(text), size)] or [""]
