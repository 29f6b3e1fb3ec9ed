"""Windows that close while a stopped peer sits in the lane that they laid."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.backends.open_region import open_region
from app.core.engine import messages as msg
from app.core.engine.measuring import measurement_messages as dm
from app.core.engine.measuring.measurements import WAITS
from app.core.engine.process import EngineProcess
from app.core.measure.lane.hold import unrestored
from app.core.measure.latency.latency import LatencyOptions
from app.core.native.kernel import Wait
from app.ui.application import Application, Options
from app.ui.measure.lane.restore_offer import RestoreOffer
from app.ui.session.notice import Notice
from app.ui.session.session import Session
from tests.core.talk import Talk
from tests.ui.helpers import Sessions, ShmFile, bury, spec_of

FILL = b"somebody's bytes "
LONG_MS = 60_000
PLAN = LatencyOptions(rate_hz=200, duration_s=600.0, warm_up_s=0.1, wait=Wait.POLL)


class Peer(Talk):
    """An engine process that measures in the lane, until it is stopped in the middle of it."""

    def __init__(self, path: Path) -> None:
        super().__init__(EngineProcess(), path)
        self.until(lambda: any(isinstance(a, msg.Opened) for a in self.seen), "opening")
        self.client.ask(msg.SetLocked(locked=False))
        self.client.ask(dm.StartTest(PLAN))
        self.until(lambda: any(isinstance(a, dm.TestProgress) for a in self.seen), "the test")

    def stop(self) -> None:
        assert isinstance(self.client, EngineProcess)
        assert self.client.pid is not None
        os.kill(self.client.pid, signal.SIGSTOP)

    def end(self) -> None:
        self.client.close(0.1)  # it is stopped: by force


@pytest.fixture
def peers() -> Iterator[list[Peer]]:
    made: list[Peer] = []
    yield made
    for one in made:
        one.end()


Seat = Callable[[Session, Path], None]


@pytest.fixture
def seat(qtbot: QtBot, peers: list[Peer]) -> Seat:
    """Lets a session lay a lane, and a stopped peer sit in it."""

    def seated(session: Session, path: Path) -> None:
        states: list[dm.ResponderChanged] = []
        session.unasked.connect(
            lambda a: states.append(a) if isinstance(a, dm.ResponderChanged) else None
        )
        session.set_locked(False)
        session.ask(dm.Respond(on=True))
        qtbot.waitUntil(lambda: any(s.state.slot >= 0 for s in states), timeout=LONG_MS)
        peers.append(Peer(path))
        qtbot.waitUntil(lambda: states[-1].state.command != "", timeout=LONG_MS)
        peers[-1].stop()

    return seated


def kill(session: Session) -> None:
    client = session._client
    assert isinstance(client, EngineProcess)
    assert client.pid is not None
    os.kill(client.pid, signal.SIGKILL)


def test_a_closing_session_waits_for_the_stopped_peer_and_says_so(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile, seat: Seat
) -> None:
    path = shm_file(1 << 20, fill=FILL)
    before = path.read_bytes()
    session = sessions.open(path)
    seat(session, path)
    assert path.read_bytes() != before
    told: list[str] = []
    session.ending.connect(told.append)
    with qtbot.waitSignal(session.ended, timeout=LONG_MS):
        session.close()
    assert told == [WAITS, ""]
    assert session.left == ""
    assert path.read_bytes() == before


def test_a_responder_that_was_switched_off_is_waited_for_all_the_same(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile, seat: Seat
) -> None:
    path = shm_file(1 << 20, fill=FILL)
    before = path.read_bytes()
    session = sessions.open(path)
    seat(session, path)
    notices: list[Notice] = []
    session.notice.connect(notices.append)
    session.set_locked(True)  # ends it, in the background
    qtbot.waitUntil(lambda: WAITS in [one.text for one in notices], timeout=LONG_MS)
    session.close()
    assert session.join()
    assert path.read_bytes() == before


def test_what_a_killed_engine_owes_under_a_stopped_peer_is_offered_by_retry(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile, seat: Seat
) -> None:
    path = shm_file(1 << 20, fill=FILL)
    before = path.read_bytes()
    session = sessions.open(path)
    offer = RestoreOffer()
    offer.set_session(session)
    seat(session, path)
    notices: list[Notice] = []
    offer.notice.connect(notices.append)
    kill(session)
    qtbot.waitUntil(lambda: session.lost, timeout=LONG_MS)
    assert path.read_bytes() != before
    session.retry()
    qtbot.waitUntil(lambda: len(notices) == 1, timeout=LONG_MS)
    assert "did not put back the bytes under its lane" in notices[0].text
    session.set_locked(False)
    offer.act(notices[0].actions[0])
    qtbot.waitUntil(lambda: len(notices) == 2, timeout=LONG_MS)
    assert notices[1].text == "Under the lane: the bytes are as they were before."
    assert path.read_bytes() == before


def test_an_engine_that_is_killed_while_it_waits_leaves_a_debt_and_says_so(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile, seat: Seat
) -> None:
    path = shm_file(1 << 20, fill=FILL)
    before = path.read_bytes()
    session = sessions.open(path, EngineProcess)  # one whose saved bytes this test can read
    seat(session, path)
    client = session._client
    assert isinstance(client, EngineProcess)
    assert client.pid is not None
    with qtbot.waitSignal(session.ending, timeout=LONG_MS):
        session.close()
    with qtbot.waitSignal(session.ended, timeout=LONG_MS):
        os.kill(client.pid, signal.SIGKILL)
    assert "offered when the region is opened next" in session.left
    with open_region(spec_of(path)) as region:
        (debt,) = unrestored(region)
        assert debt.data() == before[debt.header.offset :][: debt.header.size]


def test_the_program_waits_with_two_windows_and_shows_it(
    qtbot: QtBot, qapp: QApplication, shm_file: ShmFile, seat: Seat
) -> None:
    path, other = shm_file(1 << 20, fill=FILL), shm_file(65536, fill=b"other")
    before = path.read_bytes()
    program = Application(qapp, Options(theme="dark"), None)
    program.start()
    first, second = program.windows[0], program.new_window(None)
    session = first.open(spec_of(path))
    beside = second.open(spec_of(other))
    qtbot.waitUntil(lambda: session.frame is not None, timeout=LONG_MS)
    qtbot.waitUntil(lambda: beside.frame is not None, timeout=LONG_MS)
    seat(session, path)
    first.close()
    qtbot.waitUntil(lambda: program.closing_notice is not None, timeout=LONG_MS)
    assert program.closing_notice is not None
    assert program.closing_notice.isVisible()
    assert program.closing_notice.label.text() == f"{path}: {WAITS}"
    number = beside.frame.number
    qtbot.waitUntil(lambda: beside.frame.number > number, timeout=LONG_MS)  # it goes on
    program.shut_down()  # as after the event loop, with one window still there
    assert not program.closing_notice.isVisible()
    assert path.read_bytes() == before
    bury(second, program.closing_notice)
