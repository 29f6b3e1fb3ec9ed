"""Copies in which the kernel takes the fault.

A load or store in our own code to a page that is gone is SIGBUS, and the process dies. When
the kernel copies, it is EFAULT or a short count (docs/platform.md, "Memory of a file"). Two ways:

* `read_file`: preadv on the file's own descriptor; fastest, and it never allocates holes.
* `MappedCopier`: pwritev(memfd, [mapping]) and preadv(memfd, [mapping]); works on BARs too, and
  unlike pwrite on the file it cannot extend a file that was truncated.
"""

from __future__ import annotations

import errno
import mmap
import os
import sys
import threading
from collections.abc import Callable
from typing import Final

SCRATCH: Final = 1 << 20
_WORD: Final = 8


class FaultError(Exception):
    """The memory is gone behind the first `done` bytes of the copy."""

    def __init__(self, done: int) -> None:
        super().__init__(f"fault after {done} bytes")
        self.done = done


def load_word(read: Callable[[int, memoryview], None], offset: int, width: int, size: int) -> int:
    """One load of an aligned word, out of `size` bytes, by a copy that the kernel makes.

    A load in our own code would be one instruction, and SIGBUS when the memory is gone. The kernel
    moves an aligned word of 8 bytes at once (docs/measurements.md, "One access or several"), but
    may copy less byte by byte: so the whole word is copied, and the wanted bytes are cut out.
    """
    start, length = offset - offset % _WORD, _WORD
    if start + _WORD > size:
        start, length = offset, width
    word = bytearray(length)
    read(start, memoryview(word))
    at = offset - start
    return int.from_bytes(word[at : at + width], "little")


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
        """Copies from and to a mapping through a scratch file in memory. Thread-safe."""

        def __init__(self, memory: mmap.mmap, start: int = 0) -> None:
            self._view: memoryview | None = memoryview(memory)
            self._start = start
            self._fd = os.memfd_create("ivshmem-scope-copy", os.MFD_CLOEXEC)
            self._lock = threading.Lock()

        def read(self, offset: int, buffer: memoryview) -> None:
            """Fill `buffer` from the mapping. Raises FaultError."""
            with self._lock:
                for at in range(0, buffer.nbytes, SCRATCH):
                    part = buffer[at : at + SCRATCH]
                    with self._part(offset + at, part.nbytes) as source:
                        self._move(os.pwritev, source, at)
                    read_file(self._fd, 0, part)

        def write(self, offset: int, data: memoryview) -> None:
            """Copy `data` into the mapping. Raises FaultError."""
            with self._lock:
                for at in range(0, data.nbytes, SCRATCH):
                    part = data[at : at + SCRATCH]
                    os.pwrite(self._fd, part, 0)
                    with self._part(offset + at, part.nbytes) as target:
                        self._move(os.preadv, target, at)

        def _part(self, offset: int, length: int) -> memoryview:
            if self._view is None:
                raise FaultError(0)
            return self._view[self._start + offset : self._start + offset + length]

        def _move(self, call: object, part: memoryview, before: int) -> None:
            done = 0
            while done < part.nbytes:
                try:
                    with part[done:] as rest:
                        count = call(self._fd, [rest], done)  # type: ignore[operator]
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
                    os.close(self._fd)
