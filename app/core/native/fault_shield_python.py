"""The shield without the C kernel: a handler of SIGBUS through ctypes, for Linux.

A handler installed by Python's `signal` runs after the faulting access, which never ends. A ctypes
callback that the system calls directly runs during it. The thread faulted at a plain load or store
and holds no lock except perhaps the GIL, which ctypes handles. So the callback may run Python.
"""

from __future__ import annotations

import ctypes
import mmap
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final

_SA_SIGINFO: Final = 4  # bits/sigaction.h
_SA_NODEFER: Final = 0x40000000
_SI_ADDR: Final = 16 if ctypes.sizeof(ctypes.c_void_p) == 8 else 12  # sigaction(2), siginfo_t
_MAP_FIXED: Final = 0x10  # mmap(2)
_FAILED: Final = ctypes.c_void_p(-1).value
_Handler: Final = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_size_t, ctypes.c_size_t)


def _system() -> Any:
    system = ctypes.CDLL(None)
    system.mmap.restype = ctypes.c_void_p
    system.mmap.argtypes = (
        ctypes.c_size_t,
        ctypes.c_size_t,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_long,
    )
    return system


class _SigAction(ctypes.Structure):
    """`struct sigaction` of glibc and musl."""

    _fields_: ClassVar = [
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_ubyte * 128),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    ]


class _Covers:
    """All ranges that are covered, and the handler."""

    def __init__(self) -> None:
        self.ranges: tuple[tuple[int, int, ctypes.c_int32], ...] = ()
        self._system: Any = None
        self._before = _SigAction()
        self._handler = _Handler(self._on_fault)
        self._ours = _SigAction(flags=_SA_SIGINFO | _SA_NODEFER)
        self._ours.handler = ctypes.cast(self._handler, ctypes.c_void_p).value

    def arm(self) -> None:
        """Install the handler, unless it is in force: other code may have restored an older one."""
        if sys.platform != "win32":
            system = self._system = self._system or _system()
            there = _SigAction()
            system.sigaction(signal.SIGBUS, None, ctypes.byref(there))
            if there.handler != self._ours.handler:
                self._before = there
                system.sigaction(signal.SIGBUS, ctypes.byref(self._ours), None)

    def _on_fault(self, number: int, info: int, context: int) -> None:
        at = ctypes.c_size_t.from_address(info + _SI_ADDR).value
        for start, end, hit in self.ranges:
            if start <= at < end and self._put_page(at):
                hit.value = 1
                return
        # Not our range: restore the previous handler, which is called when the access is repeated.
        # If that one calls us again, nothing handles this fault.
        self._system.sigaction(number, ctypes.byref(self._before), None)
        self._before = _SigAction()

    def _put_page(self, at: int) -> bool:
        put: int | None = _FAILED
        if sys.platform != "win32":
            size = mmap.PAGESIZE
            protection = mmap.PROT_READ | mmap.PROT_WRITE
            kind = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_FIXED
            put = self._system.mmap(at // size * size, size, protection, kind, -1, 0)
        return put != _FAILED


_covers: Final = _Covers()


@contextmanager
def covered(address: int, length: int, hit: ctypes.c_int32) -> Iterator[None]:
    """Replace pages that vanish in a range, and set `hit` then."""
    _covers.arm()
    ours = (address, address + length, hit)
    _covers.ranges = (*_covers.ranges, ours)
    try:
        yield
    finally:
        _covers.ranges = tuple(kept for kept in _covers.ranges if kept is not ours)
