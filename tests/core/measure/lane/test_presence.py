"""SlotPeers, heartbeats, and who takes which slot."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.errors import LaneLostError, NoPeerError, PeerBusyError
from app.core.measure.lane import peer_card
from app.core.measure.lane.hold import acquire_lane
from app.core.measure.lane.layout import Lane, Line, Side
from app.core.measure.lane.peer_card import Capability, PeerCard, boot_number, build_card, own_card
from app.core.measure.lane.presence import (
    BEAT_S,
    GONE_NS,
    SILENT_NS,
    Life,
    PeerWatch,
    SlotClaim,
    process_ended,
)
from app.core.measure.lane.requests import Message
from app.core.measure.lane.slots import take_slot, wait_for_peer
from app.core.region.region import Region
from tests.core.measure.peer_programs import opened, responding

MakeFile = Callable[..., Path]


@pytest.fixture
def laid(shm_file: MakeFile, tmp_path: Path) -> Iterator[tuple[Region, Lane]]:
    """A region with a lane of four slots."""
    with opened(shm_file(1 << 20)) as region, acquire_lane(region, folder=tmp_path) as hold:
        yield region, hold.lane
        for slot in hold.lane.all_slots():  # nobody is left to be waited for
            region.write(slot.control.offset, bytes(slot.control.length))


def put(region: Region, lane: Lane, slot: int, card: PeerCard, side: Side = Side.RESPONDER) -> None:
    region.write(lane.slot(slot).line(side, Line.PRESENCE), build_card(card))


def no_sleep(seconds: float) -> None:
    """Time passes by itself."""


def test_a_side_is_taken_once_and_freed(laid: tuple[Region, Lane]) -> None:
    region, lane = laid
    claim = SlotClaim.take(region, lane, lane.slot(0), Side.RESPONDER, own_card(region.info))
    with pytest.raises(PeerBusyError, match="has this slot already"):
        SlotClaim.take(region, lane, lane.slot(0), Side.RESPONDER, own_card(region.info))
    claim.leave()
    claim.leave()
    SlotClaim.take(region, lane, lane.slot(0), Side.RESPONDER, own_card(region.info)).leave()


def test_who_was_quicker_has_it(laid: tuple[Region, Lane]) -> None:
    region, lane = laid

    def another_writes(seconds: float) -> None:
        put(region, lane, 0, PeerCard(77, name="quick"))

    with pytest.raises(PeerBusyError, match="quick"):
        SlotClaim.take(
            region, lane, lane.slot(0), Side.RESPONDER, own_card(region.info), sleep=another_writes
        )
    assert PeerWatch(region, lane.slot(0), Side.RESPONDER).poll().card == PeerCard(77, name="quick")


def test_life_is_a_word_that_changes(laid: tuple[Region, Lane]) -> None:
    region, lane = laid
    watch = PeerWatch(region, lane.slot(0), Side.RESPONDER)
    assert watch.poll(0).life is Life.ABSENT
    card = PeerCard(5, 1, name="guest")
    put(region, lane, 0, card)
    assert watch.poll(10).life is Life.NEW
    put(region, lane, 0, replace(card, beat=2))
    assert watch.poll(20).life is Life.ALIVE
    assert watch.poll(20 + SILENT_NS - 1).alive
    silent = watch.poll(20 + SILENT_NS)
    assert (silent.life, silent.silent_ns, silent.taken) == (Life.SILENT, SILENT_NS, True)
    gone = watch.poll(20 + GONE_NS)
    assert (gone.life, gone.taken) == (Life.GONE, False)
    put(region, lane, 0, replace(card, beat=3))
    assert watch.poll(21 + GONE_NS).alive
    put(region, lane, 0, replace(card, token=6))
    again = watch.poll(22 + GONE_NS)
    assert (again.life, again.restarts) == (Life.NEW, 1)


def test_a_process_that_ended_is_gone_sooner(laid: tuple[Region, Lane]) -> None:
    region, lane = laid
    process = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie now
    assert process_ended(PeerCard(5, pid=process.pid, boot=boot_number()))
    process.communicate()
    card = PeerCard(5, 1, pid=process.pid, boot=boot_number())
    assert process_ended(card)
    assert not process_ended(replace(card, boot=1))
    assert not process_ended(replace(card, pid=os.getpid()))
    assert process_ended(replace(card, pid=1 << 62))
    assert not process_ended(replace(card, pid=0))
    put(region, lane, 0, card)
    watch = PeerWatch(region, lane.slot(0), Side.RESPONDER)
    watch.poll(0)
    assert watch.poll(SILENT_NS - 1).life is Life.NEW
    assert watch.poll(SILENT_NS).life is Life.GONE


def test_garbage_over_the_place_is_noticed_and_not_overwritten(laid: tuple[Region, Lane]) -> None:
    region, lane = laid
    claim = SlotClaim.take(region, lane, lane.slot(1), Side.RESPONDER, own_card(region.info))
    garbage = os.urandom(1024)
    region.write(lane.slot(1).offset, garbage)
    with pytest.raises(LaneLostError, match="Our place"):
        claim.beat()
    claim.leave()
    assert region.read(lane.slot(1).offset, 1024) == garbage
    other = SlotClaim.take(region, lane, lane.slot(2), Side.RESPONDER, own_card(region.info))
    region.write(lane.offset, bytes(8))
    with pytest.raises(LaneLostError, match="its head"):
        other.beat()


def test_touched_bytes_are_remembered_across_owners(laid: tuple[Region, Lane]) -> None:
    region, lane = laid
    first = SlotClaim.take(region, lane, lane.slot(0), Side.RESPONDER, own_card(region.info))
    first.touch(4096)
    first.touch(64)
    first.leave()
    second = SlotClaim.take(region, lane, lane.slot(0), Side.RESPONDER, own_card(region.info))
    card = PeerWatch(region, lane.slot(0), Side.RESPONDER).poll().card
    assert card is not None
    assert card.touched == 4096
    second.touch(1 << 60)
    card = PeerWatch(region, lane.slot(0), Side.RESPONDER).poll().card
    assert card is not None
    assert card.touched == lane.slot(0).data(Side.RESPONDER).length


def test_messages_cross(laid: tuple[Region, Lane]) -> None:
    region, lane = laid
    initiator = SlotClaim.take(region, lane, lane.slot(0), Side.INITIATOR, own_card(region.info))
    responder = SlotClaim.take(region, lane, lane.slot(0), Side.RESPONDER, own_card(region.info))
    assert responder.heard() is None
    initiator.report(Message(3, 1, responder.card.token, (8,)))
    heard = responder.heard()
    assert heard is not None
    assert (heard.number, heard.value(0), heard.value(40)) == (3, 8, 0)
    region.write(lane.slot(0).word(Side.INITIATOR, Line.COMMAND, 3), b"\1")
    assert responder.heard() is None


# -- which slot -----------------------------------------------------------------------------------


def test_the_first_free_slot_is_taken(laid: tuple[Region, Lane]) -> None:
    region, lane = laid
    put(region, lane, 0, PeerCard(9, name="other machine"))
    claim = take_slot(region, lane, own_card(region.info))
    assert claim.slot.index == 1


def test_ones_own_slot_from_before_a_crash_is_taken_again(laid: tuple[Region, Lane]) -> None:
    region, lane = laid
    card = own_card(region.info)
    process = subprocess.Popen(["true"])
    process.wait()
    put(region, lane, 2, replace(card, token=5, pid=process.pid))
    assert take_slot(region, lane, card).slot.index == 2


def test_when_all_are_taken_the_gone_one_gives_way(
    laid: tuple[Region, Lane], monkeypatch: pytest.MonkeyPatch
) -> None:
    region, lane = laid
    clock = [0]
    beats = [0]
    monkeypatch.setattr("app.core.measure.lane.slots.time.monotonic_ns", lambda: clock[0])

    def sleep(seconds: float) -> None:
        clock[0] += int(seconds * 1e9)
        beats[0] += 1
        for slot in range(3):
            put(region, lane, slot, PeerCard(slot + 1, beats[0], name=f"guest {slot}"))

    put(region, lane, 3, PeerCard(4, 1, name="dead"))
    sleep(0)
    assert take_slot(region, lane, own_card(region.info), sleep).slot.index == 3
    assert clock[0] >= GONE_NS


def test_when_all_live_there_is_no_place(
    laid: tuple[Region, Lane], monkeypatch: pytest.MonkeyPatch
) -> None:
    region, lane = laid
    clock = [0]
    monkeypatch.setattr("app.core.measure.lane.slots.time.monotonic_ns", lambda: clock[0])

    def sleep(seconds: float) -> None:
        clock[0] += int(seconds * 1e9)
        for slot in range(4):
            put(region, lane, slot, PeerCard(slot + 1, clock[0], name=f"guest {slot}"))

    sleep(0)
    with pytest.raises(PeerBusyError, match="All 4 slots"):
        take_slot(region, lane, own_card(region.info), sleep)


# -- which peer -----------------------------------------------------------------------------------


def test_nobody_is_told_after_two_seconds_and_the_waiting_goes_on(
    laid: tuple[Region, Lane], monkeypatch: pytest.MonkeyPatch
) -> None:
    region, lane = laid
    clock = [0.0]
    said: list[tuple[float, str]] = []
    monkeypatch.setattr("app.core.measure.lane.slots.time.monotonic", lambda: clock[0])

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    with pytest.raises(NoPeerError):
        wait_for_peer(
            region,
            lane,
            Capability.ECHO,
            report=lambda text: said.append((clock[0], text)),
            give_up_s=30,
            sleep=sleep,
        )
    assert len(said) == 1
    assert 2 <= said[0][0] < 2.1
    assert "Nobody answers" in said[0][1]
    assert clock[0] >= 30


def beating(
    region: Region, lane: Lane, *cards: tuple[int, PeerCard, Side]
) -> Callable[[float], None]:
    beats = [0]

    def sleep(seconds: float) -> None:
        beats[0] += 1
        for slot, card, side in cards:
            put(region, lane, slot, replace(card, beat=beats[0]), side)

    return sleep


def test_the_first_that_is_able_is_taken(laid: tuple[Region, Lane]) -> None:
    region, lane = laid
    unable = (0, PeerCard(1, name="shows itself only"), Side.RESPONDER)
    able = (2, PeerCard(2, capabilities=Capability.ECHO, name="able"), Side.RESPONDER)
    sleep = beating(region, lane, unable, able)
    assert wait_for_peer(region, lane, Capability.ECHO, sleep=sleep).slot.index == 2
    with pytest.raises(NoPeerError, match="does not answer this test"):
        wait_for_peer(region, lane, Capability.ECHO, slot=0, sleep=sleep, give_up_s=0.1)


def test_what_is_said_changes_with_who_is_there(
    laid: tuple[Region, Lane], monkeypatch: pytest.MonkeyPatch
) -> None:
    region, lane = laid
    clock = [0.0]
    said: list[str] = []
    beat = beating(region, lane, (0, PeerCard(1, name="headless"), Side.RESPONDER))
    monkeypatch.setattr("app.core.measure.lane.slots.time.monotonic", lambda: clock[0])

    def sleep(seconds: float) -> None:
        clock[0] += seconds
        if said:
            beat(seconds)

    with pytest.raises(NoPeerError, match="shows no flashes"):
        wait_for_peer(
            region, lane, Capability.FLASH, report=said.append, sleep=sleep, give_up_s=3.0
        )
    assert len(said) == 2
    assert "Nobody answers" in said[0]
    assert "shows no flashes" in said[1]


def test_a_peer_with_a_master_is_refused(laid: tuple[Region, Lane]) -> None:
    region, lane = laid
    sleep = beating(
        region,
        lane,
        (0, PeerCard(1, capabilities=Capability.ECHO, name="able"), Side.RESPONDER),
        (0, PeerCard(3, name="first initiator"), Side.INITIATOR),
    )
    with pytest.raises(PeerBusyError, match=r"able.* is measured by first initiator already"):
        wait_for_peer(region, lane, Capability.ECHO, sleep=sleep)


def test_we_never_measure_ourselves(laid: tuple[Region, Lane]) -> None:
    region, lane = laid
    us = own_card(region.info, Capability.ECHO)
    sleep = beating(region, lane, (0, us, Side.RESPONDER))
    with pytest.raises(NoPeerError):
        wait_for_peer(region, lane, Capability.ECHO, sleep=sleep, give_up_s=0.05)


def test_nobody_measures_with_its_own_responder_also_where_no_boot_is_known(
    shm_file: MakeFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where each process counts as a system of its own."""
    monkeypatch.setattr(peer_card, "boot_number", lambda: 0)
    path = shm_file(1 << 20)
    over = threading.Event()
    with opened(path) as region, acquire_lane(region, folder=tmp_path) as hold:
        ours = take_slot(region, hold.lane, own_card(region.info, Capability.ECHO))
        assert ours.card.boot == 0

        def live() -> None:
            while not over.wait(BEAT_S):
                ours.beat()

        thread = threading.Thread(target=live)
        thread.start()
        try:
            with pytest.raises(NoPeerError):
                wait_for_peer(region, hold.lane, Capability.ECHO, give_up_s=1.5)
            with responding(path) as peer:
                found = wait_for_peer(region, hold.lane, Capability.ECHO, give_up_s=20)
                assert found.responder.card is not None
                assert found.responder.card.pid == peer.pid
        finally:
            over.set()
            thread.join()
        ours.leave()
