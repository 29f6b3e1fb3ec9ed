"""What a responder does at the moment, for the window and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ...errors import ScopeError
from ..lane.hold import RestoreOutcome
from ..lane.layout import Lane
from ..lane.peer_card import PeerCard


class Phase(Enum):
    """What the responder does."""

    LOOKING = "looking for a place"
    LISTENING = "listening"
    ANSWERING = "answering"
    TROUBLE = "in trouble"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class ResponderState:
    """A responder's state, as it is shown.

    Attributes:
        phase: What it does.
        lane: The lane; None while looking.
        slot: Its slot's number; -1 while looking.
        initiator: The peer that measures, or that has taken the initiator side of our slot.
        command: The running test, by name.
        tests: How many tests were served.
        trouble: What is wrong, while in trouble or when ended by it.
        ending: What became of the bytes under the lane, once ended.
    """

    phase: Phase = Phase.LOOKING
    lane: Lane | None = None
    slot: int = -1
    initiator: PeerCard | None = None
    command: str = ""
    tests: int = 0
    trouble: ScopeError | None = None
    ending: RestoreOutcome | None = None
