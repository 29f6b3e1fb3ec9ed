"""Entropy by places, on real memory with holes."""

from __future__ import annotations

import math
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.backends.open_region import open_region
from app.core.region.region import RegionKind, RegionSpec
from app.core.watch.entropy import LEAST_PART, SAMPLE, _located, entropy, sample_entropy


@given(st.binary(max_size=300))
def test_entropy_is_shannons(data: bytes) -> None:
    shares = [count / len(data) for count in Counter(data).values()]
    expected = -sum(share * math.log2(share) for share in shares)
    assert entropy(np.frombuffer(data, np.uint8)) == pytest.approx(expected, abs=1e-9)


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 20)), min_size=1, max_size=5),
    st.integers(0, 90),
    st.integers(0, 40),
)
def test_a_piece_behind_holes_is_where_its_bytes_are(
    shapes: list[tuple[int, int]], place: int, length: int
) -> None:
    extents, at = [], 0
    for hole, size in shapes:
        extents.append((at + hole, at + hole + size))
        at += hole + size
    flat = [offset for start, end in extents for offset in range(start, end)]
    pieces = _located(extents, place, length)
    assert [o for start, size in pieces for o in range(start, start + size)] == flat[
        place : place + length
    ]


def test_parts_of_a_file_and_its_holes_stay_holes() -> None:
    path = Path("/dev/shm") / f"ivshmem-scope-test-entropy-{os.getpid()}"
    part = 64 * SAMPLE
    noise = np.random.default_rng(3).integers(0, 256, part, np.uint8).tobytes()
    try:
        with path.open("wb") as file:
            file.truncate(4 * part)
            file.write(noise)
            file.seek(2 * part)
            file.write(b"A" * part)
            file.write(b"AB" * (SAMPLE // 2))  # the rest of the last part is a hole
        before = path.stat().st_blocks
        with open_region(RegionSpec(RegionKind.FILE, str(path))) as region:
            found = sample_entropy(region, 4)
            assert found[0] > 7.9
            assert np.isnan(found[1])
            assert found[2] == 0
            assert found[3] == 1
            assert path.stat().st_blocks == before, "a hole was read"
            assert np.isnan(sample_entropy(region, 4, lambda: True)).all()
            assert len(sample_entropy(region, 1 << 30)) == 4 * part // LEAST_PART
    finally:
        path.unlink()
