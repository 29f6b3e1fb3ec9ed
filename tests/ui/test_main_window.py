"""The whole window with real keys and clicks on real regions."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QCursor, QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDockWidget,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QTabBar,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.cli import WORKSPACES
from app.core.discovery.device import Device, DeviceList
from app.core.engine.measuring.measurement_messages import Flashed
from app.core.engine.process import EngineProcess
from app.core.measure.flash.flash import Flip, Surface
from app.core.protocols.known_content import Content
from app.core.region.region import RegionKind
from app.core.storage.settings import Settings
from app.core.values.byte_block import ByteBlock
from app.core.values.value_type import Endian
from app.core.watch.frame import Level
from app.ui.catalogue import CATALOGUE
from app.ui.hex.paint.geometry import fitted_columns
from app.ui.main_window import MainWindow
from app.ui.measure.lazy_panel import LazyMeasurePanel
from app.ui.panels.activity.panel import ActivityPanel
from app.ui.panels.devices.panel import DevicesPanel
from app.ui.panels.inspector.panel import InspectorPanel
from app.ui.panels.journal import JournalPanel
from app.ui.panels.statistics.panel import StatisticsPanel
from app.ui.panels.write.panel import WritePanel
from app.ui.session.notice import Notice
from app.ui.session.session import Session
from app.ui.shell.command_palette import CommandPalette, KeyList
from app.ui.shell.welcome import Welcome
from app.ui.style.style_sheet import apply_theme
from app.ui.style.theme import DARK, LIGHT
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile, bury, colors, peek, pixels, poke, spec_of

Open = Callable[..., MainWindow]
LEFT = Qt.MouseButton.LeftButton
CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.json")


@pytest.fixture(scope="module")
def dressed(qapp: QApplication) -> None:
    apply_theme(qapp, DARK)


@pytest.fixture
def make(qtbot: QtBot, sessions: Sessions, settings: Settings, dressed: None) -> Iterator[Open]:
    """Windows; with a path also with its region open."""
    windows: list[MainWindow] = []

    def build(path: Path | None = None, *, read_only: bool = False) -> MainWindow:
        window = MainWindow(sessions.make, settings, DARK)
        windows.append(window)
        window.show()
        qtbot.waitExposed(window)
        if path is not None:
            session = window.open(spec_of(path, read_only=read_only))
            qtbot.waitUntil(
                lambda: session.info is not None and session.frame is not None, timeout=WAIT_MS
            )
        return window

    yield build
    bury(*windows)


def live(window: MainWindow) -> Session:
    assert window.session is not None
    return window.session


def shown(window: MainWindow) -> Notice:
    notice = window.view.messages.shown
    assert notice is not None, "no message is shown"
    return notice


def bright(window: MainWindow) -> int:
    """Pixels in the full colour of text."""
    return int((pixels(window.view.hex)[..., :3].min(axis=2) > 0xC8).sum())


def keys(qtbot: QtBot, window: MainWindow, text: str) -> None:
    qtbot.keyClicks(window.view.hex, text)


def trigger(window: MainWindow, name: str) -> None:
    window.actions_table[name].trigger()


def press(qtbot: QtBot, part: QWidget, word: str) -> None:
    QGuiApplication.processEvents()
    button = next(b for b in part.findChildren(QPushButton) if b.text() == word and b.isVisible())
    qtbot.mouseClick(button, LEFT)


def behind(part: QWidget) -> bool:
    """Whether it is in a dock behind another's tab; Qt puts such a dock outside of the window."""
    above: QWidget | None = part
    while above is not None and not isinstance(above, QDockWidget):
        above = above.parentWidget()
    return above is not None and above.visibleRegion().isEmpty()


# -- watching and writing -----------------------------------------------------------------------------


def test_without_a_region_it_offers_what_to_do(qtbot: QtBot, make: Open, shm_file: ShmFile) -> None:
    window = make()
    assert window.windowTitle() == "IVSHMEM Scope"
    assert not window.actions_table["goto"].isEnabled()
    assert window.actions_table["open_file"].isEnabled()
    assert not window.toolbar.lock.isEnabled()
    assert "no region open" in window.status.device.text()
    assert colors(window.view.hex) > 5, "the empty view is not blank"
    assert "idle" in window.toolbar.live.text()
    welcome = window.findChild(Welcome)
    assert welcome.isVisible()
    with qtbot.waitSignal(window.demo_wanted):
        press(qtbot, welcome, "Open demo")
    window.open_path(str(shm_file(4096)))
    qtbot.waitUntil(lambda: live(window).info is not None, timeout=WAIT_MS)
    assert welcome.isHidden()


def test_a_file_that_is_gone_leaves_the_empty_view_and_a_locked_window(
    qtbot: QtBot, make: Open, shm_file: ShmFile
) -> None:
    window = make(shm_file(4096))
    live(window).set_locked(False)
    assert "unlocked" in window.toolbar.lock.text()
    window.open(spec_of("/dev/shm/ivshmem-scope-no-such-file"))
    qtbot.waitUntil(lambda: window.view.messages.shown is not None, timeout=WAIT_MS)
    assert window.findChild(Welcome).isVisible()
    assert "unlocked" not in window.toolbar.lock.text()
    assert "not opened" in window.status.device.text()


def test_a_peers_write_is_seen(qtbot: QtBot, make: Open, shm_file: ShmFile) -> None:
    path = shm_file(65536)
    window = make(path)
    assert path.name in window.windowTitle()
    assert "64 KiB" in window.toolbar.device.text()
    before = pixels(window.view.hex)
    poke(path, 0x20, b"\xab\xcd")
    qtbot.waitUntil(lambda: (pixels(window.view.hex) != before).any(), timeout=WAIT_MS)
    assert "live 60 Hz" in window.toolbar.live.text()


def test_type_over_a_byte_and_undo_it(qtbot: QtBot, make: Open, shm_file: ShmFile) -> None:
    path = shm_file(65536)
    window = make(path)
    keys(qtbot, window, "4")
    assert "locked" in shown(window).text
    press(qtbot, window.view.messages, "Unlock")
    assert not live(window).locked
    assert "unlocked" in window.toolbar.lock.text()
    assert "unlocked" in window.status.lock.text()
    assert window.view.hex.hasFocus(), "what was typed can be typed again"
    keys(qtbot, window, "4142")
    qtbot.waitUntil(lambda: peek(path, 0, 3) == b"AB\0", timeout=WAIT_MS)
    rows = window.panels[JournalPanel].model.records
    qtbot.waitUntil(lambda: [row.new for row in rows] == [b"AB"], timeout=WAIT_MS)
    qtbot.keyClick(window.view.hex, Qt.Key.Key_Z, CTRL)
    qtbot.waitUntil(lambda: peek(path, 0, 2) == b"\0\0", timeout=WAIT_MS)
    qtbot.keyClick(window.view.hex, Qt.Key.Key_Y, CTRL)
    qtbot.waitUntil(lambda: peek(path, 0, 2) == b"AB", timeout=WAIT_MS)
    trigger(window, "lock")
    assert live(window).locked


def test_another_region_is_locked_again(qtbot: QtBot, make: Open, shm_file: ShmFile) -> None:
    window = make(shm_file(4096))
    live(window).set_locked(False)
    other = shm_file(8192)
    session = window.open(spec_of(other))
    qtbot.waitUntil(lambda: session.info is not None and session.frame is not None, timeout=WAIT_MS)
    assert "locked" in window.toolbar.lock.text()
    keys(qtbot, window, "41")
    assert "locked" in shown(window).text
    assert peek(other, 0, 1) == b"\0"


def test_a_conflict_is_asked_in_place(qtbot: QtBot, make: Open, shm_file: ShmFile) -> None:
    path = shm_file(65536)
    window = make(path)
    trigger(window, "lock")
    trigger(window, "pause")
    qtbot.waitUntil(lambda: live(window).frame.paused, timeout=WAIT_MS)
    assert "paused" in window.toolbar.live.text()
    poke(path, 0, b"\x99")
    bar = window.view.conflict
    keys(qtbot, window, "41")
    qtbot.waitUntil(bar.isVisible, timeout=WAIT_MS)
    assert "99" in bar.rows["now"].text()
    press(qtbot, bar, "Keep theirs")
    assert bar.isHidden()
    assert peek(path, 0, 1) == b"\x99"
    window.view.go_to(0)
    keys(qtbot, window, "41")
    qtbot.waitUntil(bar.isVisible, timeout=WAIT_MS)
    press(qtbot, bar, "Write mine")
    qtbot.waitUntil(lambda: peek(path, 0, 1) == b"A", timeout=WAIT_MS)


def test_two_windows_see_each_others_writes(qtbot: QtBot, make: Open, shm_file: ShmFile) -> None:
    path = shm_file(65536)
    one, other = make(path), make(path)
    trigger(one, "lock")
    trigger(other, "lock")
    keys(qtbot, one, "11")
    qtbot.waitUntil(lambda: live(other).frame.data[0] == 0x11, timeout=WAIT_MS)
    other.view.go_to(1)
    keys(qtbot, other, "22")
    qtbot.waitUntil(lambda: bytes(live(one).frame.data[:2]) == b"\x11\x22", timeout=WAIT_MS)
    keys(qtbot, other, "33")
    one.close()
    qtbot.waitUntil(lambda: peek(path, 0, 3) == b"\x11\x22\x33", timeout=WAIT_MS)


# -- going ----------------------------------------------------------------------------------------------


def test_go_to_back_and_forward(qtbot: QtBot, make: Open, shm_file: ShmFile) -> None:
    window = make(shm_file(1 << 20))
    trigger(window, "goto")
    bar = window.view.goto
    assert bar.isVisible()
    qtbot.keyClicks(bar.edit, "end-0x10")
    qtbot.keyClick(bar.edit, Qt.Key.Key_Return)
    assert window.view.hex.cursor() == (1 << 20) - 16
    assert "0xFFFF0" in window.status.offset.text()
    assert str((1 << 20) - 16) in window.status.offset.text()
    qtbot.waitUntil(lambda: live(window).frame.end == 1 << 20, timeout=WAIT_MS)
    trigger(window, "back")
    assert window.view.hex.cursor() == 0
    trigger(window, "forward")
    assert window.view.hex.cursor() == (1 << 20) - 16
    window.view.go_to(1 << 20)
    assert "outside the region" in shown(window).text


def test_select_a_range(qtbot: QtBot, make: Open, shm_file: ShmFile) -> None:
    window = make(shm_file(1 << 20))
    bar = window.view.range
    qtbot.keyClick(window.view.hex, Qt.Key.Key_E, CTRL)
    trigger(window, "select_range")
    assert bar.isVisible()
    qtbot.keyClicks(bar.edit, "0x8000..0x8010")
    assert "16 B" in bar.preview.text()
    qtbot.keyClick(bar.edit, Qt.Key.Key_Return)
    assert window.view.hex.selection() == (0x8000, 16)
    assert bar.isHidden()
    assert "16 B" in window.status.selection.text()
    assert window.panels[WritePanel].start.text() == "0x8000"
    assert window.panels[WritePanel].length.text() == "16"
    trigger(window, "select_range")
    assert bar.edit.text() == "0x8000:16"
    columns = window.view.hex.surface.grid.columns
    bar.edit.setText("0x8000:4 x 2")
    assert "2 rows of 4 B" in bar.preview.text()
    qtbot.keyClick(bar.edit, Qt.Key.Key_Return)
    assert window.view.hex.selected_block() == ByteBlock(0x8000, 4, 2, columns)
    assert "8 B (4 x 2)" in window.status.selection.text()
    inspector, statistics = window.panels[InspectorPanel], window.panels[StatisticsPanel]
    row = [kind.name for kind in inspector.model.types].index("i32")
    inspector.table.setCurrentIndex(inspector.model.index(row, 2))
    assert (statistics.wanted().kind, statistics.wanted().endian) == ("i32", Endian.BIG)
    trigger(window, "select_range")
    for wrong in ("0:1 x 0", "8:20 x 2 every 24", "end:1", "5", "0x20..0x10", "0:0", "banana"):
        bar.edit.setText(wrong)
        qtbot.keyClick(bar.edit, Qt.Key.Key_Return)
        assert bar.isVisible(), wrong
        assert bar.preview.text()
    trigger(window, "goto")
    assert bar.isHidden(), "one bar at a time"
    trigger(window, "select_range")
    qtbot.keyClick(bar.edit, Qt.Key.Key_Escape)
    assert bar.isHidden()
    trigger(window, "select_all")
    assert window.view.hex.selection() == (0, 1 << 20)


def test_a_long_text_in_a_bar_leaves_the_docks_alone(
    qtbot: QtBot, make: Open, shm_file: ShmFile
) -> None:
    window = make(shm_file(1 << 20))
    width = window.panels[InspectorPanel].width()
    trigger(window, "goto")
    qtbot.keyClicks(window.view.goto.edit, "end-end+size*16-0x1234567890 nonsense " * 3)
    trigger(window, "select_range")
    qtbot.keyClicks(window.view.range.edit, "0..size*4096*4096*4096")
    window.report(Notice(Level.WARNING, "word " * 50, "hint " * 50, ("Retry",)))
    QGuiApplication.processEvents()
    assert window.panels[InspectorPanel].width() == width


def test_next_changed_byte(qtbot: QtBot, make: Open, shm_file: ShmFile) -> None:
    path = shm_file(1 << 20)
    window = make(path)
    trigger(window, "next_change")
    qtbot.waitUntil(lambda: window.view.messages.shown is not None, timeout=WAIT_MS)
    assert "No byte was seen to change" in shown(window).text
    qtbot.waitUntil(lambda: live(window).frame.activity.sweep_ns > 0, timeout=WAIT_MS)
    poke(path, 0x30, b"\x01")
    qtbot.waitUntil(lambda: live(window).frame.sample.changed_ns[0x30] > 0, timeout=WAIT_MS)
    trigger(window, "next_change")
    qtbot.waitUntil(lambda: window.view.hex.cursor() == 0x30, timeout=WAIT_MS)


def test_copy_and_paste(qtbot: QtBot, make: Open, shm_file: ShmFile) -> None:
    path = shm_file(4096, fill=b"scope")
    window = make(path)
    for _ in range(4):
        qtbot.keyClick(window.view.hex, Qt.Key.Key_Right, SHIFT)
    qtbot.keyClick(window.view.hex, Qt.Key.Key_C, CTRL)
    qtbot.waitUntil(lambda: QGuiApplication.clipboard().text() == "73 63 6F 70 65", timeout=WAIT_MS)
    trigger(window, "lock")
    window.view.go_to(0x40)
    qtbot.keyClick(window.view.hex, Qt.Key.Key_V, CTRL)
    qtbot.waitUntil(lambda: peek(path, 0x40, 5) == b"scope", timeout=WAIT_MS)


def test_the_maps_lead_to_places(qtbot: QtBot, make: Open, shm_file: ShmFile) -> None:
    window = make(shm_file(1 << 20))
    window.panels[ActivityPanel].goto_wanted.emit(0x40000)
    assert window.view.hex.cursor() == 0x40000
    strip = window.view.minimap
    qtbot.mouseClick(strip, LEFT, pos=QPoint(strip.width() // 2, strip.height() // 2))
    assert abs(window.view.hex.cursor() - 0x80000) < 0x1000


# -- what goes wrong ------------------------------------------------------------------------------------


def test_what_panels_know_is_shown_in_every_view_of_the_region(
    qtbot: QtBot, make: Open, shm_file: ShmFile
) -> None:
    path = shm_file(1 << 20, fill=b"\0")
    window = make(path)
    spec = live(window).spec
    content = Content("LGMP", "version 10", 0x40)
    found = Device(RegionKind.FILE, "a", str(path), 1 << 20, spec, content=content)
    activity = window.panels[ActivityPanel]
    activity.build()
    qtbot.waitUntil(lambda: activity.heat.image is not None, timeout=WAIT_MS)
    views = (window.view.hex.viewport(), window.view.minimap, activity.heat)
    activity.freeze.setChecked(True)
    live(window).set_paused(True)
    before = [pixels(view) for view in views]
    window.set_devices(DeviceList((found,)))
    assert window.view.decorations.topmost(0x47) is not None
    for view, plain in zip(views, before, strict=True):
        assert (pixels(view) != plain).any(), type(view).__name__
    window.open(spec_of(shm_file(1 << 20)))
    assert not len(window.view.decorations), "another region has none of them"


def test_a_killed_engine_greys_the_view_and_retry_works(
    qtbot: QtBot, make: Open, shm_file: ShmFile
) -> None:
    path = shm_file(65536, fill=b"scope")
    window = make(path)
    live(window).set_locked(False)
    before = bright(window)
    client = live(window)._client
    assert isinstance(client, EngineProcess)
    os.kill(client.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: "ended" in window.toolbar.live.text(), timeout=WAIT_MS)
    notice = shown(window)
    assert notice.level is Level.FAULT
    assert "SIGKILL" in notice.text
    assert "locked" in window.toolbar.lock.text()
    assert "unlocked" not in window.toolbar.lock.text()
    assert bright(window) < before / 4, "the last look is greyed"
    press(qtbot, window.view.messages, "Retry")
    qtbot.waitUntil(lambda: live(window).health.level is Level.GOOD, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "live" in window.toolbar.live.text(), timeout=WAIT_MS)
    assert shown(window).text == "The engine was started anew; writing is locked."
    press(qtbot, window.view.messages, "Unlock")
    assert not live(window).locked
    assert window.view.messages.isHidden()
    poke(path, 0, b"\x77")
    qtbot.waitUntil(lambda: live(window).frame.data[0] == 0x77, timeout=WAIT_MS)


@pytest.mark.parametrize("harm", ["truncate", "delete", "replace"])
def test_a_file_that_is_not_what_it_was(
    qtbot: QtBot, make: Open, shm_file: ShmFile, harm: str
) -> None:
    path = shm_file(65536)
    window = make(path)
    if harm == "truncate":
        os.truncate(path, 100)
    elif harm == "delete":
        path.unlink()
    else:
        shm_file(65536, name=f"{path.name}-new").replace(path)
    qtbot.waitUntil(
        lambda: window.view.messages.shown is not None and shown(window).key == "health",
        timeout=WAIT_MS,
    )
    assert shown(window).hint
    if harm == "delete":
        path.write_bytes(bytes(8192))
    elif harm == "truncate":
        os.truncate(path, 8192)
    trigger(window, "retry")
    qtbot.waitUntil(lambda: live(window).health.level is Level.GOOD, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.view.messages.shown is None, timeout=WAIT_MS)
    assert live(window).info.size == (65536 if harm == "replace" else 8192)
    assert window.view.hex.surface.size == live(window).info.size


def test_a_read_only_region_refuses_with_the_reason(
    qtbot: QtBot, make: Open, shm_file: ShmFile
) -> None:
    window = make(shm_file(4096), read_only=True)
    qtbot.mouseClick(window.toolbar.lock, LEFT)
    assert "read-only" in shown(window).text
    assert shown(window).hint
    assert live(window).locked
    assert window.actions_table["lock"].text() == "Unlock writing"
    trigger(window, "lock")
    assert live(window).locked
    assert window.actions_table["lock"].text() == "Unlock writing", "the menu says what is so"


@pytest.mark.parametrize("what", ["missing", "directory", "empty", "device"])
def test_what_cannot_be_opened(qtbot: QtBot, make: Open, tmp_path: Path, what: str) -> None:
    path = {
        "missing": tmp_path / "no",
        "directory": tmp_path,
        "empty": tmp_path / "empty",
        "device": Path("/dev/null"),
    }[what]
    (tmp_path / "empty").touch()
    window = make()
    window.open_path(str(path))
    qtbot.waitUntil(lambda: window.view.messages.shown is not None, timeout=WAIT_MS)
    assert shown(window).level is Level.FAULT
    assert shown(window).text
    assert shown(window).hint
    assert not window.status.offset.text().startswith("offset 0x0 (0) of")
    window.open_path("")
    assert "Nothing" in shown(window).text or shown(window).text


# -- opening --------------------------------------------------------------------------------------------


def drop(window: QWidget, mime: QMimeData) -> bool:
    place, action, no = QPoint(40, 80), Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(place, action, mime, LEFT, no)
    QApplication.sendEvent(window, enter)
    if enter.isAccepted():
        QApplication.sendEvent(window, QDropEvent(QPointF(place), action, mime, LEFT, no))
    return enter.isAccepted()


def test_a_dropped_file_is_opened(qtbot: QtBot, make: Open, shm_file: ShmFile) -> None:
    window = make()
    text = QMimeData()
    text.setText("no file")
    assert not drop(window, text)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(shm_file(12288)))])
    assert drop(window, mime)
    qtbot.waitUntil(lambda: live(window).info is not None, timeout=WAIT_MS)
    assert live(window).info.size == 12288


def test_a_file_dropped_on_the_bytes_is_offered_to_be_loaded(
    qtbot: QtBot, make: Open, shm_file: ShmFile, tmp_path: Path
) -> None:
    window = make(shm_file(4096))
    source = tmp_path / "x.bin"
    source.write_bytes(b"12345")
    window.view.hex.load_file_wanted.emit(str(source), 0x80)
    assert window.panels[WritePanel].isVisible()
    assert window.panels[WritePanel].tool() is window.panels[WritePanel].tools["load"]
    assert window.panels[WritePanel].start.text() == "0x80"
    assert "5 bytes" in window.panels[WritePanel].check.text()


def test_open_file_and_recent(
    qtbot: QtBot, make: Open, shm_file: ShmFile, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [shm_file(4096), shm_file(8192)]
    window = make()
    # Away from the list, whose rows stay where they are while a pointer is over them.
    QCursor.setPos(window.view.hex.mapToGlobal(window.view.hex.rect().center()))
    for path in paths:
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, path=path: (str(path), ""))
        trigger(window, "open_file")
        qtbot.waitUntil(lambda: live(window).info is not None, timeout=WAIT_MS)
    assert settings.get("recent", []) == [f"file:{path}" for path in reversed(paths)]
    rows = [row.title for row in window.panels[DevicesPanel].model.rows]
    assert rows == ["RECENT", paths[1].name, paths[0].name]
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    session = live(window)
    trigger(window, "open_file")
    assert live(window) is session, "a cancelled dialog changes nothing"


def test_a_double_click_in_the_list_opens(qtbot: QtBot, make: Open, shm_file: ShmFile) -> None:
    path = shm_file(4096)
    window = make()
    device = Device(RegionKind.FILE, path.name, str(path), 4096, spec_of(path))
    window.set_devices(DeviceList((device,)))
    view = window.panels[DevicesPanel].list
    place = view.visualRect(window.panels[DevicesPanel].model.index(1)).center()
    qtbot.mouseClick(view.viewport(), LEFT, pos=place)
    qtbot.mouseDClick(view.viewport(), LEFT, pos=place)
    qtbot.waitUntil(lambda: live(window).info is not None, timeout=WAIT_MS)
    assert window.panels[DevicesPanel].delegate.open_location == str(path)
    names = [action.text() for action in window.toolbar.device.menu().actions()]
    assert path.name in names[0]
    window.toolbar.device.menu().actions()[0].trigger()
    qtbot.waitUntil(lambda: live(window).info is not None, timeout=WAIT_MS)


# -- actions, look, layout --------------------------------------------------------------------------------


def test_every_action_does_something_that_works(
    qtbot: QtBot, make: Open, shm_file: ShmFile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    window = make(shm_file(65536))
    picture = tmp_path / "picture.png"
    about: list[object] = []
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(picture), ""))
    monkeypatch.setattr(QMessageBox, "about", lambda *args: about.append(args))
    sent: list[str] = []
    for name in ("new_window", "demo", "theme", "rescan", "quit"):
        getattr(window, f"{name}_wanted").connect(lambda *_, name=name: sent.append(name))
    live(window).set_locked(False)
    order = [
        entry.name
        for entry in window.actions_table.entries()
        if not entry.by_key and entry.name not in ("close", "retry", "lock")
    ]
    for name in [*order, "lock", "retry"]:
        assert window.actions_table[name].isEnabled(), name
        trigger(window, name)
        QGuiApplication.processEvents()
        for popup in (CommandPalette, KeyList):
            for shown_one in window.findChildren(popup):
                shown_one.close()
    qtbot.waitUntil(lambda: live(window).health.level is Level.GOOD, timeout=WAIT_MS)
    assert picture.stat().st_size > 1000
    assert about
    assert sent == ["new_window", "new_window", "demo", "quit", "rescan", "theme"]
    trigger(window, "close")
    assert window.session is None


def test_shortcuts_reach_their_actions(qtbot: QtBot, make: Open, shm_file: ShmFile) -> None:
    window = make(shm_file(65536))
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    view = window.view.hex
    qtbot.keyClick(view, Qt.Key.Key_P, CTRL)
    assert live(window).paused
    qtbot.keyClick(view, Qt.Key.Key_P, CTRL)
    qtbot.keyClick(view, Qt.Key.Key_L, CTRL)
    assert not live(window).locked
    qtbot.keyClick(view, Qt.Key.Key_G, CTRL)
    assert window.view.goto.isVisible()
    qtbot.keyClick(window.view.goto.edit, Qt.Key.Key_Escape)
    assert window.view.goto.isHidden()
    qtbot.keyClick(view, Qt.Key.Key_5, Qt.KeyboardModifier.AltModifier)
    assert window.panels[WritePanel].isVisible()
    qtbot.keyClick(window.panels[WritePanel].start, Qt.Key.Key_P, CTRL | SHIFT)
    palettes = window.findChildren(CommandPalette)
    assert palettes
    palettes[0].close()
    qtbot.keyClick(view, Qt.Key.Key_F1)
    lists = window.findChildren(KeyList)
    assert lists
    lists[0].close()


def test_pause_step_and_rates(qtbot: QtBot, make: Open, shm_file: ShmFile) -> None:
    path = shm_file(65536)
    window = make(path)
    trigger(window, "step")
    assert window.actions_table["pause"].isChecked(), "a step freezes"
    assert "paused" in window.status.rate.text()
    trigger(window, "pause")
    assert "60 Hz" in window.status.rate.text()
    rates = window.toolbar.live.menu().actions()
    next(a for a in rates if a.text() == "10 Hz").trigger()
    assert live(window).hz == 10
    assert "live 10 Hz" in window.toolbar.live.text()
    assert [a.text() for a in rates if a.isChecked()] == ["10 Hz"]


def test_the_theme_can_be_swapped_while_it_runs(
    qtbot: QtBot, qapp: QApplication, make: Open, shm_file: ShmFile
) -> None:
    window = make(shm_file(65536, fill=b"scope"))
    dark = pixels(window)[..., :3].mean()
    try:
        apply_theme(qapp, LIGHT)
        window.set_theme(LIGHT)
        assert pixels(window)[..., :3].mean() > dark + 100
        assert LIGHT.level(Level.GOOD).name() in window.toolbar.live.styleSheet()
    finally:
        apply_theme(qapp, DARK)


def test_the_layout_is_remembered(qtbot: QtBot, make: Open, settings: Settings) -> None:
    window = make()
    window.resize(1100, 700)
    window.docks["devices"].hide()
    window.workspaces.call("journal")
    window.docks["inspector"].hide()
    window.view.hex.set_columns(8)
    window.close()
    again = make()
    assert again.workspaces.current == "edit"
    assert not behind(again.panels[JournalPanel]), "it was in front"
    assert again.docks["inspector"].isHidden()
    assert again.height() == 700
    assert again.view.hex.state()["columns"] == 8
    trigger(again, "reset_layout")
    assert again.docks["inspector"].isVisible()
    trigger(again, "workspace_watch")
    assert again.docks["devices"].isHidden()
    trigger(again, "reset_layout")
    assert again.docks["devices"].isVisible()


def test_behind_a_tab_nothing_is_drawn(
    qtbot: QtBot, make: Open, shm_file: ShmFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = make(shm_file(65536))
    drawn: list[int] = []
    monkeypatch.setattr(
        window.panels[ActivityPanel].changes, "show_traces", lambda *_: drawn.append(1)
    )
    qtbot.waitUntil(lambda: bool(drawn), timeout=WAIT_MS)
    window.workspaces.call("journal")
    QGuiApplication.processEvents()
    drawn.clear()
    samples = len(window.panels[ActivityPanel]._ring)
    qtbot.waitUntil(lambda: len(window.panels[ActivityPanel]._ring) > samples + 3, timeout=WAIT_MS)
    assert not drawn
    window.workspaces.call("activity")
    qtbot.waitUntil(lambda: bool(drawn), timeout=WAIT_MS)


def test_the_measure_panel_is_built_when_it_is_first_shown(
    qtbot: QtBot, make: Open, shm_file: ShmFile, settings: Settings
) -> None:
    window = make(shm_file(65536))
    assert not window.panels[LazyMeasurePanel].built
    trigger(window, "theme")
    trigger(window, "show_measure")
    assert window.panels[LazyMeasurePanel].built
    panel = window.panels[LazyMeasurePanel].panel
    assert panel.isVisible()
    assert panel.start.isEnabled(), "it knows the region that was opened before"
    assert window.panels[LazyMeasurePanel].isAncestorOf(window.focusWidget())
    patch = panel.charts.patch
    assert not window.view.hex.isVisible()
    with qtbot.waitSignal(window.panels[LazyMeasurePanel].hex_flash.painted, timeout=WAIT_MS):
        live(window).unasked.emit(Flashed(Flip(1, 0, ours=False, surface=Surface.HEX)))
        poke(Path(live(window).spec.location), 0, (1).to_bytes(8, "little"))
    assert window.workspaces.current == "watch", "what paints it has to be seen"
    assert behind(patch)
    live(window).unasked.emit(Flashed(Flip(2, 0, ours=False)))
    assert not behind(patch), "a peer's flash brings its patch to the front"
    window.close()
    again = make()
    assert again.panels[LazyMeasurePanel].built, (
        "its workspace was on when the layout was remembered"
    )


@pytest.mark.parametrize("broken", ["", "garbage", "AAAA", "ÿþ", "QUJD" * 100])
def test_a_broken_state_gives_the_default(
    qtbot: QtBot, make: Open, settings: Settings, broken: str
) -> None:
    for name in ("window.geometry", "window.docks"):
        settings.set(name, broken)
    settings.set("hex", {"columns": "many", "zoom": -3})
    settings.set("inspector", {"types": 5})
    settings.set("recent", [5, None, "file:/x", ["nested"]])
    window = make()
    for name in ("devices", "inspector", "activity"):
        assert window.docks[name].isVisible(), name


def test_the_tabs_stand_in_order_and_name_their_panels_once(make: Open) -> None:
    window = make()

    def tabs() -> list[list[str]]:
        QGuiApplication.processEvents()
        bars = [bar for bar in window.findChildren(QTabBar) if not bar.visibleRegion().isEmpty()]
        return [[bar.tabText(at) for at in range(bar.count())] for bar in bars]

    assert window.docks["inspector"].titleBarWidget() is None, "alone at its place, it has a title"
    assert tabs() == [["Activity", "Bookmarks"]]
    trigger(window, "workspace_edit")
    assert tabs() == [
        ["Write tools", "Journal", "Bookmarks", "Results", "Strings"],
        ["Inspector", "Statistics", "Preview"],
    ]
    assert not behind(window.panels[WritePanel])
    assert window.docks["write"].titleBarWidget() is not None
    others = ("write", "results", "strings", "bookmarks")
    for name in others:
        window.docks[name].setFloating(True)
    for name in (*others, "journal"):
        assert window.docks[name].titleBarWidget() is None, "not among tabs, it needs its title"
    for name in others:
        window.docks[name].setFloating(False)


def test_tab_reaches_what_can_be_seen_and_nothing_else(
    qtbot: QtBot, make: Open, shm_file: ShmFile
) -> None:
    window = make(shm_file(65536))
    window.workspaces.call("journal")
    window.workspaces.call("write")
    reached: list[QWidget] = []
    for _ in range(40):
        focus = window.focusWidget()
        assert not behind(focus), focus
        reached.append(focus)
        if focus is window.view.hex:
            window.panels[InspectorPanel].setFocus()  # in the hex view Tab swaps the panes
        else:
            qtbot.keyClick(focus, Qt.Key.Key_Tab)
    assert window.panels[WritePanel].choice in reached
    assert window.panels[WritePanel].start in reached
    assert window.panels[InspectorPanel].table in reached
    assert reached.count(window.panels[InspectorPanel].table) < 10, "Tab leads out of a table"


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
@pytest.mark.parametrize("columns", [8, 16])
def test_the_room_for_a_row_is_what_it_takes_at_every_scale(
    make: Open, monkeypatch: pytest.MonkeyPatch, ratio: float, columns: int
) -> None:
    view = make().view.hex
    viewport = view.viewport()
    monkeypatch.setattr(viewport, "devicePixelRatioF", lambda: ratio)
    room = view.room_for(columns) - view.verticalScrollBar().sizeHint().width()
    assert view.surface.ratio == ratio
    assert fitted_columns(view.surface.grid, int(room * ratio)) == columns


def test_a_window_made_narrow_keeps_rows_of_eight_bytes(
    qtbot: QtBot, make: Open, shm_file: ShmFile
) -> None:
    """The docks, laid out for a wide window, give way."""
    window = make()
    window.resize(1280, 800)
    window.workspaces.fit()
    session = window.open(spec_of(shm_file(65536)))
    qtbot.waitUntil(lambda: session.frame is not None, timeout=WAIT_MS)
    window.resize(900, 600)
    surface = window.view.hex.surface
    qtbot.waitUntil(lambda: surface.grid.columns == 8, timeout=WAIT_MS)
    assert window.view.hex.horizontalScrollBar().maximum() == 0
    assert window.width() == 900


@pytest.mark.parametrize(("width", "height"), [(900, 600), (1280, 800), (2560, 1440)])
def test_nothing_is_clipped(
    qtbot: QtBot, make: Open, shm_file: ShmFile, width: int, height: int
) -> None:
    window = make()
    window.resize(width, height)
    window.workspaces.fit()
    session = window.open(spec_of(shm_file(65536, name=f"scope-test-{'long-name-' * 6}{width}")))
    qtbot.waitUntil(lambda: session.frame is not None, timeout=WAIT_MS)
    assert (window.width(), window.height()) == (width, height), "it takes the size asked for"
    calls = [partial(window.workspaces.go, name) for name in WORKSPACES]
    calls += [partial(window.workspaces.call, kind.about.name) for kind in CATALOGUE]
    for tab in calls:
        tab()
        QGuiApplication.processEvents()
        assert (window.width(), window.height()) == (width, height), tab
        areas = [area for area in window.findChildren(QScrollArea) if area.widget() is not None]
        for part in window.findChildren(QWidget):
            viewport = next(
                (area.viewport() for area in areas if area.widget().isAncestorOf(part)), None
            )
            if viewport is not None:
                right = part.mapTo(viewport, part.rect().topRight()).x()
                assert not part.isVisible() or right <= viewport.width(), "it scrolls downwards"
                continue
            if (
                isinstance(part, QPushButton | QToolButton | QComboBox | QLineEdit)
                and part.isVisible()
            ):
                if part.window() is not window or behind(part):
                    continue
                corner = part.mapTo(window, part.rect().bottomRight())
                assert window.rect().contains(corner), part
                assert part.visibleRegion().boundingRect() == part.rect(), (part, tab)
    for label in window.toolbar.findChildren(QLabel):
        assert label.isVisible()
    session.set_rate(240)
    session.set_locked(False)
    QGuiApplication.processEvents()
    assert "unlocked" in window.toolbar.lock.text()
    for button in (window.toolbar.menu_button, *window.toolbar.workspaces.values()):
        assert button.visibleRegion().boundingRect() == button.rect(), "also beside longer words"
    qtbot.waitUntil(lambda: window.status.health.text() == "● Healthy", timeout=WAIT_MS)
    health = window.status.health
    assert health.width() >= health.fontMetrics().horizontalAdvance(health.text())


def test_the_default_layout_brings_the_tool_bar_back(make: Open) -> None:
    window = make()
    window.toolbar.hide()
    trigger(window, "reset_layout")
    assert window.toolbar.isVisible()
