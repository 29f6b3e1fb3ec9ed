"""Frozen values: held against a peer that writes, counted, ended in one entry, refused twice."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.backends.open_region import open_region
from app.core.errors import BusyError, ConflictError, LockedError, ScopeError, ValueFormatError
from app.core.region.region import Region, RegionKind, RegionSpec
from app.core.write.freezes import LONGEST, Freeze
from app.core.write.journal import Journal
from app.core.write.patterns import Repeat
from app.core.write.record import Seen
from app.core.write.test_signals import Repeaters

SIZE = 8192


def until(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture
def path(shm_file: Callable[..., Path]) -> Path:
    return shm_file(SIZE, fill=bytes(range(256)))


@pytest.fixture
def region(path: Path) -> Iterator[Region]:
    with open_region(RegionSpec(RegionKind.FILE, str(path))) as opened:
        yield opened


@pytest.fixture
def journal(region: Region) -> Iterator[Journal]:
    made = Journal(region)
    made.set_locked(False)
    yield made
    made.close()


@pytest.fixture
def signals(journal: Journal, region: Region) -> Iterator[Repeaters]:
    made = Repeaters(journal, region)
    yield made
    made.stop_all()


def poke(path: Path, offset: int, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY)
    os.pwrite(handle, data, offset)
    os.close(handle)


def test_a_peer_is_fought_and_each_fight_is_counted(
    path: Path, region: Region, journal: Journal, signals: Repeaters
) -> None:
    held = region.read(64, 4)
    number = signals.start(Freeze(64, held, "u32"))
    odd = signals.start(Freeze(129, b"\1\2\3"))  # not aligned, and not as it is
    until(lambda: region.read(129, 3) == b"\1\2\3")
    for turn in range(1, 4):
        poke(path, 64, bytes([turn]) * 4)
        until(lambda turn=turn: signals.frozen()[0].fights == turn)
        until(lambda: region.read(64, 4) == held)
    state = signals.frozen()[0]
    assert (state.theirs, state.writes, state.error) == (b"\3" * 4, 3, None)
    assert 0 < state.look_hz < 1.3 * 1e9 / state.freeze.interval_ns
    first = signals.frozen()[1]
    assert (first.fights, first.writes) == (0, 1), "the first write is no fight"
    assert signals.states() == ()
    record = signals.stop(number)
    assert record is not None
    assert (record.old, record.new, record.label) == (b"\3" * 4, held, "frozen u32")
    poke(path, 64, b"\4" * 4)
    assert [state.number for state in signals.frozen()] == [odd]
    time.sleep(0.01)
    assert region.read(64, 4) == b"\4" * 4, "it is free again"
    signals.stop_all()
    journal.undo()
    assert region.read(129, 3) == bytes([129, 130, 131])


def test_what_nobody_changed_leaves_no_entry(
    region: Region, journal: Journal, signals: Repeaters
) -> None:
    signals.start(Freeze(8, region.read(8, 8)))
    until(lambda: signals.frozen()[0].look_hz > 0)
    assert signals.stop() is None
    assert journal.count == 0


def test_the_lock_ends_it_when_it_would_write(
    path: Path, region: Region, journal: Journal, signals: Repeaters
) -> None:
    signals.start(Freeze(0, region.read(0, 8)))
    journal.set_locked(True)
    poke(path, 0, bytes(8))
    until(lambda: signals.frozen()[0].error is not None)
    assert isinstance(signals.frozen()[0].error, LockedError)
    assert region.read(0, 8) == bytes(8)


def test_two_on_one_place_are_refused(signals: Repeaters, region: Region) -> None:
    signals.start(Freeze(64, region.read(64, 4)))
    signals.start(Repeat(128, "u32"))
    for again in (Freeze(66, b"\0"), Repeat(60, "u64"), Freeze(131, bytes(2))):
        with pytest.raises(BusyError, match="nothing was started"):
            signals.start(again)
    assert len(signals.frozen()) == 1


def test_bytes_that_are_not_as_seen_are_asked_about(signals: Repeaters) -> None:
    with pytest.raises(ConflictError):
        signals.start(Freeze(64, b"\0"), Seen(64, b"\0"))
    assert signals.frozen() == ()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Freeze(0, b""),
        lambda: Freeze(0, bytes(LONGEST + 1)),
        lambda: Freeze(0, b"\0", interval_ns=10),
    ],
)
def test_what_cannot_be_frozen(make: Callable[[], Freeze]) -> None:
    with pytest.raises(ValueFormatError):
        make()


def test_a_place_outside_is_refused(signals: Repeaters) -> None:
    with pytest.raises(ScopeError, match="Freeze"):
        signals.start(Freeze(SIZE - 2, bytes(4)))
