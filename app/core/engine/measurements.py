"""The measuring part of an engine: its responder and its running test, each on its own thread.

Tests write into the memory, so both need writing unlocked; locking ends them. However a test ends,
the lane is left, and the bytes under it are restored if this process created the lane.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue

from ..errors import LaneError, LockedError, PeerBusyError, ScopeError
from ..measure.bandwidth.bandwidth import BandwidthOptions
from ..measure.flash.flash import FlashHandler, Flip
from ..measure.flash.flash_result import FlashPlan
from ..measure.lane.hold import LaneLease, acquire_lane, give_back, unrestored
from ..measure.lane.layout import Lane
from ..measure.lane.placement import LaneSearch, lane_at
from ..measure.lane.slots import LanePoll
from ..measure.latency.echo import EchoHandler
from ..measure.latency.latency import LatencyOptions
from ..measure.peers.doorbells import measuring_bell
from ..measure.peers.responder import Responder
from ..measure.peers.responder_state import ResponderState
from ..measure.transfer.ring_transfer import TransferHandler
from ..measure.transfer.transfer import TransferOptions
from ..region.region import Region
from ..values.units import format_short_offset, format_size
from . import measurement_messages as dm
from . import messages as msg
from .measurement_modes import (
    BandwidthTest,
    FlashTest,
    LatencyTest,
    Test,
    TestRun,
    TransferTest,
)

Report = Callable[[msg.Answer], None]
_SLOW = (dm.PollLane, dm.Respond, dm.ListUnrestored, dm.RestoreSaved)
_FIND_EVERY = 8  # a scan of the whole region begins at every eighth look
_FIND_S = 0.05  # and goes on for so long at each


@dataclass(slots=True)
class _Running:
    request: int
    io: TestRun
    thread: threading.Thread


class MeasurementService:
    """Carries out MeasurementCommands.

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
        self._running: _Running | None = None
        self._lane: Lane | None = None
        self._watch: LanePoll | None = None
        self._looks = 0
        self._search: LaneSearch | None = None
        self._slow: SimpleQueue[tuple[int, msg.MeasurementCommand] | None] = SimpleQueue()
        self._worker: threading.Thread | None = None

    def _show(self, flip: Flip) -> None:
        self._report(dm.Flashed(flip))

    # -- commands, from the engine's threads ------------------------------------------------------

    def handle(self, request: int, command: msg.MeasurementCommand) -> None:
        """Carry out a command, and answer. Never raises, never waits: long ones are queued."""
        if isinstance(command, _SLOW):
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="measurements", daemon=True)
                self._worker.start()
            self._slow.put((request, command))
        else:
            self._answer(request, command)

    def _work(self) -> None:
        while (job := self._slow.get()) is not None:
            self._answer(*job)

    def _answer(self, request: int, command: msg.MeasurementCommand) -> None:
        try:
            if isinstance(command, dm.StartTest):
                self._start(request, command)  # answers itself, at its end
            else:
                self._report(msg.Done(request, self._do(command)))
        except ScopeError as error:
            self._report(msg.Failed(request, error))
        except Exception as error:  # noqa: BLE001 - a bug in one answer must not end all later ones
            self._report(msg.Failed(request, _bug(command, error)))

    def _do(self, command: msg.MeasurementCommand) -> object:
        match command:
            case dm.Respond(on, wanted):
                return self._respond(wanted) if on else self._silence()
            case dm.PollLane(wanted):
                return self._look(wanted)
            case dm.ListUnrestored():
                return tuple(
                    f"{format_size(saved.header.lane.size)} at "
                    f"{format_short_offset(saved.header.lane.offset)}"
                    for saved in unrestored(self._region)
                )
            case dm.RestoreSaved():
                self._may_write()
                return tuple(give_back(self._region, saved) for saved in unrestored(self._region))
            case dm.StopTest():
                self.stop_test(wait_s=0)
            case dm.FlipNow():
                self._flip()
            case dm.FlashPainted(painted):
                self._flash.painted(painted)
            case dm.FlashReacted(number, reaction_ns):
                self._flash.reacted(number, reaction_ns)
            case _:
                raise ScopeError(f"The engine does not know {type(command).__name__}.")
        return None

    def lock(self) -> None:
        """Writing was locked: end everything that writes, in the background."""

        def end() -> None:
            self.stop_test()
            self._silence()

        if self._running is not None or self._responder is not None:
            threading.Thread(target=end, name="measurements-lock", daemon=True).start()

    def close(self, wait_s: float = 5.0) -> None:
        """End test and responder. Safe to call twice."""
        self.stop_test(wait_s)
        self._silence(wait_s)
        self._slow.put(None)
        if self._worker is not None and self._worker is not threading.current_thread():
            self._worker.join(wait_s)

    # -- the responder ----------------------------------------------------------------------------

    def _respond(self, wanted: dm.LaneRequest) -> ResponderState:
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

    def _silence(self, wait_s: float = 5.0) -> ResponderState:
        with self._lock:
            responder, self._responder = self._responder, None
        return responder.stop(wait_s) if responder is not None else ResponderState()

    def _hold(self, wanted: dm.LaneRequest, sleep: Callable[[float], None]) -> LaneLease:
        return acquire_lane(
            self._region, wanted.offset, wanted.size, wanted.slots, force=wanted.force, sleep=sleep
        )

    def _may_write(self) -> None:
        self._region.info.need_writable()
        if self._locked():
            raise LockedError("Measuring writes into its lane, and writing is locked.")

    # -- the test ---------------------------------------------------------------------------------

    def _start(self, request: int, command: dm.StartTest) -> None:
        self._may_write()
        test = self._tests.get(type(command.plan))
        if test is None:
            raise ScopeError(f"There is no test for {type(command.plan).__name__}.")
        with self._lock:
            if self._running is not None and self._running.thread.is_alive():
                raise PeerBusyError("A test is running here already.", "Stop it first.")
            io = TestRun(
                lambda text: self._report(dm.TestProgress(request, text)),
                lambda figures: self._report(dm.TestProgress(request, figures=figures)),
            )
            thread = threading.Thread(
                target=self._run, args=(request, command, test, io), name="measurement", daemon=True
            )
            self._running = _Running(request, io, thread)
            thread.start()

    def _run(self, request: int, command: dm.StartTest, test: Test, io: TestRun) -> None:
        try:
            outcome = self._measure(command, test, io)
        except ScopeError as error:
            self._report(msg.Failed(request, error))
        except Exception as error:  # noqa: BLE001 - a bug in a test must not end the engine
            self._report(msg.Failed(request, _bug(command.plan, error)))
        else:
            self._report(msg.Done(request, outcome))

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
            running.io.stop()
            if wait_s and running.thread is not threading.current_thread():
                running.thread.join(wait_s)

    def _flip(self) -> None:
        running = self._running
        if running is not None:
            running.io.on_flip()

    # -- looking ----------------------------------------------------------------------------------

    def _look(self, wanted: dm.LaneRequest) -> dm.LaneView:
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


def _bug(where: object, error: Exception) -> ScopeError:
    text = f"{type(error).__name__} in {type(where).__name__}: {error}"
    return ScopeError(text, "This is a bug; report it.")
