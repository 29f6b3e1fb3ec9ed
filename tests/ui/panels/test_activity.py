"""The activity panel, alive: plots that move, maps that vary, clicks that go there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from pytestqt.qtbot import QtBot

from app.ui.hex.decorations.decorations import Decoration, Decorations, Tint
from app.ui.panels.activity.heat_history import fold
from app.ui.panels.activity.panel import ActivityPanel
from app.ui.panels.activity.sample_buffer import Ring, step_up, thin
from app.ui.session.session import Session
from app.ui.style.theme import DARK, LIGHT
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile, pixels, poke, show

SIZE = 1 << 20
HOT = 0xC0000


@pytest.fixture
def panel(qtbot: QtBot) -> ActivityPanel:
    made = ActivityPanel()
    made.set_theme(DARK)
    made.build()
    show(qtbot, made, 1280, 220)
    return made


@pytest.fixture
def live(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile, panel: ActivityPanel
) -> Iterator[SimpleNamespace]:
    """A region in which a peer writes one page, some hundred times a second."""
    path = shm_file(SIZE)
    session = sessions.open(path)
    panel.set_session(session)
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.wait(0.003):
            number += 1
            poke(path, HOT, number.to_bytes(8, "little") * 64)

    peer = threading.Thread(target=write)
    peer.start()
    yield SimpleNamespace(path=path, session=session)
    stop.set()
    peer.join()


def busy(session: Session) -> bool:
    frame = session.frame
    return (
        frame is not None
        and len(frame.activity.rate) == SIZE // 4096
        and frame.activity.rate[HOT // 4096] > 1
        and frame.traffic.observed_bytes_per_s > 0
    )


def test_before_a_region_it_says_what_would_fill_it(panel: ActivityPanel) -> None:
    assert "Open a region" in panel.hover.text()
    assert panel.heat.image is None


def test_it_is_alive(qtbot: QtBot, panel: ActivityPanel, live: SimpleNamespace) -> None:
    """Two seconds of a real region: plots grow, maps vary, figures tell."""
    qtbot.waitUntil(lambda: busy(live.session), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: len(panel._ring) > 10, timeout=WAIT_MS)
    first = pixels(panel.changes)
    points = len(panel.changes.curves[0].getData()[0])
    qtbot.waitUntil(
        lambda: len(panel.changes.curves[0].getData()[0]) > points + 10, timeout=WAIT_MS
    )
    later = pixels(panel.changes)
    assert (first != later).any(axis=2).sum() > 20, "the plot did not move"
    trace = DARK.color("mine").getRgb()[:3]  # the first trace has this colour
    assert (np.abs(later[..., 2::-1].astype(int) - trace).sum(axis=2) < 60).any()
    rate = panel.changes.curves[0].getData()[1]
    assert np.nanmax(rate) > 0

    heat = pixels(panel.heat)
    assert len(np.unique(heat.reshape(-1, 4), axis=0)) > 1, "the heat map does not vary"
    qtbot.waitUntil(lambda: len(panel._history) > 8, timeout=WAIT_MS)
    panel.draw()
    image = panel.water.image
    shown = [image.pixelIndex(x, 8) for x in range(image.width())]
    lit = np.flatnonzero(shown)
    assert len(lit), "the waterfall shows no busy column"
    assert abs(lit.mean() / len(shown) - HOT / SIZE) < 0.02
    assert "B/s" in panel.values["changes"].text()
    assert "%" in panel.values["cost"].text()


def test_hover_tells_and_a_click_goes_there(
    qtbot: QtBot, panel: ActivityPanel, live: SimpleNamespace
) -> None:
    qtbot.waitUntil(lambda: busy(live.session) and panel.heat.image is not None, timeout=WAIT_MS)
    heat = panel.heat
    places = [
        QPoint(x, y)
        for y in range(2, heat.height(), 3)
        for x in range(2, heat.width(), 3)
        if heat.cell_at(QPointF(x, y)) == HOT // 4096
    ]
    assert places
    qtbot.mouseMove(heat, places[0])
    qtbot.waitUntil(lambda: f"0x{HOT:X}" in panel.hover.text())
    assert "changed" in panel.hover.text()
    with qtbot.waitSignal(panel.goto_wanted, check_params_cb=lambda offset: offset == HOT):
        qtbot.mouseClick(heat, Qt.MouseButton.LeftButton, pos=places[0])
    x = int(panel.water.x_of(HOT + 2048))
    with qtbot.waitSignal(panel.goto_wanted) as caught:
        qtbot.mouseClick(panel.water, Qt.MouseButton.LeftButton, pos=QPoint(x, 5))
    assert abs(caught.args[0] - HOT) <= 8192


def test_nothing_is_drawn_when_hidden(
    qtbot: QtBot, panel: ActivityPanel, live: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    qtbot.waitUntil(lambda: panel.heat.image is not None, timeout=WAIT_MS)
    panel.hide()
    drawn: list[int] = []
    monkeypatch.setattr(panel.changes, "show_traces", lambda *_: drawn.append(1))
    samples = len(panel._ring)
    qtbot.waitUntil(lambda: len(panel._ring) > samples + 3, timeout=WAIT_MS)
    assert not panel._timer.isActive()
    assert not drawn, "the history grows, but nothing is drawn"
    panel.show()
    qtbot.waitUntil(lambda: bool(drawn), timeout=WAIT_MS)


def test_freeze_stops_drawing_and_clear_forgets(
    qtbot: QtBot, panel: ActivityPanel, live: SimpleNamespace
) -> None:
    qtbot.waitUntil(lambda: panel.heat.image is not None, timeout=WAIT_MS)
    qtbot.mouseClick(panel.freeze, Qt.MouseButton.LeftButton)
    points = len(panel.changes.curves[0].getData()[0])
    samples = len(panel._ring)
    qtbot.waitUntil(lambda: len(panel._ring) > samples + 3, timeout=WAIT_MS)
    panel.draw()
    assert len(panel.changes.curves[0].getData()[0]) == points
    qtbot.mouseClick(panel.freeze, Qt.MouseButton.LeftButton)
    panel.clear()
    assert len(panel._ring) == 0
    assert panel.heat.image is None


def test_a_pause_adds_no_samples(qtbot: QtBot, panel: ActivityPanel, live: SimpleNamespace) -> None:
    live.session.set_paused(True)
    qtbot.waitUntil(lambda: live.session.frame.paused, timeout=WAIT_MS)
    samples = len(panel._ring)
    panel.set_frame(live.session.frame)
    assert len(panel._ring) == samples


def test_the_theme_reaches_plots_and_maps(qtbot: QtBot, panel: ActivityPanel) -> None:
    dark = pixels(panel.changes)[..., :3].mean()
    panel.set_theme(LIGHT)
    assert pixels(panel.changes)[..., :3].mean() > dark + 100


# -- the parts ---------------------------------------------------------------------------------------


def test_a_ring_forgets_the_oldest() -> None:
    ring = Ring(4, 1)
    for number in range(6):
        ring.append(float(number), (number * 10.0,))
    assert len(ring) == 4
    assert ring.since(0)[0].tolist() == [2, 3, 4, 5]
    assert ring.since(4)[1].tolist() == [40, 50]
    ring.clear()
    assert ring.since(0).shape == (2, 0)


def test_thinning_keeps_peaks() -> None:
    times = np.arange(10_000, dtype=float)
    values = np.zeros(10_000)
    values[[1234, 7777]] = (9, -9)
    x, y = thin(times, values, 200)
    assert len(x) == len(y) <= 400
    assert y.max() == 9
    assert y.min() == -9
    assert (np.diff(x) >= 0).all()
    assert thin(times[:100], values[:100], 200)[0] is not None


def test_ranges_step() -> None:
    assert [step_up(v) for v in (0, 0.3, 1, 1.01, 3, 7, 10, 11)] == [1, 0.5, 1, 2, 5, 10, 10, 20]


def test_folding_keeps_the_busiest() -> None:
    cells = np.zeros(1000, np.float32)
    cells[999] = 5
    folded = fold(cells, 256)
    assert len(folded) == 256
    assert folded[-1] == 5
    assert fold(cells[:10], 256).shape == (10,)


def test_decorations_are_outlined_on_the_map_and_named_under_the_mouse(
    qtbot: QtBot, panel: ActivityPanel, live: SimpleNamespace
) -> None:
    store = Decorations()
    panel.set_decorations(store)
    heat = panel.heat

    def lit() -> bool:
        row, column = divmod(HOT // 4096, heat._columns)
        return heat.image is not None and heat.image.pixelIndex(column, row) > 0

    qtbot.waitUntil(lit, timeout=WAIT_MS)
    panel.freeze.setChecked(True)
    before = pixels(heat)
    store.layer("one").replace(
        [Decoration(HOT, 4096, Tint.TEAL, label="hot page"), Decoration(0, 1 << 16, label="head")]
    )
    after = pixels(heat)
    cell = [
        (y, x)
        for y in range(heat.height())
        for x in range(heat.width())
        if heat.cell_at(QPointF(x + 0.5, y + 0.5)) == HOT // 4096
    ]
    top, left = min(y for y, _ in cell), min(x for _, x in cell)
    bottom, right = max(y for y, _ in cell), max(x for _, x in cell)
    inner = (slice(top + 2, bottom - 1), slice(left + 2, right - 1))
    assert (before[inner] != before[0, 0]).any(), "it is hot"
    assert (after[inner] == before[inner]).all(), "the heat is not hidden"
    rim = (after != before).any(axis=2)[top : bottom + 1, left : right + 1]
    assert rim.any(axis=1).sum() >= 4
    assert rim.any(axis=0).sum() >= 4
    y, x = cell[len(cell) // 2]
    qtbot.mouseMove(heat, QPoint(x, y))
    qtbot.waitUntil(lambda: "hot page" in panel.hover.text())
    qtbot.mouseMove(panel.freeze)
    qtbot.waitUntil(lambda: not panel.hover.text())
    store.clear()
    assert (pixels(heat) == before).all()


def test_what_is_frozen_looks_frozen(
    qtbot: QtBot, panel: ActivityPanel, live: SimpleNamespace
) -> None:
    qtbot.waitUntil(lambda: panel.heat.image is not None, timeout=WAIT_MS)
    assert panel.frozen.isHidden()
    qtbot.mouseClick(panel.freeze, Qt.MouseButton.LeftButton)
    assert panel.frozen.isVisible()
    covered = panel.frozen.places()
    for view in (panel.changes, panel.own, panel.cost, panel.heat, panel.water):
        assert QRect(view.mapTo(panel, QPoint()), view.size()) in covered
    assert panel.childAt(panel.heat.mapTo(panel, QPoint(5, 5))) is panel.heat, "it can be asked"
    qtbot.mouseClick(panel.freeze, Qt.MouseButton.LeftButton)
    assert panel.frozen.isHidden()
