"""Drawn over the rows: header, selection frame, cursor. By QPainter, in device pixels."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from ....core.values.byte_block import ByteBlock
from ....core.values.column_forms import HEX, Kind
from ....core.values.text_encodings import ASCII
from ...style.theme import Theme
from .geometry import Grid, Pane
from .glyph_atlas import Type
from .pane_layout import PaneLayout
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
        """The place of the value that a byte belongs to."""
        layout = self.grid.layouts[pane]
        row, column = layout.place(offset)
        return QRect(layout.left(column), self.y(row), layout.value_width, self.grid.height)

    def outline(self, pane: Pane, start: int, length: int) -> QPainterPath:
        """The border around the values that a range touches, as far as it is near the screen."""
        grid, layout = self.grid, self.grid.layouts[pane]
        start, behind = max(0, start - layout.origin), start + length - layout.origin
        length = behind - start
        path = QPainterPath()
        if length <= 0:
            return path
        first = max(start // grid.columns, self.first_row - 1)
        last = min((start + length - 1) // grid.columns, self.first_row + self.rows)
        row = first
        while row <= last:
            left, right = grid.row_columns(row, start, length)
            whole = left == 0 and right == grid.columns
            until = max(row, last - 1) if whole else row
            x = layout.left(left)
            width = layout.left(right - 1) + layout.value_width - x
            path.addRect(x, self.y(row), width, (until - row + 1) * grid.height)
            row = until + 1
        return path.simplified()

    def outline_of(self, pane: Pane, block: ByteBlock) -> QPainterPath:
        """The border around the rows of a block, as far as they are near the screen."""
        grid, layout = self.grid, self.grid.layouts[pane]
        near = max(0, self.first_row - 1) * grid.columns
        behind = (self.first_row + self.rows + 1) * grid.columns
        path = QPainterPath()
        first, left = divmod(block.start, grid.columns)
        in_rows = block.stride == grid.columns and left + block.width <= grid.columns
        if in_rows and not layout.origin:
            top = max(first, self.first_row - 1)
            bottom = min(first + block.rows, self.first_row + self.rows + 1)
            x = layout.left(left)
            right = layout.left(left + block.width - 1) + layout.value_width
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
        texts: What stands there in each pane; what is being typed is followed by `_`.
        ink: Colour of the byte's style.
        pending: Whether what was typed is not all yet.
    """

    selection: Selection
    pane: Pane
    focused: bool
    texts: dict[Pane, str]
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
    for pane, layout in grid.layouts.items():
        name = pane_name(grid, pane)
        painter.setPen(quiet)
        painter.drawText(QPoint(layout.x, baseline), name)
        if layout.form is not None:
            _draw_columns(painter, grid, layout, len(name), baseline, here, (quiet, text))
    line = type_.stroke
    painter.fillRect(area.left(), area.bottom() + 1 - line, area.width(), line, theme.color("line"))


def pane_name(grid: Grid, pane: Pane) -> str:
    """What stands over a pane: its form; over single bytes in hex nothing but their places."""
    layout = grid.layouts[pane]
    if layout.form is None:
        return ("text" if grid.text == ASCII else grid.text.label)[: grid.columns]
    shifted = f"+{layout.origin}" if layout.origin else ""
    return "" if layout.form == HEX else f"{layout.form.label}{shifted}"


def head_tip(grid: Grid, pane: Pane) -> str:
    """What hovering over a pane's head tells."""
    layout = grid.layouts[pane]
    if layout.form is None:
        return f"Text in {grid.text.label}\nClick to choose another encoding"
    shifted = f", begun {layout.origin} behind multiples of it" if layout.origin else ""
    size = f"{layout.form.width} byte{'s' if layout.form.width > 1 else ''}{shifted}"
    return f"{layout.form.label}: {size}\nClick to choose another form, or to add a column"


def _draw_columns(
    painter: QPainter,
    grid: Grid,
    layout: PaneLayout,
    named: int,
    baseline: int,
    here: int,
    inks: tuple[QColor, QColor],
) -> None:
    """The place in a row of each value, over its end; where the name leaves room."""
    free = layout.x + (named + 1) * grid.char if named else layout.x
    for column in range(0, grid.columns, layout.unit):
        x = layout.left(column) + layout.value_width - layout.inset - 2 * grid.char
        if layout.unit == 1 and layout.form == HEX:
            x = layout.left(column) + layout.inset
        if x >= free:
            under = column <= here - layout.origin < column + layout.unit
            painter.setPen(inks[under])
            painter.drawText(QPoint(x, baseline), f"{column + layout.origin & 0xFF:02X}")


def draw_selection(painter: QPainter, sheet: Sheet, theme: Theme, selection: Selection) -> None:
    """The frame around the selected bytes, in all panes."""
    if selection.length < 1:
        return
    stroke = sheet.type.stroke
    pen = QPen(_frame_color(theme), stroke)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pane in sheet.grid.panes:
        path = sheet.outline_of(pane, selection.block)
        painter.save()
        painter.translate(stroke / 2, stroke / 2)
        painter.drawPath(path)
        painter.restore()


def draw_cursor(painter: QPainter, sheet: Sheet, theme: Theme, look: CursorLook) -> None:
    """A block in the pane that has the keyboard, a frame in the other ones."""
    stroke = sheet.type.stroke
    for pane, layout in sheet.grid.layouts.items():
        cell = sheet.cell(pane, look.selection.cursor)
        if pane is look.pane and look.focused:
            color = theme.color("mine") if look.pending else look.ink
            painter.fillRect(cell, color)
            painter.setPen(theme.color("ground"))
            painter.setFont(sheet.type.font)
            at = QPoint(cell.left() + layout.inset, cell.top() + sheet.type.baseline)
            _draw_value(painter, sheet, layout, at, look.texts.get(pane, ""))
        else:
            color = theme.color("text") if look.focused else theme.color("quiet")
            draw_frame(painter, cell, color, stroke)


def _draw_value(painter: QPainter, sheet: Sheet, layout: PaneLayout, at: QPoint, text: str) -> None:
    """A value's characters where the cells have them: a font's own steps are no whole pixels."""
    char = sheet.grid.char
    if layout.form is None:
        painter.drawText(at, text)
        return
    chars = layout.form.chars
    if layout.form.kind in (Kind.HEX, Kind.BINARY) and text:
        shown = text  # typed from the left, and always whole otherwise
    else:
        shown = text.rjust(chars) if text else "·".rjust(chars)
    for number, character in enumerate(shown[:chars]):
        painter.drawText(at + QPoint(number * char, 0), character)


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
