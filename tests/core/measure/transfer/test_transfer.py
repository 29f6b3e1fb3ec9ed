"""Transfer between two real processes on one file, on both engines, and everything that goes wrong.

No assertion says how fast it must be. What is asserted is what must be counted, said and put back.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from app.core.backends.open_region import open_region
from app.core.errors import (
    LaneError,
    LaneLostError,
    MeasureOptionError,
    PeerRefusedError,
    ReadOnlyError,
    RegionGoneError,
)
from app.core.measure.lane.hold import LaneLease, acquire_lane
from app.core.measure.lane.layout import MIN_SIZE, Side
from app.core.measure.lane.peer_card import Capability, EngineKind
from app.core.measure.lane.placement import find_lane
from app.core.measure.lane.requests import Command
from app.core.measure.lane.slots import wait_for_peer
from app.core.measure.peers.initiator import Initiator
from app.core.measure.peers.peer_monitor import PeerMonitor
from app.core.measure.run_context import RunContext
from app.core.measure.transfer import transfer
from app.core.measure.transfer.ring import Half, Layout
from app.core.measure.transfer.ring_transfer import COUNT, TO_OWNER, Lines, RingLoop
from app.core.measure.transfer.transfer import SWEEP, TransferOptions, run_transfer
from app.core.measure.transfer.transfer_result import Direction, TransferLive, TransferResult
from app.core.native.kernel import Slice
from app.core.region.region import Region, RegionKind, RegionSpec
from tests.core.measure.peer_programs import (
    ROOT,
    PeerProcess,
    Table,
    laid,
    need_kernel,
    opened,
    responding,
)

MakeFile = Callable[..., Path]
ENGINES = [EngineKind.KERNEL, EngineKind.PYTHON]
QUICK = TransferOptions(duration_s=0.2)
LONG = replace(QUICK, duration_s=60)


@pytest.fixture
def path(shm_file: MakeFile) -> Path:
    """A file with something in every byte."""
    return shm_file(4 << 20, fill=random.Random(2).randbytes(4 << 20))


class Transfers(Table):
    """Everything that a test of this test needs."""

    def __init__(self, region: Region, hold: LaneLease, peer: PeerProcess) -> None:
        super().__init__(region, hold, peer)
        self.lives: list[TransferLive] = []
        self.stop = threading.Event()

    def measure(
        self, options: TransferOptions, progress: Callable[[TransferLive], None] | None = None
    ) -> TransferResult:
        def told(live: TransferLive) -> None:
            self.lives.append(live)
            if progress is not None:
                progress(live)

        context = RunContext(told, self.said.append, self.stop.is_set)
        return run_transfer(self.region, self.hold.lane, options, context, give_up_s=30)


@pytest.fixture
def table(path: Path, tmp_path: Path) -> Iterator[Transfers]:
    """A responder in another process, and the lane that it laid."""
    with laid(Transfers, path, tmp_path) as made:
        yield made


# -- what is measured ------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("direction", list(Direction))
def test_all_arrives_whole_and_in_order(
    table: Transfers, engine: EngineKind, direction: Direction
) -> None:
    need_kernel(engine)
    sizes = (64, 4096, 64 << 10, 1 << 20)
    options = replace(QUICK, message_bytes=sizes, direction=direction, engine=engine)
    result = table.measure(options)
    assert (result.engine, result.direction, result.complete) == (engine, direction, True)
    assert result.clean
    assert tuple(size.message_bytes for size in result.sizes) == sizes
    for size in result.sizes:
        assert (size.to_peer is not None) == (direction is not Direction.FROM_PEER)
        assert (size.from_peer is not None) == (direction is not Direction.TO_PEER)
        assert size.unexpected == 0
        assert size.bytes_per_s > 0
        assert size.cpu_s_per_gb > 0
        assert size.peer_cpu_s_per_gb >= 0
        for way in size.ways:
            assert 0 <= way.sent - way.messages <= 1  # a message whose last piece came too late
            assert (way.bad, way.out_of_order, way.lost) == (0, 0, 0)
    assert result.sizes[-1].pieces > 1  # the default lane's ring is shorter than four of these
    plain = result.as_dict()
    assert plain["sizes"][0]["bits_per_s"] == 8 * plain["sizes"][0]["bytes_per_s"]


def test_a_peer_in_python_answers_the_kernel(path: Path, tmp_path: Path) -> None:
    with (
        responding(path, environment={"IVSHMEM_SCOPE_KERNEL": "0"}) as peer,
        opened(path) as region,
        acquire_lane(region, folder=tmp_path) as hold,
    ):
        result = Transfers(region, hold, peer).measure(replace(QUICK, direction=Direction.BOTH))
    assert result.clean
    assert result.sizes[0].peer_engine is EngineKind.PYTHON


def test_the_longest_message_goes_through(table: Transfers) -> None:
    result = table.measure(replace(QUICK, message_bytes=(SWEEP[-1],), duration_s=1.0))
    assert result.sizes[0].pieces > 16
    assert result.clean


@pytest.mark.parametrize(("patient", "arrives"), [(True, 7), (False, 2)])
def test_what_is_on_its_way_is_waited_for_while_it_arrives(
    monkeypatch: pytest.MonkeyPatch, *, patient: bool, arrives: int
) -> None:
    """A busy peer is slow, not lossy; a person who stopped the test does not wait for it."""
    now_ns = iter(range(0, 10**12, 200_000_000))
    monkeypatch.setattr(transfer, "_now", lambda: next(now_ns))
    state = SimpleNamespace(confirmed=0)

    def run(until_ns: int) -> Slice:
        state.confirmed = min(7, state.confirmed + 1)
        return Slice.AGAIN

    test = transfer._Run.__new__(transfer._Run)
    test._monitor = cast(PeerMonitor, SimpleNamespace(poll=lambda: None))
    loop = cast(RingLoop, SimpleNamespace(state=state, run=run))
    test._drain(loop, patient=patient)  # the last one never comes: it ends all the same
    assert state.confirmed == arrives


def test_progress_tells_the_share(table: Transfers) -> None:
    table.measure(replace(QUICK, message_bytes=(64, 4096), duration_s=0.3))
    shares = [live.share for live in table.lives]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0, abs=0.01)
    assert any(live.to_peer_bytes_per_s > 0 for live in table.lives)
    assert len(table.lives[-1].done) == 1


def test_a_stopped_test_gives_what_it_has(table: Transfers) -> None:
    sizes = (64, 4096)
    result = table.measure(replace(LONG, message_bytes=sizes), lambda live: table.stop.set())
    assert not result.complete
    assert [size.message_bytes for size in result.sizes] == [64]
    assert result.sizes[0].to_peer is not None
    assert result.sizes[0].to_peer.messages > 0
    assert result.clean


# -- what goes wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", [Direction.TO_PEER, Direction.FROM_PEER])
def test_a_killed_and_restarted_peer_is_met_again(
    path: Path, tmp_path: Path, direction: Direction
) -> None:
    second: list[PeerProcess] = []
    with (
        opened(path) as region,
        acquire_lane(region, folder=tmp_path) as hold,
        responding(path) as first,
    ):
        table = Transfers(region, hold, first)
        again = "The peer restarted and was asked again."

        def restart(live: TransferLive) -> None:
            moving = live.to_peer_bytes_per_s + live.from_peer_bytes_per_s > 0
            if not second and moving:
                first.send(signal.SIGKILL)
                second.append(PeerProcess(path))
            elif again in table.said and moving:
                table.stop.set()

        try:
            result = table.measure(replace(LONG, direction=direction), restart)
        finally:
            for peer in second:
                peer.end()
    assert table.stop.is_set()
    assert table.said.count(again) == 1
    assert again in result.notes
    (way,) = result.sizes[0].ways
    assert (way.bad, way.out_of_order) == (0, 0)
    assert way.messages > 0
    assert way.lost <= 8  # at most what lay in the ring
    assert result.sizes[0].stalled_s > 0


def leave_after_the_first_size(peer: PeerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    real = RingLoop.close
    closed: list[RingLoop] = []

    def close(self: RingLoop) -> None:
        real(self)
        closed.append(self)
        if len(closed) == 1:
            peer.send(signal.SIGKILL)
            peer.wait()

    monkeypatch.setattr(RingLoop, "close", close)


def test_a_peer_that_goes_between_two_sizes_is_waited_for(
    table: Transfers, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_after_the_first_size(table.peer, monkeypatch)
    heirs: list[PeerProcess] = []

    def hear(text: str) -> None:
        if not heirs:
            heirs.append(PeerProcess(path))

    plan = replace(QUICK, message_bytes=(4096, 64))
    try:
        result = run_transfer(table.region, table.hold.lane, plan, RunContext(report=hear))
    finally:
        for heir in heirs:
            heir.end()
    assert result.complete
    assert result.clean
    assert [size.message_bytes for size in result.sizes] == [4096, 64]
    assert "The peer restarted and was asked again." in result.notes


def test_what_was_measured_before_the_peer_went_is_kept(
    table: Transfers, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_after_the_first_size(table.peer, monkeypatch)
    plan = replace(QUICK, message_bytes=(4096, 64))
    result = run_transfer(table.region, table.hold.lane, plan, give_up_s=0.2)
    assert not result.complete
    assert [size.message_bytes for size in result.sizes] == [4096]
    assert any("no other came" in note for note in result.notes)


def test_a_frozen_peer_is_silent_then_back(table: Transfers) -> None:
    frozen = threading.Event()

    def freeze(live: TransferLive) -> None:
        if not frozen.is_set() and live.to_peer_bytes_per_s:
            frozen.set()
            table.peer.send(signal.SIGSTOP)
        if "The peer fell silent." in table.said:
            table.peer.send(signal.SIGCONT)
        if "The peer is back." in table.said and live.to_peer_bytes_per_s:
            table.stop.set()

    result = table.measure(LONG, freeze)
    assert table.said[:2] == ["The peer fell silent.", "The peer is back."]
    assert result.clean  # what lay in the ring was waited for
    assert result.sizes[0].stalled_s > 0.5


def test_a_peer_that_stays_frozen_loses_what_it_did_not_take(table: Transfers) -> None:
    def freeze(live: TransferLive) -> None:
        table.peer.send(signal.SIGSTOP)
        if not live.to_peer_bytes_per_s:
            table.stop.set()  # the ring is full by now

    result = table.measure(LONG, freeze)
    assert not result.complete
    assert result.sizes[0].to_peer is not None
    assert result.sizes[0].to_peer.lost > 0
    assert not result.clean


def test_bytes_changed_by_a_stranger_are_bad_messages(table: Transfers) -> None:
    """Somebody writes into the ring while messages go round."""
    layout = Layout.of(16 << 10, table.hold.lane.slot(0).data(Side.INITIATOR).length)
    assert layout.pieces == 1
    cells = Half.of(layout, table.hold.lane.slot(0).data(Side.INITIATOR)).cells
    noise = threading.Event()

    def spoil() -> None:
        while not noise.is_set():
            for cell in range(layout.cells):
                table.region.write(cells.offset + cell * layout.piece + 100, os.urandom(8))

    thread = threading.Thread(target=spoil)
    thread.start()
    try:
        result = table.measure(replace(QUICK, message_bytes=(16 << 10,), duration_s=0.5))
    finally:
        noise.set()
        thread.join()
    (way,) = result.sizes[0].ways
    assert way.bad > 0
    assert not result.clean
    assert way.out_of_order == 0
    assert way.messages + way.bad == way.sent


def test_random_bytes_over_the_lane_end_the_test_as_lost(table: Transfers) -> None:
    lane = table.hold.lane

    def spoil(live: TransferLive) -> None:
        table.region.write(lane.offset, os.urandom(lane.size))

    with pytest.raises(LaneLostError):
        table.measure(LONG, spoil)


def test_random_bytes_over_the_peers_counts_do_no_harm(table: Transfers) -> None:
    lines = Lines(table.region, table.hold.lane.slot(0), Side.RESPONDER)

    def spoil(live: TransferLive) -> None:
        table.region.write(lines.send, random.Random(7).randbytes(128))
        table.region.write(lines.take, random.Random(8).randbytes(128))

    result = table.measure(replace(QUICK, direction=Direction.BOTH, duration_s=0.5), spoil)
    assert result.complete
    assert result.sizes[0].bytes_per_s >= 0


@pytest.mark.parametrize("cut_by", ["tick", "loop"])
def test_a_region_cut_meanwhile_is_an_error_with_a_name(
    path: Path, tmp_path: Path, cut_by: str, loops: EngineKind
) -> None:
    with responding(path, "--engine", loops.value) as peer:
        with opened(path) as region, acquire_lane(region, folder=tmp_path) as hold:
            cut = threading.Event()
            table = Transfers(region, hold, peer)

            def shorten(live: TransferLive) -> None:
                if cut_by == "tick":
                    os.truncate(path, 4096)
                elif not cut.is_set():
                    cut.set()
                    threading.Timer(0.03, os.truncate, (path, 4096)).start()

            with pytest.raises(RegionGoneError):
                table.measure(replace(LONG, direction=Direction.BOTH, engine=loops), shorten)
        code, errors = peer.wait()
    assert code == 5
    assert "cut to" in errors


def test_a_read_only_region_is_refused(path: Path, tmp_path: Path) -> None:
    spec = RegionSpec(RegionKind.FILE, str(path), read_only=True)
    with open_region(spec) as region, pytest.raises(ReadOnlyError):
        acquire_lane(region, folder=tmp_path)


def test_a_lane_that_is_too_small_is_refused(path: Path, tmp_path: Path) -> None:
    with (
        opened(path) as region,
        acquire_lane(region, size=MIN_SIZE, slots=1, folder=tmp_path) as hold,
        pytest.raises(LaneError, match="too small for a ring"),
    ):
        run_transfer(region, hold.lane, QUICK, give_up_s=1)


@pytest.mark.parametrize(
    "options",
    [
        replace(QUICK, message_bytes=()),
        replace(QUICK, message_bytes=(100,)),
        replace(QUICK, message_bytes=(64, 32 << 20)),
        replace(QUICK, duration_s=0),
        replace(QUICK, duration_s=float("nan")),
    ],
)
def test_what_cannot_be_measured_is_said(options: TransferOptions) -> None:
    with pytest.raises(MeasureOptionError):
        options.check()


def test_a_peer_refuses_a_ring_that_is_not_its_own(table: Transfers) -> None:
    """Wrong run, size, way, or another idea of the ring: each is refused, none is begun."""
    lane = table.hold.lane
    needs = Capability.TRANSFER
    slots = wait_for_peer(table.region, lane, needs, give_up_s=10)
    layout = Layout.of(4096, lane.slot(0).data(Side.INITIATOR).length)
    good = (5, layout.message, TO_OWNER, *layout.as_values()[1:])
    with Initiator(table.region, lane, slots) as initiator:
        Lines(table.region, initiator.slot, Side.INITIATOR).begin(5, 0, 0)
        for at, value in ((0, 6), (0, 0), (1, 100), (1, 1 << 63), (2, 0), (2, 4), (4, 1 << 60)):
            asked = [*good]
            asked[at] = value
            with pytest.raises(PeerRefusedError, match="parameter"):
                initiator.ask(Command.TRANSFER, tuple(asked))
        initiator.ask(Command.TRANSFER, good)
        assert initiator.stop()


# -- the verb --------------------------------------------------------------------------------------


def test_interrupted_by_ctrl_c_the_memory_is_as_before(path: Path) -> None:
    before = path.read_bytes()
    with responding(path) as peer:
        command = [
            sys.executable,
            "-m",
            "app",
            "transfer",
            str(path),
            "--duration",
            "60",
            "--json",
            "--direction",
            "both",
        ]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with opened(path) as region:
            lane = find_lane(region)
            assert lane is not None
            lines = Lines(region, lane.slot(0), Side.INITIATOR)
            while not (lines.sent(COUNT) and lines.taken(COUNT)):
                assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=30)
        assert process.returncode == 130, errors
        assert '"complete": false' in out
        peer.end()
    assert path.read_bytes() == before
