"""Rows of bytes at equal distances: a run of bytes, or a rectangle of a hex view's rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from ..errors import ExpressionError
from .units import format_short_offset, format_size

_SHAPE: Final = re.compile(
    r"(?P<width>.+?)(?:\s+x\s+|\s*×\s*)(?P<rows>[0-9][0-9a-z_']*)(?:\s+every\s+(?P<stride>.+))?\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ByteBlock:
    """Bytes in rows.

    Attributes:
        start: Offset of the first byte.
        width: Bytes of each row that belong to it.
        rows: At least 1; a run of bytes is one row.
        stride: Bytes from the start of a row to the start of the next, at least `width`; 0 for
            one row.
    """

    start: int
    width: int
    rows: int = 1
    stride: int = 0

    def __post_init__(self) -> None:
        if self.start < 0 or self.width < 0 or self.rows < 1:
            raise ValueError(f"no block of bytes: {self}")
        if self.rows > 1 and self.stride < max(1, self.width):
            raise ValueError(f"rows overlap: {self}")

    @property
    def length(self) -> int:
        """How many bytes belong to it."""
        return self.width * self.rows

    @property
    def span(self) -> int:
        """Bytes from its first one to its last one, those between its rows counted."""
        return (self.rows - 1) * self.stride + self.width if self.width else 0

    @property
    def end(self) -> int:
        """Offset behind its last byte."""
        return self.start + self.span

    @property
    def whole(self) -> bool:
        """Whether nothing lies between its rows."""
        return self.rows == 1 or self.width == self.stride

    def pieces(self, first: int = 0, last: int | None = None) -> Iterator[tuple[int, int]]:
        """Start and end of each row, in order, as far as it lies in [first, last)."""
        last = self.end if last is None else min(last, self.end)
        if self.whole:
            begin, end = max(self.start, first), last
            if begin < end:
                yield begin, end
            return
        row = max(0, (first - self.start) // self.stride)
        while row < self.rows and self.start + row * self.stride < last:
            begin = self.start + row * self.stride
            low, high = max(begin, first), min(begin + self.width, last)
            if low < high:
                yield low, high
            row += 1

    def take(self, spanned: bytes) -> bytes:
        """Its bytes out of all those from `start` to `end`."""
        if self.whole:
            return spanned
        step, width = self.stride, self.width
        return b"".join(spanned[at : at + width] for at in range(0, len(spanned), step))

    @property
    def shape(self) -> str:
        """`64`, or `8 x 4 every 16`, as `parse_shape` reads it."""
        return str(self.length) if self.whole else f"{self.width} x {self.rows} every {self.stride}"

    @property
    def summary(self) -> str:
        """`0x40 to 0x7F, 64 B`, or `0x40 to 0x77, 4 rows of 8 B`."""
        last = format_short_offset(max(self.start, self.end - 1))
        size = format_size(self.length)
        words = size if self.whole else f"{self.rows} rows of {format_size(self.width)}"
        return f"{format_short_offset(self.start)} to {last}, {words}"


def parse_shape(
    text: str, start: int, number: Callable[[str], int], stride: int = 0
) -> ByteBlock | None:
    """The block that `8 x 4 every 16` describes; None for a text without rows.

    Args:
        text: Width, rows, and from row to row; without the last `stride` is taken.
        start: Its first byte.
        number: What reads each of them, and raises ExpressionError for what it cannot read.
        stride: Bytes in a row of the view.

    Raises:
        ExpressionError: The numbers make no block.
    """
    match = _SHAPE.fullmatch(text.strip())
    if match is None:
        return None
    width, rows = number(match["width"]), number(match["rows"])
    step = number(match["stride"]) if match["stride"] else stride
    if width < 1 or rows < 1:
        raise ExpressionError("The block is empty.", "For example: 8 x 4 every 16.")
    if rows > 1 and step < width:
        raise ExpressionError(
            f"Rows of {width} bytes every {step} bytes overlap.", "For example: 8 x 4 every 16."
        )
    return ByteBlock(start, width, rows, step)
