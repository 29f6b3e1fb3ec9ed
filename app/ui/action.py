"""What a person can do: its words, its keys, where the keys work, and what is called.

The menu, the tool bar, the searchable list (Ctrl+Shift+P) and the list of keys (F1) are made of
these, and the keys are dispatched from the same entries: none of them can say something that the
others do not do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QKeyCombination, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QWidget

WINDOW: Final = "Window"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done.

    Attributes:
        name: Stable name in the code, unique in a window.
        text: A verb phrase for the menu.
        keys: Shortcuts as Qt writes them, the first is shown in the menu.
        callback: What is called: with nothing, with the new state if `checkable`, with the
            QKeyEvent if `by_key`.
        scope: WINDOW, or the title of the view inside of which the keys work.
        group: Menu that it belongs to; empty for none.
        section: Block inside of that menu, the smallest on top.
        hint: One sentence more, for the tool tip and the searchable list.
        icon: Its picture in the tool bar.
        checkable: Whether it has an on and off state.
        needs_session: Whether a region must be open.
        by_key: What it does depends on which of its keys was pressed, and Shift may be held as
            well; only keys can call it.
    """

    name: str
    text: str
    keys: tuple[str, ...]
    callback: Callable[..., object]
    scope: str = WINDOW
    group: str = ""
    section: int = 5
    hint: str = ""
    icon: str = ""
    checkable: bool = False
    needs_session: bool = False
    by_key: bool = False

    @property
    def key(self) -> str:
        """The key that is shown, empty when it has none."""
        return self.keys[0] if self.keys else ""


@dataclass(frozen=True, slots=True)
class Gesture:
    """What a view does with typing and with the mouse, for the list of keys.

    Attributes:
        scope: Title of the view.
        how: What one does.
        text: What that does.
    """

    scope: str
    how: str
    text: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What a context menu offers for a place.

    Attributes:
        text: A verb phrase.
        call: What is called.
        key: The key that does the same, as it is shown; empty when it has none.
    """

    text: str
    call: Callable[[], object]
    key: str = ""


# Start and length of the bytes that were clicked (at least one): what is offered for them.
Offers = Callable[[int, int], Iterable[Offer]]


class KeyMap:
    """Finds the action of a key among those of one view."""

    def __init__(self, actions: Iterable[Action]) -> None:
        self._by_key = {key: action for action in actions for key in action.keys}

    def find(self, combination: QKeyCombination) -> Action | None:
        """The action of a key, None when it has none; keys of the number pad count as well."""
        modifier = Qt.KeyboardModifier
        plain = combination.keyboardModifiers() & ~modifier.KeypadModifier
        action = self._by_key.get(_text(combination.key(), plain))
        if action is None and plain & modifier.ShiftModifier:
            action = self._by_key.get(_text(combination.key(), plain & ~modifier.ShiftModifier))
            return action if action is not None and action.by_key else None
        return action

    def run(self, event: QKeyEvent) -> bool:
        """Run the action of a key; False when it has none."""
        action = self.find(event.keyCombination())
        if action is None:
            return False
        if action.by_key:
            action.callback(event)
        else:
            action.callback()
        return True


def _text(key: Qt.Key, modifiers: Qt.KeyboardModifier) -> str:
    return QKeySequence(QKeyCombination(modifiers, key)).toString()


class _Filter(QObject):
    """Gives a widget's keys to its actions first."""

    def __init__(self, widget: QWidget, actions: Iterable[Action]) -> None:
        super().__init__(widget)
        self._keys = KeyMap(actions)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        if isinstance(watched, QAbstractItemView):
            editing = watched.state() == QAbstractItemView.State.EditingState
            return not editing and self._keys.run(event)
        return self._keys.run(event)


def bind_keys(widget: QWidget, actions: Iterable[Action]) -> None:
    """Let these keys work while `widget` has the focus; in a table not while a cell is edited."""
    _Filter(widget, actions)
