"""Workspaces with real keys and clicks: what stands in each, what is remembered, what is fitted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QToolBar, QWidget
from pytestqt.qtbot import QtBot

from app.cli import WORKSPACES as NAMES
from app.core.storage.settings import Settings
from app.core.watch.frame import Level
from app.ui.catalogue import CATALOGUE
from app.ui.hex.widget import HexView
from app.ui.main_window import MainWindow
from app.ui.measure.lazy_panel import LazyMeasurePanel
from app.ui.panels.activity.panel import ActivityPanel
from app.ui.panels.devices.panel import DevicesPanel
from app.ui.panels.devices.setup_panel import SetupPanel
from app.ui.panels.inspector.panel import InspectorPanel
from app.ui.session.notice import Notice
from app.ui.shell.layout.workspaces import WORKSPACES, action_name
from app.ui.style.theme import DARK
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile, bury, spec_of

Make = Callable[..., MainWindow]
ALT, CTRL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton
KEYS = {
    "watch": Qt.Key.Key_W,
    "edit": Qt.Key.Key_E,
    "scope": Qt.Key.Key_S,
    "measure": Qt.Key.Key_M,
    "link": Qt.Key.Key_L,
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.json")


@pytest.fixture
def make(qtbot: QtBot, sessions: Sessions, settings: Settings) -> Iterator[Make]:
    """Windows of a size; with a path also with its region open."""
    windows: list[MainWindow] = []

    def build(path: Path | None = None, size: tuple[int, int] | None = None) -> MainWindow:
        window = MainWindow(sessions.make, settings, DARK)
        windows.append(window)
        if size is not None:
            window.resize(*size)
        window.show()
        qtbot.waitExposed(window)
        if path is not None:
            session = window.open(spec_of(path))
            qtbot.waitUntil(lambda: session.frame is not None, timeout=WAIT_MS)
        return window

    yield build
    bury(*windows)


def seen(part: QWidget) -> bool:
    QGuiApplication.processEvents()
    if isinstance(part, HexView):
        part = part.viewport()  # which covers it
    return part.isVisible() and not part.visibleRegion().isEmpty()


def trigger(window: MainWindow, name: str) -> None:
    window.actions_table[name].trigger()
    QGuiApplication.processEvents()


def press(qtbot: QtBot, window: MainWindow, key: Qt.Key, held: Qt.KeyboardModifier = ALT) -> None:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window.focusWidget() or window, key, held)
    QGuiApplication.processEvents()


# -- going ----------------------------------------------------------------------------------------


def test_the_command_line_knows_their_names() -> None:
    assert tuple(workspace.name for workspace in WORKSPACES) == NAMES


def test_every_panel_says_where_it_lives() -> None:
    names = [kind.about.name for kind in CATALOGUE]
    assert len(set(names)) == len(names)
    for kind in CATALOGUE:
        assert kind.about.workspaces, kind
        assert set(kind.about.workspaces) <= set(NAMES), kind
        assert kind.about.title
        assert kind.about.hint


def test_a_person_who_never_touches_them_sees_watch(make: Make) -> None:
    window = make()
    assert window.workspaces.current == "watch"
    assert seen(window.view.hex)
    for kind in (DevicesPanel, InspectorPanel, ActivityPanel):
        assert seen(window.panels[kind]), kind
    assert window.toolbar.workspaces["watch"].isChecked()


def test_keys_and_names_lead_to_each(qtbot: QtBot, make: Make, shm_file: ShmFile) -> None:
    window = make(shm_file(65536), (900, 600))
    for name, button in window.toolbar.workspaces.items():
        assert seen(button), "its name is always visible"
        press(qtbot, window, KEYS[name])
        assert window.workspaces.current == name
        assert [one for one, b in window.toolbar.workspaces.items() if b.isChecked()] == [name]
        assert seen(window.focusWidget()), "keys go to what is seen"
    for name, button in window.toolbar.workspaces.items():
        qtbot.mouseClick(button, LEFT)
        assert window.workspaces.current == name
        qtbot.mouseClick(button, LEFT)
        assert button.isChecked(), "it stays on"


def test_a_panel_that_is_called_comes_up_where_it_lives(
    qtbot: QtBot, make: Make, shm_file: ShmFile
) -> None:
    window = make(shm_file(65536))
    press(qtbot, window, Qt.Key.Key_7)
    assert window.workspaces.current == "measure"
    assert window.panels[LazyMeasurePanel].isAncestorOf(window.focusWidget())
    press(qtbot, window, Qt.Key.Key_3)
    assert window.workspaces.current == "watch", "the inspector lives here"
    press(qtbot, window, Qt.Key.Key_5)
    assert window.workspaces.current == "edit"
    press(qtbot, window, Qt.Key.Key_3)
    assert window.workspaces.current == "edit", "it stands here as well"
    assert window.focusWidget() is window.panels[InspectorPanel].table
    window.docks["inspector"].hide()
    press(qtbot, window, Qt.Key.Key_3)
    assert window.workspaces.current == "edit", "and comes back here"
    assert seen(window.panels[InspectorPanel])
    window.docks["measure"].show()
    trigger(window, "show_measure")
    assert window.workspaces.current == "edit", "somebody put it here"


def test_the_hex_view_that_is_called_comes_up(qtbot: QtBot, make: Make, shm_file: ShmFile) -> None:
    window = make(shm_file(65536))
    trigger(window, "workspace_link")
    press(qtbot, window, Qt.Key.Key_2)
    assert window.workspaces.current == "watch"
    assert window.view.hex.hasFocus()
    trigger(window, "workspace_scope")
    press(qtbot, window, Qt.Key.Key_2)
    assert window.workspaces.current == "scope"


# -- what stands in them ----------------------------------------------------------------------------


def area(*parts: QWidget) -> int:
    return sum(part.width() * part.height() for part in parts)


def test_the_main_thing_has_half_of_the_window(make: Make, shm_file: ShmFile) -> None:
    window = make(shm_file(65536), (1280, 800))
    half = 1280 * 800 // 2

    def main(name: str) -> int:
        trigger(window, action_name(name))
        panels = window.panels
        return {
            "watch": lambda: area(window.view.hex, window.view.minimap),
            "edit": lambda: area(window.view.hex, window.view.minimap),
            "scope": lambda: area(panels[ActivityPanel]),
            "measure": lambda: area(panels[LazyMeasurePanel].panel.charts.percentiles),
            "link": lambda: area(panels[DevicesPanel], panels[SetupPanel]),
        }[name]()

    for name in NAMES:
        assert main(name) >= half, name


@pytest.mark.parametrize(
    ("size", "bytes_in_a_row"), [((900, 600), 8), ((1024, 768), 16), ((1280, 800), 16)]
)
def test_in_watch_rows_and_values_are_whole(
    make: Make, shm_file: ShmFile, size: tuple[int, int], bytes_in_a_row: int
) -> None:
    window = make(shm_file(65536), size)
    QGuiApplication.processEvents()
    grid = window.view.hex.surface.grid
    assert grid.columns == bytes_in_a_row
    assert grid.width <= window.view.hex.viewport().width() * window.view.hex.surface.ratio
    inspector = window.panels[InspectorPanel]
    metrics, model = inspector.table.fontMetrics(), inspector.model
    for name, longest in (("u64", str(2**64 - 1)), ("unix32", "2026-11-23 20:15:00")):
        cell = inspector.table.visualRect(model.index(*model.place_of(name)))
        assert metrics.horizontalAdvance(longest) <= cell.width() - 6, name
    activity = window.panels[ActivityPanel]
    for part in (activity.changes, activity.heat, activity.water):
        assert part.height() >= 48, "low, and not cut"
        assert activity.rect().contains(part.geometry())


def test_where_no_bytes_are_shown_messages_are(qtbot: QtBot, make: Make, shm_file: ShmFile) -> None:
    window = make(shm_file(65536))
    trigger(window, "workspace_measure")
    assert not seen(window.view)
    window.report(Notice(Level.WARNING, "Something. " * 40, "Do this.", ("Retry",)))
    assert seen(window.view.messages)
    assert not seen(window.view.hex)
    text = window.view.messages.text
    qtbot.waitUntil(lambda: text.height() >= text.heightForWidth(text.width()), timeout=WAIT_MS)
    assert window.view.height() < 120, "no more than the sentence takes"
    window.docks.fit_titles()
    assert window.docks["measure"].titleBarWidget() is not None, "its workspace still names it"
    window.view.messages.clear()
    assert not seen(window.view)
    trigger(window, "workspace_watch")
    assert seen(window.view.hex)
    assert window.view.height() > 300


def test_what_leads_to_a_byte_shows_it(qtbot: QtBot, make: Make, shm_file: ShmFile) -> None:
    window = make(shm_file(1 << 20))
    trigger(window, "workspace_measure")
    press(qtbot, window, Qt.Key.Key_G, CTRL)
    bar = window.view.goto
    assert seen(bar)
    qtbot.keyClicks(bar.edit, "0x8000")
    qtbot.keyClick(bar.edit, Qt.Key.Key_Return)
    assert window.workspaces.current == "watch"
    assert window.view.hex.cursor() == 0x8000
    assert window.view.hex.hasFocus()


def test_with_no_panel_left_the_bytes_are_shown(make: Make) -> None:
    window = make()
    trigger(window, "workspace_measure")
    window.docks["measure"].toggleViewAction().trigger()
    assert seen(window.view.hex)
    trigger(window, "reset_layout")
    assert seen(window.panels[LazyMeasurePanel])
    assert not seen(window.view.hex)


# -- remembering --------------------------------------------------------------------------------------


def test_each_remembers_what_was_changed_in_it(make: Make, settings: Settings) -> None:
    window = make()
    window.docks["inspector"].hide()
    trigger(window, "workspace_edit")
    assert seen(window.panels[InspectorPanel])
    window.docks["journal"].hide()
    trigger(window, "workspace_watch")
    assert window.docks["inspector"].isHidden()
    window.close()
    settings.save()
    again = make()
    assert again.docks["inspector"].isHidden()
    trigger(again, "workspace_edit")
    assert again.docks["journal"].isHidden()
    assert not again.docks["inspector"].isHidden()
    trigger(again, "reset_layout")
    assert not again.docks["journal"].isHidden()
    trigger(again, "workspace_watch")
    assert again.docks["inspector"].isHidden(), "only the one that is on is reset"


def test_a_layout_of_an_older_version_is_kept_as_watch(make: Make, settings: Settings) -> None:
    """One layout, with every panel in it, and with the tool bar switched off for ever."""
    old = make()
    for name in ("write", "journal", "measure"):
        old.docks[name].show()
    old.docks["devices"].hide()
    old.toolbar.hide()
    settings.set("window.docks", old.docks.state())
    assert not settings.get("window.layouts", {})
    window = make()
    assert window.workspaces.current == "watch"
    assert window.docks["devices"].isHidden()
    for name in ("inspector", "activity", "write", "journal", "measure"):
        assert not window.docks[name].isHidden(), name
    assert seen(window.toolbar.menu_button)
    trigger(window, "workspace_edit")
    assert window.docks["measure"].isHidden(), "the others are as on the first start"
    window.close()
    assert make().docks["devices"].isHidden()


@pytest.mark.parametrize(
    "broken",
    [5, [], {"watch": 5}, {"watch": {}}, {"watch": {"docks": "garbage", "size": [1, 2]}},
     {"watch": {"docks": "", "size": "large"}, "nowhere": {"docks": "", "size": [1, 2]}}],
)  # fmt: skip
def test_layouts_that_make_no_sense_give_the_default(
    make: Make, settings: Settings, broken: object
) -> None:
    settings.set("window.layouts", broken)
    settings.set("window.workspace", "nowhere")
    window = make()
    assert window.workspaces.current == "watch"
    for kind in (DevicesPanel, InspectorPanel, ActivityPanel):
        assert seen(window.panels[kind]), kind


def test_a_layout_made_for_a_larger_window_is_fitted(make: Make, settings: Settings) -> None:
    large = make(size=(2400, 1400))
    large.resizeDocks([large.docks["activity"]], [700], Qt.Orientation.Vertical)
    QGuiApplication.processEvents()
    assert large.docks["activity"].height() + large.docks.tab_height(large.docks["activity"]) == 700
    large.close()
    settings.set("window.geometry", "")
    small = make(size=(1200, 700))
    QGuiApplication.processEvents()
    high = small.docks["activity"].height() + small.docks.tab_height(small.docks["activity"])
    assert abs(high - 350) < 16, "half of the window, as it was"
    assert small.view.hex.height() > 200


# -- nothing is lost ----------------------------------------------------------------------------------


def test_a_right_click_cannot_take_the_tool_bar_away(make: Make) -> None:
    window = make()
    menu = window.createPopupMenu()
    words = [action.text() for action in menu.actions() if not action.isSeparator()]
    assert words == [*(kind.about.title for kind in CATALOGUE), "Default layout"]
    assert window.findChildren(QToolBar) == [window.toolbar]
    assert not window.toolbar.isMovable()
    assert not window.toolbar.isFloatable()
    for dock in window.docks:
        dock.setFloating(True)
        dock.hide()
    menu.actions()[-1].trigger()
    QGuiApplication.processEvents()
    for kind in (DevicesPanel, InspectorPanel, ActivityPanel):
        assert seen(window.panels[kind])
        assert not window.docks[kind.about.name].isFloating()
    menu.deleteLater()


@pytest.mark.parametrize("name", NAMES)
def test_the_region_stays_open_whatever_is_shown(
    make: Make, shm_file: ShmFile, name: str, qtbot: QtBot
) -> None:
    window = make(shm_file(65536))
    session = window.session
    assert session is not None
    trigger(window, action_name(name))
    number = session.frame.number
    qtbot.waitUntil(lambda: session.frame.number > number, timeout=WAIT_MS)
    assert window.session is session


def test_two_windows_have_each_their_own(make: Make) -> None:
    one, other = make(), make()
    trigger(one, "workspace_measure")
    assert other.workspaces.current == "watch"
    assert one.rect() == QRect(0, 0, one.width(), one.height())
    assert seen(other.view.hex)
    assert not seen(one.view.hex)
