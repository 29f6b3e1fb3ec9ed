"""Statistics against plain Python, in any pieces, on a region with holes."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.analysis.numbers import NUMERIC
from app.core.analysis.range_reader import SLICE, read_block, statistics_of
from app.core.analysis.statistics import Collector, Wanted, entropy
from app.core.backends.open_region import open_region
from app.core.errors import CancelledError, ValueFormatError
from app.core.region.region import RegionKind, RegionSpec
from app.core.values.byte_block import ByteBlock
from app.core.values.value_type import Endian
from app.core.values.value_types import type_named

ShmFile = Callable[..., Path]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(max_size=30), max_size=4),
    st.sampled_from([name for name in NUMERIC if name[0] != "f"]),
    st.sampled_from(Endian),
)
def test_whole_numbers_in_any_pieces_are_exact(
    pieces: list[bytes], kind: str, endian: Endian
) -> None:
    collector = Collector(Wanted(kind, endian))
    for piece in pieces:
        collector.update(np.frombuffer(piece, np.uint8))
    data, size = b"".join(pieces), type_named(kind).size
    numbers = [
        int.from_bytes(data[at : at + size], endian.value, signed=kind[0] == "i")
        for at in range(0, len(data) - size + 1, size)
    ]
    found = collector.done().values
    assert (found.count, found.rest) == (len(numbers), len(data) % size)
    assert found.total == sum(numbers)
    assert (found.least, found.greatest) == (min(numbers, default=None), max(numbers, default=None))
    if numbers:
        assert found.mean == pytest.approx(float(Fraction(sum(numbers), len(numbers))))


def test_floats_leave_out_what_is_no_number() -> None:
    collector = Collector(Wanted("f32", Endian.BIG))
    collector.update(np.array([1.5, np.nan, -2.0, np.inf], ">f4").view(np.uint8))
    found = collector.done().values
    assert (found.count, found.numbers, found.total, found.mean) == (4, 2, -0.5, -0.25)
    assert (found.least, found.greatest) == (-2.0, 1.5)
    with pytest.raises(ValueFormatError):
        Collector(Wanted("guid"))


def test_checksums_have_their_published_values() -> None:
    empty = Collector(Wanted()).done()
    assert empty.xxh3 == 0x2D06800538D394C2
    assert (empty.md5, empty.crc32) == ("d41d8cd98f00b204e9800998ecf8427e", 0)
    collector = Collector(Wanted())
    collector.update(np.frombuffer(b"abc", np.uint8))
    found = collector.done()
    assert found.md5 == "900150983cd24fb0d6963f7d28e17f72"
    assert found.sha1 == "a9993e364706816aba3e25717850c26c9cd0d89d"
    assert found.sha256[:16] == "ba7816bf8f01cfea"
    assert found.crc32 == 0x352441C2
    assert found.xxh3 == 0x78AF5F94892F3950


def test_entropy_is_in_bits_per_byte() -> None:
    assert entropy(np.zeros(256, np.int64)) == 0
    assert entropy(np.bincount([7] * 9, minlength=256)) == 0
    assert entropy(np.ones(256, np.int64)) == 8


def test_a_region_with_holes_is_read_in_slices_and_stays_sparse(shm_file: ShmFile) -> None:
    path = shm_file(8 << 20)
    data = os.urandom(3000)
    with path.open("r+b") as file:
        file.seek(SLICE - 1000)  # over the border of two slices
        file.write(data)
    before = path.stat().st_blocks
    told: list[tuple[int, int]] = []
    with open_region(RegionSpec(RegionKind.FILE, str(path))) as region:
        found = statistics_of(
            region,
            ByteBlock(16, region.size - 16),
            Wanted("u16"),
            progress=lambda *at: told.append(at),
            cancelled=lambda: False,
        )
        block = ByteBlock(SLICE - 1000, 5, 400, 7)
        rows = statistics_of(
            region, block, Wanted(), progress=lambda *_: None, cancelled=lambda: False
        )
        taken = read_block(region, block)
        with pytest.raises(CancelledError):
            statistics_of(region, block, Wanted(), progress=lambda *_: None, cancelled=lambda: True)
    assert path.stat().st_blocks == before
    whole = bytes(SLICE - 1016) + data + bytes((7 << 20) - 2000)
    collector = Collector(Wanted("u16"))
    collector.update(np.frombuffer(whole, np.uint8))
    expected = collector.done()
    assert (found.length, found.sha256, found.crc) == (len(whole), expected.sha256, expected.crc)
    assert found.values == expected.values
    counts = np.bincount(np.frombuffer(whole, np.uint8), minlength=256)
    assert found.histogram.tolist() == counts.tolist()
    assert told[-1] == (len(whole), len(whole))
    assert taken == b"".join(data[at : at + 5] for at in range(0, 2800, 7))
    assert rows.histogram.tolist() == np.bincount(list(taken), minlength=256).tolist()
