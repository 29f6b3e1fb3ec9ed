"""The journal: compared, recorded, undoable, and whole whatever happens."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.backends.open_region import open_region
from app.core.errors import (
    CancelledError,
    ConflictError,
    LockedError,
    MisalignedError,
    NothingToUndoError,
    OutOfRangeError,
    ReadOnlyError,
    StorageError,
    TruncatedError,
    ValueFormatError,
)
from app.core.region.region import Region, RegionInfo, RegionKind, RegionSpec
from app.core.write import undo_store
from app.core.write.entries import MAX_RECORDS
from app.core.write.journal import Journal
from app.core.write.record import WriteOutcome
from app.core.write.undo_store import OVERHEAD

ShmFile = Callable[..., Path]
SIZE = 4096


class Memory(Region):
    """A region over a bytearray, with faults to order."""

    def __init__(self, size: int = SIZE) -> None:
        spec = RegionSpec(RegionKind.FILE, "memory")
        super().__init__(RegionInfo(spec, "memory", "host", "memory", size, writable=True))
        self.bytes = bytearray(size)
        self.stores: list[tuple[int, int]] = []
        self.peer: Callable[[int], None] | None = None
        self.good_writes = 1 << 30
        self.readable = True

    def check(self) -> None:
        """It never goes."""

    def _raw_read(self, offset: int, buffer: memoryview) -> None:
        if not self.readable:
            raise TruncatedError("gone")
        buffer[:] = self.bytes[offset : offset + buffer.nbytes]

    def _raw_write(self, offset: int, data: memoryview) -> None:
        self.good_writes -= 1
        if self.good_writes < 0:
            self.bytes[offset : offset + data.nbytes // 2] = data[: data.nbytes // 2]
            raise TruncatedError("cut half way")
        self.bytes[offset : offset + data.nbytes] = data
        if self.peer is not None:
            self.peer(offset)

    def _raw_load(self, offset: int, width: int) -> int:
        return int.from_bytes(self.bytes[offset : offset + width], "little")

    def _raw_store(self, offset: int, width: int, value: int) -> None:
        self.stores.append((offset, width))
        self._raw_write(offset, memoryview(value.to_bytes(width, "little")))

    def _raw_close(self) -> None:
        pass


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def journal(memory: Memory) -> Iterator[Journal]:
    journal = unlocked(memory)
    yield journal
    journal.close()


def unlocked(region: Region, **more: Any) -> Journal:
    journal = Journal(region, **more)
    journal.set_locked(False)
    return journal


def landed(journal: Journal) -> list[WriteOutcome]:
    return [record.outcome for record in journal.records()]


# -- plain writes ------------------------------------------------------------------------------


def test_it_is_locked_at_first(memory: Memory) -> None:
    journal = Journal(memory)
    assert journal.locked

    def bulk() -> None:
        with journal.bulk("x"):
            pytest.fail("nothing may begin")

    for attempt in (
        lambda: journal.write(0, b"x"),
        lambda: journal.write(0, b"x", force=True),
        journal.undo,
        journal.redo,
        lambda: journal.store_now(0, b"x"),
        bulk,
    ):
        with pytest.raises(LockedError):
            attempt()
    assert not any(memory.bytes)
    assert journal.count == 0
    assert journal.records() == []


def test_locking_keeps_the_history(memory: Memory, journal: Journal) -> None:
    journal.write(0, b"x")
    journal.set_locked(True)
    with pytest.raises(LockedError):
        journal.undo()
    journal.set_locked(False)
    journal.undo()
    assert not any(memory.bytes)


def test_a_record_tells_where_when_old_new_and_what_landed(memory: Memory) -> None:
    now = iter(range(100, 200))
    noted: list[tuple[int, int, bytes]] = []

    def note(offset: int, length: int) -> None:
        noted.append((offset, length, bytes(memory.bytes[offset : offset + length])))

    journal = unlocked(memory, clock=lambda: next(now), on_write=note)
    memory.bytes[10:14] = b"then"
    record = journal.write(10, b"now!", label="paste")
    assert (record.number, record.time_ns, record.offset, record.length) == (1, 100, 10, 4)
    assert (record.old, record.new, record.outcome) == (b"then", b"now!", WriteOutcome.WHOLE)
    assert (record.label, record.undoes) == ("paste", 0)
    assert noted == [(10, 4, b"then")]  # told before the bytes change
    assert journal.records() == [record]
    assert journal.records(after=1) == []


def test_long_writes_show_their_head(journal: Journal) -> None:
    record = journal.write(0, bytes(range(200)))
    assert record.length == 200
    assert record.new == bytes(range(64))


def test_aligned_words_are_single_stores(memory: Memory, journal: Journal) -> None:
    for offset, size in ((0, 1), (2, 2), (8, 8), (4, 4), (3, 2), (4, 8), (0, 3), (0, 16)):
        journal.write(offset, bytes(size))
    assert memory.stores == [(0, 1), (2, 2), (8, 8), (4, 4)]
    journal.undo()
    journal.undo()


def test_a_wanted_single_store_that_cannot_be_one(memory: Memory, journal: Journal) -> None:
    with pytest.raises(MisalignedError):
        journal.write(1, b"abcd", width=4)
    with pytest.raises(MisalignedError):
        journal.write(2, bytes(4), width=4)  # these bytes are there already, and are no write
    with pytest.raises(MisalignedError):
        journal.write(0, bytes(3), width=3)
    with pytest.raises(ValueFormatError):
        journal.write(0, b"abc", width=4)
    with pytest.raises(ValueFormatError):
        journal.write(0, b"")
    with pytest.raises(OutOfRangeError):
        journal.write(SIZE - 1, b"ab")
    assert not any(memory.bytes)
    assert journal.count == 0
    assert journal._store.used == 0


@pytest.mark.parametrize(
    ("width", "value"),
    [(1, 256), (1, -129), (2, 1 << 16), (4, 1 << 32), (8, 1 << 64), (8, -(1 << 64))],
)
def test_a_value_too_wide_for_its_store_is_refused(memory: Memory, width: int, value: int) -> None:
    with pytest.raises(ValueFormatError, match="does not fit"):
        memory.store(0, width, value)
    assert memory.stores == []


def test_a_store_takes_what_just_fits(memory: Memory) -> None:
    for width in (1, 2, 4, 8):
        for value in ((1 << 8 * width) - 1, -(1 << 8 * width - 1), -1, 0):
            memory.store(8, width, value)
            assert memory.load(8, width) == value % (1 << 8 * width)


def test_read_only_keeps_nothing(shm_file: ShmFile) -> None:
    path = shm_file(4096)
    with open_region(RegionSpec(RegionKind.FILE, str(path), read_only=True)) as region:
        journal = unlocked(region)
        with pytest.raises(ReadOnlyError):
            journal.write(0, b"x")
        assert journal.count == 0


def test_the_peers_newer_value_is_asked_about(memory: Memory, journal: Journal) -> None:
    memory.bytes[100:108] = b"peer new"
    with pytest.raises(ConflictError) as caught:
        journal.write(100, b"mine mee", seen=b"peer old")
    error = caught.value
    assert (error.offset, error.seen, error.now, error.mine) == (
        100,
        b"peer old",
        b"peer new",
        b"mine mee",
    )
    assert "3 bytes" in error.message
    assert "0x64" in error.message
    assert memory.bytes[100:108] == b"peer new"
    assert journal.count == 0
    journal.write(100, b"mine mee", seen=b"peer old", force=True)
    assert memory.bytes[100:108] == b"mine mee"
    journal.undo()
    assert memory.bytes[100:108] == b"peer new"  # what was there, not what was seen


def test_seen_of_another_length_is_a_conflict(journal: Journal) -> None:
    with pytest.raises(ConflictError):
        journal.write(0, b"ab", seen=b"\0")


def test_a_peer_that_writes_in_the_same_moment(memory: Memory, journal: Journal) -> None:
    memory.bytes[0:4] = b"\1\2\3\4"

    def undo_it(offset: int) -> None:
        memory.bytes[offset : offset + 4] = b"\1\2\3\4"

    memory.peer = undo_it
    assert journal.write(0, b"\1\2\3\5").outcome is WriteOutcome.NONE  # three were so before
    memory.peer = lambda offset: memory.bytes.__setitem__(offset, 99)
    assert journal.write(0, b"abcd").outcome is WriteOutcome.PART
    memory.peer = None
    assert journal.write(0, b"efgh").outcome is WriteOutcome.WHOLE


# -- undo and redo -----------------------------------------------------------------------------


def test_undo_and_redo_walk_the_history(memory: Memory, journal: Journal) -> None:
    states = [bytes(memory.bytes)]
    for number in range(1, 50):
        journal.write(number * 7 % 100, bytes([number]) * (number % 12 + 1))
        states.append(bytes(memory.bytes))
    for state in reversed(states[:-1]):
        journal.undo()
        assert memory.bytes == state
    with pytest.raises(NothingToUndoError):
        journal.undo()
    for state in states[1:]:
        journal.redo()
        assert memory.bytes == state
    with pytest.raises(NothingToUndoError):
        journal.redo()


def test_what_is_typed_in_one_go_is_one_step(memory: Memory, journal: Journal) -> None:
    for at, letter in enumerate(b"hello"):
        record = journal.write(10 + at, bytes([letter]), go=7)
    assert (record.offset, record.length, record.new) == (10, 5, b"hello")
    assert (record.number, record.joins, record.old) == (5, 4, bytes(5))
    taken_back = journal.undo()
    assert not any(memory.bytes)
    assert (taken_back.undoes, taken_back.length) == (5, 5)
    journal.redo()
    assert memory.bytes[10:15] == b"hello"
    memory.bytes[12] = 1
    with pytest.raises(ConflictError) as caught:
        journal.undo()
    assert caught.value.entry == 5


@pytest.mark.parametrize("why", ["no go", "another go", "a gap", "backwards", "undone", "a bulk"])
def test_what_is_not_typed_in_one_go_stays_apart(
    memory: Memory, journal: Journal, why: str
) -> None:
    go = 0 if why == "no go" else 7
    journal.write(50, b"ab", go=go)
    if why == "undone":
        journal.write(90, b"x")
        journal.undo()
    if why == "a bulk":
        with journal.bulk("fill"):
            record = journal.write(52, b"cd", go=go)
    else:
        at = {"a gap": 53, "backwards": 48}.get(why, 52)
        record = journal.write(at, b"cd", go=8 if why == "another go" else go)
    assert (record.joins, record.length) == (0, 2)
    journal.undo()
    assert memory.bytes[50:52] == b"ab"


def test_a_letter_of_which_a_peer_took_part_stays_apart(memory: Memory, journal: Journal) -> None:
    """What is joined landed as a whole, so that one word says what became of it."""
    journal.write(50, b"a", go=7)
    memory.peer = lambda offset: memory.bytes.__setitem__(offset, 0x77)
    assert journal.write(51, b"b", go=7).joins == 0
    memory.peer = None
    assert journal.write(52, b"c", go=7).joins == 0


def test_a_go_gives_the_memory_of_its_letters_back(memory: Memory, journal: Journal) -> None:
    for at in range(100):
        journal.write(at, b"x", go=1)
    assert journal._store.used == 2 * (100 + OVERHEAD)
    journal.undo()
    journal.write(0, b"y", go=2)
    assert journal._store.used == 2 * (1 + OVERHEAD)


def test_a_new_write_ends_redo_and_gives_its_memory_back(memory: Memory) -> None:
    journal = unlocked(memory)
    journal.write(0, b"a" * 100)
    used = journal._store.used
    for _ in range(50):
        journal.write(200, b"b" * 500)
        journal.undo()
    assert journal._store.used == used + 2 * (500 + OVERHEAD)  # only what redo could do
    journal.write(300, b"c")
    assert journal._store.used == used + 2 * (1 + OVERHEAD)
    with pytest.raises(NothingToUndoError):
        journal.redo()


def test_undo_refuses_a_newer_peer_value_unless_forced(memory: Memory, journal: Journal) -> None:
    memory.bytes[0:4] = b"orig"
    journal.write(0, b"mine")
    memory.bytes[2] = ord("!")
    with pytest.raises(ConflictError) as caught:
        journal.undo()
    error = caught.value
    assert (error.seen, error.now, error.mine) == (b"mine", b"mi!e", b"orig")
    assert "1 byte " in error.message
    assert memory.bytes[0:4] == b"mi!e"
    journal.undo(force=True)
    assert memory.bytes[0:4] == b"orig"
    memory.bytes[0:4] = b"peer"
    with pytest.raises(ConflictError):
        journal.redo()
    journal.redo(force=True)
    assert memory.bytes[0:4] == b"mine"


def test_a_conflict_far_inside_a_long_write_shows_its_place(
    memory: Memory, journal: Journal
) -> None:
    journal.write(0, b"m" * 2000)
    memory.bytes[1003] = ord("p")
    with pytest.raises(ConflictError) as caught:
        journal.undo()
    assert caught.value.offset == 992
    assert caught.value.now[11] == ord("p")
    assert len(caught.value.now) == 64


def test_a_peer_who_put_the_old_value_back_is_no_conflict(memory: Memory, journal: Journal) -> None:
    journal.write(0, b"mine")
    memory.bytes[0:4] = bytes(4)
    journal.undo()
    assert memory.bytes[0:4] == bytes(4)


def test_records_follow_undo_and_redo(memory: Memory, journal: Journal) -> None:
    memory.peer = lambda offset: memory.bytes.__setitem__(offset, 99)
    journal.write(0, b"abc")
    memory.peer = None
    assert landed(journal) == [WriteOutcome.PART]
    journal.undo(force=True)
    assert landed(journal) == [WriteOutcome.UNDONE, WriteOutcome.WHOLE]
    assert journal.records()[1].undoes == 1
    assert journal.records()[1].label == "undo typed"
    memory.peer = lambda offset: memory.bytes.__setitem__(offset, 98)
    journal.redo()
    assert landed(journal) == [WriteOutcome.PART, WriteOutcome.WHOLE, WriteOutcome.PART]
    assert journal.records(after=2)[0].label == "redo typed"
    assert [record.number for record in journal.records()] == [1, 2, 3]


# -- bulk --------------------------------------------------------------------------------------


def write_chunks(journal: Journal, *chunks: tuple[int, bytes]) -> None:
    with journal.bulk("fill") as bulk:
        for offset, data in chunks:
            bulk.write(offset, data)


def test_a_bulk_is_one_entry_and_one_step(memory: Memory, journal: Journal) -> None:
    memory.bytes[:] = bytes(range(256)) * 16
    before = bytes(memory.bytes)
    write_chunks(journal, (200, b"b" * 100), (100, b"a" * 100))  # a copy may go backwards
    record = journal.records()[0]
    assert (record.offset, record.length, record.new) == (100, 200, b"a" * 64)
    assert record.old == before[100:164]
    after = bytes(memory.bytes)
    assert journal.undo().offset == 100
    assert memory.bytes == before
    assert journal.redo().offset == 100
    assert memory.bytes == after
    journal.undo()
    assert memory.bytes == before


def test_a_bulk_that_ends_early_can_be_taken_back(memory: Memory, journal: Journal) -> None:
    with contextlib.suppress(CancelledError), journal.bulk("fill") as bulk:
        bulk.write(0, b"a" * 100)
        raise CancelledError("stop")
    assert landed(journal) == [WriteOutcome.PART]
    journal.undo()
    assert not any(memory.bytes)


def test_a_bulk_that_fails_within_a_chunk_can_be_taken_back(
    memory: Memory, journal: Journal
) -> None:
    memory.good_writes = 1
    with pytest.raises(TruncatedError):
        write_chunks(journal, (0, b"a" * 100), (100, b"b" * 100))
    assert memory.bytes[:150] == b"a" * 100 + b"b" * 50
    assert landed(journal) == [WriteOutcome.PART]
    memory.good_writes = 1 << 30
    journal.undo()  # the half chunk, too: each byte is what we left or what was there
    assert not any(memory.bytes)


def test_nothing_in_bulk_is_no_entry(journal: Journal) -> None:
    with journal.bulk("fill") as bulk:
        pass
    assert bulk.record is None
    with pytest.raises(NothingToUndoError):
        journal.undo()


def test_locking_stops_a_bulk(memory: Memory, journal: Journal) -> None:
    with journal.bulk("fill") as bulk:
        bulk.write(0, b"a" * 100)
        journal.set_locked(True)
        with pytest.raises(LockedError):
            bulk.write(100, b"b" * 100)
    assert memory.bytes[:200] == b"a" * 100 + bytes(100)


# -- when the memory goes half way -------------------------------------------------------------


def test_a_write_that_fails_half_way_is_recorded_and_undoable(
    memory: Memory, journal: Journal
) -> None:
    memory.good_writes = 0
    with pytest.raises(TruncatedError):
        journal.write(0, b"x" * 100)
    assert landed(journal) == [WriteOutcome.PART]
    memory.good_writes = 1 << 30
    journal.undo()
    assert not any(memory.bytes)


def test_a_write_of_which_nothing_landed_is_forgotten(memory: Memory, journal: Journal) -> None:
    memory.good_writes = 0
    with pytest.raises(TruncatedError):
        journal.write(0, b"x")
    assert journal.count == 0
    assert journal._store.used == 0


def test_an_undo_that_fails_half_way_goes_on_later(memory: Memory, journal: Journal) -> None:
    write_chunks(journal, *((100 * n, bytes([n + 1]) * 100) for n in range(5)))
    whole = bytes(memory.bytes)
    memory.good_writes = 2
    with pytest.raises(TruncatedError):
        journal.undo()
    assert memory.bytes[:200] == whole[:200]
    assert not any(memory.bytes[300:500])
    assert journal.records()[-1].outcome is WriteOutcome.PART
    assert journal.records()[-1].undoes == 1
    assert journal.records()[0].outcome is WriteOutcome.UNDONE_IN_PART
    memory.good_writes = 1 << 30
    memory.bytes[50] = 77  # a peer wrote there meanwhile, where the undo has yet to go
    with pytest.raises(ConflictError):
        journal.undo()
    memory.bytes[50] = 1
    memory.bytes[350] = 77  # and there, where it has been: that is the peer's
    journal.undo()
    assert memory.bytes == bytes(350) + b"\x4d" + bytes(SIZE - 351)
    with pytest.raises(ConflictError):
        journal.redo()
    memory.bytes[350] = 0
    journal.redo()
    assert memory.bytes == whole
    journal.undo()
    assert not any(memory.bytes)


def test_a_region_that_is_gone_leaves_the_step(memory: Memory, journal: Journal) -> None:
    journal.write(0, b"x" * 100)
    memory.readable = False
    count = journal.count
    with pytest.raises(TruncatedError):
        journal.undo()
    assert journal.count == count
    memory.readable = True
    journal.undo()
    assert not any(memory.bytes)


def test_an_undo_that_fails_half_way_can_be_redone(memory: Memory, journal: Journal) -> None:
    write_chunks(journal, *((100 * n, bytes([n + 1]) * 100) for n in range(5)))
    whole = bytes(memory.bytes)
    memory.good_writes = 2
    with pytest.raises(TruncatedError):
        journal.undo()
    assert memory.bytes[:300] != whole[:300], "the third piece is torn"
    memory.good_writes = 1 << 30
    journal.redo()
    assert memory.bytes == whole
    assert landed(journal) == [WriteOutcome.WHOLE, WriteOutcome.PART, WriteOutcome.WHOLE]
    with pytest.raises(NothingToUndoError):
        journal.redo()
    journal.undo()
    assert not any(memory.bytes)


# -- how much is kept --------------------------------------------------------------------------


def test_beyond_the_bound_it_goes_to_disk_and_comes_back(memory: Memory) -> None:
    journal = unlocked(memory, memory_bound=4 * (100 + OVERHEAD))
    states = [bytes(memory.bytes)]
    for number in range(1, 30):
        journal.write(number * 90, bytes([number]) * 100)
        states.append(bytes(memory.bytes))
        assert journal._store.used <= 4 * (100 + OVERHEAD)
    assert journal._store._end == 27 * 200
    for state in reversed(states[:-1]):
        journal.undo()
        assert memory.bytes == state
    for state in states[1:]:
        journal.redo()
        assert memory.bytes == state
    for _ in range(20):
        journal.undo()
    journal.write(0, b"x")
    journal.undo()
    journal.write(0, b"y" * 80)  # takes the place of what was dropped
    assert journal._store._end <= 8 * 200  # the tail was given back
    journal.undo()
    for state in reversed(states[:9]):
        journal.undo()
    assert not any(memory.bytes)
    journal.close()
    journal.close()


def test_writing_and_undoing_all_day_takes_no_more_disk(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.write.journal.MAX_STEPS", 20)
    journal = unlocked(memory, memory_bound=0)
    with contextlib.closing(journal):
        for number in range(2000):
            journal.write(number % 90, bytes([number & 0xFF]) * (number % 50 + 1))
            if number % 7 == 0:
                journal.undo()
        assert journal._store._end < 2 * 20 * 2 * 50
        for _ in range(20):
            journal.undo()


def test_no_file_of_it_has_a_name_or_stays_open(memory: Memory) -> None:
    before = len(os.listdir("/proc/self/fd"))
    journal = unlocked(memory, memory_bound=0)
    journal.write(0, b"x")
    names = [
        os.readlink(f"/proc/self/fd/{fd}")
        for fd in os.listdir("/proc/self/fd")
        if os.path.islink(f"/proc/self/fd/{fd}")
    ]
    assert not [name for name in names if "undo" in name and "deleted" not in name]
    assert not list(Path(tempfile.gettempdir()).glob("ivshmem-scope-undo-*"))
    journal.close()
    assert len(os.listdir("/proc/self/fd")) == before


class FullDisk:
    """A temporary file that takes `room` bytes and refuses the rest, as a full disk does."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.content = bytearray()
        self.at = 0

    def seek(self, at: int) -> int:
        self.at = at
        return at

    def write(self, data: memoryview) -> int:
        count = min(self.room - self.at, data.nbytes)
        if count <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.content[self.at : self.at + count] = data[:count]
        self.at += count
        return count

    def read(self, length: int) -> bytes:
        data = bytes(self.content[self.at : self.at + length])
        self.at += len(data)
        return data

    def truncate(self, at: int) -> int:
        del self.content[at:]
        return at

    def close(self) -> None:
        pass


def test_a_full_disk_writes_nothing_and_forgets_nothing(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(550)
    monkeypatch.setattr(undo_store.tempfile, "TemporaryFile", lambda **_: disk)
    journal = unlocked(memory, memory_bound=0)
    journal.write(0, b"a" * 100)
    journal.write(100, b"b" * 100)
    after = bytes(memory.bytes)
    for length in (100, 100, 2000):
        with pytest.raises(StorageError) as caught:
            journal.write(200, b"c" * length)
        assert "the disk is full" in caught.value.message
        assert "nothing more was written" in caught.value.message
        assert memory.bytes == after
        assert len(disk.content) == 400
    with pytest.raises(StorageError):
        write_chunks(journal, (300, b"d" * 70), (400, b"e" * 70))
    assert memory.bytes[:300] == after[:300]
    assert memory.bytes[300:370] == b"d" * 70
    assert not any(memory.bytes[370:])
    for _ in range(3):
        journal.undo()
    assert not any(memory.bytes)
    journal.redo()
    journal.redo()
    assert memory.bytes == after


def test_a_temporary_folder_that_is_none(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory")

    monkeypatch.setattr(undo_store.tempfile, "TemporaryFile", refuse)
    journal = unlocked(memory, memory_bound=0)
    with pytest.raises(StorageError):
        journal.write(0, b"x")
    assert not any(memory.bytes)


def test_many_small_writes_are_bounded(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.core.write.journal.MAX_STEPS", 100)
    journal = unlocked(memory, memory_bound=1 << 20)
    for number in range(5000):
        journal.write(number % 64, bytes([number & 0xFF]))
    assert journal._store.used == 100 * 2 * (1 + OVERHEAD)
    for _ in range(100):
        journal.undo()
    with pytest.raises(NothingToUndoError):
        journal.undo()
    assert len(journal.records()) == 5100 <= MAX_RECORDS


def test_records_are_bounded_and_still_found_by_number(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.write.entries.MAX_RECORDS", 10)
    journal = unlocked(memory)
    for number in range(25):
        journal.write(number, b"x")
    assert [record.number for record in journal.records()] == list(range(16, 26))
    assert [record.number for record in journal.records(after=23)] == [24, 25]
    assert [record.number for record in journal.records(after=99)] == []
    for _ in range(20):
        journal.undo()  # marking what is no longer listed is no error
    assert journal.records()[-1].undoes == 6


def test_writes_from_many_threads_all_count(memory: Memory, journal: Journal) -> None:
    def write(base: int) -> None:
        for number in range(200):
            journal.write(base + number % 50, bytes([number & 0xFF]))

    threads = [threading.Thread(target=write, args=(64 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [record.number for record in journal.records()] == list(range(1, 801))
    for _ in range(800):
        journal.undo()
    assert not any(memory.bytes)


# -- against a model ---------------------------------------------------------------------------

_OFFSETS = st.integers(0, 60)
_DATA = st.binary(min_size=1, max_size=20)
_ACTIONS = st.one_of(
    st.tuples(st.just("write"), _OFFSETS, _DATA),
    st.tuples(st.just("bulk"), st.lists(_DATA, min_size=1, max_size=4), st.booleans()),
    st.tuples(st.just("undo"), st.booleans()),
    st.tuples(st.just("redo"), st.booleans()),
    st.tuples(st.just("peer"), _OFFSETS, _DATA),
    st.tuples(st.just("fault"), st.integers(0, 3)),
)


Step = list[tuple[int, bytes, bytes]]  # offset, what was there, what was written


class World:
    """A journal over a memory, and an oracle that keeps steps and bytes in the simplest way."""

    def __init__(self, bound: int) -> None:
        self.memory = Memory(128)
        self.bound = bound
        self.journal = unlocked(self.memory, memory_bound=bound)
        self.undone: list[Step] = []
        self.steps: list[Step] = []

    def write(self, offset: int, data: bytes) -> None:
        self.memory.good_writes = 1 << 30
        old = bytes(self.memory.bytes[offset : offset + len(data)])
        self.journal.write(offset, data, seen=old)
        self.steps.append([(offset, old, data)])
        self.undone.clear()

    def bulk(self, chunks: list[bytes], stop: bool) -> None:
        self.memory.good_writes = 1 << 30
        step: Step = []
        at = 0
        with contextlib.suppress(CancelledError), self.journal.bulk("fill") as bulk:
            for chunk in chunks:
                step.append((at, bytes(self.memory.bytes[at : at + len(chunk)]), chunk))
                bulk.write(at, chunk)
                at += len(chunk)
            if stop:
                raise CancelledError("stopped")
        self.steps.append(step)
        self.undone.clear()

    def peer(self, offset: int, data: bytes) -> None:
        self.memory.bytes[offset : offset + len(data)] = data

    def fault(self, writes: int) -> None:
        self.memory.good_writes = writes

    def undo(self, force: bool) -> None:
        self._turn(self.steps, self.undone, self.journal.undo, force)

    def redo(self, force: bool) -> None:
        self._turn(self.undone, self.steps, self.journal.redo, force)

    def _turn(
        self, source: list[Step], target: list[Step], go: Callable[[bool], object], force: bool
    ) -> None:
        before = bytes(self.memory.bytes)
        if not source:
            with pytest.raises(NothingToUndoError):
                go(force)
        elif not force and self._newer(source[-1]):
            with pytest.raises(ConflictError):
                go(False)
            assert self.memory.bytes == before
        else:
            if self.memory.good_writes < len(source[-1]):
                with pytest.raises(TruncatedError):
                    go(force)
                self.memory.good_writes = 1 << 30
            go(force)  # after a fault it goes on from where it stopped
            expected = bytearray(before)
            for offset, wanted, _ in source[-1]:
                expected[offset : offset + len(wanted)] = wanted
            assert self.memory.bytes == expected
            step = source.pop()
            target.append([(offset, left, wanted) for offset, wanted, left in reversed(step)])

    def _newer(self, step: Step) -> bool:
        there = self.memory.bytes
        return any(
            there[offset + at] not in (wanted[at], left[at])
            for offset, wanted, left in step
            for at in range(len(left))
        )

    def check(self) -> None:
        pieces = [piece for step in self.steps + self.undone for piece in step]
        kept = sum(2 * len(piece[1]) for piece in pieces)
        if self.bound:
            assert self.journal._store.used == kept + 2 * len(pieces) * OVERHEAD
        else:
            store = self.journal._store
            assert store._end - sum(b - a for a, b in store._gaps) == kept
            assert store._gaps == sorted(store._gaps)
        numbers = [record.number for record in self.journal.records()]
        assert numbers == list(range(1, self.journal.count + 1))


@settings(max_examples=250, deadline=None)
@given(st.lists(_ACTIONS, max_size=30), st.sampled_from([0, 1 << 20]))
def test_any_history_against_an_oracle(actions: list[Any], bound: int) -> None:
    world = World(bound)
    with contextlib.closing(world.journal):
        for name, *arguments in actions:
            getattr(world, name)(*arguments)
            world.check()
