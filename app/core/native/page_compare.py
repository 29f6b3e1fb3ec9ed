"""Comparing in the mapping itself, for the change scan: two streams, and no copy between them.

A copy by the kernel is what makes a read safe, and half of what a scan costs where nothing
changed. The loop in kernel.c has its own guard against a page that vanishes, so it may look
into the mapping directly and copy out only what differs. Reading a hole would allocate it
(docs/platform.md, "Memory of a file"), so where there may be holes mincore(2) is asked first
whether the pages to come are in memory. It is asked for a megabyte at a time; lseek(2) would
search up to the next hole or the end.
"""

from __future__ import annotations

import ctypes
import mmap
from typing import Final

from .kernel import DifferState, Slice, kernel

_PAGE: Final = 4096


def copy_differing(
    memory: mmap.mmap, start: int, buffer: memoryview, before: memoryview, *, holes: bool
) -> bytearray | None:
    """Fill the pages of `buffer` that differ in the mapping from `before`.

    Args:
        memory: A writable mapping (ctypes gives no address of a read-only one).
        start: Where in it the range begins.
        buffer: As long as `before`; pages that do not differ are left as they are.
        before: The older copy.
        holes: There may be pages without memory.

    Returns:
        A byte for each page, 1 where it differs; None when there is no kernel, or a page is
        not in memory or gone: the caller then makes a safe copy, which reports the reason.
    """
    native = kernel()
    if native is None:
        return None
    flags = bytearray(-(-buffer.nbytes // _PAGE))
    state = DifferState(
        live=address_of(memory) + start,
        before=address_of(before),
        into=address_of(buffer),
        flags=address_of(flags),
        length=buffer.nbytes,
        page=_PAGE,
        holes=int(holes),
    )
    return flags if native.differ(state) is Slice.DONE else None


def address_of(memory: mmap.mmap | memoryview | bytearray) -> int:
    """Its address; valid as long as the caller keeps the buffer."""
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))
