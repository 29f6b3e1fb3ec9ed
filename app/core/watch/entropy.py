"""How mixed the bytes of a region are, place by place: samples of it, holes left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from ..region.region import Region
from .frame import F32, U8

MOST_PARTS: Final = 4096
SAMPLE: Final = 4096
"""Most bytes of a part that are read. The entropy of a sample of n bytes is at most log2(n)."""
LEAST_PART: Final = 1024
"""Fewer bytes say little: those of a part could not be of all values."""
_PIECES: Final = 4
"""Places of a part that a sample is taken from."""


def entropy(data: U8) -> float:
    """Shannon entropy in bits per byte, 0 to 8; of no bytes 0."""
    if not len(data):
        return 0.0
    counts = np.bincount(data, minlength=256)
    shares = counts[counts > 0] / len(data)
    return max(0.0, float(-(shares * np.log2(shares)).sum()))


def sample_entropy(
    region: Region, parts: int, cancelled: Callable[[], bool] = lambda: False
) -> F32:
    """The entropy of equal parts of a region, in bits per byte; NaN where nothing was ever written.

    Args:
        region: What is read.
        parts: How many, at most MOST_PARTS, and fewer where they would be too small.
        cancelled: Asked between two parts; the rest is NaN then.

    Raises:
        RegionGoneError: The memory behind it is gone.
    """
    parts = max(1, min(parts, MOST_PARTS, region.size // LEAST_PART))
    found = np.full(parts, np.nan, np.float32)
    for part in range(parts):
        if cancelled():
            break
        start, end = region.size * part // parts, region.size * (part + 1) // parts
        data = _sample(region, region.extents(start, end))
        if len(data):
            found[part] = entropy(data)
    return found


def _sample(region: Region, extents: Sequence[tuple[int, int]]) -> U8:
    """Some bytes of ranges that hold data: all where they are few, else pieces all over them."""
    total = sum(end - start for start, end in extents)
    if total <= SAMPLE:
        pieces = [(start, end - start) for start, end in extents]
    else:
        length = SAMPLE // _PIECES
        places = [(total - length) * number // (_PIECES - 1) for number in range(_PIECES)]
        pieces = [piece for place in places for piece in _located(extents, place, length)]
    read = b"".join(region.read(start, length) for start, length in pieces)
    return np.frombuffer(read, np.uint8)


def _located(extents: Sequence[tuple[int, int]], place: int, length: int) -> list[tuple[int, int]]:
    """Bytes that are so far behind the first one of all ranges: offsets and lengths."""
    found = []
    for start, end in extents:
        size = end - start
        if place < size and length:
            taken = min(length, size - place)
            found.append((start + place, taken))
            length, place = length - taken, 0
        else:
            place = max(0, place - size)
    return found
