"""Transfer: verified messages through rings in the lane, to a peer, from it, or both at once.

Every message is checked by its receiver, so a figure counts bytes that arrived whole and in order.
Speed is measured between two moments of the running loop, after a warm-up; messages in flight at
the end are waited for and counted, not timed.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Final

from ...errors import CancelledError, MeasureOptionError, NoPeerError
from ...native.kernel import Slice
from ...region.region import Region
from ..conditions import usable_cores
from ..lane.layout import Lane, Side
from ..lane.peer_card import Capability, EngineKind
from ..lane.requests import Command
from ..loops import pick_engine
from ..peers.initiator import TICK_S
from ..peers.peer_link import PeerLink, linked
from ..run_context import RunContext
from .ring import Layout, check_message
from .ring_transfer import (
    BAD,
    COUNT,
    CPU,
    GOOD,
    OUT_OF_ORDER,
    RUN,
    TO_OWNER,
    Lines,
    RingLoop,
)
from .transfer_result import (
    Direction,
    DirectionResult,
    SizeResult,
    TransferLive,
    TransferResult,
    direction_result,
)

SWEEP: Final = tuple(4**n for n in range(3, 13))  # 64 B to 16 MiB
MAX_DURATION_S: Final = 86_400.0
_WARM_UP_S: Final = 0.25
_DRAIN_S: Final = 1.0
_SLICE_NS: Final = int(TICK_S * 1e9)
_GB: Final = 1e9
_now: Final = time.perf_counter_ns


@dataclass(frozen=True, slots=True)
class TransferOptions:
    """What to measure.

    Attributes:
        message_bytes: Sizes of messages, measured one after the other; several are a sweep.
        direction: Which way.
        duration_s: How long each size, after a short warm-up.
        engine: Measure with this one; None is the best that is there.
        core: Keep the measuring thread on a core: a number, `auto`, or empty.
        slot: Measure with the responder of this slot; None is the first that answers.
    """

    message_bytes: tuple[int, ...] = (64 << 10,)
    direction: Direction = Direction.TO_PEER
    duration_s: float = 3.0
    engine: EngineKind | None = None
    core: str = ""
    slot: int | None = None

    def check(self) -> None:
        """Whether that can be measured.

        Raises:
            MeasureOptionError: It cannot; the sentence says what can.
        """
        if not self.message_bytes:
            raise MeasureOptionError("No size of messages was given.")
        for message in self.message_bytes:
            check_message(message)
        if not 0 < self.duration_s <= MAX_DURATION_S:
            raise MeasureOptionError(
                f"A test of {self.duration_s:g} s is none.", "More than 0 s, at most a day."
            )


def run_transfer(
    region: Region,
    lane: Lane,
    options: TransferOptions,
    context: RunContext | None = None,
    *,
    give_up_s: float | None = None,
) -> TransferResult:
    """Wait for a peer and measure; a cancelled test gives what it has.

    Args:
        region: Where.
        lane: The lane in it (hold.acquire_lane).
        options: What to measure.
        context: Gets the progress (TransferLive), and says whether to end.
        give_up_s: Wait no longer for a peer; None waits for ever.

    Raises:
        MeasureOptionError, LaneError: It cannot be measured, or not in this lane.
        NoPeerError, PeerBusyError, PeerRefusedError: No peer measures with us.
        LaneLostError, RegionGoneError: The lane or the memory is gone.
        UnsuitableError: This region has no mapping of its own.
    """
    options.check()
    half = lane.slot(0).data(Side.INITIATOR).length
    layouts = [Layout.of(message, half) for message in options.message_bytes]
    with linked(
        region,
        lane,
        Capability.TRANSFER,
        engine=options.engine,
        core=options.core,
        slot=options.slot,
        context=context or RunContext(),
        give_up_s=give_up_s,
    ) as link:
        return _Run(link, options).measure(layouts)


@dataclass(frozen=True, slots=True)
class _Mark:
    """Counters at one moment, in cells and ns."""

    at_ns: int
    cpu_ns: int
    peer_cpu_ns: int
    confirmed: int
    good: int

    @property
    def moved(self) -> int:
        return self.confirmed + self.good


class _Run:
    """One test with one peer, of one or several sizes."""

    def __init__(self, link: PeerLink, options: TransferOptions) -> None:
        self.link, self.initiator, self.options = link, link.initiator, options
        self.context = link.context
        self.notes = link.notes
        self.sizes: list[SizeResult] = []
        self._monitor = link.monitor
        self._monitor.report = self._hear
        self._theirs = Lines(self.initiator.region, self.initiator.slot, Side.RESPONDER)

    def measure(self, layouts: list[Layout]) -> TransferResult:
        """All sizes, one after the other."""
        started_s = time.time()
        if self.link.spinners(self.link.peer):
            cores = len(usable_cores())
            self.notes.append(
                f"Both loops share {cores} core{'s' * (cores > 1)} with everything else here: "
                "the memory can do more than this shows."
            )
        complete = True
        for layout in layouts:
            try:
                size = self._one(layout)
            except (CancelledError, NoPeerError) as error:
                if not self.sizes:
                    raise
                self.notes.append(str(error))
                complete = False
                break
            self.sizes.append(size)
            complete = size.complete
            if not complete:
                break
        native = pick_engine(self.options.engine) is not None
        return TransferResult(
            self.options.direction,
            EngineKind.KERNEL if native else EngineKind.PYTHON,
            tuple(self.sizes),
            complete,
            self.link.conditions(self.link.peer, started_s),
            tuple(self.notes),
        )

    def _one(self, layout: Layout) -> SizeResult:
        initiator, bits = self.initiator, self.options.direction.bits
        run = secrets.randbits(62) | 1
        if bits & TO_OWNER:
            initiator.claim.touch(layout.length)
        Lines(initiator.region, initiator.slot, Side.INITIATOR).begin(run, 0, 0)
        loop = RingLoop(
            initiator.region,
            self.link.window,
            initiator.slot,
            Side.INITIATOR,
            layout,
            run,
            bits,
            wanted=self.options.engine,
        )
        try:
            values = layout.as_values()
            reply = self._monitor.ask(Command.TRANSFER, (run, values[0], bits, *values[1:]))
            peer_engine = EngineKind.KERNEL if reply.value(0) == 1 else EngineKind.PYTHON
            return self._drive(loop, peer_engine)
        finally:
            loop.close()

    def _drive(self, loop: RingLoop, peer_engine: EngineKind) -> SizeResult:
        begin = self._mark(loop)
        warm_ns = int(min(_WARM_UP_S, self.options.duration_s) * 1e9)
        complete, _ = self._until(loop, begin.at_ns + warm_ns, counted=False)
        first = self._mark(loop)
        stalled_ns = 0
        if complete:
            end_ns = first.at_ns + int(self.options.duration_s * 1e9)
            complete, stalled_ns = self._until(loop, end_ns, counted=True)
        last = self._mark(loop)
        loop.state.end_ns = last.at_ns
        self._drain(loop, patient=complete)
        self.initiator.stop()
        return self._result(loop, first, last, stalled_ns, peer_engine, complete=complete)

    def _drain(self, loop: RingLoop, *, patient: bool) -> None:
        """Wait for cells in flight, as long as some of them arrive and time is left."""
        result, confirmed, moved_ns = Slice.AGAIN, int(loop.state.confirmed), _now()
        while result is Slice.AGAIN and _now() < moved_ns + _DRAIN_S * 1e9:
            result = loop.run(_now() + _SLICE_NS)
            self._monitor.poll()
            if patient and int(loop.state.confirmed) != confirmed:
                confirmed, moved_ns = int(loop.state.confirmed), _now()

    def _until(self, loop: RingLoop, end_ns: int, *, counted: bool) -> tuple[bool, int]:
        """Run in slices; returns whether it was not cancelled, and for how long nothing moved."""
        before, stalled_ns = self._mark(loop), 0
        while before.at_ns < end_ns:
            loop.run(min(end_ns, _now() + _SLICE_NS))
            now = self._mark(loop)
            if now.moved == before.moved:
                stalled_ns += now.at_ns - before.at_ns
            if counted:
                self._tell(loop, before, now, end_ns)
            before = now
            self._monitor.poll()
            if self.context.cancelled():
                return False, stalled_ns
        return True, stalled_ns

    def _mark(self, loop: RingLoop) -> _Mark:
        state = loop.state
        peer_cpu = self._theirs.taken(CPU)
        return _Mark(
            _now(),
            time.thread_time_ns(),
            peer_cpu if peer_cpu < 1 << 62 else 0,
            int(state.confirmed),
            int(state.good),
        )

    def _tell(self, loop: RingLoop, before: _Mark, now: _Mark, end_ns: int) -> None:
        piece, seconds = loop.layout.piece, max(1, now.at_ns - before.at_ns) / 1e9
        left = (end_ns - now.at_ns) / 1e9 / self.options.duration_s
        whole = len(self.options.message_bytes)
        share = (len(self.sizes) + 1 - min(1.0, max(0.0, left))) / whole
        bad = int(loop.state.bad + loop.state.out_of_order)
        self.context.progress(
            TransferLive(
                share,
                loop.layout.message,
                (now.confirmed - before.confirmed) * piece / seconds,
                (now.good - before.good) * piece / seconds,
                bad,
                tuple(self.sizes),
            )
        )

    def _hear(self, text: str) -> None:
        self.context.report(text)
        self.notes.append(text)

    def _result(
        self,
        loop: RingLoop,
        first: _Mark,
        last: _Mark,
        stalled_ns: int,
        peer_engine: EngineKind,
        *,
        complete: bool,
    ) -> SizeResult:
        layout, state = loop.layout, loop.state
        seconds = max(1, last.at_ns - first.at_ns) / 1e9
        moved_gb = max(1, (last.moved - first.moved) * layout.piece) / _GB
        to_peer = from_peer = None
        if state.sending:
            speed = (last.confirmed - first.confirmed) * layout.piece / seconds
            to_peer = self._to_peer(loop, speed)
        if state.receiving:
            speed = (last.good - first.good) * layout.piece / seconds
            sent = int(state.taken)
            from_peer = direction_result(
                layout, speed, sent, int(state.good), int(state.bad), int(state.out_of_order)
            )
        return SizeResult(
            message_bytes=layout.message,
            pieces=layout.pieces,
            ring_bytes=layout.cells * layout.piece,
            duration_s=seconds,
            to_peer=to_peer,
            from_peer=from_peer,
            cpu_s_per_gb=(last.cpu_ns - first.cpu_ns) / 1e9 / moved_gb,
            peer_cpu_s_per_gb=max(0, last.peer_cpu_ns - first.peer_cpu_ns) / 1e9 / moved_gb,
            stalled_s=stalled_ns / 1e9,
            unexpected=int(state.unexpected),
            peer_engine=peer_engine,
            complete=complete,
        )

    def _to_peer(self, loop: RingLoop, speed: float) -> DirectionResult:
        """Figures of what we sent, from the peer's TAKE line, whose words are checked first."""
        sent, theirs = int(loop.state.filled), self._theirs
        told = [theirs.taken(word) for word in (GOOD, BAD, OUT_OF_ORDER)]
        if theirs.taken(RUN) != loop.state.run or sum(told) > sent or theirs.taken(COUNT) > sent:
            self.notes.append("The peer's count of what arrived was lost, so all counts as lost.")
            told = [0, 0, 0]
        return direction_result(loop.layout, speed, sent, *told)
