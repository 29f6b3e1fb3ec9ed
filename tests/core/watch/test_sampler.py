"""The sampler's thread on real files, with real writers in other processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app.core.backends.open_region import open_region
from app.core.engine.frame_board import FrameBoard
from app.core.errors import TruncatedError
from app.core.region.region import PAGE, RegionKind, RegionSpec
from app.core.watch.frame import Frame, Level
from app.core.watch.sampler import Sampler
from app.core.watch.timing import SAVED_NS, WINDOW_NS, Budget, Deadlines, Meter, Reading
from tests.fakes.file_region import FileRegion

MIB = 1 << 20

# Toggles a range of a shared file between two patterns until it is killed.
TOGGLER = """
import mmap, sys
path, start, length = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open(path, "r+b") as file:
    view = mmap.mmap(file.fileno(), 0)
one, other = b"\\x11" * length, b"\\xee" * length
print("ready", flush=True)
while True:
    view[start:start + length] = one
    view[start:start + length] = other
"""


def until(fact: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for a fact; its absence fails the test."""
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.002)


class Watch:
    """A sampler, its region and every frame that it published."""

    def __init__(self, path: Path) -> None:
        self.region = FileRegion(path)
        self.frames: list[Frame] = []
        self.status = (0, True)
        self.sampler = Sampler(self.region, status=lambda: self.status, publish=self.frames.append)

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    def next_frame(self) -> Frame:
        """The first frame whose look began after now."""
        now = time.monotonic_ns()
        until(lambda: self.frame.time_ns > now)
        return self.frame

    def flip(self, offset: int, length: int = 1) -> None:
        data = os.pread(self.region.fd, length, offset)
        os.pwrite(self.region.fd, bytes(byte ^ 0x5A for byte in data), offset)


@pytest.fixture
def path() -> Iterator[Path]:
    folder = "/dev/shm" if os.path.isdir("/dev/shm") else None
    handle, name = tempfile.mkstemp(prefix="ivshmem-scope-test-", dir=folder)
    os.write(handle, np.random.default_rng(5).integers(0, 256, 4 * MIB, np.uint8).tobytes())
    os.close(handle)
    yield Path(name)
    os.unlink(name)


@pytest.fixture
def watch(path: Path) -> Iterator[Watch]:
    made = Watch(path)
    made.sampler.start()
    until(lambda: made.frames)
    yield made
    made.sampler.stop()
    made.region.close()


@pytest.fixture
def toggler(path: Path) -> Iterator[None]:
    """Another process that never stops writing bytes 64 to 2112."""
    arguments = [sys.executable, "-c", TOGGLER, str(path), "64", "2048"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield
        process.kill()


def test_a_frame_is_the_bytes_and_nothing_in_it_can_be_changed(watch: Watch) -> None:
    frame = watch.frame
    assert (frame.start, len(frame.data)) == (0, PAGE)
    assert frame.data.tobytes() == os.pread(watch.region.fd, PAGE, 0)
    assert frame.health.level is Level.GOOD
    sample = frame.sample
    assert not sample.changed.any()
    assert not sample.changed_ns.any()
    for array in (sample.data, sample.flux, sample.changed, sample.changed_ns, sample.mine):
        assert len(array) == PAGE
        assert not array.flags.writeable


def test_a_change_is_seen_once_and_its_time_stays(watch: Watch) -> None:
    before = time.monotonic_ns()
    watch.flip(100, 3)
    until(lambda: watch.frame.sample.changed_ns[100])
    first = watch.next_frame().sample.changed_ns
    assert np.flatnonzero(first).tolist() == [100, 101, 102]
    assert before < first[100] == first[102]
    assert not watch.next_frame().sample.changed.any()
    assert watch.frame.sample.changed_ns[101] == first[101]
    assert [
        np.flatnonzero(f.sample.changed).tolist() for f in watch.frames if f.sample.changed.any()
    ] == [[100, 101, 102]]


def test_numbers_grow_and_frames_already_given_out_stay_as_they_were(watch: Watch) -> None:
    kept = watch.frame
    copy = kept.data.copy()
    watch.flip(0, PAGE)
    until(lambda: watch.frame.sample.changed_ns.all())
    assert (kept.data == copy).all()
    assert [frame.number for frame in watch.frames] == list(range(1, len(watch.frames) + 1))


def test_scrolling_keeps_what_is_known_and_new_bytes_take_nothing(watch: Watch) -> None:
    watch.flip(3000, 2)
    watch.flip(5000, 1)
    until(lambda: watch.frame.sample.changed_ns[3000])
    stamp = watch.frame.sample.changed_ns[3000]
    watch.sampler.watch_range(2000, 4000)
    until(lambda: watch.frame.start == 2000)
    frame = watch.frame
    assert np.flatnonzero(frame.sample.changed_ns).tolist() == [1000, 1001]
    assert frame.sample.changed_ns[1000] == stamp
    assert frame.data.tobytes() == os.pread(watch.region.fd, 4000, 2000)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ((-50, 100), (0, 100)),
        ((4 * MIB - 10, 100), (4 * MIB - 10, 10)),
        ((1 << 50, 5), (4 * MIB - 1, 1)),
        ((16, 0), (16, 1)),
        ((7, 1 << 40), (7, MIB)),
    ],
)
def test_looks_are_clamped(watch: Watch, asked: tuple[int, int], shown: tuple[int, int]) -> None:
    watch.sampler.watch_range(*asked)
    until(lambda: (watch.frame.start, len(watch.frame.data)) == shown)


@pytest.mark.usefixtures("toggler")
def test_bytes_in_flux_are_marked_and_only_those(watch: Watch) -> None:
    until(lambda: any(frame.sample.flux.any() for frame in watch.frames))
    for frame in watch.frames:
        assert not frame.sample.flux[:64].any()
        assert not frame.sample.flux[64 + 2048 :].any()


@pytest.mark.usefixtures("toggler")
def test_a_busy_page_shows_in_activity_and_traffic(watch: Watch) -> None:
    watch.sampler.watch_range(2 * MIB, PAGE)
    until(lambda: watch.frame.start == 2 * MIB)
    until(lambda: watch.frame.activity.rate[0] > 1)
    until(lambda: watch.frame.traffic.observed_bytes_per_s > 0)
    activity = watch.next_frame().activity
    assert np.flatnonzero(activity.changed_ns).tolist() == [0]
    assert activity.seen_ns.all()
    assert watch.frame.traffic.over_ns > 0


def test_our_own_write_is_mine_until_a_peer_changes_it(watch: Watch) -> None:
    watch.sampler.note_write(200, 4)
    watch.flip(200, 4)
    until(lambda: watch.frame.sample.changed_ns[200])
    frame = watch.next_frame()
    assert np.flatnonzero(frame.sample.mine).tolist() == [200, 201, 202, 203]
    assert watch.sampler.find_change(0) is None
    watch.flip(202)
    until(lambda: not watch.frame.sample.mine[202])
    assert np.flatnonzero(watch.frame.sample.mine).tolist() == [200, 201, 203]
    assert watch.sampler.find_change(0) == 202


def test_what_we_write_is_counted_as_ours_and_not_as_observed(watch: Watch) -> None:
    for offset in (300, 3 * MIB):
        watch.sampler.note_write(offset, 8)
        watch.flip(offset, 8)
    until(lambda: watch.frame.traffic.written_bytes_per_s > 0)
    turns = watch.sampler.sweep.turns
    until(lambda: watch.sampler.sweep.turns >= turns + 2)
    assert watch.sampler.sweep.totals.changed_bytes == 0
    assert all(frame.traffic.observed_bytes_per_s == 0 for frame in watch.frames)


def test_find_change_is_exact_in_view_and_knows_pages_elsewhere(watch: Watch) -> None:
    until(lambda: watch.sampler.sweep.turns)
    for offset in (10, 12, 3 * MIB + 77):
        watch.flip(offset)
    until(lambda: watch.sampler.find_change(12) == 3 * MIB + 77)
    until(lambda: watch.frame.sample.changed_ns[12])
    assert watch.sampler.find_change(0) == 10
    assert watch.sampler.find_change(10) == 12
    assert watch.sampler.find_change(4 * MIB - 1) == 10
    assert watch.sampler.find_change(10, backwards=True) == 3 * MIB + 77
    assert watch.sampler.find_change(0, within_ns=1) is None


def test_paused_reads_nothing_and_a_step_reads_once(watch: Watch) -> None:
    watch.sampler.set_paused(True)
    until(lambda: watch.frame.paused)
    frozen, reads = watch.frame, len(watch.region.reads)
    watch.flip(50)
    watch.status = (3, False)
    until(lambda: watch.frame.writes == 3)
    assert len(watch.region.reads) == reads
    assert watch.frame.data is frozen.data
    assert not watch.frame.locked
    watch.sampler.step()
    until(lambda: watch.frame.sample.changed.any())
    assert watch.frame.paused
    assert watch.frame.period_ns == 0
    assert watch.region.reads[reads : reads + 2] == [(0, PAGE), (0, PAGE)]
    watch.sampler.set_paused(False)
    until(lambda: not watch.frame.paused)


def test_truncation_is_a_fault_that_keeps_the_picture_and_heals(watch: Watch) -> None:
    last = watch.frame.data
    os.ftruncate(watch.region.fd, 100)
    until(lambda: watch.frame.health.level is Level.FAULT)
    assert watch.frame.health.code == "truncated"
    assert (watch.frame.data == last).all()
    assert isinstance(watch.sampler.error, TruncatedError)
    os.ftruncate(watch.region.fd, 4 * MIB)
    until(lambda: watch.frame.health.level is Level.GOOD)
    assert watch.sampler.error is None
    until(lambda: not watch.next_frame().data[100:].any())


def test_a_frame_that_its_board_refuses_does_not_end_the_thread(path: Path) -> None:
    board = FrameBoard()
    with open_region(RegionSpec(RegionKind.FILE, str(path))) as region:
        sampler = Sampler(region, publish=board.publish)
        sampler.start()
        until(board.fetch)
        sampler.watch_range(0, MIB)  # four times what the board takes
        until(lambda: sampler.error is not None)
        assert "do not fit" in str(sampler.error)
        sampler.watch_range(0, PAGE)
        until(board.fetch)
        until(lambda: sampler.error is None)
        sampler.stop()
    board.close()


def test_truncated_and_grown_again_and_again_never_ends_the_thread(watch: Watch) -> None:
    watch.sampler.set_rate(240)
    stop = threading.Event()

    def torment() -> None:
        while not stop.is_set():
            os.ftruncate(watch.region.fd, 4096 * 3)
            os.ftruncate(watch.region.fd, 4 * MIB)

    thread = threading.Thread(target=torment, daemon=True)
    thread.start()
    until(lambda: any(frame.health.level is Level.FAULT for frame in watch.frames))
    stop.set()
    thread.join(5)
    until(lambda: watch.next_frame().health.level is Level.GOOD)


def test_closing_the_region_is_said_and_the_sampler_still_stops(path: Path) -> None:
    watch = Watch(path)
    watch.sampler.start()
    until(lambda: watch.frames)
    watch.region.close()
    until(lambda: watch.frame.health.code == "closed")
    watch.sampler.stop()
    watch.sampler.stop()
    assert not any(thread.name == "sampler" for thread in threading.enumerate())


def test_the_rate_is_what_was_asked_for_within_limits(watch: Watch) -> None:
    watch.sampler.set_rate(1000)
    until(lambda: watch.frame.period_ns <= 1e9 / 240 + 1)
    watch.sampler.set_rate(0)
    until(lambda: watch.frame.period_ns == 1_000_000_000)


def test_a_look_does_not_wait_for_a_slow_rate(watch: Watch) -> None:
    watch.sampler.set_rate(1)
    until(lambda: watch.frame.period_ns == 1_000_000_000)
    starts = list(range(0, 20 * PAGE, PAGE))
    for start in starts:
        watch.sampler.watch_range(start, PAGE)
        until(lambda start=start: watch.frame.start == start, 0.9)


def test_the_budget_is_a_share_of_the_wall_that_debts_reduce() -> None:
    wall, spent = [0], [0]
    budget = Budget(0.25, wall=lambda: wall[0], spent=lambda: spent[0])
    assert budget.left_ns() == 0
    wall[0] = 40_000_000
    assert budget.left_ns() == 10_000_000
    spent[0] = 15_000_000
    assert budget.left_ns() == -5_000_000
    wall[0] = 60_000_000
    assert budget.left_ns() == 0
    wall[0] += 10**12
    assert budget.left_ns() == SAVED_NS // 4


def test_deadlines_neither_drift_nor_pile_up() -> None:
    deadlines = Deadlines(1000, 100)
    deadlines.advance(1030)
    assert deadlines.next_ns == 1100
    deadlines.advance(1350)
    assert deadlines.next_ns == 1400
    deadlines.set_period(10)
    assert deadlines.next_ns == 1310


def test_rates_are_over_the_window_that_they_name() -> None:
    meter = Meter()
    tenth = 100_000_000
    for number in range(30):
        total = 1000 * number
        traffic = meter.add(
            Reading(number * tenth, total, 2 * total, 3 * total, number * tenth // 4)
        )
    assert WINDOW_NS <= traffic.over_ns <= 1_000_000_000
    assert traffic.observed_bytes_per_s == pytest.approx(10_000)
    assert traffic.read_bytes_per_s == pytest.approx(20_000)
    assert traffic.written_bytes_per_s == pytest.approx(30_000)
    assert traffic.cost == pytest.approx(0.25)


def test_looking_allocates_no_holes(path: Path) -> None:
    path.write_bytes(b"")
    os.truncate(path, 64 * MIB)
    watch = Watch(path)
    watch.sampler.start()
    until(lambda: watch.sampler.sweep.turns > 3)
    watch.sampler.watch_range(MIB, MIB)
    until(lambda: watch.frames and watch.frame.start == MIB)
    assert os.fstat(watch.region.fd).st_blocks == 0
    assert not watch.next_frame().activity.allocated.any()
    watch.sampler.stop()
    watch.region.close()


def test_a_real_shared_file_is_watched_faults_and_heals(path: Path) -> None:
    with open_region(RegionSpec(RegionKind.FILE, str(path))) as region:
        frames: list[Frame] = []
        sampler = Sampler(region, publish=frames.append)
        sampler.start()
        until(lambda: frames and sampler.sweep.turns)
        with path.open("r+b") as peer:
            peer.seek(2 * MIB)
            peer.write(b"other bytes than before")
        until(lambda: (sampler.find_change(0) or 0) >= 2 * MIB)
        os.truncate(path, PAGE)
        until(lambda: isinstance(sampler.error, TruncatedError))
        os.truncate(path, 4 * MIB)
        until(lambda: sampler.error is None)
        sampler.stop()
