"""Flash: from a store in the memory to a painted patch in the peer's window, and back.

The master stores a number; the owner's engine sees it, its window paints, and only then the
owner stores the number back. Both sides keep times: the parts that lie on one side are exact on
its clock, the way through the memory is exact only where both share a clock, and is otherwise
half of what is left, with just that half as its uncertainty.

A person watching both windows on one photo sees the difference itself: each patch shows the
number as digits and as a bar pattern (`bars`).

FLASH line (docs/lane.md). Master: word 0 number, 1 its time. Owner: word 0 number painted, 1 when
it was seen, 2 when it was painted, 3 when this line was stored, 4 paints of its window so far,
5 its display's period, 6 the number that a person last reacted to, 7 the ns from paint to key.
"""

from __future__ import annotations

import secrets
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from app.core.errors import NoPeerError, ValueFormatError
from app.core.probe.cards import Capability, boot_number
from app.core.probe.lane import Line, Side
from app.core.probe.master import TICK_S, Master
from app.core.probe.requests import Command, Refusal
from app.core.probe.responder import Job, RefusedRequest
from app.core.region import Region

I64 = npt.NDArray[np.int64]

POLL_S: Final = 0.0002
LOST_S: Final = 1.0
MIN_EVERY_S: Final = 0.05
MAX_EVERY_S: Final = 60.0
MAX_REACTION_NS: Final = 10_000_000_000
BARS: Final = 16
_OWNER_WORDS: Final = 6
_REACTED: Final = 6
PERCENTILES: Final = (50.0, 90.0, 99.0, 99.9)


class Surface(IntEnum):
    """What the owner's window paints."""

    PATCH = 0  # a patch that fills the Measure view
    HEX = 1  # the hex view, which shows the number itself in the memory


@dataclass(frozen=True, slots=True)
class Flip:
    """One flash on its way to a window.

    Attributes:
        number: Which; the patch's colour is its lowest bit.
        seen_ns: When this side's engine saw it, or stored it, on its own clock.
        ours: We are the master, and stored it.
        surface: What shall show it.
        offset: Where the number lies in the memory, for the hex view.
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
        painted_ns: When the paint was handed to the window system, on this side's clock.
        seen_ns: When it was seen, where the window knows better than the engine (the hex view's
            Frame); 0 otherwise.
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


def number_of(pattern: tuple[bool, ...]) -> int:
    """The number that a pattern shows: the inverse of `bars`, for whoever reads a photo."""
    number = 0
    for bit in pattern:
        number = number << 1 | (number & 1 ^ bit)
    return number


# -- the answering side -------------------------------------------------------------------------


class FlashHandler:
    """The owner's side: tells its window of each flash, stores back what was painted.

    Args:
        show: Called with each Flip, from the responder's thread; must not block.
    """

    command = Command.FLASH
    capability = Capability.FLASH

    def __init__(self, show: Callable[[Flip], None]) -> None:
        self._show = show
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._seen: dict[int, int] = {}

    def begin(self, job: Job) -> tuple[int, ...]:
        """Check the parameters."""
        if job.request.value(0) not in set(Surface):
            raise RefusedRequest(Refusal.PARAMETER, 0)
        return ()

    def run(self, job: Job) -> tuple[int, ...]:
        """Watch the master's number until told to stop."""
        at = job.slot.word(Side.MASTER, Line.FLASH, 0)
        surface = Surface(job.request.value(0))
        last = job.region.load(at, 8)
        with self._lock:
            self._job = job
            self._seen.clear()
        try:
            while not job.stopped:
                number = job.region.load(at, 8)
                if number == last:
                    time.sleep(POLL_S)
                    continue
                last, now = number, time.monotonic_ns()
                with self._lock:
                    self._seen = {number: now}  # an older one was overtaken
                self._show(Flip(number, now, ours=False, surface=surface, offset=at))
        finally:
            with self._lock:
                self._job = None
        return ()

    def painted(self, painted: Painted) -> None:
        """The window painted; store it back, the number last. What was overtaken is dropped.

        Raises:
            RegionGoneError: The region is gone.
        """
        with self._lock:
            job, seen_ns = self._job, self._seen.get(painted.number)
            if job is None or seen_ns is None:
                return
            line = job.slot.line(Side.OWNER, Line.FLASH)
            words = (
                painted.seen_ns or seen_ns,
                painted.painted_ns,
                time.monotonic_ns(),
                painted.paints,
                painted.period_ns,
            )
            for index, word in enumerate(words, 1):
                job.region.store(line + 8 * index, 8, word)
            job.region.store(line, 8, painted.number)
            del self._seen[painted.number]

    def reacted(self, number: int, reaction_ns: int) -> None:
        """A person pressed a key so long after that flash was painted."""
        with self._lock:
            if self._job is not None:
                at = self._job.slot.word(Side.OWNER, Line.FLASH, _REACTED)
                self._job.region.store(at + 8, 8, reaction_ns)
                self._job.region.store(at, 8, number)


# -- the measuring side -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FlashPlan:
    """What to do.

    Attributes:
        flips: How many; 0 until stopped.
        every_s: Mean time between two.
        jitter: Share of it by which each wait is longer or shorter, at random, so that the
            flips do not fall into step with the display.
        surface: What the peer's window paints.
        manual: Flip only when asked to (`FlashMaster.flip`).
    """

    flips: int = 60
    every_s: float = 0.5
    jitter: float = 0.4
    surface: Surface = Surface.PATCH
    manual: bool = False

    def checked(self) -> FlashPlan:
        """The plan itself. Raises ValueFormatError for one that makes no sense."""
        if not MIN_EVERY_S <= self.every_s <= MAX_EVERY_S:
            raise ValueFormatError(
                f"A flash every {self.every_s:g} s cannot be measured.",
                f"{MIN_EVERY_S:g} to {MAX_EVERY_S:g} s are possible.",
            )
        if not 0 <= self.jitter < 1 or not 0 <= self.flips <= 1_000_000:
            raise ValueFormatError("The jitter is 0 to 0.99, the number of flashes 0 to 1000000.")
        return self


@dataclass(frozen=True, slots=True)
class FlashSample:
    """One flash that came back; all in ns.

    Attributes:
        number: Which.
        total_ns: From the store to the peer's answer, on our clock: exact.
        paint_ns: From seen to painted, on the peer's clock: exact.
        answer_ns: From painted to answered, on the peer's clock: exact.
        seen_ns: From the store to seen. Exact with one clock, else half of what is left.
        seen_error_ns: Its uncertainty, to both sides; 0 with one clock.
        reaction_ns: A person's reaction after the flash was painted; 0 none.
    """

    number: int
    total_ns: int
    paint_ns: int
    answer_ns: int
    seen_ns: int
    seen_error_ns: int
    reaction_ns: int = 0


@dataclass(frozen=True, slots=True)
class FlashResult:
    """What was measured.

    Attributes:
        plan: What was asked.
        samples: Those that came back, in order.
        lost: Flashes that were not answered within a second.
        one_clock: Both sides run on the same system.
        peer: Who answered.
        peer_period_ns: Refresh period of the peer's display; 0 unknown.
        began_s: When, seconds since 1970.
    """

    plan: FlashPlan
    samples: tuple[FlashSample, ...]
    lost: int
    one_clock: bool
    peer: str
    peer_period_ns: int
    began_s: float

    def column(self, name: str) -> I64:
        """One field of all samples."""
        return np.array([getattr(sample, name) for sample in self.samples], np.int64)

    def percentiles(self, name: str) -> dict[str, int]:
        """p50 to p99.9, min and max of one field; empty without samples."""
        values = self.column(name)
        if not len(values):
            return {}
        ranked = np.percentile(values, PERCENTILES, method="inverted_cdf")
        found = {f"p{p:g}_ns": int(v) for p, v in zip(PERCENTILES, ranked, strict=True)}
        return {"min_ns": int(values.min()), **found, "max_ns": int(values.max())}

    def _reactions(self) -> dict[str, int]:
        pressed = [sample for sample in self.samples if sample.reaction_ns]
        return replace(self, samples=tuple(pressed)).percentiles("reaction_ns") if pressed else {}

    def as_dict(self) -> dict[str, Any]:
        """For JSON; keys name their unit."""
        return {
            "test": "flash",
            "surface": self.plan.surface.name.lower(),
            "peer": self.peer,
            "one_clock": self.one_clock,
            "peer_period_ns": self.peer_period_ns,
            "count": len(self.samples),
            "lost": self.lost,
            "began_s": self.began_s,
            "stored_to_seen": {
                **self.percentiles("seen_ns"),
                "uncertainty_ns": max((s.seen_error_ns for s in self.samples), default=0),
            },
            "seen_to_painted": self.percentiles("paint_ns"),
            "painted_to_answered": self.percentiles("answer_ns"),
            "reaction": self._reactions(),
            "total": self.percentiles("total_ns"),
            "samples": [[s.number, s.total_ns, s.seen_ns, s.paint_ns] for s in self.samples],
        }


class FlashMaster:
    """Runs a flash test against the owner of a slot.

    Args:
        master: Seated, not asked yet.
        show: Called with each of our own flashes, so that our window shows them too.
        told: Called with each sample and the number lost so far.
    """

    def __init__(
        self,
        master: Master,
        show: Callable[[Flip], None] = lambda flip: None,
        told: Callable[[FlashSample | None, int], None] = lambda sample, lost: None,
    ) -> None:
        self._master = master
        self._show = show
        self._told = told
        self._flip = threading.Event()
        self._end = threading.Event()
        self._samples: list[FlashSample] = []
        self._lost = 0
        self._period_ns = 0

    def flip(self) -> None:
        """Flash now (a click, a key); any thread."""
        self._flip.set()

    def stop(self) -> None:
        """End after the flash that is under way; any thread."""
        self._end.set()
        self._flip.set()

    def run(self, plan: FlashPlan) -> FlashResult:
        """Do it; returns what was measured until the end or the stop.

        Raises:
            NoPeerError, PeerRefusedError, LaneLostError, RegionGoneError: As Master.
        """
        plan = plan.checked()
        master = self._master
        began_s = time.time()
        master.ask(Command.FLASH, (int(plan.surface),))
        owner = master.owner
        if owner is None:
            raise NoPeerError("The peer went before the first flash.")
        one_clock = owner.boot == boot_number() != 0
        number = secrets.randbits(30) | 1
        try:
            done = 0
            while not self._end.is_set() and (plan.flips == 0 or done < plan.flips):
                self._wait(plan)
                self._take_reaction()
                if self._end.is_set():
                    break
                number += 1
                done += 1
                self._one(number, one_clock, plan.surface)
            self._wait_for_reaction(plan)
        finally:
            if not master.region.closed:
                master.stop()
        return FlashResult(
            plan, tuple(self._samples), self._lost, one_clock, str(owner), self._period_ns, began_s
        )

    def _wait(self, plan: FlashPlan) -> None:
        """Until the next flash is due or asked for, beating meanwhile."""
        spread = (secrets.randbelow(2001) - 1000) / 1000 * plan.jitter
        due = None if plan.manual else time.monotonic() + plan.every_s * (1 + spread)
        while not self._end.is_set():
            self._master.tick()
            self._master.resume()
            left = TICK_S if due is None else due - time.monotonic()
            if left <= 0:
                return
            if self._flip.wait(min(TICK_S, left)):
                self._flip.clear()
                return

    def _wait_for_reaction(self, plan: FlashPlan) -> None:
        """The last flash of a finished run has its time for a reaction too."""
        if not self._end.is_set() and not plan.manual:
            self._wait(replace(plan, every_s=min(plan.every_s, LOST_S)))
        self._take_reaction()

    def _take_reaction(self) -> None:
        at = self._master.slot.word(Side.OWNER, Line.FLASH, _REACTED)
        number, reaction_ns = struct.unpack("<2Q", self._master.region.read(at, 16))
        last = self._samples[-1] if self._samples else None
        if last is not None and number == last.number and reaction_ns < MAX_REACTION_NS:
            self._samples[-1] = replace(last, reaction_ns=reaction_ns)

    def _one(self, number: int, one_clock: bool, surface: Surface) -> None:
        region, slot = self._master.region, self._master.slot
        line = slot.line(Side.MASTER, Line.FLASH)
        owner_line = slot.line(Side.OWNER, Line.FLASH)
        sent_ns = time.monotonic_ns()
        region.store(line + 8, 8, sent_ns)
        region.store(line, 8, number)
        self._show(Flip(number, sent_ns, ours=True, surface=surface, offset=line))
        answer = self._answer(region, owner_line, number, sent_ns)
        if answer is None:
            self._lost += 1
            self._told(None, self._lost)
            return
        came_ns, words = answer
        sample = _sample(number, sent_ns, came_ns, words, one_clock)
        self._period_ns = words[5]
        self._samples.append(sample)
        self._told(sample, self._lost)

    def _answer(
        self, region: Region, line: int, number: int, sent_ns: int
    ) -> tuple[int, tuple[int, ...]] | None:
        tick_ns = sent_ns + int(TICK_S * 1e9)
        while (now := time.monotonic_ns()) - sent_ns < LOST_S * 1e9:
            if region.load(line, 8) == number:
                came = time.monotonic_ns()
                return came, struct.unpack(f"<{_OWNER_WORDS}Q", region.read(line, 8 * _OWNER_WORDS))
            if now >= tick_ns:
                tick_ns = now + int(TICK_S * 1e9)
                self._master.tick()
            time.sleep(POLL_S)
        return None


def _sample(
    number: int, sent_ns: int, came_ns: int, words: tuple[int, ...], one_clock: bool
) -> FlashSample:
    """One sample from the owner's words, which a broken peer may have filled with anything."""
    _, seen, painted, stored, _, _ = words
    total = came_ns - sent_ns
    paint = min(max(0, painted - seen), total)
    answer = min(max(0, stored - painted), total - paint)
    ways = total - paint - answer
    if one_clock and sent_ns <= seen <= came_ns:
        return FlashSample(number, total, paint, answer, seen - sent_ns, 0)
    return FlashSample(number, total, paint, answer, ways // 2, ways - ways // 2)
