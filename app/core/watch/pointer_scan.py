"""Finds the places in a region that hold a given offset: what points there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..errors import CancelledError
from ..region.region import Region
from ..values.pointer import PointerForm, PointingPlaces

CHUNK: Final = 1 << 20
MOST: Final = 10_000  # places that are told
_MASK: Final = (1 << 64) - 1
U64 = npt.NDArray[np.uint64]


def find_pointers(
    region: Region,
    target: int,
    form: PointerForm,
    *,
    aligned: bool = True,
    most: int = MOST,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> PointingPlaces:
    """The places whose value leads to an offset, as they were when each was read.

    What was never written (holes) is neither read nor told.

    Args:
        region: Where to look.
        target: The offset.
        form: How such values are kept.
        aligned: Only at multiples of their width.
        most: It ends behind so many.
        progress: Called with bytes read, and bytes to read.
        cancelled: Asked between two slices.

    Raises:
        CancelledError: It was stopped.
        RegionGoneError: The memory is gone.
    """
    extents = region.extents(0, region.size)
    total = sum(end - start for start, end in extents)
    found: list[int] = []
    scanned = 0
    for start, end in extents:
        first = start - start % form.width
        for at in range(first, end, CHUNK):
            if cancelled():
                raise CancelledError("The search for what points here was stopped.")
            size = min(CHUNK, end - at)
            # A value may begin in this slice and end in the next.
            data = region.read(at, min(size + form.width - 1, region.size - at))
            found += _in_slice(data, at, size, target, form, aligned=aligned)
            scanned += size
            if len(found) > most:
                return PointingPlaces(tuple(found[:most]), more=True, scanned=scanned)
            progress(min(scanned, total), total)
    return PointingPlaces(tuple(found), more=False, scanned=scanned)


def _in_slice(
    data: bytes, at: int, size: int, target: int, form: PointerForm, *, aligned: bool
) -> list[int]:
    """The places that begin in [at, at + size)."""
    places: list[int] = []
    for shift in range(1 if aligned else form.width):
        count = (len(data) - shift) // form.width
        if count <= 0:
            break
        raw = np.frombuffer(data, f"{form.endian.mark}{form.kind[0]}{form.width}", count, shift)
        here = np.arange(count, dtype=np.int64) * form.width + (at + shift)
        hits = here[_leads(raw, here, target, form)]
        places += hits[hits < at + size].tolist()
    return sorted(places)


def _leads(
    raw: npt.NDArray[Any], here: npt.NDArray[np.int64], target: int, form: PointerForm
) -> npt.NDArray[np.bool_]:
    """Which of the values lead to the target."""
    low, behind = form.limits
    if form.base is not None:
        wanted = target - form.base
        if not low <= wanted < behind:
            return np.zeros(len(raw), np.bool_)
        same: npt.NDArray[np.bool_] = raw == wanted
        return same
    # Sums modulo 2^64 say it exactly: places and targets are less than 2^63.
    values: U64 = raw.astype(np.int64 if form.signed else np.uint64).view(np.uint64)
    hits: npt.NDArray[np.bool_] = values + here.view(np.uint64) == np.uint64(target & _MASK)
    return hits if form.signed else hits & (here <= target)
