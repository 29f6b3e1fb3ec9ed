"""Editing a bookmark in its row: what was typed becomes a changed bookmark, or stays open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QAbstractItemModel, QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from ....core.annotations.bookmark import COLORS, Bookmark, checked, kinds
from ....core.errors import ExpressionError
from ....core.values.expressions import evaluate
from ....core.values.value_type import Endian
from ...style.combo_box import ComboBox
from ...style.theme import mono_font
from .model import BookmarkModel, Column, Index, has_order, kind_text

Commit = Callable[[int, int, str], bool]


def edited(mark: Bookmark, column: Column, text: str, *, cursor: int, size: int) -> Bookmark:
    """The bookmark with what was typed into a column.

    Raises:
        ValueFormatError, ExpressionError: It makes no sense there.
    """
    match column:
        case Column.MARK:
            return checked(replace(mark, color=text))
        case Column.OFFSET:
            start = evaluate(text, cursor=cursor, size=size)
            if not 0 <= start < size:
                raise ExpressionError("That is outside of the region.", f"It has {size} bytes.")
            return checked(replace(mark, start=start))
        case Column.LENGTH:
            alone = f"({text})" if text.strip() else ""  # a length is never relative
            return checked(replace(mark, length=evaluate(alone, cursor=cursor, size=size)))
        case Column.NAME:
            return checked(replace(mark, name=text))
        case Column.KIND:
            kind, _, order = text.partition(" ")
            return checked(replace(mark, kind=kind, endian=Endian(order or "little")))
        case Column.NOTE:
            return checked(replace(mark, note=text))
        case _:
            return mark


def kind_choices() -> list[str]:
    """All types, those with a byte order twice."""
    found = []
    for kind in kinds():
        found.append(kind)
        if has_order(kind):
            found.append(kind_text(kind, Endian.BIG))
    return found


class BookmarkEditor(QStyledItemDelegate):
    """A line or a choice in the row; a line stays open while what was typed makes no sense.

    Args:
        model: The table.
        commit: Takes row, column and text; False refuses it.
        give_up: Called when editing is left by Esc.
    """

    def __init__(
        self,
        model: BookmarkModel,
        commit: Commit,
        give_up: Callable[[], object],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._model = model
        self._commit = commit
        self._give_up = give_up
        self._at = (0, 0)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        self._at = index.row(), index.column()
        if index.column() not in (Column.MARK, Column.KIND):
            line = QLineEdit(parent)
            line.setFont(mono_font())
            line.setFrame(False)
            return line
        box = ComboBox(parent)
        if index.column() == Column.MARK:
            for color in COLORS:
                box.addItem(self._model.swatch_of(color), color)
        else:
            box.addItems(kind_choices())
        box.setMinimumContentsLength(9)
        box.activated.connect(lambda _at: self._chosen(box))
        return box

    def _chosen(self, box: QComboBox) -> None:
        self.commitData.emit(box)
        self.closeEditor.emit(box)

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        if isinstance(editor, QComboBox):
            mark = self._model.marks[index.row()]
            color = index.column() == Column.MARK
            editor.setCurrentText(mark.color if color else kind_text(mark.kind, mark.endian))
        elif isinstance(editor, QLineEdit):
            editor.setText(str(index.data(Qt.ItemDataRole.EditRole)))

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> None:
        super().updateEditorGeometry(editor, option, index)
        if isinstance(editor, QComboBox):
            editor.resize(max(editor.width(), editor.sizeHint().width()), editor.height())

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        text = editor.currentText() if isinstance(editor, QComboBox) else ""
        if isinstance(editor, QLineEdit):
            text = editor.text()
        self._commit(index.row(), index.column(), text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter closes a line only when its text was taken."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if enter and isinstance(watched, QLineEdit):
                if self._commit(*self._at, watched.text()):
                    self.closeEditor.emit(watched)
                return True
            if event.key() == Qt.Key.Key_Escape:
                self._give_up()
        return super().eventFilter(watched, event)
