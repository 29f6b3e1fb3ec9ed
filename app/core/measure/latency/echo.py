"""Echo: a number is sent to the peer and comes back; the loops, on either engine.

`EchoLoop` is the initiator's loop with its state, its buffers and one of the two engines;
`EchoHandler` is the responder's side, a Handler of the Responder.
"""

from __future__ import annotations

import ctypes
import os
import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...native.kernel import Kernel, PingState, PongState, Slice, Wait, kernel
from ...region.doorbell import ANSWERS, Bell, PeerBell
from ...region.region_window import RegionWindow
from ..histogram import Times
from ..lane.layout import Line, Side, Slot
from ..lane.peer_card import Capability, EngineKind
from ..lane.requests import Command, Refusal
from ..loops import on_core, pick_engine
from ..peers.responder_task import RefusedRequest, ResponderTask
from . import echo_python
from .echo_python import Arrays, Memory

MIN_PAYLOAD: Final = 8
MAX_PAYLOAD: Final = 4096
BATCH: Final = 1 << 16
_OWNER_SLICE_NS: Final = 1_000_000_000  # the loop checks `stop` in every turn
_LONGEST_POLL_NS: Final = 1_000_000_000


def capabilities(able: Capability = Capability.ECHO) -> Capability:
    """The capabilities of a responder with direct access to the mapping."""
    return able | Capability.MAPPED | (Capability.KERNEL if kernel() else Capability.NONE)


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples in the order in which they were sent; times in ns of our own clock.

    Attributes:
        intended: When each should have been sent.
        sent: When it was.
        received: When its answer was read.
        stamps: The responder's clock when it answered, if stamps were requested.
    """

    intended: Times
    sent: Times
    received: Times
    stamps: Times

    @property
    def service(self) -> Times:
        """From sending to the answer."""
        return self.received - self.sent

    @property
    def response(self) -> Times:
        """From when it should have been sent to the answer (no coordinated omission)."""
        return self.received - self.intended


def joined(batches: list[Batch]) -> Batch:
    """Several batches as one."""
    columns = zip(*((b.intended, b.sent, b.received, b.stamps) for b in batches), strict=True)
    return Batch(*(np.concatenate(column) for column in columns))


class EchoLoop:
    """The initiator's side: state, buffers and engine. Use it inside its window only.

    Attributes:
        state: The loop's state; counters of lost, missed, skipped and unexpected are in it.
        engine: What runs it.
    """

    def __init__(
        self,
        window: RegionWindow,
        slot: Slot,
        *,
        payload: int = MIN_PAYLOAD,
        wanted: EngineKind | None = None,
        bell: Bell | None = None,
    ) -> None:
        self._kernel = None if bell is not None else pick_engine(wanted)
        self.engine = EngineKind.KERNEL if self._kernel else EngineKind.PYTHON
        self._window = window
        self._stop = ctypes.c_int32(0)
        extra = payload if payload > MIN_PAYLOAD else 0
        ping, pong = slot.line(Side.INITIATOR, Line.ECHO), slot.line(Side.RESPONDER, Line.ECHO)
        out, back = slot.data(Side.INITIATOR).offset, slot.data(Side.RESPONDER).offset
        self._own = bytearray(os.urandom(extra))
        self._memory = Memory(
            window.words,
            window.index(ping),
            window.index(pong),
            window.part(out, extra),
            window.part(back, extra),
            self._own,
            bell,
        )
        self._columns = [np.zeros(BATCH, np.int64) for _ in range(4)]
        self._arrays = Arrays(*(column.data for column in self._columns))
        self._sink = ctypes.create_string_buffer(max(1, extra))
        self._source = ctypes.create_string_buffer(bytes(self._own), max(1, extra))
        first = window.words[window.index(pong)]
        self.state = PingState(
            ping=window.address(ping),
            pong=window.address(pong),
            out=window.address(out),
            in_=window.address(back),
            source=ctypes.addressof(self._source),
            sink=ctypes.addressof(self._sink),
            payload=extra,
            stop=ctypes.addressof(self._stop),
            seen=first,
            number=_first_number(first),
            timeout_ns=1_000_000_000,
            end_ns=(1 << 62),
            stall_ns=(1 << 62),
            capacity=BATCH,
            intended=self._columns[0].ctypes.data,
            sent=self._columns[1].ctypes.data,
            received=self._columns[2].ctypes.data,
            stamps=self._columns[3].ctypes.data,
        )

    def schedule(self, rate_hz: float, start_ns: int) -> None:
        """Send at a fixed rate from `start_ns` on; 0 is the closed loop.

        A request that is still unanswered belongs to the run before and is forgotten.
        """
        self.state.interval_ns = 1e9 / rate_hz if rate_hz else 0.0
        self.state.base_ns, self.state.index, self.state.pending = start_ns, 0, 0

    def shift(self, returned_ns: int, now_ns: int) -> int:
        """Take our own pause between two slices out of the schedule; how long that was, in ns.

        A request that was due before the pause, and is late because of the peer, stays late.
        """
        state = self.state
        if not state.interval_ns:
            return max(0, now_ns - returned_ns)
        due = state.base_ns + int(state.index * state.interval_ns)
        pause = max(0, int(now_ns - max(due, returned_ns)))
        state.base_ns += pause
        return pause

    def pass_over(self, then_ns: int) -> None:
        """End the sending: requests that were due until then count as missed or skipped."""
        state = self.state
        waited_ns = then_ns if state.pending else int(state.answered_ns)
        echo_python.give_account(state, then_ns, waited_ns)

    def note_return(self, now_ns: int) -> None:
        """Account for the time since the slice's last turn, if it was long enough for a stall.

        While an answer is waited for, its time tells that.
        """
        if not self.state.pending:
            echo_python.note_turn(self.state, now_ns)

    def stop(self) -> None:
        """End the running slice soon; from any thread."""
        self._stop.value = 1

    def run(self, until_ns: int) -> Slice:
        """Run one slice; its samples are in `batch()` until the next."""
        self.state.count = 0
        self.state.slice_end_ns = until_ns
        if self._kernel is not None:
            result = self._kernel.ping(self.state)
        else:
            result = echo_python.run_ping(
                self.state, self._memory, self._arrays, lambda: bool(self._stop.value)
            )
        if result is Slice.FAULT or self._window.torn:
            self._window.lost()
        return result

    def floor(self, count: int) -> Times:
        """Times of the same loop without a peer; no responder may answer meanwhile."""
        state = self.state
        state.capacity = min(count, BATCH)
        if self._kernel is not None:
            result = self._kernel.floor(state)
        else:
            result = echo_python.run_floor(state, self._memory, self._arrays)
        state.capacity = BATCH
        if result is Slice.FAULT or self._window.torn:
            self._window.lost()
        return self.batch().service

    def batch(self) -> Batch:
        """The samples of the last slice, copied."""
        count = int(self.state.count)
        return Batch(*(column[:count].copy() for column in self._columns))

    def close(self) -> None:
        """Release the views of the window's memory."""
        self._memory.out.release()
        self._memory.back.release()


def _first_number(stale: int) -> int:
    """The first number: random, and far from the pong that is in the line already.

    Small, because an integer below 2**30 is one digit to Python, and its loads and stores cost
    two thirds.
    """
    return int.from_bytes(os.urandom(3), "little") | ~stale & 1 << 28


class EchoHandler:
    """Answers echo tests.

    Args:
        wanted: Run on this engine only.
        wait: Wait in this way, whatever the initiator asks for.
        core: Keep the loop on this core.
    """

    command = Command.ECHO

    def __init__(
        self,
        *,
        wanted: EngineKind | None = None,
        wait: Wait | None = None,
        core: int | None = None,
    ) -> None:
        self._wanted = wanted
        self._wait = wait
        self._core = core
        self.capability = capabilities()

    def _waiting(self, task: ResponderTask) -> tuple[Wait, int]:
        asked = task.request.value(1)
        wait = Wait(asked) if asked in tuple(Wait) else Wait.POLL
        wait = self._wait if self._wait is not None else wait
        return wait, max(1_000, min(_LONGEST_POLL_NS, task.request.value(2)))

    def _engine(self, task: ResponderTask) -> Kernel | None:
        return None if _wants_bell(task) else pick_engine(self._wanted)

    def begin(self, task: ResponderTask) -> tuple[int, ...]:
        """Check payload and wait mode; returns the mode in force and the engine."""
        task.need_window()
        payload = task.request.value(0)
        if payload > min(MAX_PAYLOAD, task.slot.data(Side.RESPONDER).length) or payload % 8:
            raise RefusedRequest(Refusal.PARAMETER, 0)
        wait, poll_ns = self._waiting(task)
        _bell_of(task)
        if payload > MIN_PAYLOAD:
            task.claim.touch(payload)
        return int(wait), poll_ns, int(self._engine(task) is not None)

    def run(self, task: ResponderTask) -> tuple[int, ...]:
        """Answer until stopped; returns how many were answered."""
        window = task.need_window()
        wait, poll_ns = self._waiting(task)
        engine = self._engine(task)
        payload = task.request.value(0) if task.request.value(0) > MIN_PAYLOAD else 0
        slot = task.slot
        ping, pong = slot.line(Side.INITIATOR, Line.ECHO), slot.line(Side.RESPONDER, Line.ECHO)
        back, out = slot.data(Side.INITIATOR).offset, slot.data(Side.RESPONDER).offset
        scratch = ctypes.create_string_buffer(max(1, payload))
        state = PongState(
            ping=window.address(ping),
            pong=window.address(pong),
            in_=window.address(back),
            out=window.address(out),
            scratch=ctypes.addressof(scratch),
            payload=payload,
            stop=ctypes.addressof(task.stop),
            last=window.words[window.index(pong)],
            stamp=task.request.value(3) & 1,
            wait=int(wait),
            poll_ns=poll_ns,
        )
        with (
            window.part(out, payload) as out_view,
            window.part(back, payload) as back_view,
            on_core(self._core, engine, short_sleeps=wait is Wait.POLL),
        ):
            memory = Memory(
                window.words,
                window.index(ping),
                window.index(pong),
                out_view,
                back_view,
                bytearray(payload),
                _bell_of(task),
            )
            self._answer(task, state, memory, engine)
        return (int(state.answered),)

    def _answer(
        self, task: ResponderTask, state: PongState, memory: Memory, engine: Kernel | None
    ) -> None:
        result, window = Slice.AGAIN, task.need_window()
        while result is Slice.AGAIN:
            state.slice_end_ns = time.perf_counter_ns() + _OWNER_SLICE_NS
            if engine is not None:
                result = engine.pong(state)
            else:
                result = echo_python.run_pong(state, memory, lambda: task.stopped)
            if result is Slice.FAULT or window.torn:
                window.lost()


def _wants_bell(task: ResponderTask) -> bool:
    return task.request.value(1) == Wait.BELL


def _bell_of(task: ResponderTask) -> Bell | None:
    """The doorbell between us and the initiator, when it asks for one.

    A responder rings it also when its own wait mode is another one: the initiator waits for it.
    """
    if not _wants_bell(task):
        return None
    ours = task.region.bell(ANSWERS)
    theirs = task.initiator.bell if task.initiator else None
    if ours is None or theirs is None:
        raise RefusedRequest(Refusal.NO_DOORBELL)
    return PeerBell(ours, theirs)
