"""How the open list of a choice is drawn: which one holds, and which one Enter or a click takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate

from .theme import PAD, UNIT

if TYPE_CHECKING:
    from PySide6.QtWidgets import QComboBox

_BAR: Final = 3  # pixels


class ChoiceDelegate(QStyledItemDelegate):
    """Rows of a combo box's list; colours are the palette's.

    The row that Enter or a click takes is filled, one that the mouse only rests on less so; the
    choice that holds has a bar at its left and is bold.

    PySide's stubs leave out what QStyleOption gives, so that options are untyped here.
    """

    def __init__(self, box: QComboBox) -> None:
        super().__init__(box)
        self._box = box

    def sizeHint(self, option: Any, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """As high as a menu's row, as wide as its text in bold."""
        font = option.font
        font.setBold(True)
        width = QFontMetrics(font).horizontalAdvance(str(index.data() or ""))
        return QSize(width + 4 * PAD, QFontMetrics(font).height() + 2 * UNIT)

    def paint(
        self, painter: QPainter, option: Any, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw a row."""
        area: QRect = option.rect
        role, holds = QPalette.ColorRole, index.row() == self._box.currentIndex()
        state = QStyle.StateFlag
        painter.save()
        if option.state & state.State_Selected:
            painter.fillRect(area, option.palette.color(role.Highlight))
        elif option.state & state.State_MouseOver:
            painter.fillRect(area, option.palette.color(role.Light))
        if holds:
            bar = QRect(area.left(), area.top(), _BAR, area.height())
            painter.fillRect(bar, option.palette.color(role.Link))
        font = option.font
        font.setBold(holds)
        painter.setFont(font)
        enabled = bool(option.state & state.State_Enabled)
        group = QPalette.ColorGroup.Normal if enabled else QPalette.ColorGroup.Disabled
        painter.setPen(option.palette.color(group, role.Text))
        text = area.adjusted(PAD + _BAR, 0, -PAD, 0)
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(text, align, str(index.data() or ""))
        painter.restore()
