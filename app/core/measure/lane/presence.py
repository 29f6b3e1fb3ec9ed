"""Presence: taking a side of a slot, sending heartbeats, and watching the other peers.

Memory behind two operating systems has no common lock, so a side is taken by Fischer's mutual
exclusion: read that it is free, write a token, wait, read whether the token is still there. A
heartbeat is a word that changes; clocks are not compared, each reader measures the silence with its
own.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

import psutil  # type: ignore[import-untyped]

from ...errors import LaneLostError, PeerBusyError
from ...region.region import Region
from .layout import CLOSING, LINE, MAGIC, STATE_AT, Lane, Line, Side, Slot
from .peer_card import (
    BEAT_WORD,
    TOUCHED_WORD,
    PeerCard,
    boot_number,
    build_card,
    parse_card,
)
from .requests import Message, build_message, parse_message

BEAT_S: Final = 0.1
SILENT_NS: Final = 1_000_000_000
GONE_NS: Final = 5_000_000_000
SETTLE_S: Final = 0.05
_CARD_SIZE: Final = 2 * LINE
_MAGIC: Final = int.from_bytes(MAGIC, "little")
_TOKEN_AT: Final = 0x30


class Life(Enum):
    """What a reader knows about a side."""

    ABSENT = "absent"
    NEW = "new"  # there is a card; its heartbeat was not seen to change yet
    ALIVE = "alive"
    SILENT = "silent"  # no heartbeat for 1 s
    GONE = "gone"  # no heartbeat for 5 s, or its process is known to have ended


@dataclass(frozen=True, slots=True)
class Peer:
    """What is known of the peer on a side at one moment.

    Attributes:
        life: Whether it is alive.
        card: Its card; None when the side is free.
        silent_ns: How long its heartbeat has not changed.
        restarts: How often the token changed since watching began.
    """

    life: Life
    card: PeerCard | None = None
    silent_ns: int = 0
    restarts: int = 0

    @property
    def alive(self) -> bool:
        """Its heartbeat changed within the last second."""
        return self.life is Life.ALIVE

    @property
    def taken(self) -> bool:
        """Whether the side is not free."""
        return self.life not in (Life.ABSENT, Life.GONE)


class PeerWatch:
    """Watches one side of a slot; call `poll` a few times a second or more."""

    def __init__(self, region: Region, slot: Slot, side: Side) -> None:
        self.slot = slot
        self.side = side
        self._region = region
        self._token = 0
        self._beat = -1
        self._since_ns = 0
        self._beaten = False
        self._restarts = 0

    def poll(self, now_ns: int | None = None) -> Peer:
        """The side as it is now."""
        now = time.monotonic_ns() if now_ns is None else now_ns
        card = parse_card(self._region.read(self.slot.line(self.side, Line.PRESENCE), _CARD_SIZE))
        if card is None:
            self._token = 0
            return Peer(Life.ABSENT, restarts=self._restarts)
        if card.token != self._token:
            self._restarts += bool(self._since_ns)
            self._token, self._beat, self._since_ns = card.token, card.beat, now
            self._beaten = False
        elif card.beat != self._beat:
            self._beat, self._since_ns, self._beaten = card.beat, now, True
        silent = now - self._since_ns
        return Peer(self._life(card, silent), card, silent, self._restarts)

    def _life(self, card: PeerCard, silent_ns: int) -> Life:
        if silent_ns >= GONE_NS or (silent_ns >= SILENT_NS and process_ended(card)):
            return Life.GONE
        if silent_ns >= SILENT_NS:
            return Life.SILENT
        return Life.ALIVE if self._beaten else Life.NEW


def process_ended(card: PeerCard) -> bool:
    """Whether the peer's process is known to have ended: same running system, no such pid."""
    if not card.pid or not card.boot or card.boot != boot_number():
        return False
    try:
        # A zombie has ended too: its parent has not waited for it yet.
        return bool(psutil.Process(card.pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
    except (psutil.Error, OverflowError, ValueError):
        return False


class SlotClaim:
    """A side of a slot that this process has taken, until `leave`.

    All control words go through the Region, so that a file that is cut meanwhile is an error.

    Attributes:
        lane: The lane.
        slot: The slot.
        side: Which side of it.
        card: What we wrote into its PRESENCE and NAME lines.
    """

    def __init__(self, region: Region, lane: Lane, slot: Slot, side: Side, card: PeerCard) -> None:
        self.region = region
        self.lane = lane
        self.slot = slot
        self.side = side
        self.card = card
        self._touched = 0
        self._beat_at = slot.word(side, Line.PRESENCE, BEAT_WORD)

    @classmethod
    def take(
        cls,
        region: Region,
        lane: Lane,
        slot: Slot,
        side: Side,
        card: PeerCard,
        *,
        dead_token: int = 0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> SlotClaim:
        """Take a side that is free, or whose peer is known to be gone.

        Raises:
            PeerBusyError: Another peer has it, or took it at the same time.
            LaneLostError: The lane was removed, or is about to be.
            RegionGoneError: The region is gone.
        """
        token_at = slot.word(side, Line.PRESENCE, 0)
        there = region.load(token_at, 8)
        if there not in (0, dead_token):
            raise _busy(region, slot, side)
        claim = cls(region, lane, slot, side, card)
        # Right before the first write: the creator may have restored the old bytes meanwhile.
        claim.check_lane()
        if claim.closing:
            raise LaneLostError("The lane is being taken away by the peer that created it.")
        before = parse_card(region.read(token_at, _CARD_SIZE))
        claim._touched = before.touched if before else region.load(token_at + 8 * TOUCHED_WORD, 8)
        claim._touched = min(claim._touched, slot.data(side).length)
        line = bytearray(build_card(card))
        struct.pack_into("<Q", line, 8 * TOUCHED_WORD, claim._touched)
        region.store(token_at, 8, 0)
        region.write(token_at + 8, line[8:])
        region.write(slot.line(side, Line.COMMAND), bytes(LINE))
        region.store(token_at, 8, card.token)
        sleep(SETTLE_S)
        if region.load(token_at, 8) != card.token:
            raise _busy(region, slot, side)
        claim.beat()
        return claim

    def beat(self) -> None:
        """Count the heartbeat up; to be called at least every BEAT_S.

        Raises:
            LaneLostError: The lane is gone, or another token is in our side.
        """
        self.check()
        value = self.region.load(self._beat_at, 8) + 1
        self.region.store(self._beat_at, 8, value)

    def check(self) -> None:
        """Check that the lane is there and our token in its side. Raises LaneLostError."""
        self.check_lane()
        there = self.region.load(self.slot.word(self.side, Line.PRESENCE, 0), 8)
        if there != self.card.token:
            raise LaneLostError(
                "Our place in the lane was taken by another, or written over.",
                "Two windows may have taken the same place; start the measurement again.",
            )

    def check_lane(self) -> None:
        """Check that the lane is still there. Raises LaneLostError."""
        head = self.region.read(self.lane.offset, _TOKEN_AT + 8)
        magic, token = struct.unpack_from("<Q40xQ", head)
        if magic != _MAGIC or token != self.lane.token:
            raise LaneLostError(
                "The lane is gone: its head was taken away or written over.",
            )

    @property
    def closing(self) -> bool:
        """Whether the creator of the lane asks all peers to leave."""
        return self.region.load(self.lane.offset + STATE_AT, 8) == CLOSING

    def touch(self, length: int) -> None:
        """Announce that the first `length` bytes of our data half will be written.

        Must come before the first such write: the creator restores only what was announced.
        """
        if length > self._touched:
            self._touched = min(length, self.slot.data(self.side).length)
            at = self.slot.word(self.side, Line.PRESENCE, TOUCHED_WORD)
            self.region.store(at, 8, self._touched)

    def report(self, message: Message) -> None:
        """Write a request or reply into our COMMAND line."""
        self.region.write(self.slot.line(self.side, Line.COMMAND), build_message(message))

    def heard(self) -> Message | None:
        """The message in the other side's COMMAND line; None when there is no valid one."""
        at = self.slot.line(self.side.other, Line.COMMAND)
        return parse_message(self.region.read(at, LINE))

    def leave(self) -> None:
        """Free the side, if it is still ours. Safe to call twice, and without lane or region."""
        try:
            self.check()
        except LaneLostError:
            return
        self.region.store(self.slot.word(self.side, Line.PRESENCE, 0), 8, 0)


def _busy(region: Region, slot: Slot, side: Side) -> PeerBusyError:
    card = parse_card(region.read(slot.line(side, Line.PRESENCE), _CARD_SIZE))
    who = str(card) if card else "Another peer"
    what = "measures with this peer" if side is Side.INITIATOR else "has this slot"
    return PeerBusyError(f"{who} {what} already.")
