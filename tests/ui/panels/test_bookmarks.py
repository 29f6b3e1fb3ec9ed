"""Bookmarks, frozen values and followed pointers in a window, with real keys on a real region."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.core.annotations.bookmark import Bookmark, Put
from app.core.annotations.bookmark_file import BookmarkFile, to_text
from app.core.storage.settings import Settings
from app.core.values.steady import Pace
from app.ui.hex.menu import context_menu
from app.ui.hex.paint.geometry import Pane, Part
from app.ui.hex.paint.selection import Selection
from app.ui.main_window import MainWindow
from app.ui.panels.bookmarks.model import Column
from app.ui.panels.bookmarks.panel import BookmarksPanel
from app.ui.panels.bookmarks.store import region_key
from app.ui.panels.write.panel import WritePanel
from app.ui.style.theme import DARK
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile, bury, peek, poke, spec_of

K = Qt.Key
NO, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)
SIZE = 1 << 18


class Stage:
    """A window on a region, and its panel of bookmarks."""

    def __init__(self, qtbot: QtBot, window: MainWindow, path: Path) -> None:
        self.qtbot, self.window, self.path = qtbot, window, path
        self.view = window.view
        self.panel = window.panels[BookmarksPanel]
        assert window.session is not None
        self.session = window.session

    def until(self, fact: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(fact, timeout=WAIT_MS)

    def press(self, key: Qt.Key, held: Qt.KeyboardModifier = NO, to: QWidget | None = None) -> None:
        self.window.activateWindow()
        self.qtbot.waitUntil(self.window.isActiveWindow)
        self.qtbot.keyClick(to or self.window.focusWidget() or self.window, key, held)
        QGuiApplication.processEvents()

    def place(self, offset: int, length: int = 0) -> None:
        self.view.hex.setFocus()
        self.view.hex.select(Selection.of(offset, length), centre=True)

    def message(self) -> str:
        notice = self.view.messages.shown
        return f"{notice.text} {notice.hint}" if notice else ""

    def type_into(self, text: str, key: Qt.Key = K.Key_Return) -> None:
        """Into the line that is open in the table."""
        lines = self.panel.table.findChildren(QLineEdit)
        (line,) = (line for line in lines if line.isVisible())
        line.selectAll()
        self.qtbot.keyClicks(line, text)
        self.qtbot.keyClick(line, key)
        QGuiApplication.processEvents()

    def edit(self, row: int, column: Column, text: str) -> None:
        table = self.panel.table
        table.setFocus()
        table.setCurrentIndex(self.panel.model.index(row, column))
        self.press(K.Key_F2, to=table)
        boxes = [box for box in table.findChildren(QComboBox) if box.isVisible()]
        for box in boxes:
            box.setCurrentText(text)
            box.activated.emit(box.currentIndex())
            QGuiApplication.processEvents()
        if not boxes:
            self.type_into(text)

    def shown(self, row: int, column: Column) -> str:
        return str(self.panel.model.index(row, column).data())

    def stored(self) -> list[str]:
        """Names in the file."""
        assert self.session.info is not None
        path = BookmarkFile(region_key(self.session.info)).path
        if not path.exists():
            return []
        return [mark["name"] for mark in json.loads(path.read_text())["bookmarks"]]


@pytest.fixture
def stage(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile, tmp_path: Path
) -> Iterator[Callable[..., Stage]]:
    windows: list[MainWindow] = []

    def make(path: Path | None = None) -> Stage:
        path = path or shm_file(SIZE, fill=bytes(range(1, 251)))
        window = MainWindow(sessions.make, Settings(tmp_path / "settings.json"), DARK)
        windows.append(window)
        window.resize(1280, 800)
        window.show()
        qtbot.waitExposed(window)
        session = window.open(spec_of(path))
        qtbot.waitUntil(lambda: session.frame is not None, timeout=WAIT_MS)
        return Stage(qtbot, window, path)

    yield make
    bury(*windows)


def offers(stage: Stage) -> list[str]:
    menu = context_menu(stage.view.hex, Part.HEX)
    texts = [action.text().partition("\t")[0] for action in menu.actions()]
    menu.deleteLater()
    return texts


def test_bookmarks_are_made_named_shown_changed_and_kept(
    qtbot: QtBot, stage: Callable[..., Stage]
) -> None:
    s = stage()
    panel, hexes = s.panel, s.view.hex
    # Made on a selection, named at once, shown everywhere.
    s.place(0x40, 4)
    s.press(K.Key_B, CTRL)
    assert panel.isVisible()
    s.type_into("ring head")
    layer = s.view.decorations.layer("bookmarks")
    (item,) = layer.items
    assert (item.start, item.length, item.label) == (0x40, 4, "ring head")
    s.edit(0, Column.NOTE, "moved by the guest")
    assert "ring head, 4 B at 0x40: moved by the guest" in hexes.tip_at(_middle(s, 0x41))
    s.until(lambda: s.stored() == ["ring head"])
    # A living value in its type.
    s.until(lambda: s.shown(0, Column.VALUE) == str(0x44434241))
    s.edit(0, Column.KIND, "u32 big")
    poke(s.path, 0x40, struct.pack(">I", 77))
    s.until(lambda: s.shown(0, Column.VALUE) == "77")
    s.until(lambda: s.shown(0, Column.SPAN).startswith("77 … "))
    # Held: what the peer writes is counted, not shown.
    panel.parts.pace.setCurrentText(Pace.HELD.value)
    poke(s.path, 0x40, struct.pack(">I", 5))
    s.until(lambda: s.shown(0, Column.SPAN).startswith("5 … "))
    assert s.shown(0, Column.VALUE) == "77"
    assert panel.model.headerData(Column.VALUE, Qt.Orientation.Horizontal) == "value (held)"
    panel.parts.pace.setCurrentText(Pace.LIVE.value)
    s.until(lambda: s.shown(0, Column.VALUE) == "5")
    # Edited in place; what makes no sense stays open and is told.
    s.edit(0, Column.LENGTH, "-3")
    assert "no range" in panel.parts.problem.text()
    s.type_into("8")
    s.edit(0, Column.OFFSET, "0x80")
    assert (panel.store.marks[0].start, panel.store.marks[0].length) == (0x80, 8)
    s.edit(0, Column.MARK, "rose")
    assert panel.store.marks[0].color == "rose"
    s.until(lambda: s.shown(0, Column.VALUE) not in ("", "5"))
    # A value is written only when writing is unlocked.
    s.edit(0, Column.VALUE, "1234")
    assert "Writing is locked" in s.message()
    s.session.set_locked(False)
    s.until(lambda: s.session.frame is not None and not s.session.frame.locked)
    s.edit(0, Column.VALUE, "1234")
    s.until(lambda: peek(s.path, 0x80, 4) == struct.pack(">I", 1234))
    # Digits: set here, gone to from anywhere; an unnamed one moves, a named one loses its key.
    s.place(0x200)
    s.press(K.Key_3, CTRL | SHIFT)
    assert "Bookmark 3 is at 0x200" in s.message()
    s.place(0x300, 2)
    s.press(K.Key_3, CTRL | SHIFT)
    assert [(m.start, m.digit) for m in panel.store.marks] == [(0x80, None), (0x300, 3)]
    s.place(0x80, 8)
    s.press(K.Key_0, CTRL | SHIFT)
    assert panel.store.marks[0].digit == 0
    s.press(K.Key_3, CTRL)
    assert hexes.cursor() == 0x300
    panel.parts.filter.setFocus()
    s.press(K.Key_0, CTRL)
    assert hexes.cursor() == 0x80
    s.press(K.Key_7, CTRL)
    assert "There is no bookmark 7" in s.message()
    # The menu of the bytes.
    assert {"Bookmark here", "Edit bookmark “ring head”"} <= set(offers(s))
    # Filtered, gone to, removed, and back.
    panel.parts.filter.setText("RING guest")
    assert panel.model.rowCount() == 1
    panel.parts.filter.setText("nothing")
    assert "No bookmark has these words" in panel.parts.empty.text()
    panel.parts.filter.clear()
    panel.table.setFocus()
    panel.table.selectRow(1)
    s.press(K.Key_Return, to=panel.table)
    assert hexes.cursor() == 0x300
    panel.table.selectAll()
    s.press(K.Key_Delete, to=panel.table)
    assert panel.model.rowCount() == 0
    assert not layer.items
    s.until(lambda: s.stored() == [])
    s.press(K.Key_Z, CTRL, to=panel.table)
    assert [m.start for m in panel.store.marks] == [0x80, 0x300]
    s.until(lambda: s.stored() == ["ring head", ""])
    # Another window on the region has them, and what one changes the other shows.
    other = stage(s.path)
    other.until(lambda: len(other.panel.store.marks) == 2)
    other.panel.store.change([Put(Bookmark("other", 0x1000, name="theirs"))], "theirs")
    s.until(lambda: "theirs" in [mark.name for mark in panel.store.marks])


def _middle(stage: Stage, offset: int) -> QPointF:
    surface = stage.view.hex.surface
    cell = surface.sheet().cell(Pane.HEX, offset)
    return QPointF(cell.center().x() / surface.ratio, cell.center().y() / surface.ratio)


def test_files_are_exchanged_and_what_is_wrong_is_told(
    stage: Callable[..., Stage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s = stage()
    marks = [Bookmark("a", 0x40, 4, "a"), Bookmark("far", 1 << 40, 8, "far", kind="u64")]
    s.panel.store.change([Put(mark) for mark in marks], "two")
    s.window.workspaces.call("bookmarks")
    s.until(lambda: s.shown(1, Column.VALUE) == "outside")
    s.panel.go_to_chosen()
    s.panel.table.selectRow(1)
    s.panel.go_to_chosen()
    assert "outside the region" in s.message()
    target = tmp_path / "mine.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(target), ""))
    s.panel.export_file()
    assert "Exported 2 bookmarks" in s.message()
    s.panel.remove(s.panel.store.marks)
    s.panel.import_file()
    assert "Imported 2 bookmarks" in s.message()
    assert list(s.panel.store.marks) == marks
    s.panel.undo()
    assert s.panel.store.marks == ()
    target.write_text('{"half')
    s.panel.import_file()
    assert "is no file of bookmarks" in s.message()
    assert s.session.info is not None
    content = json.loads(to_text(region_key(s.session.info), marks))
    content["bookmarks"].append({"start": "far"})
    target.write_text(json.dumps(content))
    s.panel.import_file()
    assert "Imported 2 bookmarks" in s.message()
    assert "1 left out. Entry 3:" in s.message()
    # A file of the region that cannot be kept: told once, and tried again with the next change.
    store = BookmarkFile(region_key(s.session.info)).path
    s.until(store.exists)
    s.until(lambda: not s.panel.store._pending)
    store.write_text(json.dumps({"format": content["format"], "version": 99}))
    s.panel.store.change([Put(Bookmark("new", 5))], "new")
    s.until(lambda: "newer version" in s.message())
    assert "new" in [mark.key for mark in s.panel.store.marks], "it stays on the screen"


def test_pointers_are_followed_and_found(stage: Callable[..., Stage]) -> None:
    s = stage()
    hexes, bar = s.view.hex, s.view.following.bar
    poke(s.path, 0x100, struct.pack("<QIi", 0x2000, 0x30, -0x40))
    poke(s.path, 0x2008, struct.pack("<Q", 0x2000))
    s.place(0x100)
    s.until(lambda: hexes.shown(0x100, 16)[1] == peek(s.path, 0x100, 16))
    s.press(K.Key_Space)
    s.until(lambda: hexes.cursor() == 0x2000)
    # What points here: a list to go on from.
    s.press(K.Key_Space, SHIFT)
    s.until(lambda: bar.list.model().rowCount() == 2)
    assert "2 places point to 0x2000 (u64 little)" in bar.head.text()
    s.press(K.Key_Down, to=bar.list)
    s.press(K.Key_Return, to=bar.list)
    assert hexes.cursor() == 0x2008
    s.press(K.Key_Backspace)
    assert hexes.cursor() == 0x100, "back to where it was followed from"
    s.press(K.Key_Backspace)
    assert hexes.cursor() == 0xFF, "nothing is left to come back to"
    # Other forms: a number, the place itself, a bookmark.
    s.place(0x108)
    bar.kind.setCurrentText("u32")
    bar.choose_base("number")
    bar.number.setText("0x1000")
    s.until(lambda: bar.preview.text() == "→ 0x1030: 0x108 holds 0x30")
    s.press(K.Key_Space)
    s.until(lambda: hexes.cursor() == 0x1030)
    s.panel.store.change([Put(Bookmark("m", 0x500, 1, "table"))], "a base")
    bar.choose_base("mark:table")
    s.place(0x108)
    s.press(K.Key_Space)
    s.until(lambda: hexes.cursor() == 0x530)
    bar.kind.setCurrentText("i32")
    bar.choose_base("itself")
    s.place(0x10C)
    s.press(K.Key_Space)
    s.until(lambda: hexes.cursor() == 0x10C - 0x40)
    # Outside is told, and nothing moves.
    bar.kind.setCurrentText("u64")
    bar.choose_base("start")
    s.place(0)
    s.press(K.Key_Space)
    s.until(lambda: "which is outside: the region ends at 0x3FFFF" in s.message())
    assert hexes.cursor() == 0
    s.place(SIZE - 3)
    s.press(K.Key_Space)
    assert "has no room" in s.message()
    # In the text column a blank is typed.
    s.session.set_locked(False)
    s.until(lambda: s.session.frame is not None and not s.session.frame.locked)
    s.place(0x100)
    hexes.set_pane(Pane.TEXT)
    s.until(lambda: hexes.shown(0x100, 1)[1] != b"")
    s.press(K.Key_Space)
    s.until(lambda: peek(s.path, 0x100, 1) == b" ")
    assert hexes.cursor() == 0x101
    s.press(K.Key_Backspace)
    assert hexes.cursor() == 0x100


def test_a_value_is_frozen_fought_for_and_let_go(stage: Callable[..., Stage]) -> None:
    s = stage()
    signals = s.window.panels[WritePanel].signals
    s.place(0x40, 4)
    s.press(K.Key_F9)
    s.until(lambda: "Writing is locked" in s.message())
    s.session.set_locked(False)
    s.until(lambda: s.session.frame is not None and not s.session.frame.locked)
    held = peek(s.path, 0x40, 4)
    s.press(K.Key_F9)
    s.until(lambda: len(signals.rows) == 1)
    s.until(lambda: "The value at 0x40 is frozen" in s.message())
    for turn in range(3):
        poke(s.path, 0x40, bytes([turn]) * 4)
        s.until(lambda: peek(s.path, 0x40, 4) == held)
    signals.ask()
    (row,) = signals.rows.values()
    s.until(lambda: row.text.text().startswith("0x40 frozen, 3 fights, "))
    assert row.text.text().endswith(" looks/s: 41 42 43 44, last against 02 02 02 02")
    (item,) = s.view.decorations.layer("signals").items
    assert (item.start, item.length, item.label) == (0x40, 4, "frozen 41 42 43 44")
    assert "Let go of the value at 0x40" in offers(s)
    s.press(K.Key_F9)
    s.until(lambda: not signals.rows)
    poke(s.path, 0x40, b"free")
    # One of a bookmark, as it is shown; the lock ends it.
    s.panel.store.change([Put(Bookmark("m", 0x80, 2, "port", kind="u16"))], "one")
    s.window.workspaces.call("bookmarks")
    s.until(lambda: s.shown(0, Column.VALUE) != "")
    s.panel.freeze(s.panel.store.marks[0])
    s.until(lambda: len(signals.rows) == 1)
    assert peek(s.path, 0x40, 4) == b"free"
    s.session.set_locked(True)
    s.until(lambda: not signals.rows)
