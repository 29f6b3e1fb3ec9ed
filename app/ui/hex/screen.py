"""The hex view without its keys and buttons: Frames, layout, scroll bars, cursor, painting.

Offsets travel in signals as `object`, since Qt's int ends at 2 GiB.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic_ns
from typing import Any, Final

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QFontInfo,
    QHideEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QAbstractSlider, QFrame, QWidget

from ...core.values.byte_block import ByteBlock
from ...core.values.byte_rules import ByteRule
from ...core.values.column_forms import ColumnForm
from ...core.values.text_encodings import TextEncoding
from ...core.watch.frame import Frame
from ..style.theme import DARK, Theme, mono_font
from . import keys, remembered
from .decorations.decorations import Decorations
from .paint import dirty, empty
from .paint.emphasis import Emphasis
from .paint.geometry import VALUE_PANES, Pane
from .paint.selection import Selection
from .paint.surface import Options, Surface, to_device

MAX_FORMS: Final = len(VALUE_PANES)
_FADE_MS: Final = 30
"""Fading steps closer together than this are shown together."""


class HexScreen(QAbstractScrollArea):
    """Shows the Frames of one region, with a cursor and a selection.

    Signals:
        cursor_moved(int): The cursor's offset.
        selection_changed(int, int): Start and length of what it spans; length 0 is none.
        block_selected(ByteBlock): The same as rows, for what can do with a rectangle.
        span_wanted(int, int): Bytes that the next Frames should hold.
        view_changed(int, int): Start and length of what is on the screen.
        options_changed(): A person chose another one of the options.
    """

    cursor_moved = Signal(object)
    selection_changed = Signal(object, object)
    block_selected = Signal(object)
    span_wanted = Signal(object, object)
    view_changed = Signal(object, object)
    options_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        font = mono_font()
        self.surface = Surface(DARK, font, QFontInfo(font).pixelSize())
        self._greyed = False
        self._syncing = self._held = False
        self.moves = 0  # grows with each cursor and selection that is taken
        self._spans: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))
        self._fade = QTimer(self)
        self._fade.setSingleShot(True)
        self._fade.timeout.connect(self.refresh)
        self.surface.decorations.changed.connect(self.refresh)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Hex view")
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.verticalScrollBar().actionTriggered.connect(self._bar_action)

    # --- what it shows ------------------------------------------------------------------------

    def set_frame(self, frame: Frame | None) -> None:
        """Show this Frame."""
        self.surface.cells.set_frame(frame)
        self.refresh()
        if frame is not None and QAccessible.isActive():
            self._describe()

    def show_region(self, size: int) -> None:
        """Show a region of this size; 0 is none. The place is kept as far as it exists."""
        surface = self.surface
        surface.size = max(0, size)
        surface.pending = None
        if not size:
            surface.cells.set_frame(None)
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAlwaysOn if size else policy.ScrollBarAlwaysOff
        )
        self._lay_out()
        self.select(surface.selection.clamped(surface.size), reveal=False)
        if size:
            self._tell_spans(again=True)

    @property
    def decorations(self) -> Decorations:
        """What tints, labels and explains ranges; each source owns a layer of it."""
        return self.surface.decorations

    def set_greyed(self, greyed: bool) -> None:
        """Show the last Frame of a region that is gone, without colours and without ageing."""
        if greyed != self._greyed:
            self._greyed = greyed
            self.surface.cells.frozen = greyed
            self.surface.pending = None
            self.set_theme(self.surface.theme)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self.surface.set_theme(theme, greyed=self._greyed)
        self.refresh()
        self.viewport().update()

    # --- cursor and selection -----------------------------------------------------------------

    def cursor(self) -> int:  # type: ignore[override]
        """The cursor's offset (the mouse's shape is the viewport's)."""
        return self.surface.selection.cursor

    def selection(self) -> tuple[int, int]:
        """Start and length of what it spans; length 0 is none."""
        block = self.surface.selection.block
        return block.start, block.span

    def selected_block(self) -> ByteBlock:
        """What is selected, row by row; empty at the cursor when nothing is."""
        return self.surface.selection.block

    def set_cursor(self, offset: int) -> None:
        """Go there; out of sight, it comes to the middle."""
        self.select(Selection(offset).clamped(self.surface.size), centre=True)

    def set_pane(self, pane: Pane) -> None:
        """The pane that keys go to."""
        self.surface.pane = pane
        self.surface.pending = None
        self.refresh()

    def select(self, selection: Selection, *, reveal: bool = True, centre: bool = False) -> None:
        """Set cursor and selection, and emit the signals."""
        surface = self.surface
        before, surface.selection = surface.selection, selection
        surface.pending = None
        self.moves += 1
        if reveal and surface.size:
            self._reveal(centre=centre)
        self.refresh()
        if before.cursor % surface.grid.columns != selection.cursor % surface.grid.columns:
            header = to_device(surface.header, 1 / surface.ratio) + 1
            self.viewport().update(0, 0, self.viewport().width(), header)
        if before.cursor != selection.cursor:
            self.cursor_moved.emit(selection.cursor)
            self._describe()
        was, block = before.block, selection.block
        if was != block:
            self.block_selected.emit(block)
        if (was.start, was.span) != (block.start, block.span):
            self.selection_changed.emit(block.start, block.span)

    def select_all(self) -> None:
        """Select the whole region; the view stays where it is."""
        if self.surface.size:
            self.select(Selection(self.surface.size - 1, 0), reveal=False)

    def _describe(self) -> None:
        if self.surface.size:
            self.setAccessibleDescription(self.surface.describe_row(self.cursor()))

    # --- options ------------------------------------------------------------------------------

    def zoom_in(self) -> None:
        """Larger bytes."""
        self.zoom_by(1)

    def zoom_out(self) -> None:
        """Smaller bytes."""
        self.zoom_by(-1)

    def zoom_reset(self) -> None:
        """The application's text size."""
        self._set_options(replace(self.surface.options, zoom=1.0))

    def zoom_by(self, steps: int) -> None:
        """Larger by some steps."""
        options = self.surface.options
        self._set_options(replace(options, zoom=keys.zoomed(options, steps)))

    def set_columns(self, columns: int) -> None:
        """Bytes in a row; 0 fits the width."""
        self._set_options(replace(self.surface.options, columns=columns))

    def set_group(self, group: int) -> None:
        """Bytes that stand together."""
        self._set_options(replace(self.surface.options, group=group))

    def set_forms(self, forms: Sequence[ColumnForm]) -> None:
        """Show columns of values in these forms, from left to right; 1 to 4 of them."""
        if forms:
            self._set_options(replace(self.surface.options, forms=tuple(forms[:MAX_FORMS])))

    def set_text(self, encoding: TextEncoding) -> None:
        """Read the text column in this encoding."""
        self._set_options(replace(self.surface.options, text=encoding))

    def set_emphasis(self, emphasis: Emphasis) -> None:
        """Let these bytes stand out."""
        self._set_options(replace(self.surface.options, emphasis=emphasis))

    def set_entropy(self, on: bool) -> None:
        """Let the minimap show entropy in place of changes."""
        self._set_options(replace(self.surface.options, entropy=on))

    def set_rule(self, rule: ByteRule | None) -> None:
        """Mark the bytes that a rule picks."""
        self.set_emphasis(replace(self.surface.options.emphasis, rule=rule))

    def set_phase(self, phase: int) -> None:
        """Let values begin at multiples of their size plus this."""
        self._set_options(replace(self.surface.options, phase=phase % 8))

    def _set_options(self, options: Options) -> None:
        if options != self.surface.options:
            self.surface.options = options
            self.surface.pending = None
            self.surface.set_emphasis(options.emphasis)
            self._lay_out()
            self._describe()
            self.options_changed.emit()

    def state(self) -> dict[str, Any]:
        """What to remember."""
        return remembered.state_of(self.surface.options)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what was remembered, as far as it makes sense."""
        self._set_options(remembered.options_of(state))

    # --- layout and scrolling -----------------------------------------------------------------

    def _lay_out(self) -> None:
        surface, viewport = self.surface, self.viewport()
        ratio = viewport.devicePixelRatioF()
        keep = not self._held and self.in_sight(self.cursor())
        surface.lay_out(
            to_device(viewport.width(), ratio), to_device(viewport.height(), ratio), ratio
        )
        if keep and surface.size:
            surface.scroll.reveal(surface.grid.row_of(self.cursor()))
        self._sync_bars()
        self._moved()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Another size meanwhile moves no row, even where the cursor's goes out of sight."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def in_sight(self, offset: int) -> bool:
        """Whether a byte's row is on the screen."""
        sheet = self.surface.sheet()
        row = self.surface.grid.row_of(offset)
        return not sheet.rows or 0 <= row - sheet.first_row < sheet.rows

    def _sync_bars(self) -> None:
        surface, scroll = self.surface, self.surface.scroll
        self._syncing = True
        bar = self.verticalScrollBar()
        bar.setPageStep(scroll.bar_page)
        bar.setSingleStep(scroll.height)
        bar.setRange(0, scroll.bar_maximum)
        bar.setValue(scroll.bar_value)
        side = self.horizontalScrollBar()
        width = to_device(self.viewport().width(), surface.ratio)
        side.setPageStep(width)
        side.setSingleStep(3 * surface.grid.char)
        side.setRange(0, max(0, surface.grid.width - width) if surface.size else 0)
        side.setValue(surface.shift_x)
        self._syncing = False

    def _moved(self) -> None:
        """The view shows other rows."""
        self.refresh()
        self.viewport().update()
        self._tell_spans()

    def _tell_spans(self, *, again: bool = False) -> None:
        spans = self.surface.wanted_span(), self.surface.visible_span()
        before, self._spans = self._spans, spans
        if spans[0][1] and (again or spans[0] != before[0]):
            self.span_wanted.emit(*spans[0])
        if again or spans[1] != before[1]:
            self.view_changed.emit(*spans[1])

    def scroll_by(self, pixels: int) -> None:
        """Scroll down by device pixels."""
        if self.surface.scroll.by(pixels):
            self._sync_bars()
            self._moved()

    def scroll_sideways(self, pixels: int) -> None:
        """Scroll right by device pixels."""
        side = self.horizontalScrollBar()
        side.setValue(side.value() + pixels)

    def reveal(self) -> None:
        """Bring the cursor into sight."""
        if self.surface.size:
            self._reveal(centre=True)

    def _reveal(self, *, centre: bool) -> None:
        if self.surface.scroll.reveal(self.surface.grid.row_of(self.cursor()), centre=centre):
            self._sync_bars()
            self._moved()
        surface = self.surface
        layout = surface.grid.layouts[surface.pane]
        left = layout.left(layout.place(self.cursor())[1])
        right = left + layout.value_width
        width = to_device(self.viewport().width(), surface.ratio)
        if left < surface.shift_x or right > surface.shift_x + width:
            self.horizontalScrollBar().setValue(right + 2 * surface.grid.char - width)

    def _bar_action(self, action: int) -> None:
        """Steps of the bar are steps of the place: a scaled bar would jump by megabytes."""
        scroll, kind = self.surface.scroll, QAbstractSlider.SliderAction
        steps = {
            kind.SliderSingleStepAdd.value: scroll.height,
            kind.SliderSingleStepSub.value: -scroll.height,
            kind.SliderPageStepAdd.value: scroll.page * scroll.height,
            kind.SliderPageStepSub.value: -scroll.page * scroll.height,
        }
        if action in steps:
            self.scroll_by(steps[action])
            self.verticalScrollBar().setSliderPosition(scroll.bar_value)

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        """A person moved a bar."""
        if self._syncing:
            return
        surface = self.surface
        value = self.verticalScrollBar().value()
        if value != surface.scroll.bar_value:
            surface.scroll.from_bar(value)
        surface.shift_x = self.horizontalScrollBar().value()
        self._moved()

    # --- painting -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Bring the picture up to date, and show the rows that differ."""
        if not self.isVisible():
            return
        clock, surface = monotonic_ns(), self.surface
        surface.cells.drop_old_echoes(clock)
        for first, count in dirty.runs(surface.refresh(clock)):
            self.viewport().update(self._logical(surface.row_rect(first, count)))
        if not self._fade.isActive():
            wait_ns = surface.cells.next_change_ns(*surface.visible_span(), clock)
            if wait_ns is not None:
                self._fade.start(max(_FADE_MS, wait_ns // 1_000_000 + 1))

    def _logical(self, place: QRect) -> QRect:
        """The whole logical pixels around a rectangle of device pixels."""
        ratio = self.surface.ratio
        top = to_device(place.top(), 1 / ratio) - 1
        bottom = to_device(place.bottom() + 1, 1 / ratio) + 2
        right = to_device(place.right() + 1, 1 / ratio) + 2
        return QRect(0, top, min(right, self.viewport().width()), bottom - top)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the parts that are asked for, in device pixels."""
        painter = QPainter(self.viewport())
        surface = self.surface
        if surface.ratio != self.viewport().devicePixelRatioF():
            QTimer.singleShot(0, self._lay_out)
        if not surface.size:
            empty.paint(painter, self.viewport().rect(), surface.theme)
            return
        origin = painter.deviceTransform()
        painter.scale(1 / surface.ratio, 1 / surface.ratio)
        # Between whole pixels every glyph would blur.
        painter.translate(round(origin.dx()) - origin.dx(), round(origin.dy()) - origin.dy())
        for place in dirty.rects(event.region()):
            surface.paint(painter, dirty.device(place, surface.ratio))

    # --- events -------------------------------------------------------------------------------

    def resizeEvent(self, _event: QResizeEvent) -> None:
        """Fit in."""
        self._lay_out()

    def showEvent(self, event: QShowEvent) -> None:
        """Lay out again, for the size that it has now."""
        super().showEvent(event)
        self._lay_out()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop the fading while hidden."""
        super().hideEvent(event)
        self._fade.stop()
