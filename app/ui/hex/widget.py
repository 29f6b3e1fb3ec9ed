"""The hex view: it turns events into signals; `Surface` paints.

It never reads or writes memory: what a person wants to see or to change is emitted as a signal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from time import monotonic_ns

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QHelpEvent,
    QHideEvent,
    QInputMethodEvent,
    QKeyEvent,
    QMouseEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QToolTip, QWidget

from ...core.watch.frame import Frame
from ..action import Action, KeyMap, Offers
from ..style.outside_text import tip
from . import columns_menu, emphasis_menu, keys, menu, tooltip
from .decorations.decorations import Decoration, Depth
from .editing import Editor
from .mouse import Mouse
from .paint.geometry import Pane, Part, with_columns
from .paint.overlay import head_tip
from .paint.selection import Selection
from .paint.surface import to_device
from .screen import HexScreen


class HexView(HexScreen):
    """A live hex editor of one region.

    Attributes:
        dismiss: Closes the message about this view; says whether there was one.
        offers: What the context menu offers beside its own.
        come_back: Goes to where a pointer was followed from; says whether there was such a place.

    Signals:
        write_wanted(int, bytes, bytes | None, str): Offset, what to write, what was shown there
            (None: not all of it was on the screen), and what the person did.
        goto_requested(): Show the go-to bar.
        unlock_wanted(): Somebody typed while writing is locked or impossible.
        undo_wanted(), redo_wanted(): Of writes.
        next_change_wanted(bool): True = the previous one.
        copy_wanted(str): Copy the selection in this form.
        paste_asked(Readings): Foreign text is to be pasted: ask what it means.
        block_paste_wanted(ByteBlock, bytes): Write these into the rows of a rectangle.
        fill_wanted(): Open the fill tool.
        follow_wanted(): Go to the offset that stands under the cursor.
        pointing_wanted(): Find the places that point to the cursor.
        load_file_wanted(str, int): A file was dropped on a byte.
        message(str): Why something was not done.
        rule_requested(): Show the bar for the rule that marks bytes.
        split_written(str): Why a peer may see half of what was typed; empty when it cannot.
    """

    write_wanted = Signal(object, object, object, str)
    goto_requested = Signal()
    unlock_wanted = Signal()
    undo_wanted = Signal()
    redo_wanted = Signal()
    next_change_wanted = Signal(bool)
    copy_wanted = Signal(str)
    paste_asked = Signal(object)
    block_paste_wanted = Signal(object, bytes)
    fill_wanted = Signal()
    follow_wanted = Signal()
    pointing_wanted = Signal()
    load_file_wanted = Signal(str, object)
    message = Signal(str)
    rule_requested = Signal()
    split_written = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.editor = Editor(self)
        self.dismiss: Callable[[], bool] = lambda: False
        self.offers: Sequence[Offers] = ()
        self.come_back: Callable[[], bool] = lambda: False
        self._mouse = Mouse(self)
        self._mark = self.decorations.layer("begin of selection", Depth.NOTE)
        self._actions = keys.actions(self)
        self._keys = KeyMap(self._actions)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(True)
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)
        self.viewport().setMouseTracking(True)

    def set_region(self, size: int, writable: bool) -> None:
        """Show a region of this size; 0 is none. The place is kept as far as it exists."""
        self.editor.writable = writable
        self.show_region(size)

    def set_locked(self, locked: bool) -> None:
        """Whether typing writes."""
        self.editor.locked = locked
        self.editor.drop_digit()

    def set_frame(self, frame: Frame | None) -> None:
        """Show this Frame; what waited for its bytes is typed."""
        super().set_frame(frame)
        if frame is not None:
            self.editor.frame_came()

    # --- commands -----------------------------------------------------------------------------

    def copy(self) -> None:
        """Copy the selection the way it is shown in the pane that has the keyboard."""
        self.copy_wanted.emit("text" if self.surface.pane is Pane.TEXT else "hex")

    def paste(self) -> None:
        """Overwrite from the cursor on with the clipboard, once it is clear what it means."""
        self.editor.paste()

    def undo(self) -> None:
        """Ask for an undo; a half-typed byte is dropped."""
        self.editor.drop_digit()
        self.undo_wanted.emit()

    def redo(self) -> None:
        """Ask for a redo."""
        self.editor.drop_digit()
        self.redo_wanted.emit()

    def own_actions(self) -> tuple[Action, ...]:
        """What can be done here, with the keys for it."""
        return self._actions

    def key_of(self, name: str) -> str:
        """The key of an action, as a menu shows it."""
        return next(action.key for action in self._actions if action.name == name)

    def move_by_key(self, event: QKeyEvent) -> None:
        """Move the cursor as a key says; Shift selects."""
        modifier, surface = Qt.KeyboardModifier, self.surface
        place = keys.Place(self.cursor(), surface.grid, surface.scroll.page, surface.pane)
        ctrl = bool(event.modifiers() & modifier.ControlModifier)
        target = keys.moved(place, event.key(), ctrl=ctrl)
        if target is not None and surface.size:
            extend = bool(event.modifiers() & modifier.ShiftModifier)
            moved = surface.selection.moved(target, surface.size, extend=extend)
            self.select(surface.whole_values(moved))

    def extend_block(self, event: QKeyEvent) -> None:
        """Move a corner of a rectangle as a key says; left and right stay in the row."""
        surface = self.surface
        columns = surface.grid.columns
        place = keys.Place(self.cursor(), surface.grid, surface.scroll.page)
        target = keys.moved(place, event.key(), ctrl=False)
        if target is None or not surface.size:
            return
        sideways = event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right)
        if not sideways or target // columns == place.cursor // columns:
            selection = surface.selection
            self.select(selection.moved(target, surface.size, extend=True, stride=columns))

    def begin_selection(self) -> None:
        """Mark where a selection begins; it is made where `end_selection` is called."""
        if self.surface.size:
            tip = "A selection begins here; Shift+F8 selects to the cursor"
            self._mark.replace([Decoration(self.cursor(), 1, label="begin", tip=tip)])

    def end_selection(self) -> None:
        """Select from the marked byte to the cursor, the one before the other or behind it."""
        if not len(self._mark):
            self.message.emit("Mark first where the selection begins (F8).")
            return
        (begin,) = self._mark.items
        self._mark.replace([])
        self.select(Selection(self.cursor(), begin.start), reveal=False)

    def step_back(self) -> None:
        """Drop what was typed last, else come back from a followed pointer, else a value back."""
        if self.editor.drop_last():
            return
        if self.surface.pane is Pane.TEXT or not self.come_back():
            self.editor.back()

    def step_columns(self, step: int) -> None:
        """More (1) or fewer (-1) bytes in a row."""
        surface = self.surface
        self.set_columns(keys.next_columns(surface.options, surface.grid.columns, step))

    def next_group(self) -> None:
        """The next larger group; behind the largest, single bytes."""
        now = keys.GROUPS.index(self.surface.options.group)
        self.set_group(keys.GROUPS[(now + 1) % len(keys.GROUPS)])

    def scroll_rows(self, rows: int) -> None:
        """Scroll down by rows, up when negative."""
        self.scroll_by(rows * self.surface.grid.height)

    def escape(self) -> None:
        """Drop the first digit of two, else the message, else the selection."""
        if self.editor.drop_digit() or self.dismiss():
            return
        if len(self._mark):
            self._mark.replace([])
        elif self.surface.selection.length:
            self.select(Selection(self.cursor()))

    # --- events -------------------------------------------------------------------------------

    def hideEvent(self, event: QHideEvent) -> None:
        """A drag ends with it, and a first digit is dropped."""
        super().hideEvent(event)
        self.editor.drop_digit()
        self._mouse.release()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The cursor becomes a block."""
        super().focusInEvent(event)
        self.surface.focused = True
        self.refresh()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The cursor becomes a frame; a first digit is dropped."""
        super().focusOutEvent(event)
        self.surface.focused = event.reason() is Qt.FocusReason.PopupFocusReason
        self.editor.drop_digit()
        self.refresh()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes to the next pane; Shift+Tab leaves."""
        if not forward or not self.surface.size:
            return super().focusNextPrevChild(forward)
        panes = self.surface.grid.panes
        self.set_pane(panes[(panes.index(self.surface.pane) + 1) % len(panes)])
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what the key stands for, or type; in the text pane a character is typed first."""
        modifier = Qt.KeyboardModifier
        alt_graph = modifier.ControlModifier | modifier.AltModifier  # as Windows reports AltGr
        held = event.modifiers() & alt_graph
        types = not held or held == alt_graph
        if types and self.surface.pane is Pane.TEXT and self.editor.type(event.text()):
            return
        if self._keys.run(event):
            return
        if not types or not self.editor.type(event.text()):
            event.ignore()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """What dead keys and input methods made."""
        for character in event.commitString():
            self.editor.type(character)
        event.accept()

    def shown(self, start: int, length: int) -> tuple[int, bytes]:
        """The part of a range that is on record as shown: its offset and its bytes."""
        picture = self.surface.cells
        first, last = start, start + length
        if picture.frame is not None:
            first, last = max(start, picture.frame.start), min(last, picture.frame.end)
        return first, picture.seen(first, last - first) or b"" if first < last else b""

    def popup_copy_as(self) -> None:
        """Offer all forms to copy in."""
        popup = menu.copy_as_menu(self)
        popup.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        popup.popup(self.viewport().mapToGlobal(self._below_cursor()))

    def popup_columns(self) -> None:
        """Offer the forms of all columns of values."""
        if self.surface.size:
            self._popup(columns_menu.columns_menu(self), Pane.HEX)

    def popup_encodings(self) -> None:
        """Offer the encodings of the text column."""
        if self.surface.size:
            self._popup(columns_menu.encodings_menu(self), Pane.TEXT)

    def popup_emphasis(self) -> None:
        """Offer what makes bytes stand out."""
        if self.surface.size:
            self._popup(emphasis_menu.emphasis_menu(self), Pane.HEX)

    def popup_head(self, pane: Pane) -> None:
        """Offer what the head of a pane stands for."""
        if pane is Pane.TEXT:
            self.popup_encodings()
        else:
            self._popup(columns_menu.form_menu(self, pane), pane)

    def _popup(self, popup: QMenu, pane: Pane) -> None:
        """Show a menu below the head of a pane."""
        surface = self.surface
        layout = surface.grid.layouts[pane]
        x = max(0, to_device(layout.x - surface.shift_x, 1 / surface.ratio))
        place = QPoint(x, to_device(surface.header, 1 / surface.ratio))
        popup.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        popup.popup(self.viewport().mapToGlobal(place))

    def _below_cursor(self) -> QPoint:
        surface = self.surface
        cell = surface.sheet().cell(surface.pane, self.cursor())
        ratio = surface.ratio
        return QPoint(
            to_device(cell.left() - surface.shift_x, 1 / ratio), to_device(cell.bottom(), 1 / ratio)
        )

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu for the place; a click outside of the selection moves the cursor there."""
        keyboard = event.reason() is QContextMenuEvent.Reason.Keyboard
        hit = None if keyboard else self._mouse.hit(QPointF(event.pos()))
        if hit is not None:
            if not self.surface.selection.holds(hit.offset):
                self.select(Selection(hit.offset))
            if hit.part is not Part.ADDRESS:
                self.set_pane(Pane(hit.part.value))
        part = Part(self.surface.pane.value) if keyboard else hit.part if hit else None
        popup = menu.context_menu(self, part)
        popup.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        here = self._below_cursor() if keyboard else event.pos()
        popup.popup(self.viewport().mapToGlobal(here))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """See Mouse."""
        self._mouse.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """See Mouse."""
        self._mouse.move(event)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """See Mouse."""
        self._mouse.release()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """See Mouse."""
        self._mouse.double(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """See Mouse."""
        self._mouse.wheel(event)

    def viewportEvent(self, event: QEvent) -> bool:
        """Tool tips are made when they are asked for."""
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            QToolTip.showText(
                event.globalPos(), tip(self.tip_at(QPointF(event.pos()))), self.viewport()
            )
            return True
        if event.type() is QEvent.Type.DevicePixelRatioChange:
            self._lay_out()
        return super().viewportEvent(event)

    def room_for(self, columns: int) -> int:
        """Logical pixels that rows of so many bytes take, with the scroll bar."""
        self._lay_out()  # the display may be another one since
        width = with_columns(self.surface.grid, columns).width
        return math.ceil(width / self.surface.ratio) + self.verticalScrollBar().sizeHint().width()

    def tip_at(self, place: QPointF) -> str:
        """The tool tip at a point; empty where there is no byte."""
        hit = self._mouse.hit(place)
        if hit is None or not hit.exact:
            head = self._mouse.head_at(place)
            return head_tip(self.surface.grid, head) if head is not None else ""
        if hit.part is Part.ADDRESS:
            return tooltip.offset_text(hit.offset)
        about = tooltip.byte_text(self.surface.cells, hit.offset, monotonic_ns())
        about += tooltip.value_text(self.surface, Pane(hit.part.value), hit.offset)
        ranges = tooltip.ranges_text(self.decorations.at(hit.offset))
        return f"{about}\n\n{ranges}" if ranges else about

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """A file may be dropped on a byte."""
        if self.surface.size and _dropped_file(event):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """The cursor shows where it would be loaded."""
        hit = self._mouse.hit(event.position())
        if hit is not None and hit.part is not Part.ADDRESS:
            self.select(Selection(hit.offset), reveal=False)
            event.acceptProposedAction()
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        """Offer to load it there."""
        hit, path = self._mouse.hit(event.position()), _dropped_file(event)
        if hit is not None and path:
            event.acceptProposedAction()
            self.load_file_wanted.emit(path, hit.offset)


def _dropped_file(event: QDropEvent) -> str:
    urls = event.mimeData().urls()
    return urls[0].toLocalFile() if urls and urls[0].isLocalFile() else ""
