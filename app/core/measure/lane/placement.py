"""Where a lane is or may be: the default place, validation, and finding one by its magic."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from ...errors import LaneError, LanePlaceError, MemoryInUseError
from ...protocols.known_content import Content, recognised
from ...region.region import CacheMode, Region
from ...values.units import format_short_offset, format_size
from .layout import (
    ALIGN,
    HEAD_SIZE,
    LINE,
    MAGIC,
    MIN_SIZE,
    MIN_STRIDE,
    ByteRange,
    Lane,
    check_geometry,
    parse_head,
)

DEFAULT_SIZE: Final = 4 << 20
DEFAULT_SLOTS: Final = 4
_MAGIC_WORD: Final = int.from_bytes(MAGIC, "little")
_BATCH: Final = 256  # pages between two looks at the clock, or at `cancelled`
_SLOW: Final = (CacheMode.UNCACHED.value, CacheMode.WRITE_COMBINED.value)


def default_lane(region_size: int) -> Lane:
    """The lane at the region's end: a quarter of it, at most 4 MiB, up to four slots.

    Raises:
        LanePlaceError: The region is too small for any lane.
    """
    whole = region_size // ALIGN * ALIGN
    if whole < MIN_SIZE:
        raise LanePlaceError(
            f"A region of {format_size(region_size)} has no room for a lane.",
            f"A lane takes {format_size(MIN_SIZE)} or more.",
        )
    size = max(MIN_SIZE, min(DEFAULT_SIZE, whole // 4 // ALIGN * ALIGN))
    slots = max(1, min(DEFAULT_SLOTS, (size - HEAD_SIZE) // (4 * MIN_STRIDE)))
    return Lane(whole - size, size, slots)


def place_lane(
    region: Region,
    offset: int | None = None,
    size: int | None = None,
    slots: int | None = None,
    *,
    others: tuple[Lane, ...] = (),
) -> Lane:
    """A lane where a person wants it, checked against the region and the lanes in it.

    Raises:
        LanePlaceError: Outside the region, too small, unaligned, or over another lane.
        ReadOnlyError: Nothing can be measured in a region that cannot be written.
    """
    region.info.need_writable()
    usual = default_lane(region.size)
    if offset is None and size is not None:
        offset = (region.size - size) // ALIGN * ALIGN
    if size is None and offset is not None:
        size = max(MIN_SIZE, min(usual.size, (region.size - offset) // ALIGN * ALIGN))
    lane = Lane(
        usual.offset if offset is None else offset,
        usual.size if size is None else size,
        slots or 1,
    )
    _check_span(lane.span, region)
    if slots is None:
        fitting = (lane.size - HEAD_SIZE) // (4 * MIN_STRIDE)
        slots = max(1, min(DEFAULT_SLOTS, fitting))
    check_geometry(lane.size, slots)
    for other in others:
        if lane.span.overlaps(other.span):
            raise LanePlaceError(
                f"There is a lane at {format_short_offset(other.offset)} already "
                f"({format_size(other.size)}), and the new one would lie over it.",
                "Use that one, or choose a place beside it.",
            )
    return Lane(lane.offset, lane.size, slots)


def free_place(region: Region, wanted: Lane) -> Lane:
    """The wanted lane, or one as large where no recognised program of the region's may write.

    Raises:
        MemoryInUseError: Recognised programs leave no room for it.
    """
    claims = claimed_ranges(region)
    ends = [wanted.offset + wanted.size, *(span.offset for span, _ in claims)]
    for end in sorted((end for end in ends if end <= ends[0]), reverse=True):
        offset = (end - wanted.size) // ALIGN * ALIGN
        span = ByteRange(offset, wanted.size)
        if offset >= 0 and not any(span.overlaps(claim) for claim, _ in claims):
            return Lane(offset, wanted.size, wanted.slots)
    raise MemoryInUseError(
        f"{claims[0][1]} uses {region.info.name}; a lane of {format_size(wanted.size)} would lie "
        "over what it may write.",
        "Measure over a second ivshmem device, or create the lane there all the same if you may.",
    )


def claimed_ranges(region: Region) -> list[tuple[ByteRange, Content]]:
    """What recognised programs of the region may write, with what was recognised."""
    return [
        (ByteRange(start, length), content)
        for content in recognised(region)
        for start, length in content.claimed
    ]


def _check_span(span: ByteRange, region: Region) -> None:
    if span.offset < 0 or span.length <= 0 or span.end > region.size:
        raise LanePlaceError(
            f"A lane of {format_size(span.length)} at {format_short_offset(span.offset)} is not "
            f"inside {region.info.name}, which has {format_size(region.size)}.",
            f"It would fit at {format_short_offset(max(0, region.size - span.length))} or before."
            if 0 < span.length <= region.size
            else "",
        )
    if span.offset % ALIGN:
        low = span.offset // ALIGN * ALIGN
        raise LanePlaceError(
            f"{format_short_offset(span.offset)} is not aligned: a lane lies at a multiple of "
            f"{format_short_offset(ALIGN)}.",
            f"{format_short_offset(low)} and {format_short_offset(low + ALIGN)} are.",
        )


def lane_at(region: Region, offset: int) -> Lane:
    """The lane at this offset.

    Raises:
        LaneError: There is none, or it reaches beyond the region.
        LaneVersionError: It has another version.
    """
    if offset < 0 or offset + MIN_SIZE > region.size or offset % ALIGN:
        raise LaneError(f"There is no lane at {format_short_offset(offset)}.")
    lane = parse_head(region.read(offset, LINE), offset)
    if lane.span.end > region.size:
        raise LaneError(
            f"The lane at {format_short_offset(offset)} says it has {format_size(lane.size)}, "
            f"which reaches out of {region.info.name}.",
            "It was created in a longer region, or something wrote over it.",
        )
    return lane


def find_lanes(
    region: Region, cancelled: Callable[[], bool] = lambda: False
) -> Iterator[Lane | LaneError]:
    """Every lane, and every damaged or foreign one as its error; the usual place comes first.

    Only pages that hold data are looked at: of a file of which little was ever written that takes
    next to nothing.
    """
    for found in _steps(region):
        if found is not None:
            yield found
        elif cancelled():
            return


def find_lane(region: Region, cancelled: Callable[[], bool] = lambda: False) -> Lane | None:
    """The first valid lane.

    Raises:
        LaneVersionError: None is valid, and one is of another version.
        LaneError: None is valid, and one is damaged.
    """
    trouble: LaneError | None = None
    for found in find_lanes(region, cancelled):
        if isinstance(found, Lane):
            return found
        trouble = trouble or found
    if trouble is not None:
        raise trouble
    return None


class LaneSearch:
    """Looks for a lane in small steps, so that a large region delays no other work."""

    def __init__(self, region: Region) -> None:
        self._steps = _steps(region)
        self._trouble: LaneError | None = None
        self.over = False

    def go_on(self, for_s: float) -> Lane | None:
        """Look on for so long, or to the region's end: then `over` is set.

        Raises:
            LaneVersionError, LaneError: As `find_lane`, at the region's end.
            RegionGoneError: The memory is gone.
        """
        end = time.monotonic() + for_s
        for found in self._steps:
            if isinstance(found, Lane):
                self.over = True
                return found
            self._trouble = self._trouble or found
            if time.monotonic() >= end:
                return None
        self.over = True
        if self._trouble is not None:
            raise self._trouble
        return None


def _steps(region: Region) -> Iterator[Lane | LaneError | None]:
    """All lanes, and None now and then in between."""
    usual = default_lane(region.size).offset if region.size >= MIN_SIZE else None
    if usual is not None and region.load(usual, 8) == _MAGIC_WORD:
        yield _lane_or_error(region, usual)
    for pages in _batches(region):
        yield None
        for offset in _with_magic(region, pages):
            if offset != usual:
                yield _lane_or_error(region, offset)


def _lane_or_error(region: Region, offset: int) -> Lane | LaneError:
    try:
        return lane_at(region, offset)
    except LaneError as error:
        return error


def _batches(region: Region) -> Iterator[range]:
    """Pages that hold data and may be the first of a lane."""
    for low, high in region.extents(0, region.size):
        first, last = -(-low // ALIGN) * ALIGN, min(high, region.size - MIN_SIZE + 1)
        for at in range(first, last, _BATCH * ALIGN):
            yield range(at, min(last, at + _BATCH * ALIGN), ALIGN)


def _with_magic(region: Region, pages: range) -> list[int]:
    """Those of the pages that begin with the magic word."""
    if region.info.cache.startswith(_SLOW):  # each byte is dear there, and a call is not
        return [offset for offset in pages if region.load(offset, 8) == _MAGIC_WORD]
    start = pages.start
    length = min(len(pages) * ALIGN, region.size - start)
    words = np.frombuffer(region.read(start, length - length % 8), np.dtype("<u8"))
    found = np.flatnonzero(words[:: ALIGN // 8] == _MAGIC_WORD)
    return [start + int(number) * ALIGN for number in found if int(number) < len(pages)]
