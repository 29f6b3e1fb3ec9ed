"""Timing of single words and whole blocks of memory, in the kernel or in Python.

Each figure is the median of a few short slices, so that one interruption does not distort it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Final

import numpy as np

from ...errors import TruncatedError
from ...native.kernel import CopiesState, Kernel, Slice, TouchState, Toward
from ..transfer.ring import U8

_SLICES: Final = 5
_FIRST: Final = 64  # words of the first trial; an uncached one takes a microsecond
_MOST: Final = 1 << 22
_now: Final = time.perf_counter_ns


class RawAccess:
    """Times accesses to blocks; arrays may be the mapping's or our own.

    Args:
        kernel: Runs the loops; None is Python.
        slice_s: How long one slice should take.
        streaming: The mapping is write-combined.
    """

    def __init__(self, kernel: Kernel | None, slice_s: float, *, streaming: bool = False) -> None:
        self._kernel = kernel
        self._streaming = streaming
        self._slice_ns = int(slice_s * 1e9)
        self._random = np.random.default_rng(1)

    def copy_ns(self, to: U8, source: U8, toward: Toward = Toward.INSIDE) -> float:
        """Nanoseconds of copying a block: out of and into a mapping as a Region does it."""
        return self._median(lambda count: self._copies(to, source, count, toward), 1)

    def word_ns(self, block: U8, *, storing: bool) -> float:
        """Nanoseconds of an 8-byte load (each waits for the one before) or store, at random."""
        words = 1 << ((len(block) // 8).bit_length() - 1)
        return self._median(lambda count: self._touch(block, words, count, storing), _FIRST)

    def _median(self, run: Callable[[int], int], first: int) -> float:
        """Find out how many fit into a slice, then time some slices."""
        count, took = first, max(1, run(first))
        while took < self._slice_ns // 4 and count < _MOST:
            count = min(_MOST, count * max(2, min(16, self._slice_ns // (2 * took))))
            took = max(1, run(count))
        return statistics.median([took, *(run(count) for _ in range(_SLICES - 1))]) / count

    def _copies(self, to: U8, source: U8, count: int, toward: Toward) -> int:
        if self._kernel is not None:
            state = CopiesState(
                to=to.ctypes.data,
                from_=source.ctypes.data,
                size=len(source),
                count=count,
                direction=int(toward),
                streaming=int(self._streaming),
            )
            _checked(self._kernel.copies(state))
            return int(state.took_ns)
        began = _now()
        for _ in range(count):
            to[:] = source
        return _now() - began

    def _touch(self, block: U8, words: int, count: int, storing: bool) -> int:
        if self._kernel is not None:
            state = TouchState(
                words=block.ctypes.data,
                mask=words - 1,
                count=count,
                seed=1,
                zero=0,
                storing=int(storing),
            )
            _checked(self._kernel.touch(state))
            return int(state.took_ns)
        places = self._random.integers(0, words, count).tolist()
        with memoryview(block.data).cast("Q") as view:
            return _walk(view, places, storing=storing)


def _walk(view: memoryview[int], places: list[int], *, storing: bool) -> int:
    began = _now()
    if storing:
        for at in places:
            view[at] = at
    else:
        for at in places:
            view[at]
    return _now() - began


def _checked(result: Slice) -> None:
    if result is Slice.FAULT:
        raise TruncatedError("The memory under the lane vanished while it was measured.")
