"""The searchable list of actions, and the list of keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.core.storage.settings import Settings
from app.ui.main_window import MainWindow
from app.ui.shell.actions import GROUPS, TABLE, Actions
from app.ui.shell.command_palette import VIEW_KEYS, CommandPalette, KeyList
from app.ui.style.theme import DARK


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    made.resize(900, 600)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def actions(window: QWidget) -> Actions:
    return Actions(window)


@pytest.fixture
def palette(qtbot: QtBot, window: QWidget, actions: Actions) -> CommandPalette:
    made = CommandPalette(actions, window)
    qtbot.addWidget(made)
    made.popup()
    return made


def rows(palette: CommandPalette) -> list[tuple[str, str]]:
    items = (palette.list.topLevelItem(at) for at in range(palette.list.topLevelItemCount()))
    return [(item.text(0), item.text(1)) for item in items]


def test_all_actions_are_there_with_their_keys(palette: CommandPalette) -> None:
    assert len(rows(palette)) == len(TABLE) - 1  # it does not offer itself
    assert ("Go to offset", "Ctrl+G") in rows(palette)


def test_letters_find_and_enter_runs(
    qtbot: QtBot, palette: CommandPalette, actions: Actions
) -> None:
    ran: list[str] = []
    for spec, action in actions.items():
        action.triggered.connect(lambda _=False, name=spec.name: ran.append(name))
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
    with qtbot.waitSignal(actions[TABLE[2].name].triggered):
        qtbot.keyClick(palette.search, Qt.Key.Key_Return)


def test_hints_and_keys_can_be_searched(qtbot: QtBot, palette: CommandPalette) -> None:
    qtbot.keyClicks(palette.search, "nothing in this window")
    assert [text for text, _ in rows(palette)] == ["Lock or unlock writing"]
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
    actions.enable(("goto",), False)
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


def test_the_table_has_no_key_twice() -> None:
    keys = [QKeySequence(key).toString() for spec in TABLE for key in spec.keys]
    assert len(keys) == len(set(keys))
    assert all(keys)
    assert {spec.group for spec in TABLE} == set(GROUPS)
    assert len({spec.name for spec in TABLE}) == len(TABLE)
    assert VIEW_KEYS


def test_the_menu_is_the_table(actions: Actions, window: QWidget) -> None:
    menu = QMenu(window)
    actions.fill_menu(menu)
    parts = menu.findChildren(QMenu)
    assert [part.title() for part in parts] == list(GROUPS)
    assert sum(len(part.actions()) for part in parts) == len(TABLE)


def test_a_window_keeps_no_palette_that_was_closed(qtbot: QtBot, tmp_path: Path) -> None:
    window = MainWindow(lambda _spec: None, Settings(tmp_path / "none"), DARK)
    qtbot.addWidget(window)
    window.show()
    for _ in range(3):
        window.actions_table["palette"].trigger()
        (palette,) = window.findChildren(CommandPalette)
        qtbot.waitUntil(palette.isVisible)
        qtbot.keyClick(palette.search, Qt.Key.Key_Escape)
        qtbot.waitUntil(lambda: not window.findChildren(CommandPalette))
