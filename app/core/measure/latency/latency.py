"""Latency: echo round trips at a fixed rate, or one after the other.

At a fixed rate a time counts from the moment at which the request should have been sent, so that
a stall is felt by all requests that fell into it (no coordinated omission). Both are kept: the
response time from then, and the service time from when it was sent. The closed loop sends the
next when the last came back; it is the quickest, and hardly sees stalls.

The loop runs in slices; between them, while nothing is in flight, samples are counted and the
peer's state is read. What that takes is left out of the schedule and reported: as a share of the
time (`paused_share`), and as the requests that would have been due (`skipped`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from ...errors import MeasureOptionError
from ...native.kernel import Slice, Wait
from ...region.doorbell import BellAddress, PeerBell
from ...region.region import Region
from ..histogram import Histogram
from ..lane.layout import Lane
from ..lane.peer_card import Capability, EngineKind, PeerCard
from ..lane.requests import Command
from ..peers.initiator import TICK_S
from ..peers.peer_link import PeerLink, linked
from ..run_context import RunContext
from .echo import (
    MAX_PAYLOAD,
    MIN_PAYLOAD,
    EchoLoop,
    joined,
)
from .latency_result import LatencyResult, Tally
from .one_way import OneWay, one_way

MIN_RATE_HZ: Final = 10.0
MAX_RATE_HZ: Final = 1_000_000.0
MAX_DURATION_S: Final = 86_400.0
FLOOR_COUNT: Final = 20_000
_CLOCK_S: Final = 0.2
_CLOCK_TRIPS: Final = 20  # at least so many, where the rate is low
_CLOCK_RATE_HZ: Final = 5_000.0
_PATIENCE_NS: Final = 1_000_000_000
_SLICE_NS: Final = int(TICK_S * 1e9)
_now: Final = time.perf_counter_ns


@dataclass(frozen=True, slots=True)
class LatencyOptions:
    """What to measure.

    Attributes:
        rate_hz: Requests per second, 10 to 1 000 000; 0 is the closed loop.
        duration_s: How long, after the warm-up.
        warm_up_s: Run so long first, without counting.
        payload_bytes: 8 to 4096, a multiple of 8.
        wait: How both sides wait.
        poll_ns: Interval at which a polling side reads.
        timeout_s: An answer that takes longer is lost.
        engine: Measure with this one; None is the best that is there.
        core: Keep the measuring thread on a core: a number, `auto`, or empty.
        slot: Measure with the responder of this slot; None is the first that answers.
    """

    rate_hz: float = 1000.0
    duration_s: float = 10.0
    warm_up_s: float = 0.5
    payload_bytes: int = 8
    wait: Wait = Wait.SPIN
    poll_ns: int = 50_000
    timeout_s: float = 1.0
    engine: EngineKind | None = None
    core: str = ""
    slot: int | None = None

    def check(self) -> None:
        """Whether that can be measured.

        Raises:
            MeasureOptionError: It cannot; the sentence says what can.
        """
        if self.rate_hz and not MIN_RATE_HZ <= self.rate_hz <= MAX_RATE_HZ:
            raise MeasureOptionError(
                f"{self.rate_hz:g} requests per second cannot be measured.",
                "10 to 1 000 000 can; 0 is the closed loop, as fast as it goes.",
            )
        if not 0 < self.duration_s <= MAX_DURATION_S:
            raise MeasureOptionError(
                f"A test of {self.duration_s:g} s is none.", "More than 0 s, at most a day."
            )
        if not 0 <= self.warm_up_s <= 60 or not 0.001 <= self.timeout_s <= 60:
            raise MeasureOptionError(
                "The warm-up or the time after which an answer is lost is out of bounds.",
                "Warm-up: 0 to 60 s. Lost after: 0.001 to 60 s.",
            )
        if not MIN_PAYLOAD <= self.payload_bytes <= MAX_PAYLOAD or self.payload_bytes % 8:
            raise MeasureOptionError(
                f"A payload of {self.payload_bytes} bytes cannot be measured.",
                f"{MIN_PAYLOAD} to {MAX_PAYLOAD} bytes, a multiple of 8.",
            )
        if not 1_000 <= self.poll_ns <= 100_000_000:
            raise MeasureOptionError(
                f"A poll interval of {self.poll_ns} ns is out of bounds.", "1 µs to 100 ms."
            )
        if self.wait is Wait.BELL and self.engine is EngineKind.KERNEL:
            raise MeasureOptionError(
                "The C loops do not wait for a doorbell.", "Python's do; leave the engine open."
            )


@dataclass(frozen=True, slots=True)
class LatencyLive:
    """Progress of a test: the tally so far, and the share of the time that has passed."""

    tally: Tally
    share: float


def run_latency(
    region: Region,
    lane: Lane,
    options: LatencyOptions,
    context: RunContext | None = None,
    *,
    give_up_s: float | None = None,
) -> LatencyResult:
    """Wait for a peer and measure; a cancelled test gives what it has.

    Args:
        region: Where.
        lane: The lane in it (hold.acquire_lane).
        options: What to measure.
        context: Gets the progress (LatencyLive), and says whether to end.
        give_up_s: Wait no longer for a peer; None waits for ever.

    Raises:
        MeasureOptionError: It cannot be measured.
        NoPeerError, PeerBusyError, PeerRefusedError: No peer measures with us.
        LaneLostError, RegionGoneError: The lane or the memory is gone.
        UnsuitableError: This region has no mapping of its own.
    """
    options.check()
    with linked(
        region,
        lane,
        Capability.ECHO,
        engine=options.engine,
        core=options.core,
        slot=options.slot,
        wait=options.wait,
        context=context or RunContext(),
        give_up_s=give_up_s,
    ) as link:
        return _Run(link, options).measure()


class _Run:
    """One test with one peer."""

    def __init__(self, link: PeerLink, options: LatencyOptions) -> None:
        self.link = link
        self.initiator = link.initiator
        self.options = options
        self.context = link.context
        self.bell = None if link.bell is None else PeerBell(link.bell, _bell_of(link.peer))
        self.tally = Tally(options.duration_s, stall_ns=_stall_ns(options))
        for text in link.notes:
            self.tally.note(text)
        self._counting = False
        self._started_s = time.time()
        self._monitor = link.monitor
        self._monitor.report = self._hear

    def measure(self) -> LatencyResult:
        """Floor, clock, warm-up, test."""
        options, initiator = self.options, self.initiator
        if options.payload_bytes > MIN_PAYLOAD:
            initiator.claim.touch(options.payload_bytes)
        loop = EchoLoop(
            self.link.window,
            initiator.slot,
            payload=options.payload_bytes,
            wanted=options.engine,
            bell=self.bell,
        )
        try:
            loop.state.timeout_ns = int(options.timeout_s * 1e9)
            loop.state.stall_ns = _stall_ns(options)
            loop.state.wait, loop.state.poll_ns = int(options.wait), options.poll_ns
            floor = Histogram()
            floor.record(loop.floor(FLOOR_COUNT))
            ways = self._one_way(loop)
            peer_engine = self._begin(stamp=False)
            peer = initiator.responder or self.link.peer
            self._warn(peer)
            warm = self._drive(loop, options.warm_up_s, None)
            complete = warm and self._drive(loop, options.duration_s, self.tally)
            if warm:
                self.tally.finish(loop.state, complete=complete)
            if not complete:
                self.tally.note("Stopped before its end.")
            initiator.stop()
        finally:
            loop.stop()
            loop.close()
        return self.tally.result(
            rate_hz=options.rate_hz,
            payload_bytes=options.payload_bytes,
            wait=options.wait,
            poll_ns=options.poll_ns,
            engine=loop.engine,
            peer_engine=peer_engine,
            floor=floor.summary(),
            ways=ways,
            conditions=self.link.conditions(peer, self._started_s),
            complete=complete,
        )

    def _begin(self, *, stamp: bool) -> EngineKind:
        options = self.options
        asked = (options.payload_bytes, int(options.wait), options.poll_ns, int(stamp))
        reply = self._monitor.ask(Command.ECHO, asked)
        if self.bell is not None:
            self.bell.to = _bell_of(self.initiator.responder)
        if reply.value(0) != options.wait:
            modes = {int(wait): wait.name.lower() for wait in Wait}
            mode = modes.get(reply.value(0), "in its own way")
            self.tally.note(f"The peer waits by its own choice: {mode}.")
        return EngineKind.KERNEL if reply.value(2) == 1 else EngineKind.PYTHON

    def _one_way(self, loop: EchoLoop) -> OneWay | None:
        """A short run with stamps; the stamps would cost the test itself 20 ns a round trip."""
        self._begin(stamp=True)
        now = _now()
        rate_hz = min(_CLOCK_RATE_HZ, self.options.rate_hz or _CLOCK_RATE_HZ)
        took_ns = int(max(_CLOCK_S, _CLOCK_TRIPS / rate_hz) * 1e9)
        loop.schedule(rate_hz, now)
        loop.state.end_ns = now + took_ns
        result = Slice.AGAIN
        batches = []
        while result is Slice.AGAIN and _now() < now + took_ns + _PATIENCE_NS:
            result = loop.run(_now() + _SLICE_NS)
            batches.append(loop.batch())
            self._on_initiator()
            if self.context.cancelled():
                break
        batch = joined(batches)
        us, peer = self.initiator.claim.card, self.initiator.responder
        same = peer is not None and us.boot != 0 and us.boot == peer.boot
        return one_way(batch.sent, batch.stamps, batch.received, same_clock=same)

    def _warn(self, peer: PeerCard | None) -> None:
        spins = self.options.wait in (Wait.SPIN, Wait.YIELD)
        if text := self.link.spinners(peer, spins=spins):
            self.tally.note(text)

    def _drive(self, loop: EchoLoop, duration_s: float, tally: Tally | None) -> bool:
        """Run for a while; whether it ran to its end. Without a tally nothing is counted."""
        state = loop.state
        start = _now()
        loop.schedule(self.options.rate_hz, start)
        state.end_ns = start + int(duration_s * 1e9)
        if tally is not None:
            state.lost = state.missed = state.skipped = state.unexpected = state.stood_ns = 0
            self._started_s = time.time()
            tally.begin(start)
            self._counting = True
        result = Slice.AGAIN if duration_s else Slice.DONE
        while result is Slice.AGAIN:
            result = loop.run(_now() + _SLICE_NS)
            returned = _now()
            loop.note_return(returned)
            if tally is not None:
                tally.add(loop.batch(), returned, state)
                share = (returned - start) / (state.end_ns - start)
                self.context.progress(LatencyLive(tally, share))
            self._on_initiator()
            if self.context.cancelled():
                loop.pass_over(returned)
                return False
            now = _now()
            pause = loop.shift(returned, now)
            if tally is not None:
                # The time of an answer that is waited for tells the gap already.
                tally.resume(0 if state.pending else now - returned, pause)
        return True

    def _on_initiator(self) -> None:
        peer = self._monitor.poll()
        if self.bell is not None:
            self.bell.to = _bell_of(peer.card)  # another one after a restart

    def _hear(self, text: str) -> None:
        self.context.report(text)
        if self._counting:
            self.tally.note(text, timed=True)


def _bell_of(card: PeerCard | None) -> BellAddress | None:
    return card.bell if card else None


def _stall_ns(options: LatencyOptions) -> int:
    """A gap longer than this counts as stalled: 100 µs, or four intervals of a polling peer."""
    return max(100_000, 4 * options.poll_ns if options.wait is not Wait.SPIN else 0)
