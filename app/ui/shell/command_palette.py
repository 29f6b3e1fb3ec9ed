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

from .actions import GROUPS, Actions, ActionSpec

VIEW_KEYS: tuple[tuple[str, str, str], ...] = (
    ("Hex view", "Arrows, Page Up, Page Down", "Move the cursor"),
    ("Hex view", "Home, End", "First, last byte of the row"),
    ("Hex view", "Ctrl+Home, Ctrl+End", "First, last byte of the region"),
    ("Hex view", "Shift with any of these", "Select"),
    ("Hex view", "0–9, A–F", "Overwrite the byte (two digits; Esc drops the first)"),
    ("Hex view", "Tab", "Swap hex and text pane"),
    ("Hex view", "Ctrl+Shift+C", "Copy as…"),
    ("Hex view", "Backspace", "Go back by a byte"),
    ("Hex view", "Ctrl+[, Ctrl+]", "Fewer, more bytes in a row"),
    ("Hex view", "Ctrl+\\", "Fit the bytes in a row to the width"),
    ("Hex view", "Ctrl+1, 2, 4, 8", "Group bytes"),
    ("Hex view", "Ctrl+Up, Ctrl+Down", "Scroll by a row"),
    ("Hex view", "Ctrl+Left, Ctrl+Right", "Go by groups"),
    ("Hex view", "Double, triple click", "Select the group or word, the row"),
    ("Hex view", "Ctrl+wheel", "Zoom"),
    ("Hex view", "Shift+wheel", "Scroll sideways"),
    ("Devices", "Enter, double click", "Open the chosen one"),
    ("Devices", "Home, End", "First, last device"),
    ("Measure", "Enter", "Start the test, from its text fields and the button"),
    ("Measure", "Space", "Show or hide the chosen run; flip the flash patch"),
    ("Measure", "F2, Del", "Rename, remove the chosen run"),
    ("Measure", "Ctrl+C", "Copy the chosen run's figures"),
    ("Inspector", "F2, Enter", "Edit the value"),
    ("Inspector", "Esc", "Leave the value as it is"),
)


def _score(words: list[str], spec: ActionSpec) -> bool:
    text = f"{spec.group} {spec.text} {spec.hint} {' '.join(spec.keys)}".lower()
    return all(word in text for word in words)


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
        for spec, action in self._actions.items():
            if spec.name == "palette" or not _score(words, spec):
                continue
            key = action.shortcut().toString()
            item = QTreeWidgetItem(self.list, [action.text().rstrip("…"), key])
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setForeground(1, self.palette().placeholderText())
            item.setToolTip(0, action.toolTip())
            item.setData(0, Qt.ItemDataRole.UserRole, spec.name)
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
        views = sorted({view for view, _, _ in VIEW_KEYS}, key=lambda view: view != focus)
        for view in views:
            self._add(view, [(what, key) for name, key, what in VIEW_KEYS if name == view])
        for group in GROUPS:
            rows = [
                (spec.text.rstrip("…"), ", ".join(spec.keys))
                for spec, _ in actions.items()
                if spec.group == group and spec.keys
            ]
            self._add(group, rows)
        self.tree.expandAll()
        self.tree.resizeColumnToContents(0)
        self.search.textChanged.connect(self._filter)

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
