"""Reads ranges for analysis: in slices, holes as zeros and unread, to be cancelled between two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import CancelledError
from ..region.region import Region
from ..values.byte_block import ByteBlock
from .statistics import Collector, Statistics, Wanted

U8 = npt.NDArray[np.uint8]
SLICE: Final = 1 << 20
OnProgress = Callable[[int, int], None]
IsCancelled = Callable[[], bool]


def read_range(region: Region, start: int, into: U8) -> None:
    """Fill an array from `start` on; what was never written is zeros and is not read.

    Raises:
        OutOfRangeError, RegionGoneError: As Region.read_into.
    """
    end = start + len(into)
    at = start
    for low, high in region.extents(start, end):
        into[at - start : low - start] = 0
        region.read_into(low, into[low - start : high - start].data)
        at = high
    into[at - start :] = 0


def read_block(region: Region, block: ByteBlock) -> bytes:
    """The bytes of a block, row behind row. Raises as Region.read."""
    if block.whole or block.span <= SLICE:
        return block.take(region.read(block.start, block.span))
    return b"".join(region.read(low, high - low) for low, high in block.pieces())


def statistics_of(
    region: Region,
    block: ByteBlock,
    wanted: Wanted,
    *,
    progress: OnProgress,
    cancelled: IsCancelled,
) -> Statistics:
    """Statistics and checksums of a block. What changes meanwhile counts as it was read.

    Raises:
        CancelledError: Stopped.
        OutOfRangeError, RegionGoneError: As Region.read_into.
        ValueFormatError: The type that is wanted holds no numbers.
    """
    collector = Collector(wanted)
    done, buffer = 0, np.zeros(min(SLICE, max(1, block.span)), np.uint8)
    # One read per slice of the spanned range, and of that the rows.
    for first in range(block.start, block.end, SLICE):
        if cancelled():
            raise CancelledError("The statistics were stopped.")
        last = min(first + SLICE, block.end)
        pieces = list(block.pieces(first, last))
        if pieces:
            low, high = pieces[0][0], pieces[-1][1]
            part = buffer[: high - low]
            read_range(region, low, part)
            taken = _rows(part, block, low) if len(pieces) > 1 else part
            collector.update(taken)
            done += len(taken)
            progress(done, block.length)
    return collector.done()


def _rows(part: U8, block: ByteBlock, low: int) -> U8:
    """What of the bytes from `low` on belongs to the block."""
    place = (np.arange(len(part)) + (low - block.start)) % block.stride
    return part[place < block.width]
