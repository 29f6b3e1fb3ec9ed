"""Latency between two real processes on one file, on both engines, and everything that goes wrong.

No assertion says how fast it must be: the machine may be busy. What is asserted is what must be
counted, said and put back.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.errors import (
    CancelledError,
    LaneLostError,
    MeasureOptionError,
    NoPeerError,
    PeerBusyError,
    RegionGoneError,
)
from app.core.measure.conditions import choose_core, spinner_warning, usable_cores
from app.core.measure.histogram import Times
from app.core.measure.lane.hold import LaneLease, acquire_lane
from app.core.measure.lane.layout import Side
from app.core.measure.lane.peer_card import EngineKind, PeerCard
from app.core.measure.latency.echo import EchoLoop
from app.core.measure.latency.latency import LatencyLive, LatencyOptions, run_latency
from app.core.measure.latency.latency_result import LatencyResult, Tally
from app.core.measure.run_context import RunContext
from app.core.native.kernel import Wait
from app.core.region.region import Region
from tests.core.measure.peer_programs import (
    PeerProcess,
    Table,
    laid,
    need_kernel,
    opened,
    responding,
)

MakeFile = Callable[..., Path]
ENGINES = [EngineKind.KERNEL, EngineKind.PYTHON]
QUICK = LatencyOptions(
    rate_hz=500, duration_s=0.4, warm_up_s=0.05, wait=Wait.POLL, poll_ns=100_000, timeout_s=0.5
)


class Echoes(Table):
    """Everything that a test of this test needs."""

    def __init__(self, region: Region, hold: LaneLease, peer: PeerProcess) -> None:
        super().__init__(region, hold, peer)
        self.tallies: list[float] = []

    def measure(
        self, options: LatencyOptions, progress: Callable[[LatencyLive], None] | None = None
    ) -> LatencyResult:
        def told(live: LatencyLive) -> None:
            self.tallies.append(live.share)
            if progress is not None:
                progress(live)

        context = RunContext(progress=told, report=self.said.append)
        return run_latency(self.region, self.hold.lane, options, context, give_up_s=30)


@pytest.fixture
def table(path: Path, tmp_path: Path) -> Iterator[Echoes]:
    """A responder in another process, and the lane that it laid."""
    with laid(Echoes, path, tmp_path) as made:
        yield made


# -- what is measured ------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_a_fixed_rate_counts_all_that_was_due(table: Echoes, engine: EngineKind) -> None:
    need_kernel(engine)
    result = table.measure(replace(QUICK, engine=engine))
    assert (result.engine, result.complete) == (engine, True)
    # 0.4 s at 500/s; pauses of the instrument itself are outside the schedule.
    assert result.sent <= 200
    assert result.sent >= 200 * (1 - result.paused_share) * 0.9 - 2
    assert result.response.count == result.service.count
    assert all(
        a >= b
        for a, b in zip(result.response.percentiles(), result.service.percentiles(), strict=True)
    )
    assert result.floor.count > 0
    assert result.floor.p50 < result.service.summary().p50
    assert sum(point.count for point in result.series) == result.response.count
    assert result.conditions.us
    assert result.conditions.peer
    assert result.ways is not None
    assert result.ways.same_clock
    assert result.ways.there_p50_ns > 0
    assert table.tallies[-1] >= 0.9


@pytest.mark.parametrize("wait", [Wait.SPIN, Wait.YIELD, Wait.POLL])
def test_the_closed_loop_has_no_schedule(table: Echoes, wait: Wait) -> None:
    result = table.measure(replace(QUICK, rate_hz=0, wait=wait, duration_s=0.2))
    assert result.response.count > 10
    assert result.response.as_dict() == result.service.as_dict()
    assert result.late == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_payloads_travel_and_are_put_back(table: Echoes, engine: EngineKind) -> None:
    for payload in (16, 4096):
        result = table.measure(replace(QUICK, payload_bytes=payload, engine=engine, duration_s=0.1))
        assert result.response.count > 0
        slot = table.hold.lane.slot(result.conditions.slot)
        there = table.region.read(slot.data(Side.INITIATOR).offset, payload)
        assert there == table.region.read(slot.data(Side.RESPONDER).offset, payload)
        assert any(there)


def test_a_responder_in_python_answers_too(path: Path, tmp_path: Path) -> None:
    with (
        responding(path, environment={"IVSHMEM_SCOPE_KERNEL": "0"}) as peer,
        opened(path) as region,
        acquire_lane(region, folder=tmp_path) as hold,
    ):
        result = Echoes(region, hold, peer).measure(QUICK)
    assert result.peer_engine is EngineKind.PYTHON
    assert result.response.count > 0


@pytest.mark.parametrize("engine", ENGINES)
def test_the_fixed_rate_shows_a_stall_that_the_closed_loop_hides(
    table: Echoes, engine: EngineKind
) -> None:
    """The peer stands still for 50 ms: one sample of the closed loop, fifty at 1000/s."""

    def stall_once() -> Callable[[LatencyLive], None]:
        done = threading.Event()

        def stall(live: LatencyLive) -> None:
            if live.share > 0.3 and not done.is_set():
                done.set()
                table.peer.send(signal.SIGSTOP)
                threading.Timer(0.08, lambda: table.peer.send(signal.SIGCONT)).start()

        return stall

    # Loops that sleep: two that spin on a busy machine stall each other for as long as that.
    options = LatencyOptions(
        rate_hz=1000, duration_s=1.0, warm_up_s=0.05, engine=engine, wait=Wait.POLL, poll_ns=20_000
    )
    fixed = table.measure(options, stall_once())
    closed = table.measure(replace(options, rate_hz=0), stall_once())
    long_ns = 25_000_000
    assert closed.response.most > long_ns
    assert fixed.response.most > long_ns
    assert _share_above(fixed, long_ns) > 0.02  # of the time, and so of those who asked
    assert _share_above(closed, long_ns) < 0.01
    assert fixed.response.percentiles((0.98,))[0] > long_ns
    assert closed.response.percentiles((0.98,))[0] < long_ns
    assert fixed.stalled_share > 0.02
    assert closed.stalled_share > 0.02  # the time is told in both


def _share_above(result: LatencyResult, limit_ns: int) -> float:
    above = sum(count for low, _, count in result.response.bars() if low > limit_ns)
    return above / result.response.count


def test_a_stopped_test_gives_what_it_has(table: Echoes) -> None:
    stop = threading.Event()
    context = RunContext(progress=lambda live: stop.set(), cancelled=stop.is_set)
    result = run_latency(table.region, table.hold.lane, replace(QUICK, duration_s=60), context)
    assert not result.complete
    assert result.duration_s < 30


# -- what is kept ----------------------------------------------------------------------------------


def test_results_go_through_files(table: Echoes, tmp_path: Path) -> None:
    result = table.measure(QUICK)
    plain = json.loads(result.json_text())
    assert result.as_dict() == plain
    assert plain["p50_ns"] == result.response.summary().p50
    rows = result.csv_text().splitlines()
    assert rows[0] == "distribution,from_ns,to_ns,count"
    counted = sum(int(row.rsplit(",", 1)[1]) for row in rows[1:])
    assert counted == 2 * result.response.count + result.lost + result.skipped + result.due
    assert "Tag=response" in result.hdr_text()


# -- what goes wrong -------------------------------------------------------------------------------


def test_a_killed_and_restarted_responder_is_met_again(path: Path, tmp_path: Path) -> None:
    """What it could not answer is lost; its successor takes the slot and is asked anew."""
    second: list[PeerProcess] = []
    with (
        opened(path) as region,
        acquire_lane(region, folder=tmp_path) as hold,
        responding(path) as first,
    ):
        table = Echoes(region, hold, first)
        started = threading.Event()
        answered: list[int] = []

        def restart(live: LatencyLive) -> None:
            if not started.is_set() and live.tally.response.count > 20:
                started.set()
                first.send(signal.SIGKILL)
                second.append(PeerProcess(path))
                answered.append(live.tally.response.count)
            if started.is_set() and live.tally.response.count > answered[0] + 50:
                done.set()

        done = threading.Event()
        context = RunContext(restart, table.said.append, done.is_set)
        try:
            options = replace(QUICK, duration_s=40, timeout_s=0.2)
            result = run_latency(region, hold.lane, options, context)
        finally:
            for peer in second:
                peer.end()
        assert done.is_set()
    assert result.lost > 0
    assert "The peer restarted and was asked again." in table.said
    assert any("restarted" in note and " s)" in note for note in result.notes)


@pytest.fixture
def leaving(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PeerProcess]:
    """A peer that is killed when it was found, and before it was asked."""
    real = EchoLoop.floor
    with responding(path) as peer:

        def floor(self: EchoLoop, count: int) -> Times:
            peer.send(signal.SIGKILL)
            peer.wait()
            return real(self, count)

        monkeypatch.setattr(EchoLoop, "floor", floor)
        yield peer


def test_a_peer_that_goes_before_it_began_is_waited_for(
    path: Path, tmp_path: Path, leaving: PeerProcess
) -> None:
    heirs: list[PeerProcess] = []
    said: list[str] = []

    def hear(text: str) -> None:
        said.append(text)
        if not heirs:
            heirs.append(PeerProcess(path))

    try:
        with opened(path) as region, acquire_lane(region, folder=tmp_path) as hold:
            result = run_latency(region, hold.lane, QUICK, RunContext(report=hear))
    finally:
        for heir in heirs:
            heir.end()
    assert result.complete
    assert result.response.count > 0
    assert said[0] == "The peer is gone."
    assert "The peer restarted and was asked again." in said


@pytest.mark.parametrize("patience_s", [None, 0.2])
def test_waiting_for_one_that_went_can_be_ended(
    path: Path, tmp_path: Path, leaving: PeerProcess, patience_s: float | None
) -> None:
    said: list[str] = []
    context = RunContext(report=said.append, cancelled=lambda: bool(said) and patience_s is None)
    error = CancelledError if patience_s is None else NoPeerError
    with (
        opened(path) as region,
        acquire_lane(region, folder=tmp_path) as hold,
        pytest.raises(error),
    ):
        run_latency(region, hold.lane, QUICK, context, give_up_s=patience_s)
    assert said


def test_a_frozen_responder_is_silent_then_back(table: Echoes) -> None:
    frozen = threading.Event()
    back = threading.Event()

    def freeze(live: LatencyLive) -> None:
        if not frozen.is_set() and live.tally.response.count > 20:
            frozen.set()
            table.peer.send(signal.SIGSTOP)
        if "The peer fell silent." in table.said:
            table.peer.send(signal.SIGCONT)
        if "The peer is back." in table.said:
            back.set()

    context = RunContext(freeze, table.said.append, back.is_set)
    options = replace(QUICK, duration_s=40, timeout_s=0.2)
    result = run_latency(table.region, table.hold.lane, options, context)
    assert table.said[:2] == ["The peer fell silent.", "The peer is back."]
    assert result.lost > 100  # a second of silence at 500/s, less what the pauses took
    assert result.stalled_share > 0


def test_random_bytes_over_the_lane_end_the_test_as_lost(table: Echoes) -> None:
    lane = table.hold.lane

    def spoil(live: LatencyLive) -> None:
        table.region.write(lane.offset, os.urandom(lane.size))

    with pytest.raises(LaneLostError):
        table.measure(replace(QUICK, duration_s=30), spoil)


def test_random_bytes_over_the_owners_lines_do_no_harm(table: Echoes) -> None:
    """Its card is garbage then: to the initiator that is another peer, which never answers."""
    slot = table.hold.lane.slot(0)
    spoiled = threading.Event()

    def spoil(live: LatencyLive) -> None:
        if not spoiled.is_set():
            spoiled.set()
            table.region.write(slot.side(Side.RESPONDER).offset, random.Random(3).randbytes(1024))

    result = table.measure(replace(QUICK, duration_s=0.8, timeout_s=0.1), spoil)
    assert result.lost > 0


def test_another_version_at_the_lanes_place(table: Echoes) -> None:
    lane = table.hold.lane

    def replace_head(live: LatencyLive) -> None:
        table.region.store(lane.offset + 8, 8, 2)
        table.region.store(lane.offset + 0x30, 8, 99)

    with pytest.raises(LaneLostError, match="its head"):
        table.measure(replace(QUICK, duration_s=30), replace_head)


@pytest.mark.parametrize("cut_by", ["tick", "loop"])
def test_a_region_cut_meanwhile_is_an_error_with_a_name(
    path: Path, tmp_path: Path, cut_by: str, loops: EngineKind
) -> None:
    with responding(path, "--engine", loops.value) as peer:
        with opened(path) as region, acquire_lane(region, folder=tmp_path) as hold:
            cut = threading.Event()

            def shorten(live: LatencyLive) -> None:
                if cut_by == "tick":
                    os.truncate(path, 4096)
                elif not cut.is_set():
                    cut.set()
                    threading.Timer(0.03, os.truncate, (path, 4096)).start()

            with pytest.raises(RegionGoneError):
                Echoes(region, hold, peer).measure(
                    replace(QUICK, duration_s=30, engine=loops), shorten
                )
        code, errors = peer.wait()
    assert code == 5
    assert "cut to" in errors


def test_a_second_master_is_refused(table: Echoes, tmp_path: Path) -> None:
    refused: list[Exception] = []

    def second(live: LatencyLive) -> None:
        if not refused:
            with pytest.raises(PeerBusyError) as caught:
                run_latency(table.region, table.hold.lane, QUICK, give_up_s=20)
            refused.append(caught.value)

    thread_options = replace(QUICK, duration_s=0.5)
    result = _measure_while(table, thread_options, second)
    assert refused
    assert result.response.count > 0


def _measure_while(
    table: Echoes, options: LatencyOptions, second: Callable[[LatencyLive], None]
) -> LatencyResult:
    """Run a test in a thread until `second` was called here."""
    results: list[LatencyResult] = []
    running, over = threading.Event(), threading.Event()
    context = RunContext(progress=lambda live: running.set(), cancelled=over.is_set)

    def work() -> None:
        results.append(
            run_latency(table.region, table.hold.lane, replace(options, duration_s=60), context)
        )

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert running.wait(30)
        second(LatencyLive(Tally(1, stall_ns=1), 0.0))
    finally:
        over.set()
        thread.join(30)
    return results[0]


def test_nobody_answers(path: Path, tmp_path: Path) -> None:
    said: list[str] = []
    with (
        opened(path) as region,
        acquire_lane(region, folder=tmp_path) as hold,
        pytest.raises(NoPeerError),
    ):
        run_latency(region, hold.lane, QUICK, RunContext(report=said.append), give_up_s=2.2)
    assert said == ["Nobody answers in the lane yet."]


@pytest.mark.parametrize(
    "wrong",
    [
        {"duration_s": 0},
        {"duration_s": -1},
        {"duration_s": 1e9},
        {"duration_s": float("nan")},
        {"rate_hz": 9},
        {"rate_hz": 1e12},
        {"rate_hz": -5},
        {"rate_hz": float("inf")},
        {"payload_bytes": 0},
        {"payload_bytes": 4104},
        {"payload_bytes": 12},
        {"warm_up_s": -1},
        {"timeout_s": 0},
        {"poll_ns": 0},
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_is_touched(wrong: dict[str, Any]) -> None:
    with pytest.raises(MeasureOptionError) as caught:
        replace(LatencyOptions(), **wrong).check()
    assert caught.value.hint


def test_a_doorbell_that_is_not_there(table: Echoes) -> None:
    with pytest.raises(MeasureOptionError, match="no doorbell"):
        table.measure(replace(QUICK, wait=Wait.BELL))


def test_a_slot_that_is_not_there(table: Echoes) -> None:
    with pytest.raises(Exception, match="no slot 40"):
        table.measure(replace(QUICK, slot=40))


# -- cores -----------------------------------------------------------------------------------------


def test_cores_by_name() -> None:
    usable = usable_cores()
    assert choose_core("") is None
    assert choose_core(str(usable[0])) == usable[0]
    assert choose_core("auto", lambda: [7, 3]) == 7
    assert choose_core("auto", list) is None
    for wrong in ("-1", "x", "99999"):
        with pytest.raises(MeasureOptionError, match="no core"):
            choose_core(wrong)


def test_a_pinned_thread_is_free_again_afterwards(table: Echoes) -> None:
    before = os.sched_getaffinity(0)
    core = min(before)
    result = table.measure(replace(QUICK, core=str(core)))
    assert result.conditions.pinned == core
    assert os.sched_getaffinity(0) == before


def test_spinners_that_share_are_told() -> None:
    here, there = PeerCard(1, boot=5, system="host"), PeerCard(2, boot=5, system="host")
    guest, stranger = PeerCard(3, boot=9, system="guest"), PeerCard(4, boot=8, system="host")
    both = {"ours": True, "peers": True, "us": here}
    assert "Two loops spin on 2 cores" in spinner_warning(**both, peer=there, cores=2)
    assert "Two loops spin on 2 cores" in spinner_warning(**both, peer=guest, cores=2)
    assert "One loop spins on 1 core" in spinner_warning(**both, peer=stranger, cores=1)
    assert not spinner_warning(**both, peer=there, cores=3)
    assert not spinner_warning(ours=False, peers=False, us=here, peer=there, cores=1)


def test_the_series_closes_every_interval() -> None:
    from app.core.measure.latency.echo import Batch
    from app.core.native.kernel import PingState

    tally = Tally(10.0, stall_ns=100)
    tally.begin(0)
    state = PingState(lost=0)
    for at in range(1, 11):
        times = np.full(5, at, np.int64)
        zero = np.zeros(5, np.int64)
        state.lost = at // 5
        tally.add(Batch(zero, zero, times, zero), at * 50_000_000, state)
    tally.finish(state)
    assert [point.count for point in tally.series] == [10] * 5
    assert sum(point.lost for point in tally.series) == 2
    assert [point.max_ns for point in tally.series] == [2, 4, 6, 8, 10]
