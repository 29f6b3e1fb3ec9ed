"""The searchable list of everything that can be done (Ctrl+Shift+P), and the list of keys (F1)."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..action import WINDOW, Action
from .actions import GROUPS, Actions


def _matches(words: list[str], entry: Action) -> bool:
    place = entry.group if entry.scope == WINDOW else entry.scope
    text = f"{place} {entry.text} {entry.hint} {' '.join(entry.keys)}".lower()
    return all(word in text for word in words)


def _row(entry: Action) -> tuple[str, str]:
    return entry.text.rstrip("…"), ", ".join(entry.keys)


class CommandPalette(QDialog):
    """Type a few letters, press Enter."""

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._window = parent
        self._actions = actions
        self.search = QLineEdit(placeholderText="What to do…", clearButtonEnabled=True)
        self.search.setAccessibleName("Search actions")
        self.list = QTreeWidget()
        self.list.setColumnCount(2)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setIndentation(0)
        self.list.setUniformRowHeights(True)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.search)
        layout.addWidget(self.list)
        self.resize(460, 380)
        self.search.textChanged.connect(self._filter)
        self.search.installEventFilter(self)
        self.list.itemActivated.connect(self._run)
        self.list.itemClicked.connect(self._run)  # to activate takes two clicks in some styles
        self._filter("")

    def popup(self) -> None:
        """Show it below the window's top, ready to type."""
        parent = self._window
        corner = parent.mapToGlobal(parent.rect().topLeft())
        self.move(corner.x() + (parent.width() - self.width()) // 2, corner.y() + 48)
        self.search.clear()
        self.show()
        self.search.setFocus()

    def _filter(self, text: str) -> None:
        words = text.lower().split()
        self.list.clear()
        for entry, action in self._actions.items():
            if entry.by_key or entry.name == "palette" or not _matches(words, entry):
                continue
            key = action.shortcut().toString()
            place = "" if entry.group else f"{entry.scope}: "
            item = QTreeWidgetItem(self.list, [place + action.text().rstrip("…"), key])
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setForeground(1, self.palette().placeholderText())
            item.setToolTip(0, action.toolTip())
            item.setData(0, Qt.ItemDataRole.UserRole, entry.name)
            if not action.isEnabled():
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
        if not self.list.topLevelItemCount():
            nothing = QTreeWidgetItem(self.list, ["Nothing is called so. F1 lists all keys."])
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
        self._choose(0)

    def _choose(self, row: int) -> None:
        item = self.list.topLevelItem(max(0, min(self.list.topLevelItemCount() - 1, row)))
        if item is not None:
            self.list.setCurrentItem(item)

    def _run(self, item: QTreeWidgetItem | None, _column: int = 0) -> None:
        if item is None or self.isHidden() or not item.flags() & Qt.ItemFlag.ItemIsEnabled:
            return
        action: QAction = self._actions[item.data(0, Qt.ItemDataRole.UserRole)]
        self.close()
        action.trigger()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up, Down and Enter work on the list while the line has the focus."""
        ours = watched is self.search and event.type() == QEvent.Type.KeyPress
        if ours and isinstance(event, QKeyEvent) and self._key(event.key()):
            return True
        return super().eventFilter(watched, event)

    def _key(self, key: int) -> bool:
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(key), 0)
        if step:
            self._choose(self.list.currentIndex().row() + step)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._run(self.list.currentItem())
        else:
            return False
        return True


class KeyList(QDialog):
    """All keys, those of the focused view first."""

    def __init__(self, actions: Actions, focus: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.tree = QTreeWidget()
        self.tree.setColumnCount(2)
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setHeaderLabels(["Action", "Key"])
        self.search = QLineEdit(placeholderText="Filter…", clearButtonEnabled=True)
        layout = QVBoxLayout(self)
        layout.addWidget(self.search)
        layout.addWidget(self.tree)
        self.resize(620, 560)
        for scope in self._scopes(actions, focus):
            self._add(scope, self._rows_of(actions, scope))
        for group in GROUPS:
            self._add(
                group,
                [
                    _row(entry)
                    for entry, _ in actions.items()
                    if entry.group == group and entry.scope == WINDOW and entry.keys
                ],
            )
        keyed = [entry for entry in actions.entries() if entry.keys and not entry.group]
        self._add(WINDOW, [_row(entry) for entry in keyed if entry.scope == WINDOW])
        self.tree.expandAll()
        self.tree.resizeColumnToContents(0)
        self.search.textChanged.connect(self._filter)

    @staticmethod
    def _scopes(actions: Actions, focus: str) -> list[str]:
        """Views that have keys of their own, in order, but the one in focus first."""
        named = [entry.scope for entry in actions.entries() if entry.keys]
        named += [gesture.scope for gesture in actions.gestures()]
        views = [scope for scope in dict.fromkeys(named) if scope != WINDOW]
        return sorted(views, key=lambda view: view != focus)

    @staticmethod
    def _rows_of(actions: Actions, scope: str) -> list[tuple[str, str]]:
        entries = sorted(
            (entry for entry in actions.entries() if entry.scope == scope and entry.keys),
            key=lambda entry: not entry.by_key,
        )
        gestures = [(one.text, one.how) for one in actions.gestures() if one.scope == scope]
        return [*map(_row, entries), *gestures]

    def _add(self, head: str, rows: list[tuple[str, str]]) -> None:
        item = QTreeWidgetItem(self.tree, [head])
        font = item.font(0)
        font.setBold(True)
        item.setFont(0, font)
        for what, key in rows:
            QTreeWidgetItem(item, [what, key])

    def _filter(self, text: str) -> None:
        for index in range(self.tree.topLevelItemCount()):
            head = self.tree.topLevelItem(index)
            if head is None:
                continue
            shown = 0
            for at in range(head.childCount()):
                row = head.child(at)
                hit = text.lower() in f"{row.text(0)} {row.text(1)}".lower()
                row.setHidden(not hit)
                shown += hit
            head.setHidden(not shown)
