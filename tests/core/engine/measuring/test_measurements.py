"""Tests through the engine: two engine processes on one file, as two windows have them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.backends.open_region import open_region
from app.core.engine import messages as msg
from app.core.engine.measuring import measurement_messages as dm
from app.core.engine.measuring import measurements
from app.core.engine.measuring.measurements import MeasurementService
from app.core.engine.process import EngineProcess
from app.core.errors import (
    CancelledError,
    LockedError,
    PeerBusyError,
    ReadOnlyError,
    ValueFormatError,
)
from app.core.measure.flash.flash import Flip, Painted, Surface
from app.core.measure.flash.flash_result import FlashPlan, FlashResult
from app.core.measure.lane.hold import RestoreOutcome, create_lane
from app.core.measure.lane.placement import place_lane
from app.core.measure.latency.latency import LatencyOptions
from app.core.measure.latency.latency_result import LatencyResult
from app.core.native.kernel import Wait
from app.core.region.region import Region, RegionKind, RegionSpec
from tests.core.talk import InProcess, Talk

FILL = b"somebody's bytes "


class Side(Talk):
    """One window's engine; its flashes are answered as a window would, `paint_s` later."""

    def __init__(self, path: Path, paint_s: float = 0.004, *, unlock: bool = True) -> None:
        self.paint_s = paint_s
        self.flips: list[Flip] = []
        super().__init__(EngineProcess(), path)
        self.until(lambda: any(isinstance(a, msg.Opened) for a in self.seen), "opening")
        if unlock:
            self.client.ask(msg.SetLocked(locked=False))

    def pump(self) -> None:
        for answer in self.client.answers():
            self.seen.append(answer)
            if isinstance(answer, dm.Flashed):
                self.flips.append(answer.flip)
                if not answer.flip.ours and self.paint_s:
                    time.sleep(self.paint_s)
                    painted = Painted(answer.flip.number, time.monotonic_ns(), 0, 7, 16_666_667)
                    self.client.ask(dm.FlashPainted(painted))

    def texts(self) -> list[str]:
        return [a.text for a in self.seen if isinstance(a, dm.TestProgress) and a.text]

    def finished(self, request: int) -> msg.Done | msg.Failed | None:
        for answer in self.seen:
            if isinstance(answer, msg.Done | msg.Failed) and answer.request == request:
                return answer
        return None


class Pair:
    """The side that measures and the side that answers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.here = Side(path)
        self.there = Side(path)

    def both_until(self, fact: Callable[[], bool], what: str) -> None:
        def turn() -> bool:
            self.there.pump()
            return fact()

        self.here.until(turn, what)

    def answer(self) -> None:
        self.there.do(dm.Respond(on=True))
        self.both_until(
            lambda: any(
                isinstance(a, dm.ResponderChanged) and a.state.slot >= 0 for a in self.there.seen
            ),
            "a place in the lane",
        )

    def run(self, plan: object) -> msg.Done | msg.Failed:
        request = self.here.client.ask(dm.StartTest(plan))
        self.both_until(lambda: self.here.finished(request) is not None, "the test's end")
        found = self.here.finished(request)
        assert found is not None
        return found

    def samples(self) -> int:
        news = [a for a in self.here.seen if isinstance(a, dm.TestProgress)]
        return sum(a.figures is not None for a in news)

    def end(self) -> None:
        self.here.client.close(6.0)
        self.there.client.close(6.0)


@pytest.fixture
def pair(shm_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    made = Pair(shm_file(1 << 20, fill=FILL))
    before = made.path.read_bytes()
    yield made
    made.end()
    assert made.path.read_bytes() == before, "the bytes under the lane were not put back"


def outcome(answer: msg.Done | msg.Failed) -> dm.Outcome:
    assert isinstance(answer, msg.Done), answer
    assert isinstance(answer.value, dm.Outcome)
    return answer.value


def test_flash_measures_what_the_peers_window_took(pair: Pair) -> None:
    pair.answer()
    pair.there.paint_s = 0.02
    ended = outcome(pair.run(FlashPlan(flips=5, every_s=0.06)))
    result = ended.result
    assert isinstance(result, FlashResult)
    assert len(result.samples) == 5
    assert result.lost == 0
    assert result.one_clock
    assert result.peer_period_ns == 16_666_667
    assert ended.ending is RestoreOutcome.NOTHING_OWED  # the answering side laid the lane
    for sample in result.samples:
        assert sample.paint_ns >= 20_000_000
        assert sample.seen_error_ns == 0
        parts = sample.seen_ns + sample.paint_ns + sample.answer_ns
        assert 0 < parts <= sample.total_ns
    numbers = [flip.number for flip in pair.there.flips]
    assert numbers == [sample.number for sample in result.samples]
    assert [flip.number for flip in pair.here.flips if flip.ours] == numbers
    figures = result.as_dict()
    assert figures["seen_to_painted"]["p50_ns"] >= 20_000_000
    assert figures["count"] == 5


def test_a_window_that_does_not_paint_is_told_as_lost(pair: Pair) -> None:
    pair.answer()
    pair.there.paint_s = 0.0
    result = outcome(pair.run(FlashPlan(flips=1, every_s=0.05))).result
    assert (result.lost, len(result.samples)) == (1, 0)
    assert result.percentiles("total_ns") == {}
    assert result.as_dict()["lost"] == 1


def test_flips_by_hand_and_a_persons_reaction(pair: Pair) -> None:
    pair.answer()
    request = pair.here.client.ask(dm.StartTest(FlashPlan(flips=2, manual=True)))
    pair.both_until(lambda: any("Flashing" in t for t in pair.here.texts()), "the peer")
    for wanted in (1, 2):
        pair.here.client.ask(dm.FlipNow())
        pair.both_until(lambda wanted=wanted: pair.samples() == wanted, "a sample")
        pair.there.do(dm.FlashReacted(pair.there.flips[-1].number, wanted * 250_000_000))
    pair.both_until(lambda: pair.here.finished(request) is not None, "the end")
    answer = pair.here.finished(request)
    assert answer is not None
    result = outcome(answer).result
    assert [flip.ours for flip in pair.there.flips] == [False, False]
    assert result.samples[0].reaction_ns == 250_000_000
    assert result.as_dict()["reaction"]["p50_ns"] == 250_000_000


def test_the_hex_surface_tells_where_the_number_lies(pair: Pair) -> None:
    pair.answer()
    result = outcome(pair.run(FlashPlan(flips=1, every_s=0.05, surface=Surface.HEX))).result
    flip = pair.there.flips[-1]
    assert flip.surface is Surface.HEX
    assert flip.offset % 8 == 0
    shown = pair.path.read_bytes()[flip.offset : flip.offset + 8]
    assert int.from_bytes(shown, "little") == flip.number == result.samples[0].number


def test_latency_through_the_engine_with_live_figures(pair: Pair) -> None:
    pair.answer()
    plan = LatencyOptions(rate_hz=200, duration_s=0.5, warm_up_s=0.1, wait=Wait.POLL)
    result = outcome(pair.run(plan)).result
    assert isinstance(result, LatencyResult)
    assert result.complete
    assert result.response.count + result.lost >= 90
    live = [a.figures for a in pair.here.seen if isinstance(a, dm.TestProgress) and a.figures]
    assert live
    assert live[-1].response.count <= result.response.count


def test_the_lane_shows_who_is_there(pair: Pair) -> None:
    assert pair.here.do(dm.PollLane()) == dm.LaneView(None)
    pair.answer()

    def responders() -> list[dm.SlotView]:
        view = pair.here.do(dm.PollLane())
        assert isinstance(view, dm.LaneView)
        return [seat for seat in view.slots if seat.responder is not None]

    pair.both_until(
        lambda: any(seat.responder_life.value == "alive" for seat in responders()), "a peer"
    )
    (seat,) = responders()
    assert not seat.ours
    assert seat.responder is not None
    assert "Linux" in str(seat.responder)
    ours = pair.there.do(dm.PollLane())
    assert isinstance(ours, dm.LaneView)
    assert [seat.ours for seat in ours.slots][:2] == [True, False]


def test_without_a_peer_it_says_so_and_keeps_listening_until_stopped(pair: Pair) -> None:
    request = pair.here.client.ask(dm.StartTest(FlashPlan()))
    pair.here.until(lambda: bool(pair.here.texts()), "a word about the missing peer")
    assert "Nobody answers" in pair.here.texts()[0]
    assert isinstance(pair.here.fail(dm.StartTest(FlashPlan())), PeerBusyError)
    pair.here.do(dm.StopTest())
    answer = pair.here.result(request)
    assert isinstance(answer, msg.Failed)
    assert isinstance(answer.error, CancelledError)


def test_writing_must_be_unlocked_and_locking_ends_everything(pair: Pair) -> None:
    pair.answer()
    pair.here.client.ask(msg.SetLocked(locked=True))
    assert isinstance(pair.here.fail(dm.StartTest(FlashPlan())), LockedError)
    assert isinstance(pair.here.fail(dm.Respond(on=True)), LockedError)
    pair.there.client.ask(msg.SetLocked(locked=True))
    pair.both_until(
        lambda: any(
            isinstance(a, dm.ResponderChanged) and a.state.ending is RestoreOutcome.RESTORED
            for a in pair.there.seen
        ),
        "the lane taken away",
    )


def test_plans_that_make_no_sense_are_refused(pair: Pair) -> None:
    pair.answer()
    for plan in (FlashPlan(every_s=0.001), FlashPlan(flips=-1), FlashPlan(jitter=1.5)):
        answer = pair.run(plan)
        assert isinstance(answer, msg.Failed)
        assert isinstance(answer.error, ValueFormatError)
    answer = pair.run("no plan")
    assert isinstance(answer, msg.Failed)


def test_a_read_only_region_cannot_be_measured(shm_file: Callable[..., Path]) -> None:
    path = shm_file(1 << 20)
    client = EngineProcess()
    talk = Talk.__new__(Talk)
    talk.client, talk.seen, talk.newest = client, [], None
    client.open(RegionSpec(RegionKind.FILE, str(path), read_only=True))
    talk.until(lambda: any(isinstance(a, msg.Opened) for a in talk.seen))
    client.ask(msg.SetLocked(locked=False))
    assert isinstance(talk.fail(dm.StartTest(FlashPlan())), ReadOnlyError)
    client.close()
    assert not any(path.read_bytes())


def test_what_a_killed_engine_owes_is_told_and_paid(shm_file: Callable[..., Path]) -> None:
    path = shm_file(1 << 20, fill=FILL)
    before = path.read_bytes()
    killed = Side(path)
    killed.do(dm.Respond(on=True))
    killed.until(
        lambda: any(isinstance(a, dm.ResponderChanged) and a.state.slot >= 0 for a in killed.seen),
        "a place in the lane",
    )
    assert isinstance(killed.client, EngineProcess)
    assert killed.client.pid is not None
    os.kill(killed.client.pid, signal.SIGKILL)
    killed.until(lambda: killed.client.trouble() is not None, "the engine's end")
    killed.client.close()
    assert path.read_bytes() != before
    later = Side(path, unlock=False)
    (debt,) = later.do(dm.ListUnrestored())  # type: ignore[misc]
    assert "0xC0000" in debt
    assert isinstance(later.fail(dm.RestoreSaved()), LockedError)
    later.client.ask(msg.SetLocked(locked=False))
    assert later.do(dm.RestoreSaved()) == (RestoreOutcome.RESTORED,)
    assert later.do(dm.ListUnrestored()) == ()
    later.client.close()
    assert path.read_bytes() == before


def test_polls_go_on_after_a_bug_in_another_command(
    shm_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_region: Region) -> list[object]:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(measurements, "unrestored", fail)
    talk = Talk(InProcess(), shm_file(1 << 20))
    try:
        failed = talk.result(talk.client.ask(dm.ListUnrestored()))
        assert isinstance(failed, msg.Failed)
        assert "ZeroDivisionError in ListUnrestored" in failed.error.message
        assert talk.do(dm.PollLane(dm.LaneRequest())) == dm.LaneView(None)
    finally:
        talk.client.close(timeout_s=5)


def test_a_lane_far_off_in_a_large_region_is_found_by_looks_that_are_short(
    shm_file: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurements, "_FIND_S", 0.0)  # as on a machine that is slow
    with open_region(RegionSpec(RegionKind.FILE, str(shm_file(16 << 20, fill=b"full")))) as region:
        hold = create_lane(region, place_lane(region, 5 << 20, 65536), tmp_path)
        service = MeasurementService(region, lambda answer: None, lambda: False)
        views = []
        while not views or views[-1].lane is None:
            views.append(service.poll_lane(dm.LaneRequest()))
            assert len(views) < 50
        assert len(views) > 3
        assert views[-1].lane == hold.lane
        service.close()
        hold.close()
