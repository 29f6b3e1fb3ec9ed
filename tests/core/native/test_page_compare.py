"""Pages compared in the mapping: the same findings as by copying, no holes filled, no SIGBUS."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.backends.open_region import open_region
from app.core.errors import ClosedError, OutOfRangeError, TruncatedError
from app.core.native.kernel import kernel, why_absent
from app.core.native.page_compare import copy_differing
from app.core.region.region import PAGE, Region, RegionKind, RegionSpec
from app.core.watch.sweep import Sweep
from tests.core.watch.turns import whole_turn

ShmFile = Callable[..., Path]
MIB = 1 << 20
SWITCH = "IVSHMEM_SCOPE_KERNEL"
needs_kernel = pytest.mark.skipif(kernel() is None, reason=f"the C kernel is {why_absent()}")
without_reset = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def opened(path: Path, **more: object) -> Region:
    return open_region(RegionSpec(RegionKind.FILE, str(path), **more))  # type: ignore[arg-type]


def invert(path: Path, offsets: list[int]) -> None:
    """Change bytes as a peer does."""
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        for at in offsets:
            memory[at] ^= 0xFF


@pytest.fixture
def mapping() -> Iterator[mmap.mmap]:
    with tempfile.TemporaryFile(dir="/dev/shm") as file:
        file.truncate(700 * PAGE)
        memory = mmap.mmap(file.fileno(), 700 * PAGE)
        memory[:] = np.random.default_rng(3).bytes(len(memory))
        yield memory
        memory.close()


@needs_kernel
@without_reset
@given(
    first=st.integers(0, 20),
    length=st.integers(1, 600 * PAGE),
    changed=st.lists(st.integers(0, 700 * PAGE - 1), max_size=40),
    holes=st.booleans(),
)
def test_flags_and_copies_are_those_of_a_naive_comparison(
    mapping: mmap.mmap, first: int, length: int, changed: list[int], holes: bool
) -> None:
    start = first * PAGE
    before = bytearray(mapping[start : start + length])
    for at in changed:
        mapping[at] = mapping[at] ^ 0x40
    buffer = bytearray(b"\xee" * length)
    flags = copy_differing(mapping, start, memoryview(buffer), memoryview(before), holes=holes)
    assert flags is not None
    now = mapping[start : start + length]
    pages = range(0, length, PAGE)
    differs = [now[at : at + PAGE] != before[at : at + PAGE] for at in pages]
    assert list(flags) == differs
    for at, other in zip(pages, differs, strict=True):
        untouched = b"\xee" * len(now[at : at + PAGE])
        assert buffer[at : at + PAGE] == (now[at : at + PAGE] if other else untouched)


@needs_kernel
def test_a_page_that_vanishes_under_the_comparison_is_no_sigbus(shm_file: ShmFile) -> None:
    path = shm_file(64 * PAGE, fill=b"\xaa")
    buffer, before = bytearray(64 * PAGE), bytearray(b"\xaa" * 64 * PAGE)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        for _ in range(3):
            os.truncate(path, 32 * PAGE)
            for holes in (False, True):
                views = memoryview(buffer), memoryview(before)
                assert copy_differing(memory, 0, *views, holes=holes) is None
            os.truncate(path, 64 * PAGE)
            views = memoryview(buffer), memoryview(before)
            flags = copy_differing(memory, 0, *views, holes=False)
            assert flags == b"\0" * 32 + b"\1" * 32
            memory[:] = before


@needs_kernel
def test_a_hole_is_not_looked_at(shm_file: ShmFile) -> None:
    path = shm_file(600 * PAGE)
    with path.open("r+b") as file:
        file.write(b"x" * 599 * PAGE)
    blocks = path.stat().st_blocks
    with opened(path) as region:
        views = memoryview(bytearray(600 * PAGE)), memoryview(bytearray(600 * PAGE))
        assert region.read_differing(0, *views) is None
        some = views[0][: 599 * PAGE], views[1][: 599 * PAGE]
        assert region.read_differing(0, *some) == b"\1" * 599
    assert path.stat().st_blocks == blocks


def test_where_it_cannot_be_said_it_is_none(
    shm_file: ShmFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shm_file(4 * PAGE, fill=b"a")
    views = memoryview(bytearray(PAGE)), memoryview(bytearray(PAGE))
    with opened(path, read_only=True) as region:
        assert region.read_differing(0, *views) is None
    with opened(path) as region:
        with pytest.raises(OutOfRangeError):
            region.read_differing(4 * PAGE, *views)
        monkeypatch.setenv(SWITCH, "0")
        assert region.read_differing(0, *views) is None
    with pytest.raises(ClosedError):
        region.read_differing(0, *views)


@needs_kernel
def test_a_turn_over_what_is_known_copies_nothing_but_changes(
    shm_file: ShmFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shm_file(4 * MIB + 100, fill=b"abc")
    with opened(path) as region:
        sweep = Sweep(region)
        whole_turn(sweep)
        monkeypatch.setattr(region, "_raw_read", None)  # whoever reads fails
        invert(path, [5, 6, 300 * PAGE, 4 * MIB + 99])
        found = whole_turn(sweep)
        assert (found.changed_pages, found.changed_bytes) == (3, 4)
        assert found.read_bytes == region.size
        assert sweep.changed_offsets().tolist() == [5, 6, 300 * PAGE, 4 * MIB + 99]
        assert whole_turn(sweep).changed_pages == 0


@without_reset
@given(
    size=st.integers(1, 40 * PAGE),
    start=st.sampled_from([0, PAGE, 5 * PAGE]),
    rounds=st.lists(st.lists(st.integers(0, 40 * PAGE - 1), max_size=30), min_size=1, max_size=3),
    stored=st.sampled_from([0, 7, 100]),
)
def test_the_findings_are_the_same_without_the_kernel(
    shm_file: ShmFile,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
    start: int,
    rounds: list[list[int]],
    stored: int,
) -> None:
    path = shm_file(start + size + 9, fill=b"ivshmem")
    with opened(path, start=start, length=size) as one, opened(path, start=start, length=size) as b:
        bound = stored * PAGE
        sweeps = {"1": Sweep(one, memory_bound=bound), "0": Sweep(b, memory_bound=bound)}
        for offsets in ([], *rounds):
            inside = sorted({at for at in offsets if at < size})
            invert(path, [start + at for at in inside])
            found = {}
            for switch, sweep in sweeps.items():
                monkeypatch.setenv(SWITCH, switch)
                totals = whole_turn(sweep)
                told = totals.read_bytes, totals.changed_bytes, totals.changed_pages
                found[switch] = (*told, sweep.changed_offsets().tolist())
            assert found["1"] == found["0"]
            assert found["1"][2] == len({at // PAGE for at in inside})
            if stored == 100:
                assert found["1"][1] == len(inside)
    path.unlink()


def test_what_was_cut_and_has_grown_again_is_not_filled_by_looking(shm_file: ShmFile) -> None:
    path = shm_file(MIB, fill=b"\xaa")
    with opened(path) as region:
        sweep = Sweep(region)
        for _ in range(2):
            whole_turn(sweep)
        os.truncate(path, 0)
        with pytest.raises(TruncatedError):
            whole_turn(sweep)
        os.truncate(path, MIB)
        assert whole_turn(sweep).changed_pages == MIB // PAGE
        for _ in range(2):
            assert whole_turn(sweep).changed_pages == 0
        assert path.stat().st_blocks == 0
