"""Copies that survive a page that is gone.

A plain load or store to such a page raises SIGBUS, which ends the process. Three ways that answer
with an error instead:

* `read_file`: preadv on the file's own descriptor; it never allocates holes.
* `MappedCopier`: the C kernel's guarded copy in the mapping; works on BARs too, and unlike pwrite
  on the file it cannot extend a file that was truncated.
* The same without the C kernel: pwritev(memfd, [mapping]) and preadv(memfd, [mapping]), where
  the system takes the fault and answers EFAULT or a short count.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import sys
import threading
from collections.abc import Callable
from typing import Final

from .kernel import kernel

SCRATCH: Final = 1 << 20
_WORD: Final = 8
_SMALL: Final = 16 << 10


class FaultError(Exception):
    """The memory is gone behind the first `done` bytes of the copy."""

    def __init__(self, done: int) -> None:
        super().__init__(f"fault after {done} bytes")
        self.done = done


def load_word(read: Callable[[int, memoryview], None], offset: int, width: int, size: int) -> int:
    """One load of an aligned word, out of `size` bytes, by a copy that the system makes.

    A load in our own code would be one instruction, and SIGBUS when the memory went. The system
    moves an aligned word of 8 bytes at once, but may go byte by byte over less: so the whole word
    is taken, and cut.
    """
    start, length = offset - offset % _WORD, _WORD
    if start + _WORD > size:
        start, length = offset, width
    word = bytearray(length)
    read(start, memoryview(word))
    at = offset - start
    return int.from_bytes(word[at : at + width], "little")


def load_exact(read: Callable[[int, memoryview], None], offset: int, width: int) -> int:
    """One load of an aligned word by a copy that makes it one access of this width."""
    word = bytearray(width)
    read(offset, memoryview(word))
    return int.from_bytes(word, "little")


if sys.platform != "win32":

    def read_file(fd: int, offset: int, buffer: memoryview) -> None:
        """Fill `buffer` from a file.

        Raises:
            FaultError: The file ends before the buffer is full.
            OSError: Anything else that the kernel refuses.
        """
        done = 0
        while done < buffer.nbytes:
            count = os.preadv(fd, [buffer[done:]], offset + done)
            if count <= 0:
                raise FaultError(done)
            done += count

    class MappedCopier:
        """Copies from and to a mapping. Any thread may copy; `close` waits for the copies first.

        The C kernel accesses the mapping directly, behind a guard, by loads and stores that are as
        wide as possible. Without it the system copies through a scratch file in memory, which is
        as safe and, where the system goes byte by byte, many times slower on uncached memory.

        Args:
            memory: The mapping.
            start: Position of offset 0 in it.
            streaming: It is write-combined: loads and stores go past the cache.
        """

        def __init__(self, memory: mmap.mmap, start: int = 0, *, streaming: bool = False) -> None:
            self._view: memoryview | None = memoryview(memory)
            self._start = start
            self._streaming = streaming
            self._native = kernel()
            self._address = _address(self._view) + start
            self._scratch = -1
            self._lock = threading.Lock()

        @property
        def exact(self) -> bool:
            """Whether an aligned word of any width is one access of that width."""
            return self._native is not None

        def read(self, offset: int, buffer: memoryview) -> None:
            """Fill `buffer` from the mapping.

            Raises:
                FaultError: The memory is gone.
            """
            native, length = self._native, buffer.nbytes
            if native is None:
                self._read(offset, buffer)
            elif length:
                self._need(offset, length)
                own = _address(buffer)
                there = self._address + offset
                done = native.copy_out(own, there, length, streaming=self._streaming)
                if done < length:
                    raise FaultError(done)

        def write(self, offset: int, data: memoryview) -> None:
            """Copy `data` into the mapping.

            Raises:
                FaultError: The memory is gone; what follows `done` may be written in part.
            """
            native, length = self._native, data.nbytes
            if native is None:
                self._write(offset, data)
            elif length:
                self._need(offset, length)
                own = _address(data)
                there = self._address + offset
                done = native.copy_in(there, own, length, streaming=self._streaming)
                if done < length:
                    raise FaultError(done)

        def _need(self, offset: int, length: int) -> memoryview:
            """The range is in the mapping, which is open."""
            if self._view is None:
                raise FaultError(0)
            if offset < 0 or self._start + offset + length > self._view.nbytes:
                raise IndexError(f"{length} bytes at {offset} are not in the mapping")
            return self._view

        # -- without the kernel ---------------------------------------------------------------

        def _read(self, offset: int, buffer: memoryview) -> None:
            with self._lock:
                for at in range(0, buffer.nbytes, SCRATCH):
                    part = buffer[at : at + SCRATCH]
                    with self._part(offset + at, part.nbytes) as source:
                        self._move(os.pwritev, source, at)
                    read_file(self._scratch, 0, part)

        def _write(self, offset: int, data: memoryview) -> None:
            with self._lock:
                for at in range(0, data.nbytes, SCRATCH):
                    part = data[at : at + SCRATCH]
                    with self._part(offset + at, part.nbytes) as target:
                        os.pwrite(self._scratch, part, 0)
                        self._move(os.preadv, target, at)

        def _part(self, offset: int, length: int) -> memoryview:
            view = self._need(offset, length)
            if self._scratch < 0:
                self._scratch = os.memfd_create("ivshmem-scope-copy", os.MFD_CLOEXEC)
            return view[self._start + offset : self._start + offset + length]

        def _move(self, call: object, part: memoryview, before: int) -> None:
            done = 0
            while done < part.nbytes:
                try:
                    with part[done:] as rest:
                        count = call(self._scratch, [rest], done)  # type: ignore[operator]
                except OSError as error:
                    if error.errno == errno.EFAULT:
                        raise FaultError(before + done) from None
                    raise
                if count <= 0:
                    raise FaultError(before + done)
                done += count

        def close(self) -> None:
            """Release the mapping. Safe to call twice."""
            with self._lock:
                if self._view is not None:
                    self._view.release()
                    self._view = None
                if self._scratch >= 0:
                    os.close(self._scratch)
                    self._scratch = -1


class _Buffer(ctypes.Structure):
    """`Py_buffer` (Python's C API, "Buffer structure"); the object stays a bare pointer."""

    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_void_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    )


def _address(memory: memoryview) -> int:
    """Where these bytes lie, also read-only ones; valid while the caller holds the memoryview."""
    buffer = _Buffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(memory), ctypes.byref(buffer), 0)
    address = buffer.buf or 0
    ctypes.pythonapi.PyBuffer_Release(ctypes.byref(buffer))
    return int(address)
