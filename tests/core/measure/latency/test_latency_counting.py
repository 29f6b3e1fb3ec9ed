"""What a latency test counts: against made-up samples, and both engines against a silent peer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.core.measure.lane.hold import acquire_lane
from app.core.measure.lane.layout import Line, Side
from app.core.measure.lane.peer_card import EngineKind
from app.core.measure.lane.placement import default_lane
from app.core.measure.latency.echo import Batch, EchoLoop
from app.core.measure.latency.latency import LatencyOptions, run_latency
from app.core.measure.latency.latency_result import Tally
from app.core.measure.run_context import RunContext
from app.core.native.kernel import PingState, Slice, Wait
from tests.core.measure.peer_programs import need_kernel, opened, responding

MakeFile = Callable[..., Path]
ENGINES = [EngineKind.KERNEL, EngineKind.PYTHON]
MS = 1_000_000
QUICK = LatencyOptions(
    rate_hz=500, duration_s=0.4, warm_up_s=0, wait=Wait.POLL, poll_ns=100_000, timeout_s=0.5
)


def batch(intended: list[int], sent: list[int], received: list[int]) -> Batch:
    columns = (np.array(column, np.int64) for column in (intended, sent, received))
    return Batch(*columns, np.zeros(len(sent), np.int64))


def state(**more: float) -> PingState:
    return PingState(timeout_ns=1000 * MS, **more)


# -- the tally -------------------------------------------------------------------------------------


def test_our_own_loop_that_stands_still_is_a_stall_too() -> None:
    """The answers come at once; the requests are sent 20 ms late, as under a busy GIL."""
    tally = Tally(0.1, stall_ns=MS)
    tally.begin(0)
    fixed = state(interval_ns=10.0 * MS)
    tally.add(batch([0, 10 * MS], [5, 30 * MS], [10, 30 * MS + 5]), 31 * MS, fixed)
    tally.resume(41 * MS, 10 * MS)  # our own pause is none of it: the schedule moved by as much
    tally.add(batch([30 * MS, 50 * MS], [41 * MS, 70 * MS], [41 * MS, 70 * MS]), 100 * MS, fixed)
    tally.finish(fixed)
    assert tally._stalled_ns == 40 * MS


def test_gaps_of_the_closed_loop_are_stalls_too_and_a_lost_one_counts_once() -> None:
    tally = Tally(5, stall_ns=MS)
    tally.begin(0)
    closed = state(lost=1)
    sent = [0, 50 * MS, 2000 * MS]  # 49 ms nobody sent; then one was lost for a second
    tally.add(batch(sent, sent, [1 * MS, 51 * MS, 2001 * MS]), 2001 * MS, closed)
    tally.finish(closed)
    assert tally._stalled_ns == (49 + 1000) * MS


def test_a_schedule_that_is_done_early_counts_to_its_end() -> None:
    """One request in the first of 50 ms: 20/s, not 10 000/s."""
    tally = Tally(0.05, stall_ns=MS)
    tally.begin(0)
    done = state(interval_ns=100.0 * MS, end_ns=50 * MS)
    tally.add(batch([0], [0], [100_000]), 100_000, done)
    tally.finish(done)
    assert tally._end_ns == 50 * MS
    tally.finish(done, complete=False)
    assert tally._end_ns == 50 * MS


def test_what_is_on_its_way_at_a_stop_is_lost_and_stalled() -> None:
    tally = Tally(10, stall_ns=MS)
    tally.begin(0)
    stopped = state(pending=1, sent_ns=100 * MS, missed=7, end_ns=10_000 * MS)
    tally.add(batch([], [], []), 400 * MS, stopped)
    tally.finish(stopped, complete=False)
    assert (tally.lost, tally._stalled_ns) == (8, 300 * MS)
    assert [note for note in tally.notes if note.startswith("7 of the lost were never sent")]


def test_the_series_tells_times_that_were_measured() -> None:
    """Nine quick ones and a stall: between the two lies nothing."""
    tally = Tally(1, stall_ns=MS)
    tally.begin(0)
    zeros = [0] * 10
    tally.add(batch(zeros, zeros, [1000] * 9 + [50 * MS]), 100 * MS, state())
    tally.finish(state())
    assert [(point.p50_ns, point.p99_ns) for point in tally.series] == [(1000, 50 * MS)]


# -- the engines -----------------------------------------------------------------------------------


@contextmanager
def loop_alone(
    make: MakeFile, engine: EngineKind
) -> Iterator[tuple[EchoLoop, memoryview[int], int]]:
    """A loop to which nobody answers, the lane's words, and the place of the answer."""
    need_kernel(engine)
    with opened(make(1 << 20)) as region:
        lane = default_lane(region.size)
        with region.window(lane.offset, lane.size) as window:
            loop = EchoLoop(window, lane.slot(0), wanted=engine)
            loop.state.timeout_ns = 2 * MS
            yield loop, window.words, window.index(lane.slot(0).line(Side.RESPONDER, Line.ECHO))
            loop.close()


def drive(loop: EchoLoop, rate_hz: float, duration_ns: int) -> None:
    start = time.perf_counter_ns()
    loop.schedule(rate_hz, start)
    loop.state.end_ns = start + duration_ns
    while loop.run(time.perf_counter_ns() + 100 * MS) is Slice.AGAIN:
        pass


@pytest.mark.parametrize("engine", ENGINES)
def test_nobody_answers_and_all_that_was_due_is_lost(
    shm_file: MakeFile, engine: EngineKind
) -> None:
    with loop_alone(shm_file, engine) as (loop, _, _):
        drive(loop, 2000, 50 * MS)
        assert loop.state.lost >= 1
        assert loop.state.lost + loop.state.missed == 100
        assert (loop.state.pending, loop.state.unexpected) == (0, 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_number_that_nobody_waits_for_is_a_stray(shm_file: MakeFile, engine: EngineKind) -> None:
    with loop_alone(shm_file, engine) as (loop, words, pong):
        words[pong] = 123_456_789_012
        drive(loop, 1000, 5 * MS)
        assert loop.state.unexpected == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_stopped_early_what_was_due_is_missed(shm_file: MakeFile, engine: EngineKind) -> None:
    with loop_alone(shm_file, engine) as (loop, _, _):
        start = time.perf_counter_ns()
        loop.schedule(1000, start)
        loop.state.end_ns = start + 10_000 * MS
        loop.state.timeout_ns = 5_000 * MS
        assert loop.run(start + MS) is Slice.AGAIN
        assert loop.state.pending
        loop.pass_over(start + 70 * MS)
        assert loop.state.missed + 1 >= 70
        loop.schedule(1000, start)
        assert not loop.state.pending, "it belongs to the run before"


def test_the_pause_of_a_closed_loop_is_told(shm_file: MakeFile) -> None:
    with loop_alone(shm_file, EngineKind.PYTHON) as (loop, _, _):
        loop.schedule(0, 0)
        assert loop.shift(100, 150) == 50


# -- whole tests -----------------------------------------------------------------------------------


@pytest.fixture
def path(shm_file: MakeFile) -> Path:
    return shm_file(1 << 20)


def test_a_test_stopped_while_it_warms_up_has_counted_nothing(path: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    with responding(path), opened(path) as region, acquire_lane(region, folder=tmp_path) as hold:
        warming = replace(QUICK, warm_up_s=60)
        stop.set()
        result = run_latency(region, hold.lane, warming, RunContext(cancelled=stop.is_set))
    assert (result.complete, result.sent, result.duration_s, result.series) == (False, 0, 0, ())
    assert result.figures()["p50_ns"] is None
    assert result.stalled_share == 0
    assert "Stopped before its end." in result.notes


def test_it_began_when_it_was_counted(path: Path, tmp_path: Path) -> None:
    """Not when the peer's clock was looked at: `.hlog` tells the time of the samples."""
    begun: list[float] = []
    with responding(path), opened(path) as region, acquire_lane(region, folder=tmp_path) as hold:
        context = RunContext(progress=lambda live: begun.append(time.time()))
        before = time.time()
        result = run_latency(region, hold.lane, replace(QUICK, warm_up_s=0.3), context)
    assert before + 0.3 < result.conditions.started_s < begun[0]
    assert f"#[StartTime: {result.conditions.started_s:.3f} " in result.hdr_text()
    assert f"{result.response.count} answered, {result.lost} lost" in result.hdr_text()
