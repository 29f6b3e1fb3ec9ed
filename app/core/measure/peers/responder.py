"""The answering side: takes a slot, and serves the requests of initiators until it is stopped.

A test mode plugs in as a `Handler`. There are two threads: the service thread sends heartbeats,
reads requests and watches the initiator; while a test runs, a worker is in the handler's loop,
which only reads `task.stopped` (or passes the address of `task.stop` to the C kernel). So the
service does not disturb a loop, and a handler need not know about presence.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from ...errors import (
    LaneError,
    LaneLostError,
    LanePlaceError,
    PeerBusyError,
    RegionGoneError,
    ScopeError,
)
from ...region.region import Region
from ..lane.hold import LaneLease, RestoreOutcome, still_there
from ..lane.layout import Lane
from ..lane.peer_card import Capability, PeerCard, own_card
from ..lane.presence import SlotClaim
from ..lane.slots import take_slot
from .doorbells import answering_bell
from .responder_state import Phase, ResponderState
from .responder_task import Handler
from .slot_service import SlotService

_AGAIN_S: Final = 1.0
STOP_S: Final = 15.0  # a worker and a peer that is silent may take 5 s each


class _Stopped(Exception):  # noqa: N818 - unwinds a wait when the responder is stopped
    pass


class Responder:
    """Answers in a lane until `stop`.

    Args:
        region: Where.
        hold: Finds or creates the lane; called again after a lane was lost. Its argument is the
            function to sleep with.
        handlers: The test modes that it supports.
        report: Called with each new state, from the service thread.
    """

    def __init__(
        self,
        region: Region,
        hold: Callable[[Callable[[float], None]], LaneLease],
        handlers: Sequence[Handler],
        report: Callable[[ResponderState], None] = lambda state: None,
    ) -> None:
        self.state = ResponderState()
        self._region = region
        self._hold = hold
        self._handlers = {handler.command: handler for handler in handlers}
        self._report_state = report
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._live, name="responder", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it serves; it ends by itself only when the region is gone."""
        return self._thread.is_alive()

    def stop(self, timeout_s: float = STOP_S) -> ResponderState:
        """Leave the slot, restore the bytes under our lane, end. Safe to call twice."""
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
                self._report(ResponderState(tests=self.state.tests, trouble=self.state.trouble))
                try:
                    self._serve_lane()
                except LanePlaceError:
                    raise  # it will never fit
                except (LaneError, PeerBusyError) as error:
                    self._report(replace(self.state, phase=Phase.TROUBLE, trouble=error))
                    self._pause(_AGAIN_S)
        except _Stopped:
            self._report(replace(self.state, phase=Phase.ENDED, command="", initiator=None))
        except ScopeError as error:
            self._report(replace(self.state, phase=Phase.ENDED, trouble=error, command=""))

    def _pause(self, seconds: float) -> None:
        if self._end.wait(seconds):
            raise _Stopped

    def _serve_lane(self) -> None:
        hold = self._hold(self._pause)
        try:
            while self._stay(hold.lane):
                self._pause(_AGAIN_S)
        finally:
            # The bytes are restored also when we are stopped, so its waits must not be cut short.
            ending = hold.close()
            if ending is not RestoreOutcome.NOTHING_OWED:
                self._report(replace(self.state, ending=ending))

    def _card(self) -> PeerCard:
        able = Capability.NONE
        for handler in self._handlers.values():
            able |= handler.capability
        return own_card(self._region.info, able, answering_bell(self._region))

    def _report(self, state: ResponderState) -> None:
        if state != self.state:
            self.state = state
            self._report_state(state)

    def _stay(self, lane: Lane) -> bool:
        """Serve one slot; True when only our side of it was lost, and another may be taken."""
        claim = take_slot(self._region, lane, self._card(), self._pause)
        try:
            self._service(claim, lane).attend()
        except LaneLostError as error:
            if not still_there(self._region, lane):
                raise
            self._report(replace(self.state, phase=Phase.TROUBLE, trouble=error))
            return True
        finally:
            with contextlib.suppress(RegionGoneError):
                claim.leave()
        return False

    def _service(self, claim: SlotClaim, lane: Lane) -> SlotService:
        home = ResponderState(Phase.LISTENING, lane, claim.slot.index, tests=self.state.tests)
        return SlotService(self._region, claim, self._handlers, home, self._report, self._pause)
