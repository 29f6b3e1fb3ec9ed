"""The Region's safe copies, in which the kernel takes the fault, against memcpy of the mapping.

memcpy is what a program does that may die of a truncated file. What safety costs is per call for
small copies, and per byte for large ones; both ways of a Region are measured.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable

import numpy as np

from app.core.backends.open_region import open_region
from app.core.region.buffers import aligned_bytes
from app.core.region.region import RegionKind, RegionSpec
from tests.bench.harness import Case, Row, c_library, interleaved, shared_file

C_COPIES = """
#include <string.h>
void copies(void *to, const void *from, unsigned long size, unsigned long times) {
    while (times--) { memcpy(to, from, size); __asm__ volatile("" ::: "memory"); }
}
"""
KIB, MIB = 1 << 10, 1 << 20
# (bytes, floor of reading, goal, floor of writing, goal). memcpy of up to a megabyte runs in the
# cache at tens of GB/s, where a call of the kernel takes a microsecond and Python another.
SIZES = (
    (4 * KIB, 0.003, 0.01, 0.002, 0.005),
    (64 * KIB, 0.05, 0.15, 0.02, 0.05),
    (1 * MIB, 0.15, 0.4, 0.06, 0.15),
    (64 * MIB, 0.3, 0.6, 0.2, 0.4),
)


def _name(size: int) -> str:
    return f"{size // MIB} MiB" if size >= MIB else f"{size // KIB} KiB"


def copies(c: ctypes.CDLL, size: int, limits: tuple[float, ...], rounds: int) -> list[Row]:
    """One size, both ways."""
    repeats = max(1, 8 * MIB // size)
    with shared_file(64 * MIB) as path:
        with open(path, "r+b") as file:
            mapping = mmap.mmap(file.fileno(), 64 * MIB)
        memory = np.frombuffer(mapping, np.uint8)[:size]
        memory[:] = 1
        own = aligned_bytes(size)
        own[:] = 2
        data = memoryview(own)
        with open_region(RegionSpec(RegionKind.FILE, str(path))) as region:
            there, here = (ctypes.c_void_p(each.ctypes.data) for each in (memory, own))

            def many(call: Callable[[int, memoryview], None]) -> None:
                for _ in range(repeats):
                    call(0, data)

            def memcpy(to: ctypes.c_void_p, source: ctypes.c_void_p) -> None:
                c.copies(to, source, ctypes.c_ulong(size), ctypes.c_ulong(repeats))

            cases = [
                Case("read", lambda: many(region.read_into)),
                Case("memcpy out", lambda: memcpy(here, there)),
                Case("write", lambda: many(region.write)),
                Case("memcpy in", lambda: memcpy(there, here)),
            ]
            times = interleaved(cases, rounds)
            if not np.array_equal(own, memory):
                raise AssertionError("the copies differ")
    read_floor, read_goal, write_floor, write_goal = limits
    found = []
    for way, reference, floor, goal in (
        ("read", "memcpy out", read_floor, read_goal),
        ("write", "memcpy in", write_floor, write_goal),
    ):
        rate = [size * repeats / times.median(name) / 1e9 for name in (way, reference)]
        detail = f"{rate[0]:.2f} against {rate[1]:.2f} GB/s"
        name = f"safe {way} of {_name(size)}"
        found.append(Row(name, times.speed(way, reference), "x", "C memcpy", floor, goal, detail))
    return found


def rows(*, quick: bool = False) -> list[Row]:
    """All rows."""
    rounds = 7 if quick else 21
    with c_library(C_COPIES) as c:
        return [row for size, *limits in SIZES for row in copies(c, size, tuple(limits), rounds)]
