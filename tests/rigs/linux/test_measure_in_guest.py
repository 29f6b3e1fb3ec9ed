"""Measuring between the host's file and a real guest's BAR, whoever asks and whoever dies.

Each test finds memory that is full of somebody's bytes, false lanes among them, and every byte
must be there again at its end. The guest is emulated: figures are printed, never judged.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.backends.open_region import spec_for
from app.core.engine import messages as msg
from app.core.engine.measuring import measurement_messages as dm
from app.core.engine.process import EngineProcess
from app.core.measure.flash.flash import Painted
from app.core.measure.lane.hold import RestoreOutcome, acquire_lane
from app.core.measure.lane.layout import MAGIC
from app.core.measure.lane.placement import default_lane, find_lane
from app.core.measure.latency.latency import LatencyLive, LatencyOptions, run_latency
from app.core.measure.latency.latency_result import LatencyResult
from app.core.measure.run_context import RunContext
from app.core.native.kernel import Wait, why_absent
from tests.core.measure.peer_programs import PeerProcess, opened, responding
from tests.rigs.linux.guest import ROOT, Guest, Spawned

pytestmark = [pytest.mark.rig, pytest.mark.timeout(400)]
BAR = "0000:02:00.0"
PATIENCE_S = 150.0
QUICK = ("--rate", "200", "--duration", "0.5", "--warm-up", "0.1", "--wait", "poll", "--json")


@pytest.fixture
def memory(small: Path) -> Iterator[Path]:
    """The small device's file: garbage, which must be as it was at the end."""
    size = small.stat().st_size
    garbage = bytearray(random.Random(4).randbytes(size))
    for at in (*range(0, size, 16 << 12), default_lane(size).offset):
        garbage[at : at + len(MAGIC)] = MAGIC
    with small.open("r+b") as file:
        file.write(garbage)
    yield small
    assert small.read_bytes() == garbage, "the bytes under the lane were not put back"


def until(fact: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.02)


def answering(guest: Guest) -> Spawned:
    """A responder in the guest that listens."""
    spawned = guest.spawn_scope("respond", BAR)
    spawned.until("Listening")
    return spawned


def latency_here(path: Path, *options: str) -> dict[str, Any]:
    """What the verb finds on the host."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "app",
            "latency",
            str(path),
            *QUICK,
            "--peer-within",
            "60",
            *options,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def check(found: dict[str, Any], us: str, peer: str, payload: int) -> None:
    """A whole result, between two systems with a clock each."""
    print(
        f"{us} to {peer}, {payload} B: p50 {found['p50_ns']:.0f} ns, p99 {found['p99_ns']:.0f} ns"
    )
    assert found["count"] > 0
    assert 0 < found["min_ns"] <= found["p50_ns"] <= found["p99_ns"] <= found["max_ns"]
    best = "python" if why_absent() else "kernel"
    assert (found["engine"], found["peer_engine"]) == (best, best)
    assert found["payload_bytes"] == payload
    assert found["complete"]
    assert found["conditions"]["us"].startswith(f"{us} "), found["conditions"]
    assert found["conditions"]["peer"].startswith(f"{peer} "), found["conditions"]
    assert "Linux" in found["conditions"]["peer"]
    ways = found["one_way"]
    assert not ways["same_clock"]
    assert ways["samples"] > 0
    assert ways["uncertainty_ns"] > 0
    # As wide as the quickest way there and back, so neither can come out as less than nothing.
    assert ways["there_p50_ns"] >= -ways["uncertainty_ns"]
    assert ways["back_p50_ns"] >= -ways["uncertainty_ns"]


def test_the_host_measures_the_guest_which_moves_when_garbage_hits_its_place(
    guest: Guest, memory: Path
) -> None:
    peer = answering(guest)
    for payload in (8, 1024):
        found = latency_here(memory, "--payload", str(payload))
        check(found, "host", "guest", payload)
        assert found["conditions"]["slot"] == 0
        assert "write-combined" in found["conditions"]["peer"]
    with opened(memory) as region:
        lane = find_lane(region)
        assert lane is not None
        control = lane.slot(0).control
        region.write(control.offset, random.Random(5).randbytes(control.length))
    peer.until("Listening in slot 1")
    found = latency_here(memory)
    check(found, "host", "guest", 8)
    assert found["conditions"]["slot"] == 1
    ended = peer.end()
    assert (ended.code, ended.out) == (0, ""), ended


def test_the_guest_finds_nobody_says_so_and_measures_the_host_once_it_is_there(
    guest: Guest, memory: Path
) -> None:
    early = guest.spawn_scope("latency", BAR, *QUICK)
    assert "Lane: 256 KiB" in early.until("Nobody answers")
    with responding(memory) as peer:
        result = early.wait()
        assert result.code == 0, result.err
        check(json.loads(result.out), "guest", "host", 8)
        # The guest took its lane away; the host's responder lays one of its own.
        result = guest.scope("latency", BAR, *QUICK, "--payload", "1024", "--peer-within", "60")
        assert result.code == 0, result.err
        check(json.loads(result.out), "guest", "host", 1024)
        code, said = peer.end()
        assert code == 0, said


class Running:
    """A latency test of the host that goes on until told to end."""

    def __init__(self, path: Path, folder: Path) -> None:
        self._path, self._folder = path, folder
        self._end = threading.Event()
        self.said: list[str] = []
        self.answered = 0
        self.result: LatencyResult | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        plan = LatencyOptions(
            rate_hz=200, duration_s=600, warm_up_s=0, wait=Wait.POLL, timeout_s=0.2
        )
        context = RunContext(self._count, self.said.append, self._end.is_set)
        with opened(self._path) as region, acquire_lane(region, folder=self._folder) as hold:
            self.result = run_latency(region, hold.lane, plan, context, give_up_s=60)

    def _count(self, live: LatencyLive) -> None:
        self.answered = live.tally.response.count

    def until_answered(self, more: int) -> None:
        wanted = self.answered + more
        until(lambda: self.answered >= wanted or not self._thread.is_alive(), "an answer")
        assert self._thread.is_alive(), self.said

    def end(self) -> LatencyResult:
        self._end.set()
        self._thread.join(30)
        assert self.result is not None
        return self.result


def test_a_responder_in_the_guest_is_killed_and_another_one_goes_on(
    guest: Guest, memory: Path, tmp_path: Path
) -> None:
    killed = answering(guest)
    running = Running(memory, tmp_path)
    try:
        running.until_answered(20)
        assert killed.end(signal.SIGKILL).code == -signal.SIGKILL
        until(lambda: "The peer fell silent." in running.said, "a word about its silence")
        # It owes the bytes that the killed one saved.
        heir = answering(guest)
        until(lambda: any("restarted" in text for text in running.said), "a word about the new one")
        running.until_answered(20)
    finally:
        result = running.end()
    assert result.lost > 0
    assert result.response.count >= 40
    assert any("restarted" in note for note in result.notes)
    assert heir.end().code == 0


def test_a_responder_on_the_host_is_killed_while_the_guest_measures(
    guest: Guest, memory: Path
) -> None:
    killed = PeerProcess(memory)
    killed.wait_phase("listening")
    measuring = guest.spawn_scope(
        "latency",
        BAR,
        *QUICK[:2],
        "--duration",
        "600",
        *QUICK[4:],
        "--peer-within",
        "60",
    )
    # The first test that it is asked for is the short one that compares the clocks.
    killed.wait_for(lambda state: state["phase"] == "answering" and state["tests"] > 0)
    killed.end(signal.SIGKILL)
    measuring.until("The peer fell silent.")
    with responding(memory) as heir:
        measuring.until("restarted")
        heir.wait_phase("answering")
        result = measuring.end(signal.SIGINT)
        assert result.code == 130, result.err
        assert heir.end()[0] == 0
    found = json.loads(result.out)
    assert found["lost"] > 0
    assert not found["complete"]
    assert any("restarted" in note for note in found["notes"])


class Window:
    """An engine of the host that answers flashes as its window would."""

    def __init__(self, path: Path) -> None:
        self.engine = EngineProcess()
        self.seen: list[msg.Answer] = []
        self.painted = 0
        self.engine.open(spec_for(str(path)))
        self.until(lambda: any(isinstance(a, msg.Opened) for a in self.seen), "opening")
        self.engine.ask(msg.SetLocked(locked=False))
        self.engine.ask(dm.Respond(on=True))
        self.until(lambda: any(state.slot >= 0 for state in self.states()), "a place in the lane")

    def states(self) -> list[Any]:
        return [answer.state for answer in self.seen if isinstance(answer, dm.ResponderChanged)]

    def until(self, fact: Callable[[], bool], what: str) -> None:
        def turn() -> bool:
            for answer in self.engine.answers():
                self.seen.append(answer)
                if isinstance(answer, dm.Flashed):
                    self.painted += 1
                    time.sleep(0.01)
                    seen = Painted(
                        answer.flip.number, time.monotonic_ns(), 0, self.painted, 16_666_667
                    )
                    self.engine.ask(dm.FlashPainted(seen))
            return fact()

        until(turn, what)


def test_the_guest_flashes_at_the_hosts_window(guest: Guest, memory: Path) -> None:
    window = Window(memory)
    flashing = guest.spawn_module("tests.rigs.linux.flashing", BAR, "4")
    results: list[Any] = []
    waiter = threading.Thread(target=lambda: results.append(flashing.wait()))
    waiter.start()
    window.until(lambda: not waiter.is_alive(), "the end of the flashes")
    (result,) = results
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert (found["count"], found["lost"]) == (4, 0)
    assert window.painted == 4
    assert found["peer"].startswith("host ")
    assert not found["one_clock"]
    assert found["peer_period_ns"] == 16_666_667
    assert found["seen_to_painted"]["min_ns"] >= 10_000_000
    assert found["stored_to_seen"]["uncertainty_ns"] > 0
    assert found["ending"] == RestoreOutcome.NOTHING_OWED.name
    window.engine.ask(dm.Respond(on=False))
    window.until(
        lambda: any(state.ending is RestoreOutcome.RESTORED for state in window.states()),
        "the bytes",
    )
    window.engine.close(6.0)
