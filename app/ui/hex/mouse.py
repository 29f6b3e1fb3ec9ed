"""The mouse in the hex view: clicks that place and select, drags that scroll, the wheel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QPointF, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from .paint.geometry import BLOCK, Hit, Pane, Part
from .paint.selection import Selection
from .paint.surface import to_device

if TYPE_CHECKING:
    from .widget import HexView

_SCROLL_MS: Final = 25
_NOTCH: Final = 120
_WORD_REACH: Final = 256


class Mouse(QObject):
    """What the buttons and the wheel are doing right now."""

    def __init__(self, view: HexView) -> None:
        super().__init__(view)
        self._view = view
        self._origin: Selection | None = None
        self._block = False  # a drag selects a rectangle
        self._part = Part.HEX
        self._place = QPointF()
        self._rest = 0.0
        self._zoom_rest = 0
        self._triple_until = QTimer(self)
        self._triple_until.setSingleShot(True)
        self._timer = QTimer(self)
        self._timer.setInterval(_SCROLL_MS)
        self._timer.timeout.connect(self._scroll_on)

    # --- where --------------------------------------------------------------------------------

    def hit(self, place: QPointF, pane: Pane | None = None) -> Hit | None:
        """What is under a point of the viewport; None on the header without a pane."""
        surface = self._view.surface
        x = to_device(place.x(), surface.ratio) + surface.shift_x
        y = to_device(place.y(), surface.ratio)
        if y < surface.header and pane is None:
            return None
        return surface.grid.hit(x, surface.row_at(y), pane)

    def head_at(self, place: QPointF) -> Pane | None:
        """The pane whose head is under a point; None below the heads and left of them."""
        surface = self._view.surface
        if surface.size <= 0 or to_device(place.y(), surface.ratio) >= surface.header:
            return None
        x = to_device(place.x(), surface.ratio) + surface.shift_x
        part = surface.grid.part_at(x)
        return None if part is Part.ADDRESS else Pane(part.value)

    # --- buttons ------------------------------------------------------------------------------

    def press(self, event: QMouseEvent) -> None:
        """Place the cursor, or extend the selection with Shift."""
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        head = self.head_at(event.position())
        if head is not None:
            self._view.popup_head(head)
        hit = self.hit(event.position())
        if hit is None:
            return
        extend = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._note_block(event)
        if self._triple_until.isActive() and not extend:
            self._triple_until.stop()
            self._select_row(hit.offset)
            self._part, self._origin = Part.ADDRESS, self._view.surface.selection
            return
        self._begin(hit, extend=extend)

    def _begin(self, hit: Hit, *, extend: bool) -> None:
        surface = self._view.surface
        self._part = hit.part
        if hit.part is Part.ADDRESS:
            if not extend:
                self._select_row(hit.offset)
                self._origin = surface.selection
                return
        else:
            self._view.set_pane(Pane(hit.part.value))
        stride = self._stride() if extend else 0
        moved = surface.selection.moved(hit.offset, surface.size, extend=extend, stride=stride)
        self._view.select(surface.whole_values(moved))
        self._origin = surface.selection

    def _note_block(self, event: QMouseEvent) -> None:
        self._block = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)

    def _stride(self) -> int:
        """Bytes in a row of the rectangle that is dragged; 0 for a run."""
        return self._view.surface.grid.columns if self._block else 0

    def move(self, event: QMouseEvent) -> None:
        """Drag on, or show what a click would do."""
        self._place = event.position()
        if self._origin is None or not event.buttons() & Qt.MouseButton.LeftButton:
            self._origin = None
            over = self.hit(self._place)
            text = over is not None and over.part is not Part.ADDRESS
            shape = Qt.CursorShape.IBeamCursor if text else Qt.CursorShape.ArrowCursor
            if self.head_at(self._place) is not None:
                shape = Qt.CursorShape.PointingHandCursor
            self._view.viewport().setCursor(shape)
            return
        self._note_block(event)
        self._drag()
        if self._beyond() and not self._timer.isActive():
            self._timer.start()

    def release(self) -> None:
        """The end of a drag."""
        self._origin = None
        self._timer.stop()

    def double(self, event: QMouseEvent) -> None:
        """Select the group, in the text pane the word, under the mouse."""
        hit = self.hit(event.position())
        if hit is None or event.button() is not Qt.MouseButton.LeftButton:
            return
        if hit.part is Part.ADDRESS:
            self._select_row(hit.offset)
            return
        start, length = self._word(hit)
        self._view.set_pane(Pane(hit.part.value))
        self._view.select(Selection(start + length - 1, start))
        self._triple_until.start(QApplication.doubleClickInterval())

    def _word(self, hit: Hit) -> tuple[int, int]:
        surface = self._view.surface
        if hit.part is Part.TEXT:
            run = self._text_run(hit.offset)
            if run[1] > 1:
                return run
        layout = surface.grid.layouts[Pane(hit.part.value)]
        if layout.unit > 1:
            return hit.offset, min(layout.unit, surface.size - hit.offset)
        step = BLOCK if surface.grid.group == 1 else surface.grid.group
        base = hit.offset // surface.grid.columns * surface.grid.columns
        start = base + (hit.offset - base) // step * step
        end = min(start + step, base + surface.grid.columns, surface.size)
        return start, end - start

    def _text_run(self, offset: int) -> tuple[int, int]:
        """The letters and digits around an offset, as far as they are known."""
        picture = self._view.surface.cells

        def part_of_word(at: int) -> bool:
            seen = picture.seen(at, 1) if 0 <= at < self._view.surface.size else None
            return seen is not None and (seen.isalnum() or seen == b"_")

        if not part_of_word(offset):
            return offset, 1
        start = end = offset
        while offset - start < _WORD_REACH and part_of_word(start - 1):
            start -= 1
        while end - offset < _WORD_REACH and part_of_word(end + 1):
            end += 1
        return start, end - start + 1

    def _row(self, offset: int) -> tuple[int, int]:
        """First and last byte of a row."""
        surface = self._view.surface
        start, length = surface.grid.span(surface.grid.row_of(offset), 1)
        return start, start + length - 1

    def _select_row(self, offset: int) -> None:
        first, last = self._row(offset)
        self._view.select(Selection(first, last))

    # --- dragging -----------------------------------------------------------------------------

    def _drag(self) -> None:
        origin = self._origin
        pane = Pane.HEX if self._part is Part.ADDRESS else Pane(self._part.value)
        hit = self.hit(self._place, pane)
        if origin is None or hit is None:
            return
        if self._part is Part.ADDRESS:
            self._drag_rows(origin, hit)
            return
        anchor = origin.cursor if origin.anchor is None else origin.anchor
        now = self._view.surface.selection
        if hit.offset == anchor and now.anchor is None:
            return
        surface = self._view.surface
        to = Selection(anchor).moved(hit.offset, surface.size, extend=True, stride=self._stride())
        self._view.select(surface.whole_values(to), reveal=False)

    def _drag_rows(self, origin: Selection, hit: Hit) -> None:
        first, last = self._row(hit.offset)
        if first >= origin.start:
            self._view.select(Selection(last, origin.start), reveal=False)
        else:
            self._view.select(Selection(first, origin.end - 1), reveal=False)

    def _beyond(self) -> int:
        """Device pixels that the mouse is above (negative) or below the rows."""
        surface = self._view.surface
        y = to_device(self._place.y(), surface.ratio)
        bottom = to_device(self._view.viewport().height(), surface.ratio)
        if y < surface.header:
            return y - surface.header
        return max(0, y - bottom + 1)

    def _scroll_on(self) -> None:
        distance = self._beyond()
        if self._origin is None or not distance:
            self._timer.stop()
            return
        height = self._view.surface.grid.height
        speed = min(16 * height, abs(distance) // 2 + height // 4)
        self._view.scroll_by(speed if distance > 0 else -speed)
        self._drag()

    # --- the wheel ----------------------------------------------------------------------------

    def wheel(self, event: QWheelEvent) -> None:
        """Scroll by pixels; zoom with Ctrl, sideways with Shift."""
        turned = event.angleDelta().y() or event.angleDelta().x()
        modifiers = event.modifiers()
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            self._zoom_rest += turned
            steps = int(self._zoom_rest / _NOTCH)
            self._zoom_rest -= steps * _NOTCH
            self._view.zoom_by(steps)
        elif modifiers & Qt.KeyboardModifier.ShiftModifier:
            self._view.scroll_sideways(-round(turned / _NOTCH * self._view.surface.grid.char * 8))
        else:
            self._scroll(event)
        event.accept()

    def _scroll(self, event: QWheelEvent) -> None:
        surface = self._view.surface
        # WORKAROUND: Qt calls pixelDelta unreliable on X11.
        if not event.pixelDelta().isNull() and QGuiApplication.platformName() != "xcb":
            down = -event.pixelDelta().y() * surface.ratio
            side = -event.pixelDelta().x() * surface.ratio
        else:
            lines = QApplication.wheelScrollLines() / _NOTCH
            down = -event.angleDelta().y() * lines * surface.grid.height
            side = -event.angleDelta().x() * lines * surface.grid.char
        self._rest += down
        whole = int(self._rest)
        self._rest -= whole
        self._view.scroll_by(whole)
        self._view.scroll_sideways(round(side))
