"""Where a byte is on the screen, and what lies under a point: pure arithmetic, device pixels.

Rows and offsets are Python ints, so that nothing here knows a largest region.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from ....core.values.column_forms import HEX, ColumnForm, Kind
from ....core.values.text_encodings import ASCII, TextEncoding
from .pane_layout import PaneLayout

MAX_COLUMNS: Final = 512
FITTED: Final = (8, 16, 32, 64)  # bytes in a row that a width is filled with
BLOCK: Final = 8
"""Single bytes are set apart by eights, as hex dumps do."""


class Pane(Enum):
    """The places that a row's bytes are shown in, from left to right.

    The first four are columns of values, each in a form of its own; the first one is HEX because
    it shows hex unless another form was chosen.
    """

    HEX = "hex"
    SECOND = "second"
    THIRD = "third"
    FOURTH = "fourth"
    TEXT = "text"


VALUE_PANES: Final = (Pane.HEX, Pane.SECOND, Pane.THIRD, Pane.FOURTH)


class Part(Enum):
    """The part of the picture at a point: the address column, or the pane of this name."""

    ADDRESS = "address"
    HEX = "hex"
    SECOND = "second"
    THIRD = "third"
    FOURTH = "fourth"
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
    """The layout of one view: address column, columns of values, text.

    Attributes:
        size: Bytes in the region.
        columns: Bytes in a row.
        group: Single bytes in hex that stand together: 1, 2, 4 or 8.
        char: Width of a character.
        height: Height of a row.
        margin: Free space at the left and right edge.
        forms: How each column shows values, at most as many as VALUE_PANES.
        text: What the text is encoded in.
        phase: Values begin at multiples of their size plus this, 0 to 7.
        layouts: Each pane's own layout, in the order in which they stand.
    """

    size: int
    columns: int
    group: int
    char: int
    height: int
    margin: int
    forms: tuple[ColumnForm, ...] = (HEX,)
    text: TextEncoding = ASCII
    phase: int = 0
    layouts: dict[Pane, PaneLayout] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        found: dict[Pane, PaneLayout] = {}
        x = self.margin + self.address_chars * self.char + 2 * self.char
        for pane, form in zip(VALUE_PANES, self.forms, strict=False):
            found[pane] = self._values_at(x, form)
            x = found[pane].end + 2 * self.char
        found[Pane.TEXT] = self._text_at(x)
        object.__setattr__(self, "layouts", found)

    def _values_at(self, x: int, form: ColumnForm) -> PaneLayout:
        char, width = self.char, form.width
        origin = self.phase % width
        if form.bytewise:
            single = width == 1 and (form.kind is not Kind.HEX or self.group == 1)
            block = width if width > 1 else BLOCK if single else self.group
            cell = form.chars // width * char + (max(2, char * 3 // 4) if single else 0)
            inset = max(2, char * 3 // 4) // 2 if single else 0
            gap = char if single else char + char // 4
            return PaneLayout(form, self.columns, origin, width, width, x, cell, inset, block, gap)
        chars = form.chars
        if form.told:
            gap = max(2, char * 3 // 4)
            return PaneLayout(form, self.columns, 0, 1, chars, x, char, 0, chars, gap)
        return PaneLayout(form, self.columns, origin, width, chars, x, char, 0, chars, char)

    def _text_at(self, x: int) -> PaneLayout:
        unit = self.text.unit
        columns = self.columns
        return PaneLayout(None, columns, self.phase % unit, unit, unit, x, self.char, 0, columns, 0)

    @property
    def panes(self) -> tuple[Pane, ...]:
        """Those that are shown, from left to right."""
        return tuple(self.layouts)

    @property
    def digits(self) -> int:
        """Hex digits in the address column."""
        return address_digits(self.size)

    @property
    def address_chars(self) -> int:
        """Characters in the address column, apostrophes counted."""
        return self.digits + self.digits // 4 - 1

    @property
    def address_x(self) -> int:
        """Left edge of the address column."""
        return self.margin

    @property
    def width(self) -> int:
        """Everything, margins included."""
        return self.layouts[Pane.TEXT].end + self.margin

    @property
    def step(self) -> int:
        """Bytes of the largest value: rows are multiples of it."""
        return max(layout.unit for layout in self.layouts.values())

    @property
    def rows(self) -> int:
        """Rows in the whole region."""
        return -(-self.size // self.columns)

    def row_of(self, offset: int) -> int:
        """The row that shows an offset."""
        return offset // self.columns

    def left(self, pane: Pane, column: int) -> int:
        """Left edge of the value of a byte in a pane."""
        return self.layouts[pane].left(column)

    def cell_width(self, pane: Pane) -> int:
        """Width of a value in a pane."""
        return self.layouts[pane].value_width

    def part_at(self, x: int) -> Part:
        """The part of the row that x belongs to; gaps go to the nearer one."""
        found = Part.ADDRESS
        for pane, layout in self.layouts.items():
            if x >= layout.x - self.char:
                found = Part(pane.value)
        return found

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
        if part is Part.ADDRESS:
            return Hit(part, near * self.columns, near == row and x >= 0)
        layout = self.layouts[Pane(part.value)]
        column = layout.column_at(x)
        offset = near * self.columns + column + layout.origin
        left = layout.left(column)
        exact = near == row and offset < self.size and left <= x < left + layout.value_width
        return Hit(part, min(offset, self.size - 1), exact)

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
    return replace(grid, columns=columns)
