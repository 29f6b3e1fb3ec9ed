"""Transfer and bandwidth as the window asks for them: through engines of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.engine import messages as msg
from app.core.engine.measuring import measurement_messages as dm
from app.core.engine.process import EngineProcess
from app.core.measure.bandwidth.bandwidth import BandwidthOptions, BandwidthResult
from app.core.measure.lane.hold import RestoreOutcome
from app.core.measure.transfer.transfer import TransferOptions
from app.core.measure.transfer.transfer_result import Direction, TransferLive, TransferResult
from tests.core.measure.peer_programs import responding
from tests.core.talk import Talk


@pytest.fixture
def engine(shm_file: Callable[..., Path]) -> Iterator[tuple[Talk, Path]]:
    """An unlocked engine on a file with something in it."""
    path = shm_file(1 << 20, fill=b"somebody's bytes ")
    before = path.read_bytes()
    talk = Talk(EngineProcess(), path)
    talk.until(lambda: any(isinstance(a, msg.Opened) for a in talk.seen), "opening")
    talk.client.ask(msg.SetLocked(locked=False))
    yield talk, path
    talk.client.close(6.0)
    assert path.read_bytes() == before


def _figures(talk: Talk) -> list[object]:
    return [
        a.figures for a in talk.seen if isinstance(a, dm.TestProgress) and a.figures is not None
    ]


def test_a_transfer_with_live_figures(engine: tuple[Talk, Path]) -> None:
    talk, path = engine
    with responding(path):
        plan = TransferOptions((64, 4096), Direction.BOTH, duration_s=0.3)
        outcome = talk.do(dm.StartTest(plan))
    assert isinstance(outcome, dm.Outcome)
    assert outcome.ending is RestoreOutcome.NOTHING_OWED
    assert isinstance(outcome.result, TransferResult)
    assert outcome.result.clean
    lives = _figures(talk)
    assert lives
    assert all(isinstance(live, TransferLive) for live in lives)


def test_a_stopped_transfer_hands_over_what_it_has(engine: tuple[Talk, Path]) -> None:
    talk, path = engine
    with responding(path):
        request = talk.client.ask(dm.StartTest(TransferOptions(duration_s=60)))
        talk.until(lambda: bool(_figures(talk)), "figures")
        talk.do(dm.StopTest())
        answer = talk.result(request)
    assert isinstance(answer, msg.Done), answer
    assert not answer.value.result.complete
    assert answer.value.result.sizes[0].to_peer.messages > 0


def test_bandwidth_needs_no_peer(engine: tuple[Talk, Path]) -> None:
    talk, _ = engine
    wanted = dm.LaneRequest(slots=1)
    outcome = talk.do(dm.StartTest(BandwidthOptions((4096, 65536), 0.001), wanted))
    assert isinstance(outcome, dm.Outcome)
    assert isinstance(outcome.result, BandwidthResult)
    assert outcome.result.complete
    assert outcome.ending is RestoreOutcome.RESTORED
