"""The part of the region that the maps show, and addresses as labels."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, Signal

from ....core.values.units import format_short_offset, format_size

_FEWEST: Final = 16 * 4096
_STEPS: Final = 16  # a zoomed part begins at multiples of a sixteenth of its length


class AddressView(QObject):
    """[start, end) of the region, in bytes; one for both maps.

    Zoomed parts are a power of two long and begin at round addresses.

    Signals:
        changed(): It shows another part.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.size = 0
        self.start = 0
        self.end = 0

    @property
    def length(self) -> int:
        """Bytes that are shown."""
        return self.end - self.start

    @property
    def zoomed(self) -> bool:
        """Whether a part of the region is out of sight."""
        return self.length < self.size

    def set_size(self, size: int) -> None:
        """Another region."""
        if size != self.size:
            self.size = size
            self.reset()

    def reset(self) -> None:
        """The whole region."""
        self._show(0, self.size)

    def zoom(self, steps: int, offset: int) -> None:
        """Halve (positive) or double the part `steps` times; the byte at `offset` stays put."""
        if not self.size:
            return
        whole = 1 << (self.size - 1).bit_length()
        length = 1 << (self.length - 1).bit_length()
        length = length >> steps if steps > 0 else length << -steps
        length = min(max(length, _FEWEST), whole)
        share = (offset - self.start) / max(1, self.length)
        self._show(round(offset - share * length), length)

    def pan(self, length: int) -> None:
        """Go so many bytes on."""
        self._show(self.start + length, self.length)

    def _show(self, start: int, length: int) -> None:
        length = min(length, self.size)
        grid = max(4096, (1 << max(0, length - 1).bit_length()) // _STEPS)
        last = -(-(self.size - length) // grid) * grid
        start = min(max(0, round(start / grid) * grid), last)
        end = min(start + length, self.size)
        if (start, end) != (self.start, self.end):
            self.start, self.end = start, end
            self.changed.emit()


def address_text(offset: int) -> str:
    """`0x1C00000 (28 MiB)`."""
    text = format_short_offset(offset)
    return f"{text} ({format_size(offset)})" if offset >= 1024 else text
