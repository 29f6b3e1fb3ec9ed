"""Flash: from a store in the memory to a painted patch in the peer's window, and back.

The initiator stores a number; the responder's engine sees it, its window paints, and only then the
responder stores the number back. Both sides keep times: the parts on one side are exact by its
clock. The time through the memory is exact only where both share a clock; otherwise it is half
of the remaining time, with that half as its uncertainty.

A photo of both windows shows the difference too: each patch shows its number as digits and as a
bar pattern (`bars`).

FLASH line (docs/lane.md). Initiator: word 0 number, 1 its time. Responder: word 0 number
painted, 1 when it was seen, 2 when it was painted, 3 when this line was stored, 4 paints of its
window so far, 5 its display's period, 6 the number that a person last reacted to, 7 the ns from
paint to key.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from ..lane.layout import Line, Side
from ..lane.peer_card import Capability
from ..lane.requests import Command, Refusal
from ..peers.responder_task import RefusedRequest, ResponderTask

I64 = npt.NDArray[np.int64]

POLL_S: Final = 0.0002
BARS: Final = 16
OWNER_WORDS: Final = 6
REACTED: Final = 6


class Surface(IntEnum):
    """What the responder's window paints."""

    PATCH = 0  # a patch that fills the Measure view
    HEX = 1  # the hex view, which shows the number itself in the memory


@dataclass(frozen=True, slots=True)
class Flip:
    """One flash on its way to a window.

    Attributes:
        number: Which; the patch's colour is its lowest bit.
        seen_ns: When this side's engine saw it, or stored it, on its own clock.
        ours: This process is the initiator, and stored it.
        surface: What shall show it.
        offset: Where the number is in the memory, for the hex view.
    """

    number: int
    seen_ns: int
    ours: bool
    surface: Surface = Surface.PATCH
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Painted:
    """A window painted a flash.

    Attributes:
        number: Which.
        painted_ns: When the paint was passed to the window system, on this side's clock.
        seen_ns: When it was seen, for the hex view (the time of its Frame); otherwise 0, and the
            engine's time counts.
        paints: Paints of that window so far.
        period_ns: Its display's refresh period; 0 when unknown.
    """

    number: int
    painted_ns: int
    seen_ns: int = 0
    paints: int = 0
    period_ns: int = 0


def bars(number: int) -> tuple[bool, ...]:
    """The pattern for a camera: the low 16 bits as a Gray code, highest first.

    Neighbouring numbers differ in one bar, so that a photo in the middle of a flip is at most
    one number off.
    """
    low = number & ((1 << BARS) - 1)
    gray = low ^ low >> 1
    return tuple(bool(gray >> bit & 1) for bit in range(BARS - 1, -1, -1))


# -- the answering side -------------------------------------------------------------------------


class FlashHandler:
    """The responder's side: passes each flash to its window, stores back what was painted.

    Args:
        show: Called with each Flip, from the responder's thread; must not block.
    """

    command = Command.FLASH
    capability = Capability.FLASH

    def __init__(self, show: Callable[[Flip], None]) -> None:
        self._show = show
        self._lock = threading.Lock()
        self._task: ResponderTask | None = None
        self._seen: dict[int, int] = {}

    def begin(self, task: ResponderTask) -> tuple[int, ...]:
        """Check the parameters."""
        if task.request.value(0) not in set(Surface):
            raise RefusedRequest(Refusal.PARAMETER, 0)
        return ()

    def run(self, task: ResponderTask) -> tuple[int, ...]:
        """Watch the initiator's number until stopped."""
        at = task.slot.word(Side.INITIATOR, Line.FLASH, 0)
        surface = Surface(task.request.value(0))
        last = task.region.load(at, 8)
        with self._lock:
            self._task = task
            self._seen.clear()
        try:
            while not task.stopped:
                number = task.region.load(at, 8)
                if number == last:
                    time.sleep(POLL_S)
                    continue
                last, now = number, time.monotonic_ns()
                with self._lock:
                    self._seen = {number: now}  # an older one is obsolete
                self._show(Flip(number, now, ours=False, surface=surface, offset=at))
        finally:
            with self._lock:
                self._task = None
        return ()

    def painted(self, painted: Painted) -> None:
        """The window painted; store it back, the number last. Obsolete numbers are dropped.

        Raises:
            RegionGoneError: The region is gone.
        """
        with self._lock:
            task, seen_ns = self._task, self._seen.get(painted.number)
            if task is None or seen_ns is None:
                return
            line = task.slot.line(Side.RESPONDER, Line.FLASH)
            words = (
                painted.seen_ns or seen_ns,
                painted.painted_ns,
                time.monotonic_ns(),
                painted.paints,
                painted.period_ns,
            )
            for index, word in enumerate(words, 1):
                task.region.store(line + 8 * index, 8, word)
            task.region.store(line, 8, painted.number)
            del self._seen[painted.number]

    def reacted(self, number: int, reaction_ns: int) -> None:
        """A person pressed a key so long after that flash was painted."""
        with self._lock:
            if self._task is not None:
                at = self._task.slot.word(Side.RESPONDER, Line.FLASH, REACTED)
                self._task.region.store(at + 8, 8, reaction_ns)
                self._task.region.store(at, 8, number)
