"""Typed bytes, undo and locks between two chunks of a fill, and between two pieces of its undo."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import (
    BusyError,
    CancelledError,
    ConflictError,
    LockedError,
    NothingToUndoError,
    ScopeError,
)
from app.core.write import bulk_writes
from app.core.write.fifo_lock import FifoLock
from app.core.write.journal import Journal
from app.core.write.patterns import BytePattern, IncrementPattern
from app.core.write.record import Seen, WriteOutcome, WriteRecord
from tests.core.write.test_journal import Memory, unlocked

CHUNK = 16
SIZE = 8 * CHUNK
Between = Callable[[int], object]


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_writes, "CHUNK", CHUNK)


@pytest.fixture
def memory() -> Memory:
    made = Memory(SIZE)
    made.bytes[:] = bytes(range(SIZE))
    return made


@pytest.fixture
def journal(memory: Memory) -> Iterator[Journal]:
    made = unlocked(memory)
    yield made
    made.close()


def fill(
    journal: Journal,
    memory: Memory,
    between: Between = lambda _done: None,
    *,
    stop_at: int = SIZE + 1,
    value: int = 0xFF,
    seen: Seen | None = None,
) -> WriteRecord:
    """Fill everything; `between` is called after each chunk with what is done."""
    done = [0]

    def progress(now: int, _total: int) -> None:
        done[0] = now
        between(now)

    return bulk_writes.fill(
        journal,
        memory,
        0,
        SIZE,
        BytePattern(value),
        seen=seen,
        progress=progress,
        cancelled=lambda: done[0] >= stop_at,
    )


def at(when: int, act: Callable[[], object]) -> Between:
    return lambda done: act() if done == when else None


def outcomes(journal: Journal) -> list[tuple[str, WriteOutcome]]:
    return [(record.label, record.outcome) for record in journal.records()]


def undo_all(journal: Journal) -> None:
    with contextlib.suppress(NothingToUndoError):
        while True:
            journal.undo()


def redo_all(journal: Journal) -> None:
    with contextlib.suppress(NothingToUndoError):
        while True:
            journal.redo()


# -- typed bytes during a fill -------------------------------------------------------------------


def test_behind_the_fill_it_stands_above_what_was_filled(memory: Memory, journal: Journal) -> None:
    before = bytes(memory.bytes)
    typed = at(3 * CHUNK, lambda: journal.write(5, b"typed", seen=b"\xff" * 5))
    record = fill(journal, memory, typed)
    after = bytes(memory.bytes)
    assert after == b"\xff" * 5 + b"typed" + b"\xff" * (SIZE - 10)
    assert (record.offset, record.length, record.outcome) == (0, SIZE, WriteOutcome.WHOLE)
    assert record.label == "fill, byte 0xFF"
    assert [(r.number, r.label, r.length) for r in journal.records()] == [
        (1, "fill, byte 0xFF, part 1", 3 * CHUNK),
        (2, "typed", 5),
        (3, "fill, byte 0xFF, part 2", 5 * CHUNK),
    ]
    undo_all(journal)
    assert memory.bytes == before
    redo_all(journal)
    assert memory.bytes == after


def test_before_the_fill_it_stands_below(memory: Memory, journal: Journal) -> None:
    before = bytes(memory.bytes)
    place = 6 * CHUNK
    typed = at(CHUNK, lambda: journal.write(place, b"typed", seen=before[place : place + 5]))
    fill(journal, memory, typed)
    assert memory.bytes == b"\xff" * SIZE
    assert [label for label, _ in outcomes(journal)] == ["typed", "fill, byte 0xFF"]
    journal.undo()
    assert memory.bytes[place : place + 5] == b"typed"
    journal.undo()
    assert memory.bytes == before


def test_across_the_front_of_the_fill(memory: Memory, journal: Journal) -> None:
    before = bytes(memory.bytes)
    typed = at(2 * CHUNK, lambda: journal.write(2 * CHUNK - 3, b"typed!"))
    fill(journal, memory, typed)
    after = bytes(memory.bytes)
    assert after[2 * CHUNK - 4 : 2 * CHUNK + 1] == b"\xfftyp\xff"
    undo_all(journal)
    assert memory.bytes == before
    redo_all(journal)
    assert memory.bytes == after


def test_what_is_typed_during_a_fill_is_compared_with_what_is_there(
    memory: Memory, journal: Journal
) -> None:
    def typed() -> None:
        with pytest.raises(ConflictError):
            journal.write(5, b"x", seen=b"\5")

    fill(journal, memory, at(CHUNK, typed))
    assert memory.bytes == b"\xff" * SIZE


# -- undo during a fill -----------------------------------------------------------------------------


def test_only_what_came_after_a_fill_is_undone_while_it_runs(
    memory: Memory, journal: Journal
) -> None:
    journal.write(0, b"before")
    start = bytes(memory.bytes)
    seen: list[str] = []

    def refused(act: Callable[[], object]) -> None:
        with pytest.raises(BusyError) as caught:
            act()
        seen.append(str(caught.value))

    def between(done: int) -> None:
        if done == CHUNK:
            refused(journal.undo)  # it would be out of order: the fill began later
            journal.write(3, b"typed")
            journal.undo()  # this one came after the fill began
            refused(journal.undo)  # and now the part of the fill below it
            journal.redo()
            assert memory.bytes[3:8] == b"typed"

    fill(journal, memory, between)
    after = bytes(memory.bytes)
    assert all("fill, byte 0xFF" in text and "under way" in text for text in seen)
    assert after[3:8] == b"typed"
    for _ in range(3):
        journal.undo()
    assert memory.bytes == start
    journal.undo()
    assert memory.bytes == bytes(range(SIZE))
    redo_all(journal)
    assert memory.bytes == after


def test_what_the_fill_has_gone_over_is_below_it(memory: Memory, journal: Journal) -> None:
    before = bytes(memory.bytes)

    def between(done: int) -> None:
        if done == CHUNK:
            journal.write(3 * CHUNK, b"typed")
        if done == 5 * CHUNK:
            with pytest.raises(BusyError):
                journal.undo()

    fill(journal, memory, between)
    undo_all(journal)
    assert memory.bytes == before


def test_a_chunk_over_what_could_be_redone_ends_that(memory: Memory, journal: Journal) -> None:
    def between(done: int) -> None:
        if done == CHUNK:
            journal.write(3 * CHUNK, b"typed")
            journal.undo()
        if done == 5 * CHUNK:
            with pytest.raises(NothingToUndoError):
                journal.redo()

    fill(journal, memory, between)
    assert memory.bytes == b"\xff" * SIZE


# -- locking, stopping, comparing --------------------------------------------------------------------


def test_locking_in_the_middle_of_a_fill_tells_what_was_changed(
    memory: Memory, journal: Journal
) -> None:
    before = bytes(memory.bytes)
    with pytest.raises(LockedError) as caught:
        fill(journal, memory, at(3 * CHUNK, lambda: journal.set_locked(True)))
    assert "after 48 B had been written" in caught.value.message
    assert "nothing" not in caught.value.message
    assert "Undo" in str(caught.value) or "undo" in caught.value.hint
    assert outcomes(journal) == [("fill, byte 0xFF", WriteOutcome.PART)]
    journal.set_locked(False)
    journal.undo()
    assert memory.bytes == before


def test_a_fill_compares_what_was_seen_before_it_writes(memory: Memory, journal: Journal) -> None:
    before = bytes(memory.bytes)
    with pytest.raises(ConflictError) as caught:
        fill(journal, memory, seen=Seen(40, b"\x28\x29\x99"))
    error = caught.value
    assert (error.offset, error.seen, error.now, error.mine) == (
        40,
        b"\x28\x29\x99",
        b"\x28\x29\x2a",
        b"\xff\xff\xff",
    )
    assert memory.bytes == before
    assert journal.count == 0
    fill(journal, memory, seen=Seen(40, b"\x28\x29\x2a"))
    assert memory.bytes == b"\xff" * SIZE


def test_a_conflict_far_inside_what_was_seen_shows_its_place(
    memory: Memory, journal: Journal
) -> None:
    seen = bytearray(memory.bytes)
    memory.bytes[0x50:0x54] = b"peer"
    with pytest.raises(ConflictError) as caught:
        fill(journal, memory, seen=Seen(0, bytes(seen)))
    error = caught.value
    assert "4 bytes at 0x50" in error.message
    assert (error.offset, error.now[:4], error.seen[:4]) == (0x50, b"peer", b"PQRS")
    assert len(error.now) == len(error.seen) == len(error.mine) == SIZE - 0x50


def test_load_and_copy_compare_too(memory: Memory, journal: Journal, tmp_path: Any) -> None:
    file = tmp_path / "bytes"
    file.write_bytes(b"0123456789")
    quiet: dict[str, Any] = {"progress": lambda *_: None, "cancelled": lambda: False}
    with pytest.raises(ConflictError) as caught:
        bulk_writes.load_file(
            journal, memory, str(file), 20, None, 2, seen=Seen(22, b"xx"), **quiet
        )
    assert (caught.value.now, caught.value.mine) == (b"\x16\x17", b"45")
    with pytest.raises(ConflictError) as caught:
        bulk_writes.copy_range(journal, memory, 0, 64, 32, seen=Seen(70, b"xx"), **quiet)
    assert (caught.value.now, caught.value.mine) == (b"\x46\x47", b"\6\7")
    assert journal.count == 0


# -- a large undo ---------------------------------------------------------------------------------------


def turn(
    journal: Journal,
    word: str,
    between: Between = lambda _done: None,
    *,
    stop_at: int = 1 << 30,
    force: bool = False,
) -> WriteRecord:
    """Undo or redo; stopped when that many bytes of progress were told."""
    told = [0]

    def progress(now: int, total: int) -> None:
        assert 0 <= told[0] <= now <= total == SIZE
        told[0] = now
        between(now)

    begun = journal.begin_undo(force) if word == "undo" else journal.begin_redo(force)
    return begun.run(progress=progress, cancelled=lambda: told[0] >= stop_at)


def half_undone(journal: Journal, memory: Memory) -> tuple[bytes, bytes]:
    """A fill whose undo was stopped in the middle: the bytes before and behind the fill."""
    before = bytes(memory.bytes)
    fill(journal, memory)
    after = bytes(memory.bytes)
    with pytest.raises(CancelledError) as caught:
        turn(journal, "undo", stop_at=SIZE // 2 + SIZE // 4)
    assert "64 B of 128 B are back as they were" in caught.value.message
    assert memory.bytes == after[: SIZE // 2] + before[SIZE // 2 :]
    first, second = journal.records()
    assert first.outcome is WriteOutcome.UNDONE_IN_PART
    assert (second.label, second.outcome, second.offset, second.length, second.undoes) == (
        "undo fill, byte 0xFF",
        WriteOutcome.PART,
        SIZE // 2,
        SIZE // 2,
        1,
    )
    assert second.leaves is WriteOutcome.UNDONE_IN_PART
    return before, after


def test_an_undo_that_is_stopped_half_way_goes_on(memory: Memory, journal: Journal) -> None:
    before, after = half_undone(journal, memory)
    record = journal.undo()
    assert memory.bytes == before
    assert (record.length, record.leaves) == (SIZE // 2, WriteOutcome.UNDONE)
    assert journal.records()[0].outcome is WriteOutcome.UNDONE
    with pytest.raises(NothingToUndoError):
        journal.undo()
    record = journal.redo()  # one redo does all of it again
    assert record.length == SIZE
    assert memory.bytes == after
    assert journal.records()[0].outcome is WriteOutcome.WHOLE


def test_an_undo_that_is_stopped_half_way_is_redone(memory: Memory, journal: Journal) -> None:
    before, after = half_undone(journal, memory)
    journal.redo()
    assert memory.bytes == after
    with pytest.raises(NothingToUndoError):
        journal.redo()
    assert journal.records()[0].outcome is WriteOutcome.WHOLE
    journal.undo()
    assert memory.bytes == before
    with pytest.raises(CancelledError) as caught:
        turn(journal, "redo", stop_at=SIZE // 2 + SIZE // 4)
    assert "64 B of 128 B are written again" in caught.value.message
    assert journal.records()[0].outcome is WriteOutcome.UNDONE_IN_PART
    journal.undo()
    assert memory.bytes == before


def test_stopped_before_anything_was_changed(memory: Memory, journal: Journal) -> None:
    fill(journal, memory)
    for stop_at in (0, SIZE // 4):
        with pytest.raises(CancelledError) as caught:
            turn(journal, "undo", stop_at=stop_at)
        assert "nothing was changed" in caught.value.message
        assert memory.bytes == b"\xff" * SIZE
    assert journal.count == 1
    journal.undo()


def test_what_the_peer_changed_is_asked_about_before_anything_is_undone(
    memory: Memory, journal: Journal
) -> None:
    fill(journal, memory)
    memory.bytes[3] = 9  # the piece that would be undone last
    with pytest.raises(ConflictError) as caught:
        turn(journal, "undo")
    assert (caught.value.entry, caught.value.offset) == (1, 0)
    assert memory.bytes[4:] == b"\xff" * (SIZE - 4)
    assert journal.count == 1
    turn(journal, "undo", force=True)
    assert memory.bytes == bytes(range(SIZE))


def test_what_the_peer_changes_during_the_undo_stops_it_and_is_kept(
    memory: Memory, journal: Journal
) -> None:
    fill(journal, memory)

    def peer() -> None:
        memory.bytes[3] = 9

    with pytest.raises(ConflictError) as caught:
        turn(journal, "undo", at(SIZE // 2, peer))  # all is compared, nothing undone yet
    assert "112 B of 128 B are back as they were" in caught.value.message
    assert memory.bytes[:CHUNK] == b"\xff\xff\xff\t" + b"\xff" * (CHUNK - 4)
    assert memory.bytes[CHUNK:] == bytes(range(CHUNK, SIZE))
    memory.bytes[3] = 0xFF
    journal.undo()
    assert memory.bytes == bytes(range(SIZE))


def test_locking_in_the_middle_of_an_undo_tells_how_far_it_came(
    memory: Memory, journal: Journal
) -> None:
    fill(journal, memory)
    with pytest.raises(LockedError) as caught:
        turn(journal, "undo", at(SIZE // 2 + SIZE // 4, lambda: journal.set_locked(True)))
    assert "64 B of 128 B" in caught.value.message
    journal.set_locked(False)
    journal.undo()
    assert memory.bytes == bytes(range(SIZE))


def test_typed_where_the_undo_has_been_stays(memory: Memory, journal: Journal) -> None:
    before = bytes(memory.bytes)
    fill(journal, memory)
    typed = at(SIZE // 2 + SIZE // 4, lambda: journal.write(100, b"typed", seen=before[100:105]))
    turn(journal, "undo", typed)
    assert memory.bytes == before[:100] + b"typed" + before[105:]
    with pytest.raises(NothingToUndoError):
        journal.redo()  # a new write ends it, as always
    journal.undo()
    assert memory.bytes == before
    with pytest.raises(NothingToUndoError):
        journal.undo()
    journal.redo()
    assert memory.bytes[100:105] == b"typed"


def test_typed_where_the_undo_has_yet_to_go_is_refused(memory: Memory, journal: Journal) -> None:
    before = bytes(memory.bytes)
    fill(journal, memory)

    def typed() -> None:
        with pytest.raises(BusyError) as caught:
            journal.write(3, b"typed")
        assert "undo fill" in caught.value.message

    turn(journal, "undo", at(SIZE // 2 + SIZE // 4, typed))
    assert memory.bytes == before
    assert journal.count == 2


def test_typed_over_a_running_redo_splits_it(memory: Memory, journal: Journal) -> None:
    before = bytes(memory.bytes)
    fill(journal, memory)
    journal.undo()
    turn(journal, "redo", at(SIZE // 2 + SIZE // 4, lambda: journal.write(3, b"typed")))
    after = bytes(memory.bytes)
    assert after == b"\xff" * 3 + b"typed" + b"\xff" * (SIZE - 8)
    undo_all(journal)
    assert memory.bytes == before
    redo_all(journal)
    assert memory.bytes == after


def test_a_redo_that_is_stopped_after_something_was_typed_cannot_go_on(
    memory: Memory, journal: Journal
) -> None:
    before = bytes(memory.bytes)
    fill(journal, memory)
    journal.undo()
    quarter = SIZE // 2 + SIZE // 8
    with pytest.raises(CancelledError):
        turn(
            journal,
            "redo",
            at(quarter, lambda: journal.write(0, b"typed")),
            stop_at=quarter + CHUNK,
        )
    with pytest.raises(NothingToUndoError):
        journal.redo()
    undo_all(journal)
    assert memory.bytes == before
    journal.write(0, b"x")
    used = journal._store.used
    journal.undo()
    journal.write(0, b"y")
    assert journal._store.used == used, "what could not be redone is not kept"


def test_the_last_step_is_named_so_that_no_other_is_undone(
    memory: Memory, journal: Journal
) -> None:
    first = journal.write(0, b"first")
    journal.write(20, b"second")
    with pytest.raises(NothingToUndoError, match="since"):
        journal.begin_undo(force=True, number=first.number)
    journal.undo()
    journal.begin_undo(number=first.number).run()
    assert memory.bytes == bytes(range(SIZE))


def test_an_undo_whose_step_has_gone_meanwhile(memory: Memory, journal: Journal) -> None:
    journal.write(0, b"first")
    undo = journal.begin_undo()
    journal.undo()
    with pytest.raises(NothingToUndoError):
        undo.run()
    redo = journal.begin_redo()
    journal.write(9, b"x")
    with pytest.raises(NothingToUndoError):
        redo.run()


# -- the lock -----------------------------------------------------------------------------------------


def test_a_loop_gives_way_to_who_waits() -> None:
    lock = FifoLock()
    order: list[str] = []
    started, waiting = threading.Event(), threading.Event()

    def quick() -> None:
        started.wait(20)
        waiting.set()
        with lock:
            order.append("quick")

    thread = threading.Thread(target=quick)
    thread.start()
    with lock:
        started.set()
        waiting.wait(20)
        while not lock._waiting:
            pass
    for _ in range(3):
        with lock:
            order.append("loop")
    thread.join()
    assert order == ["quick", "loop", "loop", "loop"]


def test_the_lock_excludes() -> None:
    lock, count = FifoLock(), [0]

    def add() -> None:
        for _ in range(2000):
            with lock:
                before = count[0]
                count[0] = before + 1

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count == [8000]


# -- against a model ------------------------------------------------------------------------------------

_PLACES = st.integers(0, SIZE - 12)
_DATA = st.binary(min_size=1, max_size=12)
_INSIDE = st.one_of(
    st.tuples(st.just("write"), _PLACES, _DATA),
    st.tuples(st.just("undo")),
    st.tuples(st.just("redo")),
)
# After which chunk of the large write something happens, and what.
_BETWEEN = st.dictionaries(st.integers(1, 16), st.lists(_INSIDE, min_size=1, max_size=4))
_ACTIONS = st.one_of(
    _INSIDE,
    st.tuples(st.just("fill"), _BETWEEN, st.integers(1, 9)),
    st.tuples(st.just("large undo"), _BETWEEN, st.integers(1, 17)),
    st.tuples(st.just("large redo"), _BETWEEN, st.integers(1, 17)),
)


class Interleaved:
    """A journal without a peer: nothing that it wrote itself may ever be taken for a conflict,
    and taking everything back gives the first bytes, doing all again the last."""

    def __init__(self) -> None:
        self.memory = Memory(SIZE)
        self.memory.bytes[:] = bytes(range(SIZE))
        self.journal = unlocked(self.memory)
        self.fills = 0

    def step(self, action: tuple[Any, ...]) -> None:
        name, *values = action
        try:
            if name == "write":
                self._write(*values)
            elif name == "undo":
                self.journal.undo()
            elif name == "redo":
                self.journal.redo()
            else:
                self._large(name, *values)
        except (BusyError, NothingToUndoError, CancelledError):
            pass  # said, and nothing is lost: undo_all below finds every byte

    def _write(self, offset: int, data: bytes) -> None:
        seen = bytes(self.memory.bytes[offset : offset + len(data)])
        before = bytes(self.memory.bytes)
        try:
            self.journal.write(offset, data, seen=seen)
        except BusyError:
            assert self.memory.bytes == before
            raise
        assert self.memory.bytes[offset : offset + len(data)] == data

    def _large(self, name: str, between: dict[int, Any], stop_after: int) -> None:
        steps = [0]

        def progress(_done: int, _total: int) -> None:
            steps[0] += 1
            for action in between.get(steps[0], ()):
                self.step(action)

        more: dict[str, Any] = {"progress": progress, "cancelled": lambda: steps[0] >= stop_after}
        if name == "fill":
            self.fills += 1
            pattern = IncrementPattern(37 * self.fills, 1, 2)
            bulk_writes.fill(self.journal, self.memory, 3, SIZE - 5, pattern, **more)
        elif name == "large undo":
            self.journal.begin_undo().run(**more)
        else:
            self.journal.begin_redo().run(**more)

    def check(self) -> None:
        numbers = [record.number for record in self.journal.records()]
        assert numbers == list(range(1, self.journal.count + 1))
        assert not self.journal._under_way
        redo_all(self.journal)
        newest = bytes(self.memory.bytes)
        undo_all(self.journal)
        assert self.memory.bytes == bytes(range(SIZE))
        redo_all(self.journal)
        assert self.memory.bytes == newest
        self.journal.write(0, b"end")
        undo_all(self.journal)
        assert self.memory.bytes == bytes(range(SIZE))
        pieces = [piece for step in self.journal._redo for piece in step.pieces]
        assert self.journal._store.used == sum(
            kept.length + 160 for piece in pieces for kept in (piece.old, piece.new)
        )


@settings(max_examples=300, deadline=None)
@given(st.lists(_ACTIONS, max_size=8))
def test_any_interleaving_can_be_taken_back(actions: list[tuple[Any, ...]]) -> None:
    original, bulk_writes.CHUNK = bulk_writes.CHUNK, CHUNK
    world = Interleaved()
    try:
        for action in actions:
            world.step(action)
        world.check()
    except ScopeError as error:
        raise AssertionError(f"unasked: {error}") from error
    finally:
        bulk_writes.CHUNK = original
        world.journal.close()
