"""Write tools: each previews, checks, writes into the real file, can be stopped and undone."""

from __future__ import annotations

import os
import struct
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.core.engine import messages as msg
from app.core.errors import ScopeError
from app.core.values.byte_block import ByteBlock
from app.core.write.patterns import Repeat
from app.core.write.record import RepeatState
from app.ui.hex.decorations.decorations import Decorations
from app.ui.panels.write import forms
from app.ui.panels.write.panel import WritePanel
from app.ui.panels.write.running_signals import SignalRow
from app.ui.panels.write.signal_ranges import signal_ranges
from app.ui.session.notice import Notice
from app.ui.session.write_requests import Working
from app.ui.style.theme import DARK
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile, peek, poke, show

SIZE = 1 << 20


@pytest.fixture
def panel(qtbot: QtBot) -> WritePanel:
    made = WritePanel()
    made.set_theme(DARK)
    show(qtbot, made, 900, 200)
    return made


@pytest.fixture
def region(sessions: Sessions, shm_file: ShmFile, panel: WritePanel) -> SimpleNamespace:
    path = shm_file(SIZE)
    session = sessions.open(path)
    panel.set_session(session)
    session.set_locked(False)
    return SimpleNamespace(path=path, session=session)


def write(qtbot: QtBot, line: QLineEdit, text: str) -> None:
    line.selectAll()
    qtbot.keyClicks(line, text)


def press(qtbot: QtBot, button: QPushButton) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def place(
    qtbot: QtBot, panel: WritePanel, tool: str, start: str, length: str = ""
) -> forms.ToolForm:
    panel.show_tool(tool)
    write(qtbot, panel.start, start)
    if length:
        write(qtbot, panel.length, length)
    return panel.tools[tool]


def apply(qtbot: QtBot, panel: WritePanel) -> str:
    assert panel.apply.isEnabled(), panel.check.text()
    panel.result.setText("")
    press(qtbot, panel.apply)
    qtbot.waitUntil(lambda: bool(panel.result.text()), timeout=WAIT_MS)
    return panel.result.text()


def running(panel: WritePanel) -> list[SignalRow]:
    return list(panel.signals.rows.values())


def undo(qtbot: QtBot, region: SimpleNamespace) -> None:
    done: list[object] = []
    region.session.ask(msg.Undo(), done.append)
    qtbot.waitUntil(lambda: bool(done), timeout=WAIT_MS)


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        ("byte", "0x2A", b"\x2a" * 24),
        ("hex pattern", "DE AD BE EF", bytes.fromhex("deadbeef") * 6),
        ("text", "IVSHMEM", (b"IVSHMEM" * 4)[:24]),
        ("increment", "1, 3", bytes(range(1, 73, 3))),
    ],
)
def test_fill(
    qtbot: QtBot, panel: WritePanel, region: SimpleNamespace, kind: str, value: str, wanted: bytes
) -> None:
    form = place(qtbot, panel, "fill", "0x100", "24")
    assert isinstance(form, forms.FillForm)
    form.kind.setCurrentText(kind)
    write(qtbot, form.value, value)
    assert "24 bytes at 0x100 to 0x117" in panel.check.text()
    assert wanted[:16].hex(" ").upper() in panel.preview.text()
    text = apply(qtbot, panel)
    assert "Filled 24 B" in text
    assert "Ctrl+Z" in text
    assert peek(region.path, 0xFF, 26) == b"\0" + wanted + b"\0"
    undo(qtbot, region)
    assert peek(region.path, 0x100, 24) == bytes(24)


def test_fill_with_wide_words_and_random(
    qtbot: QtBot, panel: WritePanel, region: SimpleNamespace
) -> None:
    form = place(qtbot, panel, "fill", "0", "16")
    assert isinstance(form, forms.FillForm)
    form.kind.setCurrentText("increment")
    write(qtbot, form.value, "0x100, 1")
    form.word.setCurrentText("u32")
    form.endian.setCurrentText("big endian")
    apply(qtbot, panel)
    assert peek(region.path, 0, 16) == struct.pack(">4I", *range(0x100, 0x104))
    form.kind.setCurrentText("random")
    write(qtbot, form.value, "7")
    assert not form.word.isEnabled()
    first = panel.preview.text()
    apply(qtbot, panel)
    assert peek(region.path, 0, 16).hex(" ").upper() in first, "the preview is what lands"


@pytest.mark.parametrize(
    ("start", "length", "value", "reason"),
    [
        ("0xFFFF0", "32", "0", "not inside the region"),
        ("-1", "4", "0", "not inside the region"),
        ("0", "0", "0", "not inside the region"),
        ("banana", "4", "0", "banana"),
        ("0", "4", "256", "no byte"),
        ("0", "", "", "no byte"),
    ],
)
def test_what_cannot_be_is_refused_before(
    qtbot: QtBot,
    panel: WritePanel,
    region: SimpleNamespace,
    start: str,
    length: str,
    value: str,
    reason: str,
) -> None:
    form = place(qtbot, panel, "fill", start, length)
    assert isinstance(form, forms.FillForm)
    form.value.setText(value)
    assert reason in panel.check.text()
    assert not panel.apply.isEnabled()


def test_locked_offers_to_unlock(qtbot: QtBot, panel: WritePanel, region: SimpleNamespace) -> None:
    region.session.set_locked(True)
    place(qtbot, panel, "fill", "0", "16")
    assert not panel.apply.isEnabled()
    press(qtbot, panel.lock)
    assert not region.session.locked
    assert panel.lock.isHidden()
    assert panel.apply.isEnabled()
    region.session.set_locked(True)
    panel.show_tool("save")
    assert panel.lock.isHidden(), "saving changes no memory"


def test_without_a_region(qtbot: QtBot, panel: WritePanel) -> None:
    assert "Open a region first." in panel.check.text()
    assert not panel.apply.isEnabled()
    panel.run()


def test_a_typed_value(qtbot: QtBot, panel: WritePanel, region: SimpleNamespace) -> None:
    form = place(qtbot, panel, "value", "0x20")
    assert isinstance(form, forms.ValueForm)
    form.kind.setCurrentIndex(form.kind.findData("f64"))
    form.endian.setCurrentText("big endian")
    write(qtbot, form.value, "2.5")
    assert "8 bytes at 0x20" in panel.check.text()
    assert not panel.length.isEnabled()
    apply(qtbot, panel)
    assert peek(region.path, 0x20, 8) == struct.pack(">d", 2.5)
    undo(qtbot, region)
    assert peek(region.path, 0x20, 8) == bytes(8)
    write(qtbot, form.value, "pi")
    assert not panel.apply.isEnabled()


def test_load_a_file(
    qtbot: QtBot, panel: WritePanel, region: SimpleNamespace, tmp_path: Path
) -> None:
    source = tmp_path / "some bytes.bin"
    source.write_bytes(b"0123456789")
    form = place(qtbot, panel, "load", "0x40")
    assert isinstance(form, forms.LoadForm)
    assert "Choose a file" in panel.check.text()
    panel.set_load(str(source), 0x40)
    assert panel.start.text() == "0x40"
    assert "10 bytes" in panel.check.text()
    assert "30 31 32" in panel.preview.text()
    apply(qtbot, panel)
    assert peek(region.path, 0x40, 11) == b"0123456789\0"
    undo(qtbot, region)
    assert peek(region.path, 0x40, 10) == bytes(10)
    write(qtbot, panel.start, "end-4")
    assert "not inside" in panel.check.text()
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "fifo")
    for name, says in (
        (str(tmp_path / "missing"), "cannot be read (there is no such file or folder)"),
        (f"{source}/", "cannot be read"),
        ("\0", "it is no name of a file"),
        (str(tmp_path / "empty"), "has no bytes"),
        (str(tmp_path / "fifo"), "is no regular file"),
        (str(tmp_path), "is no regular file"),
        ("/dev/zero", "is no regular file"),
    ):
        form.path.setText(name)
        assert says in panel.check.text()
        assert not panel.apply.isEnabled()


def test_save_a_range(
    qtbot: QtBot, panel: WritePanel, region: SimpleNamespace, tmp_path: Path
) -> None:
    target = tmp_path / "saved.bin"
    form = place(qtbot, panel, "save", "0", "1M")
    assert isinstance(form, forms.SaveForm)
    form.path.setText(str(target))
    assert "Saved 1 MiB" in apply(qtbot, panel)
    assert target.read_bytes() == region.path.read_bytes()
    form.path.setText("/proc/no/such/place")
    assert "could not be written" in apply(qtbot, panel)


def test_copy_a_range(qtbot: QtBot, panel: WritePanel, region: SimpleNamespace) -> None:
    poke(region.path, 0, b"abcd")
    form = place(qtbot, panel, "copy", "0", "4")
    assert isinstance(form, forms.CopyForm)
    write(qtbot, form.to, "end-4")
    apply(qtbot, panel)
    assert peek(region.path, SIZE - 4, 4) == b"abcd"
    undo(qtbot, region)
    assert peek(region.path, SIZE - 4, 4) == bytes(4)
    write(qtbot, form.to, "end-2")
    assert "not inside" in panel.check.text()
    assert not panel.apply.isEnabled()


def test_a_large_fill_shows_progress_and_can_be_cancelled(
    qtbot: QtBot,
    sessions: Sessions,
    shm_file: ShmFile,
    panel: WritePanel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import app.ui.panels.write.panel as module

    monkeypatch.setattr(module, "_SHOW_PROGRESS_MS", 0)
    session = sessions.open(shm_file(256 << 20))
    panel.set_session(session)
    session.set_locked(False)
    place(qtbot, panel, "fill", "0", "256M")
    press(qtbot, panel.apply)
    assert not panel.apply.isEnabled()
    qtbot.waitUntil(
        lambda: panel.cancel.isVisible() and panel.progress.value() > 0, timeout=WAIT_MS
    )
    press(qtbot, panel.cancel)
    qtbot.waitUntil(lambda: "stopped" in panel.result.text(), timeout=WAIT_MS)
    assert panel.progress.isHidden()
    assert panel.apply.isEnabled()

    # In another workspace, or behind another tab: how it goes is seen and stopped below the bytes.
    works: list[Working | None] = []
    notices: list[Notice] = []
    session.writing.working.connect(works.append)
    session.writing.notice.connect(notices.append)
    press(qtbot, panel.apply)
    panel.hide()
    qtbot.waitUntil(lambda: bool(works), timeout=WAIT_MS)
    first = works[0]
    assert first is not None
    assert (first.word, first.total) == ("Fill", 256 << 20)
    session.cancel(first.request)
    qtbot.waitUntil(lambda: bool(notices), timeout=WAIT_MS)
    assert works[-1] is None
    assert notices[-1].text == panel.result.text()
    assert "stopped" in notices[-1].text


@pytest.mark.parametrize("wave", ["counter", "toggle", "sine"])
def test_a_signal_runs_until_stopped(
    qtbot: QtBot, panel: WritePanel, region: SimpleNamespace, wave: str
) -> None:
    form = place(qtbot, panel, "signal", "0x800")
    assert isinstance(form, forms.SignalForm)
    form.wave.setCurrentText(wave)
    write(qtbot, form.interval, "2")
    panel.signals.timer.setInterval(50)
    apply(qtbot, panel)
    seen = set()

    def moves() -> bool:
        seen.add(peek(region.path, 0x800, 4))
        return len(seen) >= 2

    qtbot.waitUntil(moves, timeout=WAIT_MS)
    qtbot.waitUntil(
        lambda: any("of 500 /s" in row.text.text() for row in running(panel)), timeout=WAIT_MS
    )
    (row,) = running(panel)
    assert "at 0x800" in row.text.text()
    press(qtbot, row.stop)
    qtbot.waitUntil(lambda: not running(panel), timeout=WAIT_MS)
    undo(qtbot, region)
    assert peek(region.path, 0x800, 4) == bytes(4)


def test_a_running_signal_is_shown_as_a_decoration(
    qtbot: QtBot, panel: WritePanel, region: SimpleNamespace
) -> None:
    store = Decorations()
    panel.signals.set_decorations(store)
    form = place(qtbot, panel, "signal", "0x800")
    assert isinstance(form, forms.SignalForm)
    write(qtbot, form.interval, "100")
    panel.signals.timer.setInterval(50)
    apply(qtbot, panel)
    qtbot.waitUntil(lambda: len(store) == 1, timeout=WAIT_MS)
    (shown,) = store.at(0x803)
    assert (shown.start, shown.length, shown.label) == (0x800, 4, "signal counter u32")
    assert shown.tip == "this window writes it 10 times a second"
    press(qtbot, running(panel)[0].stop)
    qtbot.waitUntil(lambda: not len(store), timeout=WAIT_MS)
    apply(qtbot, panel)
    qtbot.waitUntil(lambda: len(store) == 1, timeout=WAIT_MS)
    panel.set_session(None)
    assert not len(store)


def test_how_often_a_signal_writes_is_said_in_words() -> None:
    def said(interval_ns: int) -> str:
        repeat = Repeat(0, interval_ns=interval_ns)
        state = RepeatState(1, repeat, 1, 0.0, 1e9 / interval_ns, b"", None)
        (shown,) = signal_ranges([state])
        assert not signal_ranges([replace(state, error=ScopeError("gone"))])
        return shown.tip.removeprefix("this window writes it ")

    assert said(1_000_000) == "1,000 times a second"
    assert said(400_000_000) == "2.5 times a second"
    assert said(2_500_000_000) == "every 2.5 s"


def test_locking_stops_a_signal_and_the_form_says_so(
    qtbot: QtBot, panel: WritePanel, region: SimpleNamespace
) -> None:
    place(qtbot, panel, "signal", "0")
    assert "Signal runs" in apply(qtbot, panel)
    qtbot.waitUntil(lambda: len(running(panel)) == 1, timeout=WAIT_MS)
    region.session.set_locked(True)
    qtbot.waitUntil(lambda: not running(panel), timeout=WAIT_MS)
    assert panel.signals.isHidden()
    assert panel.result.text() == "The signal ended; undo with Ctrl+Z."


def test_of_two_signals_each_is_stopped_alone_or_all(
    qtbot: QtBot, panel: WritePanel, region: SimpleNamespace
) -> None:
    for start in ("0x800", "0x900"):
        place(qtbot, panel, "signal", start)
        assert "Signal runs" in apply(qtbot, panel)
    qtbot.waitUntil(lambda: len(running(panel)) == 2, timeout=WAIT_MS)
    first, second = running(panel)
    press(qtbot, first.stop)
    qtbot.waitUntil(lambda: running(panel) == [second], timeout=WAIT_MS)
    assert "Signal runs" in panel.result.text(), "it spoke of the second"
    assert panel.signals.stop_all.isHidden()
    place(qtbot, panel, "signal", "0xA00")
    apply(qtbot, panel)
    qtbot.waitUntil(panel.signals.stop_all.isVisible, timeout=WAIT_MS)
    press(qtbot, panel.signals.stop_all)
    qtbot.waitUntil(lambda: not running(panel), timeout=WAIT_MS)
    assert "Signal runs" not in panel.result.text()


def test_a_second_signal_on_the_same_bytes_is_refused(
    qtbot: QtBot, panel: WritePanel, region: SimpleNamespace
) -> None:
    place(qtbot, panel, "signal", "0x800")
    apply(qtbot, panel)
    place(qtbot, panel, "signal", "0x802")
    assert "writes at 0x800 already" in apply(qtbot, panel)
    place(qtbot, panel, "signal", "0x804")
    assert "Signal runs" in apply(qtbot, panel)


def test_signals_that_run_are_found_again(
    qtbot: QtBot, panel: WritePanel, region: SimpleNamespace
) -> None:
    place(qtbot, panel, "signal", "0x800")
    apply(qtbot, panel)
    qtbot.waitUntil(lambda: len(running(panel)) == 1, timeout=WAIT_MS)
    panel.set_session(None)
    assert not running(panel)
    panel.set_session(region.session)
    qtbot.waitUntil(lambda: len(running(panel)) == 1, timeout=WAIT_MS)


def test_signal_numbers_that_make_no_sense(
    qtbot: QtBot, panel: WritePanel, region: SimpleNamespace
) -> None:
    form = place(qtbot, panel, "signal", "0")
    assert isinstance(form, forms.SignalForm)
    for line, text in (
        (form.interval, "x"),
        (form.low, ""),
        (form.period, "1e999"),
        (form.interval, "1e999"),
    ):
        before = line.text()
        line.setText(text)
        assert not panel.apply.isEnabled(), text
        line.setText(before)
        assert panel.apply.isEnabled()


@pytest.mark.parametrize("field", ["choice", "start", "length", "kind", "value"])
def test_enter_in_any_field_acts(
    qtbot: QtBot, panel: WritePanel, region: SimpleNamespace, field: str
) -> None:
    form = place(qtbot, panel, "fill", "0x100", "2")
    assert isinstance(form, forms.FillForm)
    write(qtbot, form.value, "0x2A")
    qtbot.keyClick(getattr(form if field in ("kind", "value") else panel, field), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "Filled" in panel.result.text(), timeout=WAIT_MS)
    assert peek(region.path, 0x100, 2) == b"**"


def test_enter_does_nothing_where_the_button_would_not(
    qtbot: QtBot, panel: WritePanel, region: SimpleNamespace
) -> None:
    place(qtbot, panel, "fill", "0x100", "2")
    region.session.set_locked(True)
    qtbot.keyClick(panel.start, Qt.Key.Key_Return)
    assert panel._request == 0
    assert peek(region.path, 0x100, 2) == bytes(2)


def test_the_selection_is_offered(qtbot: QtBot, panel: WritePanel, region: SimpleNamespace) -> None:
    panel.set_cursor(0x30)
    assert panel.start.text() == "0x30"
    panel.set_selection(ByteBlock(0x40, 8))
    assert (panel.start.text(), panel.length.text()) == ("0x40", "8")
    write(qtbot, panel.start, "0")
    press(qtbot, panel.use_selection)
    assert panel.start.text() == "0x40"
    panel.set_selection(ByteBlock(0x40, 0))
    assert not panel.use_selection.isEnabled()


def test_a_rectangle_is_filled_and_no_other_tool_takes_one(
    qtbot: QtBot, panel: WritePanel, region: SimpleNamespace
) -> None:
    panel.show_tool("fill")
    panel.set_selection(ByteBlock(0x40, 2, 3, 16))
    assert panel.length.text() == "2 x 3 every 16"
    assert "6 bytes in 3 rows at 0x40 to 0x61" in panel.check.text()
    fill = panel.tools["fill"]
    assert isinstance(fill, forms.FillForm)
    fill.kind.setCurrentIndex(3)  # 0, 1, 2, ... goes on from row to row
    assert "Filled 6 B" in apply(qtbot, panel)
    rows = (b"\0\1", b"\2\3", b"\4\5")
    assert peek(region.path, 0x40, 0x30) == b"".join(row.ljust(16, b"\0") for row in rows)
    for tool in ("save", "copy"):
        panel.show_tool(tool)
        assert "no rectangle" in panel.check.text()
        assert not panel.apply.isEnabled()
    place(qtbot, panel, "fill", "0x40", "20 x 2")
    assert "overlap" in panel.check.text()


@pytest.mark.parametrize("width", [900, 1280])
@pytest.mark.parametrize("tool", ["fill", "value", "load", "save", "copy", "signal"])
def test_nothing_is_cut_off_in_200_pixels(
    qtbot: QtBot, panel: WritePanel, region: SimpleNamespace, tool: str, width: int
) -> None:
    panel.resize(width, 200)
    panel.show_tool(tool)
    qtbot.waitUntil(lambda: panel.apply.width() >= panel.apply.minimumSizeHint().width())
    assert panel.width() == width
    assert panel.minimumSizeHint().height() <= 200
    for part in panel.findChildren(QWidget):
        if isinstance(part, QLineEdit | QComboBox | QPushButton) and part.isVisible():
            corner = part.mapTo(panel, part.rect().bottomRight())
            assert panel.rect().contains(corner), part
            assert part.height() >= part.minimumSizeHint().height(), part
            if isinstance(part, QPushButton):
                assert part.width() >= part.minimumSizeHint().width(), part.text()
