"""A lane as decorations: from a real one on real memory, and from views made by hand."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.core.engine.measuring.measurement_messages import LaneView, SlotView
from app.core.measure.lane.layout import CONTROL_SIZE, Lane
from app.core.measure.lane.peer_card import PeerCard
from app.core.measure.lane.presence import Life
from app.ui.hex.decorations.decorations import Decorations
from app.ui.measure.lane.lane_ranges import lane_ranges
from app.ui.measure.lazy_panel import LazyMeasurePanel
from tests.ui.measure.measuring import WAIT_MS, Sides, answering

CARD = PeerCard(7, name="vm", system="guest")
LANE = Lane(0x3F0000, 0x40000, 2)


def view_of(*slots: SlotView) -> LaneView:
    return LaneView(LANE, slots)


def free(number: int) -> SlotView:
    return SlotView(number, None, Life.GONE, None, Life.GONE, ours=False)


def test_a_lane_its_slots_and_their_parts_are_told() -> None:
    taken = SlotView(0, CARD, Life.ALIVE, None, Life.GONE, ours=False)
    lane, slot, control, initiator, responder, other = lane_ranges(view_of(taken, free(1)))
    assert (lane.start, lane.length, lane.label) == (LANE.offset, LANE.size, "lane")
    assert "2 slots" in lane.tip
    first = LANE.slot(0)
    assert (slot.start, slot.length, slot.label) == (first.offset, first.stride, "slot 0")
    assert slot.tip == "answered by guest vm"
    assert (control.start, control.length) == (first.offset, CONTROL_SIZE)
    assert initiator.end == responder.start
    assert responder.end <= slot.end
    assert (other.start, other.label, other.tip) == (LANE.slot(1).offset, "slot 1", "free")
    assert slot.tint != other.tint


def test_who_measures_and_who_is_gone_is_told() -> None:
    measured = SlotView(0, CARD, Life.ALIVE, CARD, Life.ALIVE, ours=True)
    assert lane_ranges(view_of(measured))[1].tip == "answered by this window, measured by guest vm"
    gone = dataclasses.replace(measured, responder_life=Life.GONE, initiator_life=Life.GONE)
    assert lane_ranges(view_of(gone))[1].tip == "answered by this window (gone)"


def test_what_is_no_usable_lane_is_not_shown() -> None:
    assert lane_ranges(LaneView(None)) == []
    assert lane_ranges(LaneView(LANE, (free(0),), "of a newer version")) == []
    assert len(lane_ranges(view_of(free(0), free(1), free(2)))) == 3, "slots that it does not have"


def test_a_real_lane_is_shown_and_goes_although_nobody_looks_at_the_panel(
    qtbot: QtBot, sides: Sides
) -> None:
    store = Decorations()
    sides.a.lane.set_decorations(store)
    assert not len(store)
    answering(qtbot, sides)
    qtbot.waitUntil(lambda: len(store) > 0, timeout=WAIT_MS)
    lane = sides.a.lane.view.lane
    assert lane is not None
    whole = store.touching(lane.offset, 1)[0]
    assert (whole.start, whole.length) == (lane.offset, lane.size)
    assert any("answered by" in item.tip for item in store.touching(lane.offset, lane.size))
    sides.a.hide()
    qtbot.mouseClick(sides.b.lane.answer, Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
    qtbot.waitUntil(lambda: not len(store), timeout=WAIT_MS)
    assert not sides.a.lane._timer.isActive(), "nothing is left to look after"


def test_another_region_has_another_lane(qtbot: QtBot, sides: Sides) -> None:
    store = Decorations()
    sides.a.lane.set_decorations(store)
    answering(qtbot, sides)
    qtbot.waitUntil(lambda: len(store) > 0, timeout=WAIT_MS)
    sides.a.set_session(None)
    assert not len(store)


def test_the_panel_that_is_built_later_has_its_layer_too(qtbot: QtBot) -> None:
    store, lazy = Decorations(), LazyMeasurePanel()
    qtbot.addWidget(lazy)
    lazy.set_decorations(store)
    assert not lazy.built
    lazy.panel.lane._show_view(view_of(free(0), free(1)))
    assert store.topmost(LANE.slot(1).offset) == lane_ranges(view_of(free(0), free(1)))[2]
