"""Finished tests in the table and in the charts: names, comparison, what has no column, gaps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QLineEdit, QMenu, QToolTip
from pytestqt.qtbot import QtBot

from app.core.measure.histogram import Histogram
from app.ui.measure.charts.axes import time_ticks
from app.ui.measure.charts.chart_tabs import ChartTabs
from app.ui.measure.charts.charts import PercentileChart, RateChart, SeriesChart
from app.ui.measure.runs.run_model import swatch
from app.ui.measure.runs.run_table import RunTable
from app.ui.measure.runs.runs import Run, comparison, headline, time_figures
from app.ui.style.theme import DARK
from tests.ui.helpers import pixels


def latency_run(number: int, factor: int = 1, lost: int = 0) -> Run:
    histogram = Histogram()
    histogram.record(np.arange(1_000, 11_000, dtype=np.int64) * factor)
    return Run(
        number,
        "latency",
        f"{1000 * number}/s, 8 B, poll",
        None,
        time_figures(histogram, lost),
        ("With a peer",),
        histogram,
        np.arange(3.0),
        np.array([5e3, 0.0, 7e3]),
    )


def sweep_run(number: int, rates: list[float]) -> Run:
    sizes = np.array([64.0, 4096.0])[: len(rates)]
    return Run(number, "transfer", "to peer", None, {}, sizes=sizes, rates=np.array(rates))


@pytest.fixture
def table(qtbot: QtBot) -> RunTable:
    made = RunTable()
    qtbot.addWidget(made)
    made.set_theme(DARK)
    made.resize(700, 240)
    made.show()
    for number in (1, 2, 3):
        made.add(latency_run(number, number))
    return made


def test_a_run_is_renamed_in_place_and_keeps_its_number(qtbot: QtBot, table: RunTable) -> None:
    table.table.setFocus()
    qtbot.keyClick(table.table, Qt.Key.Key_F2)
    editor = table.table.findChild(QLineEdit)
    assert isinstance(editor, QLineEdit)
    assert editor.text() == "3000/s, 8 B, poll"
    editor.selectAll()
    qtbot.keyClicks(editor, "  with hugepages ")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: table.model.runs[0].name == "3  with hugepages")
    assert not table.model.setData(table.model.index(0, 0), "  "), "no run without a name"
    table.set_kind("transfer")
    table.set_kind("latency")
    assert table.model.runs[0].title == "with hugepages"


def test_delete_forgets_one_run_and_the_next_becomes_current(qtbot: QtBot, table: RunTable) -> None:
    told: list[str] = []
    table.reported.connect(told.append)
    table.table.setCurrentIndex(table.model.index(1, 0))
    with qtbot.waitSignal(table.changed):
        table.remove()
    assert [run.number for run in table.model.runs] == [3, 1]
    assert told == ["Removed run 2."]
    current = table.current()
    assert current is not None
    assert current.number == 1
    for _ in range(3):
        table.remove()
    assert table.current() is None
    assert not table.save.isEnabled()
    assert table.detail.toPlainText() == ""


def test_the_menu_offers_what_can_be_done_with_a_run(qtbot: QtBot, table: RunTable) -> None:
    at = table.table.visualRect(table.model.index(0, 0)).center()
    table.table.customContextMenuRequested.emit(at)
    menu = table.findChild(QMenu)
    assert isinstance(menu, QMenu)
    words = [action.text() for action in menu.actions() if not action.isSeparator()]
    assert words == ["Rename", "Copy figures", "Save run…", "Remove"]
    menu.actions()[1].trigger()
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith("run\t3  3000/s, 8 B, poll\np50\t")
    menu.close()
    table.table.customContextMenuRequested.emit(QPoint(5, table.table.height() - 2))
    assert not [m for m in table.findChildren(QMenu) if m.isVisible()], "nothing beside the runs"


def test_a_run_is_compared_with_the_oldest_that_is_shown(table: RunTable) -> None:
    assert table.detail.toPlainText().startswith("Against run 1: p50 +200 %")
    table.model.setData(
        table.model.index(2, 0), Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole
    )
    assert table.detail.toPlainText().startswith("Against run 2: p50 +50 %")
    assert (
        comparison(sweep_run(5, [1e9, 3e9]), sweep_run(4, [2e9])) == "Against run 4: at 64 B −50 %"
    )
    assert comparison(sweep_run(5, [4e10]), sweep_run(4, [2e9])) == "Against run 4: at 64 B × 20"
    assert comparison(sweep_run(5, []), sweep_run(4, [2e9])) == ""


def test_what_has_no_column_stands_in_the_text_below(qtbot: QtBot, table: RunTable) -> None:
    table.resize(300, 240)
    qtbot.waitUntil(lambda: "count 10,000" in table.detail.toPlainText())
    table.resize(1200, 240)
    qtbot.waitUntil(lambda: "count" not in table.detail.toPlainText())


def test_columns_are_as_wide_as_their_figures(table: RunTable) -> None:
    table.add(latency_run(4, lost=979_242))
    header = table.table.horizontalHeader()
    columns = [table.model.headerData(n, Qt.Orientation.Horizontal) for n in range(7)]
    width = header.sectionSize(columns.index("lost"))
    assert width >= table.table.fontMetrics().horizontalAdvance("979,242")
    assert "979,242 lost" in headline(table.model.runs[0])


def test_swatches_show_colour_and_style(qtbot: QtBot) -> None:
    pictures = [swatch(DARK, color).toImage() for color in range(12)]
    looks = {pixels(p.convertToFormat(QImage.Format.Format_RGB32)).tobytes() for p in pictures}
    assert len(looks) == 12


def test_where_nothing_was_answered_the_series_has_a_gap(qtbot: QtBot) -> None:
    chart = SeriesChart()
    qtbot.addWidget(chart)
    chart.set_theme(DARK)
    run = latency_run(1)
    chart.show_traces((chart.trace(run.name, run.seconds, run.times_ns, run.color),))
    low, high = chart.getViewBox().viewRange()[1]
    assert 3 < low < high < 4.5, "no time of 1 ns is drawn for what had no answer"
    assert "5.00 µs at 0.0 s" in chart.readout(0.9), "and none is read there"
    chart.show_traces((chart.trace("silent", np.arange(2.0), np.zeros(2), 0),))
    assert not chart.empty.isHidden()
    assert chart.readout(0.5) == ""


def test_the_pointer_reads_every_curve(qtbot: QtBot) -> None:
    chart = PercentileChart()
    qtbot.addWidget(chart)
    chart.resize(400, 200)
    chart.set_theme(DARK)
    runs = [latency_run(1), latency_run(2, 2)]
    chart.show_traces(tuple(chart.trace(r.name, r.histogram, r.color) for r in runs if r.histogram))
    chart.show()
    lines = chart.readout(2.0).split("\n")
    assert lines[0].startswith("1  1000/s, 8 B, poll:  99")
    assert len(lines) == 2
    for x in (200, 210):
        qtbot.mouseMove(chart.viewport(), QPoint(x, 80))
    qtbot.waitUntil(lambda: "1000/s" in QToolTip.text())


def test_one_size_alone_stands_in_the_middle_with_its_name(qtbot: QtBot) -> None:
    chart = RateChart()
    qtbot.addWidget(chart)
    chart.set_theme(DARK)
    chart.show_traces((chart.trace("1  one", np.array([65536.0]), np.array([1e9]), 0),))
    low, high = chart.getViewBox().viewRange()[0]
    assert low < 15.5
    assert high > 16.5
    assert chart.readout(0) == "1  one:  1.00 GB/s at 64 KiB"


def test_reads_writes_and_copies_are_three_curves(qtbot: QtBot) -> None:
    tabs = ChartTabs()
    qtbot.addWidget(tabs)
    tabs.set_theme(DARK)
    tabs.show_kind("bandwidth")
    one = np.array([1e9])
    run = Run(
        1,
        "bandwidth",
        "file",
        None,
        {},
        sizes=np.array([64.0]),
        rates=one,
        marked={"t1": 2 * one, "s": 3 * one},
    )
    tabs.show_runs([run])
    assert len(tabs.rates.plotItem.listDataItems()) == 3
    assert "read" in tabs.tabText(3)
    assert "1  file, write:  2.00 GB/s" in tabs.rates.readout(6)


@given(st.floats(0, 10), st.floats(0.05, 10), st.floats(2.5, 40))
def test_time_axes_have_ticks_that_fit(low: float, span: float, fit: float) -> None:
    high = low + span
    ticks = sorted(at for _, level in time_ticks(low, high, fit) for at in level)
    assert ticks
    assert all(low - 1e-9 <= at <= high + 1e-9 for at in ticks)
    assert len(ticks) <= max(math.ceil(fit) + 2, 4)
