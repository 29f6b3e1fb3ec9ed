"""The inner loops of the search: by the C kernel, or by numpy where there is none.

Both look at copies in our own memory. The kernel can also look into the mapping itself, to tell
which slices have no hit and need no copy: memory is read faster than it is copied.

Of a pattern's bytes the two that are rarest in these bytes are compared first, everywhere at once;
only where both fit all the others follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..native.kernel import FindState, RangeState, Slice, kernel

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]

_ROOM: Final = 1 << 16  # hits of one call
_FEW: Final = 512  # hits that are worth a look at each of them
_SAMPLE: Final = 2048  # bytes that are counted to know which are rare
_CHOICE: Final = 64  # bytes of a pattern that may be chosen
_BLOCK: Final = 1 << 16  # starts of one step of numpy, which fit into the cache
_EVERY: Final = np.arange(256, dtype=np.uint8)
_WORDS: Final = {1: "u1", 2: "u2", 4: "u4", 8: "u8"}


def glimpse_masked(
    address: int,
    value: bytes,
    mask: bytes,
    rare: tuple[int, int],
    count: int,
    align: int,
    base: int,
) -> I64 | None:
    """Where bytes match a value under a mask in a mapping right now; no copy is made.

    Args:
        address: Of the first start; that of offset `base`.
        value: As of find_masked.
        mask: As of find_masked.
        rare: As of find_masked.
        count: Starts; `len(value)` bytes may be read from every one, behind a guard.
        align: As of find_masked.
        base: Offset of the first start in the region.

    Returns:
        Starts. None when there are very many, or no kernel, or a page is gone or has no memory.
    """
    native = kernel()
    if native is None:
        return None
    state, _keep = _masked_state(address, value, mask, rare, (0, count), align, base)
    return _glimpsed(state, native.find)


def glimpse_range(
    address: int,
    width: int,
    big: bool,
    low_span: tuple[int, int],
    count: int,
    align: int,
    base: int,
) -> I64 | None:
    """Where a word lies in a range in a mapping right now; as glimpse_masked."""
    native = kernel()
    if native is None or width not in _WORDS:
        return None
    state = _range_state(address, width, big, low_span, (0, count), align, base)
    return _glimpsed(state, native.find_range)


def _glimpsed(state: FindState | RangeState, run: Callable[..., Slice]) -> I64 | None:
    room = np.empty(_FEW, np.int64)
    state.hits, state.capacity, state.holes = room.ctypes.data, _FEW, 1
    ended = run(state)
    return room[: state.count] if ended is Slice.DONE else None


def find_masked(
    data: U8,
    value: bytes,
    mask: bytes,
    rare: tuple[int, int],
    starts: tuple[int, int],
    align: int,
    base: int,
) -> I64:
    """Where bytes match a value under a mask.

    Args:
        data: The bytes; `len(value)` of them may be read from every start.
        value: What is looked for, with no bits outside of `mask`.
        mask: Of the same length as `value`; 0 is any byte.
        rare: Which two bytes of it are compared first; what `rarest` says.
        starts: First start, and the first one behind the last.
        align: `base + start` is a multiple of this.
        base: Offset of `data` in the region.

    Returns:
        Starts, ascending.
    """
    native = kernel()
    if native is None:
        return _masked_by_numpy(data, value, mask, rare, starts, align, base)
    state, _keep = _masked_state(data.ctypes.data, value, mask, rare, starts, align, base)
    return _drained(state, native.find)


def find_range(
    data: U8,
    width: int,
    big: bool,
    low_span: tuple[int, int],
    starts: tuple[int, int],
    align: int,
    base: int,
) -> I64:
    """Where a word of `width` bytes lies in a range: (word - low) mod 2^bits <= span."""
    native = kernel()
    if native is None or width not in _WORDS:
        return _range_by_numpy(data, width, big, low_span, starts, align, base)
    state = _range_state(data.ctypes.data, width, big, low_span, starts, align, base)
    return _drained(state, native.find_range)


def rarest(data: U8, value: bytes, mask: bytes) -> tuple[int, int]:
    """Which two bytes of a pattern match the least of a sample of these bytes."""
    counts = np.bincount(data[:: max(1, len(data) // _SAMPLE)], minlength=256)
    values, masks = np.frombuffer(value, np.uint8), np.frombuffer(mask, np.uint8)
    places = np.flatnonzero(masks)
    places = places[:: -(-len(places) // _CHOICE)]
    fits = (_EVERY & masks[places][:, None]) == values[places][:, None]
    cost = fits @ counts
    best = int(cost.argmin())
    first = int(places[best])
    # Among those that are nearly as rare one far away: neighbours say little that it has not said.
    fine = places[cost <= 2 * cost[best] + 1]
    fine = fine[fine != first]
    if len(fine):
        return first, int(fine[np.abs(fine - first).argmax()])
    others = np.delete(np.arange(len(places)), best)
    return first, int(places[others[cost[others].argmin()]]) if len(others) else first


# -- the kernel -----------------------------------------------------------------------------------


def _masked_state(
    address: int,
    value: bytes,
    mask: bytes,
    rare: tuple[int, int],
    starts: tuple[int, int],
    align: int,
    base: int,
) -> tuple[FindState, object]:
    """The state, and what has to live as long as it is used."""
    values, masks = np.frombuffer(value, np.uint8), np.frombuffer(mask, np.uint8)
    state = FindState(
        data=address, value=values.ctypes.data, mask=masks.ctypes.data, size=len(value),
        first=rare[0], second=rare[1], at=starts[0], end=starts[1], step=align,
        phase=base % align,
    )  # fmt: skip
    return state, (values, masks)


def _range_state(
    address: int,
    width: int,
    big: bool,
    low_span: tuple[int, int],
    starts: tuple[int, int],
    align: int,
    base: int,
) -> RangeState:
    return RangeState(
        data=address, width=width, big=big, low=low_span[0], span=low_span[1], at=starts[0],
        end=starts[1], step=align, phase=base % align,
    )  # fmt: skip


def _drained(state: FindState | RangeState, run: Callable[..., Slice]) -> I64:
    """Call until it is done, and collect the hits."""
    room = np.empty(_ROOM, np.int64)
    state.hits, state.capacity = room.ctypes.data, _ROOM
    parts = []
    while True:
        state.count = 0
        ended = run(state)
        if state.count:
            parts.append(room[: state.count].copy())
        if ended is not Slice.AGAIN:
            return np.concatenate(parts) if parts else np.zeros(0, np.int64)


# -- numpy ----------------------------------------------------------------------------------------


def _blocks(starts: tuple[int, int]) -> Iterator[tuple[int, int]]:
    for at in range(starts[0], starts[1], _BLOCK):
        yield at, min(at + _BLOCK, starts[1])


def _on_step(found: I64, align: int, base: int) -> I64:
    return found[(found + base) % align == 0] if align > 1 else found


def _masked_by_numpy(
    data: U8,
    value: bytes,
    mask: bytes,
    rare: tuple[int, int],
    starts: tuple[int, int],
    align: int,
    base: int,
) -> I64:
    others = [at for at in range(len(value)) if mask[at] and at not in rare]
    parts = []
    for first, last in _blocks(starts):
        fits = _fits(data[first + rare[0] : last + rare[0]], value, mask, rare[0])
        if rare[1] != rare[0]:
            fits &= _fits(data[first + rare[1] : last + rare[1]], value, mask, rare[1])
        found = _on_step(np.flatnonzero(fits) + first, align, base)
        for at in others:
            if not len(found):
                break
            found = found[_fits(data[found + at], value, mask, at)]
        if len(found):
            parts.append(found)
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _fits(some: U8, value: bytes, mask: bytes, at: int) -> npt.NDArray[np.bool_]:
    wanted = np.uint8(value[at])
    fits: npt.NDArray[np.bool_] = (
        some == wanted if mask[at] == 255 else some & np.uint8(mask[at]) == wanted
    )
    return fits


def _range_by_numpy(
    data: U8,
    width: int,
    big: bool,
    low_span: tuple[int, int],
    starts: tuple[int, int],
    align: int,
    base: int,
) -> I64:
    low, span = low_span
    parts = []
    for first, last in _blocks(starts):
        words = _words(data[first : last + width - 1], width, big)
        kind = words.dtype.type
        rest = words - kind(low)
        if width not in _WORDS:
            rest &= kind((1 << 8 * width) - 1)
        found = _on_step(np.flatnonzero(rest <= kind(span)) + first, align, base)
        if len(found):
            parts.append(found)
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _words(data: U8, width: int, big: bool) -> npt.NDArray[Any]:
    """The word at every start."""
    count = len(data) - width + 1
    size = next(size for size in _WORDS if size >= width)
    words = np.zeros(count, _WORDS[size])
    for index in range(width):
        shift = 8 * (width - 1 - index if big else index)
        words |= data[index : index + count].astype(words.dtype) << words.dtype.type(shift)
    return words
