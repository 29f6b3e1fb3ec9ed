"""The engine on real memory, in this process and in a child of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app.core.engine import messages as msg
from app.core.engine.process import EngineProcess
from app.core.errors import (
    CancelledError,
    CannotFindError,
    ConflictError,
    LockedError,
    OutOfRangeError,
)
from app.core.measure.bandwidth.mapping_speed import MappingSpeed
from app.core.watch.frame import Level
from app.core.write.patterns import BytePattern, RandomPattern
from app.core.write.record import WriteOutcome, WriteRecord
from tests.core.talk import InProcess, Talk

ShmFile = Callable[..., Path]


@pytest.fixture(params=[InProcess, EngineProcess])
def make(request: pytest.FixtureRequest) -> Iterator[Callable[[Path], Talk]]:
    talks: list[Talk] = []

    def start(path: Path) -> Talk:
        talks.append(Talk(request.param(), path))
        return talks[-1]

    yield start
    for talk in talks:
        talk.client.close()
        talk.client.close()


def test_it_opens_and_shows_the_bytes(make: Callable[[Path], Talk], shm_file: ShmFile) -> None:
    path = shm_file(65536, fill=b"scope")
    talk = make(path)
    frame = talk.frame()
    assert bytes(frame.data[:5]) == path.read_bytes()[:5]
    opened = next(a for a in talk.seen if isinstance(a, msg.Opened))
    assert opened.info.size == 65536
    talk.client.ask(msg.WatchRange(61440, 100_000))
    frame = talk.frame(lambda f: f.start == 61440)
    assert frame.end == 65536


def test_what_cannot_be_opened_is_told(make: Callable[[Path], Talk], tmp_path: Path) -> None:
    talk = make(tmp_path / "nothing")
    talk.until(lambda: any(isinstance(a, msg.OpenFailed) for a in talk.seen))
    failed = next(a for a in talk.seen if isinstance(a, msg.OpenFailed))
    assert isinstance(failed.error, CannotFindError)
    assert failed.error.hint


def test_a_write_needs_the_unlocking_lands_and_is_undone(
    make: Callable[[Path], Talk], shm_file: ShmFile
) -> None:
    path = shm_file(8192)
    talk = make(path)
    assert isinstance(talk.fail(msg.Write(16, b"abcd", seen=bytes(4))), LockedError)
    talk.client.ask(msg.SetLocked(False))
    record = talk.do(msg.Write(16, b"abcd", seen=bytes(4)))
    assert isinstance(record, WriteRecord)
    assert record.outcome is WriteOutcome.WHOLE
    assert path.read_bytes()[16:20] == b"abcd"
    frame = talk.frame(lambda f: bytes(f.data[16:20]) == b"abcd" and f.writes == 1)
    assert frame.sample.mine[16:20].all()
    assert not frame.locked
    talk.do(msg.Undo())
    assert path.read_bytes()[16:20] == bytes(4)
    talk.do(msg.Redo())
    assert path.read_bytes()[16:20] == b"abcd"
    written = talk.do(msg.ListWrites())
    assert isinstance(written, tuple)
    assert len(written) == 3


def test_a_newer_peer_value_is_never_clobbered(
    make: Callable[[Path], Talk], shm_file: ShmFile
) -> None:
    path = shm_file(4096)
    talk = make(path)
    talk.client.ask(msg.SetLocked(False))
    talk.do(msg.Write(0, b"mine", seen=bytes(4)))
    with path.open("r+b") as peer:
        peer.write(b"peer")
    error = talk.fail(msg.Write(0, b"late", seen=b"mine"))
    assert isinstance(error, ConflictError)
    assert (error.seen, error.now, error.mine) == (b"mine", b"peer", b"late")
    assert isinstance(talk.fail(msg.Undo()), ConflictError)
    assert path.read_bytes()[:4] == b"peer"
    talk.do(msg.Write(0, b"late", seen=b"mine", force=True))
    assert path.read_bytes()[:4] == b"late"


def test_fill_save_load_copy_with_progress(
    make: Callable[[Path], Talk], shm_file: ShmFile, tmp_path: Path
) -> None:
    path = shm_file(1 << 20)
    talk = make(path)
    talk.client.ask(msg.SetLocked(False))
    talk.do(msg.Fill(4096, 300_000, RandomPattern(7)))
    request = talk.client.ask(msg.SaveFile(str(tmp_path / "out"), 4096, 300_000))
    assert isinstance(talk.result(request), msg.Done)
    assert any(isinstance(a, msg.Progress) and a.request == request for a in talk.seen)
    assert (tmp_path / "out").read_bytes() == path.read_bytes()[4096 : 4096 + 300_000]
    talk.do(msg.LoadFile(str(tmp_path / "out"), 500_000))
    talk.do(msg.CopyRange(500_000, 400_000, 300_000))
    assert path.read_bytes()[400_000:700_000] == (tmp_path / "out").read_bytes()
    for _ in range(3):
        talk.do(msg.Undo())
    assert not any(path.read_bytes())
    assert isinstance(talk.fail(msg.Fill(1 << 20, 1, BytePattern(1))), OutOfRangeError)


def test_a_long_command_can_be_cancelled(make: Callable[[Path], Talk], shm_file: ShmFile) -> None:
    talk = make(shm_file(64 << 20))
    talk.client.ask(msg.SetLocked(False))
    first = talk.client.ask(msg.Fill(0, 64 << 20, RandomPattern(1)))
    second = talk.client.ask(msg.Fill(0, 64 << 20, RandomPattern(2)))
    talk.client.ask(msg.Cancel(second))
    talk.client.ask(msg.Cancel(first))
    answer = talk.result(second)
    assert isinstance(answer, msg.Failed)
    assert isinstance(answer.error, CancelledError)


def test_pause_freezes_and_step_looks_once(make: Callable[[Path], Talk], shm_file: ShmFile) -> None:
    path = shm_file(4096)
    talk = make(path)
    talk.frame()
    talk.client.ask(msg.SetPaused(True))
    talk.frame(lambda f: f.paused)
    path.write_bytes(b"\x55" * 4096)
    talk.client.ask(msg.Step())
    frame = talk.frame(lambda f: f.data[0] == 0x55)
    assert frame.paused


def test_the_next_change_is_found(make: Callable[[Path], Talk], shm_file: ShmFile) -> None:
    path = shm_file(256 << 10, fill=b"\1")
    talk = make(path)
    talk.frame(lambda f: f.activity.sweep_ns > 0)
    with path.open("r+b", buffering=0) as peer:
        for value in range(2, 200):
            peer.seek(200_000)
            peer.write(bytes([value]))
            found = talk.do(msg.FindChange(0))
            if found is not None:
                break
    assert found is not None
    assert found // 4096 == 200_000 // 4096


def test_a_truncated_file_is_said_and_the_last_look_stays(
    make: Callable[[Path], Talk], shm_file: ShmFile
) -> None:
    path = shm_file(65536, fill=b"x")
    talk = make(path)
    before = talk.frame()
    os.truncate(path, 4096)
    frame = talk.frame(lambda f: f.health.level is Level.FAULT)
    assert frame.health.code == "truncated"
    np.testing.assert_array_equal(frame.data[:16], before.data[:16])
    assert path.stat().st_size == 4096


def test_a_grown_file_is_a_warning_and_its_old_part_stays_live(
    make: Callable[[Path], Talk], shm_file: ShmFile
) -> None:
    path = shm_file(65536, fill=b"old")
    talk = make(path)
    assert talk.frame().health.level is Level.GOOD
    os.truncate(path, 131072)
    frame = talk.frame(lambda f: f.health.level is Level.WARNING)
    assert "grew to 128 KiB" in frame.health.text
    assert "Try again" in frame.health.hint
    assert bytes(frame.data[:3]) == b"old"
    os.truncate(path, 65536)
    talk.frame(lambda f: f.health.level is Level.GOOD)


def test_a_killed_child_is_noticed_and_keeps_its_last_frame(shm_file: ShmFile) -> None:
    client = EngineProcess()
    talk = Talk(client, shm_file(4096, fill=b"last"))
    try:
        talk.frame()
        assert client.trouble() is None
        assert client.pid is not None
        os.kill(client.pid, signal.SIGKILL)
        talk.until(lambda: client.trouble() is not None, "the notice")
        assert "SIGKILL" in str(client.trouble())
        talk.pump()
    finally:
        client.close()


def test_a_stopped_child_is_noticed_and_forgiven(shm_file: ShmFile) -> None:
    client = EngineProcess()
    talk = Talk(client, shm_file(4096))
    try:
        talk.frame()
        assert client.pid is not None
        os.kill(client.pid, signal.SIGSTOP)
        talk.until(lambda: client.trouble() is not None, "the notice")
        os.kill(client.pid, signal.SIGCONT)
        talk.until(lambda: client.trouble() is None, "the recovery")
    finally:
        client.close()


def test_a_child_that_does_not_end_is_ended(shm_file: ShmFile) -> None:
    client = EngineProcess()
    talk = Talk(client, shm_file(4096))
    talk.frame()
    pid = client.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    client.close(timeout_s=0.3)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_mapping_is_measured_and_writing_only_where_it_is_unlocked(
    make: Callable[[Path], Talk], shm_file: ShmFile
) -> None:
    path = shm_file(1 << 20, fill=b"kept")
    talk = make(path)
    read_only = talk.do(msg.MeasureSpeed())
    assert isinstance(read_only, MappingSpeed)
    assert read_only.read_bytes_per_s > 0
    assert not read_only.write_bytes
    assert isinstance(talk.fail(msg.MeasureSpeed(4096, 4096)), LockedError)
    talk.client.ask(msg.SetLocked(False))
    both = talk.do(msg.MeasureSpeed(4096, 4096))
    assert isinstance(both, MappingSpeed)
    assert both.write_bytes_per_s > 0
    assert path.read_bytes() == b"kept" * (1 << 18)


def test_ranges_are_read_together_and_cut_at_the_end(
    make: Callable[[Path], Talk], shm_file: ShmFile
) -> None:
    talk = make(shm_file(8192, fill=bytes(range(256))))
    read = talk.do(msg.ReadRanges(((1, 2), (8190, 8), (8192, 4), (1 << 60, 4), (-4, 8), (5, 0))))
    assert read == (b"\1\2", b"\xfe\xff", b"", b"", b"", b"")
    error = talk.fail(msg.ReadRanges(((0, msg.MAX_INLINE), (0, 1))))
    assert isinstance(error, OutOfRangeError)
