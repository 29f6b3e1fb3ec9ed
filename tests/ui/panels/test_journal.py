"""The journal: what was written here, when, where, and what became of it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.core.engine import messages as msg
from app.core.write.record import WriteOutcome, WriteRecord
from app.ui.panels import journal
from app.ui.panels.journal import JournalModel, JournalPanel
from app.ui.style.theme import DARK
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile, show


@pytest.fixture
def panel(qtbot: QtBot) -> JournalPanel:
    made = JournalPanel()
    made.set_theme(DARK)
    show(qtbot, made, 1000, 200)
    return made


@pytest.fixture
def region(sessions: Sessions, shm_file: ShmFile, panel: JournalPanel) -> SimpleNamespace:
    path = shm_file(8192)
    session = sessions.open(path)
    panel.set_session(session)
    session.set_locked(False)
    return SimpleNamespace(path=path, session=session)


def record(number: int, **more: object) -> WriteRecord:
    values: dict[str, object] = {
        "number": number,
        "time_ns": number,
        "clock_s": 1000.0 + number,
        "offset": number * 16,
        "length": 1,
        "old": b"\0",
        "new": b"\1",
        "outcome": WriteOutcome.WHOLE,
        "label": "typed",
    }
    return WriteRecord(**{**values, **more})


def column(panel: JournalPanel, number: int) -> list[str]:
    model = panel.model
    return [model.data(model.index(row, number)) for row in range(model.rowCount())]


def test_the_model_keeps_qts_rules(qtbot: QtBot, qtmodeltester: ModelTester) -> None:
    model = JournalModel()
    qtmodeltester.check(model)
    model.append((record(1), record(2)))
    model.append((record(2), record(3, undoes=1, label="undo typed")))
    assert model.rowCount() == 3
    model.clear()


def test_before_the_first_write_it_teaches(panel: JournalPanel) -> None:
    assert panel.empty.isVisible()
    assert "Ctrl+L" in panel.empty.text()


def test_writes_stand_there_in_order(
    qtbot: QtBot, panel: JournalPanel, region: SimpleNamespace
) -> None:
    region.session.ask(msg.Write(0x40, b"\xaa\xbb", label="typed"))
    region.session.ask(msg.Write(0x1000, bytes(range(64)), label="paste"))
    qtbot.waitUntil(lambda: panel.model.rowCount() == 2, timeout=WAIT_MS)
    assert not panel.empty.isVisible()
    assert column(panel, 1) == ["0x0000'0040", "0x0000'1000"]
    assert column(panel, 2) == ["2 B", "64 B"]
    assert column(panel, 3)[0] == "00 00"
    assert column(panel, 4) == ["AA BB", "00 01 02 03 04 05 06 07 …"]
    assert column(panel, 5) == ["typed", "paste"]
    assert column(panel, 6) == ["landed", "landed"]
    assert panel.count.text() == "2 writes"


def test_an_undo_marks_what_it_took_back(
    qtbot: QtBot, panel: JournalPanel, region: SimpleNamespace
) -> None:
    region.session.ask(msg.Write(0, b"x"))
    region.session.ask(msg.Undo())
    qtbot.waitUntil(lambda: column(panel, 6) == ["undone", "landed"], timeout=WAIT_MS)
    region.session.ask(msg.Redo())
    qtbot.waitUntil(lambda: column(panel, 6) == ["landed", "landed", "landed"], timeout=WAIT_MS)


def test_double_click_goes_there(
    qtbot: QtBot, panel: JournalPanel, region: SimpleNamespace
) -> None:
    region.session.ask(msg.Write(0x123, b"x"))
    qtbot.waitUntil(lambda: panel.model.rowCount() == 1, timeout=WAIT_MS)
    place = panel.table.visualRect(panel.model.index(0, 1)).center()
    view = panel.table.viewport()
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=place)
    with qtbot.waitSignal(panel.goto_wanted, check_params_cb=lambda offset: offset == 0x123):
        qtbot.mouseDClick(view, Qt.MouseButton.LeftButton, pos=place)


def test_keys_copy_and_go_there(qtbot: QtBot, panel: JournalPanel, region: SimpleNamespace) -> None:
    region.session.ask(msg.Write(0x123, b"x"))
    qtbot.waitUntil(lambda: panel.model.rowCount() == 1, timeout=WAIT_MS)
    with qtbot.assertNotEmitted(panel.goto_wanted):
        qtbot.keyClick(panel.table, Qt.Key.Key_Return)  # no row is chosen
    panel.table.selectRow(0)
    with qtbot.waitSignal(panel.goto_wanted, check_params_cb=lambda offset: offset == 0x123):
        qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    qtbot.keyClick(panel.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert "0x0000'0123" in QGuiApplication.clipboard().text()


def test_buttons(qtbot: QtBot, panel: JournalPanel, region: SimpleNamespace) -> None:
    buttons = {b.text(): b for b in panel.findChildren(QPushButton)}
    with qtbot.waitSignal(panel.undo_wanted):
        qtbot.mouseClick(buttons["Undo"], Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(panel.redo_wanted):
        qtbot.mouseClick(buttons["Redo"], Qt.MouseButton.LeftButton)
    region.session.ask(msg.Write(0x40, b"\xaa"))
    qtbot.waitUntil(lambda: panel.model.rowCount() == 1, timeout=WAIT_MS)
    panel.table.selectRow(0)
    qtbot.mouseClick(buttons["Copy row"], Qt.MouseButton.LeftButton)
    assert "0x0000'0040\t1 B\t00\tAA\ttyped\tlanded" in QGuiApplication.clipboard().text()


def test_a_retry_begins_anew(qtbot: QtBot, panel: JournalPanel, region: SimpleNamespace) -> None:
    region.session.ask(msg.Write(0, b"x"))
    qtbot.waitUntil(lambda: panel.model.rowCount() == 1, timeout=WAIT_MS)
    with qtbot.waitSignal(region.session.opened, timeout=WAIT_MS):
        region.session.retry()
    assert panel.model.rowCount() == 0
    region.session.set_locked(False)
    region.session.ask(msg.Write(0, b"y"))
    qtbot.waitUntil(lambda: column(panel, 4) == ["79"], timeout=WAIT_MS)


def test_the_list_is_bounded(
    qtbot: QtBot, panel: JournalPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_KEPT", 10)
    panel._take(tuple(record(n) for n in range(1, 31)))
    assert panel.model.rowCount() == 10
    assert panel.model.records[-1].number == 30
    assert panel.count.text() == "10 writes"


def test_what_did_not_land_stands_out(panel: JournalPanel) -> None:
    panel._take((record(1), record(2, outcome=WriteOutcome.NONE)))
    role = Qt.ItemDataRole.ForegroundRole
    assert panel.model.data(panel.model.index(0, 6), role).color() == DARK.color("quiet")
    assert panel.model.data(panel.model.index(1, 6), role).color() == DARK.color("warning")
