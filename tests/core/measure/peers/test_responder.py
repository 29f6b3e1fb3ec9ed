"""The responder when something in it goes wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.core.engine import messages as msg
from app.core.engine.measuring import measurement_messages as dm
from app.core.engine.measuring.measurements import MeasurementService
from app.core.errors import PeerRefusedError, StorageError
from app.core.measure.lane.hold import acquire_lane
from app.core.measure.lane.peer_card import Capability
from app.core.measure.lane.requests import Command
from app.core.measure.lane.slots import LanePoll
from app.core.measure.peers.initiator import Initiator
from app.core.measure.peers.responder import Responder
from app.core.measure.peers.responder_state import Phase, ResponderState
from app.core.measure.peers.responder_task import ResponderTask
from app.core.region.region import Region
from tests.core.measure.peer_programs import opened


def until(fits: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not fits():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Buggy:
    """A test mode with a bug in it."""

    command = Command.FLASH
    capability = Capability.FLASH

    def begin(self, task: ResponderTask) -> tuple[int, ...]:
        return (1 // task.request.value(0),)

    def run(self, task: ResponderTask) -> tuple[int, ...]:
        return (1 // task.request.value(1),)


def ask_until_it_fails(initiator: Initiator) -> None:
    """A test that begins, and fails then."""
    initiator.ask(Command.FLASH, (1, 0))

    def resumed() -> bool:
        initiator.tick()
        initiator.resume()
        return False

    until(resumed)


@contextmanager
def buggy(region: Region, folder: Path) -> Iterator[Responder]:
    responder = Responder(region, lambda sleep: acquire_lane(region, folder=folder), [Buggy()])
    responder.start()
    try:
        until(lambda: responder.state.phase is Phase.LISTENING)
        yield responder
    finally:
        responder.stop()


def test_a_bug_in_a_test_is_told_to_the_master_and_survived(path: Path, tmp_path: Path) -> None:
    before = path.read_bytes()
    with opened(path) as region, buggy(region, tmp_path) as responder:
        lane = responder.state.lane
        assert lane is not None
        with Initiator(region, lane, LanePoll(region, lane).poll()[0]) as initiator:
            with pytest.raises(PeerRefusedError, match="failed on its side"):
                initiator.ask(Command.FLASH, (0,))
            with pytest.raises(PeerRefusedError, match="failed on its side"):
                ask_until_it_fails(initiator)
            initiator.ask(Command.STOP)
        assert responder.running
    assert path.read_bytes() == before


def test_a_responder_that_ended_can_be_switched_on_again(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes could not be kept, and now they can."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "state").write_text("no folder")
    told: list[msg.Answer] = []

    def states() -> list[ResponderState]:
        return [answer.state for answer in told if isinstance(answer, dm.ResponderChanged)]

    with opened(path) as region:
        desk = MeasurementService(region, told.append, lambda: False)
        try:
            desk.respond(dm.LaneRequest())
            until(lambda: any(state.phase is Phase.ENDED for state in states()))
            assert isinstance(states()[-1].trouble, StorageError)
            (tmp_path / "state").unlink()
            # The thread is about to end when it has said so.
            until(lambda: desk._responder is not None and not desk._responder.running)
            desk.respond(dm.LaneRequest())
            until(lambda: states()[-1].phase is Phase.LISTENING)
        finally:
            desk.close()
