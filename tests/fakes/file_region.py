"""A small Region over a file, for tests of what watches regions: os.preadv, nothing else."""

from __future__ import annotations

import os
from pathlib import Path

from app.core.errors import TruncatedError
from app.core.region.region import Extent, Region, RegionInfo, RegionKind, RegionSpec


class FileRegion(Region):
    """Reads and writes through the descriptor; counts reads."""

    def __init__(self, path: Path) -> None:
        size = path.stat().st_size
        spec = RegionSpec(RegionKind.FILE, str(path))
        super().__init__(RegionInfo(spec, path.name, "host", str(path), size, writable=True))
        self.fd = os.open(path, os.O_RDWR)
        self.reads: list[tuple[int, int]] = []

    def check(self) -> None:
        self._open()
        if os.fstat(self.fd).st_size < self.size:
            raise TruncatedError("The file became shorter.")

    def extents(self, start: int, end: int) -> list[Extent]:
        found: list[Extent] = []
        at = start
        while at < end:
            try:
                low = os.lseek(self.fd, at, os.SEEK_DATA)
            except OSError:
                break
            if low >= end:
                break
            at = os.lseek(self.fd, low, os.SEEK_HOLE)
            found.append((low, min(at, end)))
        return found

    def _raw_read(self, offset: int, buffer: memoryview) -> None:
        self.reads.append((offset, buffer.nbytes))
        if os.preadv(self.fd, [buffer], offset) != buffer.nbytes:
            raise TruncatedError("The file became shorter.")

    def _raw_write(self, offset: int, data: memoryview) -> None:
        os.pwrite(self.fd, data, offset)

    def _raw_load(self, offset: int, width: int) -> int:
        return int.from_bytes(os.pread(self.fd, width, offset), "little")

    def _raw_store(self, offset: int, width: int, value: int) -> None:
        os.pwrite(self.fd, value.to_bytes(width, "little"), offset)

    def _raw_close(self) -> None:
        os.close(self.fd)
