"""One accepted request: what a test mode's handler is given, and what it must be able to do."""

from __future__ import annotations

import ctypes
from typing import Protocol

from ...region.region import Region
from ...region.region_window import RegionWindow
from ..lane.peer_card import Capability, Card
from ..lane.presence import Seat
from ..lane.requests import Command, Message, Refusal


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
