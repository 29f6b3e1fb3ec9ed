"""The searchable list of actions, and the list of keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.core.storage.settings import Settings
from app.ui.action import WINDOW
from app.ui.main_window import MainWindow
from app.ui.session.session import Session
from app.ui.shell.actions import GROUPS, Actions
from app.ui.shell.command_palette import CommandPalette, KeyList
from app.ui.style.theme import DARK
from tests.ui.helpers import bury


def no_session(_spec: object) -> Session:
    raise AssertionError("nothing is opened here")


@pytest.fixture
def window(tmp_path: Path) -> Iterator[MainWindow]:
    """A whole window, with what it and all its views contribute."""
    made = MainWindow(no_session, Settings(tmp_path / "settings.json"), DARK)
    made.show()
    yield made
    bury(made)


@pytest.fixture
def actions(window: MainWindow) -> Actions:
    window.actions_table.set_session(True)
    return window.actions_table


@pytest.fixture
def palette(qtbot: QtBot, window: QWidget, actions: Actions) -> CommandPalette:
    made = CommandPalette(actions, window)
    qtbot.addWidget(made)
    made.popup()
    return made


def rows(palette: CommandPalette) -> list[tuple[str, str]]:
    items = (palette.list.topLevelItem(at) for at in range(palette.list.topLevelItemCount()))
    return [(item.text(0), item.text(1)) for item in items]


def test_all_actions_are_there_with_their_keys(palette: CommandPalette, actions: Actions) -> None:
    by_name = [entry for entry in actions.entries() if not entry.by_key]
    assert len(rows(palette)) == len(by_name) - 1  # it does not offer itself
    assert ("Go to offset", "Ctrl+G") in rows(palette)
    assert ("Hex view: Fit the bytes in a row to the width", "Ctrl+\\") in rows(palette)
    assert ("Measure: Rename", "F2") in rows(palette)


def test_letters_find_and_enter_runs(
    qtbot: QtBot, palette: CommandPalette, actions: Actions
) -> None:
    ran: list[str] = []
    for entry, action in actions.items():
        action.triggered.connect(lambda _=False, name=entry.name: ran.append(name))
    qtbot.keyClicks(palette.search, "OFFSET go")
    assert rows(palette) == [("Go to offset", "Ctrl+G")]
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert ran == ["goto"]
    assert not palette.isVisible()


def test_arrows_choose(qtbot: QtBot, palette: CommandPalette, actions: Actions) -> None:
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Down):
        qtbot.keyClick(palette.search, key)
    chosen = palette.list.currentItem()
    assert chosen.text(0) == rows(palette)[2][0]
    third = actions.entries()[2].name
    with qtbot.waitSignal(actions[third].triggered):
        qtbot.keyClick(palette.search, Qt.Key.Key_Return)


def test_hints_and_keys_can_be_searched(qtbot: QtBot, palette: CommandPalette) -> None:
    qtbot.keyClicks(palette.search, "nothing in this window")
    assert [text for text, _ in rows(palette)] == ["Unlock writing"]
    palette.search.clear()
    qtbot.keyClicks(palette.search, "shift+f6")
    assert [text for text, _ in rows(palette)] == ["Previous changed byte"]


def test_nothing_found_does_nothing(qtbot: QtBot, palette: CommandPalette) -> None:
    qtbot.keyClicks(palette.search, "no such thing")
    assert [text for text, _key in rows(palette)] == ["Nothing is called so. F1 lists all keys."]
    qtbot.keyClick(palette.search, Qt.Key.Key_Down)
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert palette.isVisible()


def test_what_cannot_be_done_now_does_not_run(
    qtbot: QtBot, palette: CommandPalette, actions: Actions
) -> None:
    actions.set_session(False)
    qtbot.keyClicks(palette.search, "go to off")
    with qtbot.assertNotEmitted(actions["goto"].triggered):
        qtbot.keyClick(palette.search, Qt.Key.Key_Return)


def test_a_click_runs(qtbot: QtBot, palette: CommandPalette, actions: Actions) -> None:
    qtbot.keyClicks(palette.search, "larger")
    place = palette.list.visualItemRect(palette.list.topLevelItem(0)).center()
    with qtbot.waitSignal(actions["zoom_in"].triggered):
        qtbot.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_the_key_list(qtbot: QtBot, window: QWidget, actions: Actions) -> None:
    keys = KeyList(actions, "Inspector", window)
    qtbot.addWidget(keys)
    keys.show()
    heads = [keys.tree.topLevelItem(at).text(0) for at in range(keys.tree.topLevelItemCount())]
    assert heads[0] == "Inspector", "the view in focus comes first"
    assert {"Hex view", *GROUPS} <= set(heads)
    qtbot.keyClicks(keys.search, "ctrl+g")
    shown = [
        row.text(0)
        for at in range(keys.tree.topLevelItemCount())
        for head in [keys.tree.topLevelItem(at)]
        if not head.isHidden()
        for row in (head.child(n) for n in range(head.childCount()))
        if not row.isHidden()
    ]
    assert shown == ["Go to offset"]


def test_every_key_means_one_thing(actions: Actions) -> None:
    """In the window once; in a view once, and nothing that the window takes away."""
    taken: dict[tuple[str, str], str] = {}
    for entry in actions.entries():
        for key in entry.keys:
            assert QKeySequence(key).toString() == key, "as Qt writes it"
            assert (entry.scope, key) not in taken, (key, entry.name, taken[entry.scope, key])
            taken[entry.scope, key] = entry.name
    in_window = {key for scope, key in taken if scope == WINDOW}
    assert not in_window & {key for scope, key in taken if scope != WINDOW}
    assert {entry.group for entry in actions.entries()} == {*GROUPS, ""}


def test_a_name_is_given_once(actions: Actions) -> None:
    entry = actions.entries()[0]
    with pytest.raises(ValueError, match=entry.name):
        actions.add((entry,))


def test_the_menu_is_the_table(actions: Actions, window: QWidget) -> None:
    menu = QMenu(window)
    actions.fill_menu(menu)
    parts = menu.findChildren(QMenu)
    assert [part.title() for part in parts] == list(GROUPS)
    for part in parts:
        shown = [action for action in part.actions() if not action.isSeparator()]
        entries = [entry for entry in actions.entries() if entry.group == part.title()]
        assert shown == [actions[entry.name] for entry in entries]
        for action, entry in zip(shown, entries, strict=True):
            assert action.shortcut().toString() == entry.key


def test_the_list_of_keys_is_the_table(window: MainWindow, actions: Actions) -> None:
    listed = KeyList(actions, WINDOW, window)
    rows = {
        (head.text(0), head.child(n).text(0), head.child(n).text(1))
        for head in (listed.tree.topLevelItem(at) for at in range(listed.tree.topLevelItemCount()))
        for n in range(head.childCount())
    }
    for entry in actions.entries():
        head = entry.group or WINDOW if entry.scope == WINDOW else entry.scope
        if entry.keys:
            assert (head, entry.text.rstrip("…"), ", ".join(entry.keys)) in rows
    listed.deleteLater()
