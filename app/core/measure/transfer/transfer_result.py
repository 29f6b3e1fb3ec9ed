"""Results of a transfer: for each size of messages, each direction that was measured."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, Final

from ..conditions import Conditions
from ..lane.peer_card import EngineKind
from .ring import Layout
from .ring_transfer import TO_MASTER, TO_OWNER

FORMAT: Final = 1


class Direction(Enum):
    """Which direction."""

    TO_PEER = "to-peer"
    FROM_PEER = "from-peer"
    BOTH = "both"

    @property
    def bits(self) -> int:
        """Its code in the request."""
        return {"to-peer": TO_OWNER, "from-peer": TO_MASTER}.get(self.value, TO_OWNER | TO_MASTER)


@dataclass(frozen=True, slots=True)
class DirectionResult:
    """One direction's figures.

    Attributes:
        bytes_per_s: Verified bytes per second of the measured time.
        messages: That arrived whole and in order, from the first on.
        sent: That were sent.
        bad: That arrived with other bytes or another checksum.
        out_of_order: That had another number than expected.
        lost: That were sent and never taken.
    """

    bytes_per_s: float
    messages: int
    sent: int
    bad: int
    out_of_order: int
    lost: int

    @property
    def clean(self) -> bool:
        """Whether all that was sent arrived whole and in order."""
        return not (self.bad or self.out_of_order or self.lost)

    def as_dict(self) -> dict[str, Any]:
        """Keys name their unit."""
        return {**asdict(self), "bits_per_s": self.bytes_per_s * 8}


@dataclass(frozen=True, slots=True)
class SizeResult:
    """One size of messages.

    Attributes:
        message_bytes: The size.
        pieces: Cells of the ring that a message takes.
        ring_bytes: Size of one ring.
        duration_s: Measured time.
        to_peer, from_peer: The ways that were measured.
        cpu_s_per_gb: Our processor time for a gigabyte (10^9 bytes) of either direction.
        peer_cpu_s_per_gb: The peer's.
        stalled_s: Time in which nothing moved for a tenth of a second or more.
        unexpected: Counts of the peer that are impossible.
        peer_engine: The engine that ran the peer's loop.
        complete: It was not cancelled.
    """

    message_bytes: int
    pieces: int
    ring_bytes: int
    duration_s: float
    to_peer: DirectionResult | None
    from_peer: DirectionResult | None
    cpu_s_per_gb: float
    peer_cpu_s_per_gb: float
    stalled_s: float
    unexpected: int
    peer_engine: EngineKind
    complete: bool

    @property
    def ways(self) -> list[DirectionResult]:
        """Those that were measured."""
        return [direction for direction in (self.to_peer, self.from_peer) if direction is not None]

    @property
    def bytes_per_s(self) -> float:
        """Both ways together."""
        return sum(direction.bytes_per_s for direction in self.ways)

    def as_dict(self) -> dict[str, Any]:
        """Keys name their unit."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        plain["peer_engine"] = self.peer_engine.value
        for name in ("to_peer", "from_peer"):
            direction = plain[name]
            plain[name] = None if direction is None else direction.as_dict()
        return {**plain, "bytes_per_s": self.bytes_per_s, "bits_per_s": self.bytes_per_s * 8}


@dataclass(frozen=True, slots=True)
class TransferResult:
    """A finished or cancelled transfer."""

    direction: Direction
    engine: EngineKind
    sizes: tuple[SizeResult, ...]
    complete: bool
    conditions: Conditions
    notes: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether something was transferred, and all of it arrived whole and in order."""
        ways = [direction for size in self.sizes for direction in size.ways]
        return bool(ways) and all(direction.clean and direction.messages for direction in ways)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "format": FORMAT,
            "kind": "transfer",
            "direction": self.direction.value,
            "engine": self.engine.value,
            "complete": self.complete,
            "clean": self.clean,
            "sizes": [size.as_dict() for size in self.sizes],
            "conditions": asdict(self.conditions),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class TransferLive:
    """Figures of the last tenth of a second.

    Attributes:
        share: Of the whole test that is done, 0 to 1.
        message_bytes: The size that runs.
        to_peer_bytes_per_s, from_peer_bytes_per_s: 0 for a direction that is not measured.
        bad: Bad or out_of_order messages so far, of this size.
        done: Sizes that are finished.
    """

    share: float
    message_bytes: int
    to_peer_bytes_per_s: float
    from_peer_bytes_per_s: float
    bad: int
    done: tuple[SizeResult, ...]


def direction_result(
    layout: Layout, speed: float, sent: int, good: int, bad: int, out_of_order: int
) -> DirectionResult:
    """Cells as messages; a message counts as lost or bad when a piece of it does."""
    pieces = layout.pieces
    lost = sent - good - bad - out_of_order
    up = [-(-cells // pieces) for cells in (sent, bad, out_of_order, lost)]
    return DirectionResult(speed, good // pieces, *up)
