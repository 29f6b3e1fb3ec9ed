"""Every action of a window in one table: its words, its keys, where it stands in the menu.

The window, its views and its panels contribute their entries; the menu, the tool bar, the
searchable list (Ctrl+Shift+P) and the list of keys (F1) are all made from the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from PySide6.QtCore import QEvent, QKeyCombination, QObject, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QMenu, QWidget

from ..action import WINDOW, Action, Gesture

GROUPS: tuple[str, ...] = ("File", "Edit", "Go", "View", "Help")


class Actions(QObject):
    """The actions of one window, and their QActions.

    Entries of scope WINDOW get their keys here. Those of a view are dispatched by the view itself
    (app/ui/action.py), since a line of text may have another meaning for the same keys.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._entries: dict[str, Action] = {}
        self._actions: dict[str, QAction] = {}
        self._gestures: list[Gesture] = []
        self._views: dict[str, QWidget] = {}
        self._session = False

    def add(self, entries: Iterable[Action]) -> None:
        """Take entries in. Raises ValueError for a name that is there already."""
        for entry in entries:
            if entry.name in self._entries:
                raise ValueError(f"two actions are called {entry.name}")
            self._entries[entry.name] = entry
            self._actions[entry.name] = self._make(entry)

    def add_view(
        self,
        scope: str,
        view: QWidget,
        entries: Iterable[Action],
        gestures: Iterable[Gesture] = (),
    ) -> None:
        """Take the entries of a view in; the list of keys begins with the view in focus."""
        self._views[scope] = view
        self._gestures += gestures
        self.add(entries)

    def _make(self, entry: Action) -> QAction:
        action = QAction(entry.text, self._window)
        if not entry.by_key:
            action.setShortcuts([QKeySequence(key) for key in entry.keys])
        local = entry.scope != WINDOW
        context = Qt.ShortcutContext
        # The window itself never has the focus: such a key is only shown here.
        action.setShortcutContext(context.WidgetShortcut if local else context.WindowShortcut)
        action.setCheckable(entry.checkable)
        action.setEnabled(self._session or not entry.needs_session)
        key = f" ({entry.key})" if entry.key else ""
        tip = f"{entry.text.rstrip('…')}{key}"
        action.setToolTip(f"{tip}\n{entry.hint}" if entry.hint else tip)
        if entry.checkable:
            action.triggered.connect(entry.callback)
        elif not entry.by_key:
            action.triggered.connect(lambda _checked=False: entry.callback())
        self._window.addAction(action)
        if entry.by_key and not local:
            for key in entry.keys:
                shortcut = QShortcut(QKeySequence(key), self._window)
                shortcut.activated.connect(partial(_by_key, entry, key))
        return action

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def entries(self) -> list[Action]:
        """All entries in the menu's order; those of no menu come last."""

        def place(entry: Action) -> tuple[int, int]:
            group = GROUPS.index(entry.group) if entry.group else len(GROUPS)
            return group, entry.section

        return sorted(self._entries.values(), key=place)

    def items(self) -> Iterator[tuple[Action, QAction]]:
        """All entries with their QActions, in the menu's order."""
        return ((entry, self._actions[entry.name]) for entry in self.entries())

    def gestures(self) -> list[Gesture]:
        """What the views do with typing and the mouse."""
        return list(self._gestures)

    def scope_in_focus(self) -> str:
        """The view that has the focus; WINDOW when it is none of them."""
        focus = QGuiApplication.focusObject()
        inside = (
            scope
            for scope, view in self._views.items()
            if isinstance(focus, QWidget) and (view is focus or view.isAncestorOf(focus))
        )
        return next(inside, WINDOW)

    def fill_menu(self, menu: QMenu) -> None:
        """One submenu per group, with a line between its sections."""
        for group in GROUPS:
            part = menu.addMenu(group)
            part.setToolTipsVisible(True)
            section = None
            for entry, action in self.items():
                if entry.group == group:
                    if section not in (None, entry.section):
                        part.addSeparator()
                    section = entry.section
                    part.addAction(action)

    def set_session(self, on: bool) -> None:
        """Whether a region is open."""
        self._session = on
        for entry, action in self.items():
            if entry.needs_session:
                action.setEnabled(on)


def _by_key(entry: Action, key: str) -> None:
    """Tell an entry which of its keys was pressed."""
    pressed: QKeyCombination = QKeySequence(key)[0]  # type: ignore[index]  # stubs lack it
    entry.callback(QKeyEvent(QEvent.Type.KeyPress, pressed.key(), pressed.keyboardModifiers()))
