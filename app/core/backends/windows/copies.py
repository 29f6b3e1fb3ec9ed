"""Copies, loads and stores in a device's mapping, each under an exception handler.

The driver may unmap the pages at any moment (Device.c:249), and a plain access would then end
the process (docs/platform.md, "Windows memory").
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Final

from ...errors import UnpluggedError
from ...region.region import PAGE
from ...values.units import format_offset
from .api import Win32, Win32Error

BY_ITSELF: Final = "Enable it in the Device Manager or plug it in; it opens again by itself."


class GuardedCopies:
    """Moves bytes between a mapping and our own memory; raises UnpluggedError at a fault.

    `pointer` is where the mapping begins, `ours` an address of our own memory.

    Args:
        api: The Windows calls.
        name: The device's name for people.
    """

    def __init__(self, api: Win32, name: str) -> None:
        self._api = api
        self._name = name

    def read(self, pointer: int, offset: int, ours: int, length: int) -> None:
        """From the mapping."""
        self._copy(self._api.read_memory, pointer, offset, ours, length)

    def write(self, pointer: int, offset: int, ours: int, length: int) -> None:
        """Into the mapping."""
        self._copy(self._api.write_memory, pointer, offset, ours, length)

    def _copy(
        self,
        call: Callable[[int, int, int], None],
        pointer: int,
        offset: int,
        ours: int,
        length: int,
    ) -> None:
        """One guarded copy; page by page when it fails, to find the first page that is gone."""
        try:
            call(pointer + offset, ours, length)
            return
        except Win32Error:
            pass
        done = 0
        while done < length:
            step = min(PAGE - (offset + done) % PAGE, length - done)
            try:
                call(pointer + offset + done, ours + done, step)
            except Win32Error as error:
                raise self._fault(offset + done) from error
            done += step

    def load(self, pointer: int, offset: int, width: int) -> int:
        """One load.

        The C runtime moves 1, 2, 4 and 8 bytes in one instruction each, and ctypes turns an
        access violation inside a call into OSError.
        """
        value = ctypes.c_uint64(0)
        self._move(ctypes.addressof(value), pointer + offset, width, offset)
        return value.value

    def store(self, pointer: int, offset: int, width: int, value: int) -> None:
        """One store; see `load`."""
        number = ctypes.c_uint64(value)
        self._move(pointer + offset, ctypes.addressof(number), width, offset)

    def _move(self, to: int, source: int, width: int, offset: int) -> None:
        try:
            ctypes.memmove(to, source, width)
        except OSError as error:
            raise self._fault(offset) from error

    def _fault(self, offset: int) -> UnpluggedError:
        return UnpluggedError(
            f"The memory of {self._name} is gone at {format_offset(offset)}: "
            "the device was disabled or removed.",
            BY_ITSELF,
        )
