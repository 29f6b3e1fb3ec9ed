"""One writer in the window: write tools compare and ask as typing does; a large undo can be stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.core.engine import messages as msg
from app.core.engine.process import EngineProcess
from app.core.errors import ConflictError
from app.core.write.record import WriteOutcome, WriteRecord
from app.ui.panels.write import forms
from app.ui.panels.write.panel import WritePanel
from app.ui.session import write_requests
from app.ui.session.session import Session
from app.ui.style.theme import DARK
from app.ui.viewer.region_view import RegionView
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile, peek, poke, show

SIZE = 1 << 20
LARGE = 128 << 20
K, CTRL = Qt.Key, Qt.KeyboardModifier.ControlModifier


@dataclass
class Desk:
    """A region view and the write tools on one session."""

    view: RegionView
    panel: WritePanel
    session: Session
    path: Path
    qtbot: QtBot

    def until(self, fact: object) -> None:
        self.qtbot.waitUntil(fact, timeout=4 * WAIT_MS)

    def freeze(self) -> None:
        """From now on the view shows what it shows, whatever the peer does."""
        self.session.set_paused(True)
        self.until(lambda: self.session.frame.paused)

    def press(self, button: QPushButton) -> None:
        assert button.isEnabled(), self.panel.check.text()
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def tool(self, name: str, start: str, length: str = "") -> forms.ToolForm:
        self.panel.show_tool(name)
        self.panel.start.setText(start)
        self.panel.length.setText(length or self.panel.length.text())
        return self.panel.tools[name]

    def conflict(self) -> ConflictError:
        self.until(self.view.conflict.isVisible)
        error = self.view.conflict._error
        assert error is not None
        return error


@pytest.fixture
def desk(qtbot: QtBot, sessions: Sessions, shm_file: ShmFile) -> Iterator[Desk]:
    path = shm_file(SIZE, fill=b"0123456789abcdef")
    yield from _desk(qtbot, sessions, path)


def _desk(qtbot: QtBot, sessions: Sessions, path: Path) -> Iterator[Desk]:
    house = QWidget()
    layout = QVBoxLayout(house)
    view, panel = RegionView(), WritePanel()
    for part in (view, panel):
        part.set_theme(DARK)
        layout.addWidget(part)
    show(qtbot, house, 900, 700)
    session = sessions.open(path, EngineProcess)
    view.set_session(session)
    panel.set_session(session)
    view._opened(session.info)
    session.set_locked(False)
    qtbot.waitUntil(lambda: not session.frame.locked, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bool(view.hex.shown(0, 16)[1]), timeout=WAIT_MS)
    yield Desk(view, panel, session, path, qtbot)
    view.set_session(None)
    panel.set_session(None)


def test_a_fill_asks_before_it_overwrites_what_nobody_saw(desk: Desk) -> None:
    desk.freeze()
    poke(desk.path, 0x20, b"PEER")
    desk.tool("fill", "0", "256K")
    desk.press(desk.panel.apply)
    error = desk.conflict()
    at = 0x20 - error.offset
    assert error.seen[at : at + 4] == b"0123"
    assert error.now[at : at + 4] == b"PEER"
    assert error.mine[at : at + 4] == bytes(4)
    assert desk.view.conflict.mine.text() == "Fill anyway"
    assert "Nothing was written yet" in desk.panel.result.text()
    assert peek(desk.path, 0, 4) == b"0123"
    desk.press(desk.view.conflict.theirs)
    assert not desk.view.conflict.isVisible()
    assert "kept" in desk.panel.result.text()
    assert peek(desk.path, 0x20, 4) == b"PEER"
    desk.press(desk.panel.apply)
    desk.conflict()
    desk.press(desk.view.conflict.mine)
    desk.until(lambda: "Filled 256 KiB" in desk.panel.result.text())
    assert peek(desk.path, 0, 256 << 10) == bytes(256 << 10)
    assert peek(desk.path, 256 << 10, 4) == b"0123"
    desk.view.undo()
    desk.until(lambda: peek(desk.path, 0x20, 4) == b"PEER")


@pytest.mark.parametrize("tool", ["value", "load", "copy", "signal"])
def test_every_write_tool_compares(desk: Desk, tool: str, tmp_path: Path) -> None:
    desk.freeze()
    poke(desk.path, 0x20, b"PEER")
    if tool == "copy":
        form = desk.tool("copy", "0x1000", "16")
        assert isinstance(form, forms.CopyForm)
        form.to.setText("0x20")
        mine = b"0123"
    elif tool == "load":
        (tmp_path / "file").write_bytes(b"load me up")
        form = desk.tool("load", "0x20")
        assert isinstance(form, forms.LoadForm)
        form.path.setText(str(tmp_path / "file"))
        mine = b"load"
    else:
        desk.tool(tool, "0x20")
        mine = bytes(4)
    desk.press(desk.panel.apply)
    error = desk.conflict()
    assert (error.offset, error.seen[:4], error.now[:4], error.mine[:4]) == (
        0x20,
        b"0123",
        b"PEER",
        mine,
    )
    assert peek(desk.path, 0x20, 4) == b"PEER"
    desk.press(desk.view.conflict.mine)
    desk.until(lambda: peek(desk.path, 0x20, 4) != b"PEER")
    desk.until(lambda: bool(desk.panel.result.text()))


def test_what_is_not_on_the_screen_counts_as_it_is(desk: Desk) -> None:
    desk.freeze()
    poke(desk.path, 0x80000, b"PEER")
    desk.tool("fill", "0x80000", "4")
    desk.press(desk.panel.apply)
    desk.until(lambda: peek(desk.path, 0x80000, 4) == bytes(4))
    assert not desk.view.conflict.isVisible()
    desk.view.undo()
    desk.until(lambda: peek(desk.path, 0x80000, 4) == b"PEER")


def test_what_only_the_form_shows_is_compared_too(desk: Desk) -> None:
    desk.tool("value", "0x80000")
    desk.until(lambda: "now 30 31 32 33" in desk.panel.check.text())
    poke(desk.path, 0x80000, b"PEER")
    desk.press(desk.panel.apply)
    error = desk.conflict()
    assert (error.offset, error.seen, error.now) == (0x80000, b"0123", b"PEER")
    desk.press(desk.view.conflict.theirs)
    desk.until(lambda: "now 50 45 45 52" in desk.panel.check.text())
    desk.press(desk.panel.apply)
    desk.until(lambda: peek(desk.path, 0x80000, 4) == bytes(4))


def test_a_question_about_an_undo_is_about_that_write_only(desk: Desk) -> None:
    desk.view.hex.set_cursor(0)
    desk.qtbot.keyClicks(desk.view.hex, "41")
    desk.until(lambda: peek(desk.path, 0, 1) == b"A")
    poke(desk.path, 0, b"P")
    desk.view.undo()
    desk.conflict()
    desk.session.writing.write(0x40, b"later", None, "typed")
    desk.until(lambda: peek(desk.path, 0x40, 5) == b"later")
    desk.press(desk.view.conflict.mine)
    desk.until(lambda: desk.view.messages.shown is not None)
    assert "since" in desk.view.messages.shown.text
    assert peek(desk.path, 0, 1) == b"P"
    assert peek(desk.path, 0x40, 5) == b"later"


def test_ctrl_z_of_a_large_fill_shows_its_progress_and_can_be_stopped(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_requests, "SHOW_PROGRESS_NS", 0)
    path = shm_file(LARGE)
    for desk in _desk(qtbot, sessions, path):
        desk.tool("fill", "0", "128M")
        desk.panel.tools["fill"].value.setText("0x11")
        desk.press(desk.panel.apply)
        desk.until(lambda: "Filled 128 MiB" in desk.panel.result.text())
        desk.view.hex.setFocus()
        qtbot.keyClick(desk.view.hex, K.Key_Z, CTRL)
        desk.until(desk.view.work.isVisible)
        desk.until(lambda: "Undo:" in desk.view.work.text.text())
        assert "of 128 MiB" in desk.view.work.text.text()
        # Only when bytes were put back; before that half of the work is comparing.
        desk.until(lambda: peek(path, LARGE - 1, 1) == b"\0")
        desk.press(desk.view.work.stop)
        desk.until(lambda: not desk.view.work.isVisible())
        assert "was stopped" in desk.view.messages.shown.text
        assert "of 128 MiB are back as they were" in desk.view.messages.shown.text
        assert peek(path, 0, 1) == b"\x11", "stopped before its end"
        done: list[tuple[WriteRecord, ...]] = []
        desk.session.ask(msg.ListWrites(), done.append)
        desk.until(lambda: bool(done))
        assert done[0][0].outcome is WriteOutcome.UNDONE_IN_PART
        qtbot.keyClick(desk.view.hex, K.Key_Z, CTRL)
        desk.until(lambda: peek(path, 0, 1) == b"\0")
        desk.until(lambda: not desk.view.work.isVisible())
        with path.open("rb") as file:
            while part := file.read(1 << 24):
                assert not any(part[:: 1 << 12]), "every page is as before"
