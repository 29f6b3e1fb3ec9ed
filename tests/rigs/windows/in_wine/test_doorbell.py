"""Latency by doorbell: two processes on two devices with one memory, asleep until the other rings.

Nobody wakes in time by looking here (SLEEP_S is longer than an answer may take), so every answer
that counts came by RING_DOORBELL and a registered event, there and back.
"""

from __future__ import annotations

import os
import subprocess
import sys
import winreg
from dataclasses import replace

import pytest

from app.core.backends.windows.bar import list_windows_bars, open_windows_bar
from app.core.backends.windows.doorbell import WindowsBell
from app.core.errors import MeasureOptionError
from app.core.measure.lane.hold import acquire_lane
from app.core.measure.latency import echo_python
from app.core.measure.latency.latency import LatencyOptions, run_latency
from app.core.native.kernel import Wait
from app.core.region.region import RegionKind, RegionSpec

SLEEP_S = 1.5
PLAN = LatencyOptions(
    rate_hz=100, duration_s=0.5, warm_up_s=0.1, timeout_s=0.7, wait=Wait.BELL, payload_bytes=64
)
PEER = """
import sys
sys.path.insert(0, sys.argv[1])
from app.core.measure.latency import echo_python
from app.core.measure.latency.echo import EchoHandler
from app.core.measure.lane.hold import acquire_lane
from app.core.native.kernel import Wait
from app.core.measure.peers.responder import Responder
from app.core.measure.peers.responder_state import Phase
from app.core.region.region import RegionKind, RegionSpec
from app.core.backends.windows.bar import open_windows_bar
echo_python._BELL_S = float(sys.argv[3])
wait = Wait[sys.argv[4]] if sys.argv[4] else None

def tell(state):
    if state.phase is Phase.LISTENING and not state.tests:
        print("listening", flush=True)

with open_windows_bar(RegionSpec(RegionKind.WINDOWS, sys.argv[2])) as region:
    responder = Responder(
        region, lambda sleep: acquire_lane(region, sleep=sleep), [EchoHandler(wait=wait)], tell
    )
    responder.start()
    sys.stdin.read()
    responder.stop(10)
"""


@pytest.fixture
def shared(rig):
    """The first device shows the second one's memory."""
    with rig.key(0, winreg.KEY_READ) as key:
        before = winreg.QueryValueEx(key, "File")[0]
    with rig.key(1, winreg.KEY_READ) as key:
        other = winreg.QueryValueEx(key, "File")[0]
    point(rig, other)
    rig.resize(0, rig.size(1))
    content = rig.get(1, 0, rig.size(1))
    yield
    point(rig, before)
    assert rig.get(1, 0, rig.size(1)) == content, "the bytes under the lane were not put back"


def point(rig, name):
    with rig.key(0, winreg.KEY_SET_VALUE) as key:
        winreg.SetValueEx(key, "File", 0, winreg.REG_SZ, name)


@pytest.fixture
def peer(shared):
    """Starts a process that answers on the second device."""
    started = []

    def start(wait=""):
        root = os.path.abspath(os.path.join(os.path.dirname(__file__), *[".."] * 4))
        process = subprocess.Popen(
            [sys.executable, "-c", PEER, root, list_windows_bars()[1].path, str(SLEEP_S), wait],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline().strip() == "listening"

    yield start
    for process in started:
        process.communicate(timeout=30)
        assert process.returncode == 0


@pytest.fixture
def woken(monkeypatch):
    """How our own waits ended; nobody looks by itself before SLEEP_S."""
    seen = []
    real = WindowsBell.wait

    def wait(self, timeout_s):
        seen.append(real(self, timeout_s))
        return seen[-1]

    monkeypatch.setattr(WindowsBell, "wait", wait)
    monkeypatch.setattr(echo_python, "_BELL_S", SLEEP_S)
    return seen


def measure(plan):
    spec = RegionSpec(RegionKind.WINDOWS, list_windows_bars()[0].path)
    with open_windows_bar(spec) as region, acquire_lane(region) as hold:
        return run_latency(region, hold.lane, plan, give_up_s=20)


@pytest.mark.parametrize("rate_hz", [0, 100])
def test_two_devices_ring_each_other_awake(peer, woken, rate_hz):
    peer()
    result = measure(replace(PLAN, rate_hz=rate_hz))
    assert result.response.count > 3 * result.lost
    assert result.wait is Wait.BELL
    assert sum(woken) > 0


def test_an_owner_that_polls_rings_who_sleeps(peer, woken):
    peer("POLL")
    # It looks so seldom that we are asleep when it answers; a quicker one answers before we wait.
    result = measure(replace(PLAN, rate_hz=20, duration_s=1.0, poll_ns=20_000_000))
    assert result.response.count > 3 * result.lost
    assert sum(woken) > 0
    assert "The peer waits by its own choice: poll." in result.notes


def test_rings_that_go_elsewhere_are_lost_requests(peer, woken, monkeypatch):
    peer()
    real = WindowsBell.ring
    monkeypatch.setattr(WindowsBell, "ring", lambda self, to: real(self, replace(to, peer=77)))
    result = measure(PLAN)
    assert result.lost > result.response.count


def test_a_plain_device_says_that_it_has_none(shared, rig):
    rig.set(0, Vectors=0)
    try:
        with pytest.raises(MeasureOptionError, match="plain one"):
            measure(PLAN)
    finally:
        rig.set(0, Vectors=2)
