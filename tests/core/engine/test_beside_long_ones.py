"""The real engine in a child: what is quick is answered while something long is held up.

A save is held up by a pipe that nobody reads, a fill by the pipe that it goes into: no test here
waits for a time.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.engine import messages as msg
from app.core.engine.engine import Engine
from app.core.engine.process import EngineProcess
from app.core.errors import (
    BusyError,
    CancelledError,
    ConflictError,
    EngineGoneError,
    LockedError,
    NothingToUndoError,
)
from app.core.region.region import RegionKind, RegionSpec
from app.core.write import bulk_writes
from app.core.write.patterns import BytePattern, RandomPattern
from app.core.write.record import Seen, WriteOutcome
from tests.core.engine.gates import Gates
from tests.core.talk import Talk

ShmFile = Callable[..., Path]
SIZE = 8 << 20


@pytest.fixture
def talk(shm_file: ShmFile) -> Iterator[Talk]:
    made = Talk(EngineProcess(), shm_file(SIZE, fill=b"scope"))
    made.client.ask(msg.SetLocked(False))
    yield made
    made.client.close()


def path_of(talk: Talk) -> Path:
    opened = next(a for a in talk.seen if isinstance(a, msg.Opened))
    return Path(opened.info.spec.location)


@contextlib.contextmanager
def held_up_save(talk: Talk, pipe: Path, length: int = SIZE) -> Iterator[int]:
    """A save that has begun and cannot go on: its pipe is full. The rest is read at the end."""
    os.mkfifo(pipe)
    request = talk.client.ask(msg.SaveFile(str(pipe), 0, length))
    with pipe.open("rb", buffering=0) as reader:  # returns when the save has opened its end
        try:
            yield request
        finally:
            while reader.read(1 << 20):
                pass


def test_reading_typing_undo_and_f6_do_not_wait_for_a_save(talk: Talk, tmp_path: Path) -> None:
    with held_up_save(talk, tmp_path / "pipe") as save:
        assert talk.do(msg.Read(0, 16)) == b"scopescopescopes"
        record = talk.do(msg.Write(0, b"typed", seen=b"scope"))
        assert record.outcome is WriteOutcome.WHOLE
        assert talk.do(msg.Read(0, 5)) == b"typed"
        talk.do(msg.FindChange(0))
        talk.do(msg.Undo())
        assert talk.do(msg.Read(0, 5)) == b"scope"
        talk.do(msg.Redo())
        filled = talk.do(msg.Fill(4096, SIZE - 4096, BytePattern(7)))
        assert filled.length == SIZE - 4096
        talk.do(msg.Undo())
        assert talk.do(msg.MeasureSpeed()).read_bytes > 0
        assert not [
            a for a in talk.seen if isinstance(a, msg.Done | msg.Failed) and a.request == save
        ]
    done = talk.result(save)
    assert isinstance(done, msg.Done)
    assert done.value == SIZE


def test_a_save_is_cancelled_at_once_whatever_holds_it_up(talk: Talk, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "nobody reads")
    unread = talk.client.ask(msg.SaveFile(str(tmp_path / "nobody reads"), 0, SIZE))
    behind = talk.client.ask(msg.SaveFile(str(tmp_path / "file"), 0, SIZE))
    talk.do(msg.Read(0, 1))
    talk.client.ask(msg.Cancel(behind))
    failed = talk.result(behind)
    assert isinstance(failed, msg.Failed)
    assert isinstance(failed.error, CancelledError)
    talk.client.ask(msg.Cancel(unread))
    failed = talk.result(unread)
    assert isinstance(failed, msg.Failed)
    assert isinstance(failed.error, CancelledError)
    assert not (tmp_path / "file").exists()
    with held_up_save(talk, tmp_path / "full") as save:
        talk.client.ask(msg.Cancel(save))
        failed = talk.result(save)
        assert isinstance(failed, msg.Failed)
        assert isinstance(failed.error, CancelledError)
    assert talk.do(msg.SaveFile(str(tmp_path / "file"), 0, 16)) == 16


def test_an_engine_with_a_save_that_hangs_closes_in_order(
    shm_file: ShmFile, tmp_path: Path
) -> None:
    talk = Talk(EngineProcess(), shm_file(SIZE))
    pid = talk.client.pid
    os.mkfifo(tmp_path / "pipe")
    save = talk.client.ask(msg.SaveFile(str(tmp_path / "pipe"), 0, SIZE))
    talk.do(msg.Read(0, 1))
    talk.client.close(20)
    assert not Path(f"/proc/{pid}").exists()
    answer = talk.result(save)
    assert isinstance(answer, msg.Failed)


def test_a_killed_engine_answers_everything(talk: Talk, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    asked = [
        talk.client.ask(msg.SaveFile(str(tmp_path / "pipe"), 0, SIZE)),
        talk.client.ask(msg.SaveFile(str(tmp_path / "file"), 0, SIZE)),
    ]
    talk.do(msg.Read(0, 1))
    os.kill(talk.client.pid, signal.SIGSTOP)
    asked += [talk.client.ask(msg.Undo()), talk.client.ask(msg.Read(0, 1))]
    talk.client.ask(msg.SetRate(30))
    os.kill(talk.client.pid, signal.SIGKILL)
    for request in asked:
        failed = talk.result(request)
        assert isinstance(failed, msg.Failed)
        assert isinstance(failed.error, EngineGoneError)


def test_a_fill_is_compared_with_what_was_seen(talk: Talk) -> None:
    talk.do(msg.Read(0, 1))
    command = msg.Fill(0, SIZE, BytePattern(0), seen=Seen(5, b"scoop"))
    error = talk.fail(command)
    assert isinstance(error, ConflictError)
    assert (error.offset, error.now, error.mine) == (5, b"scope", bytes(5))
    assert path_of(talk).read_bytes()[:10] == b"scopescope"
    forced = msg.Fill(0, SIZE, BytePattern(0), seen=command.seen, force=True)
    talk.do(forced)
    assert not any(path_of(talk).read_bytes())


def test_a_large_undo_shows_progress_and_comes_out_bit_for_bit(talk: Talk) -> None:
    talk.do(msg.Read(0, 1))
    path = path_of(talk)
    before = path.read_bytes()
    talk.do(msg.Fill(3, SIZE - 5, RandomPattern(1)))
    after = path.read_bytes()
    request = talk.client.ask(msg.Undo())
    assert isinstance(talk.result(request), msg.Done)
    steps = [a for a in talk.seen if isinstance(a, msg.Progress) and a.request == request]
    assert len(steps) == 16, "eight pieces, compared and put back"
    assert steps[-1].done == steps[-1].total == SIZE - 5
    assert path.read_bytes() == before
    talk.do(msg.Redo())
    assert path.read_bytes() == after


# -- with a gate between two chunks --------------------------------------------------------------


@pytest.fixture
def gates(shm_file: ShmFile, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gates]:
    """An engine in this process, whose chunks are 4 KiB and whose progress waits at a gate."""
    monkeypatch.setattr(bulk_writes, "CHUNK", 4096)
    path = shm_file(65536, fill=b"scope")
    with Gates.engine(lambda report: Engine(_spec(path), report), path) as made:
        made.do(msg.SetLocked(False), answered=False)
        yield made


def _spec(path: Path) -> RegionSpec:
    return RegionSpec(RegionKind.FILE, str(path))


def test_quick_ones_land_between_two_chunks_of_a_fill(gates: Gates) -> None:
    before = gates.bytes
    fill = gates.ask(msg.Fill(0, 65536, BytePattern(7)))
    gates.until_held(fill, 2 * 4096)
    assert gates.do(msg.Read(0, 16)) == b"\7" * 16
    gates.do(msg.Write(16, b"typed", seen=b"\7" * 5))
    gates.do(msg.Write(60000, b"typed", seen=before[60000:60005]))
    gates.do(msg.FindChange(0))
    gates.do(msg.Undo())
    gates.do(msg.Redo())
    assert [r.number for r in gates.do(msg.ListWrites())] == [1, 2, 3, 4, 5]
    gates.open()
    assert gates.value(fill).length == 65536
    assert gates.bytes[16:21] == b"typed"
    assert gates.bytes[60000:60005] == b"\7" * 5, "the fill came over it later"
    for _ in range(4):
        gates.do(msg.Undo())
    assert gates.bytes == before
    assert isinstance(gates.fail(msg.Undo()), NothingToUndoError)


def test_what_is_being_written_is_not_undone_and_nothing_before_it(gates: Gates) -> None:
    gates.do(msg.Write(0, b"first", seen=b"scope"))
    fill = gates.ask(msg.Fill(0, 65536, BytePattern(7)))
    gates.until_held(fill, 4096)
    queued = gates.ask(msg.Fill(0, 65536, BytePattern(8)))
    error = gates.fail(msg.Undo())
    assert isinstance(error, BusyError)
    assert "fill, byte 0x07" in error.message
    assert "stop it" in error.hint
    gates.ask(msg.Cancel(queued))
    gates.ask(msg.Cancel(fill))
    gates.open()
    assert isinstance(gates.error(queued), CancelledError)
    assert isinstance(gates.error(fill), CancelledError)
    gates.do(msg.Undo())  # now it is the last write, and is taken back
    assert gates.bytes[:5] == b"first"
    gates.do(msg.Undo())
    assert gates.bytes[:5] == b"scope"


def test_an_undo_asked_right_behind_a_fill_never_takes_what_was_before(gates: Gates) -> None:
    """Also when the fill has not begun: it was asked first."""
    gates.do(msg.Write(0, b"first", seen=b"scope"))
    held = gates.ask(msg.Fill(4096, 8192, BytePattern(6)))
    gates.until_held(held, 4096)
    fill = gates.ask(msg.Fill(0, 4096, BytePattern(7)))
    undo = gates.ask(msg.Undo())
    assert isinstance(gates.error(undo), BusyError)
    gates.open()
    gates.value(fill)
    assert gates.bytes[:4096] == b"\7" * 4096


def test_a_large_undo_gives_way_and_is_cancelled_half_way(gates: Gates) -> None:
    before = gates.bytes
    gates.open()
    gates.do(msg.Fill(0, 65536, BytePattern(7)))
    gates.hold()
    undo = gates.ask(msg.Undo())
    gates.until_held(undo, 65536 // 2 + 8192)
    assert gates.do(msg.Read(0, 4)) == b"\7" * 4
    typed = before[65500:65505]
    gates.do(msg.Write(65500, b"typed", seen=typed))
    assert isinstance(gates.fail(msg.Write(0, b"x", seen=b"\7")), BusyError)
    gates.do(msg.Undo())  # of what was typed since
    assert isinstance(gates.fail(msg.Undo()), BusyError)
    gates.ask(msg.Cancel(undo))
    gates.open()
    error = gates.error(undo)
    assert isinstance(error, CancelledError)
    assert "of 64 KiB are back as they were" in error.message
    assert gates.bytes != before
    first = gates.do(msg.ListWrites())[0]
    assert first.outcome is WriteOutcome.UNDONE_IN_PART
    gates.do(msg.Undo())
    assert gates.bytes == before
    assert gates.do(msg.ListWrites())[0].outcome is WriteOutcome.UNDONE


def test_locking_in_the_middle_is_told_and_undoable(gates: Gates) -> None:
    before = gates.bytes
    fill = gates.ask(msg.Fill(0, 65536, BytePattern(7)))
    gates.until_held(fill, 8192)
    gates.do(msg.SetLocked(True), answered=False)
    gates.open()
    error = gates.error(fill)
    assert isinstance(error, LockedError)
    assert "after" in error.message
    assert "KiB had been written" in error.message
    assert isinstance(gates.fail(msg.Undo()), LockedError)
    gates.do(msg.SetLocked(False), answered=False)
    gates.do(msg.Undo())
    assert gates.bytes == before
