"""Common part of BARs and kvmfr nodes: memory that is accessible through a mapping only.

read() and write() on them are refused by the system, so every copy goes through the mapping
(native/safe_copy.py): by the C kernel's guarded loops, whose accesses are as wide as the place
allows, or by the system where there is no C kernel. A device that is unplugged meanwhile is an
error with a name and not the end of the process.
"""

from __future__ import annotations

import mmap
import sys
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

assert sys.platform != "win32"  # the type checker reads no further there
# ruff: noqa: E402

from ..errors import ClosedError, RegionGoneError
from ..native.page_compare import copy_differing
from ..native.safe_copy import FaultError, MappedCopier, load_exact, load_word
from ..region.region import Region, RegionInfo, RegionSpec
from ..values.units import format_short_offset


class MappedRegion(Region):
    """A Region over one mapping that begins at its offset 0.

    Args:
        info: What was opened.
        memory: The mapping.
        streaming: It is write-combined.
    """

    def __init__(self, info: RegionInfo, memory: mmap.mmap, *, streaming: bool = False) -> None:
        super().__init__(info)
        self._memory = memory
        self._copier = MappedCopier(memory, streaming=streaming)

    @abstractmethod
    def _why_gone(self, at: str) -> RegionGoneError:
        """The error for a fault at this offset."""

    def sync(self) -> None:
        """Order our writes before what follows.

        Nothing has to be flushed: msync is a no-op on sysfs and an error on kvmfr. Taking the
        lock is a locked instruction, which empties the processor's write-combining buffers.
        """
        with self._using:
            pass

    # -- what Region asks of a maker ----------------------------------------------------------

    def _raw_read(self, offset: int, buffer: memoryview) -> None:
        try:
            self._copier.read(offset, buffer)
        except FaultError as fault:
            raise self._gone(offset, fault) from None

    def _raw_write(self, offset: int, data: memoryview) -> None:
        try:
            self._copier.write(offset, data)
        except FaultError as fault:
            raise self._gone(offset, fault) from None

    def _raw_load(self, offset: int, width: int) -> int:
        if self._copier.exact:
            return load_exact(self._raw_read, offset, width)
        return load_word(self._raw_read, offset, width, self.size)

    def _raw_store(self, offset: int, width: int, value: int) -> None:
        # One store by the C kernel; the system lands 8 bytes at once too. Less must not be widened:
        # its neighbours are the peer's.
        self._raw_write(offset, memoryview(value.to_bytes(width, "little")))

    @contextmanager
    def _raw_window(self, offset: int, length: int) -> Iterator[memoryview[int]]:
        with memoryview(self._memory) as whole, whole[offset : offset + length] as part:
            yield part

    def _raw_differing(
        self, offset: int, buffer: memoryview, before: memoryview
    ) -> bytearray | None:
        if not self.info.writable:
            return None
        return copy_differing(self._memory, offset, buffer, before, holes=False)

    def _raw_close(self) -> None:
        self._copier.close()
        self._memory.close()

    def _gone(self, offset: int, fault: FaultError) -> RegionGoneError:
        if self.closed:
            return ClosedError(f"{self.info.name} is closed.", "Open it again.")
        return self._why_gone(format_short_offset(offset + fault.done))


def map_memory(descriptor: int, spec: RegionSpec, size: int, *, writable: bool) -> mmap.mmap:
    """Map `size` bytes from the spec's start. Raises OSError as the kernel refuses."""
    access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
    return mmap.mmap(descriptor, size, access=access, offset=spec.start)
