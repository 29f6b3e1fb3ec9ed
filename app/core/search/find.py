"""The next hit, and all hits, of a needle in a region."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from ..errors import CancelledError
from ..region.region import Extent, Region
from .needle import Needle, parse_needle
from .patterns import Found, Pattern, Slice
from .regex import RegexPattern
from .scan import OnProgress, Scan, Tally


@dataclass(frozen=True, slots=True)
class Hit:
    """One hit.

    Attributes:
        wrapped: It was found behind the end (before the beginning) of the scope, from where the
            search went on at the other side.
    """

    offset: int
    length: int
    wrapped: bool = False


@contextmanager
def pattern_of(needle: Needle, cancelled: Callable[[], bool]) -> Iterator[Pattern]:
    """What a needle stands for, closed afterwards. Raises as parse_needle."""
    pattern = parse_needle(needle)
    if isinstance(pattern, RegexPattern):
        pattern.cancelled = cancelled
    try:
        yield pattern
    finally:
        pattern.close()


def find_all(
    region: Region,
    needle: Needle,
    ranges: list[Extent],
    take: Callable[[Found, Slice], bool],
    *,
    progress: OnProgress = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Tally:
    """Every hit that lies inside of one of the ranges.

    Args:
        region: Where.
        needle: What.
        ranges: Ascending, none over another.
        take: Called with the hits of each slice, in address order, and the copy that they are in;
            False ends the search.
        progress: As of Scan.
        cancelled: As of Scan; what is cancelled ends without an error.

    Raises:
        ValueFormatError: The needle is none, or an expression that takes too long.
        RegionGoneError: The memory went; what was taken until then was there.
    """
    with pattern_of(needle, cancelled) as pattern:
        scan = Scan(region, pattern, ranges, progress, cancelled)
        try:
            for found, part in scan.forward():
                inside = _inside(found, ranges)
                if len(inside) and not take(inside, part):
                    break
        except CancelledError:
            pass
        return scan.tally


def find_next(
    region: Region,
    needle: Needle,
    ranges: list[Extent],
    start: int,
    length: int = 0,
    *,
    backwards: bool = False,
    progress: OnProgress = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Hit | None:
    """The first hit behind `start` (before it), or around the end of the scope; None: none at all.

    Args:
        region: As of find_all.
        needle: As of find_all.
        ranges: As of find_all.
        start: Where to search from; it is found itself only when there is no other.
        length: Of the hit that is there; an expression goes on behind it.
        backwards: Towards lower offsets.
        progress: As of Scan.
        cancelled: As of Scan.

    Raises:
        CancelledError: It was stopped.
        Others as find_all.
    """
    with pattern_of(needle, cancelled) as pattern:
        step = max(1, length) if pattern.chained else 1
        behind, before = _split(ranges, start + step), _split(ranges, start)
        parts = (before[0], before[1]) if backwards else (behind[1], behind[0])
        for wrapped, part in enumerate(parts):
            scan = Scan(region, pattern, part, progress, cancelled)
            for found, _ in scan.backward() if backwards else scan.forward():
                inside = _inside(found, ranges)
                if len(inside):
                    at = -1 if backwards else 0
                    return Hit(int(inside.starts[at]), int(inside.lengths[at]), bool(wrapped))
            if cancelled():
                raise CancelledError("The search was stopped.")
    return None


def _split(ranges: list[Extent], at: int) -> tuple[list[Extent], list[Extent]]:
    """The ranges before an offset, and from it on."""
    before = [(start, min(end, at)) for start, end in ranges if start < at]
    behind = [(max(start, at), end) for start, end in ranges if end > at]
    return before, behind


def _inside(found: Found, ranges: list[Extent]) -> Found:
    """Those that end in the range in which they begin."""
    ends = np.array([end for _, end in ranges], np.int64)
    own = ends[np.searchsorted(ends, found.starts, "right")]
    fits = found.starts + found.lengths <= own
    return found if fits.all() else found.part(fits)
