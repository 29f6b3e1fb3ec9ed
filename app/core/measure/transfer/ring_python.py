"""The transfer loop in Python: the twin of `run_flow` in kernel.c.

Same state, same order of loads and stores, same counting. Cells are copied by numpy, a batch at
once as far as it lies in one piece, and checked by xxh3: from 64 KiB on that is as quick as C
(docs/measurements.md, "Copies"). The order of payload and number is kept by x86; on other
processors only the C kernel guarantees it (docs/platform.md, "Words and order").
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from xxhash import xxh3_64_intdigest

from ...native.kernel import RingState, Slice
from .ring import U8, U64, Layout, Source

_now: Final = time.perf_counter_ns
_SPINS: Final = 64
_GROUP_BYTES: Final = 32 << 10
_WORD: Final = (1 << 64) - 1
_sched_yield: Final[Callable[[], None]] = getattr(os, "sched_yield", lambda: time.sleep(0))


@dataclass(slots=True)
class FlowMemory:
    """The loop's memory: views into an open RegionWindow, and own buffers.

    Attributes:
        words: The window's words.
        send, take, their_send, their_take: Indexes of the words.
        out_heads: (2 * cells,) our heads, number and checksum of each cell.
        in_heads: The index of the other side's first head.
        out_cells, in_cells: The cells, as bytes.
        layout: The ring's shape.
        source: The messages that are sent.
        scratch: Buffer for the cells that are taken at once, a batch at most.
    """

    words: memoryview[int]
    send: int
    take: int
    their_send: int
    their_take: int
    out_heads: U64
    in_heads: int
    out_cells: U8
    in_cells: U8
    layout: Layout
    source: Source
    scratch: U8


class PythonFlow:
    """The loop over one end's memory; slice after slice until it is closed with its window.

    Small cells are copied, and their heads compared, many at a time by numpy; only if something
    differs they are checked one by one. Large cells are taken singly with few calls: each cell
    displaces code and data from the core's cache, and numpy's calls need most of both. Counters
    are attributes while a slice runs: those of a ctypes structure cost three times as much.
    """

    _COUNTERS = (
        "filled",
        "confirmed",
        "taken",
        "good",
        "bad",
        "out_of_order",
        "unexpected",
        "unexpected_word",
    )

    def __init__(self, state: RingState, memory: FlowMemory) -> None:
        self.state, self.memory = state, memory
        layout, source = memory.layout, memory.source
        self._run = int(state.run)
        self._cells, self._sources, self._batch = layout.cells, layout.sources, layout.batch
        self._sum_list: list[int] = source.sums.tolist()
        self._indexes = np.arange(layout.batch, dtype=np.uint64)
        self._expected = np.empty((layout.batch, 2), np.uint64)
        self._out_heads = memory.out_heads.reshape(-1, 2)
        shape = (-1, layout.piece)
        self._data, self._out = source.data.reshape(shape), memory.out_cells.reshape(shape)
        self._in = memory.in_cells.reshape(shape)
        self._group = max(1, _GROUP_BYTES // layout.piece)
        self._scratch = memory.scratch[: self._group * layout.piece].reshape(shape)
        self._pieces = [piece.data for piece in self._scratch]
        self._singly = [cell.data for cell in self._in] if self._group == 1 else []
        self._load()

    def _load(self) -> None:
        state = self.state
        self.filled, self.confirmed = int(state.filled), int(state.confirmed)
        self.taken, self.good = int(state.taken), int(state.good)
        self.bad, self.out_of_order = int(state.bad), int(state.out_of_order)
        self.unexpected, self.unexpected_word = int(state.unexpected), int(state.unexpected_word)

    def _save(self) -> None:
        for name in self._COUNTERS:
            setattr(self.state, name, getattr(self, name))

    def _heads(self, heads: U64, first: int, source: int) -> None:
        """Fill in heads for cells from a number on, with the sums of sources from one on."""
        length = len(heads)
        np.add(self._indexes[:length], np.uint64((self._run + first) & _WORD), out=heads[:, 0])
        heads[:, 1] = self.memory.source.sums[source : source + length]

    def _length(self, first: int, count: int) -> tuple[int, int, int]:
        """Cell and source of a cell's number, and how many of `count` follow in one piece."""
        at, source = first % self._cells, first % self._sources
        return at, source, min(count, self._cells - at, self._sources - source)

    def _note_stray(self, word: int) -> None:
        self.unexpected += word != self.unexpected_word
        self.unexpected_word = word

    def send(self, *, over: bool) -> int:
        """Fill a batch of cells if there is room; returns how many were filled."""
        words, filled = self.memory.words, self.filled
        theirs = words[self.memory.their_take]
        if (theirs - self.confirmed) & _WORD <= (filled - self.confirmed) & _WORD:
            self.confirmed = theirs
        else:
            self._note_stray(theirs)
        if over or self._cells - ((filled - self.confirmed) & _WORD) < self._batch:
            return 0
        left = self._batch
        while left:
            at, source, length = self._length(filled, left)
            self._out[at : at + length] = self._data[source : source + length]
            self._heads(self._out_heads[at : at + length], filled, source)
            filled, left = filled + length, left - length
        self.filled = filled & _WORD
        words[self.memory.send] = self.filled
        return self._batch

    def take(self) -> int:
        """Take and check what is there, at most a batch; how many."""
        words, taken = self.memory.words, self.taken
        theirs = words[self.memory.their_send]
        there = (theirs - taken) & _WORD
        if not there:
            return 0
        if there > self._cells:
            self._note_stray(theirs)
            return 0
        left = there = min(there, self._batch)
        while left:
            at, source, length = self._length(taken, left)
            (self._take_large if self._singly else self._take_small)(at, source, taken, length)
            taken, left = taken + length, left - length
        self.taken = taken & _WORD
        line = self.memory.take
        for word, count in enumerate((self.good, self.bad, self.out_of_order), line + 2):
            words[word] = count & _WORD  # the words that a run began with may hold any value
        words[line] = self.taken
        return there

    def _take_large(self, at: int, source: int, first: int, length: int) -> None:
        """Take cells from `at` on, one by one; the source and the number of the first."""
        words, piece, digest = self.memory.words, self._pieces[0], xxh3_64_intdigest
        head, number, good = self.memory.in_heads + 2 * at, self._run + first, 0
        sums = self._sum_list[source : source + length]
        for cell, due in zip(self._singly[at : at + length], sums, strict=True):
            piece[:] = cell
            told, told_sum = words[head], words[head + 1]
            if told != number & _WORD:
                self.out_of_order += 1
            elif told_sum == due == digest(piece):
                good += 1
            else:
                self.bad += 1
            head, number = head + 2, number + 1
        self.good += good

    def _take_small(self, at: int, source: int, first: int, length: int) -> None:
        """The same for many at once: as many as stay in a core's own cache until checked."""
        sums: list[int] = []
        for begin in range(at, at + length, self._group):
            count = min(self._group, at + length - begin)
            self._scratch[:count] = self._in[begin : begin + count]
            sums += map(xxh3_64_intdigest, self._pieces[:count])
        head = self.memory.in_heads + 2 * at
        heads = self.memory.words[head : head + 2 * length].tobytes()
        expected = self._expected[:length]
        self._heads(expected, first, source)
        if sums == self._sum_list[source : source + length] and heads == expected.tobytes():
            self.good += length
            return
        found = np.frombuffer(heads, np.uint64).reshape(-1, 2).tolist()
        for (told, told_sum), (due, due_sum), actual in zip(
            found, expected.tolist(), sums, strict=True
        ):
            if told != due:
                self.out_of_order += 1
            elif told_sum == due_sum == actual:
                self.good += 1
            else:
                self.bad += 1

    def close(self) -> None:
        """Release the views of the region: an error's traceback may keep this object alive."""
        for cell in self._singly:
            cell.release()
        del self.memory, self._out, self._out_heads, self._in, self._singly

    def run(self, stopped: Callable[[], bool]) -> Slice:
        """One slice of a transfer."""
        self._load()
        try:
            return self._slice(stopped)
        finally:
            self._save()

    def _slice(self, stopped: Callable[[], bool]) -> Slice:
        state, idle = self.state, 0
        sending, receiving = bool(state.sending), bool(state.receiving)
        end_ns, slice_end_ns = int(state.end_ns), int(state.slice_end_ns)
        while True:
            now = _now()
            over = now >= end_ns
            if now >= slice_end_ns:
                return Slice.AGAIN
            if stopped():
                return Slice.STOPPED
            moved = self.send(over=over) if sending else 0
            if receiving and not over:
                moved += self.take()
            if over and (not sending or self.confirmed == self.filled):
                return Slice.DONE
            idle = 0 if moved else idle + 1
            if idle > _SPINS:
                _sched_yield()
