"""The answering side: takes a slot, shows itself, does what masters ask until it is told to end.

A test mode plugs in as a `Handler`. Two threads: one attends (heartbeat, requests, whether the
master still lives) and one, while a test runs, is in the handler's loop, which only looks at
`job.stopped` (or hands `job.stop` to the C kernel). So a loop is never interrupted by the
attending, and a handler needs no knowledge of presence.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, Protocol

from app.core.errors import (
    LaneError,
    LaneLostError,
    PeerBusyError,
    RegionGoneError,
    ScopeError,
    UnsuitableError,
)
from app.core.probe.bells import answering_bell
from app.core.probe.cards import Capability, Card, own_card
from app.core.probe.keeper import Ending, LaneHold, still_there
from app.core.probe.lane import Lane, Side
from app.core.probe.presence import BEAT_S, Life, Peer, PeerWatch, Seat
from app.core.probe.requests import Command, Message, Refusal, Status
from app.core.probe.seating import take_slot
from app.core.region import Region
from app.core.region_window import RegionWindow

IDLE_STEP_S: Final = 0.01  # armed but idle: about 2 % of a core (perf.md 2)
BUSY_STEP_S: Final = 0.05
_AGAIN_S: Final = 1.0
log = logging.getLogger(__name__)


class RefusedRequest(Exception):  # noqa: N818 - it is an answer, not an error
    """Raised by a handler that will not do what was asked."""

    def __init__(self, why: Refusal, detail: int = 0) -> None:
        super().__init__(why.sentence)
        self.why = why
        self.detail = detail


class Job:
    """One accepted request, as its handler sees it.

    Attributes:
        region: The region.
        slot: The slot that the test runs in; offsets of lines and data come from here.
        seat: Our side; `touch` it before writing into our data half.
        request: What was asked; every value in it may be anything.
        master: Who asked.
        window: Direct access to the whole lane; None where the region has no mapping.
        stop: Becomes 1 when the handler shall end; its address is for the C kernel.
    """

    def __init__(
        self,
        region: Region,
        seat: Seat,
        request: Message,
        master: Card | None,
        window: RegionWindow | None,
    ) -> None:
        self.region = region
        self.slot = seat.slot
        self.seat = seat
        self.request = request
        self.master = master
        self.window = window
        self.stop = ctypes.c_int32(0)

    @property
    def stopped(self) -> bool:
        """Whether to end."""
        return bool(self.stop.value)

    def need_window(self) -> RegionWindow:
        """The window, for handlers that cannot do without.

        Raises:
            RefusedRequest: There is none.
        """
        if self.window is None:
            raise RefusedRequest(Refusal.NO_MAPPING)
        return self.window


class Handler(Protocol):
    """One test mode's answering side."""

    command: Command
    capability: Capability

    def begin(self, job: Job) -> tuple[int, ...]:
        """Check the parameters; the values of the RUNNING reply. Must be quick.

        Raises:
            RefusedRequest: It cannot be done.
        """
        ...

    def run(self, job: Job) -> tuple[int, ...]:
        """Answer until `job.stopped` or the test is over; the values of the DONE reply."""
        ...


class Phase(Enum):
    """What the responder does."""

    LOOKING = "looking for a place"
    LISTENING = "listening"
    ANSWERING = "answering"
    TROUBLE = "in trouble"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class ResponderState:
    """For whoever shows it.

    Attributes:
        phase: What it does.
        lane: The lane; None while looking.
        slot: Its slot's number; -1 while looking.
        master: Who measures, or sits on our slot's other side.
        command: The running test, by name.
        tests: How many tests were served.
        trouble: What is wrong, while in trouble or when ended by it.
        ending: What became of the bytes under the lane, once ended.
    """

    phase: Phase = Phase.LOOKING
    lane: Lane | None = None
    slot: int = -1
    master: Card | None = None
    command: str = ""
    tests: int = 0
    trouble: ScopeError | None = None
    ending: Ending | None = None


class _Stopped(Exception):  # noqa: N818 - unwinds a wait when the responder is told to end
    pass


class Responder:
    """Answers in a lane until `stop`.

    Args:
        region: Where.
        hold: Finds or lays the lane; called again after a lane was lost. It is given the
            function to sleep with.
        handlers: The test modes that it knows.
        tell: Called with each new state, from the attending thread.
    """

    def __init__(
        self,
        region: Region,
        hold: Callable[[Callable[[float], None]], LaneHold],
        handlers: Sequence[Handler],
        tell: Callable[[ResponderState], None] = lambda state: None,
    ) -> None:
        self.state = ResponderState()
        self._region = region
        self._hold = hold
        self._handlers = {handler.command: handler for handler in handlers}
        self._tell = tell
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._live, name="responder", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it still answers; it ends by itself only when the region is gone."""
        return self._thread.is_alive()

    def stop(self, timeout_s: float = 5.0) -> ResponderState:
        """Leave the slot, put bytes back where they are owed, end. Safe to call twice."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return self.state

    def run(self) -> ResponderState:
        """The same in the caller's thread; ends by `stop` from another, or when the region goes."""
        self._live()
        return self.state

    # -- the attending thread ----------------------------------------------------------------------

    def _live(self) -> None:
        try:
            while not self._end.is_set():
                self._say(ResponderState(tests=self.state.tests, trouble=self.state.trouble))
                try:
                    self._serve_lane()
                except (LaneError, PeerBusyError) as error:
                    self._say(replace(self.state, phase=Phase.TROUBLE, trouble=error))
                    self._pause(_AGAIN_S)
        except _Stopped:
            self._say(replace(self.state, phase=Phase.ENDED, command="", master=None))
        except ScopeError as error:
            self._say(replace(self.state, phase=Phase.ENDED, trouble=error, command=""))

    def _pause(self, seconds: float) -> None:
        if self._end.wait(seconds):
            raise _Stopped

    def _serve_lane(self) -> None:
        hold = self._hold(self._pause)
        try:
            while self._stay(hold.lane):
                self._pause(_AGAIN_S)
        finally:
            # Bytes go back also when we are told to end, so its waits must not be cut short.
            ending = hold.close()
            if ending is not Ending.NOTHING_OWED:
                self._say(replace(self.state, ending=ending))

    def _card(self) -> Card:
        able = Capability.NONE
        for handler in self._handlers.values():
            able |= handler.capability
        return own_card(self._region.info, able, answering_bell(self._region))

    def _say(self, state: ResponderState) -> None:
        if state != self.state:
            self.state = state
            self._tell(state)

    def _stay(self, lane: Lane) -> bool:
        """One stay in a slot; True when only our place in it was lost, and another may be taken."""
        seat = take_slot(self._region, lane, self._card(), self._pause)
        try:
            self._attending(seat, lane).attend()
        except LaneLostError as error:
            if not still_there(self._region, lane):
                raise
            self._say(replace(self.state, phase=Phase.TROUBLE, trouble=error))
            return True
        finally:
            with contextlib.suppress(RegionGoneError):
                seat.leave()
        return False

    def _attending(self, seat: Seat, lane: Lane) -> _Attending:
        home = ResponderState(Phase.LISTENING, lane, seat.slot.index, tests=self.state.tests)
        return _Attending(self._region, seat, self._handlers, home, self._say, self._pause)


class _Attending:
    """One stay in one slot: beats, hears requests, starts and ends jobs."""

    def __init__(
        self,
        region: Region,
        seat: Seat,
        handlers: Mapping[Command, Handler],
        home: ResponderState,
        say: Callable[[ResponderState], None],
        pause: Callable[[float], None],
    ) -> None:
        self._region = region
        self._seat = seat
        self._handlers = handlers
        self._state = home
        self._say = say
        self._pause = pause
        self._master = PeerWatch(region, seat.slot, Side.MASTER)
        self._answered = 0
        self._asker: Card | None = None
        self._job: Job | None = None
        self._worker: threading.Thread | None = None

    def attend(self) -> None:
        """Until the lane closes, is lost, or the responder is told to end."""
        try:
            beat_at = 0.0
            while not self._seat.closing:
                now = time.monotonic()
                if now >= beat_at:
                    beat_at = now + BEAT_S / 2
                    self._seat.beat()
                    self._region.check()
                self._look(self._master.look())
                self._pause(BUSY_STEP_S if self._job else IDLE_STEP_S)
        finally:
            self._end_job()

    def _look(self, master: Peer) -> None:
        job = self._job
        if job is not None and (not self._running() or master.life in (Life.ABSENT, Life.GONE)):
            self._end_job()
        request = self._seat.heard()
        if request is not None and self._is_new(request, master):
            self._end_job()
            self._answered = request.number
            self._asker = master.card
            self._obey(request)
        job = self._job
        self._state = replace(
            self._state,
            phase=Phase.ANSWERING if job else Phase.LISTENING,
            command=Command(job.request.code).name.lower() if job else "",
            master=replace(master.card, beat=0) if master.card and master.taken else None,
        )
        self._say(self._state)

    def _is_new(self, request: Message, master: Peer) -> bool:
        return (
            request.number != self._answered
            and request.addressee == self._seat.card.token
            and master.taken
        )

    def _running(self) -> bool:
        return self._worker is not None and self._worker.is_alive()

    def _reply(self, request: Message, status: Status, values: tuple[int, ...] = ()) -> None:
        token = self._asker.token if self._asker else 0
        self._seat.say(Message(request.number, status, token, values))

    def _obey(self, request: Message) -> None:
        if request.code == Command.STOP:
            self._reply(request, Status.DONE)
            return
        handler = next((h for code, h in self._handlers.items() if code == request.code), None)
        if handler is None:
            self._reply(request, Status.REFUSED, (Refusal.NOT_ABLE,))
            return
        begun = threading.Event()
        self._worker = threading.Thread(
            target=self._work, args=(handler, request, begun), name="responder-test",
            daemon=True,
        )  # fmt: skip
        self._worker.start()
        begun.wait(2.0)

    def _work(self, handler: Handler, request: Message, begun: threading.Event) -> None:
        """The worker: everything from the handler's check to its result."""
        try:
            with lane_window(self._region, self._seat.lane) as window:
                job = Job(self._region, self._seat, request, self._asker, window)
                values = handler.begin(job)
                self._job = job
                self._reply(request, Status.RUNNING, values)
                begun.set()
                result = handler.run(job)
                if not job.stopped:
                    self._reply(request, Status.DONE, result)
        except RefusedRequest as refused:
            self._reply(request, Status.REFUSED, (refused.why, refused.detail))
        except ScopeError as error:
            log.warning("A test ended here: %s", error)
            with contextlib.suppress(ScopeError):
                self._reply(request, Status.REFUSED, (Refusal.FAILED,))
        finally:
            begun.set()

    def _end_job(self) -> None:
        job, worker = self._job, self._worker
        if job is not None:
            job.stop.value = 1
            self._state = replace(self._state, tests=self._state.tests + 1)
        if worker is not None:
            worker.join(5.0)
        self._job = self._worker = None


@contextlib.contextmanager
def lane_window(region: Region, lane: Lane) -> Iterator[RegionWindow | None]:
    """Direct access to the whole lane; None where the region has no mapping of its own."""
    with contextlib.ExitStack() as stack:
        window = None
        with contextlib.suppress(UnsuitableError):
            window = stack.enter_context(region.window(lane.offset, lane.size))
        yield window
