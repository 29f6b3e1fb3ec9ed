"""One end of a transfer: the loop on either engine, and the responder's side as a Handler.

SEND line (docs/lane.md): word 0 cells filled since the run began, 1 the run's number. TAKE line:
0 cells taken of the other's ring, 1 the run's number, and what became of them: 2 good, 3 bad,
4 out of order, 5 not taken because this side began in the middle, 7 processor time in ns.
"""

from __future__ import annotations

import ctypes
import time
from typing import Final

import numpy as np

from ...errors import ScopeError
from ...native.kernel import RingState, Slice
from ...region.buffers import aligned_bytes
from ...region.region import Region
from ...region.region_window import RegionWindow
from ..lane.layout import Line, Side, Slot
from ..lane.peer_card import Capability, EngineKind
from ..lane.requests import Command, Refusal
from ..latency.echo import capabilities
from ..loops import on_core, pick_engine
from ..peers.responder_task import RefusedRequest, ResponderTask
from .ring import Half, Layout, Source
from .ring_python import FlowMemory, PythonFlow

TO_OWNER: Final = 1  # bits of the request's value 2
TO_MASTER: Final = 2
COUNT, RUN, GOOD, BAD, OUT_OF_ORDER, SKIPPED, CPU = 0, 1, 2, 3, 4, 5, 7
_COUNTERS: Final = (GOOD, BAD, OUT_OF_ORDER, SKIPPED, CPU)
_SLICE_NS: Final = 100_000_000
_FAR_NS: Final = 1 << 62
_now: Final = time.perf_counter_ns


class Lines:
    """The words of a side's SEND and TAKE lines; through the Region, so that none can fault."""

    def __init__(self, region: Region, slot: Slot, side: Side) -> None:
        self._region = region
        self.send = slot.line(side, Line.SEND)
        self.take = slot.line(side, Line.TAKE)

    def sent(self, word: int) -> int:
        """A word of SEND, as it is now."""
        return self._region.load(self.send + 8 * word, 8)

    def taken(self, word: int) -> int:
        """A word of TAKE, as it is now."""
        return self._region.load(self.take + 8 * word, 8)

    def put(self, line: int, word: int, value: int) -> None:
        """Store a word of one of the two lines."""
        self._region.store(line + 8 * word, 8, value)

    def begin(self, run: int, filled: int, taken: int, skipped: int = 0) -> None:
        """Write both lines at the start of a run, its number last: the other side waits for it."""
        kept = [0, 0, 0, 0, 0]
        if self.taken(RUN) == run:  # what this side counted before it restarted
            kept = [self.taken(word) for word in _COUNTERS]
        kept[_COUNTERS.index(SKIPPED)] += skipped
        for line in (self.send, self.take):
            self.put(line, RUN, 0)
        for word, value in zip(_COUNTERS, kept, strict=True):
            self.put(self.take, word, value)
        for line, count in ((self.send, filled), (self.take, taken)):
            self.put(line, COUNT, count)
            self.put(line, RUN, run)


class RingLoop:
    """One side's loop: state, buffers, engine. Use it inside its window only, and close it.

    Attributes:
        state: The loop's state with its counters.
        engine: The engine that runs it.
        layout: The ring's shape.
        lines: Our own lines.
    """

    def __init__(
        self,
        region: Region,
        window: RegionWindow,
        slot: Slot,
        side: Side,
        layout: Layout,
        run: int,
        directions: int,
        *,
        wanted: EngineKind | None = None,
        stop: ctypes.c_int32 | None = None,
    ) -> None:
        self._kernel = pick_engine(wanted)
        self.engine = EngineKind.KERNEL if self._kernel else EngineKind.PYTHON
        self.layout = layout
        self.lines = Lines(region, slot, side)
        self._window = window
        self._stop = ctypes.c_int32(0) if stop is None else stop
        self._source = source = Source.of(layout, run)  # the kernel reads it where it is
        self._scratch = aligned_bytes(layout.batch * layout.piece)
        ours, theirs = Half.of(layout, slot.data(side)), Half.of(layout, slot.data(side.other))
        other = Lines(region, slot, side.other)
        spans = (ours.heads, ours.cells, theirs.cells)
        self._parts = [window.part(span.offset, span.length) for span in spans]
        heads, out_cells, in_cells = self._parts
        sends_to = TO_OWNER if side is Side.INITIATOR else TO_MASTER
        self.state = RingState(
            send=window.address(self.lines.send),
            take=window.address(self.lines.take),
            their_send=window.address(other.send),
            their_take=window.address(other.take),
            out_heads=window.address(ours.heads.offset),
            out_cells=window.address(ours.cells.offset),
            in_heads=window.address(theirs.heads.offset),
            in_cells=window.address(theirs.cells.offset),
            source=source.data.ctypes.data,
            sums=source.sums.ctypes.data,
            scratch=self._scratch.ctypes.data,
            piece=layout.piece,
            step=layout.piece,
            cells=layout.cells,
            sources=layout.sources,
            batch=layout.batch,
            run=run,
            sending=int(bool(directions & sends_to)),
            receiving=int(bool(directions & ~sends_to)),
            stop=ctypes.addressof(self._stop),
            end_ns=_FAR_NS,
            filled=self.lines.sent(COUNT),
            confirmed=self.lines.sent(COUNT),
            taken=self.lines.taken(COUNT),
            good=self.lines.taken(GOOD),
            bad=self.lines.taken(BAD),
            out_of_order=self.lines.taken(OUT_OF_ORDER),
        )

        self._python: PythonFlow | None = None
        if self._kernel is None:
            memory = FlowMemory(
                window.words,
                window.index(self.lines.send),
                window.index(self.lines.take),
                window.index(other.send),
                window.index(other.take),
                np.frombuffer(heads, np.uint64),
                window.index(theirs.heads.offset),
                np.frombuffer(out_cells, np.uint8),
                np.frombuffer(in_cells, np.uint8),
                layout,
                source,
                self._scratch,
            )
            self._python = PythonFlow(self.state, memory)

    def stop(self) -> None:
        """End the running slice soon; from any thread."""
        self._stop.value = 1

    def run(self, until_ns: int) -> Slice:
        """One slice.

        Raises:
            RegionGoneError: The memory under it vanished.
        """
        self.state.slice_end_ns = until_ns
        result = Slice.STOPPED
        if self._kernel is not None and self._parts:
            result = self._kernel.ring_transfer(self.state)
        elif self._python is not None:
            result = self._python.run(lambda: bool(self._stop.value))
        if result is Slice.FAULT or self._window.torn:
            self._window.lost()
        return result

    def close(self) -> None:
        """Release the views of the window's memory. Safe to call twice."""
        if self._python is not None:
            self._python.close()
            self._python = None
        while self._parts:
            self._parts.pop().release()


class TransferHandler:
    """Answers transfers: takes what the initiator sends, sends what it takes, or both.

    Args:
        wanted: Run on this engine only.
        core: Keep the loop on this core.
    """

    command = Command.TRANSFER

    def __init__(self, *, wanted: EngineKind | None = None, core: int | None = None) -> None:
        self._wanted = wanted
        self._core = core
        self.capability = capabilities(Capability.TRANSFER)

    def begin(self, task: ResponderTask) -> tuple[int, ...]:
        """Check run, size and ring; begin at the run's present counts; returns the engine."""
        task.need_window()
        run, message, directions = (task.request.value(index) for index in range(3))
        try:
            layout = Layout.of(message, task.slot.data(Side.RESPONDER).length)
        except ScopeError as error:
            raise RefusedRequest(Refusal.PARAMETER, 1) from error
        if not 0 < directions <= TO_OWNER | TO_MASTER:
            raise RefusedRequest(Refusal.PARAMETER, 2)
        asked = (message, *(task.request.value(index) for index in range(3, 7)))
        if layout.as_values() != asked:
            raise RefusedRequest(Refusal.PARAMETER, 3)
        initiator, ours = (
            Lines(task.region, task.slot, side) for side in (Side.INITIATOR, Side.RESPONDER)
        )
        if not run or initiator.sent(RUN) != run or initiator.taken(RUN) != run:
            raise RefusedRequest(Refusal.PARAMETER, 0)
        if directions & TO_MASTER:
            task.claim.touch(layout.length)
        filled, before = initiator.sent(COUNT), ours.taken(COUNT)
        again = ours.taken(RUN) == run
        skipped = filled - before if again and 0 <= filled - before <= layout.cells else 0
        ours.begin(run, initiator.taken(COUNT), filled, skipped)
        return (int(pick_engine(self._wanted) is not None),)

    def run(self, task: ResponderTask) -> tuple[int, ...]:
        """Transfer until stopped; returns the counts of cells taken."""
        request = task.request
        layout = Layout.of(request.value(1), task.slot.data(Side.RESPONDER).length)
        loop = RingLoop(
            task.region,
            task.need_window(),
            task.slot,
            Side.RESPONDER,
            layout,
            request.value(0),
            request.value(2),
            wanted=self._wanted,
            stop=task.stop,
        )
        before_ns = loop.lines.taken(CPU) - time.thread_time_ns()
        try:
            with on_core(self._core, pick_engine(self._wanted), short_sleeps=False):
                result = Slice.AGAIN
                while result is Slice.AGAIN:
                    result = loop.run(_now() + _SLICE_NS)
                    cpu_ns = max(0, before_ns + time.thread_time_ns())
                    loop.lines.put(loop.lines.take, CPU, cpu_ns)
        finally:
            loop.close()
        return int(loop.state.good), int(loop.state.bad), int(loop.state.out_of_order)
