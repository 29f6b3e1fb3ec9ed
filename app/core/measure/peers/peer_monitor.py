"""Watches an initiator's peer during a test: polled between slices, each change reported once."""

from __future__ import annotations

import time
from typing import Final

from ...errors import CancelledError, NoPeerError
from ..lane.presence import Life, Peer
from ..lane.requests import Command, Message
from ..run_context import RunContext
from .initiator import Initiator

_SENTENCES: Final = {
    Life.SILENT: "The peer fell silent.",
    Life.GONE: "The peer is gone.",
    Life.ABSENT: "The peer left.",
}
_STEP_S: Final = 0.05


class PeerMonitor:
    """Watches an initiator's peer, reports its changes, and asks again after a restart.

    Args:
        initiator: Seated.
        context: How to wait for a peer that is away, and whether to end that.
        give_up_s: Wait no longer for a peer that is away; None waits for ever.

    Attributes:
        report: Told what a person should know; the context's at first.
    """

    def __init__(
        self,
        initiator: Initiator,
        context: RunContext,
        *,
        give_up_s: float | None = None,
    ) -> None:
        self.initiator = initiator
        self.report = context.report
        self.context = context
        self._give_up_s = give_up_s
        self._life = Life.ALIVE
        self._restarts = 0
        self._away_since = 0.0

    def poll(self) -> Peer:
        """Send a heartbeat, poll the peer, report changes, ask again after a restart.

        Raises:
            PeerRefusedError, LaneLostError, RegionGoneError: As Initiator.
        """
        peer = self.initiator.tick()
        self.initiator.resume()
        self._report_state(peer)
        return peer

    def ask(self, command: Command, values: tuple[int, ...] = ()) -> Message:
        """Ask the peer to begin. If it leaves meanwhile, wait for it or for the next in its slot.

        Raises:
            CancelledError: Ended while it was waited for.
            NoPeerError: No peer came in time, or one that is alive does not reply.
            PeerRefusedError, LaneLostError, RegionGoneError: As Initiator.
        """
        self._away_since = 0.0
        return self.initiator.ask(command, values, away=self._wait)

    def _wait(self) -> None:
        """A moment without a peer."""
        self._report_state(self.initiator.peer)
        now = time.monotonic()
        self._away_since = self._away_since or now
        if self.context.cancelled():
            raise CancelledError("Stopped while nobody answered.")
        if self._give_up_s is not None and now - self._away_since >= self._give_up_s:
            raise NoPeerError("The peer went, and no other came.")
        self.context.sleep(_STEP_S)

    def _report_state(self, peer: Peer) -> None:
        texts = []
        if self.initiator.restarts != self._restarts:
            texts.append("The peer restarted and was asked again.")
        if peer.life is not self._life and peer.life in _SENTENCES:
            texts.append(_SENTENCES[peer.life])
        elif self._life is Life.SILENT and peer.life is Life.ALIVE:
            texts.append("The peer is back.")
        self._life, self._restarts = peer.life, self.initiator.restarts
        for text in texts:
            self.report(text)
