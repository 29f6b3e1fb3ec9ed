"""Records of what the journal and the test signals wrote."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ..errors import ScopeError

if TYPE_CHECKING:
    from .freezes import Freeze
    from .patterns import Repeat


class WriteOutcome(Enum):
    """What became of a write."""

    WHOLE = "landed"
    PART = "landed in part"
    NONE = "did not land"
    UNDONE = "undone"
    UNDONE_IN_PART = "undone in part"
    INTERRUPTED = "interrupted: the engine ended within it"


@dataclass(frozen=True, slots=True)
class Seen:
    """Bytes that a person saw before they asked for a write, somewhere in its range."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """One entry of the journal.

    Attributes:
        number: Grows by one with each entry.
        time_ns: Monotonic; `clock_s` is the same moment as seconds since 1970 for people.
        old: What was there; at most the first 64 bytes (the journal itself keeps all).
        new: What was to be written, cut the same way.
        length: Bytes in the whole write.
        outcome: What became of it.
        label: What the person did.
        undoes: Number of the entry that this one takes back or does again; 0 = a plain write.
        leaves: What became of that entry by this; None for a plain write.
        joins: Number of the entry before it that this one has taken in, because both were typed
            in one go; 0 = none.
    """

    number: int
    time_ns: int
    clock_s: float
    offset: int
    length: int
    old: bytes
    new: bytes
    outcome: WriteOutcome
    label: str
    undoes: int = 0
    leaves: WriteOutcome | None = None
    joins: int = 0


@dataclass(frozen=True, slots=True)
class RepeatState:
    """A running test signal: what it is and how fast it really goes."""

    number: int
    repeat: Repeat
    writes: int
    rate_hz: float
    asked_hz: float
    last: bytes
    error: ScopeError | None = None


@dataclass(frozen=True, slots=True)
class FreezeState:
    """A frozen value: how often a peer wrote there, and how often it was looked at.

    Attributes:
        number: Tells it from all else that writes by itself.
        freeze: What is held.
        fights: Looks that found other bytes than ours, after the first.
        theirs: What the last of them found; empty when there was none.
        writes: How often it was written, the first time counted.
        look_hz: Looks per second, as they really were; what lasts shorter is not seen.
        error: What ended it.
    """

    number: int
    freeze: Freeze
    fights: int
    theirs: bytes
    writes: int
    look_hz: float
    error: ScopeError | None = None
