"""Journals of processes that were killed in the middle of a write, continued by this one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from app.core.backends.open_region import open_region
from app.core.errors import ConflictError, NothingToUndoError
from app.core.region.region import Region, RegionKind, RegionSpec
from app.core.write import journal, journal_file
from app.core.write.journal import Journal
from app.core.write.journal_file import new_journal, remove_journal, remove_stale
from app.core.write.patterns import Repeat
from app.core.write.record import WriteOutcome
from app.core.write.test_signals import Repeaters

ShmFile = Callable[..., Path]
CHUNK = 4096
SIZE = 16 * CHUNK
NEW = b"\xa5" * CHUNK


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "journals" / f"{os.getpid()}-00.journal"


def opened(path: Path) -> Region:
    return open_region(RegionSpec(RegionKind.FILE, str(path)))


def continued(region: Region, kept: Path) -> Journal:
    made = Journal(region, path=kept)
    made.set_locked(False)
    return made


class Killer:
    """Ends its process at the n-th write, half of whose bytes are written by then."""

    def __init__(self, path: Path, at: int, wanted: bytes) -> None:
        self._path, self._left, self._wanted = path, at, wanted

    def __call__(self, offset: int, length: int) -> None:
        self._left -= 1
        if self._left == 0:
            with self._path.open("r+b") as file:
                file.seek(offset)
                file.write(self._wanted[offset : offset + length // 2])
            os.kill(os.getpid(), signal.SIGKILL)


def fill_and_die(path: Path, kept: Path) -> None:
    journal = Journal(opened(path), path=kept, on_write=Killer(path, 5, NEW * 16))
    journal.set_locked(False)
    journal.write(3, b"typed before")
    with journal.bulk("fill") as bulk:
        for at in range(0, SIZE, CHUNK):
            bulk.write(at, NEW)


def undo_and_die(path: Path, kept: Path) -> None:
    before = path.read_bytes()
    journal = Journal(opened(path), path=kept)
    journal.set_locked(False)
    with journal.bulk("fill") as bulk:
        for at in range(0, SIZE, CHUNK):
            bulk.write(at, NEW)
    journal._on_write = Killer(path, 5, before)
    journal.undo()


def die_before_it_lands(path: Path, kept: Path) -> None:
    journal = Journal(opened(path), path=kept, on_write=Killer(path, 1, b""))
    journal.set_locked(False)
    journal.write(0, b"typed")


def signal_and_die(path: Path, kept: Path) -> None:
    region = opened(path)
    journal = Journal(region, path=kept, on_write=Killer(path, 20, b""))
    journal.set_locked(False)
    signals = Repeaters(journal, region)
    signals.start(Repeat(64, "u32", high=1e9, interval_ns=1_000_000))
    time.sleep(60)


def killed(target: Callable[[Path, Path], None], path: Path, kept: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=target, args=(path, kept))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def test_a_fill_that_died_half_way_is_told_and_undone(shm_file: ShmFile, kept: Path) -> None:
    path = shm_file(SIZE, fill=b"before")
    before = path.read_bytes()
    killed(fill_and_die, path, kept)
    half = path.read_bytes()
    assert half[3 * CHUNK :][:CHUNK] == NEW[: CHUNK // 2] + before[3 * CHUNK :][CHUNK // 2 : CHUNK]
    with opened(path) as region:
        journal = continued(region, kept)
        typed, fill = journal.records()
        assert (typed.label, typed.outcome) == ("typed", WriteOutcome.WHOLE)
        assert (fill.label, fill.outcome) == ("fill", WriteOutcome.INTERRUPTED)
        assert (fill.offset, fill.length, fill.old[:4]) == (0, 4 * CHUNK, b"beft")
        journal.undo()
        assert path.read_bytes()[3:15] == b"typed before"
        journal.undo()
        assert path.read_bytes() == before
        journal.redo()
        journal.redo()
        assert path.read_bytes()[: 4 * CHUNK] == NEW * 4
        journal.close()


def test_what_a_peer_wrote_into_a_half_written_chunk_stays(shm_file: ShmFile, kept: Path) -> None:
    path = shm_file(SIZE, fill=b"before")
    killed(fill_and_die, path, kept)
    with path.open("r+b") as file:
        file.seek(3 * CHUNK + 7)
        file.write(b"PEER")
    there = path.read_bytes()
    with opened(path) as region:
        journal = continued(region, kept)
        with pytest.raises(ConflictError):
            journal.undo()
        assert path.read_bytes() == there
        journal.close()


def test_an_undo_that_died_half_way_goes_on(shm_file: ShmFile, kept: Path) -> None:
    path = shm_file(SIZE, fill=b"before")
    before = path.read_bytes()
    killed(undo_and_die, path, kept)
    with opened(path) as region:
        journal = continued(region, kept)
        (fill,) = journal.records()
        assert fill.outcome is WriteOutcome.UNDONE_IN_PART
        journal.undo()
        assert path.read_bytes() == before
        journal.redo()
        assert path.read_bytes() == NEW * 16
        journal.close()


def test_a_write_that_never_landed_is_no_entry(shm_file: ShmFile, kept: Path) -> None:
    path = shm_file(SIZE)
    killed(die_before_it_lands, path, kept)
    with opened(path) as region:
        journal = continued(region, kept)
        assert journal.records() == []
        with pytest.raises(NothingToUndoError):
            journal.undo()
        journal.close()


def test_a_test_signal_that_died_is_told_and_undone(shm_file: ShmFile, kept: Path) -> None:
    path = shm_file(SIZE, fill=b"before")
    before = path.read_bytes()
    killed(signal_and_die, path, kept)
    assert path.read_bytes() != before
    with opened(path) as region:
        journal = continued(region, kept)
        (entry,) = journal.records()
        assert entry.outcome is WriteOutcome.INTERRUPTED
        assert entry.label.startswith("signal, ")
        journal.undo()
        assert path.read_bytes() == before
        journal.close()


def test_a_line_that_was_torn_ends_what_is_read(shm_file: ShmFile, kept: Path) -> None:
    path = shm_file(SIZE)
    with opened(path) as region:
        first = continued(region, kept)
        first.write(0, b"one")
        first.write(8, b"two")
        first.close()
        kept.write_bytes(kept.read_bytes()[:-30])  # within the second write's step
        second = continued(region, kept)
        assert [one.new for one in second.records()] == [b"one", b"two", b"two"]
        assert second.records()[-1].outcome is WriteOutcome.INTERRUPTED
        second.undo()
        second.undo()
        assert not any(path.read_bytes())
        second.close()


@pytest.mark.parametrize("line", [b'["s"]', b'["r",{}]', b'["m",1,"no"]', b"\xff", b"7", b"[" * 9])
def test_a_line_that_is_spoiled_does_no_harm(shm_file: ShmFile, kept: Path, line: bytes) -> None:
    path = shm_file(SIZE)
    with opened(path) as region:
        first = continued(region, kept)
        first.write(0, b"one")
        first.close()
        with kept.open("ab") as file:
            file.write(line + b"\n")
        second = continued(region, kept)
        assert [one.new for one in second.records()] == [b"one"]
        second.undo()
        assert not any(path.read_bytes())
        second.close()


def test_space_of_dropped_bytes_is_used_again_by_the_next_engine(
    shm_file: ShmFile, kept: Path
) -> None:
    with opened(shm_file(SIZE)) as region:
        for _ in range(5):
            journal = continued(region, kept)
            journal.write(0, b"xy" * 500)
            journal.undo()
            journal.close()
        assert kept.with_suffix(".undo").stat().st_size <= 2 * 1000


def test_bytes_that_are_all_the_same_take_no_room(shm_file: ShmFile, kept: Path) -> None:
    path = shm_file(SIZE)
    with opened(path) as region:
        first = continued(region, kept)
        with first.bulk("fill") as bulk:
            for at in range(0, SIZE, CHUNK):
                bulk.write(at, NEW)
        first.close()
        assert not kept.with_suffix(".undo").exists()
        second = continued(region, kept)
        second.undo()
        assert not any(path.read_bytes())
        second.redo()
        assert path.read_bytes() == NEW * 16
        second.close()


def test_a_long_journal_is_written_anew(
    shm_file: ShmFile, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_file, "_LARGE", 20_000)
    monkeypatch.setattr(journal, "MAX_STEPS", 20)
    with opened(shm_file(SIZE)) as region:
        first = continued(region, kept)
        for number in range(300):
            first.write(number * 8, b"12345678")
            first.undo()
            first.redo()
        records = first.records()
        first.close()
        assert kept.stat().st_size < 4 * 300_000
        second = continued(region, kept)
        assert second.records() == records
        for _ in range(20):
            second.undo()
        with pytest.raises(NothingToUndoError):
            second.undo()
        second.close()


def test_the_files_of_a_window_that_is_gone_are_removed(shm_file: ShmFile, tmp_path: Path) -> None:
    gone = psutil.Popen(["true"])
    gone.wait()
    folder = tmp_path / "journals"
    ours = folder / f"{os.getpid()}-11.journal"
    stale = folder / f"{gone.pid}-22.journal"
    with opened(shm_file(SIZE)) as region:
        for path in (ours, stale):
            journal = continued(region, path)
            journal.write(0, path.name[-10:].encode())
            journal.close()
    remove_stale(folder)
    assert sorted(one.name for one in folder.iterdir()) == [
        ours.name,
        ours.with_suffix(".undo").name,
    ]
    remove_journal(ours)
    assert list(folder.iterdir()) == []
    assert new_journal() != new_journal()
