"""The window's bridge to its engine, on real memory."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.core.engine import messages as msg
from app.core.engine.process import EngineProcess
from app.core.errors import EngineGoneError, LockedError, OutOfRangeError, ScopeError
from app.core.watch.frame import Frame, Level
from app.core.write.record import WriteOutcome, WriteRecord
from app.ui.session.notice import Notice
from app.ui.session.state_words import state_word
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile, poke, spec_of


def child_of(session: object) -> int:
    client = session._client
    assert isinstance(client, EngineProcess)
    assert client.pid is not None
    return client.pid


def test_it_opens_shows_frames_and_closes(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile
) -> None:
    path = shm_file(16384, fill=b"scope")
    session = sessions.make(spec_of(path))
    with qtbot.waitSignals([session.opened, session.frame_arrived], timeout=WAIT_MS):
        session.start()
    assert session.info is not None
    assert session.info.size == 16384
    assert session.health.level is Level.GOOD
    poke(path, 0x100, b"\xaa")
    with qtbot.waitSignal(
        session.frame_arrived,
        timeout=WAIT_MS,
        check_params_cb=lambda frame: frame.data[0x100] == 0xAA,
    ):
        pass
    ends: list[None] = []
    session.ended.connect(lambda: ends.append(None))
    session.close()
    session.close()
    assert session.join(5)
    qtbot.waitUntil(lambda: len(ends) == 1)


def test_the_span_follows_the_look(qtbot: QtBot, sessions: Sessions, shm_file: ShmFile) -> None:
    session = sessions.open(shm_file(65536))
    session.watch_range(0x8000, 512)
    qtbot.waitUntil(lambda: session.frame.start == 0x8000, timeout=WAIT_MS)
    assert session.frame.end == 0x8200


def test_what_cannot_be_opened_is_told_and_opened_by_retry(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile
) -> None:
    path = shm_file(4096)
    path.unlink()
    session = sessions.make(spec_of(path))
    session.start()
    qtbot.waitUntil(lambda: session.health.level is Level.FAULT, timeout=WAIT_MS)
    assert session.health.code == "cannot-find"
    assert session.health.hint
    path.write_bytes(bytes(4096))
    with qtbot.waitSignal(session.opened, timeout=WAIT_MS):
        session.retry()
        session.retry()  # a second press while it opens changes nothing
    qtbot.waitUntil(lambda: session.health.level is Level.GOOD, timeout=WAIT_MS)


def test_locked_at_first_and_again_after_a_retry(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile
) -> None:
    path = shm_file(8192)
    session = sessions.open(path)
    errors: list[ScopeError] = []
    session.ask(msg.Write(0, b"x"), on_error=errors.append)
    qtbot.waitUntil(lambda: bool(errors), timeout=WAIT_MS)
    assert isinstance(errors[0], LockedError)
    told: list[bool] = []
    session.lock_changed.connect(told.append)
    session.set_locked(False)
    done: list[WriteRecord] = []
    with qtbot.waitSignal(session.writes_changed, timeout=WAIT_MS):
        session.ask(msg.Write(0, b"x"), done.append)
    qtbot.waitUntil(lambda: bool(done), timeout=WAIT_MS)
    assert path.read_bytes()[:1] == b"x"
    assert done[0].outcome is WriteOutcome.WHOLE
    with qtbot.waitSignal(session.opened, timeout=WAIT_MS):
        session.retry()
    assert told == [False, True]
    assert session.locked


def test_an_error_without_a_taker_becomes_a_notice(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile
) -> None:
    session = sessions.open(shm_file(4096))
    with qtbot.waitSignal(session.notice, timeout=WAIT_MS) as caught:
        session.ask(msg.Read(4000, 1000))
    (notice,) = caught.args
    assert notice.level is Level.WARNING
    assert notice.key == OutOfRangeError.code


def test_a_read_only_region_says_why_it_stays_locked(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile
) -> None:
    session = sessions.open(shm_file(4096), read_only=True)
    notices: list[Notice] = []
    session.notice.connect(notices.append)
    session.set_locked(False)
    assert session.locked
    assert "read-only" in notices[0].text
    assert notices[0].hint


def test_pause_step_and_rate(qtbot: QtBot, sessions: Sessions, shm_file: ShmFile) -> None:
    path = shm_file(4096)
    session = sessions.open(path)
    session.set_rate(120)
    qtbot.waitUntil(lambda: session.frame.period_ns == 1_000_000_000 // 120, timeout=WAIT_MS)
    session.set_paused(True)
    qtbot.waitUntil(lambda: session.frame.paused, timeout=WAIT_MS)
    poke(path, 7, b"\x55")
    assert session.frame.data[7] == 0
    session.step()
    qtbot.waitUntil(lambda: session.frame.data[7] == 0x55, timeout=WAIT_MS)
    assert session.paused
    session.set_paused(False)
    qtbot.waitUntil(lambda: not session.frame.paused, timeout=WAIT_MS)


def test_progress_arrives_and_a_long_command_can_be_cancelled(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile
) -> None:
    from app.core.write.patterns import BytePattern

    session = sessions.open(shm_file(64 << 20))
    session.set_locked(False)
    errors: list[ScopeError] = []
    steps: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        steps.append((done, total))
        session.cancel(request)

    request = session.ask(
        msg.Fill(0, 64 << 20, BytePattern(1)), on_error=errors.append, on_progress=progress
    )
    qtbot.waitUntil(lambda: bool(errors), timeout=WAIT_MS)
    assert errors[0].code == "cancelled"
    assert steps[0][1] == 64 << 20


def test_a_killed_engine_is_told_within_a_second_and_comes_back(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile
) -> None:
    path = shm_file(8192, fill=b"scope")
    session = sessions.open(path)
    session.set_paused(True)
    qtbot.waitUntil(lambda: session.frame.paused, timeout=WAIT_MS)
    last = session.frame
    os.kill(child_of(session), signal.SIGKILL)
    start = time.monotonic()
    qtbot.waitUntil(lambda: session.lost, timeout=WAIT_MS)
    # The goal is a second; the bound only catches a wait of another order.
    assert time.monotonic() - start < 5
    assert session.health.level is Level.FAULT
    assert "SIGKILL" in session.health.text
    assert state_word(session.health) == "ended"
    assert bytes(session.frame.data) == bytes(last.data)
    refused: list[ScopeError] = []
    session.ask(msg.Read(0, 4), on_error=refused.append)
    assert isinstance(refused[0], EngineGoneError)
    with qtbot.waitSignal(session.opened, timeout=WAIT_MS):
        session.retry()
    qtbot.waitUntil(lambda: session.frame is not last and session.frame.paused, timeout=WAIT_MS)
    assert not session.lost


def test_what_waits_for_a_lost_engine_is_told(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile
) -> None:
    session = sessions.open(shm_file(8192))
    os.kill(child_of(session), signal.SIGSTOP)
    errors: list[ScopeError] = []
    session.ask(msg.Read(0, 4), on_error=errors.append)
    os.kill(child_of(session), signal.SIGKILL)
    qtbot.waitUntil(lambda: bool(errors), timeout=WAIT_MS)
    assert isinstance(errors[0], EngineGoneError)


def test_a_stopped_engine_is_told_and_forgiven(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile
) -> None:
    session = sessions.open(shm_file(8192))
    session.set_locked(False)
    notices: list[Notice] = []
    session.notice.connect(notices.append)
    os.kill(child_of(session), signal.SIGSTOP)
    try:
        qtbot.waitUntil(lambda: session.lost, timeout=WAIT_MS)
        assert "has stopped" in session.health.text
        assert state_word(session.health) == "stopped"
    finally:
        os.kill(child_of(session), signal.SIGCONT)
    qtbot.waitUntil(lambda: not session.lost, timeout=WAIT_MS)
    assert session.health.level is Level.GOOD
    assert session.locked
    assert [notice.text for notice in notices] == [
        "The engine answers again; writing was locked meanwhile."
    ]
    assert notices[0].actions == ("Unlock",)
    number = session.frame.number
    qtbot.waitUntil(lambda: session.frame.number > number, timeout=WAIT_MS)


def test_closing_a_stopped_engine_is_bounded(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile
) -> None:
    session = sessions.open(shm_file(8192))
    pid = child_of(session)
    os.kill(pid, signal.SIGSTOP)
    session.close()
    assert session.join(10)
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(
    ("harm", "code"), [("truncate", "truncated"), ("unlink", "deleted"), ("replace", "replaced")]
)
def test_a_file_that_is_not_what_it_was(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile, harm: str, code: str
) -> None:
    path = shm_file(65536)
    session = sessions.open(path)
    if harm == "truncate":
        os.truncate(path, 4096)
    elif harm == "unlink":
        path.unlink()
    else:
        shm_file(65536, name=f"{path.name}-new").replace(path)
    qtbot.waitUntil(lambda: session.health.level is not Level.GOOD, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: session.health.code == code, timeout=WAIT_MS)
    assert session.health.hint
    gone = state_word(session.health) == "gone"
    assert gone == (session.health.level is Level.FAULT)
    path.write_bytes(bytes(65536))
    frames: list[Frame] = []
    with qtbot.waitSignal(session.opened, timeout=WAIT_MS):
        session.retry()
    session.frame_arrived.connect(frames.append)
    qtbot.waitUntil(lambda: bool(frames) and session.health.level is Level.GOOD, timeout=WAIT_MS)
