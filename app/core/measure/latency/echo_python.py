"""The echo loops in Python: the twins of `run_ping`, `run_pong` and `scope_floor` in kernel.c.

Same state, same order of loads and stores, same counting. One load or store of an 8-byte item of
a memoryview is one access to the memory (docs/measurements.md, "One access or several"); on x86
that order is also the order that the peer sees. On other processors only the C kernel guarantees
it (docs/platform.md, "Words and order").
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ...native.kernel import PingState, PongState, Slice, Wait
from ...region.doorbell import Bell

_now: Final = time.perf_counter_ns
_SIGNED: Final = (1 << 63) - 1
_GRACE_NS: Final = 50_000_000  # as in kernel.c
_BELL_S: Final = 0.02  # the most that a lost ring costs; `stopped` is checked as often
_TURNS: Final = 64  # spins between two readings of the clock
_sched_yield: Final[Callable[[], None]] = getattr(os, "sched_yield", lambda: time.sleep(0))


@dataclass(slots=True)
class Memory:
    """The memory of the Python loops: views into an open RegionWindow, and own buffers.

    Attributes:
        words: The window's words.
        ping: Index of the ping word.
        pong: Index of the pong word; the stamp follows it.
        out: Half that this side writes, cut to the payload.
        back: Half that this side reads, cut to the payload.
        own: Our own buffer of the payload's length.
        bell: Doorbell, where one is used.
    """

    words: memoryview[int]
    ping: int
    pong: int
    out: memoryview[int]
    back: memoryview[int]
    own: bytearray
    bell: Bell | None = None


@dataclass(slots=True)
class Arrays:
    """Arrays for the samples: the same ones that PingState points to."""

    intended: memoryview[int]
    sent: memoryview[int]
    received: memoryview[int]
    stamps: memoryview[int]


def _rest(wait: int, poll_ns: int, bell: Bell | None) -> None:
    if wait == Wait.POLL:
        time.sleep(poll_ns / 1e9)
    elif wait == Wait.YIELD:
        _sched_yield()
    elif wait == Wait.BELL and bell is not None:
        bell.wait(_BELL_S)


def run_ping(
    state: PingState, memory: Memory, arrays: Arrays, stopped: Callable[[], bool]
) -> Slice:
    """One slice of the initiator's side."""
    state.turn_ns = _now()
    plain = state.wait == Wait.SPIN and not memory.own and memory.bell is None
    while state.count < state.capacity:
        if state.pending:
            result = _await_pong(state, memory, arrays, stopped)
        elif plain:
            result = _burst(state, memory, arrays, stopped)
        else:
            result = _send(state, memory, stopped)
        if result is not None:
            return result
    return Slice.AGAIN


def _send(state: PingState, memory: Memory, stopped: Callable[[], bool]) -> Slice | None:
    """Wait until a request is due and send it; None when it was sent."""
    interval, now = state.interval_ns, _now()
    due = state.base_ns + int(state.index * interval) if interval else now
    if due >= state.end_ns:
        return Slice.DONE
    if now < due:
        now = _await_due(state, due, stopped)
    note_turn(state, now)
    if now < due or now >= state.slice_end_ns or now >= state.end_ns + state.timeout_ns:
        return _why(state, now, stopped)
    state.index += 1
    state.number += 1
    state.intended_ns = due
    state.sent_ns = _now()
    note_turn(state, state.sent_ns)
    if memory.own:
        memory.out[:] = memory.own
    memory.words[memory.ping] = state.number
    if memory.bell is not None:
        memory.bell.ring()
    state.pending = 1
    return None


def _burst(
    state: PingState, memory: Memory, arrays: Arrays, stopped: Callable[[], bool]
) -> Slice | None:
    """Round trips without payload, all in local variables, as long as answers come soon.

    On None the last request is still unanswered, or the arrays are full.
    """
    words, ping, pong = memory.words, memory.ping, memory.pong
    intended, sent, received, stamps = (
        arrays.intended,
        arrays.sent,
        arrays.received,
        arrays.stamps,
    )
    interval, base, end, slice_end = (
        state.interval_ns,
        state.base_ns,
        state.end_ns,
        state.slice_end_ns,
    )
    index, number, count = state.index, state.number, state.count
    stall = state.stall_ns
    last = end + state.timeout_ns
    turns, clock = range(_TURNS), _now
    now = state.turn_ns
    result: Slice | None = None
    pending = broken = False
    for at in range(count, state.capacity):
        due = base + int(index * interval) if interval else now
        if due >= end:
            result = Slice.DONE
            break
        if now < due:
            state.turn_ns = now
            now = _await_due(state, due, stopped)
        if now < due or now >= slice_end or now >= last:
            broken = True
            break
        index += 1
        number += 1
        begun = clock()
        if begun - now > stall:
            state.stood_ns += begun - now
        words[ping] = number
        for _ in turns:
            if words[pong] == number:
                break
        else:
            state.sent_ns, state.intended_ns = begun, due
            pending = True
            break
        now = clock()
        intended[at] = due if interval else begun
        sent[at] = begun
        received[at] = now
        stamps[at] = words[pong + 1] & _SIGNED
        count = at + 1
    if count > state.count:
        state.seen = number - pending  # the last that was answered
        state.answered_ns = received[count - 1]
    state.index, state.number, state.count = index, number, count
    state.pending, state.turn_ns = pending, now
    return _why(state, now, stopped) if broken else result


def _await_due(state: PingState, due: int, stopped: Callable[[], bool]) -> int:
    """Wait until the next one is due, the slice or the test is over; the time then."""
    wait, poll_ns, stall = state.wait, state.poll_ns, state.stall_ns
    until = min(due, state.slice_end_ns)
    turn = state.turn_ns
    while True:
        now = _now()
        if now - turn > stall:
            state.stood_ns += now - turn
        turn = state.turn_ns = now
        if now >= until:
            break
        if wait == Wait.YIELD:
            _sched_yield()
        elif wait:
            time.sleep(min(until - now, poll_ns) / 1e9)
        if stopped():
            break
    return now


def _why(state: PingState, now: int, stopped: Callable[[], bool]) -> Slice:
    if now >= state.end_ns + state.timeout_ns:
        give_account(state, now, state.answered_ns)
        return Slice.DONE
    return Slice.STOPPED if stopped() else Slice.AGAIN


def due_before(interval_ns: float, elapsed_ns: int) -> int:
    """How many of a schedule are due before so many ns went by."""
    count = max(0, math.ceil(elapsed_ns / interval_ns))
    while int(count * interval_ns) < elapsed_ns:  # the division rounds, and the product does
        count += 1
    while count and int((count - 1) * interval_ns) >= elapsed_ns:
        count -= 1
    return count


def pass_until(state: PingState, then: int) -> int:
    """Pass over what is due until then; how many those were."""
    if not state.interval_ns:
        return 0
    gone = min(then, state.end_ns) - state.base_ns
    passed = max(0, due_before(state.interval_ns, gone) - int(state.index))
    state.index += passed
    return passed


def give_account(state: PingState, then: int, answered_ns: int) -> None:
    """Pass over what is due until then: an answer was waited for until `answered_ns`."""
    state.missed += pass_until(state, min(then, answered_ns))
    state.skipped += pass_until(state, then)


def note_turn(state: PingState, now: int) -> None:
    """Another turn of our own loop, which stood still when the last one was long ago."""
    if now - state.turn_ns > state.stall_ns:
        state.stood_ns += now - state.turn_ns
    state.turn_ns = now


def _await_pong(
    state: PingState, memory: Memory, arrays: Arrays, stopped: Callable[[], bool]
) -> Slice | None:
    """Wait for a slow answer; None when it was recorded, or timed out."""
    words, pong, number, seen = memory.words, memory.pong, state.number, state.seen
    turns = range(_TURNS) if state.wait == Wait.SPIN else range(1)
    while True:
        for _ in turns:
            there = words[pong]
            if there == number:
                _record(state, memory, arrays)
                return None
            if there != seen:
                state.unexpected += 1
                state.seen = seen = there
        now = _now()
        if now - state.sent_ns > state.timeout_ns:
            _give_up(state, now)
            return None
        if stopped():
            return Slice.STOPPED
        if now >= state.slice_end_ns + _GRACE_NS:
            return Slice.AGAIN
        if state.wait:
            _rest(state.wait, state.poll_ns, memory.bell)


def _record(state: PingState, memory: Memory, arrays: Arrays) -> None:
    if memory.own:
        memory.own[:] = memory.back
    now, at = _now(), state.count
    arrays.intended[at] = state.intended_ns if state.interval_ns else state.sent_ns
    arrays.sent[at] = state.sent_ns
    arrays.received[at] = now
    arrays.stamps[at] = memory.words[memory.pong + 1] & _SIGNED
    state.count = at + 1
    state.seen = state.number
    state.pending = 0
    state.turn_ns = state.answered_ns = now


def _give_up(state: PingState, now: int) -> None:
    state.lost += 1
    state.pending = 0
    state.turn_ns = state.answered_ns = now
    state.missed += pass_until(state, now)  # due while the peer did not answer


def run_floor(state: PingState, memory: Memory, arrays: Arrays) -> Slice:
    """The initiator's loop without a responder: the time that the instrument itself takes."""
    words, ping, own, out = memory.words, memory.ping, memory.own, memory.out
    sent, received = arrays.sent, arrays.received
    number, payload = state.number, len(own)
    for at in range(state.capacity):
        begun = _now()
        if payload:
            out[:] = own
        number += 1
        words[ping] = number
        while words[ping] != number:
            words[ping] = number  # stored again in each turn, in case something wrote over it
        if payload:
            own[:] = out
        sent[at] = begun
        received[at] = _now()
    state.number, state.count = number, state.capacity
    return Slice.DONE


def run_pong(state: PongState, memory: Memory, stopped: Callable[[], bool]) -> Slice:
    """One slice of the responder's side; `memory.out` is the half that the responder writes."""
    bare = state.wait == Wait.SPIN and not memory.own and not state.stamp and memory.bell is None
    answer = _answer_bare if bare else _answer
    while True:
        answer(state, memory)
        if stopped():
            return Slice.STOPPED
        if _now() >= state.slice_end_ns:
            return Slice.AGAIN


def _answer_bare(state: PongState, memory: Memory) -> None:
    """A thousand turns for requests without payload or stamp, all in local variables."""
    words, ping, pong = memory.words, memory.ping, memory.pong
    last, answered = state.last, state.answered
    for _ in range(1024):
        there = words[ping]
        if there != last:
            words[pong] = there
            last = there
            answered += 1
    state.last, state.answered = last, answered


def _answer(state: PongState, memory: Memory) -> None:
    """Some turns, with payload, stamp, wait mode and doorbell as requested."""
    words, ping, pong, own = memory.words, memory.ping, memory.pong, memory.own
    for _ in range(256 if state.wait == Wait.SPIN else 1):
        there = words[ping]
        if there == state.last:
            _rest(state.wait, state.poll_ns, memory.bell)
            continue
        if own:
            own[:] = memory.back
            memory.out[:] = own
        if state.stamp:
            words[pong + 1] = _now()
        words[pong] = there
        state.last = there
        state.answered += 1
        if memory.bell is not None:
            memory.bell.ring()
