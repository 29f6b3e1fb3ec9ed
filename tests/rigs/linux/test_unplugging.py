"""A device is unplugged from a real guest while everything is at work on it.

The last file of the rig: no test after it can use the small device.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.core.measure.peer_programs import responding
from tests.rigs.linux.guest import Guest
from tests.rigs.linux.test_linux_guest import BIG_BAR, SMALL_BAR, peek, poke
from tests.rigs.linux.unplugged import READY_AT

pytestmark = [pytest.mark.rig, pytest.mark.timeout(400)]


def test_unplugging_while_open_is_said_and_the_program_lives(guest: Guest, small: Path) -> None:
    poke(small, 0, bytes(small.stat().st_size))
    with responding(small) as peer:
        holding = guest.spawn_module("tests.rigs.linux.unplugged", SMALL_BAR)
        watching = guest.spawn_scope("watch", SMALL_BAR, "0", "64", "--quiet")
        measuring = guest.spawn_scope(
            "latency", SMALL_BAR, "--duration", "600", "--rate", "200", "--wait", "poll"
        )
        watching.until("observed change rate")
        # The first test that it is asked for is the short one that compares the clocks.
        peer.wait_for(lambda state: state["phase"] == "answering" and state["tests"] > 0)
        deadline = time.monotonic() + 150
        while not any(peek(small, READY_AT, 8)):
            if time.monotonic() > deadline:
                pytest.fail(f"the guest did not begin to watch: {holding.told()}")
            time.sleep(0.05)
        guest.unplug(1)
        result = holding.wait()
        watched, measured = watching.wait(), measuring.wait()
        assert peer.end()[0] == 0
    assert result.code == 0, result.out + result.err
    said = json.loads(result.out)
    assert said["health"] == "unplugged", said
    assert "0000:02:00.0 was removed" in said["health_text"]
    assert said["shown_bytes"] > 0, "the last picture stays"
    assert said["engine_lives"], said
    assert [said[what] for what in ("read", "load", "write")] == ["unplugged"] * 3, said
    assert [said[what] for what in ("map_again", "find_again")] == ["cannot-find"] * 2, said
    for verb in (watched, measured):
        assert verb.code == 5, verb
        assert "was removed" in verb.err

    result = guest.scope("list", "--json")
    locations = [device["location"] for device in json.loads(result.out)["devices"]]
    assert SMALL_BAR not in locations
    assert BIG_BAR in locations
    half = small.stat().st_size // 2
    assert not any(peek(small, half, half)), "the bytes under the lane are as they were"
