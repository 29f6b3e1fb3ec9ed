"""The journal outlives its engine: killed, stopped, ended by Retry; and ends with its window."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.core.engine import messages as msg
from app.core.engine.process import EngineProcess
from app.core.errors import ScopeError
from app.core.write.record import WriteRecord
from app.ui.session.notice import Notice
from app.ui.session.session import Session
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile


def engine_of(session: Session) -> int:
    client = session._client
    assert isinstance(client, EngineProcess)
    assert client.pid is not None
    return client.pid


def entries(qtbot: QtBot, session: Session) -> list[WriteRecord]:
    found: list[tuple[WriteRecord, ...]] = []
    session.ask(msg.ListWrites(0), found.append)
    qtbot.waitUntil(lambda: bool(found), timeout=WAIT_MS)
    return list(found[0])


def do(qtbot: QtBot, session: Session, command: msg.Command[WriteRecord]) -> WriteRecord:
    done: list[WriteRecord] = []
    session.ask(command, done.append)
    qtbot.waitUntil(lambda: bool(done), timeout=WAIT_MS)
    return done[0]


def lose_and_retry(qtbot: QtBot, session: Session) -> None:
    os.kill(engine_of(session), signal.SIGKILL)
    qtbot.waitUntil(lambda: session.lost, timeout=WAIT_MS)
    with qtbot.waitSignal(session.opened, timeout=WAIT_MS):
        session.retry()


def test_twenty_three_writes_survive_and_can_be_undone(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile
) -> None:
    path = shm_file(65536, fill=b"before")
    before = path.read_bytes()
    session = sessions.open(path)
    session.set_locked(False)
    for number in range(23):
        do(qtbot, session, msg.Write(number * 3, bytes([number + 1])))
    written = entries(qtbot, session)
    assert len(written) == 23
    kept = session._journal
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.with_suffix(".undo").stat().st_mode) == 0o600
    notices: list[Notice] = []
    session.notice.connect(notices.append)
    lose_and_retry(qtbot, session)
    assert session.locked
    assert [one.text for one in notices] == ["The engine was started anew; writing is locked."]
    assert "Unlock" in notices[0].actions
    assert entries(qtbot, session) == written
    qtbot.waitUntil(lambda: session._writes == 23, timeout=WAIT_MS)  # the panel fetches them
    session.set_locked(False)
    undone = do(qtbot, session, msg.Undo())
    assert undone.undoes == 23
    assert path.read_bytes()[66:67] == before[66:67]
    lose_and_retry(qtbot, session)  # what was undone can still be redone, and all else undone
    session.set_locked(False)
    assert do(qtbot, session, msg.Redo()).undoes == 23
    assert path.read_bytes()[66] == 23
    for _ in range(23):
        do(qtbot, session, msg.Undo())
    assert path.read_bytes() == before


def test_what_a_peer_changed_meanwhile_is_not_undone_unasked(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile
) -> None:
    path = shm_file(65536)
    session = sessions.open(path)
    session.set_locked(False)
    do(qtbot, session, msg.Write(0x100, b"mine"))
    lose_and_retry(qtbot, session)
    with path.open("r+b") as file:
        file.seek(0x101)
        file.write(b"T")
    session.set_locked(False)
    errors: list[ScopeError] = []
    session.ask(msg.Undo(), on_error=errors.append)
    qtbot.waitUntil(lambda: bool(errors), timeout=WAIT_MS)
    assert errors[0].code == "conflict"
    assert path.read_bytes()[0x100:0x104] == b"mTne"


def test_a_file_that_was_replaced_keeps_the_entries_and_nothing_to_undo(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile
) -> None:
    path = shm_file(65536)
    session = sessions.open(path)
    session.set_locked(False)
    do(qtbot, session, msg.Write(0x100, b"mine"))
    shm_file(65536, name=f"{path.name}-new").replace(path)
    lose_and_retry(qtbot, session)
    assert len(entries(qtbot, session)) == 1
    session.set_locked(False)
    errors: list[ScopeError] = []
    session.ask(msg.Undo(), on_error=errors.append)
    qtbot.waitUntil(lambda: bool(errors), timeout=WAIT_MS)
    assert "what was written to the old one stays" in errors[0].hint
    assert not any(path.read_bytes())
    do(qtbot, session, msg.Write(0, b"new"))
    do(qtbot, session, msg.Undo())


def test_it_goes_with_its_window_and_no_other_window_finds_it(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile
) -> None:
    path = shm_file(65536)
    session = sessions.open(path)
    session.set_locked(False)
    do(qtbot, session, msg.Write(0, b"mine"))
    other = sessions.open(path)
    assert entries(qtbot, other) == []
    session.close()
    assert session.join()
    assert not session._journal.exists()
    assert not session._journal.with_suffix(".undo").exists()


def test_a_window_that_only_looks_leaves_no_file(sessions: Sessions, shm_file: ShmFile) -> None:
    session = sessions.open(shm_file(65536))
    assert not session._journal.exists()


def test_an_engine_that_was_stopped_says_that_it_is_locked(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile
) -> None:
    session = sessions.open(shm_file(65536))
    session.set_locked(False)
    pid = engine_of(session)
    notices: list[Notice] = []
    session.notice.connect(notices.append)
    os.kill(pid, signal.SIGSTOP)
    try:
        qtbot.waitUntil(lambda: session.lost, timeout=WAIT_MS)
    finally:
        os.kill(pid, signal.SIGCONT)
    qtbot.waitUntil(lambda: not session.lost, timeout=WAIT_MS)
    assert [one.text for one in notices] == [
        "The engine answers again; writing was locked meanwhile."
    ]


def test_no_room_for_the_journal_is_no_reason_not_to_write(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile, tmp_path: Path
) -> None:
    path = shm_file(65536)
    session = sessions.make(sessions.open(path).spec)
    blocked = tmp_path / "a file"
    blocked.touch()
    session._journal = blocked / "1-a.journal"  # no folder can be made there
    session.start()
    qtbot.waitUntil(lambda: session.frame is not None, timeout=WAIT_MS)
    session.set_locked(False)
    do(qtbot, session, msg.Write(0, b"mine"))
    do(qtbot, session, msg.Undo())
    assert not any(path.read_bytes())


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
