"""One accepted request, and the interface of a test mode's handler."""

from __future__ import annotations

import ctypes
from typing import Protocol

from ...region.region import Region
from ...region.region_window import RegionWindow
from ..lane.peer_card import Capability, PeerCard
from ..lane.presence import SlotClaim
from ..lane.requests import Command, Message, Refusal


class RefusedRequest(Exception):  # noqa: N818 - it is an answer, not an error
    """Raised by a handler that refuses a request."""

    def __init__(self, why: Refusal, detail: int = 0) -> None:
        super().__init__(why.sentence)
        self.why = why
        self.detail = detail


class ResponderTask:
    """One accepted request, as it is passed to its handler.

    Attributes:
        region: The region.
        slot: The slot that the test runs in; offsets of lines and data come from here.
        claim: Our side; call its `touch` before writing into our data half.
        request: The request; its values were not checked.
        initiator: The peer that sent it.
        window: Direct access to the whole lane; None where the region has no mapping.
        stop: Becomes 1 when the handler shall end; the C kernel reads it by its address.
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
