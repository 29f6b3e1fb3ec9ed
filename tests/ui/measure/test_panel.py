"""The Measure view on real memory: two panels on two engine processes, as two windows have them."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.core.engine.measuring.measurement_messages import Respond, ResponderChanged
from app.core.engine.process import EngineProcess
from app.core.measure.flash.flash import Flip, Painted, Surface
from app.core.measure.histogram import Histogram
from app.core.native.kernel import Wait
from app.core.values.units import format_time
from app.ui.measure.charts.charts import HistogramChart, PercentileChart
from app.ui.measure.flash.flash_patch import FlashPatch
from app.ui.measure.lazy_panel import LazyMeasurePanel
from app.ui.measure.panel import MeasurePanel
from app.ui.measure.runs.run_model import COLUMNS
from app.ui.measure.runs.run_table import RunTable
from app.ui.session.notice import Notice
from app.ui.style.theme import DARK, LIGHT
from tests.ui.helpers import Sessions, ShmFile, pixels, spec_of
from tests.ui.measure.measuring import WAIT_MS, Sides, answering


def test_latency_and_flash_from_the_window(qtbot: QtBot, sides: Sides, tmp_path: Path) -> None:
    answering(qtbot, sides)
    a, b = sides.a, sides.b
    assert "Linux" in a.lane.peers.item(0).text()
    form = a.forms["latency"]
    form.duration.setText("1.5")
    form.rate.setText("500")
    qtbot.mouseClick(a.start, Qt.MouseButton.LeftButton)
    assert a.start.text() == "Stop"
    qtbot.waitUntil(lambda: bool(a.charts.series.plotItem.listDataItems()), timeout=WAIT_MS)
    assert not a.runs.model.runs, "it is drawn while it runs"
    qtbot.waitUntil(lambda: len(a.runs.model.runs) == 1, timeout=WAIT_MS)
    run = a.runs.model.runs[0]
    assert run.kind == "latency"
    assert run.figures["p50"].split()[1] in ("ns", "µs", "ms")
    assert any("floor" in line for line in run.lines)
    assert any("One way" in line for line in run.lines)
    assert len(a.charts.percentiles.plotItem.listDataItems()) == 1
    assert a.charts.currentWidget() is a.charts.percentiles
    blank = pixels(a.charts.percentiles.grab().toImage()).copy()
    a.runs.table.model().setData(
        a.runs.model.index(0, 0), Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole
    )
    assert not a.charts.percentiles.plotItem.listDataItems()
    assert (pixels(a.charts.percentiles.grab().toImage()) != blank).any()
    for suffix in ("json", "csv", "hlog"):
        a.runs.save_to(tmp_path / f"run.{suffix}")
        assert (tmp_path / f"run.{suffix}").stat().st_size > 100
    assert json.loads((tmp_path / "run.json").read_text())["kind"] == "latency"
    a.runs.save_to(tmp_path / "no" / "such" / "run.json")
    assert "could not be written" in a.status.text()

    a.show_test("flash")
    form = a.forms["flash"]
    form.flips.setText("4")
    form.every.setText("0.1")
    seen: list[Painted] = []
    b.charts.patch.painted.connect(seen.append)
    qtbot.mouseClick(a.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(a.runs.model.runs) == 1, timeout=WAIT_MS)
    flash = a.runs.model.runs[0].result
    assert len(flash.samples) + flash.lost == 4
    assert len(flash.samples) >= 3
    assert len(seen) >= len(flash.samples)
    assert b.charts.currentWidget() is b.charts.patch
    qtbot.waitUntil(lambda: b.charts.patch.flip is None, timeout=WAIT_MS)
    assert a.charts.patch.flip is None
    before = b.status.text()
    qtbot.keyClick(b.charts.patch, Qt.Key.Key_Space)
    assert b.status.text() == before, "a key after the test is no reaction"
    a.runs.save_to(tmp_path / "flash.csv")
    assert "cannot be saved as .csv" in a.status.text()
    a.show_test("latency")
    assert [run.kind for run in a.runs.model.runs] == ["latency"]
    a.show_test("bandwidth")
    assert not a.runs.model.runs
    a.forms["bandwidth"].blocks.setText("4 KiB, 8 KiB")
    qtbot.mouseClick(a.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(a.runs.model.runs) == 1, timeout=WAIT_MS)
    for name in ("read", "write", "copy"):
        assert "B/s" in a.runs.model.runs[0].figures[name]
    assert a.charts.rates.empty.isHidden()
    assert a.charts.rates.plotItem.listDataItems()
    a.show_test("transfer")
    a.forms["transfer"].sizes.setText("4 KiB, 8 KiB")
    a.forms["transfer"].duration.setText("0.2")
    qtbot.mouseClick(a.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(a.runs.model.runs) == 1, timeout=WAIT_MS)
    assert a.runs.model.runs[0].figures["bad"] == "0"
    assert len(a.runs.model.runs[0].sizes) == 2
    with qtbot.waitSignal(sides.sessions[1].unasked, timeout=WAIT_MS):
        b.lane.answer.setChecked(False)
    qtbot.waitUntil(lambda: "as they were" in b.lane.state.text(), timeout=WAIT_MS)


def test_locked_it_says_so_and_offers_to_unlock(qtbot: QtBot, sides: Sides) -> None:
    notices: list[Notice] = []
    sides.a.notice.connect(notices.append)
    qtbot.mouseClick(sides.a.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(notices), timeout=WAIT_MS)
    assert "locked" in notices[0].text
    assert notices[0].actions == ("Unlock",)
    assert sides.a.charts.currentWidget() is sides.a.charts.percentiles
    assert sides.a.start.text() == "Start"
    sides.b.lane.answer.setChecked(True)
    qtbot.waitUntil(lambda: not sides.b.lane.answer.isChecked(), timeout=WAIT_MS)
    assert "locked" in sides.b.status.text()


def test_stopping_before_a_peer_came(qtbot: QtBot, sides: Sides) -> None:
    sides.sessions[0].set_locked(False)
    qtbot.mouseClick(sides.a.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Nobody answers" in sides.a.status.text(), timeout=WAIT_MS)
    qtbot.mouseClick(sides.a.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: sides.a.start.text() == "Start", timeout=WAIT_MS)
    assert not sides.a.runs.model.runs


def test_fields_that_make_no_sense_are_said_in_place(qtbot: QtBot, sides: Sides) -> None:
    form = sides.a.forms["latency"]
    for text in ("", "fast", "-1", "2e9"):
        form.rate.setText(text)
        assert not sides.a.start.isEnabled()
        assert sides.a.status.text()
    form.rate.setText("1000")
    assert sides.a.start.isEnabled()
    sides.a.lane.offset.setText("0x123")
    sides.sessions[0].set_locked(False)
    qtbot.mouseClick(sides.a.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: sides.a.start.text() == "Start", timeout=WAIT_MS)
    assert "0x" in sides.a.status.text()
    form.wait.setCurrentIndex(form.wait.findData(Wait.SPIN))
    assert form.plan().wait is Wait.SPIN


def test_a_doorbell_that_is_not_there_is_said_in_place(qtbot: QtBot, sides: Sides) -> None:
    form = sides.a.forms["latency"]
    form.wait.setCurrentIndex(form.wait.findData(Wait.BELL))
    sides.sessions[0].set_locked(False)
    qtbot.mouseClick(sides.a.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "no doorbell" in sides.a.status.text(), timeout=WAIT_MS)
    assert "poll" in sides.a.status.text()
    assert sides.a.start.text() == "Start"
    assert not sides.a.runs.model.runs


def test_without_a_region_it_teaches(qtbot: QtBot) -> None:
    panel = MeasurePanel()
    qtbot.addWidget(panel)
    assert not panel.start.isEnabled()
    assert "Open a region" in panel.status.text()
    assert "Open this region on the other side" in panel.lane.peers.item(0).text()
    assert panel.lane.copy.isHidden()
    assert not panel.charts.percentiles.empty.isHidden()


def test_while_nobody_answers_the_command_for_the_other_side_can_be_copied(
    qtbot: QtBot, sides: Sides
) -> None:
    lane = sides.a.lane
    assert lane.copy.isVisible()
    qtbot.mouseClick(lane.copy, Qt.MouseButton.LeftButton)
    wanted = f"ivshmem-scope respond {sides.sessions[0].spec.location}"
    assert QGuiApplication.clipboard().text() == wanted
    answering(qtbot, sides)
    assert not lane.copy.isVisible()


@pytest.mark.parametrize("kind", list(COLUMNS))
def test_every_column_says_what_it_is(qtbot: QtBot, kind: str) -> None:
    table = RunTable()
    qtbot.addWidget(table)
    table.set_kind(kind)
    for column in range(table.model.columnCount()):
        tip = table.model.headerData(column, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
        assert len(tip) > 10


def test_the_patch_answers_once_for_each_flash_and_only_for_a_peers(qtbot: QtBot) -> None:
    patch = FlashPatch()
    qtbot.addWidget(patch)
    patch.resize(300, 200)
    patch.show()
    qtbot.waitExposed(patch)
    got: list[Painted] = []
    patch.painted.connect(got.append)
    with qtbot.waitSignal(patch.painted, timeout=WAIT_MS):
        patch.show_flip(Flip(7, 1, ours=False))
    patch.repaint()
    with qtbot.waitSignal(patch.painted, timeout=WAIT_MS):
        patch.show_flip(Flip(8, 1, ours=False))
    patch.show_flip(Flip(9, 1, ours=True))
    patch.repaint()
    with qtbot.waitSignal(patch.painted, timeout=WAIT_MS):
        patch.show_flip(Flip(10, 1, ours=False, surface=Surface.PATCH))
    assert [painted.number for painted in got] == [7, 8, 10]
    assert got[0].painted_ns < got[1].painted_ns
    dark = pixels(patch.grab().toImage())[5, 150]
    patch.show_flip(Flip(11, 1, ours=False))
    bright = pixels(patch.grab().toImage())[5, 150]
    assert int(dark[0]) < 30
    assert int(bright[0]) > 220
    pressed: list[tuple[int, int]] = []
    patch.pressed.connect(lambda number, ns: pressed.append((number, ns)))
    qtbot.keyClick(patch, Qt.Key.Key_Space)
    qtbot.mouseClick(patch, Qt.MouseButton.LeftButton)
    assert [number for number, _ in pressed] == [11, 11]


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_charts_draw_every_shape_of_histogram(qtbot: QtBot, theme: object) -> None:
    empty, one, wide = Histogram(), Histogram(), Histogram()
    one.record(np.array([1000]))
    wide.record(np.array([1, 10, 10**3, 10**6, 10**9, 10**12]))
    for chart in (PercentileChart(), HistogramChart()):
        qtbot.addWidget(chart)
        chart.set_theme(theme)
        chart.resize(400, 200)
        chart.show()
        for histograms in ((), (empty,), (one,), (empty, wide, one)):
            chart.show_traces(tuple(chart.trace(str(n), h, n) for n, h in enumerate(histograms)))
            assert not chart.grab().isNull()


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (1234, "1.23 µs"),
        (12_345, "12.3 µs"),
        (123_456, "123 µs"),
        (16_666_667, "16.7 ms"),
        (2_000_000_000, "2.00 s"),
    ],
)
def test_times_have_three_digits_and_a_unit(time_ns: int, text: str) -> None:
    assert format_time(time_ns) == text


def test_what_a_crashed_test_owes_is_offered_and_put_back(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile
) -> None:
    path = shm_file(1 << 20, fill=b"mine ")
    before = path.read_bytes()
    crashed = sessions.open(path, EngineProcess)
    crashed.set_locked(False)
    with qtbot.waitSignal(crashed.unasked, timeout=WAIT_MS, check_params_cb=_seated):
        crashed.ask(Respond(on=True))
    engine = crashed._client
    assert isinstance(engine, EngineProcess)
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: crashed.lost, timeout=WAIT_MS)
    tab = LazyMeasurePanel()
    qtbot.addWidget(tab)
    notices: list[Notice] = []
    tab.notice.connect(notices.append)
    session = sessions.make(spec_of(path), EngineProcess)
    tab.set_session(session)
    session.start()
    qtbot.waitUntil(lambda: bool(notices), timeout=WAIT_MS)
    assert notices[0].actions == ("Put back",)
    tab.restore_offer.act("Put back")
    qtbot.waitUntil(lambda: len(notices) == 2, timeout=WAIT_MS)
    assert "locked" in notices[1].text
    assert notices[1].actions == ("Unlock", "Put back"), "it can be tried again"
    session.set_locked(False)
    tab.restore_offer.act("Put back")
    qtbot.waitUntil(lambda: len(notices) == 3, timeout=WAIT_MS)
    assert "as they were before" in notices[2].text
    assert path.read_bytes() == before
    assert not tab.built
    tab.set_session(None)


def _seated(answer: object) -> bool:
    return isinstance(answer, ResponderChanged) and answer.state.slot >= 0
