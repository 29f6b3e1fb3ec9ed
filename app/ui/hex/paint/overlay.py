"""Drawn over the rows: header, selection frame, cursor. By QPainter, in device pixels."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from ....core.values.byte_block import ByteBlock
from ...style.theme import Theme
from .geometry import Grid, Pane
from .glyph_atlas import Type
from .selection import Selection


@dataclass(frozen=True, slots=True)
class Sheet:
    """The part of the region on the screen, for drawing on it.

    Attributes:
        grid: Its layout.
        type: Its font.
        first_row: The row at the top edge.
        rows: Rows visible.
        top: Where the first row begins; above the header's lower edge when it is cut.
    """

    grid: Grid
    type: Type
    first_row: int
    rows: int
    top: int

    def y(self, row: int) -> int:
        """Upper edge of a row."""
        return self.top + (row - self.first_row) * self.grid.height

    def cell(self, pane: Pane, offset: int) -> QRect:
        """The place of a byte."""
        row, column = divmod(offset, self.grid.columns)
        return QRect(
            self.grid.left(pane, column),
            self.y(row),
            self.grid.cell_width(pane),
            self.grid.height,
        )

    def outline(self, pane: Pane, start: int, length: int) -> QPainterPath:
        """The border around a range, as far as it is near the screen."""
        grid = self.grid
        first = max(start // grid.columns, self.first_row - 1)
        last = min((start + length - 1) // grid.columns, self.first_row + self.rows)
        path = QPainterPath()
        row = first
        while row <= last:
            left, right = grid.row_columns(row, start, length)
            whole = left == 0 and right == grid.columns
            until = max(row, last - 1) if whole else row
            x = grid.left(pane, left)
            width = grid.left(pane, right - 1) + grid.cell_width(pane) - x
            path.addRect(x, self.y(row), width, (until - row + 1) * grid.height)
            row = until + 1
        return path.simplified()

    def outline_of(self, pane: Pane, block: ByteBlock) -> QPainterPath:
        """The border around the rows of a block, as far as they are near the screen."""
        grid = self.grid
        near = max(0, self.first_row - 1) * grid.columns
        behind = (self.first_row + self.rows + 1) * grid.columns
        path = QPainterPath()
        first, left = divmod(block.start, grid.columns)
        if block.stride == grid.columns and left + block.width <= grid.columns:
            top = max(first, self.first_row - 1)
            bottom = min(first + block.rows, self.first_row + self.rows + 1)
            x = grid.left(pane, left)
            right = grid.left(pane, left + block.width - 1) + grid.cell_width(pane)
            if top < bottom:
                path.addRect(x, self.y(top), right - x, (bottom - top) * grid.height)
            return path
        for low, high in block.pieces(near, behind):
            path.addPath(self.outline(pane, low, high - low))
        return path.simplified()


@dataclass(frozen=True, slots=True)
class CursorLook:
    """How the cursor is shown.

    Attributes:
        selection: Where it is, and what is selected.
        pane: The pane that keys go to.
        focused: Whether they do.
        hex: Characters in the hex pane; a pending digit is followed by `_`.
        text: Character in the text pane.
        ink: Colour of the byte's style.
        pending: Whether a digit waits for its second one.
    """

    selection: Selection
    pane: Pane
    focused: bool
    hex: str
    text: str
    ink: QColor
    pending: bool


def draw_header(painter: QPainter, sheet: Sheet, theme: Theme, area: QRect, here: int) -> None:
    """Column offsets. `area` is the header's place, the painter's origin the picture's.

    Args:
        painter: In device pixels, moved by the horizontal scroll.
        sheet: The layout.
        theme: Colours.
        area: Where.
        here: The cursor's column.
    """
    grid, type_ = sheet.grid, sheet.type
    painter.fillRect(area, theme.color("panel"))
    painter.setFont(type_.font)
    baseline = area.top() + (area.height() - grid.height) // 2 + type_.baseline
    quiet, text = theme.color("quiet"), theme.color("text")
    painter.setPen(quiet)
    painter.drawText(QPoint(grid.address_x, baseline), "offset")
    painter.drawText(QPoint(grid.text_x, baseline), "text"[: grid.columns])
    for column in range(grid.columns):
        painter.setPen(text if column == here else quiet)
        x = grid.hex_left(column) + grid.inset
        painter.drawText(QPoint(x, baseline), f"{column & 0xFF:02X}")
    line = type_.stroke
    painter.fillRect(area.left(), area.bottom() + 1 - line, area.width(), line, theme.color("line"))


def draw_selection(painter: QPainter, sheet: Sheet, theme: Theme, selection: Selection) -> None:
    """The frame around the selected bytes, in both panes."""
    if selection.length < 1:
        return
    stroke = sheet.type.stroke
    pen = QPen(_frame_color(theme), stroke)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pane in Pane:
        path = sheet.outline_of(pane, selection.block)
        painter.save()
        painter.translate(stroke / 2, stroke / 2)
        painter.drawPath(path)
        painter.restore()


def draw_cursor(painter: QPainter, sheet: Sheet, theme: Theme, look: CursorLook) -> None:
    """A block in the pane that has the keyboard, a frame in the other one."""
    stroke = sheet.type.stroke
    for pane in Pane:
        cell = sheet.cell(pane, look.selection.cursor)
        if pane is look.pane and look.focused:
            color = theme.color("mine") if look.pending else look.ink
            painter.fillRect(cell, color)
            painter.setPen(theme.color("ground"))
            painter.setFont(sheet.type.font)
            inset = sheet.grid.inset if pane is Pane.HEX else 0
            at = QPoint(cell.left() + inset, cell.top() + sheet.type.baseline)
            painter.drawText(at, look.hex if pane is Pane.HEX else look.text)
        else:
            color = theme.color("text") if look.focused else theme.color("quiet")
            draw_frame(painter, cell, color, stroke)


def draw_frame(painter: QPainter, place: QRect, color: QColor, stroke: int) -> None:
    """A rectangle's border, inside of it, on whole pixels."""
    x, y, width, height = place.x(), place.y(), place.width(), place.height()
    painter.fillRect(x, y, width, stroke, color)
    painter.fillRect(x, y + height - stroke, width, stroke, color)
    painter.fillRect(x, y, stroke, height, color)
    painter.fillRect(x + width - stroke, y, stroke, height, color)


def _frame_color(theme: Theme) -> QColor:
    color = theme.color("selection")
    return color.lighter(150) if theme.dark else color.darker(150)
