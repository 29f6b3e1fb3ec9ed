"""The measuring side of the flash test: store, wait for the answer, split the time."""

from __future__ import annotations

import secrets
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ...errors import NoPeerError
from ...region.region import Region
from ..lane.layout import Line, Side
from ..lane.peer_card import boot_number
from ..lane.requests import Command
from ..peers.initiator import TICK_S
from ..peers.peer_monitor import PeerMonitor
from .flash import OWNER_WORDS, POLL_S, REACTED, Flip, Surface
from .flash_result import FlashLive, FlashPlan, FlashResult, FlashSample

LOST_S: Final = 1.0
MAX_REACTION_NS: Final = 10_000_000_000


class FlashMaster:
    """Runs a flash test against the responder of a slot.

    Args:
        monitor: Watches the peer of an initiator that has its slot and has not asked yet; its
            context gets each sample (FlashLive), and says whether to end.
        show: Called with each of our own flashes, so that our window shows them too.
    """

    def __init__(
        self,
        monitor: PeerMonitor,
        show: Callable[[Flip], None] = lambda flip: None,
    ) -> None:
        self._monitor = monitor
        self._initiator = monitor.initiator
        self._show = show
        self._context = monitor.context
        self._flip = threading.Event()
        self._samples: list[FlashSample] = []
        self._lost = 0
        self._period_ns = 0

    def flip(self) -> None:
        """Flash now (a click, a key); any thread."""
        self._flip.set()

    def run(self, plan: FlashPlan) -> FlashResult:
        """Do it; returns what was measured until the end, or until it was cancelled.

        Raises:
            NoPeerError, PeerRefusedError, CancelledError: As PeerMonitor.ask.
            LaneLostError, RegionGoneError: As Initiator.
        """
        plan = plan.checked()
        initiator = self._initiator
        began_s = time.time()
        self._monitor.ask(Command.FLASH, (int(plan.surface),))
        responder = initiator.responder
        if responder is None:
            raise NoPeerError("The peer went before the first flash.")
        one_clock = responder.boot == boot_number() != 0
        number = secrets.randbits(30) | 1
        try:
            done = 0
            while not self._context.cancelled() and (plan.flips == 0 or done < plan.flips):
                self._wait(plan)
                self._take_reaction()
                if self._context.cancelled():
                    break
                number += 1
                done += 1
                self._one(number, one_clock, plan.surface)
            self._wait_for_reaction(plan)
        finally:
            if not initiator.region.closed:
                initiator.stop()
        return FlashResult(
            plan,
            tuple(self._samples),
            self._lost,
            one_clock,
            str(responder),
            self._period_ns,
            began_s,
        )

    def _wait(self, plan: FlashPlan) -> None:
        """Wait until the next flash is due or wanted, sending heartbeats meanwhile."""
        spread = (secrets.randbelow(2001) - 1000) / 1000 * plan.jitter
        due = None if plan.manual else time.monotonic() + plan.every_s * (1 + spread)
        while not self._context.cancelled():
            self._monitor.poll()
            left = TICK_S if due is None else due - time.monotonic()
            if left <= 0:
                return
            if self._flip.wait(min(TICK_S, left)):
                self._flip.clear()
                return

    def _wait_for_reaction(self, plan: FlashPlan) -> None:
        """The last flash of a finished run has its time for a reaction too."""
        if not self._context.cancelled() and not plan.manual:
            self._wait(replace(plan, every_s=min(plan.every_s, LOST_S)))
        self._take_reaction()

    def _take_reaction(self) -> None:
        at = self._initiator.slot.word(Side.RESPONDER, Line.FLASH, REACTED)
        number, reaction_ns = struct.unpack("<2Q", self._initiator.region.read(at, 16))
        last = self._samples[-1] if self._samples else None
        if last is not None and number == last.number and reaction_ns < MAX_REACTION_NS:
            self._samples[-1] = replace(last, reaction_ns=reaction_ns)

    def _one(self, number: int, one_clock: bool, surface: Surface) -> None:
        region, slot = self._initiator.region, self._initiator.slot
        line = slot.line(Side.INITIATOR, Line.FLASH)
        owner_line = slot.line(Side.RESPONDER, Line.FLASH)
        sent_ns = time.monotonic_ns()
        region.store(line + 8, 8, sent_ns)
        region.store(line, 8, number)
        self._show(Flip(number, sent_ns, ours=True, surface=surface, offset=line))
        answer = self._answer(region, owner_line, number, sent_ns)
        if answer is None:
            self._lost += 1
            self._context.progress(FlashLive(None, self._lost))
            return
        came_ns, words = answer
        sample = sample_of(number, sent_ns, came_ns, words, one_clock)
        self._period_ns = words[5]
        self._samples.append(sample)
        self._context.progress(FlashLive(sample, self._lost))

    def _answer(
        self, region: Region, line: int, number: int, sent_ns: int
    ) -> tuple[int, tuple[int, ...]] | None:
        tick_ns = sent_ns + int(TICK_S * 1e9)
        while (now := time.monotonic_ns()) - sent_ns < LOST_S * 1e9:
            if region.load(line, 8) == number:
                came = time.monotonic_ns()
                return came, struct.unpack(f"<{OWNER_WORDS}Q", region.read(line, 8 * OWNER_WORDS))
            if now >= tick_ns:
                tick_ns = now + int(TICK_S * 1e9)
                self._initiator.tick()
            time.sleep(POLL_S)
        return None


def sample_of(
    number: int, sent_ns: int, came_ns: int, words: tuple[int, ...], one_clock: bool
) -> FlashSample:
    """One sample from the responder's words, which are checked: they may hold any values."""
    _, seen, painted, stored, _, _ = words
    total = came_ns - sent_ns
    paint = min(max(0, painted - seen), total)
    answer = min(max(0, stored - painted), total - paint)
    ways = total - paint - answer
    if one_clock and sent_ns <= seen <= came_ns:
        return FlashSample(number, total, paint, answer, seen - sent_ns, 0)
    return FlashSample(number, total, paint, answer, ways // 2, ways - ways // 2)
