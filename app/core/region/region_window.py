"""RegionWindow: the one exception to "a Region gives out copies".

A measurement must load and store in the mapping itself: a copy by the kernel costs microseconds
where the thing measured takes a tenth of one. The price is that a page which vanishes is a fault
in our own code. So a window is open only while a loop runs, covers only the lane, and the loop
calls `check()` between slices. The loops in kernel.c catch the fault and return it. For loops in
Python fault_shield.py puts an empty page in its place, and `check()` raises.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import NoReturn

from ..errors import TruncatedError
from ..native.fault_shield import Shield
from ..values.units import format_short_offset


class RegionWindow:
    """Direct access to a range of a Region, valid inside `with region.window(...)` only.

    Attributes:
        offset: Where the range is in the region, a multiple of 8.
        bytes: The memory itself; slice assignment copies.
        words: The same as 8-byte words, for loops: `words[window.index(offset)]` is one load.
    """

    def __init__(
        self, memory: memoryview[int], offset: int, check: Callable[[], None], shield: Shield
    ) -> None:
        self.offset = offset
        self.bytes = memory
        self.words = memory.cast("Q")
        self._check = check
        self._shield = shield

    def index(self, offset: int) -> int:
        """The word's index for an offset in the region."""
        place, rest = divmod(offset - self.offset, 8)
        if rest or not 0 <= place < len(self.words):
            raise IndexError(f"{format_short_offset(offset)} is no word of this window")
        return place

    def part(self, offset: int, length: int) -> memoryview[int]:
        """The bytes at an offset in the region; release them before the window closes."""
        start = offset - self.offset
        if start < 0 or length < 0 or start + length > self.bytes.nbytes:
            raise IndexError(f"{format_short_offset(offset)} is not in this window")
        return self.bytes[start : start + length]

    def address(self, offset: int) -> int:
        """The address in this process, for kernel.c. Nothing keeps it valid but the window."""
        if not 0 <= offset - self.offset < self.bytes.nbytes:
            raise IndexError(f"{format_short_offset(offset)} is not in this window")
        return ctypes.addressof(ctypes.c_char.from_buffer(self.bytes)) + offset - self.offset

    def check(self) -> None:
        """Whether the memory is still what was opened; cheap enough for each slice.

        Raises:
            RegionGoneError: One of its kinds, with the reason.
        """
        self._check()
        if self.torn:
            self._vanished()

    @property
    def torn(self) -> bool:
        """Whether a page vanished and was replaced; still true when the file has grown again."""
        return self._shield.hit

    def lost(self) -> NoReturn:
        """Raise the error for a fault in a loop, or a torn window.

        Raises:
            RegionGoneError: One of its kinds, with the reason.
        """
        self._check()
        self._vanished()

    def _vanished(self) -> NoReturn:
        raise TruncatedError("The memory under the lane vanished while it was measured.")

    def close(self) -> None:
        """Release the views; called by the Region."""
        self.words.release()
        self.bytes.release()
