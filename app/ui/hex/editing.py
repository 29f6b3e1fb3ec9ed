"""Typing into the memory: two digits or a character at a time, overwriting, never shifting.

Nothing is written here. Each finished byte is emitted as a request to write, with the byte that was
shown in its place, so that the journal can compare before it writes.
"""

from __future__ import annotations

import string
from time import monotonic_ns
from typing import TYPE_CHECKING, Final

from ...core.errors import ValueFormatError
from ...core.values.units import format_short_offset, format_size
from . import clipboard
from .paint.geometry import Pane
from .paint.selection import Selection

if TYPE_CHECKING:
    from .widget import HexView

_DIGITS: Final = frozenset(string.hexdigits)
_NO_GAP: Final = "Memory cannot be shifted, so that nothing is deleted. Ctrl+I fills the selection."


class Editor:
    """Turns typed characters into requests to write."""

    def __init__(self, view: HexView) -> None:
        self._view = view
        self.locked = True
        self.writable = False

    def _may_write(self) -> bool:
        """Whether writing is unlocked; where it is not, the view asks for it."""
        if self._view.surface.size <= 0:
            return False
        if self.locked or not self.writable:
            self._view.unlock_wanted.emit()
            return False
        return True

    def type(self, text: str) -> bool:
        """Take what a key stands for; says whether it meant anything."""
        if not text or self._view.surface.size <= 0:
            return False
        if self._view.surface.pane is Pane.TEXT:
            return self._type_text(text)
        return self._type_digit(text)

    def _type_text(self, text: str) -> bool:
        if not text.isprintable():
            return False
        if self._may_write():
            self._overwrite(text.encode("utf-8", errors="replace"), "typed")
        return True

    def _type_digit(self, text: str) -> bool:
        if text not in _DIGITS:
            return False
        if not self._may_write():
            return True
        surface = self._view.surface
        if surface.pending is None:
            if surface.selection.length:
                self._view.select(Selection(surface.selection.start))
            surface.pending = int(text, 16)
            self._view.refresh()
        else:
            value = surface.pending << 4 | int(text, 16)
            surface.pending = None
            self._overwrite(bytes([value]), "typed")
        return True

    def drop_digit(self) -> bool:
        """Forget a first digit; says whether there was one."""
        surface = self._view.surface
        if surface.pending is None:
            return False
        surface.pending = None
        self._view.refresh()
        return True

    def back(self) -> None:
        """Backspace: drop the first digit, or go back by a byte."""
        selection = self._view.surface.selection
        if not self.drop_digit():
            self._view.select(Selection(max(0, selection.cursor - 1)))

    def delete(self) -> None:
        """Say why nothing is deleted."""
        if self._view.surface.size > 0:
            self._view.message.emit(_NO_GAP)

    def _overwrite(self, data: bytes, label: str) -> None:
        """Wish for bytes at the selection's start, and go behind them."""
        view, surface = self._view, self._view.surface
        start = surface.selection.start
        if start + len(data) > surface.size:
            fits = surface.size - start
            view.message.emit(
                f"{format_size(len(data))} do not fit at {format_short_offset(start)}, "
                f"{format_size(fits)} before the region's end; nothing was written."
            )
            return
        seen = surface.cells.seen(start, len(data))
        if seen is None and label == "typed":
            view.message.emit("These bytes were not read yet; nothing was written.")
            return
        view.write_wanted.emit(start, data, seen, label)
        if len(data) <= clipboard.MAX_ECHO:
            surface.cells.add_echo(start, data, monotonic_ns())
        view.select(Selection(min(start + len(data), surface.size - 1)))

    def paste(self) -> None:
        """Overwrite with what the clipboard holds."""
        if not self._may_write():
            return
        try:
            data = clipboard.take(as_text=self._view.surface.pane is Pane.TEXT)
        except ValueFormatError as error:
            self._view.message.emit(f"{error.message} {error.hint}".strip())
            return
        self._overwrite(data, "paste")
