"""The transfer loop in Python: the twin of `run_flow` in kernel.c.

Same state, same order of loads and stores, same counting. Cells are copied by numpy, a batch at
once as far as it lies in one piece, and checked by xxh3: from 64 KiB on that is as quick as C
(perf.md 3). The order of payload and number is kept by x86; elsewhere only the kernel promises it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from xxhash import xxh3_64_intdigest

from app.core.probe.kernel import FlowState, Slice
from app.core.probe.ring import U8, Layout, Source

_now: Final = time.perf_counter_ns
_SPINS: Final = 64
_WORD: Final = (1 << 64) - 1
_sched_yield: Final[Callable[[], None]] = getattr(os, "sched_yield", lambda: time.sleep(0))


@dataclass(slots=True)
class FlowMemory:
    """What the loop accesses: views into an open RegionWindow, and own buffers.

    Attributes:
        words: The window's words.
        send, take, their_send, their_take: Indexes of the words.
        out_heads, in_heads: Indexes of the first heads.
        out_cells, in_cells: The cells, as bytes.
        layout: The ring's shape.
        source: What is sent.
        scratch: Room for a batch.
    """

    words: memoryview[int]
    send: int
    take: int
    their_send: int
    their_take: int
    out_heads: int
    in_heads: int
    out_cells: U8
    in_cells: U8
    layout: Layout
    source: Source
    scratch: U8


class _Flow:
    """One slice's view of state and memory."""

    def __init__(self, state: FlowState, memory: FlowMemory) -> None:
        self.state, self.memory = state, memory
        layout = memory.layout
        self._piece, self._cells = layout.piece, layout.cells
        self._sources, self._batch = layout.sources, layout.batch
        self._run = int(state.run)
        self._sums: list[int] = memory.source.sums.tolist()
        self._parts = [
            memory.scratch[at : at + self._piece].data
            for at in range(0, self._batch * self._piece, self._piece)
        ]

    def _runs(self, first: int, count: int) -> list[tuple[int, int, int]]:
        """Cell, source and length of what can be copied in one go, for cells from `first` on."""
        found = []
        while count:
            at, source = first % self._cells, first % self._sources
            length = min(count, self._cells - at, self._sources - source)
            found.append((at, source, length))
            first, count = first + length, count - length
        return found

    def _stray(self, word: int) -> None:
        state = self.state
        state.strays += word != state.stray
        state.stray = word

    def send(self, *, over: bool) -> int:
        """Fill a batch of cells when there is room for one; how many."""
        state, memory, piece = self.state, self.memory, self._piece
        words, filled = memory.words, int(state.filled)
        theirs = words[memory.their_take]
        if (theirs - state.confirmed) & _WORD <= filled - state.confirmed:
            state.confirmed = theirs
        else:
            self._stray(theirs)
        if over or self._cells - (filled - state.confirmed) < self._batch:
            return 0
        data, out = memory.source.data, memory.out_cells
        for at, source, length in self._runs(filled, self._batch):
            out[at * piece : (at + length) * piece] = data[
                source * piece : (source + length) * piece
            ]
            head = memory.out_heads + 2 * at
            for index in range(length):
                words[head] = (self._run + filled + index) & _WORD
                words[head + 1] = self._sums[source + index]
                head += 2
            filled += length
        state.filled = filled
        words[memory.send] = filled
        return self._batch

    def take(self) -> int:
        """Take and check what is there, at most a batch; how many."""
        state, memory, piece = self.state, self.memory, self._piece
        words, taken = memory.words, int(state.taken)
        theirs = words[memory.their_send]
        there = (theirs - taken) & _WORD
        if there > self._cells:
            self._stray(theirs)
            return 0
        there = min(there, self._batch)
        for at, source, length in self._runs(taken, there):
            memory.scratch[: length * piece] = memory.in_cells[at * piece : (at + length) * piece]
            self._check(memory.in_heads + 2 * at, source, length, taken)
            taken += length
        if there:
            state.taken = taken
            words[memory.take + 2] = state.good
            words[memory.take + 3] = state.bad
            words[memory.take + 4] = state.disordered
            words[memory.take] = taken
        return there

    def _check(self, head: int, source: int, length: int, taken: int) -> None:
        state, words = self.state, self.memory.words
        good = bad = disordered = 0
        for index in range(length):
            number, told = words[head], words[head + 1]
            head += 2
            if number != (self._run + taken + index) & _WORD:
                disordered += 1
            elif not told == self._sums[source + index] == xxh3_64_intdigest(self._parts[index]):
                bad += 1
            else:
                good += 1
        state.good += good
        state.bad += bad
        state.disordered += disordered


def run_flow(state: FlowState, memory: FlowMemory, stopped: Callable[[], bool]) -> Slice:
    """One slice of a transfer."""
    flow = _Flow(state, memory)
    idle = 0
    while True:
        now = _now()
        over = now >= state.end_ns
        if now >= state.slice_end_ns:
            return Slice.AGAIN
        if stopped():
            return Slice.STOPPED
        moved = flow.send(over=over) if state.sending else 0
        if state.receiving and not over:
            moved += flow.take()
        if over and (not state.sending or state.confirmed == state.filled):
            return Slice.DONE
        idle = 0 if moved else idle + 1
        if idle > _SPINS:
            _sched_yield()
