"""Filling the rows of a block, as one entry of the journal."""

from __future__ import annotations

from typing import Final

from ..errors import OutOfRangeError
from ..region.region import Region
from ..values.byte_block import ByteBlock
from .bulk_writes import CHUNK, IsCancelled, OnProgress, fill, fits, may_write, stop_if
from .journal import Journal
from .patterns import Pattern
from .record import Seen, WriteRecord
from .write_outcome import check_unchanged_since_seen

MAX_ROWS: Final = 1 << 16
_REPORTED: Final = 256 << 10
"""Bytes between two reports of a fill whose rows are short."""


def fill_block(
    journal: Journal,
    region: Region,
    block: ByteBlock,
    pattern: Pattern,
    label: str = "",
    *,
    seen: Seen | None = None,
    progress: OnProgress,
    cancelled: IsCancelled,
) -> WriteRecord:
    """Fill the rows of a block; the pattern goes on from row to row.

    `label` is what the person did, where that is no fill.

    `seen` is what the person saw of the range that the block spans. Its rows are compared before
    anything is written, what lies between them is not.

    Raises:
        As `fill` of bulk_writes.py.
    """
    if block.whole:
        return fill(
            journal,
            region,
            block.start,
            block.length,
            pattern,
            seen=seen,
            progress=progress,
            cancelled=cancelled,
        )
    fits(region, block.start, block.span, "Fill")
    if block.rows > MAX_ROWS:
        raise OutOfRangeError(
            f"{block.rows:,} rows are more than can be filled at once.",
            f"At most {MAX_ROWS:,}; a range without gaps may have any length.",
        )
    may_write(journal, region)
    if seen is not None:
        _compare(region, block, pattern, seen)
    done = reported = 0
    what = label or f"fill, {pattern.label}"
    with journal.bulk(f"{what}, {block.rows} rows") as bulk:
        for low, high in block.pieces():
            for at in range(low, high, CHUNK):
                stop_if(cancelled, "The fill", done)
                size = min(CHUNK, high - at)
                bulk.write(at, pattern.chunk(done, size))
                done += size
            if done - reported >= _REPORTED:
                reported = done
                progress(done, block.length)
    assert bulk.record is not None
    return bulk.record


def _compare(region: Region, block: ByteBlock, pattern: Pattern, seen: Seen) -> None:
    """Raise ConflictError where a byte of the rows is not as it was seen."""
    now = region.read(seen.offset, len(seen.data))
    for low, high in block.pieces(seen.offset, seen.offset + len(seen.data)):
        part = slice(low - seen.offset, high - seen.offset)
        row, column = divmod(low - block.start, block.stride)
        mine = pattern.chunk(row * block.width + column, high - low)
        check_unchanged_since_seen(low, seen.data[part], now[part], mine)
