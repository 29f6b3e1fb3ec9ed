"""One stay in a slot: the attending thread's turns, and the worker that is in a handler's loop."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from ...errors import ScopeError, UnsuitableError
from ...region.region import Region
from ...region.region_window import RegionWindow
from ..lane.layout import Lane, Side
from ..lane.peer_card import Card
from ..lane.presence import BEAT_S, Life, Peer, PeerWatch, Seat
from ..lane.requests import Command, Message, Refusal, Status
from .responder_state import Phase, ResponderState
from .responder_task import Handler, Job, RefusedRequest

IDLE_STEP_S: Final = 0.01  # armed but idle: about 2 % of a core (perf.md 2)
BUSY_STEP_S: Final = 0.05
log = logging.getLogger(__name__)


class Attending:
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
            self._failed(request)
        except Exception:  # a bug must not leave the master without a reply
            log.exception("A test ended here by a bug; report it.")
            self._failed(request)
        finally:
            begun.set()

    def _failed(self, request: Message) -> None:
        with contextlib.suppress(ScopeError):
            self._reply(request, Status.REFUSED, (Refusal.FAILED,))

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
