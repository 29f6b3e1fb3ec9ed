"""The measuring part of an engine: its responder and its running test, each on its own thread.

Tests write into the memory, so both need writing unlocked; locking ends them. However a test ends,
the lane is left, and the bytes under it are restored if this process created the lane.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from ...errors import LaneError, LockedError, PeerBusyError, ScopeError
from ...measure.bandwidth.bandwidth import BandwidthOptions
from ...measure.flash.flash import FlashHandler, Flip, Painted
from ...measure.flash.flash_result import FlashPlan
from ...measure.lane.hold import LaneLease, RestoreOutcome, acquire_lane, give_back, unrestored
from ...measure.lane.layout import Lane
from ...measure.lane.placement import LaneSearch, lane_at
from ...measure.lane.slots import LanePoll
from ...measure.latency.echo import EchoHandler
from ...measure.latency.latency import LatencyOptions
from ...measure.peers.doorbells import measuring_bell
from ...measure.peers.responder import STOP_S, Responder
from ...measure.peers.responder_state import ResponderState
from ...measure.transfer.ring_transfer import TransferHandler
from ...measure.transfer.transfer import TransferOptions
from ...region.region import Region
from ...values.units import format_short_offset, format_size
from .. import messages as msg
from . import measurement_messages as dm
from .measurement_modes import (
    BandwidthTest,
    FlashTest,
    LatencyTest,
    Test,
    TestRun,
    TransferTest,
)

if TYPE_CHECKING:
    from ..engine import Engine

Report = Callable[[msg.Answer], None]
_FIND_EVERY = 8  # a scan of the whole region begins at every eighth poll
_FIND_S = 0.05  # and goes on for so long at each
WAITS = "Waiting for a silent peer in the lane before the bytes under it are restored…"


class MeasurementService:
    """What the measurement commands work with (measurement_commands.py).

    Args:
        region: The engine's region.
        report: Called with each answer.
        locked: Whether writing is locked.
    """

    def __init__(
        self,
        region: Region,
        report: Report,
        locked: Callable[[], bool],
    ) -> None:
        self._region = region
        self._report = report
        self._locked = locked
        self._flash = FlashHandler(self._show)
        self._tests: dict[type, Test] = {
            FlashPlan: FlashTest(self._show),
            LatencyOptions: LatencyTest(),
            TransferOptions: TransferTest(),
            BandwidthOptions: BandwidthTest(),
        }
        self._lock = threading.Lock()
        self._responder: Responder | None = None
        self._leaving: list[Responder] = []  # switched off, perhaps still restoring bytes
        self._running: TestRun | None = None
        self._ended = threading.Event()
        self._ended.set()
        self._lane: Lane | None = None
        self._watch: LanePoll | None = None
        self._looks = 0
        self._search: LaneSearch | None = None

    def _show(self, flip: Flip) -> None:
        self._report(dm.Flashed(flip))

    @classmethod
    def for_engine(cls, engine: Engine) -> Self:
        """The one of this engine."""
        return cls(engine.region, engine.report, lambda: engine.journal.locked)

    # -- what is left of tests that crashed -------------------------------------------------------

    def list_unrestored(self) -> tuple[str, ...]:
        """Where bytes that a crashed test saved have not been put back."""
        return tuple(
            f"{format_size(saved.header.lane.size)} at "
            f"{format_short_offset(saved.header.lane.offset)}"
            for saved in unrestored(self._region)
        )

    def restore_saved(self) -> tuple[RestoreOutcome, ...]:
        """Put them back. Raises LockedError, ReadOnlyError."""
        self._may_write()
        return tuple(give_back(self._region, saved) for saved in unrestored(self._region))

    # -- ending -----------------------------------------------------------------------------------

    def lock(self) -> None:
        """Writing was locked: end everything that writes, in the background."""

        def end() -> None:
            self.stop_test()
            self.silence()

        if self._running is not None or self._responder is not None:
            threading.Thread(target=end, name="measurements-lock", daemon=True).start()

    def close(self, wait_s: float = STOP_S) -> None:
        """End test and responder. Safe to call twice.

        Both may owe the bytes under a lane, so they are given STOP_S together, however short the
        caller's wait: a silent peer is gone only after some seconds.
        """
        until = time.monotonic() + max(wait_s, STOP_S)
        self.silence(0.0)
        self.stop_test(max(wait_s, STOP_S))
        for responder in list(self._leaving):
            responder.stop(max(0.0, until - time.monotonic()))

    # -- the responder ----------------------------------------------------------------------------

    def respond(self, wanted: dm.LaneRequest) -> ResponderState:
        """Switch the responder on. Raises LockedError, ReadOnlyError."""
        self._may_write()
        with self._lock:
            if self._responder is None or not self._responder.running:  # it ends when bytes fail
                self._responder = Responder(
                    self._region,
                    lambda sleep: self._hold(wanted, sleep),
                    [EchoHandler(), TransferHandler(), self._flash],
                    lambda state: self._report(dm.ResponderChanged(state)),
                )
                self._responder.start()
            return self._responder.state

    def silence(self, wait_s: float = 5.0) -> ResponderState:
        """Switch it off."""
        with self._lock:
            responder, self._responder = self._responder, None
            self._leaving = [one for one in self._leaving if one.running]
            if responder is not None:
                self._leaving.append(responder)
        return responder.stop(wait_s) if responder is not None else ResponderState()

    def _hold(self, wanted: dm.LaneRequest, sleep: Callable[[float], None]) -> LaneLease:
        lease = acquire_lane(
            self._region, wanted.offset, wanted.size, wanted.slots, force=wanted.force, sleep=sleep
        )
        lease.on_ending = self._tell_ending
        return lease

    def _tell_ending(self, ending: RestoreOutcome | None) -> None:
        if ending is None:
            self._report(msg.Ending(waits=WAITS))
        elif ending in (RestoreOutcome.NOTHING_OWED, RestoreOutcome.RESTORED):
            self._report(msg.Ending())
        else:
            self._report(msg.Ending(left=f"Under the lane: {ending.value}."))

    def _may_write(self) -> None:
        self._region.info.need_writable()
        if self._locked():
            raise LockedError("Measuring writes into its lane, and writing is locked.")

    # -- the test ---------------------------------------------------------------------------------

    def begin_test(self, request: int, command: dm.StartTest) -> TestRun:
        """Check whether this test can run, and take the place of the running one.

        Raises:
            LockedError, ReadOnlyError: Nothing may be written.
            PeerBusyError: A test is running.
        """
        self._may_write()
        if type(command.plan) not in self._tests:
            raise ScopeError(f"There is no test for {type(command.plan).__name__}.")
        with self._lock:
            if self._running is not None:
                raise PeerBusyError("A test is running here already.", "Stop it first.")
            self._running = TestRun(
                lambda text: self._report(dm.TestProgress(request, text)),
                lambda figures: self._report(dm.TestProgress(request, figures=figures)),
            )
            self._ended.clear()
            return self._running

    def run_test(self, command: dm.StartTest, io: TestRun) -> dm.Outcome:
        """Run it to its end, or until it is stopped. Raises what the test raises."""
        try:
            return self._measure(command, self._tests[type(command.plan)], io)
        finally:
            self.end_test(io)

    def end_test(self, io: TestRun) -> None:
        """It has ended, or will not begin."""
        with self._lock:
            if self._running is io:
                self._running = None
                self._ended.set()

    def _measure(self, command: dm.StartTest, test: Test, io: TestRun) -> dm.Outcome:
        if isinstance(command.plan, LatencyOptions):
            measuring_bell(self._region, command.plan.wait)  # before anything is written
        hold = self._hold(command.wanted, io.sleep)
        try:
            result = test.run(self._region, hold.lane, command, io)
        finally:
            ending = hold.close()
        return dm.Outcome(result, ending)

    def stop_test(self, wait_s: float = 5.0) -> None:
        """End the running test, if there is one."""
        with self._lock:
            running = self._running
        if running is not None:
            running.stop()
            self._ended.wait(wait_s)

    def flip(self) -> None:
        """Flash now, if the running test flips by hand."""
        running = self._running
        if running is not None:
            running.on_flip()

    def painted(self, painted: Painted) -> None:
        """The window painted a flash of the peer."""
        self._flash.painted(painted)

    def reacted(self, number: int, reaction_ns: int) -> None:
        """A person pressed a key after it."""
        self._flash.reacted(number, reaction_ns)

    # -- looking ----------------------------------------------------------------------------------

    def poll_lane(self, wanted: dm.LaneRequest) -> dm.LaneView:
        """The peers in the lane."""
        try:
            lane = self._lane_now(wanted)
        except LaneError as error:
            return dm.LaneView(None, trouble=str(error))
        if lane is None:
            self._watch = None
            return dm.LaneView(None)
        if self._watch is None or lane != self._lane:
            self._lane, self._watch = lane, LanePoll(self._region, lane)
        ours = self._responder.state.slot if self._responder is not None else -1
        slots = tuple(
            dm.SlotView(
                peers.slot.index,
                peers.responder.card,
                peers.responder.life,
                peers.initiator.card,
                peers.initiator.life,
                peers.slot.index == ours,
            )
            for peers in self._watch.poll()
        )
        return dm.LaneView(lane, slots)

    def _lane_now(self, wanted: dm.LaneRequest) -> Lane | None:
        """The lane that is there: the one found before if it still exists, else by searching."""
        known = wanted.offset
        if known is None and self._lane is not None:
            known = self._lane.offset
        if known is not None:
            try:
                return lane_at(self._region, known)
            except LaneError:
                if wanted.offset is not None:
                    return None
                self._lane = None
        self._looks += 1
        if self._search is None and self._looks % _FIND_EVERY == 1:
            self._search = LaneSearch(self._region)
        return self._search_on()

    def _search_on(self) -> Lane | None:
        search = self._search
        if search is None:
            return None
        try:
            return search.go_on(_FIND_S)
        except LaneError:
            search.over = True
            raise
        finally:
            if search.over:
                self._search = None
