"""Where the bytes of a row stand in one pane: cells, the values that they make up, and gaps.

A cell is what is painted as one block: two hex digits, or one character of a number or text. One or
more of them are a value, which is what the cursor stands on. All of it in device pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

from ....core.values.column_forms import ColumnForm


@dataclass(frozen=True, slots=True)
class PaneLayout:
    """One pane of a grid.

    Attributes:
        form: How it shows values; None is text.
        columns: Bytes in a row.
        origin: Bytes of a row that are left out at its front; as many of the next one are added
            at its end. Values that are not aligned begin there.
        unit: Bytes of a value.
        glyphs: Cells of a value.
        x: Left edge.
        cell: Width of a cell.
        inset: From a cell's left edge to its first character.
        block: Cells between two wider gaps.
        gap: Width of the gap behind each block.
    """

    form: ColumnForm | None
    columns: int
    origin: int
    unit: int
    glyphs: int
    x: int
    cell: int
    inset: int
    block: int
    gap: int

    @property
    def cells(self) -> int:
        """Cells in a row."""
        return -(-self.columns // self.unit) * self.glyphs

    @property
    def width(self) -> int:
        """All of it."""
        return self.cell_left(self.cells - 1) + self.cell - self.x

    @property
    def end(self) -> int:
        """Behind its right edge."""
        return self.x + self.width

    @property
    def value_width(self) -> int:
        """Width of one value; a value never spans a gap."""
        return self.glyphs * self.cell

    def cell_left(self, cell: int) -> int:
        """Left edge of a cell."""
        return self.x + cell * self.cell + cell // self.block * self.gap

    def left(self, column: int) -> int:
        """Left edge of the value that a byte of the row belongs to."""
        return self.cell_left(column // self.unit * self.glyphs)

    def column_at(self, x: int) -> int:
        """The first byte of the value nearest to x."""
        stride = self.block * self.cell + self.gap
        block, rest = divmod(max(0, x - self.x + self.gap // 2), stride)
        inner = min(self.block - 1, max(0, rest - self.gap // 2) // self.cell)
        cell = min(self.cells - 1, block * self.block + inner)
        return cell // self.glyphs * self.unit

    def place(self, offset: int) -> tuple[int, int]:
        """Row and column of a byte; those before the first value belong to it."""
        return divmod(max(0, offset - self.origin), self.columns)

    def value_start(self, offset: int) -> int:
        """The first byte of the value that an offset lies in."""
        return max(0, offset - self.origin) // self.unit * self.unit + self.origin
