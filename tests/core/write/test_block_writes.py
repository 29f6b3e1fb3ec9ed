"""The rows of a block are written as one step, and what lies between them is left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.core.backends.open_region import open_region
from app.core.errors import CancelledError, ConflictError, LockedError, OutOfRangeError
from app.core.region.region import Region, RegionKind, RegionSpec
from app.core.values.byte_block import ByteBlock
from app.core.write import block_writes
from app.core.write.block_writes import MAX_ROWS
from app.core.write.journal import Journal
from app.core.write.patterns import Pattern, SequencePattern
from app.core.write.record import Seen, WriteRecord

ABC = SequencePattern(b"abc")


@dataclass
class Bench:
    region: Region
    journal: Journal

    def fill(self, block: ByteBlock, pattern: Pattern = ABC, **more: Any) -> WriteRecord:
        options = {"progress": lambda *_: None, "cancelled": lambda: False} | more
        return block_writes.fill_block(self.journal, self.region, block, pattern, **options)

    def part(self, start: int, length: int) -> bytes:
        return self.region.read(start, length)


@pytest.fixture
def bench(shm_file: Callable[..., Path]) -> Iterator[Bench]:
    path = shm_file(1 << 20, fill=b".")
    with open_region(RegionSpec(RegionKind.FILE, str(path))) as region:
        journal = Journal(region)
        journal.set_locked(False)
        yield Bench(region, journal)
        journal.close()


def test_rows_are_one_entry_and_one_undo(bench: Bench) -> None:
    record = bench.fill(ByteBlock(4, 2, 3, 5))
    assert bench.part(0, 20) == b"....ab...ca...bc...."
    assert (record.offset, record.length) == (4, 6)
    assert record.label == "fill, pattern of 3 B, 3 rows"
    bench.journal.undo()
    assert bench.part(0, 20) == b"." * 20
    assert bench.fill(ByteBlock(4, 2, 3, 5), label="paste").label == "paste, 3 rows"
    assert bench.fill(ByteBlock(4, 3, 2, 3)).label == "fill, pattern of 3 B", "no gap: a range"


def test_only_what_is_written_is_compared(bench: Bench) -> None:
    block = ByteBlock(4, 2, 3, 5)
    seen = Seen(0, bench.part(0, 12))  # the last row was not seen
    bench.region.write(7, b"#")  # between the rows
    bench.region.write(15, b"#")  # in a row, but nobody saw it
    bench.fill(block, seen=seen)
    assert bench.part(0, 20) == b"....ab.#.ca...bc...."
    bench.journal.undo()
    bench.region.write(10, b"#")
    with pytest.raises(ConflictError) as caught:
        bench.fill(block, seen=seen)
    assert (caught.value.seen, caught.value.now, caught.value.mine) == (b"..", b".#", b"ca")
    assert bench.part(4, 2) == b".."


def test_what_is_refused_or_stopped(bench: Bench) -> None:
    with pytest.raises(OutOfRangeError):
        bench.fill(ByteBlock((1 << 20) - 8, 2, 3, 5))
    with pytest.raises(OutOfRangeError, match="rows"):
        bench.fill(ByteBlock(0, 1, MAX_ROWS + 1, 2))
    turns = iter(range(100))
    with pytest.raises(CancelledError):
        bench.fill(ByteBlock(4, 2, 9, 5), cancelled=lambda: next(turns) == 2)
    assert bench.part(0, 20) == b"....ab...ca........."
    bench.journal.undo()
    assert bench.part(0, 20) == b"." * 20
    bench.journal.set_locked(True)
    with pytest.raises(LockedError):
        bench.fill(ByteBlock(4, 2, 3, 5))
