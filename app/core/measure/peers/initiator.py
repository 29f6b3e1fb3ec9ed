"""The measuring side: takes the initiator side of a peer's slot, sends requests, watches the peer.

A test mode's function gets an Initiator, sends a request with its parameters, runs its loop in
slices of at most a tenth of a second with a `tick()` between them, and stops. `tick` handles what
happens to the peer and the lane (silent, restarted, removed), so that the loops need not.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Final, Self

from ...errors import (
    LaneLostError,
    NoPeerError,
    PeerRefusedError,
    RegionGoneError,
)
from ...region.doorbell import DeviceBell
from ...region.region import Region
from ..lane.layout import Lane, Side, Slot
from ..lane.peer_card import PeerCard, own_card
from ..lane.presence import Life, Peer, PeerWatch, SlotClaim
from ..lane.requests import Command, Message, Status, refusal_of
from ..lane.slots import SlotPeers
from ..run_context import Sleep

ANSWER_S: Final = 3.0
_STEP_S: Final = 0.005
_AWAY: Final = (Life.SILENT, Life.GONE, Life.ABSENT)
TICK_S: Final = 0.1


class Initiator:
    """The initiator side of a slot, taken until `leave`; a context manager.

    Attributes:
        region: The region.
        claim: Our side.
        peer: The responder, as it was at the last tick.
        restarts: How often the responder restarted since the side was taken.
    """

    def __init__(
        self,
        region: Region,
        lane: Lane,
        slots: SlotPeers,
        *,
        bell: DeviceBell | None = None,
        sleep: Sleep = time.sleep,
    ) -> None:
        """Take the side.

        Args:
            region: The region.
            lane: The lane in it.
            slots: The slot.
            bell: Our doorbell, when the responder shall ring it.
            sleep: How to wait.

        Raises:
            PeerBusyError: Another initiator has it.
        """
        self.region = region
        self._sleep = sleep
        dead = (
            slots.initiator.card.token
            if slots.initiator.life is Life.GONE and slots.initiator.card
            else 0
        )
        card = own_card(region.info, bell=bell)
        self.claim = SlotClaim.take(
            region, lane, slots.slot, Side.INITIATOR, card, dead_token=dead, sleep=sleep
        )
        self._watch = PeerWatch(region, slots.slot, Side.RESPONDER)
        self.peer: Peer = slots.responder
        self.restarts = 0
        self._number = secrets.randbits(32) << 16  # no number of an earlier initiator
        self._asked: tuple[Command, tuple[int, ...]] | None = None
        self._asked_token = 0

    @property
    def slot(self) -> Slot:
        """The slot."""
        return self.claim.slot

    @property
    def lane(self) -> Lane:
        """The lane."""
        return self.claim.lane

    @property
    def responder(self) -> PeerCard | None:
        """The responder's card; None while there is none."""
        return self.peer.card

    def ask(
        self,
        command: Command,
        values: tuple[int, ...] = (),
        timeout_s: float = ANSWER_S,
        *,
        away: Callable[[], None] | None = None,
    ) -> Message:
        """Ask the responder to begin; its RUNNING or DONE reply.

        Args:
            command: What to begin.
            values: Its parameters.
            timeout_s: How long a reply may take.
            away: Called again and again while the responder is silent or gone, which does not count
                then; it may raise. None is to give up.

        Raises:
            PeerRefusedError: It refused.
            NoPeerError: It does not reply, or it left.
            LaneLostError, RegionGoneError: As `tick`.
        """
        self._asked = None if command is Command.STOP else (command, values)
        deadline = time.monotonic() + timeout_s
        self._put(command, values)
        while True:
            reply = self.reply()
            if reply is not None:
                return _accepted(reply, self.responder)
            if time.monotonic() >= deadline:
                who = str(self.responder) if self.responder else "The peer"
                raise NoPeerError(f"{who} does not reply.", "It may be frozen; try again.")
            before = self._asked_token
            self.tick()
            if self.responder is not None and self.responder.token != before:
                self.restarts += before != 0
                self._put(command, values)
            if away is not None and self.peer.life in _AWAY:
                away()
                deadline = time.monotonic() + timeout_s
            else:
                self._sleep(_STEP_S)

    def _put(self, command: Command, values: tuple[int, ...]) -> None:
        self.peer = self._watch.poll()
        self._asked_token = self.peer.card.token if self.peer.card else 0
        self._number += 1
        self.claim.report(Message(self._number, command, self._asked_token, values))

    def reply(self) -> Message | None:
        """The responder's reply to the last request; None while there is none."""
        heard = self.claim.heard()
        fits = heard is not None and (heard.number, heard.addressee) == (
            self._number,
            self.claim.card.token,
        )
        return heard if fits else None

    def tick(self) -> Peer:
        """Send a heartbeat and poll the responder. Call it between slices, at least every TICK_S.

        Raises:
            LaneLostError: The lane was removed or written over.
            RegionGoneError: The region is gone.
        """
        self.region.check()
        self.claim.beat()
        if self.claim.closing:
            raise LaneLostError("The lane is being taken away by the peer that created it.")
        self.peer = self._watch.poll()
        return self.peer

    def resume(self) -> bool:
        """After a tick: ask again when the responder restarted or ended the test by itself.

        A restarted responder does not know of the test. False while it has not begun again.

        Raises:
            PeerRefusedError: It refused.
        """
        card = self.peer.card
        if self._asked is None or card is None or not self.peer.alive:
            return False
        if card.token != self._asked_token:
            self.restarts += 1
            self._put(*self._asked)
            return False
        reply = self.reply()
        if reply is None:
            return False
        if reply.code == Status.DONE:
            self._put(*self._asked)
            return False
        _accepted(reply, card)
        return True

    def stop(self, timeout_s: float = 1.0) -> bool:
        """Ask the responder to end; whether it did in time. A peer that left is no error."""
        try:
            self.ask(Command.STOP, timeout_s=timeout_s)
        except (NoPeerError, PeerRefusedError):
            return False
        return True

    def leave(self) -> None:
        """Free the side. Safe to call twice, and without lane or region."""
        try:
            self.claim.leave()
        except RegionGoneError:
            return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()


def _accepted(reply: Message, responder: PeerCard | None) -> Message:
    if reply.code == Status.REFUSED:
        reason = refusal_of(reply)
        raise PeerRefusedError(f"{responder or 'The peer'} refuses: {reason.sentence}.")
    return reply
