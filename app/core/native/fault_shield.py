"""A shield over memory that a loop in Python accesses directly.

An access to a page that is gone (of a file that was cut) raises SIGBUS, which ends the process.
Under a shield the signal handler replaces the page by an empty anonymous one, the access is
repeated, and the shield's `hit` is set: what was read since is invalid, but the process goes on.
The C kernel has one signal handler for its own guard and for this; without the kernel,
fault_shield_python.py does the same. The kernel's own loops need no shield, and are not slowed down
by one.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from . import fault_shield_python
from .kernel import kernel


class Shield:
    """Whether a page vanished behind it."""

    def __init__(self) -> None:
        self._flag = ctypes.c_int32(0)

    @property
    def hit(self) -> bool:
        """Whether a page was replaced."""
        return self._flag.value != 0

    @property
    def flag(self) -> ctypes.c_int32:
        """The flag that the signal handler sets."""
        return self._flag


@contextmanager
def shielded(memory: memoryview[int]) -> Iterator[Shield]:
    """Shield writable memory for a while.

    On Windows this needs the C kernel; a file that is mapped cannot be cut there.
    """
    shield = Shield()
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    native = kernel()
    if native is not None:
        number = native.shield(address, memory.nbytes, shield.flag)
        try:
            yield shield
        finally:
            if number >= 0:
                native.unshield(number)
    elif sys.platform != "win32":
        with fault_shield_python.covered(address, memory.nbytes, shield.flag):
            yield shield
    else:
        yield shield
