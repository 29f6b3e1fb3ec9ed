"""Being there: taking a side of a slot, beating while one lives, and seeing who else is there.

Memory behind two operating systems has no common lock, so a side is taken by Fischer's rule:
see it free, write one's token, wait, look whether it is still one's own. Life is a word that
changes; no clock is compared, and each reader times the silence with its own.
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
    NEW = "new"  # there is a card; not seen beating yet
    ALIVE = "alive"
    SILENT = "silent"  # no beat for 1 s
    GONE = "gone"  # no beat for 5 s, or its process is known to have ended


@dataclass(frozen=True, slots=True)
class Peer:
    """One look at a side.

    Attributes:
        life: Whether it lives.
        card: Who it is; None when absent.
        silent_ns: How long it has not been seen to beat.
        restarts: How often another token came up since the watching began.
    """

    life: Life
    card: PeerCard | None = None
    silent_ns: int = 0
    restarts: int = 0

    @property
    def alive(self) -> bool:
        """Seen beating within the last second."""
        return self.life is Life.ALIVE

    @property
    def taken(self) -> bool:
        """Whether the side is not free."""
        return self.life not in (Life.ABSENT, Life.GONE)


class PeerWatch:
    """Watches one side of a slot; call `look` a few times a second or more."""

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
    """Whether we can see that the peer's process is no more: same running system, no such pid."""
    if not card.pid or not card.boot or card.boot != boot_number():
        return False
    try:
        # A zombie has ended too: only its parent has not asked yet.
        return bool(psutil.Process(card.pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
    except (psutil.Error, OverflowError, ValueError):
        return False


class SlotClaim:
    """A taken side of a slot: ours until `leave`.

    All control words go through the Region, so that a region cut under us is an error.

    Attributes:
        lane: The lane.
        slot: The slot.
        side: Which side of it.
        card: Who we said we are.
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
        """Take a side that is free, or whose responder's token is known to be dead.

        Raises:
            PeerBusyError: Another sits there, or was quicker.
            LaneLostError: The lane was taken away, or is about to be.
            RegionGoneError: The region is gone.
        """
        token_at = slot.word(side, Line.PRESENCE, 0)
        there = region.load(token_at, 8)
        if there not in (0, dead_token):
            raise _busy(region, slot, side)
        claim = cls(region, lane, slot, side, card)
        # Right before the first write: what lay there before may be back in this moment.
        claim.check_lane()
        if claim.closing:
            raise LaneLostError("The lane is being taken away by the peer that laid it.")
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
        """Say that we live; at least every BEAT_S.

        Raises:
            LaneLostError: The lane, or our place in it, is not ours any more.
        """
        self.check()
        value = self.region.load(self._beat_at, 8) + 1
        self.region.store(self._beat_at, 8, value)

    def check(self) -> None:
        """Whether lane and place are still what we took. Raises LaneLostError."""
        self.check_lane()
        there = self.region.load(self.slot.word(self.side, Line.PRESENCE, 0), 8)
        if there != self.card.token:
            raise LaneLostError(
                "Our place in the lane was taken by another, or written over.",
                "Two windows may have taken the same place; start the measurement again.",
            )

    def check_lane(self) -> None:
        """Whether the lane is still there. Raises LaneLostError."""
        head = self.region.read(self.lane.offset, _TOKEN_AT + 8)
        magic, token = struct.unpack_from("<Q40xQ", head)
        if magic != _MAGIC or token != self.lane.token:
            raise LaneLostError(
                "The lane is gone: its head was taken away or written over.",
            )

    @property
    def closing(self) -> bool:
        """Whether the layer of the lane asks everybody to leave."""
        return self.region.load(self.lane.offset + STATE_AT, 8) == CLOSING

    def touch(self, length: int) -> None:
        """Say that the first `length` bytes of our data half are or will be written.

        Must come before the first such write: only what is said here is put back at the end.
        """
        if length > self._touched:
            self._touched = min(length, self.slot.data(self.side).length)
            at = self.slot.word(self.side, Line.PRESENCE, TOUCHED_WORD)
            self.region.store(at, 8, self._touched)

    def report(self, message: Message) -> None:
        """Put a request or reply into our COMMAND line."""
        self.region.write(self.slot.line(self.side, Line.COMMAND), build_message(message))

    def heard(self) -> Message | None:
        """The message in the other side's COMMAND line; None when there is no sound one."""
        at = self.slot.line(self.side.other, Line.COMMAND)
        return parse_message(self.region.read(at, LINE))

    def leave(self) -> None:
        """Free the side, if it is still ours. Safe to call twice, and when all is lost."""
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
