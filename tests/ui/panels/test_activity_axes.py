"""Time and addresses in the activity panel: what an axis says is where things are."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.core.watch.frame import Activity, Frame, Traffic
from app.core.watch.timing import WINDOW_NS, Meter, Reading
from app.ui.hex.decorations.decorations import Decoration, Decorations, Depth, Tint
from app.ui.hex.minimap import Minimap, strip
from app.ui.hex.page_rate import rate_text
from app.ui.panels.activity import words
from app.ui.panels.activity.address_view import AddressView
from app.ui.panels.activity.heat_history import HeatHistory
from app.ui.panels.activity.maps import tiling
from app.ui.panels.activity.panel import ActivityPanel
from app.ui.panels.activity.sample_buffer import Ring, thin
from app.ui.panels.activity.time_view import TimeView, age_text, time_ticks
from app.ui.style.theme import DARK
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile, pixels, show
from tests.ui.hex.frames import frame_of, sampled

PAGE = 4096
S = 1_000_000_000
START = 1000 * S
ALL = (0.0, 1.0)


class Peer:
    """A region of `cells` pages, of which one changes while the peer is `busy`."""

    def __init__(self, cells: int, page: int, rate: float = 50.0) -> None:
        self.cells, self.page, self.rate = cells, page, rate
        self.busy, self.number = True, 0
        self.changed = np.zeros(cells, np.int64)

    def activity(self, now: int) -> Activity:
        self.number += 1
        if self.busy:
            self.changed[self.page] = now
        rate = np.zeros(self.cells, np.float32)
        age = (now - int(self.changed[self.page])) / S
        rate[self.page] = self.rate * np.exp(-age) if self.changed[self.page] else 0
        return Activity(
            number=self.number,
            time_ns=now,
            region_size=self.cells * PAGE,
            cell_bytes=PAGE,
            rate=rate,
            saturated=np.zeros(self.cells, np.bool_),
            changed_ns=self.changed.copy(),
            seen_ns=np.full(self.cells, now, np.int64),
            allocated=np.ones(self.cells, np.bool_),
            sweep_ns=1,
            exact=True,
        )


def frame_at(now: int, activity: Activity, hz: float = 60, observed: float = 0.0) -> Frame:
    traffic = Traffic(over_ns=WINDOW_NS, observed_bytes_per_s=observed)
    frame = sampled(frame_of(b"\0" * 64), time_ns=now)
    period = round(S / hz)
    return dataclasses.replace(frame, activity=activity, traffic=traffic, period_ns=period)


def watch(history: HeatHistory, peer: Peer, hz: int, start: int, seconds: float) -> int:
    """Ticks at a rate, an Activity at most each 100 ms, as the sampler makes them; the end."""
    due, now = 0, start
    for tick in range(int(seconds * hz) + 1):
        now = start + tick * S // hz
        if now >= due:
            due = now + S // 10
            history.add(peer.activity(now), S // hz)
    return now


# -- the waterfall's time --------------------------------------------------------------------------


@pytest.mark.parametrize("hz", [1, 5, 60, 240])
@pytest.mark.parametrize("span", [10, 60, 300])
def test_a_span_covers_its_time_at_every_rate(hz: int, span: int) -> None:
    history, peer = HeatHistory(), Peer(64, 32)
    end = watch(history, peer, hz, START, span + 20)
    rows = 200
    picture, known = history.picture(end, span * S / rows, rows, ALL, 64)
    assert known.all()
    assert (picture[:, 32] > 0).all()
    assert np.count_nonzero(picture) == rows
    _, before = history.picture(START, span * S / rows, rows, ALL, 64)
    assert not before.any(), "nobody looked before"


@pytest.mark.parametrize("hz", [1, 5, 60, 240])
def test_five_minutes_are_kept_and_no_more_than_have_room(hz: int) -> None:
    history, peer = HeatHistory(), Peer(8, 1)
    end = watch(history, peer, hz, START, 1500)
    _, known = history.picture(end, S, 300, ALL, 8)
    assert known.all()


@pytest.mark.parametrize("hz", [1, 5, 60, 240])
def test_a_pause_is_a_gap_and_as_long_as_it_was(hz: int) -> None:
    history, peer = HeatHistory(), Peer(8, 1)
    stopped = watch(history, peer, hz, START, 6)
    history.interrupt()
    end = watch(history, peer, hz, stopped + 4 * S, 6)
    picture, known = history.picture(end, S / 10, 160, ALL, 8)
    times = end - np.arange(160) * S // 10  # where each slot ends
    gap = times[~known]
    look = max(S // hz, S // 10)
    assert abs(int(gap.min()) - stopped) <= 2 * look
    # What the first look afterwards finds may have come at any time of the pause.
    assert abs(int(gap.max()) - (stopped + 4 * S)) <= 2 * look
    assert not picture[~known].any()


def test_an_engine_that_stopped_without_a_word_is_a_gap_too() -> None:
    history, peer = HeatHistory(), Peer(8, 1)
    stopped = watch(history, peer, 60, START, 5)
    end = watch(history, peer, 60, stopped + 3 * S, 2)
    _, known = history.picture(end, S / 10, 50, ALL, 8)
    assert abs(np.count_nonzero(~known) - 30) <= 3


@pytest.mark.parametrize("hz", [1, 5, 60, 240])
def test_a_peer_that_stopped_is_dark_from_then_on_and_not_a_fade(hz: int) -> None:
    history, peer = HeatHistory(), Peer(8, 1)
    stopped = watch(history, peer, hz, START, 5)
    peer.busy = False
    resumed = watch(history, peer, hz, stopped, 4)
    peer.busy = True
    end = watch(history, peer, hz, resumed, 3)
    picture, known = history.picture(end, S / 10, 120, ALL, 8)
    assert known.all(), "it was looked at all the time"
    times = end - np.arange(120) * S // 10
    dark = times[picture[:, 1] == 0]
    look = max(S // hz, S // 10)
    assert abs(int(dark.min()) - stopped) <= 2 * look
    assert abs(int(dark.max()) - resumed) <= 2 * look


def test_a_page_that_was_not_looked_at_keeps_what_was_seen() -> None:
    """A long sweep looks at a page each two seconds; it changes all the time."""
    history, peer = HeatHistory(), Peer(8, 1)
    for tick in range(100):
        now = START + tick * S // 10
        seen = START + tick // 20 * 2 * S
        activity = peer.activity(now)
        changed = np.where(activity.changed_ns, seen, 0)
        looks = np.full(8, seen, np.int64)
        history.add(dataclasses.replace(activity, changed_ns=changed, seen_ns=looks), S // 60)
    picture, _ = history.picture(now, S / 10, 90, ALL, 8)
    assert (picture[:, 1] > 0).all()


# -- the graphs' time ------------------------------------------------------------------------------


def test_a_gap_is_no_line_and_thinning_keeps_it() -> None:
    ring = Ring(6000, 1)
    for number in range(1000):
        ring.append(number * 0.05, (1.0,))
    ring.interrupt()
    for number in range(1000):
        ring.append(100 + number * 0.05, (2.0,))
    times, values = ring.since(0)
    gap = np.flatnonzero(np.isnan(values))
    assert times[gap].tolist() == [999 * 0.05]
    x, y = thin(times, values, 100)
    assert len(x) <= 203
    broken = np.flatnonzero(np.isnan(y))
    assert len(broken) == 1
    assert y[: broken[0]].max() == 1
    assert y[broken[0] + 1 :].min() == 2, "no line leads from one to the other"
    assert ring.at(75, 0.5) is None
    assert ring.at(100.2, 0.5) == [2.0]


@pytest.mark.parametrize("over", [0, WINDOW_NS // 2])
def test_a_mean_that_is_not_one_yet_is_a_gap(qtbot: QtBot, over: int) -> None:
    """After a pause: neither a slope from what was before, nor a peak out of one burst."""
    panel = ActivityPanel()
    qtbot.addWidget(panel)
    peer = Peer(8, 1)
    for tick in range(20):
        panel.set_frame(frame_at(START + tick * S // 10, peer.activity(START), observed=100))
    panel.set_frame(dataclasses.replace(frame_at(START + 2 * S, peer.activity(START)), paused=True))
    later = START + 5 * S
    unsettled = frame_at(later, peer.activity(later), observed=200)
    traffic = dataclasses.replace(unsettled.traffic, over_ns=over)
    panel.set_frame(dataclasses.replace(unsettled, traffic=traffic))
    panel.set_frame(frame_at(later + S // 10, peer.activity(later), observed=100))
    times, observed = panel._ring.since(0)[:2]
    assert np.nanmax(observed) == 100
    assert np.isnan(observed[20]), "a gap where the pause began"
    assert np.isnan(observed[21])
    assert times[20] == pytest.approx((START + 1.9 * S) / S)


def test_a_figure_of_bursts_at_10_hz_stands_still() -> None:
    """Looks 60 times a second, late by up to 3 ms; 1000 bytes 10 times a second."""
    random = np.random.default_rng(3)
    meter, ring = Meter(), Ring(6000, 1)
    figures, sampled_ns, total, next_burst = [], 0, 0, 0.0
    for tick in range(60 * 20):
        now = round(tick * S / 60 + random.uniform(0, 3e6))
        while next_burst * S <= now:
            total, next_burst = total + 1000, next_burst + 0.1 + random.uniform(-5e-5, 5e-5)
        meter.begins(now, S // 60)
        traffic = meter.add(Reading(now, total, 0, 0, 0))
        if now - sampled_ns >= S // 20 and traffic.over_ns >= WINDOW_NS:
            sampled_ns = now
            ring.append(now / S, (traffic.observed_bytes_per_s,))
        if tick % 15 == 0 and now > 4 * S:
            mean = ring.mean(now / S - words.MEAN_S)
            assert mean is not None
            figures.append(float(mean[0]))
    assert np.mean(figures) == pytest.approx(10_000, rel=0.02)
    assert np.abs(np.diff(figures)).max() < 0.03 * 10_000


# -- views -----------------------------------------------------------------------------------------


def test_time_zooms_around_what_is_under_the_mouse() -> None:
    view = TimeView(10)
    view.zoom(0.5, 4.0)
    assert (view.span_s, view.back_s) == (5, 2)
    assert (4.0 - view.back_s) / view.span_s == pytest.approx(0.4)
    view.pan(-5)
    assert view.back_s == 0, "there is no future"
    view.zoom(1000, 1)
    assert view.oldest_s == 300
    view.zoom(1e-9, 0)
    assert view.span_s == 1
    view.reset()
    assert (view.span_s, view.back_s) == (10, 0)


@pytest.mark.parametrize("size", [PAGE, 1 << 20, 64 << 20, (64 << 20) + 5, 3 << 30])
def test_addresses_zoom_to_round_places(size: int) -> None:
    view = AddressView()
    view.set_size(size)
    assert (view.start, view.end) == (0, size)
    place = size // 3
    for _ in range(40):
        view.zoom(1, place)
        assert view.start <= place < view.end
        assert view.start % PAGE == 0
        assert view.length <= size
    assert view.length <= 1 << 16
    view.pan(size)
    assert view.end == size
    view.zoom(-40, place)
    assert (view.start, view.end) == (0, size)


def test_ticks_are_round_and_have_room() -> None:
    assert time_ticks(0, 10, 6) == [0, 2, 4, 6, 8, 10]
    assert time_ticks(0, 300, 6) == [0, 60, 120, 180, 240, 300]
    assert time_ticks(2.2, 3.3, 6) == [2.2, 2.4, 2.6, 2.8, 3.0, 3.2]
    for fit in range(1, 12):
        assert len(time_ticks(0, 60, fit)) <= fit + 1
    assert [age_text(age) for age in (0, 2.5, 90, 120)] == ["now", "-2.5 s", "-90 s", "-2 min"]


@pytest.mark.parametrize("count", [1, 3, 256, 5000, 16384])
@pytest.mark.parametrize("size", [(80, 48), (270, 100), (560, 240), (1600, 700)])
def test_no_tile_is_too_small_and_every_cell_has_one(count: int, size: tuple[int, int]) -> None:
    cells, columns, rows = tiling(count, *size)
    assert cells * columns * rows >= count
    assert size[0] / columns >= 4
    assert size[1] / rows >= 4


# -- in the panel ----------------------------------------------------------------------------------


@pytest.fixture
def panel(qtbot: QtBot) -> ActivityPanel:
    made = ActivityPanel()
    made.set_theme(DARK)
    made.build()
    show(qtbot, made, 1280, 220)
    made._timer.stop()  # the turns are the test's
    return made


def run(panel: ActivityPanel, peer: Peer, seconds: float, start: int = START) -> int:
    now = start
    for tick in range(int(seconds * 20) + 1):
        now = start + tick * S // 20
        panel.set_frame(frame_at(now, peer.activity(now), observed=1000))
    panel.draw()
    return now


def test_a_region_that_was_cut_and_opened_again_is_drawn(panel: ActivityPanel) -> None:
    """In one session: nothing is cleared in between, and rows that were drawn are of another width."""
    end = run(panel, Peer(16, 3), 2)
    panel.set_frame(frame_at(end + S, Peer(2, 1).activity(end + S)))
    panel.draw()
    smaller = Peer(2, 1)
    smaller.number = 100
    run(panel, smaller, 0.2, end + S + S // 20)
    assert panel.water._picture.shape[1] == 2
    assert panel.water.known.any()


def wheel(widget: QWidget, at: QPoint, notches: int, *, ctrl: bool = False) -> None:
    keys = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
    place = QPointF(at)
    turn = QPoint(0, 120 * notches)
    no = Qt.MouseButton.NoButton
    phase = Qt.ScrollPhase.NoScrollPhase
    where = QPointF(widget.mapToGlobal(at))
    event = QWheelEvent(place, where, QPoint(), turn, no, keys, phase, False)
    QApplication.sendEvent(widget, event)


def lit(image: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """The bright pixels: far from the colour of what is quiet."""
    return np.abs(image[..., :3].astype(int) - ground[:3]).sum(axis=2) > 200


@pytest.mark.parametrize("size", [(900, 200), (1280, 220), (1280, 480), (3840, 1400)])
def test_one_busy_page_in_64_mib_is_seen(panel: ActivityPanel, size: tuple[int, int]) -> None:
    panel.resize(*size)
    page = 10_833
    run(panel, Peer(16_384, page), 3)
    for part in (panel.heat, panel.water):
        image, plot = pixels(part), part.plot
        inner = image[plot.top() + 1 : plot.bottom(), plot.left() + 1 : plot.right()]
        rows, columns = np.nonzero(lit(inner, inner[2, 2]))
        assert np.ptp(columns) + 1 >= 4, type(part).__name__
        assert np.ptp(rows) + 1 >= 4, type(part).__name__
        middle = QPointF(plot.left() + 1 + columns.mean(), plot.top() + 1 + rows.mean())
        assert part.cell_at(middle) == page


def test_one_busy_page_is_four_pixels_on_the_minimap() -> None:
    peer = Peer(16_384, 10_833)
    busy = strip(peer.activity(START), 500, DARK, 4)
    peer.busy, peer.changed[:] = False, 0
    quiet = strip(peer.activity(START), 500, DARK, 4)
    rows = np.flatnonzero(busy != quiet)
    assert len(rows) == 4
    assert rows[0] <= 10_833 * 500 // 16_384 <= rows[-1]


@pytest.mark.parametrize("span", [10, 60])
def test_rows_that_are_kept_are_those_that_would_be_drawn(panel: ActivityPanel, span: int) -> None:
    """Drawn bit by bit, over a pause, a rest of the peer and a look into the past."""
    panel.time.set_home(span)
    peer, now = Peer(1000, 300), START
    for turn in range(40):
        peer.busy, peer.page = turn % 3 > 0, 300 + 10 * turn
        now = run(panel, peer, 0.15 + turn % 4 * 0.1, now + (3 * S if turn == 20 else S // 20))
        panel.time.pan(0.7 if turn == 25 else 0)
    water = panel.water
    picture, known = water._picture.copy(), water.known.copy()
    assert known.any()
    assert not known.all()
    water._drawn = None
    water.refresh()
    assert (known == water.known).all()
    assert (picture == water._picture).all()


def test_the_wheel_zooms_and_a_double_click_shows_all(qtbot: QtBot, panel: ActivityPanel) -> None:
    page = 10_833
    run(panel, Peer(16_384, page), 12)
    heat, left = panel.heat, Qt.MouseButton.LeftButton
    for _ in range(5):
        wheel(heat, heat.tile_rect(page * PAGE).center().toPoint(), 1)
    assert panel.address.length == (64 << 20) >> 5
    at = heat.tile_rect(page * PAGE).center()
    assert heat.plot.contains(at.toPoint())
    assert heat.cell_at(at) == page
    image = panel.water.image
    assert image is not None
    column = int((panel.water.x_of(page * PAGE) - panel.water.plot.x()) / 4)
    columns = [x for x in range(image.width()) if image.pixelIndex(x, 20)]
    assert columns, "the waterfall shows the same part"
    assert min(abs(x - column) for x in columns) <= 2
    qtbot.mouseDClick(heat, left, pos=at.toPoint())
    assert not panel.address.zoomed

    wheel(panel.water, panel.water.plot.center(), 2)
    assert panel.time.span_s == pytest.approx(5)
    assert panel.time.back_s == pytest.approx(2.5, abs=0.1)
    wheel(panel.water, panel.water.plot.center(), 1, ctrl=True)
    assert panel.address.length == 32 << 20
    panel.draw()
    plot = panel.changes._plot
    assert plot is not None
    low, high = plot.getViewBox().viewRange()[0]
    assert (low, high) == pytest.approx((-panel.time.oldest_s, -panel.time.back_s))
    qtbot.mouseDClick(plot.viewport(), left, pos=plot.viewport().rect().center())
    assert (panel.time.span_s, panel.time.back_s) == (10, 0)


def test_the_cursor_tells_time_value_and_gap(qtbot: QtBot, panel: ActivityPanel) -> None:
    peer = Peer(256, 100)
    stopped = run(panel, peer, 3)
    frame = panel._frame
    assert frame is not None
    panel.set_frame(dataclasses.replace(frame, paused=True))
    run(panel, peer, 4, stopped + 3 * S)
    plot, water = panel.changes._plot, panel.water
    assert plot is not None
    box = plot.getViewBox().sceneBoundingRect()
    x = {age: int(box.left() + (10 - age) / 10 * box.width()) for age in (2, 5.5)}
    qtbot.mouseMove(plot.viewport(), QPoint(x[2], int(box.center().y())))
    assert "observed 1.00 kB/s" in panel.hover.text() or "observed 1000 B/s" in panel.hover.text()
    assert "s ago (" in panel.hover.text()
    qtbot.mouseMove(plot.viewport(), QPoint(x[5.5], int(box.center().y())))
    assert "no data" in panel.hover.text()
    across = round(water.x_of(100 * PAGE + PAGE // 2))
    qtbot.mouseMove(water, QPoint(across, round(water.y_of(2))))
    assert "2.0 s ago" in panel.hover.text() or "1.9 s ago" in panel.hover.text()
    assert "about" in panel.hover.text()
    qtbot.mouseMove(water, QPoint(across, round(water.y_of(5.5))))
    assert "no data" in panel.hover.text()
    known = water.known
    hatched = [water.age_at(row + 0.5) for row in np.flatnonzero(~known)]
    between = [age for age in hatched if age < 8]
    assert min(between) == pytest.approx(4, abs=0.3)
    assert max(between) == pytest.approx(7, abs=0.3)


def test_ranges_are_marked_along_the_waterfalls_addresses(panel: ActivityPanel) -> None:
    """Where they lie, also in a part of the region; and they go with the range."""
    store, water = Decorations(), panel.water
    panel.set_decorations(store)
    run(panel, Peer(256, 100), 2)

    def row() -> npt.NDArray[np.uint8]:
        return pixels(water)[water.plot.bottom() - 1]

    layer = store.layer("lane", Depth.AREA)
    for zoomed in (False, True):
        if zoomed:
            panel.address.zoom(1, 200 * PAGE)
        plain = row()
        layer.replace([Decoration(192 * PAGE, 32 * PAGE, Tint.INDIGO, label="lane")])
        found = np.flatnonzero((row() != plain).any(axis=1)).tolist()
        assert found[0] == pytest.approx(water.x_of(192 * PAGE), abs=2)
        behind = min(224 * PAGE, panel.address.end)
        assert found[-1] == pytest.approx(water.x_of(behind), abs=2)
        layer.replace([])
        assert (row() == plain).all()


def test_hold_keeps_what_ever_changed(qtbot: QtBot, panel: ActivityPanel) -> None:
    peer = Peer(256, 100)
    now = run(panel, peer, 1)
    peer.busy = False
    now = run(panel, peer, 12, now)
    assert panel.heat._rates is None
    qtbot.mouseClick(panel.hold, Qt.MouseButton.LeftButton)
    assert "Hold" in panel.hold.text()
    now = run(panel, peer, 1, now)
    rates = panel.heat._rates
    assert rates is not None
    assert not rates.any(), "it changed before"
    peer.busy, peer.page = True, 200
    now = run(panel, peer, 1, now)
    peer.busy = False
    now = run(panel, peer, 30, now)
    rates = panel.heat._rates
    assert rates is not None
    assert np.flatnonzero(rates).tolist() == [200]
    assert rates[200] == pytest.approx(50)
    assert "Ever changed since" in panel.labels["heat"].text()
    qtbot.mouseMove(panel.heat, panel.heat.tile_rect(200 * PAGE).center().toPoint())
    assert "at most 50.0/s since" in panel.hover.text()
    qtbot.mouseClick(panel.hold, Qt.MouseButton.LeftButton)
    run(panel, peer, 1, now)
    assert panel.heat._rates is None


def test_undersampling_is_said_wherever_a_rate_is(qtbot: QtBot, panel: ActivityPanel) -> None:
    peer = Peer(256, 100, rate=59.4)
    activity = dataclasses.replace(peer.activity(START), saturated=np.arange(256) == 100)
    assert rate_text(activity, 100) == "≥ 59.4 changes/s"
    assert rate_text(activity, 101) == "0 changes/s"
    frame = frame_at(START, activity)
    panel.set_frame(frame)
    panel.draw()
    qtbot.mouseMove(panel.heat, panel.heat.tile_rect(100 * PAGE).center().toPoint())
    assert "≥ 59.4/s per page" in panel.hover.text()
    assert "sampled at 59.4/s" in panel.heat.toolTip()
    minimap = Minimap()
    qtbot.addWidget(minimap)
    minimap.resize(28, 512)
    minimap.set_region(256 * PAGE)
    minimap.set_frame(frame)
    tip = minimap.tip_at(QPointF(10, 201))
    assert "≥ 59.4 changes/s" in tip
    assert "sampled at 59.4/s" in tip
    assert "≥" not in minimap.tip_at(QPointF(10, 300))


# -- with an engine and a peer ---------------------------------------------------------------------

# Writes a page 50 times a second for 2.5 s, rests for 1 s, goes on; says when, by the same clock.
_PEER = """
import mmap, sys, time
file = open(sys.argv[1], "r+b")
view = mmap.mmap(file.fileno(), 0)
number = 0
def write(seconds):
    global number
    end = time.monotonic_ns() + seconds * 1e9
    while time.monotonic_ns() < end:
        number += 1
        view[0x80000:0x80008] = number.to_bytes(8, "little")
        time.sleep(0.02)
    return time.monotonic_ns()
write(0.5)
print(write(2.5), flush=True)
time.sleep(1)
print(time.monotonic_ns(), flush=True)
write(60)
"""


# Counts in a page, about a thousand times a second.
_BUSY_PEER = """
import mmap, sys, time
file = open(sys.argv[1], "r+b")
view = mmap.mmap(file.fileno(), 0)
print("ready", flush=True)
for number in range(1, 100_000):
    view[0x80000:0x80008] = number.to_bytes(8, "little")
    time.sleep(0.001)
"""


@pytest.fixture
def peer_of(shm_file: ShmFile) -> Iterator[Callable[[str], tuple[Path, subprocess.Popen[str]]]]:
    """Starts a peer on a file of its own."""
    children: list[subprocess.Popen[str]] = []

    def start(program: str) -> tuple[Path, subprocess.Popen[str]]:
        path = shm_file(1 << 20, fill=b"\1")
        command = [sys.executable, "-c", program, os.fspath(path)]
        children.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return path, children[-1]

    yield start
    for child in children:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


def test_a_page_that_changes_more_often_than_it_is_looked_at_is_told(
    qtbot: QtBot,
    sessions: Sessions,
    peer_of: Callable[[str], tuple[Path, subprocess.Popen[str]]],
) -> None:
    path, child = peer_of(_BUSY_PEER)
    session = sessions.open(path)
    cell = 0x80000 // PAGE

    def told() -> bool:
        frame = session.frame
        return frame is not None and len(frame.activity.rate) > 1 and frame.activity.saturated[cell]

    qtbot.waitUntil(told, timeout=4 * WAIT_MS)
    assert session.frame is not None
    assert np.flatnonzero(session.frame.activity.saturated).tolist() == [cell]
    assert rate_text(session.frame.activity, cell).startswith("≥ ")
    child.kill()
    qtbot.waitUntil(lambda: not told(), timeout=WAIT_MS)


def test_a_real_peer_that_rests_is_dark_for_as_long_as_it_rests(
    qtbot: QtBot,
    sessions: Sessions,
    panel: ActivityPanel,
    peer_of: Callable[[str], tuple[Path, subprocess.Popen[str]]],
) -> None:
    path, child = peer_of(_PEER)
    session = sessions.open(path)
    panel.set_session(session)
    assert child.stdout is not None
    said: list[int] = []
    thread = threading.Thread(
        target=lambda: said.extend(int(child.stdout.readline()) for _ in "12")
    )
    thread.start()
    qtbot.waitUntil(lambda: len(said) == 2, timeout=4 * WAIT_MS)
    thread.join()
    stopped, resumed = said
    qtbot.waitUntil(lambda: session.frame.time_ns > resumed + S, timeout=WAIT_MS)
    assert session.frame is not None
    end, slot = session.frame.time_ns, S // 50
    rows = (end - (stopped - S)) // slot
    picture, known = panel._history.picture(end, slot, rows, (0.5, 0.5), 1)
    begins = end - (np.arange(rows) + 1) * slot
    dark = begins[known & (picture[:, 0] == 0)]
    # A row stands for the time between two looks: a tenth of a second, more on a busy machine.
    edges = panel._history._ends[panel._history._first : panel._history._behind]
    near = edges[(edges > stopped - S) & (edges < resumed + S)]
    slack = int(np.diff(near).max()) + 2 * slot
    inside = dark[(dark > stopped - slack) & (dark < resumed + slack)]
    assert abs(int(inside.min()) - stopped) <= slack
    assert abs(int(inside.max()) - resumed) <= slack
