"""What measuring a mapping counts, and that it leaves every byte as it was."""

from __future__ import annotations

import os

import pytest

from app.core.backends.open_region import open_region
from app.core.errors import OutOfRangeError, ReadOnlyError
from app.core.measure.bandwidth.mapping_speed import measure_mapping
from app.core.region.region import RegionKind, RegionSpec


def opened(path, **more):
    return open_region(RegionSpec(RegionKind.FILE, str(path), **more))


def test_reading_is_measured_and_writes_nothing(shm_file):
    path = shm_file(3 << 20)
    before = os.stat(path)
    with opened(path, read_only=True) as region:
        speed = measure_mapping(region, for_s=0.005)
    assert speed.read_bytes >= 1 << 20
    assert speed.read_bytes_per_s > 0
    assert speed.write_bytes == 0
    assert os.stat(path).st_blocks == before.st_blocks, "looking allocated pages"
    assert "writes" not in speed.sentence


@pytest.mark.parametrize(("start", "length"), [(4096, 8192), (100, 3_000_001), (0, 1)])
def test_writing_is_measured_in_the_lane_and_put_back(shm_file, start, length):
    path = shm_file(4 << 20, fill=bytes(range(1, 251)))
    before = path.read_bytes()
    touched = []
    with opened(path) as region:
        plain = region.write
        region.write = lambda at, data: (touched.append((at, at + len(data))), plain(at, data))
        speed = measure_mapping(region, (start, length), for_s=0.005)
    assert speed.write_bytes >= min(length, 1 << 20)
    assert all(start <= a and b <= start + length for a, b in touched)
    assert path.read_bytes() == before
    assert "writes" in speed.sentence


def test_the_lane_is_put_back_when_writing_fails_half_way(shm_file):
    path = shm_file(1 << 20, fill=b"keep")
    with opened(path) as region:
        plain, calls = region.write, []

        def fail_once(at, data):
            calls.append(at)
            plain(at, data)
            if len(calls) == 2:
                raise RuntimeError

        region.write = fail_once
        with pytest.raises(RuntimeError):
            measure_mapping(region, (0, 1 << 20), for_s=1)
    assert path.read_bytes() == b"keep" * (1 << 18)


def test_what_cannot_be_written_is_said(shm_file):
    path = shm_file(4096)
    with opened(path) as region:
        for lane in ((0, 0), (0, 4097), (4096, 1)):
            with pytest.raises(OutOfRangeError):
                measure_mapping(region, lane, for_s=0)
    with opened(path, read_only=True) as region, pytest.raises(ReadOnlyError):
        measure_mapping(region, (0, 4096), for_s=0)


def test_it_can_be_cancelled(shm_file):
    with opened(shm_file(4096)) as region:
        assert measure_mapping(region, for_s=600, cancelled=lambda: True).read_bytes == 4096
