"""What a search looks for, as it looks at one slice of memory.

A pattern is given a copy of some bytes and the range of starts in it; it answers with the offsets
and lengths of what it found. Nothing that it answers depends on where the slices were cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from ..region.region import Region
from .byte_search import find_masked, find_range, glimpse_masked, glimpse_range, rarest

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]

_CHOICE_HOLDS: Final = 32  # slices
_SAMPLE: Final = 64 << 10  # bytes
_EMPTY: Final = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Hits, ascending by offset.

    Attributes:
        starts: (n,) offsets in the region.
        lengths: (n,) bytes of each.
    """

    starts: I64
    lengths: I32

    def __len__(self) -> int:
        return len(self.starts)

    @classmethod
    def of(cls, starts: I64, length: int) -> Found:
        """Hits of one length."""
        return cls(starts, np.full(len(starts), length, np.int32))

    @classmethod
    def none(cls) -> Found:
        """No hit."""
        return cls.of(_EMPTY, 0)

    def part(self, which: slice | npt.NDArray[np.bool_]) -> Found:
        """Some of them."""
        return Found(self.starts[which], self.lengths[which])


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """A copy of some bytes, and which starts in it are asked for.

    Attributes:
        data: The bytes, with what stands before and behind as far as the pattern reaches.
        base: Offset of the first of them in the region.
        first, last: Starts in the region, `last` not included.
    """

    data: U8
    base: int
    first: int
    last: int


class Pattern(Protocol):
    """What is looked for.

    Attributes:
        lead: Bytes before a start that it looks at.
        reach: Most bytes from a start on that it looks at.
        chained: A hit begins behind the end of the one before it; else at every start that
            matches, also where hits overlap.
    """

    @property
    def lead(self) -> int:
        """See above."""

    @property
    def reach(self) -> int:
        """See above."""

    @property
    def chained(self) -> bool:
        """See above."""

    def glimpse(self, region: Region, first: int, last: int) -> I64 | None:
        """Where hits begin in [first, last) right now, without a copy; None: not known."""

    def find(self, part: Slice) -> Found:
        """The hits of a slice."""

    def close(self) -> None:
        """The search is over. Safe to call twice."""


class _Fixed:
    """Base of patterns that match at every start by itself."""

    lead = 0
    chained = False

    def close(self) -> None:
        """Nothing is held."""


class MaskedPattern(_Fixed):
    """Bytes under a mask: a byte matches when its bits under the mask are the value's.

    Args:
        value: As many bytes as `mask`, with no bits outside of it.
        mask: 0 is any byte.
        align: Only offsets that are a multiple of this.
    """

    def __init__(self, value: bytes, mask: bytes, align: int = 1) -> None:
        self.value, self.mask, self.align = value, mask, align
        self.reach = len(value)
        self._rare = (0, 0)
        self._chosen_for = 0  # slices that the choice still holds for

    def _choose(self, sample: U8) -> None:
        """Which bytes are compared first, for a while."""
        self._rare = rarest(sample, self.value, self.mask)
        self._chosen_for = _CHOICE_HOLDS

    def find(self, part: Slice) -> Found:
        """The hits of a slice."""
        size = len(self.value)
        first, last = part.first - part.base, min(part.last - part.base, len(part.data) - size + 1)
        if first >= last:
            return Found.none()
        if not self._chosen_for:
            self._choose(part.data[first:last])
        self._chosen_for -= 1
        starts = find_masked(
            part.data, self.value, self.mask, self._rare, (first, last), self.align, part.base
        )
        return Found.of(starts + part.base, size)

    def glimpse(self, region: Region, first: int, last: int) -> I64 | None:
        """Where hits begin in [first, last) right now, without a copy; None: not known."""
        size = len(self.value)
        count = min(last, region.size - size + 1) - first
        if count < 1:
            return None
        if not self._chosen_for:
            sample = region.read(first, min(_SAMPLE, count))
            self._choose(np.frombuffer(sample, np.uint8))
        self._chosen_for -= 1
        found = region.run_in_place(
            first,
            count + size - 1,
            lambda address: glimpse_masked(
                address, self.value, self.mask, self._rare, count, self.align, first
            ),
        )
        return None if found is None else found + first


@dataclass(frozen=True, eq=False)
class RangePattern(_Fixed):
    """Words whose value lies in a range: (word - low) mod 2^bits is at most `span`.

    This is unsigned and signed integers, and, by the order of their bits, floats.

    Attributes:
        width: Bytes of a word, 1 to 8.
        big: Big endian.
        align: Only offsets that are a multiple of this.
    """

    width: int
    big: bool
    low: int
    span: int
    align: int = 1

    @property
    def reach(self) -> int:
        """Its length."""
        return self.width

    def find(self, part: Slice) -> Found:
        """The hits of a slice."""
        first = part.first - part.base
        last = min(part.last - part.base, len(part.data) - self.width + 1)
        if first >= last:
            return Found.none()
        starts = find_range(
            part.data, self.width, self.big, (self.low, self.span), (first, last), self.align,
            part.base,
        )  # fmt: skip
        return Found.of(starts + part.base, self.width)

    def glimpse(self, region: Region, first: int, last: int) -> I64 | None:
        """Where hits begin in [first, last) right now, without a copy; None: not known."""
        count = min(last, region.size - self.width + 1) - first
        if count < 1:
            return None
        ends = (self.low, self.span)
        found = region.run_in_place(
            first,
            count + self.width - 1,
            lambda address: glimpse_range(
                address, self.width, self.big, ends, count, self.align, first
            ),
        )
        return None if found is None else found + first


class AnyPattern(_Fixed):
    """Whatever one of several patterns finds; where they begin together the longest counts."""

    def __init__(self, parts: tuple[MaskedPattern | RangePattern, ...]) -> None:
        self.parts = parts
        self.reach = max(part.reach for part in parts)

    def glimpse(self, region: Region, first: int, last: int) -> I64 | None:
        """Where hits begin in [first, last) right now, without a copy; None: not known."""
        found = []
        for part in self.parts:
            starts = part.glimpse(region, first, last)
            if starts is None:
                return None
            found.append(starts)
        return np.concatenate(found)

    def find(self, part: Slice) -> Found:
        """The hits of a slice."""
        found = [one for pattern in self.parts if len(one := pattern.find(part))]
        if len(found) < 2:
            return found[0] if found else Found.none()
        starts = np.concatenate([one.starts for one in found])
        lengths = np.concatenate([one.lengths for one in found])
        order = np.lexsort((-lengths, starts))
        starts, lengths = starts[order], lengths[order]
        keep = np.ones(len(starts), np.bool_)
        keep[1:] = starts[1:] != starts[:-1]
        return Found(starts[keep], lengths[keep])


def any_of(parts: tuple[MaskedPattern | RangePattern, ...]) -> Pattern:
    """One of them, without a detour where there is only one."""
    return parts[0] if len(parts) == 1 else AnyPattern(parts)
