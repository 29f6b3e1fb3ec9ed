"""One accepted request: what a test mode's handler is given, and what it must be able to do."""

from __future__ import annotations

import ctypes
from typing import Protocol

from ...region.region import Region
from ...region.region_window import RegionWindow
from ..lane.peer_card import Capability, PeerCard
from ..lane.presence import SlotClaim
from ..lane.requests import Command, Message, Refusal


class RefusedRequest(Exception):  # noqa: N818 - it is an answer, not an error
    """Raised by a handler that will not do what was asked."""

    def __init__(self, why: Refusal, detail: int = 0) -> None:
        super().__init__(why.sentence)
        self.why = why
        self.detail = detail


class ResponderTask:
    """One accepted request, as its handler sees it.

    Attributes:
        region: The region.
        slot: The slot that the test runs in; offsets of lines and data come from here.
        claim: Our side; `touch` it before writing into our data half.
        request: What was asked; every value in it may be anything.
        initiator: Who asked.
        window: Direct access to the whole lane; None where the region has no mapping.
        stop: Becomes 1 when the handler shall end; its address is for the C kernel.
    """

    def __init__(
        self,
        region: Region,
        claim: SlotClaim,
        request: Message,
        initiator: PeerCard | None,
        window: RegionWindow | None,
    ) -> None:
        self.region = region
        self.slot = claim.slot
        self.claim = claim
        self.request = request
        self.initiator = initiator
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

    def begin(self, task: ResponderTask) -> tuple[int, ...]:
        """Check the parameters; the values of the RUNNING reply. Must be quick.

        Raises:
            RefusedRequest: It cannot be done.
        """
        ...

    def run(self, task: ResponderTask) -> tuple[int, ...]:
        """Answer until `task.stopped` or the test is over; the values of the DONE reply."""
        ...
