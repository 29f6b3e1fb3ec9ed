"""Where a byte is on the screen, and what lies under a point: pure arithmetic, device pixels.

Rows and offsets are Python ints, so that nothing here knows a largest region.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

MAX_COLUMNS: Final = 512
FITTED: Final = (8, 16, 32, 64)  # bytes in a row that a width is filled with
BLOCK: Final = 8
"""Single bytes are set apart by eights, as hex dumps do."""


class Pane(Enum):
    """The two ways that a byte is shown."""

    HEX = "hex"
    TEXT = "text"


class Part(Enum):
    """The part of the picture at a point."""

    ADDRESS = "address"
    HEX = "hex"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Hit:
    """What is under a point: the nearest byte, and whether the point is really on it."""

    part: Part
    offset: int
    exact: bool


def address_digits(size: int) -> int:
    """Hex digits that show every offset of a region: 8, 12 or 16, in groups of four."""
    needed = max(1, (max(1, size) - 1).bit_length() + 3 >> 2)
    return max(8, -(-needed // 4) * 4)


def address_text(offset: int, digits: int) -> str:
    """`0000'0040`."""
    text = f"{offset:0{digits}X}"
    return "'".join(text[at : at + 4] for at in range(0, len(text), 4))


@dataclass(frozen=True, slots=True)
class Grid:
    """The layout of one view: address column, hex pane, text pane.

    Attributes:
        size: Bytes in the region.
        columns: Bytes in a row.
        group: Bytes that stand together: 1, 2, 4 or 8.
        char: Width of a character.
        height: Height of a row.
        margin: Free space at the left and right edge.
    """

    size: int
    columns: int
    group: int
    char: int
    height: int
    margin: int

    @property
    def digits(self) -> int:
        """Hex digits in the address column."""
        return address_digits(self.size)

    @property
    def address_chars(self) -> int:
        """Characters in the address column, apostrophes counted."""
        return self.digits + self.digits // 4 - 1

    @property
    def block(self) -> int:
        """Columns between two wider gaps."""
        return BLOCK if self.group == 1 else self.group

    @property
    def gap(self) -> int:
        """The wider gap behind each block."""
        return self.char if self.group == 1 else self.char + self.char // 4

    @property
    def cell(self) -> int:
        """Width of one byte in the hex pane."""
        return 2 * self.char + (max(2, self.char * 3 // 4) if self.group == 1 else 0)

    @property
    def inset(self) -> int:
        """From a hex cell's left edge to its first digit."""
        return (self.cell - 2 * self.char) // 2

    @property
    def address_x(self) -> int:
        """Left edge of the address column."""
        return self.margin

    @property
    def hex_x(self) -> int:
        """Left edge of the hex pane."""
        return self.margin + self.address_chars * self.char + 2 * self.char

    @property
    def hex_width(self) -> int:
        """Width of the hex pane."""
        return self.columns * self.cell + (self.columns - 1) // self.block * self.gap

    @property
    def text_x(self) -> int:
        """Left edge of the text pane."""
        return self.hex_x + self.hex_width + 2 * self.char

    @property
    def width(self) -> int:
        """Everything, margins included."""
        return self.text_x + self.columns * self.char + self.margin

    @property
    def rows(self) -> int:
        """Rows in the whole region."""
        return -(-self.size // self.columns)

    def row_of(self, offset: int) -> int:
        """The row that shows an offset."""
        return offset // self.columns

    def hex_left(self, column: int) -> int:
        """Left edge of a byte in the hex pane."""
        return self.hex_x + column * self.cell + column // self.block * self.gap

    def left(self, pane: Pane, column: int) -> int:
        """Left edge of a byte in a pane."""
        return self.hex_left(column) if pane is Pane.HEX else self.text_x + column * self.char

    def cell_width(self, pane: Pane) -> int:
        """Width of a byte in a pane."""
        return self.cell if pane is Pane.HEX else self.char

    def hex_column(self, x: int) -> int:
        """The column nearest to x in the hex pane."""
        stride = self.block * self.cell + self.gap
        block, rest = divmod(max(0, x - self.hex_x + self.gap // 2), stride)
        inner = min(self.block - 1, max(0, rest - self.gap // 2) // self.cell)
        return int(min(self.columns - 1, block * self.block + inner))

    def text_column(self, x: int) -> int:
        """The column nearest to x in the text pane."""
        return min(self.columns - 1, max(0, x - self.text_x) // self.char)

    def part_at(self, x: int) -> Part:
        """The part of the row that x belongs to; gaps go to the nearer one."""
        if x < self.hex_x - self.char:
            return Part.ADDRESS
        return Part.HEX if x < self.text_x - self.char else Part.TEXT

    def hit(self, x: int, row: int, pane: Pane | None = None) -> Hit | None:
        """What is at x in a row; None in an empty region.

        Args:
            x: From the left edge of the picture.
            row: May lie outside of the region: the nearest one is taken.
            pane: The pane that a drag began in, which it does not leave.
        """
        if self.size <= 0:
            return None
        near = min(max(0, row), self.rows - 1)
        part = Part(pane.value) if pane else self.part_at(x)
        column = {Part.ADDRESS: lambda _x: 0, Part.HEX: self.hex_column}.get(
            part, self.text_column
        )(x)
        offset = near * self.columns + column
        inside = near == row and self._covers(part, column, x) and offset < self.size
        return Hit(part, min(offset, self.size - 1), inside)

    def _covers(self, part: Part, column: int, x: int) -> bool:
        if part is Part.ADDRESS:
            return x >= 0
        pane = Pane(part.value)
        left = self.left(pane, column)
        return left <= x < left + self.cell_width(pane)

    def row_columns(self, row: int, start: int, length: int) -> tuple[int, int]:
        """The part of a span that lies in a row, as columns [first, behind the last)."""
        base = row * self.columns
        first = min(max(start - base, 0), self.columns)
        return first, max(first, min(start + length - base, self.columns))

    def span(self, first_row: int, rows: int) -> tuple[int, int]:
        """Start and length of the bytes in some rows, clamped to the region."""
        start = min(max(0, first_row) * self.columns, self.size)
        return start, max(0, min((first_row + rows) * self.columns, self.size) - start)


def fitted_columns(grid: Grid, width: int) -> int:
    """The most of 8, 16, 32, 64 columns that fit into a width: rows begin at round offsets.

    The fewest where none fits.
    """
    fits = [columns for columns in FITTED if with_columns(grid, columns).width <= width]
    return fits[-1] if fits else FITTED[0]


def with_columns(grid: Grid, columns: int) -> Grid:
    """The same grid with another number of columns."""
    return Grid(grid.size, columns, grid.group, grid.char, grid.height, grid.margin)
