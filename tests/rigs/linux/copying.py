"""Runs in the guest: how fast a BAR is copied by the program, beside loops in C on the same BAR.

    python -m tests.rigs.linux.copying ADDRESS LIBRARY

LIBRARY has the loops of `REFERENCE`. Prints JSON: for each cache mode and way, bytes per second by
the Region and by each loop (medians of some rounds, in which they take turns), and the Region's
share of each loop's speed (the median of the rounds' ratios).
"""

from __future__ import annotations

import ctypes
import json
import mmap
import statistics
import sys
import time
from collections.abc import Callable
from typing import Final

import numpy as np

from app.core.backends.open_region import open_region
from app.core.region.buffers import aligned_bytes
from app.core.region.region import CacheMode, RegionKind, RegionSpec

REFERENCE: Final = """
#include <stdint.h>
#include <string.h>
void plain_loop(void *to, const void *from, unsigned long size) {
    volatile uint64_t *t = to; const volatile uint64_t *f = from;
    for (unsigned long at = 0; at < size / 8; at++) t[at] = f[at];
}
void by_memcpy(void *to, const void *from, unsigned long size) { memcpy(to, from, size); }
"""
LOOPS: Final = ("plain_loop", "by_memcpy")
BLOCK: Final = 8 << 20  # Python is emulated too, and takes half a millisecond a call
ROUNDS: Final = 31


def measure(address: str, library: str) -> dict[str, dict[str, float]]:
    """All figures of a device, by `mode way`."""
    c = ctypes.CDLL(library)
    found = {}
    for mode in (CacheMode.UNCACHED, CacheMode.WRITE_COMBINED):
        spec = RegionSpec(RegionKind.BAR, address, cache=mode)
        with open_region(spec) as region, open(region.info.path, "r+b") as file:
            mapping = mmap.mmap(file.fileno(), BLOCK)
            there = np.frombuffer(mapping, np.uint8)
            own = aligned_bytes(BLOCK)
            own[:] = np.random.default_rng(1).integers(0, 256, BLOCK, np.uint8)
            data = memoryview(own)
            region.write(0, data)
            own[:] = 0
            ways: dict[str, tuple[Callable[[int, memoryview], None], int, int]] = {
                "read": (region.read_into, own.ctypes.data, there.ctypes.data),
                "write": (region.write, there.ctypes.data, own.ctypes.data),
            }
            for way, (by_region, to, source) in ways.items():
                cases: dict[str, Callable[[], object]] = {"region": lambda: by_region(0, data)}
                for name in LOOPS:
                    cases[name] = _call(c, name, to, source)
                found[f"{mode.value} {way}"] = _rates(cases)
                if not np.array_equal(own, there) or not own.any():
                    raise AssertionError(f"{mode.value} {way}: the copies differ")
            del there
            mapping.close()
    return found


def _call(c: ctypes.CDLL, name: str, to: int, source: int) -> Callable[[], object]:
    function = getattr(c, name)
    function.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong)
    return lambda: function(to, source, BLOCK)


def _rates(cases: dict[str, Callable[[], object]]) -> dict[str, float]:
    took: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, run in cases.items():
            began = time.perf_counter()
            run()
            took[name].append(time.perf_counter() - began)
    found = {name: BLOCK / statistics.median(times) for name, times in took.items()}
    for name in LOOPS:
        pairs = zip(took[name], took["region"], strict=True)
        found[f"share of {name}"] = statistics.median(loop / ours for loop, ours in pairs)
    return found


if __name__ == "__main__":
    print(json.dumps(measure(*sys.argv[1:])))
