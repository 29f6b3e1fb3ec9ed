"""Typing into the memory: a value or a character at a time, overwriting, never shifting.

Nothing is written here. Each finished value is emitted as a request to write, as wide as its column
says, with the bytes that were shown in its place, so that the journal can compare before it writes.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic_ns
from typing import TYPE_CHECKING, Final

from ...core.errors import ValueFormatError
from ...core.values.units import format_short_offset, format_size
from . import clipboard, tooltip
from .paint.geometry import Pane
from .paint.pane_layout import PaneLayout
from .paint.selection import Selection

if TYPE_CHECKING:
    from .widget import HexView

_PAUSE_NS: Final = 2_000_000_000
"""Letters further apart than this are not one go."""
_FETCH_NS: Final = 1_000_000_000
"""How long typed letters wait for the bytes that they go over."""
_NOT_READ: Final = "These bytes were not read yet; nothing was written."
_TOLD: Final = "This column tells about changes; type in another one (Tab)."
_NO_ROOM: Final = (
    "Shared memory cannot grow, so that nothing is inserted: typing overwrites. "
    "“Copy range” in the write tools moves bytes further back."
)
_NO_GAP: Final = "Memory cannot be shifted, so that nothing is deleted. Ctrl+I fills the selection."


class Editor:
    """Turns typed characters into requests to write.

    Attributes:
        go: What the newest request belongs to: letters typed one after the other, which are undone
            together, have the same number; 0 for all else. A move of the cursor ends a go, and so
            does a pause.
    """

    def __init__(self, view: HexView) -> None:
        self._view = view
        self.locked = True
        self.writable = False
        self.go = 0
        self._go_moves = -1
        self._typed_ns = 0
        self._waiting = ""  # typed over bytes that are being fetched
        self._waiting_moves = -1
        self._waiting_ns = 0

    def _may_write(self) -> bool:
        """Whether writing is unlocked; where it is not, the view asks for it."""
        if self._view.surface.size <= 0:
            return False
        if self.locked or not self.writable:
            self._view.unlock_wanted.emit()
            return False
        return True

    def type(self, text: str) -> bool:
        """Handle a typed character; returns whether it was used."""
        surface = self._view.surface
        if not text or surface.size <= 0:
            return False
        form = self._layout().form
        if form is not None and form.told:
            self._view.message.emit(_TOLD)
            return True
        if not (text.isprintable() if form is None else form.takes(surface.pending or "", text)):
            return False
        if not self._may_write():
            return True
        if self._must_wait():
            self._waiting += text
        else:
            self._take(text)
        return True

    def _layout(self) -> PaneLayout:
        """The pane that keys go to."""
        return self._view.surface.grid.layouts[self._view.surface.pane]

    def _take(self, text: str) -> None:
        surface, form = self._view.surface, self._layout().form
        if form is None:
            self._write(lambda: surface.grid.text.encode(text))
            return
        surface.pending = (surface.pending or "") + text
        if form.complete(surface.pending):
            self.commit()
        else:
            self._view.refresh()

    def commit(self) -> None:
        """Enter: write the value that was typed so far; what is none stays, to be mended."""
        form, typed = self._layout().form, self._view.surface.pending
        if form is not None and typed is not None:
            self._write(lambda: form.parse(typed))

    def _write(self, make: Callable[[], bytes]) -> None:
        try:
            data = make()
        except ValueFormatError as error:
            self._view.message.emit(f"{error.message} {error.hint}".strip())
            self._view.refresh()
            return
        self._view.surface.pending = None
        self._overwrite(data, "typed")

    def _must_wait(self) -> bool:
        """Bring the place into sight; whether its bytes have to be fetched first for that."""
        view, surface = self._view, self._view.surface
        start = self._start()
        if self._waiting and self._waiting_moves == view.moves:
            return True
        in_sight = view.in_sight(start)
        if surface.selection.length:
            view.select(Selection(start))
        else:
            view.reveal()
        frame = surface.cells.frame
        if (
            in_sight
            or frame is None
            or frame.paused
            or surface.cells.covers(start, self._layout().unit)
        ):
            return False
        self._waiting, self._waiting_moves, self._waiting_ns = "", view.moves, monotonic_ns()
        return True

    def frame_came(self) -> None:
        """Take what was typed while its bytes were being fetched."""
        if not self._waiting:
            return
        if self._waiting_moves != self._view.moves:
            self._waiting = ""
        elif self._view.surface.cells.covers(self._start(), self._layout().unit):
            text, self._waiting = self._waiting, ""
            for character in text:
                self._take(character)
        elif monotonic_ns() - self._waiting_ns > _FETCH_NS:
            self._waiting = ""
            self._view.message.emit(_NOT_READ)

    def _next_go(self) -> int:
        """The number for a letter that is typed now."""
        now_ns = monotonic_ns()
        goes_on = self._go_moves == self._view.moves and now_ns - self._typed_ns < _PAUSE_NS
        self._typed_ns = now_ns
        return self.go if goes_on and self.go else now_ns

    def drop_digit(self) -> bool:
        """Forget a first digit; says whether there was one."""
        surface = self._view.surface
        self._waiting = ""
        if surface.pending is None:
            return False
        surface.pending = None
        self._view.refresh()
        return True

    def back(self) -> None:
        """Backspace: drop what was typed last, or go back by a value."""
        surface, layout = self._view.surface, self._layout()
        if not self.drop_last():
            before = layout.value_start(surface.selection.cursor) - layout.unit
            self._view.select(Selection(max(0, before)))

    def drop_last(self) -> bool:
        """Forget what was typed last of a value; says whether there was something."""
        surface = self._view.surface
        if surface.pending is None or len(surface.pending) < 2:
            return self.drop_digit()
        surface.pending = surface.pending[:-1]
        self._view.refresh()
        return True

    def delete(self) -> None:
        """Say why nothing is deleted."""
        if self._view.surface.size > 0:
            self._view.message.emit(_NO_GAP)

    def _start(self) -> int:
        """Where typing writes: the value that the selection begins in."""
        return self._layout().value_start(self._view.surface.selection.start)

    def _overwrite(self, data: bytes, label: str) -> None:
        """Ask for these bytes to be written at the selection's start, and move behind them."""
        view, surface = self._view, self._view.surface
        typed = label == "typed"
        start = self._start() if typed else surface.selection.start
        if not self._fits(len(data), start):
            return
        seen = surface.cells.seen(start, len(data))
        if seen is None and typed:
            view.message.emit(_NOT_READ)
            return
        self.go = self._next_go() if typed else 0
        if typed:
            view.split_written.emit(_split_words(start, len(data)))
        view.write_wanted.emit(start, data, seen, label)
        if len(data) <= clipboard.MAX_ECHO:
            surface.cells.add_echo(start, data, monotonic_ns())
        view.select(Selection(min(start + len(data), surface.size - 1)))
        self._go_moves = view.moves

    def _fits(self, length: int, start: int | None = None) -> bool:
        """Whether so many bytes fit behind a place, else the selection's start; says why not."""
        surface = self._view.surface
        start = surface.selection.start if start is None else start
        if start + length > surface.size:
            self._view.message.emit(
                f"{format_size(length)} do not fit at {format_short_offset(start)}, "
                f"{format_size(surface.size - start)} before the region's end; "
                "nothing was written."
            )
            return False
        return True

    def insert(self) -> None:
        """Say why nothing is inserted."""
        if self._view.surface.size > 0:
            self._view.message.emit(_NO_ROOM)

    def paste(self) -> None:
        """Overwrite with what the clipboard holds; foreign text is shown as read before that."""
        if not self._may_write():
            return
        try:
            surface = self._view.surface
            found = clipboard.take(as_text=surface.pane is Pane.TEXT, encoding=surface.grid.text)
        except ValueFormatError as error:
            self._view.message.emit(f"{error.message} {error.hint}".strip())
            return
        if isinstance(found, bytes):
            self.paste_bytes(found)
        elif self._fits(len(found.found[0].data)):
            self._view.paste_asked.emit(found)

    def paste_bytes(self, data: bytes) -> None:
        """Overwrite with these, row by row in a rectangle that is as large."""
        if not self._may_write():
            return
        block = self._view.surface.selection.block
        if block.whole:
            self._overwrite(data, "paste")
        elif len(data) == block.length:
            self._view.block_paste_wanted.emit(block, data)
        else:
            self._view.message.emit(
                f"{format_size(len(data))} are pasted, and the selected rectangle has "
                f"{format_size(block.length)}; nothing was written. Esc drops the rectangle."
            )


def _split_words(start: int, length: int) -> str:
    """A sentence where a value is not one store."""
    why = tooltip.split_store(start, length)
    return f"{format_size(length)} at {format_short_offset(start)}: {why}." if why else ""
