"""Requirements for a file to be a region, on every system: its kind, its size, the wanted part.

The rules for the part apply to BARs and kvmfr nodes too.
"""

from __future__ import annotations

import os
import stat
from typing import Final

from ..errors import MisalignedError, OutOfRangeError, UnsuitableError
from ..region.region import PAGE, RegionSpec
from ..values.units import exact_size, format_short_offset

_KINDS: Final = (
    (stat.S_ISDIR, "is a directory", "Choose a file inside it."),
    (stat.S_ISFIFO, "is a pipe", "Choose a regular file."),
    (stat.S_ISSOCK, "is a socket", "A doorbell server's socket is not the memory itself."),
    (stat.S_ISBLK, "is a block device", "Choose a regular file."),
    (stat.S_ISCHR, "is a character device", "Only /dev/kvmfrN nodes hold shared memory."),
)


def refuse_kind(path: str, status: os.stat_result) -> None:
    """Raise UnsuitableError for anything but a regular file."""
    for test, what, hint in _KINDS:
        if test(status.st_mode):
            raise UnsuitableError(f"{path} {what}.", hint)


def part_size(spec: RegionSpec, file_size: int) -> int:
    """Bytes of the part that `spec` asks for.

    Raises:
        UnsuitableError: The file is empty.
        MisalignedError, OutOfRangeError: There is no such part of it.
    """
    if file_size == 0:
        raise UnsuitableError(
            f"{spec.location} is empty.",
            "QEMU gives it its size when the guest starts; or use truncate -s 64M.",
        )
    if spec.start % PAGE:
        raise MisalignedError(
            f"{format_short_offset(spec.start)} is no multiple of the page size.",
            f"A part begins at a multiple of {PAGE}.",
        )
    rest = file_size - spec.start
    size = rest if spec.length is None else spec.length
    if spec.start < 0 or rest <= 0 or size > rest or size <= 0:
        raise OutOfRangeError(
            f"The part at {format_short_offset(spec.start)} is not inside {spec.location}, "
            f"which has {exact_size(file_size)}."
        )
    return size


def size_notes(size: int) -> tuple[str, ...]:
    """Sentences about a file's size."""
    if size % PAGE:
        return (f"{size} bytes are no whole number of pages; no ivshmem device has such a size.",)
    return ()
