"""The speed of a mapping, so that a cache mode is judged by figures and not by its name.

Reading has no effect on others and is always measured. Writing is measured only in a range that a
person chose, whose bytes are restored afterwards. Writing the bytes that are there anyway would not
be harmless: it would undo what a peer wrote in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ...errors import OutOfRangeError
from ...region.region import Region
from ...values.units import format_rate, format_size

FOR_S: Final = 0.05
_CHUNK: Final = 1 << 20
_MOST_LANE: Final = 64 << 20  # bytes kept in memory to be restored


@dataclass(frozen=True, slots=True)
class MappingSpeed:
    """Rates of plain copies through the Region.

    Attributes:
        read_bytes_per_s: Out of the mapping.
        read_bytes: How many bytes were read for it.
        memory_bytes_per_s: The same copy between two buffers of our own: what RAM would give.
        write_bytes_per_s: Into the lane; 0 when it was not measured.
        write_bytes: How many bytes were written for it.
    """

    read_bytes_per_s: float
    read_bytes: int
    memory_bytes_per_s: float
    write_bytes_per_s: float = 0.0
    write_bytes: int = 0

    @property
    def sentence(self) -> str:
        """The speed in one sentence."""
        read = f"Reads {format_rate(self.read_bytes_per_s)} ({format_size(self.read_bytes)} read)"
        wrote = ""
        if self.write_bytes:
            rate, size = format_rate(self.write_bytes_per_s), format_size(self.write_bytes)
            wrote = f", writes {rate} ({size} written)"
        return f"{read}{wrote}; plain memory here copies {format_rate(self.memory_bytes_per_s)}."


def measure_mapping(
    region: Region,
    lane: tuple[int, int] | None = None,
    *,
    for_s: float = FOR_S,
    cancelled: Callable[[], bool] = lambda: False,
) -> MappingSpeed:
    """Copy for a while and count.

    Args:
        region: The mapping.
        lane: Offset and length of bytes that may be overwritten; they are restored afterwards.
            Without it only reading is measured.
        for_s: How long each part takes, and at least one copy.
        cancelled: Called between two copies; what was counted until then is the result.

    Raises:
        ReadOnlyError, OutOfRangeError: The lane cannot be written.
        RegionGoneError: The memory is gone.
    """
    length = min(_CHUNK, region.size)
    buffer, other = bytearray(length), bytearray(length)
    places = range(0, region.size - length + 1, length)

    def read(number: int) -> int:
        region.read_into(places[number % len(places)], memoryview(buffer))
        return length

    def copy(_number: int) -> int:
        other[:] = buffer
        return length

    read_bytes, read_s = _count(read, for_s, cancelled)
    memory_bytes, memory_s = _count(copy, for_s / 5, cancelled)
    write_bytes, write_s = _write(region, lane, for_s, cancelled) if lane else (0, 1.0)
    return MappingSpeed(
        read_bytes / read_s, read_bytes, memory_bytes / memory_s, write_bytes / write_s, write_bytes
    )


def _write(
    region: Region, lane: tuple[int, int], for_s: float, cancelled: Callable[[], bool]
) -> tuple[int, float]:
    start, whole = lane
    if not 0 < whole <= _MOST_LANE:
        raise OutOfRangeError(
            f"{format_size(whole)} are no lane to measure writing in.",
            f"Choose a range of 1 byte to {format_size(_MOST_LANE)}.",
        )
    kept = region.read(start, whole)
    length = min(_CHUNK, whole)
    places = range(start, start + whole - length + 1, length)
    filled = bytes(length)

    def write(number: int) -> int:
        region.write(places[number % len(places)], filled)
        return length

    try:
        return _count(write, for_s, cancelled)
    finally:
        region.write(start, kept)


def _count(
    step: Callable[[int], int], for_s: float, cancelled: Callable[[], bool]
) -> tuple[int, float]:
    """Bytes and seconds."""
    step(0)  # the first access to the pages takes page faults, and is not measured
    done, number = 0, 0
    began = time.perf_counter()
    while True:
        done += step(number)
        number += 1
        took = time.perf_counter() - began
        if took >= for_s or cancelled():
            return done, max(took, 1e-9)
