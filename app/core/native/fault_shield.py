"""A shield over memory that a loop in Python accesses directly.

A page that vanishes (a file that is cut) is a fault in whoever touches it, and ends the process.
Behind a shield the page is replaced by an empty one of our own, the access is tried again, and
the shield tells that it was hit: what was read since is worth nothing, but everybody lives. The
C kernel has one signal handler for its own guard and for this; without it,
fault_shield_python.py does the same. The loops of the kernel need no shield, and are not slowed
down by one.
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
        """True from the first page on."""
        return self._flag.value != 0

    @property
    def flag(self) -> ctypes.c_int32:
        """What a handler sets."""
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
