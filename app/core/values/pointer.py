"""Offsets that stand in the memory: how wide, which byte order, and what they count from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .value_type import Endian

POINTER_KINDS: Final = ("u32", "u64", "i32", "i64")


@dataclass(frozen=True, slots=True)
class PointerForm:
    """How an offset is kept.

    Attributes:
        kind: One of POINTER_KINDS; signed ones may lead back.
        endian: Byte order.
        base: What it counts from; None is the place where it stands.
    """

    kind: str = "u64"
    endian: Endian = Endian.LITTLE
    base: int | None = 0

    @property
    def width(self) -> int:
        """Bytes."""
        return int(self.kind[1:]) // 8

    @property
    def signed(self) -> bool:
        """Whether it may be negative."""
        return self.kind[0] == "i"

    @property
    def limits(self) -> tuple[int, int]:
        """Least value, and the first that is too large."""
        bits = 8 * self.width
        return (-(1 << bits - 1), 1 << bits - 1) if self.signed else (0, 1 << bits)

    def value(self, data: bytes) -> int:
        """What stands in these bytes."""
        return int.from_bytes(data[: self.width], self.endian.value, signed=self.signed)

    def target(self, data: bytes, place: int) -> int:
        """Where these bytes lead, which stand at `place`; maybe outside of any region."""
        return self.value(data) + (place if self.base is None else self.base)

    @property
    def label(self) -> str:
        """`u64 little`."""
        return f"{self.kind} {self.endian.value}"


@dataclass(frozen=True, slots=True)
class PointingPlaces:
    """What a scan found.

    Attributes:
        offsets: The places, in order.
        more: Whether it ended before the region's end, because there were too many.
        scanned: Bytes that were read; holes were not.
    """

    offsets: tuple[int, ...]
    more: bool
    scanned: int
