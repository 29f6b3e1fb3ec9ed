"""Patterns for fills, and the description of a live test signal.

Any part of a pattern can be computed, so that a fill of gigabytes is made in chunks and an undo can
be compared without keeping a copy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

from ..errors import ValueFormatError
from ..values.units import format_size
from ..values.value_type import Endian
from ..values.value_types import number_bytes

WAVES: Final = ("counter", "toggle", "sine", "random")
MIN_INTERVAL_NS: Final = 100_000


class Pattern(Protocol):
    """Endless bytes that can be read at any place."""

    @property
    def label(self) -> str:
        """What it is, in a few words."""

    def chunk(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset` on, counted from the fill's start."""


def _repeat(unit: bytes, offset: int, length: int) -> bytes:
    first = offset % len(unit)
    count = (first + length) // len(unit) + 1
    return (unit * count)[first : first + length]


@dataclass(frozen=True, slots=True)
class BytePattern:
    """One byte, over and over."""

    value: int

    def __post_init__(self) -> None:
        if not 0 <= self.value <= 255:
            raise ValueFormatError(f"{self.value} is no byte.", "0 to 255.")

    @property
    def label(self) -> str:
        """What it is."""
        return f"byte 0x{self.value:02X}"

    def chunk(self, offset: int, length: int) -> bytes:
        """The byte, `length` times."""
        return bytes([self.value]) * length


@dataclass(frozen=True, slots=True)
class SequencePattern:
    """A sequence of bytes, over and over."""

    data: bytes

    def __post_init__(self) -> None:
        if not self.data:
            raise ValueFormatError("The pattern is empty.", "Give at least one byte.")

    @property
    def label(self) -> str:
        """What it is."""
        return f"pattern of {format_size(len(self.data))}"

    def chunk(self, offset: int, length: int) -> bytes:
        """Part of the repeated sequence."""
        return _repeat(self.data, offset, length)


@dataclass(frozen=True, slots=True)
class TextPattern:
    """Text, over and over."""

    text: str
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        if not self.text:
            raise ValueFormatError("The text is empty.", "Give at least one character.")
        try:
            self.text.encode(self.encoding)
        except (LookupError, ValueError) as error:
            raise ValueFormatError(f"The text cannot be written as {self.encoding}.") from error

    @property
    def label(self) -> str:
        """What it is."""
        return f"text {self.text[:16]!r}"

    def chunk(self, offset: int, length: int) -> bytes:
        """Part of the repeated text."""
        return _repeat(self.text.encode(self.encoding), offset, length)


@dataclass(frozen=True, slots=True)
class IncrementPattern:
    """start, start + step, ... as words of 1, 2, 4 or 8 bytes, wrapping."""

    start: int
    step: int
    width: int = 1
    endian: Endian = Endian.LITTLE

    def __post_init__(self) -> None:
        if self.width not in (1, 2, 4, 8):
            raise ValueFormatError(f"A word of {self.width} bytes is none.", "1, 2, 4 or 8.")

    @property
    def label(self) -> str:
        """What it is."""
        return f"increment u{8 * self.width} by {self.step}"

    def chunk(self, offset: int, length: int) -> bytes:
        """Part of the row of words."""
        import numpy as np

        first = offset // self.width
        count = (offset + length - 1) // self.width - first + 1 if length else 0
        mask = (1 << 64) - 1
        base = np.uint64((self.start + first * self.step) & mask)
        words = np.arange(count, dtype=np.uint64) * np.uint64(self.step & mask) + base
        data = words.astype(f"{self.endian.mark}u{self.width}").tobytes()
        skip = offset - first * self.width
        return data[skip : skip + length]


@dataclass(frozen=True, slots=True)
class RandomPattern:
    """Random bytes, the same for the same seed (Philox 4x64: a counter, so readable anywhere)."""

    seed: int

    @property
    def label(self) -> str:
        """What it is."""
        return f"random, seed {str(self.seed)[:16]}"

    def chunk(self, offset: int, length: int) -> bytes:
        """Part of the stream. Philox steps make four words of 64 bits, 32 bytes."""
        import numpy as np

        block = offset // 32
        generator = np.random.Philox(key=self.seed & ((1 << 128) - 1), counter=block)
        count = (offset + length - block * 32 + 7) // 8
        data = np.asarray(generator.random_raw(count), np.uint64).astype("<u8").tobytes()
        skip = offset - block * 32
        return data[skip : skip + length]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A live test signal: a value written again and again.

    Attributes:
        offset: Where.
        kind: Name of an integer or float type of values.TYPES.
        endian: Its byte order.
        wave: `counter`, `toggle`, `sine` or `random`.
        low: Least value.
        high: Greatest value; a counter goes back to `low` behind it.
        step: What a counter adds each time; a negative one counts down from `high`.
        period: Writes per turn of a sine.
        interval_ns: Between two writes, at least MIN_INTERVAL_NS.
    """

    offset: int
    kind: str = "u32"
    endian: Endian = Endian.LITTLE
    wave: str = "counter"
    low: float = 0
    high: float = 255
    step: float = 1
    period: int = 100
    interval_ns: int = 100_000_000

    def __post_init__(self) -> None:
        if self.wave not in WAVES:
            raise ValueFormatError(
                f"There is no wave {self.wave!r}.", f"Waves: {', '.join(WAVES)}."
            )
        if not all(map(math.isfinite, (self.low, self.high, self.step))) or self.low > self.high:
            raise ValueFormatError(
                f"{self.low} to {self.high} is no range of values.", "The least value comes first."
            )
        for value in (self.low, self.high):
            number_bytes(
                value if self.kind.lower().startswith("f") else round(value), self.kind, self.endian
            )

    @property
    def label(self) -> str:
        """What it is."""
        return f"{self.wave} {self.kind}"

    @property
    def width(self) -> int:
        """Bytes of one write."""
        return len(self.encode(0))

    def value_at(self, number: int) -> float:
        """The value of write `number`, counted from 0."""
        if self.wave == "toggle":
            return self.high if number % 2 else self.low
        if self.wave == "sine":
            phase = math.sin(2 * math.pi * number / max(1, self.period))
            return (self.low + self.high) / 2 + (self.high - self.low) / 2 * phase
        if self.wave == "random":
            word = int.from_bytes(RandomPattern(0).chunk(8 * number, 8), "little")
            return self.low + (self.high - self.low) * (word / 2**64)
        turn = int(min((self.high - self.low) // abs(self.step), 1 << 62)) + 1 if self.step else 1
        return (self.low if self.step >= 0 else self.high) + self.step * (number % turn)

    def encode(self, number: int) -> bytes:
        """The bytes of write `number`."""
        value = self.value_at(number)
        if not self.kind.lower().startswith("f"):  # as a float the end of u64 is beyond it
            value = min(max(round(value), round(self.low)), round(self.high))
        return number_bytes(value, self.kind, self.endian)
