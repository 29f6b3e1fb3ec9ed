"""The exact scan of whole regions, on real files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors import TruncatedError
from app.core.region.region import PAGE
from app.core.watch.page_table import BLOCK, MAX_CELLS, cell_pages
from app.core.watch.sweep import Sweep, next_offset
from tests.core.watch.turns import whole_turn
from tests.fakes.file_region import FileRegion

MIB = 1 << 20
SECOND = 1_000_000_000


class Clock:
    """A clock that moves by a microsecond each time it is read, and on demand."""

    def __init__(self) -> None:
        self.now_ns = SECOND

    def __call__(self) -> int:
        self.now_ns += 1000
        return self.now_ns


@pytest.fixture
def path() -> Iterator[Path]:
    folder = "/dev/shm" if os.path.isdir("/dev/shm") else None
    handle, name = tempfile.mkstemp(prefix="ivshmem-scope-test-", dir=folder)
    os.close(handle)
    yield Path(name)
    os.unlink(name)


def region_of(path: Path, size: int, *, filled: bool = False) -> FileRegion:
    with path.open("wb") as file:
        file.truncate(size)
        if filled:
            file.write(np.random.default_rng(7).integers(0, 256, size, np.uint8).tobytes())
    return FileRegion(path)


def find_change(
    sweep: Sweep, start: int, *, backwards: bool = False, since_ns: int = 1
) -> int | None:
    """As the sampler finds it outside of the visible range."""
    return next_offset(sweep.changed_offsets(since_ns), start, backwards=backwards)


def blocks_of(region: FileRegion) -> int:
    return os.fstat(region.fd).st_blocks


def test_first_look_is_no_change_and_the_second_finds_exactly_what_changed(path: Path) -> None:
    with region_of(path, MIB, filled=True) as region:
        sweep = Sweep(region)
        first = whole_turn(sweep)
        assert (first.read_bytes, first.changed_pages) == (MIB, 0)
        old = region.read(5 * PAGE + 10, 3)
        region.write(5 * PAGE + 10, bytes(byte ^ 0xFF for byte in old))
        second = whole_turn(sweep)
        assert (second.changed_pages, second.changed_bytes) == (1, 3)
        assert sweep.changed_offsets().tolist() == [5 * PAGE + 10, 5 * PAGE + 12]
        assert whole_turn(sweep).changed_pages == 0


@pytest.mark.parametrize("size", [1, 5, PAGE - 1, PAGE, PAGE + 1, BLOCK + 1, 3 * BLOCK - 7])
def test_odd_sizes_are_watched_to_their_last_byte(path: Path, size: int) -> None:
    with region_of(path, size, filled=True) as region:
        sweep = Sweep(region)
        whole_turn(sweep)
        region.write(size - 1, bytes([region.read(size - 1, 1)[0] ^ 1]))
        assert whole_turn(sweep).changed_bytes == 1
        assert find_change(sweep, 0) == size - 1
        activity = sweep.activity()
        assert len(activity.rate) == -(-size // PAGE)
        assert activity.changed_ns[-1] > 0
        assert activity.seen_ns.all()


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(st.integers(0, 40 * PAGE - 1), max_size=60), min_size=1, max_size=4))
def test_any_changes_are_counted_to_the_byte(path: Path, rounds: list[list[int]]) -> None:
    with region_of(path, 40 * PAGE, filled=True) as region:
        sweep = Sweep(region)
        whole_turn(sweep)
        for offsets in rounds:
            chosen = sorted(set(offsets))
            for at in chosen:
                region.write(at, bytes([region.read(at, 1)[0] ^ 0x55]))
            found = whole_turn(sweep)
            assert found.changed_bytes == len(chosen)
            assert found.changed_pages == len({at // PAGE for at in chosen})


def test_looking_at_holes_allocates_nothing_and_reads_only_what_is_there(path: Path) -> None:
    with region_of(path, 64 * MIB) as region:
        os.pwrite(region.fd, b"x" * PAGE, 9 * MIB)
        os.pwrite(region.fd, b"y" * PAGE, 9 * MIB + 2 * PAGE)
        before = blocks_of(region)
        sweep = Sweep(region)
        for _ in range(3):
            assert whole_turn(sweep).read_bytes == 2 * PAGE
        assert blocks_of(region) == before
        allocated = np.flatnonzero(sweep.activity().allocated)
        assert allocated.tolist() == [9 * 256, 9 * 256 + 2]
        assert sweep.activity().seen_ns.all()


@pytest.mark.parametrize("data", [b"\0" * 8, b"\0\0hi"])
def test_what_appears_in_a_hole_is_a_change_even_if_it_is_zeros(path: Path, data: bytes) -> None:
    with region_of(path, 4 * MIB) as region:
        sweep = Sweep(region)
        assert whole_turn(sweep).read_bytes == 0
        os.pwrite(region.fd, data, MIB)
        found = whole_turn(sweep)
        assert found.changed_pages == 1
        assert found.changed_bytes == len(data.strip(b"\0"))
        assert whole_turn(sweep).changed_pages == 0


def test_sixteen_gib_sparse_takes_cells_not_gigabytes(path: Path) -> None:
    with region_of(path, 16 << 30) as region:
        far = (15 << 30) + 12345
        os.pwrite(region.fd, b"a", 5)
        os.pwrite(region.fd, b"b", far)
        before = blocks_of(region)
        sweep = Sweep(region)
        assert whole_turn(sweep).read_bytes == 2 * PAGE
        os.pwrite(region.fd, b"c", far)
        assert whole_turn(sweep).changed_bytes == 1
        activity = sweep.activity()
        assert len(activity.rate) == MAX_CELLS
        assert activity.cell_bytes == MIB
        assert np.flatnonzero(activity.changed_ns).tolist() == [far // MIB]
        assert find_change(sweep, 0) == far
        assert blocks_of(region) == before


def test_cells_are_powers_of_two_and_few_enough() -> None:
    for pages in (1, 2, MAX_CELLS, MAX_CELLS + 1, 3 * MAX_CELLS, 1 << 22):
        per_cell = cell_pages(pages)
        assert per_cell & (per_cell - 1) == 0
        assert -(-pages // per_cell) <= MAX_CELLS
        assert per_cell == 1 or -(-pages // (per_cell // 2)) > MAX_CELLS


def test_beyond_the_memory_bound_pages_are_counted_whole_and_it_says_so(path: Path) -> None:
    with region_of(path, 8 * PAGE, filled=True) as region:
        sweep = Sweep(region, memory_bound=2 * PAGE)
        whole_turn(sweep)
        assert not sweep.activity().exact
        region.write(0, bytes([region.read(0, 1)[0] ^ 1]))
        assert whole_turn(sweep).changed_bytes == 1
        region.write(7 * PAGE, bytes([region.read(7 * PAGE, 1)[0] ^ 1]))
        found = whole_turn(sweep)
        assert (found.changed_pages, found.changed_bytes) == (1, PAGE)


def test_a_scan_goes_on_where_the_deadline_stopped_it(path: Path) -> None:
    clock = Clock()
    with region_of(path, 4 * MIB, filled=True) as region:
        sweep = Sweep(region, clock=clock, chunk_blocks=1)
        calls = 1
        while not sweep.scan(clock.now_ns):
            calls += 1
        assert calls >= 4 * MIB // BLOCK
        starts = [offset for offset, _ in region.reads]
        assert starts == sorted(set(starts))
        assert sum(length for _, length in region.reads) == 4 * MIB


def test_a_busy_block_is_visited_more_often_than_the_rest(path: Path) -> None:
    clock = Clock()
    with region_of(path, 4 * MIB, filled=True) as region:
        sweep = Sweep(region, clock=clock, chunk_blocks=1)
        whole_turn(sweep)
        busy, quiet = 7 * BLOCK, 40 * BLOCK
        region.write(busy, bytes([region.read(busy, 1)[0] ^ 1]))
        whole_turn(sweep)
        clock.now_ns += SECOND // 5
        sweep.turn_ns = SECOND
        region.reads.clear()
        while not sweep.scan(clock.now_ns + 3000):
            clock.now_ns += SECOND // 50
        starts = [offset for offset, _ in region.reads]
        assert starts.count(quiet) == 1
        assert starts.count(busy) > 10


def test_rate_is_changes_per_second_between_looks_and_decays(path: Path) -> None:
    clock = Clock()
    with region_of(path, 2 * PAGE, filled=True) as region:
        sweep = Sweep(region, clock=clock)
        whole_turn(sweep)
        for number in range(60):
            clock.now_ns += SECOND // 10
            region.write(PAGE, bytes([number]))
            whole_turn(sweep)
        rate = sweep.activity().rate
        assert rate[0] == 0
        assert rate[1] == pytest.approx(10, rel=0.1)
        clock.now_ns += 3 * SECOND
        whole_turn(sweep)
        assert sweep.activity().rate[1] == pytest.approx(10 * np.exp(-3), rel=0.1)
        assert rate[1] == pytest.approx(10, rel=0.1)


def test_our_own_write_is_not_observed_but_a_peers_next_one_is(path: Path) -> None:
    with region_of(path, BLOCK, filled=True) as region:
        sweep = Sweep(region)
        whole_turn(sweep)
        sweep.note_write(100, 4)
        region.write(100, bytes(byte ^ 1 for byte in region.read(100, 4)))
        assert whole_turn(sweep).changed_bytes == 0
        assert find_change(sweep, 0) is None
        region.write(100, bytes(byte ^ 1 for byte in region.read(100, 4)))
        assert whole_turn(sweep).changed_bytes == 4
        assert find_change(sweep, 0) == 100


def test_a_peers_change_beside_ours_in_the_same_page_is_observed(path: Path) -> None:
    with region_of(path, BLOCK, filled=True) as region:
        sweep = Sweep(region)
        whole_turn(sweep)
        sweep.note_write(100, 4)
        region.write(98, bytes(byte ^ 1 for byte in region.read(98, 8)))
        found = whole_turn(sweep)
        assert (found.changed_pages, found.changed_bytes) == (1, 4)
        assert sweep.changed_offsets().tolist() == [98, 105]


def test_find_change_goes_both_ways_around_and_by_age(path: Path) -> None:
    clock = Clock()
    with region_of(path, 8 * BLOCK, filled=True) as region:
        sweep = Sweep(region, clock=clock)
        whole_turn(sweep)
        for at in (10, 3 * BLOCK + 5, 6 * BLOCK):
            region.write(at, bytes([region.read(at, 1)[0] ^ 1]))
            whole_turn(sweep)
            clock.now_ns += SECOND
        assert find_change(sweep, 0) == 10
        assert find_change(sweep, 10) == 3 * BLOCK + 5
        assert find_change(sweep, 7 * BLOCK) == 10
        assert find_change(sweep, 10, backwards=True) == 6 * BLOCK
        assert find_change(sweep, 0, since_ns=clock.now_ns - 3 * SECOND // 2) == 6 * BLOCK
        assert find_change(sweep, 0, since_ns=clock.now_ns - SECOND // 2) is None


def test_a_truncated_file_is_raised_and_the_next_turn_starts_anew(path: Path) -> None:
    with region_of(path, MIB, filled=True) as region:
        sweep = Sweep(region)
        whole_turn(sweep)
        os.ftruncate(region.fd, MIB // 2)
        with pytest.raises(TruncatedError):
            whole_turn(sweep)
        with pytest.raises(TruncatedError):
            sweep.scan(1 << 62)
        os.ftruncate(region.fd, MIB)
        assert sweep.scan(1 << 62)


def test_activity_is_frozen_and_the_same_until_something_was_looked_at(path: Path) -> None:
    with region_of(path, MIB, filled=True) as region:
        sweep = Sweep(region)
        whole_turn(sweep)
        activity = sweep.activity()
        assert sweep.activity() is activity
        whole_turn(sweep)
        assert sweep.activity().number == activity.number + 1
        for array in (activity.rate, activity.changed_ns, activity.seen_ns, activity.allocated):
            assert not array.flags.writeable
