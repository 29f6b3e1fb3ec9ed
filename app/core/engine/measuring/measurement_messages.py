"""Commands of the Measure view to an engine, and answers while a test runs.

They travel as the other messages do (messages.py); every command here is answered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...measure.flash.flash import Flip, Painted
from ...measure.histogram import Summary
from ...measure.lane.hold import RestoreOutcome
from ...measure.lane.layout import Lane
from ...measure.lane.peer_card import Capability, PeerCard
from ...measure.lane.presence import Life
from ...measure.latency.latency_result import Point
from ...measure.peers.responder_state import ResponderState
from ..messages import Answer, Command


@dataclass(frozen=True, slots=True)
class LaneRequest:
    """Where a person wants the lane; None is the default place, or the existing lane.

    Attributes:
        offset, size, slots: As `place_lane`.
        force: Create it even over bytes that keep changing.
    """

    offset: int | None = None
    size: int | None = None
    slots: int | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class Respond(Command[ResponderState]):
    """Switch the responder on or off: its state."""

    on: bool
    wanted: LaneRequest = field(default_factory=LaneRequest)


@dataclass(frozen=True, slots=True)
class PollLane(Command["LaneView"]):
    """The peers in the lane. Reads only."""

    wanted: LaneRequest = field(default_factory=LaneRequest)


@dataclass(frozen=True, slots=True)
class StartTest(Command["Outcome"]):
    """Run a test; TestProgress while it runs, its Outcome at the end, also of one that is stopped.

    Attributes:
        plan: A FlashPlan or another test's plan; its type says which test.
        slot: Measure with the responder of this slot; None is the first that fits.
    """

    plan: Any
    wanted: LaneRequest = field(default_factory=LaneRequest)
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class StopTest(Command[None]):
    """End the running test early; its Outcome holds what was measured until then."""


@dataclass(frozen=True, slots=True)
class FlipNow(Command[None]):
    """Flash now; for a test that flips by hand."""


@dataclass(frozen=True, slots=True)
class FlashPainted(Command[None]):
    """The window painted a flash of the peer."""

    painted: Painted


@dataclass(frozen=True, slots=True)
class FlashReacted(Command[None]):
    """A person pressed a key after a flash of the peer was painted."""

    number: int
    reaction_ns: int


@dataclass(frozen=True, slots=True)
class ListUnrestored(Command[tuple[str, ...]]):
    """What a program that crashed in a test still owes, each as a sentence."""


@dataclass(frozen=True, slots=True)
class RestoreSaved(Command[tuple[RestoreOutcome, ...]]):
    """Put those bytes back: what became of each."""


# -- what comes back --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SlotView:
    """One slot, as the window shows it."""

    slot: int
    responder: PeerCard | None
    responder_life: Life
    initiator: PeerCard | None
    initiator_life: Life
    ours: bool

    def able(self, needs: Capability) -> bool:
        """Whether its responder is alive and supports that."""
        card = self.responder
        alive = self.responder_life is Life.ALIVE and not self.ours
        return alive and card is not None and needs in card.capabilities


@dataclass(frozen=True, slots=True)
class LaneView:
    """The lane as it is now.

    Attributes:
        lane: None when there is none.
        slots: Its slots.
        trouble: Why the lane that is there cannot be used, as a sentence; empty when it can.
    """

    lane: Lane | None
    slots: tuple[SlotView, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a test: its result, and whether the bytes under the lane were restored."""

    result: Any
    ending: RestoreOutcome


@dataclass(frozen=True, slots=True)
class LiveLatency:
    """Figures of a running latency test.

    Attributes:
        share: Of the test that is done, 0 to 1; below 0 while it warms up.
        response: The response times so far.
        lost: Lost so far.
        series: The time series so far.
    """

    share: float
    response: Summary
    lost: int
    series: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class TestProgress(Answer):
    """While a test runs: a sentence, or figures of that test.

    Attributes:
        request: Which StartTest.
        text: A sentence for people; empty when there is none.
        figures: The test's own live figures; None when there are none.
    """

    request: int
    text: str = ""
    figures: Any = None


@dataclass(frozen=True, slots=True)
class ResponderChanged(Answer):
    """The responder's state changed."""

    state: ResponderState


@dataclass(frozen=True, slots=True)
class Flashed(Answer):
    """A flash, for the window to paint."""

    flip: Flip
