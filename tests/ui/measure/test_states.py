"""What the Measure panel says is true: before a test, while it runs, and after it."""

from __future__ import annotations

import dataclasses
import os
import signal

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.core.engine import messages as msg
from app.core.engine.measuring import measurement_messages as dm
from app.core.engine.measuring.measurement_messages import LiveLatency, SlotView
from app.core.engine.process import EngineProcess
from app.core.errors import LaneError
from app.core.measure.histogram import Summary
from app.core.measure.lane.peer_card import PeerCard
from app.core.measure.lane.presence import Life
from app.core.native.kernel import Wait
from app.ui.measure.charts.charts import EMPTY, WAITING
from app.ui.measure.forms import FlashForm, LatencyForm
from app.ui.measure.lane.lane_box import check_offset, slot_text
from app.ui.measure.live import live_sentence
from app.ui.measure.panel import MeasurePanel
from tests.ui.helpers import Sessions, ShmFile, spec_of
from tests.ui.measure.measuring import WAIT_MS, Sides, answering


def test_once_unlocked_it_no_longer_says_that_writing_is_locked(qtbot: QtBot, sides: Sides) -> None:
    a = sides.a
    qtbot.mouseClick(a.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "locked" in a.status.text(), timeout=WAIT_MS)
    sides.sessions[0].set_locked(False)
    qtbot.waitUntil(lambda: not a.status.text(), timeout=WAIT_MS)
    a.runs.reported.emit("Saved.")
    sides.sessions[0].set_locked(True)
    sides.sessions[0].set_locked(False)
    assert a.status.text() == "Saved.", "another sentence stays"


def test_while_it_listens_it_says_so_and_the_empty_chart_too(qtbot: QtBot, sides: Sides) -> None:
    a = sides.a
    sides.sessions[0].set_locked(False)
    assert a.charts.series.empty.text() == EMPTY
    qtbot.mouseClick(a.start, Qt.MouseButton.LeftButton)
    assert a.status.text() == "Looking for a peer …"
    assert a.charts.series.empty.text() == WAITING
    qtbot.waitUntil(lambda: "Still listening" in a.status.text(), timeout=WAIT_MS)
    qtbot.mouseClick(a.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: a.start.text() == "Start", timeout=WAIT_MS)
    assert a.charts.series.empty.text() == EMPTY


def test_what_needs_no_peer_looks_for_none(qtbot: QtBot, sides: Sides) -> None:
    a = sides.a
    sides.sessions[0].set_locked(False)
    a.show_test("bandwidth")
    a.forms["bandwidth"].blocks.setText("4K")
    qtbot.mouseClick(a.start, Qt.MouseButton.LeftButton)
    assert a.status.text() == "Measuring …"
    qtbot.waitUntil(lambda: len(a.runs.model.runs) == 1, timeout=WAIT_MS)
    assert len(a.charts.rates.plotItem.listDataItems()) == 3


def test_a_test_that_was_stopped_is_not_called_done(qtbot: QtBot, sides: Sides) -> None:
    answering(qtbot, sides)
    a = sides.a
    a.show_test("flash")
    a.forms["flash"].every.setText("0.1")
    qtbot.mouseClick(a.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: a.progress.value() >= 50, timeout=WAIT_MS)
    assert a.progress.maximum() == 1000, "40 flashes are asked: how far it is is known"
    qtbot.mouseClick(a.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(a.runs.model.runs) == 1, timeout=WAIT_MS)
    assert a.status.text().startswith("Run 1 stopped early")
    assert a.charts.currentWidget() is a.charts.percentiles


@pytest.mark.parametrize("text", ["0x1234", "64M", "size - 1", "nowhere"])
def test_a_lane_that_cannot_lie_there_is_said_while_it_is_typed(
    qtbot: QtBot, sides: Sides, text: str
) -> None:
    a = sides.a
    qtbot.keyClicks(a.lane.offset, text)
    assert not a.start.isEnabled()
    assert a.status.text()
    assert a.lane.where.text()
    a.lane.offset.clear()
    assert a.start.isEnabled()
    assert not a.status.text()


def test_where_a_lane_can_begin() -> None:
    check_offset(0x1000, 1 << 20)
    for offset in (-4096, 0x1001, (1 << 20) - 4096, 1 << 20):
        with pytest.raises(LaneError):
            check_offset(offset, 1 << 20)


def test_fields_without_a_meaning_are_not_shown(qtbot: QtBot) -> None:
    latency, flash = LatencyForm(), FlashForm()
    for form in (latency, flash):
        qtbot.addWidget(form)
    latency.rate.setText("nothing")
    latency.loop.setCurrentIndex(1)
    assert latency.rate.isHidden()
    assert latency.plan().rate_hz == 0
    latency.loop.setCurrentIndex(0)
    assert not latency.rate.isHidden()
    flash.every.setText("")
    flash.mode.setCurrentIndex(1)
    assert flash.every.isHidden()
    assert flash.plan().manual


def test_what_is_lost_is_said_and_marked() -> None:
    well = live_sentence(LiveLatency(0.5, Summary(count=9), 0, ()))
    assert not well.bad
    assert "lost" not in well.text
    badly = live_sentence(LiveLatency(0.5, Summary(count=9), 12_345, ()))
    assert badly.bad
    assert badly.text.endswith("12,345 lost")


def test_return_in_a_field_starts_the_test(qtbot: QtBot, sides: Sides) -> None:
    a = sides.a
    sides.sessions[0].set_locked(False)
    field = a.forms["latency"].duration
    field.setText("nonsense")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert a.start.text() == "Start"
    field.setText("1")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert a.start.text() == "Stop"
    qtbot.mouseClick(a.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: a.start.text() == "Start", timeout=WAIT_MS)


def test_a_test_whose_region_is_closed_says_so(qtbot: QtBot, sides: Sides) -> None:
    a = sides.a
    sides.sessions[0].set_locked(False)
    qtbot.mouseClick(a.start, Qt.MouseButton.LeftButton)
    a.set_session(sides.sessions[1])
    assert a.start.text() == "Start"
    assert "its region was closed" in a.status.text()


def test_nobody_is_listed_once_the_region_is_gone(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile
) -> None:
    path = shm_file(1 << 20)
    panels = Sides(qtbot, sessions, path)
    answering(qtbot, panels)
    path.unlink()
    path.touch()
    lane = panels.a.lane
    qtbot.waitUntil(lambda: "●" not in lane.peers.item(0).text(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bool(lane.where.text()), timeout=WAIT_MS)
    assert "lane at" not in lane.where.text()
    qtbot.waitUntil(lambda: not panels.b.lane.answer.isChecked(), timeout=WAIT_MS)
    for panel in panels.panels:
        panel.set_session(None)


def test_in_a_read_only_region_it_says_why_nothing_can_start(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile
) -> None:
    spec = dataclasses.replace(spec_of(shm_file(1 << 20)), read_only=True)
    panel = MeasurePanel()
    qtbot.addWidget(panel)
    session = sessions.make(spec, EngineProcess)
    panel.set_session(session)
    session.start()
    qtbot.waitUntil(lambda: "read-only" in panel.status.text(), timeout=WAIT_MS)
    assert not panel.start.isEnabled()
    assert not panel.lane.answer.isEnabled()
    panel.set_session(None)
    assert "Open a region" in panel.status.text()


def test_a_master_that_is_gone_measures_nobody() -> None:
    card = PeerCard(7, name="vm", system="host")
    seat = SlotView(0, card, Life.ALIVE, card, Life.ALIVE, ours=False)
    assert "measured by" in slot_text(seat)
    assert "measured by" not in slot_text(dataclasses.replace(seat, initiator_life=Life.GONE))


def test_a_refused_answer_does_not_call_a_running_test_over(qtbot: QtBot, sides: Sides) -> None:
    answering(qtbot, sides)
    a = sides.a
    a.forms["latency"].duration.setText("1.5")
    a.forms["latency"].wait.setCurrentIndex(a.forms["latency"].wait.findData(Wait.POLL))
    qtbot.mouseClick(a.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: a.progress.maximum() > 0, timeout=WAIT_MS)
    a.lane.offset.setText("0x1001")  # where no lane can lie
    qtbot.mouseClick(a.lane.answer, Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
    assert not a.lane.answer.isChecked()
    assert a.start.text() == "Stop", "it goes on"
    assert not a.choice.isEnabled()
    qtbot.waitUntil(lambda: len(a.runs.model.runs) == 1, timeout=WAIT_MS)
    assert a.runs.model.runs[0].result.complete
    assert a.start.text() == "Start"


def test_looks_do_not_pile_up_at_an_engine_that_is_busy(qtbot: QtBot, sides: Sides) -> None:
    a, session = sides.a, sides.sessions[0]
    qtbot.waitUntil(lambda: not a.lane._asking, timeout=WAIT_MS)
    client = session._client
    assert isinstance(client, EngineProcess)
    asked: list[object] = []
    ask = client.ask

    def noting(command: msg.Command) -> int:
        asked.append(command)
        return ask(command)

    client.ask = noting  # type: ignore[method-assign]
    assert client.pid
    os.kill(client.pid, signal.SIGSTOP)
    try:
        for place in ("0x1000", "0x2000", "0x3000"):
            a.lane.offset.setText(place)
            a.lane.poll()
        looks = [command for command in asked if isinstance(command, dm.PollLane)]
        assert [look.wanted.offset for look in looks] == [0x1000]
    finally:
        os.kill(client.pid, signal.SIGCONT)
    qtbot.waitUntil(lambda: asked[-1] == dm.PollLane(dm.LaneRequest(0x3000)), timeout=WAIT_MS)
    looks = [command for command in asked if isinstance(command, dm.PollLane)]
    assert dm.PollLane(dm.LaneRequest(0x2000)) not in looks
