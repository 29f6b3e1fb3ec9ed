"""The lane of a measurement as decorations: the lane, its slots, and who writes which part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...hex.decorations.decorations import Decoration, Mark, Tint

if TYPE_CHECKING:
    from ....core.engine.measuring.measurement_messages import LaneView, SlotView
    from ....core.measure.lane.layout import Lane


def lane_ranges(view: LaneView) -> list[Decoration]:
    """The lane and its slots as decorations; empty without a usable lane."""
    lane = view.lane
    if lane is None or view.trouble:
        return []
    tip = f"of a measurement, {lane.slots} slots; the bytes under it are put back at its end"
    found = [Decoration(lane.offset, lane.size, Tint.SLATE, Mark.OUTLINE, "lane", tip)]
    for slot in view.slots:
        if slot.slot < lane.slots:
            found += _slot_ranges(lane, slot)
    return found


def _slot_ranges(lane: Lane, view: SlotView) -> list[Decoration]:
    # Imported here: most windows never measure.
    from ....core.measure.lane.layout import CONTROL_SIZE, Side
    from ....core.measure.lane.presence import Life

    slot = lane.slot(view.slot)
    taken = view.responder is not None
    whole = Decoration(
        slot.offset,
        slot.stride,
        Tint.TEAL if taken else Tint.SLATE,
        Mark.DOTS if taken else Mark.ENDS,
        f"slot {slot.index}",
        _who(view, Life.GONE),
    )
    if not taken:
        return [whole]
    control = "words that both sides spin on: presence, command, echo, ring ends, flash"
    parts = [
        Decoration(slot.offset, CONTROL_SIZE, Tint.VIOLET, Mark.ENDS, "control", control),
    ]
    for side in (Side.INITIATOR, Side.RESPONDER):
        data, name = slot.data(side), side.name.lower()
        if data.length:
            tip = f"data that the {name} alone writes"
            parts.append(Decoration(data.offset, data.length, Tint.TEAL, label=name, tip=tip))
    return [whole, *parts]


def _who(view: SlotView, gone: object) -> str:
    if view.responder is None:
        return "free"
    who = "this window" if view.ours else str(view.responder)
    state = " (gone)" if view.responder_life is gone else ""
    text = f"answered by {who}{state}"
    if view.initiator is not None and view.initiator_life is not gone:
        text += f", measured by {view.initiator}"
    return text
