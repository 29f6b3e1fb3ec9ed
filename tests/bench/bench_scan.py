"""The exact change scan of a whole region, against the C library's memcmp over the same bytes.

memcmp compares the mapping with a copy that is equal, so that it runs to the end: two streams
and the roof for whatever reads both. The scan reads by the safe copy of the Region. What each
scan finds is checked against what was really changed: a fast wrong answer fails the run.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from app.core.backends.open_region import open_region
from app.core.region.region import PAGE, Extent, Region, RegionKind, RegionSpec
from app.core.watch.sweep import Sweep
from tests.bench.harness import Case, Row, c_memcmp, interleaved, shared_file

MIB = 1 << 20
DENSE = 64 * MIB
SPARSE = 1024 * MIB
CHANGED_BYTES = 64
NEVER_NS = 1 << 62
# (share of pages changed, floor, goal)
SHARES = ((0.001, 0.25, 0.75), (0.05, 0.2, 0.5))


class Content:
    """A file's bytes as a peer sees and changes them, and an equal copy for memcmp."""

    def __init__(self, path: str, size: int) -> None:
        with open(path, "r+b") as file:
            self.live = np.frombuffer(mmap.mmap(file.fileno(), size), np.uint8)
        self._random = np.random.default_rng(1)
        self.live[:] = np.frombuffer(self._random.bytes(size), np.uint8)
        self.copy = self.live.copy()

    def change(self, share: float) -> tuple[int, int]:
        """Invert 64 bytes somewhere in a share of all pages; (pages, bytes) changed."""
        pages = len(self.live) // PAGE
        chosen = self._random.choice(pages, round(pages * share), replace=False)
        inside = self._random.integers(0, PAGE - CHANGED_BYTES, len(chosen))
        at = (chosen * PAGE + inside)[:, None] + np.arange(CHANGED_BYTES)
        self.live[at] ^= 0xFF
        self.copy[at] ^= 0xFF
        return len(chosen), at.size


class CheckedScan:
    """A sweep over content of its own, whose every turn must find exactly what was changed."""

    def __init__(self, path: str, region: Region, share: float) -> None:
        self.content = Content(path, region.size)
        self._share = share
        self._expected = (0, 0)
        self._sweep = Sweep(region)
        self.run()

    def prepare(self) -> None:
        """Change what the next scan has to find."""
        self._expected = self.content.change(self._share)

    def run(self) -> None:
        """Scan and check."""
        totals = self._sweep.totals
        before = totals.changed_pages, totals.changed_bytes
        self._sweep.scan(NEVER_NS)
        found = totals.changed_pages - before[0], totals.changed_bytes - before[1]
        if found != self._expected:
            raise AssertionError(f"found {found}, expected {self._expected}")


@contextmanager
def scan_of(size: int, share: float) -> Iterator[CheckedScan]:
    """A scan of a new file."""
    with shared_file(size) as path, open_region(RegionSpec(RegionKind.FILE, str(path))) as region:
        yield CheckedScan(str(path), region, share)


def dense_rows(share: float, floor: float, goal: float, rounds: int) -> list[Row]:
    """64 MiB."""
    with scan_of(DENSE, share) as scan:
        content = scan.content
        cases = [
            Case("scan", scan.run, scan.prepare),
            Case("memcmp", lambda: c_memcmp(content.live, content.copy)),
        ]
        times = interleaved(cases, rounds, warm_up=2)
    rate = {name: DENSE / times.median(name) / 1e9 for name in times.seconds}
    return [
        Row(
            name=f"exact scan, 64 MiB, {share:.1%} of pages changed",
            ratio=times.speed("scan", "memcmp"),
            unit="x",
            reference="C memcmp's rate",
            floor=floor,
            goal=goal,
            detail=f"{rate['scan']:.2f} against {rate['memcmp']:.2f} GB/s",
        )
    ]


class _WithoutExtents(Sweep):
    """The same sweep, blind for holes."""

    def __init__(self, region: Region) -> None:
        super().__init__(_Everything(region))


class _Everything(Region):
    """A Region that cannot tell holes: reads as the one it stands before."""

    def __init__(self, region: Region) -> None:
        super().__init__(region.info)
        self._inner = region

    def extents(self, start: int, end: int) -> list[Extent]:
        """Everything may hold data."""
        return [(start, end)]

    def check(self) -> None:
        """Leave it to the other."""
        self._inner.check()

    def _raw_read(self, offset: int, buffer: memoryview) -> None:
        self._inner.read_into(offset, buffer)

    def _raw_write(self, offset: int, data: memoryview) -> None:
        raise NotImplementedError

    def _raw_load(self, offset: int, width: int) -> int:
        raise NotImplementedError

    def _raw_store(self, offset: int, width: int, value: int) -> None:
        raise NotImplementedError

    def _raw_close(self) -> None:
        pass


def sparse_rows(rounds: int) -> list[Row]:
    """1 GiB with one run of 5 %: scanning extents against scanning everything."""
    with shared_file(SPARSE) as path:
        with open(path, "r+b") as file:
            file.seek(300 * MIB)
            file.write(os.urandom(SPARSE // 20 // PAGE * PAGE))
        blocks = os.stat(path).st_blocks
        with open_region(RegionSpec(RegionKind.FILE, str(path))) as region:
            sweep, blind = Sweep(region), _WithoutExtents(region)
            cases = [
                Case("extents", lambda: sweep.scan(NEVER_NS)),
                Case("everything", lambda: blind.scan(NEVER_NS)),
            ]
            times = interleaved(cases, rounds)
        allocated = (os.stat(path).st_blocks - blocks) * 512 // PAGE
    detail = (
        f"{times.median('extents') * 1e3:.1f} against {times.median('everything') * 1e3:.1f} ms"
    )
    ratio = times.speed("extents", "everything")
    name = "scan of a sparse 1 GiB with one 5 % run"
    return [
        Row(name, ratio, "x", "a scan of everything", 3, 5, detail),
        Row("pages allocated by looking at it", allocated, "pages", "", 0, 0, lower_is_better=True),
    ]


def rows(*, quick: bool = False) -> list[Row]:
    """All rows."""
    rounds = 5 if quick else 15
    found = [row for share in SHARES for row in dense_rows(*share, rounds)]
    return found + sparse_rows(3 if quick else 7)
