"""The view without its events: layout, what is visible, what must be painted, and painting it.

All measures are device pixels, so that glyphs are sharp at 125 or 150 %; the widget converts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor, QFont, QPainter

from ....core.values.column_forms import HEX, ColumnForm
from ....core.values.text_encodings import ASCII, TextEncoding
from ...style.theme import Theme
from ..decorations.decorated_cells import DecoratedCells
from ..decorations.decorations import Decorations
from ..decorations.row_labels import LabelColumn
from . import overlay, styles
from .cell_states import CellStates, Codes, cell_codes
from .emphasis import PLAIN, Emphasis, Unchanged
from .geometry import MAX_COLUMNS, VALUE_PANES, Grid, Pane, fitted_columns
from .glyph_atlas import Pools, Type
from .overlay import CursorLook, Sheet
from .pane_codes import PaneCodes, Span, pane_codes
from .row_canvas import Canvas
from .row_words import describe_row, value_text
from .scroll import Scroll
from .selection import Selection

MARGIN_ROWS: Final = 8
"""Rows asked for above and below the visible ones, so that a turn of the wheel finds bytes."""
_SPARE_ROWS: Final = 8


@dataclass(frozen=True, slots=True)
class Options:
    """A person's choices.

    Attributes:
        columns: Bytes in a row; 0 fits the width.
        group: Bytes that stand together: 1, 2, 4 or 8.
        zoom: 1 is the application's text size.
        forms: How the columns of values show them, from left to right; 1 to 4.
        text: What the text column is encoded in.
        phase: Values begin at multiples of their size plus this, 0 to 7.
        emphasis: What makes bytes stand out.
        entropy: Whether the minimap shows entropy in place of changes.
    """

    columns: int = 0
    group: int = 1
    zoom: float = 1.0
    forms: tuple[ColumnForm, ...] = (HEX,)
    text: TextEncoding = ASCII
    phase: int = 0
    emphasis: Emphasis = PLAIN
    entropy: bool = False


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the overlay showed when it was painted last."""

    selection: Selection
    pane: Pane
    focused: bool
    pending: str | None
    ink: int
    values: tuple[str, ...]  # of each pane, under the cursor


class Surface:
    """State and cells of one hex view."""

    def __init__(self, theme: Theme, font: QFont, pixels: float) -> None:
        self.cells = CellStates()
        self.decorations = Decorations()
        self.scroll = Scroll()
        self.selection = Selection()
        self.pane = Pane.HEX
        self.focused = False
        self.pending: str | None = None
        self.options = Options()
        self.size = 0
        self.ratio = 1.0
        self.shift_x = 0
        self._theme, self._font, self._pixels = theme, font, pixels
        self._greyed = False
        self._looks = styles.looks(theme)
        self._view = (0, 0)
        self._type = Type.of(font, 1.0, pixels=pixels)
        self._pools: Pools | None = None
        self._canvas: Canvas | None = None
        self._panes: list[PaneCodes] = []
        self._shown: _Shown | None = None
        self._decorated = DecoratedCells(self.decorations)
        self._labels = LabelColumn(self.decorations)
        self._relabelled = False
        self.grid = self._make_grid(16)

    # --- layout -------------------------------------------------------------------------------

    @property
    def theme(self) -> Theme:
        """Colours in use."""
        return self._theme

    @property
    def header(self) -> int:
        """Height of the header."""
        return self.grid.height + 2 * self._type.stroke

    def set_theme(self, theme: Theme, *, greyed: bool) -> None:
        """Take other colours."""
        self._theme, self._greyed = theme, greyed
        self._take_looks()

    def set_emphasis(self, emphasis: Emphasis) -> None:
        """Let these bytes stand out."""
        before, self.cells.emphasis = self.cells.emphasis, emphasis
        if Unchanged.HIDDEN in {before.unchanged, emphasis.unchanged}:
            self._take_looks()

    def _take_looks(self) -> None:
        """All cells are painted anew."""
        theme, hides = self._theme, self.cells.emphasis.unchanged is Unchanged.HIDDEN
        self._looks = styles.looks(theme, greyed=self._greyed, hides=hides)
        if self._pools:
            self._pools.set_looks(self._looks)
        if self._canvas:
            self._canvas.set_looks(self._looks, styles.rgb(theme.line))

    def lay_out(self, width: int, height: int, ratio: float) -> None:
        """Fit the cells into a window; the byte at the top stays at the top."""
        top = self.scroll.top_row * self.grid.columns
        self._view, self.ratio = (width, height), ratio
        type_ = Type.of(self._font, ratio, pixels=self._pixels * self.options.zoom)
        if (type_.font.pixelSize(), type_.stroke) != (
            self._type.font.pixelSize(),
            self._type.stroke,
        ):
            self._type, self._pools = type_, None
        grid = self._make_grid(16)
        columns = min(max(1, self.options.columns or fitted_columns(grid, width)), MAX_COLUMNS)
        columns = -(-columns // grid.step) * grid.step
        self._set_grid(replace(grid, columns=columns), top)
        if self.pane not in self.grid.layouts:
            self.pane = Pane.HEX
        self._make_canvas()
        self.shift_x = min(self.shift_x, max(0, self.grid.width - width))

    def _make_grid(self, columns: int) -> Grid:
        type_ = self._type
        margin = max(1, round(8 * self.ratio))
        options = self.options
        return Grid(
            self.size,
            columns,
            options.group,
            type_.char,
            type_.height,
            margin,
            options.forms[: len(VALUE_PANES)],
            options.text,
            options.phase,
        )

    def _set_grid(self, grid: Grid, top: int) -> None:
        changed = grid.columns != self.grid.columns
        self.grid = grid
        self.scroll.set_view(grid.rows, grid.height, self._view[1] - self.header)
        if changed:
            self.scroll.to_row(top // grid.columns)

    def _make_canvas(self) -> None:
        grid = self.grid
        if self._pools is None or not self._pools.fits(grid):
            self._pools = Pools(self._type, grid)
            self._pools.set_looks(self._looks)
            self._canvas = None
        needed = -(-max(1, self._view[1]) // grid.height) + 1
        have = self._canvas
        if have and have.grid == grid and needed <= have.slots <= needed + 3 * _SPARE_ROWS:
            return
        self._panes = [pane_codes(one, grid.text, self.cells) for one in grid.layouts.values()]
        self._canvas = Canvas(grid, needed + _SPARE_ROWS, self._pools)
        self._canvas.set_looks(self._looks, styles.rgb(self._theme.line))

    # --- what is visible ----------------------------------------------------------------------

    def sheet(self) -> Sheet:
        """The visible rows, for drawing on them."""
        scroll = self.scroll
        return Sheet(
            self.grid, self._type, scroll.top_row, scroll.visible, self.header - scroll.shift
        )

    def visible_span(self) -> tuple[int, int]:
        """Start and length of what is on the screen."""
        return self.grid.span(self.scroll.top_row, self.scroll.visible)

    def whole_values(self, selection: Selection) -> Selection:
        """A selection with all of each value that it touches in the pane that keys go to."""
        return selection.whole(self.grid.layouts[self.pane], self.size)

    def wanted_span(self) -> tuple[int, int]:
        """The same with a margin."""
        rows = self.scroll.visible
        if not rows:
            return 0, 0
        return self.grid.span(self.scroll.top_row - MARGIN_ROWS, rows + 2 * MARGIN_ROWS)

    def row_at(self, y: int) -> int:
        """The row at a height; outside of the region where there is none."""
        return self.scroll.top_row + (y - self.header + self.scroll.shift) // self.grid.height

    # --- painting -----------------------------------------------------------------------------

    def refresh(self, clock_ns: int) -> list[int]:
        """Bring the rows up to date; returns those that must be shown again."""
        canvas, grid = self._canvas, self.grid
        sheet = self.sheet()
        if canvas is None or not sheet.rows:
            return []
        codes, ink = self._codes(sheet, clock_ns)
        touched = canvas.update(sheet.first_row, codes, grid.row_of(self.selection.cursor))
        rows = set(touched.tolist()) | self._overlay_rows(sheet, ink)
        whole_row = sheet.first_row + (sheet.top < self.header)
        relabelled = self._labels.refresh(sheet, whole_row, self.label_area(0, 1).width())
        self._relabelled = bool(relabelled)
        return sorted(rows | relabelled)

    def _codes(self, sheet: Sheet, clock_ns: int) -> tuple[list[Codes], int]:
        """The codes of each pane's cells, and the style of the byte under the cursor."""
        grid = self.grid
        start, length = self.visible_span()
        reach = max(pane.reach for pane in self._panes)
        shift = max(layout.origin for layout in grid.layouts.values())
        before = min(start, reach)
        first, behind = start - before, min(shift + reach, grid.size - start - length)
        count = before + length + behind
        values, shown = self.cells.states_at(first, count, clock_ns)
        chosen = self.selection
        selected = [
            (low - first, high - first) for low, high in chosen.block.pieces(first, first + count)
        ]
        decorated = self._decorated.codes(first, count, grid.columns)
        inner = sheet.rows * grid.columns
        size = before + inner + shift + reach
        flat = cell_codes(values, shown, 1, size, selected, decorated)[0]
        codes = []
        for pane, layout in zip(self._panes, grid.layouts.values(), strict=True):
            at, front = before + layout.origin, min(before, pane.reach)
            base = flat[at - front : at + inner + pane.reach]
            span = Span(front, pane.reach, start + layout.origin, clock_ns)
            codes.append(pane.codes(base, span))
        at = chosen.cursor - first
        ink = int(shown[at]) if 0 <= at < len(shown) else styles.TEXT
        return codes, styles.TEXT if ink == styles.UNCHANGED else ink

    def label_area(self, top: int, height: int) -> QRect:
        """The free part of a height beside the rows, where labels of decorations are drawn."""
        left = self.grid.width - self.shift_x
        return QRect(left, top, max(0, self._view[0] - left - self.grid.margin), height)

    def _overlay_rows(self, sheet: Sheet, ink: int) -> set[int]:
        now = _Shown(
            self.selection, self.pane, self.focused, self.pending, ink, self._values_at_cursor()
        )
        before, self._shown = self._shown, now
        if now == before:
            return set()
        rows: set[int] = set()
        for shape in (now, before) if before else (now,):
            first, count = shape.selection.span()
            low = max(self.grid.row_of(first) - 1, sheet.first_row)
            high = min(self.grid.row_of(first + count - 1) + 1, sheet.first_row + sheet.rows - 1)
            rows.update(range(low, high + 1))
        return rows

    def _values_at_cursor(self) -> tuple[str, ...]:
        """What each pane shows where the cursor is, cell by cell; empty where nothing was read."""
        return tuple(
            value_text(self.cells, layout, self.grid.text, self.selection.cursor)
            for layout in self.grid.layouts.values()
        )

    def paint(self, painter: QPainter, dirty: QRect) -> None:
        """Draw what is in a rectangle. The painter is in device pixels."""
        ground = self._theme.color("ground")
        if dirty.bottom() >= self.header:
            area = QRect(dirty)
            area.setTop(max(dirty.top(), self.header))
            painter.setClipRect(area)
            for bare in self._uncovered(area):
                painter.fillRect(bare, ground)
            painter.translate(-self.shift_x, 0)
            self._paint_rows(painter, area)
            painter.translate(self.shift_x, 0)
            beside = self.label_area(area.top(), area.height())
            if beside.intersects(area):
                self._labels.draw(painter, self.sheet(), self._theme, beside)
        if dirty.top() < self.header:
            width = dirty.right() + 1
            painter.setClipRect(QRect(0, 0, width, self.header))
            painter.translate(-self.shift_x, 0)
            area = QRect(self.shift_x, 0, width, self.header)
            here = self.selection.cursor % self.grid.columns if self.size else -1
            overlay.draw_header(painter, self.sheet(), self._theme, area, here)
            painter.translate(self.shift_x, 0)

    def _uncovered(self, area: QRect) -> list[QRect]:
        """What of an area the rows leave free; painting it twice would cost as much as they do."""
        sheet = self.sheet()
        right = self.grid.width - self.shift_x if self._canvas and sheet.rows else 0
        below = max(area.top(), sheet.y(sheet.first_row + sheet.rows))
        beside = QRect(right, area.top(), area.right() + 1 - right, below - area.top())
        under = QRect(area.left(), below, area.width(), area.bottom() + 1 - below)
        return [part for part in (beside, under) if not part.intersected(area).isEmpty()]

    def _paint_rows(self, painter: QPainter, area: QRect) -> None:
        canvas, sheet = self._canvas, self.sheet()
        if canvas is None or not sheet.rows:
            return
        first = max(self.row_at(area.top()), sheet.first_row)
        last = min(self.row_at(area.bottom()), sheet.first_row + sheet.rows - 1)
        height = self.grid.height
        while first <= last:
            slot = first % canvas.slots
            run = min(last - first + 1, canvas.slots - slot)
            at, width = QPoint(0, sheet.y(first)), self.grid.width
            painter.drawImage(at, canvas.image, QRect(0, slot * height, width, run * height))
            first += run
        overlay.draw_selection(painter, sheet, self._theme, self.selection)
        if self._shown and sheet.first_row <= self.grid.row_of(self.selection.cursor) < (
            sheet.first_row + sheet.rows
        ):
            overlay.draw_cursor(painter, sheet, self._theme, self._cursor_look(self._shown))

    def _cursor_look(self, shown: _Shown) -> CursorLook:
        texts = dict(zip(self.grid.panes, shown.values, strict=False))
        if shown.pending is not None:
            texts[shown.pane] = f"{shown.pending}_"
        return CursorLook(
            shown.selection,
            shown.pane,
            shown.focused,
            texts,
            QColor(*self._looks[shown.ink].ink),
            shown.pending is not None,
        )

    def row_rect(self, row: int, count: int) -> QRect:
        """Where rows are on the screen, header excluded; with their labels if those changed."""
        y = max(self.header, self.sheet().y(row))
        width = self._view[0]
        if not self._relabelled:
            width = min(width, self.grid.width - self.shift_x)
        return QRect(0, y, width, self.sheet().y(row + count) - y)

    def describe_row(self, offset: int) -> str:
        """The row of an offset in words, for screen readers."""
        return describe_row(self.cells, self.grid, self.decorations.at(offset), offset)


def to_device(value: float, ratio: float) -> int:
    """A logical length in whole device pixels."""
    return math.floor(value * ratio)
