from __future__ import annotations

import dataclasses
from time import monotonic_ns

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from pytestqt.qtbot import QtBot

from app.core.watch.frame import Activity, Frame
from app.ui.hex.decorations.decorations import Decoration, Decorations, Tint
from app.ui.hex.decorations.overview import tint_strip
from app.ui.hex.minimap import Minimap, strip
from app.ui.hex.paint import styles
from app.ui.style.theme import DARK, LIGHT, Theme
from tests.ui.helpers import pixels
from tests.ui.hex.frames import frame_of

LEFT, NO = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
CELL = 4096


def activity_of(cells: int, rates: dict[int, float] | None = None, number: int = 1) -> Activity:
    rate = np.zeros(cells, np.float32)
    for cell, value in (rates or {}).items():
        rate[cell] = value
    now = monotonic_ns()
    return Activity(
        number=number,
        time_ns=now,
        region_size=cells * CELL,
        cell_bytes=CELL,
        rate=rate,
        saturated=np.zeros(cells, np.bool_),
        changed_ns=np.where(rate > 0, now, 0),
        seen_ns=np.full(cells, now, np.int64),
        allocated=np.arange(cells) < cells // 2,
        sweep_ns=1,
        exact=True,
    )


def frame_with(activity: Activity) -> Frame:
    return dataclasses.replace(frame_of(b"\0" * 16), activity=activity)


@pytest.fixture
def minimap(qtbot: QtBot) -> Minimap:
    made = Minimap()
    qtbot.addWidget(made)
    made.set_theme(DARK)
    made.resize(28, 400)
    made.set_region(1000 * CELL)
    made.show()
    qtbot.waitExposed(made)
    return made


@given(st.integers(1, 3000), st.integers(1, 3000), st.data())
def test_one_busy_page_is_never_lost(cells: int, rows: int, data: st.DataObject) -> None:
    busy = data.draw(st.integers(0, cells - 1))
    quiet, hot = (
        strip(activity_of(cells), rows, DARK),
        strip(activity_of(cells, {busy: 500.0}), rows, DARK),
    )
    assert quiet.shape == hot.shape == (rows,)
    differ = np.flatnonzero(quiet != hot)
    assert len(differ)
    assert differ[0] <= -(-(busy + 1) * rows // cells)
    assert differ[-1] >= busy * rows // cells - 1


def test_written_and_never_written_differ_in_both_themes() -> None:
    for theme in (DARK, LIGHT):
        row = strip(activity_of(100), 100, theme)
        assert row[0] != row[99]


def test_a_place_on_the_strip_and_its_offset_agree(minimap: Minimap) -> None:
    for offset in (0, 123 * CELL, 999 * CELL):
        assert minimap.offset_at(minimap.y_of(offset)) == pytest.approx(offset, abs=1)
    assert minimap.offset_at(-5) == 0
    assert minimap.offset_at(4000) == 1000 * CELL - 1


def test_a_click_goes_there_and_a_drag_goes_along(qtbot: QtBot, minimap: Minimap) -> None:
    minimap.set_region(1 << 44)
    scrubbed: list[int] = []
    minimap.scrub_wanted.connect(scrubbed.append)
    with qtbot.waitSignal(minimap.goto_wanted) as went:
        qtbot.mousePress(minimap, LEFT, NO, QPoint(14, 200))
    assert went.args == [1 << 43]
    qtbot.mouseMove(minimap, QPoint(14, 300))
    assert scrubbed == [3 << 42]
    qtbot.mouseRelease(minimap, LEFT, NO, QPoint(14, 300))


def test_the_view_and_the_cursor_are_marked(qtbot: QtBot, minimap: Minimap) -> None:
    minimap.set_frame(frame_with(activity_of(1000)))
    minimap.set_view(0, 400)
    assert minimap.view_mark().height() >= 4
    before = pixels(minimap)
    minimap.set_view(500 * CELL, 100 * CELL)
    middle = minimap.view_mark()
    assert (middle.top(), middle.height()) == (200, 40)
    moved = pixels(minimap)
    assert (moved[200:240] != before[200:240]).any()
    minimap.set_cursor(900 * CELL)
    assert (pixels(minimap)[355:365] != moved[355:365]).any()
    minimap.set_view(999 * CELL, 16)
    assert minimap.view_mark().bottom() <= 400


def test_only_another_picture_is_drawn_again_and_not_at_once(
    qtbot: QtBot, minimap: Minimap
) -> None:
    minimap.set_frame(frame_with(activity_of(1000)))
    assert minimap._soon.isActive()
    qtbot.waitUntil(lambda: not minimap._soon.isActive())
    minimap.set_frame(frame_with(activity_of(1000)))
    assert not minimap._soon.isActive(), "the same activity again is nothing new"
    minimap.set_frame(frame_with(activity_of(1000, {3: 5.0}, number=2)))
    assert minimap._soon.isActive()
    minimap.hide()
    qtbot.waitUntil(lambda: not minimap._soon.isActive())
    minimap.set_frame(frame_with(activity_of(1000, number=3)))
    assert not minimap._soon.isActive()


def test_hovering_tells_offset_rate_and_age(minimap: Minimap) -> None:
    minimap.set_frame(frame_with(activity_of(1000, {100: 60.0})))
    busy = minimap.tip_at(QPointF(14, minimap.y_of(100 * CELL) + 0.1))
    assert "0x0006'4" in busy
    assert "60 changes/s" in busy
    assert "oldest look" in busy
    assert "not seen to change" in minimap.tip_at(QPointF(14, 1))
    assert "never written" in minimap.tip_at(QPointF(14, 399))


def test_no_region_shows_and_does_nothing(qtbot: QtBot, minimap: Minimap) -> None:
    minimap.set_region(0)
    with qtbot.assertNotEmitted(minimap.goto_wanted):
        qtbot.mouseClick(minimap, LEFT, NO, QPoint(14, 100))
    assert minimap.tip_at(QPointF(14, 100)) == ""
    assert len(np.unique(pixels(minimap).reshape(-1, 4), axis=0)) == 1


# -- decorations -----------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    st.integers(1, 1 << 40),
    st.integers(4, 900),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20),
)
def test_each_range_has_its_rows_on_the_strip(
    size: int, rows: int, shares: list[tuple[float, float]]
) -> None:
    store = Decorations()
    layer = store.layer("one")
    for at, much in shares:
        start = min(int(at * size), size - 1)
        item = Decoration(start, max(1, int(much * much * (size - start))), Tint.TEAL)
        layer.replace([item])
        lit = np.flatnonzero(tint_strip(store, size, rows, 4))
        assert len(lit) >= 4
        assert (np.diff(lit) == 1).all()
        assert lit[0] <= start * rows / size
        assert lit[-1] + 1 >= min(item.end * rows / size, rows) - 1e-6
        assert len(lit) <= item.length * rows / size + 5


def test_a_decoration_is_marked_beside_the_heat_and_never_on_it(
    qtbot: QtBot, minimap: Minimap
) -> None:
    store = Decorations()
    size = 64 << 30
    minimap.set_decorations(store)
    minimap.set_region(size)
    minimap.set_frame(frame_with(activity_of(1000, {500: 60.0})))
    minimap.set_cursor(0)
    before = pixels(minimap)
    store.layer("one").add(Decoration(size // 2, 1, Tint.VIOLET))
    after = pixels(minimap)
    rows, columns = np.nonzero((before != after).any(axis=2))
    assert rows.max() - rows.min() + 1 >= 4
    assert abs(rows.mean() - 200) <= 3
    assert columns.max() - columns.min() + 1 == 4
    assert columns.max() < 4, "the heat begins behind it"
    store.layer("one").clear()
    assert (pixels(minimap) == before).all()


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
@pytest.mark.parametrize("tint", list(Tint), ids=lambda tint: tint.name.lower())
def test_a_mark_stands_out_from_its_ground_without_colour(
    minimap: Minimap, theme: Theme, tint: Tint
) -> None:
    store = Decorations()
    minimap.set_theme(theme)
    minimap.set_decorations(store)
    store.layer("one").add(Decoration(300 * CELL, 100 * CELL, tint))
    blue, green, red, _ = pixels(minimap)[140, 1].tolist()
    assert styles.contrast((red, green, blue), styles.rgb(theme.panel)) >= 3


def test_a_change_of_decorations_is_drawn_soon_and_once(qtbot: QtBot, minimap: Minimap) -> None:
    store = Decorations()
    minimap.set_decorations(store)
    qtbot.waitUntil(lambda: not minimap._soon.isActive())
    store.layer("one").add(Decoration(0, 1))
    assert minimap._soon.isActive()
    qtbot.waitUntil(lambda: not minimap._soon.isActive())
    picture = minimap._mark_picture()
    assert minimap._mark_picture() is picture
    minimap.resize(28, 300)
    again = minimap._mark_picture()
    assert again is not None
    assert again.height() == 300


def test_the_tip_names_what_is_marked_there(minimap: Minimap) -> None:
    store = Decorations()
    minimap.set_decorations(store)
    store.layer("one").replace(
        [
            Decoration(500 * CELL, 300 * CELL, label="lane"),
            Decoration(500 * CELL, 1, label="flag", tip="raised by the peer"),
        ]
    )
    tip = minimap.tip_at(QPointF(14, 200))
    assert tip.endswith("\n\nflag, 1 B at 0x1F4000: raised by the peer\nlane, 1.17 MiB at 0x1F4000")
    assert "lane" in minimap.tip_at(QPointF(14, 300))
    assert "flag" not in minimap.tip_at(QPointF(14, 300))
    assert "lane" not in minimap.tip_at(QPointF(14, 100))
