"""A responder's service of one slot: the service thread, and the worker in a handler's loop."""

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
from ..lane.peer_card import PeerCard
from ..lane.presence import BEAT_S, Life, Peer, PeerWatch, SlotClaim
from ..lane.requests import Command, Message, Refusal, Status
from .responder_state import Phase, ResponderState
from .responder_task import Handler, RefusedRequest, ResponderTask

IDLE_STEP_S: Final = 0.01  # no request yet: under 2 % of a core (docs/measurements.md, "Waiting")
BUSY_STEP_S: Final = 0.05
log = logging.getLogger(__name__)


class SlotService:
    """Serves one slot: sends heartbeats, reads requests, starts and ends tasks."""

    def __init__(
        self,
        region: Region,
        claim: SlotClaim,
        handlers: Mapping[Command, Handler],
        home: ResponderState,
        report: Callable[[ResponderState], None],
        pause: Callable[[float], None],
    ) -> None:
        self._region = region
        self._claim = claim
        self._handlers = handlers
        self._state = home
        self._report = report
        self._pause = pause
        self._initiator = PeerWatch(region, claim.slot, Side.INITIATOR)
        self._answered = 0
        self._asker: PeerCard | None = None
        self._task: ResponderTask | None = None
        self._worker: threading.Thread | None = None

    def attend(self) -> None:
        """Serve until the lane closes or is lost, or the responder is stopped."""
        try:
            beat_at = 0.0
            while not self._claim.closing:
                now = time.monotonic()
                if now >= beat_at:
                    beat_at = now + BEAT_S / 2
                    self._claim.beat()
                    self._region.check()
                self._on_initiator(self._initiator.poll())
                self._pause(BUSY_STEP_S if self._task else IDLE_STEP_S)
        finally:
            self._end_task()

    def _on_initiator(self, initiator: Peer) -> None:
        task = self._task
        if task is not None and (not self._running() or initiator.life in (Life.ABSENT, Life.GONE)):
            self._end_task()
        request = self._claim.heard()
        if request is not None and self._is_new(request, initiator):
            self._end_task()
            self._answered = request.number
            self._asker = initiator.card
            self._obey(request)
        task = self._task
        self._state = replace(
            self._state,
            phase=Phase.ANSWERING if task else Phase.LISTENING,
            command=Command(task.request.code).name.lower() if task else "",
            initiator=replace(initiator.card, beat=0)
            if initiator.card and initiator.taken
            else None,
        )
        self._report(self._state)

    def _is_new(self, request: Message, initiator: Peer) -> bool:
        return (
            request.number != self._answered
            and request.addressee == self._claim.card.token
            and initiator.taken
        )

    def _running(self) -> bool:
        return self._worker is not None and self._worker.is_alive()

    def _reply(self, request: Message, status: Status, values: tuple[int, ...] = ()) -> None:
        token = self._asker.token if self._asker else 0
        self._claim.report(Message(request.number, status, token, values))

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
            target=self._work,
            args=(handler, request, begun),
            name="responder-test",
            daemon=True,
        )
        self._worker.start()
        begun.wait(2.0)

    def _work(self, handler: Handler, request: Message, begun: threading.Event) -> None:
        """The worker: everything from the handler's check to its result."""
        try:
            with lane_window(self._region, self._claim.lane) as window:
                task = ResponderTask(self._region, self._claim, request, self._asker, window)
                values = handler.begin(task)
                self._task = task
                self._reply(request, Status.RUNNING, values)
                begun.set()
                result = handler.run(task)
                if not task.stopped:
                    self._reply(request, Status.DONE, result)
        except RefusedRequest as refused:
            self._reply(request, Status.REFUSED, (refused.why, refused.detail))
        except ScopeError as error:
            log.warning("A test ended here: %s", error)
            self._failed(request)
        except Exception:  # a bug must not leave the initiator without a reply
            log.exception("A test ended here by a bug; report it.")
            self._failed(request)
        finally:
            begun.set()

    def _failed(self, request: Message) -> None:
        with contextlib.suppress(ScopeError):
            self._reply(request, Status.REFUSED, (Refusal.FAILED,))

    def _end_task(self) -> None:
        task, worker = self._task, self._worker
        if task is not None:
            task.stop.value = 1
            self._state = replace(self._state, tests=self._state.tests + 1)
        if worker is not None:
            worker.join(5.0)
        self._task = self._worker = None


@contextlib.contextmanager
def lane_window(region: Region, lane: Lane) -> Iterator[RegionWindow | None]:
    """Direct access to the whole lane; None where the region has no mapping of its own."""
    with contextlib.ExitStack() as stack:
        window = None
        with contextlib.suppress(UnsuitableError):
            window = stack.enter_context(region.window(lane.offset, lane.size))
        yield window
