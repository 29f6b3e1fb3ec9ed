"""Sampler: the one reader. One thread, one immutable Frame per tick.

A tick samples the visible range; the time that is left until the next one goes to the sweep over
the whole region, as far as the budget reaches. Slices of the sweep are short, deadlines are
absolute: on a slow mapping the sweep takes longer, but the ticks are not late.

A byte that changed and changed back between two samples is not seen.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ..errors import RegionGoneError, ScopeError
from ..health import health_of
from ..region.region import PAGE, Region
from .frame import Activity, Frame, Health, Level, RangeSample, Traffic, empty_activity
from .sweep import MEMORY_BOUND, Sweep, next_offset
from .timing import DEFAULT_SHARE, MAX_HZ, MIN_HZ, Budget, Deadlines, Meter, Reading
from .visible_span import RangeSampler, empty_sample

log = logging.getLogger(__name__)

MAX_SPAN: Final = 1 << 20
DEFAULT_HZ: Final = 60.0
# Longest stretch of sweeping before the clock and the commands are checked.
SLICE_NS: Final = 2_000_000
# Left free before a tick, so that waking up is not late.
MARGIN_NS: Final = 300_000
# At low rates the sweep goes on between ticks at this pace.
BREATH_NS: Final = 16_000_000
MIN_GAP_NS: Final = 3_000_000
CHECK_NS: Final = 200_000_000
ACTIVITY_NS: Final = 100_000_000
STEP_SWEEP_NS: Final = 20_000_000


@dataclass(slots=True)
class _Wanted:
    """The sampler's settings; written by any thread under the lock."""

    start: int
    length: int
    hz: float = DEFAULT_HZ
    share: float = DEFAULT_SHARE
    paused: bool = False
    steps: int = 0


class Sampler:
    """Watches one region until it is stopped.

    Args:
        region: What to watch. The sampler never closes it.
        status: Called at each tick; returns the journal's (entries, locked).
        publish: Called with each Frame, from the sampler's thread; must not block.
        clock: Monotonic nanoseconds.
        memory_bound: Most bytes of the sweep's snapshot.

    Attributes:
        error: Why the region cannot be read at the moment; None while it can.
    """

    def __init__(
        self,
        region: Region,
        *,
        status: Callable[[], tuple[int, bool]] = lambda: (0, True),
        publish: Callable[[Frame], None] | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
        memory_bound: int = MEMORY_BOUND,
    ) -> None:
        self._region = region
        self._status = status
        self._publish = publish
        self._clock = clock
        self.sweep = Sweep(region, memory_bound=memory_bound, clock=clock)
        self._span = RangeSampler(region, clock)
        self._wanted = _Wanted(0, min(PAGE, region.size))
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._frame: Frame | None = None
        self._number = 0
        self._written = 0
        self._meter = Meter()
        self._traffic = Traffic()
        self._activity: Activity = empty_activity(region.size)
        self._activity_due_ns = 0
        self._tick_cost_ns = 0.0
        self.error: ScopeError | None = None

    # -- life ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """End the thread; waits at most `timeout` seconds. Safe to call twice."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    # -- commands, from any thread ---------------------------------------------------------------

    def watch_range(self, start: int, length: int) -> None:
        """Show this span, clamped to the region and to MAX_SPAN, at once and from now on."""
        size = self._region.size
        start = min(max(0, start), max(0, size - 1))
        length = min(max(1, length), MAX_SPAN, size - start)
        self._ask(lambda w: _set_span(w, start, length))

    def set_rate(self, hz: float) -> None:
        """Ticks per second, clamped to 1 to 240."""
        self._ask(lambda w: setattr(w, "hz", min(MAX_HZ, max(MIN_HZ, float(hz)))))

    def set_paused(self, paused: bool) -> None:
        """Stop reading until it is resumed; only the health is checked."""
        self._ask(lambda w: setattr(w, "paused", bool(paused)))

    def step(self) -> None:
        """One tick while paused."""
        self._ask(_add_step)

    def set_budget(self, share: float) -> None:
        """Share of one core for sampling and sweeping, clamped to 0.01 to 1."""
        self._ask(lambda w: setattr(w, "share", min(1.0, max(0.01, float(share)))))

    def note_write(self, offset: int, length: int) -> None:
        """Note a write of ours: its change is not a peer's. Call it right before writing."""
        if length > 0:
            self._written += length
            self._span.note_write(offset, length)
            self.sweep.note_write(offset, length)

    def find_change(self, start: int, backwards: bool = False, within_ns: int = 0) -> int | None:
        """The next byte behind (before) `start` that a peer was seen to change; wraps around.

        Exact in the visible range; elsewhere the first and last byte of each page's last change.

        Args:
            start: Where to search from; not found itself, unless it is the only one.
            backwards: Towards lower offsets.
            within_ns: Only changes at most this old; 0 is any.
        """
        since = self._clock() - within_ns if within_ns else 1
        seen = self._span.last
        found = np.union1d(
            self._span.changed_offsets(since),
            self.sweep.changed_offsets(since, leave_out=(seen.start, seen.start + len(seen.data))),
        )
        return next_offset(found, start, backwards=backwards)

    def _ask(self, change: Callable[[_Wanted], None]) -> None:
        with self._lock:
            change(self._wanted)
        self._wake.set()

    def _take(self) -> _Wanted:
        """What is wanted now; a step is taken once."""
        with self._lock:
            wanted = replace(self._wanted)
            self._wanted.steps = 0
        return wanted

    # -- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        self._budget = Budget(wall=self._clock)
        self._deadlines = Deadlines(self._clock(), int(1e9 / DEFAULT_HZ))
        while not self._stopping.is_set():
            self._wake.clear()
            wanted = self._take()
            try:
                self._turn(wanted)
            except ScopeError as error:
                self._fault(error, wanted)
            except Exception as error:
                log.exception("The sampler met a bug")
                text = f"Watching met a bug: {type(error).__name__}: {error}"
                self._fault(ScopeError(text, "Report it; try again to go on."), wanted)

    def _turn(self, wanted: _Wanted) -> None:
        """One tick, or one check of the health while paused, and the wait after it."""
        self._region.check()
        self.error = None
        if wanted.paused and not wanted.steps:
            self._meter.clear()
            self._again(self._health(), paused=True)
            self._wait_until(self._clock() + CHECK_NS)
        elif wanted.paused:
            self._tick(wanted, 0)
            self.sweep.scan(self._clock() + STEP_SWEEP_NS)
        else:
            self._budget.share = wanted.share
            self._live(wanted)

    def _live(self, wanted: _Wanted) -> None:
        # A command is followed at once, but many of them must not exceed the budget.
        rest_ns = self._span.last.time_ns + MIN_GAP_NS - self._clock()
        if 0 < rest_ns <= MIN_GAP_NS:
            self._stopping.wait(rest_ns / 1e9)
        began = time.thread_time_ns()
        period_ns = int(max(1e9 / wanted.hz, self._tick_cost_ns / wanted.share))
        self._deadlines.set_period(period_ns)
        self._tick(wanted, period_ns)
        cost = time.thread_time_ns() - began
        self._tick_cost_ns += (cost - self._tick_cost_ns) * 0.1
        now = self._clock()
        if now >= self._deadlines.next_ns:
            self._deadlines.advance(now)
        self._sweep_until(self._deadlines.next_ns)

    def _sweep_until(self, next_ns: int) -> None:
        """Sweep, then sleep, until the next tick is due or a command came."""
        while not self._wake.is_set():
            now = self._clock()
            if now >= next_ns:
                return
            pause_ns = min(next_ns, now + BREATH_NS)
            self._sweep_some(pause_ns - MARGIN_NS)
            self._wait_until(pause_ns)

    def _sweep_some(self, end_ns: int) -> None:
        while not self._wake.is_set():
            now = self._clock()
            left = min(end_ns - now, SLICE_NS, self._budget.left_ns())
            if left <= 0 or self.sweep.scan(now + left):
                return

    def _wait_until(self, then_ns: int) -> None:
        """Sleep until then, or until a command comes. No spinning."""
        if sys.platform == "win32":
            # Event.wait is as coarse as 15.6 ms there, sleep is not (CPython 3.11, bpo-21302).
            while (left := then_ns - self._clock()) > 0 and not self._wake.is_set():
                time.sleep(min(left, 5_000_000) / 1e9)
        else:
            self._wake.wait(max(0, then_ns - self._clock()) / 1e9)

    # -- frames ------------------------------------------------------------------------------

    def _tick(self, wanted: _Wanted, period_ns: int) -> None:
        # A second read that would not fit between two ticks is left out.
        twice = period_ns == 0 or self._tick_cost_ns * 2 < period_ns
        sample = self._span.sample(wanted.start, wanted.length, twice=twice)
        self.sweep.attend(wanted.start, wanted.start + wanted.length)
        self._measure(period_ns)
        self._emit(sample, period_ns, self._health(), paused=wanted.paused)

    def _health(self) -> Health:
        """Good, with a remark of the region's as a warning."""
        text, hint = self._region.remark()
        return Health(Level.WARNING, "remark", text, hint) if text else Health()

    def _measure(self, period_ns: int) -> None:
        totals, span, now_ns = self.sweep.totals, self._span, self._clock()
        if self._meter.begins(now_ns, period_ns):
            self.sweep.count_from(now_ns)
        self._traffic = self._meter.add(
            Reading(
                time_ns=now_ns,
                observed=totals.changed_bytes + span.changed_bytes,
                read=totals.read_bytes + span.read_bytes,
                written=self._written,
                spent_ns=time.thread_time_ns(),
            )
        )

    def _current_activity(self, *, now: bool) -> Activity:
        time_ns = self._clock()
        if now or time_ns >= self._activity_due_ns:
            self._activity_due_ns = time_ns + ACTIVITY_NS
            self._activity = self.sweep.activity()
        return self._activity

    def _emit(self, sample: RangeSample, period_ns: int, health: Health, *, paused: bool) -> None:
        writes, locked = self._status()
        self._number += 1
        self._frame = Frame(
            number=self._number,
            period_ns=period_ns,
            sample=sample,
            activity=self._current_activity(now=paused),
            traffic=self._traffic,
            health=health,
            paused=paused,
            writes=writes,
            locked=locked,
        )
        if self._publish is not None:
            self._publish(self._frame)

    def _again(self, health: Health, *, paused: bool) -> None:
        """Publish the last sample again, if health, pause or status changed."""
        last = self._frame
        writes, locked = self._status()
        if last is not None and (last.health, last.paused, last.writes, last.locked) == (
            health,
            paused,
            writes,
            locked,
        ):
            return
        period_ns = 0 if last is None else last.period_ns
        sample = self._span.last if last is not None else empty_sample(self._wanted.start, 0)
        self._emit(sample, period_ns, health, paused=paused)

    def _fault(self, error: ScopeError, wanted: _Wanted) -> None:
        """Publish the fault with the last sample, and try again five times a second."""
        if not isinstance(error, RegionGoneError):
            log.warning("Watching stopped: %s", error)
        self.error = error
        self._meter.clear()
        try:
            self._again(health_of(error), paused=wanted.paused)
        except Exception:
            log.exception("A Frame cannot be published")
        self._wait_until(self._clock() + CHECK_NS)


def _set_span(wanted: _Wanted, start: int, length: int) -> None:
    wanted.start, wanted.length = start, length


def _add_step(wanted: _Wanted) -> None:
    wanted.steps += 1
