"""Transfer between the host's file and a real guest's BAR, both ways, and the BAR's bandwidth.

The guest is emulated, so no figure is looked at but for being there: what counts is that the
rings, the checks and the lane work across two operating systems.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.core.measure.lane.hold import acquire_lane
from app.core.measure.transfer.transfer import TransferOptions, run_transfer
from app.core.measure.transfer.transfer_result import Direction
from tests.core.measure.peer_programs import opened, responding
from tests.rigs.linux.guest import Guest

pytestmark = [pytest.mark.rig, pytest.mark.timeout(400)]
BIG_BAR = "0000:01:00.0"
SMALL_BAR = "0000:02:00.0"


def test_the_guest_measures_with_the_host(guest: Guest, big: Path) -> None:
    with responding(big) as peer:
        result = guest.scope(
            "transfer",
            BIG_BAR,
            "--direction",
            "both",
            "--size",
            "64,64K",
            "--duration",
            "1",
            "--peer-within",
            "30",
            "--json",
        )
        peer.end()
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert found["clean"]
    for size in found["sizes"]:
        for way in ("to_peer", "from_peer"):
            assert size[way]["messages"] > 0
            assert size[way]["bad"] == size[way]["lost"] == size[way]["out_of_order"] == 0
    assert found["conditions"]["peer"].startswith("host ")
    assert found["conditions"]["us"].startswith("guest ")


def test_the_host_measures_with_the_guest(guest: Guest, big: Path, tmp_path: Path) -> None:
    with opened(big) as region, acquire_lane(region, folder=tmp_path) as hold:
        peer = guest.spawn_scope("respond", BIG_BAR)
        try:
            options = TransferOptions((4096,), Direction.BOTH, duration_s=3)
            result = run_transfer(region, hold.lane, options, give_up_s=60)
        finally:
            answered = peer.end()
    assert answered.code == 0, answered.err
    assert result.clean
    assert result.conditions.peer.startswith("guest ")


def test_the_bars_bandwidth_by_cache_mode(guest: Guest, small: Path) -> None:
    before = small.read_bytes()
    result = guest.scope(
        "bandwidth",
        SMALL_BAR,
        "--blocks",
        "4K,128K",
        "--slice",
        "2",
        "--lane-size",
        "320K",
        "--slots",
        "1",
        "--json",
    )
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert [mode["mode"] for mode in found["modes"]] == ["write-combined", "uncached"]
    assert not found["not_measured"]
    for mode in found["modes"]:
        assert [block["block_bytes"] for block in mode["blocks"]] == [4096, 128 << 10]
        assert all(value > 0 for block in mode["blocks"] for value in block.values())
        assert "BAR" in mode["verdict"]
    assert small.read_bytes() == before
