"""What a latency test counts: against made-up samples, and both engines against a silent peer."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.measure.lane.hold import acquire_lane
from app.core.measure.lane.layout import Line, Side
from app.core.measure.lane.peer_card import EngineKind
from app.core.measure.lane.placement import default_lane
from app.core.measure.latency.echo import Batch, EchoLoop
from app.core.measure.latency.echo_python import due_before
from app.core.measure.latency.latency import LatencyLive, LatencyOptions, run_latency
from app.core.measure.latency.latency_result import Tally
from app.core.measure.run_context import RunContext
from app.core.native.kernel import PingState, Slice, Wait
from tests.core.measure.peer_programs import ROOT, need_kernel, opened, responding

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
    """The answers come at once; what the loop says of itself counts, and a pause far too long."""
    tally = Tally(0.1, stall_ns=MS)
    tally.begin(0)
    fixed = state(interval_ns=10.0 * MS, stood_ns=20 * MS, end_ns=100 * MS)
    tally.add(batch([0, 10 * MS], [5, 30 * MS], [10, 30 * MS + 5]), 31 * MS, fixed)
    tally.resume(10 * MS, 10 * MS)  # counting: a pause, and none of it
    tally.resume(60 * MS, 55 * MS)  # nothing counts for so long
    tally.finish(fixed)
    assert (tally._stalled_ns, tally.paused_ns) == ((20 + 60) * MS, 10 * MS)
    assert tally.late == 1


def test_waits_for_answers_are_stalls_too_and_a_lost_one_counts_once() -> None:
    tally = Tally(5, stall_ns=MS)
    tally.begin(0)
    closed = state(lost=1, stood_ns=49 * MS)
    sent = [0, 50 * MS, 2000 * MS]  # 49 ms nobody sent; then one was lost for a second
    tally.add(batch(sent, sent, [1 * MS, 51 * MS, 2003 * MS]), 2003 * MS, closed)
    tally.finish(closed)
    assert tally._stalled_ns == (49 + 1000 + 3) * MS
    assert (tally.due, tally.lost, tally.skipped, tally.late) == (4, 1, 0, 0)


@given(rate_hz=st.floats(10, 1e6), elapsed_ns=st.integers(0, 10**10), shift=st.integers(0, 10**9))
def test_a_schedule_counts_what_both_engines_would_send(
    rate_hz: float, elapsed_ns: int, shift: int
) -> None:
    interval = 1e9 / rate_hz
    count = due_before(interval, elapsed_ns)
    assert int(count * interval) >= elapsed_ns
    assert not count or int((count - 1) * interval) < elapsed_ns
    assert due_before(interval, max(0, elapsed_ns - shift)) <= count


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
    stopped = state(
        pending=1, sent_ns=100 * MS, missed=7, interval_ns=10.0 * MS, end_ns=10_000 * MS
    )
    tally.add(batch([], [], []), 400 * MS, stopped)
    tally.finish(stopped, complete=False)
    assert (tally.lost, tally._stalled_ns) == (8, 300 * MS)
    assert (tally.due, tally.skipped) == (40, 32), "what was due until the stop, and no more"
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
        assert (loop.state.missed + 1, loop.state.skipped) == (70, 0), "an answer is waited for"
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


# -- the books -------------------------------------------------------------------------------------


def check_books(found: dict[str, Any], rate_hz: float, duration_s: float) -> None:
    """Each request that was due is one of answered, lost and skipped."""
    assert found["count"] + found["lost"] + found["skipped"] == found["due"]
    assert 0 <= found["late"] <= found["count"]
    assert min(found["lost"], found["skipped"]) >= 0
    if rate_hz:
        assert found["due"] == round(rate_hz * duration_s)
    else:
        assert (found["skipped"], found["late"]) == (0, 0)
    assert 0 <= found["stalled_share"] <= 1


@pytest.mark.parametrize("wait", [Wait.SPIN, Wait.POLL, Wait.YIELD])
@pytest.mark.parametrize("rate_hz", [0, 500, 30_000])
@pytest.mark.parametrize("engine", ENGINES)
def test_the_books_balance(
    path: Path, tmp_path: Path, engine: EngineKind, rate_hz: float, wait: Wait
) -> None:
    """Also at a rate that cannot be kept by loops that sleep."""
    need_kernel(engine)
    plan = replace(QUICK, rate_hz=rate_hz, wait=wait, engine=engine, timeout_s=0.2)
    with responding(path), opened(path) as region, acquire_lane(region, folder=tmp_path) as hold:
        result = run_latency(region, hold.lane, plan)
    check_books(result.figures(), rate_hz, plan.duration_s)
    assert sum(point.count for point in result.series) == result.response.count
    rows = dict(line.split(",")[::3] for line in result.csv_text().splitlines()[-3:])
    assert rows == {
        "lost": str(result.lost), "skipped": str(result.skipped), "due": str(result.due)
    }  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_the_books_balance_when_the_peer_stands_still(
    path: Path, tmp_path: Path, engine: EngineKind
) -> None:
    """For so long that answers are lost."""
    need_kernel(engine)
    plan = replace(QUICK, rate_hz=1000, duration_s=1.0, timeout_s=0.1, engine=engine)
    with responding(path) as peer:

        def freeze(live: LatencyLive) -> None:
            if not frozen.is_set() and live.share > 0.2:
                frozen.set()
                peer.send(signal.SIGSTOP)
                threading.Timer(0.4, peer.send, (signal.SIGCONT,)).start()

        frozen = threading.Event()
        with opened(path) as region, acquire_lane(region, folder=tmp_path) as hold:
            result = run_latency(region, hold.lane, plan, RunContext(progress=freeze))
    check_books(result.figures(), plan.rate_hz, plan.duration_s)
    assert result.lost >= 100, "one answer, and what was due while it was waited for"
    assert result.stalled_share >= 0.2


@pytest.mark.parametrize("rate_hz", [0, 1000])
def test_the_books_balance_when_it_is_stopped_half_way(
    path: Path, tmp_path: Path, rate_hz: float
) -> None:
    plan = replace(QUICK, rate_hz=rate_hz, duration_s=60)
    stop = threading.Event()

    def half_way(live: LatencyLive) -> None:
        if live.tally.response.count > 100:
            stop.set()

    with responding(path), opened(path) as region, acquire_lane(region, folder=tmp_path) as hold:
        context = RunContext(half_way, cancelled=stop.is_set)
        result = run_latency(region, hold.lane, plan, context)
    assert not result.complete
    check_books(result.figures(), rate_hz, result.due / (rate_hz or 1))
    if rate_hz:
        assert result.due == due_before(1e9 / rate_hz, round(result.duration_s * 1e9))


@pytest.mark.parametrize(
    ("engine", "wait", "rate"),
    [
        ("kernel", "spin", 1000),
        ("kernel", "poll", 1000),
        ("kernel", "poll", 10),
        ("kernel", "yield", 10),
        ("kernel", "spin", 0),
        ("python", "spin", 1000),
        ("python", "poll", 1000),
        ("python", "yield", 10),
        ("python", "poll", 10),
        ("python", "spin", 0),
        ("python", "bell", 200),
    ],
)
def test_the_measuring_side_that_stands_still_says_so(
    path: Path, tmp_path: Path, engine: str, wait: str, rate: int
) -> None:
    """The process that measures is stopped for 0.8 s of 2 s, wherever it was just then."""
    need_kernel(EngineKind(engine))

    def program(number: int) -> tuple[str, ...]:
        bells = ("-m", "tests.core.measure.fifo_bell", str(tmp_path), str(number))
        return bells if wait == "bell" else ("-m", "app")

    with responding(path, program=program(0)) as peer:
        measuring = subprocess.Popen(
            [
                sys.executable, *program(9), "latency", str(path), "--rate", str(rate),
                "--duration", "2", "--warm-up", "0", "--wait", wait, "--engine", engine, "--json",
                "--lost-after", "2",
            ],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        # The first test that the peer is asked for is the short one that compares the clocks.
        peer.wait_for(lambda state: state["phase"] == "answering" and state["tests"] > 0)
        time.sleep(0.5)
        measuring.send_signal(signal.SIGSTOP)
        time.sleep(0.8)
        measuring.send_signal(signal.SIGCONT)
        out, err = measuring.communicate(timeout=60)
    assert measuring.returncode == 0, err
    found = json.loads(out)
    check_books(found, rate, 2)
    assert found["stalled_share"] >= 0.79 / found["duration_s"]
