"""Two processes that sleep until the other rings: over named pipes, as no doorbell needs a device.

In these tests nobody wakes in time by looking, so every answer that counts is one that was rung for.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.core.errors import (
    DriverError,
    MeasureOptionError,
    NoPeerError,
    PeerRefusedError,
)
from app.core.measure.lane.hold import LaneLease, acquire_lane
from app.core.measure.lane.layout import Line, Side
from app.core.measure.lane.peer_card import Capability, EngineKind, PeerCard, build_card, parse_card
from app.core.measure.lane.requests import Command
from app.core.measure.lane.slots import wait_for_peer
from app.core.measure.latency import echo_python
from app.core.measure.latency.latency import LatencyLive, LatencyOptions, run_latency
from app.core.measure.latency.latency_result import LatencyResult
from app.core.measure.peers.doorbells import answering_bell, measuring_bell
from app.core.measure.peers.initiator import Initiator
from app.core.measure.run_context import RunContext
from app.core.native.kernel import Wait
from app.core.region.doorbell import ANSWERS, MEASURES, BellAddress, PeerBell
from app.core.region.region import Region, RegionKind
from tests.core.measure.fifo_bell import SLEEP_S, FifoBell
from tests.core.measure.peer_programs import PeerProcess, opened, responding

SHORT = LatencyOptions(
    rate_hz=200, duration_s=0.3, warm_up_s=0.05, wait=Wait.BELL, poll_ns=100_000, timeout_s=0.4
)
RESPONDER, INITIATOR = 0, 9  # their numbers among the peers; 0 is one like any other
ECHO_ASKED = (8, int(Wait.BELL), 50_000, 0)


class Room:
    """A file, its lane, and a doorbell of our own on it."""

    def __init__(self, path: Path, folder: Path, region: Region, hold: LaneLease) -> None:
        self.path = path
        self.folder = folder
        self.region = region
        self.hold = hold
        self.bell = FifoBell(folder, INITIATOR, MEASURES)
        self.waiters: list[int] = []
        self.said: list[str] = []
        region.bell = self._give  # type: ignore[method-assign]

    def _give(self, waiter: int) -> FifoBell:
        self.waiters.append(waiter)
        return self.bell

    def peer(self, number: int = RESPONDER) -> tuple[str, ...]:
        """The program of a peer that has a doorbell."""
        return "-m", "tests.core.measure.fifo_bell", str(self.folder), str(number)

    def measure(
        self,
        options: LatencyOptions,
        progress: Callable[[LatencyLive], None] = lambda live: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> LatencyResult:
        context = RunContext(progress, self.said.append, cancelled)
        return run_latency(self.region, self.hold.lane, options, context, give_up_s=20)


@pytest.fixture
def room(
    shm_file: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Room]:
    monkeypatch.setattr(echo_python, "_BELL_S", SLEEP_S)
    path = shm_file(1 << 20, fill=b"mine ")
    before = path.read_bytes()
    with opened(path) as region, acquire_lane(region, folder=tmp_path / "saved") as hold:
        made = Room(path, tmp_path, region, hold)
        yield made
        made.bell.close()
    assert path.read_bytes() == before


def was_rung(result: LatencyResult) -> bool:
    """Nearly all came in time; unrung, nearly none does."""
    return result.response.count > 3 * result.lost


# -- rung ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate_hz", [0, 200])
def test_both_sides_sleep_and_are_woken(room: Room, rate_hz: float) -> None:
    with responding(room.path, program=room.peer()):
        result = room.measure(replace(SHORT, rate_hz=rate_hz, payload_bytes=64))
    assert was_rung(result)
    assert result.unexpected == 0
    assert result.wait is Wait.BELL
    assert (result.engine, result.peer_engine) == (EngineKind.PYTHON, EngineKind.PYTHON)
    assert room.bell.rung >= result.response.count, "each ping is rung for"
    assert room.bell.woken > 0
    assert set(room.waiters) == {MEASURES}
    assert not any("its own choice" in note for note in result.notes)


def test_an_owner_that_polls_rings_who_sleeps(room: Room) -> None:
    with responding(room.path, "--wait", "poll", program=room.peer()):
        result = room.measure(SHORT)
    assert was_rung(result)
    assert room.bell.woken > 0
    assert "The peer waits by its own choice: poll." in result.notes
    assert result.peer_engine is EngineKind.PYTHON, "the C loop rings nobody"


def test_rings_that_do_not_arrive_are_lost_requests(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so the other tests here would see them."""
    monkeypatch.setattr(room.bell, "ring", lambda to: None)
    with responding(room.path, program=room.peer()):
        result = room.measure(SHORT)
    assert not was_rung(result)


def test_a_ring_that_does_not_arrive_is_made_up_for_by_looking(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(echo_python, "_BELL_S", 0.02)
    monkeypatch.setattr(room.bell, "wait", lambda timeout_s: threading.Event().wait(timeout_s))
    with responding(room.path, program=room.peer()):
        result = room.measure(replace(SHORT, rate_hz=20))
    assert was_rung(result)


def test_a_successor_is_rung_where_it_is(room: Room) -> None:
    second: list[PeerProcess] = []
    counted: list[int] = []
    done = threading.Event()
    with responding(room.path, program=room.peer()) as first:

        def restart(live: LatencyLive) -> None:
            if not second and live.tally.response.count > 5:
                first.send(signal.SIGKILL)
                second.append(PeerProcess(room.path, program=room.peer(RESPONDER + 1)))
                counted.append(live.tally.response.count)
            if second and live.tally.response.count > counted[0] + 20:
                done.set()

        try:
            room.measure(replace(SHORT, duration_s=40), restart, done.is_set)
        finally:
            for peer in second:
                peer.end()
    assert done.is_set()
    assert "The peer restarted and was asked again." in room.said


# -- refused ---------------------------------------------------------------------------------------


def test_a_peer_without_one_is_told_apart_from_none(room: Room) -> None:
    with responding(room.path), pytest.raises(NoPeerError, match="no doorbell to be rung by"):
        run_latency(room.region, room.hold.lane, SHORT, give_up_s=1.0)


def test_an_owner_that_cannot_ring_back_refuses(room: Room) -> None:
    with responding(room.path, program=room.peer()):
        slots = wait_for_peer(room.region, room.hold.lane, Capability.DOORBELL, give_up_s=20)
        with (
            Initiator(room.region, room.hold.lane, slots) as initiator,
            pytest.raises(PeerRefusedError, match="no doorbell"),
        ):
            initiator.ask(Command.ECHO, ECHO_ASKED)


def test_an_owner_without_one_refuses_who_asks_all_the_same(room: Room) -> None:
    with responding(room.path):
        slots = wait_for_peer(room.region, room.hold.lane, Capability.ECHO, give_up_s=20)
        with Initiator(room.region, room.hold.lane, slots, bell=room.bell) as initiator:
            there = initiator.slot.line(Side.INITIATOR, Line.PRESENCE)
            card = parse_card(room.region.read(there, 256))
            assert card is not None
            assert card.bell == BellAddress(INITIATOR, MEASURES)
            assert Capability.DOORBELL in card.capabilities
            with pytest.raises(PeerRefusedError, match="no doorbell"):
                initiator.ask(Command.ECHO, ECHO_ASKED)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (RegionKind.FILE, "ivshmem-server"),
        (RegionKind.BAR, "vfio or uio"),
        (RegionKind.KVMFR, "vfio or uio"),
        (RegionKind.WINDOWS, "plain one"),
    ],
)
def test_where_there_is_none_it_is_said_why(kind: RegionKind, says: str) -> None:
    region = SimpleNamespace(
        bell=lambda waiter: None, info=SimpleNamespace(spec=SimpleNamespace(kind=kind))
    )
    with pytest.raises(MeasureOptionError, match=says) as caught:
        measuring_bell(region, Wait.BELL)  # type: ignore[arg-type]
    assert "no doorbell" in caught.value.message
    assert "poll" in caught.value.hint
    assert measuring_bell(region, Wait.POLL) is None  # type: ignore[arg-type]


def test_a_driver_that_will_not_listen_leaves_the_other_modes() -> None:
    def full(waiter: int) -> None:
        assert waiter == ANSWERS
        raise DriverError("All places are taken.")

    region = SimpleNamespace(bell=full)
    assert answering_bell(region) is None  # type: ignore[arg-type]


def test_the_c_loops_are_not_asked_for_it() -> None:
    with pytest.raises(MeasureOptionError, match="C loops"):
        replace(SHORT, engine=EngineKind.KERNEL).check()


# -- told ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bell", [None, BellAddress(0, 0), BellAddress(3, 1), BellAddress(65535, 65535)]
)
def test_where_one_is_rung_comes_back(bell: BellAddress | None) -> None:
    card = parse_card(build_card(PeerCard(1, bell=bell)))
    assert card is not None
    assert card.bell == bell


@pytest.mark.parametrize("word", [1 << 17, 1 << 63 | 1, 0xFFFFFFFF, 1 << 32])
def test_a_place_that_cannot_be_is_none(word: int) -> None:
    data = bytearray(build_card(PeerCard(1)))
    data[64:72] = word.to_bytes(8, "little")
    card = parse_card(bytes(data))
    assert card is not None
    assert card.bell is None


def test_nobody_is_rung_while_nobody_is_there(room: Room) -> None:
    PeerBell(room.bell, None).ring()
    assert room.bell.rung == 0
