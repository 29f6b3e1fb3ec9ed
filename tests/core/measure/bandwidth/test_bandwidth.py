"""The raw mapping's figures, the verdict in words, and that nothing outside the lane is touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.errors import LaneError, MeasureOptionError, PeerBusyError, RegionGoneError
from app.core.measure.bandwidth.bandwidth import (
    BandwidthLive,
    BandwidthOptions,
    BlockFigures,
    modes_of,
    run_bandwidth,
    verdict,
)
from app.core.measure.lane.hold import acquire_lane
from app.core.measure.lane.peer_card import EngineKind
from app.core.measure.run_context import RunContext
from app.core.region.region import CacheMode, RegionInfo, RegionKind, RegionSpec
from tests.core.measure.peer_programs import ROOT, need_kernel, opened

MakeFile = Callable[..., Path]
QUICK = BandwidthOptions(blocks=(4096, 65536), slice_s=0.001)


@pytest.mark.parametrize("engine", list(EngineKind))
def test_every_figure_is_there_and_the_bytes_are_put_back(
    path: Path, tmp_path: Path, engine: EngineKind
) -> None:
    need_kernel(engine)
    before = path.read_bytes()
    told: list[BandwidthLive] = []
    with opened(path) as region, acquire_lane(region, slots=1, folder=tmp_path) as hold:
        lane = hold.lane
        result = run_bandwidth(region, lane, replace(QUICK, engine=engine), RunContext(told.append))
        now = path.read_bytes()
    assert now[: lane.offset] == before[: lane.offset]
    assert now[lane.span.end :] == before[lane.span.end :]
    assert path.read_bytes() == before
    assert (result.engine, result.complete) == (engine, True)
    assert [block.block_bytes for block in result.blocks] == [4096, 65536]
    plain = result.as_dict()
    assert all(value > 0 for block in plain["blocks"] for value in block.values())
    assert [live.share for live in told] == [0.25, 0.5, 0.75, 1.0]
    assert plain["verdict"].startswith("This mapping")


def test_blocks_that_do_not_fit_are_left_out_and_named(path: Path, tmp_path: Path) -> None:
    options = replace(QUICK, blocks=(4096, 8 << 20))
    with opened(path) as region, acquire_lane(region, slots=1, folder=tmp_path) as hold:
        result = run_bandwidth(region, hold.lane, options)
        assert [block.block_bytes for block in result.blocks] == [4096]
        assert any("8 MiB" in note for note in result.notes)
        with pytest.raises(LaneError, match="no block fits"):
            run_bandwidth(region, hold.lane, replace(QUICK, blocks=(8 << 20,)))


def test_a_stopped_test_gives_what_it_has(path: Path, tmp_path: Path) -> None:
    told: list[BandwidthLive] = []
    with opened(path) as region, acquire_lane(region, slots=1, folder=tmp_path) as hold:
        result = run_bandwidth(
            region, hold.lane, QUICK, RunContext(told.append, cancelled=lambda: len(told) > 2)
        )
    assert not result.complete
    assert len(result.blocks) == 1


def test_a_lane_whose_slots_are_taken_is_refused(path: Path, tmp_path: Path) -> None:
    """Another measures there: nothing of its is touched."""
    with opened(path) as region, acquire_lane(region, slots=1, folder=tmp_path) as hold:

        def second(live: BandwidthLive) -> None:
            def beating(seconds: float) -> None:
                raise PeerBusyError("still taken")

            with pytest.raises(PeerBusyError):
                run_bandwidth(region, hold.lane, QUICK, RunContext(sleep=beating))

        result = run_bandwidth(
            region, hold.lane, replace(QUICK, blocks=(4096,)), RunContext(second)
        )
    assert result.complete


def test_a_region_cut_meanwhile_is_an_error_with_a_name(
    path: Path, tmp_path: Path, loops: EngineKind
) -> None:
    plan = replace(QUICK, engine=loops)
    with (
        opened(path) as region,
        acquire_lane(region, slots=1, folder=tmp_path) as hold,
        pytest.raises(RegionGoneError),
    ):
        run_bandwidth(region, hold.lane, plan, RunContext(lambda live: os.truncate(path, 4096)))


@pytest.mark.parametrize(
    "options",
    [
        replace(QUICK, blocks=()),
        replace(QUICK, blocks=(0,)),
        replace(QUICK, blocks=(5000,)),
        replace(QUICK, slice_s=0),
        replace(QUICK, slice_s=float("nan")),
    ],
)
def test_what_cannot_be_measured_is_said(options: BandwidthOptions) -> None:
    with pytest.raises(MeasureOptionError):
        options.check()


def _info(kind: RegionKind) -> RegionInfo:
    return RegionInfo(RegionSpec(kind, "x"), "x", "guest", "x", 1 << 20, True)


def _figures(read: float, write: float) -> list[BlockFigures]:
    return [BlockFigures(1 << 20, read, write, read, 10e9, 1, 1, 1, 1)]


@pytest.mark.parametrize(
    ("kind", "read", "write", "says", "advises"),
    [
        (RegionKind.BAR, 94e6, 120e6, "This BAR is uncached: 94 MB/s.", "kvmfr"),
        (RegionKind.WINDOWS, 12e6, 5e9, "write-combined: writing 5.0 GB/s, reading 12", "kvmfr"),
        (RegionKind.FILE, 9.5e9, 9e9, "This mapping is cached: 9.5 GB/s, 95 %", ""),
        (RegionKind.BAR, 2e9, 2e9, "This BAR reads at 2.0 GB/s, 20 %", "emulated guest"),
    ],
)
def test_the_verdict_in_words(
    kind: RegionKind, read: float, write: float, says: str, advises: str
) -> None:
    found = verdict(_info(kind), _figures(read, write))
    assert says in found.sentence
    assert advises in found.advice
    assert verdict(_info(kind), []).sentence == "Nothing was measured."


@pytest.mark.parametrize(
    ("write", "load_ns", "says"),
    [
        (1.1e9, 120.0, "This BAR is uncached: 900 MB/s."),
        (6e9, 120.0, "This BAR is write-combined: writing 6.0 GB/s, reading 900 MB/s."),
        (6e9, 9.0, "This BAR reads at 900 MB/s, 9 %"),
    ],
)
def test_wide_loads_do_not_hide_that_each_goes_out_to_the_memory(
    write: float, load_ns: float, says: str
) -> None:
    """Copies by wide accesses may be quick where a single word still takes a trip."""
    (plain,) = _figures(900e6, write)
    small = replace(plain, block_bytes=4096, load_ns=load_ns, own_load_ns=1.5)
    found = verdict(_info(RegionKind.BAR), [small, plain])
    assert found.sentence.startswith(says)


def test_modes_by_kind() -> None:
    assert modes_of(RegionSpec(RegionKind.FILE, "x")) == [CacheMode.DEFAULT]
    assert modes_of(RegionSpec(RegionKind.BAR, "x")) == [
        CacheMode.WRITE_COMBINED,
        CacheMode.UNCACHED,
    ]
    assert len(modes_of(RegionSpec(RegionKind.WINDOWS, "x"))) == 3
    only = RegionSpec(RegionKind.BAR, "x", cache=CacheMode.UNCACHED)
    assert modes_of(only) == [CacheMode.UNCACHED]


def test_the_verb(path: Path) -> None:
    before = path.read_bytes()
    command = [sys.executable, "-m", "app", "bandwidth", str(path), "--slice", "1"]
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert text.returncode == 0, text.stderr
    assert "This mapping" in text.stdout
    assert "measured in" in text.stdout
    done = subprocess.run(
        [*command, "--json", "--blocks", "4K"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    plain = json.loads(done.stdout)
    assert [block["block_bytes"] for block in plain["modes"][0]["blocks"]] == [4096]
    assert path.read_bytes() == before
    path.chmod(0o444)
    wrong = subprocess.run(
        [*command, "--blocks", "5"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert wrong.returncode in (2, 4)
