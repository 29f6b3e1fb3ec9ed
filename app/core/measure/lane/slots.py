"""Who sits where in a lane: which slot a peer takes, and which peer a master measures with."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ...errors import NoPeerError, PeerBusyError
from ...region.region import Region
from .layout import Lane, Side, Slot
from .peer_card import Capability, Card, boot_number
from .presence import (
    GONE_NS,
    SILENT_NS,
    Life,
    Peer,
    PeerWatch,
    Seat,
    process_ended,
)

PATIENCE_S: Final = 2.0
_STEP_S: Final = 0.05
Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Seats:
    """Both sides of one slot."""

    slot: Slot
    owner: Peer
    master: Peer


class LaneWatch:
    """Watches all sides of a lane; call `look` a few times a second."""

    def __init__(self, region: Region, lane: Lane) -> None:
        self._watches = [
            (slot, PeerWatch(region, slot, Side.OWNER), PeerWatch(region, slot, Side.MASTER))
            for slot in lane.all_slots()
        ]

    def look(self) -> list[Seats]:
        """All slots, in order."""
        now = time.monotonic_ns()
        return [
            Seats(slot, owner.look(now), master.look(now)) for slot, owner, master in self._watches
        ]


# -- an owner's slot ----------------------------------------------------------------------


def take_slot(region: Region, lane: Lane, card: Card, sleep: Sleep = time.sleep) -> Seat:
    """Take a slot as its owner: our own from before a crash, a free one, one whose owner is gone.

    Raises:
        PeerBusyError: All slots have owners that live.
        RegionGoneError: The region is gone.
    """
    watch = LaneWatch(region, lane)
    began = time.monotonic_ns()
    while True:
        seats = watch.look()
        waited_ns = time.monotonic_ns() - began
        choice = _choose(seats, card, waited_ns)
        if choice is not None:
            dead = choice.owner.card.token if choice.owner.card else 0
            try:
                return Seat.take(
                    region, lane, choice.slot, Side.OWNER, card, dead_token=dead, sleep=sleep
                )
            except PeerBusyError:
                pass  # another was quicker; look again
        elif waited_ns > GONE_NS + SILENT_NS:
            plural = "s" if lane.slots > 1 else ""
            raise PeerBusyError(
                f"All {lane.slots} slot{plural} of the lane are taken.",
                "Lay a lane with more slots, or end a responder.",
            )
        sleep(_STEP_S)


def _choose(seats: list[Seats], card: Card, waited_ns: int) -> Seats | None:
    """The slot to take now; None is to look again in a moment."""
    undecided = False
    for seat in seats:
        before = seat.owner.card
        if before is None or (before.name, before.platform) != (card.name, card.platform):
            continue
        if seat.owner.life is Life.NEW:
            undecided = True  # perhaps we ourselves, before a crash
        elif seat.owner.life in (Life.SILENT, Life.GONE) and (
            before.boot != card.boot or process_ended(before)
        ):
            return seat
    if undecided and waited_ns < SILENT_NS + 4 * int(_STEP_S * 1e9):
        return None
    for life in (Life.ABSENT, Life.GONE):
        for seat in seats:
            if seat.owner.life is life:
                return seat
    return None


# -- a master's peer ----------------------------------------------------------------------


def wait_for_peer(
    region: Region,
    lane: Lane,
    needs: Capability,
    *,
    slot: int | None = None,
    say: Callable[[str], None] = lambda text: None,
    give_up_s: float | None = None,
    sleep: Sleep = time.sleep,
) -> Seats:
    """Wait for an owner that lives and answers what is needed.

    Args:
        region: The region.
        lane: The lane in it.
        needs: What it must be able to do.
        slot: Only the owner of this slot; None is the first that fits.
        say: Told after 2 s that nobody is there, and when that changes; the waiting goes on.
        give_up_s: Wait no longer.
        sleep: How to wait; a caller may end the waiting by raising from it.

    Raises:
        NoPeerError: Nobody came within `give_up_s`.
        PeerBusyError: The one that fits is measured with by another.
        LaneError: There is no such slot.
    """
    if slot is not None:
        lane.slot(slot)
    watch = LaneWatch(region, lane)
    began = time.monotonic()
    told = ""
    while True:
        seats = [seat for seat in watch.look() if slot in (None, seat.slot.index)]
        there = [seat for seat in seats if seat.owner.alive and not _is_us(seat.owner.card)]
        able = [seat for seat in there if seat.owner.card and needs in seat.owner.card.capabilities]
        free = [seat for seat in able if seat.master.life in (Life.ABSENT, Life.GONE)]
        waited = time.monotonic() - began
        if free:
            return free[0]
        if able and waited > 1.0:  # a master that crashed is silent by now
            raise PeerBusyError(_busy(able[0]))
        if waited >= PATIENCE_S and (text := _nobody(there, needs)) != told:
            told = text
            say(text)
        if give_up_s is not None and waited >= give_up_s:
            raise NoPeerError(_nobody(there, needs))
        sleep(_STEP_S)


def _is_us(card: Card | None) -> bool:
    return card is not None and card.pid == os.getpid() and card.boot == boot_number() != 0


def _busy(seats: Seats) -> str:
    owner, master = seats.owner.card, seats.master.card
    by = "another" if master is None else master.process
    return f"{'The peer' if owner is None else owner.process} is measured by {by} already."


def _nobody(there: list[Seats], needs: Capability) -> str:
    if there:
        bell = Capability.DOORBELL
        card = there[0].owner.card
        if card and bell in needs & ~card.capabilities and needs & ~bell in card.capabilities:
            return f"{card} is there, but has no doorbell to be rung by."
        if Capability.FLASH in needs:
            return f"{card} is there, but shows no flashes: its window does, `respond` does not."
        return f"{card} is there, but does not answer this test."
    return "Nobody answers in the lane yet."
