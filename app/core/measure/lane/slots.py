"""The slots of a lane: which one a responder takes, and which peer an initiator measures with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ...errors import NoPeerError, PeerBusyError
from ...region.region import Region
from ..run_context import Sleep
from .layout import Lane, Side, Slot
from .peer_card import Capability, PeerCard, is_ours
from .presence import (
    GONE_NS,
    SILENT_NS,
    Life,
    Peer,
    PeerWatch,
    SlotClaim,
    process_ended,
)

PATIENCE_S: Final = 2.0
_STEP_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class SlotPeers:
    """Both sides of one slot."""

    slot: Slot
    responder: Peer
    initiator: Peer


class LanePoll:
    """Watches all sides of a lane; call `poll` a few times a second."""

    def __init__(self, region: Region, lane: Lane) -> None:
        self._watches = [
            (slot, PeerWatch(region, slot, Side.RESPONDER), PeerWatch(region, slot, Side.INITIATOR))
            for slot in lane.all_slots()
        ]

    def poll(self) -> list[SlotPeers]:
        """All slots, in order."""
        now = time.monotonic_ns()
        return [
            SlotPeers(slot, responder.poll(now), initiator.poll(now))
            for slot, responder, initiator in self._watches
        ]


# -- a responder's slot ----------------------------------------------------------------------


def take_slot(region: Region, lane: Lane, card: PeerCard, sleep: Sleep = time.sleep) -> SlotClaim:
    """Take a slot as its responder: our own from before a crash, a free one, an abandoned one.

    Raises:
        PeerBusyError: All slots have responders that are alive.
        RegionGoneError: The region is gone.
    """
    watch = LanePoll(region, lane)
    began = time.monotonic_ns()
    while True:
        slots = watch.poll()
        waited_ns = time.monotonic_ns() - began
        choice = _choose(slots, card, waited_ns)
        if choice is not None:
            dead = choice.responder.card.token if choice.responder.card else 0
            try:
                return SlotClaim.take(
                    region, lane, choice.slot, Side.RESPONDER, card, dead_token=dead, sleep=sleep
                )
            except PeerBusyError:
                pass  # another peer took it first; choose again
        elif waited_ns > GONE_NS + SILENT_NS:
            plural = "s" if lane.slots > 1 else ""
            raise PeerBusyError(
                f"All {lane.slots} slot{plural} of the lane are taken.",
                "Lay a lane with more slots, or end a responder.",
            )
        sleep(_STEP_S)


def _choose(slots: list[SlotPeers], card: PeerCard, waited_ns: int) -> SlotPeers | None:
    """The slot to take now; None: decide again in a moment."""
    undecided = False
    for claim in slots:
        before = claim.responder.card
        if before is None or (before.name, before.platform) != (card.name, card.platform):
            continue
        if claim.responder.life is Life.NEW:
            undecided = True  # perhaps an earlier run of this program that crashed
        elif claim.responder.life in (Life.SILENT, Life.GONE) and (
            before.boot != card.boot or process_ended(before)
        ):
            return claim
    if undecided and waited_ns < SILENT_NS + 4 * int(_STEP_S * 1e9):
        return None
    for life in (Life.ABSENT, Life.GONE):
        for claim in slots:
            if claim.responder.life is life:
                return claim
    return None


# -- an initiator's peer ----------------------------------------------------------------------


def wait_for_peer(
    region: Region,
    lane: Lane,
    needs: Capability,
    *,
    slot: int | None = None,
    report: Callable[[str], None] = lambda text: None,
    give_up_s: float | None = None,
    sleep: Sleep = time.sleep,
) -> SlotPeers:
    """Wait for a responder that is alive and supports what is needed.

    Args:
        region: The region.
        lane: The lane in it.
        needs: What it must support.
        slot: Only the responder of this slot; None is the first that fits.
        report: Called after 2 s without a peer, and when that changes; the waiting goes on.
        give_up_s: Wait no longer.
        sleep: How to wait; a caller may end the waiting by raising from it.

    Raises:
        NoPeerError: No peer came within `give_up_s`.
        PeerBusyError: Another initiator measures with the one that fits.
        LanePlaceError: There is no such slot.
    """
    if slot is not None:
        lane.slot(slot)
    watch = LanePoll(region, lane)
    began = time.monotonic()
    told = ""
    while True:
        slots = [claim for claim in watch.poll() if slot in (None, claim.slot.index)]
        there = [
            claim for claim in slots if claim.responder.alive and not is_ours(claim.responder.card)
        ]
        able = [
            claim
            for claim in there
            if claim.responder.card and needs in claim.responder.card.capabilities
        ]
        free = [claim for claim in able if claim.initiator.life in (Life.ABSENT, Life.GONE)]
        waited = time.monotonic() - began
        if free:
            return free[0]
        if able and waited > 1.0:  # an initiator that crashed is silent by now
            raise PeerBusyError(_busy(able[0]))
        if waited >= PATIENCE_S and (text := _nobody(slots, there, needs)) != told:
            told = text
            report(text)
        if give_up_s is not None and waited >= give_up_s:
            raise NoPeerError(_nobody(slots, there, needs))
        sleep(_STEP_S)


def _busy(slots: SlotPeers) -> str:
    responder, initiator = slots.responder.card, slots.initiator.card
    by = "another" if initiator is None else initiator.process
    return f"{'The peer' if responder is None else responder.process} is measured by {by} already."


def _nobody(slots: list[SlotPeers], there: list[SlotPeers], needs: Capability) -> str:
    if there:
        bell = Capability.DOORBELL
        card = there[0].responder.card
        if card and bell in needs & ~card.capabilities and needs & ~bell in card.capabilities:
            return f"{card} is there, but has no doorbell to be rung by."
        if Capability.FLASH in needs:
            return f"{card} is there, but shows no flashes: its window does, `respond` does not."
        return f"{card} is there, but does not answer this test."
    for claim in slots:
        card, life = claim.responder.card, claim.responder.life
        if card is not None and life in (Life.SILENT, Life.GONE) and not is_ours(card):
            who = f"{card.process} in slot {claim.slot.index}"
            return f"Nobody answers in the lane yet: {who} is silent; it was stopped, or ended."
    return "Nobody answers in the lane yet."
