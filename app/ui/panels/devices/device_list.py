"""The devices as rows: heads, devices in two lines, recent ones; model and painter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
)
from PySide6.QtGui import QFont, QFontMetrics, QMouseEvent, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate

from ....core.errors import ScopeError
from ....core.region.region import RegionKind, RegionSpec
from ....core.values.units import format_size
from ...style.outside_text import printable, tip
from ...style.theme import DARK, SYMBOLS, Theme, mono_font

if TYPE_CHECKING:
    from ....core.discovery.finder import Device

Index = QModelIndex | QPersistentModelIndex
_OPEN: Final = "Open"
GONE: Final = "not there any more"
GROUPS: Final = (
    ("HOST FILES", (RegionKind.FILE,)),
    ("GUEST DEVICES", (RegionKind.BAR, RegionKind.WINDOWS)),
    ("KVMFR", (RegionKind.KVMFR,)),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A head (no spec), a device, or a recent one (no device)."""

    title: str
    detail: str = ""
    spec: RegionSpec | None = None
    device: Device | None = None


def recent_spec(text: str) -> RegionSpec | None:
    """`file:/dev/shm/x` from the settings as a spec."""
    kind, _, location = text.partition(":")
    try:
        return RegionSpec(RegionKind(kind), location) if location else None
    except (ValueError, ScopeError):
        return None


def _detail(device: Device) -> str:
    size = format_size(device.size) if device.size is not None else "size unknown"
    users = ", ".join(dict.fromkeys(u.guest or u.program for u in device.users))
    content = device.content.name if device.content and device.content.name else ""
    return printable("  ".join(part for part in (size, users, content) if part))


def _matches(device: Device, words: list[str]) -> bool:
    users = " ".join(f"{user.guest} {user.program}" for user in device.users)
    text = f"{device.name} {device.location} {device.address or ''} {users}".lower()
    return all(word in text for word in words)


def make_rows(
    devices: tuple[Device, ...], recent: list[str], search: str, *, others: bool
) -> list[Row]:
    """What the list shows."""
    words = search.lower().split()
    rows: list[Row] = []
    for head, kinds in GROUPS:
        found = [
            device
            for device in devices
            if device.kind in kinds and (device.likely_shared or others) and _matches(device, words)
        ]
        if found:
            rows.append(Row(head))
            rows += [Row(printable(d.name), _detail(d), d.spec, d) for d in found]
    known = {row.spec.location for row in rows if row.spec is not None}
    known |= {d.location for d in devices if d.likely_shared}  # left out by the search only
    old = [spec for text in recent if (spec := recent_spec(text)) is not None]
    old = [
        spec
        for spec in old
        if spec.location not in known
        and "ivshmem-scope-demo" not in spec.location
        and all(word in spec.location.lower() for word in words)
    ]
    if old:
        rows.append(Row("RECENT"))
        places = [(printable(spec.location), spec) for spec in old]
        rows += [Row(place.rsplit("/", 1)[-1], place, spec) for place, spec in places]
    return rows


def _identity(row: Row) -> tuple[str, RegionSpec | None]:
    return ("", row.spec) if row.spec is not None else (row.title, None)


def _vanished(row: Row) -> Row:
    return row if row.spec is None else replace(row, detail=GONE, device=None)


class DeviceModel(QAbstractListModel):
    """The rows."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []

    def set_rows(self, rows: list[Row]) -> None:
        """Set the rows; where their order is unchanged, only the texts are updated."""
        if rows == self.rows:
            return
        if [_identity(row) for row in rows] == [_identity(row) for row in self.rows]:
            self.rows = rows
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def update_rows(self, rows: list[Row]) -> None:
        """Update the texts of the present rows; none is added, removed or moved."""
        now = {_identity(row): row for row in rows}
        self.set_rows([now.get(_identity(row)) or _vanished(row) for row in self.rows])

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """All rows."""
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Texts."""
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title
        if role == Qt.ItemDataRole.ToolTipRole and row.spec is not None:
            health = f"\n{row.device.health.text}" if row.device else ""
            return tip(f"{printable(row.spec.location)}{health}")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            health = f", {row.device.health.text}" if row.device else ""
            return f"{row.title}, {row.detail}{health}"
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Heads cannot be chosen."""
        if not index.isValid() or self.rows[index.row()].spec is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


class DeviceDelegate(QStyledItemDelegate):
    """Two lines: badge and name, then size, user, content.

    PySide's stubs leave out what QStyleOption gives, so that options are untyped here.
    """

    def __init__(self, model: DeviceModel) -> None:
        super().__init__(model)
        self._model = model
        self.theme: Theme = DARK
        self.open_location = ""
        self.on_open: Callable[[Index], object] = lambda _index: None

    def sizeHint(self, option: Any, index: Index) -> QSize:
        """One line for a head, two for a device."""
        height = QFontMetrics(option.font).height()
        head = self._model.rows[index.row()].spec is None
        return QSize(120, height + 14 if head else 2 * height + 10)

    def paint(self, painter: QPainter, option: Any, index: Index) -> None:
        """Draw a row."""
        row, theme = self._model.rows[index.row()], self.theme
        painter.save()
        area: QRect = option.rect
        if row.spec is None:
            painter.setPen(theme.color("quiet"))
            painter.setFont(_smaller(option.font))
            painter.drawText(area.adjusted(10, 8, -8, 0), Qt.AlignmentFlag.AlignVCenter, row.title)
        else:
            self._paint_device(painter, option, row)
        painter.restore()

    def _paint_device(self, painter: QPainter, option: Any, row: Row) -> None:
        theme, area, state = self.theme, option.rect, option.state
        is_open, hovered = self._is_open(row), bool(state & QStyle.StateFlag.State_MouseOver)
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        if is_open:
            painter.fillRect(area, theme.color("selection", 130))
            painter.fillRect(QRect(area.left(), area.top(), 3, area.height()), theme.color("mine"))
        elif hovered:
            painter.fillRect(area, theme.color("hover"))
        if chosen:
            focused = bool(state & QStyle.StateFlag.State_HasFocus)
            painter.setPen(theme.color("mine" if focused else "quiet"))
            painter.drawRect(area.adjusted(0, 0, -1, -1))
        offered = (hovered or chosen) and not is_open
        if offered:
            self._paint_offer(painter, open_area(area, option.font))
        metrics = QFontMetrics(option.font)
        line = metrics.height()
        top = area.top() + 5
        badge = SYMBOLS[row.device.health.level] if row.device else "○"
        color = theme.level(row.device.health.level) if row.device else theme.color("quiet")
        painter.setPen(color)
        painter.drawText(QRect(area.left() + 10, top, 16, line), Qt.AlignmentFlag.AlignLeft, badge)
        font = QFont(option.font)
        font.setBold(is_open)
        painter.setFont(font)
        painter.setPen(theme.color("text"))
        width = area.width() - 36
        room = open_area(area, option.font).left() - area.left() - 32 if offered else width
        middle = Qt.TextElideMode.ElideMiddle
        name = QFontMetrics(font).elidedText(row.title, middle, room)
        painter.drawText(QRect(area.left() + 28, top, room, line), 0, name)
        painter.setPen(theme.color("quiet"))
        painter.setFont(mono_font(option.font.pointSizeF() - 1))
        detail = painter.fontMetrics().elidedText(row.detail, Qt.TextElideMode.ElideRight, width)
        painter.drawText(QRect(area.left() + 28, top + line, width, line), 0, detail)

    def _paint_offer(self, painter: QPainter, place: QRect) -> None:
        theme = self.theme
        painter.setPen(theme.color("line"))
        painter.setBrush(theme.color("raised"))
        painter.drawRoundedRect(place, 4, 4)
        painter.setPen(theme.color("text"))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, _OPEN)

    def _is_open(self, row: Row) -> bool:
        return row.spec is not None and row.spec.location == self.open_location

    def editorEvent(self, event: QEvent, model: Any, option: Any, index: Index) -> bool:
        """A click on what the row offers opens it."""
        row = self._model.rows[index.row()]
        clicked = event.type() == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent)
        if clicked and row.spec is not None and not self._is_open(row):
            assert isinstance(event, QMouseEvent)
            left = event.button() == Qt.MouseButton.LeftButton
            if left and open_area(option.rect, option.font).contains(event.position().toPoint()):
                self.on_open(index)
                return True
        return super().editorEvent(event, model, option, index)


def open_area(row: QRect, font: QFont) -> QRect:
    """Where a row offers to be opened: at its right end, on the line of the name."""
    metrics = QFontMetrics(font)
    width, height = metrics.horizontalAdvance(_OPEN) + 12, metrics.height() + 2
    return QRect(row.right() - width - 6, row.top() + 3, width, height)


def _smaller(font: QFont) -> QFont:
    small = QFont(font)
    small.setPointSizeF(font.pointSizeF() - 1)
    small.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 0.6)
    return small
